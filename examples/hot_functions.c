/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a process uses the CPU: its functions, and how often each stack was seen, one a line with
 * the innermost function last, as tools for flame graphs read it.
 *
 *   cc hot_functions.c $(pkg-config --cflags --libs sooth) -o hot_functions
 *   ./hot_functions PID [SECONDS]
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <sooth/sooth.h>

static int fail(const struct sooth_error *err)
{
	fprintf(stderr, "cannot %s: %s\n%s\n", err->tried, err->why, err->remedy);
	return EXIT_FAILURE;
}

static void print_sample(const struct sooth_sample *sample)
{
	printf("%s", sample->thread);
	for (size_t i = sample->frame_count; i-- > 0;)
		printf(";%s", sample->frames[i].function);
	printf(" 1\n");
}

int main(int argc, char **argv)
{
	struct sooth_profiler_options options = { .size = sizeof(options), .profile.rate_hz = 199 };
	struct sooth_profile_stats stats = { .size = sizeof(stats) };
	const struct sooth_sample *sample;
	struct sooth_profiler *profiler;
	struct sooth_table *functions;
	struct sooth_error err;

	if (argc < 2) {
		fprintf(stderr, "usage: hot_functions PID [SECONDS]\n");
		return 2;
	}
	if (sooth_profiler_start(atoi(argv[1]), &options, &profiler, &err))
		return fail(&err);
	if (sooth_profiler_run(profiler, argc > 2 ? atoi(argv[2]) * 1000 : 5000, &err) < 0 ||
		sooth_profiler_stop(profiler, &err))
		return fail(&err);
	functions = sooth_profiler_functions(profiler, &err);
	if (!functions)
		return fail(&err);
	for (const struct sooth_row *f = NULL; (f = sooth_table_next(functions, f));)
		fprintf(stderr, "%5s %% %s (%s)\n", sooth_row_text(f, "self_percent"),
			sooth_row_text(f, "function"), sooth_row_text(f, "file"));
	while (sooth_profiler_next(profiler, &sample))
		print_sample(sample);
	sooth_profiler_stats(profiler, &stats);
	fprintf(stderr, "%" PRIu64 " samples, %" PRIu64 " dropped\n", stats.samples, stats.dropped);
	sooth_table_free(functions);
	sooth_profiler_close(profiler);
	return EXIT_SUCCESS;
}
