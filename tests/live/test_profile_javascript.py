# SPDX-License-Identifier: BSD-2-Clause
"""
Functions of JavaScriptCore in bun, started without any option, against what the programs know about
themselves: shares, callers, recursion, callbacks of the engine's functions, functions that live for
milliseconds. Never a name of a function that does not run. Calls are never the last thing that a function
does: such a call takes the place of its caller.
"""
import os
import re
import subprocess
import unittest

import bun_program
import harness
from harness import Case, Process, needs_bpf

VERSIONS = ("1.3.14", "1.4.3")
CALIBRATED = VERSIONS[-1:]  # all of them take a minute
TRIES = 4

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

# Names that are not in memory: the program runs from cached bytecode, and what runs of an async function or
# of a generator has none. sooth reads them from the text in the executable. Few calls: none is compiled into
# its caller.
FORMS = r"""
function work() { return spend(300000) + 1; }
function declared(a) { return work() + 1; }
const arrow = (a, b) => { return work() + 1; };
const assigned = function (a) { return work() + 1; };
const thing = { method(a) { return work() + 1; }, property: (a) => { return work() + 1; },
  async later(a) { await 1; return work() + 1; }, *several(a) { yield work(); yield work(); },
  get computed() { return work() + 1; } };
async function awaiting(a) { await 1; return work() + 1; }
function* generating(a) { yield work(); yield work(); }
const asyncArrow = async (a) => { await 1; return work() + 1; };
class Shop { constructor(a) { this.x = work(); } serve(a) { return work() + 1; } static of(a) { return work() + 1; }
  #hidden(a) { return work() + 1; } open() { return this.#hidden(1) + 1; } field = (a) => { return work() + 1; } }
const shop = new Shop(1);
function neverCalled() { return work() + 1; }
async function all() {
  while (process.cpuUsage().user < 1e6 * SECONDS) {
    declared(1); arrow(1); assigned(1); thing.method(1); thing.property(1); await thing.later(1);
    for (const x of thing.several(1)); thing.computed; await awaiting(1); for (const x of generating(1));
    await asyncArrow(1); new Shop(1); shop.serve(1); Shop.of(1); shop.open(1); shop.field(1);
    [1].map((x) => { return work() + 1; }); await Promise.resolve(1).then((v) => { return work() + 1; });
  }
}
if (!process.argv[2]) all(); else neverCalled();
"""
NAMES = {"declared", "arrow", "assigned", "method", "property", "later", "several", "computed", "awaiting",
         "generating", "asyncArrow", "Shop", "serve", "of", "open", "field", "all", "work", "spend", "#hidden"}
PASSED = {"map", "then"}  # functions that functions without a name are passed to

# The layout of a build that is not known is found in the running process, as the file of the cache has it:
# what is 0 there is optional. In the order of jsc_cache.c.
LAYOUTS = {
    "1.3.14": ("a9a0d18db4f98a86ad4778800c5fa46943f81b2e",
               (24, 48, 64, 56, 120, 40, 88, 64, 56, 80, 16, 0, 31, 72, 12, 24, 336, 0, 80, 64, 1, 36, 20, 14, 15, 10)),
    "1.4.3": ("a9ea3707c32f242dc5ec7fee3c5fdd9bc99893b3",
              (24, 48, 64, 56, 120, 40, 80, 64, 48, 64, 8, 1, 31, 72, 12, 24, 400, 48, 80, 64, 0, 36, 18, 12, 13, 8)),
}
OPTIONAL = (1, 7, 18, 19)  # functions with rare data, host functions, inlined functions
MANY = 160


def many_functions():
    """Functions in all tiers of the engine: some run a few times, others thousands of times as often."""
    lines = ['import { noInline } from "bun:jsc";',
             "function spend(n) { let s = 0; for (let i = 0; i < n; i++) s = (s * 31 + i) | 0; return s; }"]
    for i in range(MANY):
        lines.append("function work%d(a) { let s = 0; for (let i = 0; i < %d; i++) s = (s * 31 + call%d(i)) | 0; "
                     "return s; }" % (i, (2, 2, 40, 4000)[i % 4], i))
        lines.append("function call%d(a) { return spend(%d) + a; }" % (i, (40000, 4000, 400, 15)[i % 4]))
    lines.append("const works = [%s];" % ",".join("work%d" % i for i in range(MANY)))
    lines.append("for (const f of [spend, %s]) noInline(f);" % ",".join("call%d,work%d" % (i, i) for i in range(MANY)))
    lines.append("const end = process.argv[2] * 1e6;")
    lines.append("while (process.cpuUsage().user < end) for (const f of works) f(1);")
    return "\n".join(lines)


