/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/calls/syscall_sums.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "analyze/calls/call_pieces.h"
#include "analyze/records.h"
#include "bpf/aggregate.h"
#include "model/probe.h"
#include "probes/syscall_names.h"
#include "probes/syscalls.h"

#define ROWS_MAX	 8192 /* numbers of five ABIs, and some invalid ones */
#define ROWS_MAX_OF_EACH 65536

int syscall_sums_init(struct syscall_sums *s, const char *more, struct sooth_error *err)
{
	char counts[64], errors[64];
	size_t most = *more ? ROWS_MAX_OF_EACH : ROWS_MAX;

	assert(s);
	snprintf(counts, sizeof(counts), "%sabi,number", more);
	snprintf(errors, sizeof(errors), "%sabi,number,error", more);
	if (reducer_init(&s->counts, registry_schema(SYSCALLS_COUNT), counts, most) &&
		reducer_init(&s->errors, registry_schema(SYSCALLS_ERROR), errors, most))
		return 0;
	return error_set(err, -EINVAL, SOOTH_FAULT_INTERNAL, "make the table of system calls");
}

static bool never_returns(unsigned abi, uint32_t number)
{
	return syscall_never_returns(syscall_row_of(abi, number));
}

/* Adds one streamed call as an aggregate with a count of 1. */
static void add_call(struct syscall_sums *s, const struct syscalls_call *call)
{
	bool has_returned = call->result_state == SOOTH_STATE_VALUE;
	bool is_error = has_returned && aggregate_is_error(call->result);
	struct syscalls_count count = {
		.record = call->record, .number = call->number, .abi = call->abi
	};
	struct syscalls_error error = {
		.record = call->record, .number = call->number, .abi = call->abi, .count = 1
	};
	struct aggregate_slot one = { 0 };

	count.record.fixed_words = sizeof(count) / SOOTH_RECORD_WORD;
	error.record.fixed_words = sizeof(error) / SOOTH_RECORD_WORD;
	if (has_returned && call_is_timed(call))
		aggregate_slot_add(&one, is_error, call->duration_ns);
	else if (has_returned || never_returns(call->abi, call->number))
		aggregate_slot_add_untimed(&one, is_error);
	else
		count.unfinished = 1;
	count.count = one.count;
	count.errors = one.errors;
	count.total_ns = one.total_ns;
	count.max_ns = one.max_ns;
	count.untimed = one.untimed;
	memcpy(count.histogram, one.histogram, sizeof(count.histogram));
	reducer_push(&s->counts, &count.record);
	if (is_error) {
		error.error = (uint32_t)-call->result;
		reducer_push(&s->errors, &error.record);
	}
}

void syscall_sums_add_record(struct syscall_sums *s, const struct sooth_record *r)
{
	assert(s);
	assert(r);
	if (r->kind == SYSCALLS_COUNT)
		reducer_push(&s->counts, r);
	else if (r->kind == SYSCALLS_ERROR)
		reducer_push(&s->errors, r);
	else if (record_as(r, SYSCALLS_CALL, SYSCALLS_CALL_LEAST))
		add_call(s, (const void *)r);
}

bool syscall_sums_refused(const struct syscall_sums *s)
{
	return s->counts.rows.refused || s->errors.rows.refused;
}

void syscall_sums_fini(struct syscall_sums *s)
{
	assert(s);
	reducer_fini(&s->counts);
	reducer_fini(&s->errors);
}

uint64_t call_timed(const struct syscalls_count *c)
{
	uint64_t timed = 0;

	assert(c);
	for (unsigned i = 0; i < SYSCALLS_BUCKETS && !timed; i++)
		timed = c->histogram[i];
	/* Older captures do not mark calls without a begin time as untimed. */
	return timed && c->count > c->untimed ? c->count - c->untimed : 0;
}

uint64_t calls_without_record(const struct syscalls_count *c)
{
	return never_returns(c->abi, c->number) ? 0 : c->untimed;
}

uint8_t call_times_state(const struct syscalls_count *c)
{
	assert(c);
	if (call_timed(c))
		return SOOTH_STATE_VALUE;
	if (!c->count || never_returns(c->abi, c->number))
		return SOOTH_STATE_ABSENT;
	return SOOTH_NOT_MEASURED(SOOTH_REASON_UNSEEN);
}

/* Returns a duration within a slot, as if its calls were evenly spread; at most `max_ns`. */
static uint64_t within_slot(unsigned slot, double share, uint64_t max_ns)
{
	uint64_t from = slot ? 1ull << slot : 0, to = 2ull << slot;

	if (to > max_ns || slot == SYSCALLS_BUCKETS - 1)
		to = max_ns;
	return from < to ? from + (uint64_t)((double)(to - from) * share) : to;
}

uint64_t call_percentile(
	const uint32_t histogram[SYSCALLS_BUCKETS], uint64_t max_ns, unsigned percent)
{
	uint64_t returned = 0, passed = 0, wanted;

	for (unsigned i = 0; i < SYSCALLS_BUCKETS; i++)
		returned += histogram[i];
	wanted = (returned * percent + 99) / 100;
	for (unsigned i = 0; i < SYSCALLS_BUCKETS && wanted < returned; i++) {
		if (passed + histogram[i] >= wanted && histogram[i])
			return within_slot(
				i, (double)(wanted - passed) / (double)histogram[i], max_ns);
		passed += histogram[i];
	}
	return max_ns;
}
