/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/fleet/fleet_sums.h"

#include <stdio.h>
#include <string.h>

#include "analyze/api/api_rows.h"
#include "analyze/diagnosis/finding_rows.h"
#include "analyze/records.h"
#include "base/hash.h"
#include "base/units.h"
#include "base/utf8.h"
#include "bpf/log2.h"
#include "probes/fds.h"

#define FOLDED_MAX   65536
#define MEMBERS_MAX  65536
#define ROLES_MAX    512
#define FINDINGS_MAX 16384
#define RAISED_MAX   1024
#define WAITS_MAX    512
/* A session's row stays so long after its end: readers come some times a minute. */
#define KEPT_NS	 (300 * NS_PER_S)
#define YOUNG_NS (2 * NS_PER_S)	 /* the resolution of a start time, and a sample's length */
#define ROUND_NS (60 * NS_PER_S) /* a new diagnosis has raised by then what it finds */

void fleet_init(struct fleet *f, const struct fleet_options *options)
{
	*f = (struct fleet){ 0 };
	if (options)
		f->options = *options;
	if (!f->options.sessions_most)
		f->options.sessions_most = FLEET_SESSIONS;
	map_init(&f->sessions, sizeof(struct process_id), sizeof(struct fleet_session),
		f->options.sessions_most);
	map_init(&f->folded, sizeof(struct process_id), sizeof(uint64_t), FOLDED_MAX);
	map_init(&f->roles, sizeof(struct fleet_role_key), sizeof(struct fleet_role), ROLES_MAX);
	map_init(&f->members, sizeof(struct process_id), sizeof(struct fleet_member), MEMBERS_MAX);
	map_init(&f->findings, sizeof(uint64_t), sizeof(struct fleet_raised), FINDINGS_MAX);
	map_init(&f->raised, sizeof(struct fleet_raised_key), sizeof(uint64_t), RAISED_MAX);
	map_init(&f->waits, sizeof(struct fleet_wait_key), sizeof(struct fleet_waits), WAITS_MAX);
	map_init(&f->watches, sizeof(struct process_id), sizeof(uint32_t), MEMBERS_MAX);
}

void fleet_fini(struct fleet *f)
{
	map_fini(&f->sessions);
	map_fini(&f->folded);
	map_fini(&f->roles);
	map_fini(&f->members);
	map_fini(&f->findings);
	map_fini(&f->raised);
	map_fini(&f->waits);
	map_fini(&f->watches);
}

static void copy_text(char out[FLEET_TEXT], struct span text)
{
	memset(out, 0, FLEET_TEXT);
	memcpy(out, text.data, utf8_cut(text.data, text.size, FLEET_TEXT - 1));
}

/* Writes a private name, or its hash. */
static void copy_private(
	const struct fleet *f, char out[FLEET_TEXT], const char *kind, struct span text)
{
	struct buffer hash = { 0 };

	if (f->options.names) {
		name_hash(f->options.names, kind, text, &hash);
		text = span_of_string(buffer_cstr(&hash));
	}
	copy_text(out, text);
	buffer_fini(&hash);
}

static bool is_selected(const struct fleet *f, const struct process_id *id)
{
	return !f->options.is_selected || f->options.is_selected(f->options.target, id);
}

/* Returns whether a user has less than a quarter of a table: the rest is for other users. */
static bool has_share(const struct map *m, uint32_t user)
{
	size_t count = 0;

	map_for_each_value (m, const uint32_t *, owner)
		count += *owner == user;
	return count < m->limit / 4;
}

/* --- sessions --- */

/* Makes room: removes the session that ended first. */
static bool drop_ended(struct fleet *f)
{
	const struct fleet_session *oldest = NULL;
	struct process_id id;

	map_for_each_value (&f->sessions, const struct fleet_session *, s) {
		if (!s->is_running && (!oldest || s->last_ns < oldest->last_ns))
			oldest = s;
	}
	if (!oldest)
		return false;
	id = oldest->main;
	return map_remove(&f->sessions, &id);
}

/* Removes an ended session whose PID a new one has: the PID is part of a row's identity. */
static void drop_same_pid(struct fleet *f, const struct process_id *main)
{
	map_for_each (&f->sessions, const struct process_id *, id, void *, value) {
		(void)value;
		if (id->pid == main->pid)
			map_remove(&f->sessions, id);
	}
}

