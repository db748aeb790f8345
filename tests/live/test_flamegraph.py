# SPDX-License-Identifier: BSD-2-Clause
"""
`--flamegraph` of the commands that have it: the picture and the stacks beside it hold what the
same run tells call by call, live and from the capture alike. How pictures look and answer is
tests/pictures.
"""
import json
import os
import re
import sys
import xml.etree.ElementTree

import harness
from harness import SOOTH, Case, needs_root

SPACE = "{http://www.w3.org/2000/svg}"


class Flamegraph(Case):
    def data_of(self, path):
        """What the picture draws from, frames as (depth, name, kind, value)."""
        root = xml.etree.ElementTree.parse(path).getroot()
        data = json.loads(root.find(f"{SPACE}script[@id='data']").text)
        width = 6 if data["compared"] else 4
        frames = [data["frames"][i:i + width] for i in range(0, len(data["frames"]), width)]
        data["frames"] = [(f[0], data["names"][f[1]], *f[2:]) for f in frames]
        data["text"] = " ".join(root.itertext())
        return data

    def folded(self, path):
        lines = harness.read(path).decode().splitlines()
        return {stack: int(weight) for stack, weight in (line.rsplit(" ", 1) for line in lines)}

    def calls(self, capture):
        return [line for line in self.sooth("trace", "-j", capture).lines()
                if line["type"] == "call" and line["result"] is not None]

    def record(self, name, *command):
        capture = self.path(name)
        self.sooth("trace", "-o", self.path("lines"), "--save", capture, "--", *command)
        return capture


@needs_root
class Trace(Flamegraph):
    def test_live_and_from_its_capture(self):
        picture, capture = self.path("x.svg"), self.path("capture.sooth")
        live = self.sooth("trace", "-c", "--flamegraph", "-o", picture, "--save", capture, "--",
                          "/bin/cat", "/etc/hostname", "/nowhere", status=1)
        self.assertIn("CALL", live.text)  # the report stays
        for path in (picture, self.path("x.folded")):
            self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        calls, data = self.calls(capture), self.data_of(picture)
        stacks = self.folded(self.path("x.folded"))
        self.assertEqual(data["total"], len(calls))
        self.assertEqual(sum(stacks.values()), len(calls))
        self.assertEqual(stacks["cat;main;file;openat;/nowhere"], 1)
        self.assertIn((4, "/nowhere", 1, 1), data["frames"])
        self.assertIn("lost nothing", data["text"])
        self.assertIn("target: command", data["text"])
        self.sooth("trace", "--flamegraph", "-o", self.path("y.svg"), capture)
        self.assertEqual(harness.read(self.path("y.folded")), harness.read(self.path("x.folded")))
        again = self.data_of(self.path("y.svg"))
        self.assertEqual(again["frames"], data["frames"])

    def test_weights(self):
        capture = self.record("c.sooth", "/bin/cat", "/etc/hostname")
        calls = self.calls(capture)
        read = os.path.getsize("/etc/hostname")
        sums = {"calls": len(calls),
                "time": sum(call["duration_ns"] for call in calls),
                "errors": sum(-4096 < call["result"] < 0 for call in calls)}
        for weight, expected in sums.items():
            self.sooth("trace", "--flamegraph", "--weight", weight, "-o", self.path("w.svg"), capture)
            data = self.data_of(self.path("w.svg"))
            self.assertEqual((data["total"], data["weight"]), (expected, weight))
        self.sooth("trace", "--flamegraph", "--weight", "bytes", "-o", self.path("w.svg"), capture)
        stacks = self.folded(self.path("w.folded"))
        self.assertEqual(stacks["cat;main;file;read;/etc/hostname"], read)
        self.assertFalse([s for s in stacks if ";mmap" in s or ";lseek" in s])
        self.assertEqual(self.data_of(self.path("w.svg"))["unit"], "bytes")

    def test_processes_apart_or_by_name(self):
        capture = self.record("c.sooth", "/bin/sh", "-c", "/bin/true; /bin/true")
        picture = ("--flamegraph", "-o", self.path("p.svg"), capture)
        self.sooth("trace", *picture)
        names = [f[1] for f in self.data_of(self.path("p.svg"))["frames"] if f[0] == 0]
        self.assertEqual(names.count("true"), 1)
        self.sooth("trace", "--apart", *picture)
        names = [f[1] for f in self.data_of(self.path("p.svg"))["frames"] if f[0] == 0]
        self.assertEqual(len([n for n in names if re.fullmatch(r"true \d+", n)]), 2)

    def test_counted_calls_are_stacks_too(self):
        capture = self.path("c.sooth")
        self.sooth("trace", "-c", "-o", self.path("t"), "--save", capture, "--", "/bin/true")
        counted = sum(row["count"] for row in self.sooth("trace", "-c", "-j", capture).json()["syscalls"])
        self.sooth("trace", "--flamegraph", "--weight", "calls", "-o", self.path("c.svg"), capture)
        self.assertEqual(self.data_of(self.path("c.svg"))["total"], counted)
        self.sooth("trace", "--flamegraph", "--weight", "bytes", "-o", self.path("b.svg"), capture)
        text = self.data_of(self.path("b.svg"))["text"]
        self.assertIn("not measured: bytes of calls", text)
        self.assertIn("nothing to draw", text)

    def test_min_width_and_icicle(self):
        capture = self.record("c.sooth", "/bin/ls", "/")
        self.sooth("trace", "--flamegraph", "--min-width", "20", "--icicle", "-o", self.path("m.svg"),
                   capture)
        data = self.data_of(self.path("m.svg"))
        self.assertTrue(data["icicle"])
        self.assertTrue(all(f[3] >= data["total"] / 5 for f in data["frames"]))
        self.assertRegex(data["text"], r"left out: \d+ boxes")

    def test_to_standard_output(self):
        capture = self.record("c.sooth", "/bin/true")
        run = self.sooth("trace", "--flamegraph", "-o", "-", capture)
        self.assertTrue(run.out.startswith(b"<?xml"))
        self.assertEqual(run.errors, "")

    def test_names_of_a_hostile_target(self):
        name = self.path("</script><script>alert(1)//]]>\x1b\u202e")
        os.makedirs(os.path.dirname(name))
        with open(name, "wb"):
            pass
        capture = self.record("c.sooth", "/bin/cat", name)
        self.sooth("trace", "--flamegraph", "-o", self.path("h.svg"), capture)
        content = harness.read(self.path("h.svg"))
        self.assertEqual(content.count(b"<script"), 3)
        self.assertNotIn(b"alert(1)//]]>", content)
        self.assertIn("\\x1b\\xe2\\x80\\xae", self.data_of(self.path("h.svg"))["text"])

    def test_what_it_refuses(self):
        capture = self.record("c.sooth", "/bin/true")
        before = harness.read(capture)
        for words in (("--flamegraph",), ("--icicle",), ("--min-width", "3"),
                      ("--flamegraph", "--weight", "colour", "-o", self.path("x.svg")),
                      ("--flamegraph", "-o", capture)):
            self.assert_says_three_lines(self.sooth("trace", *words, capture, status=2))
        self.assertEqual(harness.read(capture), before)
        os.symlink(self.path("elsewhere"), self.path("link.svg"))
        self.sooth("trace", "--flamegraph", "-o", self.path("link.svg"), capture, status=None)
        self.assertFalse(os.path.exists(self.path("elsewhere")))


