/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Spans of a session: the session itself, its turns (from a prompt until the agent is idle again),
 * and the phases. Names and attributes are those of the GenAI semantic conventions where these have
 * one; docs/otlp.md has the list.
 */
#include <string.h>

#include "analyze/records.h"
#include "base/cleanup.h"
#include "base/units.h"
#include "model/phase_records.h"
#include "otlp/stream.h"

#define JOINED_NS (10 * NS_PER_MS) /* clocks may differ by this between parts of a phase */

/* The span of a phase by its state; a state without a row is the name of the span. */
static const struct state {
	const char *name, *operation;
	unsigned kind;
	bool is_turn; /* begins a turn */
} states[] = {
	{ "waits_for_model", "chat", OTLP_KIND_CLIENT, true },
	{ "asks_again", "chat", OTLP_KIND_CLIENT, true },
	{ "runs_tool", "execute_tool", OTLP_KIND_INTERNAL, true },
	{ "talks_to_mcp", "tools/call", OTLP_KIND_CLIENT, true },
	{ "waits_for_user", NULL, OTLP_KIND_INTERNAL, true },
};

static const struct state *state_of(const char *name)
{
	static const struct state other = { NULL, NULL, OTLP_KIND_INTERNAL, false };

	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		if (!strcmp(states[i].name, name))
			return &states[i];
	}
	return &other;
}

/* Returns the company behind a model, in the names of the conventions; "": unknown. */
static const char *provider_of(const struct otlp_session *session)
{
	static const struct {
		const char *begin, *provider;
	} models[] = { { "claude", "anthropic" }, { "gpt-", "openai" }, { "o1", "openai" },
		{ "o3", "openai" }, { "o4", "openai" }, { "codex", "openai" },
		{ "gemini", "gcp.gemini" }, { "grok", "x_ai" }, { "mistral", "mistral_ai" },
		{ "deepseek", "deepseek" } };
	const char *model = *session->model ? session->model : session->agent;

	for (size_t i = 0; i < ARRAY_SIZE(models); i++) {
		if (!strncmp(model, models[i].begin, strlen(models[i].begin)))
			return models[i].provider;
	}
	return "";
}

/* --- what was used --- */

/* Adds a state: one part that was not measured makes the sum unknown, a cut one a lower bound. */
static void add_state(const struct otlp_use *to, uint8_t *state, uint8_t more)
{
	if (!to->is_begun || more > *state)
		*state = more;
}

static void add_use(struct otlp_use *to, const struct otlp_use *more)
{
	add_state(to, &to->cpu_state, more->cpu_state);
	add_state(to, &to->written_state, more->written_state);
	add_state(to, &to->io_state, more->io_state);
	/* Only some phases have tokens: the rest was not measured, or is 0. */
	if (!to->is_begun || more->tokens_state == SOOTH_STATE_VALUE)
		to->tokens_state = more->tokens_state;
	to->is_begun = true;
	to->cpu_ns += more->cpu_ns;
	to->own_cpu_ns += more->own_cpu_ns;
	to->rss_bytes = more->rss_bytes > to->rss_bytes ? more->rss_bytes : to->rss_bytes;
	to->written_bytes += more->written_bytes;
	to->read_bytes += more->read_bytes;
	to->io_calls += more->io_calls;
	to->input_tokens += more->input_tokens;
	to->output_tokens += more->output_tokens;
	to->turns += more->turns;
}

/* `asks_model`: the span is of the model's answers; a tool has the tokens of an answer only because
 * the agent wrote it late. */
