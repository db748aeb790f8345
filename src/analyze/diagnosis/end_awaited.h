/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A script that waits for the end of a process that is not its child: it checks again and again
 * whether the process still exists (kill -0), and sleeps in between.
 */
#ifndef SOOTH_ANALYZE_END_AWAITED_H
#define SOOTH_ANALYZE_END_AWAITED_H

#include "analyze/diagnosis/diagnosis.h"
#include "analyze/waits/wait_chain.h"

/* Appends "deploy.sh (4711) waits for the end of python3 (4712): it asks 2.0 times a second, and that one
 * runs on"; false: it does not. */
bool end_awaited_put(const struct diagnosis *s, const struct diagnosed *j,
	const struct wait_chain *chain, struct buffer *out);

/* Appends the remedy; nothing if the process does not wait in this way. */
void end_awaited_remedy(const struct diagnosis *s, const struct diagnosed *j,
	const struct wait_chain *chain, struct buffer *out);

#endif
