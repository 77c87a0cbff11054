/* Named sets of values for a kind, such as a model on a GPU: `inference: {preset: NAME}`.
 *
 * A preset is text in the language itself, a map of the kind's own keys, so that it is read,
 * checked and shown as if the user had written it. What the user does write comes on top. Each says
 * where its numbers are from and what is known of their quality: a preset that ships is one whose
 * numbers were looked at.
 */
#ifndef KNOCKON_MODELS_PRESET_H
#define KNOCKON_MODELS_PRESET_H

typedef struct Preset {
    const char *name;    /* "qwen3-14b/h100-tp1" */
    const char *yaml;    /* "kv_blocks: 17600\nstep: {linear: {…}}\n": a key a line */
    const char *source;  /* who measured or published the numbers */
    const char *licence; /* of the source, by its SPDX identifier */
    const char *note;    /* a sentence: how the numbers compare with what they should be */
} Preset;

#endif
