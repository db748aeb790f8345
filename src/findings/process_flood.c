/* SPDX-License-Identifier: BSD-2-Clause */
/* process-flood: a process starts others and ever more of them are alive; or it starts the same
 * short-lived programs over and over; or an agent starts the same MCP server again and again. A
 * build starts many processes too, but few are alive at a time, and its commands differ. */
#include "analyze/diagnosis/check_verdict.h"
#include "analyze/diagnosis/starts.h"
#include "analyze/evidence/work_share.h"
#include "analyze/evidence/repeated_starts.h"
#include "analyze/evidence/held.h"

#define WINDOWS	     8 /* at most: on a busy host any single sample may be late */
#define SAMPLES_MAX  (2 * WINDOWS)
#define STARTS_NAME  "min-starts"
#define FAILING_NAME "min-failing-starts"
#define LEVELS_MAX   4096

NUMBER(CHILD_SHARE, 0.9, NONE, "of the starts that are of its own children");
NUMBER(FAILED_SHARE, 0.5, NONE, "of the starts, of commands that failed");
NUMBER(FAILING_SHARE, 0.9, NONE, "of the ends that are failures");
NUMBER(FAILING_LEAST, 10, NONE, "failed starts: fewer are no flood");
NUMBER(REPEATED, 4, NONE, "in a loop that asks again and again each program came so many times");
NUMBER(CROWDED, 1.5, NONE, "ready threads a CPU, from which a host is busy");
NUMBER(PACE, 0.5, NONE, "part of the descendants that would have come at this rate so far");
NUMBER(LEVELS_LEAST, 20, NONE, "least levels; a shell below make below an agent's shell is less");
NUMBER(LEVELS_SHARE, 0.6, NONE, "of the levels that are of the most frequent program");
NUMBER(IN_TURN, 4, NONE, "levels within which two programs alternate");
NUMBER(OTHER_SHARE, 3, NONE, "least part of the levels that a second program has, as divisor");

static const struct finding_option options[] = {
	THRESHOLD("min-rate", 2, 0.001, 1e6,
		"minimum number by which living descendants increase per second"),
	UNLISTED("min-gain", 20, 1, 1e6,
		"minimum number by which living descendants increase during the observation"),
	UNLISTED("min-windows", 4, 2, 500, "minimum number of time slices to judge growth by"),
	THRESHOLD("many", 200, 1, 1e6, "severity is high from this number of living descendants"),
	THRESHOLD(
		SERVER_RESTARTS_OPTION, 3, 1, 1e6, "minimum number of restarts of one MCP server"),
	THRESHOLD(STARTS_NAME, 20, 0.1, 1e6,
		"minimum number of starts per second of the same short-lived programs"),
	UNLISTED("many-starts", 100, 0.1, 1e6,
		"severity is medium from this number of such starts per second"),
	UNLISTED_PERCENT("percent", 20, 0.1, 1e6,
		"or from this CPU use of the process and what it starts, in percent of one CPU"),
	THRESHOLD(FAILING_NAME, 4, 0.1, 1e6,
		"minimum number of starts per second if nine of ten of them fail"),
	UNLISTED("min-rebuilds", 3, 2, 1e6, "minimum number of times that it starts itself again"),
	UNLISTED("slow-rate", 0.4, 0.001, 1e6,
		"severity is low from this number per second, if they came at this pace since the "
		"process started and none ended"),
	THRESHOLD("slow-gain", 5, 1, 1e6,
		"minimum number by which they increase during the observation at a slow pace"),
};

/* --- the processes it started --- */

struct samples {
	struct growth_point living[SAMPLES_MAX];
	size_t count;
	uint64_t slack_ns; /* samples of one moment are this close together */
};

static void set_sample_times(const struct check *e, struct samples *s)
{
	size_t all = e->series.count, step = all > 2 ? (all - 2) / WINDOWS + 1 : 1;

	*s = (struct samples){ 0 };
	if (all < 2)
		return;
	/* The stride always includes the last sample. */
	for (size_t i = (all - 1) % step; i < all && s->count < SAMPLES_MAX; i += step)
		s->living[s->count++].time_ns = e->series.points[i].time_ns;
	s->slack_ns = sample_series_ns(&e->series) / (all - 1) / 2;
}

