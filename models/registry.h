/* The list of all kinds, in the order of models/registry.def. */
#ifndef KNOCKON_MODELS_REGISTRY_H
#define KNOCKON_MODELS_REGISTRY_H

#include "models/kind.h"

size_t registry_kind_count(void);
const Kind *registry_kind(size_t index);

/* NULL when the family has no kind of that name. */
const Kind *registry_find(Family family, const char *name);

/* The key under which a scenario names the family, and what the family decides. */
const char *family_key(Family family);
const char *family_doc(Family family);

#endif
