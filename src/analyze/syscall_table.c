/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of system calls: one row a call over all threads and processes of
 * the target, and which errors there were. Tallies and single calls are merged
 * alike, so a capture of either kind gives the same rows.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/records.h"
#include "base/cleanup.h"
#include "bpf/tally.h"
#include "core/reduce.h"
#include "core/registry.h"
#include "core/stage.h"
#include "model/schema.h"
#include "probes/syscall_names.h"
#include "probes/syscalls.h"

#define ROWS_MAX 8192 /* numbers of five ABIs, and then some made-up ones */

struct call_row {
	struct sooth_record record;
	uint64_t count;
	uint64_t errors;
	uint64_t unfinished;
	uint64_t total_ns;
	uint64_t mean_ns;
	uint64_t max_ns;
	uint32_t category;
	uint8_t mean_state;
	uint8_t unused[3];
	struct sooth_text name;
	uint32_t histogram[SYSCALLS_BUCKETS];
};

static const struct sooth_field call_fields[] = {
	FIELD_STRING(call_row, name, "the call; calls of other ABIs with their name in front",
		.label = "CALL"),
	FIELD_NUMBER(
		call_row, count, "how often it returned, or ended the thread", .label = "CALLS"),
	FIELD_NUMBER(call_row, errors, "how often with an error"),
	FIELD_NUMBER(call_row, unfinished, "still in the call at the end"),
	FIELD_NUMBER(call_row, total_ns, "time in the calls that returned", .unit = SOOTH_UNIT_NS,
		.label = "TOTAL"),
	FIELD_NUMBER(call_row, mean_ns, "of a call that returned", .unit = SOOTH_UNIT_NS,
		.label = "MEAN", FIELD_STATE_AT(call_row, mean_state)),
	FIELD_NUMBER(call_row, max_ns, "the longest", .unit = SOOTH_UNIT_NS, .label = "MAX"),
	{ .name = "category",
		.type = SOOTH_FIELD_ENUM,
		FIELD_AT(call_row, category),
		.names = &syscall_category_names,
		.help = "what kind of call it is",
		.is_hidden = true },
	{ .name = "histogram",
		.type = SOOTH_FIELD_HISTOGRAM,
		FIELD_AT(call_row, histogram),
		.unit = SOOTH_UNIT_NS,
		.is_hidden = true,
		.help = "durations: slot i counts those from 2^i to 2^(i+1) ns" },
};

static const struct sooth_schema call_schema = {
	.name = "syscalls",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct call_row),
	SCHEMA_FIELDS(call_fields),
};

struct error_row {
	struct sooth_record record;
	uint64_t count;
	uint32_t error;
	uint32_t unused;
	struct sooth_text name;
};

static const struct sooth_field error_fields[] = {
	FIELD_STRING(error_row, name, "the call", .label = "CALL"),
	{ .name = "error",
		.type = SOOTH_FIELD_ERRNO,
		FIELD_AT(error_row, error),
		.help = "the error" },
	FIELD_NUMBER(error_row, count, "how often", .label = "CALLS"),
};

static const struct sooth_schema error_schema = {
	.name = "errors",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct error_row),
	SCHEMA_FIELDS(error_fields),
};

struct table_state {
	struct output *output;
	struct reducer counts;
	struct reducer errors;
};

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	struct table_state *s = state;

	(void)options;
	s->output = output;
	if (reducer_init(&s->counts, registry_schema(SYSCALLS_COUNT), "abi,number", ROWS_MAX) &&
		reducer_init(
			&s->errors, registry_schema(SYSCALLS_ERROR), "abi,number,error", ROWS_MAX))
		return 0;
	return error_set(err, -EINVAL, SOOTH_FAULT_INTERNAL, "make the table of system calls");
}

/* One call as the tally of itself. */
static void push_call(struct table_state *s, const struct syscalls_call *call)
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

static int push(void *state, const struct batch *batch, struct sooth_error *err)
{
	struct table_state *s = state;

	(void)err;
	batch_for_each (r, batch) {
		if (r->kind == SYSCALLS_COUNT)
			reducer_push(&s->counts, r);
		else if (r->kind == SYSCALLS_ERROR)
			reducer_push(&s->errors, r);
		else if (record_as(r, SYSCALLS_CALL, sizeof(struct syscalls_call)))
			push_call(s, (const void *)r);
	}
	return 0;
}