@needs_root
class Others(Flamegraph):
    def test_diff(self):
        a = self.record("a.sooth", "/bin/cat", "/etc/hostname")
        b = self.record("b.sooth", "/bin/cat", "/etc/hosts", "/etc/hosts")
        run = self.sooth("diff", "--flamegraph", "--weight", "calls", "-o", self.path("d.svg"), a, b)
        self.assertTrue(run.text)
        data = self.data_of(self.path("d.svg"))
        self.assertTrue(data["compared"])
        found = {f[1]: f for f in data["frames"] if f[1].startswith("/etc/host")}
        self.assertGreater(found["/etc/hostname"][4], 0)
        self.assertEqual(found["/etc/hostname"][5], 0)
        self.assertEqual(found["/etc/hosts"][4], 0)
        self.assertEqual(data["totals"][1], len(self.calls(b)))
        for line in harness.read(self.path("d.folded")).decode().splitlines():
            self.assertRegex(line, r" \d+ \d+$")

    def test_diff_of_what_has_no_calls(self):
        a = self.record("a.sooth", "/bin/true")
        b = self.path("b.sooth")
        self.sooth("record", "--probe", "proc", "-d", "0.2", "-p", str(os.getpid()), "-o", b)
        run = self.sooth("diff", "--flamegraph", "-o", self.path("d.svg"), a, b, status=2)
        self.assert_says_three_lines(run, "no system calls")
        self.assertFalse(os.path.exists(self.path("d.svg")))

    def test_claude_diagnose(self):
        name = self.path("claude-diagnose")
        os.symlink(SOOTH, name)
        target = self.start(sys.executable, "-u", "-c",
                            "import os\nprint('ready')\nwhile True: os.stat('/etc/hosts')")
        target.wait_for_output(b"ready")
        words = ["-D", "--flamegraph", "--duration", "0.5", "--pid", str(target.pid)]
        text = self.run_program(name, *words, cwd=self.folder).text
        named = re.search(r"^flamegraph: (.*)$", text, re.M).group(1)
        self.assertIn(str(target.pid), named)
        self.assertIn("syscalls", named)
        frames = self.data_of(self.path(named))["frames"]
        self.assertIn("/etc/hosts", [f[1] for f in frames])
        self.assertTrue(self.folded(self.path(named.replace(".svg", ".folded"))))
        report = self.run_program(name, *words, "-j", "-o", self.path("mine.svg"), cwd=self.folder)
        (process,) = report.json()["processes"]
        self.assertEqual(process["dtrace"]["flamegraph_path"], self.path("mine.svg"))
        self.data_of(self.path("mine.svg"))
        plain = self.run_program(name, "-D", "-j", "--duration", "0.3", "--pid", str(target.pid))
        self.assertIsNone(plain.json()["processes"][0]["dtrace"]["flamegraph_path"])


if __name__ == "__main__":
    harness.main()
