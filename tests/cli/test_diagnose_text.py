# SPDX-License-Identifier: BSD-2-Clause
"""
`sooth diagnose` for people: the answer in the first line, one line a process, what is fine, what
could not be checked, and the exit status that follows. JSON is the same with and without -v.
"""
import os
import re
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "live"))

sys.path.insert(0, os.path.join(HERE, "..", "findings"))

import harness
import stored
from harness import SOOTH, Case, as_nobody, needs_root

SICK, CALLS, FAMILY = (os.path.join(HERE, "baseline", name + ".sooth")
                       for name in ("sick", "sick_calls", "family_diagnose"))


class Text(Case):
    def lines(self, *argv, **options):
        return self.sooth("diagnose", *argv, **options).text.splitlines()

    def test_one_line_a_process(self):
        lines = self.lines(SICK)
        first = lines[:lines.index("")]
        self.assertRegex(first[0], r"^workloads \d+: deadlock: all 3 threads wait for each other")
        self.assertEqual(len(first), 7)
        self.assertEqual(first[5], "fine: the host")
        self.assertRegex(first[6], "^no problem found in what could be checked: python3")
        # Below each its evidence, and what to do.
        rest = "\n".join(lines[lines.index(""):])
        self.assertRegex(rest, r"\(\d+\), |workloads \d+, all-threads-waiting \(high\): ")
        self.assertEqual(len(re.findall(r"(?m)^  do: ", rest)), 6)
        self.assertEqual(len(re.findall(r"(?m)^not judged: ", rest)), 1)
        self.assertRegex(rest, r"\b[12]\d checks of system calls, stacks and exits: not requested")

    def test_children_have_no_line(self):
        text = self.sooth("diagnose", FAMILY).text
        self.assertRegex(text, r"^mcp-server-old 8 \(mcp of claude, project\): MCP server")
        self.assertIn("claude 4 (project)", text)
        for pid in re.findall(r"\(pid (\d+)\), Claude Code, (?:tool|mcp), in", self.sooth("diagnose", "-v", FAMILY).text):
            with self.subTest(pid):
                self.assertTrue(pid in ("8", "9") or " %s (" % pid not in text, text)

    def test_of_one_process(self):
        pid = re.search(r"python3 (\d+): cannot connect", self.sooth("diagnose", CALLS).text).group(1)
        lines = self.lines("-p", pid, CALLS)
        self.assertRegex(lines[0], "^python3 %s: cannot connect to 127.0.0.1:9" % pid)
        self.assertRegex(lines[1], r"^connect-failing \(medium\): failures: ")
        self.assertRegex(lines[2], "^  do: check that 127.0.0.1:9 is up")
        self.assertRegex(lines[3], r"^fine: \d+ other checks; it uses ")
        self.assertLessEqual(len(lines), 10)

    def test_everything(self):
        """-v has every process, check and note; the answer stands first in it too."""
        short, whole = (self.sooth("diagnose", *v, SICK).text for v in ((), ("-v",)))
        self.assertEqual(short.split("\n")[0], whole.split("\n")[0])
        self.assertLess(3 * short.count("\n"), whole.count("\n"))
        for part in ("fine: fd-limit-near", "not seen: ", "observed for ", "lost nothing", "sooth used "):
            self.assertIn(part, whole)
            self.assertNotIn(part, short)

    def test_json_is_the_same(self):
        for capture in (SICK, CALLS, FAMILY):
            plain = self.sooth("diagnose", "-j", capture).json()
            self.assertEqual(plain, self.sooth("diagnose", "-j", "-v", capture).json())
            self.assertEqual(plain["summary"]["headline"], self.lines(capture)[0])
            self.assertNotIn("answer", plain)

    def test_a_filter(self):
        lines = self.lines("--filter", "name = sleep", SICK)
        self.assertRegex(lines[0], r"^sleep \d+: stopped by SIGSTOP")
        self.assertNotIn("deadlock: all", "\n".join(lines))
        # Of programs the headline is that of all.
        headlines = [self.sooth("diagnose", "-j", *argv, SICK).json()["summary"]["headline"]
                     for argv in ((), ("--filter", "name = sleep"))]
        self.assertEqual(headlines[0], headlines[1])

    def test_a_narrow_terminal(self):
        for columns in (60, 80):
            for line in self.lines(SICK, env={**os.environ, "SOOTH_COLUMNS": str(columns)}):
                if not line.startswith("not measured: "):
                    self.assertLessEqual(len(line), columns)

    @needs_root
    def test_no_agent(self):
        """At once, and how to check another process."""
        empty = ("unshare", "--pid", "--fork", "--mount-proc", SOOTH, "diagnose")
        text = self.run_program(*empty).text
        self.assertTrue(text.startswith("no agents are running; to check another process: sooth diagnose PID\n"), text)
        self.assertLess(self.run_program(*empty, "-j").json()["summary"]["interval_ns"], 2e9)

    @needs_root
    def test_no_agent_to_explain(self):
        """As diagnose does: no agent is an answer, and not an error."""
        empty = ("unshare", "--pid", "--fork", "--mount-proc", SOOTH, "why")
        text = self.run_program(*empty).text
        self.assertTrue(text.startswith("no agents are running; to explain another process: sooth why PID\n"), text)
        self.assertEqual(self.run_program(*empty, "-j").json()["processes"], [])


