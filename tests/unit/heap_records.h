/* SPDX-License-Identifier: BSD-2-Clause */
/* Records of the heap probe, as a backend would write them. */
#ifndef SOOTH_TESTS_HEAP_RECORDS_H
#define SOOTH_TESTS_HEAP_RECORDS_H

#include "support.h"

#include <sooth/field.h>
#include "probes/heap.h"

#define TICKS 7 /* the start of every process here */

static inline struct sooth_record heap_head(uint16_t kind, uint64_t time_ns, uint32_t pid)
{
	return (struct sooth_record){
		.time_ns = time_ns, .start_ticks = TICKS, .pid = pid, .tid = pid, .kind = kind
	};
}

static inline void add_heap_call(struct buffer *out, struct heap_call c)
{
	RECORD_APPEND(out, &c, NULL, 0);
}

static inline struct heap_call malloc_call(
	uint64_t time_ns, uint32_t pid, uint64_t address, uint64_t size)
{
	return (struct heap_call){ .record = heap_head(HEAP_CALL, time_ns, pid),
		.function = HEAP_MALLOC,
		.address = address,
		.size = size,
		.duration_ns = 10,
		.old_address_state = SOOTH_STATE_ABSENT,
		.error_state = SOOTH_STATE_ABSENT };
}

static inline struct heap_call free_call(uint64_t time_ns, uint32_t pid, uint64_t address)
{
	return (struct heap_call){ .record = heap_head(HEAP_CALL, time_ns, pid),
		.function = HEAP_FREE,
		.address = address,
		.size_state = SOOTH_STATE_ABSENT,
		.old_address_state = SOOTH_STATE_ABSENT,
		.error_state = SOOTH_STATE_ABSENT };
}

static inline struct heap_call realloc_call(
	uint64_t time_ns, uint32_t pid, uint64_t old, uint64_t address, uint64_t size)
{
	struct heap_call c = malloc_call(time_ns, pid, address, size);

	c.function = HEAP_REALLOC;
	c.old_address = old;
	c.old_address_state = SOOTH_STATE_VALUE;
	return c;
}

static inline struct heap_call failed_call(uint64_t time_ns, uint32_t pid, uint64_t size)
{
	struct heap_call c = malloc_call(time_ns, pid, 0, size);

	c.error = 12; /* ENOMEM */
	c.error_state = SOOTH_STATE_VALUE;
	return c;
}

static inline void add_join(
	struct buffer *out, uint64_t time_ns, uint32_t parent, uint32_t child, const char *name)
{
	struct process_join join = { .record = heap_head(PROCESS_JOIN, time_ns, child),
		.parent_start_ticks = TICKS,
		.parent_pid = parent };

	snprintf(join.name, sizeof(join.name), "%s", name);
	RECORD_APPEND(out, &join, NULL, 0);
}

static inline void add_exec(struct buffer *out, uint64_t time_ns, uint32_t pid, const char *name)
{
	struct process_exec exec = { .record = heap_head(PROCESS_EXEC, time_ns, pid) };

	snprintf(exec.name, sizeof(exec.name), "%s", name);
	RECORD_APPEND(out, &exec, NULL, 0);
}

static inline void add_target(struct buffer *out, const char *selector)
{
	struct stream_target target = { .record = { .time_ns = 1, .kind = STREAM_TARGET } };
	struct record_tail tail[] = { { &target.selector, selector, strlen(selector) } };

	RECORD_APPEND(out, &target, tail, 1);
}

static inline void add_heap_source_of(struct buffer *out, const char *backend)
{
	struct stream_source source = { .record = { .time_ns = 1, .kind = STREAM_SOURCE },
		.source = 1 };
	struct record_tail tail[] = { { &source.probe, "heap", 4 },
		{ &source.backend, backend, strlen(backend) }, { &source.fallback_reason, "", 0 } };

	RECORD_APPEND(out, &source, tail, ARRAY_SIZE(tail));
}

static inline void add_heap_source(struct buffer *out)
{
	add_heap_source_of(out, "test");
}

static inline void add_begin(struct buffer *out, uint64_t time_ns)
{
	struct stream_begin begin = { .record = { .time_ns = time_ns, .kind = STREAM_BEGIN } };

	RECORD_APPEND(out, &begin, NULL, 0);
}

static inline void add_end(struct buffer *out, uint64_t time_ns)
{
	struct stream_end end = { .record = { .time_ns = time_ns, .kind = STREAM_END },
		.reason = STREAM_END_TARGET,
		.child_status = -1 };

	RECORD_APPEND(out, &end, NULL, 0);
}

static inline void add_loss(
	struct buffer *out, uint64_t time_ns, const char *source, uint64_t records)
{
	struct stream_loss loss = { .record = { .time_ns = time_ns, .kind = STREAM_LOSS },
		.records = records };
	struct record_tail tail[] = { { &loss.source, source, strlen(source) },
		{ &loss.reason, "the ring was full", 17 } };

	RECORD_APPEND(out, &loss, tail, ARRAY_SIZE(tail));
}

/* The tally of one call more. */
static inline void count_call(struct heap_count *count, const struct heap_call *c)
{
	bool is_free = c->function == HEAP_FREE;
	bool has_failed = !is_free && !c->address && c->size;
	unsigned bucket = 0;

	while (bucket < HEAP_BUCKETS - 1 && c->size >> (bucket + 1))
		bucket++;
	count->function = c->function;
	count->count++;
	count->failed += has_failed;
	count->overflows += c->is_overflow;
	count->bytes += is_free || has_failed ? 0 : c->size;
	count->total_ns += c->duration_ns;
	if (c->duration_ns > count->max_ns)
		count->max_ns = c->duration_ns;
	if (!is_free)
		count->histogram[bucket]++;
}

#endif
