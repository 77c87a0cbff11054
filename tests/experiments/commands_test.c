/* What check, kinds, init and graph print, and their exit status. */
#include "experiments/commands.h"

#include <ftw.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "experiments/compile.h"
#include "experiments/exit_status.h"
#include "experiments/language.h"
#include "experiments/schema_read.h"
#include "experiments/templates.h"
#include "models/registry.h"
#include "tests/test.h"

typedef struct Said {
    int status;
    char *out, *err;
} Said;

static char *read_back(FILE *file) {
    long size = ftell(file);
    ck_assert_int_ge(size, 0);
    char *text = calloc((size_t)size + 1, 1);
    rewind(file);
    ck_assert_uint_eq(fread(text, 1, (size_t)size, file), (size_t)size);
    fclose(file);
    return text;
}

/* Runs a command with both outputs in files, as main does. */
static Said say(const char *line) {
    static char copy[500];
    snprintf(copy, sizeof copy, "%s", line);
    char *argv[32];
    int argc = 0;
    for (char *word = strtok(copy, " "); word != NULL; word = strtok(NULL, " ")) {
        argv[argc++] = word;
    }
    argv[argc] = NULL;
    const Command *command = command_find(argv[0]);
    ck_assert_ptr_nonnull(command);
    Options options;
    Error error;
    ck_assert_msg(options_parse(command, argc, argv, &options, &error), "%s", error.text);
    fflush(stdout);
    fflush(stderr);
    FILE *out = tmpfile(), *err = tmpfile();
    int old_out = dup(1), old_err = dup(2);
    dup2(fileno(out), 1);
    dup2(fileno(err), 2);
    Said said = {.status = command->run(&options)};
    fflush(stdout);
    fflush(stderr);
    dup2(old_out, 1);
    dup2(old_err, 2);
    close(old_out);
    close(old_err);
    fseek(out, 0, SEEK_END);
    fseek(err, 0, SEEK_END);
    said.out = read_back(out);
    said.err = read_back(err);
    options_free(&options);
    return said;
}

static void check_said(const char *line, int status, const char *out, const char *err) {
    Said said = say(line);
    ck_assert_str_eq(said.err, err);
    ck_assert_str_eq(said.out, out);
    ck_assert_int_eq(said.status, status);
    free(said.out);
    free(said.err);
}

static char directory[] = "/tmp/knockon-commands-XXXXXX";

