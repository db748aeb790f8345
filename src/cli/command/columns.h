/* SPDX-License-Identifier: BSD-2-Clause */
/* Columns and sort order as the user typed them: by name or heading. */
#pragma once

#include <stdbool.h>

#include "base/buffer.h"
#include "cli/command/options.h"
#include <sooth/field.h>

/* Chooses columns: "a,b" are the columns; "+a" adds to the default columns and sets *is_more. `out`
 * gets comma-separated names as in the schema. The error for a wrong name suggests the nearest
 * name. */
int columns_choose(struct buffer *out, bool *is_more, const struct sooth_schema *schema,
	const struct option_list *typed, struct sooth_error *err);
/* Returns whether "help" was typed; columns_help() then prints all columns. */
bool columns_want_help(const struct option_list *typed);
void columns_help(const struct sooth_schema *schema);
/* Adds one or more comma-separated names. */
void columns_add(struct buffer *out, const char *names);
/* Returns whether a comma-separated list has that name. */
bool columns_have(const char *columns, const char *name);
/* Parses a sort order: "-rss_bytes" puts the largest first. */
int columns_sort(const struct sooth_field **field, bool *is_descending,
	const struct sooth_schema *schema, const char *typed, struct sooth_error *err);
