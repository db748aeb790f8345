/* SPDX-License-Identifier: BSD-2-Clause */
/* The processes that ended during the observation: how they ended, the sender of the signal, and
 * the core file. */
#include "analyze/diagnosis/endings.h"
#include "base/cleanup.h"
#include "explain/stage.h"
#include "model/row_list.h"

#define END_ROW(F, S)                                                                              \
	F(S, PID)                                                                                  \
	F(S, TEXT, name, ALWAYS, "name of the process")                                            \
	F(S, NAMED, TEXT, how, end, MAYBE(status_state),                                           \
		"how the process ended: exit status or signal")                                    \
	F(S, TEXT, sender, MAYBE(sender_state), "sender of the signal that ended the process",     \
		.may_shrink = true)                                                                \
	F(S, NAMED, U64, peak_rss_bytes, rss_peak_bytes, MAYBE(peak_state),                        \
		"highest resident memory of the process so far", .label = "PEAK",                  \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, BOOL, is_oom_victim, MAYBE(oom_state), "the process was killed by the OOM killer",    \
		.label = "OOM")                                                                    \
	F(S, TEXT, core, MAYBE(core_state), "path of the core dump file", .may_shrink = true)      \
	F(S, U32, exit_code, MAYBE(exit_state), "exit code of the process", .is_hidden = true)     \
	F(S, NAMED, U32, signal, signal_number, MAYBE(signal_state),                               \
		"number of the signal that ended the process", .is_hidden = true)                  \
	F(S, U32, sender_pid, WITH(sender_state), "process id of the sender of the signal",        \
		.is_hidden = true)                                                                 \
	F(S, U64, time_ns, ALWAYS, "time the process ended or was first found ended",              \
		.unit = SOOTH_UNIT_TIME_NS, .is_hidden = true)

ROW_TABLE(end, END_ROW, "ends", end_row);

static const struct section end_section = SECTION_OF(
	"ends", end_schema, TABLE, .title = "processes that ended", .if_empty = "no process ended");

struct exit_reasons_view {
	struct output *output;
	struct endings endings;
};

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	struct exit_reasons_view *v = state;

	(void)options;
	(void)err;
	v->output = output;
	endings_init(&v->endings);
	return 0;
}

static int push(void *state, const struct batch *batch, struct sooth_error *err)
{
	struct exit_reasons_view *v = state;

	(void)err;
	batch_for_each (r, batch)
		endings_add_record(&v->endings, r);
	return 0;
}

static void fill_end_row(
	struct end_row *row, const struct ending *of, uint32_t status, uint8_t state)
{
	unsigned signal = END_SIGNAL(status);

	*row = (struct end_row){ .record = row_head(&of->id),
		.time_ns = of->end.record.time_ns,
		.peak_rss_bytes = of->end.peak_rss_bytes,
		.peak_state = of->end.peak_state,
		.is_oom_victim = of->end.is_oom_victim || of->has_oom,
		.oom_state = of->end.oom_state,
		.status_state = state,
		.exit_code = END_EXIT(status),
		.exit_state = state    ? state
			      : signal ? SOOTH_STATE_ABSENT
				       : SOOTH_STATE_VALUE,
		.signal = signal,
		.signal_state = state	 ? state
				: signal ? SOOTH_STATE_VALUE
					 : SOOTH_STATE_ABSENT };
}

static int emit_end(struct exit_reasons_view *v, const struct ending *of, struct sooth_error *err)
{
	_cleanup_(buffer_fini) struct buffer how = { 0 }, sender = { 0 }, core = { 0 };
	const struct exit_reasons_signal *fatal;
	struct end_row row;
	uint32_t code = 0;
	uint8_t state = ending_status(&v->endings, of, &code);

	fill_end_row(&row, of, code, state);
	fatal = row.signal ? ending_signal(of, row.signal) : ending_request(of);
	if (!state)
		exit_reason_text_status(&how, code);
	if (fatal)
		exit_reason_text_sender(&sender, of, fatal);
	if (of->core)
		exit_reason_text_core(&core, of->core);
	row.sender_pid = fatal ? fatal->sender_pid : 0;
	row.sender_state = SOOTH_STATE_ABSENT;
	if (fatal || row.signal)
		row.sender_state = fatal ? SOOTH_STATE_VALUE : of->end.signals_state;
	row.core_state = state_if(core.size);
	struct record_tail tail[] = {
		tail_span(&row.name,
			span_of(of->end.name, strnlen(of->end.name, EXIT_REASONS_NAME_SIZE))),
		tail_buffer(&row.how, &how),
		tail_buffer(&row.sender, &sender),
		tail_buffer(&row.core, &core),
	};
	return OUTPUT_ROW(v->output, &row, tail, ARRAY_SIZE(tail), err);
}

static int finish(void *state, struct sooth_error *err)
{
	struct exit_reasons_view *v = state;
	int status = output_section(v->output, &end_section, err);
	const struct ending *of;
	size_t position = 0;

	while (!status && (of = endings_next(&v->endings, &position)))
		status = emit_end(v, of, err);
	return status;
}

static void fini(void *state)
{
	struct exit_reasons_view *v = state;

	endings_fini(&v->endings);
}

const struct stage_type stage_exit_reasons = {
	.name = "ends",
	.help = "ended processes: exit status, sender of the signal, core file",
	.probe = "exit_reasons",
	STAGE_FUNCTIONS(struct exit_reasons_view),
};
