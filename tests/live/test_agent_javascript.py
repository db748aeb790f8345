# SPDX-License-Identifier: BSD-2-Clause
"""
Functions of JavaScript in a real agent made by Bun, stripped and started without an option: how many of
the frames have a name, and each name against the text of the function in the agent's executable.

    test_agent_javascript.py [VERSION...]   others of Claude Code, a row for each
"""
import dataclasses
import mmap
import os
import re
import struct
import subprocess
import sys
import unittest

import harness
from harness import Case, needs_bpf

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from agents import install, known, modes
from agents.agent import Agent, reason_to_skip

TRAILER = b"\n---- Bun! ----\n"
OFFSETS = struct.Struct("<QII")  # size of all texts; where the table of modules is, and its size
OFFSETS_BYTES = 32
MODULE = struct.Struct("<IIII36x")  # of the path and of the text: where, and its size
BEFORE, BEHIND = 1500, 100  # of the place that the engine has; parameters may stand before it
MAKE_IMAGE = os.path.join(os.path.dirname(harness.SOOTH), "tests", "images", "make_image")
UNNAMED = "[JIT code (JavaScriptCore)]"
LEAST_SHARE = 0.7
LEAST_FRAMES = 100
SECONDS = 6


class Modules:
    """The texts in an executable made by Bun."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.bytes = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
        end = self.bytes.rfind(TRAILER) - OFFSETS_BYTES
        size, table, table_size = OFFSETS.unpack_from(self.bytes, end)
        self.begin, self.texts = end - size, {}
        for at in range(table, table + table_size, MODULE.size):
            path_at, path_size, at, size = MODULE.unpack_from(self.bytes, self.begin + at)
            name = os.path.basename(self.piece(path_at, path_size).decode())
            self.texts.setdefault(name, []).append((at, size))

    def piece(self, at, size):
        return self.bytes[self.begin + at:self.begin + at + size]

    def around(self, module, place):
        """What stands where a function begins, in every module of that name."""
        return [self.piece(at + max(place - BEFORE, 0), BEFORE + BEHIND).decode("latin-1")
                for at, size in self.texts.get(module, []) if place < size]


def kind_of(name, file):
    if file == "JavaScriptCore":
        return "engine"
    if name.startswith("~"):
        return "from text"
    return "place only" if name.startswith("[") else "name"


def bare(name):
    """Without the marks of sooth."""
    return re.sub(r" \[inlined\]$", "", re.sub(r"^~(cb:)?", "", name))


def stands_in(name, texts):
    return any(re.search(r"(?<![\w$])%s(?![\w$])" % re.escape(name), text) for text in texts)


@needs_bpf
@unittest.skipUnless(os.uname().machine == "x86_64", "only layouts of x86-64 are known")
class AgentJavaScript(Case):
    versions = (known.CLAUDE_CODE.version,)

    def stacks_of(self, path):
        for line in harness.read(path).decode().splitlines():
            names, _, count = line.rpartition(" ")
            yield names.split(";"), int(count)

    def check(self, agent):
        reason = reason_to_skip(agent)
        if reason:
            self.skipTest(reason)
        path = self.path("stacks.folded")
        with Agent(agent, mode=modes.SLOW, words_per_s=300) as running:
            running.wait_until_in_mode()
            report = self.sooth("profile", "-j", "--rate", "499", "-d", str(SECONDS), "--folded", path,
                                str(running.pid)).json()
            modules = Modules(os.path.realpath(running.executable))
            self.check_image(agent, running.pid)
        named = {row["function"]: row["file"] for row in report["functions"]
                 if re.search(r"\+\d+$|^JavaScriptCore$", row["file"] or "")}
        counts = {"name": 0, "from text": 0, "place only": 0, "engine": 0, "none": 0}
        for stack, count in self.stacks_of(path):
            for name in stack:
                if name == UNNAMED:
                    counts["none"] += count
                elif name in named:
                    counts[kind_of(name, named[name])] += count
        self.check_names(report, modules)
        total = sum(counts.values())
        print("| %s | %d | %s |" % (agent.version, total, " | ".join(
            "%.1f %%" % (100 * count / total) for count in counts.values())))
        self.assertGreater(total, LEAST_FRAMES)
        self.assertLess(counts["none"], (1 - LEAST_SHARE) * total)

    def check_image(self, agent, pid):
        """A stored process of the agent gives the stack that the agent itself gives."""
        image = os.path.join(install.cache_folder(), "%s-%s.image" % (agent.name, agent.version))
        run = subprocess.run([MAKE_IMAGE, "--whole", str(pid), image], capture_output=True, text=True)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn("thread\n", run.stdout)

    def check_names(self, report, modules):
        """Where the text of a function begins its name stands too; another function's does not."""
        rows = []
        for row in report["functions"]:
            module, _, place = (row["file"] or "").rpartition("+")
            if place.isdigit() and module in modules.texts and not row["function"].startswith("["):
                rows.append((bare(row["function"]), modules.around(module, int(place))))
        self.assertGreater(len(rows), 0)
        wrong = [name for name, texts in rows if not stands_in(name, texts)]
        by_chance = sum(stands_in(name, texts) for (name, _), (_, texts) in zip(rows, rows[1:]))
        print("%d names compared with the text: %d not there; of names of others %d there" % (
            len(rows), len(wrong), by_chance))
        self.assertEqual(wrong, [])

    def test_named(self):
        for version in self.versions:
            with self.subTest(version):
                self.check(dataclasses.replace(known.CLAUDE_CODE, version=version))


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1][0].isdigit():
        AgentJavaScript.versions = tuple(sys.argv[1:])
        del sys.argv[1:]
    harness.main()
