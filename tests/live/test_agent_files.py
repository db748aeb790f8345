# SPDX-License-Identifier: BSD-2-Clause
"""
Session files in unusual places, of processes that stand in for an agent. Real agents: test_agents.py;
files that only look alike: tests/unit/test_agent_read.c.
"""
import glob
import json
import os
import re
import subprocess
import sys
import time
import unittest

import harness
from agent_own_files import BLOCKED, NOT_MEASURED, TELL, own_files
from family import Family
from harness import Case, SOOTH

IN_TIME_S = harness.PATIENCE_S  # a bound against hanging
needs_root = unittest.skipUnless(os.geteuid() == 0, "needs root")


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
        record, _, _ = own_files(process.pid, "claude")
        self.assertEqual(record["session"], "yes")

    def test_large_environment(self):
        filled = {"SOOTH_FILL_%d" % i: "x" * 100000 for i in range(15)}
        process = self.python("", **filled, HOME=self.path("home"))
        self.put(self.path("home/.claude"), "sessions/%d.json" % process.pid, self.session("yes"))
        record, _, _ = own_files(process.pid, "claude")
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
        record, _, _ = own_files(process.pid, "claude")
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
        record, _, _ = own_files(inner, "claude")
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
        record, _, _ = own_files(process.pid, "claude")
        self.assertLess(time.monotonic() - begin, IN_TIME_S)
        for what in ("session", "status", "activity", "tool"):
            self.assertEqual(record[what + "_state"], BLOCKED, what)
        self.assertEqual(harness.process_state(process.pid), "S")

    def test_another_user(self):
        if os.geteuid() == 0:
            self.skipTest("root may read everybody's files")
        record, _, _ = own_files(1, "claude")
        self.assertEqual(record["session_state"], NOT_MEASURED | 1 << 4)


class Installed(unittest.TestCase):
    def test_price(self):
        run = subprocess.run([TELL, "installed", str(os.getuid())], check=True,
                             stdout=subprocess.PIPE)
        cost = json.loads(run.stdout.splitlines()[-1])["call_us"]
        print("installed versions: %d us for the host and one home" % cost, file=sys.stderr)
        self.assertGreater(cost, 0)



class Lists(Case):
    """What an agent's own list says beside what is seen, in a family that looks like Claude Code."""

    def family(self):
        os.makedirs(self.path("home"), mode=0o755)
        family = Family(self.path("home"))
        family.__enter__()
        self.addCleanup(family.__exit__)
        return family

    def row(self, pid):
        out = subprocess.run([SOOTH, "ps", "-j", "--transcript", str(pid)], check=True,
                             stdout=subprocess.PIPE).stdout
        return next(row for row in json.loads(out)["processes"] if row["pid"] == pid)

    def ago(self, seconds):
        return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() - seconds))

    def log(self, family, main, *lines):
        folder = re.sub(r"[^A-Za-z0-9]", "-", family.project())
        family.write(".claude/projects/%s/%s.jsonl" % (folder, main.session_id),
                     "".join(json.dumps(line) + "\n" for line in lines))

    def call(self, name, ago_s, number=1):
        return {"type": "assistant", "timestamp": self.ago(ago_s), "message": {
            "id": "m%d" % number, "model": "x", "usage": {"input_tokens": 1000, "output_tokens": 10},
            "content": [{"type": "tool_use", "id": "t%d" % number, "name": name, "input": {}}]}}

    def test_idle_by_its_own_word(self):
        """It has asked its user; the job of the daemon's list is found, and stays when the process changes."""
        family = self.family()
        for name in ("first", "respawned"):
            main = family.main(name, session_id="a2da0f287-0001")
            family.tell_session(main, status="idle", statusUpdatedAt=int((time.time() - 230) * 1000),
                                jobId="2da0f287")
            family.write(".claude/jobs/2da0f287/state.json", json.dumps({"state": "working"}))
            self.log(family, main, {"type": "user", "timestamp": self.ago(300), "message": {"content": "go"}},
                     self.call("AskUserQuestion", 240))
            row = self.row(main.pid)
            self.assertEqual((row["job"], row["job_status"]), ("2da0f287", "working"), row)
            self.assertRegex(row["activity"]["text"],
                         r"^waits for you: an answer to its question, 4 min( \d+ s)?; its own list says working$")
            main.kill(reaper=family.root)

    def test_idle_and_listed(self):
        family = self.family()
        main = family.main()
        for state, said in (("working", "; its own list says working"), ("stopped", "")):
            family.tell_session(main, status="idle", statusUpdatedAt=int((time.time() - 120) * 1000),
                                jobId="2da0f287")
            family.write(".claude/jobs/2da0f287/state.json", json.dumps({"state": state}))
            self.assertRegex(self.row(main.pid)["activity"]["text"], r"^idle 2 min( \d+ s)?%s$" % said)

    def test_values_of_a_log(self):
        """Tokens a minute, the MCP server with the most trouble, and the end of the log without text."""
        family = self.family()
        main = family.main()
        self.log(family, main, {"type": "user", "timestamp": self.ago(20), "message": {"content": "secret"}},
                 self.call("mcp__files__read", 10),
                 {"type": "user", "timestamp": self.ago(8), "message": {"content": [
                     {"type": "tool_result", "tool_use_id": "t1", "content": "secret", "is_error": True}]}})
        row = self.row(main.pid)
        self.assertEqual((row["mcp_server"], row["mcp_calls"], row["mcp_errors"], row["mcp_mean_s"]),
                         ("files", 1, 1, 2), row)
        self.assertEqual(row["tokens_a_minute"], 1010 // 5)
        self.assertEqual([line.split("  ")[1] for line in row["log_end"]],
                         ["prompt", "answer, 10 tokens", "calls mcp__files__read", "error of mcp__files__read"])
        self.assertNotIn("secret", json.dumps(row["log_end"]))


if __name__ == "__main__":
    unittest.main()
