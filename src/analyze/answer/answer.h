/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A diagnosis in a few lines, for people: the worst cause first, one line per process, then the
 * evidence, what is fine, and in one paragraph what could not be checked, with one remedy.
 */
#pragma once

#include "analyze/answer/causes.h"
#include "explain/output.h"

/* Emits the answer: its first line always, the other lines only in short text. */
int answer_emit(struct output *output, const struct diagnosis *s, const struct causes *causes,
	struct sooth_error *err);
/* Appends the first line about all processes, without escapes. `shown`: the causes of the shown
 * processes. */
void answer_headline(const struct diagnosis *s, const struct causes *shown, struct buffer *out);
/* Appends the first line as far as it is known: a finding, a wait or an activity. */
void answer_so_far(
	const struct diagnosis *s, const struct output *output, struct findings_so_far *out);