class Launchers(Case):
    """What a process waits for below it is judged with it, and workers; any other process alone."""
    BELOW = ("timeout", "900", "python3", "-c", "import time; print(1, flush=True); time.sleep(900)")

    def diagnosed(self, pid):
        report = self.sooth("diagnose", "-j", "--passive", "--duration", "0.6", "--set",
            "frozen.min-time=0", str(pid)).json()
        return report["summary"]["headline"], {row["pid"] for row in report["processes"]}

    def child(self, pid):
        return int(harness.read("/proc/%d/task/%d/children" % (pid, pid)).split()[0])

    def test_the_sick_child_comes_first(self):
        shell = self.start("/bin/sh", "-c", " ".join(self.BELOW[:3]) + " -c '%s'; true" % self.BELOW[4])
        shell.wait_for_output(b"1")
        timeout = self.child(shell.pid)
        worker = self.child(timeout)
        self.addCleanup(os.kill, worker, 9)
        tree = {shell.pid, timeout, worker}
        self.assertEqual(self.diagnosed(shell.pid)[1], tree)
        self.assertEqual(self.diagnosed(timeout)[1], tree - {shell.pid})
        self.assertEqual(self.diagnosed(worker)[1], {worker})
        os.kill(worker, 19)
        harness.wait_until(lambda: harness.process_state(worker) == "T", "it stops")
        headline, processes = self.diagnosed(shell.pid)
        self.assertEqual(processes, tree)
        self.assertRegex(headline, r"^python3 %d: stopped by SIGSTOP" % worker)

    def parent_of(self, program):
        """It starts `timeout`."""
        parent = self.start(sys.executable, "-c", "import subprocess, time; " + program)
        parent.wait_for_output(b"1")
        timeout = self.child(parent.pid)
        self.addCleanup(os.kill, self.child(timeout), 9)
        return parent.pid, timeout, self.child(timeout)

    def test_a_program_that_waits_for_its_child(self):
        for wait in ("p.wait()", "p.communicate()", "__import__('signal').pause()"):
            out = "subprocess.PIPE" if "comm" in wait else "None"
            tree = self.parent_of("p = subprocess.Popen(%r, stderr=%s); %s" % (self.BELOW, out, wait))
            self.assertEqual(self.diagnosed(tree[0])[1], set(tree), wait)

    def test_a_program_with_children_is_alone(self):
        parent, *_ = self.parent_of("subprocess.Popen(%r); time.sleep(900)" % (self.BELOW,))
        self.assertEqual(self.diagnosed(parent)[1], {parent})

    def test_workers(self):
        """Of the same program, and nothing else below it."""
        program = ("import os, subprocess, sys, time; subprocess.Popen(['sleep', '900']); "
                   "p = os.fork(); p or (print(1, flush=True), time.sleep(900)); time.sleep(900)")
        parent = self.start(sys.executable, "-c", program)
        parent.wait_for_output(b"1")
        below = [int(p) for p in harness.read("/proc/%d/task/%d/children" % (parent.pid, parent.pid)).split()]
        for pid in below:
            self.addCleanup(os.kill, pid, 9)
        (worker,) = [p for p in below if os.readlink("/proc/%d/exe" % p) == os.path.realpath(sys.executable)]
        self.assertEqual(self.diagnosed(parent.pid)[1], {parent.pid, worker})
        text = self.sooth("diagnose", "--passive", "--duration", "0.6", str(parent.pid)).text
        self.assertNotIn(str(worker), text)

    def test_the_end_of_the_wait(self):
        """A client waits for a server whose child writes what the server does not read."""
        server = ("import socket, subprocess, sys, time\ns = socket.create_server(('127.0.0.1', 0))\n"
                  "p = subprocess.Popen([sys.executable, '-c', 'import sys; sys.stderr.write(chr(120) * 200000)'], "
                  "stderr=subprocess.PIPE)\n"
                  "print(s.getsockname()[1], p.pid, flush=True)\nc = s.accept()[0]\ntime.sleep(900)")
        server = self.start(sys.executable, "-c", server)
        server.wait_for_output(b"\n")
        port, child = map(int, bytes(server.out).split())
        self.addCleanup(os.kill, child, 9)
        client = self.start(sys.executable, "-c", "import socket; s = socket.create_connection(('127.0.0.1', %d)); "
                            "s.send(b'x'); print(1, flush=True); s.recv(1)" % port)
        client.wait_for_output(b"1")
        time.sleep(4)  # blocked writing: from 3 s on
        self.assertEqual(self.diagnosed(client.pid)[1], {client.pid, server.pid, child})
        # The server holds up both, and neither the other.
        self.assertNotIn(client.pid, self.diagnosed(child)[1])

    def test_the_capture_has_the_same(self):
        shell = self.start("/bin/sh", "-c", "sleep 900; true")
        harness.wait_until(lambda: harness.read("/proc/%d/task/%d/children" % (shell.pid, shell.pid)), "it starts")
        self.addCleanup(os.kill, self.child(shell.pid), 9)
        capture = self.path("tree.sooth")
        argv = ("diagnose", "--passive", "--duration", "1.2")
        text = self.sooth(*argv, "--save", capture, str(shell.pid)).text
        self.assertRegex(text, r"^sh \(%d\) waits for its child sleep" % shell.pid)
        self.assertEqual(len(re.findall("waits for", text)), 1, text)
        self.assertEqual(text, self.sooth("diagnose", capture).text)


