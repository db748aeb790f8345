/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * repeated-reads: a process opens and reads one file over and over, and does next to nothing else:
 * a loop, or a timer that fires far more often than meant (an interval of node that overflows runs
 * every millisecond), asks whether the file has changed. A server that reads a file for each of its
 * requests also reads and writes the requests.
 *
 * Cannot be seen: whether the file changed in between; reads of a mapped file.
 */
#include <string.h>

#include "analyze/diagnosis/call_check.h"
#include "base/sentence_units.h"
#include "base/units.h"
#include "explain/finding.h"

static const struct finding_option options[] = {
	THRESHOLD("min-rate", 50, 1, 1e9,
		"minimum number of times per second that one file is opened and read"),
	THRESHOLD("min-share", 80, 1, 100,
		"minimum percentage of all reads of the process that are reads of that file",
		.unit = SOOTH_UNIT_PERCENT),
	THRESHOLD("many", 200, 1, 1e9, "severity is medium from this number of times per second"),
};

struct reads {
	const struct call_path *path;
	const struct call_file *file;
	double rate;  /* opened, a second */
	double share; /* percent of all reads, recorded ones */
};

/* Work arrives by reading; what is written to a log or a terminal is no work of its own. */
static double moves_of(const struct call_file *f)
{
	return (double)(f->moves[CALL_READ].seen +
			(f->kind == FD_FOLLOWED_SOCKET ? f->moves[CALL_WRITTEN].seen : 0));
}

/* Each is opened before it is read: a file that stays open is read on, not again. */
static bool is_read_anew(const struct call_path *path, const struct call_file *f)
{
	return f->kind == FD_FOLLOWED_FILE && call_is_on_disk(path->text) &&
	       !f->moves[CALL_WRITTEN].calls && f->moves[CALL_READ].seen &&
	       f->looks * 2 >= f->moves[CALL_READ].seen;
}

static void find_reads(struct reads *r, const struct check_calls *c)
{
	const struct call_history *h = c->history;
	double scale = h->looks_seen ? (double)h->looks / (double)h->looks_seen : 1;
	double all = 0, opened;

	map_for_each (&h->files, const void *, key, const struct call_file *, f) {
		all += moves_of(f);
		if (is_read_anew(key, f) && (!r->file || f->looks > r->file->looks)) {
			r->path = key;
			r->file = f;
		}
	}
	if (!r->file)
		return;
	r->share = 100 * moves_of(r->file) / all;
	/* A stat and an open come before a read, or several reads after one open. */
	opened = (double)(r->file->looks < r->file->moves[CALL_READ].seen
				  ? r->file->looks
				  : r->file->moves[CALL_READ].seen);
	r->rate = check_calls_rate(c, opened * scale);
}

static void report(const struct check *e, struct check_result *out, const struct check_calls *c,
	const struct reads *r)
{
	const struct call_moves *m = &r->file->moves[CALL_READ];
	char size[UNITS_SIZE];

	finding_begin(out, c->lost ? FINDING_CONFIDENCE_MEDIUM : FINDING_CONFIDENCE_HIGH,
		r->path->text);
	if (r->rate < check_option(e, "many"))
		finding_severity(out, FINDING_LOW);
	finding_path(out, span_of(r->path->text, strlen(r->path->text)));
	finding_claim(out,
		"reads %s over and over, %s%.0f times a second (%s each), and does next to nothing "
		"else: a loop or a timer without a pause",
		r->path->text, check_calls_least(e), r->rate,
		sentence_size(size, m->bytes / m->calls));
	finding_rate(out, "reads of the file", r->rate, SOOTH_UNIT_NONE, c->interval_ns);
	finding_number(out, "share of all reads", r->share, SOOTH_UNIT_PERCENT,
		c->interval_ns);
	finding_unseen(out, "whether the file changed in between");
	check_calls_unseen(c, e, out);
	finding_remedy(out,
		"sooth profile %u shows the code; read the file once and watch it (inotify), or "
		"correct the interval of the timer (setTimeout of node takes at most 2^31-1 ms, "
		"and else 1 ms)",
		e->id.pid);
	finding_end(out);
}

static void diagnose(const struct check *e, struct check_result *out)
{
	struct reads r = { 0 };
	struct check_calls c;

	if (!check_calls_begin(&c, e, out))
		return;
	find_reads(&r, &c);
	if (r.file && r.share >= check_option(e, "min-share") &&
		check_calls_suffice(&c, (double)r.file->moves[CALL_READ].seen) &&
		check_is_over(e, "min-rate", r.rate, r.path->text))
		report(e, out, &c, &r);
	else
		check_calls_fine(e, out, "no file is read over and over");
}

const struct finding_type finding_repeated_reads = {
	.id = "repeated-reads",
	.claim = "reads one file over and over, and does nothing else",
	.probes = "syscalls",
	.follows = "file-watcher-busy",
	FINDING_OPTIONS(options),
	.diagnose = diagnose,
};
