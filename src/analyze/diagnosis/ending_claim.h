/* SPDX-License-Identifier: BSD-2-Clause */
/* Why a process ended, as a sentence without its subject. */
#pragma once

#include "analyze/diagnosis/endings.h"
#include "probes/signal_names.h"

struct ending_cause {
	const struct ending *of;
	const struct exit_reasons_log *log;
	const struct exit_reasons_signal *fatal; /* NULL: no signal, or not seen */
	const struct exit_reasons_core *core;
	uint32_t status;
	unsigned signal; /* the signal that ended the process; 0: it exited */
	bool is_oom;
};

/* Finds why a process ended, in its records and in log entries since `from_ns`. Returns the state
 * of its status; the cause is only known with a value. */
uint8_t ending_find_cause(const struct endings *all, const struct ending *of, uint64_t from_ns,
	struct ending_cause *cause);
/* Appends the sentence: "killed by SIGKILL from bash (pid 9)". */
void ending_claim(struct buffer *out, const struct ending_cause *w);

/* Returns whether the signal requests an end: SIGTERM, SIGINT, SIGHUP, SIGQUIT. */
bool ending_is_request(unsigned signal);
/* Returns whether another process sent the signal, whatever signal it was. */
bool ending_is_sent(const struct ending_cause *w);
bool ending_is_crash(const struct ending_cause *w);
/* Returns whether the kernel sent SIGKILL, perhaps at the hard limit of CPU time. */
bool ending_is_at_hard_limit(const struct ending_cause *w);
/* Returns the entry of the kernel's log about the exit; NULL: there is none of this kind. */
const struct exit_reasons_log *ending_log_about(const struct ending_cause *w, unsigned what);
