# SPDX-License-Identifier: BSD-2-Clause
"""
`CMD TARGET --save F` and `CMD F` write the same bytes, for every command that can do both: what is
shown crosses the one boundary, whether it is read at once or later. EVERY has a row for each way
to run each of them; a command without one fails.
"""
import os
import re
import sys

import harness
from harness import Case, needs_bpf

FORMATS = ("table", "json", "jsonl")
PRELOAD_LIBRARY = os.path.join(os.path.dirname(harness.SOOTH), "src/preload/sooth-preload.so")
ONE_CALL = """
import http.client, http.server, threading
server = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
server.RequestHandlerClass.log_message = lambda *_: None
threading.Thread(target=server.handle_request).start()
client = http.client.HTTPConnection(*server.server_address)
client.request("GET", "/nothing")
client.getresponse().read()
"""


class Same(Case):
    formats = FORMATS

    def assert_same(self, command, target, again=None):
        """In each format; the file is read by the options the target was watched with."""
        for name in self.formats:
            capture = self.path("%s.sooth" % name)
            output = self.path("live")
            self.sooth(*command, "--format", name, "-o", output, "--save", capture, *target)
            live = harness.read(output)
            self.assertGreater(len(live), 8, live)
            later = self.sooth(*(again or command), "--format", name, capture)
            self.assertEqual(later.text, live.decode(), "%s as %s" % (command, name))
            self.assertEqual(later.err, b"")
            # And once more, by -o instead of standard output.
            if harness.IS_LONG or name == "json":
                self.sooth(*(again or command), "--format", name, "-o", output, capture)
                self.assertEqual(harness.read(output), live)

    def assert_prints_same(self, command, target):
        for name in self.formats:
            capture = self.path("%s.sooth" % name)
            run = self.sooth(*command, "--format", name, "--save", capture, *target)
            self.assertGreater(len(run.out), 80)
            self.assertEqual(self.sooth(*command, "--format", name, capture).text, run.text)


