# SPDX-License-Identifier: BSD-2-Clause
"""
`sooth status`: connections of agents with a label of the peer, the host's figures beside /proc,
the tracers that are there with what the caller can really do with them, and the same again
from its capture.
"""
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import unittest

import harness
from harness import SOOTH, SOOTH_NONE, Case, as_nobody, have, needs_root, wait_until

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from agents import known, modes
from agents.agent import Agent, require_native

OTLP_PORT = 4317
CONNECT = "exec 3<>/dev/tcp/127.0.0.1/%d; echo ready; read line"
CONNECT_BELOW = "exec 3<&-; bash -c '%s' bash; true" % CONNECT
SLACK = 0.05  # of memory, which others use and give back meanwhile
AGENT = ".local/share/claude/versions/9.9.9"


def meminfo():
    found = re.findall(r"^(\w+):\s+(\d+) kB$", harness.read("/proc/meminfo").decode(), re.M)
    return {name: int(kilobytes) * 1024 for name, kilobytes in found}


def listener(case, port):
    """Somebody to connect to; port 0: any."""
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    case.addCleanup(server.close)
    try:
        server.bind(("127.0.0.1", port))
    except OSError as error:
        case.skipTest("port %d of loopback: %s" % (port, error))
    server.listen(8)
    return server.getsockname()[1]


class StatusCase(Case):
    def status(self, *argv, **options):
        return self.sooth("status", "-i", "50ms", "-j", *argv, **options).json()

    def copy_of(self, program, name):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        shutil.copy(shutil.which(program), path)
        return path