static bool is_new(const struct samples *s, const struct process_entry *p)
{
	return p->first_ns > s->living[0].time_ns + s->slack_ns;
}

/* Adds the time that the process was alive, from its first to its last sample, except as a
 * zombie. */
static void add_life(struct samples *s, const struct process_entry *p)
{
	uint64_t end_ns = p->zombie_ns ? p->zombie_ns - s->slack_ns : p->last_ns + s->slack_ns;

	for (size_t i = 0; i < s->count; i++) {
		struct growth_point *at = &s->living[i];

		at->value += p->first_ns <= at->time_ns + s->slack_ns && at->time_ns <= end_ns;
	}
}

static unsigned count_all(const struct check *e, struct samples *s)
{
	unsigned came = 0;

	map_for_each_pointer (
		&e->input->host.process_table.processes, const struct process_entry *, p) {
		if (!starts_is_below(e->process, p))
			continue;
		add_life(s, p);
		came += is_new(s, p);
	}
	return came;
}

/* --- the process that starts most of them --- */

static unsigned count_new_below(
	const struct check *e, const struct samples *s, const struct process_entry *top)
{
	unsigned came = 0;

	process_table_for_each (&e->input->host.process_table, p)
		came += p != top && p->number >= top->number && p->number < top->number_end &&
			!p->zombie_ns && is_new(s, p);
	return came;
}

/* Returns the child below which nearly all new processes are; NULL: the process itself starts
 * them. */
static const struct process_entry *main_starter(
	const struct check *e, const struct samples *s, double gain)
{
	const struct process_entry *p = e->process->first_child;

	while (p && count_new_below(e, s, p) < CHILD_SHARE * gain)
		p = p->next_sibling;
	return p;
}

/* --- a recursion --- */

/* Chains of descendants: a program that starts itself without end, or two programs that start each
 * other, have about as many levels as processes. The processes of a build or pool are siblings. */
struct nesting {
	unsigned levels;		 /* levels of descendants; 0: no children */
	unsigned alive;			 /* number of descendants */
	const struct process_entry *one; /* a process of the program that most levels run */
	const struct process_entry
		*other; /* a process of the program that takes turns with it; NULL: none */
};

/* Counts the levels from `deepest` up to `top`, of all programs or of the program `like` only. */
static unsigned levels_of(const struct process_entry *top, const struct process_entry *deepest,
	const struct process_entry *like)
{
	unsigned count = 0, levels = 0;

	for (const struct process_entry *p = deepest; p && p != top && levels < LEVELS_MAX;
		p = p->parent, levels++)
		count += !like || !span_compare(check_name(p), check_name(like));
	return count;
}

/* Returns the process of the last levels whose program has most levels, at least `least`; NULL:
 * none. Shells and the program `but` count only without `but`. */
static const struct process_entry *most_frequent(const struct process_entry *top,
	const struct process_entry *deepest, unsigned least, const struct process_entry *but)
{
	const struct process_entry *found = NULL, *p = deepest;

	for (unsigned i = 0; i < IN_TURN && p && p != top; i++, p = p->parent) {
		unsigned count = levels_of(top, deepest, p);

		if (count < least || (found && count == least) ||
			(but && (starts_are_of_a_shell(p) ||
					!span_compare(check_name(p), check_name(but)))))
			continue;
		least = count;
		found = p;
	}
	return found;
}

static struct nesting nesting_below(
	const struct process_table *table, const struct process_entry *top)
{
	const struct process_entry *deepest;
	struct nesting n = { 0 };

	process_table_for_each (table, p) {
		bool is_below = p != top && process_table_is_below(p, top);
		unsigned levels = is_below && !p->zombie_ns ? levels_of(top, p, NULL) : 0;

		n.alive += levels > 0;
		if (levels > n.levels) {
			n.levels = levels;
			n.one = p;
		}
	}
	if (!n.one)
		return n;
	deepest = n.one;
	n.one = most_frequent(top, deepest, 1, NULL);
	n.other = most_frequent(top, deepest, (unsigned)(n.levels / OTHER_SHARE), n.one);
	return n;
}

/* Returns whether this is a recursion: most descendants are each a level of their own. */
static bool nesting_is_endless(const struct nesting *n)
{
	return n->levels >= LEVELS_LEAST && n->levels >= LEVELS_SHARE * n->alive;
}

