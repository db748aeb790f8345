/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mcp-failing: of a session, by the agent's log, an MCP server that has a call without an answer,
 * answers late, or mostly with errors, and by the agent's log of the server one that is not
 * connected or prints other text beside its messages; of a server, that it has printed nothing
 * since its start, thus no answer to the agent's first request, `initialize`.
 *
 * A server that works for a long time is slow on purpose where its tool says so: only a person
 * knows. Node writes a few bytes to wake its own threads.
 */
#include "analyze/activity/activity.h"
#include "analyze/diagnosis/check_verdict.h"
#include "base/sentence_units.h"

NUMBER(ANSWER_LEAST, 64, BYTES, "least size of an answer to initialize: the names of its members");

static const struct finding_option options[] = {
	TIME_THRESHOLD("min-wait", 60e9, 1e9, 86400e9, "minimum time without an answer to a call"),
	TIME_THRESHOLD("min-start", 10e9, 1e9, 86400e9,
		"minimum age of a server that has printed nothing"),
	TIME_THRESHOLD("min-mean", 20e9, 1e6, 86400e9, "minimum mean time to an answer"),
	UNLISTED_PERCENT("min-errors", 50, 1, 100, "minimum share of answers with an error"),
	UNLISTED("min-calls", 4, 1, 1e6, "minimum number of answers for a mean or a share"),
};

/* --- of the session --- */

static void end_finding(struct check_result *out, const struct proc_session *s, struct span server,
	const char *remedy)
{
	finding_server(out, server);
	finding_count(out, "answers", s->mcp_calls, 0);
	finding_count(out, "answers with an error", s->mcp_errors, 0);
	if (s->mcp_calls)
		finding_time(out, "mean time to an answer", s->mcp_total_ns / s->mcp_calls);
	finding_time(out, "longest time to an answer", s->mcp_longest_ns);
	finding_remedy(out, "%s", remedy);
}

static void report_waiting(
	struct check_result *out, const struct proc_session *s, const struct activity *a)
{
	finding_begin(out, FINDING_CONFIDENCE_MEDIUM, "waiting");
	finding_claim(out, "waits for MCP server %s: no answer to its call for %s", a->name,
		SENTENCE_DURATION(a->since_ns));
	finding_unseen(out, "whether the tool takes so long on purpose");
	end_finding(out, s, span_of_string(a->name),
		"sooth why of the server's process says what it waits for; Esc at the agent's "
		"terminal ends the call");
}

static void report_slow(struct check_result *out, const struct proc_session *s, struct span server)
{
	finding_begin(out, FINDING_CONFIDENCE_MEDIUM, "slow");
	finding_severity(out, FINDING_LOW);
	finding_claim(out, "MCP server %.*s answers after %s in the mean, %u calls",
		SPAN_ARGS(server), SENTENCE_DURATION(s->mcp_total_ns / s->mcp_calls), s->mcp_calls);
	end_finding(out, s, server,
		"look at the server's process with sooth why and sooth profile while a call runs");
}

static void report_errors(
	struct check_result *out, const struct proc_session *s, struct span server)
{
	finding_begin(out, FINDING_CONFIDENCE_HIGH, "errors");
	finding_claim(out, "MCP server %.*s answers with errors: %u of %u calls", SPAN_ARGS(server),
		s->mcp_errors, s->mcp_calls);
	end_finding(out, s, server,
		"read the errors in the agent's view of the session; mend or remove the server");
}

static void claim_start(const struct check *e, struct check_result *out,
	const struct proc_session *s, uint64_t time_ns)
{
	struct span server = record_text(&s->record, &s->mcp_log);
	const char *agent = e->process->agent->title;

	if (s->mcp_start == PROC_MCP_FAILED)
		finding_claim(out,
			"MCP server %.*s did not start, or closed its connection at once: %s has "
			"no tool of it",
			SPAN_ARGS(server), agent);
	else if (s->mcp_start == PROC_MCP_CONNECTED)
		finding_claim(out,
			"MCP server %.*s prints text beside its messages on standard output: %u "
			"line%s",
			SPAN_ARGS(server), s->mcp_word_lines, s->mcp_word_lines == 1 ? "" : "s");
	else
		finding_claim(out,
			"MCP server %.*s has not answered initialize for %s: %s %s has no tool of "
			"it",
			SPAN_ARGS(server), SENTENCE_DURATION(time_ns), agent,
			s->mcp_start == PROC_MCP_MUTE ? "gave up and" : "waits and");
	finding_server(out, server);
}

