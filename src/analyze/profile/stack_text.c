/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/profile/stack_text.h"

#define BETWEEN " < "

struct stack_text stack_text_of(struct profile_sums *sums, uint32_t stack)
{
	struct profile_stacked stacked = { 0 };
	struct buffer text = { 0 };
	struct stack_text out;

	profile_sums_stack(sums, stack, &stacked);
	for (size_t i = 0; i < stacked.depth; i++) {
		struct span name = names_get(&sums->names, stacked.frames[i]->name);

		buffer_string(&text, i ? BETWEEN : "");
		buffer_append(&text, name.data, name.size);
	}
	if (stacked.end != PROFILE_WHOLE)
		buffer_format(&text, "%s[cut: %s]", stacked.depth ? BETWEEN : "",
			profile_end_text(stacked.end));
	out = (struct stack_text){ names_put(&sums->names,
					   span_of((const char *)text.data, text.size), NULL),
		stacked.end };
	buffer_fini(&text);
	return out;
}

int stack_text_compare(const struct stack_text *a, const struct stack_text *b)
{
	if (a->text != b->text)
		return a->text < b->text ? -1 : 1;
	return a->end < b->end ? -1 : a->end > b->end;
}

void stack_text_functions(const struct profile_sums *sums, uint32_t stack, struct buffer *out)
{
	struct profile_stacked stacked = { 0 };

	profile_sums_stack(sums, stack, &stacked);
	for (size_t i = 0; i < stacked.depth; i++) {
		struct span name = names_get(&sums->names, stacked.frames[i]->name);

		buffer_append(out, name.data, name.size);
		buffer_char(out, 0);
	}
}
