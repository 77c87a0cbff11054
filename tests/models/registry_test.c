/* Every kind keeps the promises that the language makes for it: one test for all kinds there are
 * and all that will come.
 */
#include "models/registry.h"

#include "experiments/quantity.h"
#include "experiments/schema_read.h"
#include "models/faults/fault.h"
#include "tests/experiments/compile_test.h"

enum { TEXT_SIZE = 2000, STATE_SIZE_MAX = 65536 };

static size_t value_size(const Param *param) {
    switch (param->type) {
    case PARAM_DURATION:
        return sizeof(SimTime);
    case PARAM_PICOSECONDS:
        return sizeof(int64_t);
    case PARAM_DURATIONS:
        return sizeof(DurationList);
    case PARAM_RATE:
    case PARAM_RATIO:
    case PARAM_NUMBER:
    case PARAM_BYTES:
    case PARAM_BANDWIDTH:
        return sizeof(double);
    case PARAM_RATES:
    case PARAM_NUMBERS:
        return sizeof(NumberList);
    case PARAM_COUNT:
    case PARAM_SERVICE:
    case PARAM_CLIENT:
    case PARAM_COMPONENT:
        return sizeof(uint32_t);
    case PARAM_COUNTS:
    case PARAM_COMPONENTS:
        return sizeof(CountList);
    case PARAM_FLAG:
    case PARAM_CHOICE:
    case PARAM_CHOICES:
        return 1;
    case PARAM_DIST:
        return sizeof(Dist);
    case PARAM_TEXT:
    case PARAM_FILE:
    case PARAM_PROFILE:
        return sizeof(char *);
    case PARAM_KIND:
        return sizeof(Component);
    case PARAM_PART:
        return param->part->size;
    }
    ck_abort_msg("a type without a size");
    return 0;
}

static bool is_required(const Param *param) {
    return param->preset == NULL && !param->is_optional;
}

static void print_sample(const Param *param, char *text, size_t size);

/* {KIND: {required parameters}}; `changed` has the text `value`. */
static void print_kind(const Kind *kind, const Param *changed, const char *value, char *text,
                       size_t size) {
    size_t used = (size_t)snprintf(text, size, "{%s: {", kind->name);
    for (uint32_t i = 0; i < kind->param_count; i++) {
        const Param *param = &kind->params[i];
        if (!is_required(param) && param != changed) {
            continue;
        }
        char sample[TEXT_SIZE];
        print_sample(param, sample, sizeof sample);
        used += (size_t)snprintf(text + used, size - used, "%s: %s, ", param->name,
                                 param == changed ? value : sample);
        ck_assert_uint_lt(used, size);
    }
    /* One that needs this or that is given this. */
    if (kind->family == FAMILY_SERVER && strcmp(kind->name, "inference") == 0 &&
        (changed == NULL || strcmp(changed->name, "kv_blocks") != 0)) {
        used += (size_t)snprintf(text + used, size - used, "kv_blocks: 1000, ");
    }
    if (kind->family == FAMILY_FAULT && ((const FaultOps *)kind->ops)->is_at == edge_place_is_at) {
        used += (size_t)snprintf(text + used, size - used, "between: [gateway, model], ");
    }
    if (kind->family == FAMILY_MONITOR && strcmp(kind->name, "threshold") == 0) {
        used += (size_t)snprintf(text + used, size - used, "above: 1, ");
    }
    if (kind->family == FAMILY_FAULT && strcmp(kind->name, "memory_leak") == 0 &&
        (changed == NULL || strncmp(changed->name, "per_", 4) != 0)) {
        used += (size_t)snprintf(text + used, size - used, "per_s: 1B, ");
    }
    snprintf(text + used, size - used, "}}");
}

