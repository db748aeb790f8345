/* SPDX-License-Identifier: BSD-2-Clause */
/* Which tables are exported: those that are named, or all. */
#ifndef SOOTH_EXPORT_CHOICE_H
#define SOOTH_EXPORT_CHOICE_H

#include "export/export.h"

bool choice_has(const struct export_options *o, struct table *table);
/* What has to be read for those that are named. */
int choice_parts(const struct export_options *o, struct tables *tables, unsigned *parts,
	struct sooth_error *err);
/* At the end: each that was named has turned out to be one. */
int choice_check(
	const struct export_options *o, const struct tables *tables, struct sooth_error *err);
/* The table that a capture is mostly made for; NULL: none of the usual ones has rows. Reads the
 * capture, unless that is a stream. */
int choice_main(const struct export_options *o, const char **name, struct sooth_error *err);
/* Says which there are, by reading the capture. */
int choice_refuse_many(const struct export_options *o, struct sooth_error *err);

#endif
