/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * metadata-storm: a process asks again and again about the same files (stat, access, open,
 * readlink, reading a directory) without reading or writing them. A build or a status of a work
 * tree asks about many files, about each once or twice; who opens a file and reads it wants its
 * contents.
 */
#include <string.h>

#include "analyze/judging/call_exam.h"
#include "core/finding.h"

#define TOLD_MOST   3
#define FOLDERS_MAX 4096

static const struct finding_option options[] = {
	{ .name = "min-rate",
		.help = "calls a second about files that it has asked about before",
		.otherwise = 500,
		.min = 1,
		.max = 1e9 },
	{ .name = "min-times",
		.help = "that it asks about each of them, on the average",
		.otherwise = 5,
		.min = 1,
		.max = 1e9 },
};

struct storm {
	double again; /* calls about what was asked before */
	double looks; /* of the same files, all */
	double files;
	struct map folders; /* call_path -> double */
};

/* Beyond the first, and beyond those that came with its contents. */
static double again_of(const struct call_file *f)
{
	uint64_t used = 1 + f->moves[CALL_READ].calls + f->moves[CALL_WRITTEN].calls;

	return f->looks > used ? (double)(f->looks - used) : 0;
}

static double weigh_file(const void *key, const void *value, void *user)
{
	(void)key;
	(void)user;
	return again_of(value);
}

static double weigh_folder(const void *key, const void *value, void *user)
{
	(void)key;
	(void)user;
	return *(const double *)value;
}

static void find(struct storm *s, const struct call_history *h)
{
	size_t position = 0;
	const void *key;
	void *value;

	map_init(&s->folders, sizeof(struct call_path), sizeof(double), FOLDERS_MAX);
	while (map_next(&h->files, &position, &key, &value)) {
		const struct call_path *path = key;
		const struct call_file *f = value;
		struct call_path folder = { { 0 } };
		double *sum;

		if (!again_of(f))
			continue;
		s->again += again_of(f);
		s->looks += (double)f->looks;
		s->files++;
		memcpy(folder.text, path->text, exam_directory_size(path->text));
		sum = map_put(&s->folders, &folder, NULL);
		if (sum)
			*sum += again_of(f);
	}
}

static void tell(struct exam *e, const struct exam_calls *c, const struct storm *s)
{
	struct exam_ranked folders[TOLD_MOST], files[TOLD_MOST];
	size_t folder_count = exam_rank(&s->folders, weigh_folder, NULL, folders, TOLD_MOST);
	size_t file_count = exam_rank(&c->history->files, weigh_file, NULL, files, TOLD_MOST);
	const char *folder = folder_count ? ((const struct call_path *)folders[0].key)->text : "";

	finding_begin(e, c->lost ? FINDING_CONFIDENCE_MEDIUM : FINDING_CONFIDENCE_HIGH, "");
	finding_path(e, span_of(folder, strlen(folder)));
	finding_claim(e,
		"asks about the same %.0f file%s again and again, %.0f times a second, most in %s",
		s->files, s->files == 1 ? "" : "s", exam_calls_rate(c, s->again),
		*folder ? folder : "its folder");
	finding_rate(
		e, "asked again", exam_calls_rate(c, s->again), SOOTH_UNIT_NONE, c->interval_ns);
	finding_number(e, "times for each", s->looks / s->files, SOOTH_UNIT_NONE, c->interval_ns);
	finding_number(e, "calls about files, all", (double)c->history->looks, SOOTH_UNIT_NONE,
		c->interval_ns);
	for (size_t i = 0; i < folder_count; i++)
		finding_words(e, "in", "%s: %.0f calls",
			((const struct call_path *)folders[i].key)->text, folders[i].weight);
	for (size_t i = 0; i < file_count; i++)
		finding_words(e, "about", "%s: %.0f calls",
			((const struct call_path *)files[i].key)->text, files[i].weight);
	exam_calls_unseen(c, e);
	finding_remedy(e,
		"have it remember, or be told of changes (inotify) instead of looking for them; "
		"sooth trace -e %%path -p %llu shows who asks for what",
		(unsigned long long)e->id.pid);
	finding_end(e);
}

static void judge(struct exam *e)
{
	struct storm s = { 0 };
	struct exam_calls c;

	if (!exam_calls_begin(&c, e))
		return;
	find(&s, c.history);
	if (s.files && s.looks >= exam_option(e, "min-times") * s.files &&
		exam_is_over(e, "min-rate", exam_calls_rate(&c, s.again), ""))
		tell(e, &c, &s);
	else
		exam_fine(e, "%.0f calls a second about files, %.0f of them about what it knew",
			exam_calls_rate(&c, (double)c.history->looks),
			exam_calls_rate(&c, s.again));
	map_fini(&s.folders);
}

const struct finding_type finding_metadata_storm = {
	.id = "metadata-storm",
	.claim = "the same files are asked about again and again",
	.probes = "syscalls",
	FINDING_OPTIONS(options),
	.judge = judge,
};
