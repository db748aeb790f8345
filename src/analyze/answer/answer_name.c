/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/answer/answer_name.h"

#include "analyze/activity/activity_request.h"
#include "analyze/activity/urgency.h"
#include "analyze/diagnosis/endings.h"
#include "analyze/records.h"
#include "base/cleanup.h"
#include "base/units.h"
#include "recognize/script_name.h"

#define TREE_MOST 65 /* processes: a larger selection is a host or a user */
#define UP_MAX	  64

NUMBER(ADVICE_NS, 2 * 60 * NS_PER_S, NS, "time of a silent tool from which there is advice");
NUMBER(SAME_NS, NS_PER_S / 2, NS, "tolerance for one answer's times in calls and connection");

static bool is_main(const struct process_entry *p)
{
	return p->agent && (!p->main || p->main == p);
}

/* Appends branch and first task of a session, if another one of its project is diagnosed. */
static void add_task(const struct diagnosis *s, const struct process_entry *p, struct span project,
	struct buffer *out)
{
	const struct process_table *table = &s->input.host.process_table;
	const struct proc_session *of = p->session;
	bool is_one_of_several = false;
	struct span branch, task;

	for (size_t i = 1; i < s->count && of; i++) {
		const struct process_entry *other = s->all[i].process;

		is_one_of_several |=
			other && other != p && is_main(other) &&
			!span_compare(process_table_text(table, &other->project), project);
	}
	if (!is_one_of_several || !record_holds(&of->record, PROC_SESSION_WITH_TASK))
		return;
	branch = record_text(&of->record, &of->branch);
	task = record_text(&of->record, &of->task);
	if (branch.size)
		buffer_format(out, ", %.*s", SPAN_ARGS(branch));
	if (task.size)
		buffer_format(out, ": %.*s", SPAN_ARGS(task));
}

static void add_owner(const struct diagnosis *s, const struct process_entry *p, struct buffer *out)
{
	const struct process_table *table = &s->input.host.process_table;
	const struct agent *agent = p->agent ? p->agent : p->owner_agent;
	struct span project = process_table_text(table, &p->project);
	bool is_own = is_main(p);

	if (is_own && project.size)
		buffer_format(out, " (%.*s", SPAN_ARGS(project));
	else if (!is_own && agent)
		buffer_format(out, " (%s of %s", p->has_role ? agent_role_name(p->role) : "process",
			agent->name);
	else
		return;
	if (!is_own && p->main)
		buffer_format(out, " %u", p->main->id.pid);
	if (!is_own && project.size)
		buffer_format(out, ", %.*s", SPAN_ARGS(project));
	if (project.size && (is_own || p->main))
		add_task(s, is_own ? p : p->main, project, out);
	buffer_char(out, ')');
}

const struct agent *answer_agent(const struct diagnosed *j)
{
	const struct process_entry *p = j->process;

	return p && p->agent ? p->agent : p ? p->owner_agent : NULL;
}

void answer_name(const struct diagnosis *s, const struct diagnosed *j, struct buffer *out)
{
	const struct process_entry *p = j->process;
	struct span name, script;

	if (j->is_host) {
		buffer_string(out, "the host");
		return;
	}
	name = p ? record_text(&p->process->record, &p->process->name)
		 : ending_name(&s->input.endings, &j->id);
	if (p && is_main(p))
		name = span_of_string(p->agent->name);
	buffer_append(out, name.data, name.size);
	if (p && !is_main(p)) {
		script = script_name_of(name, process_table_known_arguments(p));
		buffer_format(out, "%s%.*s", script.size ? " " : "", SPAN_ARGS(script));
	}
	buffer_format(out, " %u", j->id.pid);
	if (p)
		add_owner(s, p, out);
}

