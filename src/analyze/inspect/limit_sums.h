/* SPDX-License-Identifier: BSD-2-Clause */
/* How near a process is to its limits, the nearest first. */
#ifndef SOOTH_ANALYZE_LIMIT_SUMS_H
#define SOOTH_ANALYZE_LIMIT_SUMS_H

#include "analyze/snapshots.h"
#include "probes/limits.h"

struct limit_sum {
	double percent;				/* of the limit that holds */
	const struct limits_resource *resource; /* one of the two; borrowed from the snapshot */
	const struct limits_group *group;
};

/* Whether a record of a snapshot is whole as this build knows it; else NULL. */
const struct limits_resource *limit_sums_resource(const struct sooth_record *r);
const struct limits_group *limit_sums_group(const struct sooth_record *r);
const struct limits_pressure *limit_sums_pressure(const struct sooth_record *r);

/* Used as a share of the limit; false where one of them is not known or not set. */
bool limit_sums_resource_percent(const struct limits_resource *r, double *percent);
bool limit_sums_group_percent(const struct limits_group *g, double *percent);

/* Pages of files among what the group uses: they make room when needed. False: not told. */
bool limit_sums_group_files(const struct limits_group *g, uint64_t *bytes);
bool limit_sums_group_is(const struct limits_group *g, const char *name);

/* struct limit_sum of each limit of which at least so much is used. 0 or -ENOMEM. */
int limit_sums_near(const struct snapshot *process, double percent_least, struct buffer *out);
/* The group whose memory limit has the least room; NULL: no limit is set. */
const struct limits_group *limit_sums_tightest_memory(const struct snapshot *process);

#endif
