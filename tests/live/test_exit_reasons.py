# SPDX-License-Identifier: BSD-2-Clause
"""
Why it died: who sent the signal, where the core went, what is told without privilege, and of what
was gone before sooth came. Nothing ends before the capture is there: then all is attached.
"""
import os
import resource
import signal
import sys
import time

import harness
from harness import Case, as_nobody, needs_bpf, needs_root, wait_until

PYTHON = os.path.realpath(sys.executable)
HOLD = "import sys; print('ready', flush=True); sys.stdin.read(); "


def finding_of(report):
    """The one finding of the one process; None: there is none."""
    found = [f for p in report["processes"] for f in p["findings"] if f["id"] == "ended-abnormally"]
    assert len(found) <= 1, found
    return found[0] if found else None


def evidence_of(finding):
    return {e["name"]: e["text"] for e in finding["evidence"]}


def fine_of(report):
    return [f["text"] for p in report["processes"] for f in p["fine"]
            if f["id"] == "ended-abnormally"]


class Ends(Case):
    def setUp(self):
        super().setUp()
        os.environ["XDG_CONFIG_HOME"] = "/nonexistent"
        self.program = harness.SOOTH
        self.user = {}

    def target(self, code, argv=(), **options):
        """It does what is asked of it when its standard input ends."""
        process = self.start(PYTHON, "-c", HOLD + code, *argv, cwd=self.folder, **options)
        process.wait_for_output(b"ready")
        return process

    def diagnose(self, pid, deed):
        """The report of a live run until `deed` had ended the process, the same as from its capture."""
        capture = self.path("ends.sooth")
        watcher = self.start(self.program, "diagnose", "-j", "--duration", "600", "--save",
            capture, str(pid), **self.user)
        wait_until(lambda: os.path.exists(capture) or not watcher.is_running(), "the watcher")
        deed()
        wait_until(lambda: harness.process_state(pid) in (None, "Z"), "its end")
        watcher.send(signal.SIGINT)
        run = watcher.finish()
        self.assertEqual(run.status, 0, run)
        self.assertEqual(self.sooth("diagnose", "-j", capture).json()["processes"],
            run.json()["processes"])
        return run.json()


