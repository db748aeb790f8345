/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A report that is buffered until it is known to be one: some views know only at the end whether a
 * table has the fields of --filter, and standard output cannot be taken back.
 */
#ifndef SOOTH_CLI_HELD_H
#define SOOTH_CLI_HELD_H

#include <stdio.h>

#include "base/error.h"
#include "base/file.h"

struct held {
	FILE *stream; /* NULL: nothing is buffered */
	FILE *to;
	char *text;
	size_t size;
};

/* What is written to held->stream goes to `to` when held_release() is called. */
int held_begin(struct held *h, FILE *to, struct sooth_error *err);
/* 0 as well when nothing is buffered. */
int held_release(struct held *h, struct sooth_error *err);
/* Drops what was not released. Accepts a zeroed struct. */
void held_fini(struct held *h);
/* The end of a report in a file, after everything that gave `status`: it is whole, or absent.
 * Returns the first error. */
int held_commit(struct held *h, struct out_file *file, int status, struct sooth_error *err);

#endif
