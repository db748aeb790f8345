# SPDX-License-Identifier: BSD-2-Clause
"""
Live against resident memory of glibc's heap, read from a process that runs: the live bytes are those of its
own mallinfo2(3), the resident ones those of the kernel, and the pages without a live block those that
malloc_trim(3) returns. One thread and many, static programs, a process that allocates meanwhile, a process
of a user without privilege, and the allocators that are not read. The same from the capture.
"""
import os
import pathlib
import subprocess
import unittest

import harness

MIB = 1 << 20
# What waits in the cache of a thread is live for mallinfo2, and free for sooth.
CACHE = 250 << 10

SOURCE = r"""
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static long count, size, keep, of, done;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static void *work(void *is_thread)
{
	char **blocks = malloc(count * sizeof(*blocks));
	unsigned seed = 1;

	for (long i = 0; i < count; i++) {
		long bytes = size + rand_r(&seed) % size;

		blocks[i] = malloc(bytes);
		memset(blocks[i], 'x', bytes);
	}
	for (long i = 0; i < count; i++)
		if (i * 37 % of >= keep)
			free(blocks[i]);
	pthread_mutex_lock(&lock);
	done++;
	pthread_mutex_unlock(&lock);
	if (is_thread)
		for (;;)
			pause();
	return NULL;
}
int main(int argc, char **argv)
{
	long threads = atol(argv[1]);
	struct mallinfo2 m;
	pthread_t thread;
	char line[128];

	count = atol(argv[2]), size = atol(argv[3]), keep = atol(argv[4]), of = atol(argv[5]);
	if (!threads)
		work(NULL);
	for (long i = 0; i < threads; i++)
		pthread_create(&thread, NULL, work, &thread);
	while (done < threads)
		usleep(10000);
	m = mallinfo2();
	snprintf(line, sizeof(line), "ready %zu\n", m.uordblks);
	write(1, line, strlen(line));
	for (;;) {
		char go;

		if (argc < 7)
			pause();
		if (read(0, &go, 1) != 1)
			return 0;
		malloc_trim(0);
		write(1, "trimmed\n", 8);
	}
}
"""

BUSY = r"""
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
enum { BLOCKS = 100000 };
static void *work(void *unused)
{
	static __thread char *blocks[BLOCKS];
	unsigned seed = 1;

	(void)unused;
	for (long i = 0;; i++) {
		long at = rand_r(&seed) % BLOCKS, bytes = rand_r(&seed) % 600 + 8;

		free(blocks[at]);
		blocks[at] = malloc(bytes);
		memset(blocks[at], 'x', bytes);
		if (i == 1000000)
			write(1, "ready\n", 6);
	}
}
int main(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, work, NULL);
	work(NULL);
}
"""


