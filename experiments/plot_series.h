/* The time series of an output directory, as curves over time: the first half of plot_data.h. */
#ifndef KNOCKON_EXPERIMENTS_PLOT_SERIES_H
#define KNOCKON_EXPERIMENTS_PLOT_SERIES_H

#include "experiments/plot_data.h"

enum { PANEL_CURVES_MAX = 10 };
enum { LOAD_OFFERED, LOAD_ATTEMPTS, LOAD_GOODPUT, LOAD_FAILED, LOAD_CURVES };
enum { LATENCY_P50, LATENCY_P99, LATENCY_CURVES };
enum { SERVICE_QUEUE, SERVICE_UTILIZATION, SERVICE_IN_SYSTEM, SERVICE_ORPHANED, SERVICE_CURVES };
enum {
    INFERENCE_RUNNING,
    INFERENCE_WAITING,
    INFERENCE_KV_USE,
    INFERENCE_PREEMPTIONS, /* per second */
    INFERENCE_INPUT,       /* tokens per second */
    INFERENCE_OUTPUT,
    INFERENCE_TTFT_P50,
    INFERENCE_TTFT_P95,
    INFERENCE_ITL_P50,
    INFERENCE_ITL_P99,
    INFERENCE_CURVES
};

/* A point is the mean of `samples_per_point` neighbouring samples over the replications. */
typedef struct Curve {
    double *sums;
    uint64_t *counts;
    float *lows, *highs; /* [replication][point]; NaN where there is no value */
} Curve;

typedef struct Panel {
    uint32_t component; /* NONE: all clients together */
    uint32_t curve_count, point_count;
    uint64_t samples_per_point;
    Curve curves[PANEL_CURVES_MAX];
} Panel;

typedef VEC(Panel) Panels;

typedef struct PlotSeries {
    double interval_s;
    uint64_t sample_count, replication_count;
    uint32_t band_count; /* replications in the bands */
    bool is_average;     /* of average.csv: means alone, without bands */
    Panel load;
    Panels clients, services, inference; /* in the order of the files */
} PlotSeries;

/* The mean of a point and the band around it. */
typedef struct PlotPoint {
    double mean, low, high;
} PlotPoint;

/* Reads timeseries.csv or, where there is none, average.csv. With neither, or without rows,
 * sample_count is 0. On failure there is nothing to free. */
bool plot_series_read(PlotSeries *series, const RunFiles *files, const char *directory,
                      Error *error);
void plot_series_free(PlotSeries *series);

/* The middle of a point's time. */
double plot_series_time_s(const PlotSeries *series, const Panel *panel, uint32_t point);
PlotPoint plot_series_point(const PlotSeries *series, const Panel *panel, uint32_t curve,
                            uint32_t point);

#endif
