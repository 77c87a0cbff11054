/* Load curves against their definition, evaluated without cutting, and against GSL's quadrature. */
#include "models/load_build.h"

#include <gsl/gsl_errno.h>
#include <gsl/gsl_integration.h>
#include <math.h>

#include "sim/rng.h"
#include "tests/test.h"

enum { CURVES = 60, POINTS = 5, SPIKES = 3 };
#define HORIZON (600 * SIM_TIME_S)

/* The definition, straight from scenario.md section 2. */
static double points_value(const LoadSpec *spec, double t) {
    double x = spec->is_linear ? spec->points[0].x : 1;
    for (uint32_t i = 0; i < spec->point_count; i++) {
        double at_s = time_to_s(spec->points[i].at), ramp_s = time_to_s(spec->points[i].ramp);
        if (t >= at_s + ramp_s) {
            x = spec->points[i].x;
        } else if (t >= at_s) {
            return x + (spec->points[i].x - x) * (t - at_s) / ramp_s;
        }
        if (spec->is_linear && i + 1 < spec->point_count && t >= at_s) {
            double next_s = time_to_s(spec->points[i + 1].at);
            if (t < next_s) {
                return x + (spec->points[i + 1].x - x) * (t - at_s) / (next_s - at_s);
            }
        }
    }
    return x;
}

static double spike_value(const LoadSpike *spike, double t) {
    double from_s = time_to_s(spike->at), to_s = time_to_s(spike->at + spike->lasts);
    double ramp_s = time_to_s(spike->ramp);
    if (t < from_s || t >= to_s) {
        return 1;
    }
    double share = 1;
    if (ramp_s > 0) {
        share = fmin(1, fmin((t - from_s) / ramp_s, (to_s - t) / ramp_s));
    }
    return 1 + (spike->x - 1) * share;
}

static double exact_value(double t, void *context) {
    const LoadSpec *spec = context;
    double product = spec->point_count > 0 ? points_value(spec, t) : 1;
    for (uint32_t i = 0; i < spec->spike_count; i++) {
        product *= spike_value(&spec->spikes[i], t);
    }
    if (spec->sine_amplitude > 0) {
        double turns = t / time_to_s(spec->sine_period);
        product *= 1 + spec->sine_amplitude * sin(2 * M_PI * turns + spec->sine_phase);
    }
    return product;
}

typedef struct RandomLoad {
    LoadSpec spec;
    LoadPoint points[POINTS];
    LoadSpike spikes[SPIKES];
} RandomLoad;

static SimTime random_time(Rng *rng, double from_s, double to_s) {
    return time_from_s(from_s + (to_s - from_s) * rng_uniform(rng));
}

static void random_load(Rng *rng, RandomLoad *out) {
    *out = (RandomLoad){.spec.is_linear = rng_below(rng, 3) == 0};
    for (int i = 0; i < POINTS; i++) {
        double slot_s = 113.7 * i;
        out->points[i].at = random_time(rng, slot_s, slot_s + 50);
        out->points[i].x = rng_below(rng, 4) == 0 ? 0 : 3.17 * rng_uniform(rng);
        if (!out->spec.is_linear && rng_below(rng, 2) == 0) {
            out->points[i].ramp = random_time(rng, 1, 60);
        }
    }
    for (int i = 0; i < SPIKES; i++) {
        out->spikes[i].at = random_time(rng, 0, 500);
        out->spikes[i].lasts = random_time(rng, 10, 200);
        out->spikes[i].x = 5.3 * rng_uniform(rng);
        out->spikes[i].ramp = rng_below(rng, 2) == 0 ? 0 : out->spikes[i].lasts / 3;
    }
    out->spec.points = out->points;
    out->spec.point_count = POINTS;
    out->spec.spikes = out->spikes;
    out->spec.spike_count = rng_below(rng, SPIKES + 1);
    if (rng_below(rng, 2) == 0) {
        out->spec.sine_amplitude = rng_uniform(rng);
        out->spec.sine_period = random_time(rng, 20, 3000);
        out->spec.sine_phase = 12 * rng_uniform(rng) - 6;
    }
}

static LoadCurve built(Model *model, const LoadSpec *spec, bool with_spikes) {
    LoadCurve curve = {0};
    Error error = {""};
    uint32_t index = 0;
    ck_assert_msg(load_spec_check(spec, &index, &error), "%s", error.text);
    ck_assert_msg(load_build(model, spec, with_spikes, HORIZON, &curve, &error), "%s", error.text);
    return curve;
}

static Rng test_stream(const char *purpose) {
    RngKey key = rng_key(17, 0, "load_test", purpose);
    Rng rng;
    rng_stream(&rng, &key);
    return rng;
}

START_TEST(the_curve_is_its_definition_within_4e_5_of_its_maximum) {
    Rng rng = test_stream("value");
    for (int n = 0; n < CURVES; n++) {
        Model *model = model_create();
        RandomLoad load;
        random_load(&rng, &load);
        LoadCurve curve = built(model, &load.spec, true);
        LoadCursor cursor = {0};
        for (double t = 0; t < 600; t += 0.0937) {
            double exact = exact_value(t, &load.spec);
            ck_assert_double_eq_tol(load_value(&curve, &cursor, t), exact,
                                    4e-5 * curve.max + 1e-12);
            ck_assert(exact <= curve.max * (1 + 4e-5));
        }
        model_destroy(model);
    }
}
END_TEST

