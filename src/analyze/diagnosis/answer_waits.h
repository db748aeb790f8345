/* SPDX-License-Identifier: BSD-2-Clause */
/* The wait of a diagnosed process: the sentence of `sooth why`. */
#ifndef SOOTH_ANALYZE_ANSWER_WAITS_H
#define SOOTH_ANALYZE_ANSWER_WAITS_H

#include "analyze/diagnosis/diagnosis.h"

/* Appends the sentence; returns the state of the value: why there is none. */
uint8_t answer_waits(const struct diagnosis *s, const struct diagnosed *j, struct buffer *out);
/* Returns how many processes the probe left out. */
unsigned answer_waits_left_out(const struct diagnosis *s);
/* Appends it only for a process that waits and is not idle; not for the main process of an agent:
 * its activity says more. */
bool answer_stuck(const struct diagnosis *s, const struct diagnosed *j, struct buffer *out);
/* Appends what a process without a finding waits for, where it rests: "; it waits for ...". */
void answer_rest(const struct diagnosis *s, const struct diagnosed *j, struct buffer *out);
/* Returns whether the process is stopped, or in a deadlock. */
bool answer_halted(const struct diagnosis *s, const struct diagnosed *j);

/* Appends the remedy of a wait inside a JVM (jstack), or of a script that waits for the end of a
 * process. */
void answer_way_out(const struct diagnosis *s, const struct diagnosed *j, struct buffer *out);

#endif
