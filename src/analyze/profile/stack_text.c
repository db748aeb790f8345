/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/profile/stack_text.h"

#include <assert.h>
#include <string.h>

#include "analyze/profile/wait_places.h"
#include "base/cleanup.h"
#include "base/order.h"

#define BETWEEN	    " < "
#define CODE_FRAMES 4

/* Returns the line of a function, "server.c:120"; empty: not known. */
static struct span line_of(const struct profile_sums *sums, const struct profile_function *f)
{
	return f->has_line ? names_get(&sums->names, f->file) : span_of("", 0);
}

static void put_line(
	struct buffer *out, const struct profile_sums *sums, const struct profile_function *f)
{
	struct span line = line_of(sums, f);

	buffer_append(out, line.data, line.size);
	buffer_char(out, 0);
}

struct stack_text stack_text_of(struct profile_sums *sums, uint32_t stack)
{
	struct profile_stacked stacked = { 0 };
	_cleanup_(buffer_fini) struct buffer text = { 0 }, lines = { 0 };
	struct stack_text out;

	assert(sums);
	profile_sums_stack(sums, stack, &stacked);
	for (size_t i = 0; i < stacked.depth; i++) {
		struct span name = names_get(&sums->names, stacked.frames[i]->name);

		buffer_string(&text, i ? BETWEEN : "");
		buffer_append(&text, name.data, name.size);
		put_line(&lines, sums, stacked.frames[i]);
	}
	if (stacked.end != PROFILE_WHOLE)
		buffer_format(&text, "%s[cut: %s]", stacked.depth ? BETWEEN : "",
			profile_end_text(stacked.end));
	out = (struct stack_text){ names_put(&sums->names,
					   span_of((const char *)text.data, text.size), NULL),
		names_put(&sums->names, span_of((const char *)lines.data, lines.size), NULL),
		stacked.end };
	return out;
}

int stack_text_compare(const struct stack_text *a, const struct stack_text *b)
{
	assert(a);
	assert(b);
	int order = smaller_first(a->text, b->text);

	order = order ?: smaller_first(a->lines, b->lines);
	return order ?: smaller_first(a->end, b->end);
}

/* Writes the file, unless the name contains it: "[node]", "node+0x12". */
static void put_file(struct buffer *out, struct span name, struct span file)
{
	if (!file.size || memmem(name.data, name.size, file.data, file.size))
		return;
	buffer_string(out, " (");
	buffer_append(out, file.data, file.size);
	buffer_char(out, ')');
}

void stack_text_put_callers(struct buffer *out, const struct profile_sums *sums, uint32_t stack)
{
	struct profile_stacked stacked = { 0 };
	const struct profile_function *first;
	bool is_begun = false;
	bool is_script;
	unsigned put = 0;

	assert(sums);
	profile_sums_stack(sums, stack, &stacked);
	if (!stacked.depth)
		buffer_string(out, "code without a recorded stack");
	/* The innermost frame is the probed function. */
	if (stacked.depth > 1)
		memmove(stacked.frames, stacked.frames + 1,
			--stacked.depth * sizeof(*stacked.frames));
	first = wait_place_function(sums, &stacked);
	is_script = first && first->kind == PROFILE_SCRIPT;
	for (size_t i = 0; i < stacked.depth; i++) {
		const struct profile_function *f = stacked.frames[i];
		struct span name = names_get(&sums->names, f->name);

		is_begun |= !first || f == first;
		if (!is_begun || (is_script && f->kind != PROFILE_SCRIPT) ||
			(put && wait_place_is_below(sums, f)))
			continue;
		if (put == CODE_FRAMES) {
			buffer_string(out, BETWEEN "...");
			break;
		}
		buffer_string(out, put ? BETWEEN : "");
		buffer_append(out, name.data, name.size);
		if (!put++)
			put_file(out, name, names_get(&sums->names, f->file));
	}
}

struct span stack_text_line(const struct profile_sums *sums, uint32_t stack)
{
	struct profile_stacked stacked = { 0 };
	const struct profile_function *f;

	assert(sums);
	profile_sums_stack(sums, stack, &stacked);
	f = wait_place_function(sums, &stacked);
	return f ? line_of(sums, f) : span_of("", 0);
}

void stack_text_functions(const struct profile_sums *sums, uint32_t stack, struct buffer *out)
{
	struct profile_stacked stacked = { 0 };

	assert(sums);
	profile_sums_stack(sums, stack, &stacked);
	for (size_t i = 0; i < stacked.depth; i++) {
		struct span name = names_get(&sums->names, stacked.frames[i]->name);

		buffer_append(out, name.data, name.size);
		buffer_char(out, 0);
	}
}