static void put_use(struct otlp_message *m, const struct otlp_use *use, bool asks_model)
{
	uint8_t tokens_state = use->turns ? use->tokens_state : SOOTH_STATE_ABSENT;
	const struct {
		const char *key;
		uint64_t value;
		uint8_t state;
	} all[] = {
		{ "sooth.cpu_ns", use->cpu_ns, use->cpu_state },
		{ "sooth.own_cpu_ns", use->own_cpu_ns, SOOTH_STATE_VALUE },
		{ "sooth.max_rss_bytes", use->rss_bytes, SOOTH_STATE_VALUE },
		{ "sooth.written_bytes", use->written_bytes, use->written_state },
		{ "sooth.read_bytes", use->read_bytes, use->io_state },
		{ "sooth.io_calls", use->io_calls, use->io_state },
		{ "sooth.answers", use->turns, use->tokens_state },
		{ asks_model ? "gen_ai.usage.input_tokens" : "sooth.input_tokens",
			use->input_tokens, tokens_state },
		{ asks_model ? "gen_ai.usage.output_tokens" : "sooth.output_tokens",
			use->output_tokens, tokens_state },
	};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		if (all[i].state == SOOTH_STATE_VALUE || all[i].state == SOOTH_STATE_TRUNCATED)
			otlp_attribute_number(m, OTLP_SPAN_ATTRIBUTES, all[i].key, all[i].value);
	}
	if (use->cpu_state == SOOTH_STATE_TRUNCATED)
		otlp_attribute_bool(m, OTLP_SPAN_ATTRIBUTES, "sooth.cpu_ns_is_at_least", true);
}

/* --- spans --- */

static void put_model(struct otlp_stream *s, const struct otlp_session *session)
{
	otlp_span_text(s, "gen_ai.provider.name", provider_of(session), OTLP_PUBLIC);
	otlp_span_text(s, "gen_ai.request.model", session->model, OTLP_PUBLIC);
}

/* Writes the attributes that only phases of this state have. */
static void put_operation(struct otlp_stream *s, struct otlp_message *m,
	const struct otlp_session *session, const struct state *state)
{
	const struct otlp_phase *phase = &session->phase;
	const char *operation = state->operation ? state->operation : "";
	bool is_mcp = !strcmp(operation, "tools/call"), is_chat = !strcmp(operation, "chat");

	otlp_span_text(
		s, "gen_ai.operation.name", is_mcp ? "execute_tool" : operation, OTLP_PUBLIC);
	if (is_chat)
		put_model(s, session);
	if (is_mcp)
		otlp_span_text(s, "mcp.method.name", operation, OTLP_PUBLIC);
	otlp_span_text(s,
		is_mcp		   ? "sooth.mcp_server"
		: state->operation ? "gen_ai.tool.name"
				   : "sooth.name",
		phase->name, OTLP_SENTENCE);
	otlp_span_text(s, "sooth.tool_command", phase->command, OTLP_SENTENCE);
	if (phase->tool_pid)
		otlp_attribute_number(m, OTLP_SPAN_ATTRIBUTES, "sooth.tool_pid", phase->tool_pid);
}

/* The request failed, and the agent repeats it. */
static void put_failure(struct otlp_stream *s, struct otlp_message *m)
{
	otlp_span_text(s, "error.type", "_OTHER", OTLP_PUBLIC);
	otlp_begin(m, OTLP_SPAN_STATUS);
	otlp_text(m, OTLP_STATUS_MESSAGE, span_of_string("repeats a request that failed"));
	otlp_number(m, OTLP_STATUS_CODE, OTLP_STATUS_ERROR);
	otlp_end(m);
}

static void put_phase(struct otlp_stream *s, const struct otlp_session *session, uint64_t id)
{
	const struct otlp_phase *phase = &session->phase;
	const struct state *state = state_of(phase->state);
	bool is_chat = state->operation && !strcmp(state->operation, "chat");
	struct otlp_span span = { .operation = state->operation ? state->operation : phase->state,
		.target = !state->operation ? ""
			  : is_chat	    ? session->model
					    : phase->name,
		.kind = state->kind,
		.id = id,
		.parent = session->turn.id ? session->turn.id : session->root,
		.begin_ns = phase->begin_ns,
		.end_ns = phase->end_ns };
	struct otlp_message *m = otlp_begin_span(s, session, &span);

	put_operation(s, m, session, state);
	otlp_span_text(s, "sooth.state", phase->state, OTLP_PUBLIC);
	otlp_span_text(s, "sooth.source", phase->source, OTLP_PUBLIC);
	otlp_span_text(s, "sooth.confidence", phase->confidence, OTLP_PUBLIC);
	put_use(m, &phase->use, is_chat);
	if (phase->context_tokens)
		otlp_attribute_number(
			m, OTLP_SPAN_ATTRIBUTES, "sooth.context_tokens", phase->context_tokens);
	if (!strcmp(phase->state, "asks_again"))
		put_failure(s, m);
	otlp_span_link(m, phase->parent);
	otlp_end_span(s);
}

