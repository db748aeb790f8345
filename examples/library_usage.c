/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program that is started and watched by this one: what it keeps in each of its phases, and which
 * code allocated most of that. The watched program says when a phase begins: a line on its standard
 * output.
 *
 *   cc library_usage.c $(pkg-config --cflags --libs sooth) -o library_usage
 *   ./library_usage COMMAND [ARG...]
 */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sooth/sooth.h>

struct biggest {
	uint64_t bytes;
	uint32_t stack;
};

static int fail(const struct sooth_error *err)
{
	fprintf(stderr, "cannot %s: %s\n%s\n", err->tried, err->why, err->remedy);
	return EXIT_FAILURE;
}

/* The command writes to a pipe, and so do we not. */
static int start(char **argv, struct sooth_heap **heap, struct sooth_error *err)
{
	const struct sooth_heap_tracker_options options = {
		.size = sizeof(options), .heap.takes_stacks = true, .keeps_blocks = true
	};
	int lines[2], output = dup(STDOUT_FILENO), status;

	if (output < 0 || pipe(lines))
		return -1;
	dup2(lines[1], STDOUT_FILENO);
	status = sooth_heap_track_command(argv, &options, heap, err);
	dup2(output, STDOUT_FILENO);
	close(output);
	close(lines[1]);
	return status ? status : lines[0];
}

/* All events that are there. */
static int take_events(struct sooth_heap *heap, struct biggest *biggest, struct sooth_error *err)
{
	const struct sooth_heap_event *const *events;
	ssize_t count;

	while ((count = sooth_heap_batch(heap, 0, &events, err)) > 0) {
		for (ssize_t i = 0; i < count; i++) {
			if (events[i]->stack && events[i]->size > biggest->bytes)
				*biggest = (struct biggest){ events[i]->size, events[i]->stack };
		}
	}
	return (int)count;
}

static void print_live(struct sooth_heap *heap, const char *when)
{
	struct sooth_table *live = sooth_heap_snapshot(heap, NULL);

	printf("%s\n", when);
	for (const struct sooth_row *r = NULL; (r = sooth_table_next(live, r));)
		printf("  %s in %s: %s blocks, %s\n", sooth_row_text(r, "function"),
			sooth_row_text(r, "phase"), sooth_row_text(r, "blocks"),
			sooth_row_text(r, "bytes"));
	sooth_table_free(live);
}

/* Each line names the phase that begins; false: there will be no more. */
static bool take_line(FILE *lines, struct sooth_heap *heap)
{
	char line[256];

	if (!fgets(line, sizeof(line), lines))
		return false;
	line[strcspn(line, "\n")] = '\0';
	if (*line) {
		sooth_heap_mark(heap, line, NULL);
		print_live(heap, line);
	}
	return true;
}

static void print_biggest(struct sooth_heap *heap, const struct biggest *biggest)
{
	const struct sooth_frame *frames;
	size_t count = sooth_heap_frames(heap, biggest->stack, &frames);

	printf("the largest block: %" PRIu64 " bytes\n", biggest->bytes);
	for (size_t i = 0; i < count; i++)
		printf("  %s (%s)\n", frames[i].function, frames[i].file);
}

int main(int argc, char **argv)
{
	struct biggest biggest = { 0 };
	struct sooth_heap *heap = NULL;
	struct sooth_error err = { 0 };
	struct pollfd waits[2] = { { .events = POLLIN }, { .events = POLLIN } };
	FILE *lines;
	int status;

	if (argc < 2) {
		fprintf(stderr, "usage: library_usage COMMAND [ARG...]\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	waits[0].fd = start(argv + 1, &heap, &err);
	lines = waits[0].fd < 0 ? NULL : fdopen(waits[0].fd, "r");
	if (!lines)
		return fail(&err);
	setvbuf(lines, NULL, _IONBF, 0); /* poll() sees what stdio does not hold */
	waits[1].fd = sooth_heap_fd(heap);
	while (!sooth_heap_is_over(heap)) {
		if (poll(waits, 2, -1) < 0)
			continue;
		if (waits[1].revents && take_events(heap, &biggest, &err) < 0)
			return fail(&err);
		if (waits[0].revents && !take_line(lines, heap))
			waits[0].fd = -1; /* poll() leaves it out */
	}
	if (sooth_heap_stop(heap, &err) || take_events(heap, &biggest, &err))
		return fail(&err);
	print_biggest(heap, &biggest);
	status = sooth_heap_child_status(heap);
	sooth_heap_close(heap);
	fclose(lines);
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
}