void answer_refusal(struct activity *a, const struct call_history *h, uint64_t came_ns)
{
	map_for_each_value (&h->answers, const struct call_answers *, all) {
		uint64_t bad_ns = all->last_bad_ns;

		if (!all->bad || all->last_good_ns > bad_ns)
			continue;
		if (came_ns && (bad_ns > came_ns + SAME_NS || came_ns > bad_ns + SAME_NS))
			continue;
		if (a->state == ACTIVITY_WAITS_FOR_MODEL) {
			a->source = ACTIVITY_FROM_CONNECTION;
			a->confidence = ACTIVITY_MEDIUM;
		}
		a->state = ACTIVITY_ASKS_AGAIN;
		a->error_status = all->last_status;
	}
}

/* Adds a refused request to the activity: not every agent logs that the server refused, but its
 * calls show it if that was the last answer on the connection. */
static void add_refusal(const struct diagnosis *s, const struct diagnosed *j, struct activity *a)
{
	const struct call_history *h = call_histories_get(&s->input.calls, &j->id);
	uint64_t now = s->input.host.process_table.last_ns;
	struct activity_request request;

	if (!h || (a->state != ACTIVITY_WAITS_FOR_MODEL && a->state != ACTIVITY_ASKS_AGAIN))
		return;
	activity_request_find(&request, &s->input.host, j->process);
	if (request.is == ACTIVITY_REQUEST_NONE && !request.socket)
		answer_refusal(a, h, 0);
	else if (request.socket && request.is != ACTIVITY_REQUEST_SENT && now > request.silence_ns)
		answer_refusal(a, h, now - request.silence_ns);
}

static bool find_activity(const struct diagnosis *s, const struct diagnosed *j, struct activity *a)
{
	*a = (struct activity){ 0 };
	if (j->process && j->process->is_there && j->process->process->state != 'Z' &&
		j->process->link == PROCESS_LINK_SELF)
		activity_find(a, &s->input.host, j->process);
	add_refusal(s, j, a);
	return a->state != ACTIVITY_UNKNOWN;
}

void answer_activity(const struct diagnosis *s, const struct diagnosed *j, struct buffer *out)
{
	struct activity a;

	if (find_activity(s, j, &a))
		activity_write(out, &a, ACTIVITY_TEXT_WHOLE);
}

void answer_activity_after(const struct diagnosis *s, const struct diagnosed *j, const char *before,
	struct buffer *out)
{
	_cleanup_(buffer_fini) struct buffer text = { 0 };

	answer_activity(s, j, &text);
	if (text.size)
		buffer_format(out, "%s%s", before, buffer_cstr(&text));
}

/* Returns whether only one session is diagnosed, and it has several processes. */
static bool is_only_session(const struct diagnosis *s, const struct diagnosed *j)
{
	for (size_t i = 1; i < s->count; i++) {
		const struct process_entry *p = s->all[i].process;

		if (!p || !p->main || p->main != j->process)
			return false;
	}
	return s->count > 2;
}

bool answer_needs_user(const struct diagnosis *s, const struct diagnosed *j)
{
	struct activity a;

	return find_activity(s, j, &a) &&
	       (a.state == ACTIVITY_WAITS_FOR_USER || a.state == ACTIVITY_ASKS_AGAIN);
}

uint64_t answer_activity_since(
	const struct diagnosis *s, const struct diagnosed *j, uint64_t otherwise)
{
	struct activity a;

	return !find_activity(s, j, &a) ? otherwise : a.has_since ? a.since_ns : 0;
}

uint32_t answer_tool(const struct diagnosis *s, const struct diagnosed *j)
{
	struct activity a;

	return find_activity(s, j, &a) && a.state == ACTIVITY_RUNS_TOOL ? a.pid : 0;
}

bool answer_tool_advice(const struct diagnosis *s, const struct diagnosed *j, struct buffer *out)
{
	struct activity a;
	const char *flag;

	if (!find_activity(s, j, &a) || a.state != ACTIVITY_RUNS_TOOL || !a.pid ||
		urgency_of_activity(&a, &flag) != URGENCY_SILENT || a.since_ns < ADVICE_NS)
		return false;
	buffer_format(out,
		"sooth why %u shows what it waits for; the agent can interrupt it, and sooth kill "
		"%u ends it",
		a.pid, a.pid);
	return true;
}

