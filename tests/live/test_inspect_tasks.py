# SPDX-License-Identifier: BSD-2-Clause
"""
`sooth inspect` --threads, --signals, --limits and --env-names, on a workload that has one of each
state and on real programs, compared with ps, prlimit and /proc; by others' eyes, from another
namespace, of processes that end meanwhile and that are hostile.
"""
import os
import re
import subprocess
import sys
import time

import harness
from harness import Case, as_nobody, have, needs_bpf, needs_root
from inspect_case import Programs

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "cli"))
import capture_reader

CLASSES = {"TS": "other", "FF": "fifo", "RR": "rr", "B": "batch", "IDL": "idle", "DLN": "deadline"}
ALL = ["--threads", "--signals", "--limits", "--env-names"]
PYTHON = "/usr/bin/python3"  # one that anybody may run
DENIED = "permission denied"
CLOCK_NANOSLEEP = {"x86_64": 230, "aarch64": 115}.get(os.uname().machine)
SECRET = "sEcReT-vAlUe-tHaT-mUsT-nOt-ApPeAr"
EXECVE = """
import ctypes, sys
libc = ctypes.CDLL(None)
entries = [bytes.fromhex(line) for line in open(sys.argv[1])]
envp = (ctypes.c_char_p * (len(entries) + 1))(*entries, None)
argv = (ctypes.c_char_p * 3)(b"sleep", b"100", None)
libc.execve(b"/bin/sleep", argv, envp)
"""


def bits(mask):
    """Numbers of the signals in a mask as /proc has it."""
    value = int(mask, 16)
    return {n + 1 for n in range(64) if value >> n & 1}


def status_of(path):
    return dict(line.split(":\t", 1) for line in harness.read(path).decode(
        "utf-8", "replace").splitlines() if ":\t" in line)


def ps_threads(pid):
    """{tid: facts} as ps tells them."""
    out = subprocess.run(["ps", "-L", "-o", "tid=,cls=,rtprio=,ni=,stat=,pending=,blocked=", "-p",
                          str(pid)], capture_output=True, text=True, check=True).stdout
    found = {}
    for line in out.splitlines():
        tid, cls, priority, nice, stat, pending, blocked = line.split()
        found[int(tid)] = {"policy": CLASSES[cls], "stat": stat[0], "nice": nice,
            "priority": priority, "pending": pending, "blocked": blocked}
    return found


