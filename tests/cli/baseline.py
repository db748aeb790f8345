# SPDX-License-Identifier: BSD-2-Clause
"""
JSON, CSV and SQL of every command over captures that never change, stored to be compared with.
`SOOTH=build/sooth tests/cli/baseline.py --renew` stores what this build prints; tests only read it.
What was renamed since stands in baseline/renames (see renames.py), and not in a renewed file.
"""
import concurrent.futures
import contextlib
import csv
import functools
import io
import json
import lzma
import os
import re
import sqlite3
import subprocess
import sys
import tempfile

import renames

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.path.join(HERE, "baseline")
STORED = os.path.join(FOLDER, "expected.json.xz")
TABLE = os.path.join(FOLDER, "renames")
HEADING = """\
# What was renamed since baseline/expected.json.xz was stored: see ../renames.py for the form.
"""
CORPUS = os.path.join(HERE, "..", "fuzz", "corpus")
FINDINGS = os.path.join(HERE, "..", "..", "src", "findings", "findings.def")
# Captures by name. Those of the other corpora are copies of these.
CORPUS_CAPTURES = ("capture/counted", "capture/cut", "capture/diagnosed", "capture/heap",
                   "capture/streamed", "capture/two", "index/indexed")

# What is printed of each capture.
AS_JSON = (
    "report", "report --info", "ps -a -v", "ps -t", "ps -a --why -k 0 -m 1", "status", "diagnose",
    "trace", "trace -c", "trace --io --network --process --memory", "heap", "heap --sites",
    "inspect -a", "timeline", "query --tables")
# More of each but the large ones: they would take most of the time and show no other names.
ALSO = (
    "report --format jsonl", "report --format csv",
    "report --format redacted", "report --from 100ms --to 200ms --format json",
    "ps --format json", "ps --format csv", "ps -a -v --format csv", "status --format csv",
    "diagnose --format jsonl", "diagnose --format csv", "diagnose --format redacted",
    "trace --format jsonl", "trace --format csv", "trace --format redacted",
    "trace -Z --plain --format jsonl", "trace --io --format csv", "trace --network --format csv",
    "trace --process --format csv", "trace --memory --format csv", "heap --format csv",
    "inspect --format json", "inspect --fds --format csv", "inspect --sockets --format csv",
    "inspect --maps --format csv", "inspect --signals --format csv", "inspect --threads --format csv",
    "inspect --limits --format csv", "timeline --format csv", "timeline --format jsonl",
    "trace -c --format csv", "export --format csv", "export --format folded", "export --format folded --weight bytes", "export --format chrome",
    "export --format jsonl", "export --format sqlite")
LARGE_BYTES = 12000
WITHOUT_CAPTURE = ("ps --list-agents", "diagnose --list-findings")
DIFFS = (("counted", "indexed"), ("streamed", "counted"), ("streamed", "two"), ("heap", "streamed"),
         ("heap", "heap_forks"), ("inspect_fds", "inspect_sockets"), ("family_ps", "family_status"),
         ("syscalls", "uring"))
ONCE = ("diagnose --set fd-leak.min-age=0 --format json sick.sooth",
        "trace -c --format jsonl intervals.sooth", "ps -p 1 --format json streamed.sooth")
PROCESSES_MAX, SELECTS = 3, 1

# Words for people, by the name of the member that has them: other words will do, none will not.
PROSE = {"why", "reason", "remedy", "words", "claim", "help", "need", "purpose", "reach", "inexact",
         "fine_text", "unseen_text", "unseen", "holds", "detail", "what", "unit", "rule",
         "abandoned_reason", "orphaned_reason", "frozen_reason", "fallback_reason", renames.WHY_NULL}
# The same below a member of that name, whose figures stand beside.
PROSE_BELOW = {"evidence": {"name", "text"}}
# Cells of CSV that put several members into words.
PROSE_CELLS = {"diagnose": {"findings", "options"}}
# Rows of a comparison that are found again by words.
PROSE_ROWS = {"reasons"}