START_TEST(the_integral_agrees_with_gsl) {
    Rng rng = test_stream("integral");
    gsl_integration_workspace *work = gsl_integration_workspace_alloc(2000);
    gsl_set_error_handler_off();
    for (int n = 0; n < CURVES; n++) {
        Model *model = model_create();
        RandomLoad load;
        random_load(&rng, &load);
        LoadCurve curve = built(model, &load.spec, true);
        gsl_function function = {exact_value, &load.spec};
        double from_s = 300 * rng_uniform(&rng), to_s = from_s + 300 * rng_uniform(&rng);
        double expected, error_bound;
        gsl_integration_qag(&function, from_s, to_s, 1e-6, 1e-7, 2000, GSL_INTEG_GAUSS21, work,
                            &expected, &error_bound);
        double got = load_between(&curve, (LoadCursor){0}, from_s, to_s);
        ck_assert_double_eq_tol(got, expected, 4e-5 * curve.max * (to_s - from_s) + 1e-5);
        model_destroy(model);
    }
    gsl_integration_workspace_free(work);
}
END_TEST

START_TEST(advance_is_the_inverse_of_the_integral) {
    Rng rng = test_stream("inverse");
    for (int n = 0; n < CURVES; n++) {
        Model *model = model_create();
        RandomLoad load;
        random_load(&rng, &load);
        LoadCurve curve = built(model, &load.spec, true);
        LoadCursor cursor = {0};
        double at_s = 0;
        for (int i = 0; i < 2000 && at_s < 700; i++) {
            double amount = 0.61 * rng_uniform(&rng);
            double next_s = load_advance(&curve, &cursor, at_s, amount);
            if (next_s >= SIM_TIME_S_MAX) {
                ck_assert_double_eq_tol(load_value(&curve, &cursor, 1e6), 0, 1e-12);
                break;
            }
            ck_assert(next_s >= at_s);
            ck_assert_double_eq_tol(load_between(&curve, cursor, at_s, next_s), amount, 1e-9);
            at_s = next_s;
        }
        model_destroy(model);
    }
}
END_TEST

/* A22 of validation.md: lambda(t) = 10 + 8 sin(0.5 t), service 2: the mean number at t is the
 * integral of lambda over [t - 2, t]. */
START_TEST(a_sinusoid_has_the_means_of_a22) {
    Model *model = model_create();
    LoadSpec spec = {.sine_amplitude = 0.8, .sine_period = time_from_s(4 * M_PI)};
    LoadCurve curve = built(model, &spec, true);
    const double times_s[] = {20, 22, 25};
    const double means[] = {18.84706028, 6.504044367, 11.76810367};
    for (int i = 0; i < 3; i++) {
        double mean = 10 * load_between(&curve, (LoadCursor){0}, times_s[i] - 2, times_s[i]);
        ck_assert_double_eq_tol(mean, means[i], 8 * 2 * 2e-5);
    }
    model_destroy(model);
}
END_TEST

START_TEST(no_load_given_is_one_everywhere) {
    Model *model = model_create();
    LoadSpec spec = {0};
    LoadCurve curve = built(model, &spec, true);
    ck_assert(curve.is_one && curve.piece_count == 1);
    ck_assert_double_eq(curve.max, 1);
    LoadCursor cursor = {0};
    ck_assert_double_eq(load_advance(&curve, &cursor, 2.385, 1.25), 3.635);
    model_destroy(model);
}
END_TEST

START_TEST(the_organic_curve_leaves_the_spikes_out) {
    Model *model = model_create();
    LoadPoint point = {20 * SIM_TIME_S, 1.5, 0};
    LoadSpike spike = {100 * SIM_TIME_S, 60 * SIM_TIME_S, 3, 10 * SIM_TIME_S};
    LoadSpec spec = {.points = &point, .point_count = 1, .spikes = &spike, .spike_count = 1};
    LoadCurve with = built(model, &spec, true);
    LoadCurve without = built(model, &spec, false);
    LoadCursor a = {0}, b = {0};
    ck_assert_double_eq(load_value(&with, &a, 105), 3);
    ck_assert_double_eq(load_value(&with, &a, 130), 4.5);
    ck_assert_double_eq_tol(load_value(&with, &a, 157.5), 1.5 * 1.5, 1e-12);
    ck_assert_double_eq(load_value(&without, &b, 130), 1.5);
    ck_assert_double_eq(with.max, 4.5);
    ck_assert_double_eq(without.max, 1.5);
    model_destroy(model);
}
END_TEST

