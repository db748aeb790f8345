/* SPDX-License-Identifier: BSD-2-Clause */
/* Samples by function of one process. */
#include "analyze/profile/profile_hot.h"

#include <stdlib.h>
#include <string.h>

#define FUNCTIONS_MAX (1u << 16)

struct hot_key {
	uint32_t name, file;
};

struct hot_count {
	struct hot_key key;
	uint64_t samples, kernel_samples;
	bool is_named;
};

static const struct profile_function *choose(
	const struct profile_stacked *stacked, enum profile_place place)
{
	for (size_t i = 0; i < stacked->depth; i++) {
		if (place == PROFILE_ON_TOP || stacked->frames[i]->kind != PROFILE_KERNEL)
			return stacked->frames[i];
	}
	return NULL;
}

static void count_stack(
	struct map *functions, const struct profile_stacked *stacked, enum profile_place place)
{
	const struct profile_function *function = choose(stacked, place);
	struct hot_key key = { function ? function->name : 0, function ? function->file : 0 };
	struct hot_count *count = function ? map_put(functions, &key, NULL) : NULL;

	if (!count)
		return;
	count->key = key;
	count->is_named = function->is_named;
	count->samples += stacked->count.samples;
	if (stacked->frames[0]->kind == PROFILE_KERNEL)
		count->kernel_samples += stacked->count.samples;
}

static int by_samples(const void *left, const void *right)
{
	const struct hot_count *a = left, *b = right;

	if (a->samples != b->samples)
		return a->samples > b->samples ? -1 : 1;
	if (a->key.name != b->key.name)
		return a->key.name < b->key.name ? -1 : 1;
	return a->key.file < b->key.file ? -1 : a->key.file > b->key.file;
}

static void put_sorted(
	const struct profile_sums *s, const struct map *functions, struct buffer *out)
{
	struct hot_count *sorted = calloc(functions->count + 1, sizeof(*sorted));
	size_t count = 0, position = 0;
	void *value;

	while (sorted && map_next(functions, &position, NULL, &value))
		sorted[count++] = *(const struct hot_count *)value;
	if (sorted)
		qsort(sorted, count, sizeof(*sorted), by_samples);
	for (size_t i = 0; i < count; i++) {
		struct profile_hot hot = { .name = names_get(&s->names, sorted[i].key.name),
			.file = names_get(&s->names, sorted[i].key.file),
			.samples = sorted[i].samples,
			.kernel_samples = sorted[i].kernel_samples,
			.is_named = sorted[i].is_named };

		buffer_append(out, &hot, sizeof(hot));
	}
	free(sorted);
}

uint64_t profile_hot_functions(const struct profile_sums *s, const struct process_id *id,
	enum profile_place place, struct buffer *out)
{
	struct profile_stacked stacked;
	struct map functions;
	size_t position = 0;
	uint64_t samples = 0;

	map_init(&functions, sizeof(struct hot_key), sizeof(struct hot_count), FUNCTIONS_MAX);
	while (profile_sums_next(s, &position, &stacked)) {
		if (memcmp(&stacked.id, id, sizeof(*id)) != 0)
			continue;
		samples += stacked.count.samples;
		count_stack(&functions, &stacked, place);
	}
	put_sorted(s, &functions, out);
	map_fini(&functions);
	return samples;
}

void profile_hottest(const struct profile_sums *s, const struct process_id *id, struct buffer *text)
{
	struct buffer all = { 0 };
	uint64_t samples = profile_hot_functions(s, id, PROFILE_IN_USER, &all);
	const struct profile_hot *hot = (const void *)all.data;

	if (all.size) {
		buffer_append(text, hot->name.data, hot->name.size);
		if (hot->is_named)
			buffer_format(text, " (%.*s)", (int)hot->file.size, hot->file.data);
		buffer_format(text, ": %.0f %% of %llu samples",
			100.0 * (double)hot->samples / (double)samples,
			(unsigned long long)samples);
		if (hot->kernel_samples)
			buffer_format(text, ", %.0f %% in the kernel",
				100.0 * (double)hot->kernel_samples / (double)samples);
	}
	buffer_fini(&all);
}
