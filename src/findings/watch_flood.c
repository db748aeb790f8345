/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * watch-flood: a process watches very many files with inotify, adds watches all the time without
 * removing them, or has many inotify instances that watch nothing. Each watch takes kernel memory,
 * and all processes of a user share one limit.
 *
 * Growth rests on two measurements: the watches at both ends of the observation, and the calls that
 * add them, which show that it went on in between. A list that is filled at the start and does
 * not change after that has no such calls; watches that are removed again, or added to a file that
 * is watched already, are no gain.
 */
#include "analyze/diagnosis/call_check.h"
#include "analyze/fds/fd_sums.h"
#include "base/cleanup.h"

#define DIRECTORIES_REPORTED 3
#define INSTANCES_MAX	     65536
#define FILES_MAX	     262144 /* the probe reports no more watches */

NUMBER(SECONDS_LEAST, 3, NONE, "seconds with a new watch");
NUMBER(SECONDS_SHARE, 0.75, NONE, "of the seconds with a new watch");
NUMBER(GAIN_SHARE, 0.5, NONE, "part of the added watches that remained");
NUMBER(QUIET_END, 5, NONE, "part of the observation without a new watch");

static const struct finding_option options[] = {
	THRESHOLD("min-watches", 10000, 1, 1e9, "minimum number of inotify watches of one process"),
	PERCENT_THRESHOLD("max-share", 50, 1, 100,
		"maximum use of the user's inotify limit by one process, in percent"),
	THRESHOLD("max-empty", 16, 1, 1e9,
		"maximum number of inotify instances without a watch in one process"),
	UNLISTED("min-gain", 40, 1, 1e9,
		"minimum number of watches added and not removed during the observation"),
	UNLISTED("min-rate", 5, 0.0001, 1e9,
		"minimum number of watches added and not removed per second"),
	UNLISTED_TIME("min-age", 10e9, 0, 86400e9,
		"process age from which on growth is not that of a start"),
};

struct watched {
	uint64_t inode;
	uint32_t major, minor;
};

/* Several watchers may watch the same file. */
static uint32_t count_files(const struct snapshot *snapshot)
{
	_cleanup_(map_fini) struct map files = { 0 };

	map_init(&files, sizeof(struct watched), 1, FILES_MAX);
	snapshot_each (struct fds_watch, w, snapshot, FDS_WATCH) {
		struct watched one = { w->inode, w->device_major, w->device_minor };

		map_put(&files, &one, NULL);
	}
	return (uint32_t)files.count;
}

static uint32_t count_empty(const struct snapshot *snapshot, const struct fd_sums *sums)
{
	_cleanup_(map_fini) struct map watching = { 0 };
	uint32_t busy;

	map_init(&watching, sizeof(uint32_t), 1, INSTANCES_MAX);
	snapshot_each (struct fds_watch, w, snapshot, FDS_WATCH)
		map_put(&watching, &w->fd, NULL);
	busy = (uint32_t)watching.count;
	return sums->instances > busy ? sums->instances - busy : 0;
}

/* Returns the share of the user's limit, in percent; negative: not known. */
static double share_of(const struct fds_process *p)
{
	if (p->inotify_state != SOOTH_STATE_VALUE || !p->watches_max)
		return -1;
	return 100.0 * p->watches / p->watches_max;
}

static void emit_claim(struct check_result *out, uint32_t watches, const struct fd_directory *top)
{
	if (!top) {
		finding_claim(out, "watches %u files and directories for changes", watches);
		return;
	}
	finding_claim(out, "watches %u files and directories for changes, %u of them below %.*s",
		watches, top->watches, SPAN_ARGS(top->path));
	finding_path(out, top->path);
}