static void emit_host(const struct check *e, struct check_result *out)
{
	const struct host_load *first = &e->input->first_load, *last = &e->input->load;
	uint64_t interval_ns = last->record.time_ns - first->record.time_ns;

	if (!interval_ns || first->forks_state || last->forks_state || last->forks < first->forks)
		return;
	finding_rate(out, "process starts on the host",
		(double)(last->forks - first->forks) * (double)NS_PER_S / (double)interval_ns,
		SOOTH_UNIT_NONE, interval_ns);
}

static void emit_limit(const struct check *e, struct check_result *out, const struct growth *g)
{
	struct task_room tasks;
	uint64_t room, left_ns;

	task_room_find(&tasks, e);
	room = tasks.group ? task_room_in(tasks.group) : 0;
	if (!room || room == UINT64_MAX) {
		finding_unseen(out, "how many processes can still start: the control groups have "
				    "no limit, and processes of the user cannot be counted");
		return;
	}
	finding_count(out, "number of processes that the control group can still start", room, 0);
	if (!growth_reaches(g, g->last + (double)room, &left_ns))
		return;
	finding_severity(out, FINDING_HIGH);
	finding_time(out, "time until the process limit is reached", left_ns);
}

/* `sooth freeze` refuses a process of no agent without --any. */
static void emit_remedy(struct check_result *out, const struct process_entry *p)
{
	const char *any = p->agent || p->owner_agent ? "" : "--any ";

	finding_remedy(out,
		"sooth ps -t shows the processes; sooth freeze %s--tree %u stops them while you "
		"look",
		any, p->id.pid);
}

/* Returns whether few are alive at a time and none of them ends: processes that a build or a shell
 * starts end, and a pool is full at some time. */
static bool keeps_pace(const struct check *e, const struct growth *g)
{
	double since_start = g->per_s * (double)check_age_ns(e) / (double)NS_PER_S;
	struct starts s;

	if (g->last - g->first < check_option(e, "slow-gain") ||
		!check_is_over(e, "slow-rate", g->per_s, "slow") || since_start < PACE * g->last ||
		since_start > g->last / PACE)
		return false;
	starts_of(&s, e);
	return s.interval_ns && !s.ended;
}

static void claim_nesting(struct check_result *out, const struct nesting *n, bool is_growing)
{
	finding_claim(out, "%.*s", SPAN_ARGS(check_name(n->one)));
	if (n->other)
		finding_claim(out, " and %.*s start each other", SPAN_ARGS(check_name(n->other)));
	else
		finding_claim(out, " starts itself");
	finding_claim(out, "%s: %u levels of processes below one another%s",
		is_growing ? " without end" : "", n->levels,
		is_growing ? ", and more each second" : "");
}

static void emit_growth(const struct check *e, struct check_result *out, const struct growth *g,
	unsigned came, const struct process_entry *culprit, const struct nesting *nesting)
{
	finding_begin(out, confidence_high_if(g->is_steady), "");
	if (g->last >= check_option(e, "many"))
		finding_severity(out, FINDING_HIGH);
	else if (!check_grows_fast(e, g) && !nesting)
		finding_severity(out, FINDING_LOW);
	if (nesting)
		claim_nesting(out, nesting, true);
	else
		finding_claim(out, "starts processes faster than they end: %.0f alive, then %.0f",
			g->first, g->last);
	finding_rate(out, "growth", g->per_s, SOOTH_UNIT_NONE, g->interval_ns);
	finding_count(out, "processes alive when the observation started", g->first, 0);
	finding_count(out, "processes alive when the observation ended", g->last, 0);
	finding_text(out, "steadiness", "grew in %u of %u equal time slices of the observation",
		g->grown, g->windows);
	finding_count(out, "starts seen", came, g->interval_ns);
	if (culprit)
		finding_text(out, "parent of most of the new processes", "%.*s (%u)",
			SPAN_ARGS(check_name(culprit)), culprit->id.pid);
	emit_host(e, out);
	emit_limit(e, out, g);
	if (!e->input->host.short_lived.is_watched)
		finding_unseen(out, "how many processes started and ended between two samples");
	emit_remedy(out, culprit ? culprit : e->process);
}

/* --- the same short-lived programs, over and over --- */

