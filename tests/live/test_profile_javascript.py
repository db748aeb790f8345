# SPDX-License-Identifier: BSD-2-Clause
"""
Functions of JavaScriptCore in bun, started without any option, against what the programs know about
themselves: shares, callers, recursion, callbacks of the engine's functions, functions that live for
milliseconds. Never a name of a function that does not run. Calls are never the last thing that a function
does: such a call takes the place of its caller.
"""
import os
import sys
import types
import unittest

import harness
from harness import Case, Process, needs_bpf

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from agents import install

VERSIONS = ("1.3.14", "1.4.3")

WORK = r"""
import { noInline } from "bun:jsc";
function spend(n) { let s = 0; for (let i = 0; i < n; i++) s = (s * 31 + i) | 0; return s; }
function neverCalled() { return spend(1) + 1; }
function until(seconds, work) { const end = Date.now() + 1000 * seconds; while (Date.now() < end) work(); }
const apart = (...all) => all.forEach(f => noInline(f));
apart(spend, neverCalled, until);
"""

CASES = {
    "shares": r"""
function seventy() { return spend(70000) + 1; }
function twenty() { return spend(20000) + 1; }
function ten() { return spend(10000) + 1; }
function outer() { return seventy() + twenty() + ten(); }
apart(seventy, twenty, ten, outer);
until(SECONDS, outer);
""",
    "kinds": r"""
class Shop { #n = 9000; open() { return this.serve(this.#n) + 1; } serve(n) { return spend(n) + 1; } }
const shop = new Shop();
const arrow = () => shop.open() + 1;
function down(n) { return n ? down(n - 1) + 1 : spend(9000) + 1; }
function* numbers() { for (let i = 0; i < 4; i++) yield spend(3000); }
function generating() { let s = 0; for (const n of numbers()) s += n; return s; }
function byValue(a, b) { spend(30); return a - b; }
function sorting() { return Array.from({ length: 60 }, (_, i) => i * 7919 % 61).sort(byValue)[0]; }
function reviver(k, v) { spend(500); return v; }
function parsing() { return JSON.parse('[1,2,3,[4,5,6],{"a":7}]', reviver)[0]; }
function größe() { return spend(9000) + 1; }
apart(Shop.prototype.open, Shop.prototype.serve, arrow, down, generating, byValue, sorting, reviver, parsing, größe);
function all() { arrow(); down(20); generating(); sorting(); parsing(); größe(); }
apart(all);
until(SECONDS, all);
""",
    "short-lived": r"""
let k = 0;
function generation() {
  k++;
  const f = new Function("spend", "apart", `function leaf${k % 10}(n) { return spend(n) + ${k}; }
    function born${k}() { let s = 0; for (let i = 0; i < 40; i++) s += leaf${k % 10}(2000); return s; }
    apart(leaf${k % 10}, born${k}); return born${k};`)(spend, apart);
  for (let i = 0; i < 30; i++) f();
  if (k % 20 == 0) Bun.gc(true);
}
apart(generation);
until(SECONDS, generation);
""",
}


def find_bun(version):
    bun = types.SimpleNamespace(name="bun", package="bun", version=version,
                                executable="node_modules/bun/bin/bun.exe")
    return install.install(bun)


@needs_bpf
@unittest.skipUnless(os.uname().machine == "x86_64", "only layouts of x86-64 are known")
class JavaScript(Case):
    def script(self, name, seconds):
        path = self.path(name + ".js")
        with open(path, "w", encoding="utf-8") as file:
            file.write(WORK + CASES[name].replace("SECONDS", str(seconds)))
        return path

    def bun(self, version):
        try:
            return find_bun(version)
        except install.CannotInstall as error:
            return self.skipTest(str(error))

    def stacks(self, version, name):
        path = self.path("stacks.folded")
        self.sooth("profile", "--rate", "499", "--folded", path, "--", self.bun(version),
                   self.script(name, 3))
        found = []
        for line in harness.read(path).decode().splitlines():
            names, _, count = line.rpartition(" ")
            found.append((names.split(";"), int(count)))
        self.assertNotIn("neverCalled", str(found))
        return [(stack, count) for stack, count in found if "until" in stack]

    def share(self, stacks, *names, of=()):
        """Of the samples with `of`: those with these names in this order, others between."""
        def holds(stack, wanted):
            rest = iter(stack)
            return all(name in rest for name in wanted)
        chosen = [(stack, count) for stack, count in stacks if holds(stack, of)]
        total = sum(count for _, count in chosen)
        self.assertGreater(total, 50, stacks[:4])
        return sum(count for stack, count in chosen if holds(stack, names)) / total

    def assert_named(self, stacks, most):
        total = sum(count for _, count in stacks)
        unnamed = sum(count for stack, count in stacks if "[JIT code (JavaScriptCore)]" in stack)
        self.assertLess(unnamed, most * total)

    def test_shares(self):
        for version in VERSIONS:
            with self.subTest(version):
                stacks = self.stacks(version, "shares")
                chain = ("[module shares.js]", "until", "outer")
                for name, share in (("seventy", 0.7), ("twenty", 0.2), ("ten", 0.1)):
                    self.assertLess(abs(self.share(stacks, *chain, name, "spend", of=("outer",)) -
                                        share), 0.1, name)
                self.assertEqual(self.share(stacks, "ten", "seventy"), 0)
                self.assert_named(stacks, 0.05)

    def test_kinds(self):
        for version in VERSIONS:
            with self.subTest(version):
                stacks = self.stacks(version, "kinds")
                for chain in (("all", "arrow", "open", "serve", "spend"), ("all", *21 * ("down",), "spend"),
                              ("all", "generating", "numbers", "spend"), ("all", "sorting", "sort", "byValue"),
                              ("all", "parsing", "parse", "reviver"), ("all", "größe", "spend")):
                    self.assertGreater(self.share(stacks, *chain), 0.01, chain)
                self.assert_named(stacks, 0.1)

    def test_short_lived(self):
        """Their memory is another function's soon: a leaf is only ever called by its own."""
        for version in VERSIONS:
            with self.subTest(version):
                seen = 0
                for stack, count in self.stacks(version, "short-lived"):
                    for above, name in zip(stack, stack[1:]):
                        if name.startswith("leaf") and above.startswith("born"):
                            self.assertEqual(int(above[4:]) % 10, int(name[4:]), stack)
                            seen += count
                self.assertGreater(seen, 20)

    def test_attached(self):
        target = Process([self.bun(VERSIONS[-1]), self.script("shares", 60)])
        self.addCleanup(target.end)
        report = self.sooth("profile", "-j", "--rate", "499", "-d", "2", str(target.pid)).json()
        self.assertTrue(target.is_running())
        rows = {row["function"]: row for row in report["functions"]}
        self.assertGreater(rows["outer"]["total_percent"], 60)
        self.assertRegex(rows["seventy"]["file"], r"^shares\.js\+\d+$")


if __name__ == "__main__":
    harness.main()
