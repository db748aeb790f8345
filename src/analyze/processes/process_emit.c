/* SPDX-License-Identifier: BSD-2-Clause */
/* Emits processes. Records come from writers of any age: each is first widened to the length that
 * this build knows, and missing members are not measured. */
#include "analyze/processes/process_emit.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "analyze/activity/activity_rows.h"
#include "analyze/first_answers.h"
#include "analyze/process_table/process_table_versions.h"
#include "analyze/waits/wait_activity.h"
#include "base/cleanup.h"
#include "base/units.h"

/* --- rows --- */

#define TIME_SIZE     32
#define RULE_SIZE     512
#define AGENT_SIZE    64
#define UNKNOWN	      SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED)
#define UNDECIDED     SOOTH_NOT_MEASURED(SOOTH_REASON_UNDECIDED)
#define NOT_REQUESTED SOOTH_NOT_MEASURED(SOOTH_REASON_NOT_REQUESTED)

/* A row in progress: whole records, and the texts that the row points to. */
struct row_builder {
	const struct host_state *h;
	struct listed *l;
	const struct sooth_record *process, *links, *session; /* NULL: none */
	struct proc_process p;
	struct proc_ties t;
	struct proc_session s;
	struct process_row row;
	struct buffer doing, doing_text, finding;
	char elapsed[TIME_SIZE];
	char container[CONTAINER_SIZE];
	char flags[FLAGS_SIZE];
	char rule[RULE_SIZE];
	char agent[AGENT_SIZE];
};

static void copy_padded(void *whole, size_t size, const struct sooth_record *r)
{
	size_t has = (size_t)r->fixed_words * SOOTH_RECORD_WORD;

	memset(whole, 0, size);
	memcpy(whole, r, has < size ? has : size);
}

/* Returns the state of a text: an empty text is absent. */
static uint8_t text_state(uint8_t state, const struct sooth_text *text)
{
	return state == SOOTH_STATE_VALUE && !text->size ? SOOTH_STATE_ABSENT : state;
}

static uint8_t string_state(const char *text)
{
	return text && *text ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT;
}

static void format_elapsed(uint64_t s, char out[TIME_SIZE])
{
	unsigned days = (unsigned)(s / 86400), hours = (unsigned)(s / 3600 % 24);
	unsigned minutes = (unsigned)(s / 60 % 60), seconds = (unsigned)(s % 60);

	if (days)
		snprintf(out, TIME_SIZE, "%u-%02u:%02u:%02u", days, hours, minutes, seconds);
	else if (hours)
		snprintf(out, TIME_SIZE, "%02u:%02u:%02u", hours, minutes, seconds);
	else
		snprintf(out, TIME_SIZE, "%02u:%02u", minutes, seconds);
}

/* --- values --- */

static void fill_values(struct row_builder *t)
{
	uint64_t memory = host_state_memory(t->h);
	const struct proc_process *p = &t->p;
	struct process_row *row = &t->row;

	row->ppid = p->ppid;
	row->uid = p->uid;
	row->threads = p->threads;
	row->state = p->state;
	row->rss_bytes = p->rss_bytes;
	row->rss_kb = p->rss_bytes / 1024;
	row->vsz_kb = p->vsz_bytes / 1024;
	row->open_files = p->descriptors;
	row->open_files_state = p->descriptors_state;
	row->elapsed_s = host_state_elapsed(t->h, t->l->p);
	format_elapsed(row->elapsed_s, t->elapsed);
	if (t->l->cpu_percent >= 0)
		row->cpu_percent = t->l->cpu_percent;
	else
		row->cpu_state = SOOTH_NOT_MEASURED(SOOTH_REASON_INTERVAL);
	if (memory)
		row->mem_percent = (double)p->rss_bytes * 100 / (double)memory;
	else
		row->mem_state = UNKNOWN;
	row->is_over = t->l->is_over_cpu_limit || t->l->is_over_rss_limit;
	if (t->l->is_over_unknown)
		row->over_state = SOOTH_NOT_MEASURED(SOOTH_REASON_INTERVAL);
}

