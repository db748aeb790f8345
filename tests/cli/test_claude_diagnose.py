# SPDX-License-Identifier: BSD-2-Clause
"""
claude-diagnose through a link: every command line of its page runs as written, or says in three
lines that a later probe brings it (exit 3); its JSON, by the view overview, has the contract's
members; every diagnosis has four. What single calls were, the view operations tells people.
"""
import json
import os
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "live"))

import harness
from harness import SOOTH, Case, as_nobody, needs_bpf, needs_root

HEAD = {"timestamp", "hostname", "os_version", "process_count", "processes", "system", "summary"}
PROCESS = {"pid", "cpu", "mem", "rss_mb", "command"}
SUMMARY = {"total_cpu", "total_mem", "total_rss_mb", "critical_issues", "warnings"}
DESCRIPTORS = {"pid", "total_fds", "by_type", "watched_paths", "network_connections", "issues",
               "error"}
DTRACE = {"pid", "duration_secs", "success", "method", "syscall_summary", "top_syscalls",
          "io_operations", "network_operations", "stack_samples", "flamegraph_path", "issues",
          "error", "fallback_reason"}
CALL = {"name", "count", "total_time_us", "avg_time_us", "errors"}
IO = {"syscall", "fd", "path", "bytes", "latency_us"}
NETWORK = {"syscall", "fd", "address", "port", "bytes", "latency_us"}
ISSUE = {"issue", "severity", "description", "remedy"}

BUSY = """
import os, socket, time
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname())
other = server.accept()[0]
file = open("written", "wb", buffering=0)
print("ready", server.getsockname()[1], flush=True)
while True:
    client.send(b"x" * 100)
    other.recv(100)
    file.write(b"y" * 300)
    try:
        os.stat("not-there")
    except OSError:
        pass
    time.sleep(0.01)
"""
# One number is many files, then many connections: the sizes say which it was at each call.
REUSE = """
import os, socket, time
servers = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
print("ready", *(s.getsockname()[1] for s in servers), flush=True)
while True:
    for i, server in enumerate(servers):
        fd = os.open("file%d" % i, os.O_WRONLY | os.O_CREAT)
        os.write(fd, b"y" * (300 + i))
        os.close(fd)
        client = socket.create_connection(server.getsockname())
        client.send(b"x" * (100 + i))
        client.close()
        server.accept()[0].close()
        time.sleep(0.005)
"""
DATAGRAMS = """
import socket, time
server, client = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
for one in (server, client):
    one.bind(("127.0.0.1", 0))
to = server.getsockname()
print("ready", to[1], client.getsockname()[1], flush=True)
while True:
    client.sendto(b"x" * 10, to)
    client.sendmsg([b"x" * 20], [], 0, to)
    server.recvfrom(100)
    server.recvmsg(100)
    time.sleep(0.03)
"""
LEAK = """
import time
kept = []
print("ready", flush=True)
while True:
    kept.append(open("leaked", "w"))
    time.sleep(0.02)
"""


def one_of(rows):
    """The only one."""
    row, = rows
    return row


class Diagnose(Case):
    def setUp(self):
        super().setUp()
        self.name = self.path("claude-diagnose")
        os.symlink(SOOTH, self.name)

    def diagnose(self, *argv, **options):
        return self.run_program(self.name, *argv, cwd=self.folder, **options)

    def python(self, program):
        process = self.start(sys.executable, "-u", "-c", program, cwd=self.folder)
        process.wait_for_output(b"ready")
        return process

    def port_of(self, target):
        target.wait_for_output(b"\n")
        return int(bytes(target.out).split()[1])

    def one(self, *argv, **options):
        (process,) = self.diagnose("-j", *argv, **options).json()["processes"]
        return process


