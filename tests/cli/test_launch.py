# SPDX-License-Identifier: BSD-2-Clause
"""sooth trace -- COMMAND: the command runs as if sooth were not there, and so does its status."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "live"))

import json
import re
import signal
import time

import harness
from harness import Case, needs_bpf


@needs_bpf
class Launch(Case):
    def trace(self, *command, mode=("-c",), **options):
        return self.sooth("trace", *mode, "-o", self.path("out"), "--", *command, **options)

    def test_status_is_passed_through(self):
        for status in (0, 1, 7, 127, 255):
            for mode in (["-c"], ["-c", "-j"], []):
                self.trace("/bin/sh", "-c", "exit %d" % status, mode=mode, status=status)
                self.assertGreater(os.path.getsize(self.path("out")), 100)

    def test_status_of_a_recording(self):
        self.sooth("record", "-o", self.path("capture"), "--", "/bin/sh", "-c", "exit 7", status=7)
        self.sooth("report", self.path("capture"))

    def test_signal_is_passed_through(self):
        for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGUSR1, signal.SIGINT):
            self.trace("/bin/sh", "-c", "kill -%d $$" % number, status=128 + number)
        self.trace("/bin/sh", "-c", "kill -SEGV $$", status=128 + signal.SIGSEGV)

    def test_dry_run(self):
        """What would be attached is said; the command does not run, and no file is written."""
        run = self.sooth("heap", "--dry-run", "-j", "--", "touch", self.path("touched"))
        rows = {row["probe"]: row for row in json.loads(run.out)["plan"]}
        self.assertEqual(rows["heap"]["event"], "allocation or release")
        self.assertGreater(rows["heap"]["target_overhead_ns"], 0)
        self.assertIsNone(rows["proc"]["event"])
        self.sooth("record", "--dry-run", "-o", self.path("capture"), "--", "touch", self.path("touched"))
        run = self.sooth("trace", "--dry-run", "-p", str(os.getpid()))
        self.assertIn("system call", run.out.decode())
        self.assertEqual(os.listdir(self.folder), [])

    def test_not_found(self):
        for command in ("/nonexistent/program", "no-such-program-here"):
            run = self.trace(command, status=127)
            self.assert_says_three_lines(run, command)

    def test_ended_while_it_is_held(self):
        """Whatever moment somebody kills it in, that is told, and not waited for."""
        for delay_ms in (0, 10, 20, 30, 40, 60, 80):
            sooth = self.start_sooth("trace", "-c", "-o", self.path("out"), "--", "/bin/sleep", "60")
            # Root's sooth has forked two processes that parse before, which get their names a moment later.
            children = "/proc/%d/task/%d/children" % (sooth.pid, sooth.pid)
            child = harness.wait_until(lambda: harness.read(children).split()[2 * (os.geteuid() == 0):], "the command")[0]
            time.sleep(delay_ms / 1000)
            os.kill(int(child), signal.SIGKILL)
            self.assertIn(sooth.finish().status, (4, 128 + signal.SIGKILL), delay_ms)

    def test_not_executable(self):
        path = self.path("plain")
        with open(path, "w") as file:
            file.write("echo hello\n")
        for plain in (path, self.folder):
            run = self.trace(plain, status=126)
            self.assert_says_three_lines(run, plain, "not executable")

    def test_options_of_strace(self):
        """What users of strace type: a qualifier, -q, a duration without a leading zero."""
        for words in (("-e", "openat"), ("-e", "trace=openat"), ("-e", "t=openat"),
                      ("-q", "-e", "openat"), ("-d", ".5", "-e", "openat")):
            self.trace("/bin/true", mode=("-c", *words))
            table = harness.read(self.path("out")).decode()
            self.assertEqual(re.findall(r"(?m)^([a-z_0-9]+) +\d", table), ["openat"], words)

    def test_a_script_without_its_first_line(self):
        """exec(3): the shell runs it."""
        path = self.path("script")
        with open(path, "w") as file:
            file.write('echo "$1"; exit 9\n')
        os.chmod(path, 0o755)
        self.assertEqual(self.trace(path, "hello", status=9).out, b"hello\n")

    def test_options_after_the_dashes_are_the_commands(self):
        run = self.trace("/bin/echo", "-c", "-j", "--help", "--", "-o")
        self.assertEqual(run.out, b"-c -j --help -- -o\n")

    def test_standard_streams(self):
        data = bytes(range(256)) * 4000
        for mode in (["-c"], []):
            run = self.trace("/bin/sh", "-c", "cat; echo problem >&2", mode=mode, input=data)
            self.assertEqual(run.out, data)
            self.assertEqual(run.err, b"problem\n")

    def test_with_the_report_on_standard_output(self):
        """The command's own output is there too, whole."""
        run = self.sooth("trace", "-c", "--", "/bin/echo", "its own words")
        self.assertEqual(run.text.count("its own words\n"), 1)
        self.assertIn("execve", run.text)

    def test_the_same_world(self):
        """Working directory, environment, group, session, mask, signals, limits and descriptors."""
        script = ("pwd; env | sort | grep -v ^_=; umask; ulimit -a; ls -l /proc/self/fd | wc -l; "
                  "cut -d' ' -f6 /proc/self/stat; "
                  "grep -E '^(Sig(Blk|Ign|Cgt)|Groups|Uid|Gid|Cap|NoNewPrivs|Seccomp)' "
                  "/proc/self/status")
        environment = dict(os.environ, SOOTH_TEST="a value with blanks")
        plain = self.run_program("/bin/bash", "-c", script, cwd=self.folder, env=environment)
        traced = self.trace("/bin/bash", "-c", script, cwd=self.folder, env=environment)
        self.assertEqual(traced.text, plain.text)

    def test_limit_of_open_files(self):
        """sooth raises its own, not that of the command; with too few files it gives no answer."""
        few = 'ulimit -%s; exec "$0" "$@"'
        self.run_program("/bin/sh", "-c", few % "Sn 100", harness.SOOTH, "trace", "-c", "-o", self.path("out"),
                         "--", "/bin/sh", "-c", "ulimit -Sn >" + self.path("limit"))
        self.assertEqual(harness.read(self.path("limit")), b"100\n")
        run = self.run_program("/bin/sh", "-c", few % "n 8", harness.SOOTH, "why", str(os.getpid()), status=5)
        self.assert_says_three_lines(run, "8 open files", "ulimit -n")

    def test_what_sooth_opened_is_not_inherited(self):
        run = self.trace("/bin/sh", "-c", "ls -l /proc/$$/fd")
        self.assertNotIn("bpf", run.text)
        self.assertNotIn(self.folder, run.text)

    def test_blocked_and_ignored_signals_stay(self):
        """nohup: what the caller ignores, the command ignores."""
        script = "grep SigIgn /proc/self/status"
        plain = self.run_program("/usr/bin/nohup", "/bin/sh", "-c", script)
        traced = self.run_program("/usr/bin/nohup", harness.SOOTH, "trace", "-c", "-o",
                                  self.path("out"), "--", "/bin/sh", "-c", script)
        self.assertEqual(traced.out, plain.out)

    def test_children_left_behind_are_followed(self):
        """The command ends, its child goes on: its calls still belong, its end ends the run."""
        self.trace("/bin/sh", "-c", "(/bin/sleep 0.5; exec /bin/true) & exit 3", mode=["-c", "-j"],
                   status=3)
        counts = harness.table_counts(harness.json.loads(harness.read(self.path("out"))))
        self.assertEqual(counts["execve"][0], 3, counts)

    def test_a_duration_does_not_end_the_command(self):
        run = self.sooth("trace", "-c", "-d", "0.2", "-o", self.path("out"), "--", "/bin/sh", "-c",
                         "sleep 0.7; echo to the end; exit 5", status=5)
        self.assertEqual(run.out, b"to the end\n")
        self.assertIn("the recording has ended; waiting for the exit status of the command (pid ", run.errors)

    def test_the_report_does_not_wait_for_the_command(self):
        sooth = self.start_sooth("heap", "-d", "0.2", "--", "/bin/sh", "-c", "read -r x; exit 6")
        harness.wait_until(lambda: b"waiting for the exit status" in sooth.err and b"CALLS" in sooth.out, "the report")
        sooth.say(b"end\n")
        self.assertEqual(sooth.finish().status, 6)

    def test_interrupt_of_the_whole_group(self):
        """
        Ctrl-C on a terminal reaches both: a whole report, and the command's own end. Sooth gives
        it a moment for that; here it only looks once that moment was long enough.
        The shell forks nobody: dash forgets a Ctrl-C that comes while it does.
        """
        sooth = self.start_sooth("trace", "-c", "-j", "--", "/bin/sh", "-c",
                                 "echo ready $$ >&2; exec sleep 100", start_new_session=True)
        harness.wait_until(lambda: re.search(rb"ready \d+\n", sooth.err), "the command to run")
        command = int(bytes(sooth.err).split()[1])
        sooth.send(signal.SIGSTOP)
        os.killpg(sooth.pid, signal.SIGINT)
        harness.wait_until(lambda: harness.process_state(command) in (None, "Z"),
                           "the command's end")
        sooth.send(signal.SIGCONT)
        run = sooth.finish()
        self.assertIn("execve", [row["name"] for row in run.json()["syscalls"]])
        self.assertEqual(run.status, 128 + signal.SIGINT, run.errors)

    def test_interrupt_of_sooth_alone(self):
        """Nothing is signalled that was not requested: the command goes on."""
        sooth = self.start_sooth("trace", "-c", "-j", "-o", self.path("out"), "--", "/bin/sh", "-c",
                                 "echo ready $$; read -r x; echo ended >%s" % self.path("mark"))
        sooth.wait_for_output(b"ready")
        harness.wait_until(lambda: harness.is_attached(sooth.pid), "sooth to attach")
        command = int(bytes(sooth.out).split()[1])
        sooth.send(signal.SIGINT)
        self.assertEqual(sooth.child.wait(harness.PATIENCE_S), 0)
        self.assertEqual(harness.json.loads(harness.read(self.path("out")))["end_reason"], "stopped")
        self.assertIn(harness.process_state(command), ("S", "R", "D"))
        sooth.close_stdin()  # and so it ends
        harness.wait_until(lambda: os.path.exists(self.path("mark")), "the command to end")

    def test_for_the_invoking_user_below_sudo(self):
        """What sudo says of its caller: the command is theirs, not root's."""
        environment = dict(os.environ, SUDO_UID=str(harness.NOBODY), SUDO_GID=str(harness.NOBODY),
                           SUDO_USER="nobody")
        self.open_to_all()
        run = self.trace("/usr/bin/id", env=environment)
        self.assertIn("uid=%d" % harness.NOBODY, run.text)
        self.assertIn("gid=%d" % harness.NOBODY, run.text)
        self.assertNotIn("(root)", run.text)

    def test_path_is_searched_once(self):
        """The search for the program is not counted as the program's."""
        environment = dict(os.environ, PATH="/nonexistent-a:/nonexistent-b:/bin")
        self.trace("true", mode=["-c", "-j"], env=environment)
        counts = harness.table_counts(harness.json.loads(harness.read(self.path("out"))))
        self.assertEqual(counts["execve"], (1, 0))


if __name__ == "__main__":
    harness.main()
