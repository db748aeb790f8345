/* SPDX-License-Identifier: BSD-2-Clause */
/* Signal handling of processes. A signal has a row if it is caught, ignored, blocked or pending;
 * all other signals have their default action. */
#include <stdio.h>
#include <string.h>

#include "analyze/process_view.h"
#include "base/cleanup.h"
#include "explain/stage.h"
#include "model/row_list.h"
#include "probes/signal_names.h"
#include "probes/signals.h"

#define FAILED SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED)

enum signals_action_kind { ACTION_DEFAULT, ACTION_IGNORED, ACTION_CAUGHT, ACTIONS };

#define SIGNALS_ROW(F, S)                                                                          \
	F(S, PID)                                                                                  \
	F(S, TEXT, signal, ALWAYS, "name of the signal", .is_key = true)                           \
	F(S, ENUM32, action, MAYBE(action_state),                                                  \
		"action the process takes on the signal: default, ignored, caught",                \
		.names = &actions)                                                                 \
	F(S, TEXT, handler, MAYBE(handler_state),                                                  \
		"function that handles the signal, and the file of the function",                  \
		.may_shrink = true)                                                                \
	F(S, TEXT, flags, MAYBE(flags_state), "sigaction(2) flags of the signal handler",          \
		.may_shrink = true)                                                                \
	F(S, TEXT, blocked_in, MAYBE(blocked_state), "threads that block the signal, as text")     \
	F(S, NAMED, TEXT, pending, pending_for, MAYBE(pending_state),                              \
		"process or threads that the signal is pending for", .label = "PENDING")           \
	F(S, NAMED, U32, number, signal_number, ALWAYS, "number of the signal", .is_hidden = true) \
	F(S, U64, address, WITH(flags_state), "address of the signal handler",                     \
		.unit = SOOTH_UNIT_HEX, .is_hidden = true)                                         \
	F(S, TEXT, symbol, MAYBE(symbol_state), "name of the signal handler function",             \
		.is_hidden = true)                                                                 \
	F(S, TEXT, object, MAYBE(object_state), "file that contains the signal handler",           \
		.is_hidden = true)                                                                 \
	F(S, U32, blocked_threads, MAYBE(threads_state),                                           \
		"number of threads that block the signal", .is_hidden = true)                      \
	F(S, U32, pending_threads, WITH(threads_state),                                            \
		"number of threads that the signal is pending for", .is_hidden = true)             \
	F(S, U32, threads, WITH(threads_state), "number of threads of the process",                \
		.is_hidden = true)                                                                 \
	F(S, BOOL, is_pending_in_process, MAYBE(process_state),                                    \
		"the signal is pending for the whole process", .is_hidden = true)

ROW_STRUCT(signals_row, SIGNALS_ROW);

static const char *const action_names[ACTIONS] = { "default", "ignored", "caught" };
static const struct sooth_names actions = { ACTIONS, action_names };

static ROW_SCHEMA(row, SIGNALS_ROW, "signals", signals_row);

#define SIGNALS_SUMS_ROW(F, S)                                                                     \
	F(S, PID)                                                                                  \
	F(S, U32, threads, MAYBE(threads_state), "number of signal masks read, one per thread")    \
	F(S, U32, caught, MAYBE(masks_state), "number of signals with a handler")                  \
	F(S, U32, ignored, WITH(masks_state), "number of ignored signals")                         \
	F(S, U64, queued, MAYBE(queued_state), "signals queued for all processes of the user")     \
	F(S, U64, queued_max, WITH(queued_state), "limit of queued signals (RLIMIT_SIGPENDING)")   \
	F(S, REAL, queued_percent, MAYBE(percent_state), "queued signals in percent of the limit", \
		.label = "QUEUED%", .unit = SOOTH_UNIT_PERCENT, .decimals = 1)

ROW_TABLE(sums, SIGNALS_SUMS_ROW, "signals_totals", signals_sums_row);

struct signals_view {
	struct process_view view;
	struct buffer texts[4]; /* scratch texts: handler, flags, blocked in, pending */
};

/* The signals of one process, from its snapshot. */
struct signals_of {
	const struct signals_process *end;
	const struct signals_handler *handlers[SIGNALS_MAX];
	uint32_t blocked[SIGNALS_MAX], pending[SIGNALS_MAX];
};

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	struct signals_view *s = state;

	(void)options;
	(void)err;
	process_view_init(&s->view, output, SIGNALS_PROCESS);
	return 0;
}

