/* The generic reader, on a struct of every type: values, presets, what was given, what is refused.
 */
#include "experiments/schema_read.h"

#include "tests/experiments/compile_test.h"

typedef struct Everything {
    uint8_t first; /* an offset of 0 must not be taken for "no offset" */
    SimTime duration, never, asked;
    bool has_asked;
    DurationList durations;
    double rate, ratio, number;
    NumberList rates, numbers;
    double bytes, bandwidth, size;
    uint32_t count, endless;
    CountList counts;
    bool flag;
    uint8_t choice, choices;
    Dist dist, tokens, phases;
    uint32_t service, client, component;
    CountList components;
    const char *text, *file;
    Component kind, step;
} Everything;

#define AT(member) .offset = offsetof(Everything, member)

static const Param everything_params[] = {
    {"first", PARAM_CHOICE, AT(first), .preset = "b", .choices = "a|b", .doc = "D."},
    {"duration", PARAM_DURATION, AT(duration), .preset = "1s", .above_min = true, .max = 10,
     .doc = "D."},
    {"never", PARAM_DURATION, AT(never), .preset = "work", .max = 10, .may_be_unlimited = true,
     .never_word = "work", .doc = "D."},
    {"asked", PARAM_DURATION, AT(asked), .max = 10, .is_optional = true,
     .has_offset = offsetof(Everything, has_asked), .doc = "D."},
    {"durations", PARAM_DURATIONS, AT(durations), .preset = "none", .max = 10,
     .may_be_unlimited = true, .doc = "D."},
    {"rate", PARAM_RATE, AT(rate), .preset = "2/s", .max = 100, .doc = "D."},
    {"ratio", PARAM_RATIO, AT(ratio), .preset = "25%", .max = 1, .doc = "D."},
    {"number", PARAM_NUMBER, AT(number), .preset = "1.5", .min = -2, .max = PARAM_NO_MAX,
     .doc = "D."},
    {"size", PARAM_BYTES, AT(size), .preset = "2GiB", .min = 1000, .max = PARAM_NO_MAX,
     .doc = "D."},
    {"rates", PARAM_RATES, AT(rates), .preset = "3/s", .max = 100, .doc = "D."},
    {"numbers", PARAM_NUMBERS, AT(numbers), .preset = "-7.5", .min = -8, .max = 8, .doc = "D."},
    {"bytes", PARAM_BYTES, AT(bytes), .preset = "4KiB", .max = 1e6, .doc = "D."},
    {"bandwidth", PARAM_BANDWIDTH, AT(bandwidth), .preset = "20GB/s", .max = 1e12, .doc = "D."},
    {"count", PARAM_COUNT, AT(count), .preset = "7", .min = 3, .max = 5000, .doc = "D."},
    {"endless", PARAM_COUNT, AT(endless), .preset = "unlimited", .max = 10,
     .may_be_unlimited = true, .doc = "D."},
    {"counts", PARAM_COUNTS, AT(counts), .preset = "[]", .max = 10, .doc = "D."},
    {"flag", PARAM_FLAG, AT(flag), .preset = "true", .doc = "D."},
    {"choice", PARAM_CHOICE, AT(choice), .preset = "yes", .choices = "no|yes|maybe", .doc = "D."},
    {"choices", PARAM_CHOICES, AT(choices), .preset = "[red, blue]", .choices = "red|green|blue",
     .doc = "D."},
    {"dist", PARAM_DIST, AT(dist), .preset = "3ms", .unit = "s", .doc = "D."},
    {"tokens", PARAM_DIST, AT(tokens), .preset = "4k", .unit = "tok", .doc = "D."},
    {"phases", PARAM_DIST, AT(phases),
     .preset = "{hyperexponential: {p: [25%, 75%], means: [2, 6]}}", .unit = "phases", .doc = "D."},
    {"service", PARAM_SERVICE, AT(service), .preset = "model", .doc = "D."},
    {"client", PARAM_CLIENT, AT(client), .preset = "web", .doc = "D."},
    {"component", PARAM_COMPONENT, AT(component), .preset = "gateway", .doc = "D."},
    {"components", PARAM_COMPONENTS, AT(components), .preset = "web", .doc = "D."},
    {"text", PARAM_TEXT, AT(text), .preset = "hello", .doc = "D."},
    {"file", PARAM_FILE, AT(file), .is_optional = true, .doc = "D."},
    {"kind", PARAM_KIND, AT(kind), .preset = "none", .family = FAMILY_RETRY, .doc = "D."},
    {"step", PARAM_KIND, AT(step), .preset = "20ms", .family = FAMILY_STEP, .doc = "D."},
};
static const Schema everything = {"a thing", everything_params, PARAM_COUNT_OF(everything_params),
                                  sizeof(Everything)};

