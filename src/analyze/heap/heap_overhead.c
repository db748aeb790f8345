/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/heap/heap_overhead.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/records.h"
#include "base/order.h"
#include "base/units.h"
#include "model/process_id.h"
#include "model/row_list.h"
#include "model/schema.h"
#include "probes/heap.h"

#define PROCESSES_MAX	4096
#define NOTABLE_PERCENT 10 /* percent of the CPU time from which overhead is reported */
#define LEAST_SHARE                                                                                \
	100 /* the overhead is known if the process was observed for 1/LEAST_SHARE of the time */
#define PERCENT_MOST	 99
#define LINES_FOR_PEOPLE 3

#define HEAP_OVERHEAD_ROW(F, S)                                                                    \
	F(S, PID)                                                                                  \
	F(S, CHARS16, name, ALWAYS, "name of the process")                                         \
	F(S, REAL, probes_percent, MAYBE(cost_state),                                              \
		"share of the CPU time of the process that was spent at probes",                   \
		.unit = SOOTH_UNIT_PERCENT, .decimals = 0)                                         \
	F(S, U64, probes_ns, WITH(cost_state), "CPU time of the process spent at probes",          \
		.unit = SOOTH_UNIT_NS)                                                             \
	F(S, U64, cpu_ns, ALWAYS, "CPU time of the process while it was observed",                 \
		.unit = SOOTH_UNIT_NS)                                                             \
	F(S, U64, programs_ns, ALWAYS, "of probes_ns: sooth's programs", .unit = SOOTH_UNIT_NS)    \
	F(S, U64, entries, ALWAYS, "hits of probes where allocator functions begin")               \
	F(S, U64, returns, ALWAYS, "hits of probes at the return of functions")                    \
	F(S, U64, stepped, ALWAYS, "hits of probes at return instructions, which take most")       \
	F(S, REAL, calls_per_s, ALWAYS,                                                            \
		"entries a second, from the first to the last, to two digits")                     \
	F(S, U32, entry_ns, WITH(cost_state), "what the kernel takes for an entry",                \
		.unit = SOOTH_UNIT_NS)                                                             \
	F(S, U32, return_ns, MAYBE(return_state), "what the kernel takes for a return",            \
		.unit = SOOTH_UNIT_NS)                                                             \
	F(S, U32, stepped_ns, WITH(cost_state), "what the kernel takes for a return instruction",  \
		.unit = SOOTH_UNIT_NS)                                                             \
	F(S, TEXT, source, ALWAYS, "where these values come from")                                 \
	F(S, TEXT, remedy, MAYBE(remedy_state), "a command that slows the process less")

ROW_STRUCT(heap_overhead_row, HEAP_OVERHEAD_ROW);
ROW_SCHEMA(heap_overhead_row, HEAP_OVERHEAD_ROW, "heap.overheads", heap_overhead_row,
	.line = "observing slowed {name} {pid}: some {probes_percent} % of its CPU time was spent "
		"at probes, at about {calls_per_s} calls a second[; for less: {remedy}]");

#define SOURCE                                                                                     \
	"hits and the time of programs: 1 hit in 61; what the kernel takes: sooth, at probes "     \
	"of its own; CPU time: the scheduler"

void heap_overhead_add_record(struct heap_overheads *o, const struct sooth_record *r)
{
	const struct heap_overhead *overhead = record_as(r, HEAP_OVERHEAD, sizeof(*overhead));

	assert(o);
	if (overhead && o->all.size < PROCESSES_MAX * sizeof(*overhead))
		buffer_append(&o->all, overhead, sizeof(*overhead));
}

void heap_overhead_fini(struct heap_overheads *o)
{
	assert(o);
	buffer_fini(&o->all);
}

static uint64_t observed_ns(const struct heap_overhead *o)
{
	return o->record.time_ns > o->from_ns ? o->record.time_ns - o->from_ns : 0;
}

static bool is_overhead_notable(const struct heap_overhead *o)
{
	return o->cost_state == SOOTH_STATE_VALUE && o->probes_ns &&
	       o->probes_ns >= o->cpu_ns / 100 * NOTABLE_PERCENT &&
	       o->probes_ns >= observed_ns(o) / LEAST_SHARE;
}

