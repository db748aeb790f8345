/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/phases/phase_emit.h"

#include <stdlib.h>
#include <string.h>

#include "analyze/phases/phase_rows.h"
#include "analyze/phases/phase_sums.h"
#include "analyze/phases/phase_tracks.h"
#include "analyze/records.h"
#include "base/cleanup.h"
#include "base/sentence_units.h"
#include "base/units.h"

#define LABEL_MOST 40 /* most bytes of a tool's command */

/* Names of states; some states count as one. */
static const struct {
	const char *words;
	enum activity_state states[2];
	bool names_tool;
} parts[] = {
	{ "waited for the model", { ACTIVITY_WAITS_FOR_MODEL }, false },
	{ "asked the model again", { ACTIVITY_ASKS_AGAIN }, false },
	{ "ran tools", { ACTIVITY_RUNS_TOOL }, true },
	{ "waited for MCP servers", { ACTIVITY_TALKS_TO_MCP }, true },
	{ "computed", { ACTIVITY_COMPUTES }, false },
	{ "started", { ACTIVITY_STARTS }, false },
	{ "waited for you", { ACTIVITY_WAITS_FOR_USER }, false },
	{ "stopped", { ACTIVITY_STOPPED }, false },
	{ "not known", { ACTIVITY_UNKNOWN }, false },
};
#define PARTS (sizeof(parts) / sizeof(parts[0]))

static uint64_t time_in_state(const struct phase_sums *s, size_t part)
{
	const enum activity_state *states = parts[part].states;
	uint64_t ns = s->states[states[0]].total_ns;

	return states[1] ? ns + s->states[states[1]].total_ns : ns;
}

/* Returns the tool with the longest total time. */
static const struct phase_tool_sum *longest_tool(
	const struct phase_sums *s, enum activity_state state)
{
	const struct phase_tool_sum *best = NULL;

	map_for_each_value (&s->tools, const struct phase_tool_sum *, one) {
		if (one->state == state && (!best || one->all.total_ns > best->all.total_ns))
			best = one;
	}
	return best;
}

static void write_tool(struct buffer *out, const struct phase_sums *s,
	const struct phase_history *h, enum activity_state state)
{
	const struct phase_tool_sum *tool = longest_tool(s, state);
	const char *text = tool ? phase_label_text(phase_label_of(h, tool->label)) : "";
	size_t size = 0;
	char time[UNITS_SIZE];

	if (!*text)
		return;
	while (text[size] && size < LABEL_MOST)
		size++;
	buffer_format(out, " (%.*s%s %s)", (int)size, text, text[size] ? "..." : "",
		sentence_duration(time, tool->all.total_ns));
}

static void write_period(
	struct buffer *out, const struct phase_sums *s, const struct phase_history *h)
{
	const struct phase_selection *sel = &h->selection;
	uint64_t length = sel->from_utc_ns && sel->to_utc_ns ? sel->to_utc_ns - sel->from_utc_ns
							     : s->end_utc_ns - s->begin_utc_ns;
	char time[UNITS_SIZE];

	if (sel->from_utc_ns && length == 3600 * NS_PER_S)
		buffer_string(out, "last hour");
	else if (sel->from_utc_ns && length == 86400 * NS_PER_S)
		buffer_string(out, "last day");
	else
		buffer_format(out, "%s %s", sel->from_utc_ns ? "last" : "in",
			sentence_duration(time, length));
	buffer_format(out, ", %zu session%s", s->sessions.count, s->sessions.count == 1 ? "" : "s");
}

static void phase_answer_write(
	struct buffer *out, const struct phase_sums *s, const struct phase_history *h)
{
	uint64_t idle = s->states[ACTIVITY_IDLE].total_ns, worked = s->all.total_ns - idle;
	const char *separator = ": ";
	char time[UNITS_SIZE];

