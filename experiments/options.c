#include "experiments/options.h"

#include <errno.h>
#include <getopt.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "experiments/nearest.h"
#include "sim/check.h"

typedef enum OptionType {
    TYPE_FLAG,
    TYPE_TEXT,
    TYPE_COUNT,
    TYPE_CHOICE,
    TYPE_ASSIGNMENT, /* --set PATH=VALUE */
    TYPE_KEY,        /* stands for --set KEY=VALUE */
} OptionType;

typedef struct OptionDef {
    const char *name;
    char letter; /* 0: none */
    OptionType type;
    uint32_t commands; /* any of these bits of Command.options; 0: every command */
    size_t offset;     /* in Options */
    const char *value; /* as --help shows it: "N", "DIR"; CHOICE: the words, "auto|plain" */
    const char *key;   /* TYPE_KEY */
    const char *doc;
} OptionDef;

#define MEMBER(name) offsetof(Options, name)

static const OptionDef definitions[] = {
    {"set", 's', TYPE_ASSIGNMENT, OPTION_SET, 0, "PATH=VALUE", NULL,
     "Change a value of the scenario, such as clients.web.call.timeout=2s; may be given again"},
    {"seed", 0, TYPE_KEY, OPTION_RUNNING, 0, "N", "run.seed", "Short for --set run.seed=N"},
    {"replications", 'r', TYPE_KEY, OPTION_RUNNING, 0, "N", "run.replications",
     "Short for --set run.replications=N"},
    {"jobs", 'j', TYPE_COUNT, OPTION_RUNNING, MEMBER(jobs), "N", NULL,
     "Threads; results do not depend on it (one a processor when left out)"},
    {"out", 'o', TYPE_TEXT, OPTION_RUNNING, MEMBER(out), "DIR", NULL,
     "Where results go (out/NAME when left out)"},
    {"force", 0, TYPE_FLAG, OPTION_RUNNING, MEMBER(is_forced), NULL, NULL,
     "Replace the results of another scenario, seed or version in DIR"},
    {"requests", 0, TYPE_FLAG, OPTION_RUNNING, MEMBER(has_requests), NULL, NULL,
     "Also write requests.csv, a row a request"},
    {"stepwise", 0, TYPE_FLAG, OPTION_RUNNING, MEMBER(is_stepwise), NULL, NULL,
     "Take every step of an inference server by itself: slower, for checks; the results are the "
     "same"},
    {"trace", 0, TYPE_FLAG, OPTION_RUNNING, MEMBER(has_trace), NULL, NULL,
     "Print every event of the first replication"},
    {"progress", 0, TYPE_CHOICE, OPTION_RUNNING, MEMBER(progress), "auto|plain|json|none", NULL,
     "How progress is shown on stderr"},
    {"quiet", 'q', TYPE_FLAG, OPTION_QUIET, MEMBER(is_quiet), NULL, NULL,
     "Print nothing but errors"},
    {"json", 0, TYPE_FLAG, OPTION_JSON, MEMBER(is_json), NULL, NULL, "Print the result as JSON"},
    {"resolved", 0, TYPE_FLAG, OPTION_RESOLVED, MEMBER(is_resolved), NULL, NULL,
     "Print every value of the scenario and where it came from"},
    {"schema", 0, TYPE_FLAG, OPTION_KINDS, MEMBER(is_schema), NULL, NULL,
     "Print a JSON schema of the language, for editors"},
    {"markdown", 0, TYPE_FLAG, OPTION_KINDS, MEMBER(is_markdown), NULL, NULL,
     "Print the manual's chapter"},
    {"help", 'h', TYPE_FLAG, 0, MEMBER(wants_help), NULL, NULL, "Print this and stop"},
};

enum { DEFINITIONS = sizeof definitions / sizeof definitions[0], FIRST_CODE = 256 };

static bool command_takes(const Command *command, const OptionDef *definition) {
    return definition->commands == 0 || (command->options & definition->commands) != 0;
}

static bool takes_value(const OptionDef *definition) {
    return definition->type != TYPE_FLAG;
}

/* The tables of getopt_long for one command; the code of an option is FIRST_CODE + its index. */
static void fill_getopt(const Command *command, struct option *longs, char *letters) {
    *letters++ = ':';
    for (int i = 0; i < DEFINITIONS; i++) {
        const OptionDef *definition = &definitions[i];
        if (!command_takes(command, definition)) {
            continue;
        }
        *longs++ = (struct option){definition->name,
                                   takes_value(definition) ? required_argument : no_argument, NULL,
                                   FIRST_CODE + i};
        if (definition->letter != 0) {
            *letters++ = definition->letter;
            if (takes_value(definition)) {
                *letters++ = ':';
            }
        }
    }
    *longs = (struct option){0};
    *letters = 0;
}

static const OptionDef *find_definition(int code) {
    for (int i = 0; i < DEFINITIONS; i++) {
        if (code == FIRST_CODE + i ||
            (definitions[i].letter != 0 && code == definitions[i].letter)) {
            return &definitions[i];
        }
    }
    return NULL;
}

static bool parse_count(const OptionDef *definition, const char *text, uint32_t *out,
                        Error *error) {
    CHECK(definition->type == TYPE_COUNT);
    char *end;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != 0 || errno != 0 || value < 1 || value > 1024) {
        return error_set(error, "--%s takes a whole number from 1 to 1024, not '%s'",
                         definition->name, text);
    }
    *out = (uint32_t)value;
    return true;
}

/* The index of `text` among "a|b|c"; false when it is none. */
static bool parse_choice(const char *choices, const char *text, uint8_t *out) {
    size_t size = strlen(text);
    uint8_t index = 0;
    for (const char *word = choices;; index++) {
        size_t length = strcspn(word, "|");
        if (length == size && memcmp(word, text, size) == 0) {
            *out = index;
            return true;
        }
        if (word[length] == 0) {
            return false;
        }
        word += length + 1;
    }
}

