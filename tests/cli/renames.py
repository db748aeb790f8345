# SPDX-License-Identifier: BSD-2-Clause
"""
Two documents, one stored before names changed and one of today, compared by value: the stored one
is read through a table of renames first. The table is text, a rename a line:

    COMMANDS KINDS OLD NEW [xN | OLDVALUE=NEWVALUE ...]
    COMMANDS KINDS OLD -   dropped: REASON
    COMMANDS KINDS -   NEW new

COMMANDS and KINDS are words with commas between, or *. Kinds are json, csv and sql. A path is
member.member[].member: [] is each row of a list, * one member of any name, a leading ** any depth.
In csv the path is row[].COLUMN or (export) TABLE[].COLUMN, in sql TABLE[].COLUMN for the commands
export and query, in JSON lines TYPE[].MEMBER or (export) TABLE[].MEMBER. Where the order of rows
says nothing they stand by their names: fine.*.words, unseen.*.reason, and with --list-findings,
--list-agents and --tables findings.*, agents.*, tables.*, row.*. A rename of a path moves all that
lies below it. Lines apply in order, each to what the lines before it made. xN multiplies a number; a
pair maps one value to another, and other values stay as they are. Quotes hold blanks together as in
a shell; # begins a comment. What explains a null stands under not_measured with the name of the
member, and moves with that member.
"""
import dataclasses
import math
import re
import shlex

EMPTY_LIST, EMPTY_MEMBERS = "(no rows)", "(no members)"


def flatten(value, path=(), found=None):
    """{path: plain value} of everything in a document; a path is a tuple of names and numbers."""
    found = {} if found is None else found
    if isinstance(value, dict):
        for name, member in value.items():
            flatten(member, path + (name,), found)
    elif isinstance(value, list):
        for i, row in enumerate(value):
            flatten(row, path + (i,), found)
    else:
        found[path] = value
    if value == []:
        found[path] = EMPTY_LIST
    elif value == {}:
        found[path] = EMPTY_MEMBERS
    return found


def written(path):
    text = ""
    for step in path:
        text += "[%d]" % step if isinstance(step, int) else ("." if text else "") + step
    return text


# --- patterns of paths ---

ROW, MEMBER, DEPTH = object(), object(), object()


