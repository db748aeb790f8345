/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A capture as tables: one for each kind of record, by its schema, and one for each section of the
 * views. Columns come from the field tables, plus the members of every record header, the names of
 * system calls, and the reason why a value is missing.
 */
#pragma once

#include "sinks/json_members.h"

#define TABLES_MAX	  256
#define TABLE_COLUMNS_MAX 96
#define TABLE_NAME_SIZE	  64

enum column_source {
	COLUMN_FIELD,
	COLUMN_HEADER,	     /* member of every record header; zero or "none": no value */
	COLUMN_CALL,	     /* name of the system call, from the fields number and abi */
	COLUMN_CATEGORY,     /* category of that call */
	COLUMN_NOT_MEASURED, /* fields without a (whole) value, with the reason */
};

struct column {
	const char *name, *help;
	enum column_source source;
	const struct sooth_field *field; /* field of the column, or of the header */
};

enum table_choice { TABLE_UNDECIDED, TABLE_SELECTED, TABLE_LEFT_OUT };

struct table {
	char name[TABLE_NAME_SIZE];
	const struct sooth_schema *schema;
	bool is_of_records; /* rows are records of one kind; else rows of a view */
	bool is_part;	    /* rows that were nested in other rows */
	struct column columns[TABLE_COLUMNS_MAX];
	size_t column_count;
	uint64_t rows;
	enum table_choice choice;
	void *learned; /* schema that came with the capture; freed with the table */
	void *user;    /* for the caller */
};

struct tables {
	struct table *items[TABLES_MAX];
	size_t count;
	uint64_t refused; /* tables beyond the limit */
};

/* Makes a table for each kind of record that this build knows. */
int tables_init(struct tables *t, struct sooth_error *err);
void tables_fini(struct tables *t);
struct table *tables_of_schema(struct tables *t, const struct sooth_schema *schema);
/* Makes a table for a kind unknown to this build, from the capture's schema (stream.schema). */
void tables_learn(struct tables *t, const struct sooth_record *record);
/* Returns the table of a kind of record; NULL: none. */
struct table *tables_of_kind(const struct tables *t, uint16_t kind);
/* Returns the table of a section, made if new; NULL: out of memory, or beyond the limit. */
struct table *tables_of_section(struct tables *t, const struct section *section);
/* Returns the table for nested rows in `field` that deserve a table of their own; NULL: the field
 * has no such rows. */
struct table *tables_of_rows(struct tables *t, const struct sooth_field *field);
/* Finds a table by name, or by its schema's name, which has a point. */
struct table *tables_find(const struct tables *t, const char *name);
/* Returns the name nearest to an unknown one; NULL: none is near. */
const char *tables_nearest(const struct tables *t, const char *name);
/* Sets the error that no table has this name. */
int tables_refuse(
	const struct tables *t, const char *tried, const char *name, struct sooth_error *err);

/* Returns "INTEGER", "REAL" or "TEXT". */
const char *column_type(const struct column *c);
/* Returns the unit: "bytes", "ns", ...; "" for none. */
const char *column_unit(const struct column *c);

/* Returns a cell, whose text is UTF-8 without NUL; formatted values are stored in `scratch`. */
struct cell cell_get(const struct table *t, const struct column *c, const struct sooth_record *r,
	struct buffer *scratch);
