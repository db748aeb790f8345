# SPDX-License-Identifier: BSD-2-Clause
"""
The stacks of all threads against those that gdb finds in the same program, which is stopped for that:
thread by thread, frame by frame, by addresses. And what a look must not do: stop anything, wait for
anything, show another user's stacks.
"""
import glob
import os
import re
import signal
import subprocess
import unittest

import harness
from harness import Case, as_nobody, have, needs_bpf, process_state, wait_until, wait_until_asleep

HELD = os.path.join(os.path.dirname(harness.WORKLOADS), "stack-held")
EVAL = "_PyEval_EvalFrameDefault"


def mappings(pid):
    """(from, to, offset in the file, path) of code."""
    for line in harness.read("/proc/%d/maps" % pid).decode().splitlines():
        words = line.split(None, 5)
        first, last = (int(number, 16) for number in words[0].split("-"))
        yield first, last, int(words[2], 16), words[5] if len(words) > 5 else ""


def states(pid):
    found = {}
    for tid in os.listdir("/proc/%d/task" % pid):
        status = harness.read("/proc/%d/task/%s/status" % (pid, tid)).decode()
        found[int(tid)] = (re.search(r"State:\s+(\S)", status).group(1),
                           int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", status, re.M).group(1)))
    return found


def gdb_stacks(pid):
    """Of each thread: (function, place in its file) from the innermost frame on."""
    commands = ["set debuginfod enabled off", "set backtrace past-main on", "python " + SCRIPT]
    run = subprocess.run(["gdb", "-nx", "-batch", "-p", str(pid)] +
                         [word for text in commands for word in ("-ex", text)],
                         stdin=subprocess.DEVNULL, capture_output=True, timeout=300, check=False)
    found, tid = {}, None
    for line in run.stdout.decode(errors="replace").splitlines():
        words = line.split(" ", 2)
        if words[0] == "SOOTH-THREAD":
            tid = int(words[1])
            found[tid] = []
        elif words[0] == "SOOTH-FRAME":
            found[tid].append((words[2], int(words[1], 16)))
    if not found:
        raise AssertionError(run.stdout.decode() + run.stderr.decode())
    return found


# In gdb's own Python: the frames on the stack. Those that it infers, of inlined functions and of
# calls that were the last of a function, are on no stack.
SCRIPT = ("exec(\"for t in gdb.selected_inferior().threads():\\n"
          "    t.switch()\\n"
          "    print('SOOTH-THREAD', t.ptid[1])\\n"
          "    f = gdb.newest_frame()\\n"
          "    while f is not None and f.is_valid():\\n"
          "        if f.type() not in (gdb.INLINE_FRAME, gdb.TAILCALL_FRAME):\\n"
          "            kind = 'signal' if f.type() == gdb.SIGTRAMP_FRAME else f.name()\\n"
          "            print('SOOTH-FRAME', hex(f.pc()), kind)\\n"
          "        f = f.older()\\n\")")


def in_files(frames, maps):
    """(function, offset in the file): of a caller one byte before, as it stands in a report. A frame
    that a signal interrupted is at its very instruction."""
    found, exact = [], True
    for name, pc in frames:
        address = pc - (not exact)
        for first, last, offset, path in maps:
            if first <= address < last:
                shift = first if path == "[vdso]" else first - offset if path.startswith("/") else 0
                found.append((name, address - shift))
        exact = name == "signal"
    return found


def children(pid):
    return [int(word) for word in harness.read("/proc/%d/task/%d/children" % (pid, pid)).split()]


# Debian keeps the server's programs out of PATH.
POSTGRES = next((folder for folder in sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True)
                 if os.path.exists(os.path.join(folder, "initdb"))), None)

CPP = """
#include <algorithm>
#include <condition_variable>
#include <functional>
#include <iostream>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>
static std::mutex lock;
static std::condition_variable changed;
static bool never;
struct Shape {
	virtual ~Shape() {}
	virtual int wait(int n) = 0;
};
struct Box : Shape {
	int wait(int n) override
	{
		std::unique_lock<std::mutex> held(lock);
		changed.wait(held, [] { return never; });
		return n;
	}
};
template <typename F> __attribute__((noinline)) int apply(F f, int n)
{
	int result = f(n);
	asm volatile("" ::: "memory");
	return result;
}
static int caught(Shape &shape, int n)
{
	try {
		if (n)
			throw std::runtime_error("thrown");
		return 0;
	} catch (const std::exception &) {
		return shape.wait(n) + 1;
	}
}
int main()
{
	std::vector<std::thread> all;
	for (int i = 0; i < 4; i++)
		all.emplace_back([i] {
			Box box;
			std::vector<int> numbers{3, 1, 2};
			std::function<int(int)> f = [&](int n) { return caught(box, n + i); };
			std::for_each(numbers.begin(), numbers.end(), [&](int n) { apply(f, n); });
		});
	std::cout << "ready" << std::endl;
	for (auto &one : all)
		one.join();
}
"""


