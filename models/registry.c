#include "models/registry.h"

#include <string.h>

#include "sim/check.h"

#define KIND(id) extern const Kind id;
#include "models/registry.def"
#undef KIND

static const Kind *const registry[] = {
#define KIND(id) &id,
#include "models/registry.def"
#undef KIND
};

static const char *const family_keys[FAMILY_COUNT] = {
#define FAMILY(id, key, doc) key,
#include "models/families.def"
#undef FAMILY
};

static const char *const family_docs[FAMILY_COUNT] = {
#define FAMILY(id, key, doc) doc,
#include "models/families.def"
#undef FAMILY
};

size_t registry_kind_count(void) {
    return sizeof registry / sizeof registry[0];
}

const Kind *registry_kind(size_t index) {
    CHECK(index < registry_kind_count());
    return registry[index];
}

const Kind *registry_find(Family family, const char *name) {
    CHECK(family < FAMILY_COUNT);
    for (size_t i = 0; i < registry_kind_count(); i++) {
        if (registry[i]->family == family && strcmp(registry[i]->name, name) == 0) {
            return registry[i];
        }
    }
    return NULL;
}

const char *family_key(Family family) {
    CHECK(family < FAMILY_COUNT);
    return family_keys[family];
}

const char *family_doc(Family family) {
    CHECK(family < FAMILY_COUNT);
    return family_docs[family];
}
