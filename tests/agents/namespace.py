# SPDX-License-Identifier: BSD-2-Clause
"""
A network namespace with nothing but loopback: whatever an agent tries to reach besides the fake
server, it cannot. Other namespaces stay the host's, so its processes are seen from outside by the
pids they have there.

    with Namespace() as namespace:
        subprocess.Popen([*namespace.enter(), "program"])
        namespace.listening  a socket on its loopback, for a server that runs out here
        namespace.members()  the processes in it, whoever is their parent by now

A guard, this file as a program, holds it open. When its input ends, which it does however we end,
the guard ends every process in it and removes the folder. Nobody needs to be root where the kernel
lets users have namespaces of their own.
"""
import fcntl
import functools
import os
import shutil
import socket
import struct
import subprocess
import sys
import time

if __name__ == "__main__":
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from agents import processes

SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
END_PATIENCE_S = 20
WAYS = (("unshare", "-n"), ("unshare", "-Urn"))  # the second also without privilege


class CannotServe(Exception):
    """No namespaces here: the tested is not at fault, nor is the agent."""


# --- outside ---


@functools.cache
def way_and_reason():
    """(the way in, None), or (None, why there is none)."""
    said = []
    for program in ("unshare", "nsenter"):
        if not shutil.which(program):
            return None, "no %s here" % program
    for way in WAYS:
        run = subprocess.run([*way, "true"], capture_output=True, text=True)
        if run.returncode == 0:
            return way, None
        said.append(run.stderr.strip())
    return None, "no network namespace: " + "; ".join(said)


def cannot_serve():
    """Why there can be no such namespace here; None when there can."""
    return way_and_reason()[1]


class Namespace:
    def __init__(self, folder, way=None):
        """The folder goes with the namespace."""
        self.folder, self.way, self.guard, self.listening = folder, way, None, None

    def __enter__(self):
        if not self.way:
            self.way, reason = way_and_reason()
            if reason:
                raise CannotServe(reason)
        ours, theirs = socket.socketpair()
        with theirs:
            # In a session of its own it outlives whatever ends the whole group of ours.
            self.guard = subprocess.Popen([*self.way, "--", sys.executable, __file__, self.folder],
                stdin=theirs, stdout=subprocess.DEVNULL, start_new_session=True,
                env=dict(os.environ, PYTHONDONTWRITEBYTECODE="1"))
        self.line = ours
        _, fds, _, _ = socket.recv_fds(ours, 1, 1)
        if not fds:
            self.__exit__()
            raise CannotServe("the guard of the namespace ended with %d" % self.guard.returncode)
        self.listening = socket.socket(fileno=fds[0])
        self.network = processes.network(self.guard.pid)
        return self

    def __exit__(self, *_):
        if self.listening:
            self.listening.close()
        self.line.close()
        self.guard.wait(2 * END_PATIENCE_S)

    def enter(self):
        """What stands before a command so that it runs inside: by exec, so it keeps its pid."""
        namespaces = ["--net=/proc/%d/ns/net" % self.guard.pid]
        if "-Urn" in self.way:
            namespaces += ["--user=/proc/%d/ns/user" % self.guard.pid, "--preserve-credentials"]
        return ["nsenter", *namespaces, "--"]

    def members(self):
        return members(self.network, self.guard.pid)

    def end_members(self):
        end_members(self.network, self.guard.pid)


def members(network, guard):
    return [pid for pid in processes.all_pids()
            if pid != guard and processes.network(pid) == network]


def end_members(network, guard):
    """All of them, also those that are being started meanwhile."""
    deadline = time.monotonic() + END_PATIENCE_S
    while True:
        left = members(network, guard)
        if not left:
            return
        if time.monotonic() > deadline:
            raise AssertionError("processes that do not end: %s" % left)
        for pid in left:
            processes.kill_in(pid, network)
        time.sleep(0.01)


# --- inside: the guard ---


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


def guard(folder):
    if not is_alone():
        sys.exit("not in a network namespace of its own")
    set_loopback_up()
    network = processes.network(os.getpid())
    with socket.socket(fileno=os.dup(0)) as line, socket.create_server(("127.0.0.1", 0)) as server:
        socket.send_fds(line, [b"1"], [server.fileno()])
        server.close()
        line.recv(1)
    end_members(network, os.getpid())
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    guard(sys.argv[1])
