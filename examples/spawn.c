/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A command from its first allocation on: how many of each kind, and the largest, at its end. Exits
 * as the command does.
 *
 *   cc spawn.c $(pkg-config --cflags --libs sooth) -o spawn && ./spawn COMMAND [ARG...]
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include <sooth/sooth.h>

#define KINDS 32

struct sums {
	const char *function[KINDS];
	uint64_t calls[KINDS], bytes[KINDS], largest;
};

static int take(void *user, const struct sooth_heap_event *e)
{
	struct sums *s = user;
	size_t i = 0;

	while (i < KINDS && s->function[i] && strcmp(s->function[i], e->function) != 0)
		i++;
	if (i == KINDS)
		return 0;
	s->function[i] = e->function;
	s->calls[i]++;
	if (!e->address || e->is_overflow)
		return 0; /* it failed: nothing was given */
	s->bytes[i] += e->size;
	s->largest = e->size > s->largest ? e->size : s->largest;
	return 0;
}

int main(int argc, char **argv)
{
	struct sooth_heap_tracker_options options = { .size = sizeof(options),
		.heap.may_pause = true };
	struct sooth_heap_stats stats = { .size = sizeof(stats) };
	struct sums sums = { .largest = 0 };
	struct sooth_heap *heap;
	struct sooth_error err;
	int status;

	if (argc < 2) {
		fprintf(stderr, "usage: spawn COMMAND [ARG...]\n");
		return 2;
	}
	if (sooth_heap_track_command(argv + 1, &options, &heap, &err) ||
		sooth_heap_each(heap, take, &sums, &err)) {
		fprintf(stderr, "cannot %s: %s\n%s\n", err.tried, err.why, err.remedy);
		return 127;
	}
	for (size_t i = 0; i < KINDS && sums.function[i]; i++)
		fprintf(stderr, "%s %" PRIu64 " %" PRIu64 "\n", sums.function[i], sums.calls[i],
			sums.bytes[i]);
	sooth_heap_stats(heap, &stats);
	fprintf(stderr, "largest %" PRIu64 ", dropped %" PRIu64 "\n", sums.largest, stats.dropped);
	status = sooth_heap_child_status(heap);
	sooth_heap_close(heap);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
