# SPDX-License-Identifier: BSD-2-Clause
"""heap-fragmented."""
import subprocess

from case import healthy, sick

# Keeps `keep` of `of` blocks, in one thread or in several, and trims the heap if it is told to.
SOURCE = r"""
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static long count, size, keep, of;
static void *work(void *unused)
{
	char **blocks = malloc(count * sizeof(*blocks));

	(void)unused;
	for (long i = 0; i < count; i++) {
		blocks[i] = malloc(size);
		memset(blocks[i], 'x', size);
	}
	for (long i = 0; i < count; i++)
		if (i * 37 % of >= keep)
			free(blocks[i]);
	return NULL;
}
int main(int argc, char **argv)
{
	long threads = atol(argv[1]);
	pthread_t all[64];

	count = atol(argv[2]), size = atol(argv[3]), keep = atol(argv[4]), of = atol(argv[5]);
	if (!threads)
		work(NULL);
	for (long i = 0; i < threads; i++)
		pthread_create(&all[i], NULL, work, NULL);
	for (long i = 0; i < threads; i++)
		pthread_join(all[i], NULL);
	if (argc > 6)
		malloc_trim(0);
	write(1, "ready\n", 6);
	for (;;) {
		free(malloc(100));
		usleep(20000);
	}
}
"""


def blocks(threads, keep, of, *trim):
    """Some 110 MB in all, in small blocks; `keep` of `of` stay."""
    def make(scope, rng):
        (scope.path / "blocks.c").write_text(SOURCE)
        program = scope.path / "blocks"
        subprocess.run(["cc", "-O1", "-w", "-pthread", "-o", program, scope.path / "blocks.c"], check=True)
        size = rng.choice((90, 200, 700))
        count = 110_000_000 // (size + 16) // max(threads, 1)
        return scope.start([program, threads, count, size, keep, of, *trim]).pid
    return make


OLD = dict(settings=("heap-fragmented.min-age=0",))
FREE = dict(evidence="free inside the allocator", threshold="min-free")

CASES = [
    sick("heap-fragmented", "live blocks on each page", blocks(0, 5, 100), **FREE, **OLD),
    sick("heap-fragmented", "a block that pins the top", blocks(0, 1, 60_000), **FREE, **OLD),
    sick("heap-fragmented", "the arenas of many threads", blocks(12, 7, 100), **FREE, **OLD),
    sick("heap-fragmented", "a program that has just started", blocks(0, 5, 100), severity="low", **FREE),
    healthy("heap-fragmented", "a large heap in use", blocks(0, 100, 100), **OLD),
    healthy("heap-fragmented", "most of it in use", blocks(0, 55, 100), **OLD),
    healthy("heap-fragmented", "freed and trimmed", blocks(0, 1, 60_000, "trim"), **OLD),
    healthy("heap-fragmented", "threads that use their arenas", blocks(12, 100, 100), **OLD),
]
