/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * repeated-reads: a process opens and reads one file over and over, and does next to nothing else:
 * a loop, or a timer that fires far more often than intended (an interval of node that overflows
 * runs every millisecond), checks whether the file has changed. A server that reads a file for each
 * of its requests also reads and writes the requests.
 *
 * Or it reads the same files whole, again and again, and little else: it repeats work whose result
 * it could keep.
 */
#include <string.h>

#include "analyze/diagnosis/call_check.h"
#include "base/sentence_units.h"

NUMBER(STRAYS_OF, 10, NONE, "one in so many reads may be elsewhere: else parts of a file are read");

static const struct finding_option options[] = {
	THRESHOLD("min-rate", 50, 1, 1e9,
		"minimum number of times per second that one file is opened and read"),
	UNLISTED_PERCENT("min-share", 80, 1, 100,
		"minimum percentage of all reads of the process that are reads of that file"),
	UNLISTED("many", 200, 1, 1e9, "severity is medium from this number of times per second"),
	BYTES_THRESHOLD("min-bytes", 1 << 20, 1, 1e12,
		"minimum bytes per second of files that are read whole again and again"),
	THRESHOLD("min-times", 3, 2, 1e6, "minimum number of times that they are read"),
	UNLISTED_BYTES(
		"many-bytes", 64 << 20, 1, 1e12, "severity is medium from these bytes per second"),
};

struct reads {
	const struct call_path *path;
	const struct call_file *file;
	double rate;  /* times a second that the file is opened */
	double share; /* percent of all recorded reads */
};

/* Returns the data that shows work. Work arrives by reading; data written to a log or a terminal is
 * no work. */
static double moves_of_work(const struct call_file *f)
{
	return (double)(f->moves[CALL_READ].seen +
			(f->kind == FD_FOLLOWED_SOCKET ? f->moves[CALL_WRITTEN].seen : 0));
}

/* Returns whether each read has an open before it: a file that stays open is read on, not again. */
static bool is_read_anew(const struct call_path *path, const struct call_file *f)
{
	return f->kind == FD_FOLLOWED_FILE && call_is_on_disk(path->text) &&
	       !f->moves[CALL_WRITTEN].calls && f->moves[CALL_READ].seen &&
	       f->looks * 2 >= f->moves[CALL_READ].seen;
}

static void find_reads(struct reads *r, const struct check *e)
{
	const struct call_history *h = e->calls.history;
	double scale = h->looks_seen ? (double)h->looks / (double)h->looks_seen : 1;
	double all = 0, opened;

	map_for_each (&h->files, const void *, key, const struct call_file *, f) {
		all += moves_of_work(f);
		if (is_read_anew(key, f) && (!r->file || f->looks > r->file->looks)) {
			r->path = key;
			r->file = f;
		}
	}
	if (!r->file)
		return;
	r->share = 100 * moves_of_work(r->file) / all;
	/* A stat and an open come before one read, or several reads come after one open. */
	opened = (double)(r->file->looks < r->file->moves[CALL_READ].seen
				  ? r->file->looks
				  : r->file->moves[CALL_READ].seen);
	r->rate = check_calls_rate(e, opened * scale);
}

static void report_reads(struct check_result *out, const struct check *e, const struct reads *r)
{
	const struct call_moves *m = &r->file->moves[CALL_READ];

	finding_begin(out, check_calls_confidence(e), r->path->text);
	finding_low_if(out, r->rate < check_option(e, "many"));
	finding_path(out, span_of_string(r->path->text));
	finding_claim(out,
		"reads %s over and over, %s%.0f times a second (%s each), and does next to nothing "
		"else: a loop or a timer without a pause",
		r->path->text, check_calls_least(e), r->rate, SENTENCE_SIZE(m->bytes / m->calls));
	finding_rate(out, "reads of the file", r->rate, SOOTH_UNIT_NONE, e->calls.interval_ns);
	finding_percent(out, "share of all reads", r->share, e->calls.interval_ns);
	finding_unseen(out, "whether the file changed in between");
	finding_remedy(out,
		"sooth profile %u shows the code; read the file once and watch it (inotify), or "
		"correct the interval of the timer (setTimeout of node takes at most 2^31-1 ms, "
		"and else 1 ms)",
		e->id.pid);
}

/* --- files read whole, again and again --- */

#define NAMED_MOST 2 /* files named in the claim; more are named by their directory */

