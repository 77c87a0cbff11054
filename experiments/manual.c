#include "experiments/manual.h"

#include <string.h>

#include "experiments/nearest.h"
#include "experiments/schema_read.h"
#include "models/registry.h"
#include "sim/check.h"

/* How a section and its rows look: terminal or markdown. */
typedef struct Style {
    void (*section)(FILE *out, const char *title, const char *doc);
    void (*entry)(FILE *out, const char *title, const char *doc);
    void (*begin_rows)(FILE *out);
    void (*row)(FILE *out, const char *key, const char *value, const char *preset, const char *doc);
    void (*end_rows)(FILE *out);
    void (*begin_presets)(FILE *out, const char *where); /* "call: {preset: NAME}" */
    void (*preset)(FILE *out, const Preset *preset);
} Style;

/* "kv_blocks: 17600, step: {…}": what a preset sets, on one line. */
static void print_settings(FILE *out, const Preset *preset) {
    for (const char *c = preset->yaml; *c != 0; c++) {
        if (*c != '\n') {
            fputc(*c, out);
        } else if (c[1] != 0) {
            fputs(", ", out);
        }
    }
}

typedef struct Part {
    const char *name;
    const Schema *schema;
    const char *doc;
} Part;

static const Part parts[] = {
    {"scenario", NULL, "What a file holds. Keys may stand in any order."},
    {"run", &schema_run, "How long, how often and how a run is made."},
    {"client", &schema_client, "Who sends requests: `clients: {NAME: {…}}`."},
    {"call", &schema_call,
     "A call policy: the same keys for a client and on every edge between "
     "services. Clients name the service by `target`, services by `to`."},
    {"shared_prefix", &schema_shared_prefix,
     "What a client's prompts have in common at their beginning, so that a cache of prefixes may "
     "know "
     "it. Prompts whose `hash_ids` a trace gives have none."},
    {"fallback", &schema_own_answer,
     "What stands in for a call that has failed for good: `fallback: {to: …}`, with the keys of a "
     "call, or an answer of the caller's own."},
    {"load", &schema_load,
     "A factor on a client's rate: a list of points, or a map with points, "
     "sine and interpolate."},
    {"points", &schema_load_point, "A point of a load. Before the first point the factor is 1."},
    {"sine", &schema_sine, "A wave: 1 + amplitude sin(2 pi t / period + phase)."},
    {"spikes", &schema_spike, "A burst of load; all spikes multiply. They are triggers."},
    {"service", &schema_service, "Who answers requests: `services: {NAME: {…}}`."},
    {"queue", &schema_queue, "Where attempts wait, one queue a replica."},
    {"network", &schema_network, "What messages meet: `network: {default: {…}}`."},
    {"fault", &schema_fault, "What breaks: `faults: [{at: …, for: …, KIND: {…}}]`."},
    {"initial", &schema_initial, "`run: {initial: {SERVICE: {…}}}`."},
    {"stop_when", &schema_stop_when, "`run: {stop_when: {…}}`: first passage."},
    {"trigger", &schema_trigger, "`trigger: {…}` names a burst inside a trace."},
    {"verdict", &schema_verdict, "How a run is compared with its twin; `none` makes no twin."},
};

size_t manual_part_count(void) {
    return sizeof parts / sizeof parts[0];
}

const char *manual_part_name(size_t index) {
    CHECK(index < manual_part_count());
    return parts[index].name;
}

const Schema *manual_part_schema(size_t index) {
    CHECK(index < manual_part_count());
    return parts[index].schema;
}

/* ---- The terminal ---- */

static void text_section(FILE *out, const char *title, const char *doc) {
    fprintf(out, "%s: %s\n\n", title, doc);
}

static void text_entry(FILE *out, const char *title, const char *doc) {
    fprintf(out, "  %s\n      %s\n", title, doc);
}

static void text_row(FILE *out, const char *key, const char *value, const char *preset,
                     const char *doc) {
    fprintf(out, "      %-20s %s; %s\n                           %s\n", key, value, preset, doc);
}

static void text_begin(FILE *out) {
    (void)out;
}

static void text_end(FILE *out) {
    fputc('\n', out);
}

