/* Single values and lists of them: quantities, words, names, files. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "experiments/nearest.h"
#include "experiments/profile_in.h"
#include "experiments/quantity.h"
#include "experiments/schema_read.h"
#include "sim/check.h"

static Dimension param_dimension(ParamType type) {
    switch (type) {
    case PARAM_DURATION:
    case PARAM_DURATIONS:
    case PARAM_PICOSECONDS:
        return DIMENSION_DURATION;
    case PARAM_RATE:
    case PARAM_RATES:
        return DIMENSION_RATE;
    case PARAM_RATIO:
        return DIMENSION_RATIO;
    case PARAM_BYTES:
        return DIMENSION_BYTES;
    case PARAM_BANDWIDTH:
        return DIMENSION_BANDWIDTH;
    case PARAM_COUNT:
    case PARAM_COUNTS:
        return DIMENSION_COUNT;
    default:
        return DIMENSION_NUMBER;
    }
}

/* A number is said to be between bounds only where its table gives some. */
static bool is_bounded(const Param *param) {
    return param->min < param->max || param->above_min;
}

static double upper_bound(const Param *param) {
    return param->min < param->max ? param->max : PARAM_NO_MAX;
}

void schema_print_range(const Param *param, char text[SCHEMA_RANGE_SIZE]) {
    char least[QUANTITY_TEXT_SIZE], most[QUANTITY_TEXT_SIZE];
    Dimension dimension = param_dimension(param->type);
    bool has_max = upper_bound(param) < PARAM_NO_MAX;
    quantity_print(least, param->min, dimension);
    if (has_max) {
        quantity_print(most, upper_bound(param), dimension);
    }
    if (!is_bounded(param)) {
        text[0] = 0;
    } else if (!has_max) {
        snprintf(text, SCHEMA_RANGE_SIZE, param->above_min ? "above %s" : "%s or more", least);
    } else if (param->above_min) {
        snprintf(text, SCHEMA_RANGE_SIZE, "above %s and at most %s", least, most);
    } else {
        snprintf(text, SCHEMA_RANGE_SIZE, "from %s to %s", least, most);
    }
}

const char *schema_type_name(const Param *param) {
    switch (param->type) {
    case PARAM_FLAG:
        return "true or false";
    case PARAM_CHOICE:
        return "one of";
    case PARAM_CHOICES:
        return "any of";
    case PARAM_DIST:
        return strcmp(param->unit, "s") == 0     ? "distribution of durations"
               : strcmp(param->unit, "tok") == 0 ? "distribution of tokens"
                                                 : "distribution of numbers";
    case PARAM_SERVICE:
        return "service";
    case PARAM_CLIENT:
        return "client";
    case PARAM_COMPONENT:
        return "client or service";
    case PARAM_COMPONENTS:
        return "list of clients and services";
    case PARAM_TEXT:
        return "text";
    case PARAM_FILE:
        return "file";
    case PARAM_PROFILE:
        return "directory";
    case PARAM_KIND:
        return "kind";
    case PARAM_PART:
        return "map";
    case PARAM_DURATIONS:
        return "duration, or list of durations";
    case PARAM_RATES:
        return "rate, or list of rates";
    case PARAM_NUMBERS:
        return "number, or list of numbers";
    case PARAM_COUNTS:
        return "count, or list of counts";
    default:
        return dimension_name(param_dimension(param->type));
    }
}

static bool expect_scalar(SchemaReader *reader, const char *owner, const Param *param,
                          const DocNode *value) {
    if (value->kind == DOC_SCALAR) {
        return true;
    }
    diag_error(reader->diagnostics, value, "'%s' of %s takes one value, not a %s", param->name,
               owner, value->kind == DOC_MAP ? "map" : "list");
    return false;
}

/* A number within the row's bounds, in base units. */
static bool read_number(SchemaReader *reader, const char *owner, const Param *param,
                        const DocNode *value, double *out) {
    double number;
    Error error;
    if (!quantity_parse(value->text, param_dimension(param->type), &number, &error)) {
        diag_error(reader->diagnostics, value, "%s", error.text);
        return false;
    }
    if (is_bounded(param) && (number < param->min || number > upper_bound(param) ||
                              (param->above_min && number == param->min))) {
        char range[SCHEMA_RANGE_SIZE];
        schema_print_range(param, range);
        diag_error(reader->diagnostics, value, "'%s' of %s must be %s, not %s", param->name, owner,
                   range, value->text);
        return false;
    }
    *out = number;
    return true;
}