static void write_file(const char *name, const char *text) {
    ck_assert_int_eq(chdir(directory), 0);
    FILE *file = fopen(name, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

static void setup(void) {
    ck_assert_ptr_nonnull(mkdtemp(directory));
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *walk) {
    (void)info;
    (void)type;
    (void)walk;
    return remove(path);
}

static void teardown(void) {
    ck_assert_int_eq(chdir("/"), 0);
    ck_assert_int_eq(nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

START_TEST(check_says_what_a_run_would_do) {
    setup();
    write_file("mini.yaml", template_minimal);
    check_said("check mini.yaml", EXIT_FINE,
               "minimal is fine: 1 client, 2 services with 5 replicas, 2 calls, 0 faults; "
               "10 replications of 20min, trigger from 5min to 6min\n"
               "run it with: knockon run mini.yaml\n",
               "");
    check_said("check -q mini.yaml", EXIT_FINE, "", "");
    check_said("check mini.yaml --set run.replications=1 --set clients.web.spikes=[]", EXIT_FINE,
               "minimal is fine: 1 client, 2 services with 5 replicas, 2 calls, 0 faults; "
               "1 replication of 20min, no trigger\n"
               "run it with: knockon run mini.yaml\n",
               "");
    teardown();
}
END_TEST

START_TEST(check_refuses_with_2_and_shows_the_place) {
    setup();
    write_file("mini.yaml", template_minimal);
    check_said(
        "check mini.yaml --set services.model.replicsa=2", EXIT_INPUT, "",
        "--set services.model.replicsa:1:16: error: a service has no key 'replicsa': did you "
        "mean 'replicas'?\n"
        "    1 | services.model.replicsa=2\n"
        "      |                ^~~~~~~~\n");
    check_said("check nothing.yaml", EXIT_INPUT, "",
               "nothing.yaml: error: cannot be read: No such file or directory\n");
    teardown();
}
END_TEST

START_TEST(check_resolved_prints_every_value) {
    setup();
    write_file("mini.yaml", template_minimal);
    Said said = say("check mini.yaml --resolved --set run.seed=7");
    ck_assert_ptr_nonnull(strstr(said.out, "\nrun.seed: 7  # --set run.seed\n"));
    ck_assert_ptr_nonnull(strstr(said.out, "\nservices.model.replicas: 4  # mini.yaml:27\n"));
    ck_assert_ptr_nonnull(strstr(said.out, "\nservices.gateway.replicas: 1  # default\n"));
    free(said.out);
    free(said.err);
    teardown();
}
END_TEST

START_TEST(init_prints_a_scenario_that_check_accepts) {
    setup();
    Said said = say("init");
    ck_assert_str_eq(said.out, template_minimal);
    write_file("new.yaml", said.out);
    Said checked = say("check -q new.yaml");
    ck_assert_str_eq(checked.err, "");
    ck_assert_int_eq(checked.status, EXIT_FINE);
    free(said.out);
    free(said.err);
    free(checked.out);
    free(checked.err);
    teardown();
}
END_TEST

START_TEST(init_finds_the_templates_beside_it) {
    setup();
    ck_assert_int_eq(chdir(directory), 0);
    ck_assert_int_eq(setenv("KNOCKON_DATA", directory, 1), 0);
    ck_assert_int_eq(mkdir("experiments", 0700), 0);
    ck_assert_int_eq(mkdir("experiments/scenarios", 0700), 0);
    write_file("experiments/scenarios/one-storm.yaml", "knockon: 1\n# storm\n");
    write_file("experiments/scenarios/.hidden.yaml", "x\n");
    check_said("init one-storm", EXIT_FINE, "knockon: 1\n# storm\n", "");
    check_said("init one-strom", EXIT_INPUT, "",
               "knockon: there is no template 'one-strom': did you mean 'one-storm'?\n");
    Said said = say("init ../../etc/passwd");
    ck_assert_int_eq(said.status, EXIT_INPUT);
    ck_assert_str_eq(said.out, "");
    ck_assert_ptr_nonnull(strstr(said.err, "there are:\n  minimal\n"));
    ck_assert_ptr_nonnull(strstr(said.err, "\n  one-storm\n"));
    free(said.out);
    free(said.err);
    teardown();
}
END_TEST

START_TEST(graph_draws_components_and_policies) {
    setup();
    write_file("mini.yaml", template_minimal);
    check_said("graph mini.yaml", EXIT_FINE,
               "digraph \"minimal\" {\n"
               "    rankdir=LR;\n"
               "    node [shape=box, fontname=\"sans-serif\"];\n"
               "    edge [fontname=\"sans-serif\", fontsize=10];\n"
               "    \"web\" [shape=ellipse, label=\"web\\npoisson\"];\n"
               "    \"gateway\" [label=\"gateway\\n1 x pool of 64\"];\n"
               "    \"model\" [label=\"model\\n4 x pool of 2\"];\n"
               "    \"web\" -> \"gateway\" [label=\"2s, 3 tries\"];\n"
               "    \"gateway\" -> \"model\" [label=\"2s\"];\n"
               "}\n",
               "");
    Said said =
        say("graph mini.yaml --set services.gateway.calls[0].probability=50% --set "
            "clients.web.call.fallback.to=model --set clients.web.call.fallback.timeout=1s");
    ck_assert_ptr_nonnull(
        strstr(said.out, "    \"gateway\" -> \"model\" [label=\"2s, 50%\"];\n"
                         "    \"web\" -> \"model\" [label=\"fallback, 1s\", style=dashed];\n"
                         "}\n"));
    free(said.out);
    free(said.err);
    teardown();
}
END_TEST

START_TEST(kinds_shows_a_kind_with_its_parameters) {
    check_said("kinds power_of_two", EXIT_FINE,
               "route:\n"
               "  power_of_two\n"
               "      Of two distinct replicas at random the one with fewer attempts outstanding.\n"
               "\n",
               "");
    Said said = say("kinds fixed");
    ck_assert_ptr_nonnull(strstr(said.out, "\n      max_attempts         count from 1 to 60k, or "
                                           "unlimited; default 3\n"));
    free(said.out);
    free(said.err);
}
END_TEST

START_TEST(kinds_knows_every_family_kind_law_and_part) {
    for (int family = 0; family < FAMILY_COUNT; family++) {
        char line[64];
        snprintf(line, sizeof line, "kinds %s", family_key((Family)family));
        Said said = say(line);
        ck_assert_int_eq(said.status, EXIT_FINE);
        for (size_t i = 0; i < registry_kind_count(); i++) {
            const Kind *kind = registry_kind(i);
            if (kind->family == (Family)family) {
                ck_assert_ptr_nonnull(strstr(said.out, kind->doc));
            }
        }
        free(said.out);
        free(said.err);
    }
    static const char *const names[] = {"call",   "queue",        "services",   "clients",
                                        "run",    "distribution", "objectives", "load",
                                        "spikes", "lognormal",    "scenario",   "verdict"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char line[64];
        snprintf(line, sizeof line, "kinds %s", names[i]);
        Said said = say(line);
        ck_assert_msg(said.status == EXIT_FINE && strlen(said.out) > 100, "%s", names[i]);
        free(said.out);
        free(said.err);
    }
    check_said("kinds lognormel", EXIT_INPUT, "",
               "knockon: nothing is called 'lognormel': did you mean 'lognormal'?\n");
    check_said("kinds xyzzy", EXIT_INPUT, "",
               "knockon: nothing is called 'xyzzy'; knockon kinds lists what there is\n");
}
END_TEST

START_TEST(kinds_lists_presets_and_shows_one) {
    Said said = say("kinds presets"), markdown = say("kinds --markdown");
    uint32_t count = 0;
    for (size_t i = 0; i < registry_kind_count(); i++) {
        const Kind *kind = registry_kind(i);
        for (uint32_t k = 0; k < kind->preset_count; k++, count++) {
            const Preset *preset = &kind->presets[k];
            const char *const texts[] = {preset->name, preset->note, preset->source};
            for (size_t t = 0; t < 3; t++) {
                ck_assert_msg(strstr(said.out, texts[t]) != NULL, "%s", texts[t]);
                ck_assert_msg(strstr(markdown.out, texts[t]) != NULL, "%s", texts[t]);
            }
        }
    }
    ck_assert_uint_ge(count, 20);
    ck_assert_ptr_nonnull(strstr(markdown.out, "\n### `server: {inference: {preset: NAME}}`\n"));
    free(said.out);
    free(said.err);
    free(markdown.out);
    free(markdown.err);
    check_said(
        "kinds qwen2.5-3b/h100-tp1", EXIT_FINE,
        "  server: {inference: {preset: NAME}}\n"
        "    qwen2.5-3b/h100-tp1\n"
        "      kv_blocks: 117925, max_num_seqs: 1024, max_num_batched_tokens: 8192, max_model_len: "
        "32768, step: {linear: {base: 4795.7914us, per_prefill_token: 9.4487us, "
        "per_decode_sequence: 35.6336us}}\n"
        "      Decode alone 2.62x the reading of the weights, full prefill 62% of peak, 64 decodes "
        "on 1000 tokens 2.78x their traffic, KV blocks 1.07x the formula. The host takes more of a "
        "step than so small a model.\n"
        "      From inference-sim, defaults.yaml: qwen/qwen2.5-3b-instruct on H100 TP1, vLLM "
        "0.11.0 (Apache-2.0).\n\n",
        "");
    check_said("kinds qwen2.5-3b/h100-tp9", EXIT_INPUT, "",
               "knockon: nothing is called 'qwen2.5-3b/h100-tp9': did you mean "
               "'qwen2.5-3b/h100-tp1'?\n");
    said = say("kinds inference");
    ck_assert_ptr_nonnull(
        strstr(said.out, "\n      preset               name of a preset; optional\n"));
    free(said.out);
    free(said.err);
}
END_TEST

START_TEST(the_markdown_chapter_holds_every_parameter) {
    Said said = say("kinds --markdown");
    for (size_t i = 0; i < registry_kind_count(); i++) {
        const Kind *kind = registry_kind(i);
        for (uint32_t k = 0; k < kind->param_count; k++) {
            ck_assert_msg(strstr(said.out, kind->params[k].doc) != NULL, "%s.%s", kind->name,
                          kind->params[k].name);
        }
    }
    for (size_t i = 0; i < language_part_count(); i++) {
        ck_assert_msg(strstr(said.out, language_part(i)->doc) != NULL, "%s",
                      language_part(i)->name);
    }
    free(said.out);
    free(said.err);
}
END_TEST

/* Every {"$ref": "#/$defs/NAME"} below a value must name a definition. */
static size_t check_references(const json_t *value, const json_t *definitions) {
    size_t count = 0, index;
    const char *key;
    json_t *child;
    if (json_is_object(value)) {
        json_object_foreach((json_t *)(uintptr_t)value, key, child) {
            if (strcmp(key, "$ref") == 0) {
                const char *name = json_string_value(child);
                ck_assert_int_eq(strncmp(name, "#/$defs/", 8), 0);
                ck_assert_msg(json_object_get(definitions, name + 8) != NULL, "%s", name);
                count++;
            } else {
                count += check_references(child, definitions);
            }
        }
    }
    json_array_foreach(value, index, child) {
        count += check_references(child, definitions);
    }
    return count;
}

START_TEST(the_json_schema_is_whole_and_names_every_kind) {
    Said said = say("kinds --schema");
    json_error_t error;
    json_t *schema = json_loads(said.out, JSON_REJECT_DUPLICATES, &error);
    ck_assert_msg(schema != NULL, "%s", error.text);
    const json_t *definitions = json_object_get(schema, "$defs");
    ck_assert_uint_gt(check_references(schema, definitions), 100);
    for (size_t i = 0; i < registry_kind_count(); i++) {
        const Kind *kind = registry_kind(i);
        char quoted[64];
        snprintf(quoted, sizeof quoted, "\"%s\"", kind->name);
        ck_assert_msg(strstr(said.out, quoted) != NULL, "%s", quoted);
        for (uint32_t k = 0; k < kind->preset_count; k++) {
            ck_assert_ptr_nonnull(strstr(said.out, kind->presets[k].name));
        }
    }
    json_decref(schema);
    free(said.out);
    free(said.err);
}
END_TEST

TEST_SUITE("experiments/commands", check_says_what_a_run_would_do,
           check_refuses_with_2_and_shows_the_place, check_resolved_prints_every_value,
           init_prints_a_scenario_that_check_accepts, init_finds_the_templates_beside_it,
           graph_draws_components_and_policies, kinds_shows_a_kind_with_its_parameters,
           kinds_knows_every_family_kind_law_and_part, kinds_lists_presets_and_shows_one,
           the_markdown_chapter_holds_every_parameter,
           the_json_schema_is_whole_and_names_every_kind)