class Inspect(Case):
    def inspect(self, pid, *flags, status=0, **options):
        return self.sooth("inspect", "-j", *flags, str(pid), status=status, **options).json()

    @staticmethod
    def states(pid):
        return [harness.read("/proc/%d/task/%s/stat" % (pid, tid)).rsplit(b")", 1)[1].split()[0].decode()
                for tid in os.listdir("/proc/%d/task" % pid)]

    def tasks(self):
        if not os.path.exists(os.path.join(os.path.dirname(harness.WORKLOADS),
                                           "libtask-library.so")):
            self.skipTest("the workload's library was not built")
        process = self.workload("tasks", truth=self.path("truth"))
        # The others are on their way to where they wait.
        harness.wait_until(lambda: self.states(process.pid).count("S") + 1 ==
                           len(self.states(process.pid)), "all but the spinner to wait")
        threads = {}
        for line in harness.read(self.path("truth")).decode().splitlines():
            words = line.split()
            if words[0] == "thread":
                threads[int(words[2])] = {"tid": int(words[1]), "policy": int(words[4]),
                    "priority": int(words[6]), "nice": int(words[8]), "refused": int(words[10])}
        return process, threads

    def assert_threads_as_ps(self, pid, report, what=""):
        rows = {row["tid"]: row for row in report["threads"]}
        truth = ps_threads(pid)
        self.assertEqual(set(rows), set(truth), what)
        for tid, facts in truth.items():
            row = rows[tid]
            self.assertEqual(row["policy"].split()[0], facts["policy"], what)
            self.assertEqual(row["state"], facts["stat"], what)
            if facts["priority"] not in ("-", "0"):
                self.assertEqual(row["realtime_priority"], int(facts["priority"]), what)
            if facts["nice"] != "-":
                self.assertEqual(row["nice"], int(facts["nice"]), what)
            self.assertEqual(row["name"].encode()[:15], harness.read(
                "/proc/%d/task/%d/comm" % (pid, tid))[:-1].decode("utf-8", "replace").encode()[:15])
        self.assertEqual(report["threads_totals"][0]["threads"], len(truth))

    def assert_signals_as_proc(self, pid, report, what=""):
        status = status_of("/proc/%d/status" % pid)
        rows = {row["signal_number"]: row for row in report["signals"]}
        caught = {n for n, row in rows.items() if row["action"] == "caught"}
        ignored = {n for n, row in rows.items() if row["action"] == "ignored"}
        self.assertEqual(caught, bits(status["SigCgt"]), what)
        self.assertEqual(ignored, bits(status["SigIgn"]), what)
        blocked, pending = {}, {}
        threads = ps_threads(pid)
        for tid in threads:
            facts = status_of("/proc/%d/task/%d/status" % (pid, tid))
            for n in bits(facts["SigBlk"]):
                blocked[n] = blocked.get(n, 0) + 1
            for n in bits(facts["SigPnd"]):
                pending[n] = pending.get(n, 0) + 1
        self.assertEqual({n: row["blocked_threads"] for n, row in rows.items()
                          if row["blocked_threads"]}, blocked, what)
        self.assertEqual({n: row["pending_threads"] for n, row in rows.items()
                          if row["pending_threads"]}, pending, what)
        self.assertEqual({n for n, row in rows.items() if row["is_pending_in_process"]},
                         bits(status["ShdPnd"]), what)
        self.assertEqual(report["signals_totals"][0]["queued_max"],
                         int(status["SigQ"].split("/")[1]), what)

    def assert_limits_as_prlimit(self, pid, report, what=""):
        owner = os.stat("/proc/%d" % pid)  # without cap_sys_resource only it may ask
        who = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}
        out = subprocess.run(["prlimit", "-p", str(pid), "--raw", "--noheadings", "-o",
                              "RESOURCE,SOFT,HARD"], capture_output=True, text=True, check=True,
                             **(who if os.geteuid() == 0 else {}))
        truth = {words[0]: words[1:] for words in map(str.split, out.stdout.splitlines())}
        rows = {row["name"]: row for row in report["resource_limits"]}
        self.assertEqual(set(rows), set(truth), what)
        for name, (soft, hard) in truth.items():
            for told, said in (("soft_limit", soft), ("hard_limit", hard)):
                self.assertEqual(rows[name][told], None if said == "unlimited" else int(said),
                                 "%s %s %s" % (what, name, told))
        status = status_of("/proc/%d/status" % pid)
        for name, line in (("AS", "VmSize"), ("STACK", "VmStk"), ("MEMLOCK", "VmLck"),
                           ("DATA", "VmData")):
            self.assertEqual(rows[name]["used"], int(status[line].split()[0]) * 1024, what)
        self.assertEqual(rows["NOFILE"]["used"], len(os.listdir("/proc/%d/fd" % pid)), what)
        self.assertEqual(report["oom"][0]["oom_score_adjustment"],
                         int(harness.read("/proc/%d/oom_score_adj" % pid)), what)

    def assert_names_as_proc(self, pid, report, what=""):
        """Names in the order they stand; those that are kept out are no plain names."""
        entries = [e for e in harness.read("/proc/%d/environ" % pid).split(b"\0") if e]
        self.assertEqual(len(report["environment"]), len(entries), what)
        for row, entry in zip(report["environment"], entries):
            name, equals, value = entry.partition(b"=")
            if row["name"] is None:
                self.assertEqual(row["size_bytes"], len(entry), what)
            else:
                self.assertEqual((row["name"].encode(), row["size_bytes"]), (name, len(value)))
                self.assertTrue(equals)


