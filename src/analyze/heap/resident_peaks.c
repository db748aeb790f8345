/* SPDX-License-Identifier: BSD-2-Clause */
/* The highest resident memory of each process, by kind, from the changes of the kernel's counters;
 * beside it VmHWM, and why the two differ. */
#include <stdlib.h>
#include <string.h>

#include "analyze/records.h"
#include "base/map.h"
#include "base/units.h"
#include "explain/stage.h"
#include "model/probe.h"
#include "model/row_list.h"
#include "model/schema.h"
#include "probes/proc.h"
#include "probes/resident.h"

#define PROCESSES_MAX	16384
#define ROWS_FOR_PEOPLE 20

#define PEAK_ROW(F, S)                                                                             \
	F(S, PID)                                                                                  \
	F(S, CHARS16, process, ALWAYS, "name of the process (comm)")                               \
	F(S, U64, peak_bytes, ALWAYS,                                                              \
		"highest resident memory that the changes of the kernel's counters show; of the "  \
		"program that had most, if the process ran several",                               \
		.label = "PEAK", .unit = SOOTH_UNIT_BYTES)                                         \
	F(S, U64, peak_after_ns, ALWAYS, "time from the start of the recording to the peak",       \
		.label = "AFTER", .unit = SOOTH_UNIT_NS)                                           \
	F(S, U64, rss_anonymous_bytes, ALWAYS, "of it anonymous memory (heap, stacks)",            \
		.label = "ANONYMOUS", .unit = SOOTH_UNIT_BYTES)                                    \
	F(S, U64, rss_file_bytes, ALWAYS, "of it pages of mapped files", .label = "FILE",          \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, rss_shared_bytes, ALWAYS, "of it shared memory and tmpfs", .label = "SHARED",    \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, swap_bytes, ALWAYS, "swapped anonymous memory then; not part of the peak",       \
		.label = "SWAP", .unit = SOOTH_UNIT_BYTES)                                         \
	F(S, U64, kernel_peak_bytes, ALWAYS,                                                       \
		"highest resident memory as the kernel noted it (VmHWM)", .label = "VMHWM",        \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, kernel_error_bytes, ALWAYS,                                                      \
		"bound of the error of VmHWM: the kernel counts in batches by CPU or thread",      \
		.label = "VMHWM +-", .unit = SOOTH_UNIT_BYTES)                                     \
	F(S, U64, error_bytes, ALWAYS,                                                             \
		"bound of the error of each kind; 0: the batches of all CPUs were added",          \
		.label = "KINDS +-", .unit = SOOTH_UNIT_BYTES)                                     \
	F(S, TEXT, difference, MAYBE(difference_state),                                            \
		"why the two values differ; absent: they agree within the error of both",          \
		.label = "WHY THEY DIFFER", .may_shrink = true)

ROW_STRUCT(resident_peak_row, PEAK_ROW);
ROW_SCHEMA(resident_peak, PEAK_ROW, "resident_peaks", resident_peak_row);

struct process_peak {
	struct process_id id;
	char name[PROCESS_NAME_SIZE];
	/* The highest values of the program that runs, and of the one that had most. */
	struct resident_level now, most;
};

struct peaks_state {
	struct output *output;
	struct map processes; /* process_id -> struct process_peak */
	uint64_t begin_ns, refused;
};

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	struct peaks_state *s = state;

	(void)options;
	(void)err;
	s->output = output;
	map_init(&s->processes, sizeof(struct process_id), sizeof(struct process_peak),
		PROCESSES_MAX);
	return 0;
}

