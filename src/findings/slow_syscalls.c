/* SPDX-License-Identifier: BSD-2-Clause */
/* slow-syscalls: system calls that do work are slow, and their time adds up. A call that waits for
 * another process, for time to pass, or at a socket, pipe or terminal is not slow; nor is one whose
 * thread waited for a CPU: that time is subtracted. A call that writes to the disk for each small
 * change (fsync) need not be slow: their number takes the time. */
#include <stdio.h>

#include "analyze/diagnosis/call_check.h"
#include "base/sentence_units.h"
#include "analyze/evidence/held.h"
#include "analyze/calls/syscall_sums.h"

#define SHOWN_MAX  3
#define PATHS_MOST 3

#define LINUX_O_DSYNC 010000 /* bit that O_SYNC includes */

NUMBER(QUEUED_MOST, 95, PERCENT, "of the time in calls: above, the wait is not for the calls");

static const struct finding_option options[] = {
	TIME_THRESHOLD("min-p99", 20e6, 1e3, 3600e9,
		"minimum duration of the system call (99th percentile)"),
	THRESHOLD("min-calls", 5, 1, 1e9, "minimum number of times the system call is made"),
	PERCENT_THRESHOLD("min-share", 10, 0, 1e6,
		"minimum percentage of the observed time that is spent in the system call"),
	UNLISTED("min-sync-rate", 50, 0.01, 1e9,
		"or minimum number of calls per second that write a file to its disk"),
	UNLISTED_PERCENT("min-sync-share", 50, 0, 1e6,
		"with that, minimum percentage of the observed time that is spent in them"),
};

struct look {
	const struct check *e;
	double queued_ns; /* time its threads waited for a CPU */
	bool is_queue_known;
	const struct call_place *call; /* only paths of this call */
};

static void find_queued(struct look *l)
{
	thread_histories_for_each (&l->e->input->threads, &l->e->id, t) {
		if (t->waited_state != SOOTH_STATE_VALUE)
			continue;
		l->is_queue_known = true;
		l->queued_ns += (double)(t->last.waited_ns - t->first.waited_ns);
	}
}

static double share_of(const struct look *l, double ns)
{
	return 100 * ns / (double)l->e->calls.interval_ns;
}

static double own_ns(const struct look *l, const struct call_times *t)
{
	return (double)t->total_ns - l->queued_ns;
}

static double weigh_path(const void *key, const void *value, const void *user)
{
	const struct look *l = user;
	const struct call_place *place = key;

	if (!*place->text || place->number != l->call->number || place->abi != l->call->abi)
		return 0;
	return (double)((const struct call_times *)value)->total_ns;
}

/* Returns the file that most of the time of that call was spent on; "": none. */
static const char *path_of(const struct look *l, const struct call_place *place, double total_ns)
{
	struct look of = *l;
	struct check_ranked path;

	of.call = place;
	if (!check_rank(&l->e->calls.history->times, weigh_path, &of, &path, 1) ||
		path.weight * 2 < total_ns)
		return "";
	return ((const struct call_place *)path.key)->text;
}

static bool is_opened_to_sync(const struct snapshot *s, const char *path)
{
	snapshot_each (struct fds_descriptor, d, s, FDS_DESCRIPTOR) {
		if (!d->flags_state && d->flags & LINUX_O_DSYNC &&
			d->path_state <= SOOTH_STATE_TRUNCATED &&
			span_equal(record_text(&d->record, &d->path), path))
			return true;
	}
	return false;
}

/* Returns whether the call writes to a file opened for synchronous writes: each write waits for the
 * disk. */
static bool writes_through(
	const struct look *l, const struct call_place *place, const struct call_times *t)
{
	const struct syscall_row *row = syscall_by_number(place->abi, place->number);
	const char *path = path_of(l, place, (double)t->total_ns);

	return row && row->transfer.direction == SYSCALL_WRITES && *path &&
	       (is_opened_to_sync(check_first(l->e, &l->e->input->fds), path) ||
		       is_opened_to_sync(check_last(l->e, &l->e->input->fds), path));
}

static bool is_sync(
	const struct look *l, const struct call_place *place, const struct call_times *t)
{
	const struct syscall_row *row = syscall_by_number(place->abi, place->number);

	return row && (row->traits & SYSCALL_SYNCS || writes_through(l, place, t));
}

/* Returns whether the threads waited for a CPU nearly all of the time of the calls: held-back
 * explains more. */
static bool is_queued(const struct look *l, const struct call_times *t)
{
	return 100 * l->queued_ns >= QUEUED_MOST * t->total_ns;
}

/* Returns whether the process syncs often, as with a commit for each row. On a busy host the thread
 * waits for a CPU after each sync: that time is part of the cost of so many. */
static bool syncs_often(const struct look *l, const struct call_place *place, const char *name,
	const struct call_times *t)
{
	char what[SYSCALL_NAME_SIZE + 8];

	snprintf(what, sizeof(what), "often %s", name);
	return share_of(l, (double)t->total_ns) >= check_option(l->e, "min-sync-share") &&
	       check_is_over(l->e, "min-sync-rate", check_calls_rate(l->e, t->count), what) &&
	       is_sync(l, place, t);
}

static uint64_t p99_of(const struct call_times *t)
{
	return call_percentile(t->histogram, t->max_ns, 99);
}