/* Makes room for a user: the newest session of the user with the most rows loses its row, if that
 * user then has as many as the other one at least. Its later values are summed in "other". */
static bool take_from_most(struct fleet *f, uint32_t user)
{
	const struct fleet_session *last = NULL;
	uint32_t *count, most = 1;
	struct process_id id;
	struct map counts;

	map_init(&counts, sizeof(uint32_t), sizeof(uint32_t), f->options.sessions_most + 1);
	map_for_each_value (&f->sessions, const struct fleet_session *, s) {
		count = map_put(&counts, &s->user, NULL);
		if (count)
			++*count;
	}
	count = map_get(&counts, &user);
	most = count ? *count + 1 : 1;
	map_for_each_value (&f->sessions, const struct fleet_session *, s) {
		count = map_get(&counts, &s->user);
		if (count && (*count > most || (last && last->user == s->user))) {
			last = s;
			most = *count;
		}
	}
	map_fini(&counts);
	if (!last)
		return false;
	id = last->main;
	map_put(&f->folded, &id, NULL);
	return map_remove(&f->sessions, &id);
}

/* Returns the session with that main process, or those that share a row; never NULL. */
static struct fleet_session *session_of(
	struct fleet *f, const struct process_id *main, uint32_t user)
{
	struct fleet_session *s = map_get(&f->sessions, main);
	uint64_t *folded = s ? NULL : map_get(&f->folded, main);
	bool is_new;

	if (s)
		return s;
	if (!folded) {
		drop_same_pid(f, main);
		if (f->sessions.count < f->options.sessions_most || drop_ended(f) ||
			take_from_most(f, user))
			s = map_put(&f->sessions, main, &is_new);
	}
	if (s) {
		s->main = *main;
		s->user = user;
		s->context_state = SOOTH_STATE_ABSENT;
		s->last_ns = f->last_ns;
		return s;
	}
	folded = map_put(&f->folded, main, NULL);
	if (folded)
		*folded = f->last_ns;
	return &f->others;
}

static bool is_shared(const struct fleet *f, const struct fleet_session *s)
{
	return s == &f->others;
}

/* Forgets sessions that ended a while ago. */
static void drop_old(struct fleet *f)
{
	map_for_each (&f->sessions, const void *, id, const struct fleet_session *, s) {
		if (!s->is_running && f->last_ns > s->last_ns + KEPT_NS)
			map_remove(&f->sessions, id);
	}
	map_for_each (&f->folded, const void *, id, const uint64_t *, last_ns) {
		if (f->last_ns > *last_ns + KEPT_NS)
			map_remove(&f->folded, id);
	}
}

void fleet_begin_round(struct fleet *f)
{
	f->round++;
	f->round_ns = 0;
}

static void drop_findings_of_before(struct fleet *f)
{
	if (!f->round_ns)
		f->round_ns = f->last_ns;
	map_for_each (map_while(f->last_ns > f->round_ns + ROUND_NS, &f->findings), const void *,
		key, const struct fleet_raised *, found) {
		if (found->round != f->round)
			map_remove(&f->findings, key);
	}
}

/* --- spans --- */

static unsigned state_of(const struct phase_span *p)
{
	struct span text = record_text(&p->record, &p->state);

	for (unsigned i = 0; i < ACTIVITY_STATES; i++) {
		const char *name = activity_state_names.names[i];

		if (name && span_equal(text, name))
			return i;
	}
	return ACTIVITY_UNKNOWN;
}

static void learn_names(struct fleet *f, struct fleet_session *s, const struct phase_span *p)
{
	struct span id = record_text(&p->record, &p->session);
	struct span project = record_text(&p->record, &p->project);
	struct span model = record_text(&p->record, &p->model);

	copy_text(s->agent, record_text(&p->record, &p->agent));
	if (id.size)
		copy_text(s->id, id);
	if (project.size)
		copy_private(f, s->project, "project", project);
	if (model.size)
		copy_text(s->model, model);
}

static bool has_io(const struct phase_span *p)
{
	return record_holds(&p->record, PHASE_SPAN_IO) && p->io_state == SOOTH_STATE_VALUE;
}

