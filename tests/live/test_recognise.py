# SPDX-License-Identifier: BSD-2-Clause
"""
Which agent a process is: copies of real programs under other names, in other places and with another
version in them, and programs that only look like an agent. Real agents: test_agents.py.
"""
import ctypes
import json
import mmap
import os
import shutil
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness
from agent_recognised import HAS_TITLE, NAMES, agents_listed, rows
from harness import SOOTH, Case

from agents import install, known, modes, namespace, processes
from agents.agent import Agent, reason_to_skip, wait_until

LIBC = ctypes.CDLL(None, use_errno=True)
PTRACE_TRACEME = 0
PTRACE_SETOPTIONS = 0x4200
PTRACE_O_EXITKILL = 0x100000
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
PROGRAMS = {  # the file that runs, and whether its version can be found in it
    "claude-code": ("node_modules/@anthropic-ai/claude-code/bin/claude.exe", True),
    "codex": ("node_modules/@openai/codex-linux-x64/vendor/x86_64-unknown-linux-musl/bin/codex",
              False),
    "opencode": ("node_modules/opencode-ai/bin/opencode.exe", True),
}


def trace_me():
    """Of a child: its exec stops it, before its first instruction. Should it run after all, it has
    no network."""
    flags = CLONE_NEWNET if os.geteuid() == 0 else CLONE_NEWNET | CLONE_NEWUSER
    if LIBC.unshare(flags) or LIBC.ptrace(PTRACE_TRACEME, 0, None, None):
        os._exit(127)


class Copies(Case):
    """Never run: held at their exec, what they are shows already."""

    def start_held(self, path):
        """By fork and waitpid: Popen takes the stop of a traced child for its end, and then neither
        kills it nor waits for it."""
        pid = os.fork()
        if not pid:
            try:
                trace_me()
                os.execve(path, [path], {"HOME": self.folder})
            finally:
                os._exit(127)

        def end():
            os.kill(pid, signal.SIGKILL)
            while not os.WIFSIGNALED(os.waitpid(pid, 0)[1]):
                pass
        _, status = os.waitpid(pid, 0)
        self.assertTrue(os.WIFSTOPPED(status), status)
        self.addCleanup(end)
        # Should this test be killed, so is what it holds.
        self.assertEqual(LIBC.ptrace(PTRACE_SETOPTIONS, pid, None,
                                     ctypes.c_void_p(PTRACE_O_EXITKILL)), 0)
        self.assertEqual(os.readlink("/proc/%d/exe" % pid), path)
        return pid

    def check(self, agent):
        reason = reason_to_skip(agent)
        if reason:
            self.skipTest(reason)
        copy, has_version = self.copy_of(agent), PROGRAMS[agent.name][1]
        old = agent.version.encode()
        new = bytes(57 - (byte - 48) if chr(byte).isdigit() else byte for byte in old)
        self.assertGreater(self.replace(copy, old, new), 0)
        pid = self.start_held(copy)
        row = rows(pid)[pid]
        self.assertEqual(row["agent"], agent.name.partition("-")[0], row)
        self.assertEqual(row["version"], new.decode() if has_version else None, row)

    def copy_of(self, agent):
        return self.copied(os.path.join(install.cache_folder(), "%s-%s" % (
            agent.name, agent.version), PROGRAMS[agent.name][0]))

    def copied(self, source):
        copy = self.path("something-else-%d" % len(os.listdir(self.folder)))
        shutil.copyfile(source, copy)
        os.chmod(copy, 0o755)
        return copy

    @staticmethod
    def replace(path, old, new):
        count = 0
        with open(path, "r+b") as file, mmap.mmap(file.fileno(), 0) as text:
            at = text.find(old)
            while at >= 0:
                text[at:at + len(old)] = new
                count, at = count + 1, text.find(old, at + 1)
        return count

    def test_claude_code(self):
        self.check(known.CLAUDE_CODE)

    def test_codex(self):
        self.check(known.CODEX)

    def test_opencode(self):
        self.check(known.OPENCODE)

    def test_another_program_by_the_same_tools(self):
        """The same but for the texts that tell it: no agent, so sections alone tell nothing."""
        told = {known.CLAUDE_CODE: b'PACKAGE_URL:"@anthropic-ai/claude-code"',
                known.OPENCODE: b"--user-agent=opencode/", known.CODEX: b"codex_cli_rs"}
        for agent, text in told.items():
            if reason_to_skip(agent):
                continue
            with self.subTest(agent=agent.name):
                copy = self.copy_of(agent)
                other = text.replace(b"code", b"glue")
                self.assertGreater(self.replace(copy, text, other), 0)
                pid = self.start_held(copy)
                self.assertIsNone(rows(pid)[pid]["agent"])

    def test_nothing_is_left(self):
        """Of a copy that was held, once its case is over."""
        pid = self.start_held(self.copied("/bin/sleep"))
        self.doCleanups()
        self.assertFalse(os.path.exists("/proc/%d" % pid))


