/* SPDX-License-Identifier: BSD-2-Clause */
/* Each sample of a profile with time and whole stack, by thread: for formats that show when a
 * function ran. Rows are frames, each below its caller. If there is no room for more samples, later
 * ones are left out and counted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/graphs/graph_origin.h"
#include "analyze/profile/profile_sums.h"
#include "analyze/profile/profile_table.h"
#include "analyze/profile/stack_frames.h"
#include "analyze/records.h"
#include "base/cleanup.h"
#include "base/order.h"
#include "explain/stage.h"
#include "model/row_list.h"
#include "model/schema.h"

#define SAMPLES_BYTES_MAX (64u << 20)
#define UNKNOWN_STACK	  "[unknown]"

#define SAMPLE_FRAME_ROW(F, S)                                                                     \
	F(S, U64, at_ns, ALWAYS, "time of the sample, since the start of the recording",           \
		.label = "AT", .unit = SOOTH_UNIT_NS)                                              \
	F(S, CHARS16, process, ALWAYS, "name of the process")                                      \
	F(S, PID)                                                                                  \
	F(S, CHARS16, thread, ALWAYS, "name of the thread")                                        \
	F(S, TID)                                                                                  \
	F(S, TEXT, frame, ALWAYS, "function, below the one that called it", .may_shrink = true)    \
	F(S, TEXT, file, MAYBE(file_state), "program, library or source of the function")          \
	F(S, ENUM32, kind, ALWAYS,                                                                 \
		"where the code of the frame is: program, library, kernel, ...",                   \
		.names = &stack_kind_names)                                                        \
	F(S, U32, depth, ALWAYS, "depth of the frame in its stack; 0: the outermost",              \
		.is_hidden = true)                                                                 \
	F(S, U64, samples, ALWAYS, "1: the sample", .is_hidden = true)                             \
	F(S, NAMED, U64, cpu_ns, cpu_time_ns, ALWAYS, "CPU time that the sample stands for",       \
		.label = "CPU TIME", .unit = SOOTH_UNIT_NS, .is_hidden = true)

ROW_TABLE(sample_frame, SAMPLE_FRAME_ROW, "samples", sample_frame_row);
static const struct sooth_schema *const tables[] = { &sample_frame_schema, NULL };

struct kept_sample {
	struct process_id id;
	uint64_t time_ns;
	uint32_t tid, stack, period_ns;
	char process[PROFILE_NAME_BYTES], thread[PROFILE_NAME_BYTES];
};

struct samples_state {
	struct profile_view view;
	struct graph_origin origin;
	struct buffer kept; /* struct kept_sample */
	uint64_t left_out;
	struct stack_frames frames;
	struct profile_stacked stacked;
};

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	struct samples_state *s = state;

	(void)err;
	profile_view_init(&s->view, output, options);
	s->kept.limit = SAMPLES_BYTES_MAX;
	return 0;
}

static void keep_sample(struct samples_state *s, const struct profile_sample *r)
{
	struct kept_sample kept = { .id = process_id_of(&r->record),
		.time_ns = r->record.time_ns,
		.tid = r->record.tid,
		.stack = r->stack,
		.period_ns = r->period_ns };

	if (!profile_view_has(&s->view, profile_role_of(r)))
		return;
	memcpy(kept.process, r->process, sizeof(kept.process));
	memcpy(kept.thread, r->thread, sizeof(kept.thread));
	if (s->kept.size + sizeof(kept) > s->kept.limit)
		s->left_out++;
	else
		buffer_append(&s->kept, &kept, sizeof(kept));
}

static int push(void *state, const struct batch *batch, struct sooth_error *err)
{
	struct samples_state *s = state;

	profile_sums_add_batch(&s->view.sums, batch);
	graph_origin_add_batch(&s->origin, batch);
	batch_for_each (r, batch) {
		const struct profile_sample *sample = record_as(r, PROFILE_SAMPLE, sizeof(*sample));

		if (sample)
			keep_sample(s, sample);
	}
	return buffer_failed(&s->kept) ? error_no_memory(err) : 0;
}

/* --- rows --- */

static int compare_by_thread_and_time(const void *a, const void *b)
{
	const struct kept_sample *first = a, *second = b;
	int order = memcmp(&first->id, &second->id, sizeof(first->id));

	order = order ?: smaller_first(first->tid, second->tid);
	return order ?: smaller_first(first->time_ns, second->time_ns);
}

