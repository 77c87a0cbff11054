/* Probability laws: a bare quantity, or {law: {parameters}} by the table of sim/dist.def. */
#include <stdio.h>
#include <string.h>

#include "experiments/csv_in.h"
#include "experiments/nearest.h"
#include "experiments/number_parse.h"
#include "experiments/quantity.h"
#include "experiments/schema_read.h"
#include "sim/check.h"

/* A sample from a file has at most this many values. */
enum { SAMPLE_MAX = 10000000 };

typedef VEC(double) Numbers;

static Dimension param_dimension(const DistParam *param, Dimension unit) {
    switch (param->kind) {
    case DIST_PARAM_QUANTITY:
    case DIST_PARAM_QUANTITY_LIST:
    case DIST_PARAM_SAMPLE:
        return unit;
    case DIST_PARAM_COUNT:
        return DIMENSION_COUNT;
    case DIST_PARAM_RATIO_LIST:
        return DIMENSION_RATIO;
    case DIST_PARAM_NUMBER:
        return DIMENSION_NUMBER;
    }
    CHECK(!"a law's parameter has a dimension");
    return DIMENSION_NUMBER;
}

static bool read_quantity(SchemaReader *reader, const DocNode *value, Dimension dimension,
                          double *out) {
    Error error;
    if (value->kind != DOC_SCALAR) {
        diag_error(reader->diagnostics, value, "a %s is one value, not a %s",
                   dimension_name(dimension), value->kind == DOC_MAP ? "map" : "list");
        return false;
    }
    resolved_add(reader->resolved, value);
    /* Tokens are counted in thousands too, but a mean of them need not be whole. */
    bool is_tokens = dimension == DIMENSION_NUMBER;
    if (is_tokens && quantity_parse(value->text, DIMENSION_COUNT, out, NULL)) {
        return true;
    }
    if (!quantity_parse(value->text, dimension, out, &error)) {
        diag_error(reader->diagnostics, value, "%s", error.text);
        return false;
    }
    return true;
}

static bool read_numbers(SchemaReader *reader, const DocNode *value, Dimension dimension,
                         Numbers *out) {
    if (value->kind != DOC_LIST) {
        double number;
        bool is_read = read_quantity(reader, value, dimension, &number);
        if (is_read) {
            vec_push(out, number);
        }
        return is_read;
    }
    bool is_read = true;
    for (uint32_t i = 0; i < value->count; i++) {
        double number = 0;
        size_t mark = resolved_enter_item(reader->resolved, i);
        is_read &= read_quantity(reader, value->items[i], dimension, &number);
        resolved_leave(reader->resolved, mark);
        vec_push(out, number);
    }
    return is_read;
}

static bool read_column(CsvIn *csv, size_t column, Numbers *out, Error *error) {
    CsvRow row = {0};
    for (;;) {
        if (!csv_in_next(csv, &row, error)) {
            return false;
        }
        if (row.cells == NULL) {
            return true;
        }
        double number;
        const CsvCell *cell = &row.cells[column];
        if (!number_parse(cell->text, cell->size, &number) || number < 0) {
            return csv_in_error(csv, row.line, error, "'%.40s' is not a number of 0 or more",
                                cell->text);
        }
        if (out->count == SAMPLE_MAX) {
            return csv_in_error(csv, row.line, error, "a sample may have %d values at most",
                                SAMPLE_MAX);
        }
        vec_push(out, number);
    }
}

/* `empirical: {file: latency.csv, column: seconds}`; values are in seconds, or tokens. */
static bool read_sample_file(SchemaReader *reader, const DocNode *map, Numbers *out) {
    const DocNode *file = doc_find(map, "file"), *column = doc_find(map, "column");
    if (file == NULL || column == NULL || file->kind != DOC_SCALAR || column->kind != DOC_SCALAR) {
        diag_error(reader->diagnostics, map,
                   "empirical takes values, or a file and the column to read of it");
        return false;
    }
    size_t mark = resolved_enter(reader->resolved, "file");
    resolved_add(reader->resolved, file);
    resolved_leave(reader->resolved, mark);
    mark = resolved_enter(reader->resolved, "column");
    resolved_add(reader->resolved, column);
    resolved_leave(reader->resolved, mark);
    const char *path = schema_read_file(reader, file);
    if (path == NULL) {
        return false;
    }
    Error error;
    size_t index = 0;
    CsvIn *csv = csv_in_open(path, &error);
    bool is_read = csv != NULL;
    model_add_file(reader->model, path);
    if (is_read && !csv_in_find(csv, column->text, &index, &error)) {
        is_read = false;
    }
    if (is_read) {
        is_read = read_column(csv, index, out, &error);
    }
    if (!is_read) {
        diag_error(reader->diagnostics, file, "%s", error.text);
    }
    if (csv != NULL) {
        csv_in_close(csv);
    }
    return is_read;
}

static bool law_takes_file(const DistLaw *law) {
    return law->param_count == 1 && law->params[0].kind == DIST_PARAM_SAMPLE;
}

