# SPDX-License-Identifier: BSD-2-Clause
"""
What agents' own files tell of their sessions: of real agents, and of processes that stand in for
one, whose files are in strange places. Look-alikes of the files are in tests/unit/test_agent_read.c.
"""
import glob
import json
import os
import subprocess
import sys
import time
import unittest

import harness
from harness import Case

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from agents import known, modes
from agents.agent import Agent, reason_to_skip, require_native

TELL = os.environ.get("AGENT_FILES_TELL", "")
IN_TIME_S = harness.PATIENCE_S  # a bound against hanging: who is not given up waits for ever
WRITTEN_IN_S = harness.PATIENCE_S
VALUE, ABSENT, NOT_MEASURED = 0, 1, 4
UNTOLD, NOT_ASKED, BLOCKED = (NOT_MEASURED | reason << 4 for reason in (11, 5, 8))
needs_root = unittest.skipUnless(os.geteuid() == 0, "needs root")


def tell(pid, agent, how="session", times=1):
    """(the record, microseconds a call)"""
    run = subprocess.run([TELL, how, str(pid), agent, str(times)], check=True,
                         stdout=subprocess.PIPE)
    record, cost = (json.loads(line) for line in run.stdout.splitlines())
    return record, cost["call_us"], run.stdout


class Real(unittest.TestCase):
    def look(self, agent, name, mode=modes.TOOL, terminal=False, how="session", tells="session"):
        """The record, its agent still there in `self.agent`. Agents write their files a moment
        after what they say; `tells` is what is waited for."""
        reason = require_native() if agent is known.CLAUDE_CODE else reason_to_skip(agent)
        if reason:
            self.skipTest(reason)
        self.begin_ns = time.time_ns()
        self.agent = self.enterContext(Agent(agent, mode=mode, terminal=terminal,
                                             prompt="a secret prompt"))
        self.agent.wait_until_in_mode()
        deadline = time.monotonic() + WRITTEN_IN_S
        while True:
            record, _, text = tell(self.agent.worker_pid, name, how)
            if not tells or record[tells] or time.monotonic() > deadline:
                break
            time.sleep(0.05)
        for secret in (b"dummy", b"secret", b"tail", b"/dev/null", self.agent.home.encode()):
            self.assertNotIn(secret, text)
        return record

    def enterContext(self, context):
        """As unittest has it from 3.11 on."""
        value = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)
        return value

    def home(self, pattern):
        return glob.glob(os.path.join(self.agent.home, pattern))

    def assert_tool(self, record, tool):
        self.assertEqual((record["tool"], record["tool_state"]), (tool, VALUE))
        self.assert_recent(record["tool_utc_ns"])

    def assert_recent(self, utc_ns):
        self.assertGreater(utc_ns, self.begin_ns)
        self.assertLess(utc_ns, time.time_ns())

    def test_claude_code(self):
        record = self.look(known.CLAUDE_CODE, "claude", tells="tool")
        log, = self.home(".claude/projects/*/*.jsonl")
        self.assertEqual(record["session"], os.path.basename(log)[:-6])
        self.assertEqual(record["source"], "file sessions/{pid}.json")
        self.assertEqual(record["status"], "busy")
        self.assertEqual(record["version"], known.CLAUDE_CODE.version)
        self.assert_recent(record["activity_utc_ns"])
        self.assert_tool(record, "Bash")
        self.check_price("claude", record)

    def check_price(self, name, record):
        """What a look costs is shown, and the last of many tells what the first one did."""
        again, cost, _ = tell(self.agent.worker_pid, name, times=200)
        for what in ("session", "tool", "tool_utc_ns"):
            self.assertEqual(again[what], record[what])
        _, brief, _ = tell(self.agent.worker_pid, name, how="brief", times=200)
        print("%s: a look takes %d us, without its log %d us" % (name, cost, brief),
              file=sys.stderr)

    def test_claude_code_idle(self):
        record = self.look(known.CLAUDE_CODE, "claude", modes.IDLE)
        self.assertTrue(record["session"])
        self.assertEqual(record["status"], "idle")
        self.assert_recent(record["activity_utc_ns"])
        self.assertEqual(record["tool_state"], ABSENT)

    def test_not_asked(self):
        record = self.look(known.CLAUDE_CODE, "claude", how="brief")
        self.assertTrue(record["session"])
        self.assertEqual((record["tool"], record["tool_state"]), ("", NOT_ASKED))

    def test_claude_code_2_1_112(self):
        record = self.look(known.CLAUDE_CODE_NODE, "claude", tells="tool")
        log, = self.home(".claude/projects/*/*.jsonl")
        self.assertEqual(record["session"], os.path.basename(log)[:-6])
        self.assertEqual((record["status_state"], record["version_state"]), (ABSENT, ABSENT))
        self.assert_tool(record, "Bash")

    def test_claude_code_1(self):
        """Has no file of its sessions: two in one folder could not be told from each other."""
        record = self.look(known.CLAUDE_CODE_1, "claude", tells=None)
        self.assertEqual(record["session"], "")
        for what in ("session", "status", "version", "activity", "tool"):
            self.assertEqual(record[what + "_state"], UNTOLD, what)

    def test_codex(self):
        record = self.look(known.CODEX, "codex", tells="tool")
        log, = self.home(".codex/sessions/*/*/*/*.jsonl")
        self.assertEqual(record["source"], "open file")
        self.assertTrue(log.endswith("-%s.jsonl" % record["session"]), log)
        self.assert_recent(record["activity_utc_ns"])
        self.assert_tool(record, "exec_command")
        self.check_price("codex", record)

    def test_codex_on_a_terminal(self):
        """The daemon has the session, whoever shows it."""
        record = self.look(known.CODEX, "codex", terminal=True, tells="tool")
        self.assertNotEqual(self.agent.worker_pid, self.agent.pid)
        self.assert_tool(record, "exec_command")
        shown, _, _ = tell(self.agent.pid, "codex")
        self.assertEqual((shown["session"], shown["session_state"]), ("", UNTOLD))

    def test_codex_idle(self):
        record = self.look(known.CODEX, "codex", modes.IDLE)
        lock, = self.home(".codex/thread-writer-locks/[!.]*.lock")
        self.assertEqual(record["session"], os.path.basename(lock)[:-5])
        self.assertEqual((record["activity_state"], record["tool_state"]), (ABSENT, ABSENT))

    def test_gemini(self):
        record = self.look(known.GEMINI, "gemini")
        log, = self.home(".gemini/tmp/*/chats/*.jsonl")
        with open(log, encoding="utf-8") as file:
            self.assertEqual(record["session"], json.loads(file.readline())["sessionId"])
        self.assert_recent(record["activity_utc_ns"])
        self.assertEqual(record["tool_state"], ABSENT)  # a call is only written when it has ended
        self.check_price("gemini", record)

    def test_gemini_idle(self):
        record = self.look(known.GEMINI, "gemini", modes.IDLE)
        self.assertTrue(record["session"])
        self.assertEqual(record["source"], "first line of its log")

    def test_opencode(self):
        """Keeps all sessions in one database."""
        record = self.look(known.OPENCODE, "opencode", tells=None)
        for what in ("session", "status", "version", "activity", "tool"):
            self.assertEqual(record[what + "_state"], UNTOLD, what)


