# SPDX-License-Identifier: BSD-2-Clause
"""The manual pages of commands, made of the whole manual and the option tables: each has its options, and groff
has nothing to say about it."""
import os
import re
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "live"))

import harness
from harness import Case

BUILD = os.path.dirname(harness.SOOTH)


class Pages(Case):
    def commands(self):
        found = re.findall(r"^  ([a-z]+) ", self.sooth("help").text, re.M)
        self.assertGreater(len(found), 20)
        return found

    def page(self, command):
        return os.path.join(BUILD, "sooth-%s.1" % command)

    def test_sections(self):
        for command in self.commands():
            with open(self.page(command), encoding="utf-8") as file:
                text = file.read()
            heads = re.findall(r"^\.Sh (.*)$", text, re.M)
            self.assertEqual(heads[:3], ["NAME", "SYNOPSIS", "DESCRIPTION"], command)
            self.assertEqual(heads[-1], "SEE ALSO")
            self.assertNotRegex(text, r"(?m)^\.Nm$")
            whole = self.sooth(command, "--help-all").text
            self.assertIn(".Nd " + whole.splitlines()[0].partition(" - ")[2], text)
            # As in the whole manual: a dash of the name is written by the macro.
            for letter, name in re.findall(r"^  (?:-(\w), |    )--([a-z-]+)", whole, re.M):
                self.assertRegex(text, r"(?m)^\.It .*Fl -%s\b" % re.escape(name), command)
                if letter:
                    self.assertRegex(text, r"(?m)^\.It .*Fl %s\b" % letter, command)

    @unittest.skipUnless(shutil.which("groff"), "no groff here")
    def test_rendered(self):
        for command in self.commands():
            run = subprocess.run(["groff", "-K", "utf8", "-mdoc", "-Tutf8", "-ww", self.page(command)],
                                 capture_output=True, text=True, check=True)
            self.assertEqual(run.stderr, "", command)
            self.assertIn("SOOTH-" + command.upper(), run.stdout)


if __name__ == "__main__":
    harness.main()
