/* SPDX-License-Identifier: BSD-2-Clause */
/* Sections: host, sessions, reasons, versions, totals. */
#include "analyze/processes/host_emit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/processes/process_emit.h"
#include "base/cleanup.h"
#include "base/error_remedy.h"
#include "base/units.h"

/* --- fields --- */

static ROW_SCHEMA(host_row, HOST_ROW, "host", host_row);
ROW_SCHEMA(session_row, SESSION_ROW, "sessions", session_row);

ROW_SCHEMA(reason_row, REASON_ROW, "reasons", reason_row,
	.line = "{pid} ({name}) {verdict}[: {reason}]");

#define PROBLEM_ROW(F, S) F(S, TEXT, text, ALWAYS, "a verdict, its processes, and what to do")
ROW_TABLE(problem, PROBLEM_ROW, "reasons", problem_row, .line = "{text}");

ROW_SCHEMA(installed_row, INSTALLED_ROW, "installed", installed_row);
static ROW_SCHEMA(totals_row, TOTALS_ROW, "totals", totals_row,
	.line = "total of {processes}: {cpu_percent} % CPU, {rss_human} resident ({mem_percent} % "
		"of memory; shared pages counted once per process)[, above a threshold: "
		"{over_threshold}]");

/* --- sections --- */

#define UNKNOWN	     SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED)
#define UNDECIDED    SOOTH_NOT_MEASURED(SOOTH_REASON_UNDECIDED)
#define PROBLEM_PIDS 8	      /* most PIDs in the line of a problem */
#define CONTRACT     "claude" /* the scan contract has its newest version */

/* --- the host --- */

struct verdict_count {
	uint32_t count;
	uint8_t state; /* undecided for every process: not measured */
};

/* Counts processes for which a verdict is decided; a limit reports the others. */
static struct verdict_count count_verdict(const struct process_list *list, enum verdict_kind kind)
{
	struct verdict_count sum = { 0 };
	bool is_diagnosed = false;
	uint8_t undecided = 0;

	for (size_t i = 0; i < list->count; i++) {
		const struct verdict *v = list->all[i].verdicts;

		if (!v)
			continue;
		sum.count += v[kind].holds;
		is_diagnosed |= v[kind].state == SOOTH_STATE_VALUE;
		if (state_is_unmeasured(v[kind].state))
			undecided = v[kind].state;
	}
	if (kind == VERDICT_ORPHANED && list->undecided && !undecided)
		undecided = UNDECIDED;
	if (!is_diagnosed)
		sum.state = undecided;
	return sum;
}

/* Adds a limit about what the user may not see, with its remedy. */
static void emit_refused(
	const struct host_emit *t, const char *what, const char *reason, const char *remedy)
{
	char text[ERROR_REMEDY_SIZE];

	output_limit(t->output, what, reason,
		error_remedy_of(text, sizeof(text), remedy, t->host->process_table.is_of_root));
}

static bool emit_unknown(const struct host_emit *t)
{
	size_t count = t->list->unknown;
	char what[64];

	if (!count)
		return false;
	snprintf(what, sizeof(what), "%zu unreadable process%s", count, count == 1 ? "" : "es");
	emit_refused(t, what,
		"permission denied; some of these processes may be agents or left by agents",
		"run sooth as root");
	return true;
}

static bool emit_hidden(const struct host_emit *t)
{
	if (!t->host->process_table.hides_users)
		return false;
	emit_refused(t, "other users' processes",
		"/proc is mounted with hidepid, which hides other users' processes",
		"run sooth as root, or join the group that the mount option gid= of /proc names");
	return true;
}

static bool emit_undecided(const struct host_emit *t)
{
	size_t count = t->list->undecided;
	char what[80];

	if (!count)
		return false;
	snprintf(what, sizeof(what), "%zu possible orphan%s", count, count == 1 ? "" : "s");
	output_limit(t->output, what, "sooth could not decide whether these processes are orphans",
		"`sooth ps -t -v` shows the reason for each process");
	return true;
}

bool host_emit_limits(const struct host_emit *t)
{
	bool is_unknown = emit_unknown(t), is_undecided = emit_undecided(t);

	return emit_hidden(t) || is_unknown || is_undecided;
}

