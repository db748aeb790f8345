/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory-pressure: a control group or the host has nearly used up its memory, or everything in it
 * waits for memory. File pages do not count: the kernel frees them when memory is needed, so a
 * group that is at its limit because of file pages is healthy, unless the process keeps using the
 * freed pages: then each is read from the disk again.
 *
 * The finding is reported once per group, for the diagnosed process that would be killed first.
 */
#include <string.h>

#include "analyze/evidence/held.h"
#include "analyze/evidence/limit_users.h"
#include "analyze/waits/wait_lookup.h"
#include "base/cleanup.h"
#include "base/sentence_units.h"
#include "analyze/inspect/limits.h"

#define NEVER_KILLED (-1000)

static const struct finding_option options[] = {
	PERCENT_THRESHOLD(
		"percent", 90, 1, 100, "minimum use of a control group's memory limit, in percent"),
	PERCENT_THRESHOLD(
		"host-percent", 95, 1, 100, "minimum use of the host's memory, in percent"),
	UNLISTED_PERCENT("critical", 98, 1, 100,
		"severity is critical when at least this percentage of the limit, or of the host's "
		"memory, is in use"),
	PERCENT_THRESHOLD("stall", 15, 1, 100,
		"minimum percentage of the last 10 s in which all tasks waited for memory"),
	UNLISTED("min-hits", 5, 0.01, 1e9,
		"minimum number of times per second that the control group hit its limit, if the "
		"process also has min-major-faults"),
	UNLISTED("min-major-faults", 30, 0.01, 1e9,
		"minimum page faults per second of the process that wait for the disk, while its "
		"control group hits its limit"),
};

/* --- the process that would be killed first --- */

struct victim {
	struct process_id id; /* zeros: no process was sampled */
	int64_t score;
	unsigned read;
};

static bool is_there(const struct check *e, const struct process_id *id)
{
	const struct process_entry *p = process_table_get(&e->input->host.process_table, id);

	return p && p->is_there && diagnosis_input_is_selected(e->input, p);
}

/* Finds the victim among the sampled processes; group NULL: on the host. */
static struct victim find_victim(const struct check *e, const struct limits_group *group)
{
	struct victim victim = { 0 };

	snapshots_for_each (&e->input->limits.last, s) {
		const struct limits_process *end = snapshot_end(s, sizeof(*end));

		if (!end || end->oom_state || !is_there(e, &s->id) ||
			(group && !limit_sums_same_group(s, group)))
			continue;
		victim.read++;
		if (end->oom_score_adjustment == NEVER_KILLED ||
			(victim.id.pid && end->oom_score <= victim.score))
			continue;
		victim.id = s->id;
		victim.score = end->oom_score;
	}
	return victim;
}

static void emit_victim(
	const struct check *e, struct check_result *out, const struct victim *victim)
{
	const struct process_entry *p =
		process_table_get(&e->input->host.process_table, &victim->id);
	struct span name;

	if (!p) {
		finding_unseen(
			out, "which process the kernel would kill first: no oom_score was read");
		return;
	}
	name = record_text(&p->process->record, &p->process->name);
	finding_text(out, "killed first", "%.*s (%u), oom_score %lld, highest of %u sampled",
		SPAN_ARGS(name), victim->id.pid, (long long)victim->score, victim->read);
	finding_unseen(out, "whether a process that was not sampled has a higher oom_score");
}

/* --- control groups --- */

struct tightness {
	const struct limits_group *group; /* NULL: none has a limit */
	double percent;			  /* without file pages */
	uint64_t used_bytes, file_bytes;
	bool has_files;
	const struct limits_pressure *pressure; /* of the process's own group; NULL: none */
	uint64_t kills;				/* during the observation */
};

static bool is_of_memory(const struct limits_group *g)
{
	return limit_sums_group_is(g, "memory") || limit_sums_group_is(g, "memory+swap") ||
	       limit_sums_group_is(g, "memory-high");
}