# What is another at each run: what this sooth costs, where it does not stand in the capture.
OWN_COST = {"cpu_ns", "rss_bytes"}
# Tables of findings, whose number of rows follows from how many findings there are.
FINDING_TABLES = {"finding_fine", "finding_unseen"}
# Members of the summary of sooth diagnose of the same kind.
FINDING_COUNTS = {"unchecked"}
# Follows from the tables themselves, whose columns are compared one by one.
COUNTED_ELSEWHERE = {"columns"}


def captures():
    """{name: path}"""
    found = {os.path.basename(name): os.path.join(CORPUS, name + ".sooth") for name in CORPUS_CAPTURES}
    for name in sorted(os.listdir(FOLDER)):
        if name.endswith(".sooth"):
            found[name[:-len(".sooth")]] = os.path.join(FOLDER, name)
    return found


# --- running ---


class Runner:
    """Runs one sooth, in a folder where a capture is NAME.sooth, without anything of its caller."""

    def __init__(self, sooth, folder):
        self.sooth, self.folder = os.path.abspath(sooth), folder
        for name, path in captures().items():
            os.symlink(os.path.abspath(path), os.path.join(folder, name + ".sooth"))

    def run(self, words):
        environment = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
        return subprocess.run([self.sooth, *words], cwd=self.folder, env=environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60,
            check=False)

    def document(self, line, table=None):
        """What a command line prints, as a document of JSON, with its status; of a query of a table
        under its name of today."""
        words = line.split("\t")
        if words[0] == "select":
            run = self.run(["query", "-j", words[1], 'SELECT * FROM "%s"' % table])
            rows = json.loads(run.stdout)["rows"] if run.stdout else None
            return {"status": run.returncode, "printed": {table: stored_kinds(explain(rows))}}
        form = words[words.index("--format") + 1]
        if words[0] == "export" and form in ("csv", "sqlite"):
            return self.exported(words, form)
        run = self.run(words)
        text = run.stdout.decode("utf-8")
        if words[:3] == ["export", "--format", "jsonl"]:
            return {"status": run.returncode, "printed": stored_kinds(read_lines(text, "table"))}
        printed = READERS[form](text) if text else None
        return {"status": run.returncode, "printed": tidy(printed, words)}

    def exported(self, words, form):
        with tempfile.TemporaryDirectory(dir=self.folder) as product:
            where = os.path.join(product, "x.db") if form == "sqlite" else product + "/"
            run = self.run([*words, "-o", where])
            found = read_database(where) if form == "sqlite" else {
                name[:-len(".csv")]: read_csv(read(os.path.join(product, name)))
                for name in sorted(os.listdir(product))}
        return {"status": run.returncode, "printed": stored_kinds(found)}


# --- reading what is printed ---


@functools.cache
def newer_findings():
    """Ids of findings that are newer than what is stored: their rows are in no comparison."""
    if not os.path.exists(STORED):
        return frozenset()
    stored = load()["diagnose\t--list-findings\t--format\tjson"]["printed"]["findings"]
    ids = re.findall(r"^FINDING\((\w+)", read(FINDINGS), re.M)
    return {name.replace("_", "-") for name in ids} - set(stored)


def stored_kinds(value):
    """Without the rows of findings that are newer than what is stored."""
    if isinstance(value, dict):
        return {name: stored_kinds(member) for name, member in value.items()}
    if isinstance(value, list):
        return [row for row in value if not (isinstance(row, dict) and row.get("id") in newer_findings())]
    return value


def read(path):
    with open(path, newline="", encoding="utf-8") as file:
        return file.read()


def explain(rows):
    """Rows with what stands in cells as JSON: reasons of nulls, evidence."""
    for row in rows if isinstance(rows, list) else ():
        for name, cell in row.items():
            if isinstance(cell, str) and cell.startswith(('{"', '[{"')):
                with contextlib.suppress(ValueError):
                    row[name] = json.loads(cell)
    return rows


def read_csv(text):
    """Rows by column; a table without rows as one of nulls, for its columns."""
    rows = list(csv.reader(io.StringIO(text)))
    return explain([dict(zip(rows[0], row)) for row in rows[1:]]) or [dict.fromkeys(rows[0])]


