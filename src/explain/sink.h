/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A sink is an output format. It receives sections and rows and renders them by their field tables;
 * it never asks what kind of record it has. A report in frames begins and ends more than once.
 */
#ifndef SOOTH_EXPLAIN_SINK_H
#define SOOTH_EXPLAIN_SINK_H

#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"
#include "model/batch.h"
#include "model/field.h"

enum section_shape {
	SECTION_INLINE, /* one row whose fields belong to the report itself */
	SECTION_OBJECT, /* one row */
	SECTION_TABLE,	/* any number of rows, known at the end */
	SECTION_KEYED,	/* the same, each known by its first field */
	SECTION_STREAM, /* rows as they happen */
};

/* Formats for programs get all of a report; text for people is short unless it is verbose. */
enum section_audience {
	SECTION_FOR_ALL,
	SECTION_FOR_PEOPLE, /* text alone */
	SECTION_BRIEF,	    /* text alone, unless it is verbose */
	SECTION_DETAIL,	    /* programs, and verbose text */
};

/* Names of the fields of stacks that are single samples, thread by thread in the order of time. A
 * row of depth 0 begins the next sample. */
struct section_samples {
	const char *time; /* since the recording began */
	const char *process, *pid, *thread, *tid;
	const char *file;	/* of the frame: program, library, source */
	const char *weight;	/* time that the sample stands for */
	uint64_t start_unix_ns; /* of the recording; 0: unknown */
};

/* Names of the fields of a tree whose rows are frames of stacks, for sinks that draw it. */
struct section_graph {
	const char *origin; /* what was observed, when, and how much; NULL: not known */
	const char *about;  /* what stands below what, in words */
	/* A number: the sum of the row and of all rows below it. The row's own part is the rest. */
	const char *weight;
	const char *kind; /* an enum that chooses the color of the row; NULL: none */
	/* Compared: what the first and the second had, and whether that is a difference at all; the
	 * weight is what shows both. NULL: nothing is compared. */
	const char *before, *after, *differs;
	const struct section_samples *samples; /* NULL: stacks are summed up */
	bool is_icicle;			       /* the first frames stand above the others */
	double least_share;		       /* of all: what is narrower need not be drawn */
};

struct section {
	const char *name;  /* JSON key */
	const char *title; /* heading for people; NULL: none */
	const struct sooth_schema *schema;
	enum section_shape shape;
	const char *columns;  /* "pid,name,cpu_percent" for a table; NULL: all not hidden */
	const char *if_empty; /* text for a section without rows; NULL: none */
	size_t rows_least;    /* fewer are not worth a table for people */
	size_t rows_most;     /* people see so many and how many more there are; 0: all */
	/* Rows that stand below others: the column that shows it, and the field that says how deep
	 * each is; it stands below the last one before it that is less deep. NULL: none does. */
	const char *tree, *depth;
	const struct section_graph *graph; /* NULL: rows are no frames */
	const char *spare; /* "ppid,state": columns that a narrow terminal may do without, in that
			    * order; NULL: those on the right */
	bool hides_spare;  /* only verbose text names the columns that found no room */
	/* is_heat: values over time are a strip for each row, whose color is the value.
	 * has_own_scales: each row goes from 0 to its own highest value, not to that of all
	 * rows. */
	bool is_heat, has_own_scales;
	/* The field that names parts of a whole, which is the first of the rows that have all other
	 * words in common; NULL: rows are not parts. */
	const char *parts;
	const char *below; /* a TEXT field that stands in a line below its row; NULL: none */
	const char *alarm; /* a BOOL field: where it is true the row deserves a look; NULL: none */
	enum section_audience audience;
	bool is_empty_detail; /* `if_empty` is only for verbose text */
	bool wraps;	      /* lines break where a terminal ends, further in than their start */
	const char *color;    /* of a section of lines: the field whose level colors the line */
	bool is_last;	      /* it stands after all measured sections, among the notes */
	/* The sections whose rows may come among those of a stream, NULL at the end; NULL: none.
	 * Formats that name columns before the first row read them here. */
	const struct section *const *asides;
};

#define SECTION_OF(name_, schema_, shape_, ...)                                                    \
	{                                                                                          \
		.name = name_, .schema = &(schema_), .shape = SECTION_##shape_, __VA_ARGS__        \
	}

/* Version of the names and types in JSON; docs/json.md lists what each version changed. */
#define REPORT_SCHEMA_VERSION 2

struct report_head {
	const char *name; /* of the schema: "trace" */
	unsigned version; /* of the schema */
};

enum packing { PACKING_NONE, PACKING_GZIP, PACKING_ZSTD };

struct sink_options {
	FILE *stream;	/* borrowed */
	unsigned width; /* of the terminal; 0: none, do not cut */
	bool use_color;
	bool in_lines;	      /* an object on one line each */
	bool is_verbose;      /* text: also what explains the report itself */
	void *user;	      /* of a sink that is no format */
	enum packing packing; /* of a sink whose readers take compressed files */
};

struct sink_type {
	const char *name;
	const char *alias; /* another name; NULL: none */
	const char *help;
	size_t state_size;
	/* It writes lines: rows of another section, which was not begun, may come among those of a
	 * stream. */
	bool takes_asides;
	/* Text: it leaves out sections that people need only on request. */
	bool is_for_people;
	/* Rows that are no stacks give nothing, or nonsense: it is no format for every report. */
	bool is_of_stacks;
	/* It has a place for the time and thread of each sample. */
	bool is_of_samples;
	/* A command writes it; it is no format of --format. */
	bool is_unlisted;
	int (*open)(void *state, const struct sink_options *options, struct sooth_error *err);
	/* NULL, from here on all but rows: nothing is to be done then. */
	int (*begin)(void *state, const struct report_head *head, struct sooth_error *err);
	int (*section)(void *state, const struct section *section, struct sooth_error *err);
	int (*rows)(void *state, const struct section *section, const struct batch *batch,
		struct sooth_error *err);
	int (*section_end)(void *state, const struct section *section, struct sooth_error *err);
	int (*end)(void *state, struct sooth_error *err);
	void (*close)(void *state);
};

/* For callers with a sink of an unknown type. */
static inline int sink_begin(const struct sink_type *type, void *state,
	const struct report_head *head, struct sooth_error *err)
{
	return type->begin ? type->begin(state, head, err) : 0;
}

static inline int sink_section(const struct sink_type *type, void *state,
	const struct section *section, struct sooth_error *err)
{
	return type->section ? type->section(state, section, err) : 0;
}

static inline int sink_section_end(const struct sink_type *type, void *state,
	const struct section *section, struct sooth_error *err)
{
	return type->section_end ? type->section_end(state, section, err) : 0;
}

static inline int sink_end(const struct sink_type *type, void *state, struct sooth_error *err)
{
	return type->end ? type->end(state, err) : 0;
}

static inline void sink_close(const struct sink_type *type, void *state)
{
	if (type->close)
		type->close(state);
}

#endif
