/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The allocations of a process as lines, from a poll loop of its own: the library never waits here.
 * It ends with the process, or when its input ends (Ctrl-D).
 *
 *   cc allocs.c $(pkg-config --cflags --libs sooth) -o allocs && ./allocs PID
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include <sooth/sooth.h>

static int fail(const struct sooth_error *err)
{
	fprintf(stderr, "cannot %s: %s\n%s\n", err->tried, err->why, err->remedy);
	return EXIT_FAILURE;
}

/* All events that are there. */
static int print_events(struct sooth_heap *heap, struct sooth_error *err)
{
	const struct sooth_heap_event *e;
	int status;

	while ((status = sooth_heap_next(heap, 0, &e, err)) > 0)
		printf("%d %s %" PRIu64 " 0x%" PRIx64 "\n", (int)e->tid, e->function, e->size,
			e->address);
	return status == -EINTR ? 0 : status;
}

int main(int argc, char **argv)
{
	struct sooth_heap_stats stats = { .size = sizeof(stats) };
	struct sooth_heap *heap;
	struct sooth_error err;
	struct pollfd waits[2] = { { .fd = 0, .events = POLLIN }, { .events = POLLIN } };
	char byte;

	if (argc < 2) {
		fprintf(stderr, "usage: allocs PID\n");
		return 2;
	}
	if (sooth_heap_track(atoi(argv[1]), NULL, &heap, &err))
		return fail(&err);
	fprintf(stderr, "tracking\n");
	waits[1].fd = sooth_heap_fd(heap);
	while (!sooth_heap_is_over(heap)) {
		if (poll(waits, 2, -1) < 0 && errno != EINTR)
			break;
		if (waits[1].revents && print_events(heap, &err))
			return fail(&err);
		if (waits[0].revents && fread(&byte, 1, 1, stdin) != 1)
			break;
	}
	if (sooth_heap_stop(heap, &err) || print_events(heap, &err))
		return fail(&err);
	sooth_heap_stats(heap, &stats);
	fprintf(stderr, "%" PRIu64 " events, %" PRIu64 " dropped\n", stats.events, stats.dropped);
	sooth_heap_close(heap);
	return EXIT_SUCCESS;
}
