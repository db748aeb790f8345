/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Processes that started and ended between two samples. Only their ends are known; they belong to
 * the session of their parent.
 */
#ifndef SOOTH_ANALYZE_SHORT_LIVED_H
#define SOOTH_ANALYZE_SHORT_LIVED_H

#include "analyze/process_table/process_table.h"
#include "base/buffer.h"
#include "probes/short_lived.h"

struct short_lived_process {
	struct process_id parent;
	uint64_t end_ns, life_ns, cpu_ns;
	uint32_t status;
	uint32_t uid;
	char name[SHORT_LIVED_NAME_SIZE];
};

struct short_lived_text {
	uint32_t at, size;
};

/* Processes with one name, of one session or of none. */
struct short_lived_group {
	uint64_t count, cpu_ns;
	uint64_t life_most_ns;
	uint64_t failed; /* of these, ended by a signal or with a status other than 0 */
};

struct short_lived_key {
	struct process_id main; /* zeros: no session */
	char name[SHORT_LIVED_NAME_SIZE];
};

struct short_lived {
	bool is_watched;
	uint64_t from_ns;     /* start of the interval; 0: not watched */
	struct map processes; /* process_id -> struct short_lived_process */
	/* process_id -> uint64_t, a hash of the arguments: its last exec, where that was recorded
	 */
	struct map commands;
	struct map command_texts;    /* hash of the arguments -> struct short_lived_text */
	struct buffer command_bytes; /* what these point into */
	/* Set by short_lived_resolve(). */
	struct map groups;   /* struct short_lived_key -> struct short_lived_group */
	struct map sessions; /* process_id of the main process -> struct short_lived_group */
	struct short_lived_group all;
	uint64_t in_sessions;
};

void short_lived_init(struct short_lived *b);
void short_lived_fini(struct short_lived *b);
/* Records of other kinds are ignored. */
void short_lived_take(struct short_lived *b, const struct sooth_record *r);
/* The process table must be resolved. */
void short_lived_resolve(struct short_lived *b, const struct process_table *c);
/* The arguments of such a hash, NUL-separated, masked and perhaps cut; empty: not kept. Until the
 * next record. */
struct span short_lived_command(const struct short_lived *b, uint64_t hash);
/* The next interval starts at now_ns. */
void short_lived_next_interval(struct short_lived *b, uint64_t now_ns);
/* The closest ancestor that a sample has; NULL: it ended earlier. */
const struct process_entry *short_lived_starter(const struct short_lived *b,
	const struct process_table *c, const struct short_lived_process *p);

#endif