class Workload(Inspect):
    def test_threads(self):
        process, truth = self.tasks()
        report = self.inspect(process.pid, "--threads", "-i", "500ms")
        rows = {row["tid"]: row for row in report["threads"]}
        self.assertEqual(len(rows), len(truth) + 1)
        names = {t["tid"]: n for n, t in truth.items()}
        calls = {"in-pipe": "read", "in-futex": "futex", "in-sleep": "clock_nanosleep"}
        for row in rows.values():
            if row["name"] in calls:
                self.assertEqual(row["call"], calls[row["name"]])
                self.assertTrue(row["wait_channel"], row)
                self.assertEqual(row["voluntary_switches"] > 0, True)
                self.assertEqual(row["cpu_percent"], 0.0)
                self.assertTrue(row["stack_pointer"])
        spinner = report["threads"][0]
        self.assertEqual((spinner["name"], names[spinner["tid"]]), ("spinner", 0))
        self.assertEqual(spinner["state"], "R")
        self.assertGreater(spinner["cpu_percent"], 0)
        self.assertIsNone(spinner["call"])
        self.assertNotIn("call", spinner.get("not_measured", {}))  # there is none: it runs
        self.assert_threads_as_ps(process.pid, report)
        policies = {3: "batch", 5: "idle", 1: "fifo 50", 2: "rr 10", 0: "other"}
        for facts in truth.values():
            if not facts["refused"]:
                self.assertEqual(rows[facts["tid"]]["policy"], policies[facts["policy"]])
                self.assertEqual(rows[facts["tid"]]["nice"], facts["nice"])
        states = report["threads_by_state"]
        self.assertEqual(sum(s["threads"] for s in states.values()), len(rows))

    def test_cpu_over_the_interval(self):
        """The share is that of schedstat over the same time, not of the thread's life."""
        process, truth = self.tasks()
        tid = truth[0]["tid"]
        name = "/proc/%d/task/%d/schedstat" % (process.pid, tid)
        before, begin = int(harness.read(name).split()[0]), time.monotonic_ns()
        report = self.inspect(process.pid, "--threads", "-i", "1")
        after, end = int(harness.read(name).split()[0]), time.monotonic_ns()
        row = next(row for row in report["threads"] if row["tid"] == tid)
        interval = report["threads_totals"][0]["interval_ns"]
        self.assertGreaterEqual(interval, 990000000)
        used = row["cpu_percent"] / 100 * interval
        # sooth's interval lies inside ours; the scheduler's figures lag by up to a tick (10 ms).
        self.assertLessEqual(used, after - before + 20e6)
        self.assertGreaterEqual(used, after - before - (end - begin - interval) - 20e6)

    def test_signals(self):
        process, truth = self.tasks()
        report = self.inspect(process.pid, "--signals")
        self.assert_signals_as_proc(process.pid, report)
        rows = {row["signal"]: row for row in report["signals"]}
        everywhere = "%d of %d threads" % (len(truth) + 1, len(truth) + 1)
        self.assertEqual(rows["SIGHUP"]["action"], "ignored")
        self.assertEqual((rows["SIGTERM"]["blocked_in"], rows["SIGTERM"]["pending_for"]),
                         (everywhere, "process"))
        self.assertEqual(rows["SIGRTMIN+3"]["pending_for"], "process")
        self.assertEqual((rows["SIGALRM"]["blocked_threads"], rows["SIGALRM"]["pending_for"]),
                         (1, None))
        self.assertEqual(rows["SIGWINCH"]["pending_for"], "1 thread")
        self.assertGreaterEqual(report["signals_totals"][0]["queued"], 3)

    @needs_bpf
    def test_handlers(self):
        process, _ = self.tasks()
        report = self.inspect(process.pid, "--signals")
        rows = {row["signal"]: row for row in report["signals"]}
        self.assertEqual(rows["SIGUSR1"]["handler"], "task_handler (workloads)")
        self.assertEqual(rows["SIGUSR1"]["flags"], "SA_SIGINFO SA_RESTART")
        self.assertEqual(rows["SIGUSR2"]["symbol"], "task_library_handler")
        self.assertTrue(rows["SIGUSR2"]["object"].endswith("/libtask-library.so"))
        self.assertEqual(rows["SIGUSR2"]["flags"], "SA_NODEFER")
        before = {kind: harness.kernel_ids(kind) for kind in ("link", "prog")}
        self.inspect(process.pid, "--signals")
        # The kernel takes a moment, and others have programs that come and go.
        came = {kind: harness.kernel_ids(kind) - before[kind] for kind in before}
        harness.wait_until(lambda: not any(came[kind] & harness.kernel_ids(kind) for kind in came),
                           "links and programs to be gone: %s" % came)

    def test_limits(self):
        process, _ = self.tasks()
        report = self.inspect(process.pid, "--limits")
        self.assert_limits_as_prlimit(process.pid, report)
        rows = {row["name"]: row for row in report["resource_limits"]}
        self.assertEqual((rows["NOFILE"]["soft_limit"], rows["NOFILE"]["hard_limit"]), (64, 128))
        self.assertAlmostEqual(rows["NOFILE"]["percent"], rows["NOFILE"]["used"] / 64 * 100, 1)
        self.assertEqual((rows["CPU"]["soft_limit"], rows["CPU"]["hard_limit"]), (3600, 7200))
        self.assertIn("used", rows["NPROC"]["not_measured"])
        self.assertGreater(report["oom"][0]["memory_available_bytes"], 1 << 20)

    def test_same_from_capture(self):
        process, _ = self.tasks()
        flags = ["--threads", "--signals", "--limits", "--env-names"]
        for name in ("table", "json", "jsonl"):
            capture, output = self.path(name + ".sooth"), self.path(name)
            self.sooth("inspect", *flags, "--format", name, "-o", output, "--save", capture,
                       str(process.pid))
            later = self.sooth("inspect", *flags, "--format", name, capture)
            self.assertEqual(later.text, harness.read(output).decode())

    def test_a_program_of_32_bits(self):
        if not harness.COMPAT32:
            self.skipTest(harness.NO_32_BITS)
        target = self.start(harness.COMPAT32, "hold")
        target.wait_for_output(b"ready\n")
        harness.wait_until(lambda: harness.system_call_of(target.pid) == 3, "it to read")
        report = self.inspect(target.pid, "--threads", "--signals")
        self.assertEqual(report["threads"][0]["call"], "i386:read")
        self.assertEqual(report["threads"][0]["category"], "file")

    def test_hostile_names(self):
        """A thread whose name ends its field, begins a line and draws."""
        process, _ = self.tasks()
        run = self.sooth("inspect", "--threads", str(process.pid))
        self.assertNotIn("\033", run.text)
        self.assertIn(") R 1\\n\\x1b[31m\"", run.text)

    def test_columns_fit(self):
        process, _ = self.tasks()
        run = self.sooth("inspect", "--threads", "--limits", "--env-names", str(process.pid),
                         env=dict(os.environ, LC_ALL="C"))
        table = run.text.split("\nobserved for ")[0]
        wide = [line for line in table.splitlines() if len(line) > 110]
        self.assertEqual(wide, [])


