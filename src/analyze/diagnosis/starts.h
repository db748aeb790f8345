/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The processes that a process and its descendants started during the interval: those that a sample
 * has, and, where the probe short_lived ran, those that began and ended between two samples.
 */
#ifndef SOOTH_ANALYZE_STARTS_H
#define SOOTH_ANALYZE_STARTS_H

#include "analyze/diagnosis/check.h"

#define STARTS_PROGRAMS 4 /* the most frequent ones */

struct starts_program {
	char name[SHORT_LIVED_NAME_SIZE];
	uint64_t count;
	uint64_t early; /* of these, in the first half of the interval */
};

struct starts {
	uint64_t interval_ns; /* 0: short-lived processes were not recorded */
	uint64_t count;
	uint64_t copies;		/* of these: forked, and never became another program */
	uint64_t pauses;		/* that are not in count: the loop starts sleep(1) */
	uint64_t cpu_ns, ended, failed; /* of those that ended */
	uint64_t direct;		/* of these: children of a process that lives */
	uint32_t status;		/* of the failed ones, as wait(2) has it */
	bool has_statuses;		/* they have different ones */
	struct starts_program programs[STARTS_PROGRAMS]; /* without copies, most first */
	size_t program_count;				 /* of all kinds */
	/* Started programs whose arguments are known, from an exec or a sample; of these, with
	 * arguments that another one had too; and how many different ones. */
	unsigned known, repeated, different;
	const struct process_entry *starter; /* that started nine tenths of them; NULL: several */
};

/* Returns the process if it is alive, else its closest living ancestor; NULL: none is known. */
const struct process_entry *starts_living(const struct process_entry *p);
/* Returns whether `p` is a living process that `top`, its descendants or its session started. */
bool starts_is_below(const struct process_entry *top, const struct process_entry *p);
void starts_of(struct starts *s, const struct check *e);
/* Per second; 0: not recorded. */
double starts_rate(const struct starts *s);
/* Percent of one CPU. */
double starts_cpu(const struct starts *s);
/* Returns whether the starter is a program that works through a list: make, xargs, a compiler
 * driver. */
bool starts_are_of_a_list(const struct process_entry *starter);
bool starts_are_of_a_shell(const struct process_entry *starter);
/* Returns whether the same few programs were started with the same arguments, evenly over the
 * interval. For a shell more than a quarter of the starts must have the same arguments. */
bool starts_repeat(const struct starts *s, const struct process_entry *starter);

#endif