static void store_handler(struct signals_of *to, const struct signals_handler *h)
{
	if (h->signal >= 1 && h->signal <= SIGNALS_MAX && record_has_text(&h->record, &h->symbol) &&
		record_has_text(&h->record, &h->object))
		to->handlers[h->signal - 1] = h;
}

static void store_thread(struct signals_of *to, const struct signals_thread *t)
{
	for (unsigned i = 0; i < SIGNALS_MAX; i++) {
		to->blocked[i] += t->blocked >> i & 1;
		to->pending[i] += t->pending >> i & 1;
	}
}

static void gather_signals(struct signals_of *to, const struct snapshot *process)
{
	struct batch batch = snapshot_records(process);

	*to = (struct signals_of){ .end = snapshot_end(process, sizeof(*to->end)) };
	batch_for_each (r, &batch) {
		const struct signals_thread *t = record_as(r, SIGNALS_THREAD, sizeof(*t));
		const struct signals_handler *h = record_as(r, SIGNALS_HANDLER, sizeof(*h));

		if (t)
			store_thread(to, t);
		if (h)
			store_handler(to, h);
	}
}

/* --- rows --- */

static bool mask_has_signal(uint64_t mask, unsigned index)
{
	return mask >> index & 1;
}

static bool is_signal_reported(const struct signals_of *of, unsigned i)
{
	uint64_t process = of->end->ignored | of->end->caught | of->end->pending;

	return mask_has_signal(process, i) || of->blocked[i] || of->pending[i];
}

/* Writes "function+0x10 (libfoo.so)", or the address if the function is unknown. */
static void handler_text(struct buffer *out, const struct signals_handler *h)
{
	struct span symbol = record_text(&h->record, &h->symbol);
	struct span object = path_base(record_text(&h->record, &h->object));

	if (!symbol.size)
		buffer_format(out, "0x%llx", (unsigned long long)h->address);
	buffer_append(out, symbol.data, symbol.size);
	if (symbol.size && h->symbol_offset)
		buffer_format(out, "+0x%llx", (unsigned long long)h->symbol_offset);
	if (!object.size)
		return;
	buffer_string(out, " (");
	buffer_append(out, object.data, object.size);
	buffer_char(out, ')');
}

static void fill_handler(struct signals_view *s, struct signals_row *row,
	const struct signals_handler *h, uint8_t handlers_state)
{
	uint8_t why = row->action != ACTION_CAUGHT	    ? SOOTH_STATE_ABSENT
		      : handlers_state == SOOTH_STATE_VALUE ? FAILED
							    : handlers_state;

	if (!h) {
		row->handler_state = row->flags_state = why;
		row->symbol_state = row->object_state = why;
		return;
	}
	row->address = h->address;
	row->symbol_state = h->symbol_state;
	row->object_state = h->object_state;
	handler_text(&s->texts[0], h);
	signal_flag_names(&s->texts[1], h->flags);
}

static void fill_waiting(struct signals_view *s, struct signals_row *row)
{
	const char *comma = "";

	row->blocked_state = row->threads_state;
	row->pending_state =
		row->threads_state != SOOTH_STATE_VALUE ? row->threads_state : row->process_state;
	if (row->blocked_threads)
		buffer_format(&s->texts[2], "%u of %u threads", row->blocked_threads, row->threads);
	else if (row->blocked_state == SOOTH_STATE_VALUE)
		row->blocked_state = SOOTH_STATE_ABSENT;
	if (row->is_pending_in_process) {
		buffer_string(&s->texts[3], "process");
		comma = ", ";
	}
	if (row->pending_threads)
		buffer_format(&s->texts[3], "%s%u thread%s", comma, row->pending_threads,
			row->pending_threads > 1 ? "s" : "");
	else if (!row->is_pending_in_process && row->pending_state == SOOTH_STATE_VALUE)
		row->pending_state = SOOTH_STATE_ABSENT;
}

