# SPDX-License-Identifier: BSD-2-Clause
"""
The one screen of `sooth inspect`, and what holds for all its details: figures are those of the
kernel, rows have stable keys, what may not be read says so, and nothing hangs on who has ended.
"""
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import threading
import time

import harness
from harness import Case, needs_root
from family import processes
from inspect_case import Programs, children_of

DETAILS = ("fds", "sockets", "maps", "threads", "signals", "limits", "environment")
PF_KTHREAD = 0x00200000
FLAGS_AT = 6  # in /proc/PID/stat, from the state on
TABLES = {  # section: whether a process at rest has rows in it
    "fds": True, "sockets": False, "maps": True, "threads": True, "signals": False,
    "resource_limits": True, "environment": True,
}
TICKS_S = 0.05  # by which the kernel's figures of who runs lag behind
WIDTH = 110  # of lines that are not cut: long paths and lists of types may pass it


def status_of(pid):
    text = harness.read("/proc/%d/status" % pid).decode()
    return dict(re.findall(r"^(\w+):\s+(\d+)", text, re.M))


class OneScreen(Case):
    def test_real_programs(self):
        """Stopped, so that both looks see the same."""
        with Programs() as programs:
            self.assertFalse({"python", "node"} & set(programs.missing), programs.missing)
            for name, pid in programs.held():
                with self.subTest(name):
                    self.check_program(name, pid)

    def check_program(self, name, pid):
        told = self.sooth("inspect", "-j", str(pid)).json()
        kernel = status_of(pid)
        self.assertEqual(told["process"]["pid"], pid)
        self.assertEqual(told["process"]["executable"], os.readlink("/proc/%d/exe" % pid))
        self.assertEqual(told["process"]["state"], "T")
        self.assertEqual(told["memory"]["rss_bytes"], int(kernel["VmRSS"]) * 1024)
        self.assertEqual(told["memory"]["vsz_bytes"], int(kernel["VmSize"]) * 1024)
        self.assertEqual(told["memory"]["rss_peak_bytes"], int(kernel["VmHWM"]) * 1024)
        self.assertEqual(told["cpu"]["threads"], int(kernel["Threads"]))
        self.assertEqual(told["cpu"]["states"], "%s T" % kernel["Threads"])
        self.assertEqual(told["descriptors"]["open_files"], len(os.listdir("/proc/%d/fd" % pid)))
        self.assertEqual(sum(int(n) for n in re.findall(r"(\d+) ", told["descriptors"]["types"])),
                         told["descriptors"]["open_files"])
        links = [os.readlink("/proc/%d/fd/%s" % (pid, fd)) for fd in os.listdir("/proc/%d/fd" % pid)]
        self.assertEqual(told["connections"]["count"],
                         len({link for link in links if link.startswith("socket:")}))
        self.assertLessEqual(sum(row["rss_bytes"] for row in told["memory_classes"]),
                             told["memory"]["rss_bytes"] * 1.1 + (1 << 20))
        self.assertEqual(told["danger"]["oom_score"],
                         int(harness.read("/proc/%d/oom_score" % pid)))
        self.assertEqual(told["loss"], [])
        if name == "claude":
            self.assertEqual(told["process"]["agent"], "claude")
            self.assertEqual([row["connections"] for row in told["peers"]], [1])
            self.assertGreater(told["memory"]["reserved_bytes"], 1 << 30)

    def test_fits_one_screen(self):
        target = self.workload("threads")
        screen = self.sooth("inspect", str(target.pid)).text
        self.assertLessEqual(len(screen.splitlines()), 50, screen)
        self.assertIn("(pid %d)" % target.pid, screen)
        for side in ("program", "command", "directory", "waits", "CPU", "memory", "addresses",
                     "descriptors", "sockets", "signals", "OOM score"):
            self.assertRegex(screen, "(?m)^%s " % side)

    def test_wait(self):
        """The sentence of `sooth why`, and its chain, live and of a capture."""
        shell = self.start("/bin/bash", "-c", "sleep 600 | cat; :")
        harness.wait_until(lambda: len(children_of(shell.pid)) == 2, "the pipe")
        writer, reader = children_of(shell.pid)
        capture = self.path("waits.sooth")
        harness.wait_until(lambda: harness.read("/proc/%d/wchan" % reader).endswith(b"pipe_read"), "its wait")
        waits = self.sooth("inspect", "-j", "--save", capture, str(reader)).json()["waits"]
        self.assertRegex(waits["text"], r"^cat \(%d\) waits for data from sleep \(%d\) through a pipe.*; %d sleeps(?:: (?:9|10) min of 10 min left| for 10 min, since when is not known)$" % (
            reader, writer, writer))
        self.assertEqual([(link["pid"], link["what"]) for link in waits["chain"]],
                         [(reader, "pipe, to read"), (writer, "sleep")])
        self.assertEqual((waits["state"], waits["confidence"], waits["reason"]), ("waits", "high", None))
        self.assertEqual(self.sooth("inspect", "-j", capture).json()["waits"], waits)
        self.assertIn("\nwaits        " + waits["text"] + "\n", self.sooth("inspect", capture).text)

    def test_busy_thread(self):
        target = self.workload("spin", "--seconds", "300", hold=False)
        began_s, begin = harness.cpu_s(target.pid), time.monotonic()
        told = self.sooth("inspect", "-i", "500ms", "-j", str(target.pid)).json()
        used_s, seconds = harness.cpu_s(target.pid) - began_s, time.monotonic() - begin
        interval_s = told["cpu"]["interval_ns"] / 1e9
        self.assertGreaterEqual(interval_s, 0.5)
        # As much as it got, however little: what it used outside of the interval is not told.
        for percent in (told["cpu"]["cpu_percent"], told["busiest_threads"][0]["cpu_percent"]):
            self.assertLessEqual(percent / 100 * interval_s, used_s + TICKS_S)
            self.assertGreaterEqual(percent / 100 * interval_s,
                                    used_s - (seconds - interval_s) - TICKS_S)
            self.assertGreater(percent, 0)
        self.assertIn(str(told["busiest_threads"][0]["tid"]), os.listdir("/proc/%d/task" % target.pid))

    def test_near_limits(self):
        """Most of what may be open is."""
        def lower():
            resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20))
        files = [os.open("/", os.O_RDONLY) for _ in range(12)]
        try:
            target = self.start("/bin/sleep", "100", preexec_fn=lower, pass_fds=files)
        finally:
            for fd in files:
                os.close(fd)
        harness.wait_until(lambda: len(os.listdir("/proc/%d/fd" % target.pid)) == 15, "its exec")
        told = self.sooth("inspect", "-j", str(target.pid)).json()
        self.assertEqual(told["descriptors"]["percent"], 75.0)
        self.assertIn("NOFILE", [row["name"] for row in told["near_limits"]])