/* "true", "grep, cut and 1 more". */
static void put_programs(struct buffer *out, const struct starts *s)
{
	size_t shown = 0;

	for (; shown < STARTS_PROGRAMS && s->programs[shown].count; shown++)
		buffer_format(out, "%s%s", shown ? ", " : "", s->programs[shown].name);
	if (shown < s->program_count)
		buffer_format(out, " and %zu more", s->program_count - shown);
}

/* Returns how many times faster the process would be on an idle host. A process that pauses is not
 * held up by other processes. */
static double speed_when_idle(const struct check *e, const struct starts *s)
{
	const struct process_entry *starter = s->starter ?: e->process;

	thread_histories_for_each (&e->input->threads, &starter->id, t) {
		if (t->waits[THREAD_WAIT_TIME])
			return 1;
	}
	return s->pauses ? 1 : cpu_load_of(e->input);
}

static enum finding_severity severity_of(
	const struct check *e, const struct starts *s, double own_cpu)
{
	double speed = speed_when_idle(e, s);

	return speed * starts_rate(s) >= check_option(e, "many-starts") ||
			       speed * (starts_cpu(s) + own_cpu) >= check_option(e, "percent")
		       ? FINDING_MEDIUM
		       : FINDING_LOW;
}

/* Adds how most of them fail. */
static void claim_failure(struct check_result *out, const struct starts *s)
{
	if (!s->failed || s->failed < FAILED_SHARE * s->count)
		return;
	if (s->has_statuses)
		finding_claim(out, " and fail");
	else if (END_SIGNAL(s->status))
		finding_claim(out, " and are killed by signal %u", END_SIGNAL(s->status));
	else
		finding_claim(out, " and fail (exit status %u)", END_EXIT(s->status));
	last_words_put(out, &s->words, s->failed);
}

static void emit_starts(const struct check *e, struct check_result *out, const struct starts *s)
{
	const struct process_entry *starter = s->starter ?: e->process;
	double own_cpu = process_table_cpu_percent(starter); /* negative: not known */
	struct span name = check_name(starter);

	finding_begin(out, FINDING_CONFIDENCE_HIGH, "starts");
	finding_severity(out, severity_of(e, s, own_cpu > 0 ? own_cpu : 0));
	finding_claim(out, "starts %.0f processes a second: ", starts_rate(s));
	put_programs(&out->claim, s);
	finding_claim(out, ", which use %.0f %% CPU", starts_cpu(s));
	claim_failure(out, s);
	finding_rate(out, "process starts", starts_rate(s), SOOTH_UNIT_NONE, s->interval_ns);
	finding_percent(out, "CPU of the started processes", starts_cpu(s), s->interval_ns);
	if (own_cpu > 0)
		finding_percent(
			out, "CPU of the process that starts them", own_cpu, s->interval_ns);
	finding_text(out, "arguments", "%u different in %u starts", s->different, s->known);
	if (speed_when_idle(e, s) > CROWDED)
		finding_text(out, "held up by others", "%.0f threads share a CPU",
			cpu_load_of(e->input));
	if (s->failed >= FAILED_SHARE * s->count)
		finding_text(out, "failed", "%llu of %llu", (unsigned long long)s->failed,
			(unsigned long long)s->ended);
	if (starter != e->process)
		finding_text(out, "started by", "%.*s (%u)", SPAN_ARGS(name), starter->id.pid);
	if (starts_are_of_a_shell(starter) && s->different * REPEATED > s->known)
		finding_remedy(out,
			"%.*s (%u) starts programs for each line or item: let one awk, sed or "
			"Python process handle all of them, or use what the shell has itself: "
			"${line%%%%,*}, $((n + 1)), read -r a b",
			SPAN_ARGS(name), starter->id.pid);
	else
		finding_remedy(out,
			"find the loop in %.*s (%u) that starts them: wait for an event instead of "
			"asking again, or do the work in one process; sooth ps -t %u shows where "
			"it runs",
			SPAN_ARGS(name), starter->id.pid, starter->id.pid);
}

static bool are_too_many(const struct check *e, const struct starts *s)
{
	double rate = speed_when_idle(e, s) * starts_rate(s);
	bool are_failing = s->failed >= FAILING_LEAST && s->failed >= FAILING_SHARE * s->ended;

	/* A failure of one part of a command counts as one failure of the whole command. */
	double failing = s->ended ? rate * (double)s->direct / (double)s->ended : 0;

	return check_is_over(e, STARTS_NAME, rate, "starts") ||
	       (are_failing && check_is_over(e, FAILING_NAME, failing, "starts"));
}