/* A reading of one text; the model with its names is the base scenario's. */
typedef struct Reading {
    Compiled base;
    Doc doc;
    Diagnostics diagnostics;
    Resolved resolved;
    Everything out;
    char *messages;
} Reading;

static void read_text(Reading *r, const char *text) {
    *r = (Reading){.base = compiled(base_scenario, NULL)};
    ck_assert_ptr_nonnull(r->base.model);
    ck_assert(doc_load_text(&r->doc, "dir/thing.yaml", text, strlen(text), &r->diagnostics));
    SchemaReader reader = {&r->doc, &r->diagnostics, r->base.model, &r->resolved};
    schema_read(&reader, &everything, r->doc.root, r->doc.root, (SchemaKeys){0}, &r->out);
    r->messages = message_lines(&r->diagnostics);
}

static void reading_free(Reading *r) {
    free(r->messages);
    resolved_free(&r->resolved);
    doc_free(&r->doc);
    diag_free(&r->diagnostics);
    compiled_free(&r->base);
}

START_TEST(presets_go_through_the_same_parser) {
    Reading r;
    read_text(&r, "{}");
    ck_assert_str_eq(r.messages, "");
    ck_assert_uint_eq(r.out.first, 1);
    ck_assert_int_eq(r.out.duration, SIM_TIME_S);
    ck_assert_int_eq(r.out.never, SIM_TIME_NEVER);
    ck_assert(!r.out.has_asked);
    ck_assert_uint_eq(r.out.durations.count, 1);
    ck_assert_int_eq(r.out.durations.items[0], SIM_TIME_NEVER);
    ck_assert_double_eq(r.out.rate, 2);
    ck_assert_double_eq(r.out.ratio, 0.25);
    ck_assert_double_eq(r.out.size, 2147483648.0);
    ck_assert_double_eq(r.out.number, 1.5);
    ck_assert_uint_eq(r.out.numbers.count, 1);
    ck_assert_double_eq(r.out.numbers.items[0], -7.5);
    ck_assert_double_eq(r.out.bytes, 4096);
    ck_assert_double_eq(r.out.bandwidth, 2e10);
    ck_assert_uint_eq(r.out.count, 7);
    ck_assert_uint_eq(r.out.endless, COUNT_UNLIMITED);
    ck_assert_uint_eq(r.out.counts.count, 0);
    ck_assert(r.out.flag);
    ck_assert_uint_eq(r.out.choice, 1);
    ck_assert_uint_eq(r.out.choices, 1 << 0 | 1 << 2);
    ck_assert_double_eq(dist_mean(&r.out.dist), 3e-3);
    ck_assert_double_eq(dist_mean(&r.out.tokens), 4000);
    ck_assert_double_eq(dist_mean(&r.out.phases), 5);
    ck_assert_uint_eq(r.out.service, 1);
    ck_assert_uint_eq(r.out.components.items[0], 0);
    ck_assert_str_eq(r.out.text, "hello");
    ck_assert_ptr_null(r.out.file);
    ck_assert_str_eq(r.out.kind.kind->name, "none");
    ck_assert_str_eq(r.out.step.kind->name, "distribution");
    for (size_t i = 0; i < r.resolved.values.count; i++) {
        ck_assert_int_eq(r.resolved.values.items[i].origin, DOC_FROM_DEFAULT);
    }
    reading_free(&r);
}
END_TEST

