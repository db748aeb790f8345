# SPDX-License-Identifier: BSD-2-Clause
"""
sooth run: the command runs as if sooth were not there, and each reason for which it fails, hangs or
is killed is told in one paragraph: to root with the sender of a signal, to an ordinary user without.
"""
import json
import os
import pty
import re
import signal
import sys
import time

import harness
from harness import Case, as_nobody, needs_bpf, needs_root, wait_until

PYTHON = os.path.realpath("/usr/bin/python3")
STATE = re.compile(r"^State:\t(\w)", re.M)


def text_of(path):
    try:
        return harness.read(path).decode("utf-8", "strict")
    except FileNotFoundError:
        return ""


def children_of(pid):
    return [int(child) for child in text_of("/proc/%d/task/%d/children" % (pid, pid)).split()]


def command_of(sooth):
    """The pid of the command: the child that is no fork of sooth."""
    def find():
        for pid in children_of(sooth.pid):
            try:
                if os.readlink("/proc/%d/exe" % pid) != os.readlink("/proc/%d/exe" % sooth.pid):
                    return pid
            except FileNotFoundError:
                pass
        return None
    return wait_until(find, "the command")


class RunCase(Case):
    user = {}

    def setUp(self):
        super().setUp()
        os.environ.pop("GITHUB_ACTIONS", None)
        self.program = harness.SOOTH
        self.open_to_all()

    def run_it(self, *command, options=(), status=0, **more):
        return self.run_program(self.program, "run", *options, "--", *command, status=status,
            **{**self.user, **more})

    def start_it(self, *command, options=(), **more):
        return self.start(self.program, "run", *options, "--", *command, **{**self.user, **more})

    def shell(self, script, *arguments, **more):
        return self.run_it("/bin/sh", "-c", script, "sh", *arguments, **more)

    def paragraph(self, run):
        """Exactly one line of sooth, which is what it says."""
        lines = [line for line in run.errors.splitlines() if line.startswith("sooth: ")]
        self.assertEqual(len(lines), 1, run)
        return lines[0]