class CommandLines(Diagnose):
    """Of the contract's page, each as written."""

    def test_what_runs(self):
        target = self.python(BUSY)
        pid, file = str(target.pid), self.path("out.json")
        for line in ("", "-j", "--json", "-d --duration 1", "--deep --duration 1", "--pid PID",
                     "-d -j --pid PID --duration 1", "-D --pid PID --duration 1",
                     "--dtrace --pid PID --duration 1", "-D --duration 1 --io --pid PID",
                     "-D --duration 1 --network --pid PID", "-D -j --io --network --pid PID "
                     "--duration 1", "-j -o FILE", "--pid PID -j --output FILE",
                     "--sample-duration 3", "-h", "--help", "-V"):
            words = line.replace("PID", pid).replace("FILE", file).split()
            run = self.diagnose(*words)
            self.assertEqual("without -s" in run.errors, "--sample-duration" in words, run)
            if "FILE" in line:
                self.assertEqual(run.out, b"")
                self.assertEqual(os.stat(file).st_mode & 0o777, 0o600)
                with open(file, encoding="utf-8") as written:
                    self.assertLessEqual(HEAD, set(json.load(written)))
                os.unlink(file)
            elif "-j" in words or "--json" in words:
                self.assertLessEqual(HEAD, set(run.json()))
            else:
                self.assertTrue(run.out, line)

    @needs_bpf
    def test_samples(self):
        """Hot functions, what they show, and the raw tree in a file."""
        target = self.start("sh", "-c", "echo ready; while :; do :; done")
        target.wait_for_output(b"ready")
        pid, file = str(target.pid), self.path("tree.txt")
        for line in ("-s", "--sample", "-s --sample-duration 1", "-d -s"):
            run = self.diagnose(*line.split(), "--duration", "1", "--pid", pid)
            self.assertNotIn("not sampled", run.errors)
            self.assertRegex(run.text, r"(?m)^SELF% +TOTAL%")
        run = self.diagnose("-s", "-j", "--duration", "2", "--pid", pid, "-o", file)
        (process,) = run.json()["processes"]
        sample = process["sample"]
        self.assertTrue(sample["success"])
        self.assertIsNone(sample["error"])
        self.assertEqual(sample["thread_count"], 1)
        counts = [row["samples"] for row in sample["hot_functions"]]
        self.assertTrue(counts and all(row["function"] for row in sample["hot_functions"]))
        self.assertEqual(counts, sorted(counts, reverse=True))
        self.assertGreater(process["file_descriptors"]["total_fds"], 2)
        self.assertEqual(os.stat(file).st_mode & 0o777, 0o600)
        with open(file, encoding="utf-8") as written:
            whole = written.read()
        self.assertRegex(whole, r"(?m)^TOTAL% .*FRAME$")
        self.assertRegex(whole, r"(?m)^ 100\.0 .* sh$")
        os.unlink(file)
        self.diagnose("-s", "--min-share", "100", "--duration", "1", "--pid", pid, "-o", file)
        with open(file, encoding="utf-8") as written:
            pruned = written.read()
        shares = [float(line.split()[0]) for line in pruned.splitlines()
                  if line.strip() and line.split()[0].replace(".", "").isdigit()]
        self.assertTrue(shares and set(shares) == {100.0}, pruned)

    def test_what_it_refuses(self):
        for words in (["--min-share", "1"], ["--io"], ["--network"], ["--flamegraph"], ["4711"], ["--pid", "x"],
                      ["--duration", "0"], ["-q"], ["--", "true"]):
            self.assert_says_three_lines(self.diagnose(*words, status=2))
        self.assert_says_three_lines(self.diagnose("--pid", "2147483647", status=4))


