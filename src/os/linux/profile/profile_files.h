/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files whose code was sampled. Each is opened when it is first seen, through the process that has
 * it mapped, and stays open: its names are read at the end, when the process may be gone and the
 * file replaced.
 */
#ifndef SOOTH_OS_LINUX_PROFILE_FILES_H
#define SOOTH_OS_LINUX_PROFILE_FILES_H

#include "base/map.h"
#include "bpf/profile.h"
#include "os/linux/files/timeout.h"
#include "os/linux/profile/debuginfod.h"
#include "os/linux/profile/profile_names.h"

struct profile_known {
	int fd; /* negative: not opened */
	char *path;
	int root; /* of a process that has another one than sooth; -1: none */
	struct debug_identity identity;
	uint32_t tries;
	bool has_table; /* or it is being made */
};

struct profile_files {
	struct map by_key; /* uint64_t -> struct profile_known */
	struct timeout timeout;
	int root; /* of sooth */
	struct debuginfod debuginfod;
};

void profile_files_init(struct profile_files *f);
void profile_files_fini(struct profile_files *f);
/* Opens it; also when a former try failed. NULL: there is no room. Its fd is negative when it could
 * not be opened: another process that has it mapped may be tried. */
struct profile_known *profile_files_open(struct profile_files *f, const struct profile_seen *seen);
/* The same by a path, of a process that has ended: only if that leads to the very file. */
void profile_files_open_path(
	struct profile_files *f, const struct profile_seen *seen, const char *path);
/*
 * Opens files that a process has mapped as code, before any sample is in them, and appends their
 * keys (uint64_t) where they were not open yet. `names`: only files whose name begins like one of
 * these, up to NULL; NULL: all.
 */
void profile_files_open_ahead(
	struct profile_files *f, pid_t pid, const char *const *names, struct buffer *keys);
/* NULL: never seen. */
struct profile_known *profile_files_get(const struct profile_files *f, uint64_t key);
/* The functions at these offsets and, if asked for, their lines, also from its debug file; and its
 * build id. 0, or a negative errno. */
int profile_files_names(
	struct profile_files *f, struct profile_known *file, struct file_names *names);

#endif
