# SPDX-License-Identifier: BSD-2-Clause
"""
`sooth heap --stack`: which code allocates, and what it keeps. Programs without frame pointers whose
allocations are known; functions of Python; threads that allocate at once; the same from a capture.
"""
import os
import shutil
import subprocess

import harness
from harness import needs_bpf
from heap_case import ROOMY_RING, HeapCase

KEPT, KEPT_BYTES, PASSING_A_ROUND, PASSING_BYTES = 500, 1000, 10, 50
THREADS = 8

# Waits for a line before its first call, if requested. Each thread keeps KEPT blocks.
SOURCE = r"""
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static void *volatile kept[THREADS][KEPT];
__attribute__((noinline)) void keeps(int thread, int i)
{
	void *volatile block = malloc(KEPT_BYTES);
	kept[thread][i] = block;
}
__attribute__((noinline)) void passes(void)
{
	void *volatile block = malloc(PASSING_BYTES);
	free(block);
}
__attribute__((noinline)) void grows(void)
{
	void *volatile block = malloc(100);
	block = realloc(block, 100000);
	free(block);
}
__attribute__((noinline)) void round_of(int thread, int i)
{
	keeps(thread, i);
	for (int k = 0; k < PASSING_A_ROUND; k++)
		passes();
	kept[thread][i] = kept[thread][i];
}
void *work(void *argument)
{
	for (int i = 0; i < KEPT; i++)
		round_of((int)(long)argument, i);
	grows();
	return argument;
}
int main(int count, char **arguments)
{
	pthread_t threads[THREADS];
	char line[16];
	setvbuf(stdout, NULL, _IONBF, 0);
	if (count > 1 && !strcmp(arguments[1], "wait")) {
		puts("ready");
		if (read(0, line, sizeof(line)) <= 0)
			return 1;
	}
	for (long i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, work, (void *)i);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	if (count > 1 && !strcmp(arguments[count - 1], "exec"))
		execl("/bin/true", "true", NULL);
	return 0;
}
"""

# Two callers of one function, in turns at one height of the stack: all that differs at the call of malloc
# is a word further up.
TWO_CALLERS, CALLS_OF_EACH = r"""
#include <stdlib.h>
__attribute__((noinline)) void inner(void)
{
	void *volatile block = malloc(64);
	free(block);
}
__attribute__((noinline)) void left(void)
{
	inner();
	__asm__ volatile("");
}
__attribute__((noinline)) void right(void)
{
	inner();
	__asm__ volatile("");
}
int main(void)
{
	void (*volatile of[])(void) = { left, right, right };
	for (int i = 0; i < 3 * CALLS; i++)
		of[i % 3]();
	return 0;
}
""", 2000

# Names are read from the process: it lives a while longer.
PYTHON = """
import time
def keeps():
    return [bytearray(200000) for _ in range(20)]
def passes():
    for _ in range(50):
        bytearray(300000)
def work():
    passes()
    return keeps()
kept = work()
time.sleep(1)
"""