class Details(Case):
    def test_all(self):
        target = self.workload("threads")
        told = self.sooth("inspect", "-a", "-j", str(target.pid)).json()
        for name, has_rows in TABLES.items():
            self.assertIn(name, told)
            self.assertTrue(told[name] or not has_rows, name)
        self.assertEqual({source["probe"] for source in told["sources"]}, {*DETAILS, "proc", "waits"})
        # With that the one screen can be had of the capture too.
        self.sooth("inspect", "-a", "--save", self.path("all.sooth"), str(target.pid))
        self.assertIn("(pid %d)" % target.pid, self.sooth("inspect", self.path("all.sooth")).text)

    def test_keys_are_stable(self):
        """Two readings of a process at rest have the same keys, none twice."""
        target = self.workload("threads")
        first, second = (self.sooth("inspect", "-a", "-j", str(target.pid)).json()
                         for _ in range(2))
        for name, has_rows in TABLES.items():
            keys = [row["key"] for row in first[name]]
            self.assertEqual(len(keys), len(set(keys)), name)
            self.assertEqual(set(keys), {row["key"] for row in second[name]}, name)

    def test_a_change_is_one_key(self):
        def open_one():
            low = os.open("/etc", os.O_RDONLY)
            # Low numbers are taken by the pipes to sooth.
            self.extra.append(os.dup2(low, 200))
            os.close(low)
        before, after = self.around(open_one)
        changed = {row["key"]: row["path"] for row in after["fds"]
                   if row["key"] not in {row["key"] for row in before["fds"]} and
                   row["kind"] != "pipe"}  # those to sooth itself come and go
        self.assertEqual(changed, {str(self.extra[0]): "/etc"})

    def around(self, change):
        self.extra = []
        self.addCleanup(lambda: [os.close(fd) for fd in self.extra])
        before = self.sooth("inspect", "--fds", "-j", str(os.getpid())).json()
        change()
        return before, self.sooth("inspect", "--fds", "-j", str(os.getpid())).json()


