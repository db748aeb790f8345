/* SPDX-License-Identifier: BSD-2-Clause */
/* The wait of a diagnosed process: the sentence of `sooth why`. */
#pragma once

#include "analyze/diagnosis/diagnosis.h"
#include "analyze/diagnosis/finding_rows.h"
#include "analyze/waits/wait_chain.h"

/* Appends the sentence. Returns SOOTH_STATE_VALUE, or the reason why there is none. */
uint8_t answer_waits(const struct diagnosis *s, const struct diagnosed *j, struct buffer *out);
/* The wait of a diagnosed process, as far as it is known, as data. */
struct answer_wait {
	struct wait_root root;
	uint32_t through[WAIT_LINKS_MAX]; /* the processes of the chain behind its own, by pid */
	unsigned through_count;
	uint64_t since_ns; /* time since the thread last ran; 0: unknown, or it waits for work */
	enum waits_confidence confidence;
	enum answer_root kind; /* kind of the end of the chain */
};
/* Returns SOOTH_STATE_VALUE, or the reason why nothing is known; then all of `out` is 0. */
uint8_t answer_wait_find(
	const struct diagnosis *s, const struct diagnosed *j, struct answer_wait *out);
/* Returns how many processes the probe "waits" left out. */
unsigned answer_waits_left_out(const struct diagnosis *s);
/* Appends the sentence of answer_waits() only for a process that waits and is not idle. The main
 * process of an agent has none: its activity says more. */
bool answer_stuck(const struct diagnosis *s, const struct diagnosed *j, struct buffer *out);
/* Appends what an idle process without a finding waits for: "; it waits for ...". */
void answer_rest(const struct diagnosis *s, const struct diagnosed *j, struct buffer *out);
/* Returns whether the process rests as a worker or tool server does: it waits on a socket for a
 * request of an ancestor that is diagnosed too, or for a known time. */
bool answer_rests_below(const struct diagnosis *s, const struct diagnosed *j);
/* Returns whether the process is stopped, or in a deadlock. */
bool answer_halted(const struct diagnosis *s, const struct diagnosed *j);

/* Returns whether the process has waited some time for another one, directly or through others. */
bool answer_waits_for(const struct diagnosis *s, const struct diagnosed *j, uint32_t pid);
/* Appends the remedy of a wait, as `sooth why` has it, or of a script that waits for the end of a
 * process. */
void answer_way_out(const struct diagnosis *s, const struct diagnosed *j, struct buffer *out);
