# SPDX-License-Identifier: BSD-2-Clause
"""
orphan, mcp-abandoned, outdated, deleted-binary: families of processes that look like an agent's, made
without any agent (tests/live/family.py), so that who is whose is known exactly. left-behind: of no agent.
"""
import os
import pathlib
import shutil
import signal
import subprocess
import sys

import harness
from case import healthy, sick
from family import NULL, VERSIONS, Family

# The family's own processes are younger than that.
NOW = ("orphan.min-age=0",)
LEFT = ("left-behind.min-age=0",)


class CaseFamily(Family):
    def copy(self, name):
        """By a program of its own: several cases run at once, and what another thread starts while
        a copy is open here keeps it open for writing, so that it cannot be started."""
        path = self.path(name)
        if not os.path.exists(path):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            subprocess.run(["cp", harness.WORKLOADS, path], check=True)
            os.chmod(path, 0o755)
        return path


def family_of(scope):
    """Each in a folder of its own: it is the HOME of all and has the programs in it."""
    folder = scope.path / "home"
    folder.mkdir(mode=0o755)
    os.chmod(scope.path, 0o755)
    family = CaseFamily(str(folder))
    family.__enter__()
    scope.later(family.__exit__)
    return family


def tool_of(family, main, name="tool", *flags, **words):
    return main.start(name, "session", *flags, **family.tool(main, **words))


# --- orphan ---


def orphan(how):
    """The main process is killed; `how` says who stays and which of them is judged."""
    def make(scope, rng):
        family = family_of(scope)
        main = family.main()
        judged = how(family, main, rng)
        main.kill(reaper=family.root)
        return judged.pid
    return make


def plain_tool(family, main, rng):
    tool = tool_of(family, main)
    for i in range(rng.randint(0, 3)):
        tool.start("below%d" % i)
    return tool


def background_job(family, main, _rng):
    """What a tool call left in the background; the call itself is over."""
    tool = tool_of(family, main)
    left = tool.start("background", "twice")
    tool.kill(reaper=main)
    return left


def deep_below(family, main, rng):
    """Asked for alone, it is told though what it belongs to would be told otherwise."""
    member = tool_of(family, main)
    for i in range(rng.randint(1, 4)):
        member = member.start("below%d" % i)
    return member


def daemon(family, main, rng):
    tool = tool_of(family, main)
    log = family.write("project/server.log", "")
    streams = NULL if rng.random() < 0.5 else {"in": "null", "out": log, "err": log}
    left = tool.start("daemon", rng.choice(("session", "hup")), "twice", **streams)
    tool.kill(reaper=main)
    return left


def twin_of_orphan(scope, rng):
    """Its shell has ended, so it is below a reaper as an orphan is; its session lives."""
    family = family_of(scope)
    main = family.main()
    tool = tool_of(family, main)
    left = tool.start("left", *(["twice"] if rng.random() < 0.7 else []))
    tool.kill(reaper=main)
    return [left.pid, main.pid]


def under_subreaper(scope, _rng):
    """Nothing but the parent looks as if it had been left."""
    family = family_of(scope)
    reaper = family.root.start("reaper", "session", **NULL)
    reaper.say("adopt")
    main = family.main(parent=reaper)
    tool = tool_of(family, main)
    left = tool.start("left", "twice")
    return [left.pid, tool.pid, main.pid]


# --- mcp-abandoned ---


def server_of(family, main, name="mcp", *flags, **words):
    return main.start(name, *flags, **family.server(main, **words))


def agent_killed(scope, rng):
    family = family_of(scope)
    main = family.main()
    server = server_of(family, main, **({"in": "pipe"} if rng.random() < 0.5 else {}))
    main.kill(reaper=family.root)
    return server.pid


def hung_up(scope, _rng):
    """The agent closed the connection and lives on."""
    family = family_of(scope)
    main = family.main()
    server = server_of(family, main)
    main.say("hangup", "mcp")
    return server.pid