class Looks(Case):
    """None of these is an agent, whatever it is called or mentions."""

    def start(self, argv, **options):
        child = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL, **options)

        def end():
            child.kill()
            child.wait()
            child.stdin.close()
        self.addCleanup(end)
        return child.pid

    def write(self, name, text):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o755)
        return path

    def copy_of(self, program, name):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        shutil.copy(shutil.which(program), path)
        return path

    def editor(self):
        """A real one has its file in its arguments and waits for a terminal; this is as good."""
        return self.copy_of("cat", "bin/vim")

    def test_none_is_an_agent(self):
        wait = "setInterval(() => {}, 1000)\n"
        starts = {
            "grep": ["grep", "@anthropic-ai/claude-code", "-", ".local/share/claude/"],
            "script": ["sh", "-c", "read line # claude codex opencode gemini", "claude"],
            "wrapper": [self.write("home/bin/claude", "#!/bin/sh\nread line\n")],
            "folder": [self.copy_of("sleep", "claude/bin/run"), "100"],
            "trace": [self.copy_of("sleep", "bin/claude-trace"), "100"],
            "monitor": [self.copy_of("sleep", "bin/claude-monitor"), "100"],
            "another codex": [self.copy_of("sleep", "bin/codex"), "100"],
            "another goose": [self.copy_of("sleep", "bin/goose"), "100"],
            "python": [sys.executable, "-c", "input()", "/x/aider", "claude"],
            "python wrapper": [self.write("python/bin/claude",
                                          "#!%s\ninput()\n" % os.path.realpath(sys.executable))],
            "wrapper of a wrapper": ["sh", self.write("else/claude", "read line\n")],
            "hook": [self.copy_of("sleep", "home/.claude/hooks/notify"), "100"],
            "what the package has besides": [self.copy_of(
                "sleep", "node_modules/@anthropic-ai/claude-code/vendor/ripgrep/rg"), "100"],
            "longer name": [self.copy_of("sleep", "bin/claude-code"), "100"],
            "editor": [self.editor(), self.write("home/.claude/CLAUDE.md", "claude\n"), "-"],
            "reader": ["tail", "-f", self.write("home/.claude/projects/x.jsonl", "claude\n")],
            "named by its caller": ["bash", "-c", "exec -a claude sleep 100"],
            "command of another": ["sh", "-c", "read line", "claude", "--resume", "x"],
        }
        starts.update(("another " + name, [self.copy_of("sleep", "bin/" + name), "100"]) for name in (
            "amp", "auggie", "cline", "cn", "copilot", "crush", "droid", "grok", "kilo", "letta",
            "openclaw", "pi"))
        starts["title of no node"] = ["bash", "-c", "exec -a pi sleep 100"]
        if shutil.which("node"):
            tool = self.write("node_modules/claude-trace/cli.js", wait)
            self.write("node_modules/claude-trace/package.json",
                       '{"name": "claude-trace", "version": "1.0.0"}')
            starts["another's package"] = ["node", tool, "claude"]
            starts["option"] = ["node", "--require", self.write("r.js", ""), tool]
            starts["titled"] = ["node", "-e", "process.title = 'claude-monitor';" + wait]
            starts["npx"] = ["node", "-e", "process.title = 'npm exec pi -p hello';" + wait]
            starts["mentions"] = ["node", tool, "/x/node_modules/@openai/codex/bin/codex.js"]
        pids = {self.start(argv): what for what, argv in starts.items()}
        os.makedirs(self.path("claude"), exist_ok=True)
        pids[self.start(["sleep", "100"], cwd=self.path("claude"))] = "in a directory claude"
        for pid in pids:
            wait_until(lambda pid=pid: processes.arguments(pid), "its exec")
        listed, seen = agents_listed(), rows(*pids)
        for pid, what in pids.items():
            self.assertIsNone(seen[pid]["agent"], (what, seen[pid]))
            self.assertNotIn(pid, listed, what)

    def test_contract(self):
        """What must match."""
        for name in ("bin/claude", ".local/share/claude/versions/9.8.7", "anthropic/bin/any"):
            pid = self.start([self.copy_of("sleep", name), "100"])
            wait_until(lambda pid=pid: processes.arguments(pid)[-1:] == ["100"], "its exec")
            row = rows(pid)[pid]
            self.assertEqual(row["agent"], "claude", row)
            self.assertEqual(row["version"], "9.8.7" if "versions" in name else None, row)

    def build_go(self, module):
        """A program with a type of the internal package, large enough to be searched."""
        folder = module.replace("/", "-")
        self.write(folder + "/go.mod", "module %s\n\ngo 1.19\n" % module)
        self.write(folder + "/main.go", 'package main\n\nimport "%s/internal/cmd"\n\n'
                                        "func main() { cmd.Execute() }\n" % module)
        self.write(folder + "/internal/cmd/root.go", 'package cmd\n\nimport "time"\n\n'
                                                     "func Execute() { time.Sleep(time.Hour) }\n")
        program = self.path(folder + "/program")
        subprocess.run(["go", "build", "-trimpath", "-ldflags=-s -w", "-o", program, "."],
                       cwd=self.path(folder), check=True,
                       env=dict(os.environ, GOCACHE=self.path("cache"), GOFLAGS="-mod=mod", GOPROXY="off"))
        os.truncate(program, 17 << 20)
        return program

    @unittest.skipUnless(shutil.which("go"), "no Go compiler here")
    def test_crush(self):
        """npm's own launcher before a program whose functions have the names of Crush's."""
        reason = reason_to_skip(known.CRUSH)
        if reason:
            self.skipTest(reason)
        program = self.build_go("github.com/charmbracelet/crush")
        package = "node_modules/@charmland/crush"
        installed = os.path.dirname(os.path.dirname(os.path.dirname(install.install(known.CRUSH))))
        shutil.copytree(installed, self.path("r"), symlinks=True)
        os.mkdir(self.path("r/%s/bin" % package))
        shutil.copy(program, self.path("r/%s/bin/crush" % package))
        with namespace.Namespace(self.path("none")) as alone:
            launcher = self.start([*alone.enter(), "node", self.path("r/node_modules/.bin/crush")])
            wait_until(lambda: len(alone.members()) == 2, "its program")
            main = next(pid for pid in alone.members() if pid != launcher)
            wanted = {launcher: ("crush", known.CRUSH.version, "launcher"),
                      main: ("crush", known.CRUSH.version, "main"),
                      self.start([program]): ("crush", None, "main"),
                      self.start([self.build_go("github.com/else/crush")]): (None, None, None)}
            seen = rows(*wanted)
            for pid, row in wanted.items():
                self.assertEqual((seen[pid]["agent"], seen[pid]["version"], seen[pid]["role"]), row, seen[pid])

    def test_package_without_its_name_in_the_path(self):
        """A checkout, started through a link from elsewhere and by a relative path."""
        if not shutil.which("node"):
            self.skipTest("no node")
        self.write("checkout/package.json",
                   '{"files": ["name"], "name": "@google/gemini-cli", "version": "77.0.1"}')
        self.write("checkout/bundle/gemini.js", "setInterval(() => {}, 1000)\n")
        os.mkdir(self.path("else"))
        os.symlink("../checkout/bundle/gemini.js", self.path("else/g"))
        pids = [self.start(["node", "--stack-size=2000", self.path("else/g")]),
                self.start(["node", "bundle/gemini.js"], cwd=self.path("checkout"))]
        for pid in pids:
            wait_until(lambda pid=pid: processes.arguments(pid), "its exec")
            row = rows(pid)[pid]
            self.assertEqual((row["agent"], row["version"]), ("gemini", "77.0.1"), row)

    def test_packages_and_titles(self):
        """What node runs: by the package beside the script, and by the title over the arguments."""
        if not shutil.which("node"):
            self.skipTest("no node")
        packages = {"auggie": "@augmentcode/auggie", "continue": "@continuedev/cli",
                    "letta": "@letta-ai/letta-code", "grok": "@vibe-kit/grok-cli",
                    "pi": "@mariozechner/pi-coding-agent", "openclaw": "openclaw"}
        launchers = {"cline": "cline", "kilo": "@kilocode/cli", "droid": "droid",
                     "crush": "@charmland/crush", "copilot": "@github/copilot"}
        titles = {"pi": ("pi", "main"), "openclaw-gateway": ("openclaw", "daemon"),
                  "openclaw-agent": ("openclaw", "main")}
        wait, wanted = "setInterval(() => {}, 1000)\n", {}
        for agent, name in (*packages.items(), *launchers.items()):
            # A name without a scope counts only with the file that the package starts.
            file = {"openclaw": "openclaw.mjs", "cline": "cline", "droid": "droid"}.get(name, "run.js")
            script = self.write("node_modules/%s/%s" % (name, file), wait)
            self.write("node_modules/%s/package.json" % name,
                       '{"name": "%s", "version": "77.0.1"}' % name)
            role = "launcher" if agent in launchers else "main"
            wanted[self.start(["node", script])] = agent, "77.0.1", role
        self.write("own/package.json", '{"name": "droid", "version": "1.0.0"}')
        own = self.start(["node", self.write("own/server.js", wait)])
        wanted[own] = None, None, None
        for title, (agent, role) in titles.items():
            pid = self.start(["node", "-e", "process.title = '%s';%s" % (title, wait)])
            wanted[pid] = agent, None, role
            wait_until(lambda pid=pid, title=title: processes.arguments(pid)[:1] == [title],
                       "its title")
        for pid in wanted:
            wait_until(lambda pid=pid: processes.arguments(pid), "its exec")
        seen = rows(*wanted)
        for pid, row in seen.items():
            if pid in wanted:
                self.assertEqual((row["agent"], row["version"], row["role"]), wanted[pid], row)


    def test_sessions_of_objects(self):
        """Files of one object each, which the agents write anew: of the session's directory alone."""
        if not shutil.which("node"):
            self.skipTest("no node")
        long = ", ".join('{"text": "%s"}' % ("x" * 1000) for _ in range(100))
        sessions = {"continue": ("@continuedev/cli", ".continue", '{"sessionId": "%%s", "title": "[{", '
                                 '"workspaceDirectory": "%%s", "history": [%s]}' % long),
                    "auggie": ("@augmentcode/auggie", ".augment", '{"sessionId": "%%s", "created": "TIME", '
                               '"chatHistory": [{"folder_root": "%%s"}, %s]}' % long)}
        for agent, (package, home, text) in sessions.items():
            script = self.write("node_modules/%s/run.js" % package, "setInterval(() => {}, 1000)\n")
            self.write("node_modules/%s/package.json" % package, '{"name": "%s"}' % package)
            pids = {}
            for folder in ("one", "two"):
                place = os.path.realpath(self.path("%s-%s" % (agent, folder)))
                os.makedirs(place)
                pids[folder] = self.start(["node", script], cwd=place,
                                          env=dict(os.environ, HOME=self.path("home")))
                now = time.strftime("%Y-%m-%dT%H:%M:%S.999Z", time.gmtime())
                self.write("home/%s/sessions/%s.json" % (home, folder),
                           text.replace("TIME", now) % (folder, place))
            for folder, pid in pids.items():
                wait_until(lambda pid=pid: processes.arguments(pid), "its exec")
                row = rows(pid)[pid]
                self.assertEqual((row["agent"], row["session_id"]), (agent, folder), row)