static int by_total(const void *a, const void *b)
{
	const struct syscalls_count *x = *(const struct syscalls_count *const *)a;
	const struct syscalls_count *y = *(const struct syscalls_count *const *)b;

	if (x->total_ns != y->total_ns)
		return x->total_ns < y->total_ns ? 1 : -1;
	if (x->abi != y->abi)
		return x->abi < y->abi ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

static int by_count(const void *a, const void *b)
{
	const struct syscalls_error *x = *(const struct syscalls_error *const *)a;
	const struct syscalls_error *y = *(const struct syscalls_error *const *)b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	if (x->abi != y->abi)
		return x->abi < y->abi ? -1 : 1;
	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	return x->error < y->error ? -1 : x->error > y->error;
}

static int tell_call(struct table_state *s, const struct syscalls_count *c, struct sooth_error *err)
{
	const struct syscall_row *known = syscall_by_number(c->abi, c->number);
	uint64_t returned = 0;
	struct call_row row = { .count = c->count,
		.errors = c->errors,
		.unfinished = c->unfinished,
		.total_ns = c->total_ns,
		.max_ns = c->max_ns,
		.category = known ? known->category : SYSCALL_CATEGORY_OTHER };
	char name[SYSCALL_NAME_SIZE];
	struct record_tail tail[] = { { &row.name, name, syscall_name(c->abi, c->number, name) } };

	for (size_t i = 0; i < SYSCALLS_BUCKETS; i++)
		returned += c->histogram[i];
	row.mean_ns = returned ? c->total_ns / returned : 0;
	if (!returned)
		row.mean_state = SOOTH_STATE_ABSENT;
	memcpy(row.histogram, c->histogram, sizeof(row.histogram));
	return OUTPUT_ROW(s->output, &row, tail, 1, err);
}

static int tell_error(
	struct table_state *s, const struct syscalls_error *e, struct sooth_error *err)
{
	struct error_row row = { .count = e->count, .error = e->error };
	char name[SYSCALL_NAME_SIZE];
	struct record_tail tail[] = { { &row.name, name, syscall_name(e->abi, e->number, name) } };

	return OUTPUT_ROW(s->output, &row, tail, 1, err);
}

typedef int (*teller)(struct table_state *s, const struct sooth_record *r, struct sooth_error *err);

static int call_teller(struct table_state *s, const struct sooth_record *r, struct sooth_error *err)
{
	return tell_call(s, (const void *)r, err);
}

static int error_teller(
	struct table_state *s, const struct sooth_record *r, struct sooth_error *err)
{
	return tell_error(s, (const void *)r, err);
}

static int tell_sorted(struct table_state *s, const struct section *section,
	const struct reducer *reducer, int (*compare)(const void *, const void *), teller tell,
	struct sooth_error *err)
{
	size_t count;
	_cleanup_free_ const struct sooth_record **rows = reducer_rows(reducer, &count);
	int status = output_section(s->output, section, err);

	if (!rows)
		return error_no_memory(err);
	qsort(rows, count, sizeof(*rows), compare);
	for (size_t i = 0; i < count && !status; i++)
		status = tell(s, rows[i], err);
	return status;
}

static const struct section call_section = {
	.name = "syscalls",
	.schema = &call_schema,
	.shape = SECTION_TABLE,
	.if_empty = "no system calls were made",
};

static const struct section error_section = {
	.name = "errors",
	.schema = &error_schema,
	.shape = SECTION_TABLE,
};

static int finish(void *state, struct sooth_error *err)
{
	struct table_state *s = state;
	int status;

	if (s->counts.rows.refused || s->errors.rows.refused)
		output_limit(s->output, "some calls or errors",
			"there were more than a table holds", "");
	status = tell_sorted(s, &call_section, &s->counts, by_total, call_teller, err);

	if (status)
		return status;
	return tell_sorted(s, &error_section, &s->errors, by_count, error_teller, err);
}

static void fini(void *state)
{
	struct table_state *s = state;

	reducer_fini(&s->counts);
	reducer_fini(&s->errors);
}

const struct stage_type stage_syscall_table = {
	.name = "syscall-table",
	.help = "system calls: counts, errors, times",
	.probe = "syscalls",
	.shows = "syscalls",
	.state_size = sizeof(struct table_state),
	.init = init,
	.push = push,
	.finish = finish,
	.fini = fini,
};
