/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/phases/phase_tracker.h"

#include <stdio.h>
#include <string.h>

#include "analyze/activity/activity_tool.h"
#include "analyze/diagnosis/endings.h"
#include "analyze/process_table/process_table_sessions.h"
#include "analyze/records.h"
#include "base/cleanup.h"
#include "base/trace_parent.h"
#include "base/units.h"
#include "base/utf8.h"
#include "model/phase_records.h"

#define SESSIONS_MAX 4096
#define MEMBERS_MAX  65536
#define SPAN_NS	     (60 * NS_PER_S) /* longer phases become several records */
/* A longer time without a sample counts as unobserved. */
#define GAP_LEAST_NS (15 * NS_PER_S)
#define GAP_FACTOR   4
#define SAME_TOOL_NS (1500 * NS_PER_MS) /* two ages of one process differ by less */
#define TEXT_SIZE    64

struct phase_member {
	struct process_id main;
	uint64_t cpu_ns;
	uint64_t sample; /* the last sample with this process */
};

/* Sums of the io counters of all processes of a session. */
struct phase_io {
	uint64_t written_bytes, read_bytes, calls;
};

/* resources that a session used between two samples */
struct phase_use {
	uint64_t cpu_ns, own_cpu_ns, rss_bytes;
	struct phase_io io;
	bool is_cpu_least;
};

/* Sums from the agent's log. */
struct phase_tokens {
	bool is_known;
	uint32_t turns;
	uint64_t input, output;
};

struct phase_session {
	struct phase_span span; /* the current span */
	enum activity_state state;
	enum activity_source source;
	enum activity_confidence confidence;
	char name[ACTIVITY_NAME_SIZE], command[ACTIVITY_COMMAND_SIZE];
	char agent[TEXT_SIZE], version[TEXT_SIZE], id[TEXT_SIZE], project[TEXT_SIZE];
	char model[TEXT_SIZE];
	char trace[TRACE_PARENT_SIZE + 1];
	unsigned command_samples; /* samples with this command less those with others */
	uint64_t since_ns; /* CLOCK_MONOTONIC: begin of the activity, as the agent reports it; 0:
			      unknown */
	uint64_t last_ns;  /* time of the previous sample */
	struct phase_io io_total; /* values at the previous sample */
	bool has_io;
	uint64_t sample;
	struct phase_tokens tokens; /* values at the previous sample */
	struct phase_use use;	    /* use since the previous sample */
	struct phase_io io_now;
	uint8_t written_state, io_state;
};

void phase_tracker_init(struct phase_tracker *t)
{
	*t = (struct phase_tracker){ 0 };
	map_init(&t->sessions, sizeof(struct process_id), sizeof(struct phase_session),
		SESSIONS_MAX);
	map_init(&t->members, sizeof(struct process_id), sizeof(struct phase_member), MEMBERS_MAX);
}

void phase_tracker_fini(struct phase_tracker *t)
{
	map_fini(&t->sessions);
	map_fini(&t->members);
	buffer_fini(&t->out);
}

static void copy_text(char *out, size_t room, struct span text)
{
	snprintf(out, room, "%.*s", (int)utf8_cut(text.data, text.size, room - 1), text.data);
}

/* --- a span --- */

static const char *name_of_value(const struct sooth_names *names, unsigned value)
{
	return value < names->count && names->names[value] ? names->names[value] : "unknown";
}

static void begin_span(struct phase_session *s, uint64_t at_ns, uint8_t flags)
{
	s->span = (struct phase_span){ .begin_ns = at_ns,
		.flags = flags,
		.tokens_state = SOOTH_NOT_MEASURED(SOOTH_REASON_AGENT),
		.context_state = SOOTH_NOT_MEASURED(SOOTH_REASON_AGENT),
		.end_state = SOOTH_STATE_ABSENT,
		.tool_pid = s->span.tool_pid,
		.tool_state = s->span.tool_state };
}

static const struct ending *ending_of(const struct phase_tracker *t, const struct process_id *id)
{
	return t->endings ? endings_get(t->endings, id) : NULL;
}

static uint8_t write_how_ended(
	struct buffer *out, const struct phase_tracker *t, const struct process_id *id)
{
	const struct ending *of = ending_of(t, id);

