#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
Each page of docs/tutorials, as its reader does it: the program of the page is written, its commands are typed, and each
line of output on the page is looked for in what they print, in that order. Numbers, blanks and the folder may differ;
`...` stands for the rest of a line, or its beginning.
"""
import os
import pathlib
import re
import shlex
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "live"))
import harness  # noqa: E402

PAGES = pathlib.Path(__file__).resolve().parents[2] / "docs/tutorials"
FOLDER = "/tmp/try"  # of the reader
LINES_MOST = 60
TRIES = 3
NO_PROCESS = "999999999"
NUMBER = re.compile(r"(?<![\w.])\d[\d.]*\w*")
PID = re.compile(r"\b\d{5}\b")


def commands(text):
    """(command, lines of its output) of a page."""
    found = []
    for line in re.findall(r"(?m)^    (.*)$", re.sub(r"(?ms)^```.*?^```$", "", text)):
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif line.strip():
            found[-1][1].append(line)
    return found


def pattern(line):
    """What a line of the page stands for, wherever in a line of the output."""
    parts = [r"\s+".join(r"\d[\d.]*\w*".join(map(re.escape, NUMBER.split(word))) for word in part.split())
             for part in line.split("...")]
    return re.compile(r".*".join(parts) + ("" if line.endswith("...") else r"\s*$"))


def missing(lines, output):
    """The first line of the page that the output does not have behind the ones before it, or None."""
    left = iter(output)
    return next((line for line in lines if not any(pattern(line).search(other) for other in left)), None)


class Reader:
    """Of one page, in a folder of its own."""

    def __init__(self, page, folder):
        self.text, self.folder = page.read_text(encoding="utf-8"), os.path.realpath(folder)
        self.pids, self.problems, self.started = {}, [], []
        self.environment = {**os.environ, "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "SOOTH_PAGER": "cat"}
        for name, program in re.findall(r"(?ms)^```\w+ (\S+)\n(.*?)^```$", self.text):
            pathlib.Path(folder, name).write_text(program, encoding="utf-8")

    def type(self, command):
        """What it prints. A process that the page leaves in the background is a child of this test."""
        words = shlex.split(PID.sub(lambda pid: self.pids.get(pid[0], pid[0]), command))
        if words[-1] == "&":
            child = subprocess.Popen(words[:-1], cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL,
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
            self.started.append(child)
            return "[1] %d" % child.pid
        if words[0] == "sooth":
            words[0] = harness.SOOTH
        run = subprocess.run(words, cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL, text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, check=False)
        return run.stdout

    def follow(self):
        for command, lines in commands(self.text):
            if command.startswith("sooth "):
                self.compare(command, [line.replace(FOLDER, self.folder) for line in lines])
            else:
                self.pids[PID.search(lines[0])[0]] = re.search(r"(?m)(\d+)$", self.type(command))[1]

    def compare(self, command, lines):
        """Typed again while the process is not yet in its state."""
        for _ in range(TRIES):
            printed = self.type(command)
            line = missing(lines, printed.splitlines())
            if line is None:
                return
        self.problems.append("$ %s\nhas no line\n%s\nin\n%s" % (command, line, printed))

    def run(self):
        try:
            self.follow()
        except Exception as error:  # of a thread: it is the test that fails
            self.problems.append(repr(error))
        finally:
            for child in self.started:
                os.killpg(child.pid, 9)
                child.wait()


class Tutorials(harness.Case):
    def test_each_page_does_what_it_says(self):
        if os.geteuid():
            self.skipTest("the pages observe system calls")
        readers = {}
        for page in sorted(PAGES.glob("*.md")):
            if "```" in page.read_text(encoding="utf-8"):
                os.mkdir(self.path(page.stem))
                readers[page.name] = Reader(page, self.path(page.stem))
        threads = [threading.Thread(target=reader.run) for reader in readers.values()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertGreaterEqual(len(readers), 6)
        for name, reader in readers.items():
            with self.subTest(name):
                self.assertLessEqual(len(reader.text.splitlines()), LINES_MOST)
                self.assertEqual(reader.problems, [], "\n".join(reader.problems))

    def test_commands_of_other_pages_are_understood(self):
        """Typed for a process that is not there: that is the only fault in them."""
        typed = {}
        for page in (PAGES / "older-tools.md", PAGES.parent / "commands.md", PAGES.parents[1] / "README.md"):
            for command in re.findall(r"`sooth ([^`\[\]]*\bPID)`", page.read_text(encoding="utf-8")):
                words = shlex.split(command.replace("FILE", self.path("never")).replace("PID", NO_PROCESS))
                typed[command] = self.run_program(harness.SOOTH, *words, status=None)
        self.assertGreater(len(typed), 30)
        for command, run in typed.items():
            with self.subTest(command):
                self.assertEqual(run.status, 4, run)

    def test_every_page_is_in_the_index(self):
        index = (PAGES / "README.md").read_text(encoding="utf-8")
        for page in PAGES.glob("*.md"):
            self.assertTrue(page.name == "README.md" or "(%s)" % page.name in index, page.name)

    def test_a_line_that_is_not_printed_is_missed(self):
        self.assertIsNone(missing(["a 5 b", "c ... d"], ["x", "a  77.5M b", "c 1 2 d"]))
        self.assertEqual(missing(["a 5 b", "c"], ["c", "a 5 b"]), "c")
        self.assertEqual(missing(["a 5"], ["a five"]), "a 5")


if __name__ == "__main__":
    harness.main()