	write_period(out, s, h);
	for (size_t i = 0; i < PARTS; i++) {
		uint64_t ns = time_in_state(s, i);
		double percent = worked ? 100.0 * (double)ns / (double)worked : 0;

		if (percent < 0.5)
			continue;
		buffer_format(out, "%s%.0f %% %s", separator, percent, parts[i].words);
		if (parts[i].names_tool)
			write_tool(out, s, h, parts[i].states[0]);
		separator = ", ";
	}
	if (idle)
		buffer_format(
			out, "%sidle for %s", worked ? "; " : ": ", sentence_duration(time, idle));
}

#define ROWS_FOR_PEOPLE 20
#define LATE_NS		(60 * NS_PER_S) /* a history that begins so much later is incomplete */

struct emit {
	struct output *output;
	const struct phase_history *history;
	struct phase_sums sums;
	const struct phase_session_sum **order; /* sessions, longest work first */
	size_t count;
	struct track_axis axis;
};

const struct sooth_schema *const phase_tables[] = { &phase_found_schema, &phase_session_schema,
	&phase_state_schema, &phase_tool_schema, &phase_schema, &phase_share_track_schema,
	&phase_cpu_track_schema, &phase_memory_track_schema, NULL };

static const struct phase_agent *agent_of(const struct emit *e, uint32_t number)
{
	size_t position = number - 1;
	void *value = NULL;

	map_next(&e->history->agents, &position, NULL, &value);
	return value;
}

static struct sooth_record record_head_of(const struct phase_agent *a)
{
	return (struct sooth_record){ .start_ticks = a->start_ticks, .pid = a->pid };
}

static uint8_t state_of_text(const char *text)
{
	return *text ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT;
}

/* Fills in the members of PHASE_USE and PHASE_TOKENS. */
#define FILL_USE(row, sum)                                                                         \
	do {                                                                                       \
		(row)->cpu_ns = (sum)->cpu_ns;                                                     \
		(row)->cpu_state =                                                                 \
			(sum)->is_cpu_least ? SOOTH_STATE_TRUNCATED : SOOTH_STATE_VALUE;           \
		(row)->rss_bytes = (sum)->rss_bytes;                                               \
		(row)->written_bytes = (sum)->written_bytes;                                       \
		(row)->written_state =                                                             \
			(sum)->lacks_written ? (sum)->written_state : SOOTH_STATE_VALUE;           \
		(row)->read_bytes = (sum)->read_bytes;                                             \
		(row)->io_calls = (sum)->io_calls;                                                 \
		(row)->io_state = (sum)->lacks_io ? (sum)->io_state : SOOTH_STATE_VALUE;           \
	} while (0)
#define FILL_TOKENS(row, sum)                                                                      \
	do {                                                                                       \
		(row)->turns = (sum)->turns;                                                       \
		(row)->input_tokens = (sum)->input_tokens;                                         \
		(row)->output_tokens = (sum)->output_tokens;                                       \
		(row)->tokens_state = (sum)->has_tokens ? SOOTH_STATE_VALUE : (sum)->tokens_state; \
	} while (0)
/* Fills in the members of PHASE_SHARES; `all`: the observed time. */
#define FILL_SHARES(row, states, all)                                                              \
	do {                                                                                       \
		(row)->shares_state = (all) ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT;              \
		(row)->model_percent = percent_in_state(states, ACTIVITY_WAITS_FOR_MODEL, all);    \
		(row)->again_percent = percent_in_state(states, ACTIVITY_ASKS_AGAIN, all);         \
		(row)->tool_percent = percent_in_state(states, ACTIVITY_RUNS_TOOL, all);           \
		(row)->mcp_percent = percent_in_state(states, ACTIVITY_TALKS_TO_MCP, all);         \
		(row)->own_percent = percent_in_state(states, ACTIVITY_COMPUTES, all) +            \
				     percent_in_state(states, ACTIVITY_STARTS, all);               \
		(row)->user_percent = percent_in_state(states, ACTIVITY_WAITS_FOR_USER, all);      \
		(row)->stopped_percent = percent_in_state(states, ACTIVITY_STOPPED, all);          \
		(row)->idle_percent = percent_in_state(states, ACTIVITY_IDLE, all);                \
		(row)->unknown_percent = percent_in_state(states, ACTIVITY_UNKNOWN, all);          \
	} while (0)