def wrapped(scope, _rng):
    """As by npx: told once, of the one that the agent started."""
    family = family_of(scope)
    main = family.main()
    wrapper = server_of(family, main, "wrapper")
    inner = wrapper.start("inner", program=family.copy("bin/mcp-server-inner"))
    main.kill(reaper=family.root)
    return [wrapper.pid, inner.pid]


def served(scope, rng):
    """Quiet, and talked to; some of them idle for as long as they like."""
    family = family_of(scope)
    main = family.main()
    servers = [server_of(family, main, "mcp%d" % i, program=family.copy("bin/mcp-server-%d" % i))
               for i in range(rng.randint(1, 4))]
    return [main.pid, *(s.pid for s in servers)]


def two_sessions(scope, _rng):
    """One server each, of the same kind for the same project."""
    family = family_of(scope)
    mains = [family.main(name) for name in ("first", "second")]
    return [server_of(family, main).pid for main in mains]


def good_server(scope, _rng):
    """It ended with its input, as it ought to; the main process of another session is judged."""
    family = family_of(scope)
    main, other = family.main("main"), family.main("other")
    good = server_of(family, main, "good", "eof")
    main.kill(reaper=family.root)
    harness.wait_until(lambda: not good.is_there(), "the server to end with its input")
    return other.pid


def hook(scope, _rng):
    """Its input is closed too, and it is nobody's server."""
    family = family_of(scope)
    main = family.main()
    one = main.start("hook", "session", environment=dict(family.marks(main, CLAUDE_PID="{pid}",
        CLAUDE_PROJECT_DIR=family.folder, CLAUDE_CODE_CHILD_SESSION="1"),
        CLAUDE_CODE_CHILD_NOTES_DIR=family.folder), **{"in": "socket", "out": "socket",
        "err": "socket"})
    main.say("hangup", "hook")
    return one.pid


# --- outdated, deleted-binary ---


def versions(newer, judged):
    def make(scope, _rng):
        family = family_of(scope)
        old = family.main("old")
        new = family.root.start("new", "session", program=family.copy("%s/%s" % (VERSIONS, newer)),
                                **NULL)
        return {"old": old, "new": new}[judged].pid
    return make


def program_file(what):
    def make(scope, _rng):
        family = family_of(scope)
        program = family.copy("%s/%s/claude" % (VERSIONS, what.replace(" ", "-")))
        if what == "named (deleted)":
            os.rename(program, program + " (deleted)")
            os.symlink("claude (deleted)", program)
        member = family.root.start("one", "session", program=program, **NULL)
        if what == "removed":
            os.unlink(program)
        elif what == "replaced":
            shutil.copy(program, program + ".new")
            os.rename(program + ".new", program)
        elif what == "renamed":
            os.rename(program, program + ".old")
        return member.pid
    return make


MEMORY_FILE = """
import os, sys
fd = os.memfd_create("program")
with open(sys.argv[1], "rb") as file:
    os.sendfile(fd, file.fileno(), 0, os.fstat(file.fileno()).st_size)
os.execve(fd, ["workloads", "sleep"], dict(os.environ))
"""


def from_memory(scope, _rng):
    """It never had a file: the kernel says "(deleted)" all the same."""
    process = scope.start([sys.executable, "-c", MEMORY_FILE, harness.WORKLOADS], ready=None)
    harness.wait_until(lambda: os.readlink("/proc/%d/exe" % process.pid).startswith("/memfd:"),
                       "the program to be started")
    return process.pid


# --- left-behind ---

# Starts a process in a session of its own, and ends: the pipe of its output has no reader then.
STARTS = """
import os, socket, subprocess, sys
if os.fork():
    os._exit(0)
how, told, argv = sys.argv[1], sys.argv[2], sys.argv[3:]
output = {"pipe": subprocess.PIPE, "null": subprocess.DEVNULL, "channel": subprocess.DEVNULL,
    "file": subprocess.DEVNULL if how != "file" else open("log", "wb")}[how]
own, other = socket.socketpair()
child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
    start_new_session=os.environ["LEADS"] == "1", pass_fds=[other.fileno()] if how == "channel" else [])
with open(told + ".new", "w") as file:
    file.write(str(child.pid))
os.rename(told + ".new", told)
"""
WORKS = """
import time
while True:
    try:
        print("done", flush=True)
    except OSError:
        pass
    time.sleep(0.05)
"""
WORKS_IN_BASH = "trap '' PIPE; while :; do echo done; sleep 0.1; done 2>/dev/null"


