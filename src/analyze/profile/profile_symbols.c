/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/profile/profile_symbols.h"

#include <stdio.h>
#include <string.h>

#define FILES_MAX	1024
#define NOTED_PERCENT	10 /* of the samples, taken in functions without a name */
#define BUILD_ID_DIGITS 40

struct unnamed_file {
	uint64_t samples;
	uint32_t build_id, unused;
};

void profile_symbols_init(struct profile_symbols *s)
{
	map_init(&s->files, sizeof(uint32_t), sizeof(struct unnamed_file), FILES_MAX);
}

void profile_symbols_fini(struct profile_symbols *s)
{
	map_fini(&s->files);
}

/* Only of the function that ran: its callers are known by their place in the tree. */
void profile_symbols_count(struct profile_symbols *s, const struct profile_stacked *stacked)
{
	const struct profile_function *f = stacked->depth ? stacked->frames[0] : NULL;
	struct unnamed_file *file;

	if (!f || f->kind != PROFILE_USER || f->is_named)
		return;
	file = map_put(&s->files, &f->file, NULL);
	if (!file)
		return;
	file->samples += stacked->count.samples;
	file->build_id = f->build_id;
}

/* Where debug_file.c looks for it. */
static void put_remedy(char *out, size_t size, struct span build_id)
{
	bool is_short = build_id.size < 3 || build_id.size > BUILD_ID_DIGITS;

	if (is_short)
		snprintf(out, size, "run a build of it that has symbols");
	else
		snprintf(out, size,
			"its debug file belongs at /usr/lib/debug/.build-id/%.2s/%.*s.debug "
			"(a -dbgsym package puts it there)",
			build_id.data, (int)build_id.size - 2, build_id.data + 2);
}

static void note_file(const struct names *names, struct span name, const struct unnamed_file *file,
	double percent, struct output *output)
{
	char what[160], why[96], remedy[192];

	snprintf(what, sizeof(what), "names of functions of %.*s",
		(int)(name.size < 96 ? name.size : 96), name.data);
	snprintf(why, sizeof(why),
		"%.1f %% of the samples are in functions for which the file has no symbol",
		percent);
	put_remedy(remedy, sizeof(remedy), names_get(names, file->build_id));
	output_limit(output, what, why, remedy);
}

void profile_symbols_note(const struct profile_symbols *s, const struct names *names,
	uint64_t samples, struct output *output)
{
	size_t position = 0;
	const void *key;
	void *value;

	while (samples && map_next(&s->files, &position, &key, &value)) {
		const struct unnamed_file *file = value;
		struct span name = names_get(names, *(const uint32_t *)key);
		double percent = 100.0 * (double)file->samples / (double)samples;

		if (name.size && percent >= NOTED_PERCENT)
			note_file(names, name, file, percent, output);
	}
}
