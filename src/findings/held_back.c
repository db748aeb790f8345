/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * held-back: the process could run and may not: the CPU quota of its control group is used up,
 * its memory.high slows it down, or other processes have the CPUs. It is not slow by itself, and
 * a restart changes nothing.
 *
 * On a busy host each process waits; so only one that gets next to nothing of what it could use
 * counts as starved.
 */
#include "analyze/diagnosis/check.h"
#include "analyze/diagnosis/held.h"
#include "base/units.h"
#include "core/finding.h"

static const struct finding_option options[] = {
	{ .name = "min-throttled",
		.help = "minimum number of times per second that the control group used up its CPU "
			"quota",
		.default_value = 2,
		.min = 0.01,
		.max = 1e6 },
	{ .name = "often",
		.help = "severity is low below this number of times per second",
		.default_value = 5,
		.min = 0.01,
		.max = 1e6 },
	{ .name = "own-share",
		.help = "minimum CPU use of the process, in percent of the CPU quota",
		.unit = SOOTH_UNIT_PERCENT,
		.default_value = 25,
		.min = 0,
		.max = 100 },
	{ .name = "min-high",
		.help = "minimum number of times per second that the control group was above "
			"memory.high",
		.default_value = 1,
		.min = 0.01,
		.max = 1e9 },
	{ .name = "could-run",
		.help = "minimum percentage of the time in which a starved thread could run",
		.unit = SOOTH_UNIT_PERCENT,
		.default_value = 80,
		.min = 1,
		.max = 100 },
	{ .name = "starved",
		.help = "minimum percentage of that time in which other threads had the CPUs",
		.unit = SOOTH_UNIT_PERCENT,
		.default_value = 95,
		.min = 1,
		.max = 100 },
};

/* Percent of one CPU, of all threads, over the observation; negative: not measured. */
static double cpu_of(const struct check *e)
{
	const struct sample_series *s = &e->series;
	uint64_t interval_ns = sample_series_ns(s);
	uint64_t first, last;

	if (!interval_ns)
		return -1;
	first = s->points[0].cpu_ns;
	last = s->points[s->count - 1].cpu_ns;
	return last > first ? 100.0 * (double)(last - first) / (double)interval_ns : 0;
}

static void emit_time(struct check *e, const struct held_time *t)
{
	if (!t->is_measured)
		return;
	finding_number(e, "share of the time in which its busiest waiting thread ran", t->ran,
		SOOTH_UNIT_PERCENT, t->interval_ns);
	finding_number(e, "share of the time in which it was ready to run and got no CPU", t->waited,
		SOOTH_UNIT_PERCENT, t->interval_ns);
}

static void emit_place(struct check *e, const struct limits_group *g, const char *file)
{
	struct span path = record_text(&g->record, &g->path);

	finding_text(e, "limit is set in", "%s of the control group %.*s (version %u)", file,
		(int)path.size, path.data, g->version);
}

/* --- CPU quota --- */

static bool is_throttled(const struct check *e, const struct held_limit *l)
{
	double quota = l->group ? (double)l->group->limit / 1e4 : 0; /* percent of one CPU */
	double cpu = cpu_of(e);

	return l->group && cpu >= 0 && check_is_over(e, "min-throttled", l->per_s, "cpu") &&
	       cpu * 100 >= check_option(e, "own-share") * quota;
}

static void report_throttled(struct check *e, const struct held_limit *l, const struct held_time *t)
{
	const struct limits_group *g = l->group;
	const char *file = g->version == 1 ? "cpu.cfs_quota_us" : "cpu.max";
	struct span path = record_text(&g->record, &g->path);

	finding_begin(e, FINDING_CONFIDENCE_HIGH, "cpu");
	if (l->per_s < check_option(e, "often"))
		finding_severity(e, FINDING_LOW);
	finding_claim(e,
		"held back by the CPU quota of its control group: %.2f CPUs, used up %.1f times a "
		"second",
		(double)g->limit / 1e6, l->per_s);
	emit_place(e, g, file);
	finding_rate(e, "times the quota was used up", l->per_s, SOOTH_UNIT_NONE, l->interval_ns);
	finding_number(
		e, "quota of the control group", (double)g->limit / 1e4, SOOTH_UNIT_PERCENT, 0);
	finding_number(e, "CPU", cpu_of(e), SOOTH_UNIT_PERCENT, sample_series_ns(&e->series));
	emit_time(e, t);
	finding_unseen(e, "whether the process needs more CPU than the quota, or wastes it");
	finding_remedy(e,
		"raise %s of %.*s (systemd: systemctl set-property UNIT CPUQuota=), or give the "
		"process less to do; a restart does not help",
		file, (int)path.size, path.data);
	finding_end(e);
}

