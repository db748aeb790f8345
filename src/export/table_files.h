/* SPDX-License-Identifier: BSD-2-Clause */
/* Formats with one table a file: the file of the export, or in a folder one for each table with
 * rows, NAME.ENDING. */
#pragma once

#include "export/export.h"

struct table_files {
	const char *ending;
	/* Writes the first lines of the table. */
	void (*head)(struct export_place *place, struct table *table, struct tabular *lines);
};

/* Makes the folder. */
int table_files_open(struct export_place *p, struct sooth_error *err);
/* Returns the lines of the table, opened for its first row; NULL: failed. */
struct tabular *table_files_get(const struct table_files *f, struct export_place *p,
	struct table *table, struct sooth_error *err);
/* Writes all, and gives files in a folder their names. */
int table_files_finish(
	const struct table_files *f, struct export_place *p, struct sooth_error *err);
void table_files_close(struct export_place *p);
