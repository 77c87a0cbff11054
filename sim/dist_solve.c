/* From the parameters a user knows to those a sampler needs.
 *
 * Everything with a closed form is computed with + - * /, math_sqrt, math_log and math_exp, so that
 * a compiled law has equal bits everywhere. What needs GSL's special functions (gamma by p99,
 * weibull) goes through libm, whose last bits differ between machines; those results are rounded to
 * 26 bits of mantissa (a relative error of 1e-8, far below what anybody knows of a p99). Of 41,427
 * laws over the whole range none changed a bit between glibc's libm with and without FMA.
 */
#include "sim/check.h"
#include "sim/dist.h"
#include "sim/dist_zipf.h"
#include "sim/math.h"
#include "sim/vec.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_errno.h>
#include <gsl/gsl_roots.h>
#include <gsl/gsl_sf_gamma.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The 99 % quantile of the standard normal: gsl_cdf_ugaussian_Pinv(0.99), 2.3263478740408408. */
static const double NORMAL_P99 = 0x1.29c5c4630ff0bp+1;
static const double CV_MIN = 1e-6;
static const double LOGNORMAL_SIGMA_MAX = 10;
/* Above a shape of 0.02 the p99 of a gamma law of given mean falls with the shape; below, it would
 * have two solutions. */
static const double GAMMA_SHAPE_MIN = 0.02;
static const double GAMMA_SHAPE_MAX = 2e6;
static const double POWER_SHAPE_MIN = 0.1;
static const double POWER_SHAPE_MAX = 1000;
static const size_t PHASE_COUNT_MAX = 1000;

/* Places of parameters in dist.def; a test holds the two together. */
enum { ONLY = 0, UNIFORM_MIN = 0, UNIFORM_MAX, ERLANG_K = 0, ERLANG_MEAN };
enum { GAMMA_MEAN, GAMMA_CV, GAMMA_P99 };
enum { LOGNORMAL_MEAN, LOGNORMAL_P50, LOGNORMAL_P99, LOGNORMAL_CV, LOGNORMAL_SIGMA };
enum { WEIBULL_MEAN, WEIBULL_SHAPE, WEIBULL_CV };
enum { PARETO_MEAN, PARETO_MIN, PARETO_SHAPE };
enum { HYPER_P, HYPER_MEANS, HYPER_MEAN, HYPER_CV };
enum { ZIPF_COUNT, ZIPF_S };

/* One call of dist_solve. */
typedef struct Solve {
    const DistSpec *spec;
    const DistLaw *law;
    Error *error;
} Solve;

static bool has(const Solve *solve, size_t param) {
    CHECK(param < solve->law->param_count);
    return (solve->spec->given >> param & 1) != 0;
}

static double value(const Solve *solve, size_t param) {
    CHECK(has(solve, param) && !dist_param_is_list(solve->law->params[param].kind));
    return solve->spec->values[param];
}

/* False with an error unless low <= found <= high; NaN is refused too. */
static bool need_range(const Solve *solve, size_t param, double low, double high) {
    CHECK(low <= high);
    double found = value(solve, param);
    if (found >= low && found <= high) {
        return true;
    }
    return error_set(solve->error, "%s: %s must be from %.12g to %.12g; found %.12g",
                     solve->law->name, solve->law->params[param].name, low, high, found);
}

static bool need_positive(const Solve *solve, size_t param) {
    double found = value(solve, param);
    if (found > 0) {
        return true;
    }
    return error_set(solve->error, "%s: %s must be above 0; found %.12g", solve->law->name,
                     solve->law->params[param].name, found);
}

/* A coefficient of variation: 0, which makes the law constant, or low … high. */
static bool need_cv(const Solve *solve, size_t param, double low, double high) {
    CHECK(low > 0 && low <= high);
    double found = value(solve, param);
    if (found == 0 || (found >= low && found <= high)) {
        return true;
    }
    return error_set(solve->error, "%s: %s must be 0, or from %.12g to %.12g; found %.12g",
                     solve->law->name, solve->law->params[param].name, low, high, found);
}

/* 26 bits of mantissa; see the head of this file. */
static double round_solved(double x) {
    int exponent;
    CHECK(x - x == 0);
    double mantissa = frexp(x, &exponent);
    return ldexp(nearbyint(ldexp(mantissa, 26)), exponent - 26);
}

/* log(1 + t), t >= 0, may be infinite. */
static double log_plus_one(double t) {
    CHECK(t >= 0);
    return t > 1 ? math_log(1 + t) : t * zipf_log_ratio(t);
}

