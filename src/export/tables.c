/* SPDX-License-Identifier: BSD-2-Clause */
/* Which tables a capture is, and what columns they have; see tables.h. */
#include "export/tables.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/nearest.h"
#include "model/former_names.h"
#include "model/probe.h"
#include "model/schema.h"
#include "model/stream_records.h"

static const struct sooth_field header_fields[] = {
	FIELD_OF(UNSIGNED, sooth_record, time_ns, time_ns,
		"time of the event or sample (CLOCK_MONOTONIC)", .unit = SOOTH_UNIT_TIME_NS),
	FIELD_OF(UNSIGNED, sooth_record, pid, pid,
		"process id in the pid namespace of sooth; empty: the row is about the host"),
	FIELD_OF(UNSIGNED, sooth_record, start_ticks, start_ticks,
		"start of the process, in clock ticks after boot; unique together with the pid"),
	FIELD_OF(UNSIGNED, sooth_record, tid, tid,
		"thread id; empty: the row is about the whole process"),
	FIELD_OF(UNSIGNED, sooth_record, cpu, cpu, "number of the CPU on which the event happened"),
};

static void add_column(struct table *t, struct column column)
{
	if (t->column_count < TABLE_COLUMNS_MAX)
		t->columns[t->column_count++] = column;
}

static bool is_column_added(const struct table *t, const struct sooth_field *field)
{
	for (size_t i = 0; i < t->column_count; i++) {
		if (t->columns[i].field == field)
			return true;
	}
	return false;
}

/* Adds the columns of the record header, first in every table, unless a field has the same
 * value. */
static void add_header(struct table *t)
{
	for (size_t i = 0; i < sizeof(header_fields) / sizeof(header_fields[0]); i++) {
		const struct sooth_field *f = &header_fields[i];
		const struct sooth_field *own = sooth_schema_field(t->schema, f->name);
		bool names_process = f->offset == offsetof(struct sooth_record, pid) ||
				     f->offset == offsetof(struct sooth_record, start_ticks);

		/* Only pid and start_ticks are filled in the header of a view's row. */
		if (own)
			add_column(t, (struct column){ own->name, own->help, COLUMN_FIELD, own });
		else if (t->is_of_records || names_process)
			add_column(t, (struct column){ f->name, f->help, COLUMN_HEADER, f });
	}
}

static bool has_call(const struct sooth_schema *schema)
{
	return sooth_schema_field(schema, "number") && sooth_schema_field(schema, "abi");
}

/* Returns whether the nested rows of a field get their own table: many rows without a key. */
static bool is_split_field(const struct sooth_field *f)
{
	return f->type == SOOTH_FIELD_ROWS && !f->is_single && !f->is_keyed;
}

static void add_columns(struct table *t)
{
	add_header(t);
	for (size_t i = 0; i < t->schema->field_count; i++) {
		const struct sooth_field *f = &t->schema->fields[i];

		/* Rows in a part are not split again. */
		bool is_split = !t->is_of_records && !t->is_part && is_split_field(f);

		if (!is_split && !is_column_added(t, f))
			add_column(t, (struct column){ f->name, f->help, COLUMN_FIELD, f });
		if (has_call(t->schema) && !strcmp(f->name, "abi")) {
			add_column(t,
				(struct column){ "call", "name of the call", COLUMN_CALL, NULL });
			add_column(t, (struct column){ "category", "category of the call",
					      COLUMN_CATEGORY, NULL });
		}
	}
	add_column(t, (struct column){ "not_measured",
			      "fields without a complete value, and the reason: JSON",
			      COLUMN_NOT_MEASURED, NULL });
}

/* Copies a name without its points, which would need quotes in SQL. */
static void copy_name(char *to, const char *name)
{
	size_t i = 0;

	for (; name[i] && i + 1 < TABLE_NAME_SIZE; i++)
		to[i] = name[i] == '.' || name[i] == '-' ? '_' : name[i];
	to[i] = '\0';
}

static struct table *make_table(struct tables *t, const char *name,
	const struct sooth_schema *schema, bool is_of_records, bool is_part)
{
	struct table *table;

	if (t->count == TABLES_MAX) {
		t->refused++;
		return NULL;
	}
	table = calloc(1, sizeof(*table));
	if (!table)
		return NULL;
	copy_name(table->name, name);
	table->schema = schema;
	table->is_of_records = is_of_records;
	table->is_part = is_part;
	add_columns(table);
	t->items[t->count++] = table;
	return table;
}

static struct table *tables_add(struct tables *t, const struct sooth_schema *schema, void *learned)
{
	struct table *table = make_table(t, schema->name, schema, true, false);

	if (table)
		table->learned = learned;
	return table;
}

static int make_tables(
	struct tables *t, const struct sooth_schema *const *schemas, struct sooth_error *err)
{
	for (; *schemas; schemas++) {
		if (!make_table(t, (*schemas)->name, *schemas, true, false))
			return error_no_memory(err);
	}
	return 0;
}

