/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * watch-flood: a process watches very many files with inotify, or has many inotify instances
 * that watch nothing. Each watch takes kernel memory, and all processes of a user share one
 * limit.
 *
 * Cannot be seen: whether two descriptors are one instance (dup, fork); they count as two.
 */
#include <stdlib.h>

#include "analyze/diagnosis/check.h"
#include "analyze/fds/fd_sums.h"
#include "base/map.h"
#include "explain/finding.h"
#include "probes/fds.h"

#define DIRECTORIES_REPORTED 3
#define INSTANCES_MAX	     65536

static const struct finding_option options[] = {
	THRESHOLD("min-watches", 10000, 1, 1e9, "minimum number of inotify watches of one process"),
	THRESHOLD("max-share", 50, 1, 100,
		"maximum use of the user's inotify limit by one process, in percent",
		.unit = SOOTH_UNIT_PERCENT),
	THRESHOLD("max-empty", 16, 1, 1e9,
		"maximum number of inotify instances without a watch in one process"),
};

/* --- counting --- */

struct watched {
	uint64_t inode;
	uint32_t major, minor;
};

static int by_file(const void *a, const void *b)
{
	const struct watched *x = a, *y = b;

	if (x->inode != y->inode)
		return x->inode < y->inode ? -1 : 1;
	if (x->major != y->major)
		return x->major < y->major ? -1 : 1;
	return (x->minor > y->minor) - (x->minor < y->minor);
}

/* Several watchers may watch the same file. */
static uint32_t count_files(const struct snapshot *snapshot)
{
	struct batch records = snapshot_records(snapshot);
	struct buffer list = { 0 };
	uint32_t different = 0;
	struct watched *all;
	size_t count;

	batch_for_each (r, &records) {
		const struct fds_watch *w = record_as(r, FDS_WATCH, sizeof(*w));
		struct watched one;

		if (!w)
			continue;
		one = (struct watched){ w->inode, w->device_major, w->device_minor };
		buffer_append(&list, &one, sizeof(one));
	}
	all = (void *)list.data;
	count = list.size / sizeof(*all);
	if (count)
		qsort(all, count, sizeof(*all), by_file);
	for (size_t i = 0; i < count; i++)
		different += !i || by_file(&all[i], &all[i - 1]);
	buffer_fini(&list);
	return different;
}

static uint32_t count_empty(const struct snapshot *snapshot, const struct fd_sums *sums)
{
	struct batch records = snapshot_records(snapshot);
	struct map watching;
	uint32_t busy;

	map_init(&watching, sizeof(uint32_t), 1, INSTANCES_MAX);
	batch_for_each (r, &records) {
		const struct fds_watch *w = record_as(r, FDS_WATCH, sizeof(*w));

		if (w)
			map_put(&watching, &w->fd, NULL);
	}
	busy = (uint32_t)watching.count;
	map_fini(&watching);
	return sums->instances > busy ? sums->instances - busy : 0;
}

/* Percent of the user's limit; negative: not known. */
static double share_of(const struct fds_process *p)
{
	if (p->inotify_state != SOOTH_STATE_VALUE || !p->watches_max)
		return -1;
	return 100.0 * p->watches / p->watches_max;
}

/* --- the finding --- */

/* The directories with most watches; the claim names the first. */
static void emit_directories(const struct check *e, struct check_result *out,
	const struct fd_directory *all, size_t count)
{
	size_t shown = 0;

	for (size_t i = 0; i < count && shown < DIRECTORIES_REPORTED; i++) {
		if (!all[i].path.size)
			continue;
		finding_text(out, "directory", "%.*s: %u", (int)all[i].path.size, all[i].path.data,
			all[i].watches);
		shown++;
	}
	if (!shown)
		finding_unseen(out,
			"which directories are watched: sooth diagnose -d %u shows them",
			e->id.pid);
}

static void claim(struct check_result *out, uint32_t watches, const struct fd_directory *top)
{
	if (!top) {
		finding_claim(out, "watches %u files and directories for changes", watches);
		return;
	}
	finding_claim(out, "watches %u files and directories for changes, %u of them below %.*s",
		watches, top->watches, (int)top->path.size, top->path.data);
	finding_path(out, top->path);
}

static void emit_flood(const struct check *e, struct check_result *out, const struct snapshot *last,
	const struct fd_sums *sums)
{
	const struct fds_process *p = sums->process;
	const struct fd_directory *all, *top = NULL;
	struct buffer list = { 0 };
	size_t count;

	fd_sums_directories(&list, last);
	all = (const void *)list.data;
	count = list.size / sizeof(*all);
	for (size_t i = 0; i < count && !top; i++)
		top = all[i].path.size ? &all[i] : NULL;
	finding_begin(out, FINDING_CONFIDENCE_HIGH, "");
	claim(out, p->watches, top);
	finding_number(out, "watches", p->watches, SOOTH_UNIT_NONE, 0);
	if (sums->watches_reported == p->watches)
		finding_number(out, "different files", count_files(last), SOOTH_UNIT_NONE, 0);
	else
		finding_unseen(out,
			"which files %u more watches refer to: there are too many, sooth reads "
			"only "
			"some of them",
			p->watches - sums->watches_reported);
	finding_number(out, "instances", sums->instances, SOOTH_UNIT_NONE, 0);
	emit_directories(e, out, all, count);
	if (share_of(p) >= 0)
		finding_number(out, "share of the user's limit of inotify watches", share_of(p),
			SOOTH_UNIT_PERCENT, 0);
	else
		finding_unseen(out, "how many watches the user may have: the process is in another "
				    "user namespace, or sooth cannot read the limit");
	finding_remedy(out,
		"exclude generated files (node_modules, .git, build, target) in the settings of "
		"the program, or start it in a smaller directory; sooth inspect --fds %u lists "
		"the watches",
		e->id.pid);
	finding_end(out);
	buffer_fini(&list);
}

static void emit_empty(struct check_result *out, const struct fd_sums *sums, uint32_t empty)
{
	const struct fds_process *p = sums->process;

	finding_begin(out, FINDING_CONFIDENCE_MEDIUM, "instances");
	finding_claim(out, "leaks inotify instances: %u are open and watch nothing", empty);
	finding_number(out, "inotify instances without a watch", empty, SOOTH_UNIT_NONE, 0);
	finding_number(out, "instances", sums->instances, SOOTH_UNIT_NONE, 0);
	if (p->inotify_state == SOOTH_STATE_VALUE)
		finding_number(out, "inotify instances that the user may have", p->instances_max,
			SOOTH_UNIT_NONE, 0);
	finding_unseen(out, "whether some descriptors refer to the same inotify instance");
	finding_remedy(out,
		"restart the process to free the instances, and report the bug to its authors");
	finding_end(out);
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
		emit_flood(e, out, last, &sums);
	if (check_is_over(e, "max-empty", empty, "instances"))
		emit_empty(out, &sums, empty);
	if (!out->found)
		check_fine(
			out, "watches: %u, instances: %u", sums.process->watches, sums.instances);
}

const struct finding_type finding_watch_flood = {
	.id = "watch-flood",
	.claim = "a process watches very many files for changes",
	.probes = "proc,fds",
	FINDING_OPTIONS(options),
	.diagnose = diagnose,
};
