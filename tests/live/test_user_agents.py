# SPDX-License-Identifier: BSD-2-Clause
"""
An agent of the user's own: a script of a package, a program by its folders, a renamed copy by what
it holds. Each is found with its version, beside the built-in ones; what only looks like it is not.
"""
import os
import shutil
import sys

import harness
from harness import Case

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "cli"))
import capture_reader

TIES = "proc.ties"
NODE = shutil.which("node")
SLEEP = shutil.which("sleep")
LARGE = 17 << 20  # smaller executables are not looked into
TEXT = b"Pause for NUMBER seconds"  # of sleep's own help
AGENT = """
name mine
title Our own agent
package @team/mine-of-this-test
below mine-of-this-test/versions called=mine
below mine-of-this-test/helpers role=helper
versions mine-of-this-test/versions
program .rodata "mine-of-this-test: " version-behind=""
marker session MINE_OF_THIS_TEST_ID
marker kind MINE_OF_THIS_TEST
"""


class User(Case):
    def setUp(self):
        super().setUp()
        self.write("config/sooth/agents.d/mine.agent", AGENT)
        self.environment = dict(os.environ, XDG_CONFIG_HOME=self.path("config"))

    def write(self, name, text):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def copy(self, name):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        shutil.copyfile(SLEEP, self.path(name))
        os.chmod(self.path(name), 0o755)
        return self.path(name)

    def rows(self, *pids):
        run = self.sooth("ps", "-j", "-i", "10ms", *map(str, pids), env=self.environment)
        self.assertEqual(run.errors, "")
        return {row["pid"]: row for row in run.json()["processes"]}

    def check(self, pid, version, *words):
        row = self.rows(pid)[pid]
        self.assertEqual((row["agent"], row["version"]), ("mine", version), row)
        for word in words + ("mine.agent:",):
            self.assertIn(word, row["rule"])
        run = self.sooth("ps", "-j", "-i", "10ms", env=self.environment)
        self.assertIn(pid, [row["pid"] for row in run.json()["processes"]])
        # Whoever has no such file sees no agent.
        run = self.sooth("ps", "-j", "-i", "10ms", str(pid),
                         env=dict(self.environment, XDG_CONFIG_HOME=self.path("none")))
        self.assertIsNone(run.json()["processes"][0]["agent"])

    def script(self, package):
        if not NODE:
            self.skipTest("no node here")
        folder = "lib/node_modules/" + package
        self.write(folder + "/package.json", '{"name": "%s", "version": "3.2.1"}' % package)
        path = self.write(folder + "/cli.js", "console.log('ready'); setInterval(() => {}, 1e6);")
        process = self.start(NODE, path)
        process.wait_for_output(b"ready\n")
        return process.pid

    def test_script(self):
        self.check(self.script("@team/mine-of-this-test"), "3.2.1", "package")

    def test_script_of_another_package(self):
        pid = self.script("@team/mine-of-this-test-too")
        self.assertIsNone(self.rows(pid)[pid]["agent"])

    def test_program(self):
        process = self.start(self.copy("mine-of-this-test/versions/1.4.0/mine"), "100")
        self.check(process.pid, "1.4.0", "below mine-of-this-test/versions")

    def test_look_alikes(self):
        for i, name in enumerate(("mine-of-this-test/versions/1.4.0/other", "mine", "mine-of-this-test",
                                  "not-mine-of-this-test/versions/1/mine")):
            process = self.start(self.copy("looks-%d/%s" % (i, name)), "100")
            row = self.rows(process.pid)[process.pid]
            self.assertIsNone(row["agent"], row)

    def test_renamed_copy(self):
        """By a text that only it holds, wherever it lies and whatever it is called."""
        path = self.copy("elsewhere/x")
        with open(path, "r+b") as file:
            data = file.read()
            if TEXT not in data:
                self.skipTest("sleep has no such text here")
            file.seek(data.find(TEXT))
            file.write(b"mine-of-this-test: 7.8.9\0")
            file.truncate(LARGE)
        process = self.start(path, "100")
        self.check(process.pid, "7.8.9", "contains")

    def test_beside_the_built_in_ones(self):
        claude = self.start(self.copy("home/.local/share/claude/versions/9.9.9"), "100")
        mine = self.start(self.copy("mine-of-this-test/versions/1.4.0/mine"), "100")
        rows = self.rows(claude.pid, mine.pid)
        self.assertEqual((rows[claude.pid]["agent"], rows[mine.pid]["agent"]), ("claude", "mine"))

    def test_inspect(self):
        process = self.start(self.copy("mine-of-this-test/versions/1.4.0/mine"), "100")
        run = self.sooth("inspect", str(process.pid), env=self.environment)
        self.assertIn("Our own agent", run.text)

    def test_markers(self):
        """Of what it starts, as of the built-in ones: a value only when it is an identifier."""
        secret = "not an identifier"
        bearer = self.start(SLEEP, "100", env={"MINE_OF_THIS_TEST_ID": "abc-123",
            "MINE_OF_THIS_TEST": secret, "OTHER_OF_THIS_TEST": "other-value"})
        capture = self.path("a.sooth")
        self.sooth("record", "--probe", "proc", "-o", capture, "-p", str(bearer.pid), "-d", "10ms",
                   env=self.environment)
        reader = capture_reader.Reader(harness.read(capture), capture_reader.decompressor())
        records = list(capture_reader.records_of(b"".join(block.raw for block in reader.blocks)))
        schema = next(v for v in capture_reader.of_kind(records, 0x0082) if v["name"] == TIES.encode())
        offset = next(int(line.split()[3]) for line in schema["fields"].decode().splitlines()
                      if line.split()[0] == "markers")
        told = [capture_reader.text(r, offset) for r in records
                if r.kind == schema["kind_number"] and r.pid == bearer.pid]
        self.assertTrue(told)
        for markers in told:
            self.assertEqual(sorted(markers.split(b"\0")[:-1]),
                             [b"MINE_OF_THIS_TEST", b"MINE_OF_THIS_TEST_ID=abc-123"])


if __name__ == "__main__":
    harness.main()
