/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * syscall-errors: a system call keeps failing with the same error on the same file or
 * descriptor. Errors that are ordinary answers do not count (probes/syscalls.def), nor do searches:
 * a missing path counts only from its second failure, and only as often as its name was not found
 * elsewhere. What fails because a file system is full or read-only counts together, whatever the
 * path.
 */
#include <stdio.h>
#include <string.h>

#include "analyze/diagnosis/call_check.h"
#include "analyze/diagnosis/child_calls.h"
#include "analyze/diagnosis/space_errors.h"
#include "base/units.h"
#include "core/finding.h"
#include "model/errno_names.h"

#define SHOWN_MAX 4

static const struct finding_option options[] = {
	{ .name = "min-rate",
		.help = "minimum failures per second of a system call on one path",
		.default_value = 10,
		.min = 0.01,
		.max = 1e9 },
	{ .name = "min-rate-lasting",
		.help = "minimum failures per second of a system call on one path that fails "
			"during the whole observation",
		.default_value = 2,
		.min = 0.01,
		.max = 1e9 },
	{ .name = "min-rate-missing",
		.help = "minimum failures per second of a system call because a file does not "
			"exist",
		.default_value = 100,
		.min = 0.01,
		.max = 1e9 },
	{ .name = "min-times",
		.help = "minimum number of failures of the system call",
		.default_value = 20,
		.min = 1,
		.max = 1e9 },
	{ .name = "min-grave",
		.help = "minimum number of failures with ENOSPC, EMFILE, ENOMEM or EIO",
		.default_value = 3,
		.min = 1,
		.max = 1e9 },
	{ .name = "min-space",
		.help = "minimum number of failures because a file system is full or read-only",
		.default_value = 1,
		.min = 1,
		.max = 1e9 },
	{ .name = "min-commands",
		.help = "minimum number of commands of the process that end with an error after "
			"the same failure",
		.default_value = 3,
		.min = 1,
		.max = 1e9 },
};

struct look {
	struct check *e;
	struct check_calls calls;
	struct map spaces; /* space_errors_key -> struct space_errors */
};

static bool is_missing(const struct call_place *place)
{
	return place->error == LINUX_ENOENT || place->error == LINUX_ENOTDIR;
}

/* Failures that are not part of a search. */
static double surplus(const struct check_calls *c, const struct call_place *place, double count)
{
	double excused;

	if (!is_missing(place))
		return count;
	excused = 1 + (*place->text ? (double)call_history_found(c->history, place->text) : 0);
	return count > excused ? count - excused : 0;
}

static void put_key(const struct call_place *place, char *out, size_t size)
{
	char name[SYSCALL_NAME_SIZE];

	snprintf(out, size, "%s %u %s", check_call_name(place->abi, place->number, name),
		place->error, place->text);
}

/* In every second: the first and the last may have been observed only in part. */
static bool lasts(const struct check_calls *c, const struct call_failures *f)
{
	uint64_t seconds = c->interval_ns / NS_PER_S;

	return seconds >= 2 && f->seconds >= seconds;
}

/* It is retried with pauses, all the time. Looking for a file that need not be there is no such
 * failure, only opening it is. */
static bool is_lasting(const struct look *l, const struct call_place *place,
	const struct call_failures *f, double times, const char *what)
{
	const struct syscall_row *row = syscall_by_number(place->abi, place->number);

	return lasts(&l->calls, f) &&
	       check_is_over(l->e, "min-rate-lasting", check_calls_rate(&l->calls, times), what) &&
	       (!is_missing(place) || (row && row->traits & SYSCALL_OPENS));
}

static bool is_often(const struct look *l, const struct call_place *place,
	const struct call_failures *f, double times, const char *what)
{
	double least = check_option(l->e, "min-times");

	return times >= least && (double)f->seen >= least &&
	       check_is_over(l->e, is_missing(place) ? "min-rate-missing" : "min-rate",
		       check_calls_rate(&l->calls, times), what);
}

static bool is_space(const struct look *l, const struct call_place *place)
{
	return l->spaces.count && space_error_of(l->e, place);
}

static double weigh(const void *key, const void *value, void *user)
{
	const struct look *l = user;
	const struct call_place *place = key;
	const struct call_failures *f = value;
	double times = surplus(&l->calls, place, (double)f->count);
	char what[CALL_PATH + SYSCALL_NAME_SIZE + 16];

	if (is_space(l, place))
		return 0;
	put_key(place, what, sizeof(what));
	if (call_error_is_grave(place->error) && times >= check_option(l->e, "min-grave") &&
		(double)f->seen >= check_option(l->e, "min-grave"))
		return times;
	return is_often(l, place, f, times, what) || is_lasting(l, place, f, times, what) ? times
											  : 0;
}

