/* SPDX-License-Identifier: BSD-2-Clause */
/* The wait of an idle process: if no check finds a problem, that wait may be the answer. */
#ifndef SOOTH_ANALYZE_ANSWER_REST_H
#define SOOTH_ANALYZE_ANSWER_REST_H

#include "analyze/diagnosis/diagnosis.h"
#include "analyze/waits/wait_chain.h"

/* Appends "; it waits for connections on 127.0.0.1:80, idle 9 s", or the place where its main
 * thread waits on a condition; nothing for a busy process. */
void answer_put_rest(const struct diagnosis *s, const struct diagnosed *j,
	const struct wait_graph *g, const struct wait_chain *chain, struct buffer *out);
/* Appends that a process and its child have waited for some time to read from each other, and
 * neither writes. Returns false if that is not so. */
bool answer_put_exchange(const struct wait_chain *chain, struct buffer *out);

#endif
