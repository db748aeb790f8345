/* SPDX-License-Identifier: BSD-2-Clause */
/* Stacks of allocations. */
#include "os/linux/heap/heap_stacks.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/batch.h"

#define STACKS_MAX     (1u << 20)
#define TABLES_WAIT_MS 5000 /* a file of 200 MB takes seconds */
#define LOSS_SOURCE    "heap.stack"

struct heap_stacks *heap_stacks_open(
	struct bpf_code *code, const struct probe_options *options, struct sooth_error *err)
{
	struct heap_stacks *s = calloc(1, sizeof(*s));

	if (!s) {
		error_no_memory(err);
		return NULL;
	}
	pthread_mutex_init(&s->lock, NULL);
	map_init(&s->numbers, sizeof(uint64_t), sizeof(uint32_t), STACKS_MAX);
	profile_walks_init(&s->walks, HEAP_STACK, HEAP_FRAME);
	s->memos = bpf_code_variables(code, ".data.memos", sizeof(*s->memos), err);
	if (s->memos && !profile_walks_open(&s->walks, code, options, err))
		return s;
	heap_stacks_close(s);
	return NULL;
}

void heap_stacks_close(struct heap_stacks *s)
{
	if (!s)
		return;
	profile_walks_close(&s->walks);
	profile_walks_fini(&s->walks);
	map_fini(&s->numbers);
	buffer_fini(&s->raw);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

void heap_stacks_ahead(struct heap_stacks *s, pid_t pid)
{
	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	profile_walks_ahead(&s->walks, pid, NULL);
	pthread_mutex_unlock(&s->lock);
	profile_tables_wait(&s->walks.tables, TABLES_WAIT_MS);
}

static void store_stack(struct heap_stacks *s, const struct profile_raw *raw, struct buffer *out)
{
	uint32_t number = profile_walks_put(&s->walks, raw, out);
	uint32_t *known =
		number == PROFILE_STACK_NONE ? NULL : map_put(&s->numbers, &raw->hash, NULL);

	if (known)
		*known = number;
}

uint32_t heap_stacks_number_of(struct heap_stacks *s, uint64_t hash)
{
	const uint32_t *number;
	uint32_t found;

	if (!s)
		return 0;
	pthread_mutex_lock(&s->lock);
	number = map_get(&s->numbers, &hash);
	found = number ? *number : 0;
	pthread_mutex_unlock(&s->lock);
	return found;
}

static void resolve_stack_of_call(
	struct heap_stacks *s, const struct sooth_record *r, struct buffer *out)
{
	struct heap_call call;
	const uint32_t *number;

	memcpy(&call, r, sizeof(call));
	number = map_get(&s->numbers, &call.stack_hash);
	call.stack_hash = 0;
	call.stack_state = SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED);
	if (number) {
		call.stack = *number;
		call.stack_state = SOOTH_STATE_VALUE;
	}
	buffer_append(out, &call, sizeof(call));
}

static void resolve_stacks_of_bad_free(
	struct heap_stacks *s, const struct sooth_record *r, struct buffer *out)
{
	struct heap_bad_free bad;
	const uint32_t *number;

	memcpy(&bad, r, sizeof(bad));
	number = map_get(&s->numbers, &bad.stack_hash);
	bad.stack_hash = 0;
	bad.stack_state = SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED);
	if (number) {
		bad.stack = *number;
		bad.stack_state = SOOTH_STATE_VALUE;
	}
	buffer_append(out, &bad, sizeof(bad));
}

void heap_stacks_number(struct heap_stacks *s, struct buffer *out, size_t from)
{
	struct batch batch;

	if (!s)
		return;
	buffer_reset(&s->raw);
	buffer_append(&s->raw, buffer_at(out, from), out->size - from);
	out->size = from;
	out->failed |= buffer_failed(&s->raw);
	batch = (struct batch){ s->raw.data, s->raw.size };
	pthread_mutex_lock(&s->lock);
	batch_for_each (r, &batch) {
		if (r->kind == PROFILE_RAW)
			store_stack(s, (const void *)r, out);
		else if (r->kind == HEAP_CALL && record_holds(r, sizeof(struct heap_call)))
			resolve_stack_of_call(s, r, out);
		else if (r->kind == HEAP_BAD_FREE && record_holds(r, sizeof(struct heap_bad_free)))
			resolve_stacks_of_bad_free(s, r, out);
		else if (!profile_walks_handle_record(&s->walks, r))
			buffer_append(out, r, record_bytes(r));
	}
	pthread_mutex_unlock(&s->lock);
}

void heap_stacks_emit(
	struct heap_stacks *s, struct backend_run *run, const struct heap_control *control)
{
	uint64_t lost = control->lost_stacks, unwalked = control->unwalked;
	uint64_t differing;

	if (!s)
		return;
	differing = s->memos->differing;
	if (lost != s->reported_lost)
		backend_loss_of(run, LOSS_SOURCE, lost - s->reported_lost, 0,
			"the ring buffer was full: stacks of allocations were lost; use a larger "
			"one: --buffer 128M");
	if (unwalked != s->reported_unwalked)
		backend_loss_of(run, LOSS_SOURCE, unwalked - s->reported_unwalked, 0,
			"too many threads of one CPU were allocating: these calls have no stack");
	if (differing != s->reported_differing)
		backend_loss_of(run, LOSS_SOURCE, differing - s->reported_differing, 0,
			"sooth took these stacks for a known one, but another walk found other "
			"frames: this is a bug in sooth, please report it");
	s->reported_differing = differing;
	s->reported_lost = lost;
	s->reported_unwalked = unwalked;
	profile_walks_emit(&s->walks, run, LOSS_SOURCE);
}

int heap_stacks_stop(struct heap_stacks *s, struct backend_run *run, struct sooth_error *err)
{
	if (!s)
		return 0;
	profile_tables_stop(&s->walks.tables);
	return profile_walks_name(&s->walks, run, err);
}
