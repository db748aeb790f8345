# SPDX-License-Identifier: BSD-2-Clause
"""
`sooth inspect --maps` tells what the kernel and pmap(1) tell, of a workload with one of each kind of
mapping and of real programs held still, and says rightly what the memory is for.
"""
import contextlib
import os
import re
import signal
import sys

import harness
import inspect_case

KB = 1024
# Names in smaps and in rows. Whether a page is shared changes while others (sooth, which maps the
# same libraries, a parent that writes to what it had before its fork) run: of these the sums must be
# the same.
EXACT = {"rss_bytes": ("Rss",), "anonymous_bytes": ("Anonymous",), "locked_bytes": ("Locked",),
         "swap_bytes": ("Swap",), "page_bytes": ("KernelPageSize",),
         "huge_bytes": ("AnonHugePages", "ShmemPmdMapped", "FilePmdMapped", "Shared_Hugetlb",
                        "Private_Hugetlb")}
SUMS = {("shared_dirty_bytes", "private_dirty_bytes"): ("Shared_Dirty", "Private_Dirty"),
        ("shared_clean_bytes", "private_clean_bytes"): ("Shared_Clean", "Private_Clean")}
HEAD = re.compile(rb"([0-9a-f]+)-([0-9a-f]+) (\S{4}) ([0-9a-f]+) (\S+):(\S+) (\d+) *(.*)")


def smaps(pid):
    """{from: {figures and facts}} as the kernel writes it."""
    mappings, now = {}, None
    for line in harness.read("/proc/%d/smaps" % pid).split(b"\n"):
        head = HEAD.fullmatch(line)
        if head:
            begin = int(head[1], 16)
            now = mappings[begin] = {
                "end_address": int(head[2], 16), "protection": head[3].decode(), "offset": int(head[4], 16),
                "device": (int(head[5], 16), int(head[6], 16)), "inode": int(head[7]),
                "path": head[8].decode("utf-8", "replace")}
        elif line.endswith(b" kB"):
            name, value = line.split(b":")
            now[name.decode()] = int(value.split()[0]) * KB
    return mappings


def as_kernel_writes(row):
    path = (row["path"] or "").replace("\n", "\\012")
    return path + " (deleted)" if row["is_deleted"] else path


class Compared(harness.Case):
    def inspect(self, *arguments, **options):
        return self.sooth("inspect", "--maps", "-j", *map(str, arguments), **options).json()

    @contextlib.contextmanager
    def stopped(self, pid):
        """Also one that said "ready" is on its way to where it waits."""
        if harness.process_state(pid) == "T":
            yield  # whoever did that will let it go
            return
        try:
            harness.stop(pid)
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def compare(self, name, pid):
        with self.stopped(pid):
            return self.compare_held(name, pid)

    def compare_held(self, name, pid):
        truth = smaps(pid)
        report = self.inspect(pid)
        rows = {row["start_address"]: row for row in report["maps"]}
        self.assertEqual(sorted(rows), sorted(truth), name)
        self.assertEqual(len(rows), len(report["maps"]))
        for begin, row in rows.items():
            self.compare_mapping("%s at %x" % (name, begin), row, truth[begin])
        self.compare_sums(report, truth)
        return report

    def compare_mapping(self, what, row, truth):
        for member in ("end_address", "protection", "offset", "inode"):
            self.assertEqual(row[member], truth[member], "%s: %s" % (what, member))
        self.assertEqual((row["device_major"], row["device_minor"]), truth["device"], what)
        self.assertEqual(as_kernel_writes(row), truth["path"], what)
        self.assertEqual(row["size_bytes"], truth["Size"], what)
        for member, names in EXACT.items():
            self.assertEqual(row[member], sum(truth.get(n, 0) for n in names),
                "%s: %s" % (what, member))
        for members, names in SUMS.items():
            self.assertEqual(sum(row[m] for m in members), sum(truth[n] for n in names),
                "%s: %s" % (what, members))
        if truth["Private_Clean"] + truth["Private_Dirty"] == truth["Rss"] == \
                row["private_clean_bytes"] + row["private_dirty_bytes"]:
            self.assertEqual(row["pss_bytes"], truth["Pss"], what)
        self.assertLessEqual(row["pss_bytes"], row["rss_bytes"], what)

    def compare_sums(self, report, truth):
        for member in ("size_bytes", "rss_bytes", "dirty_bytes", "swap_bytes", "reserved_bytes"):
            self.assertEqual(sum(row[member] for row in report["memory_classes"]),
                sum(row[member] for row in report["maps"]), member)
        memory, = report["map_memory"]
        self.assertEqual(memory["mappings"], len(truth))
        self.assertEqual(memory["mappings_max"],
            int(harness.read("/proc/sys/vm/max_map_count")))
        status = dict(re.findall(r"^(\w+):\s+(\d+) kB", harness.read(
            "/proc/%d/status" % memory["pid"]).decode("utf-8", "replace"), re.M))
        for member, name in (("vsz_bytes", "VmSize"), ("vsz_peak_bytes", "VmPeak"),
                             ("rss_anonymous_bytes", "RssAnon"), ("rss_file_bytes", "RssFile"),
                             ("rss_shared_bytes", "RssShmem"), ("swap_bytes", "VmSwap"),
                             ("locked_bytes", "VmLck"), ("rss_peak_bytes", "VmHWM")):
            self.assertEqual(memory[member], int(status[name]) * KB, name)

    def compare_with_pmap(self, name, pid, report):
        """What a person would look at instead."""
        if not harness.have("pmap"):
            self.skipTest("no pmap here")
        out = self.run_program("pmap", "-X", str(pid)).out.decode("utf-8", "replace")
        lines = out.splitlines()
        columns = lines[1].split()
        rows = {row["start_address"]: row for row in report["maps"]}
        seen = 0
        for line in lines[2:]:
            words = line.split()
            if len(words) < len(columns) - 1 or not re.fullmatch("[0-9a-f]+", words[0]):
                continue
            seen += 1
            told = dict(zip(columns, words))
            row = rows[int(told["Address"], 16)]
            self.assertEqual(row["rss_bytes"], int(told["Rss"]) * KB, (name, line))
            self.assertEqual(row["size_bytes"], int(told["Size"]) * KB, (name, line))
            self.assertEqual(row["swap_bytes"], int(told["Swap"]) * KB, (name, line))
            self.assertEqual(row["anonymous_bytes"], int(told["Anonymous"]) * KB, (name, line))
            self.assertEqual(row["locked_bytes"], int(told["Locked"]) * KB, (name, line))
        self.assertEqual(seen, len(rows), name)


