/* Presets of a call policy: what a client library or a proxy does unless it is told otherwise, as
 * `call: {preset: openai-sdk}`. Each part can be overridden. What a product leaves to its user (a
 * timeout, a budget) its preset leaves out, and the note says so.
 */
#ifndef KNOCKON_MODELS_CLIENTS_CALL_PRESETS_H
#define KNOCKON_MODELS_CLIENTS_CALL_PRESETS_H

#include "models/preset.h"

enum { CALL_PRESET_COUNT = 14 };

extern const Preset call_presets[CALL_PRESET_COUNT];

#endif