/* Returns whether something was reported: by the agent's own log of the server. */
static bool diagnose_start(
	const struct check *e, struct check_result *out, const struct proc_session *s)
{
	uint64_t now = host_state_utc(&e->input->host), time_ns;
	bool has_words = s->mcp_start == PROC_MCP_CONNECTED && s->mcp_word_lines;

	time_ns = now > s->mcp_start_utc_ns ? now - s->mcp_start_utc_ns : 0;
	if (s->mcp_start == PROC_MCP_CONNECTS && (double)time_ns < check_option(e, "min-start"))
		return false;
	if (!s->mcp_start || (s->mcp_start == PROC_MCP_CONNECTED && !has_words))
		return false;
	finding_begin(out, FINDING_CONFIDENCE_HIGH, "start");
	finding_low_if(out, has_words);
	claim_start(e, out, s, time_ns);
	finding_time(out, "since the agent began to connect to it", time_ns);
	finding_remedy(out, "%s",
		has_words ? "let the server log to its standard error: other agents end the "
			    "connection at such a line"
			  : "start the server by hand, with the command of the agent's settings; "
			    "mend or remove it");
	return true;
}

/* Returns whether something was reported. */
static bool diagnose_session(
	const struct check *e, struct check_result *out, const struct proc_session *s)
{
	struct span server = record_text(&s->record, &s->mcp);
	struct activity a;
	bool is_enough = s->mcp_calls >= check_option(e, "min-calls");

	activity_find(&a, &e->input->host, e->process);
	if (a.state == ACTIVITY_TALKS_TO_MCP && a.has_since &&
		check_is_over(e, "min-wait", (double)a.since_ns, "waiting")) {
		report_waiting(out, s, &a);
		return true;
	}
	if (is_enough &&
		check_is_over(e, "min-errors", 100.0 * s->mcp_errors / s->mcp_calls, "errors")) {
		report_errors(out, s, server);
		return true;
	}
	if (is_enough &&
		check_is_over(e, "min-mean", (double)s->mcp_total_ns / s->mcp_calls, "slow")) {
		report_slow(out, s, server);
		return true;
	}
	return false;
}

/* --- of the server --- */

static bool is_printing_to_agent(const struct proc_ties *t)
{
	return t->stream_state[1] == SOOTH_STATE_VALUE &&
	       (t->stream[1] == PROC_STREAM_PIPE || t->stream[1] == PROC_STREAM_SOCKET);
}

/* Returns whether the server and all processes of it have written less than an answer to
 * initialize has. */
static bool is_silent(const struct check *e, const struct process_entry *server)
{
	process_table_for_each (&e->input->host.process_table, p) {
		if (p->player != server || !p->is_there)
			continue;
		if (!p->links || p->links->written_state != SOOTH_STATE_VALUE ||
			!record_holds(&p->links->record, PROC_LINKS_WITH_WRITTEN) ||
			p->links->written_bytes >= ANSWER_LEAST)
			return false;
	}
	return server->links && is_printing_to_agent(server->links);
}

static bool is_server(const struct process_entry *p)
{
	return p && p->is_there && p->has_role && p->role == AGENT_ROLE_MCP && p->player == p &&
	       p->main && p->input == PROCESS_TABLE_INPUT_HELD && p->process->state != 'Z';
}

static void report_silent(const struct check *e, struct check_result *out)
{
	const struct process_table *table = &e->input->host.process_table;
	struct span name = process_table_text(table, &e->process->role_name);

	name = name.size ? name : check_name(e->process);
	finding_begin(out, FINDING_CONFIDENCE_HIGH, "");
	finding_claim(out,
		"MCP server %.*s has printed nothing since it started %s ago: it has not answered "
		"initialize, and %s (%u) has no tool of it",
		SPAN_ARGS(name), SENTENCE_DURATION(check_age_ns(e)), e->process->main->agent->title,
		e->process->main->id.pid);
	finding_server(out, name);
	finding_bytes(out, "written", e->process->links->written_bytes);
	finding_time(out, "age", check_age_ns(e));
	finding_remedy(out,
		"sooth why %u says what the server waits for: a network, a lock, a prompt",
		e->process->id.pid);
}

static void diagnose(const struct check *e, struct check_result *out)
{
	const struct proc_session *s = e->process ? e->process->session : NULL;

	if (is_server(e->process) && is_silent(e, e->process) &&
		(double)check_age_ns(e) >= check_option(e, "min-start")) {
		report_silent(e, out);
		return;
	}
	if (s && e->process->agent && record_holds(&s->record, PROC_SESSION_WITH_SERVERS) &&
		!s->mcp_log_state && diagnose_start(e, out, s))
		return;
	if (s && record_holds(&s->record, PROC_SESSION_WITH_SERVERS) &&
		s->mcp_log_state == SOOTH_STATE_TRUNCATED) {
		check_blind_because(
			out, "there are too many logs of MCP servers to read all", NULL);
		return;
	}
	if (!s || !e->process->agent || !record_holds(&s->record, PROC_SESSION_WITH_JOB) ||
		s->mcp_state) {
		check_fine(out, "%s",
			is_server(e->process) ? "the server has printed something"
					      : "no call of an MCP server in a log");
		return;
	}
	if (!diagnose_session(e, out, s))
		check_fine(out, "%u calls of MCP servers answered, %u with an error", s->mcp_calls,
			s->mcp_errors);
}

const struct finding_detector finding_mcp_failing = { diagnose, FINDING_OPTIONS(options) };
