/* SPDX-License-Identifier: BSD-2-Clause */
/* A chain of waits in sentences. */
#pragma once

#include "analyze/waits/wait_sentences.h"

/* Appends the text of one link, without its subject: "waits for its child sleep (12), 3 min". */
void wait_link_text(struct buffer *out, const struct wait_graph *g, const struct wait_link *link);
/* "stopped by a signal", "stopped by its terminal" or "frozen"; NULL: the process is not stopped.
 */
const char *stopped_process_text(const struct wait_link *link);
/* Appends the whole paragraph about a chain. */
void wait_chain_text(
	struct buffer *out, const struct wait_graph *g, const struct wait_chain *chain);
/* Appends the text after the first link: "; 12 sleeps: 16 min left". */
void wait_chain_rest(
	struct buffer *out, const struct wait_graph *g, const struct wait_chain *chain);
/* Appends the sentence of a chain from link `from` on. */
void wait_chain_after(struct buffer *out, const struct wait_graph *g,
	const struct wait_chain *chain, size_t from);
/* Appends "66 bytes of output to a buffer of its own". */
void wait_put_unflushed(struct buffer *out, const struct wait_link *keeper);
/* Returns the way out of a deadlock: "only ending the process helps". */
const char *wait_chain_way_out(const struct wait_chain *chain);
/* Appends the remedy; nothing if none is needed, or known. */
void wait_chain_remedy(struct buffer *out, const struct wait_chain *chain);
/* Returns the state of a chain: "waits", "runs", "idle", "stopped", "ended", "deadlock", "unknown".
 */
const char *wait_chain_state(const struct wait_chain *chain);
/* Returns why a wait of the chain is unknown; NULL: all are known. */
const char *wait_chain_unknown(const struct wait_chain *chain);
