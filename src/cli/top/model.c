/* SPDX-License-Identifier: BSD-2-Clause */
/* Sessions and processes of each frame. */
#include "cli/top/model.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "cli/top/model_host.h"
#include "model/field.h"

#define TOOL   "tool"
#define SERVER "mcp"

const struct top_doing top_doings[TOP_DOINGS] = {
	{ "waits_for_user", "waits for you", TOP_FOR_USER, 1, 60 },
	{ "asks_again", "asks again", TOP_ASKS_AGAIN, 5, 30 },
	{ "stopped", "stopped", TOP_STOPPED, 1, 600 },
	{ "waits_for_model", "model", TOP_FOR_MODEL, 30, 120 },
	{ "runs_tool", "tool", TOP_TOOL, 60, 600 },
	{ "talks_to_mcp", "MCP", TOP_SERVER, 30, 120 },
	{ "computes", "computes", TOP_COMPUTES, 60, 600 },
	{ "starts", "starts", TOP_STARTS, 10, 30 },
	{ "idle", "idle", TOP_IDLE, 0, 0 },
	{ "", "unknown", TOP_UNKNOWN, 0, 0 },
};

/* Names of the roles as rows have them, in the order of the list. */
static const char *const roles[] = { "main", "launcher", "daemon", TOOL, SERVER, "language-server",
	"helper", "status-line", "spare", "" };

static const char *top_role_name(uint8_t rank)
{
	return rank < ARRAY_SIZE(roles) ? roles[rank] : "";
}

void top_model_init(struct top_model *m)
{
	*m = (struct top_model){ 0 };
	map_init(&m->sessions, sizeof(struct process_id), sizeof(struct top_session *),
		TOP_SESSIONS_MAX);
	map_init(&m->known, sizeof(struct process_id), sizeof(struct top_known), TOP_PROCESSES_MAX);
}

void top_model_fini(struct top_model *m)
{
	struct top_session *s;
	size_t position = 0;

	while ((s = top_session_next(m, &position)))
		free(s);
	map_fini(&m->sessions);
	map_fini(&m->known);
	buffer_fini(&m->processes);
	top_frame_fini(&m->frame);
	free(m->host.cpu_of);
}

struct top_session *top_session_next(const struct top_model *m, size_t *position)
{
	const void *key;
	void *value;

	return map_next(&m->sessions, position, &key, &value) ? *(struct top_session **)value
							      : NULL;
}

static struct top_session *top_session_of(const struct top_model *m, const struct process_id *id)
{
	struct top_session **s = map_get(&m->sessions, id);

	return s ? *s : NULL;
}

/* --- processes --- */

static uint8_t role_of(const struct top_model *m, const struct sooth_record *r)
{
	char role[32];
	uint8_t rank = 0;

	top_word(m->schema, "role", r, role, sizeof(role));
	while (rank + 1u < ARRAY_SIZE(roles) && strcmp(roles[rank], role))
		rank++;
	return rank;
}

/* Returns whether a process is old: one that the tree adds to the list is new only if it has just
 * started. */
static bool is_old(const struct top_model *m, const struct sooth_record *r)
{
	double elapsed_s;

	return top_number(m->schema, "elapsed_s", r, &elapsed_s) &&
	       elapsed_s > m->interval_s * TOP_FRESH_FRAMES;
}

static double increase_of(double now, double before)
{
	return now > before ? now - before : 0;
}

/* Fills the traffic between two frames; the bytes of a connection that closed in between are lost.
 * All bytes of a process that has just started belong to this frame. */
static void fill_traffic(
	const struct top_model *m, struct top_process *p, struct top_known *known, bool is_new)
{
	double received = 0, sent = 0;

	p->has_traffic = top_number(m->schema, "received_bytes", p->row, &received) &&
			 top_number(m->schema, "sent_bytes", p->row, &sent);
	if (!known || !p->has_traffic)
		return;
	if (known->has_traffic || (is_new && known->first > 1)) {
		p->received = increase_of(received, known->received);
		p->sent = increase_of(sent, known->sent);
	}
	known->has_traffic = true;
	known->received = received;
	known->sent = sent;
}

