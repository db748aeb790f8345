# SPDX-License-Identifier: BSD-2-Clause
"""
`sooth inspect --sockets` beside ss(8), socket by socket, and beside what the workload knows of
itself: as root, as an ordinary user, in other network namespaces, of processes that end.
"""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import unittest

import harness
from harness import Case, as_nobody, have, needs_root
from inspect_case import Programs

SLACK_MS = 40  # what passes between two looks, and how finely the kernel counts
KINDS = {  # options of ss, protocols of the rows they tell
    "-t": ("tcp", "tcp6"), "-u": ("udp", "udp6"), "-w": ("raw", "raw6"), "-x": ("unix",)}
STATES = {"ESTAB": "ESTABLISHED", "UNCONN": "CLOSE", "LISTEN": "LISTEN", "SYN-SENT": "SYN_SENT",
          "FIN-WAIT-1": "FIN_WAIT_1", "FIN-WAIT-2": "FIN_WAIT_2", "CLOSE-WAIT": "CLOSE_WAIT",
          "LAST-ACK": "LAST_ACK", "CLOSING": "CLOSING"}
ONLY_BY_NETLINK = ("rtt_ns", "retransmits", "sent_ago_ns", "received_ago_ns", "sent_bytes",
                   "received_bytes")


def number(pattern, text, default=0.0):
    found = re.search(pattern, text)
    return float(found[1]) if found else default


def parse_inet(line):
    """(inode, facts) of a line of `ss -HOnaei`; None when it tells no inode."""
    words = line.split()
    inode = re.search(r"\bino:(\d+)", line)
    if not inode or words[0] not in STATES:
        return None
    sent = re.search(r"\bbytes_sent:(\d+)", line)
    return int(inode[1]), {
        "state": STATES[words[0]], "receive_queue": int(words[1]), "send_queue": int(words[2]),
        "local": words[3], "peer": words[4],
        "rtt_ms": number(r"\brtt:([\d.]+)/", line), "retransmits": number(r"\bretrans:\d+/(\d+)", line),
        "sent_ms": number(r"\blastsnd:(\d+)", line) if sent else None,
        "received_ms": number(r"\blastrcv:(\d+)", line),
        "sent_bytes": number(r"\bbytes_acked:(\d+)", line),
        "received_bytes": number(r"\bbytes_received:(\d+)", line)}


UNIX_HEAD = r"u_(?:str|dgr|seq)\s+(\S+)\s+(\d+)\s+(\d+)\s+"
UNIX_LINES = [re.compile(UNIX_HEAD + pattern + r"(?:\s+ino:\d+ dev:\S+)?\s+(?:<->|-->|<--).*", re.S) for pattern in (
    r"(\*) (\d+)\s+\S.* (\d+)", r"(\S.*) (\d+)\s+\* (\d+)")]


def parse_unix(line):
    """Names may hold blanks, newlines and numbers; one of the two ends has none here."""
    for pattern in UNIX_LINES:
        found = pattern.fullmatch(line)
        if found and found[1] in STATES:
            return int(found[5]), {
                "state": STATES[found[1]], "receive_queue": int(found[2]),
                "send_queue": int(found[3]), "local": found[4].strip(), "peer": int(found[6])}
    return None


def ss(kind, enter=()):
    """{inode: facts}"""
    run = subprocess.run([*enter, "ss", "-HOnae", *(["-i"] if kind == "-t" else []), kind],
        capture_output=True, check=True, env=dict(os.environ, PATH=os.environ["PATH"] +
                                                  ":/usr/sbin:/sbin"))
    text = run.stdout.decode("utf-8", "replace")
    lines = re.split(r"\n(?=u_)", text) if kind == "-x" else text.splitlines()
    parsed = (parse_unix(line) if kind == "-x" else parse_inet(line) for line in lines)
    return dict(filter(None, parsed))


def end_of(text, row):
    """As sooth writes what ss writes: no "any" where there is no other end."""
    if text.endswith(":*"):
        return None
    if text.startswith("*:"):  # a listener of both versions
        return "[::]" + text[1:]
    if row["protocol"].startswith("raw"):
        return text
    return text


