/* SPDX-License-Identifier: BSD-2-Clause */
/* Decides the activity of a main process from this evidence, in this order: its session file, its
 * log, its processes, its connections, its CPU time, its arguments. */
#include "analyze/activity/activity.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "analyze/activity/activity_request.h"
#include "analyze/activity/activity_tool.h"
#include "analyze/process_table/process_table_versions.h"
#include "analyze/process_table/verdicts.h"
#include "analyze/records.h"
#include "base/units.h"
#include "recognize/agent_path.h"

#define STARTS_NS      (5 * NS_PER_S) /* a younger process that reports nothing still starts */
#define WORKS_LEAST    90.0	      /* percent of one CPU: drawing a question uses less */
#define CROWDED_LEAST  10.0	      /* percent of one CPU: a thread is always ready to run */
#define RUNNABLE_LEAST 2	      /* consecutive samples: drawing makes it runnable in one */
#define SETTLES_NS                                                                                 \
	(1 * NS_PER_S) /* longest time from the call of a tool to the start of its process */
#define OUTDATED_NS    (10 * NS_PER_S) /* a status this much older than the turn was left behind */
#define AGAIN_NS       (3 * NS_PER_S)  /* shortest time between attempts that is seen */
#define PAUSE_NS       (5 * NS_PER_S)  /* longest time from a prompt to the request to the model */
#define CLOCK_SLACK_NS (2 * NS_PER_S)  /* between a write and the sample that reads it */

/* --- the activity --- */

/* Data about one main process, from which its activity is decided. */
struct finding_activity {
	struct activity *a;
	const struct host_state *host;
	const struct process_entry *main;
	const struct process_entry *worker; /* has the connections and the log: main, or a daemon */
	const struct proc_session *session; /* session record of the worker; NULL: none */
	struct activity_tool tool;
	struct activity_request request;
	bool has_tool;
	bool is_headless;
	enum proc_turn turn; /* UNKNOWN also if the log was not read */
};

static void set_activity(struct finding_activity *f, enum activity_state state,
	enum activity_source source, enum activity_confidence confidence)
{
	f->a->state = state;
	f->a->source = source;
	f->a->confidence = confidence;
}

static void set_since(struct finding_activity *f, uint64_t ns)
{
	f->a->has_since = true;
	f->a->since_ns = ns;
}

/* Returns whether a time is in the future: the clock was set back, so the time is useless. */
static bool is_ahead(const struct finding_activity *f, uint64_t utc_ns)
{
	uint64_t now = host_state_utc(f->host);

	return now && utc_ns > now + CLOCK_SLACK_NS;
}

static void set_since_utc(struct finding_activity *f, uint8_t state, uint64_t utc_ns)
{
	uint64_t now = host_state_utc(f->host);

	if (state == SOOTH_STATE_VALUE && now && utc_ns && !is_ahead(f, utc_ns))
		set_since(f, now > utc_ns ? now - utc_ns : 0);
}

static void set_since_status(struct finding_activity *f)
{
	set_since_utc(f, f->session->changed_state, f->session->changed_utc_ns);
}

static void set_since_turn(struct finding_activity *f)
{
	set_since_utc(f, f->session->turn_state, f->session->turn_utc_ns);
}

static struct span text_of(const struct finding_activity *f, const struct sooth_text *text)
{
	return f->session ? record_text(&f->session->record, text) : span_of("", 0);
}

static void set_name(struct finding_activity *f, struct span name)
{
	snprintf(f->a->name, sizeof(f->a->name), "%.*s", SPAN_ARGS(name));
}

/* Returns the name of the tool call that has no result yet; empty: none, or not known. */
static struct span call_of(const struct finding_activity *f)
{
	bool has_call = f->session && f->session->call_state == SOOTH_STATE_VALUE;

	return has_call ? text_of(f, &f->session->call) : span_of("", 0);
}

/* --- what is known of the process --- */

