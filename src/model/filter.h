/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Selects rows by an expression over the fields of their schema; the same language for every
 * table of every command.
 *
 *   expression  = and ("or" and)*
 *   and         = not ("and" not)*
 *   not         = "not" not | "(" expression ")" | comparison
 *   comparison  = field (operator value)?
 *   operator    = "=" "==" "!=" "<" "<=" ">" ">=" "~" "!~"
 *   value       = a number, with its unit where the field has one: 5ms, 200M, 80
 *               | a word or a text in quotes
 *
 * A field alone holds when it is true, not zero, not empty. "~" looks for a regular expression
 * (POSIX, extended) in the field as people see it. Enumerations and errors compare by name or by
 * number; "errno" stands for a field that is one. A value that was not measured, or is absent,
 * compares to nothing: each comparison with it is false, "!=" and "!~" too.
 */
#pragma once

#include "base/error.h"
#include "model/field.h"

struct filter;

/* Parses `text`. -EINVAL: `err` has the place of the mistake; -ENOMEM. */
int filter_new(struct filter **out, const char *text, struct sooth_error *err);
void filter_free(struct filter *f);
/* Returns whether a schema has every field that the expression names. */
bool filter_fits_schema(const struct filter *f, const struct sooth_schema *schema);
/* Returns whether the filter matches a record of a schema that it fits: 0 or 1. -EINVAL: a value
 * makes no sense for its field. */
int filter_matches_record(struct filter *f, const struct sooth_schema *schema,
	const struct sooth_record *record, struct sooth_error *err);
/* Returns the first field that the expression names, for errors. */
const char *filter_field(const struct filter *f);
/* Returns the first named field that none of these schemas has; NULL: all are known. */
const char *filter_unknown(
	const struct filter *f, const struct sooth_schema *const *schemas, size_t count);
