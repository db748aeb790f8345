/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A sink is an output format. It receives sections and rows, and renders them by their field
 * tables, without knowing the kind of a record. A report in frames (-w) calls begin and end for
 * each frame.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"
#include "model/batch.h"
#include "model/field.h"

enum section_shape {
	SECTION_INLINE, /* one row whose fields belong to the report itself */
	SECTION_OBJECT, /* one row */
	SECTION_TABLE,	/* any number of rows, known at the end */
	SECTION_KEYED,	/* a table whose rows are known by their first field */
	SECTION_STREAM, /* rows as they happen */
};

/* The readers of a section. Formats for programs get all of a report; text for people is short
 * unless it is verbose. */
enum section_audience {
	SECTION_FOR_ALL,
	SECTION_FOR_PEOPLE, /* section for text output only */
	SECTION_BRIEF,	    /* section for text output only, unless it is verbose */
	SECTION_DETAIL,	    /* programs, and verbose text */
};

/* Names of the fields of stacks that are single samples, by thread and then by time. A row of depth
 * 0 begins the next sample. */
struct section_samples {
	const char *time; /* field with the time since the recording began */
	const char *process, *pid, *thread, *tid;
	const char *file;	/* field with the file of the frame: program, library, source */
	const char *weight;	/* field with the time that the sample stands for */
	uint64_t start_unix_ns; /* time at which the recording started; 0: unknown */
};

/* Names of the fields of a tree whose rows are frames of stacks, for sinks that draw it. */
struct section_graph {
	const char *origin; /* text about what was observed, when, and how much; NULL: unknown */
	const char *about;  /* relation of a row to the row above it, in words */
	/* A number: the sum of the row and of all rows below it. The rest is the row's own part. */
	const char *weight;
	const char *kind; /* an enum that chooses the color of the row; NULL: none */
	const char *own;  /* a BOOL: code of the target itself; NULL: nothing is known of that */
	/* In a comparison: the values of the first and of the second report, and whether they
	 * differ; `weight` is the value that shows both. NULL: nothing is compared. */
	const char *before, *after, *differs;
	const struct section_samples *samples; /* NULL: the stacks are aggregated */
	bool is_icicle;			       /* the first frames are above the others */
	double least_share; /* share of the total; rows with less need not be drawn */
};

struct section_metrics;

struct section {
	const char *name;  /* JSON key */
	const char *title; /* heading for people; NULL: none */
	const struct sooth_schema *schema;
	enum section_shape shape;
	const char *columns;  /* "pid,name,cpu_percent" for a table; NULL: all not hidden */
	const char *if_empty; /* text for a section without rows; NULL: none */
	size_t rows_least;    /* least number of rows for a table in text output */
	size_t rows_most;     /* rows that people see; the rest is only counted; 0: all */
	/* For rows that form a tree: the column that shows it, and the field with the depth of each
	 * row. A row belongs to the nearest earlier row with a smaller depth. NULL: no tree. */
	const char *tree, *depth;
	const struct section_graph *graph; /* NULL: rows are no frames */
	const char *spare; /* "ppid,state": columns that a narrow terminal leaves out, in that
			    * order; NULL: the columns on the right */
	bool hides_spare;  /* only verbose text names the columns that were left out */
	/* is_heat: values over time are a strip for each row, in which the color is the value.
	 * has_own_scales: each row is scaled to its own highest value, not to that of all rows. */
	bool is_heat, has_own_scales;
	/* The field that names parts of a whole. Rows with all other words in common form a whole;
	 * its first row is the whole itself. NULL: rows are not parts. */
	const char *parts;
	const char *below; /* a TEXT field that has a line below its row; NULL: none */
	const char *alarm; /* a BOOL field: true marks a row that needs attention; NULL: none */
	enum section_audience audience;
	bool is_empty_detail; /* `if_empty` is only for verbose text */
	bool wraps;	      /* lines wrap at the end of a terminal, and continue indented */
	const char *color;    /* field whose level colors the line, in a section of lines */
	bool is_last;	      /* printed after all measured sections, among the notes */
	/* The sections whose rows may come between those of a stream, NULL at the end; NULL: none.
	 * Formats that name columns before the first row need them. */
	const struct section *const *asides;
	const struct section_metrics *metrics; /* explain/section_metrics.h; NULL: none */
};

#define SECTION_OF(name_, schema_, shape_, ...)                                                    \
	{                                                                                          \
		.name = name_, .schema = &(schema_), .shape = SECTION_##shape_, __VA_ARGS__        \
	}

/* Version of the names and types in JSON; docs/json.md lists what each version changed. */
#define REPORT_SCHEMA_VERSION 2

struct report_head {
	const char *name; /* name of the schema: "trace" */
	unsigned version; /* version of the schema */
};

enum packing { PACKING_NONE, PACKING_GZIP, PACKING_ZSTD };

struct sink_attachment {
	const char *key;
	char *text; /* NULL: not there */
	size_t size;
};

struct sink_options {
	FILE *stream;	/* borrowed */
	unsigned width; /* width of the terminal; 0: none, do not cut */
	bool use_color;
	bool in_lines;	 /* an object on one line each */
	bool is_verbose; /* text: also prints what explains the report itself */
	bool is_inline;	 /* a picture inside a page, which has the styles and scripts */
	void *user;	 /* data for a sink that is no format */
	/* JSON: a text that is the last member, if it is there at the end. NULL: none. */
	const struct sink_attachment *attached;
	enum packing packing; /* compression, for a sink whose readers take compressed files */
};

struct sink_type {
	const char *name;
	const char *alias; /* another name; NULL: none */
	const char *help;
	size_t state_size;
	/* The sink writes lines: rows of another section, which was not begun, may come between the
	 * rows of a stream. */
	bool takes_asides;
	/* The sink writes text, and leaves out sections that people need only on request. */
	bool is_for_people;
	/* The sink gets the sections of short and of verbose text. */
	bool has_room;
	/* The sink needs stacks: other rows give nothing or nonsense, so it is no format for every
	 * report. */
	bool is_of_stacks;
	/* The sink has a place for the time and thread of each sample. */
	bool is_of_samples;
	/* A command uses the sink; --format does not offer it. */
	bool is_unlisted;
	int (*open)(void *state, const struct sink_options *options, struct sooth_error *err);
	/* From here on all functions but `rows` may be NULL: then nothing is done. */
	int (*begin)(void *state, const struct report_head *head, struct sooth_error *err);
	int (*section)(void *state, const struct section *section, struct sooth_error *err);
	int (*rows)(void *state, const struct section *section, const struct batch *batch,
		struct sooth_error *err);
	int (*section_end)(void *state, const struct section *section, struct sooth_error *err);
	/* Takes each record of the recording, before any row that is made of it. */
	void (*record)(
		void *state, const struct sooth_schema *schema, const struct sooth_record *record);
	int (*end)(void *state, struct sooth_error *err);
	void (*close)(void *state);
};

/* Wrappers for callers with a sink of an unknown type. */
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
