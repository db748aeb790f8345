# SPDX-License-Identifier: BSD-2-Clause
"""
Families of processes that a test puts together, of the workload `member`: a main process that looks
like an agent by where its program lies, and what agents start, without any agent.

    with Family(folder) as family:
        main = family.main("one")
        tool = main.start("tool", **family.tool(main))
        main.kill()

Each member holds a connection to this process and ends when it closes: nothing outlives the test,
however that ends. Its pid is what the kernel says of that connection, so it is ours also where the
member is in a pid namespace.
"""
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
import uuid

from harness import PATIENCE_S, WORKLOADS, process_state, read, start_copied, wait_until

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from agents import processes

VERSIONS = ".local/share/claude/versions"
VERSION = "9.9.9"
NULL = {"in": "null", "out": "null", "err": "null"}
MESSAGE_MAX = 4096
# /proc tells the start of a process in clock ticks: what starts after an end is younger there too.
TICKS_S = 2 / os.sysconf("SC_CLK_TCK")


class Member:
    def __init__(self, family, name, connection):
        self.family, self.name, self.connection = family, name, connection
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        self.pid = struct.unpack("3i", credentials)[0]
        self.session_id = None
        self.started = self.start_ticks()

    def say(self, *words):
        self.connection.send(" ".join(words).encode())
        answer = self.connection.recv(MESSAGE_MAX).decode()
        if answer != "ok":
            raise OSError("%s: %s: %s" % (self.name, " ".join(words), answer or "it ended"))

    def start(self, name, *flags, program=None, environment=None, **words):
        """A child, once it is there; `in`, `out`, `err` and the other words of member.c."""
        order = ["start", name, "program=" + (program or self.family.program), *flags]
        order += ["%s=%s" % pair for pair in words.items()]
        order += ["env=%s=%s" % pair for pair in (environment or {}).items()]
        self.say(*order)
        return self.family.arrival(name)

    def start_ticks(self):
        """None when it is gone."""
        words = processes.words_of_stat(self.pid)
        return int(words[19]) if words else None

    def is_there(self):
        return self.start_ticks() == self.started and process_state(self.pid) != "Z"

    def kill(self, number=signal.SIGKILL, reaper=None):
        """And waits until it is gone; `reaper`: the member that is its parent."""
        os.kill(self.pid, number)
        self.await_end(reaper)

    def leave(self, reaper=None):
        """It ends by itself."""
        self.connection.send(b"exit")
        self.await_end(reaper)

    def await_end(self, reaper):
        wait_until(lambda: not self.is_there(), "%s to end" % self.name)
        if reaper:
            reaper.say("reap")
            wait_until(lambda: self.start_ticks() != self.started, "%s to be reaped" % self.name)
        time.sleep(TICKS_S)

    def parent(self):
        return processes.parent(self.pid)


class Family:
    def __init__(self, folder):
        """The folder is the HOME of all and has the programs in it."""
        self.folder, self.members, self.root = folder, [], None
        self.program = self.copy("bin/worker")

    def __enter__(self):
        self.listening = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)
        self.listening.bind(self.path("socket"))
        os.chmod(self.path("socket"), 0o777)
        self.listening.listen(64)
        self.listening.settimeout(PATIENCE_S)
        # The shell of the family: whatever it starts has a parent that stays.
        self.child = start_copied([self.program, "member", "--socket", self.path("socket"),
            "--name", "root"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, cwd=self.project(), start_new_session=True,
            env={"PATH": os.environ["PATH"], "HOME": self.folder})
        try:
            self.root = self.arrival("root")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.listening.close()
        for member in self.members:
            member.connection.close()
        self.child.wait()
        for member in self.members:
            wait_until(lambda member=member: not member.is_there(), "%s to end" % member.name)

    # --- members ---

    def arrival(self, name):
        """The member of that name, which is on its way; others that come are kept."""
        for member in self.members:
            if member.name == name and not hasattr(member, "is_met"):
                member.is_met = True
                return member
        connection, _ = self.listening.accept()
        connection.settimeout(PATIENCE_S)
        came = Member(self, connection.recv(MESSAGE_MAX).decode(), connection)
        self.members.append(came)
        return self.arrival(name)

    def main(self, name="main", *flags, parent=None, session_id=None, is_leader=True, **words):
        """Looks like Claude Code. Its session's id is where that keeps it. `is_leader`: of a
        session of its own, not in its parent's."""
        program = self.copy("%s/%s" % (VERSIONS, VERSION))
        streams = dict(NULL, **words)
        main = (parent or self.root).start(name, *flags, *(["session"] if is_leader else []),
                                           program=program, **streams)
        # Not of digits alone at its start: as a target that would be a PID.
        main.session_id = session_id or "a" + str(uuid.uuid4())[1:]
        self.tell_session(main)
        return main

    def tell_session(self, main, inner_pid=None, status="busy", **more):
        """As Claude Code does: a file named by the pid it has in its own eyes."""
        inner_pid = inner_pid or int(read("/proc/%d/status" % main.pid).decode()
                                     .partition("NSpid:")[2].split("\n")[0].split()[-1])
        self.write(".claude/sessions/%d.json" % inner_pid, json.dumps({
            "pid": inner_pid, "procStart": str(main.start_ticks()), "sessionId": main.session_id,
            "cwd": self.project(), "version": VERSION, "kind": "interactive", "status": status,
            "entrypoint": "cli", **more}))

    # What agents start, as words for start(). The markers are those of Claude Code.

    def tool(self, main, **words):
        """The command of a tool: its output goes into a file of the agent's."""
        output = self.write("tmp/claude/%s/tasks/b%d.output" % (main.session_id, len(self.members)),
                            "")
        return dict({"in": "null", "out": output, "err": output, "environment":
                     self.marks(main, CLAUDE_PID="{pid}", CLAUDE_CODE_CHILD_SESSION="1",
                                CLAUDE_CODE_EXECPATH=self.path("bin/worker"))}, **words)

    def server(self, main, name="mcp-server-files", **words):
        """An MCP server: standard streams are a socket to the main process."""
        return dict({"in": "socket", "out": "input", "program": self.copy("bin/" + name),
                     "environment": self.marks(main, CLAUDE_PROJECT_DIR=self.project(),
                                               CLAUDE_CODE_CHILD_NOTES_DIR=self.folder)}, **words)

    @staticmethod
    def marks(main, **more):
        return dict({"CLAUDECODE": "1", "CLAUDE_CODE_SESSION_ID": main.session_id,
                     "CLAUDE_CODE_ENTRYPOINT": "cli"}, **more)

    # --- files ---

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text, mode=0o666):
        """At once: whoever looks meanwhile finds no half of it. Members may be another user's."""
        path, new = self.path(name), self.path("being-written")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(new, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(new, mode)
        os.replace(new, path)
        return path

    def copy(self, name):
        """The workload under another name; made once."""
        path = self.path(name)
        if not os.path.exists(path):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            shutil.copyfile(WORKLOADS, path)
            os.chmod(path, 0o755)
        return path

    def project(self, name="project"):
        os.makedirs(self.path(name), exist_ok=True)
        return self.path(name)
