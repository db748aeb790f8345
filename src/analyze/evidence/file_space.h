/* SPDX-License-Identifier: BSD-2-Clause */
/* The file systems in a snapshot of descriptors: on which one a path is, and how full it is. */
#pragma once

#include "analyze/diagnosis/check.h"
#include "probes/fds.h"

#define FILE_SPACE_TEXT	   64
#define FILE_SPACE_COMMAND 256

/* Returns the file system with the longest mount point above the path; NULL: unknown. Only some are
 * recorded (the fds probe), so a path may be on another one below it. */
const struct fds_filesystem *file_space_of_path(const struct snapshot *s, const char *path);
const struct fds_filesystem *file_space_of_mount(const struct snapshot *s, uint32_t mount);
struct span file_space_point(const struct fds_filesystem *f);
bool file_space_is_measured(const struct fds_filesystem *f);
/* Returns the percent of the space in use, without the space reserved for root, as df(1) does. */
double file_space_used(const struct fds_filesystem *f);
/* Sets `inodes` to how many inodes were taken between the two listings by all processes; negative:
 * freed. False: not measured, or the file system has no inodes. */
bool file_space_inodes_taken(
	const struct check *e, const struct fds_filesystem *now, double *inodes);
bool file_space_is_full(const struct fds_filesystem *f);
bool file_space_has_no_files_left(const struct fds_filesystem *f);
/* Writes a command that shows what takes the space. The mount point is left out if a shell would
 * not read it as one plain word. */
const char *file_space_command(const struct fds_filesystem *f, char out[FILE_SPACE_COMMAND]);
/* Writes "97 % used". */
const char *file_space_text(const struct fds_filesystem *f, char out[FILE_SPACE_TEXT]);