static void add_use(struct fleet_session *s, struct fleet_use *u, const struct phase_span *p)
{
	u->cpu_ns += p->cpu_ns;
	u->state_ns[state_of(p)] += p->record.time_ns - p->begin_ns;
	if (p->written_state == SOOTH_STATE_VALUE)
		u->written_bytes += p->written_bytes;
	s->has_written |= p->written_state == SOOTH_STATE_VALUE;
	if (has_io(p))
		u->read_bytes += p->read_bytes;
	s->has_io |= has_io(p);
	if (p->tokens_state != SOOTH_STATE_VALUE)
		return;
	s->has_tokens = true;
	u->turns += p->turns;
	u->input_tokens += p->input_tokens;
	u->output_tokens += p->output_tokens;
}

/* Adds a wait or a call, whose key has zeros behind its texts. One beyond the share of its user has
 * no model, server or provider. */
static void add_wait(struct fleet *f, struct fleet_wait_key *key, uint32_t user, uint64_t length_ns)
{
	struct fleet_waits *w;
	bool is_new;

	if (!map_get(&f->waits, key) && !has_share(&f->waits, user)) {
		memset(key->provider, 0, sizeof(key->provider));
		strncpy(key->is_call ? key->host : key->model, FLEET_OTHER, FLEET_TEXT);
	}
	w = map_put(&f->waits, key, &is_new);
	if (!w)
		return;
	if (is_new)
		w->user = user;
	w->slots[log2_bucket(length_ns, FLEET_SLOTS - 1)]++;
	w->total_ns += length_ns;
}

/* Counts a wait for the model that is over. */
static void count_wait(struct fleet *f, struct fleet_session *s)
{
	struct fleet_wait_key key = { 0 };

	if (!s->has_wait)
		return;
	s->has_wait = false;
	memcpy(key.agent, s->agent, sizeof(key.agent));
	memcpy(key.model, s->model, sizeof(key.model));
	add_wait(f, &key, s->user, s->wait_ns);
}

/* Returns whether the row is the end of one call. HTTP/2 may mix several, and a call that the end
 * of an observation cut off has no length. */
static bool is_call(const struct sooth_schema *schema, const struct api_row *c)
{
	return schema == &api_schema && c->event == API_EVENT_END && c->is_exact &&
	       c->outcome != API_WAITING && c->outcome != API_OPEN && c->outcome != API_UNCERTAIN &&
	       c->record.time_ns >= c->begin_ns;
}

void fleet_add_call(
	struct fleet *f, const struct sooth_schema *schema, const struct sooth_record *row)
{
	const struct api_row *c = (const void *)row;
	const struct process_id id = process_id_of(row);
	/* A session is kept for a while after its end: its last call may come behind that. */
	const struct fleet_session *s = map_get(&f->sessions, &id);
	const struct fleet_member *m = s ? NULL : map_get(&f->members, &id);
	struct fleet_wait_key key = { .is_call = true };

	/* Tools call anything. */
	if (!(s || (m && process_id_equal(&m->main, &id))) || !is_call(schema, c))
		return;
	memcpy(key.agent, s ? s->agent : m->role.agent, sizeof(key.agent));
	copy_private(f, key.host, "server", record_text(row, &c->endpoint));
	copy_text(key.provider, record_text(row, &c->label));
	key.outcome = c->outcome;
	/* The end of an answer may be recognized much later than it came. */
	add_wait(f, &key, s ? s->user : m->user,
		c->received_state == SOOTH_STATE_VALUE ? c->total_ns : row->time_ns - c->begin_ns);
}

/* Follows waits for the model. A failed request and its repetition are one wait. Sessions that
 * share a row have none: their waits overlap. */
static void follow_wait(
	struct fleet *f, struct fleet_session *s, const struct phase_span *p, bool has_ended)
{
	unsigned state = state_of(p);
	bool waits = state == ACTIVITY_WAITS_FOR_MODEL || state == ACTIVITY_ASKS_AGAIN;

	if (is_shared(f, s))
		return;
	if (!waits || (has_ended && p->flags & PHASE_BEGINS && state == ACTIVITY_WAITS_FOR_MODEL))
		count_wait(f, s);
	if (!has_ended)
		return; /* its time is added at its end */
	if (waits && !s->has_wait && p->flags & PHASE_BEGINS) {
		s->has_wait = true;
		s->wait_ns = 0;
	}
	if (s->has_wait)
		s->wait_ns += p->record.time_ns - p->begin_ns;
}

