/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/comparison/comparison_keys.h"

#include <stdio.h>
#include <string.h>

#include "analyze/records.h"

#define ROWS_MAX    4194304
#define PIDS_MAX    65536
#define TEXTS_BYTES ((size_t)512 << 20)
#define LABEL_BYTES 512

/* Fields that identify something only while it exists. */
static const char *const identities[] = { "pid", "ppid", "tid", "inode", "watch", "inner_pid",
	"role_pid", "session_pid", "holder_pid", "session_id", "pid_namespace", "namespace",
	"unnamed_inode", "start_ticks", "time_ns", "sender_pid" };

/* Fields that are momentary, ever-growing, or derived from compared values. */
static const char *const passing[] = { "state", "states", "call", "wait_channel", "elapsed_s",
	"elapsed_time", "cpu_ns", "position", "interval_ns", "status", "last_cpu", "uptime_ns",
	"claim", "text", "remedy", "key", "unseen", "caveats", "fine_text", "unseen_text",
	"last_seen_utc_ns", "first_seen_utc_ns", "evidence_text", "fds", "activity", "tool",
	"running", "rss_human" };

static bool identifies_row(const struct sooth_field *f)
{
	return f->unit == SOOTH_UNIT_HEX ||
	       SPAN_ANY(span_of_string(f->name), span_equal, identities);
}

bool is_comparable(const struct sooth_field *f)
{
	return !f->is_key && !f->is_hidden && !identifies_row(f) && f->unit != SOOTH_UNIT_TIME_NS &&
	       f->unit != SOOTH_UNIT_UTC_NS &&
	       !SPAN_ANY(span_of_string(f->name), span_equal, passing);
}

const char *compared_text(const struct compared_rows *rows, const struct sooth_text *text)
{
	return text->size ? (const char *)rows->texts.data + text->offset : "";
}

static struct sooth_text store_text(struct compared_rows *rows, const struct buffer *text)
{
	struct sooth_text kept = { (uint32_t)rows->texts.size, (uint32_t)text->size };

	buffer_append(&rows->texts, text->data, text->size);
	buffer_char(&rows->texts, '\0');
	return kept;
}

/* --- processes --- */

static void add_value(struct buffer *out, const struct sooth_schema *schema, const char *name,
	const struct sooth_record *row, const char *before)
{
	const struct sooth_field *f = sooth_schema_field(schema, name);
	struct sooth_value v = value_named(schema, row, name);

	if (!value_is_there(&v))
		return;
	buffer_string(out, before);
	if (f->type == SOOTH_FIELD_TEXT || f->type == SOOTH_FIELD_CHARS)
		buffer_append(out, v.text.data, v.text.size); /* the sink escapes the text */
	else
		value_format(out, f, &v);
}

/* Returns whether the rows of a schema describe a process. */
static bool names_process(const struct sooth_schema *schema)
{
	return sooth_schema_field(schema, "pid") && sooth_schema_field(schema, "name") &&
	       sooth_schema_field(schema, "agent");
}

static void name_process(struct compared_rows *rows, const struct sooth_schema *schema,
	const struct sooth_record *row)
{
	struct compared_process *p = map_put(&rows->processes, &row->pid, NULL);
	struct buffer label = { .limit = LABEL_BYTES };

	if (!p)
		return;
	if (row->start_ticks)
		p->start_ticks = row->start_ticks;
	if (p->label.size || !names_process(schema))
		return;
	add_value(&label, schema, "agent", row, "");
	add_value(&label, schema, "role", row, label.size ? " " : "");
	add_value(&label, schema, "project", row, label.size ? " in " : "in ");
	if (!label.size)
		add_value(&label, schema, "name", row, "");
	if (!buffer_failed(&label) && label.size)
		p->label = store_text(rows, &label);
	buffer_fini(&label);
}

static void find_processes(struct compared_rows *rows, const struct comparison_side *side)
{
	for (size_t i = 0; i < side->table_count; i++) {
		struct batch all = { side->tables[i].rows.data, side->tables[i].rows.size };

		batch_for_each (r, &all) {
			if (r->pid)
				name_process(rows, side->tables[i].schema, r);
		}
	}
}

static void match_processes(struct compared_rows *rows, const struct comparison_side *other)
{
	for (size_t i = 0; *rows->side->boot_id && i < other->table_count; i++) {
		struct batch all = { other->tables[i].rows.data, other->tables[i].rows.size };

		batch_for_each (r, &all) {
			struct compared_process *p = map_get(&rows->processes, &r->pid);

			if (p && r->start_ticks && p->start_ticks == r->start_ticks &&
				!strcmp(rows->side->boot_id, other->boot_id))
				p->is_on_both = true;
		}
	}
}