static void add_process(struct top_model *m, const struct sooth_record *r)
{
	struct top_process p = { .row = r, .id = process_id_of(r), .role = role_of(m, r) };
	double value;
	struct top_known *known;
	char state[16];
	bool is_new;

	p.has_cpu = top_number(m->schema, "cpu_percent", r, &p.cpu_percent);
	top_number(m->schema, "rss_bytes", r, &p.rss_bytes);
	if (top_number(m->schema, "ppid", r, &value))
		p.ppid = (uint32_t)value;
	if (top_number(m->schema, "depth", r, &value))
		p.depth = (unsigned)value;
	p.has_session = top_number(m->schema, "session_pid", r, &value);
	p.session_pid = p.has_session ? (uint32_t)value : 0;
	top_word(m->schema, "state", r, state, sizeof(state));
	p.is_main = p.has_session && p.session_pid == p.id.pid && state[0] != 'Z';
	known = map_put(&m->known, &p.id, &is_new);
	if (known && is_new)
		*known = (struct top_known){ .first = is_old(m, r) ? 1 : m->frames };
	if (known && known->first > 1 && m->frames - known->first < TOP_FRESH_FRAMES)
		p.mark = TOP_MARK_NEW;
	fill_traffic(m, &p, known, is_new);
	buffer_append(&m->processes, &p, sizeof(p));
}

/* Forgets the processes that are missing in this frame. */
static void forget_processes(struct top_model *m)
{
	struct map seen;
	size_t position = 0;
	const void *key;
	void *value;

	map_init(&seen, sizeof(struct process_id), 0, TOP_PROCESSES_MAX);
	for (size_t i = 0; i < top_process_count(m); i++)
		map_put(&seen, &top_process_at(m, i)->id, NULL);
	while (map_next(&m->known, &position, &key, &value)) {
		if (!map_get(&seen, key))
			map_remove(&m->known, key);
	}
	map_fini(&seen);
}

/* --- sessions --- */

static uint8_t find_activity(const char *state)
{
	uint8_t i = 0;

	while (i + 1u < TOP_DOINGS && strcmp(top_doings[i].state, state))
		i++;
	return i;
}

static uint8_t activity_of(const struct top_model *m, const struct sooth_record *r)
{
	const struct sooth_field *state;
	struct sooth_value v = value_in_first_row(m->schema, r, "activity", "state", &state);

	if (!value_is_there(&v) || v.u >= state->names->count || !state->names->names[v.u])
		return TOP_DOINGS - 1;
	return find_activity(state->names->names[v.u]);
}

static struct top_session *session_for(struct top_model *m, const struct process_id *id)
{
	struct top_session **to, *s = top_session_of(m, id);

	if (s)
		return s;
	s = calloc(1, sizeof(*s));
	to = s ? map_put(&m->sessions, id, NULL) : NULL;
	if (!to) {
		free(s);
		return NULL;
	}
	s->id = *id;
	s->since_frame = m->frames;
	s->is_new = m->frames > 1;
	s->doing = TOP_DOINGS;
	*to = s;
	return s;
}

static void fill_texts(
	const struct top_model *m, struct top_session *s, const struct sooth_record *r)
{
	top_word(m->schema, "agent", r, s->agent, sizeof(s->agent));
	top_word(m->schema, "project", r, s->project, sizeof(s->project));
	top_word(m->schema, "branch", r, s->branch, sizeof(s->branch));
	top_word(m->schema, "task", r, s->task, sizeof(s->task));
	top_word(m->schema, "session_id", r, s->session, sizeof(s->session));
	top_word(m->schema, "version", r, s->version, sizeof(s->version));
	top_word(m->schema, "model", r, s->model, sizeof(s->model));
	top_word(m->schema, "flags", r, s->flags, sizeof(s->flags));
	top_word(m->schema, "tool", r, s->tool, sizeof(s->tool));
	top_word(m->schema, "terminal", r, s->terminal, sizeof(s->terminal));
	top_word(m->schema, "activity_text", r, s->doing_text, sizeof(s->doing_text));
}

/* Returns bytes per second. */
static double rate_of(const struct top_model *m, double bytes)
{
	return m->interval_s > 0 ? bytes / m->interval_s : 0;
}

/* Adds a phase if the activity of the session, or its text, has changed. */
static void keep_phase(const struct top_model *m, struct top_session *s)
{
	struct top_phase *last = &s->phases[(s->phase_count + TOP_PHASES_MAX - 1) % TOP_PHASES_MAX];

	if (s->phase_count && last->doing == s->doing)
		return;
	last = &s->phases[s->phase_count++ % TOP_PHASES_MAX];
	*last = (struct top_phase){ .begin_s = m->last_s, .doing = s->doing };
	snprintf(last->text, sizeof(last->text), "%.99s", s->doing_text);
}