int tables_init(struct tables *t, struct sooth_error *err)
{
	int status = make_tables(t, stream_schemas, err);

	for (size_t i = 0; registry_probes[i] && !status; i++)
		status = make_tables(t, registry_probes[i]->schemas, err);
	return status;
}

void tables_fini(struct tables *t)
{
	for (size_t i = 0; i < t->count; i++) {
		free(t->items[i]->learned);
		free(t->items[i]);
	}
	*t = (struct tables){ 0 };
}

struct table *tables_of_schema(struct tables *t, const struct sooth_schema *schema)
{
	for (size_t i = 0; i < t->count; i++) {
		if (t->items[i]->schema == schema && t->items[i]->is_of_records)
			return t->items[i];
	}
	return NULL;
}

/*
 * Views name sections for one report; a schema name with a dot adds the
 * view. Notes are records too.
 */
static struct table *table_of_rows(
	struct tables *t, const char *name, const struct sooth_schema *schema, bool is_part)
{
	char wanted[TABLE_NAME_SIZE];
	bool is_note = schema->class_ != SOOTH_CLASS_ROW;

	copy_name(wanted, strchr(schema->name, '.') && !is_note ? schema->name : name);
	for (size_t i = 0; i < t->count; i++) {
		if (!t->items[i]->is_of_records && t->items[i]->schema == schema &&
			!strcmp(t->items[i]->name, wanted))
			return t->items[i];
	}
	return make_table(t, wanted, schema, false, is_part);
}

struct table *tables_of_section(struct tables *t, const struct section *section)
{
	return table_of_rows(t, section->name, section->schema, false);
}

struct table *tables_of_rows(struct tables *t, const struct sooth_field *field)
{
	return is_split_field(field) ? table_of_rows(t, field->name, field->rows, true) : NULL;
}

static struct table *find_present_table(const struct tables *t, const char *name)
{
	char found[TABLE_NAME_SIZE];

	copy_name(found, name);
	for (size_t i = 0; i < t->count; i++) {
		if (!strcmp(t->items[i]->name, found))
			return t->items[i];
	}
	return NULL;
}

struct table *tables_find(const struct tables *t, const char *name)
{
	struct table *table = find_present_table(t, name);
	const char *now = table ? NULL : table_new_name(name);

	return now ? find_present_table(t, now) : table;
}

const char *tables_nearest(const struct tables *t, const char *name)
{
	const char *names[TABLES_MAX];

	for (size_t i = 0; i < t->count; i++)
		names[i] = t->items[i]->name;
	return nearest_name(name, names, t->count);
}

int tables_refuse(
	const struct tables *t, const char *tried, const char *name, struct sooth_error *err)
{
	const char *near = tables_nearest(t, name);

	error_set(err, -ENOENT, SOOTH_FAULT_USAGE, "%s the table %s", tried, name);
	error_why(err, "the capture has no table of this name");
	if (near)
		return error_remedy(err, "did you mean %s?", near);
	return error_remedy(err, "`sooth query FILE --tables` lists the tables");
}

const char *column_type(const struct column *c)
{
	if (!c->field)
		return "TEXT";
	switch (c->field->type) {
	case SOOTH_FIELD_UNSIGNED:
	case SOOTH_FIELD_SIGNED:
	case SOOTH_FIELD_BOOL:
		return "INTEGER";
	case SOOTH_FIELD_REAL:
		return "REAL";
	default:
		return "TEXT";
	}
}

const char *column_unit(const struct column *c)
{
	static const char *const names[] = {
		[SOOTH_UNIT_NONE] = "",
		[SOOTH_UNIT_BYTES] = "bytes",
		[SOOTH_UNIT_NS] = "ns",
		[SOOTH_UNIT_TIME_NS] = "ns, monotonic",
		[SOOTH_UNIT_UTC_NS] = "ns since 1970",
		[SOOTH_UNIT_PERCENT] = "percent",
		[SOOTH_UNIT_HEX] = "address or mask",
		[SOOTH_UNIT_S] = "s",
	};

	return c->field && c->field->type != SOOTH_FIELD_ROWS ? names[c->field->unit] : "";
}

/*
 * Kinds of records that this build does not know. The capture of a newer sooth describes their
 * fields itself (docs/capture-format.md), without help texts and names of enumerations. The
 * description is untrusted: if it has an error, the kind stays unknown.
 */

#define FIELDS_MAX     64
#define FIELD_NAME_MAX 48
#define LETTERS	       "abcdefghijklmnopqrstuvwxyz0123456789_"

struct learned {
	struct sooth_schema schema;
	struct sooth_field fields[FIELDS_MAX];
	char names[FIELDS_MAX][FIELD_NAME_MAX];
	char name[TABLE_NAME_SIZE];
};

