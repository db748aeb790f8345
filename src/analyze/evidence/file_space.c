/* SPDX-License-Identifier: BSD-2-Clause */
/* The file system of a path, and how full it is. */
#include "analyze/evidence/file_space.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

#include "base/escape.h"

NUMBER(FULL_BYTES, 1 << 20, BYTES, "too little for one more block of a large write");
NUMBER(FULL_PERCENT, 98, PERCENT, "a file system with so much in use is full");

struct span file_space_point(const struct fds_filesystem *f)
{
	assert(f);
	return record_text(&f->record, &f->point);
}

const struct fds_filesystem *file_space_of_path(const struct snapshot *s, const char *path)
{
	const struct fds_filesystem *found = NULL;
	size_t best = 0;

	snapshot_each (struct fds_filesystem, f, s, FDS_FILESYSTEM) {
		struct span point = file_space_point(f);

		if (point.size < best || !path_is_within(span_of_string(path), point))
			continue;
		best = point.size;
		found = f;
	}
	return found;
}

const struct fds_filesystem *file_space_of_mount(const struct snapshot *s, uint32_t mount)
{
	snapshot_each (struct fds_filesystem, f, s, FDS_FILESYSTEM) {
		if (f->mount == mount)
			return f;
	}
	return NULL;
}

bool file_space_is_measured(const struct fds_filesystem *f)
{
	return f && f->space_state == SOOTH_STATE_VALUE && f->total_bytes;
}

double file_space_used(const struct fds_filesystem *f)
{
	assert(f);

	double used = (double)(f->total_bytes - f->free_bytes);
	double all = used + (double)f->available_bytes;

	return all > 0 ? 100 * used / all : 0;
}

bool file_space_inodes_taken(
	const struct check *e, const struct fds_filesystem *now, double *inodes)
{
	const struct fds_filesystem *then =
		now ? file_space_of_mount(check_first(e, &e->input->fds), now->mount) : NULL;

	if (!file_space_is_measured(now) || !file_space_is_measured(then) || !now->files)
		return false;
	*inodes = (double)then->files_available - (double)now->files_available;
	return true;
}

bool file_space_is_full(const struct fds_filesystem *f)
{
	return file_space_is_measured(f) &&
	       (file_space_used(f) >= FULL_PERCENT || f->available_bytes < FULL_BYTES);
}

bool file_space_has_no_files_left(const struct fds_filesystem *f)
{
	return file_space_is_measured(f) && f->files && !f->files_available;
}

const char *file_space_command(const struct fds_filesystem *f, char out[FILE_SPACE_COMMAND])
{
	struct span point = file_space_point(f);

	if (escape_is_shell_word(point.data, point.size) && point.size < FILE_SPACE_COMMAND / 2)
		snprintf(out, FILE_SPACE_COMMAND, "du -xh %.*s | sort -h | tail", SPAN_ARGS(point));
	else
		snprintf(out, FILE_SPACE_COMMAND, "df -h shows what is left");
	return out;
}

const char *file_space_text(const struct fds_filesystem *f, char out[FILE_SPACE_TEXT])
{
	assert(f);

	double used = file_space_used(f);

	/* "100 %" is printed only if nothing is left. */
	snprintf(out, FILE_SPACE_TEXT, "%.0f %% used",
		f->available_bytes && used > 99 ? floor(used) : used);
	return out;
}
