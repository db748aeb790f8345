/* SPDX-License-Identifier: BSD-2-Clause */
/* sooth export: converts a capture to a format that other programs read. */
#include "export/export.h"
#include "export/otlp.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "cli/command/command.h"
#include "cli/picture.h"
#include "cli/rights/explaining.h"
#include "cli/run.h"
#include "cli/selected/target_found.h"
#include "cli/state/history_files.h"
#include "secrets/forget.h"

struct export_config {
	struct target_options target;
	struct {
		const char *format, *output, *weight, *hash_names, *signal;
		struct option_list tables;
		uint64_t since_s, until_s;
	} export;
};

static const char *format_name(size_t index)
{
	return export_types[index] ? export_types[index]->name : NULL;
}

static const char *signal_name(size_t index)
{
	return otlp_signal_names[index];
}

static const struct option export_options[] = {
	VALUE_ROW(0, "format", CHOICE, "NAME", export_config, export.format, "output format",
		.choice = format_name),
	VALUE_ROW('o', "output", FILE, "FILE", export_config, export.output,
		"output file (mode 0600); for csv and tsv also a folder"),
	VALUE_ROW(0, "table", LIST, "NAME", export_config, export.tables,
		"export only this table; may be repeated"),
	VALUE_ROW(0, "weight", CHOICE, "WHAT", export_config, export.weight,
		"what the numbers of folded stacks show (default: time, in microseconds)",
		.choice = picture_weight_name),
	VALUE_ROW(0, "signal", CHOICE, "NAME", export_config, export.signal,
		"otlp: only traces or logs (default: both; of otlp-proto traces)",
		.choice = signal_name),
	VALUE_ROW(0, "since", U64, "SECONDS", export_config, export.since_s,
		"of a history only rows that ended at or after this time, seconds since 1970",
		.max = UINT32_MAX),
	VALUE_ROW(0, "until", U64, "SECONDS", export_config, export.until_s,
		"of a history only rows that ended before this time, seconds since 1970", .min = 1,
		.max = UINT32_MAX),
	VALUE_ROW(0, "hash-names", TEXT, "KEYFILE", export_config, export.hash_names,
		"replace names of hosts, users and projects by hashes with this key"),
};

static const struct option_group groups[] = {
	OPTION_GROUP("Export", export_options, 0),
	TARGET_GROUP(struct export_config, target),
};

static int refuse_options(
	struct sooth_error *err, const char *what, const char *why, const char *remedy)
{
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "%s", what);
	error_why(err, "%s", why);
	return error_remedy(err, "%s", remedy);
}

static int check_options(const struct export_config *c, const struct arguments *a,
	const struct export_type *type, struct sooth_error *err)
{
	int status = history_is_folder(a) ? 0 : target_needs_capture("export", a, err);

	if (status)
		return status;
	if (!type)
		return refuse_options(err, "export without a format",
			"the option --format is missing",
			"add --format folded, chrome, csv, jsonl, json-schema, sqlite, tsv, "
			"otlp-json or otlp-proto");
	if (c->export.tables.count && !type->has_choice)
		return refuse_options(err, "use --table", "this format has no tables",
			"leave out --table, or take csv, jsonl, sqlite or tsv");
	if (c->export.weight && strcmp(type->name, "folded"))
		return refuse_options(err, "use --weight", "only folded stacks have a weight",
			"leave out --weight, or take --format folded");
	if (c->export.signal && !type->has_signals)
		return refuse_options(err, "use --signal",
			"this format has neither traces nor logs",
			"leave out the option, or take --format otlp-json");
	if (c->export.hash_names && (type->view || !strcmp(a->items[0], "-")))
		return refuse_options(err, "hash names",
			type->view ? "stacks have no fields, by which names are found"
				   : "standard input can be read only once, and names are learnt "
				     "before a row is written",
			type->view ? "leave out --hash-names, or take csv, jsonl, sqlite or tsv"
				   : "name a file");
	return 0;
}

