# SPDX-License-Identifier: BSD-2-Clause
"""
Runs a command in a network namespace of its own, where only loopback is up and the fake server
listens: whatever an agent tries to reach besides, it cannot. Other namespaces stay the host's.

    python3 -m agents.namespace AGENT REPORT -- COMMAND [ARG...]

is the side inside: the command gets the agent's environment, with a HOME that goes with it, and its
exit status is that of the whole. REPORT is a file for what is told besides, as JSON.
"""
import ctypes
import fcntl
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

from agents import fake_api, known

PATIENCE_S = 120
TIMED_OUT = 124  # as timeout(1) says it
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
PR_SET_PDEATHSIG = 1
# All else of ours stays outside: keys and settings of whoever runs the tests.
KEPT = ("PATH", "TMPDIR", "ASAN_OPTIONS", "LSAN_OPTIONS", "UBSAN_OPTIONS")


# --- outside ---


def cannot_serve():
    """Why there can be no such namespace here; None when there can."""
    if not shutil.which("unshare"):
        return "no unshare here"
    run = subprocess.run(["unshare", "-n", "true"], capture_output=True, text=True)
    return "no network namespace: " + run.stderr.strip() if run.returncode else None


def command_line(agent, report, *argv):
    """What runs a command so; `report` is a path."""
    return ["unshare", "-n", "--", sys.executable, "-m", "agents.namespace", agent.name, report,
            "--", *argv]


def environment():
    """With which that line finds this module."""
    return dict(os.environ, PYTHONPATH=os.path.dirname(os.path.dirname(__file__)),
                PYTHONDONTWRITEBYTECODE="1")


# --- inside ---


def interface_flags(name):
    """As the kernel takes and gives them."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sH14x", name.encode(), 0)
        return struct.unpack("16xH14x", fcntl.ioctl(any_socket, SIOCGIFFLAGS, request))[0]


def set_loopback_up():
    request = struct.pack("16sH14x", b"lo", interface_flags("lo") | IFF_UP)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, request)


def is_alone():
    """Some kernels make tunnels in every namespace: those are down."""
    return not any(interface_flags(name) & IFF_UP for _, name in socket.if_nameindex()
                   if name != "lo")


def agent_environment(agent, url, home):
    ours = {name: os.environ[name] for name in KEPT if name in os.environ}
    theirs = {name: value.format(url=url) for name, value in agent.environment.items()}
    return {**ours, "HOME": home, "LC_ALL": "C.UTF-8", **theirs}


def end_with_us():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def run(argv, env, cwd):
    """(status, seconds). No process of its group outlives this."""
    begin = time.monotonic()
    child = subprocess.Popen(argv, env=env, cwd=cwd, stdin=subprocess.DEVNULL,
        start_new_session=True, preexec_fn=end_with_us)
    try:
        status = child.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        status = TIMED_OUT
    seconds = time.monotonic() - begin
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    child.wait()
    return status if status >= 0 else 128 - status, seconds


def main():
    if len(sys.argv) < 5 or sys.argv[1] not in known.AGENTS or sys.argv[3] != "--":
        sys.exit("usage: python3 -m agents.namespace %s REPORT -- COMMAND [ARG...]" %
                 "|".join(known.AGENTS))
    agent, report, argv = known.AGENTS[sys.argv[1]], sys.argv[2], sys.argv[4:]
    if not is_alone():
        sys.exit("not in a network namespace of its own")
    set_loopback_up()
    server = fake_api.Server().serve()
    home = tempfile.mkdtemp(prefix="sooth-agent-")
    try:
        begin_ns = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        status, seconds = run(argv, agent_environment(agent, server.url, home), home)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    with open(report, "w", encoding="utf-8") as file:
        json.dump({"status": status, "seconds": seconds, "begin_ns": begin_ns,
                   "requests": server.requests_seen()}, file)
    sys.exit(status)


if __name__ == "__main__":
    main()
