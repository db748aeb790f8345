/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/profile/stack_text.h"

#define BETWEEN " < "

void stack_text_put(const struct profile_sums *sums, const struct profile_stacked *stacked,
	struct buffer *out)
{
	buffer_reset(out);
	for (size_t i = 0; i < stacked->depth; i++) {
		struct span name = names_get(&sums->names, stacked->frames[i]->name);

		buffer_string(out, i ? BETWEEN : "");
		buffer_append(out, name.data, name.size);
	}
	if (stacked->end != PROFILE_WHOLE)
		buffer_format(out, "%s[cut: %s]", stacked->depth ? BETWEEN : "",
			profile_end_text(stacked->end));
}

void stack_text_functions(const struct profile_sums *sums, const struct profile_stacked *stacked,
	struct buffer *out)
{
	for (size_t i = 0; i < stacked->depth; i++) {
		struct span name = names_get(&sums->names, stacked->frames[i]->name);

		buffer_append(out, name.data, name.size);
		buffer_char(out, 0);
	}
}
