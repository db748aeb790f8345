/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * heap by utrace(2): with MALLOC_CONF=utrace:true in the environment, which a launched command
 * gets, jemalloc, FreeBSD's allocator, writes a record for each call; ktrace(2) puts them into its
 * file. Needs no privilege, and changes nothing in the process.
 *
 * Cannot be seen: the duration and the stack of a call; calloc and aligned_alloc: only that memory
 * was allocated; allocations of a program that already runs, or has another allocator.
 */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/map.h"
#include "base/units.h"
#include "bpf/log2.h"
#include "os/freebsd/ktrace_follow.h"
#include "os/os.h"
#include "probes/heap.h"

#define COUNTS_MAX   262144
#define ENOMEM_LINUX 12

struct count_key {
	struct process_id process;
	uint64_t tid;
	uint64_t function;
};

struct heap_state {
	struct ktrace_follow follow; /* first */
	struct map counts;	     /* struct count_key -> struct heap_count */
	uint64_t begun_ns;
	bool has_records;
};

static int heap_open(struct backend_run *run, struct sooth_error *err)
{
	struct heap_state *s = run->state;
	int status = ktrace_follow_open(&s->follow, run, KTRACE_POINT(KTRACE_USER), err);

	map_init(&s->counts, sizeof(struct count_key), sizeof(struct heap_count), COUNTS_MAX);
	s->begun_ns = run->os->now_ns(run->os);
	s->has_records = false;
	return status;
}

static void heap_close(struct backend_run *run)
{
	struct heap_state *s = run->state;

	ktrace_follow_close(&s->follow);
	map_fini(&s->counts);
}

static int heap_set(struct backend_run *run, const struct process_id *process, unsigned interest,
	struct sooth_error *err)
{
	struct heap_state *s = run->state;

	return ktrace_follow_set_interest(&s->follow, run, process, interest, err);
}

static int heap_launching(struct backend_run *run, struct launch *launch, struct sooth_error *err)
{
	(void)run;
	(void)err;
	snprintf(launch->preload.variable, sizeof(launch->preload.variable),
		"MALLOC_CONF=utrace:true");
	return 0;
}

static int heap_start(struct backend_run *run, struct sooth_error *err)
{
	(void)err;
	backend_limit(run, "how long allocations take", "utrace(2) writes one record a call", "");
	if (!run->options.is_launched)
		backend_limit(run, "allocations of programs without MALLOC_CONF=utrace:true",
			"jemalloc reads MALLOC_CONF only when the program starts",
			"start the program with sooth: sooth heap -- COMMAND");
	return 0;
}

/* --- records --- */

static uint8_t function_of(const struct utrace_malloc *u)
{
	switch (u->kind) {
	case UTRACE_FREE:
		return HEAP_FREE;
	case UTRACE_REALLOC:
		return HEAP_REALLOC;
	default:
		return HEAP_MALLOC;
	}
}

static void count_call(struct heap_state *s, const struct ktrace_process *p, uint64_t tid,
	const struct heap_call *call)
{
	struct count_key key = { .process = p->id, .tid = tid, .function = call->function };
	struct heap_count *c = map_put(&s->counts, &key, NULL);
	uint32_t slot = log2_of(call->size);

	if (!c)
		return;
	c->count++;
	if (call->function == HEAP_FREE)
		return;
	c->histogram[slot < HEAP_BUCKETS ? slot : HEAP_BUCKETS - 1]++;
	if (call->address)
		c->bytes += call->size;
	else
		c->failed++;
}

static void handle_record(struct backend_run *run, struct ktrace_process *p,
	const struct ktrace_record *r, uint64_t time_ns)
{
	struct heap_state *s = run->state;
	struct heap_call call = { .record = { .time_ns = time_ns,
					  .start_ticks = p->id.start_ticks,
					  .pid = p->id.pid,
					  .tid = (uint32_t)r->tid,
					  .kind = HEAP_CALL,
					  .cpu = SOOTH_CPU_NONE } };
	struct utrace_malloc u;

	if (r->type != KTRACE_USER || !utrace_malloc(&u, r->payload) || u.kind == UTRACE_INIT)
		return;
	s->has_records = true;
	call.function = function_of(&u);
	call.address = u.kind == UTRACE_FREE ? u.old_address : u.address;
	call.size = u.size;
	call.old_address = u.kind == UTRACE_REALLOC ? u.old_address : 0;
	call.size_state = u.kind == UTRACE_FREE ? SOOTH_STATE_ABSENT : SOOTH_STATE_VALUE;
	call.old_address_state = u.kind == UTRACE_REALLOC ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT;
	call.error_state = SOOTH_STATE_ABSENT;
	if (u.kind != UTRACE_FREE && !u.address) {
		call.error_state = SOOTH_STATE_VALUE;
		call.error = ENOMEM_LINUX;
	}
	count_call(s, p, r->tid, &call);
	if (p->interest & INTEREST_STREAM)
		record_append(&run->out, &call.record, HEAP_CALL_LEAST, NULL, 0);
}

static void process_ended(struct backend_run *run, const struct ktrace_process *p)
{
	(void)run;
	(void)p;
}

static int heap_drain(struct backend_run *run, struct sooth_error *err)
{
	struct heap_state *s = run->state;

	return ktrace_follow_drain(&s->follow, run, handle_record, process_ended, err);
}

static void write_counts(struct backend_run *run)
{
	struct heap_state *s = run->state;
	size_t position = 0;
	const void *key;
	void *value;

	while (map_next(&s->counts, &position, &key, &value)) {
		const struct count_key *k = key;
		struct heap_count *c = value;

		c->record = (struct sooth_record){ .time_ns = run->os->now_ns(run->os),
			.start_ticks = k->process.start_ticks,
			.pid = k->process.pid,
			.tid = (uint32_t)k->tid,
			.kind = HEAP_COUNT,
			.cpu = SOOTH_CPU_NONE };
		c->from_ns = s->begun_ns;
		c->function = (uint32_t)k->function;
		RECORD_APPEND(&run->out, c, NULL, 0);
	}
	map_clear(&s->counts);
}

static int heap_stop(struct backend_run *run, struct sooth_error *err)
{
	struct heap_state *s = run->state;
	int status;

	ktrace_follow_stop(&s->follow, run);
	status = heap_drain(run, err);
	if (run->options.interest & INTEREST_COUNT)
		write_counts(run);
	if (!s->has_records)
		backend_limit(run, HEAP_NO_ALLOCATOR, "no record of jemalloc came",
			"start the program with sooth: sooth heap -- COMMAND; it also has to use "
			"jemalloc");
	return status;
}

const struct backend backend_heap_utrace = {
	.name = "utrace",
	.probe = "heap",
	.help = "jemalloc's records through utrace(2) and ktrace(2); a launched command, no "
		"privilege",
	.lateness_ns = 100 * NS_PER_MS,
	.state_size = sizeof(struct heap_state),
	.open = heap_open,
	.set = heap_set,
	.launching = heap_launching,
	.start = heap_start,
	.drain = heap_drain,
	.stop = heap_stop,
	.close = heap_close,
};