START_TEST(every_type_is_read_as_it_is_written) {
    Reading r;
    read_text(&r, "{first: a, duration: 250ms, never: 2s, asked: 0s, durations: [1s, none, 2.5s],\n"
                  " rate: 90/min, ratio: 12.5%, number: -1.25, rates: [0/s, 6/s], count: 4k,\n"
                  " numbers: [3, 0.25, -1], bytes: 128kB, bandwidth: 100Gbit/s, size: 1.5MB,\n"
                  " endless: 0, counts: [1, 10], flag: false, choice: maybe, choices: green,\n"
                  " dist: {exponential: {mean: 20ms}}, tokens: {uniform: {min: 2, max: 5}},\n"
                  " service: gateway, components: [model, web], text: 'a: b', file: /dev/null,\n"
                  " kind: {fixed: {max_attempts: 5}}, step: {gamma: {mean: 1s, cv: 2}}}");
    ck_assert_str_eq(r.messages, "");
    ck_assert_uint_eq(r.out.first, 0);
    ck_assert_int_eq(r.out.duration, 250000000);
    ck_assert_int_eq(r.out.never, 2 * SIM_TIME_S);
    ck_assert(r.out.has_asked && r.out.asked == 0);
    ck_assert_uint_eq(r.out.durations.count, 3);
    ck_assert_int_eq(r.out.durations.items[1], SIM_TIME_NEVER);
    ck_assert_int_eq(r.out.durations.items[2], 2500000000);
    ck_assert_double_eq(r.out.rate, 1.5);
    ck_assert_double_eq(r.out.ratio, 0.125);
    ck_assert_double_eq(r.out.size, 1500000);
    ck_assert_double_eq(r.out.number, -1.25);
    ck_assert_double_eq(r.out.rates.items[1], 6);
    ck_assert_uint_eq(r.out.numbers.count, 3);
    ck_assert_double_eq(r.out.numbers.items[1], 0.25);
    ck_assert_double_eq(r.out.numbers.items[2], -1);
    ck_assert_double_eq(r.out.bytes, 128000);
    ck_assert_double_eq(r.out.bandwidth, 1.25e10);
    ck_assert_uint_eq(r.out.count, 4000);
    ck_assert_uint_eq(r.out.endless, 0);
    ck_assert_uint_eq(r.out.counts.items[1], 10);
    ck_assert(!r.out.flag);
    ck_assert_uint_eq(r.out.choice, 2);
    ck_assert_uint_eq(r.out.choices, 1 << 1);
    ck_assert_double_eq(dist_mean(&r.out.dist), 0.02);
    ck_assert_double_eq(dist_mean(&r.out.tokens), 3.5);
    ck_assert_uint_eq(r.out.service, 0);
    ck_assert_uint_eq(r.out.components.items[0], 2);
    ck_assert_uint_eq(r.out.components.items[1], 0);
    ck_assert_str_eq(r.out.text, "a: b");
    ck_assert_str_eq(r.out.file, "/dev/null");
    ck_assert_str_eq(r.out.kind.kind->name, "fixed");
    ck_assert_str_eq(r.out.step.kind->name, "distribution");
    reading_free(&r);
}
END_TEST

typedef struct Refusal {
    const char *text, *expected;
} Refusal;

static void check_refusals(const Refusal *refusals, size_t count) {
    for (size_t i = 0; i < count; i++) {
        Reading r;
        read_text(&r, refusals[i].text);
        ck_assert_msg(strcmp(r.messages, refusals[i].expected) == 0, "%s\nsays\n%s\nand not\n%s",
                      refusals[i].text, r.messages, refusals[i].expected);
        reading_free(&r);
    }
}

START_TEST(bounds_say_what_would_do) {
    static const Refusal refusals[] = {
        {"{size: 1B}", "1:8: 'size' of a thing must be 1kB or more, not 1B"},
        {"{duration: 0s}", "1:12: 'duration' of a thing must be above 0s and at most 10s, not 0s"},
        {"{duration: 11s}",
         "1:12: 'duration' of a thing must be above 0s and at most 10s, not 11s"},
        {"{duration: none}", "1:12: 'none' is not a duration; write for example '250ms'"},
        {"{duration: 1e-12s}", "1:12: 1e-12s is below a nanosecond, the smallest time there is"},
        {"{durations: [1s, 11s]}", "1:18: 'durations' of a thing must be from 0s to 10s, not 11s"},
        {"{rate: 101/s}", "1:8: 'rate' of a thing must be from 0/s to 100/s, not 101/s"},
        {"{ratio: 200%}", "1:9: 'ratio' of a thing must be from 0% to 100%, not 200%"},
        {"{number: -3}", "1:10: 'number' of a thing must be -2 or more, not -3"},
        {"{numbers: [1, 9]}", "1:15: 'numbers' of a thing must be from -8 to 8, not 9"},
        {"{bytes: 2MB}", "1:9: 'bytes' of a thing must be from 0B to 1MB, not 2MB"},
        {"{bandwidth: 9TB/s}",
         "1:13: 'bandwidth' of a thing must be from 0B/s to 1TB/s, not 9TB/s"},
        {"{count: 2}", "1:9: 'count' of a thing must be from 3 to 5k, not 2"},
        {"{count: 6k}", "1:9: 'count' of a thing must be from 3 to 5k, not 6k"},
        {"{count: unlimited}", "1:9: 'unlimited' is not a count; write for example '4k'"},
        {"{counts: [1, 11]}", "1:14: 'counts' of a thing must be from 0 to 10, not 11"},
    };
    check_refusals(refusals, sizeof refusals / sizeof refusals[0]);
}
END_TEST