static bool is_slow(const struct look *l, const char *name, const struct call_times *t, double ns)
{
	return share_of(l, ns) >= check_option(l->e, "min-share") &&
	       check_is_over(l->e, "min-p99", p99_of(t), name);
}

static double weigh_call(const void *key, const void *value, const void *user)
{
	const struct look *l = user;
	const struct call_place *place = key;
	const struct call_times *t = value;
	char name[SYSCALL_NAME_SIZE];

	if (*place->text || t->seen < check_option(l->e, "min-calls"))
		return 0;
	check_call_name(place->abi, place->number, name);
	if (is_slow(l, name, t, own_ns(l, t)))
		return own_ns(l, t);
	return syncs_often(l, place, name, t) ? (double)t->total_ns : 0;
}

static void emit_paths(struct check_result *out, const struct check_ranked *paths, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct call_place *place = paths[i].key;
		const struct call_times *t = paths[i].value;

		finding_text(out, "path", "%s: %s in %llu calls, longest %s", place->text,
			FORMAT_NS(t->total_ns), (unsigned long long)t->count, FORMAT_NS(t->max_ns));
	}
}

static void remedy_of_often(
	struct check_result *out, const struct call_place *place, const char *name)
{
	const struct syscall_row *row = syscall_by_number(place->abi, place->number);

	if (row && row->traits & SYSCALL_SYNCS) {
		finding_remedy(out,
			"write several changes before each %s: of a database, one transaction for "
			"many rows",
			name);
		return;
	}
	finding_text(out, "opened with", "O_DSYNC or O_SYNC: each write waits for the disk");
	finding_remedy(out, "write larger parts, or open the file without O_DSYNC and O_SYNC and "
			    "call fsync at the end (dd: conv=fsync)");
}

static void report_call(struct check_result *out, struct look *l, const struct check_ranked *one)
{
	const struct call_place *place = one->key;
	const struct call_times *t = one->value;
	const char *path = path_of(l, place, (double)t->total_ns);
	bool is_low = !l->is_queue_known || is_queued(l, t), is_often;
	char name[SYSCALL_NAME_SIZE], what[SYSCALL_NAME_SIZE + 8];
	struct check_ranked paths[PATHS_MOST];
	uint64_t interval_ns = l->e->calls.interval_ns;

	l->call = place;
	check_call_name(place->abi, place->number, name);
	is_often = !is_slow(l, name, t, own_ns(l, t));
	snprintf(what, sizeof(what), "%s%s", is_often ? "often " : "", name);
	finding_begin(out, is_low ? FINDING_CONFIDENCE_LOW : FINDING_CONFIDENCE_HIGH, what);
	/* Otherwise the limit of the control group is the reason (held-back). */
	finding_low_if(out, is_low || held_io_of(l->e).group);
	if (*path)
		finding_path(out, span_of_string(path));
	if (is_often)
		finding_claim(out, "spends %.0f %% of the time in %s: %s%.0f a second%s%s%s",
			share_of(l, (double)t->total_ns), name, check_calls_least(l->e),
			check_calls_rate(l->e, t->count), *path ? " on " : "", path,
			is_queued(l, t) ? "; nearly all of it waiting for a CPU" : "");
	else
		finding_claim(out, "%s%s%s is slow: p99 %s, %.0f %% of the observed time", name,
			*path ? " on " : "", path, SENTENCE_DURATION(p99_of(t)),
			share_of(l, (double)t->total_ns));
	finding_time(out, "p99", p99_of(t));
	finding_time(out, "longest", t->max_ns);
	finding_count(out, "calls", t->count, interval_ns);
	finding_number(out, "total time", (double)t->total_ns, SOOTH_UNIT_NS, interval_ns);
	if (l->is_queue_known)
		finding_number(out, "time in which the threads waited for a CPU", l->queued_ns,
			SOOTH_UNIT_NS, interval_ns);
	else
		finding_unseen(out, "how long the threads waited for a CPU");
	emit_paths(out, paths,
		check_rank(&l->e->calls.history->times, weigh_path, l, paths, PATHS_MOST));
	if (is_often)
		remedy_of_often(out, place, name);
	else
		finding_remedy(out,
			"sooth trace --filter 'duration_ns > 10000000' -p %u shows each slow call; "
			"check what it works on (disk, file system, memory)",
			l->e->id.pid);
}

static void diagnose(const struct check *e, struct check_result *out)
{
	struct check_ranked top[SHOWN_MAX];
	uint64_t max_ns = 0;
	struct look look = { .e = e };
	size_t count;
	char fine[32 + UNITS_SIZE];

	find_queued(&look);
	map_for_each_value (&e->calls.history->times, const struct call_times *, t)
		max_ns = t->max_ns > max_ns ? t->max_ns : max_ns;
	count = check_rank(&e->calls.history->times, weigh_call, &look, top, SHOWN_MAX);
	for (size_t i = 0; i < count; i++)
		report_call(out, &look, &top[i]);
	snprintf(fine, sizeof(fine), "longest call: %s", FORMAT_NS(max_ns));
	if (!count)
		check_calls_fine(e, out, fine);
}

const struct finding_detector finding_slow_syscalls = { diagnose, FINDING_OPTIONS(options) };