class Compared(Case):
    def setUp(self):
        super().setUp()
        if not have("ss"):
            self.skipTest("no ss here")

    def assert_between(self, value, before, after, slack, what):
        self.assertGreaterEqual(value, min(before, after) - slack, what)
        self.assertLessEqual(value, max(before, after) + slack, what)

    def compare_tcp(self, row, before, after):
        if row["state"] in ("LISTEN", "CLOSE"):
            for name in ONLY_BY_NETLINK:
                self.assertIsNone(row[name], row)
                self.assertNotIn(name, row.get("not_measured", {}), row)
            return
        if row["rtt_ns"] is None:
            self.assertEqual(before["rtt_ms"], 0, row)
        else:
            self.assert_between(row["rtt_ns"] / 1e6, before["rtt_ms"], after["rtt_ms"], 1e-3, row)
        self.assert_between(row["retransmits"], before["retransmits"], after["retransmits"], 0, row)
        for name in ("sent_bytes", "received_bytes"):
            self.assertEqual(row[name], before[name], row)
        # A retransmission in between restarts the clock.
        is_quiet = before["retransmits"] == after["retransmits"]
        for name, at in (("sent_ms", "sent_ago_ns"), ("received_ms", "received_ago_ns")):
            if is_quiet and row[at] is not None and before[name] <= after[name]:
                self.assert_between(row[at] / 1e6, before[name], after[name], SLACK_MS, row)
        if before["sent_ms"] is None:
            self.assertIsNone(row["sent_ago_ns"], row)

    def compare_row(self, row, before, after):
        self.assertEqual(row["state"], after["state"], (row, after))
        for name in ("receive_queue", "send_queue"):
            self.assertEqual(row[name], after[name], (row, after))
        if row["protocol"].startswith("unix"):
            self.assertEqual(row["peer_inode"], after["peer"], (row, after))
            if "\n" not in (row["local"] or ""):
                self.assertEqual(row["local"] or "*", after["local"], (row, after))
            return
        self.assertEqual(row["local"], end_of(after["local"], row), (row, after))
        self.assertEqual(row["peer"], end_of(after["peer"], row), (row, after))
        if row["protocol"].startswith("tcp"):
            self.compare_tcp(row, before, after)

    def compare(self, pid, read, enter=()):
        """
        Every row beside the line of ss; returns the report. The other way around: what ss knows of
        the process's inodes is among the rows.
        """
        before = {kind: ss(kind, enter) for kind in KINDS}
        report = read(pid)
        after = {kind: ss(kind, enter) for kind in KINDS}
        rows = {row["inode"]: row for row in report["sockets"]}
        held = self.inodes_of(pid)
        self.assertEqual({inode: len(fds) for inode, fds in held.items()},
                         {inode: row["fd_count"] for inode, row in rows.items()})
        for inode, row in rows.items():
            self.assertEqual(row["fd"], min(held[inode]), row)
        compared = 0
        for kind, protocols in KINDS.items():
            for inode in set(before[kind]) & set(after[kind]) & set(rows):
                row = rows[inode]
                self.assertIn(row["protocol"].split()[0], protocols)
                self.compare_row(row, before[kind][inode], after[kind][inode])
                compared += 1
        told = set().union(*after.values())
        for inode, row in rows.items():
            if row["protocol"].split()[0] in sum(KINDS.values(), ()) and inode not in told and \
                    row["protocol"][:3] != "raw":
                self.assertIsNone(row["state"], row)
        return report, compared

    @staticmethod
    def inodes_of(pid):
        """{inode: descriptors}"""
        held = {}
        for name in os.listdir("/proc/%d/fd" % pid):
            target = os.readlink("/proc/%d/fd/%s" % (pid, name))
            if target.startswith("socket:["):
                held.setdefault(int(target[8:-1]), []).append(int(name))
        return held

    def read(self, pid):
        return self.sooth("inspect", "--sockets", "-j", str(pid)).json()

    def sockets(self, *around, more=()):
        """The workload, and its truth: [(fd, protocol, state)], {word: [numbers]}."""
        self.open_to_all()
        folder, truth = self.path("s"), self.path("truth")
        os.mkdir(folder)
        os.chmod(folder, 0o777)
        program = self.copy_for_all(harness.WORKLOADS)
        process = self.start(*around, program, "sockets", "--hold", "--folder", folder, "--truth",
                             truth, *more)
        self.wait_until_ready(process, "the states cannot be made here: needs cap_net_admin")
        sockets, facts = {}, {}
        for line in harness.read(truth).decode().splitlines():
            words = line.split()
            if words[0] == "socket":
                sockets[int(words[1])] = (words[2].replace("_", " "), words[3])
            else:
                facts.setdefault(words[0], []).append(words[1:])
        return process, sockets, facts

    def assert_truth(self, report, sockets, facts):
        rows = {row["fd"]: row for row in report["sockets"]}
        self.assertEqual(set(rows), set(sockets))
        for fd, (protocol, state) in sockets.items():
            row = rows[fd]
            self.assertEqual(row["protocol"], protocol, row)
            if state == "none":
                self.assertIsNone(row["state"], row)
                self.assertNotIn("state", row["not_measured"], row)
                self.assertIn("local", row["not_measured"], row)
            elif state == "unknown":
                self.assertIn("state", row["not_measured"], row)
            else:
                self.assertEqual(row["state"], state, row)
        for fd, count in facts["unread"]:
            queued = rows[int(fd)]["receive_queue"]
            self.assertTrue(queued > 0 if count == "more" else queued == int(count), rows[int(fd)])
        for fd, waiting, most in facts["waiting"]:
            self.assertEqual(rows[int(fd)]["receive_queue"], int(waiting))
            self.assertEqual(rows[int(fd)]["send_queue"], int(most))
        for (fd,) in facts["twice"]:
            self.assertEqual(rows[int(fd)]["fd_count"], 2)
        for (fd,) in facts["retransmits"]:
            self.assertGreater(rows[int(fd)]["retransmits"], 0)
            self.assertGreater(rows[int(fd)]["retransmits_waiting"], 0)
        keys = [row["key"] for row in report["sockets"]]
        self.assertEqual(len(keys), len(set(keys)), "each row is named")