static void add_assignment(Options *options, const char *key, const char *value) {
    size_t size = strlen(key) + strlen(value) + 2;
    char *text = mem_alloc(size);
    snprintf(text, size, "%s=%s", key, value);
    vec_push(&options->sets, text);
}

static bool apply_option(const OptionDef *definition, const char *value, Options *out,
                         Error *error) {
    char *member = (char *)out + definition->offset;
    switch (definition->type) {
    case TYPE_FLAG:
        *(bool *)member = true;
        return true;
    case TYPE_TEXT:
        if (value[0] == 0) {
            return error_set(error, "--%s takes %s, not an empty text", definition->name,
                             definition->value);
        }
        *(const char **)(void *)member = value;
        return true;
    case TYPE_COUNT:
        return parse_count(definition, value, (uint32_t *)(void *)member, error);
    case TYPE_CHOICE:
        return parse_choice(definition->value, value, (uint8_t *)member) ||
               error_set(error, "--%s takes one of %s, not '%s'", definition->name,
                         definition->value, value);
    case TYPE_ASSIGNMENT:
        vec_push(&out->sets, mem_copy_text(value));
        return true;
    case TYPE_KEY:
        add_assignment(out, definition->key, value);
        return true;
    }
    CHECK(!"an option's type has a case");
    return false;
}

/* What getopt_long could not read. It leaves the letter, or the code of a flag that was given a
 * value, in optopt; a long option that it does not know is `word`. */
static bool unknown_option(const Command *command, const char *word, Error *error) {
    if (optopt >= FIRST_CODE) {
        return error_set(error, "--%s takes no value", definitions[optopt - FIRST_CODE].name);
    }
    if (optopt != 0) {
        return error_set(error, "%s has no option '-%c'; see knockon %s --help", command->name,
                         optopt, command->name);
    }
    const char *names[DEFINITIONS];
    size_t count = 0;
    for (int i = 0; i < DEFINITIONS; i++) {
        if (command_takes(command, &definitions[i])) {
            names[count++] = definitions[i].name;
        }
    }
    char written[64];
    snprintf(written, sizeof written, "%.*s", (int)strcspn(word + 2, "="), word + 2);
    const char *near = nearest_name(written, names, count);
    return near == NULL ? error_set(error, "%s has no option '--%s'; see knockon %s --help",
                                    command->name, written, command->name)
                        : error_set(error, "%s has no option '--%s': did you mean '--%s'?",
                                    command->name, written, near);
}

static bool check_operands(const Command *command, const Options *options, Error *error) {
    if (options->operands.count < command->operands_min) {
        return error_set(error, "%s needs %s; see knockon %s --help", command->name,
                         command->operands, command->name);
    }
    if (options->operands.count > command->operands_max) {
        return error_set(error, "%s takes %s, so '%s' is too much", command->name,
                         command->operands[0] == 0 ? "no operand" : command->operands,
                         options->operands.items[command->operands_max]);
    }
    return true;
}

static bool parse_words(const Command *command, int argc, char **argv, Options *out, Error *error) {
    struct option longs[DEFINITIONS + 1];
    char letters[2 * DEFINITIONS + 2];
    fill_getopt(command, longs, letters);
    opterr = 0;
    optind = 0; /* glibc: begin anew, whatever an earlier parse left */
    for (;;) {
        int code = getopt_long(argc, argv, letters, longs, NULL);
        if (code == -1) {
            break;
        }
        const OptionDef *definition = find_definition(code == ':' ? optopt : code);
        if (code == ':') {
            return error_set(error, "--%s needs %s", definition->name, definition->value);
        }
        if (definition == NULL) {
            return unknown_option(command, argv[optind - 1], error);
        }
        if (!apply_option(definition, optarg, out, error)) {
            return false;
        }
    }
    for (int i = optind; i < argc; i++) {
        vec_push(&out->operands, argv[i]);
    }
    return out->wants_help || check_operands(command, out, error);
}

bool options_parse(const Command *command, int argc, char **argv, Options *out, Error *error) {
    CHECK(argc >= 1);
    Options options = {0};
    const char *no_colour = getenv("NO_COLOR");
    options.in_colour = isatty(STDERR_FILENO) && (no_colour == NULL || no_colour[0] == 0);
    if (!parse_words(command, argc, argv, &options, error)) {
        options_free(&options);
        return false;
    }
    *out = options;
    return true;
}

void options_free(Options *options) {
    for (size_t i = 0; i < options->sets.count; i++) {
        mem_free(options->sets.items[i]);
    }
    vec_free(&options->sets);
    vec_free(&options->operands);
}

void options_print_help(const Command *command, FILE *out) {
    fprintf(out, "usage: knockon %s [options]%s%s\n\n%s\n\noptions:\n", command->name,
            command->operands[0] == 0 ? "" : " ", command->operands, command->doc);
    for (int i = 0; i < DEFINITIONS; i++) {
        const OptionDef *definition = &definitions[i];
        if (!command_takes(command, definition)) {
            continue;
        }
        char left[64];
        int length =
            definition->letter == 0
                ? snprintf(left, sizeof left, "    --%s", definition->name)
                : snprintf(left, sizeof left, "-%c, --%s", definition->letter, definition->name);
        if (takes_value(definition)) {
            snprintf(left + length, sizeof left - (size_t)length, " %s", definition->value);
        }
        if (strlen(left) > 22) {
            fprintf(out, "  %s\n  %-22s  %s.\n", left, "", definition->doc);
        } else {
            fprintf(out, "  %-22s  %s.\n", left, definition->doc);
        }
    }
}
