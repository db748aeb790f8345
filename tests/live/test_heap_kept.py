# SPDX-License-Identifier: BSD-2-Clause
"""
`sooth heap PID` without an option: its first line names the statement that keeps memory, whatever memory
that is: malloc, a buffer that grows by realloc, C++ templates, mappings, shared memory, stacks of threads,
Python. A function that allocates much more keeps nothing. The healthy twin of each does the same and frees it,
and is silent. The same from the capture.
"""
import os
import re
import subprocess
import time

import harness
from harness import needs_bpf

# With an argument a program is its own healthy twin.
COMMON = r"""
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
static int is_twin;
__attribute__((noinline)) static void innocent(void)
{
	for (int i = 0; i < 20; i++) {
		char *block = (char *)malloc(4000 + i);
		memset(block, 1, 4000);
		__asm__ volatile("" :: "r"(block) : "memory");
		free(block);
	}
}
%s
int main(int argc, char **argv)
{
	is_twin = argc > 1;
	(void)argv;
	for (;;) {
		keep();
		innocent();
		usleep(%d);
	}
}
"""

LIST = r"""
struct item { struct item *next; char data[8000]; };
static struct item *head;
static int count;
__attribute__((noinline)) static void keep(void)
{
	struct item *item = malloc(sizeof(*item)); /* the statement */
	memset(item->data, 1, sizeof(item->data));
	item->next = head;
	head = item;
	for (count++; is_twin && count > 100; count--) {
		item = head;
		head = item->next;
		free(item);
	}
}
"""

GROWS = r"""
static char *text;
static size_t size;
__attribute__((noinline)) static void keep(void)
{
	if (is_twin && size > 500000) {
		free(text);
		text = NULL;
		size = 0;
	}
	text = realloc(text, size + 8000); /* the statement */
	memset(text + size, 1, 8000);
	size += 8000;
}
"""

MAPS = r"""
static void *ring[64];
static unsigned at;
__attribute__((noinline)) static void keep(void)
{
	char *page = mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(page, 1, 16384); /* the statement */
	if (is_twin && ring[at % 64])
		munmap(ring[at % 64], 16384);
	ring[at++ % 64] = page;
}
"""

SHARES = r"""
static int fd = -1;
static size_t size;
__attribute__((noinline)) static void keep(void)
{
	char *page;
	if (fd < 0)
		fd = memfd_create("segment", 0);
	if (is_twin && size >= 1 << 20) {
		if (ftruncate(fd, 0)) abort();
		size = 0;
	}
	if (ftruncate(fd, size + 65536)) abort();
	page = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_SHARED, fd, size);
	memset(page, 1, 65536); /* the statement */
	size += 65536;
	if (is_twin)
		munmap(page, 65536);
}
"""

THREADS = r"""
static void *work(void *of)
{
	char stack[300000];
	memset(stack, 1, sizeof(stack));
	__asm__ volatile("" :: "r"(stack) : "memory");
	return of;
}
__attribute__((noinline)) static void keep(void)
{
	pthread_t thread;
	if (pthread_create(&thread, NULL, work, NULL)) /* the statement */
		pause();
	if (is_twin)
		pthread_join(thread, NULL);
}
"""

TEMPLATE = r"""
#include <array>
#include <memory>
#include <vector>
template <class T, class Allocator = std::allocator<T>> class Registry {
	std::vector<std::unique_ptr<T>> items;
public:
	__attribute__((noinline)) void add(int with)
	{
		items.push_back(std::make_unique<T>()); /* the statement */
		for (auto &item : *items.back())
			item = with;
		if (is_twin && items.size() > 64)
			items.erase(items.begin());
	}
};
static Registry<std::array<int, 2000>> registry;
static void keep() { registry.add(7); }
"""

PYTHON = """
import sys, time
kept = []
def innocent():
    for i in range(20):
        bytearray(4000 + i)
def keep(i):
    line = b"%d" % i
    kept.append(line * 2000)  # the statement
    if len(sys.argv) > 1 and len(kept) > 64:
        kept.pop(0)
for i in range(10000, 99999):
    keep(i)
    innocent()
    time.sleep(0.002)
"""


