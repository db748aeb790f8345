# SPDX-License-Identifier: BSD-2-Clause
"""What /proc says of processes. One that ends meanwhile is no error: it has no children, no
arguments and is in no namespace."""
import os
import signal


def read(pid, name):
    """Empty when the process is gone."""
    try:
        with open("/proc/%d/%s" % (pid, name), "rb") as file:
            return file.read()
    except OSError:
        return b""


def all_pids():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def words_of_stat(pid):
    """From the state on."""
    return read(pid, "stat").rpartition(b")")[2].split()


def parent(pid):
    words = words_of_stat(pid)
    return int(words[1]) if words else None


def is_alive(pid):
    words = words_of_stat(pid)
    return bool(words) and words[0] not in (b"Z", b"X")


def arguments(pid):
    return read(pid, "cmdline").decode("utf-8", "replace").split("\0")[:-1]


def executable(pid):
    try:
        return os.readlink("/proc/%d/exe" % pid)
    except OSError:
        return ""


def network(pid):
    """What names its network namespace; None when it is gone, or a zombie."""
    try:
        return os.readlink("/proc/%d/ns/net" % pid)
    except OSError:
        return None


def ancestors(pid, within):
    """Its parents that are among those pids, the nearest first."""
    found = []
    while True:
        pid = parent(pid)
        if pid not in within or pid in found:
            return found
        found.append(pid)


def descendants(pid, within):
    return [other for other in within if pid in ancestors(other, within)]


def signal_one(pid, number):
    """One that is gone is no error."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def kill_in(pid, network_name):
    """SIGKILL, but only to a process of that network: the descriptor holds on to the process that
    was looked at, whoever has its number later."""
    try:
        fd = os.pidfd_open(pid)
    except OSError:
        return
    try:
        if network(pid) == network_name:
            signal.pidfd_send_signal(fd, signal.SIGKILL)
    except OSError:
        pass
    finally:
        os.close(fd)
