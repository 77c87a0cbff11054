/* What the compile_*.c files share. */
#ifndef KNOCKON_EXPERIMENTS_COMPILE_PARTS_H
#define KNOCKON_EXPERIMENTS_COMPILE_PARTS_H

#include "experiments/compile.h"
#include "experiments/language.h"
#include "experiments/schema_read.h"

typedef struct Compiler {
    SchemaReader reader;
    Model *model;
    const DocNode *root;
    NetworkDef network;
    VEC(Edge) edges;
    VEC(const DocNode *) edge_places; /* of each edge: where its target is named */
    VEC(Edge) fallbacks; /* behind `edges` once all are known: Edge.fallback counts here */
    VEC(const DocNode *) fallback_places;
    VEC(Fault) faults;
    const DocPair **components; /* the name and value of each client and service */
    bool is_sound;              /* no error in clients, services and their calls */
} Compiler;

#define KEYS(...)                                                                                  \
    ((SchemaKeys){(const char *const[]){__VA_ARGS__},                                              \
                  sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *)})

/* Names may stand in file names and are never quoted: [A-Za-z0-9][A-Za-z0-9._-]{0,63}. */
bool compile_is_name(const char *text);

/* Collects the names of all clients and services, so that references can be resolved. */
void compile_names(Compiler *compiler);

void compile_run(Compiler *compiler);
void compile_clients(Compiler *compiler);
void compile_services(Compiler *compiler);
void compile_faults(Compiler *compiler);
void compile_fault(Compiler *compiler, const DocNode *map);
/* The faults that stand in a CSV file, so much later; `at` is where the scenario names it. */
void compile_replay(Compiler *compiler, const char *path, SimTime offset, const DocNode *at);
void compile_objectives(Compiler *compiler);

/* Reads a call policy into a new edge; `to` is NULL when the call names its target itself. Returns
 * the index of the edge. */
uint32_t compile_call(Compiler *compiler, const DocNode *call, const DocNode *at, uint32_t caller,
                      const DocNode *to);

/* Edges by the service that calls: those of service s are edges[first[s]] to edges[first[s + 1] -
 * 1], fallbacks last. They live as long as the model. */
typedef struct EdgesByCaller {
    uint32_t *first, *edges;
} EdgesByCaller;
EdgesByCaller compile_edges_by_caller(Model *model);

/* Cycles and depth of the dependency graph; needs edges without errors. False after a message. */
bool compile_check_graph(Compiler *compiler);

/* Warnings; needs a finished model. */
void compile_lint(Compiler *compiler);

#endif
