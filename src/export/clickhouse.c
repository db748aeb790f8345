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

static const char *type_of_field(const struct sooth_field *f)
{
	switch (f->type) {
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

static bool is_utc(const struct table *t)
{
	return !t->is_of_records || sooth_schema_field(t->schema, UTC_FIELD);
}

static struct clickhouse_column column_of(const struct column *c)
{
	struct clickhouse_column out = {
		.column = c, .name = c->name, .help = c->help, .type = "String"
	};

	if (c->field)
		out.type = type_of_field(c->field);
	/* A row about the host has the process 0, because a key has a value. */
	if (c->source == COLUMN_HEADER)
		out.may_lack = !strcmp(c->name, "tid") || !strcmp(c->name, "cpu");
	else if (c->source == COLUMN_FIELD)
		out.may_lack = c->field->state_offset || c->field->type == SOOTH_FIELD_ERRNO;
	return out;
}

size_t clickhouse_columns(
	const struct table *t, struct clickhouse_column columns[CLICKHOUSE_COLUMNS_MAX])
{
	size_t n = 0;

	columns[n++] = (struct clickhouse_column){ .origin = CLICKHOUSE_HOST,
		.name = "host",
		.help = "name of the host",
		.type = "String" };
	columns[n++] = (struct clickhouse_column){ .origin = CLICKHOUSE_BOOT,
		.name = "boot_id",
		.help = "id of the boot: times and processes are of one boot",
		.type = "String" };
	if (!is_utc(t))
		columns[n++] = (struct clickhouse_column){ .origin = CLICKHOUSE_UTC,
			.name = "utc_ns",
			.help = "time of the row, ns since 1970",
			.type = "UInt64" };
	for (size_t i = 0; i < t->column_count; i++)
		columns[n++] = column_of(&t->columns[i]);
	return n;
}

void clickhouse_put_type(const struct clickhouse_column *c, struct buffer *out)
{
	buffer_format(out, c->may_lack ? "Nullable(%s)" : "%s", c->type);
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
	const char *key = key_of(t), *time = is_utc(t) ? UTC_FIELD : "utc_ns";

	buffer_format(out, ")\nENGINE = %sMergeTree\n", key ? "Replacing" : "");
	if (t->is_of_records)
		buffer_format(out,
			"PARTITION BY toYYYYMMDD(toDateTime(intDiv(%s, 1000000000), 'UTC'))\n",
			time);
	buffer_string(out, "ORDER BY (host, boot_id");
	if (key || t->is_of_records)
		buffer_format(out, ", %s", key ? key : time);
	buffer_string(out, ");\n");
}

void clickhouse_put_table(const struct table *t, struct buffer *out)
{
	struct clickhouse_column columns[CLICKHOUSE_COLUMNS_MAX];
	size_t count = clickhouse_columns(t, columns);

	buffer_format(out, "CREATE TABLE IF NOT EXISTS %s\n(\n", t->name);
	for (size_t i = 0; i < count; i++) {
		buffer_format(out, "\t`%s` ", columns[i].name);
		clickhouse_put_type(&columns[i], out);
		buffer_format(out, "%s -- %s\n", i + 1 < count ? "," : "", columns[i].help);
	}
	put_engine(t, out);
}
