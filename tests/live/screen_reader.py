# SPDX-License-Identifier: BSD-2-Clause
"""
A terminal whose screen a test can read: what a program writes goes through pyte, which keeps the
characters where a terminal would show them. All that was written is kept too.
"""
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time

try:
    import pyte
except ImportError:  # installed for the system's own Python; it is Python alone
    sys.path.append("/usr/lib/python3/dist-packages")
    import pyte

PATIENCE_S = 60


class Shown(pyte.Screen):
    """What ncurses moves by and pyte does not know: SU and SD of ECMA-48."""

    def scroll_up(self, count=1, **_):
        self.at_edge(count, self.index, -1)

    def scroll_down(self, count=1, **_):
        self.at_edge(count, self.reverse_index, 0)

    def at_edge(self, count, move, edge):
        edges, before = self.margins or (0, self.lines - 1), self.cursor.y
        self.cursor.y = edges[edge]
        for _ in range(count or 1):
            move()
        self.cursor.y = before


class Written(pyte.ByteStream):
    csi = {**pyte.ByteStream.csi, "S": "scroll_up", "T": "scroll_down"}
    events = pyte.ByteStream.events | {"scroll_up", "scroll_down"}


class Screen:
    """A program on a terminal of that size. To be used in a with block."""

    def __init__(self, argv, columns=100, rows=30, environment=None):
        self.argv, self.columns, self.rows = argv, columns, rows
        self.environment = {**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8",
                            **(environment or {})}
        self.written, self.status, self.is_open = bytearray(), None, True

    def __enter__(self):
        self.pid, self.fd = pty.fork()
        if not self.pid:
            try:
                set_size(0, self.columns, self.rows)
                os.execve(self.argv[0], self.argv, self.environment)
            finally:
                os._exit(127)
        self.shown = Shown(self.columns, self.rows)
        self.stream = Written(self.shown)
        return self

    def __exit__(self, *_):
        self.hang_up()
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            self.wait()

    def pump(self, seconds):
        """Takes what is written for so long; False when the program has closed its side."""
        end = time.monotonic() + seconds
        while self.is_open and time.monotonic() < end:
            if not select.select([self.fd], [], [], 0.02)[0]:
                continue
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                data = b""
            if not data:
                return False
            self.written += data
            self.stream.feed(data)
        return True

    def wait_for(self, condition, what):
        """A screen that is half drawn may be nothing that the condition can read."""
        deadline = time.monotonic() + PATIENCE_S
        while not self.holds(condition):
            if time.monotonic() > deadline or not self.pump(0.05):
                raise AssertionError("no %s on the screen:\n%s" % (what, "\n".join(self.lines())))

    def holds(self, condition):
        try:
            return condition(self.lines())
        except (ValueError, IndexError):
            return False

    def lines(self):
        return [line.rstrip() for line in self.shown.display]

    def type(self, keys, seconds=0.4):
        os.write(self.fd, keys)
        self.pump(seconds)

    def resize(self, columns, rows):
        self.shown.resize(rows, columns)
        self.columns, self.rows = columns, rows
        set_size(self.fd, columns, rows)

    def hang_up(self):
        """As a terminal window that is closed."""
        if self.is_open:
            self.is_open = False
            os.close(self.fd)

    def wait(self):
        """The wait status."""
        if self.status is None:
            self.status = os.waitpid(self.pid, 0)[1]
        return self.status

    def ends(self):
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = status
                return True
            self.pump(0.02) if self.is_open else time.sleep(0.02)
        return False


def set_size(fd, columns, rows):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
