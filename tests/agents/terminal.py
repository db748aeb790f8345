# SPDX-License-Identifier: BSD-2-Clause
"""
A terminal for a program that wants one: a pseudo terminal of a usual size, emptied by a thread of
ours so that the program never waits for it. What was shown is kept as plain text.
"""
import fcntl
import os
import pty
import re
import struct
import termios
import threading
import time

ROWS, COLUMNS = 40, 120
# A program that asks the terminal something may wait for the answer before it shows anything.
ANSWERS = {
    b"\x1b[6n": b"\x1b[1;1R",        # where the cursor is
    b"\x1b[c": b"\x1b[?62;22c",      # what it is
    b"\x1b[0c": b"\x1b[?62;22c",
    b"\x1b[>c": b"\x1b[>0;0;0c",
    b"\x1b[?u": b"\x1b[?0u",         # which keys it reports
}
# Commands to the terminal. Moving to the right is how some write spaces.
MOVE_RIGHT = re.compile(rb"\x1b\[\d*C")
COMMANDS = re.compile(rb"\x1b(\[[0-?]*[ -/]*[@-~]|[\]P_^][^\x07\x1b]*(\x07|\x1b\\)|"
                      rb"[()#][0-9A-Za-z]|.)")


class Terminal:
    def __init__(self):
        self.ours, self.theirs = pty.openpty()
        fcntl.ioctl(self.theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self.shown, self.last_ns = bytearray(), time.monotonic_ns()
        self.lock = threading.Lock()
        self.reader = threading.Thread(target=self._read, daemon=True)

    def options(self):
        """For Popen, with a session of its own."""
        return {"stdin": self.theirs, "stdout": self.theirs, "stderr": self.theirs,
                "preexec_fn": self._take, "start_new_session": True}

    @staticmethod
    def _take():
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def started(self):
        """From now on only the program holds its side, so our reading ends with it."""
        self._close_theirs()
        self.reader.start()

    def _close_theirs(self):
        if self.theirs is not None:
            os.close(self.theirs)
            self.theirs = None

    def _read(self):
        while True:
            try:
                data = os.read(self.ours, 65536)
            except OSError:  # nobody has the other side any more
                return
            with self.lock:
                self.shown.extend(data)
                self.last_ns = time.monotonic_ns()
            for question, answer in ANSWERS.items():
                if question in data:
                    self.type(answer)

    def type(self, keys):
        try:
            os.write(self.ours, keys)
        except OSError:
            pass

    def text(self):
        with self.lock:
            shown = bytes(self.shown)
        return COMMANDS.sub(b"", MOVE_RIGHT.sub(b" ", shown)).decode("utf-8", "replace")

    def quiet_s(self):
        """How long nothing was shown."""
        with self.lock:
            return (time.monotonic_ns() - self.last_ns) / 1e9

    def close(self):
        """Once nobody has the other side."""
        self._close_theirs()
        if self.reader.is_alive():
            self.reader.join()
        os.close(self.ours)
