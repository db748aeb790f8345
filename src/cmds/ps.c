/* SPDX-License-Identifier: BSD-2-Clause */
/* sooth ps: lists the agents of this host, or all its processes. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "recognize/agent_set.h"
#include "analyze/answer/first_answers.h"
#include "analyze/processes/process_list.h"
#include "analyze/processes/processes.h"
#include "base/cleanup.h"
#include "base/units.h"
#include "cli/user_agents/user_agents.h"
#include "cli/command/columns.h"
#include "cli/command/command.h"
#include "cli/diagnosing.h"
#include "cli/output/output.h"
#include "cli/output/own_report.h"
#include "cli/top/columns.h"
#include "cli/top_run.h"
#include "model/filter.h"
#include "model/row_list.h"
#include "model/schema.h"

#define INTERVAL_NS  (200 * NS_PER_MS) /* enough for one decimal of a percent */
#define VERBOSE	     "threads,open_files,user,terminal,session_id,cwd"
#define TRANSCRIPT   "status,activity_ago_s,tool,tool_ago_s"
#define FINDER_PIDS  32 /* processes that --alert-on finding diagnoses at most */
#define WAITS_MOST   16 /* selected processes; with more, reading their waits takes too long */
#define ONE_SNAPSHOT 1	/* ns: the run ends with the first sample */

/* --- the agents that sooth knows --- */

#define AGENT_ROW(F, S)                                                                            \
	F(S, TEXT, name, ALWAYS, "id of the agent, as in the column AGENT", .label = "AGENT")      \
	F(S, TEXT, title, ALWAYS, "display name of the agent")                                     \
	F(S, TEXT, tried, ALWAYS,                                                                  \
		"versions of the agent that the rules were tested with, or \"not tried\"")         \
	F(S, BOOL, is_tried, ALWAYS, "the rules were tested with a real version of the agent",     \
		.is_hidden = true)                                                                 \
	F(S, U32, rules, ALWAYS, "number of rules that recognize the agent")                       \
	F(S, TEXT, source, ALWAYS, "\"built in\", or the user's file that describes the agent")

ROW_TABLE(agent, AGENT_ROW, "agents", agent_row);

#define EXIT_BROKEN 2 /* exit status, as for every wrong setting of the user */
#define BUILT_IN    "built in"
#define SOURCE_SIZE (AGENT_FILE_NAME_MAX + 64)
#define NOTE_SIZE   320

struct user_list {
	struct output *output;
	struct agent_set *agents;
	bool *has_broken;
};

/* Reports a wrong agent file as every command does; the notes of this report have it too. */
static int report_wrong_agent_file(void *user, const char *path, const struct buffer *text,
	const struct sooth_error *failure, struct sooth_error *err)
{
	struct user_list *list = user;
	struct sooth_error refusal;
	char what[NOTE_SIZE], why[NOTE_SIZE];

	(void)err;
	if (text) {
		if (!agent_set_add(
			    list->agents, path, (const char *)text->data, text->size, &refusal))
			return 0;
		failure = &refusal;
	}
	*list->has_broken = true;
	command_print_error(failure);
	user_agents_note(failure, what, why, sizeof(what));
	output_limit(list->output, what, why, failure->remedy);
	return 0;
}

static int emit_agent(struct output *o, const struct agent *a, const struct agent_text *own,
	struct sooth_error *err)
{
	struct agent_row row = { .rules = (uint32_t)agent_rule_count(a),
		.is_tried = a->tried != NULL };
	char source[SOURCE_SIZE] = BUILT_IN;

	if (own)
		snprintf(source, sizeof(source), "%s%s", own->file,
			own->replaces ? ", instead of the built-in one" : "");
	struct record_tail tail[] = { tail_string(&row.name, a->name),
		tail_string(&row.title, a->title),
		tail_string(&row.tried, a->tried ? a->tried : "not tried"),
		tail_string(&row.source, source) };
	return OUTPUT_ROW(o, &row, tail, ARRAY_SIZE(tail), err);
}

static int emit_agents(struct output *o, void *has_broken, struct sooth_error *err)
{
	static const struct section section = SECTION_OF("agents", agent_schema, TABLE);
	struct user_list list = { o, agent_set_new(), has_broken };
	const struct agent *agent;
	size_t position = 0;
	int status = list.agents ? user_agents_visit(report_wrong_agent_file, &list, err)
				 : error_no_memory(err);

	if (!status)
		status = output_section(o, &section, err);
	while (!status && (agent = agent_set_next(list.agents, &position)))
		status = emit_agent(o, agent, agent_set_text(list.agents, agent), err);
	agent_set_unref(list.agents);
	return status;
}