static void end_turn(struct otlp_stream *s, struct otlp_session *session)
{
	struct otlp_span span = { "invoke_agent", session->agent, OTLP_KIND_INTERNAL,
		session->turn.id, session->root, session->turn.begin_ns, session->turn.end_ns };
	struct otlp_message *m;

	if (!session->turn.id)
		return;
	m = otlp_begin_span(s, session, &span);
	otlp_span_text(s, "gen_ai.operation.name", "invoke_agent", OTLP_PUBLIC);
	otlp_span_text(s, "gen_ai.agent.name", session->agent, OTLP_PUBLIC);
	put_model(s, session);
	put_use(m, &session->turn.use, true);
	otlp_end_span(s);
	memset(&session->turn, 0, sizeof(session->turn));
}

/* Ends the phase under way, and the turn that it is no part of. An idle agent has no span. */
static void end_phase(struct otlp_stream *s, struct otlp_session *session)
{
	struct otlp_phase *phase = &session->phase;
	bool is_idle = !strcmp(phase->state, "idle");
	uint64_t id;

	if (!phase->is_open)
		return;
	id = otlp_span_of(&session->trace, phase->state, &session->id, phase->begin_ns);
	if (is_idle)
		end_turn(s, session);
	else if (!session->turn.id && state_of(phase->state)->is_turn) {
		session->turn.begin_ns = phase->begin_ns;
		session->turn.id =
			otlp_span_of(&session->trace, "turn", &session->id, phase->begin_ns);
	}
	if (session->turn.id) {
		session->turn.end_ns = phase->end_ns;
		add_use(&session->turn.use, &phase->use);
	}
	add_use(&session->use, &phase->use);
	session->has_spans = true;
	if (!is_idle) {
		put_phase(s, session, id);
		otlp_put_calls(s, session, phase->end_ns, id);
	}
	phase->is_open = false;
}

void otlp_end_session(struct otlp_stream *s, struct otlp_session *session, bool has_ended)
{
	struct otlp_span span = { "session", session->agent, OTLP_KIND_INTERNAL, session->root, 0,
		session->begin_ns, 0 };
	struct otlp_message *m;

	end_phase(s, session);
	end_turn(s, session);
	otlp_put_calls(s, session, UINT64_MAX, session->root);
	if (!session->begin_ns)
		return;
	span.end_ns = session->end_ns;
	m = otlp_begin_span(s, session, &span);
	otlp_span_text(s, "gen_ai.agent.name", session->agent, OTLP_PUBLIC);
	put_use(m, &session->use, true);
	otlp_attribute_bool(m, OTLP_SPAN_ATTRIBUTES, "sooth.has_ended", has_ended);
	otlp_span_text(s, "sooth.end", session->end, OTLP_SENTENCE);
	otlp_span_link(m, session->parent);
	otlp_end_span(s);
}

/* Makes room: an ended session is kept only because a finding may follow. */
static void drop_ended(struct otlp_stream *s)
{
	map_for_each (&s->sessions, const void *, key, const struct otlp_session *, session) {
		if (session->has_ended)
			map_remove(&s->sessions, key);
	}
}

/* Returns the session of a main process, made if new; NULL: no room. `name`: its id, as far as it
 * is known. */
static struct otlp_session *find_session(
	struct otlp_stream *s, const struct process_id *main, struct span name)
{
	struct otlp_key key = { *main, s->boot };
	struct otlp_session own, *session;
	bool is_new, has_name;

	if (s->sessions.count >= OTLP_SESSIONS_MAX)
		drop_ended(s);
	session = map_put(&s->sessions, &key, &is_new);
	s->refused += !session;
	if (!session)
		return NULL;
	own = otlp_stream_describe(s, main, name);
	has_name = is_new || !strcmp(own.session, session->session);
	/* A process may go on with another session; before its first prompt it has none. */
	if (!has_name && session->has_spans) {
		otlp_end_session(s, session, false);
		is_new = true;
	}
	if (is_new) {
		*session = own;
	} else if (!has_name) {
		session->trace = own.trace;
		session->root = own.root;
		memcpy(session->session, own.session, sizeof(own.session));
	}
	return session;
}

