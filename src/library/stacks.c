/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes a stack only on request, and once: most stacks are never requested. */
#include "library/stacks.h"

#include <stdlib.h>
#include <string.h>

#include "model/batch.h"

#define STACKS_MAX (1u << 20)

struct made_stack {
	struct sooth_frame *frames; /* followed by their texts */
	size_t count;
};

_Static_assert((int)SOOTH_FRAME_USER == PROFILE_USER && (int)SOOTH_FRAME_KERNEL == PROFILE_KERNEL &&
		       (int)SOOTH_FRAME_GENERATED == PROFILE_GENERATED &&
		       (int)SOOTH_FRAME_SCRIPT == PROFILE_SCRIPT,
	"the public names are the internal ones");

void stacks_init(struct stacks *s, uint16_t stack_kind, uint16_t frame_kind)
{
	profile_sums_init(&s->sums);
	s->sums.stack_kind = stack_kind;
	s->sums.frame_kind = frame_kind;
	s->sums.naming.has_lines = true; /* where they were requested */
	map_init(&s->made, sizeof(uint32_t), sizeof(struct made_stack), STACKS_MAX);
}

void stacks_fini(struct stacks *s)
{
	map_for_each_value (&s->made, struct made_stack *, value)
		free(value->frames);
	map_fini(&s->made);
	profile_sums_fini(&s->sums);
}

void stacks_add_record(struct stacks *s, const struct sooth_record *record)
{
	struct batch one = { (const unsigned char *)record, record_bytes(record) };

	profile_sums_add_batch(&s->sums, &one);
}

static char *put_text(char **at, struct span text)
{
	char *begin = *at;

	memcpy(begin, text.data, text.size);
	begin[text.size] = '\0';
	*at += text.size + 1;
	return begin;
}

static struct sooth_frame *make_frames(
	const struct names *names, const struct profile_stacked *stacked)
{
	struct sooth_frame *frames;
	size_t size = 0;
	char *at;

	for (size_t i = 0; i < stacked->depth; i++)
		size += names_get(names, stacked->frames[i]->name).size +
			names_get(names, stacked->frames[i]->file).size + 2;
	frames = malloc(stacked->depth * sizeof(*frames) + size + 1);
	if (!frames)
		return NULL;
	at = (char *)(frames + stacked->depth);
	for (size_t i = 0; i < stacked->depth; i++) {
		const struct profile_function *f = stacked->frames[i];

		frames[i] =
			(struct sooth_frame){ .function = put_text(&at, names_get(names, f->name)),
				.file = put_text(&at, names_get(names, f->file)),
				.offset = f->offset,
				.kind = (enum sooth_frame_kind)f->kind,
				.is_named = f->is_named };
	}
	return frames;
}

size_t stacks_frames(struct stacks *s, uint32_t stack, const struct sooth_frame **frames)
{
	struct profile_stacked stacked;
	struct made_stack *made;
	bool is_new;

	*frames = NULL;
	made = map_put(&s->made, &stack, &is_new);
	if (!made)
		return 0;
	if (is_new) {
		*made = (struct made_stack){ 0 };
		if (profile_sums_stack(&s->sums, stack, &stacked))
			made->frames = make_frames(&s->sums.names, &stacked);
		made->count = made->frames ? stacked.depth : 0;
	}
	*frames = made->frames;
	return made->count;
}
