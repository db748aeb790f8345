/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program whose every call of the allocator is known: it has no stdio, no threads and no
 * constructors, and makes the same rounds of calls each time. Built static, where neither a loader
 * nor libc allocates before main(), a watcher's totals are those written out below, from the first
 * instruction to the last. It prints them. With any argument it says "ready" and waits for input
 * first.
 */
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROUNDS 100

static const char truth[] =
	"{\"functions\":{"
	"\"malloc\":{\"count\":200,\"failed\":100,\"overflows\":0,\"bytes\":101100},"
	"\"free\":{\"count\":500,\"failed\":0,\"overflows\":0,\"bytes\":0},"
	"\"calloc\":{\"count\":200,\"failed\":100,\"overflows\":100,\"bytes\":303300},"
	"\"realloc\":{\"count\":300,\"failed\":0,\"overflows\":0,\"bytes\":704300},"
	"\"posix_memalign\":{\"count\":200,\"failed\":100,\"overflows\":0,\"bytes\":401900},"
	"\"aligned_alloc\":{\"count\":100,\"failed\":0,\"overflows\":0,\"bytes\":204800}},"
	"\"events\":1500,\"failed\":300,\"overflows\":100,\"allocated_bytes\":1715400,"
	"\"live_blocks\":0,\"live_bytes\":0,\"peak_bytes\":11071,\"peak_slack_bytes\":0}\n";

static void *volatile kept; /* so that no call can be left out */

static void *keep(void *block)
{
	kept = block;
	return kept;
}

static void round_of_calls(void)
{
	volatile uint64_t absurd = (UINT64_C(1) << 62) + 3;
	volatile uint64_t half = UINT64_C(1) << 33;
	void *a, *b, *c = NULL, *d = NULL;

	a = keep(malloc(1011));
	keep(malloc(absurd));
	b = keep(calloc(3, 1011));
	keep(calloc(half, half));
	a = keep(realloc(a, 2019));
	a = keep(realloc(a, 4019));
	c = keep(realloc(NULL, 1005));
	free(c);
	if (posix_memalign(&d, 64, 4019) || !posix_memalign(&c, 64, absurd))
		_exit(EXIT_FAILURE);
	keep(d);
	free(d);
	c = keep(aligned_alloc(2048, 2048));
	free(c);
	free(b);
	kept = NULL;
	free(kept);
	c = keep(a);
	free(c);
}

int main(int argc, char **argv)
{
	char byte;

	(void)argv;
	if (argc > 1 && (write(1, "ready\n", 6) != 6 || read(0, &byte, 1) < 0))
		return EXIT_FAILURE;
	for (int i = 0; i < ROUNDS; i++)
		round_of_calls();
	return write(1, truth, strlen(truth)) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
