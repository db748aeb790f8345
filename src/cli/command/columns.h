/* SPDX-License-Identifier: BSD-2-Clause */
/* Columns and sort order as the user typed them: by name or heading. */
#ifndef SOOTH_CLI_COLUMNS_H
#define SOOTH_CLI_COLUMNS_H

#include <stdbool.h>

#include "base/buffer.h"
#include "cli/command/options.h"
#include <sooth/field.h>

/*
 * "a,b" are the columns; "+a" is added to the default ones, as *is_more says. `out` gets the names
 * that the schema knows, with commas between. A wrong one is an error with the nearest right one.
 */
int columns_choose(struct buffer *out, bool *is_more, const struct sooth_schema *schema,
	const struct option_list *typed, struct sooth_error *err);
/* "help" was typed; and that help: every column, on standard output. */
bool columns_want_help(const struct option_list *typed);
void columns_help(const struct sooth_schema *schema);
/* Adds a name, or several with commas between. */
void columns_add(struct buffer *out, const char *names);
/* Whether a list with commas has that name. */
bool columns_have(const char *columns, const char *name);
/* "-rss_bytes": the largest first. */
int columns_sort(const struct sooth_field **field, bool *is_descending,
	const struct sooth_schema *schema, const char *typed, struct sooth_error *err);

#endif
