# SPDX-License-Identifier: BSD-2-Clause
"""
Programs that spend 70, 20 and 10 % of their CPU time in three functions, in five languages: `sooth
profile` has these shares within the error of sampling, whole stacks, and the right first line.

Each program looks at the CPU clock of its thread and switches to the next function when its part of a
turn is over; turns have different lengths, so none is in step with the samples. The bounds are
quantiles of the binomial distribution: all shares of a run together pass them by chance once in a
thousand runs.
"""
import math
import os
import shutil
import subprocess
import unittest

import harness
from harness import Case, needs_bpf

RATE = 997
SECONDS = 2
SHARES = {"seventy": 0.7, "twenty": 0.2, "ten": 0.1}
LANGUAGES = 5
CHANCE = 0.001 / (LANGUAGES * len(SHARES))  # of one share

# The lengths of turns, in milliseconds: 1 to 19, in an order that does not repeat soon.
C = r"""
#include <time.h>
static volatile unsigned long sink[4];
static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}
#define WORK(name, place) __attribute__((noinline)) void name(double end) \
{ while (now() < end) for (int i = 0; i < 20000; i++) sink[place] += i; sink[place]++; }
WORK(seventy, 0) WORK(twenty, 1) WORK(ten, 2)
__attribute__((noinline)) void turn(double from, double length)
{
	seventy(from + 0.7 * length);
	twenty(from + 0.9 * length);
	ten(from + length);
	sink[3]++;
}
int main(void)
{
	double from = now(), end = from + SECONDS;
	for (unsigned turns = 1; from < end; turns++) {
		double length = (turns * 2654435761u >> 8) % 19 + 1;
		turn(from, length / 1000);
		from += length / 1000;
	}
}
"""

CXX = r"""
#include <array>
#include <functional>
#include <memory>
#include <time.h>
static volatile unsigned long sink[4];
static double now()
{
	timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}
namespace work {
template <int Percent> struct Part {
	template <typename T> __attribute__((noinline)) static void spend(T end)
	{
		while (now() < end)
			for (int i = 0; i < 20000; i++)
				sink[Percent % 4] += i * Percent;
		sink[3]++;
	}
};
struct Turn {
	virtual ~Turn() = default;
	virtual void take(double from, double length) = 0;
};
struct Three : Turn {
	__attribute__((noipa)) void take(double from, double length) override
	{
		Part<70>::spend(from + 0.7 * length);
		Part<20>::spend(from + 0.9 * length);
		Part<10>::spend(from + length);
		sink[3]++;
	}
};
}
__attribute__((noinline)) static void run(const std::function<void(double, double)> &turn)
{
	double from = now(), end = from + SECONDS;
	for (unsigned turns = 1; from < end; turns++) {
		double length = (turns * 2654435761u >> 8) % 19 + 1;
		turn(from, length / 1000);
		from += length / 1000;
	}
	sink[3]++;
}
int main(int count, char **)
{
	std::unique_ptr<work::Turn> turn(count ? new work::Three : nullptr);
	run([&](double from, double length) { turn->take(from, length); sink[3]++; });
}
"""