/* Chooses the input: a capture, or the folder of a history. */
static int choose_input(struct export_config *c, const struct arguments *a,
	struct target_choice *chosen, struct export_options *options, struct sooth_error *err)
{
	int status;

	if (history_is_folder(a)) {
		options->path = a->items[0];
		options->select = NULL;
		options->read = history_read_folder;
		return 0;
	}
	status = target_find(&c->target, a, 0, &chosen->found, err);
	options->path = chosen->found.capture;
	return status;
}

static int run_export(void *config, const struct arguments *arguments, struct sooth_error *err)
{
	struct export_config *c = config;
	struct target_choice chosen = { &c->target, { 0 } };
	const struct export_type *type = c->export.format ? export_find(c->export.format) : NULL;
	struct export_reported told = { 0 };
	struct export_options options = {
		.output = c->export.output ? c->export.output : "-",
		.names = c->export.tables.items,
		.name_count = c->export.tables.count,
		.signal = c->export.signal,
		.weight = picture_weight(c->export.weight, CALL_GRAPH_TIME),
		.select = target_choice_select,
		.user = &chosen,
		.from_utc_ns = c->export.since_s * NS_PER_S,
		.to_utc_ns = c->export.until_s ? c->export.until_s * NS_PER_S : UINT64_MAX,
	};
	struct name_key key;
	int status = check_options(c, arguments, type, err);

	if (!status)
		status = choose_input(c, arguments, &chosen, &options, err);
	if (!status && c->export.hash_names) {
		options.name_key = &key;
		status = name_key_read(&key, c->export.hash_names, err);
	}
	if (!status && options.path)
		options.path = explaining_begin(options.path);
	if (!status)
		status = export_run(type, &options, &told, err);
	forget_bytes(&key, sizeof(key));
	if (!status && told.main)
		fprintf(stderr,
			"sooth: this is the table %s; --table NAME selects another one, -o FOLDER/ "
			"writes all\n",
			told.main);
	/* Most formats cannot store losses. */
	if (!status && told.losses.size)
		fprintf(stderr, "sooth: the capture is incomplete:\n%s", buffer_cstr(&told.losses));
	if (!status && told.limits.size)
		fprintf(stderr, "sooth: the export is incomplete:\n%s", buffer_cstr(&told.limits));
	target_found_fini(&chosen.found);
	buffer_fini(&told.losses);
	buffer_fini(&told.limits);
	return !status && told.is_damaged ? EXIT_DAMAGED : status;
}

const struct command command_export = {
	.main_options = "format,output,table,weight,since,until,hash-names,pid,from,to",
	.name = "export",
	.summary = "convert a capture to a format of other programs",
	.usage = "--format NAME [--table NAME] [-o FILE] FILE.sooth|HISTORY/ [PID|NAME...]",
	.about = "Converts a capture. The formats: folded has stacks for flamegraph tools; chrome "
		 "has a\n"
		 "timeline for Perfetto, chrome://tracing and speedscope; csv, jsonl and sqlite "
		 "have\n"
		 "the tables that `sooth query FILE --tables` lists; json-schema describes the "
		 "lines of\n"
		 "jsonl; otlp-json and otlp-proto have sessions as traces of OpenTelemetry; tsv "
		 "has\n"
		 "rows for ClickHouse (clickhouse-schema makes its tables). HISTORY/ is\n"
		 "the folder in which `sooth monitor` keeps its history.",
	.examples = "  sooth export --format chrome -o trace.json build.sooth\n"
		    "  sooth export --format csv --table syscalls_call build.sooth\n"
		    "  sooth export --format sqlite -o build.db build.sooth\n"
		    "  sooth export --format otlp-json -o day.jsonl day.sooth\n"
		    "  sooth export --format tsv --table phase_span ~/.local/state/sooth/history\n",
	COMMAND_GROUPS(groups),
	.reads_numbers = true,
	.config_size = sizeof(struct export_config),
	.run = run_export,
};
