/* SPDX-License-Identifier: BSD-2-Clause */
/* sooth query: runs SQL over a capture. */
#include "export/query.h"
#include "export/query_tables.h"

#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "base/units.h"
#include "cli/command/command.h"
#include "cli/output/deferred.h"
#include "cli/output/output.h"
#include "cli/terminal/stop.h"
#include "cli/rights/explaining.h"
#include "cli/run.h"
#include "cli/selected/target_found.h"
#include "explain/registry.h"

#define TIMEOUT_NS (600 * NS_PER_S)
#define GRACE_NS   NS_PER_S /* time that a statement gets to end in order */

struct query_config {
	struct {
		bool tables;
		struct option_list columns;
		uint64_t timeout_ns;
	} query;
	struct output_options output;
	struct target_options target;
};

static const struct option query_options[] = {
	FLAG_ROW(0, "tables", query_config, query.tables,
		"list the tables of the capture with their row counts"),
	VALUE_ROW(0, "columns", LIST, "TABLE", query_config, query.columns,
		"list the columns of this table: type, unit, meaning"),
	VALUE_ROW(0, "timeout", DURATION, "TIME", query_config, query.timeout_ns,
		"time limit of the statement (default: 10m; 0: no limit)"),
};

static const struct option_group groups[] = {
	OPTION_GROUP("Query", query_options, 0),
	TARGET_GROUP(struct query_config, target),
	OUTPUT_GROUP(struct query_config, output),
	FILE_GROUP(struct query_config, output),
};

static bool asks_for_statement(const struct query_config *c)
{
	return !c->query.tables && !c->query.columns.count;
}

/* Returns whether a second statement was typed: unlike words of a target, it has blanks. */
static bool has_second_statement(const struct query_config *c, const struct arguments *a)
{
	size_t end = a->count - asks_for_statement(c);

	for (size_t i = 1; i < end; i++) {
		if (strchr(a->items[i], ' '))
			return true;
	}
	return false;
}

static int check_arguments(
	const struct query_config *c, const struct arguments *a, struct sooth_error *err)
{
	size_t wanted = asks_for_statement(c) ? 2 : 1;

	if (a->count >= wanted && !has_second_statement(c, a) && !a->command &&
		strcmp(a->items[0], "-") && !(c->query.tables && c->query.columns.count))
		return 0;
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "run a query");
	if (a->count && !strcmp(a->items[0], "-"))
		error_why(err, "standard input can be read only once");
	else if (c->query.tables && c->query.columns.count)
		error_why(err, "--tables and --columns exclude each other");
	else
		error_why(err, asks_for_statement(c) ? "a capture and one statement are needed"
						     : "a capture is needed");
	return error_remedy(err, "sooth query FILE.sooth \"SELECT ...\", or --tables");
}

/* Refuses redaction: it follows the fields of a report, but a statement makes fields of its own. */
static int check_format(const struct query_config *c, struct sooth_error *err)
{
	if (!c->output.format || strcmp(c->output.format, "redacted"))
		return 0;
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "redact the result of a query");
	error_why(err, "a query can copy names into columns that sooth does not redact");
	return error_remedy(err, "`sooth report --format redacted FILE.sooth` replaces names");
}

static int write_answer(struct query *q, const struct query_config *c, const struct arguments *a,
	struct output *o, struct sooth_error *err)
{
	int status = output_begin(o, &(struct report_head){ "query", REPORT_SCHEMA_VERSION }, err);

	if (status)
		return status;
	if (c->query.tables)
		status = query_list(q, o, err);
	else if (c->query.columns.count)
		status = query_describe(q, c->query.columns.items, c->query.columns.count, o, err);
	else
		status = query_run(q, a->items[a->count - 1], o, err);
	return status ? status : output_end(o, err);
}

