/* SPDX-License-Identifier: BSD-2-Clause */
/* The meaning of a failed call for the program, where the name of the error does not say it. */
#ifndef SOOTH_ANALYZE_FAILURE_MEANING_H
#define SOOTH_ANALYZE_FAILURE_MEANING_H

#include "analyze/diagnosis/call_check.h"
#include "base/buffer.h"

struct failure_meaning {
	const char *text;   /* in a few words: "the descriptor is closed" */
	const char *remedy; /* remedy; NULL: none fits all programs */
};

/* Returns the meaning of a failed call; NULL: the name of the error is enough, or the error has
 * several meanings. */
const struct failure_meaning *failure_meaning_of(const struct call_place *place);
/* Returns the meaning of a failed attempt to connect. */
const struct failure_meaning *failure_meaning_of_connect(uint16_t error);
/* Appends the process that a failure is about: ", its child head (4711) has ended" for the reader
 * of a broken pipe, if only one child can be that; ": perl (4711) has its working directory /mnt/a"
 * for a path in use. */
void failure_meaning_put_process(
	struct buffer *out, const struct check *e, const struct call_place *place);

/* Returns whether a command answers a question by its exit status: programs run `git rev-parse` to
 * learn whether a folder is in a repository. */
bool failure_is_query(const char *program, struct span command);

#endif