static void fill_directories(struct row_builder *t)
{
	bool has_user = record_holds(t->process, PROC_PROCESS_WITH_USER);
	struct process_row *row = &t->row;
	struct span group = record_text(t->process, &t->p.control_group);

	row->cwd_state = t->p.directory_state;
	row->command_state = t->p.arguments_state;
	row->executable_state = t->p.executable_state;
	row->user_state = has_user ? text_state(0, &t->p.user) : UNKNOWN;
	row->terminal_state = has_user ? text_state(0, &t->p.terminal_name) : UNKNOWN;
	row->control_group_state = text_state(t->p.control_group_state, &t->p.control_group);
	row->container_state = row->control_group_state;
	if (!row->container_state && !container_of_group(group, t->container))
		row->container_state = SOOTH_STATE_ABSENT;
	row->namespace_state = t->links ? t->t.namespace_state : NOT_REQUESTED;
	row->pid_namespace = t->t.pid_namespace;
	row->inner_pid = t->t.inner_pid;
	row->root_state = t->links ? text_state(t->t.root_state, &t->t.root) : NOT_REQUESTED;
}

/* --- the agent and its session --- */

/* Returns why there is no version: only a script has it, and no argument names that any more. */
static uint8_t reason_of_missing_version(const struct row_builder *t)
{
	const struct process_entry *p = t->l->p;

	if (p->match.is_own_word && t->p.executable_state)
		return t->p.executable_state;
	return p->match.is_covered ? SOOTH_NOT_MEASURED(SOOTH_REASON_COVERED) : UNDECIDED;
}

static void fill_agent(struct row_builder *t)
{
	const struct process_entry *p = t->l->p;
	struct process_row *row = &t->row;
	bool has_version =
		p->match.version.size || (t->session && !t->s.version_state && t->s.version.size);

	row->agent_state = p->agent ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT;
	row->version_state = !p->agent	   ? SOOTH_STATE_ABSENT
			     : has_version ? SOOTH_STATE_VALUE
					   : reason_of_missing_version(t);
	row->session_agent_state = p->owner_agent ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT;
	row->role_state = process_table_role_state(p);
	row->role_pid = p->player ? p->player->id.pid : p->id.pid;
	row->role_name_state = text_state(0, &p->role_name);
	row->session_pid = p->main ? p->main->id.pid : 0;
	row->session_pid_state = p->main ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT;
	row->tie = (uint8_t)p->link;
	row->tie_state = p->link == PROCESS_LINK_NONE ? SOOTH_STATE_ABSENT : SOOTH_STATE_VALUE;
	if (p->agent || p->owner_agent) {
		row->project_state = text_state(p->project_state, &p->project);
		row->session_state = text_state(p->session_state, &p->session_id);
	} else {
		row->project_state = row->session_state = SOOTH_STATE_ABSENT;
	}
}

static uint64_t since_s(const struct row_builder *t, uint64_t utc_ns)
{
	uint64_t now = host_state_utc(t->h);

	return now > utc_ns ? (now - utc_ns) / NS_PER_S : 0;
}

/* Fills in the activity of a main process from the agent's own files. */
static void fill_activity(struct row_builder *t)
{
	struct process_row *row = &t->row;
	bool is_main = t->l->p->link == PROCESS_LINK_SELF;
	uint8_t missing = is_main ? UNDECIDED : SOOTH_STATE_ABSENT;

	row->activity_state = t->session ? t->s.activity_state : missing;
	row->status_state = t->session ? text_state(t->s.status_state, &t->s.status) : missing;
	row->tool_state = t->session ? t->s.tool_state
			  : is_main  ? NOT_REQUESTED
				     : SOOTH_STATE_ABSENT;
	row->activity_utc_ns = t->s.activity_utc_ns;
	row->activity_ago_s = since_s(t, t->s.activity_utc_ns);
	row->tool_utc_ns = t->s.tool_utc_ns;
	row->tool_ago_s = since_s(t, t->s.tool_utc_ns);
}

/* Fills in branch and task of a main process, which distinguish sessions of one project. */
static void fill_task(struct row_builder *t)
{
	bool is_there = t->session && record_holds(t->session, PROC_SESSION_WITH_TASK);
	uint8_t missing = t->l->p->link == PROCESS_LINK_SELF ? UNDECIDED : SOOTH_STATE_ABSENT;

	t->row.branch_state = is_there ? t->s.branch_state : missing;
	t->row.task_state = is_there ? t->s.task_state : missing;
}