class Members(Diagnose):
    def test_the_head(self):
        report = self.diagnose("-j").json()
        self.assertLessEqual(HEAD, set(report))
        self.assertEqual(report["schema"]["name"], "claude-diagnose")
        self.assertEqual(report["process_count"], len(report["processes"]))
        memory = report["system"]["memory"]
        self.assertIn(memory["pressure_level"], ("normal", "warning", "critical", None))
        self.assertGreater(memory["free_memory_mb"], 0)
        self.assertLessEqual(SUMMARY, set(report["summary"]))

    def test_the_quick_overview_says_what_needs_an_interval(self):
        target = self.python(LEAK)
        report = self.diagnose("-j", "--pid", str(target.pid)).json()
        (process,) = report["processes"]
        self.assertLessEqual(PROCESS, set(process))
        self.assertIsNone(process["file_descriptors"])
        self.assertIsNone(process["dtrace"])
        self.assertIn("leaked", process["command"])
        self.assertIn("fd-leak", report["summary"]["needs_interval"])
        self.assertEqual(process["issues"], [])
        self.assertIsNotNone(process["cpu"])
        text = self.diagnose("--pid", str(target.pid)).text
        self.assertRegex(text, "not seen: .*fd-leak.*needs two samples")

    def test_descriptors(self):
        target = self.python(BUSY)
        port = self.port_of(target)
        found = self.one("-d", "--duration", "0.6", "--pid", str(target.pid))["file_descriptors"]
        self.assertLessEqual(DESCRIPTORS, set(found))
        self.assertEqual(found["total_fds"], sum(found["by_type"].values()))
        self.assertEqual(found["by_type"]["tcp"], 3)
        self.assertGreaterEqual(found["by_type"]["file"], 1)
        sockets = [(c["conn_type"], c["connection"]) for c in found["network_connections"]]
        self.assertIn(("tcp", "127.0.0.1:%d (LISTEN)" % port), sockets)
        self.assertEqual(len(sockets), 3)
        self.assertTrue(any("->127.0.0.1:%d (ESTABLISHED)" % port in c for _, c in sockets))
        self.assertIsNone(found["error"])

    def test_issues_are_findings_in_four_members(self):
        """With the user's own threshold, which holds under this name too."""
        config = self.path("sooth")
        os.mkdir(config)
        with open(os.path.join(config, "findings"), "w", encoding="utf-8") as file:
            file.write("fd-leak.min-age = 0\n")
        target = self.python(LEAK)
        report = self.diagnose("-j", "-d", "--duration", "4", "--pid", str(target.pid),
            env=dict(os.environ, XDG_CONFIG_HOME=self.folder)).json()
        (process,) = report["processes"]
        (issue,) = [i for i in process["issues"] if i["issue"] == "fd-leak"]
        self.assertLessEqual(ISSUE, set(issue))
        self.assertIn("descriptors", issue["description"])
        self.assertTrue(issue["remedy"])
        self.assertIn(issue, process["file_descriptors"]["issues"])
        urgent = report["summary"]["critical_issues"] + report["summary"]["warnings"]
        self.assertIn(issue, urgent)

    def test_only_claude(self):
        """Another agent is not its business; named by pid, anybody is."""
        if not harness.have("bash"):
            self.skipTest("no bash here")
        pids = {}
        for agent, path in (("claude", ".local/share/claude/versions/9.9.9"),
                            ("opencode", ".opencode/bin/opencode")):
            program = self.path(path)
            os.makedirs(os.path.dirname(program))
            shutil.copy(shutil.which("bash"), program)
            process = self.start(program, "-c", "echo ready; read line")
            process.wait_for_output(b"ready")
            pids[agent] = process.pid
        found = {p["pid"] for p in self.diagnose("-j").json()["processes"]}
        self.assertIn(pids["claude"], found)
        self.assertNotIn(pids["opencode"], found)
        self.assertEqual(self.one("--pid", str(pids["opencode"]))["pid"], pids["opencode"])