bool answer_awaits_model(const struct diagnosis *s, const struct diagnosed *j)
{
	struct activity a;

	return find_activity(s, j, &a) &&
	       (a.state == ACTIVITY_WAITS_FOR_MODEL || a.state == ACTIVITY_ASKS_AGAIN);
}

bool answer_is_troubled(const struct diagnosis *s, const struct diagnosed *j)
{
	struct activity a;
	enum urgency urgency;
	const char *flag;

	if (!find_activity(s, j, &a))
		return false;
	urgency = urgency_of_activity(&a, &flag);
	return urgency == URGENCY_SICK || urgency == URGENCY_SILENT ||
	       (a.state == ACTIVITY_WAITS_FOR_MODEL && a.answer == ACTIVITY_ANSWER_SILENT) ||
	       (a.state == ACTIVITY_TALKS_TO_MCP && a.has_since &&
		       a.since_ns >= ACTIVITY_SILENT_NS);
}

bool answer_tells_activity(const struct diagnosis *s, const struct diagnosed *j)
{
	struct activity a;

	return answer_needs_user(s, j) || answer_is_troubled(s, j) ||
	       (is_only_session(s, j) && find_activity(s, j, &a));
}

bool answer_ended(const struct diagnosis *s, const struct diagnosed *j, struct buffer *out)
{
	const struct ending *end = j->is_host ? NULL : endings_get(&s->input.endings, &j->id);
	uint32_t status;

	if (!end || !end->has_end || (ending_status(&s->input.endings, end, &status) & 15))
		return false;
	buffer_string(out, "ended with ");
	exit_reason_text_status(out, status);
	return true;
}

/* Returns the effect of a lost directory: Redis refuses writes while it cannot write snapshots. */
static const char *effect_of_loss(const struct process_entry *p)
{
	struct span name = record_text(&p->process->record, &p->process->name);

	return span_starts(name, "redis-server") || span_starts(name, "valkey-server")
		       ? ", so that its snapshots fail there, and then it refuses writes (MISCONF)"
		       : "";
}

bool answer_left(const struct diagnosed *j, struct buffer *out)
{
	const struct process_entry *p = j->process;
	bool is_of_gone = p && p->is_there && p->owner_agent && p->is_main_gone && !p->doubt.size;
	bool is_perhaps = is_of_gone && p->left_state > SOOTH_STATE_TRUNCATED;
	struct span was;

	if (is_perhaps)
		buffer_string(out, "perhaps left behind: its agent session has ended");
	else if (is_of_gone && p->left)
		buffer_string(out, "left on purpose: its agent session has ended");
	if (p && p->is_there && process_table_lost_directory(p, &was))
		buffer_format(out, "%sits working directory was deleted%s", is_of_gone ? ", " : "",
			effect_of_loss(p));
	return is_perhaps;
}

static const struct diagnosed *find_diagnosed(
	const struct diagnosis *s, const struct process_entry *p)
{
	for (size_t i = 1; i < s->count; i++) {
		if (s->all[i].process == p)
			return &s->all[i];
	}
	return NULL;
}

const struct diagnosed *answer_above(const struct diagnosis *s, const struct diagnosed *j)
{
	const struct process_entry *p = j->process;
	const struct diagnosed *above = NULL;

	if (!p || s->count > TREE_MOST + 1)
		return NULL;
	for (unsigned i = 0; i < UP_MAX; i++) {
		const struct diagnosed *found;

		p = p->is_there ? p->parent : p->last_parent;
		if (!p || p->agent || p->owner_agent)
			break;
		found = find_diagnosed(s, p);
		above = found ? found : above;
	}
	return above;
}

bool answer_is_child(const struct diagnosis *s, const struct diagnosed *j)
{
	const struct process_entry *p = j->process, *main = p ? p->main : NULL;
	const struct process_entry *left = p && p->is_main_gone ? p->linked : NULL;

	return (main && main != p && find_diagnosed(s, main)) ||
	       (left && left != p && find_diagnosed(s, left)) || answer_above(s, j);
}
