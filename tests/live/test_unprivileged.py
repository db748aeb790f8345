# SPDX-License-Identifier: BSD-2-Clause
"""As an ordinary user: what needs nothing works, what needs privilege says what is missing."""
import os
import stat
import unittest

import harness
from harness import Case, as_nobody, have, needs_bpf, needs_root, read_truth, table_counts

CAPABILITIES = "cap_bpf,cap_perfmon,cap_sys_ptrace,cap_dac_read_search+ep"
SECRET_PATH = "/root"
OTHER = 64021  # a user whom nobody else here is


@needs_root
class Ordinary(Case):
    def setUp(self):
        super().setUp()
        self.program = self.copy_for_all(harness.SOOTH)
        os.environ["HOME"] = self.folder

    def nobody(self, *argv, **options):
        return self.run_program(self.program, *argv, cwd=self.folder, **as_nobody(), **options)

    def test_ps(self):
        report = self.nobody("ps", "-a", "-j").json()
        self.assertGreater(report["process_count"], 1)
        mine = [p for p in report["processes"] if p["pid"] == os.getpid()]
        self.assertEqual(len(mine), 1, "processes of others are listed as well")
        self.assertEqual(mine[0]["uid"], 0)
        # What the kernel does not let nobody see is not measured, and not made up.
        self.assertIsNone(mine[0]["cwd"])
        self.assertIn("cwd", mine[0]["not_measured"])

    def test_who_may_not_be_read(self):
        """Of whom nothing can be seen nothing is denied either."""
        target = self.start("sleep", "600", user=OTHER, group=OTHER, extra_groups=[])
        run = self.nobody("ps", "-u", str(OTHER))
        self.assertIn("no agents of this user were found among the readable processes", run.text)
        self.assertIn("1 unreadable process: permission denied", run.text)
        run = self.nobody("kill", str(target.pid), status=2)
        self.assertIn("permission denied: sooth cannot read which agent owns this process; add --any to act on it anyway", run.text)
        self.assertTrue(target.is_running())
        # Who may read it knows.
        run = self.run_program(harness.SOOTH, "ps", "-u", str(OTHER))
        self.assertIn("no agents of this user are running here", run.text)
        run = self.run_program(harness.SOOTH, "kill", str(target.pid), status=2)
        self.assertIn("the process is not part of an agent; add --any", run.text)

    def test_why_has_no_line_about_a_source_that_measures_the_same(self):
        run = self.nobody("why", "-a")
        self.assertNotIn("fallback", run.text)
        # With few processes procfs is the best source for root as well: nothing was refused then.
        if "proc by bpf" in self.run_program(harness.SOOTH, "why", "-a", "-v").text:
            self.assertIn("fallback: bpf: ", self.nobody("why", "-a", "-v").text)

    def test_ps_alone(self):
        self.nobody()
        self.nobody("ps")

    def test_doctor(self):
        run = self.nobody("doctor", status=None)
        if b"no such command" in run.err:
            self.skipTest("there is no sooth doctor yet")
        self.assertEqual(run.status, 0, run)
        self.assertIn("cap_bpf", run.text)
        self.nobody("doctor", "-j").json()

    def test_report(self):
        capture = self.path("capture")
        self.sooth("record", "--probe", "proc", "-o", capture, "-p", str(os.getpid()), "-d", "0.2")
        os.chmod(capture, 0o644)
        self.assertEqual(self.nobody("report", capture).out, self.sooth("report", capture).out)

    def test_trace_says_what_is_missing(self):
        for argv in (["trace", "-p", str(os.getpid())], ["trace", "-c", "--", "/bin/true"],
                     ["record", "-o", self.path("never"), "--", "/bin/true"]):
            run = self.nobody(*argv, status=3)
            self.assert_says_three_lines(run, "cap_bpf", "cap_perfmon", "root")
            self.assertEqual(run.out, b"")

    def test_trace_by_samples(self):
        """Readings are never called counts, and are refused where nothing could be read."""
        target = self.start("/bin/sleep", "100", **as_nobody())
        harness.wait_until_asleep(target.pid)
        run = self.nobody("trace", "-d", "0.5", str(target.pid))
        self.assertRegex(run.text, r"(?m)^by samples: (\d+) of \1 readings found a system call")
        self.assertRegex(run.text, r"(?m)^clock_nanosleep +\d+ +100\.0 ")
        self.assertRegex(run.text, "(?m)^not measured: counts, errors and times of calls: sampled: .*cap_bpf")
        self.assertNotIn("CALLS", run.text)
        report = self.nobody("trace", "-c", "-j", "-d", "0.5", str(target.pid)).json()
        row, = report["calls_found"]
        self.assertEqual((row["call"], row["readings"]),
                         ("clock_nanosleep", report["call_samples"]["readings"]))
        self.assertGreater(row["readings"], 5)
        self.assertEqual(report["call_samples"]["reads"], 0)
        for more in (["--io"], ["-e", "read"], ["-Z"]):
            self.nobody("trace", *more, "-d", "0.5", str(target.pid), status=3)

    def test_diagnose_without_calls(self):
        """What can be seen is judged, and what cannot is said first; a picture of it is refused.
        That something is missing the exit status says, too."""
        target = self.start("/bin/sleep", "100", **as_nobody())
        words = ("diagnose", "-D", "--duration", "0.3", str(target.pid))
        run = self.nobody(*words, status=3)
        for part in ("system calls are not observed", "cap_bpf", "as root"):
            self.assertIn(part, run.errors)
        # Once, with the checks and one command; the notes are in -v.
        self.assertRegex(run.text, r"(?m)^not judged: .* more: missing privilege")
        self.assertEqual(run.text.count("sudo sooth diagnose"), 1, run.text)
        self.assertNotRegex(run.text, "(?m)^(not measured|fallback): ")
        self.assertIn("not measured: system calls", self.nobody(*words, "-v", status=3).text)
        self.assertEqual(len(run.errors.splitlines()), 1)
        report = self.nobody(*words, "-j", status=3).json()
        self.assertIn("system calls", [limit["what"] for limit in report["limits"]])
        self.assertEqual([p["pid"] for p in report["processes"]], [target.pid])
        self.assertEqual(self.nobody(*words[:1], *words[2:]).errors, "")
        refused = self.nobody(*words, "--flamegraph", "-o", self.path("x.svg"), status=3)
        self.assert_says_three_lines(refused, "cap_bpf")
        self.assertEqual(refused.out, b"")
        self.assertFalse(os.path.exists(self.path("x.svg")))
        self.assertFalse(os.path.exists(self.path("x.folded")))

    def test_the_command_does_not_run_unseen(self):
        mark = self.path("mark")
        self.nobody("trace", "--", "/bin/sh", "-c", "echo ran >" + mark, status=3)
        self.assertFalse(os.path.exists(mark))

    def test_a_refused_recording_leaves_nothing_to_mistake(self):
        path = self.path("never")
        self.nobody("record", "-o", path, "-p", str(os.getpid()), status=3)
        if os.path.exists(path):
            run = self.nobody("report", path, status=None)
            self.assertTrue(run.status == 2 or "cut" in run.text, run)

    def test_proc_alone_needs_nothing(self):
        target = self.start("/bin/sleep", "100", **as_nobody())
        self.nobody("record", "--probe", "proc,context", "-o", self.path("mine"), "-d", "0.3",
                    "-p", str(target.pid))
        report = self.nobody("report", "-j", self.path("mine")).json()
        self.assertEqual([p["pid"] for p in report["processes"]], [target.pid])

    def test_a_process_of_another_user_keeps_its_maps(self):
        target = self.workload("sleep", "--seconds", "100", hold=False)
        run = self.nobody("record", "--probe", "context", "-o", self.path("theirs"), "-d", "0.3",
                          "-p", str(target.pid), status=None)
        if run.status == 0:
            report = self.nobody("report", "-j", self.path("theirs")).json()
            self.assertNotIn("libc", str(report))
            self.assertIn("mapped files", [limit["what"] for limit in report["limits"]])
            # What could not be looked at is not measured, and not none.
            self.assertIsNone(report["context"][0]["mapped_files"])
        else:
            self.assertEqual(run.status, 3, run)