class Passed(RunCase):
    def test_success_prints_nothing(self):
        run = self.shell("cat; echo error >&2", input=b"input\n")
        self.assertEqual((run.out, run.err), (b"input\n", b"error\n"))

    def test_status(self):
        for status in (1, 2, 100, 255):
            self.assertIn("exited with status %d" % status,
                self.paragraph(self.shell("exit %d" % status, status=status)))

    def test_own_errors(self):
        self.assertIn("cannot run", self.run_it("/nonexistent/program", status=127).errors)
        self.assertIn("cannot run", self.run_it("/etc/passwd", status=126).errors)
        for words in (["run"], ["run", "ls"], ["run", "--no-such-option"],
                      ["run", "--kill-after", "1", "--", "true"],
                      ["run", "--json", "/nonexistent/file", "--", "true"]):
            self.assertIn("sooth: cannot", self.run_program(self.program, *words, status=125).errors)

    def test_what_it_inherits(self):
        """Environment, folder, ignored signals, mask, limits, streams: all as without sooth."""
        code = ("import os, signal, resource; s = open('/proc/self/status').read().splitlines();"
                "print([l for l in s if l.startswith(('Sig', 'Shd', 'NoNew', 'Seccomp', 'Cap', 'Uid', 'Groups'))]);"
                "print(sorted(os.environ.items()), os.getcwd(), os.umask(0), os.getpgrp(), os.getsid(0));"
                "print(sorted(os.listdir('/proc/self/fd')), resource.getrlimit(resource.RLIMIT_NOFILE));"
                "print(open('/proc/self/oom_score_adj').read(), os.nice(0))")
        for ignored in ((), (signal.SIGPIPE, signal.SIGHUP), (signal.SIGCHLD, signal.SIGINT, signal.SIGXFSZ)):
            def prepare():
                for number in ignored:
                    signal.signal(number, signal.SIG_IGN)
                signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
                resource_fd = os.open("/dev/null", os.O_RDONLY)
                os.set_inheritable(resource_fd, True)
            options = {"preexec_fn": prepare, "cwd": self.folder, "restore_signals": False, "process_group": 0}
            alone = self.run_program(PYTHON, "-c", code, **options)
            below = self.run_it(PYTHON, "-c", code, **options)
            alone, below = (re.sub(r"(\d+) (\d+)\n", r"\2\n", r.text, count=1) for r in (alone, below))
            self.assertEqual(below, alone, ignored)

    def test_closed_streams(self):
        """What is closed stays closed, and nothing of sooth goes elsewhere."""
        for closed in ("<&-", ">&-", "2>&-", "<&- >&- 2>&-"):
            run = self.run_program("/bin/sh", "-c", '"$0" run -- /bin/sh -c "ls /proc/self/fd | tr \'\\n\' \' \'  >%s; exit 3" %s'
                % (self.path("fds"), closed), self.program, status=3)
            with open(self.path("fds")) as file:
                self.assertIn("1", file.read())
            self.assertEqual(run.out, b"")

    def test_closed_pipe(self):
        run = self.run_program("/bin/sh", "-c",
            '{ "$0" run -- /bin/sh -c "sleep 0.2; exit 3" 2>&1; echo $? >%s; } | true' % self.path("status"),
            self.program)
        self.assertEqual(text_of(self.path("status")), "3\n", run)

    def test_killed_sooth(self):
        sooth = self.start_it("/bin/sh", "-c", "sleep 1; echo done >%s" % self.path("done"))
        command = command_of(sooth)
        sooth.send(signal.SIGKILL)
        wait_until(lambda: harness.process_state(sooth.pid) in (None, "Z"), "the end of sooth")
        self.assertIn(harness.process_state(command), "SRD")
        wait_until(lambda: os.path.exists(self.path("done")), "the command to end")

    def test_signals_that_are_sent_to_sooth(self):
        script = "for s in INT TERM HUP QUIT USR1 USR2; do trap \"echo $s\" $s; done; echo ready; " \
                 "while :; do sleep 0.05; done"
        sooth = self.start_it("/bin/sh", "-c", script)
        sooth.wait_for_output(b"ready")
        for name in ("INT", "TERM", "HUP", "QUIT", "USR1", "USR2"):
            sooth.send(getattr(signal, "SIG" + name))
            sooth.wait_for_output(name.encode())
        os.kill(command_of(sooth), signal.SIGKILL)
        self.assertEqual(sooth.finish().status, 128 + 9)

    def test_a_signal_to_the_own_group_comes_once(self):
        run = self.shell("trap 'echo got' TERM; kill -TERM 0; sleep 0.3; exit 0", process_group=0)
        self.assertEqual(run.out, b"got\n")

    def test_github(self):
        run = self.run_it("/bin/sh", "-c", "exit 3", status=3, env={**os.environ, "GITHUB_ACTIONS": "true"})
        line = run.errors.splitlines()[1]
        self.assertRegex(line, r"^::error title=sooth run%3A /bin/sh::/bin/sh \(pid \d+\): exited with status 3")
        hostile = self.path("a%,:b##[x]\nc")
        os.symlink("/bin/false", hostile)
        run = self.run_it(hostile, status=1, env={**os.environ, "GITHUB_ACTIONS": "true"})
        title, _, text = run.errors.splitlines()[1].removeprefix("::error title=").partition("::")
        self.assertIn("a%25%2C%3Ab#.[x]\\nc", title)
        self.assertNotIn("##[", run.errors)
        self.assertIn("a%25,:b#.[x]\\nc", text)

    def test_json(self):
        for code in (0, 3):
            self.shell("exit %d" % code, status=code, options=["--json", self.path("end.json")])
            with open(self.path("end.json")) as file:
                row = json.load(file)["command"]
            self.assertEqual((row["exit_status"], row["ended_by"]), (code, "exited with status %d" % code))
            self.assertEqual(bool(row["text"]), bool(code))
            self.assertEqual((row["signal"], row["is_timed_out"], row["left_running"]), (None, False, []))


    def test_json_of_what_is_left(self):
        run = self.shell("sleep 30 > /dev/null 2>&1 & echo $!; sleep 1.5; exit 1", status=1,
                         options=["--json", self.path("end.json")])
        with open(self.path("end.json")) as file:
            left = json.load(file)["command"]["left_running"]
        self.assertEqual([(row["pid"], row["name"]) for row in left], [(int(run.out), "sleep")])
        os.kill(int(run.out), signal.SIGKILL)

    def test_other_jobs_of_a_script(self):
        """Neither the shell nor its other jobs were started by the command."""
        run = self.run_program("sh", "-c", '"$0" run -- sh -c "sleep 1.5; exit 1" & sleep 0.3; '
                               '(sleep 3 &); wait', harness.SOOTH)
        self.assertNotIn("Still running", run.errors)