static const struct phase_span *span_of_record(const struct sooth_record *r)
{
	const struct phase_span *p = record_as(r, PHASE_SPAN, PHASE_SPAN_LEAST);

	return p && p->begin_ns <= r->time_ns ? p : NULL;
}

static void add_span(struct fleet *f, const struct phase_span *p, bool has_ended)
{
	struct process_id main = process_id_of(&p->record);
	struct fleet_session *s;

	if (!is_selected(f, &main))
		return;
	s = session_of(f, &main, FLEET_NO_USER); /* a sample has met those of live processes */
	add_use(s, has_ended ? &s->ended : &s->current, p);
	if (is_shared(f, s))
		return;
	learn_names(f, s, p);
	s->state = (uint8_t)state_of(p);
	s->has_state = true;
	if (p->context_state == SOOTH_STATE_VALUE)
		s->context_tokens = p->context_tokens;
	if (p->context_state == SOOTH_STATE_VALUE || s->context_state != SOOTH_STATE_VALUE)
		s->context_state = p->context_state;
	follow_wait(f, s, p, has_ended);
	s->last_ns = p->record.time_ns;
	s->is_running = !(p->flags & PHASE_IS_LAST);
	if (!s->is_running)
		count_wait(f, s);
}

void fleet_add_spans(struct fleet *f, const struct batch *spans)
{
	batch_for_each (r, spans) {
		const struct phase_span *p = span_of_record(r);

		if (!p)
			continue;
		if (p->end_utc_ns > f->last_utc_ns)
			f->last_utc_ns = p->end_utc_ns;
		add_span(f, p, true);
	}
}

void fleet_set_current(struct fleet *f, const struct batch *spans)
{
	map_for_each_value (&f->sessions, struct fleet_session *, s)
		s->current = (struct fleet_use){ 0 };
	f->others.current = (struct fleet_use){ 0 };
	batch_for_each (r, spans) {
		const struct phase_span *p = span_of_record(r);

		if (p)
			add_span(f, p, false);
	}
}

/* --- processes --- */

static void add_state(uint8_t *to, uint8_t state)
{
	if (state != SOOTH_STATE_VALUE)
		*to = state;
}

static void add_memory(struct fleet_now *now, const struct proc_ties *ties)
{
	if (!ties) {
		now->memory_state = SOOTH_NOT_MEASURED(SOOTH_REASON_NOT_REQUESTED);
		return;
	}
	if (ties->memory_state != SOOTH_STATE_VALUE && ties->memory_state != SOOTH_STATE_ABSENT)
		now->memory_state = ties->memory_state;
	now->anonymous_bytes += ties->rss_anonymous_bytes;
	now->file_bytes += ties->rss_file_bytes;
	now->shared_bytes += ties->rss_shared_bytes;
	now->swap_bytes += ties->swap_bytes;
}

static void add_process(struct fleet *f, struct fleet_now *now, const struct process_entry *p)
{
	const uint32_t *watches = map_get(&f->watches, &p->id);
	const struct proc_process *process = p->process;

	if (!now->processes++)
		now->memory_state = now->descriptors_state = now->watches_state = SOOTH_STATE_VALUE;
	now->threads += process->threads;
	now->rss_bytes += process->rss_bytes;
	add_memory(now, p->links);
	if (process->descriptors_state <= SOOTH_STATE_TRUNCATED)
		now->descriptors += process->descriptors;
	else
		add_state(&now->descriptors_state, process->descriptors_state);
	if (watches)
		now->watches += *watches;
	else
		add_state(&now->watches_state, SOOTH_NOT_MEASURED(SOOTH_REASON_NOT_REQUESTED));
}

/* Before the first span of a session. */
static void learn_first_names(struct fleet *f, struct fleet_session *s,
	const struct host_state *host, const struct process_entry *main)
{
	const struct process_table *t = &host->process_table;

	if (main->agent)
		copy_text(s->agent, span_of_string(main->agent->name));
	copy_text(s->id, process_table_text(t, &main->session_id));
	copy_private(f, s->project, "project", process_table_text(t, &main->project));
}

static struct fleet_role_key role_key(const struct process_entry *p)
{
	const struct agent *agent = p->agent ? p->agent : p->owner_agent;
	struct fleet_role_key key = { .role = p->has_role ? p->role : FLEET_ROLE_UNKNOWN };

	if (agent)
		copy_text(key.agent, span_of_string(agent->name));
	return key;
}