/* Fills in model and tokens of a main process, which the agent records. */
static void fill_tokens(struct row_builder *t)
{
	bool is_main = t->l->p->link == PROCESS_LINK_SELF;
	bool is_there = t->session && record_holds(t->session, PROC_SESSION_WITH_MODEL);
	uint8_t missing = is_main ? UNDECIDED : SOOTH_STATE_ABSENT;
	struct process_row *row = &t->row;

	row->model_state = is_there ? text_state(t->s.model_state, &t->s.model) : missing;
	row->context_state = is_there ? t->s.context_state : missing;
	row->tokens_state = is_there ? t->s.tokens_state : missing;
	row->context_tokens = t->s.context_tokens;
	row->turns = t->s.turns;
	row->input_tokens = t->s.input_tokens;
	row->output_tokens = t->s.output_tokens;
}

/* Fills in what its log says of speed, limits and MCP servers, and its daemon of its job. */
static void fill_progress(struct row_builder *t)
{
	bool is_there = t->session && record_holds(t->session, PROC_SESSION_WITH_SERVERS);
	uint8_t missing = t->l->p->link == PROCESS_LINK_SELF ? UNDECIDED : SOOTH_STATE_ABSENT;
	const struct proc_session *s = &t->s;
	struct process_row *row = &t->row;

	row->rate_state = is_there ? s->rate_state : missing;
	row->window_state = !is_there	      ? missing
			    : s->window_state ? s->window_state
					      : s->context_state;
	row->quota_state = is_there ? s->quota_state : missing;
	row->mcp_state = is_there ? s->mcp_state : missing;
	row->job_state = is_there ? s->job_state : missing;
	row->log_end_state = is_there ? s->progress_state : missing;
	row->tokens_a_minute = s->tokens_a_minute;
	if (s->window_tokens)
		row->context_percent = 100.0 * (double)s->context_tokens / (double)s->window_tokens;
	row->quota_percent = s->quota_percent;
	row->quota_resets_utc_ns = s->quota_resets_utc_ns;
	row->mcp_calls = s->mcp_calls;
	row->mcp_errors = s->mcp_errors;
	if (s->mcp_calls)
		row->mcp_mean_s = (double)s->mcp_total_ns / s->mcp_calls / (double)NS_PER_S;
	row->mcp_longest_s = (double)s->mcp_longest_ns / (double)NS_PER_S;
}

/* Fills in traffic, only that of connections that are still open. */
static void fill_traffic(struct row_builder *t)
{
	const struct snapshot *snapshot = snapshots_get(&t->h->sockets, &t->l->p->id);
	const struct sockets_process *end = snapshot ? snapshot_end(snapshot, sizeof(*end)) : NULL;
	bool has_io = t->links && record_holds(t->links, sizeof(t->t));
	struct batch batch;

	t->row.written_bytes = t->t.written_bytes;
	t->row.written_state = has_io ? t->t.written_state : NOT_REQUESTED;
	t->row.read_bytes = t->t.read_bytes;
	t->row.disk_read_bytes = t->t.disk_read_bytes;
	t->row.disk_written_bytes = t->t.disk_written_bytes;
	t->row.io_state = has_io ? t->t.io_state : NOT_REQUESTED;
	t->row.traffic_state = end ? end->sockets_state : NOT_REQUESTED;
	if (!end)
		return;
	batch = snapshot_records(snapshot);
	batch_for_each (r, &batch) {
		const struct sockets_socket *s = record_as(r, SOCKETS_SOCKET, SOCKETS_SOCKET_LEAST);

		if (!s || s->bytes_state != SOOTH_STATE_VALUE)
			continue;
		t->row.received_bytes += s->received_bytes;
		t->row.sent_bytes += s->sent_bytes;
	}
}

/* Finds the current activity of a main process; false: it is no main process. */
static bool find_doing(struct row_builder *t)
{
	const struct process_entry *p = t->l->p;
	struct process_row *row = &t->row;
	struct activity a;

	row->doing_state = row->doing_text_state = row->doing_s_state = SOOTH_STATE_ABSENT;
	if (p->link != PROCESS_LINK_SELF || !p->is_there || p->process->state == 'Z')
		return false;
	wait_activity_find(&a, t->h, p);
	activity_append_row(&t->doing, &p->id, &a);
	activity_write(&t->doing_text, &a, ACTIVITY_TEXT_WITHOUT_TIME);
	row->urgency = (uint8_t)urgency_of_activity(&a, &t->l->urgency_flag);
	row->doing_state = row->doing_text_state = SOOTH_STATE_VALUE;
	row->doing_s = a.since_ns / NS_PER_S;
	row->doing_s_state = a.has_since ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT;
	return true;
}