class TestMallocHeaps(harness.Case):
    def build(self, source, *flags):
        pathlib.Path(self.path("blocks.c")).write_text(source)
        program = self.path("blocks")
        subprocess.run(["cc", "-O1", "-w", "-pthread", "-o", program, self.path("blocks.c"), *flags], check=True)
        self.open_to_all()
        return program

    def report_of(self, pid, sooth=harness.SOOTH, **options):
        """From a capture."""
        capture = self.path("heaps.sooth")
        if os.path.exists(capture):
            os.unlink(capture)
        self.run_program(sooth, "record", "--probe", "malloc", "-o", capture, "-d", "10ms", "-p", str(pid), **options)
        return self.sooth("report", "-j", capture).json()

    def row_of(self, pid, **options):
        report = self.report_of(pid, **options)
        self.assertEqual(len(report["malloc_heaps"]), 1, report)
        return report["malloc_heaps"][0]

    def start_blocks(self, program, *arguments, **options):
        """Also returns what mallinfo2() says is in use."""
        process = self.start(program, *(str(a) for a in arguments), **options)
        process.wait_for_output(b"\n")
        return process, int(bytes(process.out).split()[1])

    def compare(self, program, *arguments, threads=1):
        process, own = self.start_blocks(program, *arguments)
        row = self.row_of(process.pid)
        self.assertLessEqual(row["live_bytes"], own + 4096 * threads)
        self.assertGreaterEqual(row["live_bytes"], own - CACHE * threads)
        self.assertEqual(row["unread_bytes"], 0)
        return row

    def test_one_thread(self):
        program = self.build(SOURCE)
        for size, keep, of in ((40, 1, 3), (100, 5, 100), (900, 60, 100), (40000, 1, 10)):
            with self.subTest(size=size, keep=keep):
                self.compare(program, 0, 20_000_000 // size, size, keep, of)

    def test_small_blocks_in_lists(self):
        """None of them is next to another free one, and none is larger than what a fast bin keeps."""
        row = self.compare(self.build(SOURCE), 0, 300_000, 20, 1, 2)
        self.assertGreater(row["free_bytes"], 4 * MIB)

    def test_many_threads(self):
        row = self.compare(self.build(SOURCE), 12, 20_000, 300, 10, 100, threads=13)
        self.assertGreater(row["arenas"], 2)
        self.assertGreater(row["arena_bytes"], row["resident_bytes"] / 2)

    def test_static_program(self):
        self.compare(self.build(SOURCE, "-static"), 3, 50_000, 100, 5, 100, threads=4)

    def test_pages_that_are_returned(self):
        process, _ = self.start_blocks(self.build(SOURCE), 0, 400_000, 100, 1, 60_000, "trim")
        before, row = self.resident(process.pid), self.row_of(process.pid)
        process.say(b"g")
        process.wait_for_output(b"trimmed")
        returned = before - self.resident(process.pid)
        self.assertAlmostEqual(row["free_page_bytes"], returned, delta=2 * MIB)
        self.assertGreater(returned, 40 * MIB)
        after = self.row_of(process.pid)
        self.assertAlmostEqual(after["resident_bytes"], row["resident_bytes"] - returned, delta=MIB)
        self.assertAlmostEqual(after["live_bytes"], row["live_bytes"], delta=CACHE)

    def resident(self, pid):
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
            return next(int(line.split()[1]) << 10 for line in file if line.startswith("Anonymous:"))

    def test_process_that_allocates_meanwhile(self):
        process = self.start(self.build(BUSY))
        process.wait_for_output(b"ready")
        row = self.row_of(process.pid)
        self.assertLess(row["unread_bytes"], row["resident_bytes"] / 10)
        if not row["unread_bytes"]:
            self.assertAlmostEqual(row["live_blocks"], 200_000, delta=2000)

    def test_other_allocators_are_named(self):
        library = "/usr/lib/x86_64-linux-gnu/libjemalloc.so.2"
        if not os.path.exists(library):
            raise unittest.SkipTest("no jemalloc here")
        process, _ = self.start_blocks(self.build(SOURCE), 0, 1000, 100, 1, 2,
            env=dict(os.environ, LD_PRELOAD=library))
        report = self.report_of(process.pid)
        self.assertEqual(report["malloc_heaps"], [])
        self.assertIn("it allocates with jemalloc", str(report))

    @harness.needs_root
    def test_without_privilege(self):
        program, sooth = self.build(SOURCE), self.copy_for_all(harness.SOOTH)
        arguments = program, 0, 100_000, 100, 5, 100
        process, own = self.start_blocks(*arguments, **harness.as_nobody())
        row = self.row_of(process.pid, sooth=sooth, **harness.as_nobody())
        self.assertAlmostEqual(row["live_bytes"], own, delta=CACHE)
        other, _ = self.start_blocks(*arguments)
        run = self.run_program(sooth, "record", "--probe", "malloc", "-o", self.path("none.sooth"), "-d", "10ms",
            "-p", str(other.pid), status=None, **harness.as_nobody())
        if not run.status:
            report = self.sooth("report", "-j", self.path("none.sooth")).json()
            self.assertEqual(report["malloc_heaps"], [])
            self.assertIn("may not be read", str(report))


if __name__ == "__main__":
    harness.main()