/* Emits the known agents. Returns the exit status (2 if an agent of the user is wrong), or a
 * negative errno with err filled. */
static int agent_list_emit(const struct output_options *options, const struct arguments *arguments,
	struct sooth_error *err)
{
	bool has_broken = false;
	int status;

	if (arguments->count || arguments->command) {
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "use --list-agents with \"%s\"",
			arguments->count ? arguments->items[0] : "--");
		error_why(err,
			"--list-agents lists the agents that sooth knows, not running processes");
		return error_remedy(
			err, "`sooth ps --why` lists running agents and how sooth recognized them");
	}
	status = own_report_emit("agents", options, emit_agents, &has_broken, err);
	return status || !has_broken ? status : EXIT_BROKEN;
}

/* --- the command --- */

struct ps_config {
	struct target_options target;
	struct output_options output;
	struct {
		bool is_tree;
		bool why;
		bool transcript;
		bool list_agents;
		bool check_version;
		uint64_t interval_ns;
		double cpu_over;
		uint64_t rss_over;
		uint64_t watch_ns;
		bool has_bell, has_desktop;
		const char *on_alert;
		struct option_list alert_on;
		struct option_list columns;
		const char *sort;
	} ps;
};

static const struct ps_config ps_defaults = { .ps = { .interval_ns = INTERVAL_NS } };

static const struct option ps_options[] = {
	FLAG_ROW('t', "tree", ps_config, ps.is_tree,
		"whole sessions as trees, with the role of each process"),
	VALUE_ROW('i', "interval", DURATION, "TIME", ps_config, ps.interval_ns,
		"time over which CPU is measured (200ms); 0: one sample, without CPU",
		.max = 3600 * NS_PER_S),
	VALUE_ROW(0, "columns", LIST, "LIST", ps_config, ps.columns,
		"columns of the table by name or heading; +NAME adds one; help lists them"),
	VALUE_ROW(0, "sort", TEXT, "[-]COLUMN", ps_config, ps.sort,
		"sort column, with - descending (urgency; with -a -cpu_percent)"),
	VALUE_ROW('k', "cpu-over", REAL, "PCT", ps_config, ps.cpu_over,
		"flag processes above this CPU share (percent of one core)", .max = 1000000),
	VALUE_ROW('m', "rss-over", MEGABYTES, "SIZE", ps_config, ps.rss_over,
		"flag processes above this resident memory: 512 (in MB), 512M, 2G"),
	VALUE_ROW('w', "watch", DURATION, "[N]", ps_config, ps.watch_ns,
		"refresh every N seconds (default 2), on a terminal in `sooth top`; a PID after it "
		"needs N",
		.default_value = "2", .min = 100 * NS_PER_MS, .max = 3600 * NS_PER_S),
	FLAG_ROW(0, "bell", ps_config, ps.has_bell, "with -w: ring the bell on an alert"),
	FLAG_ROW(0, "desktop", ps_config, ps.has_desktop,
		"with -w: a notice on the desktop on an alert, by notify-send"),
	VALUE_ROW(0, "alert-on", LIST, "LIST", ps_config, ps.alert_on,
		"with -w: alert not only on -k and -m: waits-for-user or another activity, "
		"finding, a finding's id or severity, end"),
	VALUE_ROW(0, "on-alert", TEXT, "PROGRAM", ps_config, ps.on_alert,
		"with -w: program to run on an alert and when it clears, JSON on its stdin"),
	FLAG_ROW(0, "why", ps_config, ps.why, "show the rule that recognized each agent"),
	FLAG_ROW(0, "transcript", ps_config, ps.transcript,
		"also the last tool call of an agent, from its log"),
	FLAG_ROW(0, "check-version", ps_config, ps.check_version,
		"list installed versions of agents, and processes that run an older one"),
	FLAG_ROW(0, "list-agents", ps_config, ps.list_agents,
		"list known agents instead of processes"),
};

static const struct option_group groups[] = {
	OPTION_GROUP("Processes", ps_options, 0),
	TARGET_GROUP(struct ps_config, target),
	OUTPUT_GROUP(struct ps_config, output),
	FILE_GROUP(struct ps_config, output),
	SAVE_GROUP(struct ps_config, output),
};

static const struct option_rule rules[] = {
	{ OPTION_ALONE, "list-agents", "json,format,color,filter,output",
		"--list-agents prints the agents that sooth knows and checks no process", NULL },
	{ OPTION_PER_PROCESS, "interval", "watch",
		"with -w the CPU use is measured between two refreshes",
		"-w N sets the seconds between two refreshes" },
	OPTION_OVER("interval"),
	{ OPTION_PER_PROCESS, "check-version", "all",
		"--check-version lists agents only: other processes have no known versions", NULL },
};

