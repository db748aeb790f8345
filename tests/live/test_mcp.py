# SPDX-License-Identifier: BSD-2-Clause
"""
`sooth mcp`: the protocol by raw lines, hostile ones too, by the official SDK's client, by Claude Code and Codex; the answers
beside those of a terminal; and that no process stays, however the server ends.
"""
import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time
import types

import harness
from harness import Case, needs_root, wait_until
from lent_case import LentCase, Target
from mcp_client import TOOLS, VERSIONS, Client, children_of, descendants_of, has_ended, text_of

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from agents import install, known, modes  # noqa: E402
from agents.agent import Agent, reason_to_skip, require_native  # noqa: E402

SHARE = os.path.join(os.path.dirname(__file__), "../../share/sooth")
PLUGIN = os.path.realpath(os.path.join(SHARE, "claude-plugin"))
REQUESTS = 10_000
GROWTH_KB = 512
RUNNING_MAX = 4
END_S = 15  # calls that go on would end after 30
LINE_MAX = 1 << 20
# An entry of tests/agents/known.py as far as install() reads it. Of the package itself nothing is a program.
SDK = install.Package(name="mcp-sdk", package="@modelcontextprotocol/sdk", version="1.32.2",
                            executable="node_modules/.bin/node-which", has_scripts=False, runtime="")
SDK_CLIENT = """
const { Client } = require(process.argv[1] + "/client/index.js");
const { StdioClientTransport } = require(process.argv[1] + "/client/stdio.js");
const { CallToolResultSchema } = require(process.argv[1] + "/types.js");
(async () => {
  const client = new Client({ name: "test", version: "1" });
  await client.connect(new StdioClientTransport({ command: process.argv[2], args: ["mcp"] }));
  const { tools } = await client.listTools();
  await client.ping();
  const why = await client.callTool({ name: "why", arguments: { pid: Number(process.argv[3]) } });
  let code = 0, cancelled = "";
  try { await client.callTool({ name: "why", arguments: { pid: "x" } }); } catch (e) { code = e.code; }
  const controller = new AbortController();
  setTimeout(() => controller.abort("no more"), 300);
  const slow = { name: "diagnose", arguments: { pid: Number(process.argv[3]), seconds: 30 } };
  try { await client.callTool(slow, CallToolResultSchema, { signal: controller.signal }); } catch (e) { cancelled = String(e); }
  const again = await client.callTool({ name: "stack", arguments: { pid: Number(process.argv[3]) } });
  console.log(JSON.stringify({ tools, why, code, cancelled, again, server: client.getServerVersion(),
    instructions: client.getInstructions() }));
  await client.close();
})().catch((e) => { console.error(e); process.exit(1); });
"""


class McpCase(Case):
    def client(self, **options):
        client = Client(self, **options)
        client.initialize()
        return client

    def sleeper(self):
        process = self.start("/bin/sleep", "300")
        harness.wait_until_asleep(process.pid)
        return process.pid

    def assert_ends_quietly(self, client):
        run = client.process.finish()
        self.assertEqual((run.status, run.err), (0, b""), run)

    def assert_error(self, reply, code, number=None):
        self.assertEqual((reply["error"]["code"], reply["id"]), (code, number), reply)
        self.assertGreater(len(reply["error"]["message"]), 10)


