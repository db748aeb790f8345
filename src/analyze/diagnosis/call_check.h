/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions shared by the detectors that use system calls. */
#pragma once

#include "analyze/diagnosis/check.h"

/* Returns the confidence in counts of calls: medium if records were lost. */
enum finding_confidence check_calls_confidence(const struct check *e);
/* Converts a count of the observation to a rate per second. */
double check_calls_rate(const struct check *e, double count);
/* Returns the time in file lookups, estimated from the lookups that were recorded. */
double check_calls_looks_ns(const struct check *e);
/* Adds to the open finding how often something happened, and over what time. */
void check_calls_times(struct check_result *out, double times, uint64_t first_ns, uint64_t last_ns);
/* Returns the words before a rate: "at least " if calls were counted in windows, because counting
 * slows the process within a window; else "". */
const char *check_calls_least(const struct check *e);
/* Returns whether `seen` records suffice for an estimate; true if every call was recorded. */
bool check_calls_suffice(const struct check *e, double seen);
/* Adds a number, or a rate per second, of the time in which calls were observed. */
void finding_calls_count(struct check_result *out, const char *name, double count);
void finding_calls_rate(struct check_result *out, const char *name, double count);

/* Returns the waits of a thread if every call was recorded, else NULL. */
const struct call_waits *check_waits(const struct check *e, uint32_t tid);
/* Returns the calls of the process if every call was recorded, else NULL. */
const struct call_history *check_all_calls(const struct check *e);

/* Returns the name of a system call. */
const char *check_call_name(uint16_t abi, uint32_t number, char name[SYSCALL_NAME_SIZE]);

/* Cuts `top` to the directory above both itself and `path`; an empty one becomes the path. */
void check_keep_common(struct call_path *top, const char *path);

/* An entry of a map with its weight. */
struct check_ranked {
	const void *key;
	const void *value;
	double weight;
};

/* Returns the path that is the key of an entry. */
static inline const char *check_ranked_path(const struct check_ranked *one)
{
	return ((const struct call_path *)one->key)->text;
}

/* Fills in the `most` heaviest entries of a map, heaviest first, without those of weight 0. Returns
 * their number. */
size_t check_rank(const struct map *m,
	double (*weigh)(const void *key, const void *value, const void *user), const void *user,
	struct check_ranked *out, size_t most);
typedef void (*check_reporter)(
	const struct check *e, struct check_result *out, const struct check_ranked *one);
/* Reports each of the four heaviest entries; without any, reports `fine`. */
void check_report_ranked(const struct check *e, struct check_result *out, const struct map *m,
	double (*weigh)(const void *key, const void *value, const void *user),
	check_reporter report, const char *fine);
