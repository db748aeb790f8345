# SPDX-License-Identifier: BSD-2-Clause
"""
`sooth inspect --fds` tells what /proc, lsof and lsfd tell, of a workload with one of each kind of
descriptor and of real programs held still; it says who has other ends, and is not held up by a
file system that does not answer.
"""
import json
import os
import re
import resource
import subprocess
import sys
import time
import unittest

import harness
import inspect_case
from harness import Case, as_nobody, have, needs_root

MANY = 100000 # or as many as may be had
LSOF_TYPES = {"REG": {"file", "deleted", "memfd", "namespace", "pidfd"}, "DIR": {"directory"},
              "CHR": {"device", "tty", "pty"}, "FIFO": {"pipe", "fifo"},
              "unix": {"unix", "socket"}, "IPv4": {"tcp", "udp"}, "IPv6": {"tcp", "udp"},
              "netlink": {"netlink"}, "pack": {"packet"}, "raw": {"socket"}, "sock": None,
              "a_inode": None}


def text_of(raw):
    """Bytes of a path as JSON of sooth has them: what is not UTF-8 is replaced or escaped."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return None


def proc_of(pid):
    """{fd: facts} as /proc says."""
    found = {}
    for name in os.listdir("/proc/%d/fd" % pid):
        base = "/proc/%d" % pid
        link = os.readlink(os.fsencode("%s/fd/%s" % (base, name)))
        status = os.stat("%s/fd/%s" % (base, name))
        info = dict(re.findall(r"^(\w+):\s+(\S+)", harness.read(
            "%s/fdinfo/%s" % (base, name)).decode(), re.M))
        found[int(name)] = {
            "link": link, "inode": status.st_ino, "device_major": os.major(status.st_dev),
            "device_minor": os.minor(status.st_dev), "position": int(info["pos"]),
            "flags_mask": int(info["flags"], 8), "mount": int(info["mnt_id"]),
            "mode": status.st_mode, "links": status.st_nlink, "size": status.st_size,
            "node": status.st_rdev}
    return found


def lsof_of(pid):
    """{fd: facts} as lsof says; the standing entries (cwd, mem, txt) left out."""
    done = subprocess.run(["lsof", "-nP", "-p", str(pid), "-F0ftainoDr"], capture_output=True)
    found = {}
    for line in done.stdout.split(b"\n"):
        fields = {field[:1]: field[1:] for field in line.split(b"\0") if field}
        if fields.get(b"f", b"").isdigit():
            found[int(fields[b"f"])] = {key.decode(): value.decode("utf-8", "replace")
                                        for key, value in fields.items()}
    return found


def lsfd_of(pid):
    done = subprocess.run(
        ["lsfd", "-p", str(pid), "-J", "-o", "ASSOC,MODE,POS,INODE,MAJ:MIN,SOURCE,MNTID,SOCK.PROTONAME"],
        capture_output=True)
    try:
        rows = json.loads(done.stdout)["lsfd"]
    except (ValueError, KeyError):
        return None
    return {int(row["assoc"]): row for row in rows if row["assoc"].isdigit()}


class Fds(Case):
    def inspect(self, pid, *more, **options):
        return self.sooth("inspect", "--fds", "-j", *more, str(pid), **options).json()

    def workload_fds(self, *argv, scenario="fds", cannot=None):
        """A workload, its truth {what: (fd, type)}, and remarks."""
        truth = self.path("truth")
        process = self.workload(scenario, "--directory", self.folder, *argv, truth=truth,
                                cannot=cannot)
        facts, remarks = {}, []
        for line in harness.read(truth).decode().splitlines():
            if line.startswith("#"):
                remarks.append(line[2:])
            else:
                fd, kind, what = line.split(" ", 2)
                facts[what] = (int(fd), kind)
        return process, facts, remarks

    def as_poor(self):
        """Nobody, with a home that may be looked into."""
        return dict(as_nobody(), env=dict(os.environ, HOME=self.folder))

    # --- comparing ---

    def compare_with_proc(self, name, pid, report):
        rows = {row["fd"]: row for row in report["fds"]}
        truth = proc_of(pid)
        self.assertEqual(set(rows), set(truth), name)
        for fd, fact in truth.items():
            row, where = rows[fd], "%s, descriptor %d" % (name, fd)
            for field in ("inode", "device_major", "device_minor", "position", "flags_mask",
                          "mount"):
                self.assertEqual(row[field], fact[field], where + ", " + field)
            path = text_of(fact["link"])
            if path is not None:
                self.assertIn(path, (row["path"], row["path"] + " (deleted)"), where)
            if row["kind"] in ("file", "deleted", "memfd"):
                self.assertEqual(row["size_bytes"], fact["size"], where)
            if row["kind"] == "deleted":
                self.assertEqual(fact["links"], 0, where)
            if row["node_major"] is not None:
                self.assertEqual(os.makedev(row["node_major"], row["node_minor"]), fact["node"])
        return len(truth)

    def compare_with_lsof(self, name, pid, report):
        if not have("lsof"):
            return
        rows, told = {row["fd"]: row for row in report["fds"]}, lsof_of(pid)
        self.assertEqual(set(told), set(rows), name)
        for fd, fact in told.items():
            row, where = rows[fd], "%s, descriptor %d: %s" % (name, fd, fact)
            types = LSOF_TYPES.get(fact["t"])
            if types:
                self.assertIn(row["kind"], types, where)
            if row["access"] != "-":
                self.assertEqual({"r": "r", "w": "w", "u": "rw"}.get(fact["a"]), row["access"],
                                 where)
            if fact["t"] in ("REG", "DIR") and fact.get("i"):
                self.assertEqual(int(fact["i"]), row["inode"], where)

    def compare_with_lsfd(self, name, pid, report):
        told = lsfd_of(pid) if have("lsfd") else None
        if told is None:
            return
        rows = {row["fd"]: row for row in report["fds"]}
        self.assertEqual(set(told), set(rows), name)
        for fd, fact in told.items():
            row, where = rows[fd], "%s, descriptor %d: %s" % (name, fd, fact)
            self.assertEqual(int(fact["inode"]), row["inode"], where)
            self.assertEqual(int(fact["pos"]), row["position"], where)
            self.assertEqual(int(fact["mntid"]), row["mount"], where)
            if fact.get("sock.protoname") and row["path"].startswith("socket:"):
                self.assertEqual(fact["sock.protoname"], row["detail"].split(" ")[0], where)

    def test_a_table_of_its_own(self):
        """A thread that unshared its descriptors is not read, which is told; others are no matter."""
        for own in (0x400, 0):  # CLONE_FILES
            thread = ("import ctypes, os, sys, threading, time\n"
                      "def work():\n"
                      "    ctypes.CDLL(None).unshare(%d)\n"
                      "    os.open('/', 0)\n"
                      "    print('ready', flush=True)\n"
                      "    time.sleep(600)\n"
                      "threading.Thread(target=work).start()\n" % own)
            with subprocess.Popen([sys.executable, "-c", thread],
                                  stdout=subprocess.PIPE) as process:
                try:
                    process.stdout.readline()
                    for what in ("--fds", "--sockets"):
                        text = self.sooth("inspect", what, str(process.pid)).text
                        self.assertEqual("private descriptor table" in text, bool(own), text)
                finally:
                    process.kill()

    # --- the workload ---

    def test_one_of_each(self):
        process, truth, remarks = self.workload_fds()
        report = self.inspect(process.pid)
        rows = {row["fd"]: row for row in report["fds"]}
        self.assertGreater(len(truth), 35)
        for what, (fd, kind) in truth.items():
            self.assertEqual(rows[fd]["kind"], kind, what)
        by_type = {}
        for row in report["fds"]:
            by_type[row["kind"]] = by_type.get(row["kind"], 0) + 1
        self.assertEqual({k: v["count"] for k, v in report["by_type"].items()}, by_type)
        self.compare_with_proc("workload", process.pid, report)
        self.compare_with_lsof("workload", process.pid, report)
        self.compare_with_lsfd("workload", process.pid, report)
        for remark in remarks:
            if remark.startswith("refused"):
                print("not here: " + remark)

    def test_details(self):
        process, truth, _ = self.workload_fds()
        rows = {row["fd"]: row for row in self.inspect(process.pid)["fds"]}

        def of(what):
            return rows[truth[what][0]]
        self.assertEqual(of("eventfd")["detail"], "count 7, a semaphore")
        self.assertRegex(of("timer-armed")["detail"], "^monotonic, next in .*, every 1h00m$")
        self.assertEqual(of("timer-idle")["detail"], "realtime, not armed")
        self.assertEqual(of("signalfd")["detail"], "SIGUSR1 SIGTERM")
        self.assertEqual(of("inotify")["detail"], "4 watches")
        self.assertEqual(of("epoll")["detail"], "1 member")
        self.assertEqual(of("pidfd")["detail"], "pid %d" % process.pid)
        self.assertEqual(of("tcp6")["detail"], "TCPv6")
        self.assertEqual(of("plain")["access"], "rw")
        self.assertEqual(of("plain")["flags"], "append nonblock cloexec")
        self.assertEqual(of("plain")["position"], 4)
        self.assertEqual(of("plain")["size_bytes"], 10)
        self.assertEqual(of("path-only")["access"], "-")

    def test_names_made_to_mislead(self):
        process, truth, _ = self.workload_fds()
        rows = {row["fd"]: row for row in self.inspect(process.pid)["fds"]}

        def of(what):
            row = rows[truth[what][0]]
            return row["is_deleted"], row["path"].rsplit("/", 1)[1]
        self.assertEqual(of("gone"), (True, "gone"))
        self.assertEqual(of("removed-link"), (True, "renamed"))
        self.assertEqual(of("removed-directory"), (True, "removed"))
        self.assertEqual(of("living-suffix"), (False, "living (deleted)"))
        self.assertEqual(of("newline"), (False, "line\nbreak"))
        self.assertEqual(of("escape"), (False, "\x1b[31mred\x1b[0m"))
        self.assertEqual(of("memfd"), (False, "memfd:memory"))
        table = self.sooth("inspect", "--fds", str(process.pid)).text
        self.assertNotIn("\x1b", table)
        self.assertNotIn("line\nbreak", table)

    @staticmethod
    def sees_all():
        """Process 1 may have more rights than root has here: then what it holds is not known."""
        try:
            for name in os.listdir("/proc/1/fd"):
                os.readlink("/proc/1/fd/" + name)
        except PermissionError:
            return False
        return True

    def test_other_ends(self):
        process, truth, _ = self.workload_fds()
        rows = {row["fd"]: row for row in self.inspect(process.pid)["fds"]}

        def ends(what):
            return rows[truth[what][0]]["other_end"]

        def me(what, access):
            return "%d/workloads:%d %s" % (process.pid, truth[what][0], access)
        self.assertEqual(ends("pipe-read"), me("pipe-write", "w"))
        self.assertEqual(ends("pipe-write"), me("pipe-read", "r"))
        alone = rows[truth["pipe-alone"][0]]
        if self.sees_all():
            self.assertEqual(alone["other_end"], "none")
        else:
            self.assertIsNone(alone["other_end"])
            self.assertIn("other_end", alone["not_measured"])
        self.assertEqual(ends("fifo"), me("fifo-write", "w"))
        self.assertEqual(ends("pair-first"), me("pair-second", "rw"))
        self.assertEqual(ends("calling"), me("called", "rw"))
        self.assertEqual(ends("called"), me("calling", "rw"))
        self.assertIsNone(ends("listening"))
        # Its standard input is ours.
        self.assertIn("%d/" % os.getpid(), rows[0]["other_end"])

    def test_watches_and_members(self):
        process, truth, remarks = self.workload_fds("--watches", "30")
        report = self.inspect(process.pid)
        expected = {remark.split(" ", 1)[1] for remark in remarks if remark.startswith("watch ")}
        if os.geteuid() == 0:
            self.assertEqual({row["path"] for row in report["watches"]}, expected)
        self.assertEqual(len(report["watches"]), 31)
        self.assertEqual(report["fd_limits"][0]["watches"], 31)
        with open("/proc/sys/fs/inotify/max_user_watches", encoding="ascii") as file:
            self.assertEqual(report["fd_limits"][0]["watches_max"], int(file.read()))
        self.assertEqual(sum(row["watches"] for row in report["watch_directories"]), 31)
        member = report["epoll"][0]
        self.assertEqual((member["epoll_fd"], member["fd"]),
                         (truth["epoll"][0], truth["eventfd"][0]))
        self.assertIn("edge", member["events"].split())

    @needs_root
    def test_unprivileged_search(self):
        """Without the right to open file handles its own directories are searched."""
        self.open_to_all()
        workloads = self.copy_for_all(harness.WORKLOADS)
        program = self.copy_for_all(harness.SOOTH)
        process = self.start(workloads, "fds", "--directory", self.folder, "--truth",
                             self.path("truth"), "--hold", **as_nobody())
        process.wait_for_output(b"ready\n")
        report = self.run_program(program, "inspect", "--fds", "-j", str(process.pid),
                                  cwd=self.folder, **self.as_poor()).json()
        expected = {line.split(" ", 2)[2] for line in harness.read(
            self.path("truth")).decode().splitlines() if line.startswith("# watch ")}
        self.assertEqual({row["path"] for row in report["watches"]}, expected)
        self.assertIn("sooth may not read these processes, or they are hidden from this container",
                      {row["reason"] for row in report["limits"]})
        alone = [row for row in report["fds"] if row["kind"] == "pipe" and not row["other_end"]]
        self.assertTrue(alone, "it is not known that nobody has the other end")

    @needs_root
    def test_others_are_refused(self):
        process, _, _ = self.workload_fds()
        program = self.copy_for_all(harness.SOOTH)
        report = self.run_program(program, "inspect", "--fds", "-j", str(process.pid),
                                  **self.as_poor()).json()
        self.assertEqual(report["fds"], [])
        self.assertIsNone(report["fd_limits"][0]["open_files"])
        self.assertIn("open_files", report["fd_limits"][0]["not_measured"])

    def test_same_from_a_capture(self):
        process, _, _ = self.workload_fds()
        capture = self.path("capture")
        live = self.inspect(process.pid, "--save", capture)
        again = self.sooth("inspect", "--fds", "-j", capture).json()
        for section in ("by_type", "fds", "fd_holders", "fd_paths", "epoll", "watches",
                        "watch_directories", "fd_limits"):
            self.assertEqual(live[section], again[section], section)

    @needs_root
    def test_another_namespace(self):
        """Mounts and pids of its own: paths are as seen from here, pids too."""
        if self.run_program("unshare", "-mpf", "true", status=None).status:
            self.skipTest("no namespaces can be made here")
        process = self.start("unshare", "-mp", "--fork", "--mount-proc", harness.WORKLOADS, "fds",
                             "--directory", self.folder, "--hold")
        process.wait_for_output(b"ready\n")
        child = inspect_case.children_of(process.pid)[0]
        report = self.inspect(child)
        self.compare_with_proc("in a namespace", child, report)
        watched = [row["path"] for row in report["watches"]]
        self.assertTrue(all(path and path.startswith(self.folder) for path in watched), watched)

    # --- what does not answer ---

    @needs_root
    def test_silent_file_system(self):
        """Its daemon stops reading."""
        self.check_silent_file_system()

    @needs_root
    def test_swallowing_file_system(self):
        """Its daemon takes every question and answers none: whoever asks cannot even be killed."""
        self.check_silent_file_system("--swallow")

    def check_silent_file_system(self, *argv):
        process, truth, _ = self.workload_fds(*argv, "--seconds", "600", scenario="fuse",
                                              cannot="no file system of our own")
        report = self.inspect(process.pid)  # who is not given up waits for ever
        rows = {os.path.basename(row["path"]): row for row in report["fds"]}
        row = rows["living (deleted)"]
        self.assertIsNone(row["is_deleted"])
        self.assertIn("no answer", row["not_measured"]["is_deleted"])
        # Once it did not answer, the rest of the mount is left alone.
        others = [row for row in report["fds"] if row["path"].startswith(self.folder + "/fuse-") and
                  row["fd"] > truth[row["path"]][0] - 1 and row["kind"] == "unknown"]
        self.assertTrue(others)
        self.assertIn("no answer", others[0]["not_measured"]["inode"])
        self.assertIn("no answer", report["watches"][0]["not_measured"]["path"])
        self.assertEqual(harness.process_state(process.pid), "S")
        self.assertEqual(len(report["fds"]), len(os.listdir("/proc/%d/fd" % process.pid)))

    # --- what does not stay ---

    def test_ended(self):
        program = [sys.executable, "-c", "import os\nwhile True:\n    for i in range(200):\n"
                   "        os.close(os.dup(0))\n    os.dup(0)\n    if os.dup(0) > 400: break"]
        for _ in range(20):
            child = self.start(*program)
            run = self.sooth("inspect", "--fds", "-j", str(child.pid), status=None)
            self.assertIn(run.status, (0, 4), run)
            if run.status == 0:
                run.json()

    def test_ended_before(self):
        child = self.start("/bin/true")
        child.child.wait()
        run = self.sooth("inspect", "--fds", str(child.pid), status=4)
        self.assert_says_three_lines(run)

    def test_zombie(self):
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        try:
            harness.wait_until(lambda: harness.process_state(pid) == "Z", "a zombie")
            report = self.inspect(pid)
            self.assertEqual(report["fds"], [])
            self.assertIsNone(report["fd_limits"][0]["open_files"])
            self.assertIn("exited", report["fd_limits"][0]["not_measured"]["open_files"])
        finally:
            os.waitpid(pid, 0)

    # --- many ---

    @needs_root
    def test_very_many(self):
        many = MANY
        if subprocess.run(["prlimit", "--nofile=%d" % (MANY + 2000), "true"],
                          capture_output=True).returncode:
            many = resource.getrlimit(resource.RLIMIT_NOFILE)[1] - 2000
        process, _, _ = self.workload_fds("--many", str(many))
        begin = time.monotonic()
        run = self.sooth("inspect", "--fds", "-j", str(process.pid))
        took = time.monotonic() - begin
        report = run.json()
        self.assertGreater(len(report["fds"]), many)
        self.assertEqual(len(report["fds"]), len(os.listdir("/proc/%d/fd" % process.pid)))
        self.assertEqual(report["by_type"]["file"]["count"],
                         sum(row["kind"] == "file" for row in report["fds"]))
        print("%d descriptors in %.2f s by %s" % (many, took, report["sources"][0]["method"]))

    # --- real programs ---

    @unittest.skipUnless(os.geteuid() == 0, "lists what is another's")
    def test_what_may_not_be_looked_into_is_not_none(self):
        """Some kernels keep the first process even from root: its descriptors are listed, and no
        walk meets them."""
        listed = len(os.listdir("/proc/1/fd"))
        text = self.sooth("diagnose", "--quick", "1").text
        self.assertIn("fd-limit-near", text)
        if listed:
            self.assertNotRegex(text, r"fd-limit-near \(0 of")

    def test_real_programs(self):
        with inspect_case.Programs() as programs:
            for name, reason in programs.missing.items():
                print("no %s: %s" % (name, reason))
            self.assertTrue(programs.pids)
            for name, pid in programs.held():
                with self.subTest(name):
                    report = self.inspect(pid)
                    count = self.compare_with_proc(name, pid, report)
                    self.compare_with_lsof(name, pid, report)
                    self.compare_with_lsfd(name, pid, report)
                    if os.geteuid() == 0:
                        self.assertEqual([row for row in report["watches"] if not row["path"]], [])
                    print("%s: %d descriptors, %d watches" % (name, count,
                                                              len(report["watches"])))


if __name__ == "__main__":
    harness.main()
