/* SPDX-License-Identifier: BSD-2-Clause */
/* The list of processes: last sample, CPU percent between first and last sample, agent, session,
 * verdicts. */
#include "analyze/processes/processes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/first_answers.h"
#include "analyze/processes/host_emit.h"
#include "analyze/processes/process_emit.h"
#include "analyze/processes/process_list.h"
#include "base/cleanup.h"
#include "explain/output.h"
#include "explain/stage.h"
#include "model/row_list.h"

#define ROWS_MOST 10 /* most rows in text output; JSON has all */

/* --- short-lived processes: groups by name, and their sum --- */

#define SHORT_LIVED_ROW(F, S)                                                                      \
	F(S, U32, session_pid, MAYBE(session_state),                                               \
		"process id of the main process of the session", .label = "MAIN", .is_key = true)  \
	F(S, TEXT, agent, MAYBE(agent_state), "id of the agent that owns the session")             \
	F(S, ALSO, CHARS, name, name, ALWAYS, "name of the program of the process",                \
		.is_key = true)                                                                    \
	F(S, U64, count, ALWAYS, "number of processes that started and ended between two samples") \
	F(S, U64, failed, ALWAYS, "number of short-lived processes with a nonzero exit status")    \
	F(S, U64, cpu_ns, ALWAYS, "CPU time of all these short-lived processes", .label = "CPU",   \
		.unit = SOOTH_UNIT_NS)                                                             \
	F(S, NAMED, U64, life_most_ns, max_lifetime_ns, ALWAYS,                                    \
		"longest lifetime of one of these processes", .label = "LONGEST",                  \
		.unit = SOOTH_UNIT_NS)

ROW_STRUCT(short_lived_row, SHORT_LIVED_ROW, char name[SHORT_LIVED_NAME_SIZE];);
ROW_SCHEMA(short_lived_row, SHORT_LIVED_ROW, "short_lived", short_lived_row);

#define SUM_ROW(F, S)                                                                              \
	F(S, U64, count, MAYBE(state),                                                             \
		"number of processes that started and ended between two samples")                  \
	F(S, U64, in_sessions, WITH(state),                                                        \
		"number of short-lived processes that belong to agent sessions")                   \
	F(S, U64, cpu_ns, WITH(state), "CPU time of all these short-lived processes",              \
		.unit = SOOTH_UNIT_NS)                                                             \
	F(S, NAMED, TEXT, unseen, reason, MAYBE(unseen_state),                                     \
		"reason why short-lived processes could not be counted")

ROW_TABLE(sum, SUM_ROW, "short_lived_totals", sum_row,
	.line = "short-lived processes: {count}, {in_sessions} of agents; {cpu_ns} CPU");

/* Row for unmeasured totals: the reason is in the line. */
static ROW_SCHEMA(unseen, SUM_ROW, "short_lived_totals", sum_row,
	.line = "short-lived processes: not measured: {reason}");

/* --- in order --- */

struct shown {
	const struct short_lived_key *key;
	const struct short_lived_group *group;
};

static int most_first(const void *a, const void *b)
{
	const struct shown *x = a, *y = b;

	if (x->group->count != y->group->count)
		return x->group->count > y->group->count ? -1 : 1;
	if (x->key->main.pid != y->key->main.pid)
		return x->key->main.pid < y->key->main.pid ? -1 : 1;
	return strncmp(x->key->name, y->key->name, sizeof(x->key->name));
}

static size_t choose_groups(const struct host_emit *t, struct shown *out)
{
	bool shows_all = t->options->shown == PROCESSES_ALL && !t->options->pid_count;
	size_t count = 0;

	map_for_each (&t->host->short_lived.groups, const void *, key, void *, value) {
		out[count] = (struct shown){ key, value };
		count += shows_all || out[count].key->main.pid;
	}
	qsort(out, count, sizeof(*out), most_first);
	return count;
}

/* --- output --- */