class Started(Case):
    """Real agents: without a terminal, each with a tool that runs, or before their login."""

    def rows_of_all(self, running):
        """Helpers of some end at any time, and then there is no report."""
        for _ in range(20):
            try:
                return rows(*running.members())
            except subprocess.CalledProcessError:
                time.sleep(0.1)
        return {}

    def check(self, agent, *, session, tool="tool"):
        reason = reason_to_skip(agent)
        if reason:
            self.skipTest(reason)
        with Agent(agent, mode=modes.TOOL, prompt="run it") as running:
            running.wait_until_in_mode()
            seen = self.rows_of_all(running)
            mains = [row for row in seen.values() if row["role"] == "main"]
            self.assertEqual([row["agent"] for row in mains], [NAMES[agent.name]], seen)
            self.assertEqual(mains[0]["version"], None if agent.name in HAS_TITLE else agent.version, mains)
            self.assertEqual(bool(mains[0]["session_id"]), session, mains)
            self.assertEqual(seen[running.tool_pids()[0]]["role"], tool, seen)
            if tool == "tool":
                self.assertEqual(mains[0]["activity"]["state"], "runs_tool", mains)
                self.assertNotIn("mcp", [row["role"] for row in seen.values()], seen)

    def test_pi(self):
        self.check(known.PI, session=True)

    def test_droid(self):
        self.check(known.DROID, session=True)

    def test_qwen(self):
        """It starts itself twice."""
        self.check(known.QWEN, session=True)

    def test_continue(self):
        """No session before the first answer; bash became the command, which looks like a server."""
        self.check(known.CONTINUE, session=False, tool="mcp")


    def test_kilo(self):
        self.check(known.KILO, session=False)

    def test_grok(self):
        self.check(known.GROK, session=False)

    def test_copilot(self):
        self.check(known.COPILOT, session=True)

    def test_cline(self):
        """Its hub is a daemon beside the tool."""
        self.check(known.CLINE, session=True)

    def test_letta(self):
        self.check(known.LETTA, session=False)

    def test_openclaw(self):
        """Two processes of its own stand between it and a tool."""
        self.check(known.OPENCLAW, session=False)

    def check_login(self, agent):
        reason = reason_to_skip(agent)
        if reason:
            self.skipTest(reason)
        with Agent(agent, mode=modes.IDLE) as running:
            running.wait_until_in_mode()
            row = rows(running.pid)[running.pid]
            self.assertEqual((row["agent"], row["version"], row["role"]),
                             (NAMES[agent.name], agent.version, "main"), row)
            wait_until(lambda: rows(running.pid)[running.pid]["activity"]["state"] == "idle",
                       lambda: "the login to be waited for: %s" % rows(running.pid))

    def test_auggie(self):
        self.check_login(known.AUGGIE)

    def test_amp(self):
        self.check_login(known.AMP)