START_TEST(what_has_the_wrong_shape_is_named) {
    static const Refusal refusals[] = {
        {"[1]", "1:1: a thing is written as a map, {key: value}, not as a list"},
        {"{duration: [1s]}", "1:12: 'duration' of a thing takes one value, not a list"},
        {"{flag: {a: b}}", "1:8: 'flag' of a thing takes one value, not a map"},
        {"{flag: True}", "1:8: 'flag' is true or false, not 'True'"},
        {"{durations: []}", "1:13: 'durations' of a thing is an empty list"},
        {"{durations: [[1s]]}", "1:14: 'durations' of a thing takes one value, not a list"},
        {"{choice: often}", "1:10: 'choice' cannot be 'often'; it is one of: no, yes, maybe"},
        {"{choice: maybee}", "1:10: 'choice' cannot be 'maybee': did you mean 'maybe'?"},
        {"{choice: fair}", "1:10: 'fair' is not available in this version"},
        {"{choices: [red, bleu]}", "1:17: 'choices' cannot be 'bleu': did you mean 'blue'?"},
        {"{rate: }", "1:8: 'rate' of a thing is empty"},
        {"{rate: ''}", "1:8: '' is not a rate; write for example '1.5k/s'"},
        {"{durtion: 1s}", "1:2: a thing has no key 'durtion': did you mean 'duration'?"},
        {"{service: web}", "1:11: 'web' is a client; a service is needed here"},
        {"{components: [modl]}",
         "1:15: there is no client or service 'modl': did you mean 'model'?"},
        {"{components: [zzz]}", "1:15: there is no client or service 'zzz'"},
        {"{file: nothere}", "1:8: cannot read 'dir/nothere': No such file or directory"},
        {"{kind: {fixed: {}, none: {}}}",
         "1:8: 'retry' is written {KIND: {parameters}}, with one kind"},
        {"{kind: {fixed: 3}}", "1:16: 'fixed' is written as a map, {key: value}, not as one value"},
        {"{kind: {none: {a: 1}}}", "1:16: 'none' has no key 'a': it takes no parameters"},
        {"{kind: 20ms}",
         "1:8: 'retry' has no kind '20ms'; its kinds are: none, fixed, exponential, linear"},
        {"{kind: fixd}", "1:8: 'retry' has no kind 'fixd': did you mean 'fixed'?"},
    };
    check_refusals(refusals, sizeof refusals / sizeof refusals[0]);
}
END_TEST

START_TEST(a_kind_may_leave_its_parameters_out) {
    static const char *const texts[] = {"{kind: fixed}", "{kind: {fixed: {}}}",
                                        "{kind: {fixed: }}"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        Reading r;
        read_text(&r, texts[i]);
        ck_assert_str_eq(r.messages, "");
        ck_assert_str_eq(r.out.kind.kind->name, "fixed");
        ck_assert_ptr_nonnull(r.out.kind.params);
        reading_free(&r);
    }
}
END_TEST

static const char *resolved_value(const Resolved *resolved, const char *path) {
    for (size_t i = 0; i < resolved->values.count; i++) {
        if (strcmp(resolved->values.items[i].path, path) == 0) {
            return resolved->values.items[i].value;
        }
    }
    return NULL;
}

START_TEST(the_resolved_values_stand_under_their_paths) {
    Reading r;
    read_text(&r, "{durations: [1s, 2s], kind: fixed, dist: {gamma: {mean: 1s, cv: 0.5}}}");
    ck_assert_str_eq(resolved_value(&r.resolved, "durations[1]"), "2s");
    ck_assert_str_eq(resolved_value(&r.resolved, "kind.fixed.max_attempts"), "3");
    ck_assert_str_eq(resolved_value(&r.resolved, "dist.gamma.cv"), "0.5");
    ck_assert_str_eq(resolved_value(&r.resolved, "step.distribution.time"), "20ms");
    ck_assert_str_eq(resolved_value(&r.resolved, "choices"), "[red, blue]");
    ck_assert_str_eq(resolved_value(&r.resolved, "counts"), "[]");
    ck_assert_ptr_null(resolved_value(&r.resolved, "file"));
    reading_free(&r);
}
END_TEST

START_TEST(the_resolved_values_are_printed_with_their_origin) {
    Compiled result = compiled(base_scenario, "services.model.queue.limit=64");
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    resolved_print(&result.resolved, &result.diagnostics, out);
    fclose(out);
    ck_assert_ptr_nonnull(strstr(text, "clients.web.arrivals.poisson.rate: 20/s  # scen.yaml:6\n"));
    ck_assert_ptr_nonnull(strstr(text, "services.model.queue.order: fifo  # default\n"));
    ck_assert_ptr_nonnull(
        strstr(text, "services.model.queue.limit: 64  # --set services.model.queue.limit\n"));
    ck_assert_ptr_nonnull(strstr(text, "about: \"\"  # default\n"));
    free(text);
    compiled_free(&result);
}
END_TEST

TEST_SUITE("experiments/schema_read", presets_go_through_the_same_parser,
           every_type_is_read_as_it_is_written, bounds_say_what_would_do,
           what_has_the_wrong_shape_is_named, a_kind_may_leave_its_parameters_out,
           the_resolved_values_stand_under_their_paths,
           the_resolved_values_are_printed_with_their_origin)