static Dimension param_dimension(const Param *param) {
    switch (param->type) {
    case PARAM_DURATION:
    case PARAM_DURATIONS:
    case PARAM_PICOSECONDS:
        return DIMENSION_DURATION;
    case PARAM_RATE:
    case PARAM_RATES:
        return DIMENSION_RATE;
    case PARAM_RATIO:
        return DIMENSION_RATIO;
    case PARAM_NUMBER:
    case PARAM_NUMBERS:
        return DIMENSION_NUMBER;
    case PARAM_BYTES:
        return DIMENSION_BYTES;
    case PARAM_BANDWIDTH:
        return DIMENSION_BANDWIDTH;
    default:
        return DIMENSION_COUNT;
    }
}

static void print_quantity(const Param *param, double value, char *text, size_t size) {
    char quantity[QUANTITY_TEXT_SIZE];
    quantity_print(quantity, value, param_dimension(param));
    snprintf(text, size, "%s", quantity);
}

/* A value that the row accepts. */
static void print_sample(const Param *param, char *text, size_t size) {
    double value = param->max > param->min && param->max < 1 ? param->max : 1;
    value = value < param->min ? param->min + 1 : value;
    char quantity[QUANTITY_TEXT_SIZE];
    switch (param->type) {
    case PARAM_DURATION:
    case PARAM_PICOSECONDS:
    case PARAM_RATE:
    case PARAM_RATIO:
    case PARAM_NUMBER:
    case PARAM_BYTES:
    case PARAM_BANDWIDTH:
    case PARAM_COUNT:
        print_quantity(param, value, text, size);
        return;
    case PARAM_DURATIONS:
    case PARAM_RATES:
    case PARAM_NUMBERS:
    case PARAM_COUNTS:
        print_quantity(param, value, quantity, sizeof quantity);
        snprintf(text, size, "[%s, %s]", quantity, quantity);
        return;
    case PARAM_FLAG:
        snprintf(text, size, "true");
        return;
    case PARAM_CHOICE:
    case PARAM_CHOICES:
        snprintf(text, size, "%.*s", (int)strcspn(param->choices, "|"), param->choices);
        return;
    case PARAM_DIST:
        snprintf(text, size, strcmp(param->unit, "s") == 0 ? "1s" : "1");
        return;
    case PARAM_SERVICE:
    case PARAM_COMPONENT:
        snprintf(text, size, "model");
        return;
    case PARAM_CLIENT:
        snprintf(text, size, "web");
        return;
    case PARAM_COMPONENTS:
        snprintf(text, size, "[gateway, model]");
        return;
    case PARAM_TEXT:
        snprintf(text, size, "abc");
        return;
    case PARAM_FILE:
        snprintf(text, size, "/dev/null");
        return;
    case PARAM_PROFILE:
        snprintf(text, size, "tests/models/profile");
        return;
    case PARAM_PART:
        snprintf(text, size, "{%s: abc}", param->part->params[0].name);
        return;
    case PARAM_KIND:
        for (size_t i = 0; i < registry_kind_count(); i++) {
            if (registry_kind(i)->family == param->family) {
                print_kind(registry_kind(i), NULL, NULL, text, size);
                return;
            }
        }
        ck_abort_msg("a family without kinds");
    }
}

/* Reads a kind in a model that has the components of the base scenario. */
static char *messages_of(Family family, const char *text, Component *out) {
    Compiled base = compiled(base_scenario, NULL);
    ck_assert_ptr_nonnull(base.model);
    Doc doc = {0};
    Diagnostics diagnostics = {0};
    ck_assert_msg(doc_load_text(&doc, "kind.yaml", text, strlen(text), &diagnostics), "%s", text);
    SchemaReader reader = {&doc, &diagnostics, base.model, NULL};
    schema_read_kind(&reader, family, doc.root, out);
    char *messages = message_lines(&diagnostics);
    doc_free(&doc);
    diag_free(&diagnostics);
    compiled_free(&base);
    return messages;
}

START_TEST(names_are_unique_within_a_family) {
    for (size_t i = 0; i < registry_kind_count(); i++) {
        const Kind *kind = registry_kind(i);
        ck_assert_int_lt(kind->family, FAMILY_COUNT);
        ck_assert_ptr_eq(registry_find(kind->family, kind->name), kind);
        for (uint32_t a = 0; a < kind->param_count; a++) {
            for (uint32_t b = 0; b < a; b++) {
                ck_assert_str_ne(kind->params[a].name, kind->params[b].name);
            }
        }
    }
}
END_TEST