@needs_bpf
class Stack(Case):
    def look(self, pid, *options):
        report = self.sooth("stack", "-j", *options, str(pid)).json()
        self.assertEqual(report["loss"], [])
        process, = [row for row in report["stacks"] if row["pid"] == pid]
        return process

    def by_thread(self, process):
        return {member["tid"]: group for group in process["stacks"] for member in group["members"]}

    def held(self, *words):
        process = self.start(HELD, *words)
        process.wait_for_output(b"ready\n")
        return process

    def compare(self, pid, least):
        """Stops the process, and compares every thread; at least so many frames in all."""
        os.kill(pid, signal.SIGSTOP)
        self.addCleanup(os.kill, pid, signal.SIGCONT)
        wait_until(lambda: all(state == "T" for state, _ in states(pid).values()), "all threads to stop")
        process, maps = self.look(pid), list(mappings(pid))
        theirs, ours = gdb_stacks(pid), self.by_thread(process)
        self.assertEqual(ours.keys(), theirs.keys())
        total = 0
        for tid, frames in theirs.items():
            expected = in_files(frames, maps)
            user = [frame for frame in ours[tid]["stack_frames"] if frame["kind"] != "kernel"]
            scripts = [frame["kind"] == "script" for frame in user]
            if any(scripts):
                # Functions of Python stand where its interpreter does.
                expected = [frame for frame in expected if frame[0] != EVAL]
                user = [frame for frame, is_script in zip(user, scripts) if not is_script]
            self.assertEqual([frame["offset"] for frame in user], [place for _, place in expected],
                             "thread %d: %s\n%s" % (tid, frames, ours[tid]))
            # Nothing called a thread that has not run yet.
            if ours[tid]["call"] != "clone3":
                self.assertEqual(ours[tid]["end"], "whole", ours[tid])
            total += len(expected)
        self.assertGreaterEqual(total, least)
        return process

    @unittest.skipUnless(have("gdb"), "needs gdb")
    def test_threads_against_gdb(self):
        """Without frame pointers: aligned stacks, arrays, a handler of a signal."""
        process = self.held("20")
        report = self.compare(process.pid, 120)
        names = [frame["function"] for frame in
                 next(group for group in report["stacks"]
                      if any(member["name"] == "held-0" for member in group["members"]))["stack_frames"]]
        inner = [name for name in names if name in ("hold_read", "on_signal", "raise", "one", "start_thread")]
        self.assertEqual(inner[:2], ["hold_read", "on_signal"])
        self.assertEqual(inner[-2:], ["one", "start_thread"])

    @unittest.skipUnless(have("gdb"), "needs gdb")
    def test_programs_against_gdb(self):
        programs = {"python3": ["python3", "-c", "import threading, time\n"
                                "def inner(): time.sleep(1000)\n"
                                "def outer(): inner()\n"
                                "for _ in range(3): threading.Thread(target=outer, daemon=True).start()\n"
                                "print('ready', flush=True)\nouter()\n"],
                    "bash": ["bash", "-c", "f() { echo ready; read -r line; }; f; true"],
                    "node": ["node", "--jitless", "-e", "console.log('ready'); setTimeout(() => {}, 1e6)"],
                    "redis": ["redis-server", "--port", "0", "--save", "", "--dir", self.folder,
                              "--unixsocket", self.path("socket")]}
        for name, words in programs.items():
            if not have(words[0]):
                continue
            with self.subTest(name):
                process = self.start(*words)
                process.wait_for_output(b"eady")
                wait_until_asleep(process.pid)
                self.compare(process.pid, 4)

    def compare_asleep(self, process, least=4):
        """Once no thread of it runs."""
        wait_until(lambda: all(state == "S" for state, _ in states(process.pid).values()), "all to wait")
        self.compare(process.pid, least)

    @unittest.skipUnless(have("gdb") and have("rg"), "needs gdb and ripgrep")
    def test_rust_against_gdb(self):
        """A program of Debian in Rust, whose threads wait for files that nothing writes."""
        files = [self.path("one"), self.path("two")]
        for path in files:
            os.mkfifo(path)
        process = self.start("rg", "-j", "3", "anything", *files)
        wait_until(lambda: len(os.listdir("/proc/%d/task" % process.pid)) > 2, "its threads")
        self.compare_asleep(process, 20)

    @unittest.skipUnless(have("gdb") and have("g++"), "needs gdb and g++")
    def test_cpp_against_gdb(self):
        """Templates, lambdas and virtual functions without frame pointers, below a caught exception."""
        source, program = self.path("held.cc"), self.path("held")
        with open(source, "w", encoding="utf-8") as file:
            file.write(CPP)
        subprocess.run(["g++", "-O2", "-fomit-frame-pointer", "-pthread", "-o", program, source], check=True)
        process = self.start(program)
        process.wait_for_output(b"ready\n")
        self.compare_asleep(process, 30)

    @unittest.skipUnless(have("gdb") and POSTGRES, "needs gdb and PostgreSQL")
    def test_postgres_against_gdb(self):
        """The server and each process that it starts."""
        os.chmod(self.folder, 0o755)
        data = self.path("data")
        os.mkdir(data)
        os.chown(data, harness.NOBODY, harness.NOBODY)
        subprocess.run([os.path.join(POSTGRES, "initdb"), "-D", data, "-U", "me", "-A", "trust", "--no-sync"],
                       check=True, cwd="/", stdout=subprocess.DEVNULL, **as_nobody())
        server = self.start(os.path.join(POSTGRES, "postgres"), "-D", data, "-k", data, "-h", "", "-F",
                            cwd="/", **as_nobody())
        wait_until(lambda: len(children(server.pid)) >= 4, "its processes")
        for pid in [server.pid, *children(server.pid)]:
            with self.subTest(pid):
                wait_until_asleep(pid)
                self.compare(pid, 4)

    def test_python_functions(self):
        process = self.start("python3", "-c", "import time\ndef inner(): time.sleep(1000)\n"
                             "def outer(): inner()\nprint('ready', flush=True)\nouter()\n")
        process.wait_for_output(b"ready\n")
        wait_until_asleep(process.pid)
        group, = self.look(process.pid)["stacks"]
        scripts = [frame["function"] for frame in group["stack_frames"] if frame["kind"] == "script"]
        if not scripts and b"3.11" not in subprocess.run(["python3", "-V"], capture_output=True,
                                                         check=True).stdout:
            self.skipTest("names of functions are read of Python 3.11 only")
        self.assertEqual(scripts, ["inner", "outer", "<module>"])
        self.assertEqual(group["call"], "clock_nanosleep")

    def test_nothing_is_stopped(self):
        """States stay, and no thread is woken: none gives up a processor once more."""
        process = self.held("30")
        wait_until(lambda: all(state == "S" for state, _ in states(process.pid).values()), "all to wait")
        before = states(process.pid)
        report = self.look(process.pid)
        self.assertEqual(states(process.pid), before)
        self.assertEqual(report["threads"], 31)
        self.assertEqual(sum(group["threads"] for group in report["stacks"]), 31)
        self.assertFalse(any(group["has_moved"] for group in report["stacks"]))

    def test_many_threads(self):
        """A thousand, in less CPU time than a second: they stand in a few groups."""
        process = self.held("1000")
        wait_until(lambda: all(state == "S" for state, _ in states(process.pid).values()), "all to wait")
        run = self.sooth("stack", "-j", str(process.pid)).json()
        row, = run["stacks"]
        self.assertEqual(row["threads"], 1001)
        self.assertEqual(sum(group["threads"] for group in row["stacks"]), 1001)
        self.assertLess(len(row["stacks"]), 60)
        self.assertEqual({group["end"] for group in row["stacks"]}, {"whole"})
        self.assertLess(run["self"]["cpu_ns"], 1e9)

    def test_computing_first(self):
        process = self.held("6", "1")
        rows = self.look(process.pid)["stacks"]
        self.assertEqual(rows[0]["state"], "R")
        self.assertEqual([member["name"] for member in rows[0]["members"]], ["held-5"])
        self.assertIn("hold_computing", [frame["function"] for frame in rows[0]["stack_frames"]])
        self.assertTrue(rows[1]["has_main"])

    def test_text(self):
        """Within 80 columns; -v has the kernel's frames; one thread alone."""
        process = self.held("12")
        wait_until(lambda: all(state == "S" for state, _ in states(process.pid).values()), "all to wait")
        text = self.sooth("stack", str(process.pid)).text
        self.assertIn("stack-held (%d): 13 threads\n" % process.pid, text)
        self.assertRegex(text, r"(?m)^  main thread waiting in read.*: stack-held \(%d\)$" % process.pid)
        self.assertRegex(text, r"(?m)^    deeper  stack-held:0x[0-9a-f]+$")
        self.assertNotIn("kernel", text)
        self.assertLess(max(map(len, text.splitlines())), 100)
        self.assertIn("  kernel\n", self.sooth("stack", "-v", str(process.pid)).text)
        one = self.sooth("stack", "--tid", str(process.pid), str(process.pid)).text
        self.assertIn("main thread", one)
        self.assertNotIn("held-", one)

    def test_ends(self):
        """A zombie, a kernel thread, a PID that there is not, a process that ends meanwhile."""
        child = os.fork()
        if not child:
            os._exit(0)
        wait_until(lambda: process_state(child) == "Z", "a zombie")
        try:
            self.assertIn("exited", self.sooth("stack", str(child)).text)
        finally:
            os.waitpid(child, 0)
        if os.path.exists("/proc/2/status") and b"kthreadd" in harness.read("/proc/2/status"):
            self.assertIn("kthreadd (2): 1 thread", self.sooth("stack", "2").text)
        gone = self.sooth("stack", str(child), status=None)
        self.assertNotEqual(gone.status, 0)
        self.assertIn("sooth: cannot", gone.errors)
        for _ in range(20):
            short = subprocess.Popen(["sh", "-c", "sleep 0.02"])
            try:
                run = self.sooth("stack", str(short.pid), status=None)
                self.assertIn(run.status, (0, 1, 3, 4), run)
            finally:
                short.wait()

    def test_of_another_user(self):
        process = self.held("2")
        program = self.copy_for_all(harness.SOOTH)
        run = self.run_program(program, "stack", str(process.pid), status=None, **as_nobody())
        self.assertNotIn("hold_read", run.text + run.errors)

    def test_without_privilege(self):
        """Of the caller's own processes: threads that wait, in user space; of others why not."""
        program = self.copy_for_all(harness.SOOTH)
        target = self.start(self.copy_for_all(HELD), "9", "1", **as_nobody())
        target.wait_for_output(b"ready\n")
        wait_until(lambda: sorted(state for state, _ in states(target.pid).values()) == ["R"] + ["S"] * 9,
                   "all but one to wait")
        row, = self.run_program(program, "stack", "-j", str(target.pid), **as_nobody()).json()["stacks"]
        groups = {member["name"]: group for group in row["stacks"] for member in group["members"]}
        read = [frame["function"] for frame in groups["held-2"]["stack_frames"]]
        self.assertEqual(read[1:4], ["hold_read", "deeper", "deeper"])
        self.assertEqual(groups["held-2"]["end"], "whole")
        # The frame pointer of these is not known: the stack says so, and is no guess.
        self.assertEqual(groups["held-3"]["end"], "the frame pointer could not be read")
        self.assertIn("with_array", [frame["function"] for frame in groups["held-3"]["stack_frames"]])
        self.assertIsNone(groups["held-8"]["stack_frames"])
        text = self.run_program(program, "stack", str(target.pid), **as_nobody()).text
        self.assertIn("registers of running threads need eBPF", text)

    def test_why(self):
        """With -v the stack of the thread that matters, as evidence."""
        process = self.held("4")
        wait_until(lambda: all(state == "S" for state, _ in states(process.pid).values()), "all to wait")
        row, = self.sooth("why", "-v", "-j", str(process.pid)).json()["stacks"]
        group, = row["stacks"]
        self.assertTrue(group["has_main"])
        self.assertIn("main", [frame["function"] for frame in group["stack_frames"]])
        self.assertNotIn("stacks", self.sooth("why", "-j", str(process.pid)).json())
        self.assertIn("    main  stack-held:0x", self.sooth("why", "-v", str(process.pid)).text)

    def test_capture(self):
        process, capture = self.held("5"), self.path("now.sooth")
        wait_until(lambda: all(state == "S" for state, _ in states(process.pid).values()), "all to wait")
        live = self.sooth("stack", "-j", str(process.pid), "--save", capture).json()
        again = self.run_program(harness.SOOTH_NONE or harness.SOOTH, "stack", "-j", capture).json()
        self.assertEqual(live["stacks"], again["stacks"])
        rows = self.sooth("query", capture, "select count(*) as n from \"stacks.thread\"", "-j", status=None)
        if rows.status == 0:
            self.assertIn("6", rows.text)

    def test_closed_output(self):
        process = self.held("40")
        with open("/dev/full", "wb") as full:
            run = subprocess.run([harness.SOOTH, "stack", "-j", str(process.pid)], stdout=full,
                                 stderr=subprocess.PIPE, check=False, timeout=60)
        self.assertNotEqual(run.returncode, 0)
        self.assertIn(b"sooth: cannot", run.stderr)
        run = self.sooth("stack", "-o", self.path("none/file"), str(process.pid), status=None)
        self.assert_says_three_lines(run)
        reader, writer = os.pipe()
        os.close(reader)
        run = subprocess.run([harness.SOOTH, "stack", str(process.pid)], stdout=writer,
                             stderr=subprocess.PIPE, check=False, timeout=60)
        os.close(writer)
        self.assertLess(run.returncode, 126)
        self.assertTrue(process.is_running())


if __name__ == "__main__":
    harness.main()
