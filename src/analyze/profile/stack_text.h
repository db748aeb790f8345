/* SPDX-License-Identifier: BSD-2-Clause */
/* A stack in one line, the innermost function first, as tables show it. */
#ifndef SOOTH_ANALYZE_STACK_TEXT_H
#define SOOTH_ANALYZE_STACK_TEXT_H

#include "analyze/profile/profile_sums.h"

/* "malloc < read_all < main"; in place of what is in it. */
void stack_text_put(const struct profile_sums *sums, const struct profile_stacked *stacked,
	struct buffer *out);
/* The same names, each with a NUL behind it, appended. */
void stack_text_functions(const struct profile_sums *sums, const struct profile_stacked *stacked,
	struct buffer *out);

#endif
