/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * file-watcher-busy: a process is woken by its own writes: it watches a file or directory
 * (inotify), and it or a command that it starts rewrites something there each time. A watcher that
 * builds into a directory that it watches starts the next build itself. A growing log in that
 * directory is no loop, and writes of other processes are the purpose of a watcher.
 */
#include "analyze/diagnosis/call_check.h"
#include "analyze/evidence/children.h"
#include "analyze/evidence/work_share.h"

#define DIRECTORIES_MAX 1024
#define FILES_MAX	4096

NUMBER(OWN_LEAST, 0.25, NONE, "share of events from own writes: up to four for a rewritten file");

/* inotify(7) */
enum { MODIFIED = 0x2, WRITTEN = 0x8, MOVED_HERE = 0x80, MADE = 0x100 };
#define CHANGES (MODIFIED | WRITTEN | MOVED_HERE | MADE)

static const struct finding_option options[] = {
	THRESHOLD("min-rate", 1, 0.1, 1e9,
		"minimum number of times per second that one watched file is rewritten; where many "
		"threads share a processor, accordingly fewer"),
	THRESHOLD("min-times", 5, 2, 1e9, "minimum number of times"),
	THRESHOLD("many", 100, 1, 1e9,
		"number of times per second from which severity is medium without children"),
};

struct rewritten {
	double times, by_children;
};

struct look {
	struct map watched; /* call_path of a file or directory watched for changes -> nothing */
	struct map files;   /* call_path -> struct rewritten */
	bool is_child;
	double all, events;
};

static void read_watches(struct look *l, const struct snapshot *s)
{
	snapshot_each (struct fds_watch, w, s, FDS_WATCH) {
		struct span path = record_text(&w->record, &w->path);
		struct call_path key = call_path_key(path);

		if (!w->path_state && w->mask & CHANGES && path.size < sizeof(key.text))
			map_put(&l->watched, &key, NULL);
	}
}

static bool is_watched(const struct look *l, const char *path)
{
	struct call_path key = call_path_key(span_of_string(path));
	struct call_path folder = call_path_folder(path);

	return map_get(&l->watched, &key) || map_get(&l->watched, &folder);
}

static void count_rewrites(void *user, const struct call_history *h)
{
	struct look *l = user;

	map_for_each (&h->files, const struct call_path *, path, const struct call_file *, f) {
		bool is_new = f->contents.is_made || f->contents.there_bytes;
		double times = (double)f->contents.replaced + (l->is_child && is_new);
		struct rewritten *to;

		if (f->kind != FD_FOLLOWED_FILE || times <= 0 || !is_watched(l, path->text))
			continue;
		to = map_put(&l->files, path, NULL);
		if (!to)
			continue;
		to->times += times;
		to->by_children += l->is_child ? times : 0;
		l->all += times;
	}
}

static bool is_watcher(const struct snapshot *s, int32_t fd)
{
	snapshot_each (struct fds_watch, w, s, FDS_WATCH) {
		if (fd >= 0 && w->fd == (uint32_t)fd)
			return true;
	}
	return false;
}

/* Counts the reads that brought events; one read may bring several. */
static void count_events(struct look *l, const struct check *e, const struct call_history *h)
{
	const struct snapshot *last = check_last(e, &e->input->fds);

	call_repeats_each (h, key, r) {
		const struct syscall_row *row = syscall_by_number(key->abi, key->number);

		if (key->result > 0 && row && row->transfer.direction == SYSCALL_READS &&
			is_watcher(last, key->fd))
			l->events += (double)r->count;
	}
}

static double weigh_file(const void *key, const void *value, const void *user)
{
	const struct rewritten *w = value;

	(void)key;
	(void)user;
	return w->times;
}

static void report_file(struct check_result *out, const struct check *e,
	const struct check_ranked *one, const struct look *l)
{
	const struct call_path *path = one->key;
	const struct rewritten *w = one->value;
	double rate = check_calls_rate(e, w->times);

	finding_begin(out, confidence_high_if(!(e->calls.lost || e->calls.is_sampled)), path->text);
	finding_low_if(out, w->by_children <= 0 && rate < check_option(e, "many"));
	finding_path(out, span_of_string(path->text));
	finding_claim(out, "wakes itself: %s rewrites %s, which it watches, %.1f times a second",
		w->by_children > 0 ? "a command that it starts" : "it", path->text, rate);
	finding_rate(out, "times that the file is rewritten", rate, SOOTH_UNIT_NONE,
		e->calls.interval_ns);
	finding_calls_rate(out, "reads of events", l->events);
	if (l->files.count > 1)
		finding_count(out, "watched files that it rewrites", l->files.count, 0);
	finding_unseen(out, "whether it ignores these events");
	finding_remedy(out, "write results to a directory that is not watched, or exclude this one "
			    "from the watch");
}

static void check_rewrites(struct check_result *out, const struct check *e, struct look *l)
{
	struct check_ranked top;

	count_rewrites(l, e->calls.history);
	l->is_child = true;
	child_calls_each(e, count_rewrites, l);
	count_events(l, e, e->calls.history);
	if (!check_rank(&l->files, weigh_file, NULL, &top, 1))
		check_fine(out, "it rewrites nothing that it watches");
	else if (top.weight < check_option(e, "min-times") || !l->events ||
		 l->all < OWN_LEAST * l->events ||
		 !check_is_over(e, "min-rate",
			 check_calls_rate(e, top.weight) * cpu_load_of(e->input), ""))
		check_fine(out, "it rewrites watched files %.0f times, and reads %.0f events",
			l->all, l->events);
	else
		report_file(out, e, &top, l);
}

static void diagnose(const struct check *e, struct check_result *out)
{
	struct look l = { 0 };

	map_init(&l.watched, sizeof(struct call_path), 0, DIRECTORIES_MAX);
	map_init(&l.files, sizeof(struct call_path), sizeof(struct rewritten), FILES_MAX);
	read_watches(&l, check_last(e, &e->input->fds));
	if (l.watched.count)
		check_rewrites(out, e, &l);
	else
		check_fine(out, "it watches no files, or their paths are not known");
	map_fini(&l.watched);
	map_fini(&l.files);
}

const struct finding_detector finding_file_watcher_busy = { diagnose, FINDING_OPTIONS(options) };
