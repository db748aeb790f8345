/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A report that is buffered until it is whole: some views know only at the end whether a table has
 * the fields of --filter, and standard output cannot be taken back; and only then is it known
 * whether it needs a pager.
 */
#ifndef SOOTH_CLI_HELD_H
#define SOOTH_CLI_HELD_H

#include <stdio.h>

#include "base/error.h"
#include "base/file.h"
#include "cli/output/output.h"

struct held {
	FILE *stream; /* NULL: nothing is buffered */
	FILE *to;
	char *text;
	size_t size;
	bool is_paged;
};

/* If the report must be whole first, for its filter or the pager: what is written to held->stream
 * goes to `to` when held_release() is called. Else held->stream stays NULL. */
int held_begin(
	struct held *h, const struct output_options *options, FILE *to, struct sooth_error *err);
/* 0 as well when nothing is buffered. */
int held_release(struct held *h, struct sooth_error *err);
/* Drops what was not released. Accepts a zeroed struct. */
void held_fini(struct held *h);
/* The end of a report in a file, after everything that gave `status`: it is whole, or absent.
 * Returns the first error. */
int held_commit(struct held *h, struct out_file *file, int status, struct sooth_error *err);

#endif