	return of ? exit_reason_text_end(out, t->endings, of)
		  : SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED);
}

/* Appends the span until `at_ns`. A span without any time is dropped. */
static void append_span(const struct phase_tracker *t, const struct process_id *id,
	struct phase_session *s, uint64_t at_ns, uint8_t flags, struct buffer *out)
{
	struct phase_span *p = &s->span;
	struct buffer end = { 0 };

	if (at_ns <= p->begin_ns)
		return;
	p->record = (struct sooth_record){ .kind = PHASE_SPAN,
		.time_ns = at_ns,
		.start_ticks = id->start_ticks,
		.pid = id->pid,
		.cpu = SOOTH_CPU_NONE };
	p->end_utc_ns = at_ns + (uint64_t)t->realtime_offset_ns;
	p->flags |= flags;
	p->written_state = s->written_state;
	p->io_state = s->io_state;
	if (flags & PHASE_IS_LAST)
		p->end_state = write_how_ended(&end, t, id);
	struct record_tail tail[] = {
		tail_string(&p->state, name_of_value(&activity_state_names, s->state)),
		tail_string(&p->source,
			s->state ? name_of_value(&activity_source_names, s->source) : ""),
		tail_string(&p->confidence,
			s->state ? name_of_value(&activity_confidence_names, s->confidence) : ""),
		tail_string(&p->agent, s->agent),
		tail_string(&p->session, s->id),
		tail_string(&p->project, s->project),
		tail_string(&p->name, s->name),
		tail_string(&p->command, s->command),
		tail_string(&p->model, s->model),
		tail_buffer(&p->end, &end),
		tail_string(&p->version, s->version),
		tail_string(&p->trace_parent, s->trace),
	};
	RECORD_APPEND(out, p, tail, ARRAY_SIZE(tail));
	buffer_fini(&end);
}

static void finish_span(struct phase_tracker *t, const struct process_id *id,
	struct phase_session *s, uint64_t at_ns, uint8_t flags)
{
	append_span(t, id, s, at_ns, flags, &t->out);
}

/* Adds a part of the use between two samples to the current span. */
static void add_use(struct phase_session *s, double part)
{
	s->span.cpu_ns += rounded_u64((double)s->use.cpu_ns * part);
	s->span.own_cpu_ns += rounded_u64((double)s->use.own_cpu_ns * part);
	s->span.written_bytes += rounded_u64((double)s->use.io.written_bytes * part);
	s->span.read_bytes += rounded_u64((double)s->use.io.read_bytes * part);
	s->span.io_calls += rounded_u64((double)s->use.io.calls * part);
	if (s->use.rss_bytes > s->span.rss_bytes)
		s->span.rss_bytes = s->use.rss_bytes;
	if (s->use.is_cpu_least)
		s->span.cpu_state = SOOTH_STATE_TRUNCATED;
}

/* --- what the processes of a session used --- */

static const struct process_entry *main_of(const struct process_entry *p)
{
	return p->link == PROCESS_LINK_SELF ? p : p->main;
}

static void add_io(struct phase_session *s, const struct process_entry *p)
{
	const struct proc_ties *ties = p->links;

	if (!ties)
		return;
	if (ties->written_state == SOOTH_STATE_VALUE)
		s->io_now.written_bytes += ties->written_bytes;
	else
		s->written_state = ties->written_state;
	if (ties->io_state != SOOTH_STATE_VALUE) {
		s->io_state = ties->io_state;
		return;
	}
	s->io_now.read_bytes += ties->read_bytes;
	s->io_now.calls += ties->io_calls;
}

static void add_member(struct phase_tracker *t, struct phase_session *s,
	const struct process_entry *main, const struct process_entry *p)
{
	bool is_new;
	struct phase_member *m = map_put(&t->members, &p->id, &is_new);
	/* CPU time from before the session was observed belongs to no span */
	uint64_t before = is_new && !s->last_ns ? p->process->cpu_ns : m && !is_new ? m->cpu_ns : 0;
	uint64_t used = p->process->cpu_ns > before ? p->process->cpu_ns - before : 0;

	if (!m)
		s->use.is_cpu_least = true;
	else
		*m = (struct phase_member){ main->id, p->process->cpu_ns, t->sample };
	s->use.cpu_ns += m ? used : 0;
	if (p == main)
		s->use.own_cpu_ns += used;
	s->use.rss_bytes += p->process->rss_bytes;
	add_io(s, p);
}

