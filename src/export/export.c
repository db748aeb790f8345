/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs one export to any format: input, selection of tables, output. */
#include "export/export.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "analyze/calls/syscall_folded.h"
#include "base/cleanup.h"
#include "model/field.h"
#include "model/stream_records.h"
#include "sinks/redact_record.h"

#define LISTED_MAX 6 /* tables that an error names */

/* Stores the losses of the report, to be printed if the format has no place for them. */
static int store_losses(
	struct sooth_report *report, struct export_reported *told, struct sooth_error *err)
{
	told->is_damaged = report_is_damaged(report);
	report_loss_lines(report, &told->losses);
	return buffer_failed(&told->losses) ? error_no_memory(err) : 0;
}

/* --- which tables are exported: those that are named, or all --- */

static int count_row(
	void *user, struct table *table, const struct sooth_record *record, struct sooth_error *err)
{
	(void)user;
	(void)record;
	(void)err;
	table->rows++;
	return 0;
}

static bool choice_has(const struct export_options *o, struct table *table)
{
	if (table->choice != TABLE_UNDECIDED)
		return table->choice == TABLE_SELECTED;
	table->choice = o->name_count ? TABLE_LEFT_OUT : TABLE_SELECTED;
	for (size_t i = 0; i < o->name_count; i++) {
		struct tables one = { .items = { table }, .count = 1 };

		if (tables_find(&one, o->names[i]))
			table->choice = TABLE_SELECTED;
	}
	return table->choice == TABLE_SELECTED;
}

static int read_input(const struct export_options *o, struct feed *feed, struct sooth_error *err)
{
	return o->read ? feed_read_by(feed, o->read, o->path, err) : feed_read(feed, o->path, err);
}

/* Parts of the feed that the named tables need. */
static unsigned choice_parts(const struct export_options *o, struct tables *tables)
{
	unsigned parts = 0;

	for (size_t i = 0; i < o->name_count; i++) {
		if (tables_find(tables, o->names[i]))
			parts |= FEED_RECORDS;
		else
			parts |= strcmp(o->names[i], FEED_TABLE_CALL) ? FEED_VIEWS : FEED_CALLS;
	}
	return parts;
}

/* Checks at the end that every named table exists. */
static int choice_check(
	const struct export_options *o, const struct tables *tables, struct sooth_error *err)
{
	/* A named table counts even if it had no row. */
	for (size_t i = 0; i < tables->count; i++)
		choice_has(o, tables->items[i]);
	for (size_t i = 0; i < o->name_count; i++) {
		if (!tables_find(tables, o->names[i]))
			return tables_refuse(tables, "export", o->names[i], err);
	}
	return 0;
}

/* Lists the tables with the most rows. */
static void list_largest_tables(struct tables *t, struct buffer *out)
{
	for (size_t listed = 0; listed < LISTED_MAX; listed++) {
		struct table *most = NULL;

		for (size_t i = 0; i < t->count; i++) {
			if (t->items[i]->rows && (!most || t->items[i]->rows > most->rows))
				most = t->items[i];
		}
		if (!most)
			return;
		buffer_format(out, "%s%s", listed ? ", " : "", most->name);
		most->rows = 0;
	}
	buffer_string(out, ", ...");
}

/* Counts the rows of every table; a stream cannot be read for that. */
static int count_rows(
	const struct export_options *o, struct tables *tables, struct sooth_error *err)
{
	struct feed feed = { 0 };
	int status;

	if (!strcmp(o->path, "-"))
		return 0;
	status = tables_init(tables, err);
	if (!status)
		status = feed_open(&feed, tables, FEED_RECORDS | FEED_VIEWS, count_row, NULL, err);
	if (!status)
		status = read_input(o, &feed, err);
	feed_close(&feed);
	return status;
}

/* Chooses the table for which such a capture is usually made; NULL: none of the usual ones has
 * rows. Reads the capture, unless it is a stream. */
static int choice_main(const struct export_options *o, const char **name, struct sooth_error *err)
{
	/* Tables that most captures are made for; single events before their sums. */
	static const char *const usual[] = { "syscalls_call", "heap_call", "syscalls",
		"heap_by_function", "processes", "phase_span" };
	struct tables tables = { 0 };
	int status = count_rows(o, &tables, err);

	*name = NULL;
	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]) && !status && !*name; i++) {
		const struct table *table = tables_find(&tables, usual[i]);

		*name = table && table->rows ? usual[i] : NULL;
	}
	tables_fini(&tables);
	return status;
}

/* Fails with an error that lists the tables, after reading the capture. */
static int choice_refuse_many(const struct export_options *o, struct sooth_error *err)
{
	struct tables tables = { 0 };
	struct buffer names = { 0 };
	int status = count_rows(o, &tables, err);

	if (!status) {
		list_largest_tables(&tables, &names);
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "export %s tables to one file",
			o->name_count ? "several" : "all");
		error_why(err, "a file of this format holds one table%s%s",
			names.size ? "; the largest here are " : "", buffer_cstr(&names));
		status = error_remedy(
			err, "use --table NAME for one table, -o FOLDER/ for one file per table");
	}
	tables_fini(&tables);
	buffer_fini(&names);
	return status;
}

