# SPDX-License-Identifier: BSD-2-Clause
"""
Real programs, and others that count: valgrind sees the same calls of the same functions, so where a
program does the same each time the sums are equal but for what DIFFERENCES says.
"""
import os
import re
import unittest

import harness
from harness import have, needs_bpf
from heap_case import HeapCase, by_type, events_by_type, last_json, one, report_calls

# What may differ from valgrind, and by how much at most; seen were 0 to 4 calls and 142 bytes.
DIFFERENCES = (
    ("calls", 10, "what depends on how many variables the environment has: valgrind adds its own"),
    ("bytes", 2000, "copies of that environment, and of paths of the program"),
)

# The system's: one that a version manager put before it may be a script.
PYTHON3 = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else harness.sys.executable
HELLO_C = '#include <stdio.h>\nint main(void) { printf("%d\\n", 6 * 7); return 0; }\n'


def valgrind_sums(events):
    """
    (allocations, releases, bytes) as valgrind counts: failed calls are none, realloc is one of each
    when it had a block, and only a release when it asks for nothing.
    """
    gave = [e for e in events if e["type"] != "Free" and e["addr"]]
    moved = [e for e in events if e["type"] == "Realloc" and e["old_addr"] and
             (e["addr"] or not e["size"])]
    frees = sum(e["type"] == "Free" for e in events)
    return len(gave), frees + len(moved), sum(e["size"] for e in gave)


