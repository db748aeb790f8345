/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A capture as tables: one for each kind of record, by its schema, and one for each section of the
 * views. Columns come from the field tables, plus the members of every record header, the names of
 * system calls, and the reason why a value is missing.
 */
#ifndef SOOTH_EXPORT_TABLES_H
#define SOOTH_EXPORT_TABLES_H

#include "sinks/json_members.h"

#define TABLES_MAX	  256
#define TABLE_COLUMNS_MAX 96
#define TABLE_NAME_SIZE	  64

enum column_source {
	COLUMN_FIELD,
	COLUMN_HEADER,	     /* of every record; zero or "none" there means that there is none */
	COLUMN_CALL,	     /* name of a system call, of the fields number and abi */
	COLUMN_CATEGORY,     /* what that call is about */
	COLUMN_NOT_MEASURED, /* which fields have no value, or not the whole one, and why */
};

struct column {
	const char *name, *help;
	enum column_source source;
	const struct sooth_field *field; /* of a field or header */
};

enum table_choice { TABLE_UNDECIDED, TABLE_SELECTED, TABLE_LEFT_OUT };

struct table {
	char name[TABLE_NAME_SIZE];
	const struct sooth_schema *schema;
	bool is_of_records; /* of a kind; else a view's rows */
	bool is_part;	    /* rows that stood within others */
	struct column columns[TABLE_COLUMNS_MAX];
	size_t column_count;
	uint64_t rows;
	enum table_choice choice;
	void *learned; /* the schema, when the capture brought it; freed with the table */
	void *user;    /* of the caller */
};

struct tables {
	struct table *items[TABLES_MAX];
	size_t count;
	uint64_t refused; /* tables beyond the limit */
};

/* One for each kind that this build knows. */
int tables_init(struct tables *t, struct sooth_error *err);
void tables_fini(struct tables *t);
struct table *tables_of_schema(struct tables *t, const struct sooth_schema *schema);
/* A table of a kind this build does not know, of what the capture says of it (a stream.schema). */
void tables_learn(struct tables *t, const struct sooth_record *record);
/* That of such a kind; NULL: none. */
struct table *tables_of_kind(const struct tables *t, uint16_t kind);
/* That of a section; made when it is new. NULL without memory or beyond the limit. */
struct table *tables_of_section(struct tables *t, const struct section *section);
/* That of rows within rows, which people would look for in a table of their own; NULL: `field`
 * is none of these. */
struct table *tables_of_rows(struct tables *t, const struct sooth_field *field);
/* Also as the schema is called, with a point. */
struct table *tables_find(const struct tables *t, const char *name);
/* The nearest name to one that is none; NULL: none is near. */
const char *tables_nearest(const struct tables *t, const char *name);
/* Says that there is none of this name. */
int tables_refuse(
	const struct tables *t, const char *tried, const char *name, struct sooth_error *err);

/* "INTEGER", "REAL", "TEXT". */
const char *column_type(const struct column *c);
/* "bytes", "ns", ...; "" for none. */
const char *column_unit(const struct column *c);

/* Its text is UTF-8 without NUL; `scratch` holds a value that has to be formatted. */
struct cell cell_get(const struct table *t, const struct column *c, const struct sooth_record *r,
	struct buffer *scratch);

#endif