static bool solve_constant(const Solve *solve, Dist *out) {
    *out = dist_constant(value(solve, ONLY));
    return true;
}

static bool solve_uniform(const Solve *solve, Dist *out) {
    double min = value(solve, UNIFORM_MIN);
    double max = value(solve, UNIFORM_MAX);
    if (max < min) {
        return error_set(solve->error,
                         "uniform: max must be at least min; found min %.12g, max %.12g", min, max);
    }
    if (max == min) {
        *out = dist_constant(min);
        return true;
    }
    *out = (Dist){.sampler = DIST_UNIFORM, .mean = 0.5 * (min + max), .scale = 1};
    out->u.uniform.min = min;
    out->u.uniform.max = max;
    out->u.uniform.span = max - min;
    CHECK(out->u.uniform.span > 0);
    return true;
}

static bool solve_exponential(const Solve *solve, Dist *out) {
    if (!need_positive(solve, ONLY)) {
        return false;
    }
    *out = dist_exponential(value(solve, ONLY));
    return true;
}

static Dist gamma_compiled(double shape, double mean) {
    CHECK(shape > 0 && mean > 0);
    Dist dist = {.sampler = DIST_GAMMA, .mean = mean, .scale = mean / shape};
    CHECK(dist.scale - dist.scale == 0);
    double raised = shape < 1 ? shape + 1 : shape;
    dist.u.gamma.d = raised - 1.0 / 3;
    dist.u.gamma.c = 1 / math_sqrt(9 * dist.u.gamma.d);
    dist.u.gamma.boost = shape < 1 ? 1 / shape : 0;
    return shape == 1 ? dist_exponential(mean) : dist;
}

static bool solve_erlang(const Solve *solve, Dist *out) {
    if (!need_range(solve, ERLANG_K, 1, 1e6) || !need_positive(solve, ERLANG_MEAN)) {
        return false;
    }
    *out = gamma_compiled(value(solve, ERLANG_K), value(solve, ERLANG_MEAN));
    return true;
}

/* Finds the zero of a decreasing or increasing function between two ends of unlike sign. */
static double solve_root(double (*function)(double, void *), void *params, double low,
                         double high) {
    gsl_root_fsolver *solver = gsl_root_fsolver_alloc(gsl_root_fsolver_brent);
    CHECK(solver != NULL && low < high);
    gsl_function f = {.function = function, .params = params};
    CHECK(gsl_root_fsolver_set(solver, &f, low, high) == GSL_SUCCESS);
    int status = GSL_CONTINUE;
    for (int i = 0; i < 200 && status == GSL_CONTINUE; i++) {
        CHECK(gsl_root_fsolver_iterate(solver) == GSL_SUCCESS);
        status = gsl_root_test_interval(gsl_root_fsolver_x_lower(solver),
                                        gsl_root_fsolver_x_upper(solver), 0, 1e-14);
    }
    double root = gsl_root_fsolver_root(solver);
    CHECK(root >= low && root <= high);
    gsl_root_fsolver_free(solver);
    return root;
}

/* How far the chance of exceeding ratio x mean is from 1 %, for a gamma law of that shape. */
static double gamma_excess(double shape, void *ratio) {
    CHECK(shape > 0 && *(double *)ratio > 0);
    return gsl_cdf_gamma_Q(*(double *)ratio * shape, shape, 1) - 0.01;
}

static bool solve_gamma(const Solve *solve, Dist *out) {
    if (!need_positive(solve, GAMMA_MEAN)) {
        return false;
    }
    double mean = value(solve, GAMMA_MEAN);
    if (has(solve, GAMMA_CV)) {
        if (!need_cv(solve, GAMMA_CV, CV_MIN, 100)) {
            return false;
        }
        double cv = value(solve, GAMMA_CV);
        *out = cv == 0 ? dist_constant(mean) : gamma_compiled(1 / (cv * cv), mean);
        return true;
    }
    double ratio = value(solve, GAMMA_P99) / mean;
    double ratio_min = 1.003;
    double ratio_max = 25;
    if (!(ratio >= ratio_min && ratio <= ratio_max)) {
        return error_set(
            solve->error,
            "gamma: p99 must be from %.12g to %.12g times the mean; found %.12g times: "
            "constant is steadier, pareto and hyperexponential vary more",
            ratio_min, ratio_max, ratio);
    }
    /* Doubling from below keeps GSL away from chances that it cannot compute: it would abort. */
    double high = 2 * GAMMA_SHAPE_MIN;
    while (gamma_excess(high, &ratio) > 0) {
        high *= 2;
        CHECK(high < GAMMA_SHAPE_MAX);
    }
    double shape = solve_root(gamma_excess, &ratio, 0.5 * high, high);
    *out = gamma_compiled(round_solved(shape), mean);
    return true;
}

