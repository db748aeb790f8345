/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A format that a capture is converted to: a row in exports.def and a file. It takes the rows of
 * tables as they come (tables.h), or is a view and a sink that are there anyway.
 */
#ifndef SOOTH_EXPORT_EXPORT_H
#define SOOTH_EXPORT_EXPORT_H

#include "analyze/calls/syscall_folded.h"
#include "base/file.h"
#include "export/feed.h"
#include "sinks/tabular.h"

struct export_options {
	const char *path;	      /* of the capture; "-": standard input */
	const char *output;	      /* "-": standard output */
	const char *const *names;     /* of the tables that are wanted */
	size_t name_count;	      /* 0: all but those that say again what others say */
	enum call_graph_value weight; /* of stacks */
	/* Selects processes; NULL: all. */
	int (*select)(void *user, struct sooth_report *report, struct sooth_error *err);
	void *user;
};

struct export_reported {
	uint64_t rows, tables;
	const char *main;     /* the only table that was written, chosen by sooth; NULL: not so */
	bool is_damaged;      /* parts of the capture could not be read */
	struct buffer losses; /* a line each */
	struct buffer limits; /* what the view left out, of a format that is one; a line each */
};

/* One export: what a format has at hand. */
struct export_place {
	struct out_file *file; /* NULL: a folder */
	const char *folder;
	const char *read; /* the capture: never written over */
	struct tables tables;
	struct tabular out;    /* lines of the file */
	struct buffer scratch; /* of cells */
	void *state;
};

struct export_type {
	const char *name, *help;
	unsigned parts;	   /* enum feed_part, when no table is named */
	bool is_of_one;	   /* a file holds one table; only a folder holds more */
	bool is_no_stream; /* it cannot go to standard output */
	bool has_choice;   /* of tables */
	/* Instead of tables: */
	const char *view, *sink;
	uint16_t needs; /* of a view: a kind without which there is nothing to write; 0: none */
	const char *needs_text, *needs_remedy;
	size_t state_size;
	const char *doing; /* what failed if writing the file does: "write CSV" */
	/* All but `row` may be NULL. */
	int (*open)(struct export_place *place, struct sooth_error *err);
	int (*row)(struct export_place *place, struct table *table,
		const struct sooth_record *record, struct sooth_error *err);
	int (*finish)(struct export_place *place, struct sooth_error *err);
	void (*close)(struct export_place *place); /* also when open failed */
};

extern const struct export_type *const export_types[]; /* NULL at the end */
const struct export_type *export_find(const char *name);
/* All of it; on failure nothing new stands under the name. */
int export_run(const struct export_type *type, const struct export_options *options,
	struct export_reported *told, struct sooth_error *err);

#endif