static double percent_in_state(
	const struct phase_sum *states, enum activity_state state, uint64_t all_ns)
{
	return all_ns ? 100.0 * (double)states[state].total_ns / (double)all_ns : 0;
}

/* --- the answer --- */

static int emit_answer(struct emit *e, struct sooth_error *err)
{
	static const struct section section = SECTION_OF("phase_answer", phase_answer_schema,
		OBJECT, .if_empty = "no session of an agent was observed in that time",
		.wraps = true);
	const struct phase_sums *s = &e->sums;
	struct phase_answer_row row = { .start_utc_ns = e->axis.begin_ns,
		.interval_ns = e->axis.end_ns - e->axis.begin_ns,
		.bucket_ns = e->axis.stretch_ns,
		.buckets = (uint32_t)track_axis_count(&e->axis),
		.session_count = (uint32_t)e->count,
		.observed_ns = s->all.total_ns };
	struct buffer text = { 0 };
	int status = output_section(e->output, &section, err);

	if (status || !e->count)
		return status;
	FILL_SHARES(&row, s->states, s->all.total_ns);
	phase_answer_write(&text, s, e->history);
	struct record_tail tail[] = { tail_buffer(&row.text, &text) };
	status = OUTPUT_ROW(e->output, &row, tail, ARRAY_SIZE(tail), err);
	buffer_fini(&text);
	return status;
}

/* --- sessions --- */

static int emit_session(
	const struct emit *e, const struct phase_session_sum *s, struct sooth_error *err)
{
	const struct phase_agent *a = agent_of(e, s->agent);
	struct phase_session_row row = { .record = record_head_of(a),
		.start_utc_ns = s->begin_utc_ns,
		.end_utc_ns = s->end_utc_ns,
		.has_ended = s->has_ended,
		.observed_ns = s->all.total_ns,
		.context_tokens = s->context_tokens,
		.context_state = s->context_state,
		.project_state = state_of_text(a->project),
		.session_state = state_of_text(a->session),
		.end_state = a->end_state,
		.model_state = state_of_text(a->model) };
	struct record_tail tail[] = { tail_string(&row.agent, a->agent),
		tail_string(&row.project, a->project), tail_string(&row.session_id, a->session),
		tail_string(&row.end, a->end), tail_string(&row.model, a->model) };

	FILL_SHARES(&row, s->states, s->all.total_ns);
	FILL_USE(&row, &s->all);
	FILL_TOKENS(&row, &s->all);
	return OUTPUT_ROW(e->output, &row, tail, ARRAY_SIZE(tail), err);
}

static int emit_sessions(const struct emit *e, struct sooth_error *err)
{
	static const struct section section = { .name = "phase_sessions",
		.title = "sessions",
		.schema = &phase_session_schema,
		.shape = SECTION_TABLE,
		.rows_most = ROWS_FOR_PEOPLE,
		.columns =
			"pid,agent,project,observed_ns,waits_for_model_percent,"
			"runs_tool_percent,talks_to_mcp_percent,computes_percent,"
			"waits_for_user_percent,idle_percent,cpu_ns,max_rss_bytes,"
			"written_bytes,turns,input_tokens,output_tokens,context_tokens,model,end",
		.spare = "model,talks_to_mcp_percent,written_bytes,context_tokens,turns,"
			 "input_tokens,output_tokens" };
	int status = output_section(e->output, &section, err);

	for (size_t i = 0; i < e->count && !status; i++)
		status = emit_session(e, e->order[i], err);
	return status;
}

/* --- states --- */

static int emit_state(const struct emit *e, const struct phase_agent *a, unsigned state,
	const struct phase_sum *sum, struct sooth_error *err)
{
	struct phase_state_row row = { .record = record_head_of(a),
		.state = (uint8_t)state,
		.state_state = state ? SOOTH_STATE_VALUE : SOOTH_NOT_MEASURED(SOOTH_REASON_AGENT),
		.count = sum->count,
		.total_ns = sum->total_ns,
		.longest_ns = sum->longest_ns,
		.own_cpu_ns = sum->own_cpu_ns,
		.project_state = state_of_text(a->project) };
	struct record_tail tail[] = { tail_string(&row.agent, a->agent),
		tail_string(&row.project, a->project) };

	FILL_USE(&row, sum);
	FILL_TOKENS(&row, sum);
	return OUTPUT_ROW(e->output, &row, tail, ARRAY_SIZE(tail), err);
}