class Groups(Inspect):
    """Control groups as their files say, made by the test where it may."""

    def make(self, controller, name):
        folder = "/sys/fs/cgroup/%s" % controller
        if not os.access(folder + "/cgroup.procs", os.W_OK):
            self.skipTest("no writable cgroup v1 of %s here" % controller)
        path = os.path.join(folder, name)
        os.mkdir(path)
        self.addCleanup(self.remove, path)
        return path

    @staticmethod
    def remove(path):
        harness.wait_until(lambda: not harness.read(path + "/cgroup.procs"), "the group to empty")
        os.rmdir(path)

    @staticmethod
    def write(path, text):
        with open(path, "w", encoding="ascii") as file:
            file.write(text)

    @needs_root
    def test_memory_and_the_group_above(self):
        name = "sooth-test-%d" % os.getpid()
        above = self.make("memory", name)
        own = self.make("memory", name + "/below")
        self.write(above + "/memory.limit_in_bytes", str(64 << 20))
        process = self.workload("sleep")
        self.write(own + "/cgroup.procs", str(process.pid))
        report = self.inspect(process.pid, "--limits")
        rows = {row["control_group"]: row for row in report["control_groups"] if row["name"] == "memory"}
        mine, limit = rows["/%s/below" % name], rows["/" + name]
        self.assertIsNone(mine["limit"])
        self.assertEqual((limit["limit"], limit["is_inherited"]), (64 << 20, True))
        self.assertEqual(limit["control_group_version"], 1)
        self.assertNotIn("/", rows)  # it has no limit
        self.write(own + "/memory.limit_in_bytes", str(32 << 20))
        rows = {row["control_group"]: row for row in self.inspect(process.pid, "--limits")["control_groups"]
                if row["name"] == "memory"}
        self.assertEqual(rows["/%s/below" % name]["limit"], 32 << 20)
        process.end()

    @needs_root
    def test_pids_and_cpu(self):
        name = "sooth-test-%d" % os.getpid()
        process = self.workload("sleep")
        pids, cpu = self.make("pids", name), self.make("cpu", name)
        self.write(pids + "/pids.max", "17")
        self.write(cpu + "/cpu.cfs_quota_us", "50000")
        for path in (pids, cpu):
            self.write(path + "/cgroup.procs", str(process.pid))
        rows = {row["name"]: row for row in self.inspect(process.pid, "--limits")["control_groups"]
                if row["control_group"] == "/" + name}
        self.assertEqual((rows["pids"]["limit"], rows["pids"]["used"]), (17, 1))
        self.assertEqual(rows["cpu"]["limit"], 500000)
        self.assertIn("used", rows["cpu"]["not_measured"])
        process.end()

    def test_pressure(self):
        report = self.inspect(os.getpid(), "--limits")
        try:
            text = harness.read("/proc/pressure/memory").decode()
        except OSError:
            self.assertEqual(report["pressure"], [])
            self.assertIn("pressure", [row["what"] for row in report["limits"]])
            return
        self.assertIn("some", text)
        host = {row["resource"] for row in report["pressure"] if row["is_host"]}
        self.assertEqual(host, {"cpu", "memory", "io"})