/* The view of the report, with texts that the view borrows. */
struct ps_view {
	struct processes_options options;
	struct target_found found;
	struct buffer typed, more; /* names of columns */
	struct alert_options alerts;
	const char *finder[FINDER_PIDS + 12];
	char finder_on[1024]; /* the findings to alert on */
	char finder_pids[FINDER_PIDS][16];
};

static void fill_options(const struct ps_config *c, struct ps_view *v)
{
	v->options = (struct processes_options){
		.shown = c->target.all	 ? PROCESSES_ALL
			 : c->ps.is_tree ? PROCESSES_SESSIONS
					 : PROCESSES_AGENTS,
		.is_tree = c->ps.is_tree,
		.is_verbose = c->output.verbose,
		.hides_sessions = !c->output.verbose,
		.emits_versions = c->ps.check_version,
		.hide_ended = true,
		.pids = target_found_pids(&v->found),
		.pid_count = target_found_count(&v->found),
		.adds_children = target_has_groups(&c->target),
		.may_lack_pids = v->found.is_searched,
		.has_uid = v->found.has_user,
		.uid = v->found.user,
		.cpu_over_percent = c->ps.cpu_over,
		.rss_over_bytes = c->ps.rss_over,
		.is_repeated = c->ps.watch_ns != 0,
	};
}

static void add_missing(struct buffer *columns, const char *names)
{
	while (*names) {
		size_t size = strcspn(names, ",");
		char name[64];

		snprintf(name, sizeof(name), "%.*s", (int)size, names);
		if (!columns_have(buffer_cstr(columns), name))
			columns_add(columns, name);
		names += size + (names[size] == ',');
	}
}

static int choose_columns(const struct ps_config *c, struct ps_view *v, struct sooth_error *err)
{
	bool is_more;
	int status;

	if (c->output.verbose)
		columns_add(&v->more, VERBOSE);
	if (c->ps.why)
		columns_add(&v->more, "rule");
	if (c->ps.transcript)
		columns_add(&v->more, TRANSCRIPT);
	status = columns_choose(&v->typed, &is_more, &process_row_schema, &c->ps.columns, err);
	if (status)
		return status;
	if (is_more && v->typed.size)
		columns_add(&v->more, buffer_cstr(&v->typed));
	/* Columns that other options need follow the chosen columns. */
	if (!is_more && c->ps.why)
		add_missing(&v->typed, "rule");
	if (!is_more && c->ps.transcript)
		add_missing(&v->typed, TRANSCRIPT);
	/* The column "name" draws the lines of a tree. */
	if (!is_more && c->ps.is_tree && !columns_have(buffer_cstr(&v->typed), "name"))
		columns_add(&v->typed, "name");
	if (!is_more)
		v->options.columns = buffer_cstr(&v->typed);
	else if (v->more.size)
		v->options.more = buffer_cstr(&v->more);
	if (buffer_failed(&v->typed) || buffer_failed(&v->more))
		return error_no_memory(err);
	if (!c->ps.sort)
		return 0;
	return columns_sort(
		&v->options.sort, &v->options.is_descending, &process_row_schema, c->ps.sort, err);
}

static int report_processes(const struct ps_config *c, const struct arguments *arguments,
	struct ps_view *v, struct sooth_error *err)
{
	/* The filter selects rows, not records: an owner may be any process of the capture. */
	struct target_found whole = { .capture = v->found.capture };
	bool is_brief = !c->target.all && !v->options.pid_count;
	const char *sink = output_sink_name(&c->output, c->ps.watch_ns != 0);
	unsigned interest = SOOTH_SAMPLE | (is_brief ? SOOTH_BRIEF : 0) | SOOTH_TRANSCRIPT |
			    (c->ps.interval_ns ? 0 : SOOTH_ONCE);
	struct check_settings settings;
	size_t count = 0;
	int status;
	struct run run = {
		.name = "ps",
		.target = &c->target,
		.output = &c->output,
		.arguments = arguments,
		.found = v->found.capture ? &whole : &v->found,
		.views = { { "processes", &v->options } },
		.allowed = TOP_TARGETS,
		.options.duration_ns = c->ps.interval_ns ? c->ps.interval_ns : ONE_SNAPSHOT,
	};
	struct watch_options watch = {
		.schema = "proc.snapshot", .interval_ns = c->ps.watch_ns, .alerts = &v->alerts
	};

