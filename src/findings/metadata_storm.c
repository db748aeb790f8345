/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * metadata-storm: a process asks again and again about the same files (stat, access, open,
 * readlink, reading a directory) without reading or writing them, and it takes a part of its time.
 * A build or a status of a work tree asks about many files, about each once or twice; who asks,
 * opens a file and reads it wants its contents.
 */
#include <string.h>

#include "analyze/diagnosis/call_check.h"
#include "core/finding.h"

#define SHOWN_MAX   3
#define LOOKS_USED  2 /* a stat and an open come before the contents */
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
	{ .name = "min-share",
		.help = "of a thread's time, that these calls take",
		.unit = SOOTH_UNIT_PERCENT,
		.otherwise = 1,
		.min = 0,
		.max = 1e6 },
};

struct storm {
	double again; /* calls about what was asked before */
	double again_ns;
	double looks; /* of the same files, all */
	double files;
	struct map folders; /* call_path -> double */
};

/* Beyond the first, and beyond those that came with its contents. What the kernel makes up as it is
 * read (/proc, /sys) has nothing to remember. */
static double again_of(const struct call_path *path, const struct call_file *f)
{
	uint64_t moves = f->moves[CALL_READ].calls + f->moves[CALL_WRITTEN].calls;
	uint64_t used = 1 + LOOKS_USED * moves;

	return f->looks > used && call_is_on_disk(path->text) ? (double)(f->looks - used) : 0;
}

static double weigh_file(const void *key, const void *value, void *user)
{
	(void)user;
	return again_of(key, value);
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
		double *sum, again = again_of(path, f);

		if (!again)
			continue;
		s->again += again;
		s->again_ns += (double)f->looks_ns * again / (double)f->looks;
		s->looks += (double)f->looks;
		s->files++;
		memcpy(folder.text, path->text, check_directory_size(path->text));
		sum = map_put(&s->folders, &folder, NULL);
		if (sum)
			*sum += again;
	}
}

static double share_of(const struct check_calls *c, const struct storm *s)
{
	return s->again_ns * 100 / (double)c->interval_ns;
}

static void tell(struct check *e, const struct check_calls *c, const struct storm *s)
{
	struct check_ranked folders[SHOWN_MAX], files[SHOWN_MAX];
	size_t folder_count = check_rank(&s->folders, weigh_folder, NULL, folders, SHOWN_MAX);
	size_t file_count = check_rank(&c->history->files, weigh_file, NULL, files, SHOWN_MAX);
	const char *folder = folder_count ? ((const struct call_path *)folders[0].key)->text : "";

	finding_begin(e, c->lost ? FINDING_CONFIDENCE_MEDIUM : FINDING_CONFIDENCE_HIGH, "");
	finding_path(e, span_of(folder, strlen(folder)));
	finding_claim(e,
		"asks about the same %.0f file%s again and again, %.0f times a second, most in %s",
		s->files, s->files == 1 ? "" : "s", check_calls_rate(c, s->again),
		*folder ? folder : "its folder");
	finding_rate(
		e, "asked again", check_calls_rate(c, s->again), SOOTH_UNIT_NONE, c->interval_ns);
	finding_number(
		e, "share of a thread's time", share_of(c, s), SOOTH_UNIT_PERCENT, c->interval_ns);
	finding_number(e, "times for each", s->looks / s->files, SOOTH_UNIT_NONE, c->interval_ns);
	finding_number(e, "calls about files, all", (double)c->history->looks, SOOTH_UNIT_NONE,
		c->interval_ns);
	for (size_t i = 0; i < folder_count; i++)
		finding_text(e, "in", "%s: %.0f calls",
			((const struct call_path *)folders[i].key)->text, folders[i].weight);
	for (size_t i = 0; i < file_count; i++)
		finding_text(e, "about", "%s: %.0f calls",
			((const struct call_path *)files[i].key)->text, files[i].weight);
	check_calls_unseen(c, e);
	finding_remedy(e,
		"have it remember, or be told of changes (inotify) instead of looking for them; "
		"sooth trace -e %%path -p %llu shows who asks for what",
		(unsigned long long)e->id.pid);
	finding_end(e);
}

static bool is_storm(const struct check *e, const struct check_calls *c, const struct storm *s)
{
	return s->files && s->looks >= check_option(e, "min-times") * s->files &&
	       check_is_over(e, "min-rate", check_calls_rate(c, s->again), "") &&
	       check_is_over(e, "min-share", share_of(c, s), "");
}

static void judge(struct check *e)
{
	struct storm s = { 0 };
	struct check_calls c;

	if (!check_calls_begin(&c, e))
		return;
	find(&s, c.history);
	if (is_storm(e, &c, &s))
		tell(e, &c, &s);
	else
		check_fine(e,
			"%.0f calls a second about files, %.0f of them about what it knew: %.2g %% "
			"of a thread's time",
			check_calls_rate(&c, (double)c.history->looks),
			check_calls_rate(&c, s.again), share_of(&c, &s));
	map_fini(&s.folders);
}

const struct finding_type finding_metadata_storm = {
	.id = "metadata-storm",
	.claim = "the same files are asked about again and again",
	.probes = "syscalls",
	FINDING_OPTIONS(options),
	.judge = judge,
};