static const struct agent *agent_called(const struct process_table *c, const char *name)
{
	buffer_each (const struct process_table_installed, installed, &c->installed) {
		if (installed->agent && !strcmp(installed->agent->name, name))
			return installed->agent;
	}
	process_table_for_each (c, p) {
		if (p->agent && !strcmp(p->agent->name, name))
			return p->agent;
	}
	return NULL;
}

/* Returns the newest version in any home: the scan contract has one per host. */
static struct span newest_on_host(const struct process_table *c, const struct agent *agent)
{
	const struct process_table_installed *installed = (const void *)c->installed.data;
	struct span newest = verdict_newest(c, agent, UINT32_MAX);

	for (size_t i = 0; i < c->installed.size / sizeof(*installed); i++) {
		struct span version = process_table_text(c, &installed[i].version);

		if (installed[i].agent == agent && version.size &&
			(!newest.size || version_compare(version, newest) > 0))
			newest = version;
	}
	return newest;
}

int host_emit_host(const struct host_emit *t, struct sooth_error *err)
{
	static const struct section section = SECTION_OF("host", host_row_schema, INLINE);
	const struct stream_segment *segment = t->host->segment;
	struct verdict_count orphaned = count_verdict(t->list, VERDICT_ORPHANED);
	struct verdict_count outdated = count_verdict(t->list, VERDICT_OUTDATED);
	struct verdict_count abandoned = count_verdict(t->list, VERDICT_ABANDONED);
	const struct agent *agent = agent_called(&t->host->process_table, CONTRACT);
	struct span latest =
		agent ? newest_on_host(&t->host->process_table, agent) : span_of("", 0);
	struct host_row row = { .process_count = (uint32_t)t->list->count,
		.orphaned_count = orphaned.count,
		.orphaned_state = orphaned.state,
		.outdated_count = outdated.count,
		.outdated_state = outdated.state,
		.abandoned_count = abandoned.count,
		.abandoned_state = abandoned.state,
		.latest_state = latest.size ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT };
	char timestamp[UNITS_SIZE] = "";
	struct span none = span_of("", 0);
	int status = output_section(t->output, &section, err);

	if (segment)
		format_utc(timestamp, host_state_utc(t->host));
	struct record_tail tail[] = {
		tail_string(&row.timestamp, timestamp),
		tail_span(&row.hostname,
			segment ? host_state_text(t->host, &segment->hostname) : none),
		tail_span(&row.os, segment ? host_state_text(t->host, &segment->os) : none),
		tail_span(&row.os_version,
			segment ? host_state_text(t->host, &segment->os_version) : none),
		tail_span(&row.latest_local_version, latest),
	};
	return status ? status : OUTPUT_ROW(t->output, &row, tail, ARRAY_SIZE(tail), err);
}

/* --- reasons --- */

/* Verdicts that are problems, with their meaning and advice. */
static const char *const problems[VERDICTS] = {
	[VERDICT_ORPHANED] = "left running by a session that ended; to end: sooth kill",
	[VERDICT_ABANDONED] = "MCP server without a client; to end: sooth kill",
	[VERDICT_GENERATION] = "a newer process of the MCP server runs; to end: sooth kill",
	[VERDICT_ZOMBIE] = "exited, but not reaped by its parent:",
	[VERDICT_FROZEN] = "stopped; to resume: sooth thaw --any",
};

/* Returns whether a verdict gets a reason: problems always, other verdicts only on request. */
static bool is_reported(const struct host_emit *t, const struct listed *l, enum verdict_kind kind)
{
	const struct verdict *v = &l->verdicts[kind];

	if (v->holds)
		return problems[kind] || t->options->is_verbose;
	return t->options->is_verbose && v->why[0] && state_is_unmeasured(v->state);
}

static int emit_reason(const struct host_emit *t, const struct listed *l, enum verdict_kind kind,
	struct sooth_error *err)
{
	const struct verdict *v = &l->verdicts[kind];
	const struct proc_process *p = l->p->process;
	struct reason_row row = { .record = row_head(&l->p->id),
		.why_state = v->why[0] ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT };
	char verdict[32];