static const char *never_word(const Param *param) {
    return param->never_word == NULL ? "none" : param->never_word;
}

static bool read_duration(SchemaReader *reader, const char *owner, const Param *param,
                          const DocNode *value, SimTime *out) {
    if (param->may_be_unlimited && strcmp(value->text, never_word(param)) == 0) {
        *out = SIM_TIME_NEVER;
        return true;
    }
    double seconds;
    if (!read_number(reader, owner, param, value, &seconds)) {
        return false;
    }
    SimTime time = time_from_s(seconds);
    if (seconds > 0 && time == 0) {
        diag_error(reader->diagnostics, value,
                   "%s is below a nanosecond, the smallest time there is", value->text);
        return false;
    }
    *out = time;
    return true;
}

/* A coefficient of a step's duration: the step's end is then exact integer arithmetic. */
static void read_picoseconds(SchemaReader *reader, const char *owner, const Param *param,
                             const DocNode *value, int64_t *out) {
    double seconds;
    if (!read_number(reader, owner, param, value, &seconds)) {
        return;
    }
    int64_t picoseconds = (int64_t)(seconds * 1e12 + 0.5);
    if (seconds > 0 && picoseconds == 0) {
        diag_error(reader->diagnostics, value,
                   "%s is below a picosecond, the smallest part of a "
                   "step there is",
                   value->text);
        return;
    }
    *out = picoseconds;
}

static bool read_count(SchemaReader *reader, const char *owner, const Param *param,
                       const DocNode *value, uint32_t *out) {
    if (param->may_be_unlimited && quantity_is_unlimited(value->text)) {
        *out = COUNT_UNLIMITED;
        return true;
    }
    double number;
    if (!read_number(reader, owner, param, value, &number)) {
        return false;
    }
    if (number >= (double)COUNT_UNLIMITED) {
        diag_error(reader->diagnostics, value, "%s is more than can be counted here", value->text);
        return false;
    }
    *out = (uint32_t)number;
    return true;
}

int schema_find_choice(const char *choices, const char *text) {
    size_t size = strlen(text);
    int index = 0;
    for (const char *word = choices;; index++) {
        size_t length = strcspn(word, "|");
        if (length == size && memcmp(word, text, size) == 0) {
            return index;
        }
        if (word[length] == 0) {
            return -1;
        }
        word += length + 1;
    }
}

/* "fifo, lifo" of "fifo|lifo". */
static void print_choices(const char *choices, char *text, size_t size) {
    size_t used = 0;
    for (const char *c = choices; *c != 0 && used + 3 < size; c++) {
        text[used++] = *c == '|' ? ',' : *c;
        if (*c == '|') {
            text[used++] = ' ';
        }
    }
    text[used] = 0;
}

static void report_choice(SchemaReader *reader, const Param *param, const DocNode *value) {
    if (schema_is_later(value->text)) {
        diag_error(reader->diagnostics, value, "'%s' is not available in this version",
                   value->text);
        return;
    }
    Nearest nearest = nearest_begin(value->text, value->count);
    char names[16][40];
    size_t count = 0;
    for (const char *word = param->choices; count < 16;) {
        size_t length = strcspn(word, "|");
        snprintf(names[count], sizeof names[count], "%.*s", (int)length, word);
        nearest_offer(&nearest, names[count++]);
        if (word[length] == 0) {
            break;
        }
        word += length + 1;
    }
    if (nearest.best != NULL) {
        diag_error(reader->diagnostics, value, "'%s' cannot be '%s': did you mean '%s'?",
                   param->name, value->text, nearest.best);
        return;
    }
    char known[300];
    print_choices(param->choices, known, sizeof known);
    diag_error(reader->diagnostics, value, "'%s' cannot be '%s'; it is one of: %s", param->name,
               value->text, known);
}

static bool read_choice(SchemaReader *reader, const Param *param, const DocNode *value,
                        uint8_t *out) {
    int index = schema_find_choice(param->choices, value->text);
    if (index < 0) {
        report_choice(reader, param, value);
        return false;
    }
    *out = (uint8_t)index;
    return true;
}

static void read_flag(SchemaReader *reader, const Param *param, const DocNode *value, bool *out) {
    if (strcmp(value->text, "true") == 0 || strcmp(value->text, "false") == 0) {
        *out = value->text[0] == 't';
    } else {
        diag_error(reader->diagnostics, value, "'%s' is true or false, not '%s'", param->name,
                   value->text);
    }
}