/* Numbers a process if several processes have its name. */
static void number_process(
	struct compared_rows *rows, struct map *seen, uint32_t pid, struct compared_process *p)
{
	struct buffer label = { .limit = LABEL_BYTES };
	uint32_t *count;
	char key[128] = "";

	buffer_string(&label, compared_text(rows, &p->label));
	if (!label.size && !p->is_on_both)
		buffer_string(&label, "process");
	if (p->is_on_both) {
		buffer_format(&label, "%spid %u", label.size ? " " : "", pid);
	} else {
		snprintf(key, sizeof(key), "%s", buffer_cstr(&label));
		count = map_put(seen, key, NULL);
		if (count && ++*count > 1)
			buffer_format(&label, " #%u", *count);
	}
	p->label = store_text(rows, &label);
	buffer_fini(&label);
}

static void number_processes(struct compared_rows *rows)
{
	struct map seen;

	map_init(&seen, 128, sizeof(uint32_t), PIDS_MAX);
	map_for_each (&rows->processes, const uint32_t *, key, void *, value)
		number_process(rows, &seen, *key, value);
	map_fini(&seen);
}

/* --- rows --- */

/* Appends the values of the key fields, without PIDs and the like if processes differ. */
static bool add_keys(struct buffer *out, const struct sooth_schema *schema,
	const struct sooth_record *row, bool is_same_process)
{
	bool has_key = false;

	for (size_t i = 0; i < schema->field_count; i++) {
		const struct sooth_field *f = &schema->fields[i];

		if (!f->is_key || (!is_same_process && identifies_row(f)))
			continue;
		add_value(out, schema, f->name, row, has_key ? " " : "");
		has_key = true;
	}
	return has_key;
}

static bool is_text_field(const struct sooth_field *f)
{
	return f->type == SOOTH_FIELD_TEXT || f->type == SOOTH_FIELD_CHARS ||
	       f->type == SOOTH_FIELD_ENUM || f->type == SOOTH_FIELD_ERRNO;
}

/* Appends the first texts of a row, which name a row without key fields. */
static void add_words(
	struct buffer *out, const struct sooth_schema *schema, const struct sooth_record *row)
{
	bool has_any = false;

	for (size_t i = 0; i < schema->field_count; i++) {
		const struct sooth_field *f = &schema->fields[i];

		if (identifies_row(f) || f->is_hidden)
			continue;
		if (!is_text_field(f) || SPAN_ANY(span_of_string(f->name), span_equal, passing) ||
			!strcmp(f->name, "severity"))
			break;
		add_value(out, schema, f->name, row, has_any ? " " : "");
		has_any = true;
	}
}

/* Returns whether rows depend on the momentary state of threads: the next sample has others. */
static bool is_of_moment(const struct sooth_schema *schema)
{
	for (size_t i = 0; i < schema->field_count; i++) {
		if (schema->fields[i].is_key && schema->fields[i].type == SOOTH_FIELD_CHARS &&
			!strcmp(schema->fields[i].name, "state"))
			return true;
	}
	return false;
}

static bool has_address_key(const struct sooth_schema *schema)
{
	for (size_t i = 0; i < schema->field_count; i++) {
		if (schema->fields[i].is_key && schema->fields[i].unit == SOOTH_UNIT_HEX)
			return true;
	}
	return false;
}

struct row_key {
	uint64_t a, b;
};

/* Hashes by FNV-1a, twice. Two tables with one name may have different schemas. */
static struct row_key key_of(const struct sooth_schema *top, const char *table, const char *label)
{
	struct row_key k = { 0xcbf29ce484222325ull ^ (uintptr_t)top,
		0x84222325cbf29ce4ull ^ (uintptr_t)top };
	const char *const parts[] = { table, label };

	for (size_t i = 0; i < 2; i++) {
		for (const char *at = parts[i]; *at; at++) {
			k.a = (k.a ^ (unsigned char)*at) * 0x100000001b3ull;
			k.b = (k.b ^ (unsigned char)*at) * 0x10000000233ull;
		}
		k.a = (k.a ^ 0xff) * 0x100000001b3ull;
		k.b = (k.b ^ 0xff) * 0x10000000233ull;
	}
	return k;
}

/* Adds a row. Returns its number, from 1; 0: there are too many. */
static uint32_t add_row(struct compared_rows *rows, struct compared_row row, const char *table,
	struct buffer *label)
{
	struct row_key key = key_of(row.top, table, buffer_cstr(label));
	uint32_t *count = map_put(&rows->by_base, &key, NULL), *index;
	struct buffer name = { 0 };