static void weigh_group(struct tightness *t, const struct limits_group *g)
{
	uint64_t files = 0;
	bool has_files = limit_sums_group_files(g, &files);
	uint64_t used = g->used > files ? g->used - files : 0;
	double percent = g->limit ? 100.0 * (double)used / (double)g->limit : 100;

	if (t->group && percent <= t->percent)
		return;
	t->group = g;
	t->percent = percent;
	t->used_bytes = used;
	t->file_bytes = files;
	t->has_files = has_files;
}

static uint64_t kills_meanwhile(const struct check *e, const struct limits_group *last)
{
	const struct snapshot *before = check_first(e, &e->input->limits);
	const struct limits_group *first = before ? limit_sums_same_group(before, last) : NULL;

	return first && !first->kills_state && !last->kills_state && last->kills > first->kills
		       ? last->kills - first->kills
		       : 0;
}

static struct tightness tightness_of(const struct check *e, const struct snapshot *last)
{
	struct batch all = snapshot_records(last);
	struct tightness t = { 0 };

	batch_for_each (r, &all) {
		const struct limits_group *g = limit_sums_group(r);
		const struct limits_pressure *p = limit_sums_pressure(r);

		if (p && !p->is_host && span_equal(record_text(r, &p->resource), "memory"))
			t.pressure = p;
		if (!g || !is_of_memory(g))
			continue;
		if (limit_sums_group_is(g, "memory") && kills_meanwhile(e, g) > t.kills)
			t.kills = kills_meanwhile(e, g);
		if (!g->limit_state && !g->used_state)
			weigh_group(&t, g);
	}
	return t;
}

static void emit_group(struct check_result *out, const struct tightness *t)
{
	const struct limits_group *g = t->group;

	finding_text(out, "control group", "%.*s", SPAN_ARGS(record_text(&g->record, &g->path)));
	finding_bytes(out, "limit", g->limit);
	finding_bytes(out, "memory in use, not counting file pages", t->used_bytes);
	finding_percent(out, "used", t->percent, 0);
	if (t->has_files)
		finding_bytes(out, "file pages", t->file_bytes);
	else
		finding_unseen(
			out, "how much of this memory is file pages, which the kernel can free");
	if (!g->reached_state)
		finding_count(out, "limit hits", g->reached, 0);
	if (!g->kills_state)
		finding_count(out, "processes of the control group killed for lack of memory, ever",
			g->kills, 0);
}

static void emit_stall(struct check_result *out, double some, double full)
{
	finding_percent(out, "share of the time in which some tasks waited for memory", some,
		10 * NS_PER_S);
	finding_percent(
		out, "share of the time in which all tasks waited for memory", full, 10 * NS_PER_S);
}

static bool waits_for_memory(const struct check *e)
{
	snapshot_each (struct waits_thread, t, check_last(e, &e->input->waits), WAITS_THREAD) {
		if (t->node_pid == e->id.pid && wait_is_for_memory(t))
			return true;
	}
	return false;
}

static void claim_group(const struct check *e, struct check_result *out, const struct tightness *t)
{
	struct limit_users users = { 0 };
	_cleanup_(buffer_fini) struct buffer by = { 0 };

	if (t->group)
		limit_users_find(&users, e, LIMITS_SHARED_MEMORY,
			record_text(&t->group->record, &t->group->path));
	limit_users_put(&by, e, &users, LIMITS_SHARED_MEMORY);
	if (t->kills)
		finding_claim(out,
			"out of memory: %llu process%s of the control group %s killed during the "
			"observation%s",
			(unsigned long long)t->kills, t->kills == 1 ? "" : "es",
			t->kills == 1 ? "was" : "were", buffer_cstr(&by));
	else
		finding_claim(out,
			"the control group is almost out of memory: %s of %s in use%s; %s",
			SENTENCE_SIZE(t->used_bytes), SENTENCE_SIZE(t->group->limit),
			buffer_cstr(&by),
			waits_for_memory(e)
				? "this process waits until memory is free: at the limit of this "
				  "group no process is killed (memory.oom_control)"
				: "at the limit the kernel kills a process");
	if (!t->kills && t->percent >= check_option(e, "critical"))
		finding_severity(out, FINDING_CRITICAL);
}