/* Adds ended processes: their exit events have the use since the last sample. */
static void add_ended(struct phase_tracker *t, const struct host_state *host)
{
	map_for_each (&t->members, const void *, id, const struct phase_member *, m) {
		const struct short_lived_process *end;
		struct phase_session *s;

		if (m->sample == t->sample)
			continue;
		s = map_get(&t->sessions, &m->main);
		end = map_get(&host->short_lived.processes, id);
		if (s && end)
			s->use.cpu_ns += end->cpu_ns > m->cpu_ns ? end->cpu_ns - m->cpu_ns : 0;
		else if (s)
			s->use.is_cpu_least = true;
		map_remove(&t->members, id);
	}
	map_for_each (&host->short_lived.sessions, const void *, id,
		const struct short_lived_group *, value) {
		struct phase_session *s = map_get(&t->sessions, id);

		if (s && s->last_ns)
			s->use.cpu_ns += value->cpu_ns;
	}
}

/* Returns whether the phase gets new tokens: the log has an answer only at its end. */
static bool is_of_model(enum activity_state state)
{
	return state == ACTIVITY_WAITS_FOR_MODEL || state == ACTIVITY_ASKS_AGAIN;
}

static bool has_tokens(const struct proc_session *p)
{
	return p->tokens_state == SOOTH_STATE_VALUE || p->tokens_state == SOOTH_STATE_TRUNCATED;
}

static void add_tokens(struct phase_session *s, const struct proc_session *p, bool is_counted)
{
	struct phase_tokens *before = &s->tokens;
	struct phase_span *span = &s->span;

	if (!p)
		return;
	span->tokens_state = p->tokens_state;
	if (!has_tokens(p))
		return;
	span->tokens_state = SOOTH_STATE_VALUE;
	/* tokens logged before the log was first read belong to no phase */
	is_counted &= before->is_known || p->tokens_state == SOOTH_STATE_VALUE;
	if (is_counted && p->turns >= before->turns && p->input_tokens >= before->input &&
		p->output_tokens >= before->output) {
		span->turns += p->turns - before->turns;
		span->input_tokens += p->input_tokens - before->input;
		span->output_tokens += p->output_tokens - before->output;
	}
	*before = (struct phase_tokens){ true, p->turns, p->input_tokens, p->output_tokens };
}

static void set_context(struct phase_session *s, const struct proc_session *p)
{
	if (!p)
		return;
	s->span.context_state = p->context_state;
	s->span.context_tokens = p->context_tokens;
	if (p->model_state == SOOTH_STATE_VALUE)
		copy_text(s->model, sizeof(s->model), record_text(&p->record, &p->model));
}

static uint64_t increase_of(uint64_t now, uint64_t before)
{
	return now > before ? now - before : 0;
}

/* Computes the io since the last sample. A parent's counters include ended children, so sums never
 * fall. */
static void settle_io(struct phase_session *s)
{
	const struct phase_io *now = &s->io_now, *before = &s->io_total;

	if (s->has_io)
		s->use.io =
			(struct phase_io){ increase_of(now->written_bytes, before->written_bytes),
				increase_of(now->read_bytes, before->read_bytes),
				increase_of(now->calls, before->calls) };
	s->has_io = true;
	s->io_total = s->io_now;
}

static void add_uses(struct phase_tracker *t, const struct host_state *host)
{
	process_table_for_each (&host->process_table, p) {
		const struct process_entry *main = main_of(p);
		struct phase_session *s;

		if (!main || !activity_main(host, &main->id))
			continue;
		s = map_put(&t->sessions, &main->id, NULL);
		if (!s)
			continue;
		if (s->sample != t->sample) {
			s->use =
				(struct phase_use){ .is_cpu_least = !host->short_lived.is_watched };
			s->io_now = (struct phase_io){ 0 };
			s->written_state = s->io_state = SOOTH_STATE_VALUE;
			s->sample = t->sample;
		}
		add_member(t, s, main, p);
	}
	add_ended(t, host);
}

/* --- a session --- */

static void set_session_names(
	struct phase_session *s, const struct host_state *host, const struct process_entry *main)
{
	const struct process_table *c = &host->process_table;
	struct span id = process_table_text(c, &main->session_id);
	struct span project = process_table_text(c, &main->project);

