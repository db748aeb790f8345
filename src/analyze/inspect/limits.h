/* SPDX-License-Identifier: BSD-2-Clause */
/* How much of its limits a process uses, the most used first. */
#pragma once

#include "analyze/snapshots.h"
#include "probes/host.h"
#include "probes/limits.h"

struct limit_sum {
	double percent; /* use in percent of the limit in force */
	const struct limits_resource
		*resource; /* either this or `group` is set; borrowed from the snapshot */
	const struct limits_group *group;
};
const struct limits_group *limit_sums_group(const struct sooth_record *r);
const struct limits_pressure *limit_sums_pressure(const struct sooth_record *r);

/* Sets `bytes` to the page cache within the group's use, which the kernel reclaims when needed.
 * False: unknown. */
bool limit_sums_group_files(const struct limits_group *g, uint64_t *bytes);
/* Returns the record of the same group and resource in a snapshot; NULL: none. */
const struct limits_group *limit_sums_same_group(
	const struct snapshot *s, const struct limits_group *group);
bool limit_sums_group_is(const struct limits_group *g, const char *name);

/* Appends a struct limit_sum for each limit that is used by at least `percent_least`. Returns 0 or
 * -ENOMEM. */
int limit_sums_near(const struct snapshot *process, double percent_least, struct buffer *out);
/* Returns the limit with that name, "NPROC"; NULL: it was not read. */
const struct limits_resource *limit_sums_named(const struct snapshot *process, const char *name);
/* Returns the group whose memory limit has the least room; NULL: no limit. */
const struct limits_group *limit_sums_tightest_memory(const struct snapshot *process);
/* Returns how much more memory a process can use, by its groups (NULL: not read) and the host's
 * memory; UINT64_MAX: unknown. */
uint64_t limit_sums_memory_left(const struct snapshot *process, const struct host_memory *memory);
