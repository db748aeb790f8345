# SPDX-License-Identifier: BSD-2-Clause
"""
Which members a report of JSON has, and of which types: of what is live values differ, and these do
not. baseline/contracts.json has them of each command line in contracts.py that prints JSON;
test_contracts.py compares on its own runs, and adds to the file what it sees where RENEW_CONTRACTS is
set (`SOOTH=build/sooth tests/cli/baseline.py --renew-contracts`); what is no longer there is deleted by hand.
"""
import json
import os
import re

import baseline

STORED = os.path.join(baseline.FOLDER, "contracts.json")
# Members whose names are values: descriptors of a type, processes in a state.
NAMED_BY_VALUES = {"by_type", "threads_by_state", "sockets_by_state", "heap_by_type"}
# Tables that are there only where they have rows: of processes that ended during the run.
SOMETIMES = ("ended_processes",)
ABSENT = "absent"
TYPES = {dict: "members", list: "rows", str: "text", bool: "truth", int: "integer", float: "real",
         type(None): "null"}


def types_of(value, path=(), found=None):
    """{path: types} with 0 for each row and * for a name that is a value. A member that only some
    rows have is also absent."""
    found = {} if found is None else found
    if path:
        found.setdefault(path, set()).add(TYPES[type(value)])
    if isinstance(value, list):
        for row in value:
            if isinstance(row, dict):
                types_of_members(row, path + (0,), found)
            else:
                types_of(row, path + (0,), found)
    elif isinstance(value, dict):
        types_of_members(value, path, found)
    return found


def types_of_members(row, path, found):
    is_first = path + ("",) not in found
    known = {p for p in found if p[:-1] == path and p[-1]}
    found[path + ("",)] = set()  # such an object was seen
    for name, member in row.items():
        if name == baseline.WHY_NULL:
            continue
        named = path and path[-1] in NAMED_BY_VALUES
        below = path + ("*" if named else name,)
        if not is_first and below not in known and not named:
            found.setdefault(below, set()).add(ABSENT)
        types_of(member, below, found)
        known.discard(below)
    for missing in known:
        found[missing].add(ABSENT)


def written(path):
    return "".join("[0]" if step == 0 else "." * (i > 0) + step for i, step in enumerate(path))


def path_of(text):
    return tuple(0 if step == "[0]" else step for step in re.findall(r"\[0\]|[^.\[]+", text))


def as_stored(found):
    return {written(path): listed(types) for path, types in found.items() if path[-1] != ""}


def read_stored():
    if not os.path.exists(STORED):
        return {}
    with open(STORED, encoding="utf-8") as file:
        return json.load(file)


def renew(line, value):
    stored = read_stored()
    known = stored.setdefault(str(line), {})
    for path, types in as_stored(types_of(without_sometimes(value))).items():
        known[path] = listed({*types.split(" or "), *known.get(path, types).split(" or ")})
    with open(STORED, "w", encoding="utf-8") as file:
        json.dump(stored, file, indent=1, sort_keys=True)
        file.write("\n")


def check(line, value):
    """What members or types are not as they are stored, a line each."""
    stored = read_stored().get(str(line))
    if stored is None:
        return ["nothing is stored of it: baseline.py --renew-contracts"]
    return differences(stored, without_sometimes(value))


def without_sometimes(value):
    """The report without such tables; what remains is the same with and without them."""
    value = dict(value)
    for name in SOMETIMES:
        for row in value.pop(name, []):
            assert isinstance(row["pid"], int), row
    return value


def differences(stored, value):
    found, problems = types_of(value), []
    expected = {path_of(text): set(types.split(" or ")) for text, types in stored.items()}
    for path, types in expected.items():
        seen = found.get(path)
        if seen is None:
            if path[:-1] + ("",) in found and ABSENT not in types and path[-1] not in (0, "*"):
                problems.append("%s: it is gone; it was %s" % (written(path), listed(types)))
        elif types - {"null", ABSENT} and seen - types - {"null"} or seen - types == {ABSENT}:
            problems.append("%s: %s became %s" % (written(path), listed(types), listed(seen)))
    problems += ["%s: it is not stored; it is %s" % (written(path), listed(types))
                 for path, types in found.items()
                 if path[-1] != "" and path not in expected and not is_below_null(path, expected)]
    return problems


def is_below_null(path, expected):
    """Of what was null, or of rows of which there were none, the members were not seen."""
    return any(path[:i] in expected and (expected[path[:i]] <= {"null"} or expected[path[:i]] <= {
        "rows", "null"} and not any(p[:i + 1] == path[:i] + (0,) for p in expected))
        for i in range(1, len(path)))


def listed(types):
    return " or ".join(sorted(types))