# What each command is run with: (words that the file is read with too, words of a live run alone);
# PID is a process at work, RUN a command to launch, QUIET one that prints nothing, HTTP one that makes a request. Those with bpf are in the second list.
EVERY = {
    "ps": [("", ""), ("-a", ""), ("-t -u 0", ""), ("-v -a", ""), ("--check-version", ""), ("--why", ""),
           ("-k 1 -m 1 -a", ""), ("-a --sort rss_kb --columns pid,ppid,name", "-i 50ms"),
           ("-a --filter pid=1", ""), ("", "PID")],
    "status": [("", "-i 50ms"), ("--agent claude", "-i 50ms")],
    "diagnose": [("", "--duration 1 PID"), ("", "--heap --duration 1 PID"), ("-d", "--duration 1 PID"), ("", "--duration 1"),
                 ("-w 1", "--duration 3 PID")],
    "why": [("", "PID"), ("-v", "PID")],
    "inspect": [(flag, "PID") for flag in ("", "--fds", "--sockets", "--maps", "--signals",
                                           "--threads", "--limits", "--env-names", "--all")],
}
EVERY_BY_BPF = {
    "trace": [(words, "RUN") for words in (
        "", "-c", "-Z", "-t", "-r", "-T", "-f", "-y", "--plain", "-s 8", "--io", "--network",
        "--process", "--memory", "--file", "-e file", "-P /etc", "-c -e !futex",
        "--io --network --process --memory", "--filter errno!=0", "-c --stack", "--stack -e write")] + [("", "--lossless RUN")],
    "timeline": [("", "-d 1 --sample 100ms --no-memory PID"), ("", "--calls QUIET"),
                 ("--set fd-leak=off", "-d 1 --no-memory PID"), ("--own-scale", "-d 1 --no-memory PID")],
    "stack": [("", "PID"), ("--tid 1", "PID"), ("--names short", "PID"), ("--lines", "PID"), ("", "--debuginfod http://127.0.0.1:9 --debug-cache 2 PID")],
    "profile": [("", "QUIET"), ("--tree", "QUIET"), ("--heat", "QUIET"), ("--sort total", "QUIET"), ("--min-share 5", "--rate 997 -d 1 PID"), ("--role main", "QUIET"),
                ("--names short", "QUIET"), ("--lines", "QUIET"), ("", "--unwind tables QUIET"), ("", "--debuginfod http://127.0.0.1:9 --debug-cache 2 QUIET"), ("--wall", "QUIET"), ("--off-cpu", "QUIET"), ("--off-cpu --chains", "QUIET"), ("--off-cpu --tree", "--min-wait 5ms -d 1 PID")],
    "api": [("", "HTTP"), ("--events", "HTTP"), ("-e 127.0.0.1", "HTTP")],
    "sched": [("", "QUIET"), ("", "-d 1 PID"), ("--records", "QUIET")],
    "heap": [("", "QUIET"), ("--sites", "QUIET"), ("-c", "QUIET"), ("", "--no-hold QUIET"),
             ("--stack", "QUIET"), ("--live", "QUIET"), ("--leaks", "QUIET"), ("--churn", "QUIET"), ("--sizes", "QUIET"), ("--peak", "QUIET"), ("--in-kernel", "QUIET"),
             ("--in-kernel", "--blocks 4096 QUIET"), ("", "--sample-bytes 64 QUIET"), ("--stack", "--exact QUIET"), ("--by function", "QUIET"), ("--by thread --top 3", "QUIET"), ("--by size --min-age 1ms", "QUIET"), ("--by class", "QUIET"), ("--timeline", "-d 1 PID"), ("--rss", "QUIET"), ("--no-allocators", "QUIET"), ("", "--ask-runtime QUIET"), ("--pages", "QUIET"), ("", "--engine preload --preload-library %s QUIET" % PRELOAD_LIBRARY),
             ("--stack", "--debuginfod http://127.0.0.1:9 --debug-cache 2 QUIET")],
}
# Files that an option writes beside the report: (command, option): target.
PRODUCTS = {
    ("trace", "--folded"): "RUN",
    ("trace --weight calls", "--folded"): "RUN",
    ("heap", "-o"): "RUN",
    ("heap --rss --rmap", "-o"): "RUN",
    ("heap --in-kernel", "--folded"): "RUN",
    ("heap", "--heaptrack"): "RUN",
    ("heap --in-kernel --weight calls", "--pprof"): "RUN",
    ("heap --in-kernel --flamegraph", "-o"): "RUN",
    ("profile --flamegraph", "-o"): "RUN",
    ("profile --off-cpu --flamegraph --with-sleep", "-o"): "RUN",
    ("diagnose", "--bundle"): "PID",
    ("diagnose -D --flamegraph", "-o"): "--buffer 4M PID",
    ("trace --flamegraph", "-o"): "RUN",
    ("trace --flamegraph --apart", "-o"): "RUN",
    ("timeline --calls", "-o"): "RUN",
}
# Options of a command that have no row, and why.
NO_ROW = {
    "profile": {"--folded": "needs a busy target: test_profile.py", "--pprof": "the same",
                "--format": "the same, and test_profilers.py"},
    "ps": {"--watch": "goes on", "--bell": "of --watch", "--desktop": "of --watch", "--on-alert": "of --watch", "--alert-on": "of --watch",
           "--transcript": "reads an agent's own log: test_agents.py",
           "--list-agents": "tells of sooth"},
    "diagnose": {"--quick": "test_diagnose.py", "--passive": "test_diagnose_calls.py", "--session": "needs a session", "--fail-on": "its status",
                 "--set": "thresholds", "--list-findings": "tells of sooth"},
    "heap": {"--engine": "how it is observed: test_heap_preload.py", "--preload-library": "the same"},
    "timeline": {"--html": "a page: test_report_html.py"},
    "why": {"--interval": "as of ps"},
    "inspect": {"--resolve": "asks DNS", "--interval": "as of ps"},
    "trace": {"--all": "of others", "--interval": "frames"},
}
# Why a command has no row: what it does to a capture, if anything.
NONE = {
    "monitor": "serves FIFOs: test_monitor.py", "tail": "reads a monitor: test_monitor.py",
    "top": "draws on a terminal: test_top.py", "kill": "acts", "freeze": "acts", "thaw": "acts",
    "record": "makes the capture", "report": "reads one and nothing else",
    "diff": "reads two and nothing else", "export": "reads one", "query": "reads one",
    "doctor": "tells of this host and this moment", "demo": "runs the others", "mcp": "runs others: test_mcp.py", "help": "tells of sooth",
    "statusline": "of the session that runs it: test_statusline.py",
    "run": "explains a command that it launches: test_run.py",
    "uninstall": "removes the program",
}


