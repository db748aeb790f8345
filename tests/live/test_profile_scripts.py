# SPDX-License-Identifier: BSD-2-Clause
"""
Functions of PHP that was started without any option: where a script computes, and where it waits. Of other
versions than those whose layout is known nothing is named, and nothing wrong.
"""
import json
import os
import shutil
import subprocess
import unittest

import harness
import other_runtimes
from harness import Case, needs_bpf

PHP = r"""<?php
function lookup($all, $x) {
    $n = 0;
    foreach ($all as $y) if (strpos((string)$y, (string)$x) !== false) $n++;
    return $n;
}
class Report {
    function build($rows) {
        $t = 0;
        foreach ($rows as $r) $t += lookup($rows, $r);
        return $t;
    }
    function await_rows() { sleep(100); }
}
function never_called() {}
echo "ready\n";
if ($argv[1] === "waits") (new Report)->await_rows();
while (true) (new Report)->build(range(1, 500));
"""

def command(version):
    """One that is installed, or of another suite."""
    said = subprocess.run(["php", "-r", "echo PHP_VERSION;"], capture_output=True, text=True).stdout if shutil.which("php") else ""
    return ["php"] if said.startswith(version) else other_runtimes.command("php" + version)


class Scripts(Case):
    def script(self, program, what):
        folder = self.path("f" * 150)  # its path is longer than a name that is kept
        os.makedirs(folder, exist_ok=True)
        path = os.path.join(folder, "report.php")
        with open(path, "w", encoding="ascii") as f:
            f.write(PHP)
        process = self.start(*program, path, what)
        process.wait_for_output(b"ready")
        return process

    def stack(self, pid):
        return bytes(self.sooth("stack", "-v", str(pid)).out).decode()

    def profile(self, pid):
        return json.dumps(json.loads(bytes(self.sooth("profile", "-j", "--duration", "2s", str(pid)).out)))

    def check(self, version):
        program = command(version)
        if not program:
            self.skipTest("PHP %s cannot be had here" % version)
        pid = self.script(program, "computes").pid
        text = self.profile(pid)
        self.assertIn("Report::build", text)
        self.assertIn("lookup", text)
        self.assertIn("report.php:2", text)
        self.assertNotIn("never_called", text)
        self.assertIn("Report::await_rows", self.stack(self.script(program, "waits").pid))

    @needs_bpf
    def test_php_8_2(self):
        self.check("8.2")

    @needs_bpf
    def test_php_8_4(self):
        self.check("8.4")

    @needs_bpf
    @unittest.skipUnless(harness.IS_LONG, "only in script/test --long")
    def test_php_7_4(self):
        self.check("7.4")


if __name__ == "__main__":
    harness.main()