class Listing(Case):
    def test_list_agents(self):
        text = subprocess.run([SOOTH, "ps", "--list-agents"], check=True,
                              stdout=subprocess.PIPE).stdout.decode()
        self.assertIn("not tried", text)
        out = subprocess.run([SOOTH, "ps", "--list-agents", "-j"], check=True,
                             stdout=subprocess.PIPE).stdout
        told = {row["name"]: row for row in json.loads(out)["agents"]}
        self.assertEqual(set(told), {"claude", "codex", "opencode", "gemini", "qwen", "cursor",
                                     "aider", "goose", "amp", "copilot", "pi", "cline", "auggie",
                                     "kilo", "droid", "continue", "letta", "grok", "openclaw",
                                     "crush"})
        for agent in known.AGENTS.values():
            self.assertIn(agent.version, told[NAMES[agent.name]]["tried"])
        self.assertFalse(told["crush"]["is_tried"])

    def test_list_agents_of_nobody(self):
        run = subprocess.run([SOOTH, "ps", "--list-agents", "1"], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, check=False)
        self.assertEqual((run.returncode, run.stdout), (2, b""), run.stderr)

    def test_why(self):
        out = subprocess.run([SOOTH, "ps", "--why", "-a", "-i", "10ms"], check=True,
                             stdout=subprocess.PIPE).stdout.decode()
        self.assertIn("RULE", out.splitlines()[0])


if __name__ == "__main__":
    harness.main()