class Truth(Compared):
    def test_every_state(self):
        process, sockets, facts = self.sockets()
        report, compared = self.compare(process.pid, self.read)
        self.assert_truth(report, sockets, facts)
        self.assertGreater(compared, 40)
        self.assertEqual({row["state"] for row in report["sockets"]} - {None}, set(STATES.values()))
        self.assertEqual([s["method"] for s in report["sources"]], ["sock_diag"])

    def test_states_are_counted(self):
        process, _, _ = self.sockets()
        report = self.read(process.pid)
        counts = {}
        for row in report["sockets"]:
            kind = (row["protocol"], row["state"])
            counts[kind] = counts.get(kind, 0) + 1
        self.assertEqual({(row["protocol"], row["state"]): row["count"]
                          for row in report["sockets_by_state"].values()}, counts)

    def test_same_from_capture(self):
        process, _, _ = self.sockets()
        capture = self.path("capture")
        for sink in ([], ["-j"]):
            live = self.sooth("inspect", "--sockets", "--save", capture, *sink, str(process.pid))
            again = self.sooth("inspect", "--sockets", *sink, capture)
            self.assertEqual(live.out, again.out)
            os.unlink(capture)

    def test_names_cannot_write_to_the_terminal(self):
        process, _, _ = self.sockets()
        out = self.sooth("inspect", "--sockets", str(process.pid)).out
        self.assertNotIn(b"\x1b", out)
        self.assertIn(b"@sooth\\x1b[31m\\n", out)
        self.assertEqual(sum(line.startswith(b"0: 2 0") for line in out.splitlines()), 0)

    def test_the_target_is_let_be(self):
        """Its descriptors, and how often it was stopped or woken, are as before."""
        process, _, _ = self.sockets()
        def looks():
            status = harness.read("/proc/%d/status" % process.pid).decode()
            switches = re.findall(r"ctxt_switches:\s+(\d+)", status)
            return self.inodes_of(process.pid), switches
        def at_rest():
            first = looks()
            time.sleep(0.1)
            return harness.process_state(process.pid) == "S" and first == looks()
        harness.wait_until(at_rest, "it to rest")
        before = looks()
        self.read(process.pid)
        self.assertEqual(looks(), before)