class Every(Same):
    """By the tables above."""

    def words(self, text):
        """Of a row; the process at work is made when it is first meant."""
        found = []
        for word in text.split():
            if word == "PID":
                if not hasattr(self, "target"):
                    self.target = self.workload("threads")
                found.append(str(self.target.pid))
            elif word == "RUN":
                found += ["--", harness.WORKLOADS, "syscalls", "--threads", "2", "--count", "20"]
            elif word == "QUIET":
                found += ["--", "/bin/sh", "-c", ":"]
            elif word == "HTTP":
                found += ["--", sys.executable, "-c", ONE_CALL]
            else:
                found.append(word)
        return found

    def run_rows(self, table):
        for command, rows in table.items():
            for number, (both, live) in enumerate(rows):
                # An option changes what is shown, not how: its row has one format, the first row all of them.
                self.formats = FORMATS if harness.IS_LONG or not number else FORMATS[number % 3:][:1]
                with self.subTest("%s %s %s" % (command, both, live)):
                    self.run_row([command, *both.split()], self.words(live))

    def run_row(self, command, live):
        if command[0] in ("heap", "timeline"):  # their -o is the file of calls, the picture
            self.assert_prints_same(command, live)
            return
        self.assert_same(command, live)
        # The program that knows no system reads the file, too.
        again = self.run_program(harness.SOOTH_NONE, *command, "--format", self.formats[-1],
                                 self.path(self.formats[-1] + ".sooth"))
        self.assertEqual(again.out, harness.read(self.path("live")))

    def test_what_needs_no_privilege(self):
        self.run_rows(EVERY)

    @needs_bpf
    def test_what_needs_bpf(self):
        self.run_rows(EVERY_BY_BPF)

    def test_no_command_is_missing(self):
        names = re.findall(r"(?m)^  (\w+)  +\S", self.sooth("help").text)
        self.assertGreater(len(names), 10)
        rows = {**EVERY, **EVERY_BY_BPF}
        self.assertEqual(sorted(names), sorted([*rows, *NONE]))
        for name in names:
            keeps = "--save" in self.sooth(name, "--help-all").text
            self.assertEqual(keeps, name in rows, name)

    def test_products(self):
        """Files beside the report."""
        for (command, option), target in PRODUCTS.items():
            if target == "RUN" and not harness.NR_BPF:
                continue
            with self.subTest("%s %s" % (command, option)):
                live, later, kept = (self.path(name) for name in ("live.svg", "later.svg", "kept.sooth"))
                words = [*command.split(), option]
                self.sooth(*words, live, "--save", kept, *self.words(target))
                self.sooth(*words, later, kept)
                self.assertEqual(harness.read(later), harness.read(live))
                self.assertTrue(harness.read(live))
                os.unlink(kept)

    def test_no_option_is_missing(self):
        """What a command has of its own, in some row, or among those that say why not."""
        for name, rows in {**EVERY, **EVERY_BY_BPF}.items():
            text = self.sooth(name, "--help-all").text
            own = re.split(r"\n(?=\S[^\n]*:\n)", text)[1]
            tried = {word for row in rows for words in row for word in words.split()}
            tried |= {option for command, option in PRODUCTS if command.split()[0] == name}
            tried |= {word for (command, _), target in PRODUCTS.items() for word in
                      [*command.split(), *target.split()]}
            for line in re.findall(r"(?m)^ {2,6}-.*", own): # not the rows that go on
                options = re.match(r" +(-\w)?,? *(--[\w-]+)?", line).groups()
                with self.subTest("%s %s" % (name, options)):
                    self.assertTrue(set(options) & (tried | set(NO_ROW.get(name, ()))),
                                    "it has no row")