static double stall_of(const struct tightness *t)
{
	return t->pressure && !t->pressure->full_state ? t->pressure->full_10s : 0;
}

static void report_group_pressure(const struct check *e, struct check_result *out,
	const struct tightness *t, const struct victim *victim, bool is_near)
{
	finding_begin(out,
		t->has_files || t->kills ? FINDING_CONFIDENCE_HIGH : FINDING_CONFIDENCE_LOW, "");
	if (is_near) {
		claim_group(e, out, t);
	} else {
		finding_severity(out, FINDING_MEDIUM);
		finding_claim(out,
			"all processes of the control group wait for memory, %.0f %% of the time",
			stall_of(t));
	}
	if (t->kills)
		finding_count(out, "processes of the control group killed during the observation",
			t->kills, sample_series_ns(&e->series));
	if (t->group)
		emit_group(out, t);
	if (t->pressure)
		emit_stall(out, t->pressure->some_10s, stall_of(t));
	else
		finding_unseen(out, "how long tasks of the control group waited for memory: the "
				    "kernel does not record it");
	emit_victim(e, out, victim);
	finding_remedy(out, "end processes that are not needed (sooth ps --sort -rss lists the "
			    "largest), or raise the limit (docker update --memory 8g CONTAINER, "
			    "systemctl set-property UNIT MemoryMax=8G)");
}

/* --- a limit that is hit all the time --- */

struct thrash {
	struct held_limit limit; /* the memory limit, or memory.high */
	double faults_per_s;	 /* major faults of all threads; negative: not measured */
};

static struct thrash thrash_of(const struct check *e)
{
	struct held_limit high = held_limit_of(e, "memory-high");
	struct thrash t = { held_limit_of(e, "memory"),
		thread_histories_sum(&e->input->threads, &e->id, thread_history_major_faults) };

	if (high.group && (!t.limit.group || high.per_s > t.limit.per_s))
		t.limit = high;
	return t;
}

static bool is_thrashing(const struct check *e, const struct thrash *t)
{
	return t->limit.group && check_is_over(e, "min-hits", t->limit.per_s, "thrash") &&
	       check_is_over(e, "min-major-faults", t->faults_per_s, "thrash");
}

static void emit_thrash(const struct check *e, struct check_result *out, const struct thrash *t)
{
	const struct limits_group *g = t->limit.group;
	struct span path = record_text(&g->record, &g->path);
	uint64_t files = 0;

	finding_begin(out, FINDING_CONFIDENCE_MEDIUM, "thrash");
	finding_severity(out, FINDING_MEDIUM);
	finding_claim(out,
		"its control group is at its memory limit of %s: %.0f major faults a second, the "
		"limit was hit %.0f times in %s",
		SENTENCE_SIZE(g->limit), t->faults_per_s,
		t->limit.per_s * (double)t->limit.interval_ns / (double)NS_PER_S,
		SENTENCE_DURATION(t->limit.interval_ns));
	finding_text(out, "control group", "%.*s", SPAN_ARGS(path));
	finding_bytes(out, "limit", g->limit);
	if (!g->used_state)
		finding_bytes(out, "memory in use", g->used);
	if (limit_sums_group_files(g, &files))
		finding_bytes(out, "file pages", files);
	finding_rate(out, "limit hits", t->limit.per_s, SOOTH_UNIT_NONE, t->limit.interval_ns);
	finding_rate(out, "major faults", t->faults_per_s, SOOTH_UNIT_NONE,
		sample_series_ns(&e->series));
	finding_unseen(out, "whether the process reads the same pages again: a file that it reads "
			    "once through a mapping looks the same");
	finding_remedy(out,
		"raise the memory limit of %.*s (docker update --memory 8g CONTAINER, systemctl "
		"set-property UNIT MemoryMax=8G), or let the process use less memory",
		SPAN_ARGS(path));
}

/* --- of a process --- */

