/* SPDX-License-Identifier: BSD-2-Clause */
/* Durations and sizes as a sentence writes them: a blank before the unit, no more digits than a
 * reader needs. Tables use base/units.h. */
#pragma once

#include "base/units.h"

/* Writes a duration for a sentence: "250 ms", "4.2 s", "42 s", "3 min 20 s", "2 h 5 min", "3 days 4
 * h". */
const char *sentence_duration(char out[UNITS_SIZE], uint64_t ns);
/* Writes a size for a sentence: "512 bytes", "1.5 MiB". */
const char *sentence_size(char out[UNITS_SIZE], uint64_t bytes);
/* The same in a buffer that lasts as long as the block. */
#define SENTENCE_DURATION(ns) sentence_duration((char[UNITS_SIZE]){ 0 }, ns)
#define SENTENCE_SIZE(bytes)  sentence_size((char[UNITS_SIZE]){ 0 }, bytes)