static int emit_group(const struct host_emit *t, const struct shown *s, struct sooth_error *err)
{
	const struct process_entry *main =
		process_table_get(&t->host->process_table, &s->key->main);
	const char *agent = main && main->agent ? main->agent->name : "";
	struct short_lived_row row = { .session_pid = (uint32_t)s->key->main.pid,
		.count = s->group->count,
		.failed = s->group->failed,
		.cpu_ns = s->group->cpu_ns,
		.life_most_ns = s->group->life_most_ns,
		.session_state = s->key->main.pid ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
		.agent_state = *agent ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT };
	struct record_tail tail[] = { tail_string(&row.agent, agent) };

	memcpy(row.name, s->key->name, sizeof(row.name));
	return OUTPUT_ROW(t->output, &row, tail, ARRAY_SIZE(tail), err);
}

static int emit_groups(const struct host_emit *t, struct sooth_error *err)
{
	static const struct section section = SECTION_OF("short_lived", short_lived_row_schema,
		TABLE, .title = "short-lived processes", .rows_least = 1, .rows_most = ROWS_MOST);
	_cleanup_free_ struct shown *shown =
		calloc(t->host->short_lived.groups.count + 1, sizeof(*shown));
	size_t count = shown ? choose_groups(t, shown) : 0;
	int status = shown ? output_section(t->output, &section, err) : error_no_memory(err);

	for (size_t i = 0; i < count && !status; i++)
		status = emit_group(t, &shown[i], err);
	return status;
}

static int host_emit_short_lived(const struct host_emit *t, struct sooth_error *err)
{
	static const struct section seen = SECTION_OF("short_lived_totals", sum_schema, OBJECT);
	static const struct section not_seen =
		SECTION_OF("short_lived_totals", unseen_schema, OBJECT);
	static const char unseen[] = "sooth gets no events when processes exit";
	const struct short_lived *f = &t->host->short_lived;
	struct sum_row row = { .count = f->all.count,
		.in_sessions = f->in_sessions,
		.cpu_ns = f->all.cpu_ns,
		.state = SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION) };
	struct record_tail tail[] = { tail_string(&row.unseen, unseen) };
	int status;

	if (!f->is_watched && !t->options->is_repeated)
		return 0; /* exits were not requested */
	if (f->is_watched) {
		row.state = SOOTH_STATE_VALUE;
		row.unseen_state = SOOTH_STATE_ABSENT;
	}
	status = emit_groups(t, err);
	if (!status)
		status = output_section(t->output, f->is_watched ? &seen : &not_seen, err);
	return status ? status : OUTPUT_ROW(t->output, &row, tail, ARRAY_SIZE(tail), err);
}

/* --- the view --- */

struct processes_state {
	struct output *output;
	struct processes_options options;
	struct host_state host;
	struct process_list list;
	bool has_reported_unknown, has_checked_named;
	struct buffer columns;
	struct buffer rows; /* struct process_row with texts, unsorted */
};

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	struct processes_state *s = state;

	(void)err;
	s->output = output;
	if (options)
		s->options = *(const struct processes_options *)options;
	host_state_init(&s->host);
	return 0;
}

static int push(void *state, const struct batch *batch, struct sooth_error *err)
{
	struct processes_state *s = state;

	(void)err;
	host_state_add_batch(&s->host, batch);
	if (s->options.answers)
		s->options.answers->add_batch(s->options.answers, batch);
	return 0;
}

/* --- making rows --- */

static int make_rows(struct processes_state *s, struct sooth_error *err)
{
	unsigned char *at;

	buffer_reset(&s->rows);
	for (size_t i = 0; i < s->list.count; i++)
		process_emit(&s->host, &s->list.all[i], &s->rows);
	if (buffer_failed(&s->rows))
		return error_no_memory(err);
	at = s->rows.data;
	for (size_t i = 0; i < s->list.count; i++) {
		s->list.all[i].row = (void *)at;
		at += record_bytes((const void *)at);
	}
	if (process_list_sort(&s->list, &s->options))
		return error_no_memory(err);
	for (size_t i = 0; i < s->list.count; i++)
		s->list.all[i].row->depth = s->list.all[i].depth;
	return 0;
}

static bool is_pid_known(const struct processes_state *s, uint32_t pid)
{
	map_for_each_key (&s->host.process_table.processes, const struct process_id *, id) {
		if (id->pid == pid)
			return true;
	}
	return false;
}