	snprintf(verdict, sizeof(verdict), "%s%s", verdict_name(kind), v->holds ? "" : "?");
	struct record_tail tail[] = {
		tail_string(&row.verdict, verdict),
		tail_text(&row.name, &p->record, &p->name),
		tail_string(&row.why, v->why),
	};
	return OUTPUT_ROW(t->output, &row, tail, ARRAY_SIZE(tail), err);
}

/* Emits a line for each kind of problem with its first processes; FLAGS has all. */
static int emit_problems(const struct host_emit *t, struct sooth_error *err)
{
	static const struct section section = SECTION_OF(
		"reasons", problem_schema, TABLE, .audience = SECTION_BRIEF, .wraps = true);
	int status = output_section(t->output, &section, err);

	for (int kind = 0; kind < VERDICTS && !status; kind++) {
		struct problem_row row = { 0 };
		struct buffer text = { 0 }, pids = { 0 };
		size_t count = 0;

		for (size_t i = 0; i < t->list->count && problems[kind]; i++) {
			const struct listed *l = &t->list->all[i];

			if (listed_holds(l, (enum verdict_kind)kind) && count++ < PROBLEM_PIDS)
				buffer_format(&pids, " %u", l->p->id.pid);
		}
		buffer_format(&text, "%zu %s: %s%s", count, verdict_name((enum verdict_kind)kind),
			problems[kind], buffer_cstr(&pids));
		struct record_tail tail[] = { tail_buffer(&row.text, &text) };
		if (count)
			status = OUTPUT_ROW(t->output, &row, tail, 1, err);
		buffer_fini(&text);
		buffer_fini(&pids);
	}
	return status;
}

int host_emit_reasons(const struct host_emit *t, struct sooth_error *err)
{
	static const struct section section = SECTION_OF(
		"reasons", reason_row_schema, TABLE, .audience = SECTION_DETAIL, .wraps = true);
	int status = emit_problems(t, err);

	if (!status)
		status = output_section(t->output, &section, err);

	for (size_t i = 0; i < t->list->count; i++) {
		const struct listed *l = &t->list->all[i];

		for (int kind = 0; kind < VERDICTS && l->verdicts && !status; kind++) {
			if (is_reported(t, l, (enum verdict_kind)kind))
				status = emit_reason(t, l, (enum verdict_kind)kind, err);
		}
	}
	return status;
}

/* --- versions --- */

static bool is_selected(const struct host_emit *t, const struct process_table_installed *i)
{
	const struct processes_options *o = t->options;

	return i->agent && (!o->agent || !strcmp(i->agent->name, o->agent)) &&
	       (!o->has_uid || i->uid == o->uid || i->uid == UINT32_MAX);
}

static int emit_all_installed(
	const struct host_emit *t, const struct section *section, struct sooth_error *err)
{
	const struct process_table *c = &t->host->process_table;
	int status = output_section(t->output, section, err);

	buffer_each_while (
		const struct process_table_installed, installed, &c->installed, !status) {
		struct span version = process_table_text(c, &installed->version);
		struct installed_row row = { .uid = installed->uid,
			.uid_state = installed->uid == UINT32_MAX ? SOOTH_STATE_ABSENT
								  : SOOTH_STATE_VALUE };

		if (!is_selected(t, installed))
			continue;
		row.is_newest = version_compare(version,
					verdict_newest(c, installed->agent, installed->uid)) >= 0;
		struct record_tail tail[] = {
			tail_string(&row.agent, installed->agent->name),
			tail_span(&row.version, version),
			tail_span(&row.path, process_table_text(c, &installed->path)),
		};
		status = OUTPUT_ROW(t->output, &row, tail, ARRAY_SIZE(tail), err);
	}
	return status;
}

int host_emit_installed(const struct host_emit *t, struct sooth_error *err)
{
	static const struct section section =
		SECTION_OF("installed", installed_row_schema, TABLE, .rows_least = SIZE_MAX);

	return emit_all_installed(t, &section, err);
}

int host_emit_versions(const struct host_emit *t, struct sooth_error *err)
{
	static const struct section section = SECTION_OF("installed", installed_row_schema, TABLE,
		.title = "installed",
		.if_empty = "no installed versions found; NEWEST also counts folders that running "
			    "agents use");

	return emit_all_installed(t, &section, err);
}