@needs_root
class Files(Case):
    def test_private(self):
        """Whatever the umask allows, and also when the file was readable by all before."""
        for argv in (["ps", "-a", "-o"], ["ps", "-a", "--save"],
                     ["record", "--probe", "proc", "-p", str(os.getpid()), "-d", "0.1", "-o"]):
            for is_old in (False, True):
                path = self.path("file")
                if os.path.exists(path):
                    os.unlink(path)
                if is_old:
                    with open(path, "w") as file:
                        file.write("old")
                    os.chmod(path, 0o666)
                self.sooth(*argv, path, umask=0)
                self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600, (argv, is_old))
                self.assertGreater(os.stat(path).st_size, 100)

    def test_links_are_refused(self):
        kept = self.path("kept")
        with open(kept, "w") as file:
            file.write("precious")
        os.symlink(kept, self.path("link"))
        os.symlink(self.path("nowhere"), self.path("dangling"))
        for option in ("-o", "--save"):
            for name in ("link", "dangling"):
                run = self.sooth("ps", option, self.path(name), status=5)
                self.assert_says_three_lines(run, "symbolic link")
        self.sooth("record", "--probe", "proc", "-p", str(os.getpid()), "-d", "0.1", "-o",
                   self.path("link"), status=5)
        self.assertEqual(harness.read(kept), b"precious")
        self.assertFalse(os.path.exists(self.path("nowhere")))