static int emit_states(const struct emit *e, struct sooth_error *err)
{
	static const struct section section = SECTION_OF("phase_states", phase_state_schema, TABLE,
		.title = "what they did", .rows_most = ROWS_FOR_PEOPLE,
		.spare = "io_calls,read_bytes,turns,input_tokens,output_tokens,written_bytes,"
			 "project");
	int status = output_section(e->output, &section, err);

	for (size_t i = 0; i < e->count && !status; i++) {
		const struct phase_agent *a = agent_of(e, e->order[i]->agent);

		for (unsigned k = 0; k < ACTIVITY_STATES && !status; k++) {
			if (e->order[i]->states[k].count)
				status = emit_state(e, a, k, &e->order[i]->states[k], err);
		}
	}
	return status;
}

/* --- tools --- */

static int longest_tool_first(const void *a, const void *b)
{
	const struct phase_tool_sum *x = *(const struct phase_tool_sum *const *)a;
	const struct phase_tool_sum *y = *(const struct phase_tool_sum *const *)b;

	if (x->all.total_ns != y->all.total_ns)
		return x->all.total_ns < y->all.total_ns ? 1 : -1;
	return (x->label > y->label) - (x->label < y->label);
}

static int emit_tool(
	const struct emit *e, const struct phase_tool_sum *tool, struct sooth_error *err)
{
	const struct phase_label *l = phase_label_of(e->history, tool->label);
	struct phase_tool_row row = { .state = tool->state,
		.count = tool->all.count,
		.total_ns = tool->all.total_ns,
		.longest_ns = tool->all.longest_ns,
		.name_state = state_of_text(l->name),
		.command_state = state_of_text(l->command) };
	struct record_tail tail[] = { tail_string(&row.name, l->name),
		tail_string(&row.command, l->command) };

	FILL_USE(&row, &tool->all);
	return OUTPUT_ROW(e->output, &row, tail, ARRAY_SIZE(tail), err);
}

static int emit_tools(const struct emit *e, struct sooth_error *err)
{
	static const struct section section = SECTION_OF("phase_tools", phase_tool_schema, TABLE,
		.title = "tools, MCP servers and questions", .rows_most = ROWS_FOR_PEOPLE);
	size_t count = e->sums.tools.count, position = 0;
	_cleanup_free_ const struct phase_tool_sum **all = calloc(count + 1, sizeof(*all));
	void *value;
	int status = all ? output_section(e->output, &section, err) : error_no_memory(err);

	if (status)
		return status;
	for (size_t i = 0; map_next(&e->sums.tools, &position, NULL, &value); i++)
		all[i] = value;
	qsort(all, count, sizeof(*all), longest_tool_first);
	for (size_t i = 0; i < count && !status; i++)
		status = emit_tool(e, all[i], err);
	return status;
}

/* --- phases --- */

static int emit_phase(const struct emit *e, const struct phase_piece *p, struct sooth_error *err)
{
	const struct phase_label *l = phase_label_of(e->history, p->label);
	struct phase_row row = { .record = record_head_of(agent_of(e, p->agent)),
		.start_utc_ns = p->begin_utc_ns,
		.total_ns = p->end_utc_ns - p->begin_utc_ns,
		.state = p->state,
		.state_state =
			p->state ? SOOTH_STATE_VALUE : SOOTH_NOT_MEASURED(SOOTH_REASON_AGENT),
		.own_cpu_ns = p->own_cpu_ns,
		.cpu_ns = p->cpu_ns,
		.cpu_state = p->cpu_state,
		.rss_bytes = p->rss_bytes,
		.written_bytes = p->written_bytes,
		.written_state = p->written_state,
		.read_bytes = p->read_bytes,
		.io_calls = p->io_calls,
		.io_state = p->io_state,
		.turns = p->turns,
		.input_tokens = p->input_tokens,
		.output_tokens = p->output_tokens,
		.tokens_state = p->tokens_state,
		.source = p->source,
		.confidence = p->confidence,
		.source_state = p->source_state,
		.name_state = state_of_text(l->name),
		.command_state = state_of_text(l->command) };
	struct record_tail tail[] = { tail_string(&row.name, l->name),
		tail_string(&row.command, l->command) };

	return OUTPUT_ROW(e->output, &row, tail, ARRAY_SIZE(tail), err);
}