static void text_begin_presets(FILE *out, const char *where) {
    fprintf(out, "  %s\n", where);
}

static void text_preset(FILE *out, const Preset *preset) {
    fprintf(out, "    %s\n      ", preset->name);
    print_settings(out, preset);
    fprintf(out, "\n      %s\n      From %s (%s).\n", preset->note, preset->source,
            preset->licence);
}

static const Style text_style = {text_section, text_entry,         text_begin, text_row,
                                 text_end,     text_begin_presets, text_preset};

/* ---- Markdown ---- */

static void markdown_section(FILE *out, const char *title, const char *doc) {
    fprintf(out, "## %s\n\n%s\n\n", title, doc);
}

static void markdown_entry(FILE *out, const char *title, const char *doc) {
    fprintf(out, "### `%s`\n\n%s\n\n", title, doc);
}

static void markdown_begin(FILE *out) {
    fputs("| key | value | default | what it does |\n|---|---|---|---|\n", out);
}

static void markdown_row(FILE *out, const char *key, const char *value, const char *preset,
                         const char *doc) {
    fprintf(out, "| `%s` | %s | %s | %s |\n", key, value, preset, doc);
}

static void markdown_end(FILE *out) {
    fputc('\n', out);
}

static void markdown_begin_presets(FILE *out, const char *where) {
    fprintf(out, "### `%s`\n\n", where);
    fputs("| name | sets | what is known of it | source |\n|---|---|---|---|\n", out);
}

static void markdown_preset(FILE *out, const Preset *preset) {
    fprintf(out, "| `%s` | `", preset->name);
    print_settings(out, preset);
    fprintf(out, "` | %s | %s (%s) |\n", preset->note, preset->source, preset->licence);
}

static const Style markdown_style = {markdown_section, markdown_entry, markdown_begin,
                                     markdown_row,     markdown_end,   markdown_begin_presets,
                                     markdown_preset};

/* ---- What is printed ---- */

enum { VALUE_SIZE = 512 };

/* "map of time (text), input_tokens (text, optional)". */
static void print_keys_of(const Schema *part, char text[VALUE_SIZE], size_t used) {
    for (uint32_t i = 0; i < part->param_count && used < VALUE_SIZE; i++) {
        const Param *key = &part->params[i];
        used += (size_t)snprintf(text + used, VALUE_SIZE - used, "%s %s (%s%s)",
                                 i == 0 ? " of" : ",", key->name, schema_type_name(key),
                                 key->is_optional ? ", optional" : "");
    }
}

/* "duration above 0s", "one of fifo, lifo", "kind of retry". */
static void print_value(const Param *param, char text[VALUE_SIZE]) {
    char range[SCHEMA_RANGE_SIZE];
    schema_print_range(param, range);
    size_t used = (size_t)snprintf(text, VALUE_SIZE, "%s", schema_type_name(param));
    if (param->type == PARAM_KIND) {
        snprintf(text, VALUE_SIZE, "kind of %s", family_key(param->family));
        return;
    }
    if (param->type == PARAM_PART) {
        print_keys_of(param->part, text, used);
        return;
    }
    if (param->choices != NULL) {
        text[used++] = ' ';
        for (const char *c = param->choices; *c != 0 && used + 3 < VALUE_SIZE; c++) {
            text[used++] = *c == '|' ? ',' : *c;
            if (*c == '|') {
                text[used++] = ' ';
            }
        }
        text[used] = 0;
    } else if (range[0] != 0 && param->type != PARAM_DIST) {
        used += (size_t)snprintf(text + used, VALUE_SIZE - used, " %s", range);
    }
    if (param->may_be_unlimited) {
        bool is_count = param->type == PARAM_COUNT;
        const char *word = param->never_word == NULL ? "none" : param->never_word;
        snprintf(text + used, VALUE_SIZE - used, ", or %s", is_count ? "unlimited" : word);
    }
}

static void print_params(const Style *style, const Param *params, uint32_t count, FILE *out) {
    for (uint32_t i = 0; i < count; i++) {
        const Param *param = &params[i];
        char value[VALUE_SIZE], preset[128];
        print_value(param, value);
        if (param->preset != NULL) {
            snprintf(preset, sizeof preset, style == &text_style ? "default %s" : "`%s`",
                     param->preset);
        } else {
            snprintf(preset, sizeof preset, "%s", param->is_optional ? "optional" : "required");
        }
        style->row(out, param->name, value, preset, param->doc);
    }
}

