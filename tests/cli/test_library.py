# SPDX-License-Identifier: BSD-2-Clause
"""
Calls of the library that give a table, by the examples with them: what they print is what the program
reports. Two are built out of tree by pkg-config against an installed copy, as C and as C++.
"""
import os
import re
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "live"))

import abi
import harness
from harness import Case

LIST_AGENTS = os.environ.get("EXAMPLE_LIST_AGENTS", "")
WHAT_IS_WRONG = os.environ.get("EXAMPLE_WHAT_IS_WRONG", "")
WATCH_FINDINGS = os.environ.get("EXAMPLE_WATCH_FINDINGS", "")
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.dirname(harness.SOOTH)
NEAR = """
import os, resource, time
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
kept = [os.open("/dev/null", os.O_RDONLY) for _ in range(58)]
print("ready", flush=True)
time.sleep(600)
"""
PAUSED = NEAR.replace("time.sleep(600)", """
input()
for fd in kept:
    os.close(fd)
input()""")


class Library(Case):
    def agent(self):
        os.makedirs(self.path("bin"))
        shutil.copyfile("/bin/sleep", self.path("bin/claude"))
        os.chmod(self.path("bin/claude"), 0o755)
        process = self.start(self.path("bin/claude"), "600")
        harness.wait_until(lambda: b"600" in harness.read("/proc/%d/cmdline" % process.pid), "an agent to run")
        return process

    def sick(self):
        process = self.start(sys.executable, "-c", NEAR)
        process.wait_for_output(b"ready\n")
        return process

    def check_agents(self, program, **options):
        pid = self.agent().pid
        rows = self.run_program(program, **options).text.splitlines()
        wanted = {str(row["pid"]): row for row in self.sooth("ps", "-j").json()["processes"] if row["agent"]}
        self.assertIn(str(pid), wanted)
        for line in rows:
            found, agent = line.split(" ", 1)
            if found == str(pid):
                self.assertEqual((agent, wanted[found]["agent"]), ("claude", "claude"))
                return
        self.fail("%d is not in %s" % (pid, rows))

    def check_findings(self, program, **options):
        pid = self.sick().pid
        lines = self.run_program(program, str(pid), **options).text.splitlines()
        report = self.sooth("diagnose", "-j", "--duration", "1", str(pid)).json()
        claims = {one["id"]: one["claim"] for one in report["processes"][0]["findings"]}
        self.assertIn("fd-limit-near: " + claims["fd-limit-near"], lines)
        self.assertEqual(len(lines), len(set(lines)))

    def test_agents(self):
        self.check_agents(LIST_AGENTS)

    def test_findings(self):
        self.check_findings(WHAT_IS_WRONG)

    def test_watch(self):
        """What is raised is raised once; the watch ends with the process."""
        sick = self.start(sys.executable, "-c", PAUSED)
        sick.wait_for_output(b"ready\n")
        watch = self.start(WATCH_FINDINGS, str(sick.pid), "1")
        watch.wait_for_output(b"raised ")
        sick.say(b"close\n")
        watch.wait_for_output(b"cleared ")
        sick.say(b"end\n")
        self.assertEqual(sick.finish().status, 0)
        run = watch.finish()
        self.assertEqual(run.status, 0, run.errors)
        lines = [line.split(" ")[0] for line in run.text.splitlines() if " fd-limit-near: " in line]
        self.assertEqual(lines, ["raised", "cleared"])

    def test_nothing_to_diagnose(self):
        run = self.run_program(WHAT_IS_WRONG, status=1)
        self.assertEqual((run.text, run.errors), ("", "cannot diagnose process 0: a PID is 1 or more\n"))
        self.assertIn("cannot ", self.run_program(WHAT_IS_WRONG, "4194304", status=1).errors)

    @unittest.skipUnless(shutil.which("nm"), "no nm here")
    def test_what_is_exported(self):
        """The functions of the headers, and nothing else; each header stands alone, in C and in C++."""
        out = subprocess.run(["nm", "-D", "--defined-only", os.path.join(BUILD, "libsooth.so")], check=True,
                             capture_output=True, text=True).stdout
        exported = {line.split()[2].partition("@")[0] for line in out.splitlines() if " A " not in line}
        declared, headers = set(), os.path.join(ROOT, "include", "sooth")
        for name in os.listdir(headers):
            with open(os.path.join(headers, name), encoding="utf-8") as file:
                text = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)
            declared.update(re.findall(r"^[\w *]*?\b(sooth_\w+)\(", text, re.M))
            for compiler, language in (("cc", "c"), ("c++", "c++")):
                if shutil.which(compiler):
                    subprocess.run([compiler, "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-x", language,
                                    "-I", os.path.dirname(headers), "-"], check=True,
                                   input="#include <sooth/%s>\n" % name, text=True)
        self.assertEqual(exported, declared)

    @unittest.skipUnless(shutil.which("abidiff") and shutil.which("cc"), "no abidiff (abigail-tools) or compiler here")
    @unittest.skipUnless(os.uname().machine == abi.ARCHITECTURE, "the stored interface is that of " + abi.ARCHITECTURE)
    def test_stored_interface(self):
        """What was promised is still so: functions, their types, and structs up to their former end."""
        self.assertEqual(abi.compare(abi.build(self.folder), self.folder), "")
        headers = self.path("include/sooth")
        grown, shifted = "\tstruct sooth_calls_options calls;\n", "\tstruct sooth_observer *share;\n"
        for name, old, new, is_refused in (
                ("observer.h", grown, grown + "\tint one_more;\n", False),
                ("observer.h", shifted, "\tint one_more;\n" + shifted, True),
                ("heap.h", "int sooth_heap_fd(struct sooth_heap *heap);", "", True),
                ("heap.h", "int sooth_heap_fd(struct", "long sooth_heap_fd(struct", True),
                ("error.h", "char why[256];", "char why[512];", True)):
            shutil.rmtree(self.path("include"), ignore_errors=True)
            shutil.copytree(abi.HEADERS, headers)
            with open(os.path.join(headers, name), "r+", encoding="utf-8") as file:
                text = file.read()
                self.assertIn(old, text)
                file.seek(0)
                file.truncate()
                file.write(text.replace(old, new, 1))
            self.assertEqual(bool(abi.compare(abi.build(self.folder, headers), self.folder)), is_refused, new)

    def test_how_long_they_are(self):
        for name, most in (("list_agents.c", 10), ("what_is_wrong.c", 15)):
            with open(os.path.join(ROOT, "examples", name), encoding="utf-8") as file:
                text = file.read().partition("*/\n/*")[2].partition("*/")[2]
            lines = [line for line in text.splitlines() if line.strip()]
            self.assertLessEqual(len(lines), most, name)

    @unittest.skipUnless(all(map(shutil.which, ("meson", "pkg-config", "cc", "c++"))), "no compiler or pkg-config here")
    def test_out_of_tree(self):
        copy = self.path("installed")
        subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild", "--destdir", copy], check=True,
                       stdout=subprocess.DEVNULL)
        folder = next(path for path, _, files in os.walk(copy) if "sooth.pc" in files)
        environment = dict(os.environ, PKG_CONFIG_PATH=folder, PKG_CONFIG_SYSROOT_DIR=copy)
        flags = subprocess.run(["pkg-config", "--cflags", "--libs", "sooth"], env=environment, check=True,
                               capture_output=True, text=True).stdout.split()
        programs = {}
        for compiler, language, name in (("cc", "c", "list_agents"), ("c++", "c++", "what_is_wrong")):
            programs[name] = self.path(name)
            subprocess.run([compiler, "-Wall", "-Wextra", "-Werror", "-x", language,
                            os.path.join(ROOT, "examples", name + ".c"), "-x", "none", *flags, "-o", programs[name]],
                           check=True)
        found = {"env": dict(os.environ, LD_LIBRARY_PATH=os.path.dirname(folder))}
        self.check_agents(programs["list_agents"], **found)
        self.check_findings(programs["what_is_wrong"], **found)


if __name__ == "__main__":
    harness.main()
