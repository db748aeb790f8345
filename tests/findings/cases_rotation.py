# SPDX-License-Identifier: BSD-2-Clause
"""old-file-followed: a reader waits at the end of a file that was rotated away."""
import os
import time

from case import healthy, sick

# A program that follows a log by its descriptor, and sleeps between two reads.
TAILER = """
import sys, time
log = open(sys.argv[1])
while log.readline(): pass
print("ready", flush=True)
while True:
    line = log.readline()
    if not line: time.sleep(0.3)
"""


def rotate(scope, how):
    log = scope.path / "app.log"
    if how == "deleted":
        log.unlink()
    else:
        log.rename(scope.path / "app.log.1")
    if how == "compressed":
        (scope.path / "app.log.1").unlink()
    log.write_text("a new line\n")
    return log


def follows(how, *argv):
    """A pipeline; the shell is diagnosed with what is below it."""
    def make(scope, _):
        log = scope.path / "app.log"
        log.write_text("a line\n")
        shell = scope.start(["sh", "-c", " ".join(argv) + " app.log | grep --line-buffered line; true"], ready=b"a line")
        if how:
            rotate(scope, how)
        time.sleep(0.5)  # tail -F looks
        return shell.pid
    return make


def python_tailer(how):
    def make(scope, _):
        log = scope.path / "app.log"
        log.write_text("a line\n")
        pid = scope.python(TAILER, str(log)).pid
        if how == "deleted, and no other":
            os.unlink(log)
        else:
            rotate(scope, how)
        return pid
    return make


CASES = [
    sick("old-file-followed", "tail -f of a log that was deleted", follows("deleted", "tail", "-f"),
        says="app.log, which was deleted"),
    sick("old-file-followed", "tail -f of a log that was renamed", follows("renamed", "tail", "-f"),
        says="app.log.1: the file of that name is another one"),
    sick("old-file-followed", "tail -f of a log that was compressed", follows("compressed", "tail", "-f"),
        says="app.log.1 and deleted: the file of that name"),
    sick("old-file-followed", "a program that reads a rotated log", python_tailer("renamed"), calls=True,
        says="was renamed to"),
    healthy("old-file-followed", "tail -F of a rotated log", follows("renamed", "tail", "-F")),
    healthy("old-file-followed", "tail -f of a log that is there", follows(None, "tail", "-f")),
    healthy("old-file-followed", "a file that was deleted", python_tailer("deleted, and no other"), calls=True),
]
