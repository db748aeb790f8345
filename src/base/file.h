/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Output files: mode 0600, never through a symbolic link, never to another user.
 * A report is written without a name (where the file system has no such files,
 * beside its final name) and named when whole, so a failed run leaves the old
 * one, and a killed run nothing; a capture is given its name as soon as the
 * observation has begun (so that a cut run leaves a prefix, and one that never
 * began leaves the old file).
 */
#ifndef SOOTH_BASE_FILE_H
#define SOOTH_BASE_FILE_H

#include <stdbool.h>
#include <stdio.h>
#include "base/error.h"

struct out_file {
	FILE *stream;
	char *path;	 /* final name; NULL for standard output */
	char *temporary; /* temporary name until the commit; NULL: none */
	bool is_nameless;
};

/* 0, or -errno why something written to the stream is lost, also if that failed long ago. -EPIPE:
 * its reader is gone. */
int stream_failure(FILE *stream);
/* path "-" is standard output (not closed by out_file_close()). /dev/stdout, /dev/stderr and
 * /dev/fd/N are descriptors that the program was started with. */
int out_file_open(struct out_file *f, const char *path, bool in_place, struct sooth_error *err);
/* Opens an output file for a writer that opens it by its name, f->temporary; NULL: it is no regular
 * file. */
int out_file_open_named(struct out_file *f, const char *path, struct sooth_error *err);
/* Gives the file its final name now; later writes go to it. */
int out_file_place(struct out_file *f, struct sooth_error *err);
/* Flush, sync the name: rename when written beside. On failure the temporary is removed. */
int out_file_commit(struct out_file *f, struct sooth_error *err);
/* Removes the temporary file, unless it was committed. Accepts a zeroed struct. */
void out_file_close(struct out_file *f);

#endif