struct rereads {
	unsigned files;
	uint64_t calls, seen; /* calls that `bytes` is computed from */
	double bytes, size;   /* bytes read; size of the parts that were read */
	double begun;	      /* reads that begin at the start of a file */
	double others;	      /* bytes of other reads, and bytes sent */
	const char *names[NAMED_MOST];
	struct call_path above; /* folder that all files share; empty: they share none */
};

static bool is_reread(
	const struct check *e, const struct call_path *path, const struct call_file *f)
{
	double times = check_option(e, "min-times");

	return f->kind == FD_FOLLOWED_FILE && call_is_on_disk(path->text) &&
	       !f->moves[CALL_WRITTEN].calls && f->read_end && (double)f->begun >= times &&
	       f->strays * STRAYS_OF <= f->moves[CALL_READ].calls &&
	       (double)f->moves[CALL_READ].bytes >= (times - 1) * (double)f->read_end;
}

static void find_rereads(struct rereads *r, const struct check *e, const struct call_history *h)
{
	map_for_each (&h->files, const struct call_path *, path, const struct call_file *, f) {
		const struct call_moves *m = &f->moves[CALL_READ];

		if (!is_reread(e, path, f)) {
			r->others += (double)m->bytes;
			if (f->kind == FD_FOLLOWED_SOCKET || f->kind == FD_FOLLOWED_PIPE)
				r->others += (double)f->moves[CALL_WRITTEN].bytes;
			continue;
		}
		check_keep_common(&r->above, path->text);
		if (r->files < NAMED_MOST)
			r->names[r->files] = path->text;
		r->files++;
		r->calls += m->calls;
		r->seen += m->seen;
		r->bytes += (double)m->bytes;
		r->size += (double)f->read_end;
		r->begun += (double)f->begun;
	}
}

static void put_files(const struct rereads *r, struct check_result *out)
{
	if (r->files == 1)
		finding_claim(out, "%s", r->names[0]);
	else if (r->files == NAMED_MOST)
		finding_claim(out, "%s and %s", r->names[0], r->names[1]);
	else if (r->above.text[1])
		finding_claim(out, "%u files below %s", r->files, r->above.text);
	else
		finding_claim(out, "%u files, such as %s", r->files, r->names[0]);
}

static void report_rereads(struct check_result *out, const struct check *e, const struct rereads *r)
{
	double rate = check_calls_rate(e, r->bytes), begun = check_calls_rate(e, r->begun);

	finding_begin(out, check_calls_confidence(e), "files");
	finding_low_if(
		out, rate < check_option(e, "many-bytes") && begun < check_option(e, "many"));
	if (r->files == 1)
		finding_path(out, span_of(r->names[0], strlen(r->names[0])));
	else
		finding_path(out, span_of_string(r->above.text));
	finding_claim(out, "reads ");
	put_files(r, out);
	finding_claim(out, " (%s) whole again and again, %s%s a second",
		SENTENCE_SIZE((uint64_t)r->size), check_calls_least(e),
		SENTENCE_SIZE((uint64_t)rate));
	finding_count(out, "files", r->files, 0);
	finding_rate(out, "bytes read", rate, SOOTH_UNIT_BYTES, e->calls.interval_ns);
	finding_calls_count(out, "times that each byte was read", r->bytes / r->size);
	finding_percent(out, "share of all bytes that it reads or sends",
		100 * r->bytes / (r->bytes + r->others), e->calls.interval_ns);
	finding_unseen(out, "whether a file changed in between");
	finding_remedy(out,
		"keep the result, and read a file again only after its size or time has changed; "
		"sooth profile %u shows the code",
		e->id.pid);
}

static bool are_reread(const struct check *e, const struct rereads *r)
{
	return r->files && (r->calls == r->seen || check_calls_suffice(e, r->seen)) &&
	       100 * r->bytes >= check_option(e, "min-share") * (r->bytes + r->others) &&
	       check_is_over(e, "min-bytes", check_calls_rate(e, r->bytes), "files");
}

static void diagnose(const struct check *e, struct check_result *out)
{
	struct rereads files = { 0 };
	struct reads r = { 0 };

	find_reads(&r, e);
	find_rereads(&files, e, e->calls.history);
	if (r.file && r.share >= check_option(e, "min-share") &&
		check_calls_suffice(e, r.file->moves[CALL_READ].seen) &&
		check_is_over(e, "min-rate", r.rate, r.path->text))
		report_reads(out, e, &r);
	else if (are_reread(e, &files))
		report_rereads(out, e, &files);
	else
		check_calls_fine(e, out, "no file is read over and over");
}

const struct finding_detector finding_repeated_reads = { diagnose, FINDING_OPTIONS(options) };