# A server that talks by local sockets, as node starts its children; a timer keeps it when the input ends.
SERVES = """
import os, socket, subprocess, sys, time
ends = [socket.socketpair(), socket.socketpair()]
child = subprocess.Popen([sys.executable, "-c", "import sys, time; sys.stdin.read(); time.sleep(100)"],
    stdin=ends[0][1], stdout=ends[1][1], start_new_session=True)
for end in ends: end[1].close()
print("ready %d." % child.pid, flush=True)
if sys.argv[1] == "ends": os._exit(0)
time.sleep(100)
"""


def served_by(client):
    def make(scope, _rng):
        started = scope.python(SERVES, client, ready=b".")
        pid = int(bytes(started.out).split(b"ready ")[1].split(b".")[0])
        scope.later(lambda: kill(pid))
        if client == "ends":
            started.child.wait()
        return pid
    return make


# A shell that talks to a server through a FIFO, and ends. What it started beside the server still has the
# end that it wrote to ("inherits"), or writes there itself ("writes").
TALKS = """
mkfifo rpc
python3 -c 'import sys, time
for line in sys.stdin: pass
time.sleep(100)' < rpc > /dev/null 2>&1 &
echo $! > server
exec 7> rpc
if [ $1 = inherits ]; then sleep 100 & else sleep 100 > rpc 7>&- & fi
echo $! > heir
"""


def lost_client(how):
    def make(scope, _rng):
        shell = subprocess.Popen(["bash", "-c", TALKS, "bash", how], cwd=scope.path, start_new_session=True)
        shell.wait()
        pids = [int((scope.path / name).read_text()) for name in ("server", "heir")]
        for pid in pids:
            scope.later(lambda pid=pid: kill(pid))
        harness.wait_until(lambda: os.getsid(parent_of(pids[0])) != shell.pid and parent_of(pids[0]) != shell.pid,
            "its parent to end")
        return pids[0]
    return make


# On a pseudo terminal that is closed; it goes on after SIGHUP, which its timer shows.
OUTLIVES = """
import os, pty, signal, sys, time
how = sys.argv[1]
pid, master = pty.fork()
if not pid:
    signal.signal(signal.SIGHUP, lambda *_: None)
    out = os.open("out", os.O_WRONLY | os.O_CREAT, 0o600)
    while True:
        if how != "rests": os.write(out, b"x")
        time.sleep(0.1)
while not os.path.exists("out"): time.sleep(0.01)
if how != "stays": os.close(master)
print("ready %d." % pid, flush=True)
time.sleep(100)
"""


def outlives_terminal(how):
    def make(scope, _rng):
        started = scope.python(OUTLIVES, how, ready=b".")
        pid = int(bytes(started.out).split(b"ready ")[1].split(b".")[0])
        scope.later(lambda: kill(pid))
        return pid
    return make


def parent_of(pid):
    return int(pathlib.Path("/proc/%d/stat" % pid).read_text().rsplit(")", 1)[1].split()[1])


def left_behind(output, argv, leads=False, in_deleted=False):
    def make(scope, _rng):
        told = scope.path / "pid"
        folder = scope.path / "folder"
        folder.mkdir()
        starter = subprocess.Popen(
            [sys.executable, "-c", STARTS, output, str(told), *argv], cwd=folder,
            start_new_session=True, env=dict(os.environ, LEADS="1" if leads else "0"))
        starter.wait()
        harness.wait_until(told.exists, "the process to be started")
        pid = int(told.read_text())
        scope.later(lambda: kill(pid))
        session = starter.pid
        harness.wait_until(lambda: parent_of(pid) != os.getpid() and
                           os.getsid(parent_of(pid)) != session, "its parent to end")
        if in_deleted:
            shutil.rmtree(folder)
        return pid
    return make


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


