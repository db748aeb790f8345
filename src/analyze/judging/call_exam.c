/* SPDX-License-Identifier: BSD-2-Clause */
/* See call_exam.h. */
#include "analyze/judging/call_exam.h"

#include <string.h>

#include "base/units.h"
#include "probes/syscall_names.h"

#define INTERVAL_LEAST (NS_PER_S / 2)

bool exam_calls_begin(struct exam_calls *c, struct exam *e)
{
	const struct readings *r = e->readings;

	*c = (struct exam_calls){ .history = call_histories_get(&r->calls, &e->id),
		.interval_ns = r->end_ns - r->begin_ns,
		.lost = r->calls.lost };
	if (!r->calls.has_calls && r->calls.has_counts)
		exam_blind_because(e, "calls were counted, not kept", "sooth diagnose -D");
	else if (e->is_one_look || !r->begin_ns || c->interval_ns < INTERVAL_LEAST)
		exam_blind(e, SOOTH_NOT_MEASURED(SOOTH_REASON_INTERVAL));
	else if (!c->history && c->lost)
		exam_blind_because(e, "calls were lost, perhaps all of it", "a larger --buffer");
	else if (!c->history)
		exam_fine(e, "it made no system call");
	else
		return true;
	return false;
}

double exam_calls_rate(const struct exam_calls *c, double count)
{
	return count * (double)NS_PER_S / (double)c->interval_ns;
}

void exam_calls_unseen(const struct exam_calls *c, struct exam *e)
{
	if (c->lost)
		finding_unseen(e,
			"%llu calls that were lost from the stream: every count is the least it "
			"can be",
			(unsigned long long)c->lost);
	if (e->readings->calls.refused)
		finding_unseen(e, "files, peers or errors beyond what the tables hold");
	if (c->history->uring_calls)
		finding_unseen(e, "what io_uring did: %llu calls of io_uring_enter",
			(unsigned long long)c->history->uring_calls);
}

const struct call_history *exam_all_calls(const struct exam *e)
{
	const struct call_histories *h = &e->readings->calls;

	return h->has_calls && !h->lost && !h->refused ? call_histories_get(h, &e->id) : NULL;
}

const struct call_waits *exam_waits(const struct exam *e, uint32_t tid)
{
	const struct call_history *h = exam_all_calls(e);

	return h ? map_get(&h->waits, &tid) : NULL;
}

const char *exam_call_name(uint16_t abi, uint32_t number, char name[SYSCALL_NAME_SIZE])
{
	syscall_name(abi, number, name);
	return name;
}

size_t exam_directory_size(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == path ? 1 : slash ? (size_t)(slash - path) : 0;
}

size_t exam_rank(const struct map *m,
	double (*weigh)(const void *key, const void *value, void *user), void *user,
	struct exam_ranked *out, size_t most)
{
	size_t position = 0, count = 0;
	const void *key;
	void *value;

	while (map_next(m, &position, &key, &value)) {
		struct exam_ranked one = { key, value, weigh(key, value, user) };
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
