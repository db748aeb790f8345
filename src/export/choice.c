/* SPDX-License-Identifier: BSD-2-Clause */
#include "export/choice.h"

#include <errno.h>
#include <string.h>

#define LISTED_MAX 6 /* tables that an error names */

bool choice_has(const struct export_options *o, struct table *table)
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

int choice_parts(const struct export_options *o, struct tables *tables, unsigned *parts,
	struct sooth_error *err)
{
	(void)err;
	*parts = 0;
	for (size_t i = 0; i < o->name_count; i++) {
		if (tables_find(tables, o->names[i]))
			*parts |= FEED_RECORDS;
		else
			*parts |= strcmp(o->names[i], FEED_TABLE_CALL) ? FEED_VIEWS : FEED_CALLS;
	}
	return 0;
}

int choice_check(
	const struct export_options *o, const struct tables *tables, struct sooth_error *err)
{
	/* Also those that had no row. */
	for (size_t i = 0; i < tables->count; i++)
		choice_has(o, tables->items[i]);
	for (size_t i = 0; i < o->name_count; i++) {
		const char *near;

		if (tables_find(tables, o->names[i]))
			continue;
		near = tables_nearest(tables, o->names[i]);
		error_set(err, -ENOENT, SOOTH_FAULT_USAGE, "export the table %s", o->names[i]);
		error_why(err, "the capture has no table of this name");
		if (near)
			return error_remedy(err, "did you mean %s?", near);
		return error_remedy(err, "`sooth query FILE --tables` lists the tables");
	}
	return 0;
}

static int count(
	void *user, struct table *table, const struct sooth_record *record, struct sooth_error *err)
{
	(void)user;
	(void)record;
	(void)err;
	table->rows++;
	return 0;
}

/* Those with the most rows. */
static void list(struct tables *t, struct buffer *out)
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
	int status = tables_init(tables, err);

	if (!status)
		status = feed_open(&feed, tables, FEED_RECORDS | FEED_VIEWS, count, NULL, err);
	if (!status)
		status = feed_read(&feed, o->path, err);
	feed_close(&feed);
	return status;
}

int choice_main(const struct export_options *o, const char **name, struct sooth_error *err)
{
	/* What most captures are made for; single events before their sums. */
	static const char *const usual[] = { "syscalls_call", "heap_call", "syscalls",
		"heap_by_function", "processes" };
	struct tables tables = { 0 };
	int status = strcmp(o->path, "-") ? count_rows(o, &tables, err) : 0;

	*name = NULL;
	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]) && !status && !*name; i++) {
		const struct table *table = tables_find(&tables, usual[i]);

		*name = table && table->rows ? usual[i] : NULL;
	}
	tables_fini(&tables);
	return status;
}

int choice_refuse_many(const struct export_options *o, struct sooth_error *err)
{
	struct tables tables = { 0 };
	struct buffer names = { 0 };
	int status = strcmp(o->path, "-") ? count_rows(o, &tables, err) : 0;

	if (!status) {
		list(&tables, &names);
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