/* "MCP files: 12 answers, 1 error, mean 0.3 s" */
static void fill_mcp(
	const struct top_model *m, struct top_session *s, const struct sooth_record *row)
{
	char name[64];
	double calls, errors, mean_s;

	s->mcp[0] = '\0';
	if (top_word(m->schema, "mcp_server", row, name, sizeof(name)) &&
		top_number(m->schema, "mcp_calls", row, &calls) &&
		top_number(m->schema, "mcp_errors", row, &errors) &&
		top_number(m->schema, "mcp_mean_s", row, &mean_s))
		snprintf(s->mcp, sizeof(s->mcp), "MCP %s: %.0f answer%s, %.0f error%s, mean %.1f s",
			name, calls, calls == 1 ? "" : "s", errors, errors == 1 ? "" : "s", mean_s);
}

static void begin_session(struct top_model *m, const struct top_process *p)
{
	struct top_session *s = session_for(m, &p->id);
	uint8_t doing = activity_of(m, p->row);
	double urgency = URGENCY_OTHER;

	if (!s)
		return;
	if (s->doing != doing && s->doing < TOP_DOINGS)
		s->changed_frame = m->frames;
	s->doing = doing;
	top_number(m->schema, "urgency", p->row, &urgency);
	s->urgency = (enum urgency)urgency;
	s->frame = m->frames;
	s->seen_s = m->last_s;
	s->cpu_percent = s->rss_bytes = 0;
	s->processes = s->tools = s->servers = 0;
	s->has_cpu = false;
	fill_texts(m, s, p->row);
	s->has_since = top_number(m->schema, "activity_since_s", p->row, &s->since_s);
	s->has_context = top_number(m->schema, "context_tokens", p->row, &s->context_tokens);
	s->has_window = top_number(m->schema, "context_percent", p->row, &s->context_percent);
	s->tokens_a_minute = 0;
	top_number(m->schema, "tokens_a_minute", p->row, &s->tokens_a_minute);
	if (!top_number(m->schema, "quota_percent", p->row, &s->quota_percent))
		s->quota_percent = -1;
	fill_mcp(m, s, p->row);
	s->has_tokens = top_number(m->schema, "input_tokens", p->row, &s->input_tokens) &&
			top_number(m->schema, "output_tokens", p->row, &s->output_tokens);
	s->has_traffic = false;
	s->received_rate = s->sent_rate = 0;
	keep_phase(m, s);
	m->by_doing[doing]++;
	m->session_count++;
}

/* Adds up processes by the PID of their main process: in a frame a PID belongs to one process. */
static void add_up(struct top_model *m)
{
	struct map mains;

	map_init(&mains, sizeof(uint32_t), sizeof(struct top_session *), TOP_SESSIONS_MAX);
	buffer_each (struct top_process, p, &m->processes) {
		struct top_session **to;

		if (!p->is_main)
			continue;
		begin_session(m, p);
		to = map_put(&mains, &p->id.pid, NULL);
		if (to)
			*to = top_session_of(m, &p->id);
	}
	buffer_each (struct top_process, p, &m->processes) {
		struct top_session **s = p->has_session ? map_get(&mains, &p->session_pid) : NULL;

		p->session = s ? *s : NULL;
		if (!p->session)
			continue;
		p->session->processes++;
		p->session->tools += !strcmp(top_role_name(p->role), TOOL);
		p->session->servers += !strcmp(top_role_name(p->role), SERVER);
		p->session->rss_bytes += p->rss_bytes;
		p->session->cpu_percent += p->cpu_percent;
		p->session->has_cpu |= p->has_cpu;
		p->session->has_traffic |= p->has_traffic;
		p->session->received_rate += rate_of(m, p->received);
		p->session->sent_rate += rate_of(m, p->sent);
	}
	map_fini(&mains);
}

static void mark_session(const struct top_model *m, struct top_session *s)
{
	if (s->frame != m->frames)
		s->mark = TOP_MARK_GONE;
	else if (s->is_new && m->frames - s->since_frame < TOP_FRESH_FRAMES)
		s->mark = TOP_MARK_NEW;
	else if (s->changed_frame && m->frames - s->changed_frame < TOP_FRESH_FRAMES)
		s->mark = TOP_MARK_CHANGED;
	else
		s->mark = TOP_MARK_NONE;
}

#define GROWTH_S       60		 /* time over which growth is measured */
#define GROWTH_LEAST_S 12		 /* shorter times say nothing */
#define GROWTH_FRAMES  6		 /* fewer frames say nothing */
#define GROWTH_LEAST   (2.0 * (1 << 20)) /* bytes a minute */

/* Returns bytes a minute, if each quarter of the time has its share of the growth: a process that
 * came, or a peak, is no growth. Memory that grew already must only do so in both halves, so that
 * the column does not come and go. */
