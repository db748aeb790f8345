# SPDX-License-Identifier: BSD-2-Clause
"""
Functions of PHP and Ruby that were started without any option: where a script computes, and where it waits. Of other
versions than those whose layout is known nothing is named, and nothing wrong.
"""
import json
import shutil
import subprocess
import unittest

import harness
from harness import Case, needs_bpf

PHP = r"""<?php
function lookup($all, $x) {
    $n = 0;
    foreach ($all as $y) if (str_contains((string)$y, (string)$x)) $n++;
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

RUBY = r"""
class Matcher
  def scan_lines(lines)
    lines.each { |l| l =~ /(a+)+$/ }
  end
  def await_lines
    sleep 100
  end
end
def never_called; end
def run_report
  Matcher.new.await_lines if ARGV[0] == "waits"
  loop { Matcher.new.scan_lines(["a" * 18 + "b"] * 10) }
end
STDOUT.sync = true
puts "ready"
run_report
"""


def has(program, argument, text):
    """Whether that version is here, whose layout is known."""
    if not shutil.which(program):
        return False
    return subprocess.run([program, *argument], stdout=subprocess.PIPE, check=True).stdout.decode().startswith(text)


class Scripts(Case):
    def script(self, program, name, text, what):
        path = self.path(name)
        with open(path, "w", encoding="ascii") as f:
            f.write(text)
        process = self.start(program, path, what)
        process.wait_for_output(b"ready")
        return process

    def stack(self, pid):
        return bytes(self.sooth("stack", "-v", str(pid)).out).decode()

    def profile(self, pid):
        return json.dumps(json.loads(bytes(self.sooth("profile", "-j", "--duration", "2s", str(pid)).out)))

    @needs_bpf
    @unittest.skipUnless(has("php", ["-r", "echo PHP_VERSION;"], "8.2"), "no PHP 8.2 here")
    def test_php(self):
        pid = self.script("php", "report.php", PHP, "computes").pid
        text = self.profile(pid)
        self.assertIn("Report::build", text)
        self.assertIn("lookup", text)
        self.assertIn("report.php:2", text)
        self.assertNotIn("never_called", text)
        self.assertIn("Report::await_rows", self.stack(self.script("php", "report.php", PHP, "waits").pid))

    @needs_bpf
    @unittest.skipUnless(has("ruby", ["-e", "print RUBY_VERSION"], "3.1"), "no Ruby 3.1 here")
    def test_ruby(self):
        pid = self.script("ruby", "match.rb", RUBY, "computes").pid
        text = self.profile(pid)
        self.assertIn("scan_lines", text)
        self.assertIn("run_report", text)
        self.assertIn("match.rb:3", text)
        self.assertNotIn("never_called", text)
        self.assertIn("await_lines", self.stack(self.script("ruby", "match.rb", RUBY, "waits").pid))


if __name__ == "__main__":
    harness.main()
