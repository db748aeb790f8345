# SPDX-License-Identifier: BSD-2-Clause
"""
The JSON Schema that the program prints, against what its commands write: each report and each line is
what the schema says, and no member is missing in it. By python3-jsonschema of Debian's Python.
"""
import collections
import concurrent.futures
import itertools
import json
import os
import socket
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "live"))

import baseline
import harness
from control_client import Client
from harness import Case

PYTHON = "/usr/bin/python3"
# Prints a line for each object that the schema refuses.
VALIDATE = """
import json, sys, jsonschema
schema = json.load(open(sys.argv[1]))
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
for number, line in enumerate(open(sys.argv[2])):
    for error in itertools.islice(validator.iter_errors(json.loads(line)), 3):
        deepest = jsonschema.exceptions.best_match([error])
        print(number, "/".join(map(str, deepest.absolute_path)), deepest.message[:300])
""".replace("import json,", "import itertools, json,")
REPORTS = ("report", "report --info", "ps -a -v", "ps -t", "ps --check-versions", "ps -a --why -k 0 -m 1", "status", "diagnose", "trace -c",
           "trace --io --network --process --memory", "heap", "heap --sites", "inspect", "inspect -a", "timeline", "heap --by function", "heap --by size", "heap --leaks", "heap --churn", "heap --sizes",
           "profile", "profile --off-cpu", "profile --wall", "sched", "stack", "query --tables")
LINES = ("trace", "api", "api --events", "sched --records", "timeline --format jsonl", "heap --format jsonl", "report --format jsonl",
         "ps -a --format jsonl", "status --format jsonl", "diagnose --format jsonl", "trace -c --format jsonl")
ALONE = ("doctor -j", "status -j", "ps -j", "ps --list-agents -j", "diagnose --list-findings -j", "why -j self",
         "inspect -j self", "inspect -a -j self", "diagnose --quick -j self", "kill --dry-run -j --orphans")
# Under the names of older tools: claude-trace, claude-diagnose, claude-status.
OLD_REPORTS = ("claude-trace -j", "claude-trace -v -j", "claude-trace -t -j", "claude-diagnose -j", "claude-diagnose -j --pid self",
               "claude-diagnose -d --duration 1 -j --pid self", "claude-status -j")
OLD_OBSERVED = ("claude-diagnose -s --sample-duration 1 -j --pid self", "claude-diagnose -D --duration 1 --io --network -j --pid self",
                "claude-monitor -j -d 1 -p self")


def has_validator():
    return subprocess.run([PYTHON, "-c", "import jsonschema"], capture_output=True, check=False).returncode == 0


def strict(schema):
    """The same, and members that it does not name are an error."""
    if isinstance(schema, dict):
        made = {key: strict(value) for key, value in schema.items()}
        if "properties" in made and "allOf" not in made and "$ref" not in made:
            made.setdefault("additionalProperties", False)
        return made
    return [strict(item) for item in schema] if isinstance(schema, list) else schema


def with_members(schema, names):
    """The same; every object may have these members too."""
    for table in schema["$defs"].values():
        table["properties"].update((name, {}) for name in names)
    return {**schema, "$defs": {name: strict(table) for name, table in schema["$defs"].items()}}


def of_each_type(rows, count):
    """The first objects of each type."""
    seen = collections.Counter()
    for row in map(json.loads, rows):
        seen[row["type"]] += 1
        if seen[row["type"]] <= count:
            yield row