bool activity_has_headless_argument(const struct process_entry *p)
{
	assert(p);

	struct span all = record_text(&p->process->record, &p->process->arguments);
	struct cursor c = cursor_over(all.data, all.size);

	while (p->agent->headless && !cursor_at_end(&c)) {
		if (span_is_word_of(cursor_until(&c, '\0'), p->agent->headless))
			return true;
	}
	return false;
}

/* Returns whether the process runs without a user: by an argument, or as nothing can be typed. */
static bool is_headless(const struct process_entry *p)
{
	uint8_t input = p->links ? p->links->stream[0] : PROC_STREAM_OTHER;

	if (activity_has_headless_argument(p))
		return true;
	return p->links && p->links->stream_state[0] == SOOTH_STATE_VALUE &&
	       (input == PROC_STREAM_NULL || input == PROC_STREAM_FILE);
}

static bool is_at_terminal(const struct finding_activity *f)
{
	const struct proc_ties *links = f->main->links;

	return links && links->stream_state[0] == SOOTH_STATE_VALUE &&
	       links->stream[0] == PROC_STREAM_TERMINAL;
}

/* Returns whether the worker uses a CPU, or only part of one since other processes need it too:
 * then its first thread never waits. An agent that draws now and then is often ready to run on a
 * busy host. */
static bool uses_cpu(const struct finding_activity *f, double least)
{
	double percent = process_table_cpu_percent(f->worker);
	double wanted = process_table_wanted_percent(f->worker);

	return percent >= least ||
	       (f->worker->runnable_samples >= RUNNABLE_LEAST && percent >= CROWDED_LEAST &&
		       (wanted < 0 || wanted >= WORKS_LEAST));
}

/* Returns whether the session file is older than the log, in which the conversation went on. */
static bool is_outdated(const struct finding_activity *f)
{
	const struct proc_session *s = f->session;
	bool is_busy = f->turn == PROC_TURN_MODEL || f->turn == PROC_TURN_TOOL;
	bool is_resting = span_equal(text_of(f, &s->status), "idle") ||
			  span_equal(text_of(f, &s->status), "waiting");

	if (!is_busy || !is_resting || s->changed_state != SOOTH_STATE_VALUE)
		return false;
	if (is_ahead(f, s->changed_utc_ns) && !is_ahead(f, s->turn_utc_ns))
		return true; /* the clock was set back before the turn, and after the status */
	return s->turn_utc_ns > s->changed_utc_ns + OUTDATED_NS;
}

/* Returns whether a request is under way. The log also knows one whose answer stopped. */
static bool has_request(const struct finding_activity *f)
{
	return f->request.is >= ACTIVITY_REQUEST_ANSWERED ||
	       (f->turn == PROC_TURN_MODEL && f->request.socket);
}

static bool has_reported_status(const struct finding_activity *f)
{
	return f->session && f->session->status_state == SOOTH_STATE_VALUE && !is_outdated(f);
}

/* --- each state --- */

static void set_tool(struct finding_activity *f)
{
	const struct activity_tool *tool = &f->tool;

	set_activity(f, ACTIVITY_RUNS_TOOL, ACTIVITY_FROM_PROCESSES, ACTIVITY_HIGH);
	set_since(f, tool->age_ns);
	f->a->pid = tool->matters->id.pid;
	f->a->is_silent_cpu = tool->is_silent_cpu;
	f->a->cpu_percent = tool->cpu_percent;
	f->a->has_cpu = tool->has_cpu;
	f->a->is_tool_stopped = tool->is_stopped;
	f->a->has_output = true;
	f->a->output_state = tool->output_state;
	f->a->is_output_least = tool->is_output_least;
	f->a->output_ns = tool->output_ns;
	snprintf(f->a->command, sizeof(f->a->command), "%s", tool->command);
	set_name(f, call_of(f));
}

