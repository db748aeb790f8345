/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "analyze/fleet/fleet_metrics.h"
#include "analyze/fleet/fleet_rows.h"
#include "base/cleanup.h"
#include "model/schema.h"

/* Rows of findings; the rest is summed as those of sessions without rows. */
#define FINDING_ROWS_MAX 1000

/* Fills in the members of FLEET_NOW. */
#define FILL_NOW(row, of)                                                                          \
	do {                                                                                       \
		(row)->now_state = state_if((of)->processes);                                      \
		(row)->processes = (of)->processes;                                                \
		(row)->threads = (of)->threads;                                                    \
		(row)->rss_bytes = (of)->rss_bytes;                                                \
		(row)->anonymous_bytes = (of)->anonymous_bytes;                                    \
		(row)->file_bytes = (of)->file_bytes;                                              \
		(row)->shared_bytes = (of)->shared_bytes;                                          \
		(row)->swap_bytes = (of)->swap_bytes;                                              \
		(row)->memory_state = state_of_now(of, (of)->memory_state);                        \
		(row)->descriptors = (of)->descriptors;                                            \
		(row)->descriptors_state = state_of_now(of, (of)->descriptors_state);              \
		(row)->watches = (of)->watches;                                                    \
		(row)->watches_state = state_of_now(of, (of)->watches_state);                      \
	} while (0)

static uint8_t state_of_now(const struct fleet_now *now, uint8_t state)
{
	return now->processes ? state : SOOTH_STATE_ABSENT;
}

static uint8_t state_of_text(const char *text)
{
	return state_if(*text);
}

/* --- agents --- */

static const char *role_name(uint32_t role)
{
	if (role == FLEET_ROLE_SHORT_LIVED)
		return "short_lived";
	return role < AGENT_ROLES ? agent_role_name((enum agent_role)role) : "unknown";
}

static int emit_agents(const struct fleet *f, struct output *o, struct sooth_error *err)
{
	int status = output_section(o, &fleet_agents, err);

	map_for_each (map_while(!status, &f->roles), const struct fleet_role_key *, key,
		const struct fleet_role *, role) {
		struct fleet_agent_row row = { .cpu_ns = role->cpu_ns };
		struct record_tail tail[] = { tail_string(&row.agent, key->agent),
			tail_string(&row.role, role_name(key->role)) };

		FILL_NOW(&row, &role->now);
		status = status ?: OUTPUT_ROW(o, &row, tail, ARRAY_SIZE(tail), err);
	}
	return status;
}

/* --- sessions --- */

/* Fills in the members of FLEET_NAMES. */
#define FILL_NAMES(row, s)                                                                         \
	do {                                                                                       \
		(row)->record = row_head(&(s)->main);                                              \
		(row)->pid_state = state_if((s)->main.pid);                                        \
		(row)->project_state = state_of_text((s)->project);                                \
		(row)->session_state = state_of_text((s)->id);                                     \
	} while (0)
#define NAME_TAILS(row, s)                                                                         \
	tail_string(&(row).agent, (s)->main.pid ? (s)->agent : FLEET_OTHER),                       \
		tail_string(&(row).project, (s)->project), tail_string(&(row).session_id, (s)->id)

static int emit_session(const struct fleet_session *s, struct output *o, struct sooth_error *err)
{
	const struct fleet_use *a = &s->ended, *b = &s->current;
	struct fleet_session_row row = { .cpu_ns = a->cpu_ns + b->cpu_ns,
		.read_bytes = a->read_bytes + b->read_bytes,
		.io_state = state_if(s->has_io),
		.written_bytes = a->written_bytes + b->written_bytes,
		.written_state = state_if(s->has_written),
		.turns = a->turns + b->turns,
		.input_tokens = a->input_tokens + b->input_tokens,
		.output_tokens = a->output_tokens + b->output_tokens,
		.tokens_state =
			s->has_tokens ? SOOTH_STATE_VALUE : SOOTH_NOT_MEASURED(SOOTH_REASON_AGENT),
		.context_tokens = s->context_tokens,
		.context_state = s->main.pid ? s->context_state : SOOTH_STATE_ABSENT,
		.model_state = state_of_text(s->model) };
	struct record_tail tail[] = { NAME_TAILS(row, s), tail_string(&row.model, s->model) };

	FILL_NAMES(&row, s);
	FILL_NOW(&row, &s->now);
	return OUTPUT_ROW(o, &row, tail, ARRAY_SIZE(tail), err);
}

static int emit_states(const struct fleet_session *s, struct output *o, struct sooth_error *err)
{
	int status = 0;

	for (unsigned i = 0; i < ACTIVITY_STATES && !status; i++) {
		bool is_now = s->now.processes && s->has_state && s->state == i;
		const char *name = activity_state_names.names[i];
		struct fleet_activity_row row = { .total_ns = s->ended.state_ns[i] +
							      s->current.state_ns[i],
			.is_now = is_now,
			.now_state = state_if(s->now.processes && s->main.pid) };
		struct record_tail tail[] = { NAME_TAILS(row, s),
			tail_string(&row.state, name ? name : "unknown") };

		if (!row.total_ns && !is_now)
			continue;
		FILL_NAMES(&row, s);
		status = OUTPUT_ROW(o, &row, tail, ARRAY_SIZE(tail), err);
	}
	return status;
}

/* Emits rows of each session, and of those that share a row. */
static int emit_each(const struct fleet *f, const struct section *section,
	int (*emit)(const struct fleet_session *s, struct output *o, struct sooth_error *err),
	struct output *o, struct sooth_error *err)
{
	int status = output_section(o, section, err);

