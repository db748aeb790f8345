# SPDX-License-Identifier: BSD-2-Clause
"""prompt-unanswered: a program asks at its terminal, and no answer comes."""
import os
import shutil

from case import healthy, sick

# Runs a command on a pseudo terminal and keeps what it writes; it types nothing.
TERMINAL = r"""
import os, pty, sys, time
ask = sys.argv[1].encode()
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
seen = b""
while ask not in seen:
    seen += os.read(fd, 4096)
time.sleep(0.2)
os.write(1, b"ready %d\n" % pid)
while os.read(fd, 4096): pass
"""


def on_terminal(ask, *command):
    def make(scope, _):
        holder = scope.python(TERMINAL, ask, *command, ready=b"\n", env=dict(os.environ, GIT_ASKPASS="", SSH_ASKPASS="",
            HOME=str(scope.path)))
        return int(bytes(holder.out).split(b"ready ")[1].split()[0])
    return make


def without(program):
    return lambda: None if shutil.which(program) else f"no {program} here"


SOON = {"settings": ("prompt-unanswered.min-time=1s",), "duration_s": 2}

CASES = [
    sick("prompt-unanswered", "git that wants a user name", on_terminal("Username", "sh", "-c",
        "printf 'protocol=https\\nhost=x\\n\\n' | git -c credential.helper= credential fill"), may_skip=without("git"), says="a user name or password at its terminal /dev/tty", **SOON),
    sick("prompt-unanswered", "rm that asks", on_terminal("remove", "sh", "-c", "touch kept; exec rm -i kept"),
        says="whether to remove a file", **SOON),
    healthy("prompt-unanswered", "a shell at its prompt", on_terminal("$ ", "env", "PS1=$ ", "bash", "--norc", "-i"),
        **SOON),
    healthy("prompt-unanswered", "a pager", on_terminal("END", "sh", "-c", "echo text > kept; exec less kept"),
        may_skip=without("less"), **SOON),
]
