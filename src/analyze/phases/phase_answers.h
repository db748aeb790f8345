/* SPDX-License-Identifier: BSD-2-Clause */
/* Answers of diagnoses over time, from the records of a history: spans joined to whole answers. */
#pragma once

#include "base/buffer.h"
#include "base/map.h"
#include "explain/output.h"
#include "model/answer_records.h"

struct phase_found {
	uint64_t begin_utc_ns, end_utc_ns;
	size_t at; /* place of its last record */
	bool is_cleared;
};

struct phase_answers {
	struct buffer all;     /* struct phase_found */
	struct buffer records; /* struct answer_span, as they came */
	struct map begun;      /* uint64_t, hash of key and boot -> size_t, its last one in `all` */
	uint64_t refused;      /* spans for which there was no room; the later ones, too */
};

void phase_answers_init(struct phase_answers *a);
void phase_answers_fini(struct phase_answers *a);
/* `boot` distinguishes processes of two boots with one number. */
void phase_answers_add(struct phase_answers *a, const struct answer_span *span, uint64_t boot);
int phase_answers_emit(
	const struct phase_answers *a, struct output *output, struct sooth_error *err);

extern const struct sooth_schema phase_found_schema;
