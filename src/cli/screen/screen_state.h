/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of the screen share: frames, the rows on display, and the choices made by keys. */
#ifndef SOOTH_CLI_SCREEN_STATE_H
#define SOOTH_CLI_SCREEN_STATE_H

#include <time.h>
#include <wchar.h>

#include "base/buffer.h"
#include "base/map.h"
#include "cli/screen/pane.h"
#include "cli/screen/screen.h"
#include "explain/section_columns.h"

#define SCREEN_FRAMES	   3
#define SCREEN_TABLES_MAX  8
#define SCREEN_ROWS_MAX	   100000
#define SCREEN_FILTER_SIZE 64
#define SCREEN_ESCAPE	   27
#define SCREEN_CHARS	   1024 /* of a text */

/* Rows of one section, with their schema. */
struct screen_table {
	const char *name;
	const struct sooth_schema *schema;
	const struct sooth_field *columns[SECTION_COLUMNS_MAX];
	size_t column_count;
	const char *if_empty;
	const char *spare;   /* see struct section */
	bool is_of_interval; /* likewise */
	const char *sort;    /* likewise */
	bool is_descending;  /* likewise */
	const char *alarm;   /* likewise */
	struct buffer records;
};

struct screen_frame {
	struct screen_table tables[SCREEN_TABLES_MAX];
	/* The same table as a tree, with more rows; without a schema: the rows of the table are
	 * enough. */
	struct screen_table trees[SCREEN_TABLES_MAX];
	size_t table_count;
	struct buffer lines; /* NUL-terminated: sections that are shown as lines */
};

enum screen_mark { SCREEN_MARK_NONE, SCREEN_MARK_NEW, SCREEN_MARK_CHANGED, SCREEN_MARK_GONE };

struct screen_order;

struct screen_row {
	const struct sooth_record *record; /* in a frame */
	uint64_t key;			   /* the same for the same thing in every frame */
	enum screen_mark mark;
	unsigned depth; /* in the tree */
	bool has_below, is_folded;
	const struct screen_order *order; /* of the sorting that runs */
};

struct screen {
	struct screen_options options;
	void *terminal;				   /* ncurses' SCREEN */
	struct screen_frame frames[SCREEN_FRAMES]; /* current, before it, being filled */
	unsigned current;
	struct screen_table *filling; /* of the open section */
	bool has_frame, is_new;	      /* not drawn yet */
	time_t seen_at;		      /* the current frame */

	/* The rows on display, made of the current frame. */
	struct buffer rows; /* struct screen_row, in order, without what is hidden */
	size_t hidden;	    /* by the filter */

	/* Choices made by keys. */
	size_t table;
	const char *sort; /* name of a field; NULL: as the rows came */
	bool is_ascending, is_tree, is_held, is_asking;
	char filter[SCREEN_FILTER_SIZE];
	struct map folded;   /* uint64_t key -> nothing */
	uint64_t picked_key; /* follows its row */
	size_t picked, top;  /* row, and the first one in the window */
	size_t first_column;
	unsigned widths[SECTION_COLUMNS_MAX];
	bool is_left_out[SECTION_COLUMNS_MAX]; /* no room */
	char message[256];
	unsigned help_page; /* 0: no help */
	bool has_more_help; /* behind that page */
	struct pane pane;   /* over the table, while it is open */
};

static inline struct screen_frame *screen_current(struct screen *s)
{
	return &s->frames[s->current];
}

static inline struct screen_frame *screen_before(struct screen *s)
{
	return &s->frames[(s->current + SCREEN_FRAMES - 1) % SCREEN_FRAMES];
}

static inline struct screen_frame *screen_next(struct screen *s)
{
	return &s->frames[(s->current + 1) % SCREEN_FRAMES];
}

static inline size_t screen_row_count(const struct screen *s)
{
	return s->rows.size / sizeof(struct screen_row);
}

static inline struct screen_row *screen_row_at(const struct screen *s, size_t i)
{
	return (struct screen_row *)(void *)s->rows.data + i;
}

/* The table that is shown; NULL: the frame has none. */
struct screen_table *screen_table(struct screen *s);
/* The field that its rows are ordered by; NULL: none. */
const char *screen_sort(const struct screen *s, const struct screen_table *t, bool *is_ascending);
/* Makes `rows` of the current frame: marks, filter, order, tree. */
void screen_arrange(struct screen *s);
void screen_draw(struct screen *s);

/* Text in wide characters; returns how many columns it takes. */
int screen_chars(const char *text, wchar_t out[SCREEN_CHARS]);
/* At most `room` columns from x on; the last one says when something is cut. */
void screen_put(int y, int x, int room, const char *text);

/* Where text may go on in the next row. */
struct screen_place {
	int y, x, room, rows; /* y below 0: nothing is drawn */
};

/* Returns how many rows it takes; the last one says when something is cut. */
int screen_wrap(struct screen_place to, const char *text);
/* A cell as text for people. */
void screen_cell(
	struct buffer *out, const struct sooth_field *field, const struct sooth_record *record);

#endif
