/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/heap/heap_ended.h"

#include <string.h>

#include "analyze/records.h"
#include "model/process_id.h"
#include "model/row_list.h"
#include "model/schema.h"
#include "model/stream_records.h"
#include "probes/signal_names.h"

#define ROWS_MAX	 64
#define LINES_FOR_PEOPLE 3
#define STATUS_SIGNAL	 0x7fu /* signal in a wait status */

#define HEAP_ENDED_ROW(F, S)                                                                       \
	F(S, PID)                                                                                  \
	F(S, CHARS16, name, ALWAYS, "name of the process")                                         \
	F(S, TEXT, signal, ALWAYS, "signal that ended the process")                                \
	F(S, TEXT, observed_by, ALWAYS, "sooth's probes or library in the process")                \
	F(S, TEXT, remedy, MAYBE(remedy_state),                                                    \
		"command that shows whether the program ends the same way without sooth")

ROW_STRUCT(heap_ended_row, HEAP_ENDED_ROW);
ROW_SCHEMA(heap_ended_row, HEAP_ENDED_ROW, "heap.ended", heap_ended_row,
	.line = "{name} {pid} ended by {signal}; sooth had {observed_by} in it[; {remedy}]");

/* Returns whether the process ended by a fault of the program. */
static bool is_fault(uint32_t status)
{
	static const unsigned char faults[] = { SIGNAL_SEGV, SIGNAL_BUS, SIGNAL_ILLEGAL, SIGNAL_FPE,
		SIGNAL_TRAP, SIGNAL_BAD_CALL, SIGNAL_ABORT };

	return memchr(faults, (int)(status & STATUS_SIGNAL), sizeof(faults));
}

static void handle_source(struct heap_ended *e, const struct stream_source *source)
{
	struct span probe = record_text(&source->record, &source->probe);
	struct span backend = record_text(&source->record, &source->backend);
	bool is_mixed = span_equal(backend, "mixed");

	if (!span_equal(probe, "heap"))
		return;
	e->has_library |= is_mixed || span_equal(backend, "preload");
	e->has_probes |= !span_equal(backend, "preload");
}

void heap_ended_add_record(struct heap_ended *e, const struct sooth_record *r)
{
	const struct process_leave *leave = record_as(r, PROCESS_LEAVE, sizeof(*leave));
	const struct stream_source *source = record_as(r, STREAM_SOURCE, sizeof(*source));

	if (source)
		handle_source(e, source);
	if (leave && leave->status_state == SOOTH_STATE_VALUE && is_fault(leave->status) &&
		e->all.size < ROWS_MAX * sizeof(*leave))
		buffer_append(&e->all, leave, sizeof(*leave));
}

static int emit_row(const struct heap_ended *e, const struct process_leave *leave,
	struct output *output, struct sooth_error *err)
{
	struct process_id id = process_id_of(&leave->record);
	struct heap_ended_row row = { .record = row_head(&id),
		.remedy_state = state_if(e->has_library) };
	const char *observed_by = !e->has_library ? "breakpoints"
				  : e->has_probes ? "its library, or breakpoints,"
						  : "its library";
	char signal[SIGNAL_NAME_SIZE];

	memcpy(row.name, leave->name, sizeof(row.name));
	signal_name(signal, leave->status & STATUS_SIGNAL);
	return OUTPUT_ROW(output, &row,
		((struct record_tail[]){ tail_string(&row.signal, signal),
			tail_string(&row.observed_by, observed_by),
			tail_string(&row.remedy, "--engine bpf does without the library") }),
		3, err);
}

static int emit_ended(const struct heap_ended *e, struct output *output,
	const struct section *section, size_t most, struct sooth_error *err)
{
	const struct process_leave *all = (const void *)e->all.data;
	size_t count = e->all.size / sizeof(*all);
	int status = output_section(output, section, err);

	for (size_t i = 0; i < count && i < most && !status; i++)
		status = emit_row(e, &all[i], output, err);
	return status ?: output_close_section(output, err);
}

int heap_ended_emit(const struct heap_ended *e, struct output *output, struct sooth_error *err)
{
	static const struct section section =
		SECTION_OF("heap_ended", heap_ended_row_schema, TABLE, .audience = SECTION_DETAIL);
	struct section brief = section;
	int status;

	if (!e->all.size)
		return 0;
	brief.audience = SECTION_BRIEF;
	status = emit_ended(e, output, &section, ROWS_MAX, err);
	return status ?: emit_ended(e, output, &brief, LINES_FOR_PEOPLE, err);
}

void heap_ended_fini(struct heap_ended *e)
{
	buffer_fini(&e->all);
}
