/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several processes by one tracker, in batches: how much each allocates until all have ended.
 *
 *   cc track_multiple.c $(pkg-config --cflags --libs sooth) -o track_multiple
 *   ./track_multiple PID...
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <sooth/sooth.h>

#define MOST	 64
#define BATCH_MS 1000

static int fail(const struct sooth_error *err)
{
	fprintf(stderr, "cannot %s: %s\n%s\n", err->tried, err->why, err->remedy);
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	const struct sooth_heap_event *const *events;
	uint64_t bytes[MOST] = { 0 }, calls[MOST] = { 0 };
	pid_t pids[MOST];
	struct sooth_heap *heap;
	struct sooth_error err;
	size_t count = argc > MOST ? MOST : (size_t)argc - 1;
	ssize_t got;

	for (size_t i = 0; i < count; i++)
		pids[i] = atoi(argv[i + 1]);
	if (sooth_heap_track_multiple(pids, count, NULL, &heap, &err))
		return fail(&err);
	fprintf(stderr, "tracking\n");
	while (!sooth_heap_is_over(heap)) {
		got = sooth_heap_batch(heap, BATCH_MS, &events, &err);
		if (got < 0 && got != -EINTR)
			return fail(&err);
		for (ssize_t i = 0; i < got; i++) {
			for (size_t k = 0; k < count; k++) {
				bytes[k] += pids[k] == events[i]->pid ? events[i]->size : 0;
				calls[k] += pids[k] == events[i]->pid;
			}
		}
	}
	for (size_t k = 0; k < count; k++)
		printf("%d: %" PRIu64 " calls, %" PRIu64 " bytes\n", (int)pids[k], calls[k],
			bytes[k]);
	sooth_heap_close(heap);
	return EXIT_SUCCESS;
}