/* Reports short-lived programs. False: nothing to report. `is_growth_known`: the number of
 * processes does not grow, so the process may be fine. */
static bool diagnose_starts(const struct check *e, struct check_result *out, bool is_growth_known)
{
	const struct process_entry *starter;
	struct starts s;
	bool is_list;

	starts_of(&s, e);
	if (!s.interval_ns || !are_too_many(e, &s))
		return false;
	starter = s.starter ?: e->process;
	is_list = starts_are_of_a_list(starter);
	if (starter != e->process && diagnosis_input_is_selected(e->input, starter) &&
		starter->is_there)
		check_fine(out, "reported for %u, which started most of them", s.starter->id.pid);
	else if (s.copies < s.count && !s.known && !is_list)
		check_blind_because(out, "the arguments of the short-lived programs are not known",
			"sooth trace --process lists the starts with their arguments");
	else if (!is_list && starts_repeat(&s, starter))
		emit_starts(e, out, &s);
	else if (!is_growth_known)
		return false;
	else
		check_fine(out, "starts %.0f processes a second%s", starts_rate(&s),
			is_list ? " for a list of jobs" : ", and not the same ones");
	return true;
}

/* --- below one another --- */

/* Reports nested processes, growing or not: each level may take its time. The process at the top
 * gets the finding. */
static void diagnose_nesting(const struct check *e, struct check_result *out,
	const struct growth *g, unsigned came, const struct nesting *n)
{
	const struct process_entry *parent = e->process->parent;

	if (parent && diagnosis_input_is_selected(e->input, parent)) {
		check_fine(out, "reported for %u, above it", parent->id.pid);
		return;
	}
	if (g->is_measured && g->grows) {
		emit_growth(e, out, g, came, NULL, n);
		return;
	}
	finding_begin(out, FINDING_CONFIDENCE_MEDIUM, "");
	finding_severity(out, FINDING_LOW);
	claim_nesting(out, n, false);
	finding_count(out, "processes below it", n->alive, 0);
	finding_count(out, "starts seen", came, sample_series_ns(&e->series));
	emit_remedy(out, e->process);
}

static void diagnose_growth(const struct check *e, struct check_result *out)
{
	struct samples s;
	unsigned came;
	struct growth g;
	const struct process_entry *culprit;
	struct nesting n = nesting_below(&e->input->host.process_table, e->process);

	set_sample_times(e, &s);
	came = count_all(e, &s);
	growth_diagnose(&g, s.living, s.count, (unsigned)check_option(e, "min-windows"), 0);
	if (nesting_is_endless(&n)) {
		diagnose_nesting(e, out, &g, came, &n);
		return;
	}
	if (!g.is_measured) {
		if (!diagnose_starts(e, out, false))
			check_blind_because(
				out, "the observation has too few samples", CHECK_LONGER);
		return;
	}
	if (!g.grows || !(check_grows_fast(e, &g) || keeps_pace(e, &g))) {
		if (!diagnose_starts(e, out, true))
			check_fine(
				out, "started processes alive: %.0f, then %.0f", g.first, g.last);
		return;
	}
	if (!check_grows_fast(e, &g) && g.last < check_option(e, "many") &&
		check_has_finding(e, "children-idle")) {
		check_fine(out, "reported as children-idle");
		return;
	}
	culprit = main_starter(e, &s, g.last - g.first);
	if (culprit && diagnosis_input_is_selected(e->input, culprit) &&
		(CHILD_SHARE * (g.last - g.first) >= check_option(e, "min-gain") ||
			!check_grows_fast(e, &g)))
		check_fine(out, "reported for %u, which started most of them", culprit->id.pid);
	else
		emit_growth(e, out, &g, came, culprit, NULL);
}

static void diagnose(const struct check *e, struct check_result *out)
{
	if (e->process->agent)
		server_restarts_report(e, out);
	if (!out->found && !out->muted && !exec_loop_report(e, out))
		diagnose_growth(e, out);
}

const struct finding_detector finding_process_flood = { diagnose, FINDING_OPTIONS(options) };
