/* SPDX-License-Identifier: BSD-2-Clause */
/* idle-cpu: an agent has nothing to do and still uses CPU. The agent waits for its user if its
 * session file says so, or if it has a terminal without input, sent and received nothing, and its
 * child processes do nothing. It waits for its model if its session file says so and its connection
 * is silent. An agent that draws while it waits uses CPU too. */
#include "analyze/evidence/work_share.h"
#include "analyze/evidence/tally.h"
#include "analyze/sockets/socket_sums.h"

#define TYPED_TO_NS   (8 * NS_PER_S) /* the kernel rounds the time of the last input to 8 s */
#define THREADS_SHOWN 5

static const struct finding_option options[] = {
	PERCENT_THRESHOLD("percent", 10, 0.1, 1e5,
		"minimum CPU use, in percent of one CPU, of an agent that waits for its user"),
	PERCENT_THRESHOLD("percent-model", 30, 0.1, 1e5,
		"minimum CPU use, in percent of one CPU, of an agent that may be waiting for its "
		"model"),
	UNLISTED_PERCENT("max-children", 5, 0, 1e5,
		"maximum CPU use of the agent's children, in percent (more: the agent is at work)"),
	UNLISTED_TIME("min-age", 60e9, 0, 86400e9, "minimum process age"),
};

enum idleness {
	IDLE_NOT,
	IDLE_USER,  /* waits for its user, by its self-reported status */
	IDLE_QUIET, /* waits for its user or model; it reports no status */
	IDLE_MODEL, /* waits for its model, or for a tool that does nothing either */
};

static const char *const waits_for[] = { "", "its user", "its user or model (probably)",
	"its model or a tool" };

/* --- whether it waits --- */

static uint64_t begin_utc_ns(const struct check *e)
{
	return e->series.points[0].time_ns + (uint64_t)e->input->host.realtime_offset_ns;
}

/* Returns whether there was no input since some seconds before the interval; false without a
 * terminal. */
static bool is_untouched(const struct check *e)
{
	const struct proc_ties *t = e->process->links;

	if (!t || t->input_state == SOOTH_STATE_ABSENT)
		return true;
	return t->input_state == SOOTH_STATE_VALUE &&
	       t->input_utc_ns + TYPED_TO_NS < begin_utc_ns(e);
}

static bool has_terminal(const struct check *e)
{
	const struct proc_ties *t = e->process->links;

	return t && t->input_state == SOOTH_STATE_VALUE && e->process->process->is_foreground;
}

static double children_cpu(const struct process_entry *p)
{
	double sum = 0;

	for (const struct process_entry *c = p->first_child; c; c = c->next_sibling) {
		double cpu = process_table_cpu_percent(c);

		sum += (cpu > 0 ? cpu : 0) + children_cpu(c);
	}
	return sum;
}

/* Returns whether a connection moved data during the interval; false also if no connection is
 * known. */
static bool is_talking(const struct check *e)
{
	uint64_t interval_ns = sample_series_ns(&e->series);

	sockets_each (check_last(e, &e->input->sockets), s) {
		if (s->state == SOCKETS_ESTABLISHED &&
			((!s->sent_state && s->sent_ago_ns < interval_ns) ||
				(!s->received_state && s->received_ago_ns < interval_ns)))
			return true;
	}
	return false;
}

/* Returns why the sockets of the agent are not known; 0: they are known. */
static uint8_t sockets_unseen(const struct check *e)
{
	const struct sockets_process *end =
		snapshot_end(check_last(e, &e->input->sockets), sizeof(*end));

	return end ? end->sockets_state : SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED);
}

static struct span status_of(const struct check *e)
{
	const struct proc_session *s = e->process->session;

	return s && !s->status_state ? process_table_field(&s->record, &s->status) : span_of("", 0);
}

static bool is_unchanged(const struct check *e)
{
	const struct proc_session *s = e->process->session;

	return s && !s->activity_state && s->activity_utc_ns < begin_utc_ns(e);
}

/* Returns whether the agent reports no status; older captures say that the system does not support
 * it. */
static bool has_no_status(uint8_t state)
{
	return state == SOOTH_STATE_ABSENT || state == SOOTH_NOT_MEASURED(SOOTH_REASON_AGENT) ||
	       state == SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED);
}

/* Returns why the status of the agent could not be read although it may have one; a value: the
 * status was read, or there is none. */
