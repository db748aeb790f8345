# SPDX-License-Identifier: BSD-2-Clause
"""
Every command line of the older tools runs as written, with the members and types their users rely
on; what is not served yet is refused, and docs/tutorials/older-tools.md says so. The rows are in contracts.py.
"""
import json
import os
import re
import shutil
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "live"))

import contracts
import harness
import member_types
from contracts import misfits
from harness import SOOTH, Case, needs_bpf

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
BUSY = """
import mmap, os, socket, time
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname())
other = server.accept()[0]
file = open("written", "wb", buffering=0)
print("ready", flush=True)
while True:
    client.send(b"x" * 100)
    other.recv(100)
    file.write(b"y" * 300)
    mmap.mmap(-1, 1 << 20).close()
    os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)
    time.sleep(0.01)
"""


class Contracts(Case):
    def setUp(self):
        super().setUp()
        os.mkdir(self.path("bin"))
        self.versions = self.path(".local/share/claude/versions")
        os.makedirs(self.versions)
        self.values = {}

    def named(self, name):
        link = self.path("bin/" + name)
        if not os.path.lexists(link):
            os.symlink(SOOTH, link)
        return link

    def claude(self):
        program = os.path.join(self.versions, "9.9.9")
        if not os.path.exists(program):
            shutil.copy(shutil.which("bash"), program)
        process = self.start(program, "-c", "echo ready; read line")
        process.wait_for_output(b"ready")
        return process.pid

    def busy(self):
        process = self.start(sys.executable, "-u", "-c", BUSY, cwd=self.folder)
        process.wait_for_output(b"ready")
        return process.pid

    def value_of(self, word, line):
        """What stands for a word in capitals; made when first needed, a session for each line."""
        if word == "FILE":
            return self.path("product")
        if word == "COMMAND":
            return shutil.which("ls")
        is_ended = re.search("-K|--kill ", line.words)
        if word == "CLAUDE" and is_ended or word not in self.values:
            self.values[word] = self.claude() if word == "CLAUDE" else self.busy()
        return str(self.values[word])

    def fill(self, word, line):
        return self.value_of(word, line) if word in ("PID", "CLAUDE", "FILE", "COMMAND") else word

    def numbered(self, pattern):
        return re.sub("@(PID|CLAUDE)", lambda m: str(self.values[m[1]]), pattern)

    def run_line(self, line, status):
        words = [self.fill(word, line) for word in line.words.split()]
        process = self.start(self.named(line.name), *words, cwd=self.folder)
        says = [re.compile(self.numbered(pattern)) for pattern in line.says]
        if line.stop:
            harness.wait_until(lambda: not process.is_running() or self.has_begun(process, line, says),
                               "%s to begin" % line)
            process.send(signal.SIGINT)
        run = process.finish()
        self.assertEqual(run.status, status, run)
        for pattern in says:
            self.assertRegex(run.text + run.errors, pattern)
        return run

    @staticmethod
    def has_begun(process, line, says):
        text = bytes(process.out).decode("utf-8", "replace")
        return all(p.search(text) for p in says) and (not line.shape or text.rstrip().endswith("}"))

    def product(self, run, line):
        """The text of the row's JSON, wherever the row puts it."""
        if "FILE" not in line.words:
            return run.text
        path = self.path("product")
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        text = harness.read(path)
        os.unlink(path)
        return text.decode("utf-8", "replace")

    def check_served(self, line):
        for word in ("CLAUDE", "PID"):  # somebody is there to be told of
            if word not in line.words:
                self.value_of(word, line)
        run = self.run_line(line, line.status)
        text = self.product(run, line)
        if line.shape:
            report, _ = json.JSONDecoder().raw_decode(text)
            for name, rows in line.shape.items():  # or types of rows are not seen
                if isinstance(rows, list):
                    self.assertTrue(report[name], "%s tells of nobody" % name)
            self.assertEqual(misfits(report, line.shape), [])
            self.check_members(line, report)
        if line.each_line:
            lines = [json.loads(row) for row in text.splitlines()]
            self.assertTrue(lines)
            self.check_members(line, {"line": lines})
            for row in lines:
                self.assertEqual(misfits(row, line.each_line), [])
                self.assertEqual("size" in row, row["type"] != "Free", row)
                self.assertEqual("old_addr" in row, row["type"] == "Realloc", row)
        self.assertTrue(text or run.err, "it says nothing")

    def check_members(self, line, report):
        """All of its members and their types, also those that no shape has."""
        if os.environ.get("RENEW_CONTRACTS"):
            member_types.renew(line, report)
        self.assertEqual(member_types.check(line, report), [])

    def check_all(self, lines):
        for line in lines:
            with self.subTest(str(line)):
                self.check_served(line)


