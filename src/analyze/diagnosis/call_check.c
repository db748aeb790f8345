/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/diagnosis/call_check.h"

#include <assert.h>
#include <stdio.h>

#include "base/units.h"
#include "probes/syscall_names.h"

NUMBER(SEEN_LEAST, 32, NONE, "least records for an estimate that is off by at most a third");

bool check_calls_suffice(const struct check *e, double seen)
{
	assert(e);
	return !e->calls.is_sampled || seen >= SEEN_LEAST;
}

double check_calls_looks_ns(const struct check *e)
{
	assert(e);

	const struct call_history *h = e->calls.history;

	return h->looks_timed ? (double)h->looks_ns * (double)h->looks / (double)h->looks_timed : 0;
}

enum finding_confidence check_calls_confidence(const struct check *e)
{
	assert(e);
	return e->calls.lost ? FINDING_CONFIDENCE_MEDIUM : FINDING_CONFIDENCE_HIGH;
}

double check_calls_rate(const struct check *e, double count)
{
	assert(e);
	return count * (double)NS_PER_S / (double)e->calls.interval_ns;
}

void finding_calls_count(struct check_result *out, const char *name, double count)
{
	finding_count(out, name, count, out->of->calls.interval_ns);
}

void finding_calls_rate(struct check_result *out, const char *name, double count)
{
	finding_rate(out, name, check_calls_rate(out->of, count), SOOTH_UNIT_NONE,
		out->of->calls.interval_ns);
}

const char *check_calls_least(const struct check *e)
{
	assert(e);
	return e->input->calls.has_time_gaps ? "at least " : "";
}

const struct call_history *check_all_calls(const struct check *e)
{
	const struct call_histories *h = &e->input->calls;

	return h->has_calls && !h->lost && !h->refused ? call_histories_get(h, &e->id) : NULL;
}

const struct call_waits *check_waits(const struct check *e, uint32_t tid)
{
	const struct call_history *h = check_all_calls(e);

	return h ? map_get(&h->waits, &tid) : NULL;
}

const char *check_call_name(uint16_t abi, uint32_t number, char name[SYSCALL_NAME_SIZE])
{
	syscall_name(abi, number, name);
	return name;
}

void check_keep_common(struct call_path *top, const char *path)
{
	size_t same = 0, end = 0;

	if (!top->text[0]) {
		snprintf(top->text, sizeof(top->text), "%s", path);
		return;
	}
	for (; top->text[same] && top->text[same] == path[same]; same++) {
		if (top->text[same] == '/')
			end = same;
	}
	if ((!top->text[same] || top->text[same] == '/') && (!path[same] || path[same] == '/'))
		end = same;
	top->text[end ? end : 1] = 0;
}

size_t check_rank(const struct map *m,
	double (*weigh)(const void *key, const void *value, const void *user), const void *user,
	struct check_ranked *out, size_t most)
{
	size_t count = 0;

	map_for_each (m, const void *, key, void *, value) {
		struct check_ranked one = { key, value, weigh(key, value, user) };
		size_t at = count < most ? count : most;

		if (one.weight <= 0)
			continue;
		while (at && out[at - 1].weight < one.weight) {
			if (at < most)
				out[at] = out[at - 1];
			at--;
		}
		if (at < most)
			out[at] = one;
		count += count < most;
	}
	return count;
}

void check_calls_times(struct check_result *out, double times, uint64_t first_ns, uint64_t last_ns)
{
	finding_calls_rate(out, "failures", times);
	finding_calls_count(out, "times", times);
	finding_time(out, "time from the first to the last failure", last_ns - first_ns);
}

#define REPORTED_MAX 4

void check_report_ranked(const struct check *e, struct check_result *out, const struct map *m,
	double (*weigh)(const void *key, const void *value, const void *user),
	check_reporter report, const char *fine)
{
	struct check_ranked top[REPORTED_MAX];
	size_t count = check_rank(m, weigh, e, top, REPORTED_MAX);

	for (size_t i = 0; i < count; i++)
		report(e, out, &top[i]);
	if (!count)
		check_calls_fine(e, out, fine);
}