def read_lines(text, member):
    """Rows by the member that says of what kind they are."""
    found = {}
    for line in text.splitlines():
        row = json.loads(line)
        found.setdefault(row.pop(member), []).append(row)
    return found


def read_folded(text):
    pairs = (line.rsplit(" ", 1) for line in text.splitlines())
    return {stack: int(number) for stack, number in pairs}


def read_database(path):
    """Rows by table; what columns are is compared by test_export.py."""
    found = {}
    with contextlib.closing(sqlite3.connect(path)) as database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table' "
                "AND name != 'columns'").fetchall():
            cursor = database.execute('SELECT * FROM "%s"' % name)
            columns = [column[0] for column in cursor.description]
            found[name] = explain([dict(zip(columns, row)) for row in cursor]) or [
                dict.fromkeys(columns)]
    return found


READERS = {"json": json.loads, "chrome": json.loads, "redacted": json.loads, "folded": read_folded,
           "jsonl": lambda text: read_lines(text, "type"),
           "csv": lambda text: {"row": read_csv(text)}}


def by_name(rows, member):
    """Rows by a member that names each, if it does."""
    if isinstance(rows, list) and all(isinstance(row, dict) and row.get(member) for row in rows):
        found = {str(row[member]): row for row in rows}
        return found if len(found) == len(rows) else rows
    return rows


def tidy(printed, words):
    """Without what differs from run to run; rows with names by them."""
    lists = any(word.startswith("--list-") or word == "--tables" for word in words)

    def walk(value):
        if isinstance(value, list):
            return [walk(row) for row in stored_kinds(value)]
        if not isinstance(value, dict):
            return value
        found = {}
        for name, member in value.items():
            if "--tables" in words and name == "rows" and value.get("name") in FINDING_TABLES:
                continue
            member = walk(member)
            if name in ("fine", "unseen") or lists and name in ("findings", "agents", "tables", "row"):
                member = by_name(by_name(member, "id"), "name")
            if name == "self" and (lists or words[0] == "diff") and member:
                member = {cost: member[cost] for cost in member if cost not in OWN_COST}
            if name in COUNTED_ELSEWHERE and "--tables" in words:
                continue
            found[name] = member
        return found

    return walk(printed)


# --- what is run ---


def kind_of(line):
    """Of a rename: csv, sql or json."""
    words = line.split("\t")
    if words[0] == "select" or "sqlite" in words:
        return "sql"
    return "csv" if "csv" in words else "json"


def command_of(line):
    word = line.split("\t")[0]
    return "query" if word == "select" else word


def table_of_today(line, table):
    """What a table that is selected from is called now; empty: it was dropped."""
    words = line.split("\t")
    if words[0] != "select":
        return None
    mapped = renames.Mapped({}, table, "query", "sql").name_of_today((words[2], 0))
    return mapped[0][0] if mapped else ""


def fixed_lines(captures_):
    """Command lines that follow from the names of captures, words with tabs between."""
    views = [view + " --format json" for view in AS_JSON]
    lines = []
    for name, path in captures_.items():
        more = ALSO if os.path.getsize(path) <= LARGE_BYTES else ()
        lines += ["%s %s.sooth" % (view, name) for view in [*views, *more]]
    lines += ["diff --format %s %s.sooth %s.sooth" % (form, *pair) for pair in DIFFS
              for form in ("json", "csv")]
    lines += ["%s --format %s" % (view, form) for view in WITHOUT_CAPTURE for form in ("json", "csv")]
    return ["\t".join(line.split()) for line in [*lines, *ONCE]]


