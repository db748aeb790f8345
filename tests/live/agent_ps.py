# SPDX-License-Identifier: BSD-2-Clause
"""
`sooth ps` of real agents, for test_agents.py: each process of an agent, its role and its session; and
the processes that an agent leaves when it is killed or terminated.
"""
import glob
import json
import os
import signal
import subprocess

from harness import SOOTH, wait_until

from agents import processes


def rows(*arguments):
    out = subprocess.run([SOOTH, "ps", "-j", "-i", "10ms", *map(str, arguments)], check=True,
                         stdout=subprocess.PIPE).stdout
    return {row["pid"]: row for row in json.loads(out)["processes"]}


def flags(row):
    """OUTDATED apart: what else is installed on this machine is not ours to say; and those of its activity."""
    return set((row["flags"] or "").split()) - {"OUTDATED", "ASKS-AGAIN", "NEEDS-YOU", "SILENT"}


class PsChecks:
    """Beside unittest.TestCase. `self.agent` is of agents.known."""
    named = ""             # by sooth
    has_version = True     # False: the title covers the command line; its log may say it
    session_files = None   # below its HOME; the id of the session is the end of the name
    marks_session = False  # the environment of its children says the id
    is_tool_left = True  # after SIGKILL
    is_tool_left_on_terminal = True  # after SIGTERM
    is_left_with_worker = False  # on a terminal another process goes on

    # --- what is true ---

    def session_of(self, agent):
        """By the name of its log; None where there is none, or it does not say the whole id."""
        if not self.session_files:
            return None
        pattern = os.path.join(agent.home, self.session_files)
        found = wait_until(lambda: glob.glob(pattern, recursive=True), "its log to be written")
        self.assertEqual(len(found), 1, found)
        return os.path.basename(found[0])[:-len(".jsonl")][-36:]

    def roles_of(self, agent):
        """{pid: role}"""
        roles = {agent.pid: "main"}
        if self.agent.has_launcher:
            roles[agent.launcher_pid] = "launcher"
        if agent.worker_pid != agent.pid:
            roles[agent.worker_pid] = "daemon"
        roles.update({pid: "tool" for pid in agent.tool_pids() if pid not in roles})
        roles.update({pid: "mcp" for pid in agent.mcp_pids()})
        return roles

    # --- checks ---

    def check_ps(self, agent):
        roles, session = self.roles_of(agent), self.session_of(agent)
        seen, listed, tree = rows(*roles), rows(), rows("-t")
        mains = {agent.pid, agent.worker_pid}
        for pid, role in roles.items():
            row = seen[pid]
            self.assertEqual(row["role"], role, row)
            self.assertIn(row["session_pid"], mains, row)
            self.assertEqual(row["project"], os.path.basename(agent.folder), row)
            self.assertEqual(flags(row), set(), row)
            self.assertFalse(row["is_orphaned"] or row["is_abandoned"], row)
            self.assertIn(pid, tree)
            is_own = role in ("main", "launcher", "daemon")
            self.assertEqual(row["agent"], self.named if is_own else None, row)
            self.assertEqual(pid in listed, is_own, row)
            if session:
                self.assertEqual(row["session_id"], session, row)
            if is_own:
                self.assertIn(row["version"], self.versions(), row)
        ids = {row["session_id"] for row in seen.values()}
        self.assertEqual(len(ids), 1, ids)
        if session:
            self.assertEqual({row["task"] for row in seen.values()} - {None}, {agent.prompt})
        self.check_servers(agent, seen)
        self.check_rest(agent, roles)
        return session

    def versions(self):
        return (self.agent.version,) if self.has_version else (self.agent.version, None)

    def check_servers(self, agent, seen):
        self.assertEqual(len(agent.mcp_pids()), len(agent.mcp))
        for pid in agent.mcp_pids():
            self.assertTrue(seen[pid]["role_name"].startswith("mcp_server"), seen[pid])

    def check_rest(self, agent, roles):
        """Whatever else it has: in its session, with a role, nothing wrong."""
        others = [pid for pid in agent.members() if pid not in roles]
        if not others:
            return
        for row in rows("-a").values():
            if row["pid"] in others and processes.is_alive(row["pid"]):
                self.assertIsNotNone(row["role"], row)
                self.assertFalse(row["is_orphaned"] or row["is_abandoned"], row)

    def check_terminal(self, agent):
        name = os.readlink("/proc/%d/fd/0" % agent.pid)
        row = rows(agent.pid)[agent.pid]
        self.assertEqual("/dev/" + row["terminal"], name, row)
        self.assertFalse(row["is_orphaned"], row)

    def others_alive(self, agent):
        """Agents of the same kind that are none of ours: whose what is left was is open then, where
        the environment does not tell."""
        members = set(agent.members())
        return [pid for pid, row in rows().items()
                if row["agent"] == self.named and row["role"] == "main" and pid not in members]

    def check_left(self, agent, session, number):
        """After it has ended, and what ends with it has had time to."""
        tools, servers, pid = agent.tool_pids(), agent.mcp_pids(), agent.pid
        worker, others = agent.worker_pid, self.others_alive(agent)
        agent.kill(number)
        agent.wait_for_end()
        if worker != pid and processes.is_alive(worker):
            return self.check_worker(worker, tools, servers)
        expected = self.is_tool_left if number == signal.SIGKILL else self.is_tool_left_on_terminal
        wait_until(lambda: not any(map(processes.is_alive, servers)), "the MCP servers to end")
        if not expected:
            wait_until(lambda: not any(map(processes.is_alive, tools)), "the tool to end")
        left = [tool for tool in tools if processes.is_alive(tool)]
        self.assertEqual(bool(left), expected, agent.tell())
        seen, listed = self.left_rows(left)
        others += self.others_alive(agent)
        self.assertNotIn(pid, listed)
        for tool in left:
            self.check_tool_left(seen[tool], session, others)

    @staticmethod
    def left_rows(left):
        """({pid: row} of these, {pid: row} listed), where exactly the orphans are listed. Another agent
        that begins or ends between the two readings can change what is decided."""
        found = []

        def agree():
            found[:] = rows(*left) if left else {}, rows()
            return all((pid in found[1]) == (found[0][pid]["is_orphaned"] is True) for pid in left)
        wait_until(agree, lambda: "orphans to be listed: %s" % found)
        return found

    def check_tool_left(self, row, session, others):
        if row["is_orphaned"] is None and not self.marks_session and others:
            self.assertTrue(any(str(pid) in row["orphaned_reason"] for pid in others), row)
            return
        self.assertIs(row["is_orphaned"], True, row)
        self.assertEqual(flags(row), {"ORPHANED"}, row)
        self.assertTrue(row["orphaned_reason"], row)
        self.assertEqual((row["role"], row["session_agent"]), ("tool", self.named), row)
        self.assertIsNone(row["session_pid"], row)
        if session and self.marks_session:
            self.assertEqual(row["session_id"], session, row)

    def check_worker(self, worker, tools, servers):
        """It goes on, and so does what it started."""
        self.assertTrue(self.is_left_with_worker)
        for row in rows(worker, *tools, *servers).values():
            self.assertEqual(flags(row), set(), row)
            self.assertFalse(row["is_orphaned"] or row["is_abandoned"], row)
            self.assertIn(row["session_agent"], (self.named, None), row)

    def check_ps_waiting(self, agent):
        """While it waits for the server, or runs a tool."""
        row, session = rows(agent.pid)[agent.pid], self.session_of(agent)
        self.assertEqual((row["agent"], row["role"], row["project"], flags(row)),
                         (self.named, "main", os.path.basename(agent.folder), set()), row)
        self.assertIn(row["version"], self.versions(), row)
        self.assertIs(row["is_orphaned"], False, row)
        if session:
            self.assertEqual(row["session_id"], session, row)

    @staticmethod
    def row_with_status(agent, status):
        """It writes its file a moment before or after what is seen of it otherwise."""
        return wait_until(lambda: next((row for row in rows(agent.pid).values()
                                        if row["status"] == status), None), "it to be " + status)
