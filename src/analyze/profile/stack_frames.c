/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/profile/stack_frames.h"

#include <stdio.h>
#include <string.h>

static const char *const kind_texts[STACK_KINDS] = { "process or thread", "program", "library",
	"kernel", "generated code", "missing frames", "script" };
const struct sooth_names stack_kind_names = { STACK_KINDS, kind_texts };

static uint8_t kind_of(const struct profile_function *f, struct span file, struct span process)
{
	if (f->kind == PROFILE_KERNEL)
		return STACK_KERNEL;
	if (f->kind == PROFILE_GENERATED)
		return STACK_GENERATED;
	if (f->kind == PROFILE_SCRIPT)
		return STACK_SCRIPT;
	/* The kernel cuts names to 15 bytes. */
	return file.size >= process.size && process.size &&
			       !memcmp(file.data, process.data, process.size)
		       ? STACK_PROGRAM
		       : STACK_LIBRARY;
}

void stack_frames_of(const struct profile_sums *sums, const struct profile_stacked *stacked,
	struct stack_frames *out)
{
	out->count = 0;
	if (stacked->end != PROFILE_WHOLE && stacked->end != PROFILE_KERNEL_ONLY) {
		snprintf(out->cut, sizeof(out->cut), "[cut: %s]", profile_end_text(stacked->end));
		out->items[out->count++] = (struct stack_frame_named){ span_of_string(out->cut),
			span_of(NULL, 0), STACK_CUT, NULL };
	}
	for (size_t i = stacked->depth; i--;) {
		const struct profile_function *f = stacked->frames[i];
		struct span file = names_get(&sums->names, f->file);

		out->items[out->count++] =
			(struct stack_frame_named){ names_get(&sums->names, f->name), file,
				kind_of(f, file, stacked->process), f };
	}
}

bool stack_frames_add(struct call_graph *graph, const struct profile_sums *sums, uint32_t stack,
	const struct call_graph_values *values)
{
	struct call_graph_frame frames[STACK_FRAMES_MAX];
	struct profile_stacked stacked = { 0 };
	struct stack_frames list;

	if (!profile_sums_stack(sums, stack, &stacked))
		return false;
	stack_frames_of(sums, &stacked, &list);
	for (size_t i = 0; i < list.count; i++)
		frames[i] = (struct call_graph_frame){ list.items[i].name, list.items[i].kind };
	call_graph_add(graph, frames, list.count, values);
	return true;
}