static const char *form_name(const LanguagePart *part) {
    switch (part->form) {
    case PART_TEXT:
        return "text";
    case PART_MAP:
    case PART_FALLBACK:
        return "map";
    case PART_MAP_OR_NONE:
        return "map, or none";
    case PART_NAMED:
        return "map of names";
    case PART_LIST:
    case PART_FAULTS:
        return "list of maps";
    case PART_CALLS:
        return "list of calls";
    case PART_LOAD:
        return "list of points, or map";
    case PART_OBJECTIVES:
        return "map of names";
    }
    CHECK(!"a form has a name");
    return "";
}

/* The keys of a part that are no Params. */
static uint32_t print_language_parts(const Style *style, const Schema *place, FILE *out) {
    uint32_t count = 0;
    for (size_t i = 0; i < language_part_count(); i++) {
        const LanguagePart *part = language_part(i);
        if (part->place == place) {
            style->row(out, part->name, form_name(part),
                       part->is_required ? "required" : "optional", part->doc);
            count++;
        }
    }
    return count;
}

static void print_preset_row(const Style *style, FILE *out) {
    style->row(out, SCHEMA_PRESET_KEY, "name of a preset", "optional",
               "A named set of values for these keys; what is written beside it comes on top. "
               "`knockon kinds presets` lists them.");
}

static void print_part(const Style *style, const Part *part, FILE *out) {
    style->entry(out, part->name, part->doc);
    style->begin_rows(out);
    if (part->schema != NULL && part->schema->preset_count > 0) {
        print_preset_row(style, out);
    }
    print_language_parts(style, part->schema, out);
    if (part->schema != NULL) {
        print_params(style, part->schema->params, part->schema->param_count, out);
    }
    style->end_rows(out);
}

static void print_kind(const Style *style, const Kind *kind, FILE *out) {
    style->entry(out, kind->name, kind->doc);
    if (kind->param_count > 0) {
        style->begin_rows(out);
        if (kind->preset_count > 0) {
            print_preset_row(style, out);
        }
        print_params(style, kind->params, kind->param_count, out);
    }
    style->end_rows(out);
}

static void print_family(const Style *style, Family family, FILE *out) {
    style->section(out, family_key(family), family_doc(family));
    for (size_t i = 0; i < registry_kind_count(); i++) {
        if (registry_kind(i)->family == family) {
            print_kind(style, registry_kind(i), out);
        }
    }
}

static const char *law_param_value(DistParamKind kind) {
    switch (kind) {
    case DIST_PARAM_QUANTITY:
        return "in the unit of what is drawn";
    case DIST_PARAM_NUMBER:
        return "number";
    case DIST_PARAM_COUNT:
        return "count";
    case DIST_PARAM_RATIO_LIST:
        return "ratio, or list of ratios";
    case DIST_PARAM_QUANTITY_LIST:
        return "list in the unit of what is drawn";
    case DIST_PARAM_SAMPLE:
        return "list in the unit of what is drawn, or file and column instead";
    }
    CHECK(!"a law's parameter has a value");
    return "";
}

/* "mean and p99, or mean and cv". */
static void print_sets(const DistLaw *law, char *text, size_t size) {
    size_t used = 0;
    for (size_t s = 0; s < law->set_count; s++) {
        const char *joint = s == 0 ? "" : s + 1 == law->set_count ? " or " : ", ";
        for (size_t i = 0; i < law->param_count; i++) {
            if ((law->sets[s] >> i & 1) != 0) {
                used +=
                    (size_t)snprintf(text + used, size - used, "%s%s", joint, law->params[i].name);
                CHECK(used < size);
                joint = " and ";
            }
        }
    }
}

static void print_law(const Style *style, const DistLaw *law, FILE *out) {
    char sets[400], doc[600];
    print_sets(law, sets, sizeof sets);
    snprintf(doc, sizeof doc, "%s Takes %s.", law->doc, sets);
    style->entry(out, law->name, doc);
    style->begin_rows(out);
    for (size_t i = 0; i < law->param_count; i++) {
        style->row(out, law->params[i].name, law_param_value(law->params[i].kind), "see above",
                   law->params[i].doc);
    }
    style->end_rows(out);
}