/* --- memory.high --- */

static void report_high(struct check *e, const struct held_limit *l)
{
	const struct limits_group *g = l->group;
	struct span path = record_text(&g->record, &g->path);

	finding_begin(e, FINDING_CONFIDENCE_HIGH, "memory-high");
	finding_claim(e,
		"held back by memory.high of its control group: above it %.1f times a second",
		l->per_s);
	emit_place(e, g, "memory.high");
	finding_rate(e, "number of times the limit was exceeded", l->per_s, SOOTH_UNIT_NONE,
		l->interval_ns);
	finding_number(e, "limit", (double)g->limit, SOOTH_UNIT_BYTES, 0);
	if (!g->used_state)
		finding_number(e, "memory in use", (double)g->used, SOOTH_UNIT_BYTES, 0);
	finding_remedy(e,
		"raise memory.high of %.*s (systemd: systemctl set-property UNIT MemoryHigh=), or "
		"let the process use less memory",
		(int)path.size, path.data);
	finding_end(e);
}

/* --- other processes --- */

static bool is_starved(const struct check *e, const struct held_time *t)
{
	double could = t->ran + t->waited;

	return t->is_measured && could >= check_option(e, "could-run") &&
	       check_is_over(e, "starved", 100 * t->waited / could, "starved");
}

static void report_starved(struct check *e, const struct held_time *t)
{
	finding_begin(e, FINDING_CONFIDENCE_MEDIUM, "starved");
	finding_severity(e, FINDING_LOW);
	finding_thread(e, t->tid);
	finding_claim(e,
		"starved by other processes: ready to run %.0f %% of the time, gets %.1f %% of a "
		"CPU",
		t->ran + t->waited, t->ran);
	emit_time(e, t);
	if (e->input->load.record.time_ns && !e->input->load.load_state)
		finding_number(
			e, "load of the host (1 min)", e->input->load.load_1m, SOOTH_UNIT_NONE, 0);
	if (e->input->load.cpus)
		finding_number(e, "CPUs", e->input->load.cpus, SOOTH_UNIT_NONE, 0);
	finding_unseen(e, "which processes use the CPUs; sooth ps -a shows them");
	finding_remedy(e,
		"end processes that are not needed; ps -o ni,cls,cgroup -p %llu shows its priority: "
		"if NI is above 0, renice -n 0 -p %llu gives it the usual share, a higher "
		"cpu.weight (cpu.shares) of its control group more",
		(unsigned long long)e->id.pid, (unsigned long long)e->id.pid);
	finding_end(e);
}

static void diagnose(struct check *e)
{
	struct held_limit quota = held_limit_of(e, "cpu");
	struct held_limit high = held_limit_of(e, "memory-high");
	struct held_time time = held_time_of(e);
	bool by_quota = is_throttled(e, &quota);

	if (by_quota)
		report_throttled(e, &quota, &time);
	if (high.group && check_is_over(e, "min-high", high.per_s, "memory-high"))
		report_high(e, &high);
	if (!by_quota && is_starved(e, &time))
		report_starved(e, &time);
	if (e->found || e->muted)
		return;
	if (!time.is_measured)
		check_blind(e, thread_histories_uncounted(&e->input->threads, &e->id));
	else
		check_fine(e, "ready to run and not running: %.0f %% of the time", time.waited);
}

const struct finding_type finding_held_back = {
	.id = "held-back",
	.claim = "the process could run, but a limit or other processes hold it back",
	.probes = "proc,threads,limits",
	.needs_interval = true,
	FINDING_OPTIONS(options),
	.diagnose = diagnose,
};
