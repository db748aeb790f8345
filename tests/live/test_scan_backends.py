# SPDX-License-Identifier: BSD-2-Clause
"""
Which way a scan lists processes: the walk in the kernel where there are many and it may be used,
else procfs, saying why. Whichever it is, everybody who is there is told.
"""
import os
import shutil
import subprocess

import harness
from harness import NOBODY, SOOTH, WORKLOADS, Case, needs_bpf

MANY = 1500  # the walk pays for itself with far fewer
# Beside the right to use BPF what would stand for it.
WITHOUT_BPF = ["setpriv", "--bounding-set", "-bpf,-perfmon,-sys_admin", "--inh-caps",
               "-bpf,-perfmon,-sys_admin"]


@needs_bpf
class Backends(Case):
    def scan(self, *before, program=SOOTH, **options):
        run = self.run_program(*before, program, "ps", "-a", "-j", "-i", "0", **options)
        report = run.json()
        source = [s for s in report["sources"] if s["probe"] == "proc"][0]
        return source, {row["pid"]: row for row in report["processes"]}

    def make_many(self):
        target = self.start(WORKLOADS, "children", "--count", str(MANY), "--hold")
        target.wait_for_output(b"ready\n")
        lines = bytes(target.out).decode().splitlines()
        pids = [int(line.split()[1]) for line in lines if line.startswith("pid ")]
        harness.wait_until_asleep(*pids)
        return pids

    def assert_all_there(self, pids, rows):
        self.assertEqual([pid for pid in pids if pid not in rows], [])
        for pid in pids:
            self.assertEqual((rows[pid]["state"], rows[pid]["threads"]), ("S", 1), rows[pid])

    def test_many(self):
        pids = self.make_many()
        self.assertEqual(len(pids), MANY)
        source, rows = self.scan()
        self.assertEqual((source["method"], source["fallback_reason"]), ("bpf", ""))
        self.assert_all_there(pids, rows)
        self.assertIn(1, rows, "also where iterators pass over it")
        source, rows = self.scan(*WITHOUT_BPF)
        self.assertEqual(source["method"], "procfs")
        self.assertIn("cap_bpf", source["fallback_reason"])
        self.assert_all_there(pids, rows)

    def test_namespaces(self):
        """The kernel gives numbers of a pid namespace, but no times of a time namespace."""
        self.make_many()
        for flags, method, word in ((["--pid", "--fork", "--mount-proc"], "bpf", ""),
                                    (["--time", "--boottime", "100000", "--fork"], "procfs", "time")):
            if subprocess.run(["unshare", *flags, "true"], capture_output=True).returncode:
                self.skipTest("no such namespaces here: %s" % flags)
            source, rows = self.scan("unshare", *flags)
            self.assertEqual(source["method"], method)
            self.assertIn(word, source["fallback_reason"])
            self.assertTrue(rows)

    def test_file_capabilities(self):
        """They are not its caller's, who may not see by them what the kernel would not show."""
        program = self.copy_for_all(SOOTH)
        if not shutil.which("setcap") or subprocess.run(
                ["setcap", "cap_bpf,cap_perfmon+ep", program], capture_output=True).returncode:
            self.skipTest("no file capabilities here")
        pids = self.make_many()
        source, rows = self.scan("setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY),
                                 "--clear-groups", program=program, cwd=self.folder)
        self.assertEqual(source["method"], "procfs")
        self.assertIn("file capabilities", source["fallback_reason"])
        self.assert_all_there(pids, rows)


if __name__ == "__main__":
    os.environ["HOME"] = "/nonexistent"
    harness.main()