/* --- records --- */

static struct otlp_use use_of(const struct phase_span *p)
{
	bool has_io = record_holds(&p->record, PHASE_SPAN_IO);

	return (struct otlp_use){ .cpu_ns = p->cpu_ns,
		.own_cpu_ns = p->own_cpu_ns,
		.rss_bytes = p->rss_bytes,
		.written_bytes = p->written_bytes,
		.read_bytes = has_io ? p->read_bytes : 0,
		.io_calls = has_io ? p->io_calls : 0,
		.input_tokens = p->input_tokens,
		.output_tokens = p->output_tokens,
		.turns = p->turns,
		.cpu_state = p->cpu_state,
		.written_state = p->written_state,
		.io_state = has_io ? p->io_state : SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED),
		.tokens_state = p->tokens_state };
}

/* Returns whether a span continues the phase under way. */
static bool is_continued(
	const struct otlp_phase *phase, const struct phase_span *p, uint64_t begin_ns)
{
	return phase->is_open && !(p->flags & PHASE_BEGINS) &&
	       begin_ns <= phase->end_ns + JOINED_NS &&
	       span_equal(record_text(&p->record, &p->state), phase->state) &&
	       span_equal(record_text(&p->record, &p->name), phase->name);
}

static void begin_phase(struct otlp_phase *phase, const struct phase_span *p, uint64_t begin_ns)
{
	*phase = (struct otlp_phase){ .is_open = true, .begin_ns = begin_ns };
	otlp_copy_text(phase->state, sizeof(phase->state), &p->record, &p->state);
	otlp_copy_text(phase->name, sizeof(phase->name), &p->record, &p->name);
}

static void add_part(struct otlp_phase *phase, const struct phase_span *p)
{
	struct otlp_use use = use_of(p);

	add_use(&phase->use, &use);
	phase->end_ns = p->end_utc_ns;
	if (p->context_state == SOOTH_STATE_VALUE)
		phase->context_tokens = p->context_tokens;
	phase->tool_pid = p->tool_state == SOOTH_STATE_VALUE ? p->tool_pid : 0;
	otlp_copy_text(phase->command, sizeof(phase->command), &p->record, &p->command);
	otlp_copy_text(phase->source, sizeof(phase->source), &p->record, &p->source);
	otlp_copy_text(phase->confidence, sizeof(phase->confidence), &p->record, &p->confidence);
}

void otlp_add_phase(struct otlp_stream *s, const struct phase_span *p)
{
	const struct sooth_record *r = &p->record;
	const struct process_id main = process_id_of(r);
	uint64_t length = r->time_ns - p->begin_ns, begin_ns = p->end_utc_ns - length;
	struct otlp_session *session;
	bool is_tool;

	if (r->time_ns <= p->begin_ns || length > p->end_utc_ns)
		return;
	session = find_session(s, &main, record_text(r, &p->session));
	if (!session)
		return;
	if (!session->begin_ns)
		session->begin_ns = begin_ns;
	session->end_ns = p->end_utc_ns;
	is_tool = span_equal(record_text(r, &p->state), "runs_tool");
	if (!is_continued(&session->phase, p, begin_ns)) {
		end_phase(s, session);
		begin_phase(&session->phase, p, begin_ns);
	}
	otlp_copy_text(session->agent, sizeof(session->agent), r, &p->agent);
	otlp_copy_text(session->project, sizeof(session->project), r, &p->project);
	otlp_copy_text(session->model, sizeof(session->model), r, &p->model);
	otlp_stream_learn(s, "project", session->project);
	add_part(&session->phase, p);
	/* Only links: no process chooses the trace to which sooth adds spans. */
	if (record_holds(r, sizeof(*p)) && p->trace_parent.size == TRACE_PARENT_SIZE)
		otlp_copy_text(is_tool ? session->phase.parent : session->parent,
			TRACE_PARENT_SIZE + 1, r, &p->trace_parent);
	if (!(p->flags & PHASE_IS_LAST))
		return;
	if (record_holds(r, PHASE_SPAN_END))
		otlp_copy_text(session->end, sizeof(session->end), r, &p->end);
	otlp_end_session(s, session, true);
	session->has_ended = true;
}
