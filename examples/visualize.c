/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A picture from allocation data: the bytes that a process requests in each tenth of a second, as
 * bars of an SVG.
 *
 *   cc visualize.c $(pkg-config --cflags --libs sooth) -o visualize
 *   ./visualize PID SECONDS > allocations.svg
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <sooth/sooth.h>

#define BUCKET_NS 100000000ull
#define NS_PER_S  1000000000ull
#define MOST	  600
#define WIDTH	  8
#define HEIGHT	  200
#define TEXT	  20

struct bars {
	uint64_t begin_ns, bytes[MOST];
	size_t count;
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static void add(struct bars *b, const struct sooth_heap_event *e)
{
	size_t i = e->time_ns > b->begin_ns ? (e->time_ns - b->begin_ns) / BUCKET_NS : 0;

	if (i < b->count && e->address && !e->is_overflow)
		b->bytes[i] += e->size;
}

static void draw(const struct bars *b)
{
	uint64_t top = 1;

	for (size_t i = 0; i < b->count; i++)
		top = b->bytes[i] > top ? b->bytes[i] : top;
	printf("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%zu\" height=\"%d\">\n",
		b->count * WIDTH, HEIGHT + TEXT);
	printf("<text x=\"2\" y=\"14\" font-size=\"12\">bytes requested in 0.1 s, at most %" PRIu64
	       "</text>\n",
		top);
	for (size_t i = 0; i < b->count; i++) {
		double height = (double)b->bytes[i] / (double)top * HEIGHT;

		printf("<rect x=\"%zu\" y=\"%.1f\" width=\"%d\" height=\"%.1f\" fill=\"#4878a8\">"
		       "<title>%.1f s: %" PRIu64 " bytes</title></rect>\n",
			i * WIDTH, TEXT + HEIGHT - height, WIDTH - 1, height, (double)i / 10,
			b->bytes[i]);
	}
	printf("</svg>\n");
}

int main(int argc, char **argv)
{
	const struct sooth_heap_event *e;
	struct sooth_heap *heap;
	struct sooth_error err;
	struct bars bars = { .begin_ns = 0 };
	int status = 0, seconds = argc == 3 ? atoi(argv[2]) : 0;

	if (seconds < 1 || (size_t)seconds > MOST / 10) {
		fprintf(stderr, "usage: visualize PID SECONDS, at most %d\n", MOST / 10);
		return 2;
	}
	bars.count = (size_t)seconds * 10;
	status = sooth_heap_track(atoi(argv[1]), NULL, &heap, &err);
	bars.begin_ns = now_ns();
	if (!status)
		fprintf(stderr, "recording for %d s\n", seconds);
	while (!status && !sooth_heap_is_over(heap) &&
		now_ns() < bars.begin_ns + (uint64_t)seconds * NS_PER_S) {
		while ((status = sooth_heap_next(heap, 100, &e, &err)) > 0)
			add(&bars, e);
		status = status == -EINTR ? 0 : status;
	}
	if (status) {
		fprintf(stderr, "cannot %s: %s\n%s\n", err.tried, err.why, err.remedy);
		return EXIT_FAILURE;
	}
	draw(&bars);
	sooth_heap_close(heap);
	return EXIT_SUCCESS;
}
