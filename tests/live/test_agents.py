# SPDX-License-Identifier: BSD-2-Clause
"""
Real agents, each in the modes of tests/agents: the mode is real by the evidence of the server, of
/proc and of the terminal, and afterwards nothing is left. An agent takes seconds of processor time
to start, so one start serves all questions about that mode: the agent recognized, its processes in
`sooth ps`, its threads, its own files, whether its stream is stalled.

    test_agents.py [CLASS...]
"""
import json
import os
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness
from agent_own_files import ABSENT, NOT_ASKED, UNTOLD, OwnFileChecks, own_files
from agent_ps import PsChecks, flags, rows
from agent_recognised import RecogniseChecks
from agent_streams import StreamChecks
from agent_threads import ThreadChecks

from agents import fake_api, install, known, modes, namespace, processes
from agents.agent import Agent, reason_to_skip, require_native

SURVIVES = ("tool", "mcp", "worker")  # what may outlive an agent that is killed
STARTER = """
import subprocess, sys, time
sys.path.insert(0, sys.argv[1])
from agents import namespace
with namespace.Namespace(sys.argv[2]) as inside:
    child = subprocess.Popen([*inside.enter(), "setsid", "sleep", "100"])
    while not inside.members():
        time.sleep(0.01)
    print(*inside.members(), inside.guard.pid, flush=True)
    time.sleep(100)
"""
CONNECT = "import socket; socket.create_connection(('192.0.2.1', 443), 5)"
ESTABLISHED = b" 01 "
SETTLE_S = 0.5
PROMPT = "a secret prompt"
SERVERS = ("first", "second")


def tree_of(folder):
    """{path: what changes when it does}"""
    found = {}
    for base, folders, files in os.walk(folder):
        for name in folders + files:
            path = os.path.join(base, name)
            about = os.lstat(path)
            found[path] = (about.st_mode, about.st_size, about.st_mtime_ns)
    return found