@needs_bpf
class Watched(Ends):
    def test_the_sender_is_named(self):
        target = self.target("")
        # Not our child, so not the parent: a shell that runs `kill`.
        killer = self.start("/bin/sh", "-c", "read x; /bin/kill -9 %d; read y" % target.pid)
        report = self.diagnose(target.pid, lambda: killer.say(b"\n"))
        finding = finding_of(report)
        self.assertEqual(finding["severity"], "medium")
        self.assertRegex(finding["claim"],
            r"^killed by SIGKILL from kill \(pid \d+\), started by sh \(pid %d\)$" % killer.pid)
        self.assertEqual(evidence_of(finding)["user id of the sender"], str(os.geteuid()))
        (time_s,) = [e["value"] for e in finding["evidence"]
                     if e["name"] == "time between the signal and the exit"]
        self.assertGreater(time_s, 0)  # some microseconds
        killer.say(b"\n")

    def test_its_parent_asks(self):
        target = self.target("")
        report = self.diagnose(target.pid, lambda: target.send(signal.SIGTERM))
        self.assertIsNone(finding_of(report))
        self.assertEqual(fine_of(report), ["ended by SIGTERM from its parent %s (pid %d)" % (
            harness.read("/proc/self/comm").decode().strip(), os.getpid())])

    def test_who_asked_first_and_then_killed(self):
        """A handler that ends with status 0: nobody is to blame, and it is told who asked."""
        target = self.start(PYTHON, "-c",
            "import signal, sys, time; signal.signal(15, lambda *_: sys.exit(0)); "
            "print('ready', flush=True); time.sleep(600)")
        target.wait_for_output(b"ready")
        report = self.diagnose(target.pid, lambda: target.send(signal.SIGTERM))
        self.assertIsNone(finding_of(report))
        self.assertRegex(fine_of(report)[0], "^exited with status 0 after SIGTERM from its parent ")

    def test_a_handler_that_sends_it_once_more(self):
        """The one who began is named, not the process itself."""
        target = self.start(PYTHON, "-c",
            "import os, signal, sys, time\n"
            "def last(*_):\n signal.signal(15, signal.SIG_DFL)\n os.kill(os.getpid(), 15)\n"
            "signal.signal(15, last)\nprint('ready', flush=True)\ntime.sleep(600)")
        target.wait_for_output(b"ready")
        killer = self.start("/bin/sh", "-c", "read x; kill %d; read y" % target.pid)
        finding = finding_of(self.diagnose(target.pid, lambda: killer.say(b"\n")))
        self.assertEqual(finding["severity"], "info")
        self.assertIn("from sh (pid %d)" % killer.pid, finding["claim"])
        killer.say(b"\n")

    def test_its_parent_ends(self):
        """PR_SET_PDEATHSIG: whose end it was."""
        parent = self.start(PYTHON, "-c",
            "import ctypes, os, sys\n"
            "child = os.fork()\n"
            "if not child:\n"
            "    ctypes.CDLL(None).prctl(1, 9)\n"
            "    print('ready', os.getpid(), flush=True)\n"
            "    import time; time.sleep(600)\n"
            "sys.stdin.read()")
        parent.wait_for_output(b"\n")
        pid = int(bytes(parent.out).split()[1])
        finding = finding_of(self.diagnose(pid, parent.close_stdin))
        self.assertIn("PR_SET_PDEATHSIG", evidence_of(finding)["because"])
        self.assertIn("(pid %d)" % parent.pid, finding["claim"])

    def test_a_fault_and_its_core(self):
        pattern = harness.read("/proc/sys/kernel/core_pattern").decode().strip()
        if "/" in pattern or "|" in pattern:
            self.skipTest("cores go to " + pattern)
        target = self.target("import ctypes; ctypes.string_at(24)",
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE,
                (resource.RLIM_INFINITY, resource.RLIM_INFINITY)))
        finding = finding_of(self.diagnose(target.pid, target.close_stdin))
        self.assertEqual(finding["severity"], "high")
        self.assertEqual(finding["claim"], "crashed: SIGSEGV at address 0x18")
        name, size = evidence_of(finding)["core"].rsplit(", ", 1)
        self.assertEqual(os.path.dirname(name), os.path.realpath(self.folder))
        self.assertIn(os.path.basename(name), os.listdir(self.folder))
        self.assertRegex(size, r"^\d")
        self.assertIn("with a core", evidence_of(finding)["status"])

    def test_a_launched_command(self):
        run = self.sooth("diagnose", "-j", "--", "/bin/sh", "-c", "exit 3", status=3)
        self.assertEqual(finding_of(run.json())["claim"], "exited with status 3")

    def test_a_zombie_of_before(self):
        parent = self.start(PYTHON, "-c",
            "import os, sys\nchild = os.fork()\nif not child: os._exit(9)\n"
            "os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)\n"
            "print('ready', child, flush=True)\nsys.stdin.read()")
        parent.wait_for_output(b"\n")
        pid = int(bytes(parent.out).split()[1])
        finding = finding_of(self.diagnose(pid, lambda: None))
        self.assertEqual(finding["claim"], "exited with status 9")

    def test_the_view(self):
        target, capture = self.target("import os; os._exit(5)"), self.path("view.sooth")
        watcher = self.start_sooth("record", "--probe", "exit_reasons", "--stream", "-o", capture, "-p",
            str(target.pid))
        wait_until(lambda: os.path.exists(capture), "the watcher")
        target.close_stdin()
        # The one who waits for it is us; sooth hears of it all the same.
        self.assertEqual(watcher.finish().status, 0)
        row = self.sooth("report", "-j", capture).json()["ends"][0]
        self.assertEqual((row["pid"], row["exit_code"], row["signal_number"], row["end"]),
            (target.pid, 5, None, "exit status 5"))
        self.assertGreater(row["rss_peak_bytes"], 1 << 20)

    def test_nobody_else(self):
        """Who was not named is not told of, however it ends."""
        capture = self.path("one.sooth")
        target, other = self.target(""), self.target("")
        watcher = self.start_sooth("record", "--probe", "exit_reasons", "--stream", "-o", capture, "-p",
            str(target.pid))
        wait_until(lambda: os.path.exists(capture), "the watcher")
        other.send(signal.SIGKILL)
        other.child.wait()
        target.send(signal.SIGKILL)
        self.assertEqual(watcher.finish().status, 0)
        rows = self.sooth("report", "-j", capture).json()["ends"]
        self.assertEqual([(r["pid"], r["signal_number"], r["sender_pid"]) for r in rows],
            [(target.pid, 9, os.getpid())])

    def test_children(self):
        """Of a child: the signal that ended it, and its sender; of one that exits by itself nothing."""
        capture = self.path("children.sooth")
        target = self.target(
            "import os, subprocess\n"
            "for way in '/bin/sh -c \"kill \$PPID; :\"; :', 'trap \"exit 7\" TERM; kill $$; :', 'exit 3':\n"
            "    subprocess.run(['/bin/sh', '-c', way])\n"
            "subprocess.run(['/bin/sh', '-c', '/bin/sh -c \"kill -9 \$\$; :\"; :'])\n"
            "worker = subprocess.Popen(['/bin/sleep', '60'])\n"
            "worker.kill(); worker.wait()\n")
        watcher = self.start_sooth("record", "--probe", "exit_reasons", "--stream", "-o", capture, "-p",
            str(target.pid))
        wait_until(lambda: os.path.exists(capture), "the watcher")
        target.close_stdin()
        self.assertEqual(watcher.finish().status, 0)
        rows = self.sooth("query", "-j", capture, "select * from ends_child order by time_ns").json()["rows"]
        self.assertEqual({r["pid"] for r in rows}, {target.pid})
        way = lambda r: ("parent" if r["sender_pid"] == r["ppid"] else "itself" if r["sender_pid"] == r["child_pid"]
            else "own child" if r["sender_ppid"] == r["child_pid"] else r)
        self.assertEqual([(r["wait_status"], r["signal_number"], way(r), r["ppid"] == target.pid) for r in rows],
            [(15, 15, "own child", True), (7 << 8, 15, "itself", True), (9, 9, "itself", False),
             (9, 9, "parent", True)])
        self.assertEqual(rows[3]["sender_name"], os.path.basename(PYTHON)[:15])

    def test_everybody(self):
        """Of a user's processes also those that nobody named."""
        capture = self.path("all.sooth")
        target = self.start("/bin/sleep", "600", **as_nobody())
        watcher = self.start_sooth("record", "--probe", "exit_reasons", "--stream", "-o", capture, "-u",
            str(harness.NOBODY))
        wait_until(lambda: os.path.exists(capture), "the watcher")
        late = self.start("/bin/sh", "-c", "exit 4", **as_nobody())
        late.finish()
        target.send(signal.SIGKILL)
        target.child.wait()
        watcher.send(signal.SIGINT)
        self.assertEqual(watcher.finish().status, 0)
        rows = {r["pid"]: r for r in self.sooth("report", "-j", capture).json()["ends"]}
        self.assertEqual(rows[late.pid]["exit_code"], 4)
        self.assertEqual((rows[target.pid]["signal_number"], rows[target.pid]["sender_pid"]),
            (9, os.getpid()))
        self.assertNotIn(os.getpid(), rows)


