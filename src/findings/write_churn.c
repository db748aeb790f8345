/* SPDX-License-Identifier: BSD-2-Clause */
/* write-churn: a process writes far more data than remains in its files: a file is truncated and
 * rewritten over and over, or files are written and removed. A growing file is no churn, however
 * fast it grows. Databases overwrite in place on purpose, so far more of that is allowed. */
#include "analyze/diagnosis/call_check.h"

#define SHOWN_MAX 3

static const struct finding_option options[] = {
	BYTES_THRESHOLD("min-rate", 1 << 20, 1, 1e12,
		"minimum bytes per second written to files and then overwritten or removed"),
	THRESHOLD("min-times", 3, 1, 1e9, "minimum number of rewrites or removals of files"),
	UNLISTED("min-ratio", 3, 0, 1e9,
		"minimum ratio of bytes discarded to bytes that remain in the files"),
	BYTES_THRESHOLD("in-place-rate", 32 << 20, 1, 1e12,
		"minimum bytes per second that overwrite the same parts of a file"),
};

enum waste_kind { WASTE_REPLACED, WASTE_IN_PLACE, WASTE_REMOVED };

struct waste {
	enum waste_kind kind;
	double gone; /* discarded bytes */
	double there;
	uint64_t times, seen; /* times it was discarded; of these, recorded one by one */
	const char *path;     /* path of the file; WASTE_REMOVED: of the directory */
	const struct call_scraps *scraps;
};

/* Returns the size of the file from its descriptor if it is still open, else from the recorded
 * calls. */
static double size_of(const struct check *e, const char *path, uint64_t by_calls)
{
	check_fds_for_each (e, d) {
		if (d->size_state == SOOTH_STATE_VALUE && d->size_bytes > by_calls &&
			span_equal(record_text(&d->record, &d->path), path))
			return (double)d->size_bytes;
	}
	return (double)by_calls;
}

static bool is_wasteful(const struct check *e, const struct waste *w)
{
	const char *limit = w->kind == WASTE_IN_PLACE ? "in-place-rate" : "min-rate";

	return w->seen >= check_option(e, "min-times") &&
	       w->gone >= check_option(e, "min-ratio") * w->there &&
	       check_is_over(e, limit, check_calls_rate(e, w->gone), w->path);
}

static struct waste waste_of_file(
	const struct check *e, const char *path, const struct call_file *f)
{
	const struct call_contents *c = &f->contents;
	bool is_in_place = c->overwritten_bytes > c->replaced_bytes;
	struct waste w = { .kind = is_in_place ? WASTE_IN_PLACE : WASTE_REPLACED, .path = path };

	w.gone = (double)(is_in_place ? c->overwritten_bytes : c->replaced_bytes);
	w.times = is_in_place ? f->moves[CALL_WRITTEN].calls : c->replaced;
	w.seen = is_in_place ? f->moves[CALL_WRITTEN].seen : c->seen;
	w.there = w.gone ? size_of(e, path, c->there_bytes) : 0;
	return w;
}

static struct waste waste_of_scraps(const char *folder, const struct call_scraps *s)
{
	return (struct waste){ .kind = WASTE_REMOVED,
		.gone = (double)s->bytes,
		.times = s->files,
		.seen = s->seen,
		.path = folder,
		.scraps = s };
}

static double weigh_file(const void *key, const void *value, const void *user)
{
	const struct check *e = user;
	const struct call_path *path = key;
	struct waste w = { 0 };

	if (call_is_on_disk(path->text))
		w = waste_of_file(e, path->text, value);
	return w.gone && is_wasteful(e, &w) ? w.gone : 0;
}

static double weigh_scraps(const void *key, const void *value, const void *user)
{
	const struct check *e = user;
	const struct call_path *path = key;
	struct waste w = waste_of_scraps(path->text, value);

	return call_is_on_disk(path->text) && is_wasteful(e, &w) ? w.gone : 0;
}

static void report_waste(struct check_result *out, const struct check *e, const struct waste *w)
{
	bool is_one = w->kind != WASTE_REMOVED || w->scraps->has_many_names;
	const char *path = is_one ? w->path : w->scraps->last;
	double per_s = check_calls_rate(e, w->times);

	finding_begin(out, check_calls_confidence(e), w->path);
	finding_path(out, span_of_string(path));
	if (w->kind == WASTE_REPLACED)
		finding_claim(out, "rewrites %s over and over: %llu times, %.1f a second", w->path,
			(unsigned long long)w->times, per_s);
	else if (w->kind == WASTE_IN_PLACE)
		finding_claim(out, "overwrites the same parts of %s over and over", w->path);
	else if (w->scraps->has_many_names)
		finding_claim(out, "writes and removes files in %s: %llu, %.1f a second", w->path,
			(unsigned long long)w->times, per_s);
	else
		finding_claim(out, "writes and removes %s: %llu times, %.1f a second",
			w->scraps->last, (unsigned long long)w->times, per_s);
	finding_rate(out, w->kind == WASTE_IN_PLACE ? "overwritten" : "written and discarded",
		check_calls_rate(e, w->gone), SOOTH_UNIT_BYTES, e->calls.interval_ns);
	finding_number(out, "discarded, total", w->gone, SOOTH_UNIT_BYTES, e->calls.interval_ns);
	if (w->kind != WASTE_REMOVED)
		finding_number(
			out, "bytes that remain in the files", w->there, SOOTH_UNIT_BYTES, 0);
	finding_calls_count(out, "times", w->times);
	if (w->kind == WASTE_REMOVED && w->scraps->has_many_names)
		finding_text(out, "last file", "%s", w->scraps->last);
	finding_unseen(out, "how much is written through mmap, and whether the file system is in "
			    "memory (tmpfs)");
	finding_remedy(out,
		w->kind == WASTE_IN_PLACE
			? "collect changes in memory, and write them to the file in fewer steps"
			: "sooth trace --io -p %u shows bytes per file; the fix: write only what "
			  "changed, or less often",
		e->id.pid);
}

static void diagnose(const struct check *e, struct check_result *out)
{
	struct check_ranked top[SHOWN_MAX];
	size_t files, scraps;

	files = check_rank(&e->calls.history->files, weigh_file, e, top, SHOWN_MAX);
	for (size_t i = 0; i < files; i++) {
		struct waste w = waste_of_file(e, check_ranked_path(&top[i]), top[i].value);

		report_waste(out, e, &w);
	}
	scraps = check_rank(&e->calls.history->scraps, weigh_scraps, e, top, SHOWN_MAX);
	for (size_t i = 0; i < scraps; i++) {
		struct waste w = waste_of_scraps(check_ranked_path(&top[i]), top[i].value);

		report_waste(out, e, &w);
	}
	if (!files && !scraps)
		check_calls_fine(e, out, "little is rewritten or removed");
}

const struct finding_detector finding_write_churn = { diagnose, FINDING_OPTIONS(options) };