/* Returns the CPU time of a process from before the sums began. */
static uint64_t cpu_before(
	const struct fleet *f, const struct host_state *host, const struct process_entry *p)
{
	uint64_t now = host->process_table.last_ns;
	uint64_t age = host_state_elapsed(host, p) * NS_PER_S;
	bool is_young = f->samples && age <= now - f->last_ns + YOUNG_NS;

	return is_young ? 0 : p->process->cpu_ns;
}

static void add_cpu(struct fleet *f, const struct fleet_role_key *key, uint64_t cpu_ns)
{
	struct fleet_role *role = map_put(&f->roles, key, NULL);

	if (role)
		role->cpu_ns += cpu_ns;
}

static const struct process_entry *main_of(const struct process_entry *p)
{
	return p->link == PROCESS_LINK_SELF ? p : p->main;
}

static bool is_member(const struct fleet *f, const struct process_entry *p)
{
	const struct process_entry *main = main_of(p);

	return p->link != PROCESS_LINK_NONE && is_selected(f, main ? &main->id : &p->id);
}

static void add_member(struct fleet *f, const struct host_state *host, struct process_entry *p)
{
	const struct process_entry *main = main_of(p);
	bool is_new;
	struct fleet_member *m = map_put(&f->members, &p->id, &is_new);
	uint64_t before = !m || is_new ? cpu_before(f, host, p) : m->cpu_ns;
	struct fleet_role_key key = role_key(p);
	struct fleet_role *role = map_put(&f->roles, &key, NULL);

	if (m)
		*m = (struct fleet_member){ .cpu_ns = p->process->cpu_ns,
			.sample = f->samples + 1,
			.user = p->process->uid,
			.main = main ? main->id : (struct process_id){ 0 },
			.role = key };
	if (role)
		add_process(f, &role->now, p);
	if (m && p->process->cpu_ns > before)
		add_cpu(f, &key, p->process->cpu_ns - before);
	if (main && activity_main(host, &main->id)) {
		struct fleet_session *s = session_of(f, &main->id, main->process->uid);

		add_process(f, &s->now, p);
		s->is_running = true;
		if (p == main && !s->has_state && !is_shared(f, s))
			learn_first_names(f, s, host, main);
		s->last_ns = host->process_table.last_ns;
	}
}

/* Adds what ended processes used since the last sample. */
static void add_ended(struct fleet *f, const struct host_state *host)
{
	map_for_each (&f->members, const void *, id, const struct fleet_member *, m) {
		const struct short_lived_process *end;

		if (m->sample == f->samples + 1)
			continue;
		end = map_get(&host->short_lived.processes, id);
		if (end && end->cpu_ns > m->cpu_ns)
			add_cpu(f, &m->role, end->cpu_ns - m->cpu_ns);
		map_remove(&f->watches, id);
		map_remove(&f->members, id);
	}
	map_for_each (&host->short_lived.sessions, const struct process_id *, id,
		const struct short_lived_group *, group) {
		const struct process_entry *main = activity_main(host, id);
		struct fleet_role_key key;

		if (!main || !is_selected(f, id))
			continue;
		key = role_key(main);
		key.role = FLEET_ROLE_SHORT_LIVED;
		add_cpu(f, &key, f->samples ? group->cpu_ns : 0);
	}
}

static bool has_row(
	const struct fleet *f, const struct host_state *host, const struct process_entry *p)
{
	return p->link == PROCESS_LINK_SELF && is_member(f, p) && activity_main(host, &p->id);
}

/* Gives rows to new sessions before anything is added to a row. Those that go on keep theirs: which
 * these are has to be known first. */
static void keep_rows(struct fleet *f, const struct host_state *host)
{
	struct fleet_session *s;

	process_table_for_each (&host->process_table, p) {
		s = has_row(f, host, p) ? map_get(&f->sessions, &p->id) : NULL;
		if (s)
			s->is_running = true;
	}
	process_table_for_each (&host->process_table, p) {
		s = has_row(f, host, p) ? session_of(f, &p->id, p->process->uid) : NULL;
		if (s)
			s->is_running = true;
	}
}