static bool ends_in_a_period(const char *text) {
    size_t size = strlen(text);
    return size > 1 && text[size - 1] == '.' && text[size - 2] != '.';
}

static void check_row(const char *owner, const Param *param, size_t struct_size) {
    const char *name = param->name;
    ck_assert_msg(param->doc != NULL && ends_in_a_period(param->doc), "%s.%s: doc", owner, name);
    ck_assert_msg(param->offset + value_size(param) <= struct_size, "%s.%s: offset", owner, name);
    ck_assert_msg(param->preset == NULL || !param->is_optional, "%s.%s: two defaults", owner, name);
    ck_assert_msg(param->has_offset < struct_size, "%s.%s: has_offset", owner, name);
    bool needs_choices = param->type == PARAM_CHOICE || param->type == PARAM_CHOICES;
    ck_assert_msg((param->choices != NULL) == needs_choices, "%s.%s: choices", owner, name);
    ck_assert_msg(param->type != PARAM_DIST || param->unit != NULL, "%s.%s: unit", owner, name);
    ck_assert_msg(param->min <= param->max, "%s.%s: bounds", owner, name);
    bool is_numeric = param->type == PARAM_DURATION || param->type == PARAM_RATE ||
                      param->type == PARAM_RATIO || param->type == PARAM_NUMBER ||
                      param->type == PARAM_COUNT || param->type == PARAM_DURATIONS ||
                      param->type == PARAM_RATES || param->type == PARAM_NUMBERS ||
                      param->type == PARAM_COUNTS || param->type == PARAM_BYTES ||
                      param->type == PARAM_BANDWIDTH;
    ck_assert_msg(!is_numeric || param->min < param->max, "%s.%s has no bounds", owner, name);
    if (param->type == PARAM_COUNT || param->type == PARAM_COUNTS) {
        ck_assert_msg(param->max < COUNT_UNLIMITED, "%s.%s does not fit", owner, name);
    }
}

START_TEST(every_kind_and_parameter_is_described_and_fits_its_struct) {
    for (size_t i = 0; i < registry_kind_count(); i++) {
        const Kind *kind = registry_kind(i);
        ck_assert_msg(ends_in_a_period(kind->doc), "%s: doc", kind->name);
        ck_assert_msg(kind->ops != NULL, "%s: ops", kind->name);
        ck_assert_msg((kind->param_count == 0) == (kind->params_size == 0), "%s: size", kind->name);
        ck_assert_msg(kind->state_size <= STATE_SIZE_MAX, "%s: state", kind->name);
        ck_assert_msg(!kind->stands_bare || kind->param_count > 0, "%s: bare", kind->name);
        for (uint32_t k = 0; k < kind->param_count; k++) {
            check_row(kind->name, &kind->params[k], kind->params_size);
        }
    }
}
END_TEST

START_TEST(every_described_struct_of_the_language_is_sound) {
    static const Schema *const schemas[] = {&schema_run,     &schema_verdict,      &schema_call,
                                            &schema_queue,   &schema_service,      &schema_client,
                                            &schema_monitor, &schema_page,         &schema_network,
                                            &schema_fault,   &schema_shared_prefix};
    for (size_t i = 0; i < sizeof schemas / sizeof schemas[0]; i++) {
        for (uint32_t k = 0; k < schemas[i]->param_count; k++) {
            check_row(schemas[i]->name, &schemas[i]->params[k], schemas[i]->size);
        }
    }
}
END_TEST

