/* SPDX-License-Identifier: BSD-2-Clause */
/* The largest entries that a finding names: things counted by a text, at the first and at the last
 * sample, and the threads that a finding is about, by a value. */
#pragma once

#include "analyze/diagnosis/check.h"
#include "analyze/threads/thread_roles.h"

#define TALLY_TEXT 256

struct tally_row {
	char text[TALLY_TEXT]; /* cut, not escaped */
	int64_t first, last;
	bool is_marked; /* mark that the caller sets */
};

struct tally {
	struct map rows; /* text -> struct tally_row */
};

typedef int64_t (*tally_weight)(const struct tally_row *row);

void tally_init(struct tally *t);
void tally_fini(struct tally *t);
/* Counts one more. Returns the row; NULL: there are too many texts. */
struct tally_row *tally_add(struct tally *t, struct span text, bool is_last);
/* Copies the heaviest rows, heaviest first, without those of weight 0 or less; returns their
 * number. Rows of the same weight are in the order of their texts. */
size_t tally_top(const struct tally *t, tally_weight weight, struct tally_row *out, size_t most);
int64_t tally_gain(const struct tally_row *row);
int64_t tally_last(const struct tally_row *row);

#define THREAD_TOP 5

struct thread_top {
	const struct thread_history *all[THREAD_TOP]; /* the highest value first */
	size_t count;				      /* number of all threads that were added */
};

typedef double (*thread_value)(const struct thread_history *t);

void thread_top_add(struct thread_top *top, const struct thread_history *t, thread_value value);
/* Adds a line of evidence for each, "worker (7): ..."; `put` appends what follows. */
void thread_top_emit(const struct thread_top *top, struct check_result *out,
	void (*put)(struct buffer *text, const struct thread_history *t));
/* Returns the role of a thread by its name. */
enum thread_role thread_top_role(const struct thread_history *t);