static int emit_signal(struct signals_view *s, const struct snapshot *process,
	const struct signals_of *of, unsigned i, struct sooth_error *err)
{
	const struct signals_handler *h = of->handlers[i];
	struct signals_row row = { .record = row_head(&process->id),
		.number = i + 1,
		.action = mask_has_signal(of->end->caught, i)	 ? ACTION_CAUGHT
			  : mask_has_signal(of->end->ignored, i) ? ACTION_IGNORED
								 : ACTION_DEFAULT,
		.action_state = of->end->masks_state,
		.process_state =
			of->end->masks_state ? of->end->masks_state : of->end->pending_state,
		.is_pending_in_process = mask_has_signal(of->end->pending, i),
		.blocked_threads = of->blocked[i],
		.pending_threads = of->pending[i],
		.threads = of->end->threads,
		.threads_state = of->end->threads_state };
	const struct span nothing = { "", 0 };
	struct record_tail tail[7];
	char name[SIGNAL_NAME_SIZE];

	for (size_t k = 0; k < ARRAY_SIZE(s->texts); k++)
		buffer_reset(&s->texts[k]);
	fill_handler(s, &row, h, of->end->handlers_state);
	fill_waiting(s, &row);
	signal_name(name, i + 1);
	tail[0] = tail_string(&row.signal, name);
	tail[1] = tail_buffer(&row.handler, &s->texts[0]);
	tail[2] = tail_buffer(&row.flags, &s->texts[1]);
	tail[3] = tail_buffer(&row.blocked_in, &s->texts[2]);
	tail[4] = tail_buffer(&row.pending, &s->texts[3]);
	tail[5] = tail_span(&row.symbol, h ? record_text(&h->record, &h->symbol) : nothing);
	tail[6] = tail_span(&row.object, h ? record_text(&h->record, &h->object) : nothing);
	return OUTPUT_ROW(s->view.output, &row, tail, ARRAY_SIZE(tail), err);
}

static int emit_sums(void *state, const struct snapshot *process, struct sooth_error *err)
{
	const struct signals_process *end = snapshot_end(process, sizeof(*end));
	struct process_view *v = state;
	struct signals_sums_row row = { .record = row_head(&process->id),
		.masks_state = FAILED,
		.threads_state = FAILED,
		.queued_state = FAILED,
		.percent_state = FAILED };

	if (end) {
		row.masks_state = row.percent_state = end->masks_state;
		row.threads_state = end->threads_state;
		row.threads = end->threads;
		row.caught = (uint32_t)__builtin_popcountll(end->caught);
		row.ignored = (uint32_t)__builtin_popcountll(end->ignored);
		/* FreeBSD and macOS have no such value. */
		row.queued_state = end->masks_state || end->queued_max
					   ? end->masks_state
					   : SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED);
		row.percent_state = row.queued_state;
		row.queued = end->queued;
		row.queued_max = end->queued_max;
	}
	if (row.queued_max)
		row.queued_percent = 100.0 * (double)row.queued / (double)row.queued_max;
	else if (row.percent_state == SOOTH_STATE_VALUE)
		row.percent_state = SOOTH_STATE_ABSENT;
	return OUTPUT_ROW(v->output, &row, NULL, 0, err);
}

static const struct section sums_section = SECTION_OF("signals_totals", sums_schema, TABLE,
	.columns = "pid,threads,caught,ignored,queued,queued_max,queued_percent");

static int emit_signals(void *state, const struct snapshot *process, struct sooth_error *err)
{
	struct signals_of of;
	int status = 0;

	gather_signals(&of, process);
	for (unsigned i = 0; of.end && i < SIGNALS_MAX && !status; i++) {
		if (is_signal_reported(&of, i))
			status = emit_signal(state, process, &of, i, err);
	}
	return status;
}

static const struct section signals_section = SECTION_OF("signals", row_schema, TABLE,
	.title = "signals", .columns = "pid,signal,action,handler,flags,blocked_in,pending_for",
	.if_empty = "every signal has its default action; none is blocked or pending");

static int finish(void *state, struct sooth_error *err)
{
	struct signals_view *s = state;
	int status = process_view_emit(&s->view, &signals_section, emit_signals, err);

	if (!status)
		status = process_view_emit(&s->view, &sums_section, emit_sums, err);
	if (s->view.input->refused)
		output_limit(s->view.output, "some signals",
			"the processes have more signals than sooth can keep; the rest is left out",
			"");
	return status;
}

static void fini(void *state)
{
	struct signals_view *s = state;

	process_view_fini(&s->view);
	for (size_t i = 0; i < ARRAY_SIZE(s->texts); i++)
		buffer_fini(&s->texts[i]);
}

const struct stage_type stage_signals = {
	.name = "signals",
	.help = "signals: ignored, caught (with handler), blocked, pending",
	.probe = "signals",
	.shows = "signals",
	.state_size = sizeof(struct signals_view),
	.init = init,
	.push = process_view_push,
	.finish = finish,
	.fini = fini,
};