class Connections(StatusCase):
    def setUp(self):
        super().setUp()
        if not have("bash"):
            self.skipTest("no bash here")

    def connected(self, program, script):
        process = self.start(program, "-c", script)
        process.wait_for_output(b"ready\n")
        return process.pid

    def rows(self, report, pid):
        return [row for row in report["connections"] if row["pid"] == pid]

    def test_a_connection_to_a_collector(self):
        listener(self, OTLP_PORT)
        agent = self.connected(self.copy_of("bash", AGENT), CONNECT % OTLP_PORT)
        twin = self.connected(shutil.which("bash"), CONNECT % OTLP_PORT)
        report = self.status()
        (row,) = self.rows(report, agent)
        self.assertEqual((row["agent"], row["protocol"], row["state"], row["peer"]),
                         ("claude", "tcp", "ESTABLISHED", "127.0.0.1:%d" % OTLP_PORT))
        self.assertIn("OTLP", row["label"])
        self.assertEqual(self.rows(report, twin), [])
        self.assertIn(agent, [p["pid"] for p in report["processes"]])

    def test_a_connection_of_what_an_agent_started(self):
        port = listener(self, 0)
        agent = self.connected(self.copy_of("bash", AGENT), CONNECT_BELOW % port)
        (child,) = [int(pid) for pid in harness.read(
            "/proc/%d/task/%d/children" % (agent, agent)).split()]
        report = self.status()
        (row,) = self.rows(report, child)
        self.assertEqual((row["agent"], row["peer_port"], row["label"]), ("claude", port, None))
        self.assertEqual(self.rows(report, agent), [])

    def test_a_connection_of_what_an_agent_left(self):
        """Reparented: the marker in its environment tells that it is an agent's."""
        port = listener(self, 0)
        script = "exec 3<>/dev/tcp/127.0.0.1/%d; echo $$; exec sleep 1000" % port
        starter = self.start("setsid", "-f", "bash", "-c", script,
                             env=dict(os.environ, CLAUDECODE="1"))
        starter.wait_for_output(b"\n")
        pid = int(bytes(starter.out))
        self.addCleanup(os.kill, pid, signal.SIGKILL)
        (row,) = self.rows(self.status(), pid)
        self.assertEqual((row["agent"], row["peer_port"]), ("claude", port))

    def test_one_agent_of_several(self):
        port = listener(self, 0)
        claude = self.connected(self.copy_of("bash", AGENT), CONNECT % port)
        other = self.connected(self.copy_of("bash", ".opencode/bin/opencode"), CONNECT % port)
        both = self.status()
        self.assertTrue(self.rows(both, claude) and self.rows(both, other), both["connections"])
        one = self.status("--agent", "opencode")
        self.assertFalse(self.rows(one, claude))
        self.assertTrue(self.rows(one, other))
        self.assertNotIn(claude, [p["pid"] for p in one["processes"]])
        old = self.run_program(self.link("claude-status"), "-j").json()
        self.assertTrue(self.rows(old, claude))
        self.assertFalse(self.rows(old, other))

    def test_an_agent_of_the_user(self):
        port = listener(self, 0)
        os.makedirs(self.path("config/sooth/agents.d"))
        with open(self.path("config/sooth/agents.d/mine.agent"), "w", encoding="utf-8") as file:
            file.write("name mine\nbelow mine-of-this-test\n")
        environment = dict(os.environ, XDG_CONFIG_HOME=self.path("config"))
        mine = self.connected(self.copy_of("bash", "mine-of-this-test/bin/go"), CONNECT % port)
        kept = self.path("mine.sooth")
        report = self.status("--agent", "mine", "--save", kept, env=environment)
        self.assertEqual([row["pid"] for row in report["processes"]], [mine])
        self.assertTrue(self.rows(report, mine))
        # Whoever reads the capture need not have the file; whoever looks without it knows no mine.
        self.assertEqual(self.sooth("status", "-j", "--agent", "mine", kept).json(), report)
        self.assert_says_three_lines(self.sooth("status", "--agent", "mine", status=2), "mine")

    @unittest.skipUnless(have("strace"), "no strace here")
    def test_who_traces_whom(self):
        program = self.copy_of("sleep", AGENT)
        agent, twin = self.start(program, "1000"), self.start(program, "1000")
        self.assertEqual(self.status()["traced"], [])
        tracer = self.start("strace", "-qq", "-p", str(agent.pid), "-o", "/dev/null")
        wait_until(lambda: b"TracerPid:\t%d\n" % tracer.pid in harness.read(
            "/proc/%d/status" % agent.pid), "strace to attach")
        kept = self.path("traced.sooth")
        report = self.status("--save", kept)
        (row,) = report["traced"]
        self.assertEqual((row["pid"], row["agent"], row["role"], row["tracer_pid"], row["tracer"]),
                         (agent.pid, "claude", "main", tracer.pid, "strace"))
        self.assertNotEqual(row["pid"], twin.pid)
        self.assertEqual(self.sooth("status", "-j", kept).json()["traced"], report["traced"])
        self.assertRegex(self.sooth("status").text, r"%d +9\.9\.9 +claude +main +%d +strace" % (
            agent.pid, tracer.pid))
        self.assertEqual(self.status("--agent", "codex")["traced"], [])

    def link(self, name):
        os.symlink(SOOTH, self.path(name))
        return self.path(name)

    def test_the_same_from_its_capture(self):
        port = listener(self, 0)
        self.connected(self.copy_of("bash", AGENT), CONNECT % port)
        kept = self.path("kept.sooth")
        for how in ([], ["-j"]):
            live = self.sooth("status", *how, "--save", kept).out
            self.assertIn(b":%d" % port, live)
            for program in (SOOTH, SOOTH_NONE):
                again = self.run_program(program, "status", *how, kept).out
                self.assertEqual(again.decode(), live.decode(), program)
            os.unlink(kept)

    def test_sockets_of_others_are_not_read(self):
        """The capture holds none of a process that has nothing to do with an agent."""
        port = listener(self, 0)
        twin = self.connected(shutil.which("bash"), CONNECT % port)
        kept = self.path("kept.sooth")
        self.sooth("status", "--save", kept)
        whole = self.sooth("report", "-j", kept).json()
        self.assertNotIn(twin, [row["pid"] for row in whole["sockets_totals"]])


class RealAgent(StatusCase):
    def test_an_agent_that_waits_for_its_answer(self):
        reason = require_native()
        if reason:
            self.skipTest(reason)
        with Agent(known.CLAUDE_CODE, mode=modes.STALL) as agent:
            agent.wait_until_in_mode()
            port = int(agent.server.url.rpartition(":")[2])
            rows = [row for row in self.status()["connections"]
                    if row["pid"] == agent.worker_pid and row["peer_port"] == port]
        self.assertTrue(rows)
        self.assertEqual({row["agent"] for row in rows}, {"claude"})
        self.assertIn("ESTABLISHED", {row["state"] for row in rows})


