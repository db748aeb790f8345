/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * syscall-errors: a call fails again and again, with the same error on the same thing. Errors that
 * are ordinary answers are not counted (their rows say which), nor is what is searched for: that a
 * path is not there counts only from its second time on, and only as often as its name was not
 * found elsewhere.
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
		.help = "times a second that a call fails so on one path or descriptor",
		.otherwise = 10,
		.min = 0.01,
		.max = 1e9 },
	{ .name = "min-rate-missing",
		.help = "the same, where the error is that nothing is there: to look for a file "
			"that need not be is no mistake, and agents do so at every step",
		.otherwise = 100,
		.min = 0.01,
		.max = 1e9 },
	{ .name = "min-times", .help = "that it fails so", .otherwise = 20, .min = 1, .max = 1e9 },
	{ .name = "min-grave",
		.help = "times, of errors that nobody takes lightly: no space, no descriptors, "
			"no memory, a broken device",
		.otherwise = 3,
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

/* How often it failed for nothing. */
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
	if (call_error_is_grave(place->error) && times >= check_option(l->e, "min-grave"))
		return times;
	if (times < check_option(l->e, "min-times"))
		return 0;
	return check_is_over(l->e, is_missing(place) ? "min-rate-missing" : "min-rate",
		       check_calls_rate(l->calls, times), what)
		       ? times
		       : 0;
}

static void tell(struct check *e, const struct check_calls *c, const struct check_ranked *one)
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
	finding_claim(e, "%s%s%s fails again and again: %s (%s), %.0f times", name,
		*place->text ? " of " : "", place->text, error ? error : "an error",
		text ? text : "not known", one->weight);
	finding_rate(
		e, "failures", check_calls_rate(c, one->weight), SOOTH_UNIT_NONE, c->interval_ns);
	finding_number(e, "times", one->weight, SOOTH_UNIT_NONE, c->interval_ns);
	if (one->weight < (double)f->count)
		finding_number(e, "with those that are part of a search", (double)f->count,
			SOOTH_UNIT_NONE, c->interval_ns);
	finding_number(e, "from the first to the last", (double)(f->last_ns - f->first_ns),
		SOOTH_UNIT_NS, 0);
	check_calls_unseen(c, e);
	finding_remedy(e,
		"sooth trace -Z -p %llu shows each; it goes on as if nothing had happened",
		(unsigned long long)e->id.pid);
	finding_end(e);
}

static void judge(struct check *e)
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
		tell(e, &c, &top[i]);
	if (!count)
		check_fine(e, "%llu errors in %llu calls, each of them seldom or an answer",
			(unsigned long long)failures, (unsigned long long)c.history->calls);
}

const struct finding_type finding_syscall_errors = {
	.id = "syscall-errors",
	.claim = "a call fails again and again",
	.probes = "syscalls",
	FINDING_OPTIONS(options),
	.judge = judge,
};