class Explained(RunCase):
    def test_time_over(self):
        run = self.shell("sleep 60; :", status=124, options=["-t", "500ms"])
        self.assertRegex(self.paragraph(run), r"did not end within 500 ms; sooth sent SIGTERM to what it had started, "
            r"and it ended after .*Just before: sh \(\d+\) waits for its child sleep \(\d+\)")

    def test_term_is_ignored(self):
        begun = time.monotonic()
        run = self.run_it(PYTHON, "-c", "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)",
            status=124, options=["-t", "1s", "--kill-after", "500ms"])
        self.assertIn("SIGTERM, then SIGKILL,", self.paragraph(run))
        self.assertLess(time.monotonic() - begun, 20)

    def test_all_descendants_are_ended(self):
        """Also one with a session of its own, and one whose parent has ended before."""
        pids = self.path("pids")
        run = self.shell("(setsid sleep 61 & echo $! >>%s; sleep 1.5) & setsid sh -c 'echo $$ >>%s; exec sleep 62' & sleep 63"
            % (pids, pids), status=124, options=["-t", "3s"])
        for pid in text_of(pids).split():
            self.assertIn(harness.process_state(int(pid)), (None, "Z"), run)
        self.assertNotIn("Still running", run.errors)

    def test_a_child_stays(self):
        run = self.shell("sleep 60 >/dev/null 2>&1 & echo $!; sleep 1.5; exit 3", status=3)
        pid = int(run.text)
        self.addCleanup(os.kill, pid, signal.SIGKILL)
        self.assertRegex(self.paragraph(run), r"Still running: sleep \(pid %d, .* old\); to end: sooth kill --any %d" % (pid, pid))

    def test_a_child_stays_that_was_orphaned_at_once(self):
        run = self.shell("sleep 60 >/dev/null 2>&1 & echo $!; exit 3", status=3, process_group=0)
        pid = int(run.text)
        self.addCleanup(os.kill, pid, signal.SIGKILL)
        self.assertRegex(self.paragraph(run), r"Still running: (sh|sleep) \(pid %d" % pid)

    def test_lock_holder(self):
        lock = self.path("lock")
        holder = self.start("/usr/bin/flock", lock, "sleep", "60", **self.user)
        wait_until(lambda: "FLOCK" in text_of("/proc/locks") and os.path.exists(lock), "the lock")
        time.sleep(0.3)
        run = self.run_it("/usr/bin/flock", lock, "true", status=124, options=["-t", "1s"])
        self.assertRegex(self.paragraph(run), r"Just before: flock \(\d+\) waits for .*lock.* (held by )?(flock|sleep) \(\d+\)")
        holder.end()

    def test_stopped(self):
        sooth = self.start_it("/bin/sleep", "60", options=["-t", "2s"])
        os.kill(command_of(sooth), signal.SIGSTOP)
        run = sooth.finish()
        self.assertEqual(run.status, 124)
        self.assertRegex(self.paragraph(run), r"Just before: sleep \(\d+\) is stopped by a signal|Just before: .*stopped")

    def test_it_looked_stuck_and_is_killed(self):
        sooth = self.start_it("/bin/sh", "-c", "sleep 60; :")
        command = command_of(sooth)
        time.sleep(8)
        child = children_of(command)[0]
        self.addCleanup(os.kill, child, signal.SIGKILL)
        os.kill(command, signal.SIGKILL)
        run = sooth.finish()
        self.assertEqual(run.status, 137)
        self.assertRegex(self.paragraph(run), r"killed by SIGKILL.* s before its end: sh \(\d+\) waits for its child sleep")
        self.assertIn("Still running: sleep (pid %d" % child, run.errors)

    def test_a_signal_that_was_passed_on(self):
        said = r"ended by SIGTERM, which python[\d.]* \(pid %d\) sent to sooth, after " % os.getpid()
        for pause in (0.3, 2, 8):  # the signal does not wait for a reading of waits that takes long on a busy host
            sooth = self.start_it("/bin/sh", "-c", "sleep 60; :")
            command_of(sooth)
            time.sleep(pause)
            sooth.send(signal.SIGTERM)
            run = sooth.finish()
            self.assertEqual(run.status, 143)
            self.assertRegex(self.paragraph(run), said)
            if "waits for its child sleep" in run.errors:
                return
        self.fail(run)

    def test_abort_and_limits(self):
        for script, text, number in (
                ("kill -ABRT $$", "aborted (SIGABRT)", signal.SIGABRT),
                ("kill -SEGV $$", "SIGSEGV", signal.SIGSEGV),
                ("ulimit -f 1; exec head -c 100000 /dev/zero >%s" % self.path("large"), "file size limit (SIGXFSZ)",
                 signal.SIGXFSZ),
                ("ulimit -S -t 1; while :; do :; done", "CPU time limit (SIGXCPU)", signal.SIGXCPU)):
            with self.subTest(script):
                self.assertIn(text, self.paragraph(self.shell(script, status=128 + number)))

    def test_memory_limit(self):
        run = self.shell("ulimit -v 300000; exec %s -c 'x = bytearray(10 ** 9)'" % PYTHON, status=1)
        self.assertIn("exited with status 1", self.paragraph(run))