class AgentCase(PsChecks, ThreadChecks, OwnFileChecks, RecogniseChecks, StreamChecks, unittest.TestCase):
    """What holds for every agent."""
    agent = None
    over_tls = False  # of about half of them
    survives = ()  # of SURVIVES, when an agent that runs a tool is killed
    left_by_term = ()  # and when it is terminated

    @classmethod
    def setUpClass(cls):
        reason = require_native() if cls.agent is known.CLAUDE_CODE else reason_to_skip(cls.agent)
        if reason:
            raise unittest.SkipTest(reason)
        cls.installed = os.path.join(install.cache_folder(),
                                     "%s-%s" % (cls.agent.name, cls.agent.version))
        cls.before = tree_of(cls.installed)

    @classmethod
    def tearDownClass(cls):
        changed = set(tree_of(cls.installed).items()) ^ set(cls.before.items())
        assert not changed, "the agent changed what is installed: %s" % sorted(changed)[:10]

    def setUp(self):
        self.begin, self.begin_utc_ns = time.monotonic(), time.time_ns()

    def start(self, mode, **how):
        """An agent in its mode, which at the end of the case is gone without a trace."""
        agent = Agent(self.agent, mode=mode, prompt=PROMPT, over_tls=self.over_tls, **how)
        self.addCleanup(self.check_gone, agent)
        agent.__enter__()
        self.addCleanup(agent.__exit__)
        agent.wait_until_in_mode()
        self.assertTrue(processes.is_alive(agent.pid) or mode == modes.ANSWER)
        return agent

    def check_gone(self, agent):
        left = [pid for pid in processes.all_pids()
                if processes.network(pid) == agent.namespace.network]
        self.assertEqual(left, [])
        self.assertFalse(os.path.exists(agent.root))
        print("%-45s %5.1f s" % (self.id().split(".", 1)[1], time.monotonic() - self.begin))

    def assert_asked(self, agent, mode, state, least=1):
        """The server saw the conversation, as a stream."""
        asked = [exchange for exchange in agent.conversation() if exchange.mode == mode]
        self.assertGreaterEqual(len(asked), least, agent.tell())
        for exchange in asked:
            self.assertEqual((exchange.method, exchange.is_stream), ("POST", True), exchange)
        self.assertIn(state, [exchange.state for exchange in asked])
        return asked

    def assert_connected(self, agent):
        port = b":%04X " % int(agent.server.url.rpartition(":")[2])
        lines = processes.read(agent.worker_pid, "net/tcp").splitlines()
        self.assertTrue(any(port in line and ESTABLISHED in line for line in lines), lines)

    def assert_tool(self, agent):
        """A chain of parents from the command up to the agent, in a session of its own."""
        chain = agent.tool_pids() + [agent.worker_pid]
        for pid, above in zip(chain, chain[1:]):
            self.assertEqual(processes.parent(pid), above, agent.tell())
        self.assertNotEqual(os.getsid(chain[0]), os.getsid(chain[-1]))
        self.assertLessEqual(set(chain[:-1]), set(agent.descendants()))

    def kill_and_look(self, agent, number):
        """Which of SURVIVES are there once the agent has ended and they have had time to."""
        was = {"tool": agent.tool_pids(), "mcp": agent.mcp_pids()}
        was["worker"] = [agent.worker_pid] if agent.worker_pid != agent.pid else []
        agent.kill(number)
        agent.wait_for_end()
        expected = self.survives if number == signal.SIGKILL else self.left_by_term
        deadline = time.monotonic() + harness.PATIENCE_S
        while True:
            left = {kind for kind in SURVIVES if any(map(processes.is_alive, was[kind]))}
            if left <= set(expected) or time.monotonic() > deadline:
                break
            time.sleep(0.05)
        time.sleep(SETTLE_S)
        return {kind for kind in left if any(map(processes.is_alive, was[kind]))}

    def left_after(self, agent, number):
        """As kill_and_look(); check_left() asks `sooth ps` about what is left."""
        session = self.session_of(agent)
        was = {"tool": agent.tool_pids(), "mcp": agent.mcp_pids()}
        was["worker"] = [agent.worker_pid] if agent.worker_pid != agent.pid else []
        self.check_left(agent, session, number)
        time.sleep(SETTLE_S)
        return {kind for kind in SURVIVES if any(map(processes.is_alive, was[kind]))}

    def check_files_at_work(self, agent):
        """Own files of a running tool."""

    def check_files_idle(self, agent):
        """At the prompt, nothing asked."""

    def check_idle(self, agent):
        """`sooth ps` at the prompt."""

    # --- each ---

    def test_answers_and_ends(self):
        with Agent(self.agent, over_tls=self.over_tls) as agent:
            ended = agent.finish()
            self.assertEqual((ended.status, ended.out), (0, fake_api.ANSWER + "\n"), ended)
            self.assert_asked(agent, modes.ANSWER, "answered")
        self.check_gone(agent)

    def test_stalls_until_released(self):
        agent = self.start(modes.STALL)
        asked = self.assert_asked(agent, modes.STALL, "held")
        self.assertEqual(asked[-1].words, fake_api.WORDS_BEFORE_STALL)
        self.assert_connected(agent)
        self.check_ps_waiting(agent)
        agent.set_mode(modes.ANSWER)
        ended = agent.finish()
        self.assertEqual((ended.status, ended.out), (0, fake_api.ANSWER + "\n"), ended)

    def test_tool_and_mcp(self):
        agent = self.start(modes.TOOL, mcp=SERVERS)
        self.assert_tool(agent)
        mcp = agent.mcp_pids()
        self.assertEqual([processes.parent(pid) for pid in mcp], [agent.worker_pid] * 2)
        self.assertEqual([processes.arguments(pid)[2] for pid in mcp], list(SERVERS))
        self.check_recognised(agent)
        self.assertIsNone(rows(agent.pid)[agent.pid]["terminal"])
        self.check_ps(agent)
        self.check_threads(agent, is_at_work=True)
        self.check_files_at_work(agent)
        self.assertEqual(self.left_after(agent, signal.SIGKILL), set(self.survives))

    def test_terminated(self):
        agent = self.start(modes.TOOL, mcp=["only"])
        self.assertEqual(self.kill_and_look(agent, signal.SIGTERM), set(self.left_by_term))

    def test_terminal(self):
        """At its prompt; without headers; in the middle of an answer; then with a running tool."""
        agent = self.start(modes.IDLE, mcp=SERVERS)
        self.assertEqual(agent.conversation(), [])
        self.assertEqual(os.readlink("/proc/%d/fd/0" % agent.pid),
                         os.readlink("/proc/%d/fd/1" % agent.pid))
        self.assertTrue(os.readlink("/proc/%d/fd/0" % agent.pid).startswith("/dev/pts/"))
        self.check_threads(agent, is_at_work=False)
        self.check_files_idle(agent)
        self.check_idle(agent)
        self.ask_in_mode(agent, modes.NO_HEADERS)
        self.check_ps_waiting(agent)
        self.check_stalled(agent)
        agent.set_mode(modes.STALL)
        agent.wait_until_in_mode()
        self.assert_asked(agent, modes.STALL, "held")
        self.assert_connected(agent)
        agent.set_mode(modes.ANSWER)
        agent.wait_until_in_mode()
        self.check_not_stalled(agent, "-D")
        self.ask_in_mode(agent, modes.TOOL)
        self.assert_tool(agent)
        self.check_not_stalled(agent)
        session = self.check_ps(agent)
        self.check_terminal(agent)
        self.check_left(agent, session, signal.SIGTERM)

    @staticmethod
    def ask_in_mode(agent, mode):
        agent.set_mode(mode)
        agent.ask(PROMPT)
        agent.wait_until_in_mode()