static void report_many_watches(const struct check *e, struct check_result *out,
	const struct snapshot *last, const struct fd_sums *sums)
{
	const struct fds_process *p = sums->process;
	const struct fd_directory *all, *top = NULL;
	_cleanup_(buffer_fini) struct buffer list = { 0 };
	size_t count;
	size_t shown = 0;

	fd_sums_directories(&list, last);
	all = (const void *)list.data;
	count = list.size / sizeof(*all);
	for (size_t i = 0; i < count && !top; i++)
		top = all[i].path.size ? &all[i] : NULL;
	finding_begin(out, FINDING_CONFIDENCE_HIGH, "");
	emit_claim(out, p->watches, top);
	finding_count(out, "watches", p->watches, 0);
	if (sums->watches_reported == p->watches)
		finding_count(out, "different files", count_files(last), 0);
	else
		finding_unseen(out,
			"which files %u more watches refer to: there are too many, sooth reads "
			"only some of them",
			p->watches - sums->watches_reported);
	finding_count(out, "instances", sums->instances, 0);
	for (size_t i = 0; i < count && shown < DIRECTORIES_REPORTED; i++) {
		if (!all[i].path.size)
			continue;
		finding_text(out, "directory", "%.*s: %u", SPAN_ARGS(all[i].path), all[i].watches);
		shown++;
	}
	if (!shown)
		finding_unseen(out,
			"which directories are watched: sooth diagnose -d %u shows them",
			e->id.pid);
	if (share_of(p) >= 0)
		finding_percent(
			out, "share of the user's limit of inotify watches", share_of(p), 0);
	else
		finding_unseen(out, "how many watches the user may have: the process is in another "
				    "user namespace, or sooth cannot read the limit");
	finding_remedy(out,
		"exclude generated files (node_modules, .git, build, target) in the settings of "
		"the program, or start it in a smaller directory; sooth inspect --fds %u lists the "
		"watches",
		e->id.pid);
}

static void report_empty_instances(
	struct check_result *out, const struct fd_sums *sums, uint32_t empty)
{
	const struct fds_process *p = sums->process;

	finding_begin(out, FINDING_CONFIDENCE_MEDIUM, "instances");
	finding_claim(out, "leaks inotify instances: %u are open and watch nothing", empty);
	finding_count(out, "inotify instances without a watch", empty, 0);
	finding_count(out, "instances", sums->instances, 0);
	if (p->inotify_state == SOOTH_STATE_VALUE)
		finding_count(out, "inotify instances that the user may have", p->instances_max, 0);
	finding_unseen(out, "whether some descriptors refer to the same inotify instance");
	finding_remedy(out,
		"restart the process to free the instances, and report the bug to its authors");
}

/* --- growth --- */

struct watch_growth {
	struct growth watches; /* growth of the number of watches */
	/* Calls of the thread and instance that added most. */
	uint64_t added, removed, seconds, last_added_ns;
};

static double gain_of(const struct watch_growth *g)
{
	return g->watches.last - g->watches.first;
}

static void add_calls(struct watch_growth *g, const struct call_history *calls)
{
	call_repeats_each (calls, key, r) {
		uint32_t traits = syscall_row_of(key->abi, key->number)->traits;

		if (key->result < 0)
			continue;
		if (traits & SYSCALL_REMOVES_WATCH)
			g->removed += r->count;
		if (!(traits & SYSCALL_ADDS_WATCH))
			continue;
		g->added += r->count;
		if (r->seconds < g->seconds)
			continue;
		g->seconds = r->seconds;
		g->last_added_ns = r->last_ns;
	}
}

/* Reads the growth. False: the watches were not counted twice. */
static bool growth_read(
	struct watch_growth *g, const struct check *e, const struct call_history *calls)
{
	const struct fds_process *begin =
		snapshot_end(check_first(e, &e->input->fds), sizeof(*begin));
	const struct fds_process *end = snapshot_end(check_last(e, &e->input->fds), sizeof(*end));

	*g = (struct watch_growth){ 0 };
	if (!begin || !end || begin->descriptors_state || end->descriptors_state ||
		end->record.time_ns <= begin->record.time_ns)
		return false;
	g->watches = (struct growth){ .grows = true,
		.first = begin->watches,
		.last = end->watches,
		.interval_ns = end->record.time_ns - begin->record.time_ns };
	g->watches.per_s = gain_of(g) * (double)NS_PER_S / (double)g->watches.interval_ns;
	if (calls)
		add_calls(g, calls);
	return true;
}

