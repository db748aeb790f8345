/* SPDX-License-Identifier: BSD-2-Clause */
/* The columns of the list, each described once: heading, room, order, and what it shows. */
#ifndef SOOTH_CLI_TOP_COLUMNS_H
#define SOOTH_CLI_TOP_COLUMNS_H

#include "base/error.h"
#include "cli/top/state.h"

/* Where one stands. */
struct top_cell_place {
	int y, x, width;
};

struct top_column {
	const char *name, *heading, *help;
	int width;    /* the least */
	int most;     /* it takes what is left over, up to so much; 0: it does not grow */
	uint8_t keep; /* the lowest goes first where there is no room */
	bool is_number;
	const char *field; /* of a process, for the list of all of them; NULL: no order */
	/* The order of two sessions, the one that comes first by itself; NULL: no order. */
	int (*compare)(const struct top_session *a, const struct top_session *b);
	void (*draw)(struct top *t, const struct top_row *row, struct top_cell_place at);
};

extern const struct top_column top_columns[];
extern const size_t top_column_count;

/* For an option; NULL behind the last. */
const char *top_column_name(size_t index);
/* -EINVAL: one of them is no column. */
int top_columns_check(const char *const *names, size_t count, struct sooth_error *err);
int top_column_compare(uint8_t column, const struct top_session *a, const struct top_session *b);
/* The number of a column by its name, which must exist. */
uint8_t top_column_number(const char *name);
/* The list that is shown can be ordered by it. */
bool top_column_orders(const struct top *t, size_t column);
/* Returns whether the largest value comes first by default. */
bool top_column_falls(const struct top_column *c);
/* Returns the column that orders sessions, or all processes, as a field of `ps` does; NULL:
 * none. */
const struct top_column *top_column_of(const char *field, bool is_flat);
/* Which of them stand in a list of that width, with the width of each (0: left out). */
void top_columns_fit(const struct top *t, int room, int widths[TOP_COLUMNS_MAX]);

#endif