/* The sigma of a lognormal law from two of mean, p50 and p99: with z = NORMAL_P99,
 * mean = p50 exp(sigma^2 / 2) and p99 = p50 exp(z sigma). */
static bool lognormal_sigma(const Solve *solve, double *out) {
    const char *low_name = has(solve, LOGNORMAL_P50) ? "p50" : "mean";
    const char *high_name = has(solve, LOGNORMAL_P99) ? "p99" : "mean";
    double low = value(solve, has(solve, LOGNORMAL_P50) ? LOGNORMAL_P50 : LOGNORMAL_MEAN);
    double high = value(solve, has(solve, LOGNORMAL_P99) ? LOGNORMAL_P99 : LOGNORMAL_MEAN);
    CHECK(low > 0);
    if (high < low) {
        return error_set(
            solve->error,
            "lognormal: %s must be at least %s (they are equal for a constant); found %s "
            "%.12g, %s %.12g",
            high_name, low_name, low_name, low, high_name, high);
    }
    double log_ratio = log_plus_one((high - low) / low);
    if (!has(solve, LOGNORMAL_P99)) {
        *out = math_sqrt(2 * log_ratio);
        return true;
    }
    if (has(solve, LOGNORMAL_P50)) {
        *out = log_ratio / NORMAL_P99;
        return true;
    }
    /* log(p99 / mean) = z sigma - sigma^2 / 2: the smaller root, the one that goes to 0 with it. */
    double square = NORMAL_P99 * NORMAL_P99 - 2 * log_ratio;
    if (square < 0) {
        return error_set(
            solve->error,
            "lognormal: p99 is at most %.4g times the mean, whatever the spread; found "
            "%.12g times: give p50 and p99, or a law with a heavier tail (pareto)",
            math_exp(0.5 * NORMAL_P99 * NORMAL_P99), high / low);
    }
    *out = 2 * log_ratio / (NORMAL_P99 + math_sqrt(square));
    return true;
}

static bool solve_lognormal(const Solve *solve, Dist *out) {
    for (size_t param = LOGNORMAL_MEAN; param <= LOGNORMAL_P99; param++) {
        if (has(solve, param) && !need_positive(solve, param)) {
            return false;
        }
    }
    double sigma = 0;
    if (has(solve, LOGNORMAL_SIGMA)) {
        if (!need_range(solve, LOGNORMAL_SIGMA, 0, LOGNORMAL_SIGMA_MAX)) {
            return false;
        }
        sigma = value(solve, LOGNORMAL_SIGMA);
    } else if (has(solve, LOGNORMAL_CV)) {
        if (!need_cv(solve, LOGNORMAL_CV, CV_MIN, 1e6)) {
            return false;
        }
        double cv = value(solve, LOGNORMAL_CV);
        sigma = math_sqrt(log_plus_one(cv * cv));
    } else if (!lognormal_sigma(solve, &sigma)) {
        return false;
    }
    if (!(sigma <= LOGNORMAL_SIGMA_MAX)) {
        return error_set(solve->error,
                         "lognormal: sigma must be at most %.12g; these values ask for %.4g",
                         LOGNORMAL_SIGMA_MAX, sigma);
    }
    double half_square = 0.5 * sigma * sigma;
    double median = 0;
    if (has(solve, LOGNORMAL_P50)) {
        median = value(solve, LOGNORMAL_P50);
    } else if (has(solve, LOGNORMAL_MEAN)) {
        median = value(solve, LOGNORMAL_MEAN) * math_exp(-half_square);
    } else {
        median = value(solve, LOGNORMAL_P99) * math_exp(-NORMAL_P99 * sigma);
    }
    double mean =
        has(solve, LOGNORMAL_MEAN) ? value(solve, LOGNORMAL_MEAN) : median * math_exp(half_square);
    CHECK(sigma >= 0 && median >= 0 && mean >= 0);
    *out = (Dist){.sampler = DIST_LOGNORMAL, .mean = mean, .scale = median};
    out->u.lognormal.sigma = sigma;
    *out = sigma == 0 ? dist_constant(median) : *out;
    return true;
}