def lines_of(documents):
    """Those that follow from what captures hold: one process of several, and a statement for each
    table, of the capture that has fewest rows of it: names are what statements add to an export."""
    lines, rows = [], {}
    for line, document in documents.items():
        words = line.split("\t")
        if words[:4] == ["report", "--format", "json", words[-1]]:
            pids = [row["pid"] for row in document["printed"].get("processes", [])]
            lines += ["\t".join(["inspect", "-a", "-p", str(pid), "--format", "json", words[-1]])
                      for pid in pids[:PROCESSES_MAX] if len(pids) > 1]
        if words[:4] == ["query", "--tables", "--format", "json"]:
            for name, table in document["printed"]["tables"].items():
                rows.setdefault(name, []).append((table.get("rows") or 0, words[-1]))
    for name, counts in sorted(rows.items()):
        fewest = sorted(pair for pair in counts if pair[0] or name == "call")
        lines += ["\t".join(["select", capture, name]) for _, capture in fewest[:SELECTS]]
    return lines


def run_all(sooth, lines, table, work):
    """work(line, document) for each, several at once; returns what it returned."""
    def one(line):
        selected = table_of_today(line, table)
        return work(line, None if selected == "" else runner.document(line, selected))

    with tempfile.TemporaryDirectory(prefix="sooth-baseline-") as folder:
        runner = Runner(sooth, folder)
        with concurrent.futures.ThreadPoolExecutor(2 * (os.cpu_count() or 1)) as pool:
            return list(pool.map(one, lines))


def is_prose(line, document):
    """Of a stored document: whether a path in it has words for people."""
    command, cells = command_of(line), set()
    if kind_of(line) == "csv":
        cells = PROSE_CELLS.get(command, cells)

    def look(path):
        name = next((step for step in reversed(path) if isinstance(step, str)), None)
        if command == "diff" and name in ("row", "before", "after"):
            return is_prose_of_diff(name, row_of(document, path))
        return name in PROSE or name in cells or renames.WHY_NULL in path or any(
            above in path and name in names for above, names in PROSE_BELOW.items())

    return look


def row_of(document, path):
    for step in path[:-1]:
        document = document[step]
    return document


def is_prose_of_diff(name, row):
    return row.get("table") in PROSE_ROWS or name != "row" and row.get("field") in PROSE


def without_counts(printed, command):
    """A new finding, which old captures cannot answer, is no difference."""
    if command != "diagnose" or not isinstance(printed, dict) or not isinstance(printed.get("summary"), dict):
        return printed
    return dict(printed, summary={name: value for name, value in printed["summary"].items()
                                  if name not in FINDING_COUNTS})


def compare(line, stored, document, table):
    """How what a line prints differs from what is stored, a line each."""
    if document is None:
        return []
    if stored["status"] != document["status"]:
        return ["status %d became %d" % (stored["status"], document["status"])]
    old, new = (without_counts(d["printed"], command_of(line)) for d in (stored, document))
    return renames.differences(old, new, table, command_of(line), kind_of(line), is_prose(line, old))


# --- what is stored ---


def load():
    with lzma.open(STORED, "rt", encoding="utf-8") as file:
        return json.load(file)


def store(documents):
    with lzma.open(STORED, "wt", encoding="utf-8", preset=9 | lzma.PRESET_EXTREME) as file:
        json.dump(documents, file, separators=(",", ":"), ensure_ascii=False)


def load_renames():
    return renames.parse_table(read(TABLE))


def renew(sooth):
    if os.path.exists(STORED):
        os.remove(STORED)  # what is stored anew has all findings

    def keep(line, document):
        return line, document

    documents = dict(run_all(sooth, fixed_lines(captures()), renames.Table(), keep))
    documents.update(run_all(sooth, lines_of(documents), renames.Table(), keep))
    store(documents)
    with open(TABLE, "w", encoding="utf-8") as file:
        file.write(HEADING)


def renew_contracts(sooth):
    environment = dict(os.environ, SOOTH=os.path.abspath(sooth), RENEW_CONTRACTS="1")
    subprocess.run([sys.executable, os.path.join(HERE, "test_contracts.py")], env=environment, check=True)


if __name__ == "__main__":
    if sys.argv[1:] != ["--renew"] or not os.environ.get("SOOTH"):
        sys.exit("usage: SOOTH=PROGRAM %s --renew" % sys.argv[0])
    renew(os.environ["SOOTH"])
    renew_contracts(os.environ["SOOTH"])