static double steady_growth(const struct top_model *m, const struct top_session *s)
{
	const struct recent *rss = &s->rss;
	double total, span_s, rate;
	unsigned n = 0, parts = s->growth > 0 ? 2 : 4;

	while (n + 1 < rss->count &&
		recent_last(&m->times) - recent_at(&m->times, n + 1) <= GROWTH_S)
		n++;
	span_s = recent_last(&m->times) - recent_at(&m->times, n);
	total = recent_last(rss) - recent_at(rss, n);
	if (n < GROWTH_FRAMES || !(span_s >= GROWTH_LEAST_S))
		return 0;
	for (unsigned i = 0; i < parts; i++) {
		double part = recent_at(rss, n * i / parts) - recent_at(rss, n * (i + 1) / parts);

		if (!(part >= total / 8))
			return 0;
	}
	rate = total / span_s * 60;
	return rate >= GROWTH_LEAST && total >= recent_last(rss) / 100 ? rate : 0;
}

static bool is_left_by(
	const struct top_model *m, const struct top_process *p, const struct top_session *s)
{
	char id[sizeof(s->session)];

	return !p->session && s->session[0] &&
	       top_word(m->schema, "session_id", p->row, id, sizeof(id)) && !strcmp(id, s->session);
}

const struct top_session *top_session_that_left(
	const struct top_model *m, const struct top_process *p)
{
	size_t position = 0;

	for (const struct top_session *s; (s = top_session_next(m, &position));) {
		if (s->mark == TOP_MARK_GONE && is_left_by(m, p, s))
			return s;
	}
	return NULL;
}

static bool has_left_some(const struct top_model *m, const struct top_session *s)
{
	for (size_t i = 0; i < top_process_count(m); i++) {
		if (is_left_by(m, top_process_at(m, i), s))
			return true;
	}
	return false;
}

static void end_sessions(struct top_model *m)
{
	struct top_session *s;
	size_t position = 0;

	while ((s = top_session_next(m, &position))) {
		mark_session(m, s);
		if (s->mark == TOP_MARK_GONE) {
			s->cpu_percent = s->received_rate = s->sent_rate = 0;
			if (top_session_is_past(m, s) && !has_left_some(m, s)) {
				map_remove(&m->sessions, &s->id);
				free(s);
			}
			continue;
		}
		recent_add(&s->cpu, s->has_cpu ? s->cpu_percent : (double)NAN);
		recent_add(&s->rss, s->rss_bytes);
		s->growth = steady_growth(m, s);
		recent_add(&s->received, s->has_traffic ? s->received_rate : (double)NAN);
		recent_add(&s->sent, s->has_traffic ? s->sent_rate : (double)NAN);
		recent_add(&s->doings, s->doing);
	}
}

/* --- the whole --- */

/* Returns the time of the rows of a frame: in a capture that is not the current time. */
static double time_of(const struct top_frame *frame)
{
	const struct top_table *t = top_table_of(frame, "processes");
	struct batch batch = { 0 };
	uint64_t time_ns = 0;

	if (t)
		batch = (struct batch){ t->records.data, t->records.size };
	batch_for_each (r, &batch)
		time_ns = r->time_ns > time_ns ? r->time_ns : time_ns;
	return (double)time_ns / (double)NS_PER_S;
}

void top_model_add_frame(struct top_model *m, const struct top_frame *frame)
{
	const struct top_table *t;
	struct batch batch;
	double now = time_of(frame);

	m->interval_s = m->frames && now > m->last_s ? now - m->last_s : 0;
	m->last_s = now > m->last_s ? now : m->last_s;
	m->first_s = m->frames ? m->first_s : m->last_s;
	recent_add(&m->times, m->last_s - m->first_s);
	m->frames++;
	top_frame_copy(&m->frame, frame);
	buffer_reset(&m->processes);
	memset(m->by_doing, 0, sizeof(m->by_doing));
	m->session_count = 0;
	top_host_read_rows(m);
	t = top_table_of(&m->frame, "processes");
	if (!t)
		return;
	m->schema = t->schema;
	m->if_empty = t->if_empty;
	batch = (struct batch){ t->records.data, t->records.size };
	batch_for_each (r, &batch)
		add_process(m, r);
	add_up(m);
	end_sessions(m);
	forget_processes(m);
}

const struct top_process *top_process_find(const struct top_model *m, const struct process_id *id)
{
	buffer_each (const struct top_process, p, &m->processes) {
		if (process_id_equal(&p->id, id))
			return p;
	}
	return NULL;
}