@needs_root
class ExplainedToAnOrdinaryUser(Explained):
    def setUp(self):
        super().setUp()
        self.user = as_nobody()
        self.program = self.copy_for_all(harness.SOOTH)


@needs_bpf
class OfRoot(RunCase):
    def test_killed_by_another_process(self):
        sooth = self.start_it("/bin/sleep", "60")
        command = command_of(sooth)
        killer = self.start("/bin/sh", "-c", "/bin/kill -9 %d; read x" % command)
        run = sooth.finish()
        self.assertRegex(self.paragraph(run), r"killed by SIGKILL from kill \(pid \d+\), started by sh \(pid %d\), after" % killer.pid)

    def test_last_error_in_a_pipe(self):
        run = self.shell("echo 'Error: no such table' >&2; sleep 0.2; exit 3", status=3, options=["--errors"])
        self.assertRegex(self.paragraph(run), "Last error: .*no such table")

    def test_a_killed_child(self):
        sooth = self.start_it("/bin/sh", "-c", "sleep 60; exit 7")
        command = command_of(sooth)
        child = wait_until(lambda: [pid for pid in children_of(command)
                                    if text_of("/proc/%d/comm" % pid).strip() == "sleep"], "sleep")[0]
        os.kill(child, signal.SIGKILL)
        self.assertRegex(self.paragraph(sooth.finish()), r"exited with status 7, after .*; before that, its child sleep "
            r"\(pid %d\) was ended by SIGKILL from python" % child)

    def test_out_of_memory(self):
        group, limit = "/sys/fs/cgroup/memory/sooth-run-%d" % os.getpid(), "memory.limit_in_bytes"
        if not os.path.exists(os.path.dirname(group)):
            group, limit = group.replace("/memory/", "/"), "memory.max"
        try:
            os.mkdir(group)
            self.addCleanup(lambda: os.rmdir(group))
            with open(os.path.join(group, limit), "w") as file:
                file.write("50M")
        except OSError as error:
            self.skipTest("no control group with a memory limit: %s" % error)
        run = self.shell("echo $$ >%s/cgroup.procs; exec %s -c 'x = b\"x\" * (200 << 20)'" % (group, PYTHON), status=137)
        self.assertRegex(self.paragraph(run), r"killed by the kernel: .*out of memory|ran out of memory")