class Bad(Case):
    def test_no_such_process(self):
        child = subprocess.Popen(["/bin/true"])
        child.wait()
        self.assert_says_three_lines(self.sooth("inspect", str(child.pid), status=4),
                                     str(child.pid))

    def test_no_target(self):
        self.assert_says_three_lines(self.sooth("inspect", status=2), "-p")
        self.assert_says_three_lines(self.sooth("inspect", "--", "/bin/true", status=2))

    def test_several_at_once(self):
        one, two = self.workload("sleep"), self.workload("sleep")
        run = self.sooth("inspect", str(one.pid), str(two.pid), status=2)
        self.assert_says_three_lines(run, "one")
        told = self.sooth("inspect", "--fds", "-j", str(one.pid), str(two.pid)).json()
        self.assertEqual({row["pid"] for row in told["fds"]}, {one.pid, two.pid})

    def test_a_zombie(self):
        child = subprocess.Popen(["/bin/true"])
        harness.wait_until(lambda: harness.process_state(child.pid) == "Z", "it to end")
        told = self.sooth("inspect", "-j", str(child.pid)).json()
        self.assertEqual(told["process"]["state"], "Z")
        self.assertEqual(self.sooth("inspect", "-a", str(child.pid)).err, b"")
        child.wait()

    def test_a_kernel_thread(self):
        threads = [pid for pid in processes.all_pids() if self.is_of_kernel(pid)]
        for pid in threads[:1]:
            self.assertIn("(pid %d)" % pid, self.sooth("inspect", str(pid)).text)
            self.sooth("inspect", "-a", str(pid))

    @staticmethod
    def is_of_kernel(pid):
        words = processes.words_of_stat(pid)
        return bool(words) and bool(int(words[FLAGS_AT]) & PF_KTHREAD)

    def test_ending_in_mid_read(self):
        """However it falls: a report, or that there is no such process."""
        seen = set()
        for i in range(25):
            target = self.workload("threads", "--count", "60")
            timer = threading.Timer(i * 0.002, target.child.kill)
            timer.start()
            run = self.sooth("inspect", "-a", "-i", "20ms", "-j", str(target.pid), status=None)
            timer.join()
            self.assertIn(run.status, (0, 4), run)
            seen.add(run.status)
            if run.status == 0:
                run.json()
            target.end()
        print("statuses seen: %s" % sorted(seen))


