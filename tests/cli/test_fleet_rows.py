# SPDX-License-Identifier: BSD-2-Clause
"""Rows of a history for a database of many hosts, from a stored history: sooth export --format tsv and
clickhouse-schema, selected times, hashed names, and the schema and the script that are installed."""
import hashlib
import hmac
import json
import os
import re
import shutil
import stat
import subprocess

import export_case
import harness
from export_case import STREAMED, ExportCase

ROOT = os.path.join(export_case.HERE, "..", "..")
HISTORY = os.path.join(export_case.HERE, "history")  # of host build-7.example.org, project zephyr, user zoe
FLEET = os.path.join(ROOT, "share/sooth/fleet/clickhouse")
TABLES = ("phase_span", "answer_span")
KEY = "0123456789abcdef0123456789abcdef"
PRIVATE = ("zephyr", "zoe", "build-7", "example.org")
SECRETS = ("hunter2secret", "ghp_0123456789")

# A client that keeps what it gets, in the place of clickhouse-client.
CLIENT = """#!/bin/sh
echo "$2" >>"%s/queries"
cat >>"%s/rows"
[ ! -e "%s/fails" ]
"""


def hashed(kind, name):
    return kind + "-" + hmac.new(KEY.encode(), (kind + ":" + name).encode(), hashlib.sha256).hexdigest()[:16]


class FleetCase(ExportCase):
    def setUp(self):
        super().setUp()
        self.history = self.path("history")
        shutil.copytree(HISTORY, self.history)

    def rows(self, table, *words):
        """As a reader of TabSeparatedWithNamesAndTypes has them."""
        lines = self.export("tsv", self.history, "--table", table, *words).text.split("\n")
        self.assertEqual(lines.pop(), "")
        names, types, *rows = [line.split("\t") for line in lines]
        self.assertEqual(len(names), len(types))
        return [dict(zip(names, map(self.value, row, types))) for row in rows]

    def value(self, text, type_):
        if text == "\\N":
            self.assertIn("Nullable", type_)
            return None
        text = re.sub(r"\\(.)", r"\1", text)
        return int(text) if "Int" in type_ else text

    def key_file(self, mode=0o600):
        path = self.path("key")
        with open(path, "w", encoding="ascii") as file:
            file.write(KEY + "\n")
        os.chmod(path, mode)
        return path


