#include "experiments/json_schema.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/compile.h"
#include "experiments/manual.h"
#include "experiments/schema_read.h"
#include "models/registry.h"
#include "sim/check.h"
#include "sim/vec.h"

#define NUMBER_PATTERN "-?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][-+]?[0-9]+)?"
#define NAME_PATTERN "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"

static json_t *reference(const char *name) {
    return json_sprintf("#/$defs/%s", name);
}

/* {"$ref": "#/$defs/NAME"} */
static json_t *refer(const char *name) {
    return json_pack("{s:o}", "$ref", reference(name));
}

static json_t *pattern(const char *text, const char *description) {
    return json_pack("{s:s, s:s, s:s}", "type", "string", "pattern", text, "description",
                     description);
}

/* A number, or a text that is one with k or M behind it. */
static json_t *number_or(const char *suffix, const char *description) {
    return json_pack("{s:[s,s], s:s+, s:s}", "type", "number", "string", "pattern",
                     "^" NUMBER_PATTERN, suffix, "description", description);
}

static json_t *one_or_list(const char *name) {
    return json_pack("{s:[o, {s:s, s:o}]}", "anyOf", refer(name), "type", "array", "items",
                     refer(name));
}

static json_t *words_of(const char *choices) {
    json_t *words = json_array();
    for (const char *word = choices;;) {
        size_t length = strcspn(word, "|");
        json_array_append_new(words, json_stringn(word, length));
        if (word[length] == 0) {
            return words;
        }
        word += length + 1;
    }
}

/* Either the value or one word instead of it. */
static json_t *or_word(json_t *value, const char *word) {
    return json_pack("{s:[o, {s:s}]}", "anyOf", value, "const", word);
}

static json_t *params_object(const Param *params, uint32_t count);

static json_t *value_schema(const Param *param) {
    switch (param->type) {
    case PARAM_DURATION:
    case PARAM_PICOSECONDS:
        return refer("duration");
    case PARAM_DURATIONS:
        return one_or_list("duration");
    case PARAM_RATE:
        return refer("rate");
    case PARAM_RATES:
        return one_or_list("rate");
    case PARAM_RATIO:
        return refer("ratio");
    case PARAM_BYTES:
        return refer("bytes");
    case PARAM_BANDWIDTH:
        return refer("bandwidth");
    case PARAM_NUMBER:
        return refer("number");
    case PARAM_NUMBERS:
        return one_or_list("number");
    case PARAM_COUNT:
        return refer("count");
    case PARAM_COUNTS:
        return one_or_list("count");
    case PARAM_FLAG:
        return json_pack("{s:s}", "type", "boolean");
    case PARAM_CHOICE:
        return json_pack("{s:o}", "enum", words_of(param->choices));
    case PARAM_CHOICES:
        return json_pack("{s:[{s:o}, {s:s, s:{s:o}}]}", "anyOf", "enum", words_of(param->choices),
                         "type", "array", "items", "enum", words_of(param->choices));
    case PARAM_DIST:
        return refer(strcmp(param->unit, "s") == 0 ? "duration_distribution"
                                                   : "number_distribution");
    case PARAM_COMPONENTS:
        return one_or_list("name");
    case PARAM_SERVICE:
        return refer("name");
    case PARAM_TEXT:
    case PARAM_FILE:
    case PARAM_PROFILE:
        return refer("text");
    case PARAM_KIND:
        return refer(family_key(param->family));
    case PARAM_PART:
        return params_object(param->part->params, param->part->param_count);
    }
    CHECK(!"a parameter has a schema");
    return NULL;
}

static json_t *param_schema(const Param *param) {
    json_t *schema = value_schema(param);
    if (param->may_be_unlimited) {
        const char *word = param->never_word == NULL ? "none" : param->never_word;
        schema = or_word(schema, param->type == PARAM_COUNT ? "unlimited" : word);
    }
    json_object_set_new(schema, "description", json_string(param->doc));
    return schema;
}

/* An object that takes these keys and no others. */
static json_t *closed_object(void) {
    return json_pack("{s:s, s:{}, s:[], s:b}", "type", "object", "properties", "required",
                     "additionalProperties", 0);
}

static void add_property(json_t *object, const char *key, json_t *schema, bool is_required) {
    json_object_set_new(json_object_get(object, "properties"), key, schema);
    if (is_required) {
        json_array_append_new(json_object_get(object, "required"), json_string(key));
    }
}

