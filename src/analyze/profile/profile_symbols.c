/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/profile/profile_symbols.h"

#include <stdio.h>
#include <string.h>

#define FILES_MAX	1024
#define NOTED_PERCENT	10 /* of the samples, taken in functions without a name */
#define BUILD_ID_DIGITS 40

struct unnamed_file {
	uint64_t unnamed, without_line, refused; /* samples */
	uint32_t build_id, unused;
};

void profile_symbols_init(struct profile_symbols *s, bool has_lines)
{
	*s = (struct profile_symbols){ .has_lines = has_lines };
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

	if (!f || f->kind != PROFILE_USER || (f->is_named && (f->has_line || !s->has_lines)))
		return;
	if (s->has_lines && f->lines_state == SOOTH_STATE_ABSENT)
		s->not_asked += stacked->count.samples;
	file = map_put(&s->files, &f->file, NULL);
	if (!file)
		return;
	file->unnamed += f->is_named ? 0 : stacked->count.samples;
	file->without_line += f->lines_state == SOOTH_STATE_ABSENT ? 0 : stacked->count.samples;
	file->refused += f->lines_state == SOOTH_NOT_MEASURED(SOOTH_REASON_UNDECIDED)
				 ? stacked->count.samples
				 : 0;
	file->build_id = f->build_id;
}

static const struct lack {
	const char *what, *why, *of_build, *or_build;
} no_names = { "names of functions", "functions for which the file has no symbol", "symbols", "" },
  no_lines = { "source lines", "functions for which the file has no debug information",
	  "debug information (compiled with -g)", "; or compile it with -g" };

/* Where debug_file.c looks for it. */
static void put_remedy(char *out, size_t size, struct span build_id, const struct lack *lack)
{
	bool is_short = build_id.size < 3 || build_id.size > BUILD_ID_DIGITS;

	if (is_short)
		snprintf(out, size, "run a build of it that has %s", lack->of_build);
	else
		snprintf(out, size,
			"its debug file belongs at /usr/lib/debug/.build-id/%.2s/%.*s.debug "
			"(a -dbgsym package puts it there)%s",
			build_id.data, (int)build_id.size - 2, build_id.data + 2, lack->or_build);
}

static void note_file(const struct lack *lack, struct span name, struct span build_id,
	double percent, struct output *output)
{
	char what[160], why[120], remedy[256];

	snprintf(what, sizeof(what), "%s of %.*s", lack->what,
		(int)(name.size < 96 ? name.size : 96), name.data);
	snprintf(why, sizeof(why), "%.1f %% of the samples are in %s", percent, lack->why);
	put_remedy(remedy, sizeof(remedy), build_id, lack);
	output_limit(output, what, why, remedy);
}

static void note_refused(struct span name, struct output *output)
{
	char what[160];

	snprintf(what, sizeof(what), "source lines of %.*s", (int)(name.size < 96 ? name.size : 96),
		name.data);
	output_limit(output, what,
		"its debug information is damaged, or needs more than 1 GiB of memory or 14 s",
		"without --lines it has functions by its symbols");
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
		struct span build_id = names_get(names, file->build_id);
		double unnamed = 100.0 * (double)file->unnamed / (double)samples;
		double without_line = 100.0 * (double)file->without_line / (double)samples;

		if (name.size && unnamed >= NOTED_PERCENT)
			note_file(&no_names, name, build_id, unnamed, output);
		else if (name.size && file->refused)
			note_refused(name, output);
		else if (name.size && s->has_lines && without_line >= NOTED_PERCENT)
			note_file(&no_lines, name, build_id, without_line, output);
	}
	if (s->not_asked)
		output_limit(output, "source lines", "the capture was recorded without --lines",
			"sooth profile --lines --save FILE.sooth TARGET records them");
}