START_TEST(a_load_that_stays_zero_never_advances) {
    Model *model = model_create();
    LoadPoint points[] = {{10 * SIM_TIME_S, 0, 5 * SIM_TIME_S}};
    LoadSpec spec = {.points = points, .point_count = 1};
    LoadCurve curve = built(model, &spec, true);
    LoadCursor cursor = {0};
    ck_assert_double_eq_tol(load_advance(&curve, &cursor, 0, 12.5), 15, 1e-6);
    ck_assert_double_eq(load_advance(&curve, &cursor, 1, 12.5), SIM_TIME_S_MAX);
    ck_assert_double_eq(load_first_above(&curve, cursor, 16, 0), SIM_TIME_S_MAX);
    model_destroy(model);
}
END_TEST

START_TEST(first_above_is_above_and_a_nanosecond_earlier_is_not) {
    Rng rng = test_stream("above");
    int found = 0;
    for (int n = 0; n < CURVES; n++) {
        Model *model = model_create();
        RandomLoad load;
        random_load(&rng, &load);
        LoadCurve curve = built(model, &load.spec, true);
        for (double level = 0; level < curve.max; level += curve.max / 7.3) {
            double from_s = 200 * rng_uniform(&rng);
            double at_s = load_first_above(&curve, (LoadCursor){0}, from_s, level);
            if (at_s >= SIM_TIME_S_MAX) {
                continue;
            }
            LoadCursor cursor = {0};
            ck_assert(at_s >= from_s);
            ck_assert_double_gt(load_value(&curve, &cursor, at_s), level);
            for (double share = 0; share < 1; share += 0.0731) {
                double earlier_s = from_s + (at_s - 2e-6 - from_s) * share;
                LoadCursor look = {0};
                if (at_s - 2e-6 > from_s) {
                    ck_assert_double_le(load_value(&curve, &look, earlier_s), level + 1e-12);
                }
            }
            found++;
        }
        model_destroy(model);
    }
    ck_assert_int_gt(found, CURVES);
}
END_TEST

START_TEST(points_and_spikes_may_lie_far_beyond_the_run) {
    Model *model = model_create();
    SimTime last = time_from_s(SIM_TIME_S_MAX);
    LoadPoint points[] = {{0, 2.5, 0}, {last, 4, last}};
    LoadSpike spikes[] = {{last, last, 7, last / 2}};
    LoadSpec spec = {.points = points, .point_count = 2, .spikes = spikes, .spike_count = 1};
    LoadCurve curve = built(model, &spec, true);
    ck_assert_uint_eq(curve.piece_count, 1);
    ck_assert_double_eq(curve.max, 2.5);
    model_destroy(model);
}
END_TEST

static void refuse(const LoadSpec *spec, uint32_t expected_index, const char *expected) {
    Error error = {""};
    uint32_t index = 99;
    ck_assert(!load_spec_check(spec, &index, &error));
    ck_assert_uint_eq(index, expected_index);
    ck_assert_str_eq(error.text, expected);
}

START_TEST(points_and_spikes_that_contradict_are_refused) {
    LoadPoint ramp[] = {{0, 1, 0}, {SIM_TIME_S, 2, 3 * SIM_TIME_S}, {2 * SIM_TIME_S, 1, 0}};
    refuse(&(LoadSpec){.points = ramp, .point_count = 3}, 2,
           "this point begins before the ramp of the one before has ended");
    refuse(&(LoadSpec){.points = ramp, .point_count = 3, .is_linear = true}, 1,
           "'interpolate: linear' joins the points, so a point takes no 'ramp'");
    LoadPoint order[] = {{5, 1, 0}, {5, 2, 0}};
    refuse(&(LoadSpec){.points = order, .point_count = 2}, 1,
           "points must be in the order of time: this one is not after the one before");
    LoadSpike spike = {0, 10, 2, 6};
    refuse(&(LoadSpec){.spikes = &spike, .spike_count = 1}, 0,
           "a spike rises and falls within 'for', so 'ramp' may be half of it at most");
}
END_TEST

START_TEST(a_sine_too_fast_for_the_run_is_refused) {
    Model *model = model_create();
    LoadSpec spec = {.sine_amplitude = 0.5, .sine_period = SIM_TIME_S / 10};
    LoadCurve curve = {0};
    Error error = {""};
    ck_assert(!load_build(model, &spec, true, HORIZON, &curve, &error));
    ck_assert_str_eq(error.text,
                     "a sine of this period would be cut into 3072000 pieces over the run; at most "
                     "1000000 are possible, so take a period of 0.307s or more");
    ck_assert_ptr_null(curve.pieces);
    model_destroy(model);
}
END_TEST

TEST_SUITE("models/load", the_curve_is_its_definition_within_4e_5_of_its_maximum,
           the_integral_agrees_with_gsl, advance_is_the_inverse_of_the_integral,
           a_sinusoid_has_the_means_of_a22, no_load_given_is_one_everywhere,
           the_organic_curve_leaves_the_spikes_out, a_load_that_stays_zero_never_advances,
           first_above_is_above_and_a_nanosecond_earlier_is_not,
           points_and_spikes_may_lie_far_beyond_the_run,
           points_and_spikes_that_contradict_are_refused, a_sine_too_fast_for_the_run_is_refused)