class Host(StatusCase):
    def test_memory(self):
        before, row, after = meminfo(), self.status()["memory"], meminfo()
        self.assertEqual(row["total_bytes"], before["MemTotal"])
        self.assertEqual(row["swap_total_bytes"], before["SwapTotal"])
        for name, line in (("available_bytes", "MemAvailable"), ("free_bytes", "MemFree")):
            slack = SLACK * before["MemTotal"]
            self.assertLessEqual(min(before[line], after[line]) - slack, row[name])
            self.assertLessEqual(row[name], max(before[line], after[line]) + slack)
        if not os.path.exists("/proc/pressure/memory"):
            self.assertIn("some_10s_percent", row["not_measured"])

    def test_load(self):
        """The kernel computes it anew each five seconds: what is told between two looks that are the same."""
        def look():
            words = harness.read("/proc/loadavg").split()
            return [float(word) for word in words[:3]]

        def uptime():
            return float(harness.read("/proc/uptime").split()[0])

        def look_between():
            before, up_s, row = look(), uptime(), self.status()["load"]
            # In hundredths of a second there, cut.
            self.assertLessEqual(up_s - 0.01, row["uptime_ns"] / 1e9)
            self.assertLessEqual(row["uptime_ns"] / 1e9, uptime() + 0.01)
            return (row, before) if look() == before else None

        row, load = wait_until(look_between, "two looks that are the same")
        self.assertEqual([row["load_1m"], row["load_5m"], row["load_15m"]], load)
        self.assertEqual(row["cpus"], os.sysconf("SC_NPROCESSORS_ONLN"))
        self.assertGreater(row["tasks"], 1)

    def test_limits(self):
        """What the whole host has of a resource, and how much of that is used."""
        path = self.path("host.sooth")
        self.sooth("status", "-i", "50ms", "--save", path)
        rows = {row["resource"]: row for row in self.sooth("query", "-j", path, "select * from host_limit").json()["rows"]}
        self.assertEqual(rows["pseudo terminals"]["limit"], int(harness.read("/proc/sys/kernel/pty/max")))
        self.assertEqual(rows["open files"]["limit"], int(harness.read("/proc/sys/fs/file-nr").split()[2]))
        tasks = [int(harness.read("/proc/sys/kernel/" + name)) for name in ("pid_max", "threads-max")]
        self.assertIn(rows["processes and threads"]["limit"], (min(tasks), tasks[1]))
        self.assertGreater(rows["processes and threads"]["used"], 1)
        with open("/dev/ptmx", "rb+", buffering=0):
            self.sooth("status", "-i", "50ms", "--save", path)
            again = self.sooth("query", "-j", path, "select used from host_limit where resource = 'pseudo terminals'")
            self.assertGreaterEqual(again.json()["rows"][0]["used"], 1)

    def test_without_pressure(self):
        """A host that keeps no account of it: not measured, never 0."""
        if os.geteuid() or not have("unshare"):
            self.skipTest("a mount namespace takes root")
        run = self.run_program("unshare", "-m", "sh", "-c",
            "mount -t tmpfs none /proc/pressure && exec %s status -j" % SOOTH, status=None)
        if run.status == 1:
            self.skipTest("cannot mount here: " + run.errors)
        report = run.json()
        self.assertIsNone(report["memory"]["some_10s_percent"])
        self.assertIsNone(report["load"]["cpu_some_10s_percent"])
        self.assertEqual(report["memory"]["not_measured"]["some_10s_percent"],
                         "not available on this system")


