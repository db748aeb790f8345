/* SPDX-License-Identifier: BSD-2-Clause */
/* metadata-storm: a process looks up the same files over and over (stat, access, open, readlink,
 * reading a directory) without reading or writing them, and spends a part of its time on it. A
 * build or `git status` looks up many files, but each only once or twice; a lookup followed by an
 * open and a read is part of using the file. Or it walks a directory tree over and over: most
 * directories that it reads are read again within the interval. */
#include "analyze/diagnosis/call_check.h"

#define SHOWN_MAX   3
#define FOLDERS_MAX 4096

#define REMEDY                                                                                     \
	"sooth trace -e %%path -p %u shows each lookup; the fix: cache the result, or watch for "  \
	"changes with inotify"

NUMBER(ROUNDS_LEAST, 4, NONE,
	"times that one folder is in a path: fewer may be a package within another");
NUMBER(LOOKS_USED, 2, NONE, "lookups: a stat and an open before the contents are read");
NUMBER(WALKED_LEAST, 10, NONE, "directories read again: fewer are no walk of a tree");
NUMBER(APART, 300 * NS_PER_MS, NS, "between two walks, or lookups, that belong to two uses");
NUMBER(WALK_BUSY, 10, PERCENT,
	"of a thread's time: from there on even one round is not fine, and severity is not low");
NUMBER(APART_LEAST, 20, NONE, "lookups, so that distances between them mean something");

static const struct finding_option options[] = {
	THRESHOLD("min-rate", 500, 1, 1e9, "minimum repeated file lookups per second"),
	THRESHOLD("min-times", 5, 1, 1e9, "minimum average number of lookups per file"),
	PERCENT_THRESHOLD("min-share", 1, 0, 1e6,
		"minimum percentage of one thread's time that is spent in repeated file lookups"),
};

/* Counts repeated lookups. The recorded calls together say how often a file was looked up; only the
 * sums are scaled to all lookups. */
struct storm {
	double scale;	 /* lookups that each recorded one stands for */
	double seen;	 /* repeated lookups, recorded */
	double repeated; /* repeated lookups, scaled to all */
	double repeated_ns;
	double looks; /* recorded lookups of these files */
	double files;
	struct map folders; /* call_path -> double */
};

/* Returns the lookups beyond the first, and beyond those that come with a read or write. Kernel
 * files (/proc, /sys) have nothing to cache. */
static double repeated_lookups(const struct call_path *path, const struct call_file *f)
{
	uint64_t moves = f->moves[CALL_READ].seen + f->moves[CALL_WRITTEN].seen;
	uint64_t used = 1 + LOOKS_USED * moves;

	return f->looks > used && call_is_on_disk(path->text) ? (double)(f->looks - used) : 0;
}

static double weigh_file(const void *key, const void *value, const void *user)
{
	(void)user;
	return repeated_lookups(key, value);
}

static double weigh_folder(const void *key, const void *value, const void *user)
{
	(void)key;
	(void)user;
	return *(const double *)value;
}

static void find_storm(struct storm *s, const struct call_history *h)
{
	s->scale = h->looks_seen ? (double)h->looks / (double)h->looks_seen : 1;
	map_init(&s->folders, sizeof(struct call_path), sizeof(double), FOLDERS_MAX);
	map_for_each (&h->files, const struct call_path *, path, const struct call_file *, f) {
		struct call_path folder = call_path_folder(path->text);
		double *sum, again = repeated_lookups(path, f);

		if (!again)
			continue;
		s->seen += again;
		s->repeated += again * s->scale;
		s->repeated_ns += (double)f->looks_ns * again * s->scale / (double)f->looks;
		s->looks += (double)f->looks;
		s->files++;
		sum = map_put(&s->folders, &folder, NULL);
		if (sum)
			*sum += again * s->scale;
	}
}

/* Leaves out lookups at the end of a burst: the reads that follow them are missing, so they repeat
 * nothing. */
static void leave_out_gaps(struct storm *s, const struct call_history *h)
{
	double cut = (double)(LOOKS_USED * h->gaps);
	double share = s->seen > cut ? (s->seen - cut) / s->seen : 0;

	s->seen *= share;
	s->repeated *= share;
	s->repeated_ns *= share;
}

