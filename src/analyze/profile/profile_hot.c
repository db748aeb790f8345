/* SPDX-License-Identifier: BSD-2-Clause */
/* Samples of one process by function. */
#include "analyze/profile/profile_hot.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/profile/profile_regexp.h"
#include "base/cleanup.h"
#include "base/map_sorted.h"
#include "base/order.h"

#define FUNCTIONS_MAX (1u << 16)

struct hot_key {
	uint32_t name, file;
};

struct hot_count {
	struct hot_key key;
	uint64_t samples, kernel_samples, regexp_samples;
	bool is_named;
};

/* Chooses the function of a sample; frames before `from` belong to a regular expression. */
static const struct profile_function *choose_function(
	const struct profile_stacked *stacked, enum profile_place place, size_t from)
{
	for (size_t i = from; place == PROFILE_IN_SCRIPT && i < stacked->depth; i++) {
		if (stacked->frames[i]->kind == PROFILE_SCRIPT)
			return stacked->frames[i];
	}
	for (size_t i = from; i < stacked->depth; i++) {
		if (place == PROFILE_ON_TOP || stacked->frames[i]->kind != PROFILE_KERNEL)
			return stacked->frames[i];
	}
	return NULL;
}

static void count_stack(const struct profile_sums *s, struct map *functions,
	const struct profile_stacked *stacked, enum profile_place place)
{
	size_t engine = place == PROFILE_IN_SCRIPT ? profile_regexp_frames(s, stacked) : 0;
	size_t from = engine < stacked->depth ? engine : 0; /* else no frame calls the engine */
	const struct profile_function *function = choose_function(stacked, place, from);
	struct hot_key key = { function ? function->name : 0, function ? function->file : 0 };
	struct hot_count *count = function ? map_put(functions, &key, NULL) : NULL;

	if (!count)
		return;
	count->key = key;
	count->is_named = function->is_named;
	count->samples += stacked->count.samples;
	if (stacked->frames[0]->kind == PROFILE_KERNEL)
		count->kernel_samples += stacked->count.samples;
	if (from)
		count->regexp_samples += stacked->count.samples;
}

static int compare_by_samples(const void *left, const void *right)
{
	const struct hot_count *a = left, *b = right;
	int order = larger_first(a->samples, b->samples);

	order = order ?: smaller_first(a->key.name, b->key.name);
	return order ?: smaller_first(a->key.file, b->key.file);
}