/* How far the cv of a weibull law with exponent 1 / inverse_shape is from the one wanted, on the
 * scale log(1 + cv^2) = lnGamma(1 + 2 / shape) - 2 lnGamma(1 + 1 / shape). */
static double weibull_excess(double inverse_shape, void *log_wanted) {
    CHECK(inverse_shape > 0);
    return gsl_sf_lngamma(1 + 2 * inverse_shape) - 2 * gsl_sf_lngamma(1 + inverse_shape) -
           *(double *)log_wanted;
}

static bool solve_weibull(const Solve *solve, Dist *out) {
    if (!need_positive(solve, WEIBULL_MEAN)) {
        return false;
    }
    double mean = value(solve, WEIBULL_MEAN);
    double inverse_shape = 0;
    if (has(solve, WEIBULL_SHAPE)) {
        if (!need_range(solve, WEIBULL_SHAPE, POWER_SHAPE_MIN, POWER_SHAPE_MAX)) {
            return false;
        }
        inverse_shape = 1 / value(solve, WEIBULL_SHAPE);
    } else {
        if (!need_cv(solve, WEIBULL_CV, 0.01, 100)) {
            return false;
        }
        double cv = value(solve, WEIBULL_CV);
        if (cv == 0) {
            *out = dist_constant(mean);
            return true;
        }
        double log_wanted = log_plus_one(cv * cv);
        inverse_shape = round_solved(
            solve_root(weibull_excess, &log_wanted, 1 / POWER_SHAPE_MAX, 1 / POWER_SHAPE_MIN));
    }
    CHECK(inverse_shape > 0);
    *out = (Dist){.sampler = DIST_WEIBULL, .mean = mean};
    out->scale = mean / round_solved(gsl_sf_gamma(1 + inverse_shape));
    out->u.power.inverse_shape = inverse_shape;
    *out = inverse_shape == 1 ? dist_exponential(mean) : *out;
    return true;
}

static bool solve_pareto(const Solve *solve, Dist *out) {
    bool by_mean = has(solve, PARETO_MEAN);
    if (!need_positive(solve, by_mean ? PARETO_MEAN : PARETO_MIN) ||
        !need_range(solve, PARETO_SHAPE, POWER_SHAPE_MIN, POWER_SHAPE_MAX)) {
        return false;
    }
    double shape = value(solve, PARETO_SHAPE);
    if (by_mean && shape <= 1) {
        return error_set(
            solve->error,
            "pareto: the mean is infinite for a shape up to 1; found shape %.12g: give min "
            "instead of mean, or a shape above 1",
            shape);
    }
    double min =
        by_mean ? value(solve, PARETO_MEAN) * ((shape - 1) / shape) : value(solve, PARETO_MIN);
    double mean = shape > 1 ? min * (shape / (shape - 1)) : HUGE_VAL;
    CHECK(min >= 0 && mean >= min);
    *out = (Dist){.sampler = DIST_PARETO, .scale = min};
    out->mean = by_mean ? value(solve, PARETO_MEAN) : mean;
    out->u.power.inverse_shape = 1 / shape;
    return true;
}

/* The chance of phase i: as given, or what one p leaves to the second of two. */
static double phase_chance(const DistList *p, size_t i) {
    CHECK(i <= p->count && p->count > 0);
    return i < p->count ? p->items[i] : 1 - p->items[0];
}

static bool check_phases(const Solve *solve, const DistList *p, const DistList *means) {
    if (means->count == 0 || means->count > PHASE_COUNT_MAX ||
        (p->count != means->count && !(p->count == 1 && means->count == 2))) {
        return error_set(
            solve->error,
            "hyperexponential: give one p for each of 1 to %zu means, or one p for two "
            "means; found %zu p and %zu means",
            PHASE_COUNT_MAX, p->count, means->count);
    }
    double sum = 0;
    for (size_t i = 0; i < means->count; i++) {
        double chance = phase_chance(p, i);
        if (!(chance >= 0 && chance <= 1)) {
            return error_set(solve->error, "hyperexponential: p must be from 0 to 1; found %.12g",
                             p->items[i < p->count ? i : 0]);
        }
        if (!(means->items[i] > 0)) {
            return error_set(solve->error, "hyperexponential: means must be above 0; found %.12g",
                             means->items[i]);
        }
        sum += chance;
    }
    if (!(sum > 1 - 1e-9 && sum < 1 + 1e-9)) {
        return error_set(solve->error,
                         "hyperexponential: the p must add up to 1; found a sum of %.12g", sum);
    }
    return true;
}