@needs_root
class Unprivileged(Ends):
    """The status is known, who sent a signal is not, and both is said."""

    def setUp(self):
        super().setUp()
        self.program = self.copy_for_all(harness.SOOTH)
        self.user = dict(as_nobody(), cwd=self.folder)

    def sleeper(self):
        return self.start("/bin/sleep", "600", **as_nobody())

    def test_a_signal(self):
        target = self.sleeper()
        finding = finding_of(self.diagnose(target.pid, lambda: target.send(signal.SIGKILL)))
        self.assertEqual(finding["claim"], "killed by SIGKILL")
        self.assertTrue(any("which process sent the signal" in text for text in finding["caveats"]), finding)
        self.assertNotIn("sent by", evidence_of(finding))

    def test_waited_for(self):
        """One that its parent has waited for: only a descriptor of it tells, since Linux 6.15."""
        release = tuple(int(n) for n in os.uname().release.split("-")[0].split(".")[:2])
        target = self.start("/bin/sh", "-c", "read x; exit 6", **as_nobody())

        def deed():
            target.close_stdin()
            target.child.wait()

        report = self.diagnose(target.pid, deed)
        if release >= (6, 15):
            self.assertEqual(finding_of(report)["claim"], "exited with status 6")
        else:
            self.assertIsNone(finding_of(report))
            self.assertIn("sooth did not see the exit of the process", str(report["processes"][0]["unseen"]))