/* Sets what the user has to allow: a tool and its command. Claude Code's text "permission prompt"
 * stands for a question about a tool. */
static void set_permission(struct finding_activity *f)
{
	struct span call = call_of(f), asked = span_of("", 0);

	f->a->is_permission = true;
	set_name(f, call.size ? call : span_of_string("a tool"));
	if (f->session && record_holds(&f->session->record, sizeof(*f->session)) &&
		f->session->asked_state == SOOTH_STATE_VALUE)
		asked = text_of(f, &f->session->asked);
	snprintf(f->a->command, sizeof(f->a->command), "%.*s", SPAN_ARGS(asked));
}

static void set_user(struct finding_activity *f)
{
	struct span waiting = text_of(f, &f->session->waiting);

	set_activity(f, ACTIVITY_WAITS_FOR_USER, ACTIVITY_FROM_SESSION_FILE, ACTIVITY_HIGH);
	set_since_status(f);
	if (span_equal(waiting, "permission prompt"))
		set_permission(f);
	else
		set_name(f, waiting);
}

/* Handles the call of an MCP server: "mcp__files__read". */
static bool set_mcp(struct finding_activity *f)
{
	struct span server;

	if (!agent_mcp_server(call_of(f), &server))
		return false;
	set_activity(f, ACTIVITY_TALKS_TO_MCP, ACTIVITY_FROM_LOG, ACTIVITY_HIGH);
	set_since_turn(f);
	set_name(f, server);
	return true;
}

static bool is_newer_than(const struct process_entry *p, const char *since)
{
	struct span version = process_table_version(p);

	return since && version.size && version_compare(version, span_of_string(since)) >= 0;
}

static unsigned deadline_of(const struct process_entry *p)
{
	return is_newer_than(p, p->agent->deadline_since) ? p->agent->deadline_s : 0;
}

/* Returns the silence after which the agent ends its request; 0: unknown. It is unknown if the
 * silence began before the request, or if the data may be no answer. */
static unsigned current_deadline_of(const struct finding_activity *f)
{
	const struct process_entry *p = f->main;
	const struct activity_request *r = &f->request;
	bool is_first = r->has_no_data && f->a->silence_ns <= r->for_ns + CLOCK_SLACK_NS;

	if (r->has_answer)
		return deadline_of(p);
	return is_first && is_newer_than(p, p->agent->first_deadline_since)
		       ? p->agent->first_deadline_s
		       : 0;
}

static bool is_answer_arriving(const struct finding_activity *f)
{
	const struct activity_request *r = &f->request;

	return r->socket && r->has_answer && r->silence_ns < ACTIVITY_SILENT_NS &&
	       (!f->a->has_since || r->silence_ns <= f->a->since_ns);
}

/* Returns whether the last request is another attempt that may have been refused: it was made later
 * than the turn began, data came at once, and none since. */
static bool is_asked_again(const struct finding_activity *f)
{
	const struct activity_request *r = &f->request;

	return f->turn == PROC_TURN_MODEL && f->a->has_since && r->has_for && !r->has_answer &&
	       !r->has_no_data && r->silence_ns >= AGAIN_NS &&
	       f->a->since_ns >= r->socket->sent_ago_ns + AGAIN_NS;
}

/* Sets the state of the model's answer. Data older than the request is not part of the answer;
 * unread data means that the agent is silent, not the model. */
static void set_answer(struct finding_activity *f)
{
	struct activity *a = f->a;

	a->answer = ACTIVITY_ANSWER_AWAITED;
	a->agent = f->main->agent->title;
	if (!f->request.socket)
		return;
	a->socket_inode = f->request.socket->inode;
	a->has_silence = true;
	a->silence_ns = f->request.silence_ns;
	if (a->has_since && a->since_ns < a->silence_ns)
		a->silence_ns = a->since_ns;
	a->deadline_s = current_deadline_of(f);
	if (is_answer_arriving(f))
		a->answer = ACTIVITY_ANSWER_ARRIVES;
	else if (a->silence_ns >= ACTIVITY_SILENT_NS && !f->request.socket->receive_queue_bytes)
		a->answer = ACTIVITY_ANSWER_SILENT;
	a->again_ns = is_asked_again(f) ? f->request.socket->sent_ago_ns : 0;
	a->has_cpu = a->answer == ACTIVITY_ANSWER_SILENT && uses_cpu(f, ACTIVITY_COMPUTES_LEAST);
	a->cpu_percent = process_table_cpu_percent(f->worker);
}