/* --- totals --- */

static uint8_t emit_unmeasured(const struct host_emit *t)
{
	output_limit(t->output, "processes above the CPU threshold",
		sooth_reason_text(SOOTH_REASON_INTERVAL),
		"CPU use needs two samples: add an interval, such as -i 200ms");
	return SOOTH_NOT_MEASURED(SOOTH_REASON_INTERVAL);
}

int host_emit_totals(const struct host_emit *t, struct sooth_error *err)
{
	static const struct section section =
		SECTION_OF("totals", totals_row_schema, OBJECT, .wraps = true);
	static const struct section of_none =
		SECTION_OF("totals", totals_row_schema, OBJECT, .audience = SECTION_DETAIL);
	bool has_threshold = t->options->cpu_over_percent > 0 || t->options->rss_over_bytes;
	struct totals_row row = { .processes = (uint32_t)t->list->count,
		.over_state = has_threshold ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT };
	uint64_t memory = host_state_memory(t->host), rss_bytes = 0;
	size_t measured = 0, unknown = 0;
	char human[UNITS_SIZE];
	int status = output_section(t->output, t->list->count ? &section : &of_none, err);

	for (size_t i = 0; i < t->list->count; i++) {
		const struct listed *l = &t->list->all[i];

		rss_bytes += l->p->process->rss_bytes;
		row.cpu_percent += l->cpu_percent > 0 ? l->cpu_percent : 0;
		measured += l->cpu_percent >= 0;
		row.over += l->is_over_cpu_limit || l->is_over_rss_limit;
		unknown += l->is_over_unknown;
	}
	/* If some processes are unmeasured, the count is that of the others. */
	if (unknown && !measured)
		row.over_state = emit_unmeasured(t);
	if (t->list->count && !measured)
		row.cpu_state = SOOTH_NOT_MEASURED(SOOTH_REASON_INTERVAL);
	row.rss_kb = rss_bytes / 1024;
	if (memory)
		row.mem_percent = (double)rss_bytes * 100 / (double)memory;
	else
		row.mem_state = UNKNOWN;
	format_bytes(human, rss_bytes);
	struct record_tail tail[] = { tail_string(&row.rss_human, human) };
	return status ? status : OUTPUT_ROW(t->output, &row, tail, 1, err);
}

/* --- sessions --- */

/* The sessions section: each main process with the sums of its session. */

#define REFUSED SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION)

/* The sums of one session. */
struct session_sum {
	struct session_row row;
	bool has_cpu;
	unsigned verdicts; /* bit set of verdicts that hold for processes of the session */
};

static void add_process(
	struct session_sum *sum, const struct host_state *h, const struct process_entry *p)
{
	double cpu = process_table_cpu_percent(p);
	uint64_t age = host_state_elapsed(h, p);
	bool is_player = p->has_role && (!p->player || p->player == p);

	sum->row.processes++;
	sum->row.tools += is_player && p->role == AGENT_ROLE_TOOL;
	sum->row.mcp_servers += is_player && p->role == AGENT_ROLE_MCP;
	if (!p->has_role && p->role_state)
		sum->row.roles_state = p->role_state;
	sum->row.rss_bytes += p->process->rss_bytes;
	sum->row.cpu_percent += cpu > 0 ? cpu : 0;
	sum->has_cpu |= cpu >= 0;
	if (age > sum->row.oldest_s)
		sum->row.oldest_s = age;
	for (int kind = 0; kind < VERDICTS; kind++) {
		struct verdict v;

		verdict_decide(&h->process_table, p, (enum verdict_kind)kind, &v);
		sum->verdicts |= (unsigned)v.holds << kind;
		/* Without permission a missing flag is no proof that all is well. */
		if ((kind == VERDICT_ORPHANED || kind == VERDICT_ABANDONED) && v.state == REFUSED)
			sum->row.flags_state = REFUSED;
	}
}

static const char *flags_of(
	const struct session_sum *sum, const struct listed *main, char out[FLAGS_SIZE])
{
	struct verdict verdicts[VERDICTS] = { 0 };
	struct listed l = { .verdicts = verdicts, .urgency_flag = main->urgency_flag };

	for (int kind = 0; kind < VERDICTS; kind++)
		verdicts[kind].holds = sum->verdicts >> kind & 1;
	return process_flags(&l, out);
}

