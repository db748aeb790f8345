/* SPDX-License-Identifier: BSD-2-Clause */
/* What every detector that judges by system calls asks first and says last. */
#ifndef SOOTH_ANALYZE_CALL_CHECK_H
#define SOOTH_ANALYZE_CALL_CHECK_H

#include "analyze/diagnosis/check.h"

struct check_calls {
	const struct call_history *history;
	uint64_t interval_ns;
	uint64_t lost; /* calls, of all processes that were observed: what is counted is a floor */
};

/* False: there is nothing to judge, and that has been said. */
bool check_calls_begin(struct check_calls *c, struct check *e);
/* A second. */
double check_calls_rate(const struct check_calls *c, double count);
/* Of an open finding: what was lost, and what goes by ways that are no calls. */
void check_calls_unseen(const struct check_calls *c, struct check *e);

/* What a thread waited for, when every call of the observation is known; else NULL. */
const struct call_waits *check_waits(const struct check *e, uint32_t tid);
/* The same of the process. */
const struct call_history *check_all_calls(const struct check *e);

/* The name of a call, from the rows of the tables. */
const char *check_call_name(uint16_t abi, uint32_t number, char name[SYSCALL_NAME_SIZE]);
/* Up to where the directory of a path goes: "/a" of "/a/b". */
size_t check_directory_size(const char *path);

/* An entry of a map, by a weight. */
struct check_ranked {
	const void *key;
	const void *value;
	double weight;
};

/* The heaviest `most` of a map, heaviest first; those of weight 0 are left out. Returns how
 * many. */
size_t check_rank(const struct map *m,
	double (*weigh)(const void *key, const void *value, void *user), void *user,
	struct check_ranked *out, size_t most);

#endif