class RealCase(HeapCase):
    def environment(self, **more):
        who = {"GIT_%s_%s" % (role, what): "t@example.org"
               for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        return dict(os.environ, HOME=self.folder, GIT_CONFIG_NOSYSTEM="1", PYTHONHASHSEED="0",
                    LC_ALL="C", **who, **more)

    def track(self, *command, **more):
        """(report, events, what the program wrote) of a program that ended well."""
        run = self.sooth("heap", "-j", "-o", self.path("events"), "--", *command,
                         env=self.environment(**more), cwd=self.folder, timeout=300)
        report = last_json(run.text)
        self.assert_nothing_lost(report)
        events = self.read_events()
        self.assertEqual(events_by_type(events), by_type(report_calls(report)))
        self.assertEqual(len(events), one(report["heap_totals"])["calls"])
        return report, events, run.text

    def names(self, report):
        return {row["name"] for row in report["heap_processes"]}


@needs_bpf
class Programs(RealCase):
    def test_python3(self):
        report, _, text = self.track(PYTHON3, "-S", "-c", "print(sum(range(10)))",
                                     PYTHONMALLOC="malloc")
        self.assertIn("45\n", text)
        totals = one(report["heap_totals"])
        self.assertGreater(totals["calls"], 10000)
        self.assertEqual(totals["frees_unknown"], 0)

    @unittest.skipUnless(have("node"), "no node here")
    def test_node(self):
        report, _, text = self.track(have("node"), "-e", "console.log([1, 2, 3].map(x => x * x))")
        self.assertIn("1, 4, 9", text)
        self.assertGreater(one(report["heap_totals"])["calls"], 1000)

    @unittest.skipUnless(have("gcc"), "no gcc here")
    def test_gcc(self):
        """A driver and the programs it starts, each with its row."""
        with open(self.path("hello.c"), "w") as file:
            file.write(HELLO_C)
        report, events, _ = self.track(have("gcc"), "-O1", "-o", "hello", "hello.c")
        self.assertEqual(self.run_program(self.path("hello")).text, "42\n")
        self.assertLessEqual({"cc1", "as"}, self.names(report))
        pids = {row["pid"] for row in report["heap_processes"]}
        self.assertGreaterEqual(len(pids), 4)
        self.assertEqual({e["pid"] for e in events}, pids)

    @unittest.skipUnless(have("git"), "no git here")
    def test_git(self):
        report, _, text = self.track(
            "/bin/sh", "-c", "git init -q r && cd r && echo a >a && git add a && "
            "git commit -q -m one && git log --oneline | wc -l && git gc -q")
        self.assertIn("1\n", text)
        self.assertIn("git", self.names(report))
        self.assertGreater(len(report["heap_processes"]), 4)

    @unittest.skipUnless(have("sqlite3"), "no sqlite3 here")
    def test_sqlite3(self):
        _, _, text = self.track(have("sqlite3"), ":memory:", "create table t(a); insert into t "
                                "values (1), (2), (3); select sum(a) from t;")
        self.assertIn("6\n", text)


@needs_bpf
@unittest.skipUnless(have("valgrind"), "no valgrind here")
class Valgrind(RealCase):
    def under_valgrind(self, *command, **more):
        log = self.path("valgrind")
        self.run_program(have("valgrind"), "--tool=memcheck", "--leak-check=no",
                         "--run-libc-freeres=no", "--run-cxx-freeres=no", "--log-file=" + log,
                         *command, env=self.environment(**more), cwd=self.folder, timeout=300)
        found = re.search(r"total heap usage: ([\d,]+) allocs, ([\d,]+) frees, ([\d,]+) bytes",
                          harness.read(log).decode())
        return tuple(int(number.replace(",", "")) for number in found.groups())

    def compare(self, *command, before=lambda: None, **more):
        before()
        theirs = self.under_valgrind(*command, **more)
        before()
        _, events, _ = self.track(*command, **more)
        ours = valgrind_sums(events)
        print("%s: sooth %s, valgrind %s" % (os.path.basename(command[0]), ours, theirs))
        limits = {name: most for name, most, _ in DIFFERENCES}
        for a, b, most in zip(ours, theirs, (limits["calls"], limits["calls"], limits["bytes"])):
            self.assertLessEqual(abs(a - b), most, (ours, theirs))
        return ours, theirs

    def test_a_program_of_known_calls(self):
        """No environment is copied, no path: equal, to the byte."""
        ours, theirs = self.compare(self.program("heap-plain"))
        self.assertEqual(ours, theirs)
        self.assertEqual(ours, (700, 700, 1715400))

    @unittest.skipUnless(have("sqlite3"), "no sqlite3 here")
    def test_sqlite3(self):
        self.compare(have("sqlite3"), "-batch", ":memory:",
                     "create table t(a, b); with recursive n(i) as (select 1 union all select "
                     "i + 1 from n where i < 2000) insert into t select i, hex(i) from n; "
                     "create index x on t(b); select count(*), max(b) from t;")

    @unittest.skipUnless(have("git"), "no git here")
    def test_git(self):
        def make():
            harness.shutil.rmtree(self.path("r"), ignore_errors=True)
            self.run_program("/bin/sh", "-c", "git init -q r && cd r && for i in 1 2 3 4 5 6; do "
                             "echo $i >f$i; done && git add . && git commit -q -m one",
                             env=self.environment(GIT_AUTHOR_DATE="1700000000 +0000",
                                                  GIT_COMMITTER_DATE="1700000000 +0000"),
                             cwd=self.folder)
        self.compare(have("git"), "--no-pager", "-C", "r", "log", "-p", before=make)

    def test_python3(self):
        self.compare(PYTHON3, "-S", "-c", "print(sorted(range(100))[-1])", PYTHONMALLOC="malloc",
                     PYTHONDONTWRITEBYTECODE="1")


@needs_bpf
@unittest.skipUnless(have("heaptrack") and have("heaptrack_print"), "no heaptrack here")
class Heaptrack(RealCase):
    """It is loaded into the program, so it sees nothing of before it was."""

    SLACK = 20  # calls of the loader and of libc's start, and heaptrack's own: 1 was seen

    def test_sqlite3(self):
        if not have("sqlite3"):
            self.skipTest("no sqlite3 here")
        command = [have("sqlite3"), "-batch", ":memory:", "with recursive n(i) as (select 1 union "
                   "all select i + 1 from n where i < 20000) select sum(length(hex(i))) from n;"]
        self.run_program(have("heaptrack"), "-o", self.path("trace"), *command,
                         env=self.environment(), cwd=self.folder, timeout=300)
        file = next(name for name in os.listdir(self.folder) if name.startswith("trace"))
        text = self.run_program(have("heaptrack_print"), "-f", self.path(file)).text
        theirs = int(re.search(r"calls to allocation functions: (\d+)", text)[1])
        _, events, _ = self.track(*command)
        ours = sum(e["type"] != "Free" for e in events)
        print("sooth %d, heaptrack %d" % (ours, theirs))
        self.assertLessEqual(abs(ours - theirs), self.SLACK)


if __name__ == "__main__":
    harness.main()
