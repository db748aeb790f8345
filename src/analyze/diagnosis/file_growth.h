/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How much what a process writes grew on each file system during the observation: files that it has
 * open, with a name or without, memory files, and files that it wrote to and closed, if its calls
 * were observed.
 */
#ifndef SOOTH_ANALYZE_FILE_GROWTH_H
#define SOOTH_ANALYZE_FILE_GROWTH_H

#include "analyze/diagnosis/call_check.h"
#include "analyze/diagnosis/file_space.h"

#define FILE_GROWTH_OF_MEMORY UINT32_MAX /* in place of a mount: memfd files */

struct file_growth {
	const struct fds_filesystem *space; /* NULL: memory files */
	uint64_t gained_bytes;
	uint64_t files;
	/* The file that grew most. */
	uint64_t most_bytes, size_bytes;
	struct call_path path;
	bool is_deleted;
	bool is_open;		/* false: it was written to and closed */
	bool is_append;		/* opened to append, as logs are */
	uint64_t written_bytes; /* of gained_bytes: known from calls, so not a size that was set */
	uint32_t fd;
	uint64_t interval_ns;
};

/* Fills `out` with uint32_t mount -> struct file_growth. `calls` may be NULL. False: the
 * descriptors were not listed twice. Call map_fini() afterwards in any case. */
bool file_growth_read(struct map *out, const struct check *e, const struct call_history *calls);

#endif