class AtATerminal(RunCase):
    """A shell with job control, as far as it matters: it waits for its job, and gets the terminal back."""

    def job(self, *words, options=()):
        pid, terminal = pty.fork()
        if not pid:
            os.execv(self.program, [self.program, "run", *options, "--", *words])
        self.addCleanup(os.close, terminal)
        self.addCleanup(lambda: (os.kill(pid, signal.SIGKILL), os.waitpid(pid, 0)) if self.is_there(pid) else None)
        return pid, terminal

    @staticmethod
    def is_there(pid):
        try:
            return os.waitpid(pid, os.WNOHANG) == (0, 0)
        except ChildProcessError:
            return False

    def read_until(self, terminal, pattern):
        text = b""
        until = time.monotonic() + harness.PATIENCE_S
        while not re.search(pattern, text) and time.monotonic() < until:
            try:
                text += os.read(terminal, 4096)
            except OSError:
                break
        self.assertRegex(text, pattern)
        return text

    def test_it_is_the_terminal(self):
        _, terminal = self.job("/bin/sh", "-c", "test -t 0 && test -t 1 && test -t 2 && echo is terminal")
        self.read_until(terminal, b"is terminal")

    def test_ctrl_c_comes_once(self):
        pid, terminal = self.job("/bin/sh", "-c", "trap 'echo got; n=x$n' INT; echo ready; while [ ${#n} -lt 1 ]; do sleep 0.1; done; "
            "sleep 0.5; echo n=$n; exit 5")
        self.read_until(terminal, b"ready")
        os.write(terminal, b"\x03")
        self.read_until(terminal, b"n=x\r")
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 5)

    def test_it_waits_for_the_terminal(self):
        pid, terminal = self.job("/bin/cat", options=["-t", "1s"])
        self.read_until(terminal, rb"Just before: cat \(\d+\) waits for input from its terminal")
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 124)

    def test_stop_and_go_on(self):
        """Ctrl-Z stops both, and a shell sees the job stop; it continues both."""
        shell, terminal = pty.fork()
        if not shell:
            os.execv("/bin/bash", ["/bin/bash", "--norc", "--noprofile", "-i"])
        self.addCleanup(os.close, terminal)
        self.addCleanup(lambda: (os.kill(shell, signal.SIGKILL), os.waitpid(shell, 0)))
        # A shell that is in vfork() when Ctrl-Z comes cannot stop: it has started all before it is ready.
        os.write(terminal, b"PS1='>'; %s run -- sh -c 'sleep 2 & echo rea\"\"dy; wait; echo do\"\"ne'\n" % self.program.encode())
        self.read_until(terminal, b"ready")
        os.write(terminal, b"\x1a")
        self.read_until(terminal, b"Stopped")
        os.write(terminal, b"fg\n")
        self.read_until(terminal, b"done")
        os.write(terminal, b"echo st$?\n")
        self.read_until(terminal, b"st0")


if __name__ == "__main__":
    harness.main()