# What a text says besides the answers: what is well, what was not judged, how many wait.
BESIDE = re.compile(r"(fine|not judged): |no (other )?problem|\d+ (more )?process(es)? waits? \(-v\)$|"
                    r"  \d+ (more waits?|process(es)? waits?) for |  \d+ more with the same problem: |"
                    r"  consequence: |  and \d+ more |$|"
                    r"  do: (sudo )?sooth diagnose( --duration \w+)?[ \d]*$")


class Parity(Case):
    """The text says nothing that the answers in JSON do not have, and leaves none of them out."""

    def said(self, report):
        """The lines that the answers are good for."""
        answers, processes = report["answers"], report["processes"]
        yield report["summary"]["headline"]
        for p in processes:
            yield "  %s" % p["waits_text"]
            yield "  %s" % p["log_text"]
        for a in answers:
            yield a["text"]
            yield "  do: %s" % a["remedy"]
            yield from ("  also " + re.sub(r"^[a-z-]+", r"\g<0> (SEVERITY)", effect, count=1)
                        for effect in a["effects"])

    def is_evidence(self, line, report):
        """"fd-leak (high): growth: 8 a second; descriptors: 120; 4 more (-v)": each value as in the answer."""
        head = re.match(r"(?:.*, )?([a-z-]+) \(SEVERITY\): ", line)
        rows = [e["name"] + ": " + e["text"] for a in report["answers"] if head and a["id"] == head[1]
                for e in a["evidence"]]
        rest = re.sub(r"; \d+ more \(-v\)$", "", line[head.end():]) if rows else "?"
        for row in [*rows, *rows]:
            if rest.startswith(row):
                rest = rest[len(row):].removeprefix("; ")
        return not rest

    def test_stored_inputs(self):
        path = self.path("input.sooth")
        for finding in stored.findings():
            (fields, capture), *_ = stored.unpack(finding)
            with open(path, "wb") as file:
                file.write(capture)
            report = self.sooth("diagnose", "-j", path).json()
            text = self.sooth("diagnose", path).text
            with self.subTest(finding, case=fields["name"]):
                lines = text.split("\n")
                for a in report["answers"]:
                    if a["severity"] != "info":
                        self.assertIn(a["text"], lines)
                plain = {re.sub(r"\((info|low|medium|high|critical)\)", "(SEVERITY)", line) for line in lines}
                said = set(self.said(report))
                self.assertEqual([line for line in plain if line not in said and not BESIDE.match(line)
                                  and not self.is_evidence(line, report)
                                  and not line.startswith(("lost ", "fallback: ", "not measured: "))], [], text)


