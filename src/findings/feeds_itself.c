/* SPDX-License-Identifier: BSD-2-Clause */
/* feeds-itself: a process reads the log that it writes to, and each line that it reads makes it
 * write more. The file has to have the name of a log, since a process also reads and appends to
 * its own data, or to be its standard input. The log of an agent's session is its data. */
#include <string.h>

#include "analyze/diagnosis/call_check.h"
#include "analyze/diagnosis/check_waits.h"
#include "base/sentence_units.h"

static const struct finding_option options[] = {
	BYTES_THRESHOLD(
		"min-rate", 1 << 10, 1, 1e12, "minimum size that it writes to the log in a second"),
	PERCENT_THRESHOLD("min-share", 50, 1, 100, "minimum share of its writes that it reads"),
	THRESHOLD("min-times", 5, 1, 1e9, "minimum number of writes, and of reads"),
	UNLISTED("min-times-input", 3, 1, 1e9,
		"like min-times, for a file that is its standard input; min-rate and min-share do "
		"not apply"),
};

struct circle {
	const struct call_path *path;
	const struct call_file *file;
	bool is_input; /* the log is its standard input: `while read ...; do ...; done < list` */
};

/* Returns whether a path is a log: "app.log", "log", "log.1", "worker.out", not "catalog.db" nor
 * "blog.md". */
static bool is_log_name(const char *path)
{
	static const char *const endings[] = { ".log", ".out", ".err", ".jsonl" };
	const char *slash = strrchr(path, '/');
	struct span name = span_of_string(slash ? slash + 1 : path);

	return SPAN_ANY(name, span_ends, endings) || span_equal(name, "log") ||
	       span_starts(name, "log.") || span_contains(name, ".log.");
}

static bool is_input(const struct check *e, const char *path)
{
	const struct fds_descriptor *d = check_descriptor(e, 0);

	return d && d->type == FDS_FILE && !d->flags_state && d->access == FDS_ACCESS_READ &&
	       span_equal(record_text(&d->record, &d->path), path);
}

/* Returns whether the process adds to the file and reads it, each so many times. */
static bool is_read_back(const struct call_file *f, double least)
{
	return f->kind == FD_FOLLOWED_FILE && !f->contents.overwritten_bytes &&
	       !f->contents.replaced && (double)f->moves[CALL_WRITTEN].seen >= least &&
	       (double)f->moves[CALL_READ].seen >= least;
}

/* Returns whether the file is in the folder where an agent keeps its sessions. */
static bool is_of_agent(const struct check *e, const char *path)
{
	const struct agent *agent = e->process ? e->process->agent : NULL;

	return agent && agent->files.home && strstr(path, agent->files.home);
}

static bool is_circle(const struct check *e, const char *path, const struct call_file *f)
{
	double written = (double)f->moves[CALL_WRITTEN].bytes;

	return is_log_name(path) && !is_of_agent(e, path) &&
	       is_read_back(f, check_option(e, "min-times")) &&
	       (double)f->moves[CALL_READ].bytes * 100 >= check_option(e, "min-share") * written &&
	       check_is_over(e, "min-rate", check_calls_rate(e, written), path);
}

static struct circle find_circle(const struct check *e)
{
	struct circle most = { 0 };

	map_for_each (&e->calls.history->files, const struct call_path *, path,
		const struct call_file *, f) {
		bool is_fed = is_read_back(f, check_option(e, "min-times-input")) &&
			      is_input(e, path->text);

		if ((is_fed || is_circle(e, path->text, f)) &&
			(!most.file || f->moves[CALL_WRITTEN].bytes >
					       most.file->moves[CALL_WRITTEN].bytes))
			most = (struct circle){ path, f, is_fed };
	}
	return most;
}

static void report_circle(const struct check *e, struct check_result *out, const struct circle *o)
{
	const struct call_moves *written = &o->file->moves[CALL_WRITTEN];

	finding_begin(out, FINDING_CONFIDENCE_MEDIUM, o->path->text);
	finding_path(out, span_of_string(o->path->text));
	if (o->is_input)
		finding_claim(out,
			"reads %s, its standard input, and appends to it: it does not come to the "
			"end",
			o->path->text);
	else
		finding_claim(out,
			"reads %s, to which it writes itself, %s a second: it feeds itself with "
			"its own log",
			o->path->text,
			SENTENCE_SIZE((uint64_t)check_calls_rate(e, written->bytes)));
	finding_calls_rate(out, "writes to it", written->calls);
	finding_rate(out, "written to it", check_calls_rate(e, written->bytes), SOOTH_UNIT_BYTES,
		e->calls.interval_ns);
	finding_rate(out, "read from it", check_calls_rate(e, o->file->moves[CALL_READ].bytes),
		SOOTH_UNIT_BYTES, e->calls.interval_ns);
	finding_unseen(out, "whether what it reads is what it wrote");
	if (o->is_input)
		finding_remedy(out, "append to another file, and take that for the next round; "
				    "what is appended again and again does not succeed");
	else
		finding_remedy(out,
			"let it log to another file than the one it reads, or skip its own lines; "
			"what it logs over and over is the first cause: sooth trace -p %u shows it",
			e->id.pid);
}

static void diagnose(const struct check *e, struct check_result *out)
{
	struct circle o = find_circle(e);

	if (o.file)
		report_circle(e, out, &o);
	else
		check_calls_fine(e, out, "it reads nothing that it adds itself");
}

const struct finding_detector finding_feeds_itself = { diagnose, FINDING_OPTIONS(options) };
