/* SPDX-License-Identifier: BSD-2-Clause */
/* A report that is buffered until it is complete: some views know only at the end whether a table
 * has the fields of --filter, when standard output could no longer be undone; and only the whole
 * text shows whether a pager is needed. */
#pragma once

#include <stdio.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/file.h"
#include "cli/output/output.h"

/* Starts a process that becomes the pager if one is needed, before sooth gives up its rights.
 * Returns its pid; 0: there is none. */
pid_t pager_keep(void);

struct held {
	FILE *stream; /* NULL: nothing is buffered */
	FILE *to;
	char *text;
	size_t size;
	bool is_paged;
};

/* If the report must be buffered for its filter or the pager, opens held->stream, whose content
 * goes to `to` at held_release(). Else held->stream stays NULL. */
int held_begin(
	struct held *h, const struct output_options *options, FILE *to, struct sooth_error *err);
/* Writes the buffered report; returns 0 also if nothing is buffered. */
int held_release(struct held *h, struct sooth_error *err);
/* Drops a report that was not released. Accepts a zeroed struct. */
void held_fini(struct held *h);
/* Completes a report in a file: keeps the file if `status` is no error, else removes it. Returns
 * the first error. */
int held_commit(struct held *h, struct out_file *file, int status, struct sooth_error *err);