class Places(Case):
    """A process that stands in for Claude Code: only its HOME and its files matter."""

    def put(self, path, name, text):
        os.makedirs(os.path.dirname(os.path.join(path, name)), exist_ok=True)
        with open(os.path.join(path, name), "w", encoding="utf-8") as file:
            file.write(text)

    def session(self, name):
        return json.dumps({"sessionId": name, "status": "idle"})

    def python(self, text, **environment):
        process = self.start(sys.executable, "-c", text + "\nprint('ready', flush=True)\n"
                             "import time; time.sleep(1000)", env={**os.environ, **environment})
        process.wait_for_output(b"ready")
        return process

    def test_folder_of_its_own(self):
        process = self.python("", CLAUDE_CONFIG_DIR=self.path("other"), HOME=self.path("home"))
        self.put(self.path("home/.claude"), "sessions/%d.json" % process.pid, self.session("no"))
        self.put(self.path("other"), "sessions/%d.json" % process.pid, self.session("yes"))
        record, _, _ = tell(process.pid, "claude")
        self.assertEqual(record["session"], "yes")

    def test_large_environment(self):
        filled = {"SOOTH_FILL_%d" % i: "x" * 100000 for i in range(15)}
        process = self.python("", **filled, HOME=self.path("home"))
        self.put(self.path("home/.claude"), "sessions/%d.json" % process.pid, self.session("yes"))
        record, _, _ = tell(process.pid, "claude")
        self.assertEqual(record["session"], "yes")

    @needs_root
    def test_root_of_its_own(self):
        """Absolute links lead where they lead the process."""
        os.makedirs(self.path("root/data"))
        process = self.python("import os; os.chroot(%r); os.chdir('/')" % self.path("root"),
                              HOME="/home")
        os.symlink("/data", self.path("root/home"))
        self.put(self.path("root/data/.claude"), "sessions/%d.json" % process.pid,
                 self.session("inside"))
        record, _, _ = tell(process.pid, "claude")
        self.assertEqual(record["session"], "inside")

    @needs_root
    def test_pid_namespace(self):
        process = self.start("unshare", "-pf", sys.executable, "-c", "import os, time\n"
                             "print('ready', os.getpid(), flush=True)\ntime.sleep(1000)",
                             env={**os.environ, "HOME": self.path("home")})
        process.wait_for_output(b"ready 1\n")
        with open("/proc/%d/task/%d/children" % (process.pid, process.pid),
                  encoding="utf-8") as file:
            inner = int(file.read())
        self.addCleanup(os.kill, inner, 9)
        self.put(self.path("home/.claude"), "sessions/1.json", self.session("one"))
        self.put(self.path("home/.claude"), "sessions/%d.json" % inner, self.session("no"))
        record, _, _ = tell(inner, "claude")
        self.assertEqual(record["session"], "one")

    @needs_root
    def test_silent_home(self):
        self.check_silent_home()

    @needs_root
    def test_swallowing_home(self):
        self.check_silent_home("--swallow")

    def check_silent_home(self, *argv):
        os.symlink("nothing", self.path("home"))
        process = self.workload("fuse", "--directory", self.folder, "--seconds", "600", *argv,
                                cannot="no file system of our own",
                                env={**os.environ, "HOME": self.path("home")})
        mounted, = glob.glob(self.path("fuse-*"))
        os.unlink(self.path("home"))
        os.symlink(mounted, self.path("home"))
        begin = time.monotonic()
        record, _, _ = tell(process.pid, "claude")
        self.assertLess(time.monotonic() - begin, IN_TIME_S)
        for what in ("session", "status", "activity", "tool"):
            self.assertEqual(record[what + "_state"], BLOCKED, what)
        self.assertEqual(harness.process_state(process.pid), "S")

    def test_another_user(self):
        if os.geteuid() == 0:
            self.skipTest("root may read everybody's files")
        record, _, _ = tell(1, "claude")
        self.assertEqual(record["session_state"], NOT_MEASURED | 1 << 4)


class Installed(unittest.TestCase):
    def test_price(self):
        run = subprocess.run([TELL, "installed", str(os.getuid())], check=True,
                             stdout=subprocess.PIPE)
        cost = json.loads(run.stdout.splitlines()[-1])["call_us"]
        print("installed versions: %d us for the host and one home" % cost, file=sys.stderr)
        self.assertGreater(cost, 0)


if __name__ == "__main__":
    unittest.main()
