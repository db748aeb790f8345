/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The processes that a process and its descendants started during the interval: those in a sample,
 * and, if the probe short_lived ran, those that started and ended between two samples.
 */
#pragma once

#include "analyze/diagnosis/check.h"
#include "analyze/diagnosis/last_words.h"

#define STARTS_PROGRAMS 4 /* number of programs that are kept, most frequent first */

struct starts_program {
	char name[SHORT_LIVED_NAME_SIZE];
	uint64_t count;
	uint64_t early; /* processes of `count` that started in the first half of the interval */
};

struct starts {
	uint64_t interval_ns; /* 0: short-lived processes were not recorded */
	uint64_t count;
	uint64_t copies;		/* processes of `count` that were forked, without an exec */
	uint64_t pauses;		/* starts of sleep(1), which are not in `count` */
	uint64_t cpu_ns, ended, failed; /* values of the processes that ended */
	uint64_t direct; /* processes of `ended` that were children of a process that still runs */
	uint32_t status; /* status of the failed processes, as wait(2) has it */
	struct last_words words; /* of the failed processes */
	bool has_statuses;	 /* the failed processes have different statuses */
	struct starts_program programs[STARTS_PROGRAMS]; /* without copies, most first */
	size_t program_count;				 /* number of different programs */
	/* Started programs with known arguments (from an exec or a sample); those of them with the
	 * same arguments as another one; number of different arguments. */
	unsigned known, repeated, different;
	const struct process_entry
		*starter; /* starter of nine tenths of the processes; NULL: several */
};

/* Returns the process if it is alive, else its closest living ancestor; NULL: none is known. */
const struct process_entry *starts_living(const struct process_entry *p);
/* Returns the process that started it; NULL: not known. */
const struct process_entry *starts_parent(const struct process_entry *p);
/* Returns whether `p` is a living process that `top`, its descendants or its session started. */
bool starts_is_below(const struct process_entry *top, const struct process_entry *p);
/* Returns whether `starter`, which may be NULL, is the process or below it. */
bool starts_is_of(const struct check *e, const struct process_entry *starter);
/* Returns the time from which ends of short-lived processes below the process are known. */
uint64_t starts_from_ns(const struct check *e);
/* Returns whether events go on: `early` of `count` are in the first half of the interval. */
bool starts_are_steady(uint64_t early, uint64_t count);
void starts_of(struct starts *s, const struct check *e);
/* Returns the starts per second; 0: not recorded. */
double starts_rate(const struct starts *s);
/* Returns the CPU use of the started processes in percent of one CPU. */
double starts_cpu(const struct starts *s);
/* Returns whether the starter is a program that works through a list: make, xargs, a compiler
 * driver. */
bool starts_are_of_a_list(const struct process_entry *starter);
bool starts_are_of_a_shell(const struct process_entry *starter);
/* Returns whether the same few programs were started with the same arguments, evenly over the
 * interval. For a shell more than a quarter of the starts must have the same arguments. */
bool starts_repeat(const struct starts *s, const struct process_entry *starter);