class Rows(FleetCase):
    def test_equal_to_json_lines(self):
        tables = self.tables(os.path.join(HISTORY, "phases-00000001.sooth"))
        segment = tables["stream_segment"][0]
        for table in TABLES:
            rows = self.rows(table)
            self.assertEqual(len(rows), len(tables[table]))
            for row, wanted in zip(rows, tables[table]):
                self.assertEqual((row.pop("host"), row.pop("boot_id")), (segment["hostname"], segment["boot_id"]))
                if table == "phase_span":  # a text that the older record lacks: docs/fleet.md
                    self.assertEqual((row.pop("trace_parent"), wanted.pop("trace_parent")), ("", None))
                missing = json.loads(row.pop("not_measured") or "{}")
                self.assertEqual(missing, wanted.pop("not_measured", {}))
                self.assertEqual(row, {name: int(value) if isinstance(value, bool) else value
                                       for name, value in wanted.items() if name in row})
        self.assertEqual({row["version"] for row in self.rows("phase_span")}, {"2.1.328"})

    def test_other_records_get_utc(self):
        calls = self.export("tsv", STREAMED, "--table", "syscalls_call").text.splitlines()
        names, types = calls[0].split("\t"), calls[1].split("\t")
        self.assertEqual((names[:3], types[:3]), (["host", "boot_id", "utc_ns"], ["String", "String", "UInt64"]))
        offset = self.tables(STREAMED)["stream_segment"][0]["realtime_offset_ns"]
        row = dict(zip(names, calls[2].split("\t")))
        self.assertEqual(int(row["utc_ns"]) - int(row["time_ns"]), offset)

    def test_folder(self):
        self.export("tsv", self.history, "-o", self.path("out") + "/")
        self.assertLessEqual({"phase_span.tsv", "answer_span.tsv", "finding_fine.tsv"}, set(os.listdir(self.path("out"))))

    def test_each_row_once(self):
        """Of times that follow each other, the rows are all rows."""
        rows = self.rows("phase_span")
        seconds = [row["end_utc_ns"] // 10**9 for row in rows]
        edges = ["0", str(seconds[0]), str(seconds[2] + 1), str(seconds[-1]), str(seconds[-1] + 9)]
        parts = [self.rows("phase_span", "--since", since, "--until", until)
                 for since, until in zip(edges, edges[1:])]
        self.assertEqual(sum(parts, []), rows)
        self.assertEqual(parts[0], [])
        self.assertTrue(all(parts[1:]))
        self.assertEqual(self.rows("phase_span", "--since", edges[-1]), [])

    def test_no_history(self):
        os.makedirs(self.path("empty"))
        self.assertEqual(len(self.export("tsv", self.path("empty"), "--table", "phase_span").text.splitlines()), 2)


class Secrets(FleetCase):
    def all_text(self, *words):
        return "".join(self.export("tsv", self.history, "--table", table, *words).text for table in TABLES)

    def test_planted_secrets(self):
        """The command of the tool had a password and a token."""
        text = self.all_text()
        self.assertIn("--password *** --token ***", text)
        self.assertIn("zephyr", text)
        for secret in SECRETS:
            self.assertNotIn(secret, text)

    def test_hashed_names(self):
        text = self.all_text("--hash-names", self.key_file())
        for name in (*PRIVATE, *SECRETS):
            self.assertNotIn(name, text)
        rows = self.rows("phase_span", "--hash-names", self.key_file())
        self.assertEqual({row["host"] for row in rows}, {hashed("host", "build-7.example.org")})
        self.assertEqual({row["project"] for row in rows}, {hashed("project", "zephyr")})
        self.assertEqual([row["state"] for row in rows], [row["state"] for row in self.rows("phase_span")])
        tool = next(row for row in rows if row["state"] == "runs_tool")["tool_command"]
        self.assertIn("/usr/bin/perl", tool)
        self.assertIn(hashed("user", "zoe"), tool)
        found = [row["text"] for row in self.rows("answer_span", "--hash-names", self.key_file())]
        self.assertIn("(%s)" % hashed("project", "zephyr"), found[0])

    def test_every_format_hashes(self):
        capture = os.path.join(self.history, "phases-00000001.sooth")
        for format_ in ("jsonl", "csv"):
            text = self.export(format_, capture, "--hash-names", self.key_file(), "--table", "phase_span").text
            self.assertIn(hashed("project", "zephyr"), text)
            self.assertNotIn("zephyr", text)

    def test_refused(self):
        key = self.key_file(0o644)
        for path, capture, status, why in ((key, self.history, 2, "0600"), (key, "-", 2, "only once"),
                                           (self.path("none"), self.history, 4, "No such file")):
            run = self.sooth("export", "--format", "tsv", "--table", "phase_span", "--hash-names", path, capture,
                             status=status)
            self.assertIn(why, run.errors)
        run = self.sooth("export", "--format", "folded", "--hash-names", self.key_file(), STREAMED, status=2)
        self.assert_says_three_lines(run)


class Installed(FleetCase):
    def test_schema(self):
        """To make it anew: sooth export --format clickhouse-schema --table phase_span --table answer_span CAPTURE."""
        words = [word for table in TABLES for word in ("--table", table)]
        made = self.export("clickhouse-schema", STREAMED, *words).text
        self.assertEqual(made, harness.read(os.path.join(FLEET, "schema.sql")).decode())
        columns = re.findall(r"`(\w+)` (\S+?),? --", made.split("CREATE")[1])
        head = [line.split("\t") for line in
                self.export("tsv", self.history, "--table", "phase_span").text.splitlines()[:2]]
        self.assertEqual(columns, list(zip(*head)))

    def test_schema_of_what_has_rows(self):
        made = self.export("clickhouse-schema", STREAMED).text
        self.assertIn("TABLE IF NOT EXISTS syscalls_call\n", made)
        self.assertNotIn("phase_span", made)

    def test_questions_say_what_they_answer(self):
        names = os.listdir(os.path.join(FLEET, "questions"))
        self.assertEqual(len(names), 10)
        for name in names:
            self.assertRegex(harness.read(os.path.join(FLEET, "questions", name)).decode(), r"\A(-- .*\n)*-- .*\.\nSELECT")

    def load(self, status=0):
        environment = dict(os.environ, SOOTH=harness.SOOTH, CLICKHOUSE=self.path("client"))
        run = subprocess.run([os.path.join(FLEET, "load"), self.history, self.path("state")], env=environment,
                             capture_output=True, text=True, check=False)
        self.assertEqual(run.returncode, status, run.stderr)
        return [harness.read(self.path(name)).decode() if os.path.exists(self.path(name)) else ""
                for name in ("queries", "rows")]

    def test_load(self):
        with open(self.path("client"), "w", encoding="ascii") as file:
            file.write(CLIENT % ((self.path("."),) * 3))
        os.chmod(self.path("client"), 0o755)
        with open(self.path("fails"), "wb"):
            pass
        self.load(status=1)
        self.assertFalse(os.path.exists(self.path("state")))
        for name in ("fails", "rows", "queries"):
            os.unlink(self.path(name))
        queries, rows = self.load()
        self.assertIn("INSERT INTO phase_span (`host`, `boot_id`, `time_ns`,", queries)
        self.assertEqual(len(rows.splitlines()), sum(len(self.rows(table)) for table in TABLES))
        self.assertEqual(stat.S_IMODE(os.stat(self.path("state")).st_mode), 0o600)
        self.assertEqual(self.load()[1], rows)  # nothing is new


class Files(FleetCase):
    """What other programs say of the files for them."""
    FOLDER = os.path.join(ROOT, "share/sooth/fleet")

    def program(self, name):
        if not shutil.which(name):
            self.skipTest("not installed: " + name)
        return name

    def exposure(self, text):
        path = self.path("unit.service")
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
        run = subprocess.run([self.program("systemd-analyze"), "security", "--offline=true", "--no-pager", path],
                             capture_output=True, text=True, check=True)
        return float(re.search(r"exposure level for \S+: ([0-9.]+)", run.stdout)[1])

    def test_units(self):
        monitor = harness.read(os.path.join(ROOT, "packaging/systemd/sooth-monitor.service")).decode()
        monitor = monitor.replace("@SOOTH@", "/usr/bin/sooth")
        network = harness.read(os.path.join(self.FOLDER, "systemd/network.conf")).decode()
        load = harness.read(os.path.join(self.FOLDER, "systemd/sooth-load.service")).decode()
        self.assertLess(self.exposure(monitor), 3)
        self.assertLess(self.exposure(load), 2.5)
        self.assertLessEqual(self.exposure(monitor.replace("RestrictAddressFamilies=AF_UNIX AF_NETLINK\n", "") + network), 3)

    def test_prometheus(self):
        text = harness.read(os.path.join(self.FOLDER, "prometheus.yml")).decode()
        for name in ("prometheus.yml", "sooth-token", "sooth-ca.pem"):
            with open(self.path(name), "w", encoding="ascii") as file:
                file.write(text.replace("/etc/prometheus", self.path(".")))
        run = subprocess.run([self.program("promtool"), "check", "config", self.path("prometheus.yml")],
                             capture_output=True, text=True, check=False)
        self.assertEqual(run.returncode, 0, run.stderr)

    def test_yaml(self):
        try:
            import yaml
        except ImportError:
            self.skipTest("not installed: python3-yaml")
        documents = {name: list(yaml.safe_load_all(harness.read(os.path.join(self.FOLDER, name))))
                     for name in ("kubernetes.yaml", "collector.yaml")}
        monitor, load = documents["kubernetes.yaml"][1]["spec"]["template"]["spec"]["containers"]
        self.assertEqual(monitor["securityContext"]["capabilities"]["add"],
                         ["BPF", "PERFMON", "SYS_PTRACE", "DAC_READ_SEARCH"])
        self.assertNotIn("add", load["securityContext"]["capabilities"])
        collector, = documents["collector.yaml"]
        for pipeline in collector["service"]["pipelines"].values():
            for kind, names in pipeline.items():
                self.assertLessEqual(set(names), set(collector[kind]), kind)


if __name__ == "__main__":
    harness.main()
