/* SPDX-License-Identifier: BSD-2-Clause */
#include "export/clickhouse.h"

#include <string.h>

#define UTC_FIELD "end_utc_ns" /* time of a row that has its own, and needs no other */

/* Tables whose rows have a key: rows that are loaded again replace the earlier ones. */
static const struct {
	const char *table, *key;
} keyed[] = {
	{ "phase_span", "start_ticks, pid, time_ns, start_ns" },
	{ "answer_span", "key, time_ns" },
};

static const char *type_of_number(const struct sooth_field *f, bool is_signed)
{
	static const char *const types[][2] = { { "UInt8", "Int8" }, { "UInt16", "Int16" },
		{ "UInt32", "Int32" }, { "UInt64", "Int64" } };
	size_t log2_size = 0;

	while (log2_size < 3 && 1u << log2_size < f->size)
		log2_size++;
	return types[log2_size][is_signed];
}

const char *clickhouse_type(const struct column *c)
{
	const struct sooth_field *f = c->field;

	switch (f ? f->type : SOOTH_FIELD_TEXT) {
	case SOOTH_FIELD_UNSIGNED:
		return f->names ? "String" : type_of_number(f, false);
	case SOOTH_FIELD_SIGNED:
		return type_of_number(f, true);
	case SOOTH_FIELD_BOOL:
		return "UInt8";
	case SOOTH_FIELD_REAL:
		return "Float64";
	default: /* a text, the name of a number, or JSON */
		return "String";
	}
}

const struct clickhouse_origin clickhouse_origins[CLICKHOUSE_ORIGINS] = {
	{ "host", "String", "name of the host" },
	{ "boot_id", "String", "id of the boot: times and processes are of one boot" },
	{ "utc_ns", "UInt64", "time of the row, ns since 1970" },
};

static bool has_utc(const struct table *t)
{
	return t->is_of_records && !sooth_schema_field(t->schema, UTC_FIELD);
}

bool clickhouse_has_origin(const struct table *t, size_t i)
{
	for (size_t k = 0; k < t->column_count; k++) {
		if (!strcmp(t->columns[k].name, clickhouse_origins[i].name))
			return false;
	}
	return i != CLICKHOUSE_UTC || has_utc(t);
}

bool clickhouse_may_lack(const struct column *c)
{
	/* A row about the host has the process 0, because a key has a value. */
	if (c->source == COLUMN_HEADER)
		return !strcmp(c->name, "tid") || !strcmp(c->name, "cpu");
	return c->source == COLUMN_FIELD &&
	       (c->field->state_offset || c->field->type == SOOTH_FIELD_ERRNO);
}

static const char *key_of(const struct table *t)
{
	for (size_t i = 0; i < sizeof(keyed) / sizeof(keyed[0]); i++) {
		if (!strcmp(t->name, keyed[i].table))
			return keyed[i].key;
	}
	return NULL;
}

static void put_engine(const struct table *t, struct buffer *out)
{
	const char *key = key_of(t);
	const char *time = has_utc(t) ? "utc_ns" : UTC_FIELD;

	buffer_format(out, ")\nENGINE = %sMergeTree\n", key ? "Replacing" : "");
	if (t->is_of_records)
		buffer_format(out,
			"PARTITION BY toYYYYMM(toDateTime(intDiv(%s, 1000000000), 'UTC'))\n", time);
	buffer_string(out, "ORDER BY (host, boot_id");
	if (key || t->is_of_records)
		buffer_format(out, ", %s", key ? key : time);
	buffer_string(out, ");\n");
}

void clickhouse_put_table(const struct table *t, struct buffer *out)
{
	buffer_format(out, "CREATE TABLE IF NOT EXISTS %s\n(\n", t->name);
	for (size_t i = 0; i < CLICKHOUSE_ORIGINS; i++) {
		if (clickhouse_has_origin(t, i))
			buffer_format(out, "\t`%s` %s, -- %s\n", clickhouse_origins[i].name,
				clickhouse_origins[i].type, clickhouse_origins[i].help);
	}
	for (size_t i = 0; i < t->column_count; i++) {
		const struct column *c = &t->columns[i];

		buffer_format(out, clickhouse_may_lack(c) ? "\t`%s` Nullable(%s)" : "\t`%s` %s",
			c->name, clickhouse_type(c));
		buffer_format(out, "%s -- %s\n", i + 1 < t->column_count ? "," : "", c->help);
	}
	put_engine(t, out);
}