static uint8_t unread_state(const struct check *e)
{
	const struct proc_session *s = e->process->session;

	if (!s || has_no_status(s->status_state))
		return SOOTH_STATE_VALUE;
	if (s->status_state > SOOTH_STATE_TRUNCATED)
		return s->status_state;
	if (s->activity_state <= SOOTH_STATE_TRUNCATED || has_no_status(s->activity_state))
		return SOOTH_STATE_VALUE;
	return s->activity_state;
}

static enum idleness idleness_of(const struct check *e)
{
	struct span status = status_of(e);

	if (!is_untouched(e) || sockets_unseen(e) || is_talking(e) ||
		children_cpu(e->process) > check_option(e, "max-children"))
		return IDLE_NOT;
	if (span_equal(status, "idle"))
		return is_unchanged(e) ? IDLE_USER : IDLE_NOT;
	if (status.size)
		return is_unchanged(e) ? IDLE_MODEL : IDLE_NOT;
	return has_terminal(e) ? IDLE_QUIET : IDLE_NOT;
}

static void emit_roles(const struct check *e, struct check_result *out)
{
	double cpu[THREAD_ROLES] = { 0 }, all = 0;

	thread_histories_for_each (&e->input->threads, &e->id, t) {
		double one = thread_history_cpu(t);

		cpu[thread_top_role(t)] += one > 0 ? one : 0;
		all += one > 0 ? one : 0;
	}
	for (unsigned shown = 0; shown < THREADS_SHOWN; shown++) {
		unsigned most = 0;

		for (unsigned i = 1; i < THREAD_ROLES; i++)
			most = cpu[i] > cpu[most] ? i : most;
		if (cpu[most] < all / 20 || cpu[most] <= 0)
			return;
		finding_text(out, "CPU use by thread role", "%s: %.1f %%",
			thread_role_names.names[most], cpu[most]);
		cpu[most] = 0;
	}
}

static void report_idle_agent(
	const struct check *e, struct check_result *out, enum idleness idle, double cpu)
{
	struct span status = status_of(e);
	struct progress progress;

	progress_of(&progress, e);
	finding_begin(
		out, idle == IDLE_USER ? FINDING_CONFIDENCE_HIGH : FINDING_CONFIDENCE_LOW, "");
	finding_low_if(out, idle != IDLE_USER);
	finding_claim(
		out, "the agent uses %.0f %% CPU while it waits for %s", cpu, waits_for[idle]);
	finding_percent(out, "CPU", cpu, sample_series_ns(&e->series));
	emit_roles(e, out);
	if (status.size)
		finding_text(out, "self-reported status", "%.*s", SPAN_ARGS(status));
	finding_text(out, "connections", "silent");
	if (has_terminal(e))
		finding_text(out, "terminal", "no input");
	progress_emit(&progress, out);
	finding_unseen(out, "which function of the agent uses the CPU");
	finding_remedy(out,
		"sooth inspect --threads %u shows the busy threads, sooth trace -c -p %u their "
		"system calls; restarting the agent helps for a while",
		e->id.pid, e->id.pid);
}

static bool is_agent(const struct check *e)
{
	const struct process_entry *p = e->process;

	return p && p->agent && p->process && e->series.count &&
	       (!p->has_role || p->role == AGENT_ROLE_MAIN || p->role == AGENT_ROLE_DAEMON);
}

static void diagnose_agent(const struct check *e, struct check_result *out, double cpu)
{
	enum idleness idle = idleness_of(e);

	if (idle == IDLE_NOT)
		check_fine(out, "the agent is at work and uses %.1f %% CPU", cpu);
	else if (check_is_over(e, idle == IDLE_USER ? "percent" : "percent-model", cpu, ""))
		report_idle_agent(e, out, idle, cpu);
	else
		check_fine(
			out, "the agent waits for %s and uses %.1f %% CPU", waits_for[idle], cpu);
}

static void diagnose(const struct check *e, struct check_result *out)
{
	double cpu = e->process ? process_table_cpu_percent(e->process) : -1;

	if (!is_agent(e))
		check_fine(out, "this is not an idle agent");
	else if (check_is_young(e))
		check_too_young(out);
	else if (cpu < 0)
		check_blind(out, SOOTH_NOT_MEASURED(SOOTH_REASON_INTERVAL));
	else if (sockets_unseen(e))
		check_blind(out, sockets_unseen(e));
	else if (unread_state(e))
		check_blind(out, unread_state(e));
	else
		diagnose_agent(e, out, cpu);
}

const struct finding_detector finding_idle_cpu = { diagnose, FINDING_OPTIONS(options) };
