#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
What every command prints of captures that never change, as text to be compared with and to be read:
baseline/printed has a file for each command. `SOOTH=build/sooth tests/cli/baseline.py --renew` stores
what this build prints, and the difference of these files is what changed for a user.

A command line has its status and what it printed: a member a line, a list as a table, whose columns
stand above it, and those with one value in all rows before them. ~ stands for words for people: other
words will do, none will not. Of a form that says what the JSON says, as CSV, tables and columns are
stored, and a sum of the values.
"""
import concurrent.futures
import contextlib
import csv
import hashlib
import io
import json
import os
import sqlite3
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.path.join(HERE, "baseline")
PRINTED = os.path.join(FOLDER, "printed")
CORPUS = os.path.join(HERE, "..", "fuzz", "corpus")
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

WHY_NULL = "not_measured"
# Words for people, by the name of the member that has them.
PROSE = {"why", "reason", "remedy", "words", "claim", "help", "need", "purpose", "reach", "inexact",
         "fine_text", "unseen_text", "unseen", "holds", "detail", "what", "unit", "rule",
         "abandoned_reason", "orphaned_reason", "frozen_reason", "fallback_reason", WHY_NULL}
# The same below a member of that name, whose figures stand beside.
PROSE_BELOW = {"evidence": {"name", "text"}}
# Cells of CSV that put several members into words.
PROSE_CELLS = {"diagnose": {"findings", "options"}}
# Rows of a comparison that are found again by words.
PROSE_ROWS = {"reasons"}

# What is another at each run: what this sooth costs, where it does not stand in the capture.
OWN_COST = {"cpu_ns", "rss_bytes"}


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

    def document(self, line):
        """What a command line prints, as a document of JSON, with its status."""
        words = line.split("\t")
        if words[0] == "select":
            run = self.run(["query", "-j", words[1], 'SELECT * FROM "%s"' % words[2]])
            rows = json.loads(run.stdout)["rows"] if run.stdout else None
            return {"status": run.returncode, "printed": {words[2]: explain(rows)}}
        form = words[words.index("--format") + 1]
        if words[0] == "export" and form in ("csv", "sqlite"):
            return self.exported(words, form)
        run = self.run(words)
        text = run.stdout.decode("utf-8")
        if words[:3] == ["export", "--format", "jsonl"]:
            return {"status": run.returncode, "printed": read_lines(text, "table")}
        printed = READERS[form](text) if text else None
        return {"status": run.returncode, "printed": tidy(printed, words)}

    def exported(self, words, form):
        with tempfile.TemporaryDirectory(dir=self.folder) as product:
            where = os.path.join(product, "x.db") if form == "sqlite" else product + "/"
            run = self.run([*words, "-o", where])
            found = read_database(where) if form == "sqlite" else {
                name[:-len(".csv")]: read_csv(read(os.path.join(product, name)))
                for name in sorted(os.listdir(product))}
        return {"status": run.returncode, "printed": found}


# --- reading what is printed ---


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
            return [walk(row) for row in value]
        if not isinstance(value, dict):
            return value
        found = {}
        for name, member in value.items():
            member = walk(member)
            if name in ("fine", "unseen") or lists and name in ("findings", "agents", "tables", "row"):
                member = by_name(by_name(member, "id"), "name")
            if name == "self" and (lists or words[0] == "diff") and member:
                member = {cost: member[cost] for cost in member if cost not in OWN_COST}
            found[name] = member
        return found

    return walk(printed)


# --- what is run ---


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
            pids = [row["pid"] for row in (document["printed"] or {}).get("processes", [])]
            lines += ["\t".join(["inspect", "-a", "-p", str(pid), "--format", "json", words[-1]])
                      for pid in pids[:PROCESSES_MAX] if len(pids) > 1]
        if words[:4] == ["query", "--tables", "--format", "json"] and document["printed"]:
            for name, table in document["printed"]["tables"].items():
                rows.setdefault(name, []).append((table.get("rows") or 0, words[-1]))
    for name, counts in sorted(rows.items()):
        fewest = sorted(pair for pair in counts if pair[0] or name == "call")
        lines += ["\t".join(["select", capture, name]) for _, capture in fewest[:SELECTS]]
    return lines


def run_all(sooth, lines):
    """{line: document} of each, several at once."""
    with tempfile.TemporaryDirectory(prefix="sooth-baseline-") as folder:
        runner = Runner(sooth, folder)
        with concurrent.futures.ThreadPoolExecutor(2 * (os.cpu_count() or 1)) as pool:
            return dict(zip(lines, pool.map(runner.document, lines)))


# --- as text ---


def prose_of(line):
    """prose(path, row): whether a member of that path, in that row, has words for people."""
    words = line.split("\t")
    cells = PROSE_CELLS.get(words[0], set()) if "csv" in words else set()

    def prose(path, row):
        name = path[-1]
        if words[0] == "diff" and name in ("row", "before", "after"):
            return row.get("table") in PROSE_ROWS or name != "row" and row.get("field") in PROSE
        return name in PROSE or name in cells or WHY_NULL in path or any(
            above in path and name in names for above, names in PROSE_BELOW.items())

    return prose


def scalar(value):
    if value is None or isinstance(value, bool):
        return {None: "-", True: "yes", False: "no"}[value]
    if isinstance(value, float):
        text = "%.12g" % value
        return text if text.strip("-0123456789") else text + ".0"
    return str(value) if isinstance(value, int) else json.dumps(value)


class Text:
    """A document as lines."""

    def __init__(self, prose):
        self.prose, self.lines = prose, []

    def cell(self, value, path, row):
        if isinstance(value, dict):
            return "{%s}" % " ".join("%s=%s" % (n, self.cell(m, (*path, n), value)) for n, m in value.items())
        if isinstance(value, list):
            return "[%s]" % " ".join(self.cell(member, path, row) for member in value)
        return "~" if isinstance(value, str) and value and self.prose(path, row) else scalar(value)

    def members(self, value, path=(), indent=""):
        nested = {name: member for name, member in value.items() if member and isinstance(member, (dict, list))}
        for name, member in value.items():
            if name not in nested:
                self.lines.append("%s%s %s" % (indent, name, self.cell(member, (*path, name), value)))
        for name, member in nested.items():
            if isinstance(member, dict):
                self.lines.append("%s%s:" % (indent, name))
                self.members(member, (*path, name), indent + "  ")
            elif all(isinstance(row, dict) for row in member):
                self.table(name, member, (*path, name), indent)
            else:
                self.lines.append("%s%s %s" % (indent, name, self.cell(member, (*path, name), value)))

    def table(self, name, rows, path, indent):
        columns = {column: [] for row in rows for column in row}
        for row in rows:
            for column, cells in columns.items():
                cells.append(self.cell(row[column], (*path, column), row) if column in row else "")
        fixed = {column: cells[0] for column, cells in columns.items() if len(rows) > 1 and len(set(cells)) == 1}
        varied = [column for column in columns if column not in fixed]
        self.lines.append("%s%s, rows: %d%s" % (indent, name, len(rows), "".join(
            ", %s %s" % pair for pair in fixed.items())))
        if varied:
            self.lines.append("%s  # %s" % (indent, " | ".join(varied)))
            self.lines += ["%s  %s" % (indent, " | ".join(row)) for row in zip(*(columns[c] for c in varied))]


def names_of(printed):
    """Tables with their columns, and other members."""
    for name, value in printed.items():
        if isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
            yield "%s, rows: %d, columns: %s" % (name, len(value), " ".join({c: 0 for row in value for c in row}))
        else:
            yield name


def text_of(line, document):
    """The paragraph of a command line."""
    text, printed = Text(prose_of(line)), document["printed"]
    text.members(printed if isinstance(printed, dict) else {"printed": printed})
    lines = text.lines
    if "json" not in line.split("\t") and isinstance(printed, dict):
        values = hashlib.sha256("\n".join(lines).encode()).hexdigest()
        lines = [*names_of(printed), "sum of the values: " + values[:16]]
    return "\n".join(["$ " + line.replace("\t", " "), "status %d" % document["status"], *lines])


# --- what is stored ---


def file_of(paragraph):
    """"query" of "$ query --tables": the file that a paragraph stands in."""
    word = paragraph.split(None, 2)[1]
    return "query" if word == "select" else word


def printed_by(sooth):
    """Paragraphs in order."""
    documents = run_all(sooth, fixed_lines(captures()))
    documents.update(run_all(sooth, lines_of(documents)))
    return [text_of(line, document) for line, document in documents.items()]


def load():
    found = []
    for name in sorted(os.listdir(PRINTED)):
        found += read(os.path.join(PRINTED, name)).rstrip("\n").split("\n\n")
    return found


def renew(sooth):
    files = {}
    for paragraph in printed_by(sooth):
        files.setdefault(file_of(paragraph), []).append(paragraph)
    os.makedirs(PRINTED, exist_ok=True)
    for name in os.listdir(PRINTED):
        os.remove(os.path.join(PRINTED, name))
    for name, paragraphs in files.items():
        with open(os.path.join(PRINTED, name + ".txt"), "w", encoding="utf-8") as file:
            file.write("\n\n".join(paragraphs) + "\n")


def renew_contracts(sooth):
    environment = dict(os.environ, SOOTH=os.path.abspath(sooth), RENEW_CONTRACTS="1")
    subprocess.run([sys.executable, os.path.join(HERE, "test_contracts.py")], env=environment, check=True)


if __name__ == "__main__":
    if sys.argv[1:] not in (["--renew"], ["--renew-contracts"]) or not os.environ.get("SOOTH"):
        sys.exit("usage: SOOTH=PROGRAM %s --renew | --renew-contracts" % sys.argv[0])
    {"--renew": renew, "--renew-contracts": renew_contracts}[sys.argv[1]](os.environ["SOOTH"])
