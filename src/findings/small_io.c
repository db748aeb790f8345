/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * small-io: a process reads or writes a file or connection a few bytes at a time, very often,
 * because it requests so few: a read that returned all requested bytes, a write to a file, a write
 * to a socket that follows another write without a read in between. A process that reads the few
 * bytes that a peer sent, or answers them, has no choice.
 *
 * A pipe often carries single bytes on purpose, to wake a thread. Reads of a pipe count only if
 * they are very many, and the process does not write to the pipe and does not wait before each
 * read.
 */
#include <stdio.h>

#include "analyze/diagnosis/call_check.h"

#define SHOWN_MAX 3

NUMBER(PIPE_TIMES, 10, NONE, "times as many reads as of a file");
NUMBER(PIPE_WAITS, 4, NONE, "at most one wait for so many reads");

static const struct finding_option options[] = {
	THRESHOLD("min-rate", 1000, 1, 1e9,
		"minimum number of small reads or writes per second on one file"),
	BYTES_THRESHOLD(
		"max-size", 64, 1, 256, "maximum size of a small read or write (a power of two)"),
	PERCENT_THRESHOLD("min-share", 80, 1, 100,
		"minimum percentage of the reads or writes on the file that are small"),
};

struct look {
	const struct check *e;
	unsigned direction;
};

struct small {
	double calls, seen, bytes;
};

static struct small count_small(const struct check *e, const struct call_moves *m)
{
	double most = check_option(e, "max-size");
	struct small s = { 0 };

	for (unsigned i = 0; i < CALL_SIZES && (double)(1u << i) < most; i++) {
		s.calls += (double)m->own[i].calls;
		s.seen += (double)m->own[i].seen;
		s.bytes += (double)m->own[i].bytes;
	}
	return s;
}

static const char *direction_name(unsigned direction)
{
	return direction == CALL_READ ? "reads" : "writes";
}

static void put_key(unsigned direction, const char *path, char *out, size_t size)
{
	snprintf(out, size, "%s %s", direction_name(direction), path);
}

static bool reads_pipe_in_bytes(const struct look *l, const struct call_file *f, double rate)
{
	double waits =
		thread_histories_sum(&l->e->input->threads, &l->e->id, thread_history_voluntary);

	return l->direction == CALL_READ && !f->moves[CALL_WRITTEN].calls && waits >= 0 &&
	       rate >= PIPE_TIMES * check_option(l->e, "min-rate") && waits * PIPE_WAITS <= rate;
}

static bool is_subject(
	const struct look *l, const char *path, const struct call_file *f, double rate)
{
	if (f->kind == FD_FOLLOWED_PIPE)
		return reads_pipe_in_bytes(l, f, rate);
	return f->kind == FD_FOLLOWED_SOCKET || call_is_on_disk(path);
}

static double weigh_file(const void *key, const void *value, const void *user)
{
	const struct look *l = user;
	const struct call_path *path = key;
	const struct call_file *f = value;
	const struct call_moves *m = &f->moves[l->direction];
	struct small s = count_small(l->e, m);
	double rate = check_calls_rate(l->e, s.calls);
	char what[CALL_PATH + 16];

	put_key(l->direction, path->text, what, sizeof(what));
	if (!is_subject(l, path->text, f, rate) || !check_calls_suffice(l->e, s.seen) ||
		s.calls * 100 < check_option(l->e, "min-share") * m->calls ||
		!check_is_over(l->e, "min-rate", rate, what))
		return 0;
	return s.calls;
}

static void report_file(struct check_result *out, const struct check *e,
	const struct check_ranked *one, unsigned direction)
{
	const struct call_path *path = one->key;
	const struct call_file *f = one->value;
	const struct call_moves *m = &f->moves[direction];
	struct small s = count_small(e, m);
	struct span name = span_of_string(path->text);
	char what[CALL_PATH + 16];

	put_key(direction, path->text, what, sizeof(what));
	finding_begin(out, check_calls_confidence(e), what);
	if (f->kind == FD_FOLLOWED_SOCKET)
		finding_connection(out, name);
	else
		finding_path(out, name);
	finding_claim(out, "%s %s %.2g byte%s at a time, %s%.0f times a second",
		direction_name(direction), path->text, s.bytes / s.calls,
		s.bytes == s.calls ? "" : "s", check_calls_least(e), check_calls_rate(e, s.calls));
	finding_calls_rate(out, "small calls", s.calls);
	finding_number(
		out, "bytes per call", s.bytes / s.calls, SOOTH_UNIT_BYTES, e->calls.interval_ns);
	finding_percent(out, "share of small calls among all calls on this file or peer",
		100 * s.calls / (double)m->calls, e->calls.interval_ns);
	finding_percent(out, "share of the observed time spent in these calls",
		100 * (double)m->total_ns / (double)e->calls.interval_ns, e->calls.interval_ns);
	finding_remedy(
		out, f->kind == FD_FOLLOWED_PIPE
			     ? "read larger blocks; a shell's read takes a pipe byte by byte: use "
			       "mapfile or awk, or read from a file"
		     : direction == CALL_READ
			     ? "read larger blocks, for example with a buffered reader"
			     : "write larger blocks, for example with a buffered writer or writev");
}

static size_t diagnose_direction(
	struct check_result *out, const struct check *e, unsigned direction)
{
	struct look look = { e, direction };
	struct check_ranked top[SHOWN_MAX];
	size_t count = check_rank(&e->calls.history->files, weigh_file, &look, top, SHOWN_MAX);

	for (size_t i = 0; i < count; i++)
		report_file(out, e, &top[i], direction);
	return count;
}

static void diagnose(const struct check *e, struct check_result *out)
{
	size_t count = 0;

	for (unsigned i = 0; i < CALL_MOVES; i++)
		count += diagnose_direction(out, e, i);
	if (!count)
		check_fine(out, "no frequent small reads or writes");
}

const struct finding_detector finding_small_io = { diagnose, FINDING_OPTIONS(options) };
