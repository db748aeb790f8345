# SPDX-License-Identifier: BSD-2-Clause
"""
Which file of src/ calls which, read from the text: a file is its .c and the .h of the same name.
What runs in the kernel stays out, and so do names that several files define (one for each system).
"""
import collections
import re

COMMENT_OR_TEXT = re.compile(r'/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.S)
DEFINITION = re.compile(r"(?m)^(?!static\b)(?:[A-Za-z_][^;{}#=]*?[ *])(\w+)\([^;{}]*\)\n\{")
# A declaration calls nothing.
DECLARATION = re.compile(r"(?m)^[A-Za-z_][^;{}#=]*?\([^;{}]*\)[^;{}]*;")
# Members and types may have the names of functions.
NAME = re.compile(r"(?<!struct )(?<!enum )(?<!\.)(?<!->)\b\w+\b")
APART = ("bpf", "preload")


def sources(root):
    return {str(path.relative_to(root)): path.read_text(errors="replace")
            for path in sorted((root / "src").rglob("*.[ch]"))
            if path.relative_to(root).parts[1] not in APART}


def unit_of(name):
    return name[:-2]


class Linkage:
    def __init__(self, root):
        self.root = root
        self.written = sources(root)
        self.texts = {name: COMMENT_OR_TEXT.sub(" ", text) for name, text in self.written.items()}
        definers = collections.defaultdict(set)
        for name, text in self.texts.items():
            if name.endswith(".c"):
                for function in DEFINITION.findall(text):
                    definers[function].add(name)
        # {function: file}
        self.defined = {function: next(iter(files)) for function, files in definers.items()
                        if len(files) == 1}
        self.callers = collections.defaultdict(set)
        for name, text in self.texts.items():
            if name.endswith(".h"):
                text = DECLARATION.sub("", text)
            for function in set(NAME.findall(text)) & self.defined.keys():
                if unit_of(self.defined[function]) != unit_of(name):
                    self.callers[function].add(name)

    def calls(self):
        """{file: {other file: a function that it calls there}}, without endings."""
        found = collections.defaultdict(dict)
        for function, names in sorted(self.callers.items()):
            for name in names:
                found[unit_of(name)].setdefault(unit_of(self.defined[function]), function)
        return found

    def circles(self):
        """Sets of files that call each other, directly or through others."""
        calls = self.calls()

        def reached(name):
            found, left = set(), [name]
            while left:
                for other in calls.get(left.pop(), ()):
                    if other not in found:
                        found.add(other)
                        left.append(other)
            return found

        below = {name: reached(name) for name in calls}
        return sorted({frozenset(other for other in below[name] if name in below.get(other, ()))
                       for name in below if name in below[name]}, key=sorted)

    def with_one_caller(self):
        """{function: (its file, the only other that calls it)}; what the library offers is for all."""
        return {function: (self.defined[function], next(iter(names)))
                for function, names in sorted(self.callers.items())
                if len(names) == 1 and not function.startswith("sooth_")}

    def called_by_tests(self):
        """Of those, the functions that a test or an example names: they cannot be static."""
        words = set()
        for folder in ("tests", "examples"):
            for path in (self.root / folder).rglob("*.[ch]"):
                words.update(re.findall(r"\w+", COMMENT_OR_TEXT.sub(" ", path.read_text(errors="replace"))))
        return words & self.with_one_caller().keys()

    def satellites(self):
        """{file: the only file that calls it, by one function or more}."""
        users = collections.defaultdict(set)
        for function, names in self.callers.items():
            users[self.defined[function]].update(unit_of(name) for name in names)
        return {name: next(iter(others)) for name, others in sorted(users.items()) if len(others) == 1}

    def headers_with_one_user(self):
        """{header: the only file beside its own that includes it}."""
        users = collections.defaultdict(set)
        for name, text in self.written.items():
            for header in re.findall(r'#include "([^"]+\.h)"', text):
                users["src/" + header].add(name)
        found = {header: names - {unit_of(header) + ".c"} for header, names in users.items()}
        return {header: next(iter(names)) for header, names in sorted(found.items()) if len(names) == 1}