	v->options.is_for_people = !strcmp(sink, "text") || !strcmp(sink, "table");
	if (!v->options.sort && !c->target.all)
		v->options.sort = sooth_schema_field(&process_row_schema, "urgency");
	if (c->ps.watch_ns) {
		run.watch = &watch;
		run.observer.sample_ns = c->ps.watch_ns;
		run.options.duration_ns = 0;
		/* This probe starts before the first sample, so that no exit is missed. */
		run.probes[count++] = (struct run_probe){ "short_lived", SOOTH_STREAM };
	}
	run.probes[count++] = (struct run_probe){ "proc", interest };
	/* Sockets and waits show what an agent waits for. */
	run.probes[count++] = (struct run_probe){ "sockets",
		SOOTH_SAMPLE | SOOTH_BRIEF | SOOTH_DETAIL | (c->ps.interval_ns ? 0 : SOOTH_ONCE) };
	if (v->options.pid_count <= WAITS_MOST)
		run.probes[count] = (struct run_probe){ "waits",
			SOOTH_SAMPLE | SOOTH_BRIEF | (c->ps.interval_ns ? 0 : SOOTH_ONCE) };
	v->options.answers = c->ps.watch_ns ? NULL : diagnosing_first_answers(&settings);
	status = run_report(&run, err);
	first_answers_free(v->options.answers);
	return status;
}

static int check_watch(const struct ps_config *c, struct sooth_error *err)
{
	bool has_event = c->ps.cpu_over > 0 || c->ps.rss_over || c->ps.alert_on.count;

	if (!c->ps.has_bell && !c->ps.has_desktop && !c->ps.on_alert && !c->ps.alert_on.count)
		return 0;
	if (c->ps.watch_ns && has_event)
		return 0;
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "report alerts");
	error_why(err, c->ps.watch_ns ? "none of -k, -m and --alert-on says what to alert on"
				      : "--bell, --desktop, --alert-on and --on-alert need -w");
	return error_remedy(err, "sooth ps -w --alert-on waits-for-user --on-alert PROGRAM");
}

/* Sets the command that diagnoses beside the list: the selected processes, or else all agents. */
static void find_words(const struct ps_config *c, struct ps_view *v)
{
	const char **word = v->finder;
	size_t count = v->options.pid_count < FINDER_PIDS ? v->options.pid_count : FINDER_PIDS;

	*word++ = "sooth";
	*word++ = "diagnose";
	*word++ = "-w";
	*word++ = "--on-alert";
	*word++ = c->ps.on_alert ? c->ps.on_alert : "true";
	*word++ = "--alert-on";
	*word++ = v->finder_on;
	if (c->ps.has_desktop)
		*word++ = "--desktop";
	if (c->target.user) {
		*word++ = "-u";
		*word++ = c->target.user;
	}
	for (size_t i = 0; i < count; i++) {
		snprintf(v->finder_pids[i], sizeof(v->finder_pids[i]), "%u", v->options.pids[i]);
		*word++ = v->finder_pids[i];
	}
	*word = NULL;
}

static const struct alert_help alert_help = {
	.events = "finding, the id of a finding, a severity (and all that are worse), end",
	.remedy = "sooth ps -w --alert-on waits-for-user,finding,end --on-alert PROGRAM"
};

static int choose_alerts(const struct ps_config *c, struct ps_view *v, struct sooth_error *err)
{
	v->alerts = (struct alert_options){ .cpu_percent = c->ps.cpu_over,
		.rss_bytes = c->ps.rss_over,
		.is_any_end = v->options.pid_count != 0,
		.has_bell = c->ps.has_bell,
		.has_desktop = c->ps.has_desktop,
		.command = c->ps.on_alert };
	if (alert_choose(&v->alerts.on, &c->ps.alert_on, &process_row_schema, &alert_help, err))
		return -EINVAL;
	if (alert_wants_findings(&v->alerts.on)) {
		alert_finding_words(&v->alerts.on, v->finder_on, sizeof(v->finder_on));
		find_words(c, v);
		v->alerts.finder = v->finder;
	}
	return 0;
}

/* --- on a terminal --- */

/* Returns whether the filter of the screen accepts the text. */
static bool fits_screen(const char *text)
{
	struct filter *filter = NULL;
	struct sooth_error ignored;
	bool fits = strlen(text) < TOP_FILTER_SIZE && !filter_new(&filter, text, &ignored) &&
		    filter_fits_schema(filter, &process_row_schema);

	filter_free(filter);
	return fits;
}

/* Returns whether the list opens as a screen. The screen has columns of its own, and shows whole
 * sessions beside the rows of alerts. */