/* Chances and means of `count` phases to a table that *out owns. */
static void compile_phases(size_t count, const double *chances, const double *means, Dist *out) {
    CHECK(count >= 1 && count <= PHASE_COUNT_MAX);
    *out = (Dist){.sampler = DIST_HYPEREXPONENTIAL, .count = (uint32_t)count, .scale = 1};
    out->table = mem_alloc(2 * count * sizeof *out->table);
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += chances[i];
        out->mean += chances[i] * means[i];
        out->table[2 * i] = i + 1 < count ? sum : 1;
        out->table[2 * i + 1] = means[i];
    }
    CHECK(sum > 1 - 1e-6 && sum < 1 + 1e-6);
}

static bool solve_hyperexponential(const Solve *solve, Dist *out) {
    if (has(solve, HYPER_MEAN)) {
        if (!need_positive(solve, HYPER_MEAN) || !need_range(solve, HYPER_CV, 1, 1e4)) {
            return false;
        }
        /* Balanced means, p1 mean1 = p2 mean2 (Whitt, "Approximating a point process by a renewal
         * process, I", Oper. Res. 30 (1982), eq. 3.6); the rare phase from 1 - root^2 = 2 / (cv^2 +
         * 1), so that nothing cancels, and first, so that its chance is not a difference. */
        double mean = value(solve, HYPER_MEAN);
        double square = value(solve, HYPER_CV) * value(solve, HYPER_CV);
        double root = math_sqrt((square - 1) / (square + 1));
        double chances[2] = {1 / ((square + 1) * (1 + root)), 0.5 * (1 + root)};
        double means[2] = {0.5 * mean / chances[0], 0.5 * mean / chances[1]};
        compile_phases(2, chances, means, out);
        out->mean = mean;
        return true;
    }
    const DistList *p = &solve->spec->lists[HYPER_P];
    const DistList *means = &solve->spec->lists[HYPER_MEANS];
    if (!check_phases(solve, p, means)) {
        return false;
    }
    CHECK(p->count == means->count || means->count == 2);
    double chances[2] = {p->items[0], phase_chance(p, 1)};
    compile_phases(means->count, p->count == means->count ? p->items : chances, means->items, out);
    return true;
}

static int compare_doubles(const void *left, const void *right) {
    double a = *(const double *)left;
    double b = *(const double *)right;
    CHECK(a == a && b == b); /* a NaN has no place in an order */
    return (a > b) - (a < b);
}

/* Sorted, so that the order of rows in a file changes no draw. */
static bool solve_empirical(const Solve *solve, Dist *out) {
    const DistList *list = &solve->spec->lists[ONLY];
    if (list->count == 0 || list->count > UINT32_MAX) {
        return error_set(solve->error, "empirical: needs 1 to %u values; found %zu", UINT32_MAX,
                         list->count);
    }
    double *table = mem_alloc(list->count * sizeof *table);
    memcpy(table, list->items, list->count * sizeof *table);
    qsort(table, list->count, sizeof *table, compare_doubles);
    double sum = 0;
    for (size_t i = 0; i < list->count; i++) {
        sum += table[i];
    }
    CHECK(table[0] >= 0);
    if (table[0] == table[list->count - 1]) {
        *out = dist_constant(table[0]);
        mem_free(table);
        return true;
    }
    *out = (Dist){.sampler = DIST_EMPIRICAL, .count = (uint32_t)list->count, .scale = 1};
    out->mean = sum / (double)list->count;
    out->table = table;
    return true;
}

/* The sum of k^-s over k = 1 … count: the first thousand terms, the rest by Euler and Maclaurin to
 * the third derivative, which is exact to rounding for s >= -1. */
static double zipf_sum(uint32_t count, double s) {
    CHECK(count >= 1 && s >= -1);
    const uint32_t first = 1000;
    double sum = 0;
    for (uint32_t k = 1; k <= count && k <= first; k++) {
        sum += zipf_weight(k, s);
    }
    if (count <= first) {
        return sum;
    }
    double low = first;
    double high = count;
    double f_low = zipf_weight(low, s);
    double f_high = zipf_weight(high, s);
    sum += zipf_hat(high, s) - zipf_hat(low, s) + 0.5 * (f_high - f_low);
    sum += s / 12 * (f_low / low - f_high / high);
    return sum - s * (s + 1) * (s + 2) / 720 *
                     (f_low / (low * low * low) - f_high / (high * high * high));
}

