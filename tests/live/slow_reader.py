# SPDX-License-Identifier: BSD-2-Clause
"""Somebody who reads what sooth writes, and takes their time; and what becomes of the target."""
import os
import threading
import time

import harness

PIECE = 1 << 16


class SlowReader:
    """Takes what comes through a FIFO piece by piece, waiting each time; can pause altogether."""

    def __init__(self, path, wait_s):
        self.data, self.wait_s = bytearray(), wait_s
        self.go_on, self.is_over, self.has_left = (threading.Event() for _ in range(3))
        self.go_on.set()
        # Both ends, so that neither opening waits for the other.
        self.fd = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while True:
            self.go_on.wait()
            if self.has_left.is_set():
                return
            try:
                piece = os.read(self.fd, PIECE)
            except BlockingIOError:
                if self.is_over.is_set():
                    return
                time.sleep(0.01)
                continue
            self.data.extend(piece)
            time.sleep(self.wait_s)

    def leave(self):
        """At once, with whatever is still to come."""
        self.has_left.set()
        self.end()

    def end(self):
        """When nobody writes any more: the rest, then close. Twice does no harm."""
        self.is_over.set()
        self.go_on.set()
        self.thread.join(timeout=harness.PATIENCE_S)
        if self.fd >= 0:
            os.close(self.fd)
        self.fd = -1


def threads_in_state(pid, letters):
    """Whether all threads of a process are in one of these states."""
    try:
        states = [harness.read("/proc/%d/task/%s/stat" % (pid, tid)).rsplit(b")", 1)[1].split()[0]
                  for tid in os.listdir("/proc/%d/task" % pid)]
    except OSError:
        return False
    return all(state.decode() in letters for state in states)