class SameOfProcesses(Same):
    def test_ps_of_agents(self):
        """One process that is an agent by its name."""
        agent = self.path("claude")
        harness.shutil.copyfile("/bin/sleep", agent)
        os.chmod(agent, 0o755)
        self.start(agent, "100")
        self.assert_same(["ps"], [])
        self.assertIn(agent.encode(), harness.read(self.path("live")))

    def test_ps_of_none(self):
        self.assert_same(["ps", "-u", "4294967294"], [])

    def test_ps_of_processes(self):
        one = self.workload("sleep")
        two = self.workload("threads")
        # Named processes are shown even when they are no agents: then so must the file.
        self.assert_same(["ps"], [str(one.pid), str(two.pid)])

    def test_ps_of_a_process_that_ends_meanwhile(self):
        for name in FORMATS:
            target = self.start("/bin/sleep", "0.3")
            capture, output = self.path("ended"), self.path("live")
            run = self.sooth("ps", "-i", "1", "--format", name, "-o", output, "--save", capture,
                             str(target.pid), status=None)
            target.finish()
            self.assertEqual(run.status, 0, run)
            self.assertEqual(self.sooth("ps", "--format", name, capture).out,
                             harness.read(output))


@needs_bpf
class SameOfTraces(Same):
    def test_trace_of_several_processes(self):
        """Threads on several processors: the merged order is the same again."""
        command = [harness.WORKLOADS, "syscalls", "--threads", "4", "--forks", "3", "--exec", "1",
                   "--count", "200"]
        self.assert_same(["trace"], ["--", *command])
        self.assert_same(["trace", "-c"], ["--", *command])

    def test_trace_for_a_time(self):
        """The process goes on; calls are unfinished."""
        target = self.workload("sleep", "--seconds", "100", hold=False)
        self.assert_same(["trace", "-c", "-d", "0.2"], ["-p", str(target.pid)],
                         again=["trace", "-c"])
        self.assert_same(["trace", "-d", "0.2"], ["-p", str(target.pid)],
                         again=["trace"])

    def test_trace_with_losses(self):
        for name in FORMATS:
            output, capture = self.path("live"), self.path("lossy")
            self.sooth("trace", "--buffer", "16384", "--format", name, "-o", output, "--save",
                       capture, "--", harness.WORKLOADS, "storm", "--seconds", "0.2")
            live = harness.read(output)
            self.assertIn(b"ring", live)
            self.assertEqual(self.sooth("trace", "--format", name, capture).out, live)

    def test_live_is_record_and_report(self):
        """What --save keeps and what record keeps are the same kind of file."""
        self.sooth("trace", "-c", "-o", self.path("live"), "--save", self.path("saved"), "--",
                   "/bin/true")
        self.sooth("record", "-o", self.path("recorded"), "--", "/bin/true")
        self.assertIn("execve", self.sooth("report", self.path("saved")).text)
        report = self.sooth("report", "-j", self.path("recorded")).json()
        self.assertEqual({source["probe"] for source in report["sources"]},
                         {"proc", "context", "syscalls"})
        self.assertIn("execve", [row["name"] for row in report["syscalls"]])

    def test_from_standard_input(self):
        self.sooth("record", "-o", self.path("recorded"), "--", "/bin/true")
        named = self.sooth("report", self.path("recorded"))
        piped = self.sooth("report", "-", input=harness.read(self.path("recorded")))
        self.assertEqual(piped.out, named.out)

    def test_to_standard_output(self):
        """A capture through a pipe is read the same."""
        target = self.workload("storm", "--rate", "1000", "--seconds", "300")
        target.say(b"go\n")
        run = self.sooth("record", "-o", "-", "--probe", "syscalls", "-d", "1", "-p", str(target.pid))
        with open(self.path("piped"), "wb") as file:
            file.write(run.out)
        self.assertIn("getppid", self.sooth("report", self.path("piped")).text)


if __name__ == "__main__":
    harness.main()