	map_for_each_value (map_while(!status, &f->sessions), const struct fleet_session *, s)
		status = status ?: emit(s, o, err);
	if (!status && (f->folded.count || f->others.ended.cpu_ns || f->others.current.cpu_ns))
		status = emit(&f->others, o, err);
	return status;
}

/* --- findings --- */

struct finding_group {
	struct process_id main;
	char agent[FLEET_TEXT], id[FLEET_FINDING];
	uint64_t severity;
};

static void group_finding(
	const struct fleet *f, struct map *groups, const struct fleet_raised *found)
{
	struct finding_group key = { .main = found->main, .severity = found->severity };
	uint32_t *count;

	memcpy(key.agent, found->agent, sizeof(key.agent));
	memcpy(key.id, found->id, sizeof(key.id));
	if (!map_get(&f->sessions, &key.main) ||
		(groups->count >= FINDING_ROWS_MAX && !map_get(groups, &key)))
		key.main = (struct process_id){ 0 };
	count = map_put(groups, &key, NULL);
	if (count)
		++*count;
}

static int emit_finding(const struct fleet *f, const struct finding_group *g, uint32_t count,
	struct output *o, struct sooth_error *err)
{
	static const struct fleet_session none;
	const struct fleet_session *s = map_get(&f->sessions, &g->main);
	struct fleet_finding_row row = { .severity = (uint8_t)g->severity, .count = count };

	if (!s)
		s = &none;
	struct record_tail tail[] = { tail_string(&row.agent, g->agent),
		tail_string(&row.project, s->project), tail_string(&row.session_id, s->id),
		tail_string(&row.id, g->id) };

	FILL_NAMES(&row, s);
	return OUTPUT_ROW(o, &row, tail, ARRAY_SIZE(tail), err);
}

static int emit_findings(const struct fleet *f, struct output *o, struct sooth_error *err)
{
	int status = output_section(o, &fleet_findings, err);
	struct map groups;

	map_init(&groups, sizeof(struct finding_group), sizeof(uint32_t), 2 * FINDING_ROWS_MAX);
	map_for_each_value (&f->findings, const struct fleet_raised *, found)
		group_finding(f, &groups, found);
	map_for_each (&groups, const struct finding_group *, g, const uint32_t *, count)
		status = status ?: emit_finding(f, g, *count, o, err);
	map_fini(&groups);
	return status;
}

static int emit_raised(const struct fleet *f, struct output *o, struct sooth_error *err)
{
	int status = output_section(o, &fleet_raised, err);

	map_for_each (map_while(!status, &f->raised), const struct fleet_raised_key *, key,
		const uint64_t *, times) {
		struct fleet_raised_row row = { .times = *times };
		struct record_tail tail[] = { tail_string(&row.agent, key->agent),
			tail_string(&row.id, key->id) };

		status = status ?: OUTPUT_ROW(o, &row, tail, ARRAY_SIZE(tail), err);
	}
	return status;
}

/* --- the model, and sooth itself --- */

static int emit_api(const struct fleet *f, struct output *o, struct sooth_error *err)
{
	int status = output_section(o, &fleet_api, err);

	map_for_each (map_while(!status, &f->waits), const struct fleet_wait_key *, key,
		const struct fleet_waits *, w) {
		struct fleet_api_row row = { .total_ns = w->total_ns,
			.wait_state = state_if(!key->is_call),
			.call_state = state_if(key->is_call),
			.outcome = (uint8_t)key->outcome };
		struct record_tail tail[] = { tail_string(&row.agent, key->agent),
			tail_string(&row.model, key->model), tail_string(&row.host, key->host),
			tail_string(&row.provider, key->provider),
			tail_string(&row.source, key->is_call ? "probes" : "samples") };

		memcpy(row.slots, w->slots, sizeof(row.slots));
		status = status ?: OUTPUT_ROW(o, &row, tail, ARRAY_SIZE(tail), err);
	}
	return status;
}

static uint32_t running_sessions(const struct fleet *f)
{
	uint32_t count = 0;

	map_for_each_value (&f->sessions, const struct fleet_session *, s)
		count += s->now.processes > 0;
	map_for_each_value (&f->folded, const uint64_t *, last_ns)
		count += f->samples && *last_ns == f->last_ns;
	return count;
}

static int emit_self(const struct fleet *f, struct output *o, struct sooth_error *err)
{
	const struct fleet_self *self = &f->self;
	struct fleet_self_row row = { .self_state = state_if(f->has_self),
		.cpu_ns = self->cpu_ns,
		.self_bytes = self->rss_bytes,
		.answers = self->answers,
		.refused = self->refused,
		.samples = f->samples,
		.sample_utc_ns = f->last_utc_ns,
		.probes_calls = self->is_probing,
		.probes_state = state_if(self->may_probe),
		.lost_records = f->lost_records,
		.sessions = running_sessions(f),
		.sessions_most = f->options.sessions_most,
		.folded = (uint32_t)f->folded.count,
		.refused_rows = f->members.refused + f->roles.refused + f->waits.refused +
				f->raised.refused + f->findings.refused + f->folded.refused };
	struct record_tail tail[] = { tail_string(&row.host_name, f->host),
		tail_string(&row.version, f->version) };

	return OUTPUT_OBJECT(o, &fleet_self, &row, tail, ARRAY_SIZE(tail), err);
}

int fleet_emit(struct fleet *f, struct output *o, struct sooth_error *err)
{
	int status = emit_agents(f, o, err);

	if (!status)
		status = emit_each(f, &fleet_sessions, emit_session, o, err);
	if (!status)
		status = emit_each(f, &fleet_activity, emit_states, o, err);
	if (!status)
		status = emit_findings(f, o, err);
	if (!status)
		status = emit_raised(f, o, err);
	if (!status)
		status = emit_api(f, o, err);
	return status ? status : emit_self(f, o, err);
}
