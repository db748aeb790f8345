/* SPDX-License-Identifier: BSD-2-Clause */
/* The highest resident memory of each process, by kind, from the changes of the kernel's counters;
 * beside it VmHWM, and why the two differ. */
#include <stdlib.h>
#include <string.h>

#include "analyze/records.h"
#include "base/map.h"
#include "base/units.h"
#include "explain/stage.h"
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
	F(S, U64, kernel_peak_bytes, MAYBE(kernel_state),                                          \
		"highest resident memory as the kernel noted it (VmHWM)", .label = "VMHWM",        \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, error_bytes, ALWAYS, "bound of the error of the peak, of each kind",             \
		.unit = SOOTH_UNIT_BYTES, .is_hidden = true)                                       \
	F(S, U64, kernel_error_bytes, WITH(kernel_state), "bound of the error of VmHWM",           \
		.unit = SOOTH_UNIT_BYTES, .is_hidden = true)                                       \
	F(S, TEXT, difference, MAYBE(difference_state),                                            \
		"why the two values differ; absent: they agree within the error of both",          \
		.label = "WHY THEY DIFFER", .may_shrink = true)

ROW_STRUCT(resident_peak_row, PEAK_ROW);
ROW_SCHEMA(resident_peak, PEAK_ROW, "resident_peaks", resident_peak_row);

/* The highest values of one program. */
struct program_peak {
	struct resident_level at; /* the record with the most bytes */
	uint64_t bytes, kernel_bytes, start_bytes;
};

struct process_peak {
	struct process_id id;
	char name[PROCESS_NAME_SIZE];
	struct program_peak now, most;
};

struct peaks_state {
	struct output *output;
	struct map processes; /* process_id -> struct process_peak */
	uint64_t begin_ns, lost, refused;
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

/* --- records --- */

static void end_program(struct process_peak *p)
{
	if (p->now.bytes > p->most.bytes)
		p->most = p->now;
	p->now = (struct program_peak){ 0 };
}

static void take_level(struct peaks_state *s, const struct resident_level *r)
{
	struct process_id id = process_id_of(&r->record);
	struct process_peak *p = map_put(&s->processes, &id, NULL);

	if (!p) {
		s->refused++;
		return;
	}
	p->id = id;
	if (r->cause == RESIDENT_FIRST)
		end_program(p);
	if (!p->now.at.record.kind || resident_sum(r->bytes) > resident_sum(p->now.at.bytes))
		p->now.at = *r;
	if (r->peak_bytes > p->now.bytes)
		p->now.bytes = r->peak_bytes;
	if (r->kernel_peak_bytes > p->now.kernel_bytes)
		p->now.kernel_bytes = r->kernel_peak_bytes;
	p->now.start_bytes = r->start_peak_bytes;
}

static void take_name(
	struct peaks_state *s, const struct sooth_record *r, const char *name, size_t size)
{
	struct process_id id = process_id_of(r);
	struct process_peak *p = map_put(&s->processes, &id, NULL);

	size = strnlen(name, size < sizeof(p->name) ? size : sizeof(p->name) - 1);
	if (!p || !size)
		return;
	p->id = id;
	memset(p->name, 0, sizeof(p->name));
	memcpy(p->name, name, size);
}

static void take_names(struct peaks_state *s, const struct sooth_record *r)
{
	const struct process_join *join = record_as(r, PROCESS_JOIN, sizeof(*join));
	const struct process_exec *exec = record_as(r, PROCESS_EXEC, PROCESS_EXEC_LEAST);
	const struct process_leave *leave = record_as(r, PROCESS_LEAVE, sizeof(*leave));
	const struct proc_process *process = record_as(r, PROC_PROCESS, PROC_PROCESS_LEAST);

	if (join)
		take_name(s, r, join->name, sizeof(join->name));
	else if (exec)
		take_name(s, r, exec->name, sizeof(exec->name));
	else if (leave)
		take_name(s, r, leave->name, sizeof(leave->name));
	else if (process)
		take_name(s, r, record_text(r, &process->name).data,
			record_text(r, &process->name).size);
}

static int push(void *state, const struct batch *batch, struct sooth_error *err)
{
	struct peaks_state *s = state;

	(void)err;
	batch_for_each (r, batch) {
		const struct resident_level *level = record_as(r, RESIDENT_LEVEL, sizeof(*level));
		const struct stream_loss *loss = record_as(r, STREAM_LOSS, sizeof(*loss));

		if ((r->kind == STREAM_BEGIN || level) && !s->begin_ns)
			s->begin_ns = r->time_ns;
		if (level)
			take_level(s, level);
		else if (loss && span_equal(record_text(r, &loss->source), "resident"))
			s->lost += loss->records;
		else
			take_names(s, r);
	}
	return 0;
}

/* --- rows --- */

static bool is_within(uint64_t a, uint64_t b, uint64_t bound)
{
	return (a > b ? a - b : b - a) <= bound;
}

/* Explains why the kernel's value differs from that of the events; empty: it does not. */
static void explain_difference(const struct program_peak *p, struct buffer *words)
{
	uint64_t bound = p->at.kernel_error_bytes + 3 * p->at.error_bytes;

	if (is_within(p->bytes, p->kernel_bytes, bound))
		return;
	if (p->kernel_bytes > p->bytes && is_within(p->kernel_bytes, p->start_bytes, bound))
		buffer_string(words, "VmHWM is from before the recording");
	else
		buffer_format(words, "more than the kernel's batches explain");
}

static int emit_peak(
	const struct peaks_state *s, const struct process_peak *p, struct sooth_error *err)
{
	const struct program_peak *m = &p->most;
	struct resident_peak_row row = { .record = row_head(&p->id),
		.peak_bytes = m->bytes,
		.peak_after_ns = m->at.at_ns > s->begin_ns ? m->at.at_ns - s->begin_ns : 0,
		.rss_anonymous_bytes = m->at.bytes[RESIDENT_ANONYMOUS],
		.rss_file_bytes = m->at.bytes[RESIDENT_FILE],
		.rss_shared_bytes = m->at.bytes[RESIDENT_SHARED],
		.swap_bytes = m->at.bytes[RESIDENT_SWAP],
		.kernel_peak_bytes = m->kernel_bytes,
		.error_bytes = m->at.error_bytes,
		.kernel_error_bytes = m->at.kernel_error_bytes,
		.kernel_state = m->kernel_bytes ? SOOTH_STATE_VALUE
						: SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED) };
	struct buffer words = { 0 };
	struct record_tail tail[] = { { 0 } };
	int status;

	memcpy(row.process, p->name, sizeof(row.process));
	if (m->kernel_bytes)
		explain_difference(m, &words);
	row.difference_state = state_if(words.size > 0);
	tail[0] = tail_buffer(&row.difference, &words);
	status = OUTPUT_ROW(s->output, &row, tail, 1, err);
	buffer_fini(&words);
	return status;
}

static int highest_first(const void *a, const void *b)
{
	const struct process_peak *x = *(struct process_peak *const *)a;
	const struct process_peak *y = *(struct process_peak *const *)b;

	if (x->most.bytes != y->most.bytes)
		return x->most.bytes < y->most.bytes ? 1 : -1;
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
		if (p->most.bytes)
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
		.rows_most = ROWS_FOR_PEOPLE, .spare = "difference,swap_bytes,rss_shared_bytes");
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