class Environment(Inspect):
    def start_with(self, *entries):
        with open(self.path("entries"), "w", encoding="ascii") as file:
            file.writelines(entry.hex() + "\n" for entry in entries)
        process = self.start(sys.executable, "-c", EXECVE, self.path("entries"))
        harness.wait_until(lambda: harness.read("/proc/%d/comm" % process.pid) == b"sleep\n",
                           "the program to start")
        return process

    def test_names_and_no_values(self):
        process = self.start_with(b"TOKEN=" + SECRET.encode(), b"EMPTY=", b"A.b-c=1",
                                  b"BASH_FUNC_f%%=() { " + SECRET.encode() + b"; }")
        capture = self.path("c.sooth")
        run = self.sooth("inspect", *ALL, "-j", "--save", capture, str(process.pid))
        rows = [(row["name"], row["size_bytes"]) for row in run.json()["environment"]]
        self.assertEqual(rows, [("TOKEN", len(SECRET)), ("EMPTY", 0), ("A.b-c", 1),
                                ("BASH_FUNC_f%%", len(SECRET) + 8)])
        self.assertNotIn(SECRET[:8], run.text)
        decompress = capture_reader.decompressor()
        if not decompress:
            self.skipTest("no zstd here to look into the capture")
        reader = capture_reader.Reader(harness.read(capture), decompress)
        raw = b"".join(block.raw for block in reader.blocks)
        self.assertIn(b"TOKEN", raw)
        for at in range(0, len(SECRET) - 5, 5):
            self.assertNotIn(SECRET[at:at + 6].encode(), raw)

    def test_hostile(self):
        process = self.start_with(b"no equals sign", b"dG9rZW4=", b"\xff\xfe=1", b"=", b"", b"X=2",
                                  b"N" * 300 + b"=1", b"a\033[2J=1", b"LAST=" + b"v" * 100000)
        report = self.inspect(process.pid, "--env-names")
        self.assertEqual([row["name"] for row in report["environment"]],
                         [None, None, None, None, None, None, None, None])
        self.assert_names_as_proc(process.pid, report)

    def test_large(self):
        entries = [b"N%d=%s" % (i, b"v" * 4000) for i in range(400)]
        process = self.start_with(*entries)
        report = self.inspect(process.pid, "--env-names")
        self.assertEqual(len(report["environment"]), 400)
        self.assertEqual(report["environment_totals"][0]["value_bytes"], 1600000)

    @needs_root
    def test_a_page_that_is_never_there(self):
        """The kernel ends the file there, as if it were empty; sooth says that it could not."""
        process = self.workload("stuck_environ", env={"STUCK": "v" * (64 << 10), "LAST": "1"},
                                cannot="this kernel lets nobody hold a page back")
        run = self.start_sooth("inspect", "-j", *ALL, str(process.pid))
        harness.wait_until(lambda: b"environment_totals" in run.out, "the report")
        process.end()  # lets the reading thread go as well
        report = run.finish().json()
        self.assertIn(report["environment_totals"][0]["not_measured"]["variables"],
                      ("could not be read", "no answer from the kernel (dead mount or stuck device)"))
        self.assertEqual(report["threads"][0]["name"], "workloads")