class ClaudeCode(AgentCase):
    """Every mode; the others are known to differ little."""
    agent, named = known.CLAUDE_CODE, "claude"
    session_files, marks_session = ".claude/projects/*/*.jsonl", True
    survives = ("tool",)
    is_tool_left_on_terminal = False

    def check_files_at_work(self, agent):
        record = self.own_record(agent, "claude", until="tool")
        log, = self.in_home(agent, ".claude/projects/*/*.jsonl")
        self.assertEqual(record["session"], os.path.basename(log)[:-6])
        self.assertEqual(record["source"], "file sessions/{pid}.json")
        self.assertEqual(record["status"], "busy")
        self.assertEqual(record["version"], self.agent.version)
        self.assert_recent(record["activity_utc_ns"])
        self.assert_tool_record(record, "Bash")
        self.check_cost(agent, "claude", record)
        brief = self.own_record(agent, "claude", how="brief")
        self.assertTrue(brief["session"])
        self.assertEqual((brief["tool"], brief["tool_state"]), ("", NOT_ASKED))

    def check_files_idle(self, agent):
        record = self.own_record(agent, "claude")
        self.assertTrue(record["session"])
        self.assertEqual(record["status"], "idle")
        self.assert_recent(record["activity_utc_ns"])
        self.assertEqual(record["tool_state"], ABSENT)

    def check_idle(self, agent):
        """Nothing was asked yet: its session is known all the same, and its status is idle."""
        row = self.row_with_status(agent, "idle")
        self.assertEqual((row["agent"], row["role"]), ("claude", "main"), row)
        self.assertEqual(len(row["session_id"]), 36, row)
        self.assertEqual(flags(row), set(), row)
        self.check_terminal(agent)

    def test_slow(self):
        """Word after word of one answer, which has no end; never more than were to come."""
        agent = self.start(modes.SLOW, words_per_s=20)
        self.check_ps_waiting(agent)
        first = self.assert_asked(agent, modes.SLOW, "asked")
        harness.wait_until(lambda: self.assert_asked(agent, modes.SLOW, "asked")[-1].words >=
                           first[-1].words + 10, "more words")
        last = self.assert_asked(agent, modes.SLOW, "asked")
        self.assertEqual(len(last), len(first))
        self.assertLessEqual(last[-1].words, 20 * (time.monotonic() - self.begin) + 1)

    def test_no_headers(self):
        agent = self.start(modes.NO_HEADERS)
        self.assertEqual(self.assert_asked(agent, modes.NO_HEADERS, "held")[-1].words, 0)
        self.assert_connected(agent)
        self.check_ps_waiting(agent)
        self.row_with_status(agent, "busy")

    def check_retried(self, mode):
        """And once it is let, it goes on."""
        agent = self.start(mode)
        self.assert_asked(agent, mode, "refused", 2)
        self.check_ps_waiting(agent)
        harness.wait_until(lambda: "ASKS-AGAIN" in (rows(agent.pid)[agent.pid]["flags"] or ""), "the flag")
        agent.set_mode(modes.ANSWER)
        ended = agent.finish()
        self.assertEqual((ended.status, ended.out), (0, fake_api.ANSWER + "\n"), ended)

    def test_limited(self):
        self.check_retried(modes.LIMITED)

    def test_overloaded(self):
        self.check_retried(modes.OVERLOADED)

    def test_reset(self):
        self.check_retried(modes.RESET)

    def test_tool_loop(self):
        agent = self.start(modes.TOOL_LOOP)
        asked = self.assert_asked(agent, modes.TOOL_LOOP, "answered", 3)
        self.assertTrue(all(exchange.is_result for exchange in asked[1:]), asked)
        self.check_ps_waiting(agent)
        # Tools that come and go are never reported as orphans.
        for _ in range(20):
            members = set(agent.members())
            for pid, row in rows("-t").items():
                if pid in members:
                    self.assertFalse(row["is_orphaned"] or row["is_abandoned"], row)

    def test_without_privilege(self):
        """In namespaces that any user may have, where users may have them."""
        way = namespace.WAYS[-1]
        if subprocess.run([*way, "true"], capture_output=True).returncode:
            self.skipTest("no namespaces for users here")
        agent = self.start(modes.STALL, way=way)
        self.assert_asked(agent, modes.STALL, "held")