class RealPrograms(Compared):
    def test_as_ss_tells(self):
        total = 0
        with Programs() as programs:
            for name, pid in programs.held():
                with self.subTest(name):
                    enter = self.enter(pid)
                    _, compared = self.compare(pid, self.read, enter)
                    total += compared
            for name, reason in programs.missing.items():
                print("not tried: %s: %s" % (name, reason))
        self.assertGreater(total, 4)

    @staticmethod
    def enter(pid):
        own, theirs = (os.stat("/proc/%s/ns/net" % who).st_ino for who in ("self", pid))
        return [] if own == theirs else ["nsenter", "-t", str(pid), "-n"]


class Ordinary(Compared):
    def nobody(self, pid, *more):
        program = self.copy_for_all(harness.SOOTH)
        return self.run_program(program, "inspect", "--sockets", *more, str(pid),
            cwd=self.folder, **as_nobody())

    @needs_root
    def test_own_process(self):
        process, sockets, facts = self.sockets(more=["--uid", str(harness.NOBODY)])
        report, compared = self.compare(process.pid, lambda pid: self.nobody(pid, "-j").json())
        self.assert_truth(report, sockets, facts)
        self.assertGreater(compared, 40)

    @needs_root
    def test_process_of_another(self):
        process, _, _ = self.sockets()
        report = self.nobody(process.pid, "-j").json()
        self.assertEqual(report["sockets"], [])
        row, = report["sockets_totals"]
        self.assertIsNone(row["sockets"])
        self.assertIn("permission", row["not_measured"]["sockets"])
        text = self.nobody(process.pid).text
        self.assertNotIn("no sockets", text)
        self.assertIn("permission denied", text)

    @needs_root
    def test_namespace_that_may_not_be_entered(self):
        """The tables of /proc/PID/net are that namespace's: less, but told, and no invention."""
        process, sockets, facts = self.sockets("unshare", "-n", "sh", "-c",
            "ip link set lo up && exec \"$@\"", "sh", more=["--uid", str(harness.NOBODY)])
        rich = {row["fd"]: row for row in self.read(process.pid)["sockets"]}
        report = self.nobody(process.pid, "-j").json()
        rows = {row["fd"]: row for row in report["sockets"]}
        later = {row["fd"]: row for row in self.read(process.pid)["sockets"]}
        forged = {int(inode) for (inode,) in facts["forged"]}
        self.assertEqual(set(rows), set(sockets))
        for fd, row in rows.items():
            if row["inode"] in forged:
                self.assertIn("state", row["not_measured"], "two lines tell of it")
                continue
            if row["state"] is None or row["protocol"].startswith("netlink"):
                continue
            self.assertTrue(row["is_from_tables"], row)
            same = ["state", "protocol", "local", "receive_queue"]
            if row["protocol"].startswith("unix"):
                same = ["state", "protocol", "local"]
            if "\n0: " in (rich[fd]["local"] or ""):
                same.remove("local")  # the forger's own: what is left of it
            for name in same:
                self.assertEqual(row[name], rich[fd][name], (name, row, rich[fd]))
            if row["protocol"].startswith("tcp") and row["state"] != "LISTEN":
                self.assert_between(row["retransmits_waiting"], rich[fd]["retransmits_waiting"],
                                    later[fd]["retransmits_waiting"], 0, row)
                for name in ONLY_BY_NETLINK:
                    self.assertIn(name, row["not_measured"], row)
        self.assertTrue(any("another network namespace" in limit["reason"]
                            for limit in report["limits"]), report["limits"])

    def test_namespace_of_its_own(self):
        """A user may enter what he has made: the container of an ordinary user."""
        program = ("import socket, time\n"
                   "l = socket.create_server(('127.0.0.1', 0)); c = socket.create_connection(l.getsockname())\n"
                   "s = l.accept()[0]; c.send(b'hello'); print('ready', flush=True); time.sleep(60)\n")
        process = self.start("unshare", "-Urn", "sh", "-c", "ip link set lo up && exec \"$@\"", "sh",
                             "/usr/bin/python3", "-c", program, cwd="/", **as_nobody())
        process.wait_for_output(b"ready\n")
        report = self.nobody(process.pid, "-j").json()
        rows = [row for row in report["sockets"] if row["state"] == "ESTABLISHED"]
        self.assertEqual(len(rows), 2, report)
        self.assertIn(max(row["sent_bytes"] for row in rows), (5, 6), rows)
        for row in rows:
            self.assertFalse(row["is_from_tables"], row)
        # Another user may not.
        other = self.run_program(self.copy_for_all(harness.SOOTH), "inspect", "--sockets", "-j", str(process.pid),
                                 cwd="/", status=None, **harness.as_user(harness.NOBODY - 1))
        self.assertNotIn('"ESTABLISHED"', other.text)



