/* SPDX-License-Identifier: BSD-2-Clause */
/* Refuses every query, in a build without SQLite. */
#include <errno.h>

#include "export/export.h"
#include "export/query.h"

static int refuse_query(const char *tried, struct sooth_error *err)
{
	error_set(err, -EOPNOTSUPP, SOOTH_FAULT_UNSUPPORTED, "%s", tried);
	error_why(err, "this sooth was built without SQLite");
	return error_remedy(err, "install libsqlite3-dev and build again; `sooth export --format "
				 "jsonl` works without it");
}

int query_open(struct query **out, const struct query_options *options, struct sooth_error *err)
{
	(void)out;
	(void)options;
	return refuse_query("query a capture", err);
}

int query_run(struct query *q, const char *sql, struct output *output, struct sooth_error *err)
{
	(void)q;
	(void)sql;
	(void)output;
	return refuse_query("query a capture", err);
}

int query_list(struct query *q, struct output *output, struct sooth_error *err)
{
	(void)q;
	(void)output;
	return refuse_query("query a capture", err);
}

int query_describe(struct query *q, const char *const *names, size_t count, struct output *output,
	struct sooth_error *err)
{
	(void)q;
	(void)names;
	(void)count;
	(void)output;
	return refuse_query("query a capture", err);
}

bool query_is_damaged(const struct query *q)
{
	(void)q;
	return false;
}

void query_close(struct query *q)
{
	(void)q;
}

static int open_none(struct export_place *place, struct sooth_error *err)
{
	(void)place;
	return refuse_query("write a database", err);
}

const struct export_type export_sqlite = {
	.name = "sqlite",
	.help = "one SQLite database with every table; not in this build",
	.has_choice = true,
	.is_no_stream = true,
	.open = open_none,
};
