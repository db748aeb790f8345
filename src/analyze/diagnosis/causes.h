/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The causes of a diagnosis, which its answer consists of: what is wrong with a process, or what it
 * waits for, once for all processes that the same thing holds up.
 */
#ifndef SOOTH_ANALYZE_CAUSES_H
#define SOOTH_ANALYZE_CAUSES_H

#include "analyze/diagnosis/diagnosis.h"
#include "explain/output.h"

struct cause {
	const struct diagnosed *of;
	const struct finding_row *finding; /* the worst of its findings; NULL: a wait */
	const struct diagnosed **victims;  /* have the same cause, in the order of their severity */
	size_t victim_count;
	bool is_root;	   /* they wait for it; false: for what it waits for too */
	uint32_t root_pid; /* the process at the end of its own wait; 0: none */
};

struct cause_process {
	bool is_hidden; /* the filter of the output leaves it out */
	bool is_stuck;	/* it waits, and is not idle */
	bool waits;	/* it has no finding, it waits, and no line of another one says so */
	bool holds_up;	/* the chain of another one that is stuck goes through it */
};

struct causes {
	struct cause *all; /* findings, the worst first; then waits, first those for the user */
	size_t count;
	size_t sick; /* of them, findings */
	/* Waits that are no cause of their own because there are too many. */
	unsigned more_waiting;
	const struct diagnosed **victims;
	struct cause_process *processes; /* of each that was diagnosed, in its order */
	bool has_hidden;		 /* the filter of the output leaves one out */
};

/* Finds the causes. `output` selects the processes; NULL: all. -ENOMEM: none is there, and
 * causes_fini() need not be called. */
int causes_find(struct causes *c, const struct diagnosis *s, const struct output *output);
void causes_fini(struct causes *c);
/* Appends the line of a cause: "claude 4711 (app): leaks descriptors: 41 more; now: computes". */
void cause_put(const struct cause *c, const struct diagnosis *s, struct buffer *out);
/* Appends a line about the victims, the wait of a single one; nothing without any: "  20 processes
 * wait for it, directly or through others: ls 5, ls 6, ls 7 and 17 more". */
void cause_put_victims(const struct cause *c, const struct diagnosis *s, struct buffer *out);
/* Appends what a victim that does not wait has of it: "  consequence: node 9: python3 (7) does not
 * read ..."; else nothing. */
void cause_put_effect(
	const struct cause *c, const struct diagnosis *s, size_t i, struct buffer *out);
/* Emits them as rows, for programs. */
int causes_emit(struct output *output, const struct diagnosis *s, const struct causes *c,
	struct sooth_error *err);

#endif