static double share_of(const struct check *e, const struct storm *s)
{
	return s->repeated_ns * 100 / (double)e->calls.interval_ns;
}

static unsigned times_in(struct span path, struct span part)
{
	struct cursor c = cursor_over(path.data, path.size);
	unsigned times = 0;

	while (!cursor_at_end(&c))
		times += !span_compare(cursor_until(&c, '/'), part);
	return times;
}

/* Says that a walk goes round, if a part of its path comes again and again. */
static void claim_circle(struct check_result *out, struct span path)
{
	struct cursor c = cursor_over(path.data, path.size);
	struct span most = span_of("", 0);
	unsigned times = 0;

	while (!cursor_at_end(&c)) {
		struct span part = cursor_until(&c, '/');
		unsigned of_part = part.size ? times_in(path, part) : 0;

		if (of_part <= times)
			continue;
		times = of_part;
		most = part;
	}
	if (times >= ROUNDS_LEAST)
		finding_claim(out,
			"; it goes round: \"%.*s\" is in that path %u times, so a symbolic link "
			"leads back to a folder above it",
			SPAN_ARGS(most), times);
}

/* Begins a finding: of low severity if the lookups cost little, as those of a program that polls
 * for changes now and then. */
static void begin_finding(
	const struct check *e, struct check_result *out, enum finding_confidence c, double share)
{
	finding_begin(out, c, "");
	finding_low_if(out, share < WALK_BUSY && e->process &&
				    process_table_cpu_percent(e->process) < WALK_BUSY);
}

static void report_storm(struct check_result *out, const struct check *e, const struct storm *s)
{
	struct check_ranked folders[SHOWN_MAX], files[SHOWN_MAX];
	size_t folder_count = check_rank(&s->folders, weigh_folder, NULL, folders, SHOWN_MAX);
	size_t file_count =
		check_rank(&e->calls.history->files, weigh_file, NULL, files, SHOWN_MAX);
	const char *folder = folder_count ? check_ranked_path(&folders[0]) : "";

	begin_finding(e, out, check_calls_confidence(e), share_of(e, s));
	finding_path(out, span_of_string(folder));
	if (s->files == 1)
		finding_claim(out, "looks up one file");
	else
		finding_claim(out, "looks up the same %.0f files", s->files);
	finding_claim(out, " over and over: %s%.0f times a second, %s %s", check_calls_least(e),
		check_calls_rate(e, s->repeated), s->files == 1 ? "in" : "mostly in",
		*folder ? folder : "its directory");
	claim_circle(out, span_of_string(folder));
	finding_calls_rate(out, "repeated lookups", s->repeated);
	finding_percent(out, "share of one thread's time spent in repeated lookups", share_of(e, s),
		e->calls.interval_ns);
	finding_calls_count(out, "lookups per file", s->looks / s->files);
	finding_calls_count(out, "lookups, total", e->calls.history->looks);
	for (size_t i = 0; i < folder_count; i++)
		finding_text(out, "directory", "%s: %.0f lookups", check_ranked_path(&folders[i]),
			folders[i].weight);
	for (size_t i = 0; i < file_count; i++)
		finding_text(out, "file", "%s: %.0f lookups", check_ranked_path(&files[i]),
			files[i].weight * s->scale);
	finding_remedy(out, REMEDY, e->id.pid);
}

/* --- files and directories at two times --- */

/* Directories that were read, or files that were only looked up. A walk of a tree that was walked
 * earlier reads directories again, some time later. If only windows of calls were recorded, a file
 * is rarely seen as often as it is used; but if each was used once, none would be seen at two
 * times. */
struct twice {
	double all, repeated; /* number of paths; of paths that were seen at two times */
	struct call_path top; /* deepest directory that has all paths seen at two times */
};

static void count_twice(struct twice *w, const struct call_path *path, uint64_t apart_ns)
{
	w->all++;
	if (apart_ns < APART)
		return;
	w->repeated++;
	check_keep_common(&w->top, path->text);
}