static json_t *params_object(const Param *params, uint32_t count) {
    json_t *object = closed_object();
    for (uint32_t i = 0; i < count; i++) {
        bool is_required = params[i].preset == NULL && !params[i].is_optional;
        add_property(object, params[i].name, param_schema(&params[i]), is_required);
    }
    return object;
}

static bool needs_parameters(const Kind *kind) {
    for (uint32_t i = 0; i < kind->param_count; i++) {
        if (kind->params[i].preset == NULL && !kind->params[i].is_optional) {
            return true;
        }
    }
    return false;
}

/* The name of a family's schema where a preset gives the rest. */
static json_t *refer_on_preset(const Param *param) {
    json_t *reference = json_sprintf("#/$defs/%s_on_preset", family_key(param->family));
    return json_pack("{s:o, s:s}", "$ref", reference, "description", param->doc);
}

static json_t *preset_names(const Preset *presets, uint32_t count) {
    json_t *names = json_array();
    for (uint32_t i = 0; i < count; i++) {
        json_array_append_new(names, json_string(presets[i].name));
    }
    return json_pack("{s:o}", "enum", names);
}

/* Parameters beside `preset`: none is required, nor is any of a kind among them. */
static json_t *preset_object(const Kind *kind) {
    json_t *object = params_object(kind->params, kind->param_count);
    for (uint32_t i = 0; i < kind->param_count; i++) {
        if (kind->params[i].type == PARAM_KIND) {
            add_property(object, kind->params[i].name, refer_on_preset(&kind->params[i]), false);
        }
    }
    add_property(object, SCHEMA_PRESET_KEY, preset_names(kind->presets, kind->preset_count), false);
    json_object_set_new(object, "required", json_pack("[s]", SCHEMA_PRESET_KEY));
    return object;
}

static json_t *kind_schema(const Kind *kind) {
    json_t *object = params_object(kind->params, kind->param_count);
    return kind->preset_count == 0
               ? object
               : json_pack("{s:{s:[s]}, s:o, s:o}", "if", "required", SCHEMA_PRESET_KEY, "then",
                           preset_object(kind), "else", object);
}

/* {KIND: {parameters}} with one kind; a word for kinds that need none; a bare first parameter. */
static json_t *family_schema(Family family, bool is_on_preset) {
    json_t *words = json_array(), *kinds = json_object(), *forms = json_array();
    for (size_t i = 0; i < registry_kind_count(); i++) {
        const Kind *kind = registry_kind(i);
        if (kind->family != family) {
            continue;
        }
        json_t *object = kind_schema(kind);
        if (is_on_preset) {
            json_object_del(object, "required");
        }
        json_object_set_new(object, "description", json_string(kind->doc));
        if (!needs_parameters(kind)) {
            json_array_append_new(words, json_string(kind->name));
            object = json_pack("{s:[o, {s:s}]}", "anyOf", object, "type", "null");
        }
        json_object_set_new(kinds, kind->name, object);
        if (kind->stands_bare) {
            json_array_append_new(forms, param_schema(&kind->params[0]));
        }
    }
    if (json_array_size(words) > 0) {
        json_array_append_new(forms, json_pack("{s:o}", "enum", words));
    } else {
        json_decref(words);
    }
    json_array_append_new(forms, json_pack("{s:s, s:o, s:b, s:i, s:i}", "type", "object",
                                           "properties", kinds, "additionalProperties", 0,
                                           "minProperties", 1, "maxProperties", 1));
    return json_pack("{s:s, s:o}", "description", family_doc(family), "anyOf", forms);
}

static json_t *law_schema(const DistLaw *law, const char *unit) {
    json_t *object = closed_object();
    for (size_t i = 0; i < law->param_count; i++) {
        const DistParam *param = &law->params[i];
        json_t *value = NULL;
        switch (param->kind) {
        case DIST_PARAM_QUANTITY:
            value = refer(unit);
            break;
        case DIST_PARAM_NUMBER:
            value = refer("number");
            break;
        case DIST_PARAM_COUNT:
            value = refer("count");
            break;
        case DIST_PARAM_RATIO_LIST:
            value = one_or_list("ratio");
            break;
        case DIST_PARAM_QUANTITY_LIST:
            value = one_or_list(unit);
            break;
        case DIST_PARAM_SAMPLE:
            value = one_or_list(unit);
            add_property(object, "file", refer("text"), false);
            add_property(object, "column", refer("text"), false);
            break;
        }
        CHECK(value != NULL);
        json_object_set_new(value, "description", json_string(param->doc));
        add_property(object, param->name, value, false);
    }
    json_object_set_new(object, "description", json_string(law->doc));
    return object;
}