static int put_frame(struct samples_state *s, struct sample_frame_row *row,
	const struct stack_frame_named *frame, struct sooth_error *err)
{
	struct record_tail tail[] = { tail_span(&row->frame, frame->name),
		tail_span(&row->file, frame->file) };

	row->kind = frame->kind;
	row->file_state = state_if(frame->file.size);
	return OUTPUT_ROW(s->view.output, row, tail, ARRAY_SIZE(tail), err);
}

static int put_sample(
	struct samples_state *s, const struct kept_sample *kept, struct sooth_error *err)
{
	static const struct stack_frame_named unknown = {
		{ UNKNOWN_STACK, sizeof(UNKNOWN_STACK) - 1 }, { NULL, 0 }, STACK_CUT, NULL
	};
	struct sample_frame_row row = { .record = { .start_ticks = kept->id.start_ticks,
						.pid = kept->id.pid,
						.tid = kept->tid },
		.at_ns =
			kept->time_ns > s->origin.begin_ns ? kept->time_ns - s->origin.begin_ns : 0,
		.samples = 1,
		.cpu_ns = kept->period_ns };
	int status = 0;

	memcpy(row.process, kept->process, sizeof(row.process));
	memcpy(row.thread, kept->thread, sizeof(row.thread));
	s->stacked.process = span_of(kept->process, strnlen(kept->process, PROFILE_NAME_BYTES));
	profile_sums_stack(&s->view.sums, kept->stack, &s->stacked);
	stack_frames_of(&s->view.sums, &s->stacked, &s->frames);
	if (!s->frames.count)
		return put_frame(s, &row, &unknown, err);
	for (size_t i = 0; i < s->frames.count && !status; i++) {
		row.depth = (uint32_t)i;
		status = put_frame(s, &row, &s->frames.items[i], err);
	}
	return status;
}

static void emit_left_out(const struct samples_state *s)
{
	char reason[96];

	if (!s->left_out)
		return;
	snprintf(reason, sizeof(reason), "%llu samples are more than sooth keeps",
		(unsigned long long)s->left_out);
	output_limit(s->view.output, "the last samples", reason,
		"select a part of the time: --from, --to");
}

static int finish(void *state, struct sooth_error *err)
{
	struct samples_state *s = state;
	const struct section_samples samples = { .time = "at_ns",
		.process = "process",
		.pid = "pid",
		.thread = "thread",
		.tid = "tid",
		.file = "file",
		.weight = "cpu_time_ns",
		.start_unix_ns =
			s->origin.has_segment
				? s->origin.begin_ns + (uint64_t)s->origin.realtime_offset_ns
				: 0 };
	_cleanup_(buffer_fini) struct buffer origin = { 0 };
	struct section_graph graph = { .about = "functions, by thread and time",
		.weight = "samples",
		.kind = "kind",
		.samples = &samples };
	struct section section = { .name = "samples",
		.title = "CPU",
		.schema = &sample_frame_schema,
		.shape = SECTION_TABLE,
		.tree = "frame",
		.depth = "depth",
		.if_empty = "no samples: the target used little or no CPU time",
		.graph = &graph };
	size_t count = s->kept.size / sizeof(struct kept_sample);
	struct kept_sample *kept = (void *)s->kept.data;
	int status;

	if (count)
		qsort(kept, count, sizeof(*kept), compare_by_thread_and_time);
	graph_origin_put(&s->origin, &origin);
	graph_origin_put_lost(&s->origin, &origin);
	graph.origin = buffer_cstr(&origin);
	status = output_section(s->view.output, &section, err);
	for (size_t i = 0; i < count && !status; i++)
		status = put_sample(s, &kept[i], err);
	/* The section is a local variable: close it before it goes out of scope. */
	status = status ? status : output_close_section(s->view.output, err);
	emit_left_out(s);
	return status;
}

static void fini(void *state)
{
	struct samples_state *s = state;

	profile_sums_fini(&s->view.sums);
	graph_origin_fini(&s->origin);
	buffer_fini(&s->kept);
}

const struct stage_type stage_profile_samples = {
	.name = "profile-samples",
	.help = "each sample with its time, thread and stack",
	.shows = "profile",
	.tables = tables,
	STAGE_FUNCTIONS(struct samples_state),
};