void fleet_add_sample(struct fleet *f, const struct host_state *host)
{
	map_for_each_value (&f->roles, struct fleet_role *, role)
		role->now = (struct fleet_now){ 0 };
	map_for_each_value (&f->sessions, struct fleet_session *, s) {
		s->now = (struct fleet_now){ 0 };
		s->is_running = false;
	}
	f->others.now = (struct fleet_now){ 0 };
	keep_rows(f, host);
	process_table_for_each (&host->process_table, p) {
		if (is_member(f, p))
			add_member(f, host, p);
	}
	add_ended(f, host);
	f->samples++;
	f->last_ns = host->process_table.last_ns;
	f->last_utc_ns = host_state_utc(host);
	map_for_each (&f->folded, const struct process_id *, id, uint64_t *, last_ns) {
		if (activity_main(host, id))
			*last_ns = f->last_ns;
	}
	if (host->segment && !f->host[0]) {
		copy_private(f, f->host, "host", host_state_text(host, &host->segment->hostname));
		copy_text(f->version, host_state_text(host, &host->segment->sooth_version));
	}
	drop_old(f);
	drop_findings_of_before(f);
}

/* --- findings, and other records --- */

static void raise_finding(struct fleet *f, uint64_t key, const struct fleet_raised *found)
{
	struct fleet_raised_key times_key = { 0 };
	bool is_new;
	struct fleet_raised *raised;
	uint64_t *times;

	if (!map_get(&f->findings, &key) && !has_share(&f->findings, found->user)) {
		f->findings.refused++;
		return;
	}
	raised = map_put(&f->findings, &key, &is_new);

	if (raised)
		*raised = *found;
	if (raised && !is_new)
		return; /* it got worse */
	memcpy(times_key.agent, found->agent, sizeof(times_key.agent));
	memcpy(times_key.id, found->id, sizeof(times_key.id));
	times = map_put(&f->raised, &times_key, NULL);
	if (times)
		++*times;
}

void fleet_add_finding(
	struct fleet *f, const struct sooth_schema *schema, const struct sooth_record *row)
{
	const struct finding_change_row *c = (const void *)row;
	const struct fleet_member *m;
	struct fleet_raised found = { 0 };
	struct process_id id;
	struct span text, key;
	uint64_t hash;

	if (schema != &finding_change_schema)
		return;
	key = record_text(row, &c->key);
	hash = hash_bytes(HASH_BEGIN, key.data, key.size);
	if (c->state == FINDING_CLEARED) {
		map_remove(&f->findings, &hash);
		return;
	}
	id = process_id_of(row);
	m = map_get(&f->members, &id);
	if (!is_selected(f, m && m->main.pid ? &m->main : &id))
		return;
	text = record_text(row, &c->id);
	memcpy(found.id, text.data, text.size < FLEET_FINDING ? text.size : FLEET_FINDING - 1);
	copy_text(found.agent, record_text(row, &c->agent));
	found.severity = c->severity;
	found.round = f->round;
	found.user = m ? m->user : FLEET_NO_USER;
	if (m)
		found.main = m->main;
	raise_finding(f, hash, &found);
}

void fleet_append_mains(const struct fleet *f, struct buffer *out)
{
	map_for_each (&f->members, const struct process_id *, id, const struct fleet_member *, m) {
		if (process_id_equal(id, &m->main))
			buffer_append(out, &id->pid, sizeof(id->pid));
	}
}

void fleet_append_pids(const struct fleet *f, size_t most, struct buffer *out)
{
	map_for_each_key (&f->members, const struct process_id *, id) {
		if (!most--)
			break;
		buffer_append(out, &id->pid, sizeof(id->pid));
	}
}

void fleet_add_record(struct fleet *f, const struct sooth_record *r)
{
	const struct stream_self *self = record_as(r, STREAM_SELF, sizeof(*self));
	const struct stream_loss *loss = record_as(r, STREAM_LOSS, sizeof(*loss));
	const struct fds_process *fds = record_as(r, FDS_PROCESS, sizeof(*fds));
	struct process_id id = process_id_of(r);
	uint32_t *watches;

	if (self && !f->options.kept) {
		f->self.cpu_ns = self->cpu_ns;
		f->self.rss_bytes = self->rss_bytes;
		f->has_self = true;
	}
	if (loss)
		f->lost_records += loss->records;
	watches = fds && fds->descriptors_state == SOOTH_STATE_VALUE
			  ? map_put(&f->watches, &id, NULL)
			  : NULL;
	if (watches)
		*watches = fds->watches;
}
