/* SPDX-License-Identifier: BSD-2-Clause */
#include "library/trace_sums.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/records.h"
#include "base/error.h"
#include "library/table.h"
#include "model/batch.h"
#include "model/row_list.h"
#include "model/schema.h"

#define CALLS_MAX 1024

struct call_name {
	char text[32];
};

struct sum {
	struct call_name name;
	uint64_t calls, errors, total_ns;
};

#define SUM_ROW(F, S)                                                                              \
	F(S, TEXT, name, ALWAYS, "name of the system call")                                        \
	F(S, U64, calls, ALWAYS, "number of calls that returned")                                  \
	F(S, U64, errors, ALWAYS, "number of calls that failed")                                   \
	F(S, U64, total_ns, ALWAYS, "time in the call, of those that are timed",                   \
		.unit = SOOTH_UNIT_NS)

struct sum_row {
	struct sooth_record record;
	ROW_MEMBERS(SUM_ROW, sum_row)
};

ROW_FIELDS(sum_fields, SUM_ROW, sum_row);

static ROW_SCHEMA(sum, "trace.snapshot", sum_row);

void trace_sums_init(struct trace_sums *s)
{
	map_init(&s->calls, sizeof(struct call_name), sizeof(struct sum), CALLS_MAX);
}

void trace_sums_fini(struct trace_sums *s)
{
	map_fini(&s->calls);
}

int trace_sums_take(struct trace_sums *s, const char *name, const struct sooth_trace_event *event)
{
	struct call_name key = { 0 };
	struct sum *sum;

	memcpy(key.text, name, strnlen(name, sizeof(key.text) - 1));
	sum = map_put(&s->calls, &key, NULL);
	if (!sum)
		return -ENOMEM;
	sum->name = key;
	sum->calls++;
	sum->errors += event->error != 0;
	sum->total_ns += event->duration_ns;
	return 0;
}

static int by_calls(const void *left, const void *right)
{
	const struct sum *a = left, *b = right;

	return (a->calls < b->calls) - (a->calls > b->calls);
}

static int append(struct sooth_table *table, const struct sum *sum)
{
	struct sum_row row = {
		.calls = sum->calls, .errors = sum->errors, .total_ns = sum->total_ns
	};
	struct record_tail tail[] = { tail_string(&row.name, sum->name.text) };
	struct buffer bytes = { 0 };
	int status = -ENOMEM;

	RECORD_APPEND(&bytes, &row, tail, 1);
	if (!buffer_failed(&bytes))
		status = table_append(table, &sum_schema, (const void *)bytes.data);
	buffer_fini(&bytes);
	return status;
}

struct sooth_table *trace_sums_table(const struct trace_sums *s, struct sooth_error *err)
{
	struct sooth_table *table = table_new(err);
	struct sum *sorted = calloc(s->calls.count + 1, sizeof(*sorted));
	size_t count = 0, position = 0;
	int status = table && sorted ? 0 : -ENOMEM;
	const void *key;
	void *value;

	while (!status && map_next(&s->calls, &position, &key, &value))
		sorted[count++] = *(const struct sum *)value;
	if (!status)
		qsort(sorted, count, sizeof(*sorted), by_calls);
	for (size_t i = 0; i < count && !status; i++)
		status = append(table, &sorted[i]);
	free(sorted);
	if (!status)
		return table;
	sooth_table_free(table);
	error_no_memory(err);
	return NULL;
}