CLASSES = {"file_private_clean": "file", "file_private_dirty": "file",
           "file_shared_clean": "file", "file_shared_dirty": "file",
           "file_deleted": "deleted-file", "file_newline": "file",
           "file_newline_deleted": "deleted-file", "file_escape": "file",
           "file_seems_deleted": "file", "file_untouched": "file", "memfd": "shared",
           "shared_anonymous": "shared", "sysv": "shared", "anonymous": "other",
           "untouched": "other", "reservation": "reservation", "executable": "jit",
           "huge": "other", "locked": "other"}


class OfEachKind(Compared):
    def start_kinds(self, *more, **options):
        """(process, {name: (from, to)}, stack pointers)"""
        truth = self.path("truth")
        process = self.workload("maps", "--folder", self.folder, *more, truth=truth, **options)
        lines = [line.split() for line in harness.read(truth).decode().splitlines()]
        kinds = {l[0]: (int(l[1], 16), int(l[2], 16)) for l in lines
                 if l[0] not in ("stack", "#")}
        return process, kinds, [int(l[1], 16) for l in lines if l[0] == "stack"]

    def test_as_the_kernel_tells(self):
        process, kinds, stacks = self.start_kinds()
        with self.stopped(process.pid):
            report = self.compare("workload", process.pid)
            self.compare_with_pmap("workload", process.pid, report)
        rows = {row["start_address"]: row for row in report["maps"]}
        for name, (begin, end) in kinds.items():
            self.assertEqual(rows[begin]["end_address"], end, name)
            self.assertEqual(rows[begin]["class"], CLASSES[name], name)
        for address in stacks:
            row, = (r for r in report["maps"] if r["start_address"] <= address < r["end_address"])
            self.assertEqual(row["class"], "thread-stack")
            guard, = (r for r in report["maps"] if r["end_address"] == row["start_address"])
            self.assertEqual((guard["class"], guard["protection"]), ("thread-stack", "---p"))
        self.assertEqual(rows[kinds["reservation"][0]]["reserved_bytes"], 70 << 30)
        self.assertTrue(rows[kinds["file_shared_dirty"][0]]["dirty_bytes"])
        self.assertTrue(rows[kinds["huge"][0]]["flags_mask"] & 8)
        if "locked" in kinds:
            self.assertEqual(rows[kinds["locked"][0]]["locked_bytes"], 16 * 4096)

    def test_names(self):
        process, kinds, _ = self.start_kinds()
        report = self.inspect(process.pid)
        rows = {row["start_address"]: row for row in report["maps"]}
        names = {"file_newline": "new\nline", "file_escape": "\033[31m \\012 red",
                 "file_seems_deleted": "lives (deleted)", "file_deleted": "gone"}
        for name, file in names.items():
            row = rows[kinds[name][0]]
            if name == "file_newline" and os.geteuid():
                file = "new\\012line"  # the kernel does not show others the exact name
            self.assertEqual(row["path"], os.path.join(self.folder, file))
            self.assertEqual(row["is_deleted"], name == "file_deleted", name)
        text = self.sooth("inspect", "--maps", str(process.pid)).out
        self.assertNotIn(b"\033[31m", text)
        self.assertIn(b"memory by purpose", text)
        self.assertIn(b"more (-j lists all)\n", text)

    def test_same_from_capture(self):
        process, _, _ = self.start_kinds()
        capture = self.path("s.sooth")
        live = self.inspect("--save", capture, process.pid)
        later = self.inspect(capture)
        for part in ("map_memory", "memory_classes", "map_runtimes", "maps"):
            self.assertEqual(live[part], later[part], part)

    def test_target_goes_on(self):
        process, _, _ = self.start_kinds()
        self.inspect(process.pid)
        self.assertEqual(harness.process_state(process.pid), "S")
        self.assertEqual(harness.read("/proc/%d/status" % process.pid).count(b"TracerPid:\t0"), 1)

    def test_many(self):
        """Fifty thousand mappings: complete, in bounded memory."""
        process, _, _ = self.start_kinds("--count", "50000")
        report = self.inspect(process.pid)
        self.assertEqual(len(report["maps"]), len(smaps(process.pid)))
        self.assertGreater(len(report["maps"]), 50000)
        self.assertLess(report["self"]["rss_bytes"], 128 << 20)

    @harness.needs_root
    def test_nobody(self):
        """One's own process like root; another's not at all, and that is said."""
        workloads, sooth = self.copy_for_all(harness.WORKLOADS), self.copy_for_all(harness.SOOTH)
        own = self.start(workloads, "maps", "--folder", self.folder, "--hold",
            **harness.as_nobody())
        own.wait_for_output(b"ready\n")
        report = self.run_program(sooth, "inspect", "--maps", "-j", str(own.pid),
            **harness.as_nobody()).json()
        self.assertEqual(len(report["maps"]), len(smaps(own.pid)))
        other = self.workload("sleep")
        report = self.run_program(sooth, "inspect", "--maps", "-j", str(other.pid),
            **harness.as_nobody()).json()
        self.assertEqual(report["maps"], [])
        memory, = report["map_memory"]
        self.assertIsNone(memory["mappings"])
        self.assertEqual(memory["not_measured"]["mappings"], "permission denied")
        self.assertGreater(memory["rss_bytes"], 0)

    @harness.needs_root
    def test_other_namespaces(self):
        truth = self.path("truth")
        process = self.start("unshare", "-m", "-p", "--fork", "--kill-child", harness.WORKLOADS,
            "maps", "--folder", self.folder, "--truth", truth, "--hold")
        process.wait_for_output(b"ready\n")
        child, = inspect_case.children_of(process.pid)
        report = self.compare("in a namespace", child)
        self.assertIn("glibc", {row["runtime"] for row in report["map_runtimes"]})

    def test_ends_meanwhile(self):
        """Whenever it ends: no crash, and what was read or why not."""
        for turn in range(30):
            process = self.start(harness.WORKLOADS, "maps", "--folder", self.folder,
                "--count", "20000", "--hold")
            process.wait_for_output(b"ready\n")
            for name in os.listdir(self.folder):
                os.unlink(self.path(name))
            sooth = self.start_sooth("inspect", "--maps", "-j", str(process.pid))
            if turn % 3:
                harness.time.sleep(turn * 0.002)
            process.child.kill()
            run = sooth.finish()
            self.assertIn(run.status, (0, 4), run)
            if run.status == 0:
                memory, = run.json()["map_memory"]
                self.assertTrue(memory["mappings"] or memory["not_measured"]["mappings"], memory)