/* `what` is "client", "service" or "client or service"; these are components [first, end). */
static void report_unknown_component(SchemaReader *reader, const DocNode *value, const char *what,
                                     uint32_t first, uint32_t end) {
    Nearest nearest = nearest_begin(value->text, value->count);
    for (uint32_t i = first; i < end; i++) {
        nearest_offer(&nearest, model_component_name(reader->model, i));
    }
    if (nearest.best != NULL) {
        diag_error(reader->diagnostics, value, "there is no %s '%s': did you mean '%s'?", what,
                   value->text, nearest.best);
    } else {
        diag_error(reader->diagnostics, value, "there is no %s '%s'", what, value->text);
    }
}

uint32_t schema_read_component(SchemaReader *reader, const DocNode *value) {
    CHECK(value->kind == DOC_SCALAR);
    uint32_t component = model_find_component(reader->model, value->text);
    if (component == NONE) {
        report_unknown_component(reader, value, "client or service", 0,
                                 model_component_count(reader->model));
    }
    return component;
}

uint32_t schema_read_client(SchemaReader *reader, const DocNode *value) {
    CHECK(value->kind == DOC_SCALAR);
    const Model *model = reader->model;
    uint32_t component = model_find_component(model, value->text);
    if (component == NONE) {
        report_unknown_component(reader, value, "client", 0, model->client_count);
    } else if (!model_component_is_client(model, component)) {
        diag_error(reader->diagnostics, value, "'%s' is a service; a client is needed here",
                   value->text);
        component = NONE;
    }
    return component;
}

uint32_t schema_read_service(SchemaReader *reader, const DocNode *value) {
    CHECK(value->kind == DOC_SCALAR);
    const Model *model = reader->model;
    uint32_t component = model_find_component(model, value->text);
    if (component == NONE) {
        report_unknown_component(reader, value, "service", model->client_count,
                                 model_component_count(model));
    } else if (model_component_is_client(model, component)) {
        diag_error(reader->diagnostics, value, "'%s' is a client; a service is needed here",
                   value->text);
        component = NONE;
    }
    return component == NONE ? NONE : component - model->client_count;
}

const char *schema_read_file(SchemaReader *reader, const DocNode *value) {
    /* What --set names is found beside the scenario itself. */
    const DocNode *namer =
        value->origin == DOC_FROM_SET || reader->doc->root == NULL ? reader->doc->root : value;
    const char *source =
        namer == NULL ? "" : reader->diagnostics->sources.items[namer->place.file].name;
    const char *slash = strrchr(source, '/');
    size_t directory = value->text[0] == '/' || slash == NULL ? 0 : (size_t)(slash - source) + 1;
    size_t size = directory + value->count + 1;
    char *path = model_alloc(reader->model, size, 1);
    memcpy(path, source, directory);
    memcpy(path + directory, value->text, value->count + 1);
    if (access(path, R_OK) != 0) {
        diag_error(reader->diagnostics, value, "cannot read '%s': %s", path, strerror(errno));
        return NULL;
    }
    return path;
}

static void read_file(SchemaReader *reader, const DocNode *value, const char **out) {
    *out = schema_read_file(reader, value);
    if (*out != NULL) {
        model_add_file(reader->model, *out);
    }
}

static void read_profile(SchemaReader *reader, const DocNode *value, const StepProfile **out) {
    const char *path = schema_read_file(reader, value);
    Error error;
    if (path != NULL && (*out = profile_in_read(reader->model, path, &error)) == NULL) {
        diag_error(reader->diagnostics, value, "%s", error.text);
    }
}

void schema_read_scalar(SchemaReader *reader, const char *owner, const Param *param,
                        const DocNode *value, void *out) {
    if (!expect_scalar(reader, owner, param, value)) {
        return;
    }
    resolved_add(reader->resolved, value);
    void *member = (char *)out + param->offset;
    uint32_t index;
    switch (param->type) {
    case PARAM_DURATION:
        read_duration(reader, owner, param, value, member);
        return;
    case PARAM_PICOSECONDS:
        read_picoseconds(reader, owner, param, value, member);
        return;
    case PARAM_COUNT:
        read_count(reader, owner, param, value, member);
        return;
    case PARAM_RATE:
    case PARAM_RATIO:
    case PARAM_NUMBER:
    case PARAM_BYTES:
    case PARAM_BANDWIDTH:
        read_number(reader, owner, param, value, member);
        return;
    case PARAM_FLAG:
        read_flag(reader, param, value, member);
        return;
    case PARAM_CHOICE:
        read_choice(reader, param, value, member);
        return;
    case PARAM_SERVICE:
        index = schema_read_service(reader, value);
        *(uint32_t *)member = index == NONE ? 0 : index;
        return;
    case PARAM_CLIENT:
        index = schema_read_client(reader, value);
        *(uint32_t *)member = index == NONE ? 0 : index;
        return;
    case PARAM_COMPONENT:
        index = schema_read_component(reader, value);
        *(uint32_t *)member = index == NONE ? 0 : index;
        return;
    case PARAM_TEXT:
        *(const char **)member = model_copy_text(reader->model, value->text);
        return;
    case PARAM_FILE:
        read_file(reader, value, member);
        return;
    case PARAM_PROFILE:
        read_profile(reader, value, member);
        return;
    default:
        CHECK(!"a scalar's type has a case");
    }
}