static void find_twice(struct twice *walked, struct twice *looked, const struct call_history *h)
{
	map_for_each (&h->files, const struct call_path *, path, const struct call_file *, f) {
		if (!call_is_on_disk(path->text))
			continue;
		if (f->walks)
			count_twice(walked, path, f->last_walk_ns - f->first_walk_ns);
		if (f->first_look_ns && !f->moves[CALL_READ].seen && !f->moves[CALL_WRITTEN].seen)
			count_twice(looked, path, f->last_look_ns - f->first_look_ns);
	}
}

static double walk_share(const struct check *e)
{
	return check_calls_looks_ns(e) * 100 / (double)e->calls.interval_ns;
}

static bool is_apart(const struct check *e, const struct twice *looked)
{
	double looks = check_calls_rate(e, e->calls.history->looks);

	return e->calls.is_sampled && looked->repeated >= APART_LEAST &&
	       looked->repeated * 4 >= looked->all && looks >= 10 * check_option(e, "min-rate") &&
	       walk_share(e) >= check_option(e, "min-share");
}

static bool is_walk(const struct check *e, const struct twice *walked)
{
	return walked->repeated >= WALKED_LEAST && walk_share(e) >= check_option(e, "min-share") &&
	       (e->calls.is_sampled || walked->repeated * 2 >= walked->all);
}

static void report_twice(
	struct check_result *out, const struct check *e, const struct twice *w, bool is_walk)
{
	double looks = check_calls_rate(e, e->calls.history->looks);

	begin_finding(e, out,
		e->calls.is_sampled ? FINDING_CONFIDENCE_MEDIUM : check_calls_confidence(e),
		walk_share(e));
	finding_path(out, span_of_string(w->top.text));
	if (is_walk)
		finding_claim(out,
			"walks the same directories over and over, below %s: %s%.0f file lookups a "
			"second",
			w->top.text, check_calls_least(e), looks);
	else
		finding_claim(out,
			"looks up the same files over and over: %.0f file lookups a second, below "
			"%s",
			looks, w->top.text);
	claim_circle(out, span_of_string(w->top.text));
	finding_percent(out, "share of one thread's time spent in file lookups", walk_share(e),
		e->calls.interval_ns);
	finding_calls_count(out,
		is_walk ? "directories read more than once" : "files that were seen at two times",
		w->repeated);
	finding_calls_count(out,
		is_walk ? "directories read" : "other files that were only looked up",
		is_walk ? w->all : w->all - w->repeated);
	if (is_walk)
		finding_remedy(out,
			"sooth trace -e %%path -p %u shows the walk; the fix: watch for changes "
			"with inotify, leave out directories that are not needed, or walk less "
			"often",
			e->id.pid);
	else
		finding_remedy(out, REMEDY, e->id.pid);
}

static bool is_storm(const struct check *e, const struct storm *s)
{
	return s->files && check_calls_suffice(e, s->seen) &&
	       s->looks >= check_option(e, "min-times") * s->files &&
	       check_is_over(e, "min-rate", check_calls_rate(e, s->repeated), "") &&
	       check_is_over(e, "min-share", share_of(e, s), "");
}

static void diagnose(const struct check *e, struct check_result *out)
{
	struct storm s = { 0 };
	struct twice walked = { 0 }, looked = { 0 };

	find_storm(&s, e->calls.history);
	leave_out_gaps(&s, e->calls.history);
	find_twice(&walked, &looked, e->calls.history);
	if (is_storm(e, &s))
		report_storm(out, e, &s);
	else if (is_walk(e, &walked))
		report_twice(out, e, &walked, true);
	else if (is_apart(e, &looked))
		report_twice(out, e, &looked, false);
	else if (e->calls.history->walks >= WALKED_LEAST && walk_share(e) >= WALK_BUSY)
		check_blind_because(out,
			"it walks a directory tree: a longer look shows whether again and again",
			CHECK_LONGER);
	else
		check_fine(out,
			"%.0f lookups a second, %.0f of them repeated: %.2g %% of a thread's time",
			check_calls_rate(e, e->calls.history->looks),
			check_calls_rate(e, s.repeated), share_of(e, &s));
	map_fini(&s.folders);
}

const struct finding_detector finding_metadata_storm = { diagnose, FINDING_OPTIONS(options) };