class Tracers(StatusCase):
    def tracers(self, path="/nowhere", **options):
        env = dict(os.environ, PATH=path)
        return {row["name"]: row for row in self.status(env=env, **options)["tracers"]}

    def tool(self, name, content=b"#!/bin/sh\n", mode=0o755):
        os.makedirs(self.path("bin"), exist_ok=True)
        path = self.path("bin/" + name)
        with open(path, "wb") as file:
            file.write(content)
        os.chmod(path, mode)
        return path

    def test_sooth_is_first(self):
        first = self.status()["tracers"][0]
        self.assertEqual((first["name"], first["path"]), ("sooth", None))
        self.assertIn("cap_bpf", first["need"])

    def test_with_and_without(self):
        """rbspy is in no distribution, so only the search path can have it."""
        self.assertNotIn("rbspy", self.tracers())
        path = self.tool("rbspy")
        row = self.tracers("/nowhere:relative::%s:/nowhere" % self.path("bin"))["rbspy"]
        self.assertEqual(row["path"], path)
        self.assertIsNone(row["version"])
        self.assertIn("version", row["not_measured"])
        os.chmod(path, 0o644)
        self.assertNotIn("rbspy", self.tracers(self.path("bin")))

    def test_installed_ones(self):
        listed = self.tracers()
        for name in ("strace", "gdb", "perf", "bpftrace", "valgrind", "tcpdump"):
            path = shutil.which(name, path="/usr/bin:/usr/sbin:/usr/local/bin:/bin:/sbin")
            self.assertEqual(listed.get(name, {}).get("path"), path, name)

    def test_version_of_the_package(self):
        row = self.tracers().get("strace")
        if not row or not have("dpkg-query"):
            self.skipTest("no strace, or no dpkg")
        run = self.run_program("dpkg-query", "-W", "-f", "${Version}", "strace", status=None)
        self.assertEqual(row["version"], run.text if run.status == 0 else None)

    def test_a_script_called_dtrace_is_none(self):
        self.tool("dtrace")
        self.assertNotIn("dtrace", self.tracers(self.path("bin")))
        self.tool("dtrace", harness.read(shutil.which("true")))
        self.assertIn("dtrace", self.tracers(self.path("bin")))

    def test_nothing_is_run(self):
        """Each tool would leave a file behind."""
        for name in ("strace", "rbspy", "uftrace", "py-spy", "perf"):
            self.tool(name, b"#!/bin/sh\ntouch %s\n" % self.path("was-run").encode())
        self.assertIn("rbspy", self.tracers(self.path("bin")))
        self.assertFalse(os.path.exists(self.path("was-run")))

    @needs_root
    def test_what_nobody_can_do_with_strace(self):
        """What is said of it is what happens."""
        if not have("strace"):
            self.skipTest("no strace here")
        sooth = self.copy_for_all(SOOTH)
        own = self.start("sleep", "100", **as_nobody())
        others = self.start("sleep", "100")
        run = self.run_program(sooth, "status", "-j", **as_nobody())
        row = {row["name"]: row for row in run.json()["tracers"]}["strace"]
        can = {pid: self.can_strace(pid, as_nobody()) for pid in (own.pid, others.pid)}
        self.assertEqual(row["reach"], "own processes" if can[own.pid] else "what it starts", row)
        self.assertFalse(can[others.pid])
        self.assertIn("cap_sys_ptrace", row["missing"])
        mine = self.tracers()["strace"]
        self.assertEqual((mine["reach"], mine["missing"]), ("everything", None))
        self.assertTrue(self.can_strace(own.pid, {}))

    def can_strace(self, pid, how):
        tracer = self.start("strace", "-p", str(pid), **how)
        try:
            wait_until(lambda: b"attached" in tracer.err or not tracer.is_running(), "strace")
            return b"attached" in tracer.err
        finally:
            tracer.end()

    @needs_root
    def test_a_file_with_capabilities(self):
        """Of a tool whose file carries what it needs, anybody reaches everything."""
        if not have("setcap"):
            self.skipTest("no setcap here")
        self.open_to_all()
        path = self.tool("dumpcap", harness.read(shutil.which("true")))
        sooth = self.copy_for_all(SOOTH)
        env = dict(os.environ, PATH=self.path("bin"))
        os.chmod(self.path("bin"), 0o755)

        def reach():
            run = self.run_program(sooth, "status", "-j", env=env, **as_nobody())
            return {row["name"]: row["reach"] for row in run.json()["tracers"]}["tshark"]

        if shutil.which("tshark", path="/usr/bin:/usr/sbin"):
            self.skipTest("the host has its own")
        self.assertEqual(reach(), "nothing")
        setcap = self.run_program("setcap", "cap_net_raw+ep", path, status=None)
        if setcap.status:
            self.skipTest(setcap.errors)
        self.assertEqual(reach(), "everything")


if __name__ == "__main__":
    harness.main()