/* One item of a list into place `index`. */
static void read_item(SchemaReader *reader, const char *owner, const Param *param,
                      const DocNode *value, void *items, uint32_t index) {
    if (!expect_scalar(reader, owner, param, value)) {
        return;
    }
    resolved_add(reader->resolved, value);
    uint32_t component;
    uint8_t choice;
    switch (param->type) {
    case PARAM_DURATIONS:
        read_duration(reader, owner, param, value, (SimTime *)items + index);
        return;
    case PARAM_RATES:
    case PARAM_NUMBERS:
        read_number(reader, owner, param, value, (double *)items + index);
        return;
    case PARAM_COUNTS:
        read_count(reader, owner, param, value, (uint32_t *)items + index);
        return;
    case PARAM_COMPONENTS:
        component = schema_read_component(reader, value);
        ((uint32_t *)items)[index] = component == NONE ? 0 : component;
        return;
    case PARAM_CHOICES:
        if (read_choice(reader, param, value, &choice)) {
            *(uint8_t *)items |= (uint8_t)(1u << choice);
        }
        return;
    default:
        CHECK(!"a list's type has a case");
    }
}

/* Zeroed room for the items, and a place for their count; CHOICES are bits in the struct itself. */
static void *list_room(SchemaReader *reader, ParamType type, void *member, uint32_t count) {
    switch (type) {
    case PARAM_DURATIONS: {
        DurationList *list = member;
        *list = (DurationList){model_alloc(reader->model, count, sizeof *list->items), count};
        return list->items;
    }
    case PARAM_RATES:
    case PARAM_NUMBERS: {
        NumberList *list = member;
        *list = (NumberList){model_alloc(reader->model, count, sizeof *list->items), count};
        return list->items;
    }
    case PARAM_CHOICES:
        *(uint8_t *)member = 0;
        return member;
    default: {
        CountList *list = member;
        *list = (CountList){model_alloc(reader->model, count, sizeof *list->items), count};
        return list->items;
    }
    }
}

void schema_read_list(SchemaReader *reader, const char *owner, const Param *param,
                      const DocNode *value, void *out) {
    void *member = (char *)out + param->offset;
    if (value->kind != DOC_LIST) {
        read_item(reader, owner, param, value, list_room(reader, param->type, member, 1), 0);
        return;
    }
    if (!schema_expect_list(reader, value, param->name)) {
        return;
    }
    bool may_be_empty =
        param->type == PARAM_CHOICES || (param->preset != NULL && strcmp(param->preset, "[]") == 0);
    if (value->count == 0 && !may_be_empty) {
        diag_error(reader->diagnostics, value, "'%s' of %s is an empty list", param->name, owner);
        return;
    }
    /* A preset is one value to whom it is shown: there is no list yet that --set could change. */
    Resolved *resolved = reader->resolved;
    if (value->origin == DOC_FROM_DEFAULT && param->preset != NULL) {
        resolved_add(resolved, doc_default(reader->doc, value, param->preset));
        reader->resolved = NULL;
    }
    if (value->count == 0 && reader->resolved != NULL) {
        DocNode *empty = doc_new_scalar(reader->doc, "[]", 2, (DocOrigin)value->origin);
        empty->place = value->place;
        resolved_add(reader->resolved, empty);
    }
    void *items = list_room(reader, param->type, member, value->count);
    for (uint32_t i = 0; i < value->count; i++) {
        size_t mark = resolved_enter_item(reader->resolved, i);
        read_item(reader, owner, param, value->items[i], items, i);
        resolved_leave(reader->resolved, mark);
    }
    reader->resolved = resolved;
}
