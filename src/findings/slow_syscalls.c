/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slow-syscalls: system calls that do work are slow, and their time adds up. A call that waits
 * for another process, for time to pass, or at a socket, pipe or terminal is not slow; nor is
 * one whose thread waited for a CPU: that time is subtracted. A call that writes to the disk for
 * each small change (fsync) need not be slow: so many of them take the time.
 */
#include <stdio.h>
#include <string.h>

#include "analyze/diagnosis/call_check.h"
#include "analyze/diagnosis/finding_units.h"
#include "analyze/calls/syscall_sums.h"
#include "core/finding.h"

#define SHOWN_MAX  3
#define PATHS_MOST 3

static const struct finding_option options[] = {
	{ .name = "min-p99",
		.help = "minimum duration of the system call (99th percentile)",
		.unit = SOOTH_UNIT_NS,
		.default_value = 20e6,
		.min = 1e3,
		.max = 3600e9 },
	{ .name = "min-calls",
		.help = "minimum number of times the system call is made",
		.default_value = 5,
		.min = 1,
		.max = 1e9 },
	{ .name = "min-share",
		.help = "minimum percentage of the observed time that is spent in the system call",
		.unit = SOOTH_UNIT_PERCENT,
		.default_value = 10,
		.min = 0,
		.max = 1e6 },
	{ .name = "min-sync-rate",
		.help = "or minimum number of calls per second that write a file to its disk",
		.default_value = 50,
		.min = 0.01,
		.max = 1e9 },
	{ .name = "min-sync-share",
		.help = "with that, minimum percentage of the observed time that is spent in them",
		.unit = SOOTH_UNIT_PERCENT,
		.default_value = 50,
		.min = 0,
		.max = 1e6 },
};

struct look {
	const struct check *e;
	const struct check_calls *calls;
	double queued_ns; /* time its threads waited for a CPU */
	bool is_queue_known;
	const struct call_place *of; /* only paths of this call */
};

static void find_queued(struct look *l)
{
	const struct thread_history *t;
	size_t position = 0;

	while ((t = thread_histories_next(&l->e->input->threads, &l->e->id, &position))) {
		if (t->waited_state != SOOTH_STATE_VALUE)
			continue;
		l->is_queue_known = true;
		l->queued_ns += (double)(t->last.waited_ns - t->first.waited_ns);
	}
}

static double share_of(const struct look *l, double ns)
{
	return 100 * ns / (double)l->calls->interval_ns;
}

static bool is_sync(const struct call_place *place)
{
	const struct syscall_row *row = syscall_by_number(place->abi, place->number);

	return row && row->traits & SYSCALL_SYNCS;
}

/* A commit for each row. */
static bool syncs_often(const struct look *l, const struct call_place *place, const char *name,
	const struct call_times *t, double ns)
{
	char what[SYSCALL_NAME_SIZE + 8];

	snprintf(what, sizeof(what), "often %s", name);
	return is_sync(place) && share_of(l, ns) >= check_option(l->e, "min-sync-share") &&
	       check_is_over(l->e, "min-sync-rate", check_calls_rate(l->calls, (double)t->count),
		       what);
}

static bool is_slow(const struct look *l, const char *name, const struct call_times *t, double ns)
{
	return share_of(l, ns) >= check_option(l->e, "min-share") &&
	       check_is_over(l->e, "min-p99",
		       (double)call_percentile(t->histogram, t->max_ns, 99), name);
}

static double weigh(const void *key, const void *value, void *user)
{
	const struct look *l = user;
	const struct call_place *place = key;
	const struct call_times *t = value;
	double ns = (double)t->total_ns - l->queued_ns;
	char name[SYSCALL_NAME_SIZE];

	if (*place->text || (double)t->seen < check_option(l->e, "min-calls"))
		return 0;
	check_call_name(place->abi, place->number, name);
	if (!is_slow(l, name, t, ns) && !syncs_often(l, place, name, t, ns))
		return 0;
	return ns;
}

static double weigh_path(const void *key, const void *value, void *user)
{
	const struct look *l = user;
	const struct call_place *place = key;

	if (!*place->text || place->number != l->of->number || place->abi != l->of->abi)
		return 0;
	return (double)((const struct call_times *)value)->total_ns;
}

