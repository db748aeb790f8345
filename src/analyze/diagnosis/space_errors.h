/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls that fail because of the file system: no space, a quota, read-only. They fail on every path
 * there, so they count together.
 */
#ifndef SOOTH_ANALYZE_SPACE_ERRORS_H
#define SOOTH_ANALYZE_SPACE_ERRORS_H

#include "analyze/diagnosis/call_check.h"
#include "analyze/diagnosis/file_space.h"

struct space_errors_key {
	uint32_t mount;
	uint32_t error;
};

struct space_errors {
	const struct fds_filesystem *space;
	uint64_t count, seen, first_ns, last_ns;
	uint64_t paths;
	const struct call_place *place; /* with most failures */
	uint64_t place_count;
};

/* The file system that is the reason of a failure; NULL: none is known to be. */
const struct fds_filesystem *space_error_of(const struct check *e, const struct call_place *place);
/* Fills `out` with space_errors_key -> struct space_errors. Call map_fini() afterwards. */
void space_errors_read(struct map *out, const struct check *e, const struct call_history *h);
/* "no space left on /mnt (100 % used)" */
void space_errors_put(struct buffer *out, const struct space_errors *s, unsigned error);

#endif