/* Sets that the agent waits for the model: since the turn, which may span several attempts. */
static void set_model(struct finding_activity *f, enum activity_source source)
{
	bool is_seen = f->request.is >= ACTIVITY_REQUEST_ANSWERED;
	bool has_turn = f->turn == PROC_TURN_MODEL;

	set_activity(f, ACTIVITY_WAITS_FOR_MODEL, is_seen ? ACTIVITY_FROM_CONNECTION : source,
		is_seen && (has_turn || has_reported_status(f)) ? ACTIVITY_HIGH : ACTIVITY_MEDIUM);
	if (f->request.socket && f->request.has_for && is_seen)
		set_since(f, f->request.for_ns);
	if (has_turn && (!f->a->has_since || f->session->attempts <= 1))
		set_since_turn(f);
	else if (!f->a->has_since && has_reported_status(f))
		set_since_status(f);
	set_answer(f);
}

/* Returns whether the earlier attempts lasted so long that the agent itself ended them because of
 * silence. An attempt that the server refuses ends sooner. */
static bool is_silent_over_attempts(const struct finding_activity *f)
{
	const struct activity *a = f->a;
	const struct sockets_socket *s = f->request.socket;
	uint64_t current_ns = s && f->request.has_for ? s->sent_ago_ns : 0;
	uint64_t ended_ns = (a->attempts - 1) * (deadline_of(f->main) * NS_PER_S);

	return ended_ns && !a->error_status && a->has_since &&
	       a->since_ns + CLOCK_SLACK_NS >= ended_ns + current_ns;
}

static void set_repeated_request(struct finding_activity *f)
{
	set_activity(f, ACTIVITY_ASKS_AGAIN, ACTIVITY_FROM_LOG, ACTIVITY_HIGH);
	set_since_turn(f);
	f->a->attempts = f->session->attempts;
	f->a->is_pausing = f->request.is == ACTIVITY_REQUEST_NONE && !f->request.socket;
	if (f->session->error_state == SOOTH_STATE_VALUE)
		f->a->error_status = f->session->error_status;
	f->a->has_silence = f->request.is == ACTIVITY_REQUEST_SENT && f->request.has_no_data;
	f->a->silence_ns = f->a->has_silence ? f->request.for_ns : 0;
	if (!is_silent_over_attempts(f))
		return;
	f->a->answer = ACTIVITY_ANSWER_SILENT;
	if (f->request.is == ACTIVITY_REQUEST_SENT)
		f->a->socket_inode = f->request.socket->inode;
}

/* Returns whether the agent pauses before it repeats a request: it is the model's turn, but there
 * is no connection. At a terminal, an agent without a status may be asking its user instead. */
static bool pauses_before_retry(const struct finding_activity *f)
{
	uint64_t now = host_state_utc(f->host);

	return f->turn == PROC_TURN_MODEL && f->request.is == ACTIVITY_REQUEST_NONE &&
	       !f->request.socket && (f->is_headless || has_reported_status(f)) &&
	       !uses_cpu(f, CROWDED_LEAST) && now >= f->session->turn_utc_ns + PAUSE_NS;
}

/* Returns whether the last of several attempts gets an answer now, perhaps only a refusal. */
static bool is_answered_now(const struct finding_activity *f)
{
	return f->request.is == ACTIVITY_REQUEST_ANSWERED && is_answer_arriving(f);
}