@needs_bpf
class FileCapabilities(Case):
    """sooth with file capabilities serves its caller's own processes, and no others."""

    def setUp(self):
        super().setUp()
        self.program = self.copy_for_all(harness.SOOTH)
        setcap = have("setcap")
        if not setcap:
            self.skipTest("no setcap here (package libcap2-bin)")
        run = self.run_program(setcap, CAPABILITIES, self.program, status=None)
        if run.status:
            self.skipTest("this file system keeps no capabilities: %s" % run.errors)
        probe = self.run_program(self.program, "--version", status=None, **as_nobody())
        if probe.status:
            self.skipTest("files here gain no capabilities: mounted nosuid")

    def nobody(self, *argv, **options):
        return self.run_program(self.program, *argv, cwd=self.folder, **as_nobody(), **options)

    def test_no_watching_by_user(self):
        """Among a user's processes are some that run with more than the user has."""
        run = self.nobody("trace", "-c", "-d", "100ms", "-u", "nobody", status=3)
        self.assert_says_three_lines(run, "every process of a user")

    def test_a_program_that_may_run_but_not_be_read(self):
        program = self.copy_for_all("/bin/true")
        os.chmod(program, 0o711)
        report = self.nobody("trace", "-c", "-j", "--", program).json()
        self.assertIn("a program that gained privilege at its exec",
                      [limit["what"] for limit in report["limits"]])
        self.assertEqual([row["name"] for row in report["syscalls"] if row["count"]], [])

    def test_own_process(self):
        workloads = self.copy_for_all(harness.WORKLOADS)
        target = self.start(workloads, "syscalls", "--forks", "1", "--hold", "--truth",
                            self.path("truth"), **as_nobody())
        target.wait_for_output(b"ready\n")
        sooth = self.start(self.program, "trace", "-c", "-j", "-p", str(target.pid), **as_nobody())
        harness.wait_until(lambda: not sooth.is_running() or harness.is_attached(sooth.pid),
                           "sooth to attach")
        target.say(b"go\n")
        self.assertEqual(target.finish().status, 0)
        run = sooth.finish()
        self.assertEqual(run.status, 0, run)
        truth, _ = read_truth(self.path("truth"))
        self.assert_includes(table_counts(run.json()), truth)

    def test_own_command(self):
        workloads = self.copy_for_all(harness.WORKLOADS)
        self.nobody("trace", "-c", "-j", "-o", self.path("out"), "--", workloads, "syscalls",
                    "--truth", self.path("truth"))
        truth, _ = read_truth(self.path("truth"))
        self.assert_includes(
            table_counts(harness.json.loads(harness.read(self.path("out")))), truth)
        self.assertEqual(os.stat(self.path("out")).st_uid, harness.NOBODY)

    def test_the_command_has_no_capabilities(self):
        run = self.nobody("trace", "-c", "-o", self.path("out"), "--", "/bin/sh", "-c",
                          "grep ^Cap /proc/self/status; id -u; id -ru")
        sets = dict(line.split(":\t") for line in run.text.splitlines() if ":" in line)
        for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            self.assertEqual(int(sets[name], 16), 0, run)
        self.assertEqual(run.text.split()[-2:], [str(harness.NOBODY)] * 2)

    def test_refused_of_another_user(self):
        target = self.workload("sleep", "--seconds", "100", hold=False)
        for argv in (["trace", "-p", str(target.pid)], ["trace", "-c", "-p", str(target.pid)],
                     ["record", "-o", self.path("never"), "-p", str(target.pid)],
                     ["trace", "-d", "0.2", "-u", "0"],
                     ["record", "-o", self.path("never"), "-d", "0.2", "-u", "0"]):
            run = self.nobody(*argv, status=3)
            self.assert_says_three_lines(run)
            self.assertEqual(run.out, b"")

    def test_no_looking_through_procfs(self):
        """cap_sys_ptrace and cap_dac_read_search open /proc of others: not to its caller."""
        target = self.start("/bin/sleep", "100", cwd=SECRET_PATH)
        plain = self.path("plain")
        harness.shutil.copyfile(harness.SOOTH, plain)
        os.chmod(plain, 0o755)
        argv = ["ps", "-j", str(target.pid)]
        with_capabilities = self.nobody(*argv).json()["processes"][0]
        without = self.run_program(plain, *argv, cwd=self.folder,
                                   **as_nobody()).json()["processes"][0]
        self.assertIsNone(without["cwd"])
        for field in ("cwd", "executable", "open_files"):
            self.assertEqual(with_capabilities[field], without[field], field)
        run = self.nobody("record", "--probe", "proc,context", "-d", "0.2", "-o",
                          self.path("context"), "-p", str(target.pid), status=None)
        self.assertIn(run.status, (0, 3), run)
        if run.status == 0:
            for form in ("json", "jsonl", "table"):
                text = self.nobody("report", "--format", form, self.path("context")).text
                self.assertNotIn('"%s"' % SECRET_PATH, text)
                self.assertNotIn("libc", text, "the memory map of a process of root")

    def test_no_reading_of_files(self):
        """cap_dac_read_search would open any file of root as a capture, or write beside it."""
        secret = self.path("secret")
        self.sooth("ps", "-a", "--save", secret)
        self.assertEqual(os.stat(secret).st_mode & 0o777, 0o600)
        run = self.nobody("report", secret, status=None)
        self.assertNotEqual(run.status, 0, "nobody read a file of root")
        self.assertEqual(run.out, b"")
        run = self.nobody("ps", "-a", "-o", "/root/sooth-test-never", status=None)
        self.assertEqual(run.status, 5, run)


if __name__ == "__main__":
    harness.main()