static void diagnose_process(const struct check *e, struct check_result *out)
{
	const struct snapshot *last = check_last(e, &e->input->limits);
	const struct limits_process *end = snapshot_end(last, sizeof(*end));
	struct tightness t;
	struct victim victim;
	struct thrash thrash;
	bool is_near, is_short;

	if (!end || state_is_unmeasured(end->groups_state)) {
		check_blind(out, end ? end->groups_state : SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED));
		return;
	}
	t = tightness_of(e, last);
	is_near = t.group && (t.kills || check_is_over(e, "percent", t.percent, ""));
	thrash = thrash_of(e);
	is_short = is_near || check_is_over(e, "stall", stall_of(&t), "");
	victim = is_short && t.group ? find_victim(e, t.group) : (struct victim){ .id = e->id };
	if (!is_short) {
		if (is_thrashing(e, &thrash))
			emit_thrash(e, out, &thrash);
		else if (t.group)
			check_fine(out, "memory in use: %.0f %% of the limit of the control group",
				t.percent);
		else
			check_fine(out, "the control group has no memory limit");
	} else if (victim.id.pid && memcmp(&victim.id, &e->id, sizeof(e->id))) {
		check_fine(out, "reported for %u, which would be killed first", victim.id.pid);
	} else {
		report_group_pressure(e, out, &t, &victim, is_near);
	}
}

/* --- the host --- */

static void report_host_pressure(
	const struct check *e, struct check_result *out, double percent, bool is_near)
{
	const struct host_memory *m = &e->input->memory;
	struct victim victim = find_victim(e, NULL);

	finding_begin(out, FINDING_CONFIDENCE_HIGH, "");
	if (is_near) {
		finding_claim(out,
			"the host is almost out of memory: %s of %s left; when nothing is left, "
			"the kernel kills a process",
			SENTENCE_SIZE(m->available_bytes), SENTENCE_SIZE(m->total_bytes));
		if (percent >= check_option(e, "critical") && !m->swap_free_bytes)
			finding_severity(out, FINDING_CRITICAL);
	} else {
		finding_severity(out, FINDING_MEDIUM);
		finding_claim(out, "all processes on the host wait for memory, %.0f %% of the time",
			m->full_10s);
	}
	finding_bytes(out, "total memory", m->total_bytes);
	finding_bytes(out, "available memory", m->available_bytes);
	finding_percent(out, "used", percent, 0);
	if (!m->swap_state)
		finding_bytes(out, "free swap", m->swap_free_bytes);
	if (!m->pressure_state)
		emit_stall(out, m->some_10s, m->full_10s);
	emit_victim(e, out, &victim);
	finding_remedy(out,
		"end processes that are not needed: sooth ps -a --sort -rss lists the largest");
}

static void diagnose_host(const struct check *e, struct check_result *out)
{
	const struct host_memory *m = &e->input->memory;
	double percent = 0;
	bool is_known =
		m->record.time_ns && !m->memory_state && !m->available_state && m->total_bytes;
	bool is_near, is_stalled;

	if (!is_known) {
		check_blind(out, m->record.time_ns && m->available_state
					 ? m->available_state
					 : SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED));
		return;
	}
	if (m->available_bytes < m->total_bytes)
		percent = 100.0 * (double)(m->total_bytes - m->available_bytes) /
			  (double)m->total_bytes;
	is_near = check_is_over(e, "host-percent", percent, "");
	is_stalled = !m->pressure_state && check_is_over(e, "stall", m->full_10s, "");
	if (is_near || is_stalled)
		report_host_pressure(e, out, percent, is_near);
	else
		check_fine(out, "%.0f %% of the host's memory in use", percent);
}

static void diagnose(const struct check *e, struct check_result *out)
{
	if (!e->id.pid)
		diagnose_host(e, out);
	else if (diagnosis_input_has_probe(e->input, "limits"))
		diagnose_process(e, out);
	else
		check_blind_by(out, FINDING_NOT_REQUESTED,
			"this check needs the probe `limits`, which was not recorded", "");
}

const struct finding_detector finding_memory_pressure = { diagnose, FINDING_OPTIONS(options) };