class RealPrograms(Compared):
    """Which classes a program must have, by what it is known to be made of."""

    KNOWN = {
        "python": {"glibc-heap", "file", "thread-stack", "kernel"},
        "node": {"v8", "jit", "glibc-heap", "glibc-arena", "thread-stack", "file"},
        "nginx": {"glibc-heap", "file"},
        "redis": {"jemalloc", "thread-stack", "file"},
        "postgres": {"glibc-heap", "shared", "file"},
        "claude": {"mimalloc", "javascriptcore", "jit", "thread-stack", "file"},
    }

    @harness.needs_root
    def test_as_the_kernel_tells(self):
        with inspect_case.Programs() as programs:
            for name, reason in programs.missing.items():
                print("without %s: %s" % (name, reason), file=sys.stderr)
            for name, pid in programs.held():
                with self.subTest(name):
                    self.one_program(name, pid)

    def one_program(self, name, pid):
        report = self.compare(name, pid)
        self.compare_with_pmap(name, pid, report)
        classes = {row["class"]: row for row in report["memory_classes"]}
        print("%s: %s" % (name, {c: "%d kB" % (r["rss_bytes"] // KB)
                                 for c, r in classes.items()}), file=sys.stderr)
        self.assertEqual(self.KNOWN.get(name, set()) - set(classes), set(), name)
        known = sum(r["rss_bytes"] for c, r in classes.items() if c != "other")
        total = sum(r["rss_bytes"] for r in classes.values())
        self.assertGreater(known, total * 0.6, "%s is mostly unexplained" % name)


LIBRARIES = "/usr/lib/%s-linux-gnu" % os.uname().machine
ALLOCATING = "a = [bytearray(i % 3000) for i in range(60000)]; print('ready', flush=True); input()"


class Allocators(Compared):
    """The same program on each allocator: what it holds is told as that allocator's."""

    def most_of(self, class_, library=None):
        env = dict(os.environ)
        if library:
            path = os.path.join(LIBRARIES, library)
            if not os.path.exists(path):
                self.skipTest("no %s here" % library)
            env["LD_PRELOAD"] = path
        process = self.start(sys.executable, "-c", ALLOCATING, env=env)
        process.wait_for_output(b"ready\n")
        report = self.compare(class_, process.pid)
        held = {row["class"]: row["rss_bytes"] for row in report["memory_classes"]}
        self.assertGreater(held.get(class_, 0), 60 << 20, held)

    def test_glibc(self):
        self.most_of("glibc-heap")

    def test_jemalloc(self):
        self.most_of("jemalloc", "libjemalloc.so.2")

    def test_tcmalloc(self):
        self.most_of("tcmalloc", "libtcmalloc_minimal.so.4")

    def test_mimalloc(self):
        self.most_of("mimalloc", "libmimalloc.so.2")

    def test_arenas(self):
        code = "import threading; t = [threading.Thread(target=lambda: (exec(" \
            "'a = [bytearray(i %% 3000) for i in range(9000)]', globals()), " \
            "b.wait(), e.wait())) for i in range(3)]; e = threading.Event(); " \
            "b = threading.Barrier(4); [x.start() for x in t]; b.wait(); " \
            "print('ready', flush=True); input(); e.set()".replace("%%", "%")
        process = self.start(sys.executable, "-c", code)
        process.wait_for_output(b"ready\n")
        report = self.compare("arenas", process.pid)
        rows = {row["class"]: row for row in report["memory_classes"]}
        self.assertGreater(rows["glibc-arena"]["reserved_bytes"], 100 << 20)
        self.assertEqual(rows["thread-stack"]["mappings"], 7)


class Runtimes(Compared):
    """What a program is linked with, also where no library is mapped."""

    BUILT = {"heap-static": ("glibc", "glibc-heap"), "heap-musl": ("musl", "file"),
             "heap-musl-static": ("musl", "file")}

    def test_linked_in(self):
        tried = 0
        for name, (runtime, class_) in self.BUILT.items():
            program = os.path.join(os.path.dirname(harness.WORKLOADS), name)
            if not os.path.exists(program):
                print("without %s: it is not built here" % name, file=sys.stderr)
                continue
            tried += 1
            process = self.start(program, "heap", "--turns", "10", "--hold")
            process.wait_for_output(b"ready\n")
            report = self.compare(name, process.pid)
            self.assertEqual([row["runtime"] for row in report["map_runtimes"]], [runtime])
            self.assertIn(class_, {row["class"] for row in report["memory_classes"]})
        if not tried:
            self.skipTest("none of these programs is built here")


if __name__ == "__main__":
    harness.main()
