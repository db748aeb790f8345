#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The grammar of D as far as sooth's programs for dtrace(1) use it, strictly: no version of D that is
implemented somewhere takes less. d_check.py PROGRAM DIR: programs that PROGRAM writes; share/claude-monitor.d; and
that broken ones are refused. A clause may only read variables that some clause writes, print aggregations that
some clause fills, and give printf() as many values as its format takes."""
import pathlib
import re
import subprocess
import sys
import tempfile

SHARE = pathlib.Path(__file__).resolve().parents[2] / "share"
BUILTIN = set("arg0 arg1 arg2 arg3 arg4 arg5 arg6 arg7 arg8 arg9 errno execname pid ppid tid uid probefunc "
              "probename probemod probeprov timestamp vtimestamp walltimestamp".split())
# name: least and most arguments
FUNCTIONS = {"printf": (1, 99), "printa": (2, 99), "trunc": (1, 2), "clear": (1, 1), "exit": (1, 1), "copyin": (2, 2),
             "copyinstr": (1, 2), "ustack": (0, 2), "strlen": (1, 1)}
AGGREGATING = {"count": 0, "sum": 1, "max": 1, "min": 1, "avg": 1, "quantize": 1}
TYPES = r"(?:u?int(?:8|16|32|64)_t|int|char|uintptr_t)\s*\**"
PROVIDERS = {"dtrace", "syscall", "proc", "profile"}
TOKEN = re.compile(r'\s*("(?:[^"\\\n]|\\.)*"|@\w+|\$\w+|(?:self|this)->\w+|\w+|'
                   r'\+=|-=|\+\+|--|==|!=|<=|>=|&&|\|\||->|[-+*/%<>=!&|?:;,()\[\]{}~^])')
CONVERSION = re.compile(r"%(?:%|([-@]?)\d*(?:\.\d+)?([a-zA-Z]))")


class Refused(Exception):
    pass


class Parser:
    """Of the text between two braces, or of a predicate."""

    def __init__(self, text, program):
        self.program, self.tokens, at = program, [], 0
        text = text.strip()
        while at < len(text):
            match = TOKEN.match(text, at)
            if not match:
                raise Refused(f"no token of D: {text[at:at + 30]!r}")
            self.tokens.append(match[1])
            at = match.end()
        self.tokens.append("")
        self.at = 0

    def peek(self):
        return self.tokens[self.at]

    def take(self, expected=None):
        token = self.tokens[self.at]
        if expected is not None and token != expected or not token:
            raise Refused(f"{expected!r} expected, not {token!r}")
        self.at += 1
        return token

    def statements(self):
        while self.peek():
            self.expression()
            self.take(";")

    def expression(self):
        self.ternary()
        if self.peek() in ("=", "+=", "-="):
            target = self.last
            self.take()
            if target.startswith("@"):
                name = self.take()
                if name not in AGGREGATING:
                    raise Refused(f"{name}() aggregates nothing")
                self.arguments(AGGREGATING[name], AGGREGATING[name])
                self.program.filled.add(target)
            else:
                self.program.written.add(target)
                self.expression()

    def ternary(self):
        self.binary()
        if self.peek() == "?":
            self.take()
            self.ternary()
            self.take(":")
            self.ternary()
            self.last = ""

    def binary(self):
        self.unary()
        while self.peek() in ("+", "-", "*", "/", "%", "<", ">", "<=", ">=", "==", "!=", "&&", "||", "&", "|", "^"):
            self.take()
            self.unary()
            self.last = ""

    def unary(self):
        while self.peek() in ("!", "-", "~", "*"):
            self.take()
        if self.peek() == "(" and re.fullmatch(TYPES, "".join(self.tokens[self.at + 1:self.at + 3]).split(")")[0]):
            while self.take() != ")":
                pass
            return self.unary()
        self.primary()
        while self.peek() == "[":
            self.take()
            before = self.last
            self.expression()
            while self.peek() == ",":
                self.take()
                self.expression()
            self.take("]")
            self.last = before
        if self.peek() in ("++", "--"):
            self.take()
            self.program.written.add(self.last)
        return None

    def primary(self):
        token = self.take()
        self.last = token
        if token == "(":
            self.expression()
            self.take(")")
            self.last = ""
        elif token.startswith('"'):
            if self.peek().startswith('"'):
                raise Refused("two texts side by side: D does not join them")
        elif token.startswith(("@", "self->", "this->")) or re.fullmatch(r"\d+|0x[0-9a-f]+", token):
            if not token[0].isdigit():
                self.program.read.add(token)
        elif token.startswith("$"):
            if token not in ("$target", "$pid"):
                raise Refused(f"no variable of dtrace: {token}")
        elif re.fullmatch(r"[a-zA-Z_]\w*", token):
            if self.peek() == "(":
                self.call(token)
            else:
                self.program.read.add(token)
        else:
            raise Refused(f"no expression: {token!r}")

    def arguments(self, least, most):
        begin, count = self.at, 0
        self.take("(")
        while self.peek() != ")":
            self.expression()
            count += 1
            if self.peek() != ")":
                self.take(",")
        self.take(")")
        if not least <= count <= most:
            raise Refused(f"{count} arguments of {self.tokens[begin - 1]}(), which takes {least} to {most}")
        return self.tokens[begin + 1], count

    def call(self, name):
        if name not in FUNCTIONS:
            raise Refused(f"no function of D: {name}()")
        first, count = self.arguments(*FUNCTIONS[name])
        if name not in ("printf", "printa"):
            return
        if not first.startswith('"'):
            raise Refused(f"{name}() without a format")
        kinds = [(at, letter) for at, letter in CONVERSION.findall(first) if letter]
        if "%" in CONVERSION.sub("", first):
            raise Refused(f"no format: {first}")
        if name == "printf" and len(kinds) != count - 1:
            raise Refused(f"{len(kinds)} conversions for {count - 1} values: {first}")
        if name == "printa" and sum(at == "@" for at, _ in kinds) != count - 1:
            raise Refused(f"other values than aggregations: {first}")


class Program:
    def __init__(self, text):
        self.read, self.written, self.filled = set(), set(BUILTIN), set()
        text = re.sub(r"^#!.*", "", text)
        text = re.sub(r"/\*.*?\*/", lambda m: re.sub(r"[^\n]", " ", m[0]), text, flags=re.S)
        text = re.sub(r"(?m)^#pragma D option \w+(?:=\w+)?$", "", text).strip()
        while text:
            # A predicate stands in lines of its own, the braces at the start of theirs.
            match = re.match(r"([\w:*.$,\s-]+?)\n(?:/(.+?)/\n)?\{\n(.*?)\n\}(?:\n|$)", text, re.S)
            if not match:
                raise Refused(f"no clause: {text[:60]!r}")
            self.clause(*match.groups())
            text = text[match.end():].strip()
        unknown = {name for name in self.read if not name.startswith("@")} - self.written
        if unknown:
            raise Refused(f"read, and never written: {sorted(unknown)}")
        unfilled = {name for name in self.read if name.startswith("@")} - self.filled
        if unfilled:
            raise Refused(f"printed, and never filled: {sorted(unfilled)}")

    def clause(self, probes, predicate, body):
        for probe in probes.split(","):
            parts = probe.strip().split(":")
            if len(parts) != 4 or parts[0] not in PROVIDERS or not parts[3]:
                raise Refused(f"no probe: {probe.strip()!r}")
        if predicate:
            parser = Parser(predicate, self)
            parser.expression()
            if parser.peek():
                raise Refused(f"behind a predicate: {parser.peek()!r}")
        Parser(body, self).statements()


# What each of these becomes, of a program that is good.
BREAK = [("count();", "count()"), ("timestamp;", "timestamq;"), ("/self->at/", "/self->att/"),
         ("walltimestamp);", "walltimestamp, 1);"), ("sum(this->took)", "sum()"), ("= count()", "= counts()"),
         ("syscall:::return", "syscall::return"), ("copyinstr(", "copyinstring("), ("printf(\"t", "printf(\"t\" \"u"),
         ("@n, @t, @m);", "@n, @t, @zz);"), ("@n, @t, @m);", "@n, @t);"), ("}\n", "\n"), ("pid != $pid", "pid != $pidd"),
         ("followed[pid]", "followed[pid")]


def refusal(text):
    try:
        Program(text)
    except (Refused, IndexError) as e:
        return str(e) or "ends too early"
    return ""


def main():
    problems, unbroken = [], list(BREAK)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.argv[1], folder], check=True)
        programs = sorted(pathlib.Path(folder).glob("*.d")) + sorted(SHARE.glob("*.d"))
        texts = {path.name: path.read_text() for path in programs}
    for name, text in texts.items():
        why = refusal(text)
        problems += [f"{name}: {why}"] if why else []
        for broken in [b for b in unbroken if not why and b[0] in text]:
            unbroken.remove(broken)
            if not refusal(text.replace(*broken, 1)):
                problems.append(f"{name} with {broken[1]!r} for {broken[0]!r} is taken for a good one")
    problems += [f"no program has {b[0]!r}, which was to be broken" for b in unbroken]
    print("\n".join(problems) or f"{len(texts)} programs of dtrace are as its grammar wants them")
    return bool(problems)


sys.exit(main())
