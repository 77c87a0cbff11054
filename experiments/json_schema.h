/* A JSON Schema (draft 2020-12) of the language, for editors: made of the tables that read it.
 *
 * It is as strict as a schema can be: keys, words, forms of quantities, one kind a choice. What
 * needs numbers or names (bounds of quantities with units, references) only `knockon check` knows.
 */
#ifndef KNOCKON_EXPERIMENTS_JSON_SCHEMA_H
#define KNOCKON_EXPERIMENTS_JSON_SCHEMA_H

#include <stdio.h>

void json_schema_print(FILE *out);

#endif