/* --- the export --- */

#define EXPORT(id) extern const struct export_type export_##id;
#include "export/exports.def"
#undef EXPORT

#define EXPORT(id) &export_##id,
const struct export_type *const export_types[] = {
#include "export/exports.def"
	NULL,
};

struct job {
	const struct export_type *type;
	const struct export_options *options;
	struct export_reported *told;
	struct out_file file;
	struct export_place place;
	struct redactor redactor; /* with options->name_key */
	struct buffer hashed;
	bool has_needed;
};

const struct export_type *export_find(const char *name)
{
	size_t i = 0;

	while (export_types[i] && strcmp(export_types[i]->name, name))
		i++;
	return export_types[i];
}

/* --- a format of tables --- */

/* Returns whether a row ended in the selected time; a row without an end of its own always is. */
static bool is_in_time(
	const struct export_options *o, const struct table *t, const struct sooth_record *r)
{
	const struct sooth_field *end = sooth_schema_field(t->schema, "end_utc_ns");
	uint64_t at = end ? sooth_field_get(end, r).u : o->from_utc_ns;

	return at >= o->from_utc_ns && (!end || at < o->to_utc_ns);
}

static int write_row(
	void *user, struct table *table, const struct sooth_record *record, struct sooth_error *err)
{
	struct job *j = user;
	bool is_selected = choice_has(j->options, table) && is_in_time(j->options, table, record);
	bool is_of_host = j->type->segment && record->kind == STREAM_SEGMENT;
	int status = 0;

	if (!is_selected && !is_of_host)
		return 0;
	if (j->options->name_key) {
		buffer_reset(&j->hashed);
		redact_write_record(&j->redactor, table->schema, record, &j->hashed);
		if (buffer_failed(&j->hashed) || !j->hashed.size)
			return error_no_memory(err);
		record = (const void *)j->hashed.data;
	}
	if (is_of_host)
		status = j->type->segment(&j->place, record, err);
	if (status || !is_selected)
		return status;
	j->told->tables += !table->rows++;
	j->told->rows++;
	status = j->type->row(&j->place, table, record, err);
	if (!status && buffer_failed(&j->place.scratch))
		status = error_no_memory(err);
	return status ? status : tabular_write_full(&j->place.out, err);
}

static int learn_values(
	void *user, struct table *table, const struct sooth_record *record, struct sooth_error *err)
{
	(void)err;
	redact_learn_record(user, table->schema, record);
	return 0;
}

/* Learns the names of all rows that will be written: a text may have a name that stands alone only
 * in a later row. */
static int learn_names(struct job *j, unsigned parts, struct sooth_error *err)
{
	struct feed feed = { 0 };
	int status = feed_open(
		&feed, &j->place.tables, parts | FEED_RECORDS, learn_values, &j->redactor, err);

	if (!status)
		status = feed_select(&feed, j->options->select, j->options->user, err);
	if (!status)
		status = read_input(j->options, &feed, err);
	feed_close(&feed);
	if (status || redactor_is_complete(&j->redactor))
		return status;
	error_set(err, -E2BIG, SOOTH_FAULT_USAGE, "hash so many names");
	error_why(err, "a name that is not learnt would stay readable in other texts");
	return error_remedy(err, "select fewer processes or a shorter time range");
}

static int run_tables(struct job *j, struct sooth_error *err)
{
	unsigned parts = j->type->parts;
	struct feed feed = { 0 };
	int status = tables_init(&j->place.tables, err);

	if (!status && j->options->name_count)
		parts = choice_parts(j->options, &j->place.tables);
	if (j->type->segment)
		parts |= FEED_RECORDS;
	if (!status && j->options->name_key)
		status = learn_names(j, parts, err);
	if (!status)
		status = feed_open(&feed, &j->place.tables, parts, write_row, j, err);
	if (!status)
		status = feed_select(&feed, j->options->select, j->options->user, err);
	if (!status)
		status = read_input(j->options, &feed, err);
	if (!status)
		status = choice_check(j->options, &j->place.tables, err);
	if (!status && j->type->finish)
		status = j->type->finish(&j->place, err);
	if (!status)
		status = tabular_write(&j->place.out, err);
	if (!status)
		status = store_losses(feed.report, j->told, err);
	feed_close(&feed);
	return status;
}

/* --- a format that is a view and a sink --- */

static int note_needed(
	void *user, const struct sooth_schema *schema, const struct sooth_record *record)
{
	struct job *j = user;

	(void)schema;
	j->has_needed |= record->kind == j->type->needs;
	return 0;
}