@needs_bpf
class Kept(harness.Case):
    def source(self, text, pause_us=2000, ending="c"):
        """(program, file:line of the statement)"""
        text = COMMON % (text, pause_us)
        path, program = self.path("leak." + ending), self.path("leak")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        subprocess.run(["c++" if ending == "cpp" else "cc", "-g", "-O2", "-pthread", "-o", program, path], check=True)
        return [program], "leak.%s:%d" % (ending, 1 + text[:text.index("/* the statement")].count("\n"))

    def first_line(self, argv, *options, seconds=6):
        target = self.start(*argv)
        time.sleep(1.5)
        capture = self.path("kept.sooth")
        text = self.sooth("heap", "-d", str(seconds), "--save", capture, *options, str(target.pid)).text
        again = self.sooth("heap", *options, capture).text
        os.unlink(capture)
        target.end()
        self.assertEqual(again.splitlines()[0], text.splitlines()[0])
        return text.splitlines()[0], text

    def check(self, built, expected):
        argv, statement = built
        line, text = self.first_line(argv)
        self.assertRegex(line, expected % re.escape(statement), text)
        self.assertNotIn("innocent", line)
        line, text = self.first_line([*argv, "twin"])
        self.assertRegex(line, r"^(no code keeps more and more memory|not decided)", text)
        self.assertNotIn("at this rate", line)

    def test_malloc(self):
        self.check(self.source(LIST), r"^keeps .* each second(?: \(\+-[^)]+: 99 %%\))?, throughout .*: \d+ %% of the growth in keep \(%s\) < main")

    def test_realloc(self):
        self.check(self.source(GROWS), r"^keeps .* of the growth in keep \(%s\) < main")

    def test_template(self):
        self.check(self.source(TEMPLATE, ending="cpp"), r"^keeps .* of the growth in Registry::add \(%s\) < ")

    def test_mappings(self):
        self.check(self.source(MAPS, 4000), r"^resident memory grew .*, none of it from malloc; most in anonymous memory: "
                                            r".*, \d+ %% of it first touched by keep \(%s\); ")

    def test_shared_memory(self):
        self.check(self.source(SHARES, 10000), r"^resident memory grew .*; most in shared memory: .* first touched by keep \(%s\); ")

    def test_stacks_of_threads(self):
        self.check(self.source(THREADS, 30000), r"^resident memory grew .* stacks of \d+ more threads, started in keep \(%s\) < main.*, \d+ %% of it first touched by work ")

    def test_python(self):
        if not os.path.exists("/usr/bin/python3"):
            self.skipTest("no python3 here")
        path = self.path("leak.py")
        with open(path, "w", encoding="utf-8") as file:
            file.write(PYTHON)
        statement = "leak.py:%d" % (1 + PYTHON[:PYTHON.index("# the statement")].count("\n"))
        first = "leak.py:%d" % (1 + PYTHON[:PYTHON.index("def keep")].count("\n"))
        line, text = self.first_line(["/usr/bin/python3", path])
        self.assertRegex(line, r"^keeps .* of the growth in keep \((%s|%s)\) < " % (re.escape(statement), re.escape(first)), text)
        if subprocess.run(["/usr/bin/python3", "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]).returncode == 0:
            self.assertIn(statement, line)
        line, text = self.first_line(["/usr/bin/python3", path, "twin"])
        self.assertRegex(line, r"^(no code keeps more and more memory|not decided)", text)

    def test_lines_in_json(self):
        argv, statement = self.source(LIST)
        target = self.start(*argv)
        report = self.sooth("heap", "-j", "-d", "3", str(target.pid)).json()
        row = report["heap_stacks"][0]
        self.assertEqual(row["line"], statement)
        self.assertEqual(len(row["lines"]), len(row["functions"]))
        self.assertEqual(row["lines"][row["functions"].index("keep")], statement)
        # Counts are details in text, and always in JSON.
        self.assertGreater(report["heap_by_function"]["malloc"]["count"], 1000)
        text = self.sooth("heap", "-d", "3", str(target.pid)).text
        self.assertNotIn("FUNCTION", text)
        self.assertIn("FUNCTION", self.sooth("heap", "-v", "-d", "3", str(target.pid)).text)

    def test_killed(self):
        """The target goes on as before if sooth is killed."""
        argv, _ = self.source(LIST)
        target = self.start(*argv)
        sooth = self.start_attached("heap", str(target.pid), last="on_sample")
        sooth.send(9)
        time.sleep(1)
        with open("/proc/%d/stat" % target.pid, encoding="ascii") as file:
            self.assertIn(file.read().rpartition(") ")[2][0], "SR")


if __name__ == "__main__":
    harness.main()