static void report_unknown_param(SchemaReader *reader, const DistLaw *law, const DocNode *key) {
    Nearest nearest = nearest_begin(key->text, key->count);
    char known[160] = "";
    size_t used = 0;
    for (size_t i = 0; i < law->param_count; i++) {
        nearest_offer(&nearest, law->params[i].name);
        used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", i == 0 ? "" : ", ",
                                 law->params[i].name);
    }
    if (law_takes_file(law)) {
        nearest_offer(&nearest, "file");
        nearest_offer(&nearest, "column");
        snprintf(known + used, sizeof known - used, ", file, column");
    }
    if (nearest.best != NULL) {
        diag_error(reader->diagnostics, key, "'%s' has no key '%s': did you mean '%s'?", law->name,
                   key->text, nearest.best);
    } else {
        diag_error(reader->diagnostics, key, "'%s' has no key '%s'; its keys are: %s", law->name,
                   key->text, known);
    }
}

/* Fills the spec from the law's map; the lists' numbers live in `lists` until the Dist is solved.
 */
static bool read_law_params(SchemaReader *reader, const DistLaw *law, const DocNode *map,
                            Dimension unit, DistSpec *spec, Numbers lists[DIST_PARAM_MAX]) {
    bool is_read = true;
    for (uint32_t i = 0; i < map->count; i++) {
        const DocPair *pair = &map->pairs[i];
        size_t index = dist_param_find(law, pair->key->text);
        if (index == law->param_count) {
            bool is_file = law_takes_file(law) && (strcmp(pair->key->text, "file") == 0 ||
                                                   strcmp(pair->key->text, "column") == 0);
            if (!is_file) {
                report_unknown_param(reader, law, pair->key);
                is_read = false;
            }
            continue;
        }
        const DistParam *param = &law->params[index];
        Dimension dimension = param_dimension(param, unit);
        size_t mark = resolved_enter(reader->resolved, param->name);
        spec->given |= 1u << index;
        is_read &= dist_param_is_list(param->kind)
                       ? read_numbers(reader, pair->value, dimension, &lists[index])
                       : read_quantity(reader, pair->value, dimension, &spec->values[index]);
        resolved_leave(reader->resolved, mark);
    }
    if (is_read && law_takes_file(law) &&
        (doc_find(map, "file") != NULL || doc_find(map, "column") != NULL)) {
        if (spec->given != 0) {
            diag_error(reader->diagnostics, map, "%s takes values or a file, not both", law->name);
            return false;
        }
        spec->given = 1;
        is_read = read_sample_file(reader, map, &lists[0]);
    }
    return is_read;
}

static void read_law(SchemaReader *reader, size_t law_index, const DocNode *key, const DocNode *map,
                     Dimension unit, Dist *out) {
    const DistLaw *law = dist_law(law_index);
    if (!schema_expect_map(reader, map, law->name)) {
        return;
    }
    DistSpec spec = {.law = law_index};
    Numbers lists[DIST_PARAM_MAX] = {0};
    size_t mark = resolved_enter(reader->resolved, law->name);
    bool is_read = read_law_params(reader, law, map, unit, &spec, lists);
    resolved_leave(reader->resolved, mark);
    for (size_t i = 0; i < DIST_PARAM_MAX; i++) {
        spec.lists[i] = (DistList){lists[i].items, lists[i].count};
    }
    Error error;
    if (is_read && !dist_solve(&spec, out, &error)) {
        diag_error(reader->diagnostics, key, "%s", error.text);
    } else if (is_read) {
        model_own_dist(reader->model, out);
    }
    for (size_t i = 0; i < DIST_PARAM_MAX; i++) {
        vec_free(&lists[i]);
    }
}

static void report_unknown_law(SchemaReader *reader, const char *key, const DocNode *name) {
    if (schema_is_later(name->text)) {
        diag_error(reader->diagnostics, name, "'%s' is not available in this version", name->text);
        return;
    }
    Nearest nearest = nearest_begin(name->text, name->count);
    char known[300] = "";
    size_t used = 0;
    for (size_t i = 0; i < dist_law_count(); i++) {
        nearest_offer(&nearest, dist_law(i)->name);
        used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", i == 0 ? "" : ", ",
                                 dist_law(i)->name);
    }
    if (nearest.best != NULL) {
        diag_error(reader->diagnostics, name, "'%s' takes no law '%s': did you mean '%s'?", key,
                   name->text, nearest.best);
    } else {
        diag_error(reader->diagnostics, name, "'%s' takes no law '%s'; the laws are: %s", key,
                   name->text, known);
    }
}

void schema_read_dist(SchemaReader *reader, const char *key, const char *unit, const DocNode *value,
                      Dist *out) {
    CHECK(unit != NULL);
    Dimension dimension = strcmp(unit, "s") == 0 ? DIMENSION_DURATION : DIMENSION_NUMBER;
    if (value->kind == DOC_SCALAR) {
        double number;
        if (!read_quantity(reader, value, dimension, &number)) {
            return;
        }
        if (number < 0 || number > DIST_QUANTITY_MAX) {
            diag_error(reader->diagnostics, value, "'%s' must be from 0 to %g, not %s", key,
                       DIST_QUANTITY_MAX, value->text);
            return;
        }
        *out = dist_constant(number);
        return;
    }
    if (value->kind != DOC_MAP || value->count != 1) {
        diag_error(reader->diagnostics, value,
                   "'%s' is a quantity or {LAW: {parameters}}, with one law", key);
        return;
    }
    const DocPair *pair = &value->pairs[0];
    size_t law = dist_law_find(pair->key->text);
    if (law == dist_law_count()) {
        report_unknown_law(reader, key, pair->key);
        return;
    }
    read_law(reader, law, pair->key, pair->value, dimension, out);
}