static void set_paused(struct finding_activity *f)
{
	set_activity(f, ACTIVITY_ASKS_AGAIN, ACTIVITY_FROM_CONNECTION, ACTIVITY_MEDIUM);
	set_since_turn(f);
	f->a->is_pausing = true;
}

static void set_computes(struct finding_activity *f)
{
	set_activity(f, ACTIVITY_COMPUTES, ACTIVITY_FROM_CPU, ACTIVITY_MEDIUM);
}

/* Sets idle, or computing: an agent in a loop does not write its session file. */
static void set_idle_status(struct finding_activity *f)
{
	if (uses_cpu(f, ACTIVITY_COMPUTES_LEAST)) {
		set_computes(f);
		f->a->is_status_idle = true;
		return;
	}
	set_activity(f, ACTIVITY_IDLE, ACTIVITY_FROM_SESSION_FILE, ACTIVITY_HIGH);
	set_since_status(f);
}

/* --- which of them --- */

/* Returns whether a tool started after the last line of the log, which has no line for a start. */
static bool has_younger_tool(struct finding_activity *f)
{
	uint64_t now = host_state_utc(f->host), turn = f->session->turn_utc_ns;

	return f->has_tool && turn && now > turn &&
	       activity_tool_find(&f->tool, f->host, f->main, now - turn);
}

static void set_question(struct finding_activity *f)
{
	set_activity(f, ACTIVITY_WAITS_FOR_USER, ACTIVITY_FROM_LOG, ACTIVITY_HIGH);
	set_since_turn(f);
	set_permission(f);
}

/* Returns whether the open call is a question to the user. An agent may say that it is idle then.
 */
static bool is_asking(const struct finding_activity *f)
{
	return f->turn == PROC_TURN_TOOL && !f->has_tool && f->main->agent->questions &&
	       span_is_word_of(call_of(f), f->main->agent->questions);
}

static void set_listed(struct finding_activity *f, struct span status)
{
	snprintf(f->a->listed, sizeof(f->a->listed), "%.*s", SPAN_ARGS(status));
}

static void set_asked(struct finding_activity *f)
{
	struct span status = text_of(f, &f->session->status);

	set_question(f);
	f->a->is_permission = false;
	f->a->command[0] = '\0';
	set_name(f, span_of_string("an answer to its question"));
	if (!span_equal(status, "waiting"))
		set_listed(f, status);
}

/* Keeps what the list of the agent's daemon says, if it differs. */
static void compare_list(struct finding_activity *f)
{
	enum activity_state state = f->a->state;
	const char *agrees = state == ACTIVITY_WAITS_FOR_USER ? "blocked" : "working";
	struct span listed;

	if (!f->session || state == ACTIVITY_UNKNOWN || state == ACTIVITY_STOPPED ||
		!record_holds(&f->session->record, PROC_SESSION_WITH_SERVERS) ||
		f->session->job_state)
		return;
	listed = text_of(f, &f->session->job_status);
	if (state == ACTIVITY_IDLE ? span_equal(listed, "working") || span_equal(listed, "blocked")
				   : !span_equal(listed, agrees))
		set_listed(f, listed);
}

/* Sets the state for a call without a result and a process: a built-in tool, or a question. */
static void set_call(struct finding_activity *f)
{
	bool is_asked = !has_reported_status(f) && !f->is_headless && is_at_terminal(f) &&
			!uses_cpu(f, WORKS_LEAST);

	set_activity(f, ACTIVITY_RUNS_TOOL, ACTIVITY_FROM_LOG, ACTIVITY_MEDIUM);
	set_since_turn(f);
	if (is_asked && f->a->has_since && f->a->since_ns > SETTLES_NS &&
		f->request.is != ACTIVITY_REQUEST_SENT) {
		f->a->state = ACTIVITY_WAITS_FOR_USER;
		f->a->confidence = ACTIVITY_LOW;
		set_permission(f);
		return;
	}
	set_name(f, call_of(f));
}