/* Returns the arguments, without the program's folder; else the name of the process. */
static struct span command_of(const struct row_builder *t)
{
	struct span text = record_text(t->process, &t->p.arguments);
	struct cursor c = cursor_over(text.data, args_shown(text.data, text.size));
	struct span all = span_of(text.data, cursor_left(&c)), program = cursor_until(&c, '\0');
	const char *slash = span_last(program, '/');

	if (!program.size)
		return record_text(t->process, &t->p.name);
	/* A text with a blank may be a title. */
	if (!slash || slash[1] == '\0' || memchr(program.data, ' ', program.size))
		return all;
	return span_of(slash + 1, all.size - (size_t)(slash + 1 - all.data));
}

/* Fills in agent, command and age of a process without an activity, for people. */
static void name_member(struct row_builder *t)
{
	const struct process_entry *p = t->l->p;
	struct span text = command_of(t);

	if (!p->agent && p->owner_agent) {
		snprintf(t->agent, sizeof(t->agent), "(%s)", p->owner_agent->name);
		t->row.agent_state = SOOTH_STATE_VALUE;
	}
	for (size_t i = 0; i < text.size && i < ACTIVITY_COMMAND_SIZE; i++) {
		if (text.data[i] && text.data[i] != '\n')
			buffer_char(&t->doing_text, text.data[i]);
		else if (i + 1 < text.size)
			buffer_char(&t->doing_text, ' ');
	}
	t->row.doing_s = host_state_elapsed(t->h, p);
	t->row.doing_s_state = t->row.doing_text_state = SOOTH_STATE_VALUE;
}

/* Fills in the finding. A session with a finding is sick, whatever its activity. */
static void fill_finding(struct row_builder *t)
{
	const struct first_answers *a = t->l->options->answers;
	bool is_main = t->row.doing_state == SOOTH_STATE_VALUE;

	t->row.finding_state = !is_main ? SOOTH_STATE_ABSENT
			       : !a	? NOT_REQUESTED
			       : a->put_of_session(a, &t->l->p->id, &t->finding)
				       ? SOOTH_STATE_VALUE
				       : SOOTH_STATE_ABSENT;
	if (t->finding.size && t->row.urgency > URGENCY_SICK)
		t->row.urgency = URGENCY_SICK;
}

static void fill_doing(struct row_builder *t)
{
	const struct listed *l = t->l;
	bool is_main = find_doing(t), is_left = !is_main && listed_is_left_over(l);

	if (!is_main)
		t->row.urgency = is_left			   ? URGENCY_LEFT_OVER
				 : listed_holds(l, VERDICT_FROZEN) ? URGENCY_SICK
								   : URGENCY_OTHER;
	t->row.urgency_state = is_main || l->verdicts ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT;
	/* In a tree, members of a session are shown below its main process. */
	if (l->options->is_for_people && !is_main && l->verdicts &&
		(!l->options->is_tree || is_left))
		name_member(t);
}

/* --- verdicts --- */

/* Returns whether a verdict holds; false where it does not apply: scripts need a boolean. */
static uint8_t verdict_of(const struct listed *l, enum verdict_kind kind, uint8_t *state)
{
	*state = l->verdicts && l->verdicts[kind].state != SOOTH_STATE_ABSENT
			 ? l->verdicts[kind].state
			 : SOOTH_STATE_VALUE;
	return listed_holds(l, kind);
}

/* Returns the evidence, or why the verdict is undecided; "": neither. */
static const char *evidence_of(const struct listed *l, enum verdict_kind kind)
{
	return listed_holds(l, kind) ||
			       (l->verdicts && state_is_unmeasured(l->verdicts[kind].state))
		       ? l->verdicts[kind].why
		       : "";
}