@needs_root
class OtherNamespace(Compared):
    def test_as_ss_tells_there(self):
        process, sockets, facts = self.sockets("unshare", "-n", "sh", "-c",
                                               "ip link set lo up && exec \"$@\"", "sh")
        report, compared = self.compare(process.pid, self.read,
                                        ["nsenter", "-t", str(process.pid), "-n"])
        self.assert_truth(report, sockets, facts)
        self.assertGreater(compared, 40)
        own = os.stat("/proc/self/ns/net").st_ino
        theirs = os.stat("/proc/%d/ns/net" % process.pid).st_ino
        self.assertNotEqual(own, theirs)
        self.assertEqual({row["namespace"] for row in report["sockets"]}, {theirs})
        # Sooth itself stays where it is.
        self.assertEqual(os.stat("/proc/self/ns/net").st_ino, own)


class Ending(Compared):
    """Whatever it ends in the midst of: an answer or a refusal, in time, never a crash."""

    def test_ends_while_it_is_read(self):
        script = "import socket,time\nall=[socket.socketpair() for _ in range(400)]\n" \
                 "print('ready',flush=True)\ntime.sleep(60)"
        for i in range(12):
            process = self.start(sys.executable, "-c", script)
            process.wait_for_output(b"ready\n")
            reader = self.start_sooth("inspect", "--sockets", "-j", str(process.pid))
            time.sleep(0.0008 * i)
            process.send(signal.SIGKILL)
            run = reader.finish()
            self.assertIn(run.status, (0, 1, 2, 3, 4, 5), run)
            if not run.status:
                report = run.json()
                for row in report["sockets"]:
                    self.assertEqual(row["protocol"], "unix stream")

    def test_zombie(self):
        process = self.start(sys.executable, "-c", "import os,time\nif os.fork(): time.sleep(60)")
        child = harness.wait_until(
            lambda: [int(p) for p in harness.read("/proc/%d/task/%d/children" % (
                process.pid, process.pid)).split()], "a child")[0]
        harness.wait_until(lambda: harness.process_state(child) == "Z", "a zombie")
        report = self.read(child)
        row, = report["sockets_totals"]
        self.assertIsNone(row["sockets"])
        self.assertIn("exited", row["not_measured"]["sockets"])


class Many(Compared):
    COUNT = 4000

    @needs_root  # for that many descriptors
    def test_many_sockets_of_others(self):
        """What is not the process's own passes by: memory stays as it was."""
        script = "import socket,time,resource\n" \
                 "resource.setrlimit(resource.RLIMIT_NOFILE,(9000,9000))\n" \
                 "l=socket.create_server(('127.0.0.1',0),backlog=4096)\nall=[]\n" \
                 "for i in range(%d):\n c=socket.create_connection(l.getsockname())\n" \
                 " all+=[c,l.accept()[0]]\nprint('ready',flush=True)\ntime.sleep(120)" % self.COUNT
        crowd = self.start(sys.executable, "-c", script)
        small = self.start(sys.executable, "-c", "import socket\ns=socket.create_server("
            "('127.0.0.1',0))\nprint('ready',flush=True)\ninput()")
        small.wait_for_output(b"ready\n")
        before = self.read(small.pid)
        crowd.wait_for_output(b"ready\n")
        after = self.read(small.pid)
        self.assertEqual(len(after["sockets"]), len(before["sockets"]))
        self.assertLess(after["self"]["rss_bytes"], before["self"]["rss_bytes"] + (4 << 20))
        rows = self.read(crowd.pid)["sockets"]
        self.assertEqual(len(rows), 2 * self.COUNT + 1)
        self.assertEqual(len({row["key"] for row in rows}), len(rows))
        self.assertEqual({row["state"] for row in rows}, {"LISTEN", "ESTABLISHED"})


if __name__ == "__main__":
    harness.main()