static int emit_view(struct job *j, FILE *stream, struct sooth_error *err)
{
	const struct sooth_sink_options sink = { .size = sizeof(sink), .stream = stream };
	const struct syscall_folded_options folded = { .look = { .value = j->options->weight } };
	struct sooth_report *r;
	int status = sooth_report_new(&r, "export", err);

	if (status)
		return status;
	sooth_report_on_record(r, note_needed, j);
	status = sooth_report_add_view(r, j->type->view, &folded, err);
	if (!status)
		status = sooth_report_add_sink(r, j->type->sink, &sink, err);
	if (!status && j->options->select)
		status = j->options->select(j->options->user, r, err);
	if (!status)
		status = j->options->read ? j->options->read(j->options->path, r, err)
					  : sooth_report_read(r, j->options->path, err);
	if (!status)
		status = sooth_report_finish(r, err);
	if (!status)
		report_limit_lines(r, &j->told->limits);
	if (!status)
		status = store_losses(r, j->told, err);
	sooth_report_free(r);
	return status;
}

/* Refuses to write an empty file, which would look like an observation without events. */
static int check_needed(const struct job *j, struct sooth_error *err)
{
	if (!j->type->needs || j->has_needed)
		return 0;
	error_set(err, -ENOENT, SOOTH_FAULT_USAGE, "export %s", j->type->name);
	error_why(err, "%s", j->type->needs_text);
	return error_remedy(err, "%s", j->type->needs_remedy);
}

/* Writes a view into memory first: only at the end is known whether the export is refused. */
static int run_view(struct job *j, struct sooth_error *err)
{
	_cleanup_free_ char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);
	int status;

	if (!stream)
		return error_no_memory(err);
	status = emit_view(j, stream, err);
	if (fclose(stream) && !status)
		status = error_no_memory(err);
	if (!status)
		status = check_needed(j, err);
	if (!status && fwrite(text, 1, size, j->file.stream) != size)
		status = error_errno(err, -errno, "write %s", j->options->output);
	return status;
}

/* --- where it goes --- */

static bool is_folder(const char *path)
{
	size_t size = strlen(path);
	struct stat st;

	return (size && path[size - 1] == '/') || (!stat(path, &st) && S_ISDIR(st.st_mode));
}

static int refuse_stream(const struct export_type *type, struct sooth_error *err)
{
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "write %s to standard output", type->name);
	error_why(
		err, "sooth writes this format out of order, and a pipe takes bytes only in order");
	return error_remedy(err, "name a regular file with -o");
}

static int open_place(struct job *j, struct sooth_error *err)
{
	const struct export_options *o = j->options;
	struct export_place *place = &j->place;
	int status;

	if (j->type->is_no_stream && !strcmp(o->output, "-"))
		return refuse_stream(j->type, err);
	if (j->type->is_of_one && is_folder(o->output)) {
		place->folder = o->output;
	} else if (j->type->is_of_one && o->name_count != 1) {
		return choice_refuse_many(o, err);
	} else {
		status = j->type->is_no_stream ? out_file_open_named(&j->file, o->output, err)
					       : out_file_open(&j->file, o->output, false, err);
		if (status)
			return status;
		if (j->type->is_no_stream && !j->file.temporary)
			return refuse_stream(j->type, err);
		place->file = &j->file;
	}
	tabular_open(&place->out, j->file.stream, j->type->doing);
	place->state = calloc(1, j->type->state_size + 1);
	if (!place->state)
		return error_no_memory(err);
	return j->type->open ? j->type->open(place, err) : 0;
}

int export_run(const struct export_type *type, const struct export_options *options,
	struct export_reported *told, struct sooth_error *err)
{
	assert(type);
	assert(options);
	assert(told);

	struct export_options chosen = *options;
	struct job j = { .type = type,
		.options = &chosen,
		.told = told,
		.place = { .read = options->path, .options = options, .told = told } };
	int status = 0;

	redactor_init(&j.redactor);
	j.redactor.key = options->name_key;
	if (type->is_of_one && !chosen.name_count && !is_folder(chosen.output))
		status = choice_main(options, &told->main, err);
	if (told->main) {
		chosen.names = &told->main;
		chosen.name_count = 1;
	}
	j.place.is_chosen = chosen.name_count;
	if (!status)
		status = open_place(&j, err);
	if (!status)
		status = type->view ? run_view(&j, err) : run_tables(&j, err);
	if (j.place.state && type->close)
		type->close(&j.place);
	free(j.place.state);
	redactor_fini(&j.redactor);
	buffer_fini(&j.hashed);
	tabular_fini(&j.place.out);
	buffer_fini(&j.place.scratch);
	if (!status && j.file.stream)
		status = out_file_commit(&j.file, err);
	out_file_close(&j.file);
	tables_fini(&j.place.tables);
	return status;
}
