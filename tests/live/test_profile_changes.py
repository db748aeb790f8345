# SPDX-License-Identifier: BSD-2-Clause
"""
Processes that change while `sooth profile` samples them: children without exec, chains of exec, libraries
that come, go and are replaced, threads by the hundred that live for milliseconds, programs that are
replaced on disk. Every function stands below its own caller and under the name of its own build; what is
not whole says so.
"""
import os
import shutil
import subprocess
import unittest

import harness
from harness import Case, needs_bpf

RATE = 997

CLOCK = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#define HOT __attribute__((noipa))
static volatile unsigned long sink;
static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}
static inline void spend(double seconds)
{
	for (double end = now() + seconds; now() < end;)
		for (int i = 0; i < 5000; i++)
			sink += i;
}
"""

# Forks below its own stack; a child loads a library and works in it.
FORK = CLOCK + r"""
typedef void work(double);
HOT void in_child(const char *path)
{
	void *library = dlopen(path, RTLD_NOW);
	work *f = library ? (work *)dlsym(library, "one_work") : NULL;
	if (f)
		f(0.15);
	spend(0.15);
	sink++;
}
HOT void below(int left, const char *path)
{
	if (left) {
		below(left - 1, path);
	} else {
		for (int i = 0; i < 6; i++) {
			if (!fork()) {
				in_child(path);
				_exit(0);
			}
			wait(NULL);
		}
	}
	sink++;
}
int main(int count, char **arguments)
{
	below(20, arguments[count - 1]);
	sink++;
}
"""

LIBRARY = CLOCK + r"""
HOT void NAME_inner(double seconds) { spend(seconds); sink++; }
void NAME_work(double seconds) { NAME_inner(seconds); sink++; }
"""

# Two libraries in turn, at the same addresses as a rule.
TURNS = CLOCK + r"""
typedef void work(double);
HOT static void call(const char *path, const char *name, double seconds)
{
	void *library = dlopen(path, RTLD_NOW);
	work *f = library ? (work *)dlsym(library, name) : NULL;
	if (!f)
		exit(3);
	f(seconds);
	dlclose(library);
	sink++;
}
HOT void call_one(const char *path) { call(path, "one_work", 0.05); sink++; }
HOT void call_two(const char *path) { call(path, "two_work", 0.05); sink++; }
int main(int count, char **arguments)
{
	for (int i = 0; i < 20 && count == 3; i++) {
		call_one(arguments[1]);
		call_two(arguments[2]);
	}
}
"""

# Loads what has the path by then.
REPLACED = CLOCK + r"""
typedef void work(double);
HOT void load(const char *path, const char *name)
{
	void *library = dlopen(path, RTLD_NOW);
	work *f = library ? (work *)dlsym(library, name) : NULL;
	if (!f)
		exit(3);
	f(0.5);
	dlclose(library);
	sink++;
}
int main(int count, char **arguments)
{
	load(arguments[1], "one_work");
	rename(arguments[2], arguments[1]);
	load(arguments[1], "two_work");
	return count != 3;
}
"""

# Each execs the next word of its arguments.
CHAIN = CLOCK + r"""
HOT void NAME_inner(void) { spend(0.4); sink++; }
HOT void NAME_outer(void) { NAME_inner(); sink++; }
int main(int count, char **arguments)
{
	NAME_outer();
	if (count > 1)
		execv(arguments[1], arguments + 1);
	return count > 1;
}
"""

# Threads that live for four milliseconds, a hundred at once, two thousand in all.
STORM = CLOCK + r"""
#define AT_ONCE 100
HOT void storm_inner(void) { spend(0.001); sink++; }
HOT void storm_work(int left)
{
	if (left)
		storm_work(left - 1);
	else
		storm_inner();
	sink++;
}
static void *storm(void *unused) { storm_work(10); return unused; }
int main(void)
{
	pthread_t threads[AT_ONCE];
	for (int round = 0; round < 20; round++) {
		int made = 0;
		while (made < AT_ONCE && !pthread_create(&threads[made], NULL, storm, NULL))
			made++;
		if (made < AT_ONCE)
			return 3;
		while (made)
			pthread_join(threads[--made], NULL);
	}
}
"""

# A server whose file is replaced by a new build, which is started beside it.
BUILD = CLOCK + r"""
HOT void NAME_inner(void) { spend(1); sink++; }
HOT void NAME_outer(void) { NAME_inner(); sink++; }
int main(int count, char **arguments)
{
	if (count == 2) {
		rename(arguments[1], arguments[0]);
		if (!fork()) {
			execl(arguments[0], arguments[0], (char *)NULL);
			_exit(1);
		}
	}
	NAME_outer();
	while (wait(NULL) > 0)
		;
}
"""


def follows(stack, *names):
    """Whether these stand in the stack one behind the other."""
    return any(tuple(stack[at:at + len(names)]) == names for at in range(len(stack)))


@needs_bpf
class Changes(Case):
    def build(self, name, text, *options):
        source, program = self.path(name + ".c"), self.path(name)
        with open(source, "w", encoding="utf-8") as file:
            file.write(text.replace("NAME", name))
        subprocess.run(["gcc", "-O2", "-fomit-frame-pointer", "-fno-optimize-sibling-calls", "-pthread",
                        "-o", program, source, *options], check=True)
        return program

    def profile(self, *words):
        """Stacks with samples, and how many percent of the samples are whole."""
        path = self.path("stacks.folded")
        report = self.sooth("profile", "-j", "--rate", str(RATE), "--folded", path, "--", *words).json()
        self.assertEqual(report["loss"], [])
        stacks = []
        for line in harness.read(path).decode().splitlines():
            names, _, count = line.rpartition(" ")
            stacks.append((names.split(";"), int(count)))
        return stacks, report

    def assert_under(self, stacks, function, *callers, least=0.97):
        """Nearly all samples of a function stand below these callers; the others are cut, and say why.
        Returns how many there are."""
        total = good = 0
        for stack, count in stacks:
            if function not in stack:
                continue
            total += count
            is_good = follows(stack, *callers, function)
            good += count if is_good else 0
            self.assertTrue(is_good or any(name.startswith("[cut: ") for name in stack), stack)
        self.assertGreater(total, 100, function)
        self.assertGreater(good / total, least, function)
        return total

    def test_children_without_exec(self):
        """Below the stack of the parent, and in a library that only the child loads."""
        library = self.build("one", LIBRARY, "-shared", "-fPIC")
        stacks, _ = self.profile(self.build("forks", FORK), library)
        deep = ("main",) + 21 * ("below",)
        self.assert_under(stacks, "in_child", *deep)
        self.assert_under(stacks, "one_inner", *deep, "in_child", "one_work", least=0.9)

    def test_chain_of_exec(self):
        """One process, three programs: no sample has a function of one below that of another."""
        programs = [self.build(name, CHAIN) for name in ("first", "second", "third")]
        stacks, _ = self.profile(*programs)
        for name in ("first", "second", "third"):
            self.assert_under(stacks, name + "_inner", "main", name + "_outer", least=0.9)
            for stack, _ in stacks:
                if name + "_outer" in stack:
                    self.assertEqual(stack[0], name)

    def test_libraries_in_turn(self):
        """At the addresses of the one before: each function has its own name."""
        libraries = [self.build(name, LIBRARY, "-shared", "-fPIC") for name in ("one", "two")]
        stacks, report = self.profile(self.build("turns", TURNS), *libraries)
        for name in ("one", "two"):
            self.assert_under(stacks, name + "_inner", "main", "call_" + name, "call", name + "_work", least=0.9)
            files = {row["file"] for row in report["functions"] if row["function"] == name + "_inner"}
            self.assertEqual(files, {name})

    def test_library_replaced(self):
        """The same path, another build: the functions of both have their names."""
        one, two = (self.build(name, LIBRARY, "-shared", "-fPIC") for name in ("one", "two"))
        stacks, _ = self.profile(self.build("loads", REPLACED), one, two)
        for name in ("one", "two"):
            self.assert_under(stacks, name + "_inner", "main", "load", name + "_work", least=0.9)

    def test_program_replaced(self):
        """The old build runs on beside the new one, which has its path."""
        old, new = (self.build(name, BUILD) for name in ("old", "new"))
        stacks, _ = self.profile(old, new)
        for name in ("old", "new"):
            self.assert_under(stacks, name + "_inner", "main", name + "_outer", least=0.9)

    def test_program_deleted(self):
        program = self.build("gone", CHAIN)
        moved = self.path("copy")
        shutil.copy(program, moved)
        stacks, _ = self.profile("/bin/sh", "-c", "%s & sleep 0.1; rm %s; wait" % (moved, moved))
        self.assertFalse(os.path.exists(moved))
        self.assert_under(stacks, "gone_inner", "main", "gone_outer", least=0.9)

    def test_storm_of_threads(self):
        """Two thousand, a hundred at once."""
        stacks, report = self.profile(self.build("storms", STORM))
        total = self.assert_under(stacks, "storm_inner", "storm", *(11 * ("storm_work",)), least=0.9)
        self.assertGreater(total, 0.5 * RATE * 2)
        self.assertGreater(report["profile"]["whole_stacks_percent"], 85)

    @unittest.skipUnless(os.path.exists("/proc/self/oom_score_adj"), "needs /proc")
    def test_storm_of_processes(self):
        """A build: a shell that starts compilers, each of which lives for moments."""
        source = self.path("small.c")
        with open(source, "w", encoding="utf-8") as file:
            file.write("#include <stdio.h>\n#include <stdlib.h>\nint f(int n) { return n ? f(n - 1) * n : 1; }\n")
        stacks, report = self.profile("/bin/sh", "-c", "for i in 1 2 3 4 5 6 7 8; do gcc -O2 -c -o %s.o %s; done" %
                                      (source, source))
        names = {stack[0] for stack, _ in stacks}
        self.assertTrue({"cc1", "as"} <= names, names)
        # One that lives for less than it takes to read the tables of its files is said to be of that kind.
        ends = {row["end"]: row["samples"] for row in report["stack_ends"]}
        told = ends.get("unwind information was not read yet", 0) + ends.get("exiting thread", 0)
        self.assertGreater(ends["whole"], 0.7 * (sum(ends.values()) - told), ends)


if __name__ == "__main__":
    harness.main()