CASES = [
    sick("orphan", "a tool call and what it started", orphan(plain_tool), settings=NOW),
    sick("orphan", "a job in the background", orphan(background_job), settings=NOW),
    sick("orphan", "one of several, asked for alone", orphan(deep_below), settings=NOW),
    healthy("orphan", "left on purpose", orphan(daemon), settings=NOW),
    healthy("orphan", "lost its shell, not its session", twin_of_orphan, settings=NOW),
    healthy("orphan", "below a subreaper", under_subreaper, settings=NOW),
    sick("left-behind", "its pipe has no reader", left_behind("pipe",
        [sys.executable, "-c", WORKS]), calls=True, settings=LEFT, says="nothing reads its output",
        severity="medium", evidence="writes to its output", threshold="min-writes",
        also=("syscall-errors",)),
    sick("left-behind", "a loop of a shell", left_behind("pipe", ["bash", "-c", WORKS_IN_BASH]),
        calls=True, settings=LEFT, says="nothing reads its output", also=("syscall-errors",)),
    sick("left-behind", "its directory was deleted", left_behind("null",
        [sys.executable, "-c", WORKS], in_deleted=True), settings=LEFT, severity="low",
        says="its working directory was deleted"),
    sick("left-behind", "its channel is closed", left_behind("channel", [sys.executable, "-c", WORKS]), settings=LEFT,
        severity="low", says="so has the process at the other end of its channel", evidence="channel"),
    sick("left-behind", "a server whose client has ended", served_by("ends"), settings=LEFT, severity="medium",
        says="a server (MCP, language server) without its client"),
    sick("left-behind", "the other end of its input was inherited", lost_client("inherits"), settings=LEFT, severity="medium",
        says="no process sends to its input any more: only sleep"),
    sick("left-behind", "its terminal was closed, and it works on", outlives_terminal("works"), settings=LEFT,
        severity="low", says="its terminal was closed, and it works on: ", threshold="min-calls",
        evidence="reads and writes"),
    healthy("left-behind", "at its terminal", outlives_terminal("stays"), settings=LEFT),
    healthy("left-behind", "at rest, its terminal closed", outlives_terminal("rests"), settings=LEFT),
    healthy("left-behind", "a process that has its input as its output", lost_client("writes"), settings=LEFT),
    healthy("left-behind", "a server whose client is silent", served_by("stays"), settings=LEFT),
    healthy("left-behind", "its output goes to a log", left_behind("file",
        [sys.executable, "-c", WORKS]), calls=True, settings=LEFT),
    healthy("left-behind", "a daemon that leads its session", left_behind("null",
        [sys.executable, "-c", WORKS], leads=True, in_deleted=True), calls=True, settings=LEFT),
    sick("mcp-abandoned", "its agent was killed", agent_killed),
    sick("mcp-abandoned", "its agent let go of it", hung_up),
    sick("mcp-abandoned", "behind a wrapper", wrapped),
    healthy("mcp-abandoned", "quiet and talked to", served),
    healthy("mcp-abandoned", "one in each of two sessions", two_sessions),
    healthy("mcp-abandoned", "ended with its input", good_server),
    healthy("mcp-abandoned", "a hook whose input is closed", hook),
    sick("outdated", "ten comes behind nine", versions("9.9.10", "old"), alone=True),
    healthy("outdated", "the newer one", versions("9.9.10", "new"), alone=True),
    healthy("outdated", "newer than what is beside it", versions("9.9.8", "old"), alone=True),
    sick("deleted-binary", "removed", program_file("removed")),
    sick("deleted-binary", "replaced", program_file("replaced")),
    healthy("deleted-binary", "renamed", program_file("renamed")),
    healthy("deleted-binary", "called so", program_file("named (deleted)")),
    healthy("deleted-binary", "a program from memory", from_memory),
]
