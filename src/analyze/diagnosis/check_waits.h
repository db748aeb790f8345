/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions shared by the detectors of long waits. */
#pragma once

#include "analyze/diagnosis/check.h"
#include "analyze/waits/wait_chain.h"
#include "probes/fds.h"

/* Returns a process of the graph, or a party of a wait, in the table of processes; NULL: it is not
 * there. */
const struct process_entry *check_entry_of(const struct check *e, const struct waits_process *p);
const struct process_entry *check_party_of(const struct check *e, const struct waits_party *p);

/* Returns a descriptor at the last sample; NULL: not sampled, or closed. */
const struct fds_descriptor *check_descriptor(const struct check *e, uint32_t fd);
/* Returns the descriptor in one snapshot; NULL: no snapshot. */
const struct fds_descriptor *check_descriptor_in(const struct snapshot *s, uint32_t fd);
/* Returns whether the descriptor is a pseudo terminal that was closed; NULL: false. */
bool check_is_closed_terminal(const struct fds_descriptor *d);
/* Returns whether the thread stayed in one wait for `min-time` and `min-readings`, both options of
 * the detector, without a context switch. */
bool check_is_one_wait(const struct check *e, const struct thread_history *t);

/* Returns the history of a thread of the process; NULL: it was not sampled. */
const struct thread_history *check_thread(const struct check *e, uint32_t tid);

/* Returns the signals of the process in a snapshot of the probe waits; NULL: not read. */
const struct waits_signals *check_signals(const struct check *e, const struct snapshot *s);

/* Makes the graph of the process's waits at the first and last sample. Returns false if the capture
 * has no waits of the process. */
bool check_graph(const struct check *e, struct wait_graph *g);
/* The same for a detector that needs both samples. Returns false if it has reported that they are
 * missing. */
bool check_graph_begin(const struct check *e, struct check_result *out, struct wait_graph *g);
bool check_chain_begin(const struct check *e, struct check_result *out, struct wait_graph *g,
	struct wait_chain *chain);
/* Follows the chain of waits that `sooth why` prints, from thread `tid`; 0: from the thread that
 * matters. Returns false, and an empty chain, if the capture has no waits of the process. */
bool check_chain(
	const struct check *e, uint32_t tid, struct wait_graph *g, struct wait_chain *chain);
/* Returns whether the caller may not read what the chain waits for, unless it ends at a process
 * that runs. */
bool check_is_hidden(const struct wait_chain *chain);
/* Returns whether the process sent a request and has no answer. */
bool check_awaits_answer(const struct wait_link *link);
static inline enum finding_confidence check_confidence(enum waits_confidence c)
{
	return c == WAITS_HIGH	   ? FINDING_CONFIDENCE_HIGH
	       : c == WAITS_MEDIUM ? FINDING_CONFIDENCE_MEDIUM
				   : FINDING_CONFIDENCE_LOW;
}
/* Adds the chain as a sentence to the evidence, and the process that could end the wait. */
void check_chain_evidence(
	struct check_result *out, const struct wait_graph *g, const struct wait_chain *chain);

/* Returns the time in which no thread of the process ran, apart from threads that serve its
 * runtime. */
uint64_t check_rested_ns(const struct wait_graph *g, uint32_t pid);
/* Returns whether a wait is longer than the option, in a process that is not stopped. If not, that
 * has been reported: "`what`, but not for long yet". */
bool check_is_long(const struct check *e, struct check_result *out, const char *option, uint64_t ns,
	const char *what);