class ClaudeCodeNode(AgentCase):
    agent, named, has_version = known.CLAUDE_CODE_NODE, "claude", False
    over_tls = True
    session_files = ".claude/projects/*/*.jsonl"
    survives = left_by_term = ("tool",)

    def check_files_at_work(self, agent):
        record = self.own_record(agent, "claude", until="tool")
        log, = self.in_home(agent, ".claude/projects/*/*.jsonl")
        self.assertEqual(record["session"], os.path.basename(log)[:-6])
        self.assertEqual((record["status_state"], record["version_state"]), (ABSENT, ABSENT))
        self.assert_tool_record(record, "Bash")


class ClaudeCode1(AgentCase):
    agent, named, has_version = known.CLAUDE_CODE_1, "claude", False
    is_stream_checked = False
    survives = left_by_term = ("tool",)

    def check_files_at_work(self, agent):
        """It has no file of its sessions: the newest log of its folder is its own."""
        record = self.own_record(agent, "claude", until="tool")
        log, = self.in_home(agent, ".claude/projects/*/*.jsonl")
        self.assertEqual(record["session"], os.path.basename(log)[:-6])
        self.assertEqual(record["version"], agent.agent.version)
        self.assert_tool_record(record, "Bash")


class Codex(AgentCase):
    agent, named = known.CODEX, "codex"
    over_tls = True
    session_files = ".codex/sessions/*/*/*/rollout-*.jsonl"
    is_tool_left = is_tool_left_on_terminal = False
    is_left_with_worker = True

    def setUp(self):
        super().setUp()
        if "terminal" in self.id() and namespace.way_and_reason()[0] != namespace.WAYS[0]:
            self.skipTest("in a namespace for users its second process refuses the folder")

    def check_files_at_work(self, agent):
        record = self.own_record(agent, "codex", until="tool")
        log, = self.in_home(agent, ".codex/sessions/*/*/*/*.jsonl")
        self.assertEqual(record["source"], "open file")
        self.assertTrue(log.endswith("-%s.jsonl" % record["session"]), log)
        self.assert_recent(record["activity_utc_ns"])
        self.assert_tool_record(record, "exec_command")
        self.check_cost(agent, "codex", record)

    def check_files_idle(self, agent):
        record = self.own_record(agent, "codex")
        lock, = self.in_home(agent, ".codex/thread-writer-locks/[!.]*.lock")
        self.assertEqual(record["session"], os.path.basename(lock)[:-5])
        self.assertEqual((record["activity_state"], record["tool_state"]), (ABSENT, ABSENT))

    def test_killed_on_terminal(self):
        """The worker is another process: it stays, with the session, when the terminal's goes."""
        agent = self.start(modes.TOOL, terminal=True, mcp=["only"])
        self.assertNotEqual(agent.worker_pid, agent.pid)
        self.assert_tool(agent)
        self.assert_tool_record(self.own_record(agent, "codex", until="tool"), "exec_command")
        shown, _, _ = own_files(agent.pid, "codex")
        self.assertEqual((shown["session"], shown["session_state"]), ("", UNTOLD))
        self.survives = SURVIVES
        self.assertEqual(self.kill_and_look(agent, signal.SIGKILL), set(self.survives))