static const char distribution_doc[] =
    "A quantity that varies: {LAW: {parameters}}; a bare quantity is a constant.";

static void print_laws(const Style *style, FILE *out) {
    style->section(out, "distribution", distribution_doc);
    for (size_t i = 0; i < dist_law_count(); i++) {
        print_law(style, dist_law(i), out);
    }
}

static const char objectives_doc[] =
    "Bounds such as `web: {p99: \"<= 10s\"}`: the measure's short name or a column of summary.csv.";

static void print_objectives(const Style *style, FILE *out) {
    style->entry(out, "objectives", objectives_doc);
    style->begin_rows(out);
    for (size_t i = 0; i < objective_key_count(); i++) {
        style->row(out, objective_key(i)->key, "bound", "optional", objective_key(i)->column);
    }
    style->end_rows(out);
}

static const char presets_doc[] = "Named sets of values for a call or a kind. What is written "
                                  "beside `preset` comes on top, key by "
                                  "key down to single values, by --set too; a kind or law other "
                                  "than the preset's takes its whole "
                                  "place.";

/* A place where presets may be named. */
typedef struct PresetPlace {
    char where[100]; /* "call: {preset: NAME}" */
    const Preset *presets;
    uint32_t count;
} PresetPlace;

/* Calls each place that has presets, calls first. */
static void for_preset_places(void (*visit)(void *context, const PresetPlace *place),
                              void *context) {
    for (size_t i = 0; i < manual_part_count() + registry_kind_count(); i++) {
        PresetPlace place = {.count = 0};
        if (i < manual_part_count()) {
            const Schema *schema = parts[i].schema;
            place.presets = schema == NULL ? NULL : schema->presets;
            place.count = schema == NULL ? 0 : schema->preset_count;
            snprintf(place.where, sizeof place.where, "%s: {preset: NAME}", parts[i].name);
        } else {
            const Kind *kind = registry_kind(i - manual_part_count());
            place.presets = kind->presets;
            place.count = kind->preset_count;
            snprintf(place.where, sizeof place.where, "%s: {%s: {preset: NAME}}",
                     family_key(kind->family), kind->name);
        }
        if (place.count > 0) {
            visit(context, &place);
        }
    }
}

typedef struct PresetPrinter {
    const Style *style;
    FILE *out;
    const char *name; /* the one that is asked for */
    bool is_found;
} PresetPrinter;

static void print_place(void *context, const PresetPlace *place) {
    PresetPrinter *printer = context;
    printer->style->begin_presets(printer->out, place->where);
    for (uint32_t i = 0; i < place->count; i++) {
        printer->style->preset(printer->out, &place->presets[i]);
    }
    printer->style->end_rows(printer->out);
}

static void print_presets(const Style *style, FILE *out) {
    style->section(out, "presets", presets_doc);
    for_preset_places(print_place, &(PresetPrinter){.style = style, .out = out});
}

static void print_if_named(void *context, const PresetPlace *place) {
    PresetPrinter *printer = context;
    const Preset *preset = schema_find_preset(place->presets, place->count, printer->name);
    if (preset != NULL) {
        text_begin_presets(printer->out, place->where);
        text_preset(printer->out, preset);
        text_end(printer->out);
        printer->is_found = true;
    }
}

/* Prints the presets of that name, of whichever place. */
static bool print_preset(const char *name, FILE *out) {
    PresetPrinter printer = {.out = out, .name = name};
    for_preset_places(print_if_named, &printer);
    return printer.is_found;
}

static void offer_presets(void *context, const PresetPlace *place) {
    for (uint32_t i = 0; i < place->count; i++) {
        nearest_offer(context, place->presets[i].name);
    }
}

