/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A table on a terminal that is too narrow for it: figures are never cut, so columns are left
 * out until every row stands on one line.
 */
#ifndef SOOTH_SINKS_TABLE_FIT_H
#define SOOTH_SINKS_TABLE_FIT_H

#include <libsmartcols.h>

#include "base/buffer.h"
#include "model/field.h"

/*
 * `fields` are those of the columns. `spare` names them in the order in which they are left
 * out, with commas between (NULL: none); then comes whatever stands to the right, and never the
 * first. The headings of those left out are added to `names`.
 */
void table_fit(struct libscols_table *table, const struct sooth_field *const *fields, size_t count,
	unsigned width, const char *spare, struct buffer *names);

/* What a column needs: one that may be cut has room enough in that of its heading. */
size_t table_column_width(struct libscols_table *table, size_t n);

#endif