/* Returns whether only the arguments say that the agent works: it has no log, and its connections
 * were not read, or none leads to a model. Then the cause of its wait is unknown. */
static bool is_guess(const struct finding_activity *f, enum activity_source source)
{
	bool is_unread = f->request.is == ACTIVITY_REQUEST_UNSEEN &&
			 f->request.state == SOOTH_NOT_MEASURED(SOOTH_REASON_NOT_REQUESTED);

	return source == ACTIVITY_FROM_ARGUMENTS && f->turn == PROC_TURN_UNKNOWN &&
	       (f->request.is == ACTIVITY_REQUEST_NONE || is_unread) && !f->request.socket;
}

/* Sets the activity of an agent that, according to `source`, is neither idle nor waits for its
 * user. */
static void set_busy(struct finding_activity *f, enum activity_source source)
{
	if (f->turn == PROC_TURN_TOOL && set_mcp(f))
		return;
	if (f->turn == PROC_TURN_MODEL || f->turn == PROC_TURN_PERMISSION)
		f->has_tool = has_younger_tool(f);
	if (f->has_tool)
		set_tool(f);
	else if (f->turn == PROC_TURN_PERMISSION)
		set_question(f);
	else if (f->turn == PROC_TURN_TOOL)
		set_call(f);
	else if (f->turn == PROC_TURN_MODEL && f->session->attempts > 1 && !is_answered_now(f))
		set_repeated_request(f);
	else if (pauses_before_retry(f))
		set_paused(f);
	else if (uses_cpu(f, ACTIVITY_COMPUTES_LEAST) && !has_request(f))
		set_computes(f);
	else if (!is_guess(f, source))
		set_model(f, source);
}

/* Sets the tool if it runs already: the status still says "waiting" some time after the user's
 * answer. */
static bool set_granted(struct finding_activity *f)
{
	set_since_status(f);
	if (!f->a->has_since || !f->has_tool ||
		!activity_tool_find(&f->tool, f->host, f->main, f->a->since_ns))
		return false;
	set_tool(f);
	return true;
}

static void set_by_status(struct finding_activity *f, struct span status)
{
	if (span_equal(status, "waiting")) {
		if (!set_granted(f))
			set_user(f);
	} else if (span_equal(status, "idle")) {
		set_idle_status(f);
	} else {
		set_busy(f, ACTIVITY_FROM_SESSION_FILE);
	}
}

/* Sets the state after the model's answer. Without a user, the agent is about to end. */
static void set_answered(struct finding_activity *f)
{
	if (f->is_headless) {
		set_busy(f, ACTIVITY_FROM_ARGUMENTS);
		return;
	}
	set_activity(f, ACTIVITY_IDLE, ACTIVITY_FROM_LOG, ACTIVITY_MEDIUM);
	set_since_turn(f);
}

/* Returns whether the session is known, and its log is missing or has no prompt yet. */
static bool has_no_prompt(const struct finding_activity *f)
{
	return f->session && f->session->turn_state == SOOTH_STATE_ABSENT;
}

