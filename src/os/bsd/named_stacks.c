/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/bsd/named_stacks.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/hash.h"
#include "os/os.h"

#define FRAMES_MAX (1u << 18)
#define STACKS_MAX (1u << 18)

/* Two hashes with different seeds: 128 bits. */
struct key {
	uint64_t first, second;
};

void named_stacks_init(struct named_stacks *s, uint16_t stack_kind, uint16_t frame_kind)
{
	s->stack_kind = stack_kind;
	s->frame_kind = frame_kind;
	s->refused = 0;
	map_init(&s->frames, sizeof(struct key), sizeof(uint32_t), FRAMES_MAX);
	map_init(&s->stacks, sizeof(struct key), sizeof(uint32_t), STACKS_MAX);
}

void named_stacks_fini(struct named_stacks *s)
{
	map_fini(&s->frames);
	map_fini(&s->stacks);
}

static void mix_key(struct key *key, const void *data, size_t size)
{
	key->first = hash_bytes(key->first, data, size);
	key->second = hash_bytes(key->second, data, size);
}

/* Returns the number of a key, from 1 on; 0: there is no room. */
static uint32_t number_of(struct map *m, const struct key *key, bool *is_new)
{
	uint32_t *number = map_put(m, key, is_new);

	if (!number)
		return 0;
	if (*is_new)
		*number = (uint32_t)m->count;
	return *number;
}

static struct sooth_record record_head(const struct backend_run *run, uint16_t kind)
{
	return (struct sooth_record){
		.time_ns = run->os->now_ns(run->os), .kind = kind, .cpu = SOOTH_CPU_NONE
	};
}

static uint32_t put_frame(
	struct named_stacks *s, struct backend_run *run, const struct named_frame *f)
{
	struct key key = { 1, 2 };
	struct profile_frame r = { .record = record_head(run, s->frame_kind),
		.offset = f->offset,
		.begin = f->begin,
		.frame_kind = f->kind,
		.function_state = f->function.size ? SOOTH_STATE_VALUE
						   : SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED),
		.file_state = f->file.size ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
		.build_id_state = f->build_id.size ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
		.begin_state = f->function.size ? SOOTH_STATE_VALUE
						: SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED),
		.lines_state = SOOTH_STATE_ABSENT };
	struct record_tail tail[] = {
		{ &r.function, f->function.data, f->function.size },
		{ &r.file, f->file.data, f->file.size },
		{ &r.build_id, f->build_id.data, f->build_id.size },
		{ &r.inlined, NULL, 0 },
		{ &r.lines, NULL, 0 },
	};
	bool is_new;

	mix_key(&key, f->function.data, f->function.size);
	mix_key(&key, f->file.data, f->file.size);
	mix_key(&key, &f->offset, sizeof(f->offset));
	mix_key(&key, &f->kind, sizeof(f->kind));
	r.frame = number_of(&s->frames, &key, &is_new);
	if (r.frame && is_new)
		RECORD_APPEND(&run->out, &r, tail, ARRAY_SIZE(tail));
	return r.frame;
}

uint32_t named_stacks_put(struct named_stacks *s, struct backend_run *run,
	const struct named_frame *frames, size_t count, enum profile_end end)
{
	uint32_t numbers[NAMED_FRAMES_MAX];
	struct profile_stack r = { .record = record_head(run, s->stack_kind), .end = (uint8_t)end };
	struct record_tail tail[] = { { &r.frames, numbers, 0 } };
	struct key key = { 3, 4 };
	bool is_new;

	if (count > NAMED_FRAMES_MAX) {
		count = NAMED_FRAMES_MAX;
		r.end = PROFILE_DEPTH;
	}
	for (size_t i = 0; i < count; i++) {
		numbers[i] = put_frame(s, run, &frames[i]);
		if (!numbers[i]) {
			s->refused++;
			return 0;
		}
	}
	tail[0].size = count * sizeof(*numbers);
	mix_key(&key, numbers, tail[0].size);
	mix_key(&key, &r.end, sizeof(r.end));
	r.stack = number_of(&s->stacks, &key, &is_new);
	if (!r.stack)
		s->refused++;
	else if (is_new)
		RECORD_APPEND(&run->out, &r, tail, ARRAY_SIZE(tail));
	return r.stack;
}
