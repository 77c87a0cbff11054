/* What the compile_*.c files share. */
#ifndef KNOCKON_EXPERIMENTS_COMPILE_PARTS_H
#define KNOCKON_EXPERIMENTS_COMPILE_PARTS_H

#include "experiments/compile.h"
#include "experiments/language.h"
#include "experiments/quantity.h"
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
    VEC(Fault) faults, actions;
    VEC(const DocNode *) action_names; /* of each action: where it is named; NULL */
    VEC(Response) responses;
    VEC(const DocNode *) response_places; /* of each: where it is written */
    const DocPair **monitors;             /* the name and value of each */
    const DocPair **components;           /* the name and value of each client and service */
    bool is_sound;                        /* no error in clients, services and their calls */
} Compiler;

#define KEYS(...)                                                                                  \
    ((SchemaKeys){(const char *const[]){__VA_ARGS__},                                              \
                  sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *)})

/* Names may stand in file names and are never quoted: [A-Za-z0-9][A-Za-z0-9._-]{0,63}. */
bool compile_is_name(const char *text);

/* Collects the names of all clients and services, so that references can be resolved. */
void compile_names(Compiler *compiler);

/* A map of own keys, of which one is the name of a kind. */
typedef struct CompileKind {
    Family family;
    const Schema *own;
    const char *name;    /* "a fault" */
    const char *missing; /* what is said when there is no kind */
} CompileKind;

/* The pair that names the kind; NULL after a message. Keys in `others` are somebody else's. */
const DocPair *compile_find_kind(Compiler *compiler, const CompileKind *slot, SchemaKeys others,
                                 const DocNode *map);

/* Reads the kind as if it stood alone: {crash: {…}}. */
void compile_read_kind(Compiler *compiler, Family family, const DocPair *pair, Component *out);

/* The row of a kind's parameter of that name and type, or NULL. */
const Param *compile_find_param(const Kind *kind, const char *name, ParamType type);

/* "slow vector-db": a fault's kind and place. */
char *compile_fault_label(Compiler *compiler, const Fault *fault);

/* The measure that a word names, an objective's short key or a column; METRIC_COUNT after a
 * message, also when the component never has a value of it. `owner` is "an objective". */
uint32_t compile_metric(Compiler *compiler, const char *owner, uint32_t component,
                        const DocNode *word);
Dimension compile_metric_dimension(uint32_t metric);

void compile_run(Compiler *compiler);
void compile_clients(Compiler *compiler);
void compile_services(Compiler *compiler);
void compile_faults(Compiler *compiler);
void compile_fault(Compiler *compiler, const DocNode *map);
/* The faults that stand in a CSV file, so much later; `at` is where the scenario names it. */
void compile_replay(Compiler *compiler, const char *path, SimTime offset, const DocNode *at);
/* Monitors and actions; after the faults. */
void compile_monitors(Compiler *compiler);
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
void compile_lint_monitors(Compiler *compiler);

#endif
