/* From an output directory to the small files that the scripts in plots/ read.
 *
 * A curve has a mean over all replications and a band from the 10 % to the 90 % quantile over them
 * (over the first PLOT_REPLICATIONS_MAX of a larger run; with fewer than ten replications that is
 * the smallest to the largest). Where there are more samples than the picture has room for,
 * neighbours share a point: the line is their mean, and the band keeps their smallest and largest
 * value, so that a short dip stays visible. The time series is read twice and never held: memory is
 * a few MB whatever its length.
 *
 * The files are tab-separated with one header line. Users' texts stand in cells without tabs,
 * quotes, backslashes and line breaks; names of files are ours.
 */
#ifndef KNOCKON_EXPERIMENTS_PLOT_DATA_H
#define KNOCKON_EXPERIMENTS_PLOT_DATA_H

#include "experiments/run_files.h"

enum {
    PLOT_POINTS_MAX = 600,       /* of a curve over the whole width */
    PLOT_SMALL_POINTS_MAX = 240, /* of a curve in one of several panels */
    PLOT_LEAST_POINTS_MAX = 150, /* of a curve in one of more than four */
    PLOT_REPLICATIONS_MAX = 200, /* that the bands look at */
    PLOT_CLIENTS_MAX = 4,        /* panels of latency.svg */
    PLOT_SERVICES_MAX = 8,       /* panels of services.svg */
    PLOT_INFERENCE_MAX = 3,      /* services of inference.svg, six panels each */
    PLOT_RUNS_MAX = 12,          /* replications drawn one by one behind the mean */
};

/* What a script is told besides its files. */
typedef struct PlotFacts {
    bool has_samples;  /* otherwise there is nothing to draw */
    double duration_s; /* the end of the last interval */
    double unit_s;     /* of the time axis */
    const char *unit;
    double load_top; /* upper end of the axis of load.gp */
    double latency_low_s, latency_high_s;
    uint32_t client_count, service_count, inference_count; /* that are shown */
    uint32_t clients_left, services_left, inference_left;  /* that are not */
    uint64_t replication_count, sample_count;
    bool has_bands;      /* false of average.csv */
    uint32_t lane_count; /* of labels above the panels, 0 to 3 */
} PlotFacts;

/* The files. */
enum { PLOT_FILES = 10 };
extern const char *const plot_files[PLOT_FILES];

/* Writes them into `to`, an existing directory without them. */
bool plot_data_write(const RunFiles *files, const char *from, const char *to, PlotFacts *facts,
                     Error *error);

#endif