class Opencode(AgentCase):
    agent, named, marks_session = known.OPENCODE, "opencode", True  # the pid, to be exact
    over_tls = True
    survives = left_by_term = ("tool",)
    is_tool_left_on_terminal = False

    if not harness.IS_LONG:  # test_terminal has their modes; how each of them ends is for the long tier
        test_answers_and_ends = test_tool_and_mcp = test_terminated = None

    def check_files_at_work(self, agent):
        """It keeps all sessions in one database."""
        self.check_no_record(agent, "opencode")


class Gemini(AgentCase):
    agent, named, is_tool_left_on_terminal = known.GEMINI, "gemini", False
    survives = left_by_term = ("tool",)

    if not harness.IS_LONG:  # test_terminal has their modes; how each of them ends is for the long tier
        test_answers_and_ends = test_tool_and_mcp = test_terminated = None

    def check_files_at_work(self, agent):
        record = self.own_record(agent, "gemini")
        log, = self.in_home(agent, ".gemini/tmp/*/chats/*.jsonl")
        with open(log, encoding="utf-8") as file:
            self.assertEqual(record["session"], json.loads(file.readline())["sessionId"])
        self.assert_recent(record["activity_utc_ns"])
        self.assertEqual(record["tool_state"], ABSENT)  # a call is only written when it has ended
        self.check_cost(agent, "gemini", record)

    def check_files_idle(self, agent):
        record = self.own_record(agent, "gemini")
        self.assertTrue(record["session"])
        self.assertEqual(record["source"], "first line of its log")

    def test_launcher_killed(self):
        """The agent goes on without it."""
        agent = self.start(modes.TOOL)
        os.kill(agent.launcher_pid, signal.SIGKILL)
        harness.wait_until(lambda: not processes.is_alive(agent.launcher_pid), "the launcher to end")
        if processes.is_alive(agent.pid):
            for row in rows(agent.pid, *agent.tool_pids()).values():
                self.assertFalse(row["is_orphaned"], row)


class Isolation(unittest.TestCase):
    def setUp(self):
        reason = namespace.cannot_serve()
        if reason:
            self.skipTest(reason)

    def folder(self):
        return os.path.join(os.environ.get("TMPDIR", "/tmp"), "sooth-isolation-%d" % os.getpid())

    def test_nothing_is_reached(self):
        for way in namespace.WAYS:
            if subprocess.run([*way, "true"], capture_output=True).returncode:
                continue
            with namespace.Namespace(self.folder(), way) as inside:
                run = subprocess.run([*inside.enter(), sys.executable, "-c", CONNECT],
                    capture_output=True, text=True)
            self.assertIn("Network is unreachable", run.stderr)

    def test_who_starts_is_killed(self):
        """Then the guard ends what was started, also in a session of its own."""
        os.mkdir(self.folder())
        starter = subprocess.Popen([sys.executable, "-c", STARTER, os.path.dirname(
            os.path.dirname(os.path.abspath(__file__))), self.folder()], stdout=subprocess.PIPE)
        with starter.stdout:
            pids = [int(word) for word in starter.stdout.readline().split()]
        self.assertEqual(len(pids), 2)
        starter.kill()
        starter.wait()
        harness.wait_until(lambda: not any(map(processes.is_alive, pids)), "all to end")
        self.assertFalse(os.path.exists(self.folder()))


del AgentCase  # its cases are those of the classes made from it

if __name__ == "__main__":
    harness.main()