static double percent_of(const struct heap_overhead *o)
{
	double percent = o->cpu_ns ? 100.0 * (double)o->probes_ns / (double)o->cpu_ns : 0;

	/* Both values are inexact, and a process does more than probes. */
	return percent < PERCENT_MOST ? percent : PERCENT_MOST;
}

/* Returns calls per second, limited because a capture may have any values. */
static uint64_t calls_per_s(const struct heap_overhead *o)
{
	double rate = o->hits_ns ? (double)o->entries * NS_PER_S / (double)o->hits_ns : 0;

	return rate < (double)(1ull << 62) ? (uint64_t)rate : 1ull << 62;
}

static uint64_t to_two_digits(uint64_t value)
{
	uint64_t unit = 1;

	while (value / unit >= 100)
		unit *= 10;
	return (value + unit / 2) / unit * unit;
}

static int emit_row(const struct heap_overhead *o, struct output *output,
	const struct heap_observed *how, struct sooth_error *err)
{
	struct process_id id = process_id_of(&o->record);
	struct heap_overhead_row row = { .record = row_head(&id),
		.probes_percent = percent_of(o),
		.probes_ns = o->probes_ns,
		.cpu_ns = o->cpu_ns,
		.programs_ns = o->programs_ns,
		.entries = o->entries,
		.returns = o->returns,
		.stepped = o->stepped,
		.calls_per_s = to_two_digits(calls_per_s(o)),
		.entry_ns = o->entry_ns,
		.return_ns = o->return_ns,
		.stepped_ns = o->stepped_ns,
		.cost_state = o->cost_state,
		.return_state = o->return_state,
		.remedy_state = state_if(is_overhead_notable(o)) };
	char remedy[96];

	if (how->is_launched)
		snprintf(remedy, sizeof(remedy), "sooth heap %s -- COMMAND",
			how->is_sampled ? "--pages" : "--sample-bytes 512K");
	else
		snprintf(remedy, sizeof(remedy), "sooth heap %s -p %u",
			how->is_sampled ? "--pages" : "--sample-bytes 512K", id.pid);
	memcpy(row.name, o->name, sizeof(row.name));
	return OUTPUT_ROW(output, &row,
		((struct record_tail[]){
			tail_string(&row.source, SOURCE), tail_string(&row.remedy, remedy) }),
		2, err);
}

/* Orders by lost time, most first. */
static int compare_by_time(const void *a, const void *b)
{
	const struct heap_overhead *x = a, *y = b;

	return larger_first(x->probes_ns, y->probes_ns)
		       ?: smaller_first(x->record.pid, y->record.pid);
}

static int emit_overheads(const struct heap_overheads *o, struct output *output,
	const struct section *section, const struct heap_observed *how, bool only_notable,
	struct sooth_error *err)
{
	const struct heap_overhead *all = (const void *)o->all.data;
	size_t count = o->all.size / sizeof(*all), lines = 0;
	int status = output_close_section(output, err);

	if (!status)
		status = output_section(output, section, err);
	for (size_t i = 0; i < count && !status; i++) {
		if (only_notable && (!is_overhead_notable(&all[i]) || lines >= LINES_FOR_PEOPLE))
			continue;
		lines++;
		status = emit_row(&all[i], output, how, err);
	}
	return status ?: output_close_section(output, err);
}

int heap_overhead_emit(struct heap_overheads *o, struct output *output,
	const struct heap_observed *how, struct sooth_error *err)
{
	static const struct section section = SECTION_OF("heap_overhead", heap_overhead_row_schema,
		TABLE, .audience = SECTION_DETAIL, .is_last = true);
	struct section brief = section;
	int status;

	assert(o);
	if (o->all.size)
		qsort(o->all.data, o->all.size / sizeof(struct heap_overhead),
			sizeof(struct heap_overhead), compare_by_time);
	brief.audience = SECTION_BRIEF;
	status = emit_overheads(o, output, &section, how, false, err);
	return status ?: emit_overheads(o, output, &brief, how, true, err);
}
