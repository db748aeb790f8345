/* SPDX-License-Identifier: BSD-2-Clause */
/* What every detector that judges by system calls asks first and says last. */
#ifndef SOOTH_ANALYZE_CALL_EXAM_H
#define SOOTH_ANALYZE_CALL_EXAM_H

#include "analyze/judging/exam.h"

struct exam_calls {
	const struct call_history *history;
	uint64_t interval_ns;
	uint64_t lost; /* calls, of all processes that were observed: what is counted is a floor */
};

/* False: there is nothing to judge, and that has been said. */
bool exam_calls_begin(struct exam_calls *c, struct exam *e);
/* A second. */
double exam_calls_rate(const struct exam_calls *c, double count);
/* Of an open finding: what was lost, and what goes by ways that are no calls. */
void exam_calls_unseen(const struct exam_calls *c, struct exam *e);

/* What a thread waited for, when every call of the observation is known; else NULL. */
const struct call_waits *exam_waits(const struct exam *e, uint32_t tid);
/* The same of the process. */
const struct call_history *exam_all_calls(const struct exam *e);

/* The name of a call, from the rows of the tables. */
const char *exam_call_name(uint16_t abi, uint32_t number, char name[SYSCALL_NAME_SIZE]);
/* Up to where the directory of a path goes: "/a" of "/a/b". */
size_t exam_directory_size(const char *path);

/* An entry of a map, by a weight. */
struct exam_ranked {
	const void *key;
	const void *value;
	double weight;
};

/* The heaviest `most` of a map, heaviest first; those of weight 0 are left out. Returns how
 * many. */
size_t exam_rank(const struct map *m,
	double (*weigh)(const void *key, const void *value, void *user), void *user,
	struct exam_ranked *out, size_t most);

#endif