@unittest.skipUnless(os.access(PYTHON, os.X_OK) and has_validator(), "no python3-jsonschema here: script/setup test")
class Schema(Case):
    def schema(self, what):
        return json.loads(self.sooth("help", "--json-schema", what).text)

    def check(self, schema, objects, limit=20):
        """objects: (name, object)"""
        objects = list(objects)
        for path, value in (("schema", json.dumps(schema)), ("objects", "\n".join(json.dumps(o) for _, o in objects))):
            with open(self.path(path), "w", encoding="utf-8") as file:
                file.write(value)
        out = self.run_program(PYTHON, "-c", VALIDATE, self.path("schema"), self.path("objects"), timeout=300).text
        problems = [(objects[int(line.split()[0])][0], line) for line in out.splitlines()]
        self.assertEqual(problems[:limit], [])
        self.assertGreater(len(objects), 10)

    def outputs(self, lines):
        """(name, text) of each; a command that a capture has nothing for is left out."""
        def run(line):
            tool, *words = line.replace("self", str(os.getpid())).split()
            program = os.path.join(os.path.dirname(harness.SOOTH), "compat", tool) if "-" in tool else harness.SOOTH
            done = subprocess.run([program, *words] if "-" in tool else [program, tool, *words], capture_output=True, text=True, check=False,
                                  stdin=subprocess.DEVNULL)
            return line, done.stdout
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            return [(line, text) for line, text in pool.map(run, lines) if text]

    def captures(self):
        return [path for path in baseline.captures().values() if os.path.getsize(path) < baseline.LARGE_BYTES]

    def test_reports(self):
        lines = ["%s -j %s" % pair for pair in itertools.product(REPORTS, self.captures())]
        lines += ["diff -j %s %s" % tuple(baseline.captures()[name] for name in pair) for pair in baseline.DIFFS]
        mine = [*ALONE[:-1], *OLD_REPORTS, *(OLD_OBSERVED if os.geteuid() == 0 else ()), ALONE[-1]]
        found = self.outputs(lines + mine)
        names = {line for line, _ in found}
        self.assertLessEqual(set(mine) - names, {mine[-1]})
        self.check(strict(self.schema("report")), [(line, json.loads(text)) for line, text in found])

    @harness.needs_bpf
    def test_calls_of_an_allocator(self):
        """As memtrack writes them."""
        memtrack = os.path.join(os.path.dirname(harness.SOOTH), "compat", "memtrack")
        self.run_program(memtrack, "track", "sh", "-c", "true", "--output", self.path("lines"))
        with open(self.path("lines"), encoding="utf-8") as file:
            rows = [("memtrack", json.loads(line)) for line in file]
        schema = strict(self.schema("memtrack"))
        self.check(schema, rows)
        with self.assertRaises(AssertionError):
            self.check(schema, [("made up", {**rows[0][1], "addr": "1"})] * 11)

    @harness.needs_bpf
    def test_lines_of_the_monitor(self):
        """And the report that it gives through its socket."""
        target = self.start("/bin/bash", "-c", "while read line; do (exit 3); : < /etc/passwd > /dev/tcp/127.0.0.1/9; done")
        monitor = self.start_sooth("monitor", "--no-history", "--fifo-dir", self.path("fifos"), "--control", self.path("control"),
                                   str(target.pid))
        harness.wait_until(lambda: b"records are in" in monitor.err, "the monitor to begin")
        reader = self.start_sooth("tail", "--fifo-dir", self.path("fifos"), "-r", "syscalls,scheduler,api_calls")
        control = Client(self, self.path("control"))
        harness.wait_until(lambda: all(feed["is_attached"] for feed in control.ask("snapshot")["report"]["feeds"]), "probes")
        control.ask("mark first")
        control.ask("pause")
        control.ask("resume")
        wanted = {"begin", "process", "mark", "call", "state", "exit"}

        def lines():
            return [json.loads(line) for line in bytes(reader.out).rpartition(b"\n")[0].splitlines()]

        def has_all():
            target.say(b"more\n")
            return wanted <= {line["type"] for line in lines()}
        harness.wait_until(has_all, "lines of each type")
        found = lines()
        with socket.socket(socket.AF_UNIX) as refused:
            refused.connect(self.path("fifos/monitor.sock"))
            refused.sendall(b"nothing\n")
            found.append(json.loads(refused.makefile().readline()))
        self.assertEqual(found[-1]["type"], "error")
        schema = with_members(self.schema("monitor"), ("seq", "type"))
        self.check(schema, [(line["type"], line) for line in found[:500] + found[-1:]])
        with self.assertRaises(AssertionError):
            self.check(schema, [("made up", {**found[0], "made_up": 1})] * 11)
        report = control.ask("snapshot")["report"]
        self.check(strict(self.schema("report")), [("snapshot", report)] * 11)

    def test_lines(self):
        lines = ["%s%s %s" % (words, "" if "--format" in words else " -j", path)
                 for words, path in itertools.product(LINES, self.captures())]
        objects = [(line, row) for line, text in self.outputs(lines)
                   for row in of_each_type(text.splitlines()[:80], 80 if harness.IS_LONG else 6)]
        schema = self.schema("lines")
        self.check(schema, objects)
        # Each line is one of those that the schema names: of a made-up one it is not.
        types = {row["type"] for _, row in objects}
        self.assertLessEqual({"begin", "end", "call"}, types)
        with self.assertRaises(AssertionError):
            self.check(schema, [("made up", {"type": "made up"})] * 11)

    def test_tables(self):
        """Of each capture the schema that it gives itself, for what it exports."""
        shown, captures = 0, self.captures()[::1 if harness.IS_LONG else 6]
        for line, text in self.outputs(["export --format jsonl " + capture for capture in captures]):
            capture, lines = line.split()[-1], text.splitlines()
            schema = json.loads(self.sooth("export", "--format", "json-schema", capture).text)
            by_table = collections.defaultdict(list)
            for line in lines:
                by_table[line.split('"', 4)[3]].append(line)
            self.assertEqual({table["title"] for table in schema["oneOf"]}, set(by_table), capture)
            rows = [("%s of %s" % (table, capture), json.loads(line))
                    for table, found in by_table.items() for line in found[:20]]
            self.check(schema, rows)
            shown += len(by_table)
        self.assertGreater(shown, 30)
        with self.assertRaises(AssertionError):
            self.check(schema, [("made up", {**rows[0][1], "made_up": 1})] * 11)

    def test_it_can_fail(self):
        good = json.loads(self.sooth("ps", "-j", str(os.getpid())).text)
        schema = strict(self.schema("report"))
        self.check(schema, [("good", good)] * 11)
        for change in ({"process_count": "1"}, {"made_up": 1}, {"processes": [{"pid": "1"}]}, {"schema": {"version": 1}}):
            with self.assertRaises(AssertionError, msg=change):
                self.check(schema, [("bad", {**good, **change})] * 11)


if __name__ == "__main__":
    harness.main()