static int emit_phases(const struct emit *e, struct sooth_error *err)
{
	static const struct section section = SECTION_OF(
		"phases", phase_schema, TABLE, .title = "phases", .audience = SECTION_DETAIL);
	int status = output_section(e->output, &section, err);

	buffer_each_while (const struct phase_piece, phase, &e->sums.phases, !status)
		status = emit_phase(e, phase, err);
	return status;
}

/* --- all --- */

static int busiest_first(const void *a, const void *b)
{
	const struct phase_session_sum *x = *(const struct phase_session_sum *const *)a;
	const struct phase_session_sum *y = *(const struct phase_session_sum *const *)b;
	uint64_t of_x = x->all.total_ns - x->states[ACTIVITY_IDLE].total_ns;
	uint64_t of_y = y->all.total_ns - y->states[ACTIVITY_IDLE].total_ns;

	if (of_x != of_y)
		return of_x < of_y ? 1 : -1;
	return (x->agent > y->agent) - (x->agent < y->agent);
}

static int put_in_order(struct emit *e, struct sooth_error *err)
{
	e->order = calloc(e->sums.sessions.count + 1, sizeof(*e->order));
	if (!e->order)
		return error_no_memory(err);
	map_for_each_value (&e->sums.sessions, void *, value)
		e->order[e->count++] = value;
	qsort(e->order, e->count, sizeof(*e->order), busiest_first);
	return 0;
}

static void set_axis(struct emit *e)
{
	const struct phase_selection *selection = &e->history->selection;

	track_axis_begin(
		&e->axis, selection->from_utc_ns ? selection->from_utc_ns : e->sums.begin_utc_ns);
	track_axis_reach(
		&e->axis, selection->to_utc_ns ? selection->to_utc_ns : e->sums.end_utc_ns);
}

static void emit_limit_notes(const struct emit *e)
{
	const struct phase_history *h = e->history;
	char what[UNITS_SIZE + 32] = "the time before ", time[UNITS_SIZE];

	if (h->refused || e->sums.refused)
		output_limit(e->output, "some phases",
			"there are more phases than sooth can keep: only the latest are shown",
			"choose a shorter time: --last TIME");
	if (h->selection.from_utc_ns && h->first_utc_ns > h->selection.from_utc_ns + LATE_NS) {
		strcat(what, format_utc(time, h->first_utc_ns));
		output_limit(e->output, what,
			"no agent ran, no monitor ran, or the history of the monitor starts later",
			"");
	}
}

int phase_emit(struct output *o, const struct phase_history *h, struct sooth_error *err)
{
	struct emit e = { .output = o, .history = h };
	int status;

	phase_sums_make(&e.sums, h);
	set_axis(&e);
	status = put_in_order(&e, err);
	if (!status)
		status = emit_answer(&e, err);
	if (!status)
		status = phase_answers_emit(&h->answers, o, err);
	if (!status)
		status = emit_sessions(&e, err);
	if (!status)
		status = emit_states(&e, err);
	if (!status)
		status = emit_tools(&e, err);
	for (size_t i = 0; i < PHASE_TRACK_GROUPS && !status; i++)
		status = phase_tracks_emit(
			o, h, e.order, e.count, &e.axis, (enum phase_track_group)i, err);
	if (!status)
		status = emit_phases(&e, err);
	emit_limit_notes(&e);
	free(e.order);
	phase_sums_fini(&e.sums);
	return status;
}