static uint64_t higher_bytes(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static void end_program(struct process_peak *p)
{
	if (p->now.peak_bytes > p->most.peak_bytes)
		p->most = p->now;
	p->now = (struct resident_level){ 0 };
}

static void take_level(struct process_peak *p, const struct resident_level *r)
{
	struct resident_level before = p->now;

	if (r->cause == RESIDENT_FIRST) {
		end_program(p);
		before = p->now;
	}
	if (!before.at_ns || resident_sum(r->bytes) > resident_sum(before.bytes))
		p->now = *r;
	p->now.peak_bytes = higher_bytes(r->peak_bytes, before.peak_bytes);
	p->now.kernel_peak_bytes = higher_bytes(r->kernel_peak_bytes, before.kernel_peak_bytes);
}

static void take_name(struct process_peak *p, const struct sooth_record *r)
{
	struct sooth_value name =
		sooth_field_get(sooth_schema_field(registry_schema(r->kind), "name"), r);
	size_t size = name.text.size < sizeof(p->name) ? name.text.size : sizeof(p->name) - 1;

	if (name.state != SOOTH_STATE_VALUE || !size)
		return;
	memset(p->name, 0, sizeof(p->name));
	memcpy(p->name, name.text.data, size);
}

static void take_record(struct peaks_state *s, const struct sooth_record *r)
{
	const struct resident_level *level = record_as(r, RESIDENT_LEVEL, sizeof(*level));
	struct process_id id = process_id_of(r);
	struct process_peak *p;

	if (!level && r->kind != PROCESS_JOIN && r->kind != PROCESS_EXEC &&
		r->kind != PROCESS_LEAVE && r->kind != PROC_PROCESS)
		return;
	p = map_put(&s->processes, &id, NULL);
	if (!p) {
		s->refused++;
		return;
	}
	p->id = id;
	if (level)
		take_level(p, level);
	else
		take_name(p, r);
}

static int push(void *state, const struct batch *batch, struct sooth_error *err)
{
	struct peaks_state *s = state;

	(void)err;
	batch_for_each (r, batch) {
		if (r->kind == STREAM_BEGIN && !s->begin_ns)
			s->begin_ns = r->time_ns;
		take_record(s, r);
	}
	return 0;
}

/* --- rows --- */

/* Returns why the kernel's value differs from that of the events; NULL: it does not. */
static const char *difference_of(const struct resident_level *p)
{
	uint64_t bound = p->kernel_error_bytes + 3 * p->error_bytes;

	if (p->peak_bytes <= p->kernel_peak_bytes + bound &&
		p->kernel_peak_bytes <= p->peak_bytes + bound)
		return NULL;
	return p->kernel_peak_bytes <= p->start_peak_bytes + bound
		       ? "VmHWM is from before the recording"
		       : "more than the kernel's batches explain";
}

static int emit_peak(
	const struct peaks_state *s, const struct process_peak *p, struct sooth_error *err)
{
	const struct resident_level *m = &p->most;
	const char *difference = difference_of(m);
	struct resident_peak_row row = { .record = row_head(&p->id),
		.peak_bytes = m->peak_bytes,
		.peak_after_ns = m->at_ns > s->begin_ns ? m->at_ns - s->begin_ns : 0,
		.rss_anonymous_bytes = m->bytes[RESIDENT_ANONYMOUS],
		.rss_file_bytes = m->bytes[RESIDENT_FILE],
		.rss_shared_bytes = m->bytes[RESIDENT_SHARED],
		.swap_bytes = m->bytes[RESIDENT_SWAP],
		.kernel_peak_bytes = m->kernel_peak_bytes,
		.error_bytes = m->error_bytes,
		.kernel_error_bytes = m->kernel_error_bytes,
		.difference_state = state_if(difference != NULL) };
	struct record_tail tail[] = { tail_string(&row.difference, difference ?: "") };

	memcpy(row.process, p->name, sizeof(row.process));
	return OUTPUT_ROW(s->output, &row, tail, 1, err);
}

static int highest_first(const void *a, const void *b)
{
	const struct process_peak *x = *(struct process_peak *const *)a;
	const struct process_peak *y = *(struct process_peak *const *)b;

	if (x->most.peak_bytes != y->most.peak_bytes)
		return x->most.peak_bytes < y->most.peak_bytes ? 1 : -1;
	return x->id.pid < y->id.pid ? -1 : x->id.pid > y->id.pid;
}

static int emit_peaks(struct peaks_state *s, struct sooth_error *err)
{
	struct process_peak **order = calloc(s->processes.count + 1, sizeof(struct process_peak *));
	size_t count = 0;
	int status = 0;

	if (!order)
		return error_no_memory(err);
	map_for_each (&s->processes, const struct process_id *, id, struct process_peak *, p) {
		(void)id;
		end_program(p);
		if (p->most.peak_bytes)
			order[count++] = p;
	}
	qsort(order, count, sizeof(*order), highest_first);
	for (size_t i = 0; i < count && !status; i++)
		status = emit_peak(s, order[i], err);
	free(order);
	return status;
}

static int finish(void *state, struct sooth_error *err)
{
	static const struct section section = SECTION_OF("resident_peaks", resident_peak_schema,
		TABLE, .title = "highest resident memory, at the changes of the kernel's counters",
		.rows_most = ROWS_FOR_PEOPLE,
		.spare = "error_bytes,swap_bytes,kernel_error_bytes,rss_shared_bytes");
	struct peaks_state *s = state;
	int status = output_section(s->output, &section, err);

	if (!status)
		status = emit_peaks(s, err);
	if (s->refused)
		output_limit(s->output, "peaks of some processes",
			"sooth's table is full; the rest is left out",
			"select fewer processes with -p");
	return status;
}

static void fini(void *state)
{
	map_fini(&((struct peaks_state *)state)->processes);
}

static const struct sooth_schema *const tables[] = { &resident_peak_schema, NULL };

const struct stage_type stage_resident_peaks = {
	.name = "resident-peaks",
	.help = "highest resident memory of each process by kind, and VmHWM beside it",
	.probe = "resident",
	.shows = "resident",
	.tables = tables,
	STAGE_FUNCTIONS(struct peaks_state),
};
