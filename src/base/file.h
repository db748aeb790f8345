/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Output files: mode 0600, never through a symbolic link, never to another user. A report is
 * written without a name (or under a temporary name, if the file system has no nameless files) and
 * named when complete: a failed run keeps the old file, and a killed run leaves nothing. A capture
 * gets its name as soon as the observation has begun: a cut run leaves a prefix, and one that never
 * began leaves the old file.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>
#include "base/error.h"

struct out_file {
	FILE *stream;
	char *path;	 /* final name; NULL for standard output */
	char *temporary; /* temporary name until the commit; NULL: none */
	bool is_nameless;
};

/* Returns 0, or -errno: why bytes written to the stream are lost, even if the failure was long ago.
 * -EPIPE: the reader is gone. */
int stream_failure(FILE *stream);
/* Opens an output file. Path "-" is standard output (not closed by out_file_close()). /dev/stdout,
 * /dev/stderr and /dev/fd/N are descriptors that the program was started with. */
int out_file_open(struct out_file *f, const char *path, bool in_place, struct sooth_error *err);
/* Opens an output file for a writer that opens it by the name f->temporary; NULL: the output is no
 * regular file. */
int out_file_open_named(struct out_file *f, const char *path, struct sooth_error *err);
/* Gives the file its final name now; later writes still go to the file. */
int out_file_place(struct out_file *f, struct sooth_error *err);
/* Flushes and syncs the file, and gives it its final name. A failure removes the temporary file. */
int out_file_commit(struct out_file *f, struct sooth_error *err);
/* Removes the temporary file, unless it was committed. Accepts a zeroed struct. */
void out_file_close(struct out_file *f);