static json_t *distribution_schema(const char *unit) {
    json_t *laws = json_object();
    for (size_t i = 0; i < dist_law_count(); i++) {
        json_object_set_new(laws, dist_law(i)->name, law_schema(dist_law(i), unit));
    }
    return json_pack("{s:[o, {s:s, s:o, s:b, s:i, s:i}]}", "anyOf", refer(unit), "type", "object",
                     "properties", laws, "additionalProperties", 0, "minProperties", 1,
                     "maxProperties", 1);
}

static const char *schema_key(const Schema *schema) {
    for (size_t i = 0; i < manual_part_count(); i++) {
        if (manual_part_schema(i) == schema) {
            return manual_part_name(i);
        }
    }
    CHECK(!"a schema is in the manual");
    return NULL;
}

static json_t *list_of(json_t *items) {
    return json_pack("{s:s, s:o}", "type", "array", "items", items);
}

static json_t *named(json_t *value) {
    return json_pack("{s:s, s:{s:s}, s:o}", "type", "object", "propertyNames", "pattern",
                     NAME_PATTERN, "additionalProperties", value);
}

/* A service's call, or some in parallel. */
static json_t *calls_schema(void) {
    json_t *parallel = closed_object();
    add_property(parallel, "parallel", list_of(refer("call")), true);
    return list_of(json_pack("{s:[o,o]}", "anyOf", refer("call"), parallel));
}

static json_t *objectives_schema(void) {
    json_t *bound = pattern("^[<>]= *[^ ]+$", "A bound such as '<= 10s' or '>= 99%'.");
    return named(json_pack("{s:s, s:o}", "type", "object", "additionalProperties", bound));
}

static json_t *network_schema(void) {
    json_t *object = closed_object();
    add_property(object, "default", refer("network"), false);
    return object;
}

static json_t *part_schema(const LanguagePart *part) {
    switch (part->form) {
    case PART_TEXT:
        return strcmp(part->name, "knockon") == 0 ? json_pack("{s:[i,s]}", "enum", 1, "1")
               : strcmp(part->name, "about") == 0 ? refer("text")
                                                  : refer("name");
    case PART_MAP:
        return part->schema == NULL           ? network_schema()
               : part->schema == &schema_call ? refer("client_call")
                                              : refer(schema_key(part->schema));
    case PART_MAP_OR_NONE:
        return or_word(refer(schema_key(part->schema)), "none");
    case PART_NAMED:
        return named(refer(schema_key(part->schema)));
    case PART_LIST:
        return list_of(refer(schema_key(part->schema)));
    case PART_CALLS:
        return calls_schema();
    case PART_FALLBACK:
        return refer("fallback");
    case PART_FAULTS:
        return list_of(refer("fault"));
    case PART_LOAD:
        return json_pack("{s:[o,o]}", "anyOf", list_of(refer("points")), refer("load"));
    case PART_OBJECTIVES:
        return objectives_schema();
    }
    CHECK(!"a part has a schema");
    return NULL;
}

/* The schema of a place: its params and its other keys. */
static json_t *place_schema(const Schema *schema) {
    json_t *object =
        schema == NULL ? closed_object() : params_object(schema->params, schema->param_count);
    if (schema != NULL && schema->preset_count > 0) {
        add_property(object, SCHEMA_PRESET_KEY, preset_names(schema->presets, schema->preset_count),
                     false);
    }
    for (size_t i = 0; i < language_part_count(); i++) {
        const LanguagePart *part = language_part(i);
        if (part->place == schema) {
            json_t *value = part_schema(part);
            json_object_set_new(value, "description", json_string(part->doc));
            add_property(object, part->name, value, part->is_required);
        }
    }
    return object;
}

/* A fault has one kind besides its own keys. */
static json_t *fault_schema(void) {
    json_t *object = place_schema(&schema_fault);
    json_t *kinds = json_array();
    for (size_t i = 0; i < registry_kind_count(); i++) {
        const Kind *kind = registry_kind(i);
        if (kind->family == FAMILY_FAULT) {
            add_property(object, kind->name, params_object(kind->params, kind->param_count), false);
            json_array_append_new(kinds, json_pack("{s:[s]}", "required", kind->name));
        }
    }
    json_object_set_new(object, "oneOf", kinds);
    return object;
}

/* A client's call names no service: its `target` does. */
static json_t *client_call_schema(void) {
    json_t *object = place_schema(&schema_call);
    json_object_del(json_object_get(object, "properties"), "to");
    json_object_set_new(object, "required", json_array());
    return object;
}

