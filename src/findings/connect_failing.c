/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * connect-failing: a process connects to a peer again and again, and does not reach it. A
 * process that tries several addresses of a service and reaches one got what it needed, and so
 * did one that reaches the peer in the end.
 */
#include <stdio.h>
#include <string.h>

#include "analyze/diagnosis/call_check.h"
#include "base/units.h"
#include "core/finding.h"
#include "model/errno_names.h"

#define SHOWN_MAX 4

static const struct finding_option options[] = {
	{ .name = "min-failures",
		.help = "minimum number of failed connects to one peer",
		.default_value = 4,
		.min = 1,
		.max = 1e9 },
	{ .name = "min-share",
		.help = "minimum percentage of the connects to one peer that fail",
		.unit = SOOTH_UNIT_PERCENT,
		.default_value = 75,
		.min = 1,
		.max = 100 },
};

static double failures_of(const struct call_peer *p)
{
	return (double)(p->failed - (p->excused < p->failed ? p->excused : p->failed));
}

static double weigh(const void *key, const void *value, void *user)
{
	const struct call_path *address = key;
	const struct call_peer *p = value;
	const struct check *e = user;
	double failures = failures_of(p);

	if (p->last_made_ns > p->last_failed_ns ||
		failures * 100 < check_option(e, "min-share") * (failures + (double)p->made) ||
		!check_is_over(e, "min-failures", failures, address->text))
		return 0;
	return failures;
}

/* "4 times ECONNREFUSED: connection refused" */
static void put_errors(const struct call_peer *p, char *out, size_t size)
{
	size_t used = 0;

	*out = '\0';
	for (size_t i = 0; i < CALL_PEER_ERRORS && p->errors[i].count && used < size; i++) {
		const char *name = errno_name(p->errors[i].error);
		const char *text =
			p->errors[i].error ? errno_text(p->errors[i].error) : "no answer";

		used += (size_t)snprintf(out + used, size - used, "%s%u time%s %s%s%s",
			used ? ", " : "", p->errors[i].count, p->errors[i].count == 1 ? "" : "s",
			p->errors[i].error && name ? name : "",
			p->errors[i].error && name ? ": " : "", text ? text : "an error");
	}
}

/* The name of 127.0.0.1:443, where the user or the table of peers has one. */
static struct span label_of(const struct check *e, const char *address)
{
	struct span label = span_of("", 0);
	unsigned char bytes[16];
	unsigned port;

	if (peer_split(address, bytes, &port))
		peer_labels_find(&e->input->labels, bytes, port, &label);
	return label;
}

static void report(struct check *e, const struct check_calls *c, const char *address,
	const struct call_peer *p)
{
	struct span label = label_of(e, address);
	double failures = failures_of(p);
	char errors[240];

	put_errors(p, errors, sizeof(errors));
	finding_begin(e, c->lost ? FINDING_CONFIDENCE_MEDIUM : FINDING_CONFIDENCE_HIGH, address);
	finding_connection(e, span_of(address, strlen(address)));
	finding_claim(e, "cannot connect to %s%s%.*s%s: %.0f of %llu attempts failed (%s)", address,
		label.size ? " (" : "", (int)label.size, label.data, label.size ? ")" : "",
		failures, (unsigned long long)p->attempts, errors);
	finding_number(e, "failures", failures, SOOTH_UNIT_NONE, c->interval_ns);
	finding_rate(e, "attempts", check_calls_rate(c, (double)p->attempts), SOOTH_UNIT_NONE,
		c->interval_ns);
	finding_text(e, "errors", "%s", errors);
	if (p->made)
		finding_number(e, "succeeded", (double)p->made, SOOTH_UNIT_NONE, c->interval_ns);
	if (p->excused)
		finding_number(e, "another address worked", (double)p->excused, SOOTH_UNIT_NONE,
			c->interval_ns);
	if (p->under_way)
		finding_number(e, "in progress", (double)p->under_way, SOOTH_UNIT_NONE, 0);
	if (p->unknown)
		finding_unseen(e,
			"whether %llu more attempt%s succeeded: the process closed the socket "
			"first",
			(unsigned long long)p->unknown, p->unknown == 1 ? "" : "s");
	check_calls_unseen(c, e);
	finding_remedy(e,
		"check that %s is up and accepts connections (servers on this host: ss -tlnx), or "
		"retry less often",
		address);
	finding_end(e);
}

static void diagnose(struct check *e)
{
	struct check_ranked top[SHOWN_MAX];
	uint64_t attempts = 0, made = 0;
	struct check_calls c;
	size_t position = 0, count;
	void *value;

	if (!check_calls_begin(&c, e))
		return;
	while (map_next(&c.history->peers, &position, NULL, &value)) {
		attempts += ((const struct call_peer *)value)->attempts;
		made += ((const struct call_peer *)value)->made;
	}
	count = check_rank(&c.history->peers, weigh, e, top, SHOWN_MAX);
	for (size_t i = 0; i < count; i++)
		report(e, &c, ((const struct call_path *)top[i].key)->text, top[i].value);
	if (!count && attempts)
		check_fine(e, "%llu connect%s, %llu succeeded", (unsigned long long)attempts,
			attempts == 1 ? "" : "s", (unsigned long long)made);
	else if (!count)
		check_fine(e, "no connects");
}

const struct finding_type finding_connect_failing = {
	.id = "connect-failing",
	.claim = "connects to a peer keep failing",
	.probes = "syscalls",
	FINDING_OPTIONS(options),
	.diagnose = diagnose,
};
