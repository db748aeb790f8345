/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/fds/fd_successor.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cursor.h"

/* Returns whether a suffix is a number or a date, as in names of logrotate(8) and logging
 * libraries. */
static bool is_counter(struct span s)
{
	size_t digits = 0;

	for (size_t i = 0; i < s.size; i++) {
		if (isdigit((unsigned char)s.data[i]))
			digits++;
		else if (!strchr("-_.:T", s.data[i]))
			return false;
	}
	return digits > 0;
}

static bool is_word(struct span s)
{
	static const char *const words[] = { "old", "bak", "prev", "previous", "rotated", "orig" };

	return SPAN_ANY(s, span_equal, words);
}

/* Returns the size of the name before the rotation, "app.log"; 0: it is no such name. */
static size_t rotated_name_base(struct span path)
{
	size_t begin = path.size;

	/* The shortest name counts: "a.log" for "a.log.2025-11-26". */
	while (begin && path.data[begin - 1] != '/')
		begin--;
	for (size_t i = begin + 1; i < path.size; i++) {
		struct span rest = span_of(path.data + i + 1, path.size - i - 1);

		if ((path.data[i] == '.' && (is_counter(rest) || is_word(rest))) ||
			(path.data[i] == '-' && is_counter(rest)))
			return i;
	}
	return 0;
}

#define LOOKUPS_MAX 64 /* number of lookups for a process */

struct request {
	struct fds_call call; /* call about files of the process */
	struct statx st;
	char path[PATH_MAX + 8]; /* "root/var/log/x" */
};

static void read_name(void *request)
{
	struct request *a = request;

	a->call.status = statx(a->call.folder, a->path,
				 AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC,
				 STATX_INO | STATX_SIZE | STATX_TYPE | STATX_MTIME, &a->st)
				 ? -errno
				 : 0;
}

/* Looks up the file that has the name now. Returns 0 or a negative errno. */
static int look_up_file(struct fds_reader *r, uint32_t mount, struct span path, struct request *a)
{
	if (path.size >= PATH_MAX)
		return -ENAMETOOLONG;
	snprintf(a->path, sizeof(a->path), "root%.*s", SPAN_ARGS(path));
	return fds_reader_call(r, mount, r->snapshot.process, read_name, &a->call, sizeof(*a));
}

/* Returns whether the process only reads the file, and has read all of it. */
static bool is_at_end(const struct fds_descriptor *d)
{
	return (d->type == FDS_FILE || d->type == FDS_DELETED) && !d->inode_state &&
	       !d->flags_state && !d->size_state && d->access == FDS_ACCESS_READ &&
	       d->offset >= d->size_bytes && (d->offset || d->is_deleted);
}

/* Returns whether another file has the name. */
static bool finds_successor(
	struct fds_reader *r, const struct fds_descriptor *d, struct span path, struct request *a)
{
	return path.size && r->successors++ < LOOKUPS_MAX && !look_up_file(r, d->mount, path, a) &&
	       S_ISREG(a->st.stx_mode) && a->st.stx_ino != d->inode;
}

void fd_successor_write(struct fds_reader *r, struct backend_run *run,
	const struct fds_descriptor *d, struct span path)
{
	struct fds_successor s = { .record = r->summary.record, .fd = d->fd };
	struct request a = { 0 };

	if (!is_at_end(d) || !path.size || path.data[0] != '/' || d->path_state)
		return;
	/* A deleted file may have been rotated before: "app.log.1 (deleted)". */
	if (!d->is_deleted || !finds_successor(r, d, path, &a)) {
		path.size = rotated_name_base(path);
		if (!finds_successor(r, d, path, &a))
			return;
	}
	s.record.kind = FDS_SUCCESSOR;
	s.inode = a.st.stx_ino;
	s.size_bytes = a.st.stx_size;
	s.modified_s = a.st.stx_mtime.tv_sec;
	struct record_tail tail[] = { { &s.path, path.data, path.size } };
	RECORD_APPEND(&run->out, &s, tail, 1);
}