/* Checks that selected processes exist; they may have ended since. If there are several frames,
 * only the first is checked. */
static int check_named(struct processes_state *s, struct sooth_error *err)
{
	bool is_done = s->options.may_lack_pids || s->has_checked_named;

	for (size_t i = 0; !is_done && i < s->options.pid_count; i++) {
		uint32_t pid = s->options.pids[i];

		if (is_pid_known(s, pid))
			continue;
		error_set(err, -ESRCH, SOOTH_FAULT_NOT_FOUND, "find process %u", pid);
		error_why(err, "no process has this PID");
		return error_remedy(err, "leave out the PID to list the processes");
	}
	s->has_checked_named = true;
	return 0;
}

/* --- output --- */

#define FIGURES "pid,ppid,cpu_percent,mem_percent,rss_bytes,state,elapsed_time,"

/* Returns whether a session has a branch or task, which then get columns. */
static bool has_tasks(const struct processes_state *s)
{
	for (size_t i = 0; s->options.is_for_people && i < s->list.count; i++) {
		const struct process_row *row = s->list.all[i].row;

		if (row->branch_state == SOOTH_STATE_VALUE || row->task_state == SOOTH_STATE_VALUE)
			return true;
	}
	return false;
}

static const char *usual_columns(const struct processes_state *s)
{
	const struct processes_options *o = &s->options;

	if (o->emits_versions)
		return "pid,user,agent,version,newest_version,flags,project";
	if (o->is_tree && o->shown != PROCESSES_ALL)
		return FIGURES "name,role,role_name,agent,version,project,flags,"
			       "activity_since_s,activity_text";
	if (o->shown != PROCESSES_ALL && !o->pid_count)
		return has_tasks(s) ? FIGURES "role,agent,version,project,branch,task,flags,"
					      "activity_since_s,activity_text"
				    : FIGURES "role,agent,version,project,flags,activity_since_s,"
					      "activity_text";
	return FIGURES "name,role,agent,flags,command";
}

static const char *make_columns(struct processes_state *s)
{
	const struct processes_options *o = &s->options;

	buffer_reset(&s->columns);
	buffer_string(&s->columns, o->columns ? o->columns : usual_columns(s));
	if (o->more)
		buffer_format(&s->columns, ",%s", o->more);
	return buffer_cstr(&s->columns);
}

/* Returns the text for an empty list: unreadable processes may be agents. */
static const char *none_known(const struct processes_options *o)
{
	return o->agent	    ? "this agent was not found among the readable processes"
	       : o->has_uid ? "no agents of this user were found among the readable processes"
			    : "no agents were found among the readable processes";
}

static const char *why_empty(const struct processes_state *s)
{
	const struct processes_options *o = &s->options;

	if (o->shown == PROCESSES_ALL || o->pid_count || !s->host.process_table.last_ns)
		return "no processes were seen";
	if (s->list.unknown || s->host.process_table.hides_users)
		return none_known(o);
	if (o->agent)
		return "this agent is not running here; `sooth ps` lists others";
	if (o->has_uid)
		return "no agents of this user are running here; `sooth ps` lists others'";
	return "no agents are running here; `sooth ps -a` lists every process";
}

static int emit_processes(struct processes_state *s, struct sooth_error *err)
{
	struct section section = {
		.name = "processes",
		.schema = &process_row_schema,
		.shape = SECTION_TABLE,
		.columns = make_columns(s),
		.tree = s->options.is_tree ? "name" : NULL,
		.depth = "depth",
		.alarm = "is_over_threshold",
		.below = "finding",
		.spare =
			"mem_percent,ppid,state,cwd,command,session_id,terminal,user,open_files,"
			"threads,version,elapsed_time,role_name,role,branch,task,rss_bytes,project,"
			"cpu_percent,"
			"activity_since_s,flags,agent",
		.hides_spare = true,
		.if_empty = why_empty(s),
	};
	int status = output_section(s->output, &section, err);

	for (size_t i = 0; i < s->list.count && !status; i++)
		status = output_record(s->output, &s->list.all[i].row->record, err);
	/* The section is a local variable: close it before it goes out of scope. */
	return status ? status : output_close_section(s->output, err);
}

