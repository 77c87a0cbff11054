/* knockon: finds the command and hands over. */
#include <errno.h>
#include <jansson.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "experiments/commands.h"
#include "experiments/exit_status.h"
#include "experiments/nearest.h"
#include "experiments/version.h"
#include "sim/vec.h"

static void print_usage(FILE *out) {
    fputs("usage: knockon COMMAND [options] …\n\nSimulates outages of AI services.\n\ncommands:\n",
          out);
    for (size_t i = 0; i < command_count(); i++) {
        fprintf(out, "  %-6s %-14s  %s\n", commands[i].name, commands[i].operands, commands[i].doc);
    }
    fputs("\nknockon COMMAND --help says more. A scenario to start from: knockon init\n", out);
}

static int unknown_command(const char *word) {
    Nearest nearest = nearest_begin(word, strlen(word));
    for (size_t i = 0; i < command_count(); i++) {
        nearest_offer(&nearest, commands[i].name);
    }
    if (nearest.best != NULL) {
        fprintf(stderr, "knockon: there is no command '%s': did you mean '%s'?\n", word,
                nearest.best);
    } else {
        fprintf(stderr, "knockon: there is no command '%s'; see knockon --help\n", word);
    }
    return EXIT_INPUT;
}

static int run_command(const Command *command, int argc, char **argv) {
    Options options;
    Error error;
    if (!options_parse(command, argc, argv, &options, &error)) {
        fprintf(stderr, "knockon: %s\n", error.text);
        return EXIT_INPUT;
    }
    int status = EXIT_FINE;
    if (options.wants_help) {
        options_print_help(command, stdout);
    } else {
        status = command->run(&options);
    }
    options_free(&options);
    return status;
}

static int dispatch(int argc, char **argv) {
    if (argc < 2) {
        print_usage(stderr);
        return EXIT_INPUT;
    }
    const char *word = argv[1];
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0) {
        print_usage(stdout);
        return EXIT_FINE;
    }
    if (strcmp(word, "--version") == 0) {
        puts("knockon " KNOCKON_VERSION);
        return EXIT_FINE;
    }
    const Command *command = command_find(word);
    return command == NULL ? unknown_command(word) : run_command(command, argc - 1, argv + 1);
}

int main(int argc, char **argv) {
    /* A reader that goes away or a full disk is an error of writing, to be reported as such. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    /* Numbers are written with a point whatever a library loaded before us has chosen. */
    setlocale(LC_ALL, "C");
    /* Out of memory inside the JSON reader ends as everywhere: exit status 5. */
    json_set_alloc_funcs(mem_alloc, mem_free);
    int status = dispatch(argc, argv);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "knockon: cannot write to the standard output: %s\n", strerror(errno));
        return status == EXIT_FINE ? EXIT_OUTPUT : status;
    }
    return status;
}
