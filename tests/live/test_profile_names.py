# SPDX-License-Identifier: BSD-2-Clause
"""
Names of frames: functions of C++ and Rust as their source has them. Programs are compiled here, so
that each has exactly the symbols that its case needs.
"""
import os
import subprocess

import harness
from harness import Case, needs_bpf

CXX = r"""
#include <vector>
#include <time.h>
static volatile unsigned long sum;
namespace shop {
template <typename T> struct Shelf {
    std::vector<T> items;
    __attribute__((noinline)) unsigned long weigh(unsigned long n) const {
        unsigned long s = 0;
        for (unsigned long i = 0; i < n; i++)
            s += i * items.size() + sum;
        return sum = s;
    }
};
}
namespace {
__attribute__((noinline)) void hidden(const shop::Shelf<int> &shelf) { shelf.weigh(100000); sum++; }
}
int main() {
    shop::Shelf<int> shelf;
    shelf.items.push_back(3);
    for (clock_t end = clock() + CLOCKS_PER_SEC; clock() < end;)
        hidden(shelf);
}
"""

# Named as rustc would name them, in both manglings.
RUST = r"""
#include <time.h>
static volatile unsigned long sum;
void inner(void) __asm__("_RNvMs_NtCs1234_7mycrate3fooNtB4_3Bar3baz");
void outer(void) __asm__("_ZN60_$LT$alloc..string..String$u20$as$u20$core..fmt..Display$GT$3fmt17h0123456789abcdefE");
__attribute__((noinline)) void inner(void) { for (int i = 0; i < 100000; i++) sum += i; }
__attribute__((noinline)) void outer(void) { inner(); sum++; }
int main(void) { for (clock_t end = clock() + CLOCKS_PER_SEC; clock() < end;) outer(); }
"""


@needs_bpf
class Names(Case):
    def build(self, text, *options, compiler="gcc", suffix=".c"):
        source, program = self.path("source" + suffix), self.path("program")
        with open(source, "w", encoding="utf-8") as file:
            file.write(text)
        subprocess.run([compiler, "-O1", "-o", program, *options, source], check=True)
        return program

    def stacks(self, *words, options=()):
        """The names of each stack, from the process on, with its samples."""
        path = self.path("stacks.folded")
        self.sooth("profile", "--rate", "997", "--folded", path, *options, "--", *words)
        for line in harness.read(path).decode().splitlines():
            names, _, count = line.rpartition(" ")
            yield names.split(";"), int(count)

    def share(self, stacks, *names):
        """Of all samples: those with these frames, each called by the one before."""
        has = total = 0
        for stack, count in stacks:
            places = [i for i in range(len(stack)) if tuple(stack[i:i + len(names)]) == names]
            has += count if places else 0
            total += count
        self.assertGreater(total, 300)
        return has / total

    def test_cxx(self):
        program = self.build(CXX, compiler="g++", suffix=".cpp")
        for style, inner, outer in (
                ("full", "shop::Shelf<int>::weigh", "(anonymous namespace)::hidden"),
                ("short", "shop::Shelf::weigh", "(anonymous namespace)::hidden"),
                ("symbol", "_ZNK4shop5ShelfIiE5weighEm", "_ZN12_GLOBAL__N_16hiddenERKN4shop5ShelfIiEE")):
            with self.subTest(style):
                stacks = list(self.stacks(program, options=("--names", style)))
                self.assertGreater(self.share(stacks, outer, inner), 0.6, stacks[:9])

    def test_rust(self):
        stacks = list(self.stacks(self.build(RUST)))
        self.assertGreater(self.share(stacks, "<alloc::string::String as core::fmt::Display>::fmt",
                                      "<mycrate::foo::Bar>::baz"), 0.6, stacks[:9])


if __name__ == "__main__":
    harness.main()