class Protocol(McpCase):
    def test_versions(self):
        for asked in (*VERSIONS, "2199-01-01", "1", ""):
            result = Client(self).initialize(asked)
            self.assertEqual(result["protocolVersion"], asked if asked in VERSIONS else VERSIONS[0])
            self.assertEqual(result["capabilities"], {"tools": {}})
            self.assertEqual(result["serverInfo"]["name"], "sooth")
            self.assertIn(result["serverInfo"]["version"], self.sooth("--version").text)

    def test_tools(self):
        tools = self.client().request("tools/list")["result"]["tools"]
        self.assertEqual({tool["name"] for tool in tools}, TOOLS)
        for tool in tools:
            self.assertLessEqual(len(tool["description"].split()), 60, tool["name"])
            hints = {key: value for key, value in tool["annotations"].items() if key != "title"}
            self.assertEqual(hints, {"readOnlyHint": True, "destructiveHint": False, "openWorldHint": False})
            schema = tool["inputSchema"]
            self.assertEqual((schema["type"], schema["additionalProperties"]), ("object", False))
            self.assertLessEqual(set(schema["properties"]), {"pid", "session", "seconds", "minutes"})
            for name, of in schema["properties"].items():
                self.assertEqual(of["type"], "string" if name == "session" else "integer")

    def test_ids_and_notifications(self):
        client = self.client()
        for number in ('"a-\\u00e4 \\"x\\""', '""', "0", "-3", "1.5", "9007199254740993", '"%s"' % ("x" * 254)):
            client.send(b'{"jsonrpc":"2.0","id":%s,"method":"ping"}' % number.encode())
            reply = client.reply()
            self.assertEqual((reply["id"], reply["result"]), (json.loads(number), {}))
        for line in ('{"jsonrpc":"2.0","method":"notifications/unknown"}', '{"jsonrpc":"2.0","method":"ping"}',
                     '{"jsonrpc":"2.0","id":1,"result":{}}', '{"jsonrpc":"2.0","id":1,"error":{"code":1}}', "", " \t",
                     '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":77}}',
                     '{"jsonrpc":"2.0","method":"notifications/cancelled"}'):
            client.send(line.encode())
        self.assertEqual(client.request("ping")["result"], {})  # none of them has a reply

    def test_hostile_lines(self):
        client = self.client()
        for line, code in ((b"{", -32700), (b"\xff\xfe", -32700), (b'{"a":"\x01"}', -32700), (b"[" * 5000, -32700),
                           (b'{"jsonrpc":"2.0","id":1,"method":"ping"} x', -32700), (b"\0", -32700),
                           (b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]', -32600), (b"[]", -32600), (b'"x"', -32600),
                           (b'{"jsonrpc":"1.0","id":1,"method":"ping"}', -32600), (b'{"jsonrpc":"2.0"}', -32600),
                           (b'{"jsonrpc":"2.0","id":null,"method":"ping"}', -32600),
                           (b'{"jsonrpc":"2.0","id":{},"method":"ping"}', -32600),
                           (b'{"jsonrpc":"2.0","id":"%s","method":"ping"}' % (b"x" * 300), -32600)):
            client.send(line)
            reply = client.reply()
            self.assertEqual(reply["error"]["code"], code, line[:60])
            self.assertIn(reply["id"], (None, 1))
        for method in ("tools/kill", "resources/list", "prompts/list", "", "x" * 5000, "ping\u0000"):
            self.assert_error(client.request(method), -32601, client.number)
        self.assertEqual(client.request("ping")["result"], {})

    def test_long_lines(self):
        client = self.client()
        line = b'{"jsonrpc":"2.0","id":5,"method":"ping","params":{"x":"%s"}}'
        client.send(line % (b"x" * (LINE_MAX - len(line) - 100)))
        self.assertEqual(client.reply()["result"], {})
        for size in (LINE_MAX + 1 - len(line) + 2, 3 * LINE_MAX):
            client.send(line % (b"x" * size))
            self.assert_error(client.reply(), -32600)
        self.assertEqual(client.request("ping")["result"], {})
        self.assertLess(client.resident_kb(), 40_000)

    def test_partial_lines(self):
        client = self.client()
        line = b'{"jsonrpc":"2.0","id":9,"method":"ping"}\r\n{"jsonrpc":"2.0","id":10,"method":"ping"}\n{"jso'
        for at in range(len(line)):
            client.process.say(line[at:at + 1])
        self.assertEqual([reply["id"] for reply in client.replies(2)], [9, 10])
        client.process.say(b'nrpc":"2.0","id":11,"method":"ping"}\n{"jsonrpc":"2.0","id":12,"method":"ping"}')
        self.assertEqual(client.reply()["id"], 11)
        client.process.close_stdin()  # a line without an end is no message
        self.assert_ends_quietly(client)
        self.assertNotIn(b'"id":12', bytes(client.process.out))

    def test_many_requests(self):
        client = self.client()

        def ask(count):
            numbers = [client.start_request("tools/list" if i % 100 == 0 else "ping") for i in range(count)]
            self.assertEqual([reply["id"] for reply in client.replies(count)], numbers)
        ask(500)
        before = client.resident_kb(), client.descriptors()
        for _ in range(REQUESTS // 500):
            ask(500)
        self.assertLess(client.resident_kb(), before[0] + GROWTH_KB)
        self.assertEqual(client.descriptors(), before[1])

    def test_a_client_that_does_not_read(self):
        """Its requests wait, in a bounded place."""
        reader, writer = os.pipe()
        server = subprocess.Popen([harness.SOOTH, "mcp"], stdin=subprocess.PIPE, stdout=writer,
                                  stderr=subprocess.PIPE, bufsize=0)
        self.addCleanup(lambda: (server.kill(), server.wait(), server.stdin.close(), server.stderr.close()))
        os.close(writer)
        os.set_blocking(server.stdin.fileno(), False)
        line, sent, until = b'{"jsonrpc":"2.0","id":1,"method":"tools/list"}\n', 0, time.monotonic() + 20
        while select.select([], [server.stdin], [], 1)[1] and time.monotonic() < until:
            sent += server.stdin.write(line * 20) or 0
        self.assertLess(sent, 4 * LINE_MAX)
        self.assertLess(int(harness.read("/proc/%d/statm" % server.pid).split()[1]) * 4096, 32 * LINE_MAX)
        os.close(reader)
        self.assertEqual(server.wait(10), 0)
        self.assertEqual(server.stderr.read(), b"")

    def test_arguments(self):
        client = self.client()
        for name, arguments in (("why", {"pid": "1"}), ("why", {"pid": 0}), ("why", {"pid": -1}), ("why", {"pid": 1.5}),
                                ("why", {"pid": 2 ** 40}), ("why", {"session": "--all"}), ("why", {"session": "../x"}),
                                ("why", {"session": "abcd\n"}), ("why", {"session": 1}), ("why", {"path": "/etc"}),
                                ("why", {"pid": 1, "session": "abcd"}), ("stack", {}), ("calls", {"seconds": 1}),
                                ("diagnose", {"seconds": 0}), ("diagnose", {"seconds": 31}), ("kill", {"pid": 1}),
                                ("timeline", {"minutes": 1441}), ("leftovers", {"pid": 1})):
            reply = client.request("tools/call", {"name": name, "arguments": arguments})
            self.assert_error(reply, -32602, client.number)
        for params in ({}, {"name": 1}, {"name": "why", "arguments": []}, {"name": "why", "arguments": "x"}, []):
            self.assert_error(client.request("tools/call", params), -32602, client.number)
        self.assertEqual(children_of(client.pid), [])


@needs_root
class Calls(McpCase):
    def test_the_words_of_the_terminal(self):
        client, pid = self.client(), self.sleeper()
        def text(words):
            return re.sub(r"[\d.]+(?= ?(?:s|min)\b)", "N", words)
        self.assertEqual(text(client.call("why", pid=pid)[0]), text(self.sooth("why", str(pid)).text))
        self.assertEqual(client.call("stack", pid=pid)[0], self.sooth("stack", str(pid)).text)
        found, is_error = client.call("diagnose", pid=pid, seconds=1)
        self.assertRegex(found, r"sleeps: .*\n.*fine: \d+ other checks")
        self.assertFalse(is_error)
        self.assertIn("sleep 300", client.call("agents", pid=pid)[0])
        self.assertIn("all threads", client.call("timeline", pid=pid, seconds=1)[0])
        for name in ("agents", "why", "leftovers"):
            self.assertFalse(client.call(name)[1], name)
        found, is_error = client.call("why", pid=2 ** 31 - 1)
        self.assertTrue(is_error)
        self.assertIn("no process has this PID", found)
        self.assertTrue(client.call("why", session="0000-nothing")[1])

    @harness.needs_bpf
    def test_calls_are_counted(self):
        busy = self.start("/bin/sh", "-c", "while :; do read x < /proc/self/stat; done")
        found, is_error = self.client().call("calls", pid=busy.pid, seconds=1)
        self.assertIn("openat", found)
        self.assertFalse(is_error)

    def test_secrets(self):
        self.start("/bin/sleep", "300", "--password=hunter2horse", env={"PATH": os.environ["PATH"]})
        shell = self.start("/bin/bash", "-c", "sleep 300; : --password=hunter2horse")
        found = self.client().call("agents", pid=shell.pid)[0]
        self.assertIn("sleep 300", found)
        self.assertNotIn("hunter2horse", found)

    def test_long_answers(self):
        """The first lines and the notes stay, and what is missing is said."""
        tree = self.start("/bin/bash", "-c", "for i in {1..120}; do sleep 300 & done; echo ready; wait")
        tree.wait_for_output(b"ready\n")
        children = children_of(tree.pid)
        self.addCleanup(lambda: [os.kill(child, signal.SIGKILL) for child in children])
        found = self.client().call("agents", pid=tree.pid)[0]
        self.assertGreater(len(found.encode()), 2000)
        self.assertLessEqual(len(found.encode()), 3600)
        lines = found.splitlines()
        self.assertIn("COMMAND", lines[0])
        self.assertIn(str(tree.pid), lines[1])
        self.assertIn("total of 121", found)
        note = re.search(r"^\[(\d+) lines left out here; all of it: `(sooth ps --tree .*)`\]$", found, re.M)
        whole = self.run_program("/bin/sh", "-c", note[2], env={
            **os.environ, "PATH": os.path.dirname(harness.SOOTH) + ":/bin:/usr/bin", "SOOTH_COLUMNS": "200"}).text
        self.assertEqual(len(whole.splitlines()), len(lines) - 1 + int(note[1]))

    def test_several_at_a_time(self):
        client, pid, most = self.client(), self.sleeper(), 0
        numbers = [client.start_call("diagnose", pid=pid, seconds=2) for _ in range(6)]
        number = client.start_request("ping")
        self.assertEqual(client.reply()["id"], number)  # it waits for none of them
        until = time.monotonic() + 60
        while client.process.out.count(b"\n") < 9 and time.monotonic() < until:
            if client.process.out.count(b"isError") >= 6:
                break
            most = max(most, len(children_of(client.pid)))
            time.sleep(0.02)
        replies = client.replies(6)
        self.assertEqual({reply["id"] for reply in replies}, set(numbers))
        self.assertLess(max(numbers[:4]), min(reply["id"] for reply in replies[4:]))
        self.assertEqual(most, RUNNING_MAX)
        self.assertTrue(all("fine: " in text_of(reply)[0] for reply in replies))

    def test_too_many(self):
        client, pid = self.client(), self.sleeper()
        for _ in range(65):
            client.start_call("diagnose", pid=pid, seconds=30)
        self.assert_error(client.reply(), -32000, client.number)
        self.assertEqual(len(children_of(client.pid)), RUNNING_MAX)

    def test_cancel(self):
        client, pid = self.client(), self.sleeper()
        numbers = [client.start_call("diagnose", pid=pid, seconds=30) for _ in range(5)]
        first = client.started_child()
        wait_until(lambda: len(children_of(client.pid)) == RUNNING_MAX, "four calls to run")
        for number in (numbers[4], numbers[0]):  # one waits, one runs
            client.send({"jsonrpc": "2.0", "method": "notifications/cancelled",
                         "params": {"requestId": number, "reason": "test"}})
        wait_until(lambda: has_ended(first), "the cancelled call to end")
        self.assertEqual(client.request("ping")["result"], {})  # the cancelled calls have no reply
        self.assertEqual(len(children_of(client.pid)), RUNNING_MAX - 1)
        for number in numbers[1:4]:
            client.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": number}})
        wait_until(lambda: not children_of(client.pid), "all calls to end")
        self.assertFalse(client.call("why", pid=pid)[1])

    def test_a_call_that_is_killed(self):
        """A fault in one call is the answer of that call."""
        client, pid = self.client(), self.sleeper()
        client.start_call("diagnose", pid=pid, seconds=20)
        os.kill(client.started_child(), signal.SIGSEGV)
        found, is_error = text_of(client.reply())
        self.assertTrue(is_error)
        self.assertIn("ended before its report was complete", found)
        self.assertFalse(client.call("why", pid=pid)[1])

    def test_limit_of_time(self):
        client, pid = self.client(), self.sleeper()
        client.start_call("diagnose", pid=pid, seconds=1)
        os.kill(client.started_child(), signal.SIGSTOP)
        found, is_error = text_of(client.reply())
        self.assertTrue(is_error)
        self.assertIn("[ended after 26 s, its limit", found)
        self.assertEqual(children_of(client.pid), [])


@needs_root
class Ends(McpCase):
    def in_calls(self):
        """A client with three open calls, and all their processes."""
        client, pid = self.client(), self.sleeper()
        for name in ("diagnose", "calls", "timeline"):
            client.start_call(name, pid=pid, seconds=30)
        wait_until(lambda: len(children_of(client.pid)) == 3, "the calls to run")
        time.sleep(1)  # they attach, and start what parses for them
        found = descendants_of(client.pid)
        self.assertGreaterEqual(len(found), 3)
        return client, found

    def assert_gone(self, pids):
        wait_until(lambda: all(has_ended(pid) for pid in pids), "the processes of calls to end", timeout=END_S)

    def test_end_of_input(self):
        client, pids = self.in_calls()
        client.process.close_stdin()
        self.assert_ends_quietly(client)
        self.assert_gone(pids)

    def test_killed(self):
        for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            client, pids = self.in_calls()
            client.process.send(number)
            self.assertEqual(client.process.finish().status, -number)
            self.assert_gone(pids)

    def test_closed_output(self):
        client = Client(self, program="/bin/sh", words=("-c", 'exec "$0" mcp | head -n 1', harness.SOOTH))
        client.start_request("ping")
        client.process.wait_for_output(b"\n")
        client.process.finish()
        run = self.run_program("/bin/sh", "-c", '"$0" mcp < /dev/zero | true; exit ${PIPESTATUS:-0}', harness.SOOTH)
        self.assertEqual(run.err, b"")
        run = self.run_program("/bin/sh", "-c", '"$0" mcp >&- < /dev/null', harness.SOOTH)
        self.assertEqual(run.err, b"")


class Lent(LentCase):
    """With file capabilities: what the caller may not see stays unseen, and no process stays."""

    def lent_client(self):
        client = Client(self, program=self.program, cwd=self.home, env={**os.environ, "HOME": self.home},
                        **harness.as_user(harness.NOBODY))
        client.initialize()
        return client

    @harness.needs_bpf
    def test_others(self):
        target, client = Target(self, 0), self.lent_client()
        for name, more in (("why", {}), ("diagnose", {"seconds": 1}), ("stack", {}), ("calls", {"seconds": 1}),
                           ("agents", {}), ("timeline", {"seconds": 1})):
            found = client.call(name, pid=target.pid, **more)[0]
            self.assertFalse(target.shown_in(found), "%s\n%s" % (name, found))

    @harness.needs_bpf
    def test_killed(self):
        own = self.start("/bin/sleep", "300", **harness.as_user(harness.NOBODY))
        client = self.lent_client()
        client.start_call("calls", pid=own.pid, seconds=30)
        client.started_child()
        time.sleep(1)
        pids = descendants_of(client.pid)
        self.assertTrue(pids)
        client.process.send(signal.SIGKILL)
        client.process.finish()
        wait_until(lambda: all(has_ended(pid) for pid in pids), "the call of a killed server to end", timeout=END_S)


@needs_root
class Sdk(McpCase):
    def test_the_official_client(self):
        if not shutil.which("node"):
            self.skipTest("no node here")
        try:
            folder = os.path.dirname(os.path.dirname(install.install(SDK)))
        except install.CannotInstall as error:
            self.skipTest(str(error))
        run = self.run_program("node", "-e", SDK_CLIENT, os.path.join(folder, SDK.package, "dist/cjs"), harness.SOOTH,
                               str(self.sleeper()))
        found = run.json()
        self.assertEqual({tool["name"] for tool in found["tools"]}, TOOLS)
        self.assertIn("sleeps", found["why"]["content"][0]["text"])
        self.assertEqual(found["code"], -32602)
        self.assertIn("no more", found["cancelled"])
        self.assertIn("sleep", found["again"]["content"][0]["text"])
        self.assertEqual(found["server"]["name"], "sooth")
        self.assertTrue(found["instructions"])


class WithSooth(Agent):
    """An agent whose model calls a tool of `sooth mcp`."""

    @property
    def tool_name(self):
        return self.agent.mcp_tool.format("sooth", "agents")

    def _mcp(self):
        return {name: [harness.SOOTH, "mcp"] for name in self.mcp}

    def _tool_call(self, mode):
        return self.tool_name, {}


class OfPlugin(WithSooth):
    tool_name = "mcp__plugin_sooth_sooth__agents"


class Leaving(Agent):
    """An agent whose command goes on when the agent ends."""

    def _tool_call(self, mode):
        return self.agent.command("(setsid sleep 77 > /dev/null 2>&1 &) ; sleep 1")


STREAM = ("--output-format", "stream-json", "--verbose")


@needs_root
class ClaudeCode(McpCase):
    def setUp(self):
        super().setUp()
        reason = require_native()
        if reason:
            self.skipTest(reason)

    def results_of(self, agent):
        """Texts of what its tools gave, as it prints them."""
        ended = agent.finish()
        self.assertEqual(ended.status, 0, ended)
        messages = [json.loads(line) for line in ended.out.splitlines() if line.startswith("{")]
        contents = [part for message in messages if message["type"] == "user"
                    for part in message["message"]["content"] if part["type"] == "tool_result"]
        self.assertFalse([part for part in contents if part.get("is_error")], contents)
        return json.dumps(contents), ended

    def test_a_tool(self):
        with WithSooth(known.CLAUDE_CODE, mode=modes.MCP_CALL, mcp=["sooth"], arguments=STREAM) as agent:
            found, _ = self.results_of(agent)
            self.assertRegex(found, r"SESSION .*ACTIVITY")
            self.assertIn("waits for MCP server sooth", found)

    def with_plugin(self, of, mode):
        path = os.path.dirname(harness.SOOTH) + os.pathsep + os.environ["PATH"]
        more = ("--plugin-dir", PLUGIN, "--allowedTools", "mcp__plugin_sooth_sooth", *STREAM)
        return of(known.CLAUDE_CODE, mode=mode, arguments=more, environment={"PATH": path})

    def test_the_plugin(self):
        with self.with_plugin(OfPlugin, modes.MCP_CALL) as agent:
            found, ended = self.results_of(agent)
            self.assertRegex(found, r"SESSION .*ACTIVITY")
            self.assertNotIn("still running", ended.err)  # nothing is left, so the hook says nothing

    def test_the_end_of_a_session(self):
        """The hook of the plugin reports what is left, and leaves it."""
        with self.with_plugin(Leaving, modes.TOOL) as agent:
            _, ended = self.results_of(agent)
            left = re.search(r"still running at the end of this session.*\n +PID .*\n *(\d+) .* sleep 77\n", ended.err)
            self.assertTrue(left, ended)
            self.assertFalse(has_ended(int(left[1])))

    def test_the_files_of_the_plugin(self):
        """By the agent's own check; the skill is the one for other agents; the version is the program's."""
        claude = install.install(known.CLAUDE_CODE)
        run = self.run_program("unshare", "-rn", claude, "plugin", "validate", "--strict", PLUGIN, status=None,
                               env={"PATH": os.environ["PATH"], "HOME": self.folder, "DISABLE_AUTOUPDATER": "1"})
        self.assertEqual(run.status, 0, run)
        self.assertEqual(harness.read(os.path.join(SHARE, "skill/SKILL.md")),
                         harness.read(os.path.join(PLUGIN, "skills/sooth/SKILL.md")))
        manifest = harness.parse_json(harness.read(os.path.join(PLUGIN, ".claude-plugin/plugin.json")))
        self.assertIn(manifest["version"], self.sooth("--version").text)


@needs_root
class Codex(McpCase):
    def test_a_tool(self):
        reason = reason_to_skip(known.CODEX)
        if reason:
            self.skipTest(reason)
        with WithSooth(known.CODEX, mode=modes.MCP_CALL, mcp=["sooth"]) as agent:
            ended = agent.finish()
            self.assertEqual(ended.status, 0, ended)
            self.assertIn("sooth/agents (completed)", ended.err)


class Hook(McpCase):
    def test_without_a_session_or_sooth(self):
        script, path = os.path.join(PLUGIN, "hooks/session-end.sh"), os.path.dirname(harness.SOOTH) + ":/bin:/usr/bin"
        for environment in ({}, {"CLAUDE_CODE_SESSION_ID": "--all"}, {"CLAUDE_CODE_SESSION_ID": "a b"},
                            {"CLAUDE_CODE_SESSION_ID": "0000-none"}, {"CLAUDE_CODE_SESSION_ID": "$(id)", "PATH": "/bin"}):
            run = self.run_program("/bin/sh", script, env={"PATH": path, **environment})
            self.assertEqual(run.out + run.err, b"")


if __name__ == "__main__":
    harness.main()
