/* SPDX-License-Identifier: BSD-2-Clause */
/* The columns of the list: heading, width, order and drawing of each. */
#pragma once

#include "base/error.h"
#include "cli/top/state.h"

/* Place of a cell. */
struct top_cell_place {
	int y, x, width;
};

struct top_column {
	const char *name, *heading, *help;
	int width;    /* minimum */
	int most;     /* maximum, for a column that takes free room; 0: it does not grow */
	uint8_t keep; /* without room, columns with the lowest value are left out first */
	bool is_number;
	const char *field; /* sort field in the list of all processes; NULL: no order */
	/* Default order of two sessions; NULL: no order. */
	int (*compare)(const struct top_session *a, const struct top_session *b);
	void (*draw)(struct top *t, const struct top_row *row, struct top_cell_place at);
};

extern const struct top_column top_columns[];
extern const size_t top_column_count;

/* Returns the set of all columns, a bit each. */
uint32_t top_columns_all(void);
/* Choices of an option; NULL after the last. */
const char *top_column_name(size_t index);
/* Checks names of columns. -EINVAL: one of them is no column. */
int top_columns_check(const char *const *names, size_t count, struct sooth_error *err);
int top_column_compare(uint8_t column, const struct top_session *a, const struct top_session *b);
/* Returns the number of a column by its name, which must exist. */
uint8_t top_column_number(const char *name);
/* Returns whether the current list can be sorted by the column. */
bool top_column_orders(const struct top *t, size_t column);
/* Returns whether the largest value comes first by default. */
bool top_column_falls(const struct top_column *c);
/* Returns the column that orders sessions, or all processes, by a field of `ps`; NULL: none. */
const struct top_column *top_column_of(const char *field, bool is_flat);
/* Sets the width of each column in a list of `room` columns; 0: left out. */
void top_columns_fit(const struct top *t, int room, int widths[TOP_COLUMNS_MAX]);