class Real(Inspect):
    @needs_root
    def test_real_programs(self):
        with Programs() as programs:
            for name, pid in programs.held():
                with self.subTest(program=name):
                    # Twice the same: what tells of it is not moved by being told.
                    report = self.inspect(pid, "--threads", "--signals", "--limits", "--env-names")
                    self.assert_threads_as_ps(pid, report, name)
                    self.assert_signals_as_proc(pid, report, name)
                    self.assert_limits_as_prlimit(pid, report, name)
                    self.assert_names_as_proc(pid, report, name)
                    self.assertEqual(harness.process_state(pid), "T")
                    for row in report["signals"]:
                        if row["action"] == "caught" and harness.NR_BPF:
                            self.assertTrue(row["address"], "%s %s" % (name, row))
            for name, reason in programs.missing.items():
                print("not compared: %s: %s" % (name, reason))


class Others(Inspect):
    @needs_root
    def test_as_nobody(self):
        """Another user's process: what the kernel refuses is said, the rest is told."""
        process, truth = self.tasks()
        sooth = self.copy_for_all(harness.SOOTH)
        report = self.run_program(sooth, "inspect", "-j", "--threads", "--signals", "--limits",
                                  "--env-names", str(process.pid), **as_nobody()).json()
        self.assertEqual(len(report["threads"]), len(truth) + 1)
        row = next(row for row in report["threads"] if row["name"] == "in-pipe")
        self.assertEqual((row["call"], row["not_measured"]["call"]), (None, DENIED))
        self.assertEqual(row["not_measured"]["wait_channel"], DENIED)
        self.assertEqual(row["policy"], "other")
        rows = {row["signal"]: row for row in report["signals"]}
        self.assertEqual(rows["SIGUSR1"]["not_measured"]["handler"], DENIED)
        self.assertEqual(rows["SIGUSR1"]["action"], "caught")
        self.assertEqual(report["environment"], [])
        self.assertEqual(report["environment_totals"][0]["not_measured"]["variables"], DENIED)
        self.assertEqual({r["name"]: r["soft_limit"] for r in report["resource_limits"]}["NOFILE"], 64)

    @needs_root
    def test_of_nobody_by_nobody(self):
        sooth = self.copy_for_all(harness.SOOTH)
        process = self.start("/bin/sleep", "100", env={"SECRET": SECRET}, **as_nobody())
        harness.wait_until(lambda: harness.system_call_of(process.pid) == CLOCK_NANOSLEEP,
                           "it to sleep")
        report = self.run_program(sooth, "inspect", "-j", "--threads", "--env-names",
                                  str(process.pid), **as_nobody()).json()
        self.assertEqual(report["threads"][0]["call"], "clock_nanosleep")
        self.assertEqual(report["environment"][0]["name"], "SECRET")

    @needs_bpf
    def test_file_capabilities_are_not_the_callers(self):
        """sooth may use BPF, who calls it may not: handlers of root's process stay unknown."""
        setcap = have("setcap")
        if not setcap:
            self.skipTest("no setcap here (package libcap2-bin)")
        process, _ = self.tasks()
        sooth = self.copy_for_all(harness.SOOTH)
        if self.run_program(setcap, "cap_bpf,cap_perfmon+ep", sooth, status=None).status:
            self.skipTest("this file system keeps no capabilities")
        probe = self.run_program(sooth, "--version", status=None, **as_nobody())
        if probe.status:
            self.skipTest("files here gain no capabilities: mounted nosuid")
        report = self.run_program(sooth, "inspect", "-j", "--signals", str(process.pid),
                                  **as_nobody()).json()
        rows = {row["signal"]: row for row in report["signals"]}
        self.assertEqual(rows["SIGUSR1"]["not_measured"]["handler"], DENIED)
        self.assertIsNone(rows["SIGUSR1"]["address"])
        own = self.start(PYTHON, "-c", "import signal, time\n"
            "signal.signal(10, print); print('set', flush=True); time.sleep(100)", **as_nobody())
        own.wait_for_output(b"set")
        report = self.run_program(sooth, "inspect", "-j", "--signals", str(own.pid),
                                  **as_nobody()).json()
        rows = {row["signal"]: row for row in report["signals"]}
        self.assertTrue(rows["SIGUSR1"]["address"], report)

    @needs_root
    def test_from_another_pid_namespace(self):
        """The ids of the kernel side are those of the namespace, too."""
        run = self.run_program("unshare", "-pf", "--mount-proc", "sh", "-c",
            "sleep 100 & until grep -q sleep /proc/$!/comm; do :; done; "
            "%s inspect -j --signals --threads $!; kill $!" % harness.SOOTH,
            status=None)
        if not run.out and b"unshare" in run.err:
            self.skipTest("no pid namespaces here: %s" % run.errors)
        report = run.json()
        self.assertEqual(report["threads"][0]["name"], "sleep")
        methods = {row["probe"]: row["method"] for row in report["sources"]}
        self.assertEqual(methods["signals"], "bpf")

    @needs_root
    def test_into_another_namespace(self):
        """A process of a container-like child: its handlers' files lie in its own root."""
        child = self.start("unshare", "-pfm", "--mount-proc", sys.executable, "-c",
            "import signal, time\nsignal.signal(10, print)\nprint('set', flush=True)\n"
            "time.sleep(100)")
        child.wait_for_output(b"set")
        inner = int(harness.read("/proc/%d/task/%d/children" % (child.pid, child.pid)).split()[0])
        self.addCleanup(lambda: os.path.exists("/proc/%d" % inner) and os.kill(inner, 9))
        harness.wait_until_asleep(inner)
        report = self.inspect(inner, "--signals", "--threads", "--env-names")
        self.assert_signals_as_proc(inner, report)
        self.assert_threads_as_ps(inner, report)


