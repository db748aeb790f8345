# SPDX-License-Identifier: BSD-2-Clause
"""The numbers of FreeBSD's and macOS' system calls against the lists that Go's standard library has, and the
probes of claude-monitor.d against these numbers."""
import fnmatch
import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Other numbers for another time: the systems moved the call, or gave its old number a new name.
MOVED = {"freebsd": {"swapoff"}, "darwin": {"syscall", "__sysctl"}}


def rows():
    """name: (number of FreeBSD, number of macOS)."""
    found = {}
    for line in (ROOT / "src/probes/syscalls_bsd.def").read_text().splitlines():
        match = re.match(r"BSD_CALL\((\w+), (-?\d+), (-?\d+), ", line)
        if match:
            found[match[1].lower()] = (int(match[2]), int(match[3]))
    return found


def go_list(name):
    for folder in pathlib.Path("/usr/lib").glob("go*/src/syscall"):
        path = folder / f"zsysnum_{name}.go"
        if path.exists():
            return {match[1].lower(): int(match[2]) for match in
                    re.finditer(r"SYS_(\w+)\s*=\s*(\d+)", path.read_text())}
    return {}


class CallTables(unittest.TestCase):
    def compare(self, system, column, list_name, least):
        theirs = go_list(list_name)
        if not theirs:
            self.skipTest("no Go source here to compare with")
        ours = rows()
        same = 0
        for name, number in theirs.items():
            known = {ours[n][column] for n in (name, "__" + name, "freebsd11_" + name, "freebsd10_" + name,
                                               "freebsd12_" + name) if n in ours and ours[n][column] >= 0}
            if not known or name in MOVED[system]:
                continue
            self.assertIn(number, known, f"{system}: {name}")
            same += 1
        self.assertGreater(same, least)

    def test_freebsd(self):
        self.compare("freebsd", 0, "freebsd_amd64", 300)

    def test_darwin(self):
        self.compare("darwin", 1, "darwin_arm64", 300)


def waiting(table, macro):
    """Calls of a table that wait by design."""
    text = (ROOT / "src/probes" / table).read_text()
    return {match[1] for match in re.finditer(rf"^{macro}\((\w+), .*\bWAITS\(", text, re.M)}


class Waits(unittest.TestCase):
    def test_same_as_linux(self):
        """What waits by design on Linux does so elsewhere: else it would be a slow call there."""
        text = (ROOT / "src/probes/syscalls_bsd.def").read_text()
        ours = {re.sub(r"_nocancel$|^freebsd\d+_", "", match[1]): match[1]
                for match in re.finditer(r"^BSD_CALL\((\w+),", text, re.M)}
        linux, bsd = waiting("syscalls.def", "SYSCALL"), waiting("syscalls_bsd.def", "BSD_CALL")
        missing = {full for name, full in ours.items() if name in linux and full not in bsd}
        self.assertEqual(missing, set())
        self.assertLessEqual({"wait4", "wait6", "accept4", "sigwait", "_umtx_op", "psynch_cvwait", "ulock_wait"}, bsd)


class Monitor(unittest.TestCase):
    text = (ROOT / "share/claude-monitor.d").read_text()

    def test_probes(self):
        """Each names a call of one of the systems, and the program says that some may be missing."""
        self.assertIn("#pragma D option zdefs", self.text)
        probes = set(re.findall(r"^syscall::([^:]*):(?:entry|return)|, syscall::([^:]*):", self.text, re.M))
        names = {a or b for a, b in probes} - {""}
        self.assertGreater(len(names), 15)
        for name in names:
            self.assertTrue(fnmatch.filter(rows(), name), name)

    def test_clauses(self):
        """What copyin() gives is used in its own clause alone; braces and predicates are whole."""
        self.assertEqual(self.text.count("{"), self.text.count("}"))
        for clause in self.text.split("\n}\n"):
            if "this->peer[" in clause:
                self.assertIn("this->peer = (uint8_t *)copyin(", clause)
        self.assertNotIn("self->peer", self.text)


if __name__ == "__main__":
    unittest.main()
