# SPDX-License-Identifier: BSD-2-Clause
"""heap-leak, double-free, invalid-free: by allocations, with --heap."""
import functools
import subprocess

from case import healthy, sick

SOURCE = r"""
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#define RING 65536
static void *ring[RING], *before[RING];
static sigjmp_buf back;
static unsigned size;
static void refused(int number) { (void)number; siglongjmp(back, 1); }
__attribute__((noinline)) void *takes(unsigned bytes)
{
	void *block = malloc(bytes);
	memset(block, 1, 8);
	return block;
}
__attribute__((noinline)) void gives_back(void *block)
{
	free(block);
	asm volatile("");
}
/* The C library refuses it and aborts, which this program survives. */
__attribute__((noinline)) void gives_back_again(void *block)
{
	if (!sigsetjmp(back, 1))
		gives_back(block);
}
int main(int argc, char **argv)
{
	const char *kind = argv[1];
	unsigned pause = atoi(argv[3]), i = 0;
	uint64_t local[4] = { 0 };

	size = atoi(argv[2]);
	signal(SIGABRT, refused);
	freopen("/dev/null", "w", stderr);
	for (i = 0; i < RING; i++)
		before[i] = malloc(64);
	puts("ready");
	fflush(stdout);
	for (i = 0; argc > 3; i++) {
		if (!strcmp(kind, "keep")) {
			takes(size);
		} else if (!strcmp(kind, "short-queue")) {
			gives_back(ring[i % 2048]);
			ring[i % 2048] = takes(size);
		} else if (!strcmp(kind, "sawtooth")) {
			ring[i % 512] = takes(size);
			for (unsigned k = 0; i % 512 == 511 && k < 512; k++)
				gives_back(ring[k]);
		} else if (!strcmp(kind, "twice")) {
			void *block = takes(size);
			gives_back(block);
			gives_back_again(block);
		} else if (!strcmp(kind, "again")) {
			void *block = takes(size);
			gives_back(block);
			gives_back_again(takes(size));
		} else if (!strcmp(kind, "local")) {
			gives_back_again(local + 1);
		} else if (!strcmp(kind, "inside")) {
			gives_back_again((char *)before[i % RING] + 13);
		} else if (!strcmp(kind, "within")) {
			gives_back_again((char *)takes(size) + 16);
		} else if (!strcmp(kind, "before") && i < RING) {
			gives_back_again(before[i]);
		}
		if (pause && i % pause == 0)
			usleep(20000);
	}
	return argc;
}
"""


@functools.lru_cache(None)
def compiled(folder):
    (folder / "allocates.c").write_text(SOURCE)
    subprocess.run(["cc", "-O1", "-w", "-o", folder / "allocates", folder / "allocates.c"], check=True)
    return folder / "allocates"


def allocates(kind, sizes, pause):
    """A pause of 20 ms after so many turns; 0: none."""
    def make(scope, rng):
        return scope.start([compiled(scope.path), kind, rng.choice(sizes), pause]).pid
    return make


HEAP = dict(options=("--heap",), duration_s=3.0, also=("cpu-spin", "hot-function", "memory-growth"))
LEAK = dict(options=("--heap",), settings=("heap-leak.min-age=0",), duration_s=8.0,
    also=("cpu-spin", "hot-function", "memory-growth"))

CASES = [
    sick("heap-leak", "each request keeps a block", allocates("keep", (3000, 5000, 9000), 20),
        says="takes", **LEAK),
    healthy("heap-leak", "a cache that fills up", allocates("short-queue", (3000, 5000, 9000), 20), **LEAK),
    healthy("heap-leak", "a cache that is full", allocates("short-queue", (3000, 5000), 2000), **LEAK),
    healthy("heap-leak", "all is freed now and then", allocates("sawtooth", (3000, 5000, 9000), 20), **LEAK),

    sick("double-free", "a block that another part has freed", allocates("twice", (24, 176, 5000), 1),
        says="gives_back", **HEAP),
    healthy("double-free", "an address that was given again", allocates("again", (24, 176, 5000), 1), **HEAP),
    healthy("double-free", "blocks of before", allocates("before", (24,), 50), **HEAP),

    sick("invalid-free", "a variable on the stack", allocates("local", (24,), 1), says="on the stack", **HEAP),
    sick("invalid-free", "inside of a block", allocates("inside", (24,), 1), says="no block begins", **HEAP),
    sick("invalid-free", "where a block could begin, inside of one", allocates("within", (24, 176, 5000), 1),
        says="no block begins", **HEAP),
    healthy("invalid-free", "an address that was given again", allocates("again", (24, 176, 5000), 1), **HEAP),
    healthy("invalid-free", "blocks of before", allocates("before", (24,), 50), **HEAP),
]
