/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds a row on the other side of a comparison, and the members that are comparable. */
#pragma once

#include "analyze/comparison/comparison.h"

/* A row among all rows of its side. */
struct compared_row {
	const struct sooth_record *record; /* borrowed from the side */
	const struct sooth_schema *schema;
	const struct sooth_schema *top; /* schema of the outermost table that has the row */
	struct sooth_text table;	/* span of `texts`: "processes", "processes/findings" */
	struct sooth_text label;	/* "claude main (web): fd-leak" */
	uint32_t above;			/* number of the row that has this row, from 1; 0: none */
	bool is_matched;
	bool is_reported; /* reported as appeared or vanished, with nested rows */
};

struct compared_rows {
	const struct comparison_side *side;
	struct buffer rows;    /* struct compared_row */
	struct buffer texts;   /* each followed by NUL */
	struct map by_key;     /* 128 bits of table and label -> index */
	struct map by_base;    /* key without the suffix #2, #3, ... -> count */
	struct map processes;  /* uint32_t pid -> struct compared_process */
	uint64_t incomparable; /* rows that only an address identifies */
};

struct compared_process {
	uint64_t start_ticks;
	struct sooth_text label;
	bool is_on_both;
};

/* Makes the rows; `other` is the other side, to find processes that both sides saw. */
int compared_rows_make(struct compared_rows *rows, const struct comparison_side *side,
	const struct comparison_side *other, struct sooth_error *err);
void compared_rows_fini(struct compared_rows *rows);
/* Returns the row with the same table and label; NULL: none. */
struct compared_row *compared_rows_find(
	struct compared_rows *rows, const struct compared_rows *of, const struct compared_row *row);
const char *compared_text(const struct compared_rows *rows, const struct sooth_text *text);

/* Returns whether the field's values of two processes, or two times, can be compared. */
bool is_comparable(const struct sooth_field *field);