def parse_path(text):
    steps = []
    for word in text.split("."):
        name, brackets = re.fullmatch(r"([^\[\]]*)((?:\[\])*)", word).groups()
        if name:
            steps.append({"*": MEMBER, "**": DEPTH}.get(name, name))
        steps += [ROW] * (len(brackets) // 2)
    return tuple(steps)


def fits(step, actual):
    if step is ROW:
        return isinstance(actual, int)
    return isinstance(actual, str) if step is MEMBER else step == actual


def match(pattern, path):
    """(what stands for the wildcards, how many steps of the path it took); None: it does not."""
    if pattern and pattern[0] is DEPTH:
        for skipped in range(len(path)):
            found = match(pattern[1:], path[skipped:])
            if found:
                return [path[:skipped]] + found[0], skipped + found[1]
        return None
    if len(pattern) > len(path) or not all(map(fits, pattern, path)):
        return None
    return [(actual,) for step, actual in zip(pattern, path) if step in (ROW, MEMBER)], len(pattern)


def fill(pattern, wild):
    """A path from a pattern and what stands for its wildcards, in order."""
    wild, path = list(wild), ()
    for step in pattern:
        path += wild.pop(0) if step in (ROW, MEMBER, DEPTH) else (step,)
    return path


# --- the table ---


@dataclasses.dataclass
class Rename:
    line: str
    commands: set
    kinds: set
    old: tuple = None  # None: a new member
    new: tuple = None  # None: dropped
    factor: float = 1
    values: dict = dataclasses.field(default_factory=dict)
    is_used: bool = False

    def applies(self, command, kind):
        return bool({"*", command} & self.commands) and bool({"*", kind} & self.kinds)

    def convert(self, value):
        if value is None or isinstance(value, bool):
            return value
        if str(value) in self.values:
            return type(value)(self.values[str(value)])
        if self.factor == 1 or value in ("", EMPTY_LIST, EMPTY_MEMBERS):
            return value
        if isinstance(value, str):  # csv
            number = float(value) if "." in value else int(value)
            return str(number * self.factor)
        return value * self.factor


def parse_line(line):
    words = shlex.split(line, comments=True)
    if not words:
        return None
    if len(words) < 4:
        raise ValueError("too few words: %s" % line)
    rename = Rename(line, set(words[0].split(",")), set(words[1].split(",")))
    unknown = rename.kinds - {"*", "json", "csv", "sql"}
    rest = words[4:]
    rename.old = None if words[2] == "-" else parse_path(words[2])
    rename.new = None if words[3] == "-" else parse_path(words[3])
    if rename.old is None or rename.new is None:
        right = rest == ["new"] if rename.old is None else rest[:1] == ["dropped:"] and len(rest) > 1
        if not right or rename.old is rename.new:
            raise ValueError("a member is new, or dropped: with a reason: %s" % line)
        return rename
    for word in rest:
        if re.fullmatch(r"x[0-9.]+", word):
            rename.factor = float(word[1:]) if "." in word else int(word[1:])
        elif "=" in word:
            old, new = word.split("=", 1)
            rename.values[old] = new
        else:
            raise ValueError("no conversion: %s in %s" % (word, line))
    if unknown:
        raise ValueError("no kind: %s in %s" % (unknown, line))
    return rename


class Table(list):
    """Renames, and what was found out of them by command, kind and path."""

    def __init__(self, rows=()):
        super().__init__(rows)
        self.known = {}


def parse_table(text):
    return Table(rename for line in text.splitlines() if (rename := parse_line(line)))


class Place(int):
    """The number of a row, to be filled in."""


WHY_NULL = "not_measured"
NOT_STORED = ": it is not stored; it is"


def explained(path):
    """The path of the member that a reason for a null is about."""
    return tuple(step for step in path if step != WHY_NULL)


class Mapped:
    """What a stored document says under the names of today: {path: (value, stored path)}."""

    def __init__(self, document, renames, command, kind):
        self.renames = [r for r in renames if r.applies(command, kind)]
        self.known = renames.known.setdefault((command, kind), {})
        self.values, self.problems = {}, []
        for stored, value in flatten(document).items():
            self.add(stored, value)

    def renamed(self, path):
        """(path, renames in order) under the names of today; None: dropped."""
        applied = []
        for rename in self.renames:
            found = rename.old is not None and match(rename.old, path)
            if not found:
                continue
            rename.is_used = True
            if rename.new is None:
                return None
            path = fill(rename.new, found[0]) + path[found[1]:]
            applied.append(rename)
        return path, applied

    def name_of_today(self, path, value=None):
        """(path, value) under the names of today; None: dropped. Rows share what was found out of
        the first of them: which row it is decides nothing."""
        if not self.renames:
            return path, value
        rows = [step for step in path if isinstance(step, int)]
        places = iter(range(len(rows)))
        shape = tuple(Place(next(places)) if isinstance(step, int) else step for step in path)
        key = tuple(None if isinstance(step, int) else step for step in path)
        if key not in self.known:
            self.known[key] = self.renamed(shape)
        if not self.known[key]:
            return None
        today, applied = self.known[key]
        for rename in applied:
            value = rename.convert(value)
        return tuple(rows[step] if isinstance(step, Place) else step for step in today), value

    def add(self, stored, value):
        if WHY_NULL in stored[:-1]:
            today = self.name_of_today(explained(stored))
            today = today and (today[0][:-1] + (WHY_NULL,) + today[0][-1:], value)
        else:
            today = self.name_of_today(stored, value)
        if not today:
            return
        path, value = today
        if path in self.values and not is_same(self.values[path][0], value):
            self.problems.append("%s: two stored members have this name, with %r and %r" % (
                written(path), self.values[path][0], value))
        self.values[path] = (value, stored)

    def is_new(self, path):
        if WHY_NULL in path[:-1]:
            path = explained(path)
        for rename in self.renames:
            if rename.old is None and match(rename.new, path):
                rename.is_used = True
                return True
        return False


def is_same(old, new):
    if isinstance(old, float) and isinstance(new, float):
        return math.isclose(old, new, rel_tol=1e-12)
    return type(old) is type(new) and old == new


def is_same_prose(old, new):
    """Words may change, but none go missing."""
    return isinstance(new, str) and (bool(new) or not old)


def differences(stored, actual, renames, command, kind, is_prose):
    """What of a document is not as it is stored, a line each. is_prose(stored path): words only."""
    mapped, found = Mapped(stored, renames, command, kind), flatten(actual)
    problems = mapped.problems
    for path, (value, before) in mapped.values.items():
        if path not in found:
            is_empty = value in (EMPTY_LIST, EMPTY_MEMBERS) or path[-1] == WHY_NULL and not value
            if not is_empty or not any(
                    mapped.is_new(p) for p in found if p[:len(path)] == path):
                problems.append("%s: it is gone; it was %r" % (written(path), value))
        elif isinstance(value, str) and is_prose(before):
            if not is_same_prose(value, found[path]):
                problems.append("%s: the words %r became %r" % (written(path), value, found[path]))
        elif not is_same(value, found[path]):
            problems.append("%s: %r became %r" % (written(path), value, found[path]))
    problems += ["%s%s %r" % (written(path), NOT_STORED, found[path])
                 for path in found if path not in mapped.values and not mapped.is_new(path)]
    return problems


def lines_for_new(problems):
    """Lines of a table under which members that are not stored are new ones."""
    paths = {re.sub(r"\[\d+\]", "[]", problem.split(NOT_STORED)[0]).replace("." + WHY_NULL, "")
             for problem in problems if NOT_STORED in problem}
    return ["* * - %s new" % path for path in sorted(paths)]