START_TEST(every_kind_is_read_from_its_required_parameters_alone) {
    for (size_t i = 0; i < registry_kind_count(); i++) {
        char text[TEXT_SIZE];
        Component component = {NULL, NULL};
        print_kind(registry_kind(i), NULL, NULL, text, sizeof text);
        char *messages = messages_of(registry_kind(i)->family, text, &component);
        ck_assert_msg(messages[0] == 0, "%s: %s", text, messages);
        ck_assert_ptr_eq(component.kind, registry_kind(i));
        free(messages);
    }
}
END_TEST

START_TEST(every_parameter_is_asked_for_by_name_when_it_is_required) {
    for (size_t i = 0; i < registry_kind_count(); i++) {
        const Kind *kind = registry_kind(i);
        char text[100];
        Component component = {NULL, NULL};
        snprintf(text, sizeof text, "{%s: {}}", kind->name);
        char *messages = messages_of(kind->family, text, &component);
        for (uint32_t k = 0; k < kind->param_count; k++) {
            char expected[100];
            snprintf(expected, sizeof expected, "'%s' needs '%s'", kind->name,
                     kind->params[k].name);
            ck_assert_msg((strstr(messages, expected) != NULL) == is_required(&kind->params[k]),
                          "%s: %s", expected, messages);
        }
        free(messages);
    }
}
END_TEST

/* A value out of bounds must be refused with the names of the kind and the key. */
static void check_refused(const Kind *kind, const Param *param, double value) {
    char quantity[QUANTITY_TEXT_SIZE], text[TEXT_SIZE], expected[100];
    print_quantity(param, value, quantity, sizeof quantity);
    print_kind(kind, param, quantity, text, sizeof text);
    snprintf(expected, sizeof expected, "'%s' of '%s' must be ", param->name, kind->name);
    Component component = {NULL, NULL};
    char *messages = messages_of(kind->family, text, &component);
    ck_assert_msg(strstr(messages, expected) != NULL && strstr(messages, quantity) != NULL,
                  "%s: %s", text, messages);
    free(messages);
}

START_TEST(every_bound_is_kept_below_and_above) {
    int checked = 0;
    for (size_t i = 0; i < registry_kind_count(); i++) {
        const Kind *kind = registry_kind(i);
        for (uint32_t k = 0; k < kind->param_count; k++) {
            const Param *param = &kind->params[k];
            if (param->min >= param->max) {
                continue;
            }
            if (param->above_min) {
                check_refused(kind, param, param->min);
            } else if (param->min > 0) {
                check_refused(kind, param,
                              param_dimension(param) == DIMENSION_COUNT ? param->min - 1
                                                                        : param->min / 2);
            } else if (param->type == PARAM_NUMBER || param->type == PARAM_NUMBERS) {
                check_refused(kind, param, param->min - 1);
            }
            if (param->max < PARAM_NO_MAX) {
                check_refused(kind, param, param->max * 2);
            }
            checked++;
        }
    }
    ck_assert_int_gt(checked, 20);
}
END_TEST

START_TEST(a_misspelt_key_is_met_with_the_right_one) {
    for (size_t i = 0; i < registry_kind_count(); i++) {
        const Kind *kind = registry_kind(i);
        for (uint32_t k = 0; k < kind->param_count; k++) {
            char text[200], expected[200];
            const char *name = kind->params[k].name;
            if (strlen(name) < 5) {
                continue;
            }
            snprintf(text, sizeof text, "{%s: {%sq: 1}}", kind->name, name);
            snprintf(expected, sizeof expected, "'%s' has no key '%sq': did you mean '%s'?",
                     kind->name, name, name);
            Component component = {NULL, NULL};
            char *messages = messages_of(kind->family, text, &component);
            ck_assert_msg(strstr(messages, expected) != NULL, "%s", messages);
            free(messages);
        }
    }
}
END_TEST

TEST_SUITE("models/registry", names_are_unique_within_a_family,
           every_kind_and_parameter_is_described_and_fits_its_struct,
           every_described_struct_of_the_language_is_sound,
           every_kind_is_read_from_its_required_parameters_alone,
           every_parameter_is_asked_for_by_name_when_it_is_required,
           every_bound_is_kept_below_and_above, a_misspelt_key_is_met_with_the_right_one)