static bool is_ongoing(const struct check *e, const struct watch_growth *g)
{
	uint64_t quiet_ns = g->watches.interval_ns / QUIET_END;

	if (quiet_ns < NS_PER_S)
		quiet_ns = NS_PER_S;
	return g->seconds >= SECONDS_LEAST &&
	       (double)g->seconds * NS_PER_S >= SECONDS_SHARE * g->watches.interval_ns &&
	       g->last_added_ns + quiet_ns >= e->input->end_ns &&
	       gain_of(g) >= GAIN_SHARE * g->added;
}

static void emit_full(
	struct check_result *out, const struct watch_growth *g, const struct fds_process *p)
{
	uint64_t left_ns;

	if (share_of(p) < 0)
		return;
	finding_percent(out, "share of the user's limit of inotify watches", share_of(p), 0);
	if (!growth_reaches(&g->watches, p->watches_max, &left_ns))
		return;
	finding_severity(out, FINDING_MEDIUM);
	finding_time(out, "time until the limit is reached", left_ns);
}

static void emit_growth(struct check_result *out, const struct watch_growth *g,
	const struct check *e, const struct fds_process *p)
{
	finding_begin(out, FINDING_CONFIDENCE_MEDIUM, "growth");
	finding_severity(out, FINDING_LOW);
	finding_claim(out,
		"watches more and more files and directories: %.0f more, %llu removed, %.0f in all",
		gain_of(g), (unsigned long long)g->removed, g->watches.last);
	finding_count(out, "watches when the observation started", g->watches.first, 0);
	finding_count(out, "watches when the observation ended", g->watches.last, 0);
	finding_rate(out, "growth", g->watches.per_s, SOOTH_UNIT_NONE, g->watches.interval_ns);
	finding_calls_count(out, "calls that added or changed a watch", g->added);
	finding_calls_count(out, "seconds in which watches were added", g->seconds);
	emit_full(out, g, p);
	check_calls_unseen(e, out);
	finding_unseen(out, "whether the growth ends by itself: while a large tree is being "
			    "created, its watches are added one by one");
	finding_remedy(out,
		"sooth inspect --fds %u lists the watches; a program that adds one for each file "
		"or directory has to remove it again (inotify_rm_watch)",
		e->id.pid);
}

/* Diagnoses growth. False: the process is not fine, and that has been reported. */
static bool diagnose_growth(
	const struct check *e, struct check_result *out, const struct fds_process *p)
{
	struct watch_growth g;

	if (!growth_read(&g, e, e->calls.is_read ? e->calls.history : NULL) ||
		gain_of(&g) < check_option(e, "min-gain") ||
		!check_is_over(e, "min-rate", g.watches.per_s, "growth") || check_is_young(e))
		return true;
	if (!e->calls.is_read) {
		check_blind_by(out, FINDING_UNDECIDED,
			"the process has more inotify watches than before; whether it adds them "
			"all the time shows in its system calls, which were not observed",
			"observe its system calls: sooth diagnose without --passive, as root");
		return false;
	}
	if (!is_ongoing(e, &g))
		return true;
	emit_growth(out, &g, e, p);
	return false;
}

static void diagnose(const struct check *e, struct check_result *out)
{
	const struct snapshot *last = check_last(e, &e->input->fds);
	struct fd_sums sums = { 0 };
	uint32_t empty;

	if (last)
		fd_sums_of(&sums, last);
	if (!sums.process || sums.process->descriptors_state > SOOTH_STATE_TRUNCATED) {
		check_blind(out, sums.process ? sums.process->descriptors_state
					      : SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED));
		return;
	}
	empty = count_empty(last, &sums);
	if (check_is_over(e, "min-watches", sums.process->watches, "") ||
		check_is_over(e, "max-share", share_of(sums.process), ""))
		report_many_watches(e, out, last, &sums);
	if (check_is_over(e, "max-empty", empty, "instances"))
		report_empty_instances(out, &sums, empty);
	if (!out->found && diagnose_growth(e, out, sums.process))
		check_fine(
			out, "watches: %u, instances: %u", sums.process->watches, sums.instances);
}

const struct finding_detector finding_watch_flood = { diagnose, FINDING_OPTIONS(options) };