static double weigh_space(const void *key, const void *value, void *user)
{
	const struct space_errors *s = value;

	(void)key;
	return (double)s->count >= check_option(user, "min-space") ? (double)s->count : 0;
}

/* --- the finding --- */

static void emit_times(const struct look *l, double times, uint64_t first_ns, uint64_t last_ns)
{
	const struct check_calls *c = &l->calls;

	finding_rate(l->e, "failures", check_calls_rate(c, times), SOOTH_UNIT_NONE, c->interval_ns);
	finding_number(l->e, "times", times, SOOTH_UNIT_NONE, c->interval_ns);
	finding_number(l->e, "time from the first to the last failure",
		(double)(last_ns - first_ns), SOOTH_UNIT_NS, 0);
}

static void report(struct look *l, const struct check_ranked *one)
{
	const struct call_place *place = one->key;
	const struct call_failures *f = one->value;
	const char *error = errno_name(place->error), *text = errno_text(place->error);
	char name[SYSCALL_NAME_SIZE], what[CALL_PATH + SYSCALL_NAME_SIZE + 16];
	struct check *e = l->e;

	check_call_name(place->abi, place->number, name);
	put_key(place, what, sizeof(what));
	finding_begin(e, l->calls.lost ? FINDING_CONFIDENCE_MEDIUM : FINDING_CONFIDENCE_HIGH, what);
	if (call_error_is_grave(place->error))
		finding_severity(e, FINDING_HIGH);
	/* It may wait for the file on purpose. */
	else if (is_missing(place) && !is_often(l, place, f, one->weight, what))
		finding_severity(e, FINDING_LOW);
	if (*place->text)
		finding_path(e, span_of(place->text, strlen(place->text)));
	finding_claim(e, "%s%s%s keeps failing: %s (%s), %.0f times", name,
		*place->text ? " on " : "", place->text, error ? error : "an error",
		text ? text : "unknown", one->weight);
	emit_times(l, one->weight, f->first_ns, f->last_ns);
	if (one->weight < (double)f->count)
		finding_number(e, "failures including path searches", (double)f->count,
			SOOTH_UNIT_NONE, l->calls.interval_ns);
	check_calls_unseen(&l->calls, e);
	finding_remedy(
		e, "sooth trace -Z -p %llu shows each failed call", (unsigned long long)e->id.pid);
	finding_end(e);
}

static void claim_space(struct check *e, const struct space_errors *s, unsigned error)
{
	const struct syscall_row *row = syscall_by_number(s->place->abi, s->place->number);
	bool writes = row && (row->transfer.direction == SYSCALL_WRITES ||
				     row->transfer.direction == SYSCALL_COPIES);
	char name[SYSCALL_NAME_SIZE];
	struct buffer why = { 0 };

	space_errors_put(&why, s, error);
	if (writes)
		finding_claim(e, "writes to %s fail: %s, %llu time%s", s->place->text,
			buffer_cstr(&why), (unsigned long long)s->count, s->count == 1 ? "" : "s");
	else
		finding_claim(e, "%s on %s fails: %s, %llu time%s",
			check_call_name(s->place->abi, s->place->number, name), s->place->text,
			buffer_cstr(&why), (unsigned long long)s->count, s->count == 1 ? "" : "s");
	buffer_fini(&why);
}

static void emit_space(struct check *e, const struct space_errors *s)
{
	struct span point = file_space_point(s->space);

	finding_text(e, "file system", "%.*s%s", (int)point.size, point.data,
		s->space->is_memory ? " (in memory)" : "");
	finding_number(e, "space left", (double)s->space->available_bytes, SOOTH_UNIT_BYTES, 0);
	finding_number(e, "size", (double)s->space->total_bytes, SOOTH_UNIT_BYTES, 0);
	if (s->space->files)
		finding_number(
			e, "inodes left", (double)s->space->files_available, SOOTH_UNIT_NONE, 0);
	if (s->paths > 1)
		finding_number(e, "paths", (double)s->paths, SOOTH_UNIT_NONE, 0);
}

