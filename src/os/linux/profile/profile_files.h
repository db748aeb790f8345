/* SPDX-License-Identifier: BSD-2-Clause */
/* Files whose code was sampled. Each is opened when it is first seen, through a process that has it
 * mapped, and stays open. Its names are read at the end, when the process may be gone and the file
 * replaced. */
#pragma once

#include "base/map.h"
#include "bpf/profile.h"
#include "os/linux/files/timeout.h"
#include "os/linux/profile/debuginfod.h"
#include "os/linux/profile/profile_names.h"

struct profile_known {
	int fd; /* negative: not opened */
	char *path;
	int rows; /* of unwind_row_find() */
	int root; /* root of a process whose root is not sooth's; -1: none */
	struct debug_identity identity;
	uint32_t tries;
	bool has_table; /* the file has a table, or one is being made */
};

struct profile_files {
	struct map by_key; /* uint64_t -> struct profile_known */
	struct timeout timeout;
	int root; /* descriptor of sooth's own "/": processes may have another one */
	struct debuginfod debuginfod;
};

void profile_files_init(struct profile_files *f);
void profile_files_fini(struct profile_files *f);
/* Opens a file, also when an earlier try failed. NULL: there is no room. If it could not be opened,
 * its fd is negative, and another process that has it mapped may be tried. */
struct profile_known *profile_files_open(struct profile_files *f, const struct profile_seen *seen);
/* Opens a file of an ended process by its path, only if the path leads to this very file. */
void profile_files_open_path(
	struct profile_files *f, const struct profile_seen *seen, const char *path);
/* Opens files that a process has mapped as code, before any sample is in them, and appends the keys
 * (uint64_t) of newly opened ones. `names`: beginnings of file names, with NULL at the end: only
 * these files are opened. NULL: all are. */
void profile_files_open_ahead(
	struct profile_files *f, pid_t pid, const char *const *names, struct buffer *keys);
/* Returns the file; NULL: it was never seen. */
struct profile_known *profile_files_get(const struct profile_files *f, uint64_t key);
/* Sets the functions at these offsets and, if requested, their lines, also from the file's debug
 * file, and the build id. Returns 0 or a negative errno. */
int profile_files_names(
	struct profile_files *f, struct profile_known *file, struct file_names *names);