/* Lists the processes, whichever were selected. */
static int list_processes(struct processes_state *s, struct sooth_error *err)
{
	process_list_fini(&s->list);
	if (process_list_make(&s->list, &s->host, &s->options))
		return error_no_memory(err);
	return make_rows(s, err);
}

static int emit_sections(const struct host_emit *emit, struct sooth_error *err)
{
	int status = host_emit_sessions(emit, err);

	if (!status)
		status = host_emit_short_lived(emit, err);
	if (!status)
		status = host_emit_installed(emit, err);
	return status ? status : host_emit_totals(emit, err);
}

static int emit_host_and_processes(struct processes_state *s, struct sooth_error *err)
{
	struct host_emit emit = { s->output, &s->host, &s->list, &s->options };
	int status = host_state_resolve(&s->host, err);
	struct first_answers *answers = s->options.answers;
	bool is_by_stream = !s->options.pid_count;

	/* A diagnosis also selects the processes that the process waits for, even ended ones. */
	if (is_by_stream) {
		s->options.pids = (const void *)s->host.asked.data;
		s->options.pid_count = s->host.asked.size / sizeof(uint32_t);
	}
	if (!status && answers)
		status = answers->resolve(answers, err);
	if (!status)
		status = list_processes(s, err);
	if (!status && !is_by_stream)
		status = check_named(s, err);
	if (status)
		return status;
	if (s->options.reported && s->list.count)
		*s->options.reported = (struct processes_reported){ s->list.all[0].p->id,
			s->list.all[0].p->agent };
	if (s->host.process_table.refused)
		output_limit(s->output, "some processes",
			"there are more processes than sooth can keep: the rest is left out", "");
	/* only once, not for each process that starts or ends */
	if (!s->has_reported_unknown)
		s->has_reported_unknown = host_emit_limits(&emit);
	status = host_emit_host(&emit, err);
	if (!status && s->options.emits_versions)
		status = host_emit_versions(&emit, err);
	if (!status)
		status = emit_processes(s, err);
	if (!status)
		status = host_emit_reasons(&emit, err);
	if (!status && !s->options.emits_versions)
		status = emit_sections(&emit, err);
	return status;
}

/* Selects the processes that a screen shows, as trees. */
static void choose_all(struct processes_state *s)
{
	s->options.is_tree = true;
	s->options.shown = *s->options.shows_all ? PROCESSES_ALL : PROCESSES_SESSIONS;
}

static int emit_frame(struct processes_state *s, struct sooth_error *err)
{
	enum processes_shown listed = s->options.shown;
	int status;

	if (!s->options.shows_all)
		return emit_host_and_processes(s, err);
	s->options.is_tree = false;
	if (!s->options.emits_list)
		choose_all(s);
	status = emit_host_and_processes(s, err);
	if (!status && s->options.emits_list) {
		choose_all(s);
		status = list_processes(s, err);
		status = status ? status : emit_processes(s, err);
	}
	s->options.shown = listed;
	return status;
}

static int finish(void *state, struct sooth_error *err)
{
	struct processes_state *s = state;
	bool is_by_stream = !s->options.pid_count;
	int status = emit_frame(s, err);

	if (!s->options.is_repeated)
		return status;
	process_list_fini(&s->list);
	if (is_by_stream)
		s->options.pid_count = 0;
	host_state_next_interval(&s->host);
	return status;
}

static void fini(void *state)
{
	struct processes_state *s = state;

	process_list_fini(&s->list);
	host_state_fini(&s->host);
	buffer_fini(&s->columns);
	buffer_fini(&s->rows);
}

static const struct sooth_schema *const tables[] = { &process_row_schema, &reason_row_schema,
	&session_row_schema, &installed_row_schema, &short_lived_row_schema, NULL };

const struct stage_type stage_processes = {
	.name = "processes",
	.help = "processes with CPU, memory, agent and session",
	.probe = "proc",
	.shows = "proc",
	.is_same_by_fallback = true,
	.tables = tables,
	STAGE_FUNCTIONS(struct processes_state),
};