static void emit_paths(struct check *e, const struct check_ranked *paths, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct call_place *place = paths[i].key;
		const struct call_times *t = paths[i].value;
		char total[UNITS_SIZE], longest[UNITS_SIZE];

		finding_text(e, "path", "%s: %s in %llu calls, longest %s", place->text,
			format_ns(total, t->total_ns), (unsigned long long)t->count,
			format_ns(longest, t->max_ns));
	}
}

static void report(struct check *e, struct look *l, const struct check_ranked *one)
{
	struct check_ranked paths[PATHS_MOST];
	const struct call_place *place = one->key;
	const struct call_times *t = one->value;
	uint64_t p99_ns = call_percentile(t->histogram, t->max_ns, 99);
	char name[SYSCALL_NAME_SIZE], what[SYSCALL_NAME_SIZE + 8], p99[UNITS_SIZE];
	const char *path = "";
	bool is_often;
	size_t count;

	l->of = place;
	check_call_name(place->abi, place->number, name);
	is_often = !is_slow(l, name, t, one->weight);
	count = check_rank(&l->calls->history->times, weigh_path, l, paths, PATHS_MOST);
	if (count && paths[0].weight * 2 >= (double)t->total_ns)
		path = ((const struct call_place *)paths[0].key)->text;
	snprintf(what, sizeof(what), "%s%s", is_often ? "often " : "", name);
	finding_begin(
		e, l->is_queue_known ? FINDING_CONFIDENCE_HIGH : FINDING_CONFIDENCE_LOW, what);
	if (!l->is_queue_known)
		finding_severity(e, FINDING_LOW);
	if (*path)
		finding_path(e, span_of(path, strlen(path)));
	if (is_often)
		finding_claim(e, "spends %.0f %% of the time in %s: %.0f a second%s%s",
			share_of(l, (double)t->total_ns), name,
			check_calls_rate(l->calls, (double)t->count), *path ? " on " : "", path);
	else
		finding_claim(e, "%s%s%s is slow: p99 %s, %.0f %% of the observed time", name,
			*path ? " on " : "", path, sentence_duration(p99, p99_ns),
			share_of(l, (double)t->total_ns));
	finding_number(e, "p99", (double)p99_ns, SOOTH_UNIT_NS, 0);
	finding_number(e, "longest", (double)t->max_ns, SOOTH_UNIT_NS, 0);
	finding_number(e, "calls", (double)t->count, SOOTH_UNIT_NONE, l->calls->interval_ns);
	finding_number(e, "total time", (double)t->total_ns, SOOTH_UNIT_NS, l->calls->interval_ns);
	if (l->is_queue_known)
		finding_number(e, "time in which the threads waited for a CPU", l->queued_ns,
			SOOTH_UNIT_NS, l->calls->interval_ns);
	else
		finding_unseen(e, "how long the threads waited for a CPU");
	emit_paths(e, paths, count);
	check_calls_unseen(l->calls, e);
	if (is_often)
		finding_remedy(e,
			"write several changes before each %s: of a database, one transaction for "
			"many rows",
			name);
	else
		finding_remedy(e,
			"sooth trace --filter 'duration_ns > 10000000' -p %llu shows each slow "
			"call; check what it works on (disk, file system, memory)",
			(unsigned long long)e->id.pid);
	finding_end(e);
}

static void diagnose(struct check *e)
{
	struct check_ranked top[SHOWN_MAX];
	uint64_t max_ns = 0;
	struct check_calls c;
	struct look look = { .e = e, .calls = &c };
	size_t position = 0, count;
	char longest[UNITS_SIZE];
	void *value;

	if (!check_calls_begin(&c, e))
		return;
	find_queued(&look);
	while (map_next(&c.history->times, &position, NULL, &value)) {
		const struct call_times *t = value;

		max_ns = t->max_ns > max_ns ? t->max_ns : max_ns;
	}
	count = check_rank(&c.history->times, weigh, &look, top, SHOWN_MAX);
	for (size_t i = 0; i < count; i++)
		report(e, &look, &top[i]);
	if (!count)
		check_fine(e, "longest call: %s", format_ns(longest, max_ns));
}

const struct finding_type finding_slow_syscalls = {
	.id = "slow-syscalls",
	.claim = "system calls are slow (other than those that wait by design)",
	.probes = "syscalls",
	FINDING_OPTIONS(options),
	.diagnose = diagnose,
};