class Calls(Diagnose):
    @needs_bpf
    def test_the_table(self):
        target = self.python(BUSY)
        found = self.one("-D", "--duration", "1", "--pid", str(target.pid))["dtrace"]
        self.assertLessEqual(DTRACE, set(found))
        self.assertTrue(found["success"])
        self.assertEqual(found["method"], "bpf")
        self.assertIsNone(found["error"])
        self.assertGreater(found["duration_secs"], 0.9)
        calls = {c["name"]: c for c in found["top_syscalls"]}
        for name in ("write", "sendto", "recvfrom"):
            self.assertLessEqual(CALL, set(calls[name]))
            self.assertGreater(calls[name]["count"], 5)
            # Those whose begin was not seen, at the attach, are in the count alone.
            self.assertGreaterEqual(calls[name]["avg_time_us"] * calls[name]["count"],
                0.99 * calls[name]["total_time_us"] - 1)
            self.assertLessEqual(calls[name]["avg_time_us"], calls[name]["total_time_us"])
        totals = [c["total_time_us"] or 0 for c in found["top_syscalls"]]
        self.assertEqual(totals, sorted(totals, reverse=True))
        by_category = {c["category"]: c["count"] for c in found["syscall_summary"]}
        self.assertEqual(sum(by_category.values()), sum(c["count"] for c in calls.values()))
        self.assertIn("write", {o["syscall"] for o in found["io_operations"]})
        self.assertIn("sendto", {o["syscall"] for o in found["network_operations"]})

    @needs_bpf
    def test_single_calls(self):
        target = self.python(BUSY)
        port = self.port_of(target)
        found = self.one("-D", "--io", "--network", "--duration", "1", "--pid",
                         str(target.pid))["dtrace"]
        written = [o for o in found["io_operations"] if o["syscall"] == "write"]
        self.assertLessEqual(IO, set(written[0]))
        for operation in written:
            self.assertEqual((operation["path"], operation["bytes"]),
                             (self.path("written"), 300))
        missing = [o for o in found["io_operations"] if o["path"] == self.path("not-there")]
        self.assertEqual({(o["error"], o["bytes"], o["fd"]) for o in missing},
                         {("ENOENT", None, None)})
        sent = [o for o in found["network_operations"] if o["syscall"] == "sendto"]
        self.assertLessEqual(NETWORK, set(sent[0]))
        self.assertEqual({(o["address"], o["port"], o["bytes"]) for o in sent},
                         {("127.0.0.1", port, 100)})
        for kind in ("io_operations", "network_operations"):
            times = [o["latency_us"] for o in found[kind]]
            self.assertEqual(times, sorted(times, reverse=True))
            self.assertLessEqual(len(times), 2000)
        only = self.one("-D", "--network", "--duration", "0.6", "--pid", str(target.pid))["dtrace"]
        self.assertIsNone(only["io_operations"], "not requested")
        text = self.diagnose("-D", "--io", "--duration", "0.6", "--pid", str(target.pid)).text
        self.assertIn(self.path("written"), text)
        self.assertRegex(text, "(?m)^write +[0-9]")
        self.assertNotRegex(text, "(?m)^sendto +[0-9]")
        self.diagnose("-D", "--network", "--flamegraph", "-o", self.path("n.svg"), "--duration",
                      "0.6", "--pid", str(target.pid))
        folded = harness.read(self.path("n.folded")).decode()
        self.assertIn(";sendto;", folded)
        self.assertNotIn(";write;", folded)

    def test_descriptors_as_text(self):
        """-d prints what its JSON has: descriptors, and connections with their states."""
        target = self.python(BUSY)
        port = self.port_of(target)
        text = self.diagnose("-d", "--duration", "0.6", "--pid", str(target.pid)).text
        self.assertRegex(text, r"(?m)^TYPE +COUNT")
        self.assertIn(self.path("written"), text)
        self.assertRegex(text, r"(?m)LISTEN.*127\.0\.0\.1:%d|127\.0\.0\.1:%d.*LISTEN" % (port, port))

    @needs_bpf
    def test_numbers_are_used_again(self):
        """Each call has the file or peer of its time; sooth trace and what sooth diagnose knows of files have the same."""
        target = self.python(REUSE)
        target.wait_for_output(b"\n")
        ports = [int(word) for word in bytes(target.out).split()[1:3]]
        found = self.one("-D", "--io", "--network", "--duration", "1", "--pid",
                         str(target.pid))["dtrace"]
        written = {(o["path"], o["bytes"]) for o in found["io_operations"]
                   if o["syscall"] == "write"}
        self.assertEqual(written, {(self.path("file%d" % i), 300 + i) for i in range(2)})
        for call, sizes in (("sendto", (100, 101)), ("connect", (None, None))):
            peers = {(o["address"], o["port"], o["bytes"]) for o in found["network_operations"]
                     if o["syscall"] == call}
            self.assertEqual(peers, {("127.0.0.1", ports[i], sizes[i]) for i in range(2)}, call)
        told = self.sooth("trace", "--io", "-j", "-d", "1", "-p", str(target.pid)).json()
        for row in told["io"]:
            if row["path"].startswith(self.path("file")):
                self.assertEqual(row["written_bytes"], row["writes"] * (300 + int(row["path"][-1])))
        told = self.sooth("diagnose", "-j", "--duration", "2", "--set", "write-churn.min-rate=1", "--set",
                          "write-churn.in-place-rate=1", str(target.pid)).json()
        remains = {(f["claim"].split()[5], {e["name"]: e["value"] for e in f["evidence"]}["bytes that remain in the files"])
                   for f in one_of(told["processes"])["findings"] if f["id"] == "write-churn"}
        self.assertEqual(remains, {(self.path("file%d" % i), 300 + i) for i in range(2)}, told)

    @needs_bpf
    def test_children_are_said(self):
        """Each process has its own calls: that children made others is said."""
        target = self.python("import subprocess, time\nprint('ready', flush=True)\n"
                             "while True: subprocess.run(['/bin/true']); time.sleep(0.05)\n")
        target.wait_for_output(b"ready")
        report = self.diagnose("-D", "-j", "--duration", "1", "--pid", str(target.pid)).json()
        self.assertRegex(str(report["limits"]), "[1-9][0-9]* system calls of children")

    @needs_bpf
    def test_peers_of_unconnected_sockets(self):
        """The call alone names them."""
        target = self.python(DATAGRAMS)
        target.wait_for_output(b"\n")
        server, client = (int(word) for word in bytes(target.out).split()[1:3])
        found = self.one("-D", "--network", "--duration", "1", "--pid", str(target.pid))["dtrace"]
        for call, port, size in (("sendto", server, 10), ("sendmsg", server, 20),
                                 ("recvfrom", client, 10), ("recvmsg", client, 20)):
            operations = [o for o in found["network_operations"] if o["syscall"] == call]
            self.assertTrue(operations, found)
            self.assertEqual({(o["address"], o["port"], o["bytes"]) for o in operations},
                             {("127.0.0.1", port, size)}, call)

    @needs_root
    def test_without_privilege(self):
        """The rest is told, and why calls are not, and that there is no picture of them."""
        program = self.copy_for_all(os.path.realpath(SOOTH))
        link = self.path("unprivileged/claude-diagnose")
        os.makedirs(os.path.dirname(link))
        os.chmod(os.path.dirname(link), 0o755)
        os.symlink(program, link)
        target = self.start("sleep", "600", **as_nobody())
        harness.wait_until(lambda: harness.read("/proc/%d/comm" % target.pid) == b"sleep\n",
                           "sleep to run")
        run = self.run_program(link, "-D", "-j", "--duration", "0.6", "--pid", str(target.pid),
                               status=3, **as_nobody())
        (process,) = run.json()["processes"]
        found = process["dtrace"]
        self.assertEqual((found["success"], found["top_syscalls"]), (False, []))
        self.assertIsNone(found["method"])
        self.assertTrue(found["error"])
        self.assertEqual(found["fallback_reason"], found["error"])
        self.assertGreater(process["file_descriptors"]["total_fds"], 0)
        text = self.run_program(link, "-D", "--duration", "0.6", "--pid", str(target.pid),
                                status=3, **as_nobody())
        self.assertIn("system calls were not observed: ", text.errors)
        self.assertIn("sleep (pid", text.text)
        may_sample = harness.nobody_may_sample()
        run = self.run_program(link, "-s", "-j", "--duration", "0.6", "--pid", str(target.pid),
                               status=0 if may_sample else 3, **as_nobody())
        (process,) = run.json()["processes"]
        self.assertEqual(process["sample"]["success"], may_sample)
        self.assertEqual(process["sample"]["error"] is None, may_sample)
        self.assertEqual("stacks are not sampled: " not in run.errors, may_sample)
        picture = os.path.join(os.path.dirname(link), "calls.svg")
        os.chmod(os.path.dirname(link), 0o777)
        text = self.run_program(link, "-D", "--flamegraph", "-o", picture, "--duration", "0.6",
                                "--pid", str(target.pid), status=3, **as_nobody())
        self.assertIn("was not written", text.errors)
        self.assertIn(picture, text.errors)
        self.assertNotIn("flamegraph: ", text.text)
        self.assertIn("sleep (pid", text.text)
        self.assertFalse(os.path.exists(picture))
        quick = self.run_program(link, "--pid", str(target.pid), **as_nobody())
        self.assertEqual(quick.errors, "")


if __name__ == "__main__":
    harness.main()
