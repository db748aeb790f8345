/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tab-separated values with two lines before the rows: names and types of the columns. ClickHouse
 * reads this as TabSeparatedWithNamesAndTypes; the format clickhouse-schema makes the tables. Texts
 * are escaped as for a terminal: they are read on one. No value is \N; not_measured says why.
 */
#include <math.h>
#include <string.h>

#include "analyze/records.h"
#include "base/escape.h"
#include "export/clickhouse.h"
#include "export/table_files.h"
#include "model/stream_records.h"

/* Which host the rows are of: from the last definition. */
struct tsv {
	struct buffer host, boot;
	int64_t realtime_offset_ns;
	struct buffer text; /* scratch */
};

static void write_head(struct export_place *p, struct table *table, struct tabular *lines)
{
	size_t count = table->column_count;
	struct buffer *out = &lines->bytes;

	(void)p;
	for (size_t i = 0; i < CLICKHOUSE_ORIGINS; i++) {
		if (clickhouse_has_origin(table, i))
			buffer_format(out, "%s\t", clickhouse_origins[i].name);
	}
	for (size_t i = 0; i < count; i++)
		buffer_format(out, "%s%c", table->columns[i].name, i + 1 < count ? '\t' : '\n');
	for (size_t i = 0; i < CLICKHOUSE_ORIGINS; i++) {
		if (clickhouse_has_origin(table, i))
			buffer_format(out, "%s\t", clickhouse_origins[i].type);
	}
	for (size_t i = 0; i < count; i++)
		buffer_format(out,
			clickhouse_may_lack(&table->columns[i]) ? "Nullable(%s)%c" : "%s%c",
			clickhouse_type(&table->columns[i]), i + 1 < count ? '\t' : '\n');
}

static const struct table_files files = { "tsv", write_head };

static int learn_host(struct export_place *p, const struct sooth_record *r, struct sooth_error *err)
{
	const struct stream_segment *segment = record_as(r, STREAM_SEGMENT, sizeof(*segment));
	struct tsv *s = p->state;
	struct span text;

	if (!segment)
		return 0;
	buffer_reset(&s->host);
	buffer_reset(&s->boot);
	text = record_text(r, &segment->hostname);
	buffer_append(&s->host, text.data, text.size);
	text = record_text(r, &segment->boot_id);
	buffer_append(&s->boot, text.data, text.size);
	s->realtime_offset_ns = segment->realtime_offset_ns;
	return buffer_failed(&s->host) || buffer_failed(&s->boot) ? error_no_memory(err) : 0;
}

/* Writes a text. Escaped as for a terminal, it has a backslash, but no tab and no newline. */
static void put_text(struct buffer *out, const void *text, size_t size, struct buffer *scratch)
{
	buffer_reset(scratch);
	escape_terminal(scratch, text ? text : "", size);
	for (size_t i = 0; i < scratch->size; i++) {
		if (scratch->data[i] == '\\')
			buffer_char(out, '\\');
		buffer_char(out, (char)scratch->data[i]);
	}
	if (buffer_failed(scratch))
		out->failed = true;
}

static void put_cell(struct buffer *out, const struct column *column, const struct cell *c,
	struct buffer *scratch)
{
	struct json json;

	switch (c->type) {
	case CELL_NONE:
		if (clickhouse_may_lack(column))
			buffer_string(out, "\\N");
		else if (strcmp(clickhouse_type(column), "String"))
			buffer_char(out, '0');
		break;
	case CELL_TEXT:
	case CELL_JSON:
		put_text(out, c->text, c->size, scratch);
		break;
	case CELL_BOOL:
		buffer_u64(out, c->u);
		break;
	case CELL_REAL:
		if (!isfinite(c->f)) { /* only from a forged capture; JSON has no NaN and no
					  infinity */
			buffer_string(out, isnan(c->f) ? "nan" : c->f < 0 ? "-inf" : "inf");
			break;
		}
		__attribute__((fallthrough));
	default: /* a real has a point in any locale */
		json_init(&json, out, 0);
		json_cell(&json, c);
		break;
	}
}

static int write_row(struct export_place *p, struct table *table, const struct sooth_record *r,
	struct sooth_error *err)
{
	struct tabular *lines = table_files_get(&files, p, table, err);
	size_t count = table->column_count;
	struct tsv *s = p->state;

	if (!lines)
		return err->code;
	if (clickhouse_has_origin(table, CLICKHOUSE_HOST)) {
		put_text(&lines->bytes, s->host.data, s->host.size, &s->text);
		buffer_char(&lines->bytes, '\t');
	}
	if (clickhouse_has_origin(table, CLICKHOUSE_BOOT)) {
		put_text(&lines->bytes, s->boot.data, s->boot.size, &s->text);
		buffer_char(&lines->bytes, '\t');
	}
	if (clickhouse_has_origin(table, CLICKHOUSE_UTC))
		buffer_format(&lines->bytes, "%llu\t",
			(unsigned long long)(r->time_ns + (uint64_t)s->realtime_offset_ns));
	for (size_t i = 0; i < count; i++) {
		struct cell cell = cell_get(table, &table->columns[i], r, &p->scratch);

		put_cell(&lines->bytes, &table->columns[i], &cell, &s->text);
		buffer_char(&lines->bytes, i + 1 < count ? '\t' : '\n');
	}
	return tabular_write_full(lines, err);
}

static int finish(struct export_place *p, struct sooth_error *err)
{
	return table_files_finish(&files, p, err);
}

static void close_tsv(struct export_place *p)
{
	struct tsv *s = p->state;

	table_files_close(p);
	buffer_fini(&s->host);
	buffer_fini(&s->boot);
	buffer_fini(&s->text);
}

const struct export_type export_tsv = {
	.name = "tsv",
	.help = "tab-separated values with types, for ClickHouse: one table, or a folder",
	.parts = FEED_RECORDS | FEED_VIEWS,
	.has_choice = true,
	.is_of_one = true,
	.state_size = sizeof(struct tsv),
	.doing = "write TSV",
	.open = table_files_open,
	.segment = learn_host,
	.row = write_row,
	.finish = finish,
	.close = close_tsv,
};