void manual_print_overview(FILE *out) {
    fputs("Kinds by family, as `key: {KIND: {parameters}}`:\n\n", out);
    for (int family = 0; family < FAMILY_COUNT; family++) {
        fprintf(out, "%s: %s\n", family_key((Family)family), family_doc((Family)family));
        for (size_t i = 0; i < registry_kind_count(); i++) {
            const Kind *kind = registry_kind(i);
            if (kind->family == (Family)family) {
                fprintf(out, "  %-18s %s\n", kind->name, kind->doc);
            }
        }
    }
    fprintf(out, "distribution: %s\n", distribution_doc);
    for (size_t i = 0; i < dist_law_count(); i++) {
        fprintf(out, "  %-18s %s\n", dist_law(i)->name, dist_law(i)->doc);
    }
    fputs("\nParts of a scenario:\n", out);
    for (size_t i = 0; i < manual_part_count(); i++) {
        fprintf(out, "  %-18s %s\n", parts[i].name, parts[i].doc);
    }
    fprintf(out, "  %-18s %s\n", "objectives", objectives_doc);
    fprintf(out, "\npresets: %s\n", presets_doc);
    fputs("\nknockon kinds NAME shows the parameters of a family, a kind or a part.\n", out);
}

/* Parts have the names that are written; "calls" and the like are meant too. */
static bool part_is_meant(const char *part, const char *name) {
    size_t size = strlen(part);
    return strncmp(part, name, size) == 0 &&
           (name[size] == 0 || (name[size] == 's' && name[size + 1] == 0));
}

static bool print_named(const char *name, FILE *out) {
    bool is_found = false;
    for (int family = 0; family < FAMILY_COUNT; family++) {
        if (strcmp(family_key((Family)family), name) == 0) {
            print_family(&text_style, (Family)family, out);
            is_found = true;
        }
    }
    for (size_t i = 0; i < registry_kind_count(); i++) {
        if (strcmp(registry_kind(i)->name, name) == 0) {
            fprintf(out, "%s:\n", family_key(registry_kind(i)->family));
            print_kind(&text_style, registry_kind(i), out);
            is_found = true;
        }
    }
    if (part_is_meant("distribution", name)) {
        print_laws(&text_style, out);
        is_found = true;
    }
    size_t law = dist_law_find(name);
    if (law < dist_law_count()) {
        fputs("distribution:\n", out);
        print_law(&text_style, dist_law(law), out);
        is_found = true;
    }
    for (size_t i = 0; i < manual_part_count(); i++) {
        if (part_is_meant(parts[i].name, name)) {
            print_part(&text_style, &parts[i], out);
            is_found = true;
        }
    }
    if (part_is_meant("objective", name)) {
        print_objectives(&text_style, out);
        is_found = true;
    }
    if (part_is_meant("preset", name)) {
        print_presets(&text_style, out);
        is_found = true;
    }
    return print_preset(name, out) || is_found;
}

bool manual_print(const char *name, FILE *out, const char **nearest) {
    if (print_named(name, out)) {
        return true;
    }
    Nearest search = nearest_begin(name, strlen(name));
    for (int family = 0; family < FAMILY_COUNT; family++) {
        nearest_offer(&search, family_key((Family)family));
    }
    for (size_t i = 0; i < registry_kind_count(); i++) {
        nearest_offer(&search, registry_kind(i)->name);
    }
    for_preset_places(offer_presets, &search);
    for (size_t i = 0; i < dist_law_count(); i++) {
        nearest_offer(&search, dist_law(i)->name);
    }
    for (size_t i = 0; i < manual_part_count(); i++) {
        nearest_offer(&search, parts[i].name);
    }
    nearest_offer(&search, "distribution");
    nearest_offer(&search, "objectives");
    nearest_offer(&search, "presets");
    *nearest = search.best;
    return false;
}

void manual_print_markdown(FILE *out) {
    const Style *style = &markdown_style;
    fputs("# What a scenario may say\n\nMade by `knockon kinds --markdown`; do not edit.\n\n", out);
    style->section(out, "Parts", "The parts of a scenario that are always of one kind.");
    for (size_t i = 0; i < manual_part_count(); i++) {
        print_part(style, &parts[i], out);
    }
    print_objectives(style, out);
    for (int family = 0; family < FAMILY_COUNT; family++) {
        print_family(style, (Family)family, out);
    }
    print_laws(style, out);
    print_presets(style, out);
}