class Ending(Inspect):
    def test_that_ends_meanwhile(self):
        for delay in (0.0, 0.005, 0.02, 0.1, 0.25):
            target = self.start("/bin/sleep", str(delay))
            run = self.sooth("inspect", *ALL, "-j", str(target.pid), status=None)
            self.assertIn(run.status, (0, 4), run)
            if run.status == 0:
                run.json()

    def test_threads_that_come_and_go(self):
        """2,000 threads come and end while they are read."""
        target = self.start(sys.executable, "-c", "import threading, time\n"
            "print('go', flush=True)\nend = time.time() + 300\nwhile time.time() < end:\n"
            " t = [threading.Thread(target=time.sleep, args=(0.001,)) for _ in range(20)]\n"
            " [x.start() for x in t]; [x.join() for x in t]\n")
        target.wait_for_output(b"go")
        for _ in range(5):
            report = self.inspect(target.pid, "--threads", "--signals")
            self.assertIn(target.pid, [row["tid"] for row in report["threads"]])
            tids = [row["tid"] for row in report["threads"]]
            self.assertEqual(len(tids), len(set(tids)))
            for row in report["threads"]:
                if row["is_new"]:
                    self.assertIsNone(row["cpu_percent"])
        sums = report["threads_totals"][0]
        self.assertEqual(sums["started"], sum(row["is_new"] for row in report["threads"]))

    def test_a_zombie(self):
        parent = self.start(sys.executable, "-c", "import os, time\npid = os.fork()\n"
            "if not pid: os._exit(0)\nprint(pid, flush=True)\ntime.sleep(100)")
        parent.wait_for_output(b"\n")
        zombie = int(parent.out.split()[0])
        harness.wait_until(lambda: harness.process_state(zombie) == "Z", "it to end")
        report = self.inspect(zombie, *ALL)
        self.assertEqual(report["threads"][0]["state"], "Z")
        self.assertEqual(report["environment"], [])

    def test_a_kernel_thread(self):
        if not os.path.exists("/proc/2") or not re.match(b"kthreadd", harness.read("/proc/2/comm")):
            self.skipTest("kernel threads are not seen from here")
        report = self.inspect(2, "--threads", "--signals", "--limits", "--env-names")
        self.assertEqual(report["threads"][0]["name"], "kthreadd")
        self.assertEqual(report["environment"], [])
        self.assertIsNone({row["name"]: row for row in report["resource_limits"]}["AS"]["used"])


class Price(Inspect):
    def test_many_threads(self):
        process = self.workload("threads", "--count", "2000")
        report = self.inspect(process.pid, "--threads")
        self.assertEqual(len(report["threads"]), 2001)
        cost_us = report["self"]["cpu_ns"] / 1000 / 2001 / 2 if "self" in report else None
        print("\n%s us of CPU a thread and reading, all of sooth included" % cost_us)
        if cost_us is not None:
            self.assertLess(cost_us, 500)


if __name__ == "__main__":
    harness.main()
