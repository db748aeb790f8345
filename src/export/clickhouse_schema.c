/* SPDX-License-Identifier: BSD-2-Clause */
/* The statements that make the tables for the rows of the format tsv in ClickHouse: of the named
 * tables, or of those with rows. */
#include "export/clickhouse.h"
#include "export/export.h"

static int write_row(struct export_place *p, struct table *table, const struct sooth_record *r,
	struct sooth_error *err)
{
	(void)p;
	(void)table;
	(void)r;
	(void)err;
	return 0;
}

static int finish(struct export_place *p, struct sooth_error *err)
{
	struct buffer *out = &p->out.bytes;
	bool is_first = true;

	for (size_t i = 0; i < p->tables.count; i++) {
		const struct table *t = p->tables.items[i];

		if (t->choice != TABLE_SELECTED || (!t->rows && !p->is_chosen))
			continue;
		buffer_string(out, is_first ? "" : "\n");
		clickhouse_put_table(t, out);
		is_first = false;
	}
	return buffer_failed(out) ? error_no_memory(err) : 0;
}

const struct export_type export_clickhouse_schema = {
	.name = "clickhouse-schema",
	.help = "SQL that makes the tables for tsv in ClickHouse",
	.parts = FEED_RECORDS | FEED_VIEWS,
	.has_choice = true,
	.doing = "write a schema",
	.row = write_row,
	.finish = finish,
};