class Served(Contracts):
    def test_without_privilege(self):
        self.check_all([line for line in contracts.SERVED if not line.needs_bpf])

    @needs_bpf
    def test_with_it(self):
        self.check_all([line for line in contracts.SERVED if line.needs_bpf])


class Others(Contracts):
    def test_not_yet(self):
        with open(os.path.join(ROOT, "docs/tutorials/older-tools.md"), encoding="utf-8") as file:
            page = file.read()
        for line in contracts.NOT_YET:
            with self.subTest(str(line)):
                run = self.run_line(line, 3)
                self.assert_says_three_lines(run)
                self.assertEqual(run.out, b"")
                self.assertFalse(os.path.exists(self.path("product")))
                # In a row of the page's table, with its reason.
                option = next((w for w in line.words.split() if w in ("-s", "--flamegraph")), "")
                self.assertRegex(page, r"(?m)^\| `%s.*%s.*\| .*\|$" % (line.name, option))

    def test_each_option_of_a_help_has_a_row(self):
        rows = contracts.SERVED + contracts.NOT_YET
        for tool in contracts.TOOLS:
            text = self.run_program(self.named(tool), "-h").text
            options = set(re.findall(r"(?m)^ +(-\w)\b", text)) | set(
                re.findall(r"(?m)^ +(?:-\w, *)?(--[\w-]+)", text))
            self.assertIn("-h", options)
            # memtrack and codspeed-memtrack are one file.
            tried = {word for line in rows if line.name in tool for word in line.words.split()}
            self.assertLessEqual(options, tried | {"-h"}, tool)

    def test_each_link_has_a_row(self):
        with open(os.path.join(ROOT, "src/compat/compat.def"), encoding="utf-8") as file:
            links = {link.replace("_", "-") for link in re.findall(r"(?m)^COMPAT\((\w+),", file.read())}
        self.assertEqual(links, set(contracts.TOOLS))
        self.assertLessEqual(links, {line.name for line in contracts.SERVED})


class Shapes(Contracts):
    """The measures themselves: what they have to object to."""

    def test_members_and_types(self):
        report = {"a": [{"b": 1, "c": None}, {"b": 2, "c": 0.5}], "by_type": {"x": 1}, "none": []}
        stored = member_types.as_stored(member_types.types_of(report))
        self.assertEqual(stored, {"a": "rows", "a[0].b": "integer", "a[0].c": "null or real",
                                  "by_type": "members", "by_type.*": "integer", "none": "rows"})

        def problems(value):
            return member_types.differences(stored, value)

        for same in (report, {**report, "a": []}, {**report, "by_type": {"y": 2, "z": 3}},
                     {**report, "a": None}, {**report, "none": [{"d": 1}]}):
            self.assertEqual(problems(same), [], same)
        for wrong in ({**report, "more": 1}, {**report, "a": {}}, {**report, "by_type": {"x": "1"}},
                      {**report, "a": [{"b": 1}]}, {**report, "a": [{"b": 1.5, "c": None}]},
                      {"a": [], "none": []}, {**report, "a": [{"b": 1, "c": "1"}]},
                      {**report, "a": [{"b": 1, "c": 0.5}, {"b": 1}]}):
            self.assertEqual(len(problems(wrong)), 1, wrong)
        self.assertEqual(len(problems({**report, "a": [{"id": 1, "c": None, "e": True}]})), 3)

    def test_what_does_not_fit(self):
        shape = {"a": [{"b": contracts.INT}], "c": contracts.maybe(contracts.REAL)}
        self.assertEqual(misfits({"a": [{"b": 1}], "c": None, "more": 1}, shape), [])
        for wrong in ({"a": [{"b": True}], "c": 1}, {"a": [{}], "c": 1}, {"a": {}, "c": 1},
                      {"a": []}, {"a": [{"b": 1.5}], "c": 1}, {"a": [], "c": "1"}, []):
            self.assertEqual(len(misfits(wrong, shape)), 1, wrong)


if __name__ == "__main__":
    harness.main()