@needs_bpf
@unittest.skipUnless(os.uname().machine == "x86_64", "only layouts of x86-64 are known")
class JavaScript(Case):
    def script(self, name, seconds):
        path = self.path(name + ".js")
        with open(path, "w", encoding="utf-8") as file:
            file.write(WORK + CASES[name].replace("SECONDS", str(seconds)))
        return path

    def bun(self, version):
        return bun_program.skip_or_find(self, version)

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
                for _ in range(3):  # beside other programs there may be too few samples in one run
                    for stack, count in self.stacks(version, "short-lived"):
                        for above, name in zip(stack, stack[1:]):
                            if name.startswith("leaf") and above.startswith("born"):
                                self.assertEqual(int(above[4:]) % 10, int(name[4:]), stack)
                                seen += count
                    if seen > 20:
                        break
                self.assertGreater(seen, 20)

    def test_cached_bytecode(self):
        """Each function has its name, and nothing else has one."""
        for version in VERSIONS:
            with self.subTest(version):
                source, program, seen = self.path("forms.js"), self.path("forms-" + version), set()
                with open(source, "w", encoding="utf-8") as file:
                    file.write("function spend(n) { let s = 0; for (let i = 0; i < n; i++) s = (s * 31 + i) | 0; "
                               "return s; }\n" + FORMS.replace("SECONDS", "2"))
                subprocess.run([self.bun(version), "build", "--compile", "--bytecode", source, "--outfile", program],
                               check=True, stdout=subprocess.DEVNULL)
                report = self.sooth("profile", "-j", "--rate", "499", "--", program).json()
                for row in report["functions"]:
                    if re.search(r"^forms-.*\+\d+$", row["file"] or ""):
                        seen.add(re.sub(r" \[inlined\]$", "", row["function"]))
                self.assertRegex(" ".join(seen), r"~\w+( |$)")
                seen = {name.lstrip("~") for name in seen}
                self.assertLessEqual({"cb:" + name for name in PASSED}, seen)
                self.assertLessEqual(NAMES, seen)
                unknown = seen - NAMES - {"cb:" + name for name in PASSED}
                self.assertEqual({name for name in unknown if not name.startswith("[")}, set())

    def unknown_program(self, version):
        """The same program in an executable with a build id that is not known; and that id."""
        source, program = self.path("many.js"), self.path("many-" + version)
        with open(source, "w", encoding="utf-8") as file:
            file.write(many_functions())
        subprocess.run([self.bun(version), "build", "--compile", source, "--outfile", program],
                       check=True, stdout=subprocess.DEVNULL)
        known = bytes.fromhex(LAYOUTS[version][0])
        with open(program, "r+b") as file:
            at = file.read().index(known)
            file.seek(at)
            file.write(b"\x00")
        return program, "00" + known.hex()[2:]

    def test_calibrated(self):
        for version in CALIBRATED:
            with self.subTest(version):
                program, build_id = self.unknown_program(version)
                cache = self.path("cache-" + version)
                environment = dict(os.environ, XDG_CACHE_HOME=cache)
                kept = os.path.join(cache, "sooth", "jsc-" + build_id)
                for _ in range(TRIES):  # how many functions are seen is by chance
                    self.sooth("profile", "--rate", "499", "--", program, "4", env=environment)
                    if os.path.exists(kept):
                        break
                _, of, *numbers, _ = harness.read(kept).decode().splitlines()
                self.assertEqual(of, build_id)
                expected = list(LAYOUTS[version][1])
                found = [int(number) for number in numbers]
                for place in OPTIONAL:
                    self.assertIn(found[place], (0, expected[place]))
                    expected[place] = found[place]
                self.assertEqual(found, expected)
                report = self.sooth("profile", "-j", "--rate", "499", "--", program, "1", env=environment).json()
                names = {row["function"] for row in report["functions"] if "+" in (row["file"] or "")}
                self.assertIn("spend", names)
                wrong = [name for name in names if not re.fullmatch(r"spend|(work|call)\d+|\[.*|~cb:cjs", name)]
                self.assertEqual(wrong, [])

    def test_not_calibrated(self):
        """A program of few functions decides nothing, and the report says so."""
        version = VERSIONS[-1]
        program = self.path("few")
        subprocess.run([self.bun(version), "build", "--compile", self.script("shares", 1), "--outfile", program],
                       check=True, stdout=subprocess.DEVNULL)
        with open(program, "r+b") as file:
            at = file.read().index(bytes.fromhex(LAYOUTS[version][0]))
            file.seek(at)
            file.write(b"\x00")
        cache = self.path("no-cache")
        report = self.sooth("profile", "-j", "--rate", "499", "--", program,
                            env=dict(os.environ, XDG_CACHE_HOME=cache)).json()
        reasons = [note["reason"] for note in report["limits"] if note["what"] == "names of functions of JavaScript"]
        self.assertRegex(" ".join(reasons), "its layout was not found: too few different functions were seen")
        self.assertNotIn("seventy", {row["function"] for row in report["functions"]})
        self.assertFalse(os.path.exists(cache))

    def test_attached(self):
        target = Process([self.bun(VERSIONS[-1]), self.script("shares", 60)])
        self.addCleanup(target.end)
        report = self.sooth("profile", "-j", "--rate", "499", "-d", "2", str(target.pid)).json()
        stack = self.sooth("stack", str(target.pid)).text
        self.assertRegex(stack, r"(?s) outer  shares\.js\+\d+\n.* until  shares\.js\+\d+\n"
                         r".*\[module shares\.js\]")
        self.assertTrue(target.is_running())
        rows = {row["function"]: row for row in report["functions"]}
        self.assertGreater(rows["outer"]["total_percent"], 60)
        self.assertRegex(rows["seventy"]["file"], r"^shares\.js\+\d+$")


if __name__ == "__main__":
    harness.main()