static bool copy_word(char *to, size_t room, struct span word, const char *letters)
{
	if (!word.size || word.size >= room)
		return false;
	memcpy(to, word.data, word.size);
	to[word.size] = '\0';
	return strspn(to, letters) == word.size;
}

/* Returns the allowed sizes of a member of a type, in bytes, as a bit mask. */
static unsigned sizes_of(uint64_t type)
{
	switch (type) {
	case SOOTH_FIELD_UNSIGNED:
		return 1 | 2 | 4 | 8;
	case SOOTH_FIELD_SIGNED:
		return 4 | 8;
	case SOOTH_FIELD_BOOL:
		return 1;
	case SOOTH_FIELD_ENUM:
	case SOOTH_FIELD_ERRNO:
		return 1 | 2 | 4;
	case SOOTH_FIELD_REAL:
	case SOOTH_FIELD_TEXT:
	case SOOTH_FIELD_ARGS:
	case SOOTH_FIELD_LIST:
	case SOOTH_FIELD_TEXTS:
		return 8;
	default:
		return 0;
	}
}

static bool has_size(uint64_t type, uint64_t size)
{
	if (type == SOOTH_FIELD_CHARS)
		return size && size <= 4096;
	if (type == SOOTH_FIELD_HISTOGRAM)
		return size && size <= 4096 && size % sizeof(uint32_t) == 0;
	return size && size <= 8 && (size & (size - 1)) == 0 && sizes_of(type) & size;
}

/* Returns whether a table has a column of this name beside its fields. */
static bool is_taken(const char *name)
{
	return !strcmp(name, "table") || !strcmp(name, "call") || !strcmp(name, "category") ||
	       !strcmp(name, "not_measured");
}

/* Parses a line "name type unit offset size state_offset". */
static bool parse_field(struct learned *l, struct span line)
{
	struct cursor c = cursor_over(line.data, line.size);
	size_t at = l->schema.field_count;
	struct span name = cursor_word(&c);
	uint64_t type = cursor_decimal(&c), unit = cursor_decimal(&c);
	uint64_t offset = cursor_decimal(&c), size = cursor_decimal(&c);
	uint64_t state = cursor_decimal(&c);

	if (c.failed || at == FIELDS_MAX || !copy_word(l->names[at], FIELD_NAME_MAX, name, LETTERS))
		return false;
	if (!has_size(type, size) || offset + size > UINT16_MAX || offset > UINT16_MAX ||
		state > UINT16_MAX || is_taken(l->names[at]) ||
		sooth_schema_field(&l->schema, l->names[at]))
		return false;
	l->fields[at] = (struct sooth_field){ .name = l->names[at],
		.help = "field known only to the version of sooth that wrote the capture",
		.type = (enum sooth_field_type)type,
		.unit = unit <= SOOTH_UNIT_S ? (enum sooth_unit)unit : SOOTH_UNIT_NONE,
		.offset = (uint16_t)offset,
		.size = (uint16_t)size,
		.state_offset = (uint16_t)state };
	l->schema.field_count++;
	return true;
}

static struct span text_of(const struct sooth_record *r, const char *name)
{
	const struct sooth_schema *schema = registry_schema(STREAM_SCHEMA);
	struct sooth_value v = sooth_field_get(sooth_schema_field(schema, name), r);

	return v.state == SOOTH_STATE_VALUE ? span_of(v.text.data, v.text.size) : span_of("", 0);
}

static bool read_schema(struct learned *l, const struct sooth_record *r)
{
	const struct stream_schema *s = (const void *)r;
	struct span fields = text_of(r, "fields");
	struct cursor lines = cursor_over(fields.data, fields.size);

	l->schema.name = l->name;
	l->schema.kind = (uint16_t)s->kind;
	l->schema.class_ = (enum sooth_class)s->class_;
	l->schema.fields = l->fields;
	if (!copy_word(l->name, sizeof(l->name), text_of(r, "name"), LETTERS "."))
		return false;
	while (!cursor_at_end(&lines)) {
		if (!parse_field(l, cursor_line(&lines)))
			return false;
	}
	return true;
}

struct table *tables_of_kind(const struct tables *t, uint16_t kind)
{
	for (size_t i = 0; i < t->count; i++) {
		if (t->items[i]->learned && t->items[i]->schema->kind == kind)
			return t->items[i];
	}
	return NULL;
}

void tables_learn(struct tables *t, const struct sooth_record *r)
{
	const struct stream_schema *s = (const void *)r;
	struct learned *l;

	if ((size_t)r->fixed_words * SOOTH_RECORD_WORD < sizeof(*s) || s->kind > UINT16_MAX ||
		s->class_ >= SOOTH_CLASS_ROW || registry_schema((uint16_t)s->kind) ||
		tables_of_kind(t, (uint16_t)s->kind))
		return;
	l = calloc(1, sizeof(*l));
	if (!l)
		return;
	if (!read_schema(l, r) || tables_find(t, l->name) || !tables_add(t, &l->schema, l))
		free(l);
}