	if (count && ++*count > 1) {
		buffer_format(label, " #%u", *count);
		key = key_of(row.top, table, buffer_cstr(label));
	}
	index = count ? map_put(&rows->by_key, &key, NULL) : NULL;
	if (!index)
		return 0;
	*index = (uint32_t)(rows->rows.size / sizeof(row));
	buffer_string(&name, table);
	row.table = store_text(rows, &name);
	row.label = store_text(rows, label);
	buffer_append(&rows->rows, &row, sizeof(row));
	buffer_fini(&name);
	return (uint32_t)(rows->rows.size / sizeof(row));
}

/* The place of a row in the report. */
struct place {
	const struct sooth_schema *top;
	const char *table;
	const char *label; /* label of the row that contains this one; NULL: none */
	uint32_t above;
};

static void flatten_record(struct compared_rows *rows, const struct sooth_schema *schema,
	const struct sooth_record *record, const struct place *at);

static void flatten_below(struct compared_rows *rows, const struct sooth_schema *schema,
	const struct sooth_record *record, const struct place *at)
{
	for (size_t i = 0; i < schema->field_count; i++) {
		const struct sooth_field *f = &schema->fields[i];
		char name[160];
		struct place inside = { at->top, name, at->label, at->above };
		struct sooth_value v;
		struct batch inner;

		if (f->type != SOOTH_FIELD_ROWS || f->is_hidden || !f->rows)
			continue;
		v = sooth_field_get(f, record);
		if (v.state != SOOTH_STATE_VALUE)
			continue;
		snprintf(name, sizeof(name), "%s/%s", at->table, f->name);
		inner = field_rows(&v);
		batch_for_each (r, &inner)
			flatten_record(rows, f->rows, r, &inside);
	}
}

static void label_row(struct compared_rows *rows, struct buffer *label,
	const struct compared_row *row, const struct place *at, const struct compared_process *p)
{
	bool is_same = p ? p->is_on_both : !row->record->pid;
	size_t before;

	buffer_string(label, at->label ? at->label : p ? compared_text(rows, &p->label) : "");
	if (!at->label && names_process(row->schema))
		return;
	before = label->size;
	buffer_string(label, before ? ": " : "");
	if (!add_keys(label, row->schema, row->record, is_same))
		add_words(label, row->schema, row->record);
	if (before && label->size == before + 2)
		label->size = before;
}

static void flatten_record(struct compared_rows *rows, const struct sooth_schema *schema,
	const struct sooth_record *record, const struct place *at)
{
	const struct compared_process *p =
		record->pid ? map_get(&rows->processes, &record->pid) : NULL;
	struct compared_row row = {
		.record = record, .schema = schema, .top = at->top, .above = at->above
	};
	struct buffer label = { 0 };
	struct place here = *at;

	if (is_of_moment(schema))
		return;
	if (p && !p->is_on_both && has_address_key(schema)) {
		rows->incomparable++;
		return;
	}
	label_row(rows, &label, &row, at, p);
	here.above = add_row(rows, row, at->table, &label);
	here.label = buffer_cstr(&label);
	flatten_below(rows, schema, record, &here);
	buffer_fini(&label);
}

int compared_rows_make(struct compared_rows *rows, const struct comparison_side *side,
	const struct comparison_side *other, struct sooth_error *err)
{
	*rows = (struct compared_rows){ .side = side, .texts.limit = TEXTS_BYTES };
	map_init(&rows->by_key, sizeof(struct row_key), sizeof(uint32_t), ROWS_MAX);
	map_init(&rows->by_base, sizeof(struct row_key), sizeof(uint32_t), ROWS_MAX);
	map_init(&rows->processes, sizeof(uint32_t), sizeof(struct compared_process), PIDS_MAX);
	find_processes(rows, side);
	match_processes(rows, other);
	number_processes(rows);
	for (size_t i = 0; i < side->table_count; i++) {
		struct batch all = { side->tables[i].rows.data, side->tables[i].rows.size };
		struct place top = { side->tables[i].schema, side->tables[i].name, NULL, 0 };

		batch_for_each (r, &all)
			flatten_record(rows, side->tables[i].schema, r, &top);
	}
	if (buffer_failed(&rows->rows) || buffer_failed(&rows->texts))
		return error_no_memory(err);
	return 0;
}

void compared_rows_fini(struct compared_rows *rows)
{
	buffer_fini(&rows->rows);
	buffer_fini(&rows->texts);
	map_fini(&rows->by_key);
	map_fini(&rows->by_base);
	map_fini(&rows->processes);
}

struct compared_row *compared_rows_find(
	struct compared_rows *rows, const struct compared_rows *of, const struct compared_row *row)
{
	struct row_key key =
		key_of(row->top, compared_text(of, &row->table), compared_text(of, &row->label));
	uint32_t *index = map_get(&rows->by_key, &key);
	struct compared_row *found =
		index ? (struct compared_row *)(void *)rows->rows.data + *index : NULL;

	return found && found->schema == row->schema ? found : NULL;
}