static bool is_for_screen(const struct ps_config *c, const struct ps_view *v)
{
	const struct sooth_field *sort = v->options.sort;
	bool has_alerts = c->ps.cpu_over > 0 || c->ps.rss_over || c->ps.alert_on.count;
	bool has_columns = c->ps.columns.count || c->ps.why || c->ps.transcript ||
			   c->ps.check_version || c->output.verbose;

	return c->ps.watch_ns && !v->found.capture && !has_columns &&
	       (!sort || (!c->ps.is_tree && top_column_of(sort->name, c->target.all))) &&
	       (!c->output.filter || (!has_alerts && fits_screen(c->output.filter))) &&
	       top_run_is_possible(&c->output);
}

static int show_screen(const struct ps_config *c, const struct arguments *arguments,
	const struct ps_view *v, struct sooth_error *err)
{
	const struct sooth_field *sort = v->options.sort;
	const struct top_column *column = sort ? top_column_of(sort->name, c->target.all) : NULL;
	struct settings texts = { .help = "sooth help top" };
	struct top_settings s = TOP_DEFAULTS;
	int status = top_settings_read(&s, &texts, &(struct arguments){ 0 }, err);

	s.interval_ns = c->ps.watch_ns;
	s.is_tree = c->ps.is_tree;
	s.sort = column ? column->name : c->target.all ? NULL : s.sort;
	s.cpu_over = c->ps.cpu_over > 0 ? c->ps.cpu_over : s.cpu_over;
	s.rss_over = c->ps.rss_over ? c->ps.rss_over : s.rss_over;
	s.has_bell |= c->ps.has_bell;
	s.has_desktop |= c->ps.has_desktop;
	if (c->ps.alert_on.count)
		s.alert_on = c->ps.alert_on;
	if (c->ps.on_alert)
		s.on_alert = c->ps.on_alert;
	s.is_program_users &= !c->ps.on_alert;
	if (!status)
		status = top_run(&(struct top_run){ .settings = s,
					 .target = &c->target,
					 .found = &v->found,
					 .arguments = arguments,
					 .output = &c->output,
					 .filter = c->output.filter,
					 .is_reversed = column && v->options.is_descending !=
									  top_column_falls(column),
					 .finder = v->alerts.finder },
			err);
	settings_fini(&texts);
	return status;
}

static int run_ps(void *config, const struct arguments *arguments, struct sooth_error *err)
{
	struct ps_config *c = config;
	struct ps_view v = { 0 };
	int status;

	if (columns_want_help(&c->ps.columns)) {
		columns_help(&process_row_schema);
		return 0;
	}
	if (c->ps.list_agents)
		return agent_list_emit(&c->output, arguments, err);
	status = check_watch(c, err);
	if (!status)
		status = target_find(&c->target, arguments, TOP_TARGETS, &v.found, err);
	if (!status) {
		fill_options(c, &v);
		status = choose_columns(c, &v, err);
	}
	if (!status)
		status = choose_alerts(c, &v, err);
	if (!status)
		status = is_for_screen(c, &v) ? show_screen(c, arguments, &v, err)
					      : report_processes(c, arguments, &v, err);
	target_found_fini(&v.found);
	buffer_fini(&v.typed);
	buffer_fini(&v.more);
	return status;
}

static const struct command_table tables[] = { { "agents", &agent_schema }, { 0 } };

const struct command command_ps = {
	.tables = tables,
	.main_options =
		"watch,tree,all,why,cpu-over,rss-over,sort,alert-on,check-version,json,filter",
	.name = "ps",
	.summary = "the agents on this host",
	.usage = "[-a] [-t] [-v] [-j] [--columns LIST] [--sort COLUMN] [PID|NAME... | FILE.sooth]",
	.about = "Lists AI coding agents with CPU, memory, role, version and project, and "
		 "processes that\nagents left behind: orphans, MCP servers without a client. CPU "
		 "is measured over an\ninterval, never averaged over a lifetime.",
	.examples = "  sooth ps                 the agents, and what they left behind\n  sooth ps "
		    "-t              whole sessions as trees, with roles\n  sooth ps -a -i 2       "
		    "  every process, CPU over two seconds\n  sooth ps --why           and the "
		    "rule that recognized each\n  sooth ps -w              sooth top; piped: a "
		    "table every two seconds\n  sooth ps -w 2 4711       one process: the first "
		    "number is the interval\n  sooth ps -w --alert-on waits-for-user --on-alert "
		    "./notify\n  sooth ps --columns +user,container --sort -rss\n  sooth ps -j "
		    "4711         one process as JSON\n",
	COMMAND_GROUPS(groups),
	OPTION_RULES(rules),
	.config_size = sizeof(struct ps_config),
	.defaults = &ps_defaults,
	.run = run_ps,
};