@needs_root
class Refused(Case):
    """A process of root, diagnosed by another user."""

    def setUp(self):
        super().setUp()
        self.target = self.start("/bin/sleep", "1000")
        os.chmod(self.folder, 0o777)

    def diagnose(self, *argv, status=0):
        return self.sooth("diagnose", "--duration", "0.6", *argv, str(self.target.pid), status=status,
                          **as_nobody())

    def test_no_headline_of_health(self):
        capture = self.path("refused.sooth")
        run = self.diagnose("--save", capture)
        first = run.text.splitlines()[0]
        self.assertEqual(first, "sleep %d: no problem found in what could be checked" % self.target.pid)
        self.assertNotRegex(run.text, r"(?m)no problems? found$")
        # Once: the checks, the reason, the remedy. -v has each reason and the notes.
        self.assertEqual(len(re.findall("(?m)^not judged: .* and \\d+ more: missing privilege", run.text)), 1, run.text)
        self.assertEqual(len(re.findall("(?m)^  do: sudo sooth diagnose( --duration \\d+)? %d$" % self.target.pid, run.text)), 1, run.text)
        self.assertNotRegex(run.text, "fallback: |as root|permission")
        self.assertRegex(self.sooth("diagnose", "-v", capture).text, "permission denied")
        self.assertEqual(self.sooth("diagnose", capture).text, run.text)
        summary = self.sooth("diagnose", "-j", capture).json()["summary"]
        self.assertGreater(summary["unchecked"], 2)
        self.assertIn("in what could be checked", summary["text"])

    def test_exit_status(self):
        self.diagnose(status=0)
        self.diagnose("--fail-on", "high", status=3)
        self.diagnose("--fail-on", "high", "--allow-unseen", status=0)
        # Only a check that could have reached the severity counts.
        (process,) = self.diagnose("-j").json()["processes"]
        refused = {row["id"] for row in process["unseen"] if row["cause"] in ("refused", "failed")}
        self.assertIn("fd-limit-near", refused)
        low = [word for id in refused for word in ("--set", id + "=low")]
        self.diagnose("--fail-on", "high", *low, status=0)
        self.diagnose("--fail-on", "low", *low, status=3)
        off = [word for id in refused for word in ("--set", id + "=off")]
        self.diagnose("--fail-on", "low", *off, status=0)

    def test_a_finding_goes_first(self):
        os.kill(self.target.pid, 19)
        harness.wait_until(lambda: harness.process_state(self.target.pid) == "T", "it stops")
        argv = ("--set", "frozen.min-time=0", "--fail-on")
        self.diagnose(*argv, "medium", status=1)
        self.diagnose(*argv, "medium", "--allow-unseen", status=1)
        self.diagnose(*argv, "high", status=3)
        self.diagnose(*argv, "high", "--allow-unseen", status=0)


if __name__ == "__main__":
    harness.main()
