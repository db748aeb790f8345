/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/runtimes/jsc/jsc_votes.h"

#include <stdlib.h>

struct jsc_vote {
	uint64_t object;
	uint32_t place;
	uint32_t unused;
};

void jsc_votes_put(struct jsc_votes *v, uint32_t place, uint64_t object)
{
	struct jsc_vote vote = { object, place, 0 };

	buffer_append(&v->all, &vote, sizeof(vote));
}

static int compare_by_place(const void *left, const void *right)
{
	const struct jsc_vote *a = left, *b = right;

	if (a->place != b->place)
		return a->place < b->place ? -1 : 1;
	return a->object < b->object ? -1 : a->object > b->object;
}

static void count_place(struct jsc_result *out, uint32_t place, uint32_t votes)
{
	if (votes > out->votes) {
		out->next = out->votes;
		out->votes = votes;
		out->best = place;
	} else if (votes > out->next) {
		out->next = votes;
	}
}

bool jsc_votes_decide(struct jsc_votes *v, struct jsc_result *out)
{
	struct jsc_vote *all = (void *)v->all.data;
	size_t count = buffer_failed(&v->all) ? 0 : v->all.size / sizeof(*all), to;

	*out = (struct jsc_result){ 0 };
	if (count)
		qsort(all, count, sizeof(*all), compare_by_place);
	for (size_t from = 0; from < count; from = to) {
		uint32_t votes = 0;

		for (to = from; to < count && all[to].place == all[from].place; to++)
			votes += to == from || all[to].object != all[to - 1].object;
		count_place(out, all[from].place, votes);
	}
	buffer_reset(&v->all);
	return out->votes >= JSC_VOTES_LEAST && out->votes >= (uint64_t)JSC_VOTES_TIMES * out->next;
}

void jsc_votes_fini(struct jsc_votes *v)
{
	buffer_fini(&v->all);
}
