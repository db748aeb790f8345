/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Processes that no sample has seen: they began and ended between two of them. They are known by
 * their ends alone, and belong to the session of whoever started them.
 */
#ifndef SOOTH_ANALYZE_FLEETING_H
#define SOOTH_ANALYZE_FLEETING_H

#include "analyze/census/census.h"
#include "probes/exits.h"

/* Alike ones, of one session or of none. */
struct fleeting_group {
	uint64_t count, cpu_ns;
	uint64_t life_most_ns;
	uint64_t failed; /* of these ended by a signal, or with a status that is not 0 */
};

struct fleeting_key {
	struct process_id main; /* zeros: of no session */
	char name[EXITS_NAME_SIZE];
};

struct fleeting {
	bool is_watched;
	struct map processes; /* process_id -> struct fleeting_process */
	/* What fleeting_settle() finds. */
	struct map groups;   /* struct fleeting_key -> struct fleeting_group */
	struct map sessions; /* process_id of the main process -> struct fleeting_group */
	struct fleeting_group all;
	uint64_t in_sessions;
};

void fleeting_init(struct fleeting *b);
void fleeting_fini(struct fleeting *b);
/* Records of other probes are no matter. */
void fleeting_take(struct fleeting *b, const struct sooth_record *r);
/* With a settled census. */
void fleeting_settle(struct fleeting *b, const struct census *c);
void fleeting_next_interval(struct fleeting *b);

#endif
