/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Processes that no sample has seen: they began and ended between two of them. They are known by
 * their ends alone, and belong to the session of whoever started them.
 */
#ifndef SOOTH_ANALYZE_SHORT_LIVED_H
#define SOOTH_ANALYZE_SHORT_LIVED_H

#include "analyze/process_table/process_table.h"
#include "probes/short_lived.h"

/* Alike ones, of one session or of none. */
struct short_lived_group {
	uint64_t count, cpu_ns;
	uint64_t life_most_ns;
	uint64_t failed; /* of these ended by a signal, or with a status that is not 0 */
};

struct short_lived_key {
	struct process_id main; /* zeros: of no session */
	char name[SHORT_LIVED_NAME_SIZE];
};

struct fleeting {
	bool is_watched;
	struct map processes; /* process_id -> struct short_lived_process */
	/* What short_lived_resolve() finds. */
	struct map groups;   /* struct short_lived_key -> struct short_lived_group */
	struct map sessions; /* process_id of the main process -> struct short_lived_group */
	struct short_lived_group all;
	uint64_t in_sessions;
};

void short_lived_init(struct fleeting *b);
void short_lived_fini(struct fleeting *b);
/* Records of other probes are no matter. */
void short_lived_take(struct fleeting *b, const struct sooth_record *r);
/* With a settled census. */
void short_lived_resolve(struct fleeting *b, const struct process_table *c);
void short_lived_next_interval(struct fleeting *b);

#endif
