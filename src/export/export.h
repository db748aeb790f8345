/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A format that a capture is converted to: a row in exports.def and a file. A format takes the rows
 * of tables (tables.h), or names an existing view and sink.
 */
#pragma once

#include "analyze/calls/syscall_folded.h"
#include "base/file.h"
#include "export/feed.h"
#include "secrets/name_hash.h"
#include "sinks/tabular.h"

struct export_options {
	/* Passes the input to the report; NULL: `path` is a capture. */
	int (*read)(const char *path, struct sooth_report *report, struct sooth_error *err);
	const char *path;	      /* path of the capture; "-": standard input */
	const char *output;	      /* "-": standard output */
	const char *const *names;     /* names of the selected tables */
	size_t name_count;	      /* 0: all tables, except ones that repeat others */
	enum call_graph_value weight; /* weight of stacks */
	const char *signal; /* format of signals: the only one to export; NULL: its default */
	/* Selects processes; NULL: all. */
	int (*select)(void *user, struct sooth_report *report, struct sooth_error *err);
	void *user;
	/* Only rows of a history that ended in this time, the end excluded; 0, UINT64_MAX: all. */
	uint64_t from_utc_ns, to_utc_ns;
	const struct name_key *name_key; /* names are hashed with this key; NULL: they are not */
};

struct export_reported {
	uint64_t rows, tables;
	const char *main;     /* the only written table, if sooth chose it; else NULL */
	bool is_damaged;      /* parts of the capture could not be read */
	struct buffer losses; /* one line per loss */
	struct buffer limits; /* format with a view: one line per omission */
};

/* State of one export, for its format. */
struct export_place {
	struct out_file *file; /* NULL: a folder */
	const char *folder;
	const char *read; /* path of the capture, which is never overwritten */
	const struct export_options *options;
	struct export_reported *told;
	struct tables tables;
	struct tabular out;    /* lines of the file */
	struct buffer scratch; /* buffer for formatting cells */
	bool is_chosen;	       /* tables are named */
	void *state;
};

struct export_type {
	const char *name, *help;
	unsigned parts;	   /* bits of enum feed_part, if no table is named */
	bool is_of_one;	   /* a file holds one table; only a folder holds more */
	bool is_no_stream; /* the format cannot go to standard output */
	bool has_choice;   /* tables can be selected */
	bool has_signals;  /* it has traces and logs instead of tables */
	/* For a format without tables: */
	const char *view, *sink;
	uint16_t needs; /* kind of record that the view needs; 0: none */
	const char *needs_text, *needs_remedy;
	size_t state_size;
	const char *doing; /* for errors: "write CSV" */
	/* All but `row` may be NULL. `segment` gets each definition of the host that the rows after
	 * it are of (stream.segment), also if its table is not selected. */
	int (*segment)(struct export_place *place, const struct sooth_record *record,
		struct sooth_error *err);
	int (*open)(struct export_place *place, struct sooth_error *err);
	int (*row)(struct export_place *place, struct table *table,
		const struct sooth_record *record, struct sooth_error *err);
	int (*finish)(struct export_place *place, struct sooth_error *err);
	void (*close)(struct export_place *place); /* also when open failed */
};

extern const struct export_type *const export_types[]; /* NULL at the end */
const struct export_type *export_find(const char *name);
/* Runs the whole export; after a failure an existing file is unchanged. */
int export_run(const struct export_type *type, const struct export_options *options,
	struct export_reported *told, struct sooth_error *err);