static uint8_t text_state(uint8_t state, struct span text)
{
	return state == SOOTH_STATE_VALUE && !text.size ? SOOTH_STATE_ABSENT : state;
}

/* Fills in short-lived processes, which are known only if exits were watched. */
static void fill_short_lived(
	const struct host_emit *t, const struct process_entry *main, struct session_row *row)
{
	const struct short_lived *f = &t->host->short_lived;
	const struct short_lived_group *group = map_get(&f->sessions, &main->id);

	row->fleeting = group ? group->count : 0;
	row->fleeting_state =
		f->is_watched ? SOOTH_STATE_VALUE : SOOTH_NOT_MEASURED(SOOTH_REASON_NOT_REQUESTED);
}

static int emit_session(const struct host_emit *t, const struct listed *listed,
	struct session_sum *sum, struct sooth_error *err)
{
	const struct process_table *c = &t->host->process_table;
	const struct process_entry *main = listed->p;
	struct session_row *row = &sum->row;
	struct span status_text = span_of("", 0);
	char flags[FLAGS_SIZE];

	row->record = row_head(&main->id);
	fill_short_lived(t, main, row);
	if (!sum->has_cpu)
		row->cpu_state = SOOTH_NOT_MEASURED(SOOTH_REASON_INTERVAL);
	row->status_state = SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED);
	if (main->session) {
		status_text = record_text(&main->session->record, &main->session->status);
		row->status_state = text_state(main->session->status_state, status_text);
	}
	struct record_tail tail[] = {
		tail_string(&row->agent, main->agent ? main->agent->name : ""),
		tail_span(&row->project, process_table_text(c, &main->project)),
		tail_span(&row->session_id, process_table_text(c, &main->session_id)),
		tail_span(&row->status, status_text),
		tail_string(&row->flags, flags_of(sum, listed, flags)),
	};
	if (*flags)
		row->flags_state = SOOTH_STATE_VALUE;
	else if (!row->flags_state)
		row->flags_state = SOOTH_STATE_ABSENT;
	row->project_state = text_state(main->project_state, process_table_text(c, &main->project));
	row->session_state =
		text_state(main->session_state, process_table_text(c, &main->session_id));
	return OUTPUT_ROW(t->output, row, tail, ARRAY_SIZE(tail), err);
}

/* Adds all processes in one pass: `sums` is indexed like the main processes of the list. */
static void add_all(const struct host_emit *t, const struct map *places, struct session_sum *sums)
{
	process_table_for_each (&t->host->process_table, p) {
		const size_t *place = p->main ? map_get(places, &p->main->id) : NULL;

		if (place)
			add_process(&sums[*place], t->host, p);
	}
}

int host_emit_sessions(const struct host_emit *t, struct sooth_error *err)
{
	const struct section section = SECTION_OF("sessions", session_row_schema, TABLE,
		.title = "sessions", .spare = "oldest_s,status,mcp_servers,tools,session_id",
		.hides_spare = true, .rows_least = t->options->hides_sessions ? SIZE_MAX : 1);
	_cleanup_free_ struct session_sum *sums = calloc(t->list->count + 1, sizeof(*sums));
	struct map places;
	int status = sums ? output_section(t->output, &section, err) : error_no_memory(err);

	map_init(&places, sizeof(struct process_id), sizeof(size_t), t->list->count + 1);
	for (size_t i = 0; i < t->list->count && !status; i++) {
		size_t *place = t->list->all[i].p->link == PROCESS_LINK_SELF
					? map_put(&places, &t->list->all[i].p->id, NULL)
					: NULL;

		if (place)
			*place = i;
	}
	if (!status)
		add_all(t, &places, sums);
	for (size_t i = 0; i < t->list->count && !status; i++) {
		if (map_get(&places, &t->list->all[i].p->id))
			status = emit_session(t, &t->list->all[i], &sums[i], err);
	}
	map_fini(&places);
	/* The section is a local variable: close it before it goes out of scope. */
	return status ? status : output_close_section(t->output, err);
}
