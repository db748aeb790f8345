/* SPDX-License-Identifier: BSD-2-Clause */
/* The rows of the view "phases". */
#pragma once

#include "analyze/phases/phase_sums.h"
#include "explain/output.h"

/* Emits the whole history; if it has no phase, only a note of that. */
int phase_emit(struct output *o, const struct phase_history *h, struct sooth_error *err);

extern const struct sooth_schema *const phase_tables[]; /* NULL at the end */
