/* SPDX-License-Identifier: BSD-2-Clause */
/* System calls of a process in the view "overview". */
#include <stdlib.h>

#include "analyze/overview/overview_parts.h"
#include "analyze/records.h"
#include "base/cleanup.h"
#include "base/units.h"
#include "probes/syscall_names.h"
#include "probes/syscalls.h"

#define CALLS_MOST 100

struct call_sum {
	uint64_t count, errors, total_ns, timed;
	uint8_t untimed_state; /* of processes without timed calls */
};

static void add_up(struct call_sum *sum, const struct syscalls_count *c)
{
	sum->count += c->count;
	sum->errors += c->errors;
	sum->total_ns += c->total_ns;
	sum->timed += call_timed(c);
	if (call_times_state(c) > sum->untimed_state)
		sum->untimed_state = call_times_state(c);
}

static void add_sum(const struct process_id *id, struct span name, const struct call_sum *sum,
	struct buffer *out)
{
	double total_us = (double)sum->total_ns / NS_PER_US;
	struct overview_call_row row = { .record = row_head(id),
		.count = sum->count,
		.errors = sum->errors,
		.total_time_us = total_us,
		.avg_time_us = sum->timed ? total_us / (double)sum->timed : 0,
		.times_state = sum->timed ? SOOTH_STATE_VALUE : sum->untimed_state };
	struct record_tail tail[] = { tail_span(&row.name, name) };

	RECORD_APPEND(out, &row, tail, 1);
}

static int by_total(const void *a, const void *b)
{
	const struct syscalls_count *x = *(const struct syscalls_count *const *)a;
	const struct syscalls_count *y = *(const struct syscalls_count *const *)b;

	if (x->total_ns != y->total_ns)
		return x->total_ns < y->total_ns ? 1 : -1;
	return (x->number > y->number) - (x->number < y->number);
}

/* The rows of the process alone, the longest first; NULL: out of memory. */
static const struct syscalls_count **calls_of(
	const struct overview *o, const struct process_id *id, size_t *count)
{
	size_t all, kept = 0;
	const struct sooth_record **rows = reducer_rows(&o->sums.counts, &all);

	for (size_t i = 0; rows && i < all; i++) {
		if (rows[i]->pid == id->pid)
			rows[kept++] = rows[i];
	}
	if (rows)
		qsort(rows, kept, sizeof(*rows), by_total);
	*count = rows ? kept : 0;
	return (const struct syscalls_count **)rows;
}

static void list_calls(const struct overview *o, const struct process_id *id, struct buffer *calls,
	struct buffer *categories)
{
	struct call_sum by_category[SYSCALL_CATEGORY_COUNT] = { 0 };
	size_t count;
	_cleanup_free_ const struct syscalls_count **rows = calls_of(o, id, &count);

	for (size_t i = 0; i < count; i++) {
		const struct syscall_row *known = syscall_by_number(rows[i]->abi, rows[i]->number);
		struct call_sum sum = { 0 };
		char name[SYSCALL_NAME_SIZE];
		size_t size = syscall_name(rows[i]->abi, rows[i]->number, name);

		add_up(&sum, rows[i]);
		add_up(&by_category[known ? known->category : SYSCALL_CATEGORY_OTHER], rows[i]);
		if (i < CALLS_MOST)
			add_sum(id, span_of(name, size), &sum, calls);
	}
	for (unsigned i = 0; i < SYSCALL_CATEGORY_COUNT; i++) {
		const char *name = syscall_category_name(i);

		if (by_category[i].count)
			add_sum(id, span_of_string(name), &by_category[i], categories);
	}
}

static uint8_t requested_state(bool was_requested)
{
	return was_requested ? SOOTH_STATE_VALUE : SOOTH_NOT_MEASURED(SOOTH_REASON_NOT_REQUESTED);
}

static void fill_values(const struct overview *o, const struct diagnosis_input *input,
	struct overview_calls_row *row)
{
	const char *refused = o->options.calls_refused;
	uint64_t end_ns = o->end_ns ? o->end_ns : input->end_ns;

	row->success = !refused && o->method.size;
	row->duration_secs = (double)(end_ns - input->begin_ns) / (double)NS_PER_S;
	row->duration_state = state_if(row->success);
	row->method_state = state_if(row->success);
	row->error_state = state_if(!row->success);
	row->fallback_state = state_if(refused || o->fallback.size);
	row->io_state = requested_state(o->options.has_io);
	row->network_state = requested_state(o->options.has_network);
	row->flamegraph_state = state_if(row->success && o->options.flamegraph_path);
}

void overview_add_calls(const struct overview *o, const struct diagnosis_input *input,
	const struct diagnosed *j, struct buffer *out)
{
	const char *refused = o->options.calls_refused ? o->options.calls_refused
						       : "system calls were not observed";
	const char *picture = o->options.flamegraph_path ? o->options.flamegraph_path : "";
	struct overview_calls_row row = { .record = row_head(&j->id) };
	struct buffer calls = { 0 }, categories = { 0 }, io = { 0 }, network = { 0 },
		      issues = { 0 };

	fill_values(o, input, &row);
	list_calls(o, &j->id, &calls, &categories);
	if (o->options.has_io)
		call_operations_note(o->output, call_operations_list(&o->operations, input, &j->id,
							CALL_OPERATION_IO, &io));
	if (o->options.has_network)
		call_operations_note(o->output, call_operations_list(&o->operations, input, &j->id,
							CALL_OPERATION_NETWORK, &network));
	overview_add_issues(j, overview_is_of_calls, &issues);
	struct record_tail tail[] = {
		tail_buffer(&row.syscall_summary, &categories),
		tail_buffer(&row.top_syscalls, &calls),
		tail_buffer(&row.io_operations, &io),
		tail_buffer(&row.network_operations, &network),
		tail_buffer(&row.issues, &issues),
		tail_buffer(&row.method, &o->method),
		tail_string(&row.error, row.success ? "" : refused),
		tail_string(&row.flamegraph_path, picture),
		o->options.calls_refused ? tail_string(&row.fallback_reason, refused)
					 : tail_buffer(&row.fallback_reason, &o->fallback),
	};
	RECORD_APPEND(out, &row, tail, ARRAY_SIZE(tail));
	buffer_fini(&calls);
	buffer_fini(&categories);
	buffer_fini(&io);
	buffer_fini(&network);
	buffer_fini(&issues);
}