static void report_space(struct look *l, const struct check_ranked *one)
{
	const struct space_errors_key *key = one->key;
	const struct space_errors *s = one->value;
	const char *error = errno_name(key->error);
	struct span point = file_space_point(s->space);
	char what[CALL_PATH];
	struct check *e = l->e;

	snprintf(what, sizeof(what), "%u %.*s", key->error, (int)point.size, point.data);
	finding_begin(e, l->calls.lost ? FINDING_CONFIDENCE_MEDIUM : FINDING_CONFIDENCE_HIGH, what);
	finding_severity(e, FINDING_HIGH);
	finding_path(e, span_of(s->place->text, strlen(s->place->text)));
	claim_space(e, s, key->error);
	finding_text(e, "error", "%s", error ? error : "unknown");
	emit_space(e, s);
	emit_times(l, one->weight, s->first_ns, s->last_ns);
	check_calls_unseen(&l->calls, e);
	if (key->error == LINUX_EROFS)
		finding_remedy(e, "find out why it is read-only: findmnt %.*s; dmesg",
			(int)point.size, point.data);
	else
		finding_remedy(e,
			"free space: du -xh %.*s | sort -h | tail; deleted files that are open: "
			"sooth inspect --fds %llu",
			(int)point.size, point.data, (unsigned long long)e->id.pid);
	finding_end(e);
}

/* --- commands that it starts --- */

static double weigh_children(const void *key, const void *value, void *user)
{
	const struct child_failures *f = value;

	(void)key;
	return (double)f->children >= check_option(user, "min-commands") &&
			       f->last_ns - f->first_ns >= NS_PER_S
		       ? (double)f->children
		       : 0;
}

static void report_children(struct look *l, const struct check_ranked *one)
{
	const struct call_place *place = one->key;
	const struct child_failures *f = one->value;
	const char *error = errno_name(place->error), *text = errno_text(place->error);
	char name[SYSCALL_NAME_SIZE], key[CALL_PATH + SYSCALL_NAME_SIZE + 16], what[sizeof(key) + 16];
	struct check *e = l->e;

	check_call_name(place->abi, place->number, name);
	put_key(place, key, sizeof(key));
	snprintf(what, sizeof(what), "children %s", key);
	finding_begin(e, l->calls.lost ? FINDING_CONFIDENCE_LOW : FINDING_CONFIDENCE_MEDIUM, what);
	if (*place->text)
		finding_path(e, span_of(place->text, strlen(place->text)));
	finding_claim(e, "its children (%s) keep failing: %s%s%s: %s (%s), in %llu of them", f->names,
		name, *place->text ? " on " : "", place->text, error ? error : "an error",
		text ? text : "unknown", (unsigned long long)f->children);
	finding_number(e, "commands that ended with an error", (double)f->children,
		SOOTH_UNIT_NONE, l->calls.interval_ns);
	finding_number(e, "time from the first to the last failure",
		(double)(f->last_ns - f->first_ns), SOOTH_UNIT_NS, 0);
	check_calls_unseen(&l->calls, e);
	finding_remedy(e, "sooth trace -Z -p %llu shows each failed call of these commands too",
		(unsigned long long)e->id.pid);
	finding_end(e);
}

static size_t diagnose_children(struct look *l)
{
	struct check_ranked top[SHOWN_MAX];
	struct child_calls children;
	size_t count;

	child_calls_read(&children, l->e);
	count = check_rank(&children.failures, weigh_children, l->e, top, 1);
	for (size_t i = 0; i < count; i++)
		report_children(l, &top[i]);
	child_calls_fini(&children);
	return count;
}

static void diagnose(struct check *e)
{
	struct check_ranked top[SHOWN_MAX], spaces[SHOWN_MAX];
	struct look look = { .e = e };
	size_t position = 0, count, space_count;
	uint64_t failures = 0;
	void *value;

	if (!check_calls_begin(&look.calls, e))
		return;
	while (map_next(&look.calls.history->failures, &position, NULL, &value))
		failures += ((const struct call_failures *)value)->count;
	space_errors_read(&look.spaces, e, look.calls.history);
	space_count = check_rank(&look.spaces, weigh_space, e, spaces, SHOWN_MAX);
	for (size_t i = 0; i < space_count; i++)
		report_space(&look, &spaces[i]);
	count = check_rank(&look.calls.history->failures, weigh, &look, top, SHOWN_MAX);
	for (size_t i = 0; i < count; i++)
		report(&look, &top[i]);
	count += diagnose_children(&look);
	if (!count && !space_count)
		check_fine(e, "%llu error%s in %llu calls, none repeated often",
			(unsigned long long)failures, failures == 1 ? "" : "s",
			(unsigned long long)look.calls.history->calls);
	map_fini(&look.spaces);
}

const struct finding_type finding_syscall_errors = {
	.id = "syscall-errors",
	.worst = FINDING_HIGH,
	.claim = "a system call keeps failing",
	.probes = "syscalls",
	FINDING_OPTIONS(options),
	.diagnose = diagnose,
};