class Others(Case):
    @needs_root
    def test_another_users_process(self):
        """Nobody sees of root's what anybody may, and hears of the rest why not."""
        target = self.workload("threads")
        sooth = self.copy_for_all(harness.SOOTH)
        run = self.run_program(sooth, "inspect", str(target.pid), **harness.as_nobody())
        self.assertIn("= unknown: permission denied", run.text)
        told = self.run_program(sooth, "inspect", "-j", str(target.pid),
                                **harness.as_nobody()).json()
        self.assertIsNone(told["descriptors"]["open_files"])
        self.assertIsNone(told["connections"]["count"], "not 0: they could not be looked at")
        self.assertEqual(told["memory"]["rss_bytes"], int(status_of(target.pid)["VmRSS"]) * 1024)
        everything = self.run_program(sooth, "inspect", "-a", "-j", str(target.pid),
                                      **harness.as_nobody()).json()
        for name in ("fds", "maps", "sockets", "environment"):
            self.assertEqual(everything[name], [], name)

    @needs_root
    def test_ones_own_process(self):
        sooth = self.copy_for_all(harness.SOOTH)
        workloads = self.copy_for_all(harness.WORKLOADS)
        target = self.start(workloads, "threads", "--hold", **harness.as_nobody())
        target.wait_for_output(b"ready\n")
        harness.wait_until_asleep(target.pid)
        told = self.run_program(sooth, "inspect", "-j", str(target.pid),
                                **harness.as_nobody()).json()
        self.assertEqual(told["descriptors"]["open_files"],
                         len(os.listdir("/proc/%d/fd" % target.pid)))
        self.assertEqual(told["cpu"]["threads"], int(status_of(target.pid)["Threads"]))
        self.assertGreater(len(told["memory_classes"]), 2)

    def test_hostile_names(self):
        """What a process calls itself and its files reaches no terminal as it is."""
        folder = self.path("a\x1b]0;owned\x07\nb\"<script>")
        os.mkdir(folder)
        name = os.path.join(folder, "p\x1b[31m\n(x)")
        shutil.copyfile("/bin/sleep", name)
        os.chmod(name, 0o755)
        opened = os.fsencode(folder) + b"/open\x1b[2J \xff\n (deleted)"
        with open(opened, "wb") as file:
            target = self.start(name, "100", cwd=folder, pass_fds=[file.fileno()])
        harness.wait_until(lambda: b"a\x1b" in os.readlink(b"/proc/%d/exe" % target.pid), "its exec")
        for argv in ([], ["-a"]):
            text = self.sooth("inspect", *argv, str(target.pid)).out
            self.assertNotIn(b"\x1b", text)
            self.assertNotIn(b"\x07", text)
            self.assertNotIn(b"\xff", text)
        told = self.sooth("inspect", "-a", "-j", str(target.pid)).json()
        rows = {row["path"]: row for row in told["fds"]}
        row = rows[opened.decode("utf-8", "replace")]
        self.assertFalse(row["is_deleted"], "it lives, whatever its name says")

    def test_the_target_is_left_alone(self):
        """Not stopped, not signalled, not traced: it runs through."""
        target = self.workload("spin", "--seconds", "60", hold=False)
        def counts():
            status = status_of(target.pid)
            return int(status["TracerPid"]), harness.process_state(target.pid)
        states = set()
        runs = [self.start_sooth("inspect", "-a", "-j", str(target.pid)) for _ in range(3)]
        while any(run.is_running() for run in runs):
            states.add(counts())
            time.sleep(0.002)
        for run in runs:
            self.assertEqual(run.finish().status, 0)
        self.assertLessEqual(states, {(0, "R"), (0, "S"), (0, "D")}, "it is at work, whoever looks")


class Labels(Case):
    def test_from_a_file(self):
        home = self.path("home")
        os.makedirs(home + "/.config/sooth")
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            with socket.create_connection(("127.0.0.1", port)):
                env = dict(os.environ, HOME=home)
                env.pop("XDG_CONFIG_HOME", None)
                with open(home + "/.config/sooth/peers", "w", encoding="utf-8") as file:
                    file.write("# ours\n127.0.0.1:%d the test's own server\n" % port)
                told = self.sooth("inspect", "--sockets", "-j", str(os.getpid()), env=env).json()
                self.assertIn("the test's own server", [row["label"] for row in told["sockets"]])
                screen = self.sooth("inspect", str(os.getpid()), env=env)
                self.assertIn("the test's own server", screen.text)
                with open(home + "/.config/sooth/peers", "w", encoding="utf-8") as file:
                    file.write("ok:80 fine\n300.1.1.1:5 what\n")
                bad = self.sooth("inspect", "--sockets", str(os.getpid()), env=env, status=2)
                self.assert_says_three_lines(bad, "peers")


if __name__ == "__main__":
    harness.main()
