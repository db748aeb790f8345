/* SPDX-License-Identifier: BSD-2-Clause */
#include "export/table_files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/same_file.h"

/* The file of a table, in table->user. */
struct table_file {
	struct out_file file; /* file in a folder */
	struct tabular lines;
};

int table_files_open(struct export_place *p, struct sooth_error *err)
{
	if (p->folder && mkdir(p->folder, 0700) && errno != EEXIST)
		return error_errno(err, -errno, "make the folder %s", p->folder);
	return 0;
}

static int refuse_read(const char *path, struct sooth_error *err)
{
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "write %s", path);
	error_why(err, "this file is the capture that sooth reads, and would be overwritten");
	return error_remedy(err, "name another folder");
}

static int begin_table(const struct table_files *f, struct export_place *p, struct table *table,
	struct sooth_error *err)
{
	struct table_file *t = table->user = calloc(1, sizeof(*t));
	_cleanup_free_ char *path = NULL;
	int status = 0;

	if (!t)
		return error_no_memory(err);
	if (p->folder && asprintf(&path, "%s/%s.%s", p->folder, table->name, f->ending) < 0) {
		path = NULL;
		return error_no_memory(err);
	}
	if (p->folder && file_is_same(path, p->read))
		status = refuse_read(path, err);
	else if (p->folder)
		status = out_file_open(&t->file, path, false, err);
	if (status)
		return status;
	tabular_open(&t->lines, p->folder ? t->file.stream : p->file->stream, p->out.doing);
	f->head(p, table, &t->lines);
	return 0;
}

struct tabular *table_files_get(const struct table_files *f, struct export_place *p,
	struct table *table, struct sooth_error *err)
{
	if (!table->user && begin_table(f, p, table, err))
		return NULL;
	return &((struct table_file *)table->user)->lines;
}

int table_files_finish(const struct table_files *f, struct export_place *p, struct sooth_error *err)
{
	int status = 0;

	for (size_t i = 0; i < p->tables.count && !status; i++) {
		struct table *table = p->tables.items[i];
		struct table_file *t = table->user;

		/* A selected table without rows gets at least its first lines. */
		if (!t && p->file && table->choice == TABLE_SELECTED)
			status = begin_table(f, p, table, err);
		t = table->user;
		if (!status && t)
			status = tabular_write(&t->lines, err);
		if (!status && t && p->folder)
			status = out_file_commit(&t->file, err);
	}
	return status;
}

void table_files_close(struct export_place *p)
{
	for (size_t i = 0; i < p->tables.count; i++) {
		struct table_file *t = p->tables.items[i]->user;

		if (!t)
			continue;
		out_file_close(&t->file);
		tabular_fini(&t->lines);
		free(t);
	}
}
