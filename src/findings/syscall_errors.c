/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * syscall-errors: a system call keeps failing with the same error on the same file or
 * descriptor. Errors that are ordinary answers do not count (probes/syscalls.def), nor do searches:
 * a missing path counts only from its second failure, and only as often as its name was not found
 * elsewhere.
 */
#include <stdio.h>
#include <string.h>

#include "analyze/diagnosis/call_check.h"
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
};

struct look {
	const struct check *e;
	const struct check_calls *calls;
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

static double weigh(const void *key, const void *value, void *user)
{
	const struct look *l = user;
	const struct call_place *place = key;
	const struct call_failures *f = value;
	double times = surplus(l->calls, place, (double)f->count);
	char what[CALL_PATH + SYSCALL_NAME_SIZE + 16];

	put_key(place, what, sizeof(what));
	if (call_error_is_grave(place->error) && times >= check_option(l->e, "min-grave") &&
		(double)f->seen >= check_option(l->e, "min-grave"))
		return times;
	if (times < check_option(l->e, "min-times") ||
		(double)f->seen < check_option(l->e, "min-times"))
		return 0;
	return check_is_over(l->e, is_missing(place) ? "min-rate-missing" : "min-rate",
		       check_calls_rate(l->calls, times), what)
		       ? times
		       : 0;
}

static void report(struct check *e, const struct check_calls *c, const struct check_ranked *one)
{
	const struct call_place *place = one->key;
	const struct call_failures *f = one->value;
	const char *error = errno_name(place->error), *text = errno_text(place->error);
	char name[SYSCALL_NAME_SIZE], what[CALL_PATH + SYSCALL_NAME_SIZE + 16];

	check_call_name(place->abi, place->number, name);
	put_key(place, what, sizeof(what));
	finding_begin(e, c->lost ? FINDING_CONFIDENCE_MEDIUM : FINDING_CONFIDENCE_HIGH, what);
	if (call_error_is_grave(place->error))
		finding_severity(e, FINDING_HIGH);
	if (*place->text)
		finding_path(e, span_of(place->text, strlen(place->text)));
	finding_claim(e, "%s%s%s keeps failing: %s (%s), %.0f times", name,
		*place->text ? " on " : "", place->text, error ? error : "an error",
		text ? text : "unknown", one->weight);
	finding_rate(
		e, "failures", check_calls_rate(c, one->weight), SOOTH_UNIT_NONE, c->interval_ns);
	finding_number(e, "times", one->weight, SOOTH_UNIT_NONE, c->interval_ns);
	if (one->weight < (double)f->count)
		finding_number(e, "failures including path searches", (double)f->count,
			SOOTH_UNIT_NONE, c->interval_ns);
	finding_number(e, "time from the first to the last failure",
		(double)(f->last_ns - f->first_ns), SOOTH_UNIT_NS, 0);
	check_calls_unseen(c, e);
	finding_remedy(
		e, "sooth trace -Z -p %llu shows each failed call", (unsigned long long)e->id.pid);
	finding_end(e);
}

static void diagnose(struct check *e)
{
	struct check_ranked top[SHOWN_MAX];
	uint64_t failures = 0;
	struct check_calls c;
	struct look look = { e, &c };
	size_t position = 0, count;
	void *value;

	if (!check_calls_begin(&c, e))
		return;
	while (map_next(&c.history->failures, &position, NULL, &value))
		failures += ((const struct call_failures *)value)->count;
	count = check_rank(&c.history->failures, weigh, &look, top, SHOWN_MAX);
	for (size_t i = 0; i < count; i++)
		report(e, &c, &top[i]);
	if (!count)
		check_fine(e, "%llu error%s in %llu calls, none repeated often",
			(unsigned long long)failures, failures == 1 ? "" : "s",
			(unsigned long long)c.history->calls);
}

const struct finding_type finding_syscall_errors = {
	.id = "syscall-errors",
	.worst = FINDING_HIGH,
	.claim = "a system call keeps failing",
	.probes = "syscalls",
	FINDING_OPTIONS(options),
	.diagnose = diagnose,
};