class Gone(Ends):
    """One that ended before anybody asked."""

    def test_nothing_is_known(self):
        target = self.start("/bin/true")
        target.child.wait()
        run = self.sooth("diagnose", str(target.pid), status=4)
        self.assert_says_three_lines(run, str(target.pid))
        self.assertEqual(run.out, b"")

    def test_one_of_several(self):
        """It is named on standard error, and the exit status says so; the others are diagnosed."""
        target = self.start("/bin/true")
        target.child.wait()
        there = self.start("/bin/sleep", "600")
        for words in ([str(there.pid), str(target.pid)], ["-p", "%d,%d" % (target.pid, there.pid)],
                      [str(target.pid), "-j", "--fail-on", "info", "-p", str(there.pid)],
                      ["--quick", str(there.pid), str(target.pid)]):
            run = self.sooth("diagnose", *words, status=4)
            self.assertIn("cannot find process %d: no process has this PID" % target.pid,
                          run.errors)
            self.assertIn(str(there.pid), run.text)

    @needs_root
    def test_the_log_knows(self):
        if harness.read("/proc/sys/debug/exception-trace").strip() != b"1":
            self.skipTest("faults are not logged here")
        target = self.target("import ctypes; ctypes.string_at(48)")
        target.close_stdin()
        target.child.wait()
        deadline = time.monotonic() + 10
        run = self.sooth("diagnose", "-j", str(target.pid), status=None)
        while run.status and time.monotonic() < deadline:
            run = self.sooth("diagnose", "-j", str(target.pid), status=None)
        if run.status == 4:
            self.skipTest("the log has limited its rate")
        self.assertEqual(run.status, 0, run)
        finding = finding_of(run.json())
        self.assertEqual((finding["severity"], finding["confidence"]), ("high", "medium"))
        self.assertEqual(evidence_of(finding)["address"], "0x30")
        self.assertTrue(any("PIDs are reused" in text for text in finding["caveats"]))
        self.assertEqual(run.json()["processes"][0]["name"],
            os.path.basename(PYTHON)[:15])
        self.beside_others(target.pid)

    def beside_others(self, pid):
        """Of one who is gone and one who is not; and of a third nobody knows anything."""
        name = "process %d" % pid
        there, unknown = self.start("/bin/sleep", "600"), self.start("/bin/true")
        unknown.child.wait()
        for how in (["--quick"], ["--duration", "100ms"]):
            run = self.sooth("diagnose", "-j", *how, str(there.pid), str(pid))
            self.assertIn(name, run.errors)
            self.assertIn(name, [limit["what"] for limit in run.json()["limits"]])
            self.assertIsNotNone(finding_of(run.json()))
            self.sooth("diagnose", *how, "--fail-on", "high", str(there.pid), str(pid), status=1)
            run = self.sooth("diagnose", *how, str(pid), str(unknown.pid), status=4)
            self.assert_says_three_lines(run, "process %d" % unknown.pid)


if __name__ == "__main__":
    harness.main()
