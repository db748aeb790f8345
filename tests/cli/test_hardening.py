# SPDX-License-Identifier: BSD-2-Clause
"""The program and the library are built with the compiler's and the linker's protections."""
import json
import os
import platform
import re
import subprocess
import sys
import unittest

SOOTH = os.environ["SOOTH"]
BUILD = os.path.dirname(SOOTH)
FILES = [name for name in (SOOTH, os.environ["SOOTH_NONE"], os.path.join(BUILD, "libsooth.so")) if os.path.exists(name)]
# A sanitizer has checks of its own; without optimization the C library has none.
OPTIONS = {option["name"]: option["value"]
           for option in json.load(open(os.path.join(BUILD, "meson-info", "intro-buildoptions.json")))}
IS_FORTIFIED = OPTIONS["b_sanitize"] == "none" and OPTIONS["optimization"] not in ("0", "plain")


def readelf(option, name):
    return subprocess.run(["readelf", "-W", option, name], check=True, capture_output=True, text=True).stdout


class Hardening(unittest.TestCase):
    def each(self):
        self.assertEqual(len(FILES), 3, FILES)
        return FILES

    def test_position_independent(self):
        for name in self.each():
            self.assertRegex(readelf("-h", name), r"Type:\s+DYN", name)
            if not name.endswith(".so"):
                self.assertRegex(readelf("-d", name), r"FLAGS_1.*\bPIE\b")

    def test_relocations_are_read_only(self):
        for name in self.each():
            self.assertIn("GNU_RELRO", readelf("-l", name))
            self.assertRegex(readelf("-d", name), r"FLAGS_1.*\bNOW\b")

    def test_stack_is_not_executable(self):
        for name in self.each():
            self.assertRegex(readelf("-l", name), r"GNU_STACK .* RW ", name)

    def test_stack_protector(self):
        for name in self.each():
            self.assertIn("__stack_chk_fail", readelf("--dyn-syms", name))

    def test_the_library_in_targets_needs_only_functions_of_each_c_library(self):
        # Any other one ends the program that loads it: "symbol lookup error", status 127.
        symbols = readelf("--dyn-syms", os.path.join(BUILD, "src/preload/sooth-preload.so"))
        needed = set(re.findall(r" GLOBAL DEFAULT +UND (\w+)", symbols))
        self.assertLessEqual(needed, {"memchr", "memcmp", "memmem", "memset", "strlen"})
        self.assertIn("memcmp", needed)

    @unittest.skipUnless(IS_FORTIFIED, "not with a sanitizer or without optimization")
    def test_checked_functions_of_the_c_library(self):
        for name in self.each():
            checked = set(re.findall(r" (__\w+_chk)\b", readelf("--dyn-syms", name)))
            self.assertIn("__snprintf_chk", checked)
            self.assertGreater(len(checked), 4, checked)

    @unittest.skipUnless(platform.machine() == "x86_64", "a mark of x86-64 only")
    def test_targets_of_indirect_jumps_are_marked(self):
        for name in self.each():
            function = "sooth_field_get" if name.endswith(".so") else "main"
            code = subprocess.run(["objdump", "-d", "--disassemble=" + function, name], check=True,
                                  capture_output=True, text=True).stdout
            self.assertIn("<%s>:" % function, code)
            self.assertIn("endbr64", code)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