static void fill_verdicts(struct row_builder *t)
{
	const struct listed *l = t->l;
	struct process_row *row = &t->row;
	struct verdict_generation generation = { 0 };

	row->is_orphaned = verdict_of(l, VERDICT_ORPHANED, &row->orphaned_state);
	row->is_daemon = verdict_of(l, VERDICT_DAEMON, &row->daemon_state);
	row->is_abandoned = verdict_of(l, VERDICT_ABANDONED, &row->abandoned_state);
	row->is_superseded = verdict_of(l, VERDICT_GENERATION, &row->superseded_state);
	row->is_frozen = verdict_of(l, VERDICT_FROZEN, &row->frozen_state);
	row->is_zombie = verdict_of(l, VERDICT_ZOMBIE, &row->zombie_state);
	row->is_outdated = verdict_of(l, VERDICT_OUTDATED, &row->outdated_state);
	row->is_deleted = verdict_of(l, VERDICT_DELETED, &row->deleted_state);
	if (!l->verdicts)
		row->is_deleted = t->p.is_deleted;
	else
		generation = verdict_generation(&t->h->process_table, l->p);
	row->generation = generation.number;
	row->generations = generation.count;
	row->generation_state = generation.count ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT;
	row->orphaned_reason_state = string_state(evidence_of(l, VERDICT_ORPHANED));
	row->abandoned_reason_state = string_state(evidence_of(l, VERDICT_ABANDONED));
	row->frozen_reason_state = string_state(evidence_of(l, VERDICT_FROZEN));
	process_flags(l, t->flags);
	row->flags_state = string_state(t->flags);
	/* Without permission a missing flag is no proof that all is well. */
	if (row->flags_state && state_is_unmeasured(row->orphaned_state))
		row->flags_state = row->orphaned_state;
	else if (row->flags_state && state_is_unmeasured(row->abandoned_state))
		row->flags_state = row->abandoned_state;
}

static void add_flag(char out[FLAGS_SIZE], bool holds, const char *flag)
{
	size_t size = strlen(out);

	if (holds)
		snprintf(out + size, FLAGS_SIZE - size, "%s%s", size ? " " : "", flag);
}

const char *process_flags(const struct listed *l, char out[FLAGS_SIZE])
{
	out[0] = '\0';
	add_flag(out, l->urgency_flag && *l->urgency_flag, l->urgency_flag);
	add_flag(out, listed_holds(l, VERDICT_ORPHANED), "ORPHANED");
	add_flag(out, listed_holds(l, VERDICT_ABANDONED), "ABANDONED");
	add_flag(out, listed_holds(l, VERDICT_GENERATION), "OLD-GENERATION");
	add_flag(out, listed_holds(l, VERDICT_ZOMBIE), "ZOMBIE");
	add_flag(out, listed_holds(l, VERDICT_FROZEN), "FROZEN");
	add_flag(out, listed_holds(l, VERDICT_OUTDATED), "OUTDATED");
	add_flag(out,
		l->verdicts && l->verdicts[VERDICT_OUTDATED].state ==
				       SOOTH_NOT_MEASURED(SOOTH_REASON_BLOCKED),
		"OUTDATED?");
	add_flag(out,
		listed_holds(l, VERDICT_DELETED) || (!l->verdicts && l->p->process->is_deleted),
		"DELETED");
	add_flag(out, l->is_over_cpu_limit, "CPU");
	add_flag(out, l->is_over_rss_limit, "MEM");
	return out;
}

/* --- the row --- */

static struct record_tail tail_of(
	struct sooth_text *to, const struct sooth_record *r, const struct sooth_text *text)
{
	return r ? tail_text(to, r, text) : tail_span(to, span_of("", 0));
}

static struct record_tail tail_resolved(
	struct sooth_text *to, const struct row_builder *t, const struct sooth_text *text)
{
	return tail_span(to, process_table_text(&t->h->process_table, text));
}

/* Returns the rule that recognized the agent, which may only have matched the arguments. */
static const char *rule_in_words(struct row_builder *t)
{
	const struct agent_match *m = &t->l->p->match;

	if (!t->l->p->agent || !m->rule)
		return "";
	if (!m->is_own_word)
		return m->rule;
	snprintf(t->rule, sizeof(t->rule),
		"%s, according to the command line; the executable cannot be read", m->rule);
	return t->rule;
}