RUST = r"""
use std::hint::black_box;
#[repr(C)] struct Timespec { sec: i64, nsec: i64 }
extern "C" { fn clock_gettime(clock: i32, to: *mut Timespec) -> i32; }
fn now() -> f64 {
    let mut t = Timespec { sec: 0, nsec: 0 };
    unsafe { clock_gettime(3, &mut t) };
    t.sec as f64 + t.nsec as f64 * 1e-9
}
trait Spend { fn spend(&self, end: f64) -> u64; }
struct Part(u64);
impl Spend for Part {
    #[inline(never)]
    fn spend(&self, end: f64) -> u64 {
        let mut sum = 0u64;
        while now() < end { for i in 0..20000u64 { sum = black_box(sum + i * self.0); } }
        sum
    }
}
#[inline(never)] fn seventy(end: f64) -> u64 { let mut s = 0u64; while now() < end { for i in 0..20000u64 { s = black_box(s + i * 7); } } s }
#[inline(never)] fn twenty(end: f64) -> u64 { let mut s = 0u64; while now() < end { for i in 0..20000u64 { s = black_box(s + i * 2); } } s }
#[inline(never)] fn ten(end: f64) -> u64 { black_box(Part(1).spend(end)) + 1 }
#[inline(never)] fn turn(from: f64, length: f64) -> u64 {
    black_box(seventy(from + 0.7 * length)) + black_box(twenty(from + 0.9 * length)) + black_box(ten(from + length))
}
fn main() {
    let mut from = now();
    let end = from + SECONDS as f64;
    let mut turns = 1u32;
    let mut sum = 0u64;
    while from < end {
        let length = ((turns.wrapping_mul(2654435761) >> 8) % 19 + 1) as f64 / 1000.0;
        sum = sum.wrapping_add(turn(from, length));
        from += length;
        turns += 1;
    }
    black_box(sum);
}
"""

PYTHON = r"""
import time
now = time.thread_time
def seventy(end):
    while now() < end:
        for i in few: pass
def twenty(end):
    while now() < end:
        for i in few: pass
def ten(end):
    while now() < end:
        for i in few: pass
def turn(start, length):
    seventy(start + 0.7 * length)
    twenty(start + 0.9 * length)
    ten(start + length)
def main():
    start, turns = now(), 1
    end = start + SECONDS
    while start < end:
        length = ((turns * 2654435761 % 2 ** 32 >> 8) % 19 + 1) / 1000
        turn(start, length)
        start += length
        turns += 1
few = (0,) * 2000
main()
"""

# The clock of V8's process has its helping threads in it; after the first turns they do little.
NODE = r"""'use strict';
let sink = 0;
function now() { const t = process.cpuUsage(); return (t.user + t.system) / 1e6; }
function seventy(end) { while (now() < end) for (let i = 0; i < 20000; i++) sink = (sink * 31 + i) | 0; }
function twenty(end) { while (now() < end) for (let i = 0; i < 20000; i++) sink = (sink * 33 + i) | 0; }
function ten(end) { while (now() < end) for (let i = 0; i < 20000; i++) sink = (sink * 35 + i) | 0; }
function turn(from, length) {
  seventy(from + 0.7 * length);
  twenty(from + 0.9 * length);
  ten(from + length);
}
function main() {
  let from = now();
  const end = from + SECONDS;
  for (let turns = 1; from < end; turns++) {
    const length = ((Math.imul(turns, 2654435761) >>> 8) % 19 + 1) / 1000;
    turn(from, length);
    from += length;
  }
}
main();
"""


def quantile(samples, share, chance):
    """The largest number of hits that still is passed with more than this chance."""
    def log_of(hits):
        return (math.lgamma(samples + 1) - math.lgamma(hits + 1) - math.lgamma(samples - hits + 1) +
                hits * math.log(share) + (samples - hits) * math.log1p(-share))
    above = 0.0
    for hits in range(samples, -1, -1):
        above += math.exp(log_of(hits))
        if above > chance:
            return hits
    return 0


def bounds(samples, share):
    """Of the hits, on both sides."""
    return samples - quantile(samples, 1 - share, CHANCE / 2), quantile(samples, share, CHANCE / 2)


def holds(stack, names):
    """Whether these stand in the stack in this order, other frames between."""
    rest = iter(stack)
    return all(name in rest for name in names)


def compiler_of_rust():
    """One that works: a wrapper may have no toolchain."""
    found = shutil.which("rustc")
    if found and subprocess.run([found, "--version"], capture_output=True, check=False).returncode:
        return None
    return found