static bool solve_zipf(const Solve *solve, Dist *out) {
    if (!need_range(solve, ZIPF_COUNT, 1, 1e9) || !need_range(solve, ZIPF_S, 0, 100)) {
        return false;
    }
    uint32_t count = (uint32_t)value(solve, ZIPF_COUNT);
    double s = value(solve, ZIPF_S);
    if (count == 1) {
        *out = dist_constant(1);
        return true;
    }
    *out = (Dist){.sampler = DIST_ZIPF, .count = count, .scale = 1};
    out->mean = zipf_sum(count, s - 1) / zipf_sum(count, s);
    out->u.zipf.s = s;
    out->u.zipf.low = zipf_hat(1.5, s) - 1;
    out->u.zipf.width = zipf_hat(count + 0.5, s) - out->u.zipf.low;
    CHECK(out->mean > 0 && out->u.zipf.width > 0);
    out->u.zipf.sure = 2 - zipf_hat_inverse(zipf_hat(2.5, s) - zipf_weight(2, s), s);
    return true;
}

/* "{mean, cv}" of a set of parameters, cut to the size of the text. */
static void append_set(const DistLaw *law, uint32_t set, char *text, size_t size) {
    size_t used = strlen(text);
    CHECK(used < size);
    used += (size_t)snprintf(text + used, size - used, "{");
    const char *comma = "";
    for (size_t i = 0; i < law->param_count && used < size; i++) {
        if ((set >> i & 1) != 0) {
            used += (size_t)snprintf(text + used, size - used, "%s%s", comma, law->params[i].name);
            comma = ", ";
        }
    }
    if (used < size) {
        snprintf(text + used, size - used, "}");
    }
}

static bool check_set(const Solve *solve) {
    const DistLaw *law = solve->law;
    char takes[256] = "";
    CHECK(law->set_count > 0 && law->set_count <= DIST_SET_MAX);
    for (size_t i = 0; i < law->set_count; i++) {
        if (solve->spec->given == law->sets[i]) {
            return true;
        }
        size_t used = strlen(takes);
        const char *joint = i == 0 ? "" : i + 1 < law->set_count ? ", " : " or ";
        snprintf(takes + used, sizeof takes - used, "%s", joint);
        append_set(law, law->sets[i], takes, sizeof takes);
    }
    char found[128] = "";
    append_set(law, solve->spec->given, found, sizeof found);
    return error_set(solve->error, "%s takes %s; found %s", law->name, takes, found);
}

/* What the kind of a parameter promises, for one number. */
static bool check_number(const Solve *solve, size_t param, double found) {
    CHECK(param < solve->law->param_count);
    const DistParam *p = &solve->law->params[param];
    bool is_quantity = p->kind != DIST_PARAM_NUMBER && p->kind != DIST_PARAM_COUNT &&
                       p->kind != DIST_PARAM_RATIO_LIST;
    if (is_quantity && !(found >= 0 && found <= DIST_QUANTITY_MAX)) {
        return error_set(solve->error, "%s: %s must be from 0 to %g; found %.12g", solve->law->name,
                         p->name, DIST_QUANTITY_MAX, found);
    }
    if (p->kind == DIST_PARAM_COUNT && found != floor(found)) {
        return error_set(solve->error, "%s: %s must be a whole number; found %.12g",
                         solve->law->name, p->name, found);
    }
    return true;
}

static bool check_kinds(const Solve *solve) {
    for (size_t i = 0; i < solve->law->param_count; i++) {
        if (!has(solve, i)) {
            continue;
        }
        bool is_list = dist_param_is_list(solve->law->params[i].kind);
        const DistList *list = &solve->spec->lists[i];
        size_t count = is_list ? list->count : 1;
        CHECK(!is_list || list->items != NULL || count == 0);
        for (size_t j = 0; j < count; j++) {
            if (!check_number(solve, i, is_list ? list->items[j] : solve->spec->values[i])) {
                return false;
            }
        }
    }
    return true;
}

bool dist_solve(const DistSpec *spec, Dist *out, Error *error) {
    static bool (*const SOLVERS[])(const Solve *, Dist *) = {
#define LAW(law_name, law_doc, law_sets, law_params) solve_##law_name,
#include "sim/dist.def"
#undef LAW
    };
    CHECK(spec != NULL && out != NULL);
    Solve solve = {.spec = spec, .law = dist_law(spec->law), .error = error};
    if (!check_set(&solve) || !check_kinds(&solve) || !SOLVERS[spec->law](&solve, out)) {
        return false;
    }
    CHECK(out->mean >= 0 && out->scale >= 0);
    return true;
}