/* Decides the activity without status and log, by the connections and the terminal. */
static void set_from_outside(struct finding_activity *f)
{
	/* Data before the first prompt answers no prompt: Codex looks for models every 15 s. */
	bool is_before_prompt =
		has_no_prompt(f) && is_at_terminal(f) && f->request.is == ACTIVITY_REQUEST_ANSWERED;

	if (f->has_tool) {
		set_tool(f);
	} else if (activity_age_ns(f->host, f->main) < STARTS_NS) {
		set_activity(f, ACTIVITY_STARTS, ACTIVITY_FROM_PROCESSES, ACTIVITY_MEDIUM);
		set_since(f, activity_age_ns(f->host, f->main));
	} else if (f->is_headless) {
		set_busy(f, ACTIVITY_FROM_ARGUMENTS);
	} else if (f->request.is >= ACTIVITY_REQUEST_ANSWERED && !is_before_prompt) {
		set_model(f, ACTIVITY_FROM_CONNECTION);
	} else if (uses_cpu(f, ACTIVITY_COMPUTES_LEAST)) {
		set_computes(f);
	} else if (has_no_prompt(f) && is_at_terminal(f)) {
		set_activity(f, ACTIVITY_IDLE, ACTIVITY_FROM_LOG, ACTIVITY_MEDIUM);
	} else if (f->request.is == ACTIVITY_REQUEST_NONE && !f->request.socket &&
		   is_at_terminal(f)) {
		/* On a quiet connection the answer may be complete, or may have stopped. */
		set_activity(f, ACTIVITY_IDLE, ACTIVITY_FROM_CONNECTION, ACTIVITY_LOW);
	} else if (f->request.is == ACTIVITY_REQUEST_UNSEEN) {
		f->a->unknown_state = f->request.state;
	}
}

const struct process_entry *activity_main(
	const struct host_state *host, const struct process_id *id)
{
	assert(host);

	const struct process_entry *p = process_table_get(&host->process_table, id);

	return p && p->link == PROCESS_LINK_SELF && p->agent && p->is_there &&
			       p->process->state != 'Z'
		       ? p
		       : NULL;
}

/* Returns the process that works: a daemon of the session may work for the main process. */
static const struct process_entry *worker_of(
	const struct host_state *host, const struct process_entry *main)
{
	const struct proc_session *own = main->session;

	if (own && (own->turn_state == SOOTH_STATE_VALUE || own->status_state == SOOTH_STATE_VALUE))
		return main;
	process_table_for_each (&host->process_table, p) {
		if (p->main == main && process_table_is_worker(p) && p->is_there &&
			p->agent == main->agent && p->session)
			return p;
	}
	return main;
}

/* A prompt in the queue is normal while a turn is under way. */
static void set_queued(struct finding_activity *f)
{
	uint64_t now = host_state_utc(f->host), utc_ns = 0;

	if (f->turn == PROC_TURN_USER &&
		record_holds(&f->session->record, PROC_SESSION_WITH_SERVERS))
		utc_ns = f->session->queued_utc_ns;
	f->a->queued_ns = utc_ns && now > utc_ns ? now - utc_ns : 0;
}

void activity_find(
	struct activity *a, const struct host_state *host, const struct process_entry *main)
{
	assert(main);

	const struct process_entry *worker = worker_of(host, main);
	struct finding_activity f = {
		.a = a, .host = host, .main = main, .worker = worker, .session = worker->session
	};

	*a = (struct activity){ .state = ACTIVITY_UNKNOWN,
		.unknown_state = SOOTH_NOT_MEASURED(SOOTH_REASON_AGENT) };
	if (activity_is_stopped(main)) {
		set_activity(&f, ACTIVITY_STOPPED, ACTIVITY_FROM_PROCESSES, ACTIVITY_HIGH);
		return;
	}
	if (!main->agent)
		return;
	f.has_tool = activity_tool_find(&f.tool, host, main, UINT64_MAX);
	f.is_headless = is_headless(main);
	activity_request_find(&f.request, host, worker);
	if (f.session && f.session->turn_state == SOOTH_STATE_VALUE && f.session->turn < PROC_TURNS)
		f.turn = (enum proc_turn)f.session->turn;
	if (is_asking(&f))
		set_asked(&f);
	else if (has_reported_status(&f))
		set_by_status(&f, text_of(&f, &f.session->status));
	else if (f.turn == PROC_TURN_USER)
		set_answered(&f);
	else if (f.turn != PROC_TURN_UNKNOWN)
		set_busy(&f, ACTIVITY_FROM_LOG);
	else
		set_from_outside(&f);
	set_queued(&f);
	compare_list(&f);
}