static int make_output(struct output **out, const struct output_options *options,
	const struct out_file *file, struct held *held, struct sooth_error *err)
{
	struct sooth_sink_options s = output_sink_options(options, file->stream);
	struct sink_options own = {
		.stream = s.stream,
		.width = s.width,
		.use_color = s.use_color,
		.is_verbose = s.is_verbose,
	};
	int status = output_new(out, err);

	if (!status)
		status = held_begin(held, options, file->stream, err);
	if (held->stream)
		own.stream = held->stream;
	if (!status)
		status = output_add_sink(
			*out, registry_sink(output_sink_name(options, false)), &own, err);
	if (!status && options->filter)
		status = output_filter(*out, options->filter, err);
	return status;
}

/* Returns the words between the capture and the statement: words of a target. */
static struct arguments words_between(const struct query_config *c, const struct arguments *a)
{
	size_t others = asks_for_statement(c) ? 2 : 1;

	return (struct arguments){ .items = a->items + 1,
		.count = a->count > others ? a->count - others : 0 };
}

/* Sets a time limit. SQLite checks it only between its steps, and one SQL function is one step. */
static void bound_time(const struct query_config *c)
{
	struct sooth_error late;

	if (!c->query.timeout_ns || c->query.timeout_ns > UINT64_MAX - GRACE_NS)
		return;
	query_timed_out(c->query.timeout_ns, &late);
	deadline_set(c->query.timeout_ns + GRACE_NS, &late);
}

static int run_query(void *config, const struct arguments *arguments, struct sooth_error *err)
{
	struct query_config *c = config;
	struct target_choice chosen = { &c->target, { 0 } };
	struct out_file file = { 0 };
	struct held held = { 0 };
	struct output *o = NULL;
	struct query *q = NULL;
	const char *path = NULL;
	const struct arguments words = words_between(c, arguments);
	int damage, status = check_arguments(c, arguments, err);

	if (!status)
		status = check_format(c, err);
	if (!status)
		status =
			target_find_in(&c->target, arguments->items[0], &words, &chosen.found, err);
	if (!status)
		path = explaining_begin_with_tables(arguments->items[0]);
	stop_catch();
	bound_time(c);
	if (!status)
		status = query_open(&q,
			&(struct query_options){ .path = path,
				.timeout_ns = c->query.timeout_ns,
				.is_stopped = stop_is_selected,
				.select = target_choice_select,
				.user = &chosen },
			err);
	if (!status)
		status =
			out_file_open(&file, c->output.output ? c->output.output : "-", false, err);
	if (!status)
		status = make_output(&o, &c->output, &file, &held, err);
	if (!status)
		status = write_answer(q, c, arguments, o, err);
	damage = !status && query_is_damaged(q) ? EXIT_DAMAGED : 0;
	deadline_clear();
	query_close(q);
	target_found_fini(&chosen.found);
	output_free(o);
	status = held_commit(&held, &file, status, err);
	return status ? status : damage;
}

static const struct query_config defaults = { .query.timeout_ns = TIMEOUT_NS };

static const struct command_table tables[] = { { "tables", &query_table_schema },
	{ "columns", &query_column_schema }, { "rows", NULL }, { 0 } };

const struct command command_query = {
	.tables = tables,
	.main_options = "tables,columns,timeout,format,json,from,to,output",
	.name = "query",
	.summary = "SQL over a capture",
	.usage = "FILE.sooth [PID|NAME...] \"SELECT ...\" | FILE.sooth --tables [--from TIME] "
		 "[--to TIME] [-j] [-o FILE]",
	.about = "Runs an SQL statement over a capture: every kind of record and every view is a "
		 "table. The\n"
		 "statement can only read. A value that was not measured is NULL, and the column\n"
		 "not_measured has the reason.",
	.examples = "  sooth query build.sooth --tables\n"
		    "  sooth query build.sooth --columns syscalls_call\n"
		    "  sooth query build.sooth \"SELECT call, count(*) AS calls, sum(duration_ns) "
		    "AS total_ns\n"
		    "      FROM syscalls_call GROUP BY call ORDER BY total_ns DESC\"\n",
	COMMAND_GROUPS(groups),
	.reads_numbers = true,
	.config_size = sizeof(struct query_config),
	.defaults = &defaults,
	.run = run_query,
};