static void put_sorted(
	const struct profile_sums *s, const struct map *functions, struct buffer *out)
{
	struct hot_count *sorted = map_sorted(functions, compare_by_samples);

	for (size_t i = 0; sorted && i < functions->count; i++) {
		struct profile_hot hot = { .name = names_get(&s->names, sorted[i].key.name),
			.file = names_get(&s->names, sorted[i].key.file),
			.samples = sorted[i].samples,
			.kernel_samples = sorted[i].kernel_samples,
			.regexp_samples = sorted[i].regexp_samples,
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
		count_stack(s, &functions, &stacked, place);
	}
	put_sorted(s, &functions, out);
	map_fini(&functions);
	return samples;
}

bool profile_hot_is_regexp(const struct profile_hot *hot)
{
	assert(hot);
	return hot->regexp_samples * 2 > hot->samples;
}

/* --- in words --- */

#define NEXT_MAX     2
#define NEXT_PERCENT 5
#define NEARLY_ALL   0.9
#define NAME_MOST    64 /* most characters of a function's name */

static double percent(uint64_t part, uint64_t of)
{
	return of ? 100.0 * (double)part / (double)of : 0;
}

/* Writes a name; the template arguments of a long C++ name are left out. */
static void put_name(struct buffer *out, struct span name)
{
	const char *arguments =
		name.size > NAME_MOST ? memchr(name.data + 1, '<', NAME_MOST) : NULL;
	size_t most = arguments ? (size_t)(arguments - name.data) : NAME_MOST;

	buffer_append(out, name.data, name.size < most ? name.size : most);
	buffer_string(out, name.size > most ? "..." : "");
}

static void put_function(struct buffer *out, struct span name, struct span file, bool is_named)
{
	put_name(out, name);
	if (is_named)
		buffer_format(out, " (%.*s)", SPAN_ARGS(file));
}

static void put_hottest(
	struct profile_spots *out, const struct profile_hot *all, size_t count, uint64_t samples)
{
	out->is_regexp = profile_hot_is_regexp(all);
	if (out->is_regexp)
		buffer_string(&out->hottest, "a regular expression called by ");
	put_function(&out->hottest, all->name, all->file, all->is_named);
	buffer_format(&out->of_hottest, "%.0f %% of %llu samples", percent(all->samples, samples),
		(unsigned long long)samples);
	if (all->kernel_samples)
		buffer_format(&out->of_hottest, ", %.0f %% in the kernel",
			percent(all->kernel_samples, samples));
	for (size_t i = 1; i < count && i <= NEXT_MAX; i++) {
		double share = percent(all[i].samples, samples);

		if (share < NEXT_PERCENT)
			break;
		buffer_string(&out->next, i > 1 ? ", " : "");
		put_function(&out->next, all[i].name, all[i].file, all[i].is_named);
		buffer_format(&out->next, ": %.0f %%", share);
	}
}

/* Counts the samples of each function, anywhere in their stacks. */
static void count_anywhere(struct map *functions, const struct profile_stacked *stacked)
{
	for (size_t i = 0; i < stacked->depth; i++) {
		const struct profile_function *f = stacked->frames[i];
		struct hot_key key = { f->name, f->file };
		bool is_repeated = false;
		struct hot_count *count;

		for (size_t k = 0; k < i && !is_repeated; k++)
			is_repeated = stacked->frames[k]->name == f->name &&
				      stacked->frames[k]->file == f->file;
		count = is_repeated ? NULL : map_put(functions, &key, NULL);
		if (count)
			count->samples += stacked->count.samples;
	}
}

/* Returns whether it is an entry of threads, which all stacks have. */
static bool is_entry(const struct profile_sums *s, const struct profile_function *f)
{
	struct span file = names_get(&s->names, f->file);

	return span_starts(file, "libc.") || span_starts(file, "libc-") ||
	       span_starts(file, "ld-") || span_equal(names_get(&s->names, f->name), "_start");
}

/* Finds the innermost named function of the most frequent stack that nearly all stacks have; a
 * function of the script, if the process runs one. */
static const struct profile_function *find_within(const struct profile_sums *s,
	const struct map *functions, const struct profile_stacked *most, uint64_t samples)
{
	size_t from = profile_regexp_frames(s, most);
	bool has_script = false;

	for (size_t i = from; i < most->depth; i++)
		has_script |= most->frames[i]->kind == PROFILE_SCRIPT;
	for (size_t i = from; i < most->depth; i++) {
		const struct profile_function *f = most->frames[i];
		struct hot_key key = { f->name, f->file };
		const struct hot_count *count = map_get(functions, &key);
		bool is_candidate =
			has_script ? f->kind == PROFILE_SCRIPT : f->kind != PROFILE_KERNEL;

		if (f->is_named && is_candidate && count &&
			(double)count->samples >= NEARLY_ALL * (double)samples)
			return is_entry(s, f) ? NULL : f;
	}
	return NULL;
}

static bool is_loop(const struct profile_sums *s, const struct profile_function *f)
{
	static const char *const loops[] = { "main", "aeMain", "uv_run" };

	for (size_t i = 0; i < ARRAY_SIZE(loops); i++) {
		if (span_equal(names_get(&s->names, f->name), loops[i]))
			return true;
	}
	return false;
}

static void put_within(
	const struct profile_sums *s, const struct process_id *id, struct profile_spots *out)
{
	struct profile_stacked stacked, most = { 0 };
	const struct profile_function *f;
	struct map functions;
	size_t position = 0;
	uint64_t samples = 0;
	struct hot_key key;

	map_init(&functions, sizeof(struct hot_key), sizeof(struct hot_count), FUNCTIONS_MAX);
	while (profile_sums_next(s, &position, &stacked)) {
		if (memcmp(&stacked.id, id, sizeof(*id)) != 0 || stacked.end != PROFILE_WHOLE)
			continue;
		samples += stacked.count.samples;
		count_anywhere(&functions, &stacked);
		if (stacked.count.samples > most.count.samples)
			most = stacked;
	}
	f = samples ? find_within(s, &functions, &most, samples) : NULL;
	if (f) {
		key = (struct hot_key){ f->name, f->file };
		out->is_within_loop = is_loop(s, f);
		put_function(&out->within, names_get(&s->names, f->name),
			names_get(&s->names, f->file), true);
		buffer_format(&out->of_within, "on %.0f %% of %llu whole stacks",
			percent(((const struct hot_count *)map_get(&functions, &key))->samples,
				samples),
			(unsigned long long)samples);
	}
	map_fini(&functions);
}

void profile_spots(
	const struct profile_sums *s, const struct process_id *id, struct profile_spots *out)
{
	_cleanup_(buffer_fini) struct buffer all = { 0 };
	uint64_t samples = profile_hot_functions(s, id, PROFILE_IN_SCRIPT, &all);
	const struct profile_hot *hot = (const void *)all.data;

	if (all.size) {
		put_hottest(out, hot, all.size / sizeof(*hot), samples);
		/* If nearly all samples are in the hottest function, the common caller says nothing
		 * more. */
		if ((double)hot->samples < NEARLY_ALL * (double)samples)
			put_within(s, id, out);
	}
}

void profile_spots_fini(struct profile_spots *spots)
{
	assert(spots);
	buffer_fini(&spots->hottest);
	buffer_fini(&spots->of_hottest);
	buffer_fini(&spots->next);
	buffer_fini(&spots->within);
	buffer_fini(&spots->of_within);
}
