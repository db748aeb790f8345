/* SPDX-License-Identifier: BSD-2-Clause */
/* children-idle: a process starts one more child of a kind at a steady pace, no child ends, and all
 * of them do nothing: a worker for each reconnect or request that is never used or ended. A pool is
 * full at some time, the children of a build end, and children that serve use CPU.
 *
 * Of the daemon of an agent also background sessions that have been idle for long: it takes over
 * all it finds when it starts again, and ends none. */
#include "analyze/diagnosis/check_verdict.h"
#include "analyze/evidence/children.h"
#include "base/sentence_units.h"

#define LAST_STARTS 6 /* starts whose mean distance is the pace */

NUMBER(PACE_TOO, 2.5, NONE, "mean distances without a start: the process has stopped starting");
NUMBER(IDLE_SHARE, 0.9, NONE, "of the children that have done nothing since they started");

static const struct finding_option options[] = {
	THRESHOLD("min-count", 12, LAST_STARTS, 1e6, "minimum number of idle children of one kind"),
	TIME_THRESHOLD(
		"min-time", 5e9, 1e9, 86400e9, "minimum time that the last starts are spread over"),
	THRESHOLD("min-sessions", 8, 1, 1e6, "minimum number of idle sessions of a daemon"),
	TIME_THRESHOLD("min-idle", 3600e9, 1e9, 1e18, "minimum time that each of them is idle"),
};

/* Returns the mean distance of the last starts; 0: they came at once, or none came for a while. */
static uint64_t time_between_starts(const struct check *e, const struct child_kind *kind)
{
	const uint64_t *starts = (const void *)kind->starts.data;
	const struct stream_segment *segment = e->input->host.segment;
	uint64_t hz = segment && segment->ticks_per_s ? segment->ticks_per_s : 100;
	uint64_t spread_ns;

	if (buffer_failed(&kind->starts) || kind->alive < LAST_STARTS)
		return 0;
	spread_ns = (starts[kind->alive - 1] - starts[kind->alive - LAST_STARTS]) * NS_PER_S / hz;
	if ((double)spread_ns < check_option(e, "min-time") ||
		(double)child_age_ns(e, kind->newest) * (LAST_STARTS - 1) >
			PACE_TOO * (double)spread_ns + NS_PER_S)
		return 0;
	return spread_ns / (LAST_STARTS - 1);
}

static bool is_growing(const struct check *e, const struct child_kind *kind)
{
	return kind->link == CHILD_DIRECT && kind->came && !kind->ended && kind->oldest &&
	       kind->alive > kind->came && kind->idle >= IDLE_SHARE * (kind->alive - kind->came) &&
	       check_is_over(e, "min-count", kind->idle, "") && time_between_starts(e, kind);
}

static void report_children(
	const struct check *e, struct check_result *out, const struct child_kind *kind)
{
	finding_begin(out, FINDING_CONFIDENCE_MEDIUM, "");
	finding_claim(out,
		"%u children (%.*s) do nothing, with %s of memory; one more each %s, and none ends",
		kind->alive, SPAN_ARGS(check_name(kind->oldest)), SENTENCE_SIZE(kind->rss_bytes),
		SENTENCE_DURATION(time_between_starts(e, kind)));
	finding_command(out, "command", process_table_known_arguments(kind->oldest));
	finding_count(out, "used no CPU during the observation", kind->idle,
		sample_series_ns(&e->series));
	finding_count(
		out, "started during the observation", kind->came, sample_series_ns(&e->series));
	finding_time(out, "CPU time of the busiest one since its start", kind->most_cpu_ns);
	finding_time(out, "age of the oldest", child_age_ns(e, kind->oldest));
	finding_unseen(out, "whether work for them comes later");
	finding_remedy(out, "find what starts them (a reconnect, a request, a timer): reuse the "
			    "existing children, or end each child when its task is done");
}

/* --- sessions of a daemon --- */

struct idle_sessions {
	unsigned count;
	uint64_t rss_bytes, longest_ns, least_ns;
};

/* Returns the time that a background session of the agent is idle by its own word; 0: it is not. */
static uint64_t session_idle_ns(const struct check *e, const struct process_entry *p)
{
	const struct proc_session *s = p->session;
	uint64_t now = host_state_utc(&e->input->host);

	if (p->link != PROCESS_LINK_SELF || !p->is_there || p->agent != e->process->agent ||
		p->process->uid != e->process->process->uid || !s ||
		!record_holds(&s->record, PROC_SESSION_WITH_JOB) || s->job_state ||
		s->status_state || s->changed_state ||
		!span_equal(record_text(&s->record, &s->status), "idle"))
		return 0;
	return now > s->changed_utc_ns ? now - s->changed_utc_ns : 0;
}

/* The process that holds its terminal is counted with it. */
static struct idle_sessions idle_sessions_of(const struct check *e)
{
	struct idle_sessions idle = { .least_ns = UINT64_MAX };

	process_table_for_each (&e->input->host.process_table, p) {
		uint64_t ns = session_idle_ns(e, p);

		if (!ns || (double)ns < check_option(e, "min-idle"))
			continue;
		idle.count++;
		idle.rss_bytes += p->process->rss_bytes;
		if (p->parent && p->parent->agent == p->agent && p->parent != e->process)
			idle.rss_bytes += p->parent->process->rss_bytes;
		if (ns > idle.longest_ns)
			idle.longest_ns = ns;
		if (ns < idle.least_ns)
			idle.least_ns = ns;
	}
	return idle;
}

static bool report_sessions(const struct check *e, struct check_result *out)
{
	struct idle_sessions idle;

	if (!e->process->agent || !e->process->has_role || e->process->role != AGENT_ROLE_DAEMON)
		return false;
	idle = idle_sessions_of(e);
	if (!check_is_over(e, "min-sessions", idle.count, "sessions"))
		return false;
	finding_begin(out, FINDING_CONFIDENCE_HIGH, "sessions");
	finding_claim(out, "keeps %u idle background sessions of %s, each for at least %s, with %s",
		idle.count, e->process->agent->title, SENTENCE_DURATION(idle.least_ns),
		SENTENCE_SIZE(idle.rss_bytes));
	finding_count(out, "idle sessions", idle.count, 0);
	finding_time(out, "idle for, the longest", idle.longest_ns);
	finding_bytes(out, "memory", idle.rss_bytes);
	finding_unseen(out, "whether their user comes back to them");
	finding_remedy(
		out, "sooth ps lists them; the agent's own command ends one: claude stop ID");
	return true;
}

static void diagnose(const struct check *e, struct check_result *out)
{
	const struct child_kind *most = NULL;
	struct children c;

	if (report_sessions(e, out))
		return;
	children_of(&c, e);
	map_for_each_value (&c.kinds, const struct child_kind *, kind) {
		if ((!most || kind->alive > most->alive) && is_growing(e, kind))
			most = kind;
	}
	if (most)
		report_children(e, out, most);
	else
		check_fine(out, "no children pile up that do nothing");
	children_fini(&c);
}

const struct finding_detector finding_children_idle = { diagnose, FINDING_OPTIONS(options) };
