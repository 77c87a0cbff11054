/* Nanoseconds of CPU time per random number: the median of several rounds, printed as a table.
 *
 * The sum of the draws is printed too, so that no compiler may leave them out.
 */
#include "sim/dist.h"
#include "sim/math.h"
#include "sim/rng_gsl.h"

#include <gsl/gsl_randist.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROUND_COUNT = 9, DRAW_COUNT = 400000 };

typedef struct Bench {
    Rng rng;
    RngKey key;
    Dist dist;
    gsl_rng *gsl;
} Bench;

static double cpu_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int compare(const void *left, const void *right) {
    double a = *(const double *)left;
    double b = *(const double *)right;
    return (a > b) - (a < b);
}

/* Each loop is a function of its own, so that what is inline in the simulator is inline here. */
#define LOOP(name, draw)                                                                           \
    static double name(Bench *b) {                                                                 \
        double sum = 0;                                                                            \
        for (uint64_t i = 0; i < DRAW_COUNT; i++) {                                                \
            sum += (double)(draw);                                                                 \
        }                                                                                          \
        return sum;                                                                                \
    }

static double keyed_uniform(const Bench *b, uint64_t i) {
    Rng rng;
    rng_keyed(&rng, &b->key, i, 1);
    return rng_uniform(&rng);
}

LOOP(loop_next, rng_next(&b->rng) >> 63)
LOOP(loop_uniform, rng_uniform(&b->rng))
LOOP(loop_below, rng_below(&b->rng, 1000003))
LOOP(loop_keyed, keyed_uniform(b, i))
LOOP(loop_keyed_draw, dist_draw_keyed(&b->dist, &b->key, i, 1))
LOOP(loop_dist, dist_draw(&b->dist, &b->rng))
LOOP(loop_exponential, ziggurat_exponential(&b->rng))
LOOP(loop_exponential_log, -math_log(rng_uniform_open(&b->rng)))
LOOP(loop_normal, ziggurat_normal(&b->rng))
LOOP(loop_log, math_log(rng_uniform_open(&b->rng)))
LOOP(loop_exp, math_exp(rng_uniform_open(&b->rng)))
LOOP(loop_gsl_exponential, gsl_ran_exponential(b->gsl, 1))
LOOP(loop_gsl_gamma, gsl_ran_gamma(b->gsl, 2.5, 1))

static void report(const char *name, double (*loop)(Bench *), Bench *bench) {
    double ns[ROUND_COUNT];
    double sum = 0;
    for (int i = 0; i < ROUND_COUNT; i++) {
        double start = cpu_ns();
        sum += loop(bench);
        ns[i] = (cpu_ns() - start) / DRAW_COUNT;
    }
    qsort(ns, ROUND_COUNT, sizeof ns[0], compare);
    printf("%-36s %7.1f ns   mean %.4g\n", name, ns[ROUND_COUNT / 2],
           sum / ROUND_COUNT / DRAW_COUNT);
}

/* Numbers go to the law's given parameters in order; lists are always the same two. */
static void report_law(const char *name, uint32_t given, const double values[2], Bench *bench) {
    static const double p[] = {0.3, 0.7};
    static const double sample[] = {0.13, 0.7, 1.9, 4.4};
    DistSpec spec = {.law = dist_law_find(name), .given = given};
    const DistLaw *law = dist_law(spec.law);
    for (size_t i = 0, next = 0; i < law->param_count; i++) {
        if ((given >> i & 1) == 0) {
            continue;
        }
        if (law->params[i].kind == DIST_PARAM_RATIO_LIST) {
            spec.lists[i] = (DistList){p, 2};
        } else if (law->params[i].kind == DIST_PARAM_QUANTITY_LIST) {
            spec.lists[i] = (DistList){sample, 2};
        } else if (law->params[i].kind == DIST_PARAM_SAMPLE) {
            spec.lists[i] = (DistList){sample, 4};
        } else {
            spec.values[i] = values[next++];
        }
    }
    Error error;
    if (!dist_solve(&spec, &bench->dist, &error)) {
        printf("%s\n", error.text);
        return;
    }
    char title[64];
    snprintf(title, sizeof title, "%s %g %g", name, values[0], values[1]);
    report(title, loop_dist, bench);
    snprintf(title, sizeof title, "%s, keyed", name);
    report(title, loop_keyed_draw, bench);
    dist_free(&bench->dist);
}

int main(void) {
    Bench bench = {.key = rng_key(1, 0, "bench", "draws")};
    rng_stream(&bench.rng, &bench.key);
    bench.gsl = rng_gsl_create(&bench.key);
    report("xoshiro256++", loop_next, &bench);
    report("uniform [0, 1)", loop_uniform, &bench);
    report("below 1000003", loop_below, &bench);
    report("keyed state + uniform", loop_keyed, &bench);
    report("exponential, ziggurat", loop_exponential, &bench);
    report("exponential, -math_log(u)", loop_exponential_log, &bench);
    report("normal, ziggurat", loop_normal, &bench);
    report("math_log(u)", loop_log, &bench);
    report("math_exp(u)", loop_exp, &bench);
    report("GSL exponential on the view", loop_gsl_exponential, &bench);
    report("GSL gamma(2.5) on the view", loop_gsl_gamma, &bench);
    report_law("constant", 1, (double[]){1.3, 0}, &bench);
    report_law("uniform", 3, (double[]){0.5, 1.5}, &bench);
    report_law("exponential", 1, (double[]){1.3, 0}, &bench);
    report_law("erlang", 3, (double[]){4, 1.3}, &bench);
    report_law("gamma", 3, (double[]){1.3, 0.6}, &bench);
    report_law("gamma", 3, (double[]){1.3, 1.7}, &bench);
    report_law("lognormal", 3, (double[]){1.3, 0.9}, &bench);
    report_law("weibull", 3, (double[]){1.3, 1.5}, &bench);
    report_law("pareto", 5, (double[]){1.3, 2.5}, &bench);
    report_law("hyperexponential", 3, (double[]){0, 0}, &bench);
    report_law("hyperexponential", 12, (double[]){1.3, 2.5}, &bench);
    report_law("empirical", 1, (double[]){0, 0}, &bench);
    report_law("zipf", 3, (double[]){1000, 0.9}, &bench);
    report_law("zipf", 3, (double[]){1e9, 1.2}, &bench);
    gsl_rng_free(bench.gsl);
    return 0;
}