@needs_bpf
class Shares(Case):
    def source(self, text, name):
        path = self.path(name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace("SECONDS", str(SECONDS)))
        return path

    def build(self, text, name, *command):
        program = self.path("program")
        subprocess.run([*command, "-o", program, self.source(text, name)], check=True, capture_output=True)
        return program

    def check(self, words, names=None, callers=("main", "turn"), least_whole=0.95, runtime="-"):
        """names: what the three functions are called. The runtime's own code stands above a function of a script only
        in samples that a busy host took before the names of scripts were read."""
        names = names or {name: name for name in SHARES}
        capture, path = self.path("shares.sooth"), self.path("shares.folded")
        self.sooth("profile", "--rate", str(RATE), "--save", capture, "--folded", path, "--", *words)
        stacks = []
        for line in harness.read(path).decode().splitlines():
            stack, _, count = line.rpartition(" ")
            stacks.append((stack.split(";"), int(count)))
        hits = {function: sum(count for stack, count in stacks if name in stack)
                for function, name in names.items()}
        total = sum(hits.values())
        self.assertGreater(total, SECONDS * RATE / 2, stacks[:5])
        for function, share in SHARES.items():
            least, most = bounds(total, share)
            self.assertTrue(least <= hits[function] <= most,
                            "%s: %d of %d, not within %d to %d" % (function, hits[function], total, least, most))
        # Their callers stand above them; the first samples may be taken before the tables are made.
        under = sum(count for stack, count in stacks
                    if any(holds(stack, (*callers, name)) for name in names.values()))
        self.assertGreater(under / total, least_whole, stacks[:5])
        rows = self.sooth("profile", "-j", capture).json()["functions"]
        named = [row for row in rows if not row["function"].startswith(runtime + "+")]
        best = max(named, key=lambda row: row["self_samples"])
        self.assertEqual(best["function"], names["seventy"])
        if max(row["self_samples"] for row in rows) > best["self_samples"]:
            return rows
        text = self.sooth("profile", capture).text.splitlines()
        header = next(i for i, line in enumerate(text) if line.lstrip().startswith("SELF%"))
        self.assertIn(names["seventy"], text[header + 1], text[:8])
        return rows

    def test_bounds(self):
        """Of the distribution itself: what is outside is as rare as it is said to be."""
        least, most = bounds(1000, 0.5)
        outside = sum(math.comb(1000, hits) for hits in [*range(least), *range(most + 1, 1001)]) / 2 ** 1000
        self.assertTrue(CHANCE / 4 < outside <= CHANCE, outside)

    def test_c(self):
        self.check([self.build(C, "shares.c", "gcc", "-O2", "-fomit-frame-pointer")])

    @unittest.skipUnless(shutil.which("g++"), "needs g++")
    def test_cxx(self):
        program = self.build(CXX, "shares.cpp", "g++", "-O2", "-fomit-frame-pointer")
        self.check([program], callers=("main", "run", "work::Three::take"),
                   names={"seventy": "work::Part<70>::spend<double>", "twenty": "work::Part<20>::spend<double>",
                          "ten": "work::Part<10>::spend<double>"})

    @unittest.skipUnless(compiler_of_rust(), "needs rustc")
    def test_rust(self):
        program = self.build(RUST, "shares.rs", compiler_of_rust(), "-O")
        self.check([program], callers=("shares::main", "shares::turn"),
                   names={name: "shares::" + name for name in SHARES})

    @unittest.skipUnless(os.path.exists("/usr/bin/python3.11") and os.uname().machine == "x86_64",
                         "names of functions are read of Python 3.11 on x86-64")
    def test_python(self):
        rows = self.check(["/usr/bin/python3.11", self.source(PYTHON, "shares.py")], runtime="python3.11")
        self.assertIn("shares.py:4", {row["file"] for row in rows if row["function"] == "seventy"})

    @unittest.skipUnless(shutil.which("node"), "needs node")
    def test_node(self):
        """A caller whose own code the engine has compiled into another has no frame."""
        self.check(["node", self.source(NODE, "shares.js")], callers=("main",), least_whole=0.9)


if __name__ == "__main__":
    harness.main()