/* A call, without what belongs to the one that it stands in for; or an answer of one's own. */
static json_t *fallback_schema(void) {
    json_t *object = place_schema(&schema_call);
    json_object_del(json_object_get(object, "properties"), "probability");
    json_object_del(json_object_get(object, "properties"), "on_failure");
    json_t *own = place_schema(&schema_own_answer);
    json_object_set_new(own, "minProperties", json_integer(1));
    json_object_set_new(own, "maxProperties", json_integer(1));
    return json_pack("{s:[o,o]}", "anyOf", object, own);
}

static void add_quantities(json_t *definitions) {
    json_object_set_new(definitions, "duration",
                        pattern("^" NUMBER_PATTERN "(ns|us|ms|s|min|h|d)$", "A duration: 250ms."));
    json_object_set_new(definitions, "rate",
                        pattern("^" NUMBER_PATTERN "[kM]?/(s|min|h|d)$", "A rate: 120/s."));
    json_object_set_new(definitions, "ratio", pattern("^" NUMBER_PATTERN "%$", "A ratio: 30%."));
    json_object_set_new(
        definitions, "bytes",
        pattern("^" NUMBER_PATTERN "([kMGT]?|[KMGT]i)B$", "A number of bytes: 64MiB."));
    json_object_set_new(
        definitions, "bandwidth",
        pattern("^" NUMBER_PATTERN "(([kMGT]?|[KMGT]i)B|[MGT]bit)/s$", "A bandwidth: 20GB/s."));
    json_object_set_new(definitions, "number", number_or("[kM]?$", "A number: 1.5."));
    json_object_set_new(definitions, "count", number_or("[kM]?$", "A whole number: 4k."));
    json_object_set_new(
        definitions, "name",
        json_pack("{s:[s,s], s:s}", "type", "string", "number", "pattern", NAME_PATTERN));
    json_object_set_new(definitions, "text",
                        json_pack("{s:[s,s,s]}", "type", "string", "number", "boolean"));
}

/* The families of the kinds that presets fill. */
static void add_families_on_preset(json_t *definitions) {
    for (size_t i = 0; i < registry_kind_count(); i++) {
        const Kind *kind = registry_kind(i);
        for (uint32_t k = 0; kind->preset_count > 0 && k < kind->param_count; k++) {
            if (kind->params[k].type == PARAM_KIND) {
                Family family = kind->params[k].family;
                char name[64];
                snprintf(name, sizeof name, "%s_on_preset", family_key(family));
                json_object_set_new(definitions, name, family_schema(family, true));
            }
        }
    }
}

static json_t *whole_schema(void) {
    json_t *definitions = json_object();
    add_quantities(definitions);
    json_object_set_new(definitions, "duration_distribution", distribution_schema("duration"));
    json_object_set_new(definitions, "number_distribution", distribution_schema("number"));
    for (int family = 0; family < FAMILY_COUNT; family++) {
        if (family != FAMILY_FAULT) {
            json_object_set_new(definitions, family_key((Family)family),
                                family_schema((Family)family, false));
        }
    }
    add_families_on_preset(definitions);
    for (size_t i = 0; i < manual_part_count(); i++) {
        const Schema *schema = manual_part_schema(i);
        if (schema != NULL && schema != &schema_fault) {
            json_object_set_new(definitions, manual_part_name(i), place_schema(schema));
        }
    }
    json_object_set_new(definitions, "fault", fault_schema());
    json_object_set_new(definitions, "client_call", client_call_schema());
    json_object_set_new(definitions, "fallback", fallback_schema());
    /* What a file includes may hold any part of what is required, so that only its own keys count.
     */
    json_t *alone = place_schema(NULL);
    json_t *including = closed_object();
    const char *key;
    json_t *part;
    json_object_foreach(json_object_get(alone, "properties"), key, part) {
        add_property(including, key, json_object(), false);
    }
    add_property(including, "include", refer("text"), true);
    return json_pack("{s:s, s:s, s:{s:[s]}, s:o, s:o, s:o}", "$schema",
                     "https://json-schema.org/draft/2020-12/schema", "title", "knockon scenario",
                     "if", "required", "include", "then", including, "else", alone, "$defs",
                     definitions);
}

void json_schema_print(FILE *out) {
    json_object_seed(1);
    json_t *schema = whole_schema();
    char *text = json_dumps(schema, JSON_INDENT(1));
    CHECK(text != NULL);
    fputs(text, out);
    fputc('\n', out);
    free(text);
    json_decref(schema);
}