	struct span version = main->match.version;

	if (!version.size && main->session)
		version = record_text(&main->session->record, &main->session->version);
	snprintf(s->agent, sizeof(s->agent), "%s", main->agent->name);
	if (version.size)
		copy_text(s->version, sizeof(s->version), version);
	/* The session's id may become known later than the process. */
	if (id.size)
		copy_text(s->id, sizeof(s->id), id);
	if (project.size)
		copy_text(s->project, sizeof(s->project), project);
}

/* Sets the context of the agent's own trace. A tool that only inherited the agent's has none. */
static void set_trace(
	struct phase_session *s, const struct process_entry *main, const struct process_entry *tool)
{
	struct trace_parent parsed;
	struct markers own, of;
	bool is_tool = s->state == ACTIVITY_RUNS_TOOL;

	markers_read(&own, main->links);
	markers_read(&of, is_tool && tool ? tool->links : NULL);
	if (trace_parent_parse(&parsed, is_tool ? of.trace : own.trace) &&
		!(is_tool && !span_compare(own.trace, of.trace)))
		copy_text(s->trace, sizeof(s->trace), is_tool ? of.trace : own.trace);
}

static uint64_t began_ns(const struct activity *a, uint64_t now)
{
	return a->has_since && a->since_ns < now ? now - a->since_ns : 0;
}

static bool is_same_phase(const struct phase_session *s, const struct activity *a, uint64_t now)
{
	uint64_t since = began_ns(a, now);

	if (s->state != a->state || strcmp(s->name, a->name) != 0)
		return false;
	/* two tools in a row have different processes */
	return a->state != ACTIVITY_RUNS_TOOL || !s->since_ns || !since ||
	       since < s->since_ns + SAME_TOOL_NS;
}

static void set_command(struct phase_session *s, const struct activity *a)
{
	s->command_samples = 1;
	s->span.tool_pid = a->pid;
	s->span.tool_state = a->pid ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT;
	memcpy(s->command, a->command, sizeof(s->command));
}

/* Chooses the command with most samples: the first process of a tool may only start the one that
 * works, as a version manager's shim does. */
static void weigh_command(struct phase_session *s, const struct activity *a)
{
	if (!strcmp(s->command, a->command))
		s->command_samples++;
	else if (*a->command && --s->command_samples == 0)
		set_command(s, a);
}

static void set_activity(struct phase_session *s, const struct activity *a, uint64_t now)
{
	s->state = a->state;
	s->source = a->source;
	s->confidence = a->confidence;
	s->since_ns = began_ns(a, now);
	memcpy(s->name, a->name, sizeof(s->name));
	*s->trace = '\0';
	set_command(s, a);
}

/* Returns the time of a change between two samples; the middle if it is unknown. */
static uint64_t change_ns(const struct phase_session *s, const struct activity *a, uint64_t now)
{
	uint64_t since = began_ns(a, now);

	if (!a->has_since)
		return s->last_ns + (now - s->last_ns) / 2;
	return since < s->last_ns ? s->last_ns : since;
}

static void change_phase(struct phase_tracker *t, const struct process_entry *main,
	struct phase_session *s, const struct activity *a, uint64_t now)
{
	const struct process_id *id = &main->id;
	const struct proc_session *p = main->session;
	uint64_t at = change_ns(s, a, now);
	double before =
		now > s->last_ns ? (double)(at - s->last_ns) / (double)(now - s->last_ns) : 0;

	bool is_of_next = !is_of_model(s->state) && is_of_model(a->state);

	add_use(s, before);
	if (!is_of_next)
		add_tokens(s, p, true);
	finish_span(t, id, s, at, 0);
	begin_span(s, at, PHASE_BEGINS);
	set_activity(s, a, now);
	add_tokens(s, p, true); /* adds only tokens that the calls above did not add */
	add_use(s, 1 - before);
}

/* Returns when observation began: for a process younger than the last sample, its start. */
static uint64_t first_ns(
	const struct phase_tracker *t, const struct host_state *host, const struct process_entry *p)
{
	uint64_t age = activity_age_ns(host, p), now = host->process_table.last_ns;
	uint64_t start = age < now ? now - age : 0;

	return t->last_ns && start > t->last_ns ? start : now;
}