static void append_row(struct row_builder *t, struct buffer *rows)
{
	const struct process_entry *p = t->l->p;
	const struct process_table *c = &t->h->process_table;
	struct process_row *row = &t->row;
	struct span newest = process_table_newest(c, p);
	struct span version = p->match.version;

	if (!version.size && t->session)
		version = record_text(t->session, &t->s.version);
	row->newest_state = newest.size ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT;
	if (row->outdated_state == SOOTH_NOT_MEASURED(SOOTH_REASON_BLOCKED))
		row->newest_state = row->outdated_state;
	else if (newest.size && !row->is_outdated && !process_table_is_searched(c, p))
		row->newest_state = SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED);
	struct record_tail tail[] = {
		tail_buffer(&row->doing, &t->doing), /* rows must be aligned: the first */
		tail_buffer(&row->doing_text, &t->doing_text),
		tail_buffer(&row->finding, &t->finding),
		tail_string(&row->elapsed_time, t->elapsed),
		tail_text(&row->name, t->process, &t->p.name),
		tail_text(&row->command, t->process, &t->p.arguments),
		tail_text(&row->executable, t->process, &t->p.executable),
		tail_text(&row->cwd, t->process, &t->p.directory),
		tail_text(&row->user, t->process, &t->p.user),
		tail_text(&row->terminal, t->process, &t->p.terminal_name),
		tail_text(&row->control_group, t->process, &t->p.control_group),
		tail_of(&row->root, t->links, &t->t.root),
		tail_of(&row->status, t->session, &t->s.status),
		tail_of(&row->tool, t->session, &t->s.tool),
		tail_of(&row->model, t->session, &t->s.model),
		tail_of(&row->branch, t->session, &t->s.branch),
		tail_of(&row->task, t->session, &t->s.task),
		tail_of(&row->mcp_server, t->session, &t->s.mcp),
		tail_of(&row->log_end, t->session, &t->s.log_end),
		tail_of(&row->job, t->session, &t->s.job),
		tail_of(&row->job_status, t->session, &t->s.job_status),
		tail_string(&row->agent, p->agent ? p->agent->name : t->agent),
		tail_string(&row->rule, rule_in_words(t)),
		tail_span(&row->version, version),
		tail_span(&row->newest_version, newest),
		tail_string(&row->role, p->has_role ? agent_role_name(p->role) : ""),
		tail_resolved(&row->role_name, t, &p->role_name),
		tail_resolved(&row->project, t, &p->project),
		tail_string(&row->session_agent, p->owner_agent ? p->owner_agent->name : ""),
		tail_resolved(&row->session_id, t, &p->session_id),
		tail_string(&row->orphaned_reason, evidence_of(t->l, VERDICT_ORPHANED)),
		tail_string(&row->abandoned_reason, evidence_of(t->l, VERDICT_ABANDONED)),
		tail_string(&row->frozen_reason, evidence_of(t->l, VERDICT_FROZEN)),
		tail_string(&row->container, t->container),
		tail_string(&row->flags, t->flags),
	};
	RECORD_APPEND(rows, row, tail, ARRAY_SIZE(tail));
}

void process_emit(const struct host_state *h, struct listed *l, struct buffer *rows)
{
	const struct process_entry *p = l->p;
	struct row_builder t = { .h = h,
		.l = l,
		.process = &p->process->record,
		.links = p->links ? &p->links->record : NULL,
		.session = p->session ? &p->session->record : NULL };

	copy_padded(&t.p, sizeof(t.p), t.process);
	if (t.links)
		copy_padded(&t.t, sizeof(t.t), t.links);
	if (t.session)
		copy_padded(&t.s, sizeof(t.s), t.session);
	t.row.record = (struct sooth_record){ .time_ns = t.p.record.time_ns,
		.start_ticks = p->id.start_ticks,
		.pid = p->id.pid,
		.kind = process_row_schema.kind };
	fill_values(&t);
	fill_directories(&t);
	fill_agent(&t);
	fill_activity(&t);
	fill_task(&t);
	fill_tokens(&t);
	fill_progress(&t);
	fill_traffic(&t);
	fill_doing(&t);
	fill_finding(&t);
	fill_verdicts(&t);
	append_row(&t, rows);
	buffer_fini(&t.doing);
	buffer_fini(&t.doing_text);
	buffer_fini(&t.finding);
}
