/* SPDX-License-Identifier: BSD-2-Clause */
/* See syscall_sums.h. */
#include "analyze/calls/syscall_sums.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "analyze/records.h"
#include "bpf/tally.h"
#include "core/registry.h"
#include "probes/syscalls.h"

#define ROWS_MAX 8192 /* numbers of five ABIs, and then some made-up ones */

int syscall_sums_init(struct syscall_sums *s, const char *more, struct sooth_error *err)
{
	char counts[64], errors[64];

	snprintf(counts, sizeof(counts), "%sabi,number", more);
	snprintf(errors, sizeof(errors), "%sabi,number,error", more);
	if (reducer_init(&s->counts, registry_schema(SYSCALLS_COUNT), counts, ROWS_MAX) &&
		reducer_init(&s->errors, registry_schema(SYSCALLS_ERROR), errors, ROWS_MAX))
		return 0;
	return error_set(err, -EINVAL, SOOTH_FAULT_INTERNAL, "make the table of system calls");
}

/* One call as the tally of itself. */
static void take_call(struct syscall_sums *s, const struct syscalls_call *call)
{
	bool has_returned = call->result_state == SOOTH_STATE_VALUE;
	bool is_error = has_returned && tally_is_error(call->result);
	struct syscalls_count count = {
		.record = call->record, .number = call->number, .abi = call->abi
	};
	struct syscalls_error error = {
		.record = call->record, .number = call->number, .abi = call->abi, .count = 1
	};
	struct tally_slot one = { 0 };

	count.record.fixed_words = sizeof(count) / SOOTH_RECORD_WORD;
	error.record.fixed_words = sizeof(error) / SOOTH_RECORD_WORD;
	count.count = 1;
	if (has_returned) {
		tally_slot_add(&one, is_error, call->duration_ns);
		count.errors = one.errors;
		count.total_ns = one.total_ns;
		count.max_ns = one.max_ns;
		memcpy(count.histogram, one.histogram, sizeof(count.histogram));
	}
	reducer_push(&s->counts, &count.record);
	if (is_error) {
		error.error = (uint32_t)-call->result;
		reducer_push(&s->errors, &error.record);
	}
}

void syscall_sums_take(struct syscall_sums *s, const struct sooth_record *r)
{
	if (r->kind == SYSCALLS_COUNT)
		reducer_push(&s->counts, r);
	else if (r->kind == SYSCALLS_ERROR)
		reducer_push(&s->errors, r);
	else if (record_as(r, SYSCALLS_CALL, SYSCALLS_CALL_LEAST))
		take_call(s, (const void *)r);
}

bool syscall_sums_refused(const struct syscall_sums *s)
{
	return s->counts.rows.refused || s->errors.rows.refused;
}

void syscall_sums_fini(struct syscall_sums *s)
{
	reducer_fini(&s->counts);
	reducer_fini(&s->errors);
}

/* As if those of a slot lay in it evenly; nothing is longer than the longest. */
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
