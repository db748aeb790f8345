/* SPDX-License-Identifier: BSD-2-Clause */
/* The causes that the answer of a diagnosis consists of: the problem or the wait of a process, once
 * for all processes that it holds up. */
#pragma once

#include "analyze/diagnosis/diagnosis.h"
#include "explain/output.h"

struct cause {
	const struct diagnosed *of;
	const struct finding_row *finding; /* the worst of its findings; NULL: a wait */
	const struct diagnosed **victims;  /* processes with the same cause, by severity */
	size_t victim_count;
	bool is_root;	   /* victims wait for the process; false: for the same thing */
	size_t alike;	   /* the last ones of `victims` do not wait: they have the same finding */
	uint32_t root_pid; /* the process at the end of its wait; 0: none */
};

struct cause_process {
	bool is_hidden; /* the filter of the output leaves the process out */
	bool is_stuck;	/* the process waits, and is not idle */
	bool waits;    /* the process waits without a finding, and has no line of another process */
	bool holds_up; /* the chain of another stuck process includes it */
};

struct causes {
	struct cause *all; /* findings, worst first; then waits, those for the user first */
	size_t count;
	size_t sick; /* number of causes that are findings */
	/* Waits that are no cause of their own because there are too many. */
	unsigned more_waiting;
	const struct diagnosed **victims;
	struct cause_process *processes; /* one entry per diagnosed process, in their order */
	bool has_hidden;		 /* the filter of the output leaves out a process */
};

/* Finds the causes. `output` selects the processes; NULL: all. -ENOMEM: there are no causes, and
 * causes_fini() need not be called. */
int causes_find(struct causes *c, const struct diagnosis *s, const struct output *output);
void causes_fini(struct causes *c);
/* Returns how long the wait has lasted that the cause is; 0: it is no wait, or unknown. */
uint64_t cause_age_ns(const struct cause *c, const struct diagnosis *s);
/* Appends the line of a cause: "claude 4711 (app): leaks descriptors: 41 more; now: computes". */
void cause_put(const struct cause *c, const struct diagnosis *s, struct buffer *out);
/* Appends a line about the victims of a cause: "  20 processes wait for it, directly or through
 * others: ls 5, ls 6, ls 7 and 17 more"; for a single victim, its wait; nothing without victims
 * that wait. */
void cause_put_victims(const struct cause *c, const struct diagnosis *s, struct buffer *out);
/* Appends a line about the processes with the same finding: "  5 more with the same problem: java
 * 7, java 8, ...". Nothing without any. */
void cause_put_alike(const struct cause *c, const struct diagnosis *s, struct buffer *out);
/* Appends the consequence for a victim that does not wait: "  consequence: node 9: python3 (7) does
 * not read ..."; else nothing. */
void cause_put_effect(
	const struct cause *c, const struct diagnosis *s, size_t i, struct buffer *out);
/* Emits the causes as rows, for programs. */
int causes_emit(struct output *output, const struct diagnosis *s, const struct causes *c,
	struct sooth_error *err);