static bool is_gap_between(const struct phase_tracker *t, uint64_t before, uint64_t now)
{
	return now - before > GAP_LEAST_NS && now - before > GAP_FACTOR * t->interval_ns;
}

static void update_session(struct phase_tracker *t, const struct host_state *host,
	const struct process_entry *main, struct phase_session *s, uint64_t now)
{
	struct activity a;
	bool is_first = !s->last_ns;

	activity_find(&a, host, main);
	set_session_names(s, host, main);
	settle_io(s);
	if (!is_first && is_gap_between(t, s->last_ns, now)) {
		finish_span(t, &main->id, s, s->last_ns, 0);
		is_first = true;
	}
	if (is_first) {
		uint64_t begin = s->last_ns ? now : first_ns(t, host, main);

		/* The phase may continue what an earlier observer saw. */
		begin_span(s, begin, s->last_ns || begin < now ? PHASE_BEGINS : 0);
		set_activity(s, &a, now);
		add_use(s, s->last_ns ? 0 : 1);
		add_tokens(s, main->session, begin < now);
	} else if (!is_same_phase(s, &a, now)) {
		change_phase(t, main, s, &a, now);
	} else {
		weigh_command(s, &a);
		add_use(s, 1);
		add_tokens(s, main->session, true);
	}
	set_context(s, main->session);
	set_trace(s, main, process_table_find(&host->process_table, a.pid));
	s->span.samples++;
	if (now - s->span.begin_ns >= SPAN_NS) {
		finish_span(t, &main->id, s, now, 0);
		begin_span(s, now, 0);
	}
	s->last_ns = now;
}

/* Returns the end of a process between two samples; the middle if it is unknown. */
static uint64_t end_ns(const struct phase_tracker *t, const struct host_state *host,
	const struct process_id *id, uint64_t last_ns, uint64_t now)
{
	const struct short_lived_process *end = map_get(&host->short_lived.processes, id);
	const struct ending *of = ending_of(t, id);
	uint64_t at = end ? end->end_ns : of ? of->end.record.time_ns : 0;

	return at > last_ns && at <= now ? at : last_ns + (now - last_ns) / 2;
}

/* Ends the sessions whose main process is gone. */
static void finish_ended_sessions(
	struct phase_tracker *t, const struct host_state *host, uint64_t now)
{
	map_for_each (&t->sessions, const void *, id, struct phase_session *, s) {
		uint64_t at;

		if (s->sample == t->sample)
			continue;
		at = end_ns(t, host, id, s->last_ns, now);
		s->use.rss_bytes = 0;
		add_use(s, 1);
		finish_span(t, id, s, is_gap_between(t, s->last_ns, now) ? s->last_ns : at,
			PHASE_IS_LAST);
		map_remove(&t->sessions, id);
	}
}

/* Clears the use of ended sessions, which get only the use in their exit events. */
static void clear_uses(struct phase_tracker *t)
{
	map_for_each_value (&t->sessions, struct phase_session *, s) {
		if (s->sample != t->sample)
			s->use = (struct phase_use){ 0 };
	}
}

void phase_tracker_sample(struct phase_tracker *t, const struct host_state *host)
{
	uint64_t now = host->process_table.last_ns;

	if (now <= t->last_ns)
		return;
	t->sample++;
	t->realtime_offset_ns = host->realtime_offset_ns;
	clear_uses(t);
	add_uses(t, host);
	finish_ended_sessions(t, host, now);
	map_for_each (&t->sessions, const void *, id, void *, value) {
		const struct process_entry *main = activity_main(host, id);

		if (main)
			update_session(t, host, main, value, now);
	}
	t->interval_ns = t->last_ns ? now - t->last_ns : 0;
	t->last_ns = now;
}

void phase_tracker_append_current(const struct phase_tracker *t, struct buffer *out)
{
	map_for_each (&t->sessions, const void *, id, struct phase_session *, s)
		append_span(t, id, s, s->last_ns, 0, out);
}

void phase_tracker_finish(struct phase_tracker *t)
{
	map_for_each (&t->sessions, const void *, id, struct phase_session *, s) {
		finish_span(t, id, s, s->last_ns, 0);
		map_remove(&t->sessions, id);
	}
}