@needs_bpf
class Stacks(HeapCase):
    def program(self, source=SOURCE):
        path = self.path("source.c")
        with open(path, "w", encoding="utf-8") as file:
            file.write(source)
        program = self.path("program")
        constants = {"KEPT": KEPT, "KEPT_BYTES": KEPT_BYTES, "THREADS": THREADS,
                     "PASSING_A_ROUND": PASSING_A_ROUND, "PASSING_BYTES": PASSING_BYTES,
                     "CALLS": CALLS_OF_EACH}
        subprocess.run(["cc", "-O2", "-fomit-frame-pointer", "-pthread", "-o", program, path,
                        *("-D%s=%d" % pair for pair in constants.items())], check=True)
        return program

    def rows_with(self, report, function):
        return [row for row in report["heap_stacks"] if function in row["functions"]]

    def check_exact(self, report):
        """Every call has its stack, and every stack is whole."""
        self.assertEqual(harness.lost(report), 0)
        (keeps,) = self.rows_with(report, "keeps")
        self.assertEqual((keeps["calls"], keeps["live_blocks"], keeps["live_bytes"]),
                         (THREADS * KEPT, THREADS * KEPT, THREADS * KEPT * KEPT_BYTES))
        self.assertEqual(keeps["functions"][:4], ["malloc", "keeps", "round_of", "work"])
        (passes,) = self.rows_with(report, "passes")
        self.assertEqual((passes["calls"], passes["live_blocks"], passes["allocated_bytes"]),
                         (THREADS * KEPT * PASSING_A_ROUND, 0,
                          THREADS * KEPT * PASSING_A_ROUND * PASSING_BYTES))
        grows = self.rows_with(report, "grows")
        self.assertEqual({row["functions"][0]: (row["calls"], row["live_bytes"]) for row in grows},
                         {"malloc": (THREADS, 0), "realloc": (THREADS, 0)})
        for row in [keeps, passes, *grows]:
            self.assertEqual(row["end"], "whole", row)

    def test_command(self):
        program = self.program()
        report = self.sooth("heap", "--stack", "-j", "--", program).json()
        self.check_exact(report)
        first = report["heap_stacks"][0]
        self.assertEqual(first["functions"][1], "keeps", "the first row is not what keeps most")

    def test_attached(self):
        process = self.start(self.program(), "wait", stdin=subprocess.PIPE)
        process.wait_for_output(b"ready\n")
        # On a busy host what is slowed much would be sampled.
        sooth = self.attach(process.pid, "--stack", "--exact", "--buffer", ROOMY_RING)
        process.say(b"go\n")
        process.finish()
        self.check_exact(sooth.finish().json())

    def test_two_callers(self):
        """A stack that was walked before is known again by its words, not by its height."""
        program = self.program(TWO_CALLERS)
        for mode in ("--stack", "--in-kernel"):
            report = self.sooth("heap", mode, "--engine", "bpf", "-j", "--", program).json()
            calls = {row["functions"][2]: row["calls"] for row in self.rows_with(report, "inner")}
            self.assertEqual(calls, {"left": CALLS_OF_EACH, "right": 2 * CALLS_OF_EACH}, mode)

    def test_exec_discards(self):
        """An exec discards all blocks: none of them is left."""
        report = self.sooth("heap", "--stack", "-j", "--", self.program(), "exec").json()
        (keeps,) = self.rows_with(report, "keeps")
        self.assertEqual((keeps["calls"], keeps["live_blocks"], keeps["live_bytes"]),
                         (THREADS * KEPT, 0, 0))

    def test_python(self):
        python = "/usr/bin/python3"
        if not os.path.exists(python):
            self.skipTest("no %s here" % python)
        report = self.sooth("heap", "--stack", "-j", "--", python, "-c", PYTHON).json()
        keeps = self.rows_with(report, "keeps")
        # The list and its blocks: CPython frees what a module keeps when it ends, so they are seen
        # as allocated.
        self.assertGreaterEqual(sum(row["allocated_bytes"] for row in keeps), 20 * 200000)
        passes = self.rows_with(report, "passes")
        self.assertGreaterEqual(sum(row["allocated_bytes"] for row in passes), 50 * 300000)
        for row in keeps:
            functions = row["functions"]
            self.assertLess(functions.index("keeps"), functions.index("work"))

    def test_capture(self):
        """The same rows from the capture, by another user, without the program."""
        program, capture = self.program(), self.path("heap.sooth")
        live = self.sooth("heap", "--stack", "-j", "--save", capture, "--", program).json()
        os.unlink(program)
        self.open_to_all()
        shutil.copy(capture, self.path("copy.sooth"))
        os.chmod(self.path("copy.sooth"), 0o644)
        again = self.sooth("heap", "-j", self.path("copy.sooth"), **harness.as_nobody()).json()
        self.check_exact(again)
        self.assertEqual(again["heap_stacks"], live["heap_stacks"])

    def test_not_requested(self):
        """Without the option nothing of it is in the report."""
        report = self.sooth("heap", "-j", "--", self.program()).json()
        self.assertFalse(report.get("heap_stacks"))

    def test_small_ring(self):
        """What is lost of an attached process is counted: calls, and stacks apart from them."""
        process = self.start(self.program(), "wait", stdin=subprocess.PIPE)
        process.wait_for_output(b"ready\n")
        sooth = self.attach(process.pid, "--stack", "--exact", "--buffer", "64k")
        process.say(b"go\n")
        process.finish()
        report = sooth.finish().json()
        totals = report["heap_totals"]
        stacked = sum(row["calls"] for row in report["heap_stacks"])
        made = THREADS * (KEPT * (1 + PASSING_A_ROUND) + 2)
        self.assertLessEqual(stacked, made + 100)
        if totals["lost"]:
            self.assertTrue(totals["inexact"])
        else:
            self.assertGreaterEqual(stacked, made)


if __name__ == "__main__":
    harness.main()
