# SPDX-License-Identifier: BSD-2-Clause
"""
The agents that other tests look at are where those tests believe them to be: in their mode by the
evidence of the server, of /proc and of the terminal, and gone afterwards, with nothing left.
"""
import os
import signal
import subprocess
import sys
import time
import unittest

import harness

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
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


def tree_of(folder):
    """{path: what changes when it does}"""
    found = {}
    for base, folders, files in os.walk(folder):
        for name in folders + files:
            path = os.path.join(base, name)
            about = os.lstat(path)
            found[path] = (about.st_mode, about.st_size, about.st_mtime_ns)
    return found


class AgentCase(unittest.TestCase):
    """What holds for every agent."""
    agent = None
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
        self.begin = time.monotonic()

    def start(self, mode, **how):
        """An agent in its mode, which at the end of the case is gone without a trace."""
        agent = Agent(self.agent, mode=mode, **how)
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

    # --- each ---

    def test_answers_and_ends(self):
        with Agent(self.agent) as agent:
            ended = agent.finish()
            self.assertEqual((ended.status, ended.out), (0, fake_api.ANSWER + "\n"), ended)
            self.assert_asked(agent, modes.ANSWER, "answered")
        self.check_gone(agent)

    def test_stalls_until_released(self):
        agent = self.start(modes.STALL)
        asked = self.assert_asked(agent, modes.STALL, "held")
        self.assertEqual(asked[-1].words, fake_api.WORDS_BEFORE_STALL)
        self.assert_connected(agent)
        agent.set_mode(modes.ANSWER)
        ended = agent.finish()
        self.assertEqual((ended.status, ended.out), (0, fake_api.ANSWER + "\n"), ended)

    def test_tool_and_mcp(self):
        agent = self.start(modes.TOOL, mcp=["first", "second"])
        self.assert_tool(agent)
        mcp = agent.mcp_pids()
        self.assertEqual([processes.parent(pid) for pid in mcp], [agent.worker_pid] * 2)
        self.assertEqual([processes.arguments(pid)[2] for pid in mcp], ["first", "second"])
        self.assertEqual(self.kill_and_look(agent, signal.SIGKILL), set(self.survives))

    def test_terminated(self):
        agent = self.start(modes.TOOL, mcp=["only"])
        self.assertEqual(self.kill_and_look(agent, signal.SIGTERM), set(self.left_by_term))

    def test_prompt_of_terminal(self):
        """It waits there; then it is asked and stalls."""
        agent = self.start(modes.IDLE)
        self.assertEqual(agent.conversation(), [])
        self.assertEqual(os.readlink("/proc/%d/fd/0" % agent.pid),
                         os.readlink("/proc/%d/fd/1" % agent.pid))
        self.assertTrue(os.readlink("/proc/%d/fd/0" % agent.pid).startswith("/dev/pts/"))
        agent.set_mode(modes.STALL)
        agent.ask("hi")
        agent.wait_until_in_mode()
        self.assert_asked(agent, modes.STALL, "held")
        self.assert_connected(agent)


class ClaudeCode(AgentCase):
    """Every mode; the others are known to differ little."""
    agent = known.CLAUDE_CODE
    survives = ("tool",)

    def test_slow(self):
        """Word after word of one answer, which has no end; never more than were to come."""
        agent = self.start(modes.SLOW, words_per_s=20)
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

    def check_retried(self, mode):
        """And once it is let, it goes on."""
        agent = self.start(mode)
        self.assert_asked(agent, mode, "refused", 2)
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

    def test_tool_on_terminal(self):
        agent = self.start(modes.TOOL, terminal=True, mcp=["only"])
        self.assert_tool(agent)
        self.assertEqual(len(agent.mcp_pids()), 1)

    def test_without_privilege(self):
        """In namespaces that any user may have, where users may have them."""
        way = namespace.WAYS[-1]
        if subprocess.run([*way, "true"], capture_output=True).returncode:
            self.skipTest("no namespaces for users here")
        agent = self.start(modes.STALL, way=way)
        self.assert_asked(agent, modes.STALL, "held")


class ClaudeCodeNode(AgentCase):
    agent = known.CLAUDE_CODE_NODE
    survives = left_by_term = ("tool",)


class ClaudeCode1(AgentCase):
    agent = known.CLAUDE_CODE_1
    survives = left_by_term = ("tool",)


class Codex(AgentCase):
    agent = known.CODEX

    def setUp(self):
        super().setUp()
        if "terminal" in self.id() and namespace.way_and_reason()[0] != namespace.WAYS[0]:
            self.skipTest("in a namespace for users its second process refuses the folder")

    def test_tool_on_terminal(self):
        """What works there is another process, which stays when the one on the terminal goes."""
        agent = self.start(modes.TOOL, terminal=True, mcp=["only"])
        self.assertNotEqual(agent.worker_pid, agent.pid)
        self.assert_tool(agent)
        self.survives = SURVIVES
        self.assertEqual(self.kill_and_look(agent, signal.SIGKILL), set(self.survives))


class Opencode(AgentCase):
    agent = known.OPENCODE
    survives = left_by_term = ("tool",)


class Gemini(AgentCase):
    agent = known.GEMINI
    survives = left_by_term = ("tool",)


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
