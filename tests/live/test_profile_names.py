# SPDX-License-Identifier: BSD-2-Clause
"""
Names of frames: functions of C++ and Rust as their source has them, functions of stripped programs by
the symbols packed into them and by separate debug files. Programs are compiled here, so
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
    for (clock_t end = clock() + CLOCKS_PER_SEC * 7 / 10; clock() < end;)
        hidden(shelf);
}
"""

# Lines that are asked for below are marked.
LINES = r"""
#include <time.h>
static volatile unsigned long sum;
static inline __attribute__((always_inline)) void deepest(int i) {
    for (int k = 0; k < 20; k++) sum += i; /* deepest */
}
static inline __attribute__((always_inline)) void deep(int i) {
    deepest(i); /* deep */
}
__attribute__((noinline)) void outer(void) {
    for (int i = 0; i < 10000; i++)
        deep(i); /* outer */
    sum++; /* behind */
}
int main(void) {
    for (clock_t end = clock() + CLOCKS_PER_SEC * 7 / 10; clock() < end;)
        outer(); /* main */
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
int main(void) { for (clock_t end = clock() + CLOCKS_PER_SEC * 7 / 10; clock() < end;) outer(); }
"""

PLAIN = r"""
#include <time.h>
static volatile unsigned long sum;
__attribute__((noinline)) static void inner(void) { for (int i = 0; i < 100000; i++) sum += i; }
__attribute__((noinline)) static void outer(void) { inner(); sum++; }
int main(void) { for (clock_t end = clock() + CLOCKS_PER_SEC * 7 / 10; clock() < end;) outer(); }
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
        return self.folded("--rate", "997", *options, "--", *words)

    def folded(self, *words):
        path = self.path("stacks.folded")
        self.sooth("profile", "--folded", path, *words)
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
        capture = self.path("cxx.sooth")
        live = list(self.stacks(self.build(CXX, compiler="g++", suffix=".cpp"),
                                options=("--names", "full", "--save", capture)))
        self.assertEqual(list(self.folded(capture)), live)
        for style, inner, outer in (
                ("full", "shop::Shelf<int>::weigh", "(anonymous namespace)::hidden"),
                ("short", "shop::Shelf::weigh", "(anonymous namespace)::hidden"),
                ("symbol", "_ZNK4shop5ShelfIiE5weighEm", "_ZN12_GLOBAL__N_16hiddenERKN4shop5ShelfIiEE")):
            with self.subTest(style):
                stacks = list(self.folded("--names", style, capture))
                self.assertGreater(self.share(stacks, outer, inner), 0.6, stacks[:9])

    def test_rust(self):
        stacks = list(self.stacks(self.build(RUST)))
        self.assertGreater(self.share(stacks, "<alloc::string::String as core::fmt::Display>::fmt",
                                      "<mycrate::foo::Bar>::baz"), 0.6, stacks[:9])

    # --- elsewhere ---

    def test_names_are_in_the_capture(self):
        """Names are resolved when the recording ends: a report needs neither the program nor its debug
        file, no privilege, and not even this system."""
        program, capture = self.build(CXX, compiler="g++", suffix=".cpp"), self.path("names.sooth")
        # The program itself is in the kernel now and then only: perhaps in no sample.
        self.sooth("record", "--probe", "profile", "-o", capture, "--", "sh", "-c",
                   '"$0"; exec dd if=/dev/zero of=/dev/null bs=1M count=4000', program)
        here = self.sooth("profile", capture).text
        os.unlink(program)
        os.unlink(self.path("source.cpp"))
        os.chmod(capture, 0o644)
        self.open_to_all()
        elsewhere = self.run_program(self.copy_for_all(harness.SOOTH_NONE), "profile", capture, cwd="/",
                                     **harness.as_nobody()).text
        self.assertEqual(elsewhere, here)
        self.assertIn("shop::Shelf<int>::weigh", elsewhere)
        self.assertIn("kernel", elsewhere)

    # --- source lines ---

    def line(self, mark):
        lines = LINES.splitlines()
        return "source.c:%d" % (1 + [i for i, line in enumerate(lines) if "/* %s */" % mark in line][0])

    def functions(self, *words):
        """Each function with its line, and its share of the samples in percent."""
        report = self.sooth("profile", "-j", *words).json()
        return {(row["function"], row["file"]): row["self_percent"] for row in report["functions"]}

    def check_lines(self, program, *options):
        capture = self.path("lines.sooth")
        found = self.functions("--lines", "--rate", "997", "--save", capture, *options, "--", program)
        self.assertGreater(found.get(("deepest", self.line("deepest")), 0), 60, found)
        self.assertIn(("main", self.line("main")), found)
        self.assertIn(("deep", self.line("deep")), found)
        stacks = list(self.folded("--lines", capture))
        self.assertGreater(self.share(stacks, "main", "outer", "deep", "deepest"), 0.6, stacks[:9])
        return capture, found

    def test_lines(self):
        """With and without an index of addresses: clang writes none."""
        for compiler in ("gcc", "clang"):
            with self.subTest(compiler):
                program = self.build(LINES, "-g", compiler=compiler)
                capture, found = self.check_lines(program)
                self.assertEqual(self.functions("--lines", capture), found)
                plain = self.functions(capture)
                self.assertGreater(plain.get(("outer", "program"), 0), 60, plain)
                self.assertFalse([name for name, _ in plain if "deep" in name], plain)

    def test_lines_of_a_debug_file(self):
        program, debug = self.build(LINES, "-g"), self.path("program.debug")
        subprocess.run(["objcopy", "--only-keep-debug", program, debug], check=True)
        subprocess.run(["strip", program], check=True)
        os.chmod(debug, 0o644)
        self.link(program, debug)
        self.check_lines(program)

    def test_lines_without_debug_information(self):
        """The functions are what they are without --lines, and the report says why."""
        program, capture = self.build(LINES), self.path("plain.sooth")
        run = self.sooth("profile", "--lines", "--", program)
        self.assertRegex(run.text, r"not measured: source lines of program: .* no debug information; .*compile it with -g")
        self.sooth("profile", "--save", capture, "--", program)
        run = self.sooth("profile", "--lines", capture)
        self.assertIn("the capture was recorded without --lines", run.text)
        self.assertEqual(self.functions("--lines", capture), self.functions(capture))

    def test_lines_of_waiting_threads(self):
        text = LINES.replace("sum += i; /*", "pause(); /*").replace("#include <time.h>",
                                                                    "#include <time.h>\nint pause(void);")
        process = self.start(self.build(text, "-g"))
        harness.wait_until_asleep(process.pid)
        text = self.sooth("stack", "--lines", "-v", str(process.pid)).text
        for name in ("deepest", "deep", "outer", "main"):
            file, line = self.line(name).split(":")
            self.assertRegex(text, r"\b%s +%s:%d\n" % (name, file, int(line) + 1), text)

    # --- stripped programs ---

    def split(self, *options):
        """A stripped program, and the file with its symbols."""
        program, debug = self.build(PLAIN, *options), self.path("program.debug")
        subprocess.run(["objcopy", "--only-keep-debug", program, debug], check=True)
        subprocess.run(["strip", program], check=True)
        os.chmod(debug, 0o644)
        return program, debug

    def named(self, *words):
        return self.share(list(self.stacks(*words)), "outer", "inner")

    def link(self, program, debug):
        subprocess.run(["objcopy", "--add-gnu-debuglink=" + debug, program], check=True)

    def build_id(self, program):
        notes = subprocess.run(["readelf", "-n", program], check=True, capture_output=True, text=True).stdout
        return notes.split("Build ID:")[1].split()[0]

    def test_packed_symbols(self):
        program, debug = self.split()
        self.assertEqual(self.named(program), 0)
        subprocess.run(["xz", debug], check=True)
        subprocess.run(["objcopy", "--add-section", ".gnu_debugdata=" + debug + ".xz", program], check=True)
        self.assertGreater(self.named(program), 0.6)

    def test_debug_link(self):
        """Beside the program or in .debug; its sum counts where there is no build id."""
        for options in ((), ("-Wl,--build-id=none",)):
            with self.subTest(options):
                program, debug = self.split(*options)
                self.link(program, debug)
                self.assertGreater(self.named(program), 0.6)
                folder = os.path.join(os.path.dirname(program), ".debug")
                os.makedirs(folder, exist_ok=True)
                os.rename(debug, os.path.join(folder, os.path.basename(debug)))
                self.assertGreater(self.named(program), 0.6)

    def test_other_build(self):
        """A debug file of another build has no names for this one."""
        program, debug = self.split("-Wl,--build-id=none")
        self.link(program, debug)
        with open(debug, "ab") as file:
            file.write(b"x")
        self.assertEqual(self.named(program), 0)
        other = self.build(PLAIN, "-Wl,--build-id=0x2222222222222222")
        subprocess.run(["objcopy", "--only-keep-debug", other, debug], check=True)
        program = self.build(PLAIN, "-Wl,--build-id=0x1111111111111111")
        subprocess.run(["strip", program], check=True)
        self.link(program, debug)
        self.assertEqual(self.named(program), 0)

    def test_writable_by_others(self):
        program, debug = self.split()
        self.link(program, debug)
        os.chmod(debug, 0o666)
        self.assertEqual(self.named(program), 0)

    def test_build_id_in_its_root(self):
        """Below /usr/lib/debug of the root that the program sees."""
        program, debug = self.split("-static")
        build_id = self.build_id(program)
        root = self.path("root")
        folder = os.path.join(root, "usr/lib/debug/.build-id", build_id[:2])
        os.makedirs(folder)
        os.rename(program, os.path.join(root, "program"))
        os.rename(debug, os.path.join(folder, build_id[2:] + ".debug"))
        self.assertGreater(self.named("chroot", root, "/program"), 0.6)


if __name__ == "__main__":
    harness.main()
