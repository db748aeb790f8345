# SPDX-License-Identifier: BSD-2-Clause
"""
Resident memory by event: `sooth heap --timeline`, `--rss`, `--no-allocators`, and memtrack's events. A program takes
64 MiB for some milliseconds, far shorter than a sample: no peak may be missed. The truth is VmHWM, which the program
reads of itself.
"""
import collections
import json
import os
import subprocess
import sys

import harness
from test_memtrack import unpacked
from harness import Case, as_nobody, needs_bpf, needs_root

BUILD = os.path.dirname(harness.SOOTH)
PRELOAD_LIBRARY = os.path.join(BUILD, "src/preload/sooth-preload.so")
SIZE = 64 << 20
SOURCE = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#define SIZE (64u << 20)
static void say(const char *what)
{
	char line[256];
	FILE *status = fopen("/proc/self/status", "r");
	long most = 0;
	while (fgets(line, sizeof(line), status))
		sscanf(line, "VmHWM: %ld kB", &most);
	fclose(status);
	printf("%d %s %ld\n", getpid(), what, most);
	fflush(stdout);
}
static void touch(int flags, int fd, size_t size)
{
	char *at = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);
	volatile char sum = 0;
	if (at == MAP_FAILED)
		exit(9);
	if (flags == (MAP_PRIVATE | MAP_ANONYMOUS))
		madvise(at, size, MADV_HUGEPAGE); /* quick */
	for (size_t i = 0; i < size; i += 4096) {
		if (fd < 0)
			at[i] = 1;
		else
			sum += at[i];
	}
	munmap(at, size);
}
int main(int argc, char **argv)
{
	int fd = -1;
	const char *what = argv[1];
	if (!strcmp(what, "file")) {
		fd = open(argv[2], O_RDWR);
		touch(MAP_PRIVATE, fd, SIZE);
	} else if (!strcmp(what, "shared")) {
		touch(MAP_SHARED | MAP_ANONYMOUS, -1, SIZE);
	} else if (!strcmp(what, "exec")) {
		touch(MAP_PRIVATE | MAP_ANONYMOUS, -1, SIZE);
		say("before");
		execl(argv[0], argv[0], "after", NULL);
	} else if (!strcmp(what, "fork")) {
		touch(MAP_PRIVATE | MAP_ANONYMOUS, -1, SIZE / 8);
		if (!fork())
			touch(MAP_PRIVATE | MAP_ANONYMOUS, -1, SIZE), say("child"), _exit(0);
		wait(NULL);
	} else if (!strcmp(what, "often")) {
		for (int i = 0; i < 60; i++)
			touch(MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, SIZE / 4 + (i == 30 ? SIZE : 0));
	} else if (strcmp(what, "after")) {
		touch(MAP_PRIVATE | MAP_ANONYMOUS, -1, SIZE);
	}
	say(what);
	if (!strcmp(what, "wait"))
		pause();
	return 0;
}
"""
KINDS = {"anonymous": "rss_anonymous_bytes", "file": "rss_file_bytes", "shared": "rss_shared_bytes"}


def truth_of(text):
    """What the processes said: {pid: {what: VmHWM in bytes}}."""
    out = collections.defaultdict(dict)
    for line in text.splitlines():
        words = line.split()
        if len(words) == 3 and words[0].isdigit() and words[2].isdigit():
            out[int(words[0])][words[1]] = int(words[2]) << 10
    return out


def report_in(text):
    return json.loads(text[text.index("\n{") + 1 if not text.startswith("{") else 0:])


class Resident(Case):
    def setUp(self):
        super().setUp()
        source, self.program = self.path("peak.c"), self.path("peak")
        with open(source, "w", encoding="utf-8") as file:
            file.write(SOURCE)
        subprocess.run(["cc", "-O1", "-o", self.program, source], check=True)

    def data(self):
        path = self.path("data")
        with open(path, "wb") as file:
            file.write(b"x" * SIZE)
        return path

    def check_row(self, row, most):
        """VmHWM lacks what CPUs hold, and the process read it before it ended."""
        slack = row["kernel_error_bytes"] + (256 << 10)
        self.assertLess(abs(row["peak_bytes"] - most), slack, row)
        self.assertLess(abs(row["kernel_peak_bytes"] - most), slack, row)
        self.assertIsNone(row["difference"], row)

    def lines_of(self, path):
        return [json.loads(line) for line in harness.read(path).decode().splitlines()]

    def peaks_of_lines(self, lines):
        levels, most = collections.defaultdict(dict), collections.Counter()
        for line in lines:
            if line["type"] == "Exec":
                levels[line["pid"]] = {}
            elif line["type"] == "Rss":
                self.assertIn(line["member"], range(4))
                self.assertEqual(line["addr"], 0)
                levels[line["pid"]][line["member"]] = line["size"]
                most[line["pid"]] = max(most[line["pid"]], sum(size for member, size in levels[line["pid"]].items() if member != 2))
        return most


@needs_bpf
class Peaks(Resident):
    def run_one(self, what, *options):
        run = self.sooth("heap", *options, "-j", "--", self.program, what, self.data() if what == "file" else "")
        truth, report = truth_of(run.text), report_in(run.text)
        return truth, report, {row["pid"]: row for row in report["resident_peaks"]}

    def test_each_kind(self):
        for what, kind in (("anonymous", "anonymous"), ("file", "file"), ("shared", "shared")):
            with self.subTest(what):
                truth, _, rows = self.run_one(what, "--no-allocators")
                (pid, said), = truth.items()
                self.check_row(rows[pid], said[what])
                self.assertGreaterEqual(rows[pid][KINDS[kind]], SIZE)
                self.assertEqual(rows[pid]["process"], "peak")

    def test_fork_and_exec(self):
        truth, _, rows = self.run_one("fork", "--no-allocators")
        self.assertEqual(len(truth), 2)
        for pid, said in truth.items():
            self.check_row(rows[pid], next(iter(said.values())))
        truth, _, rows = self.run_one("exec", "--no-allocators")
        (pid, said), = truth.items()
        self.check_row(rows[pid], said["before"])
        self.assertLess(said["after"], SIZE)

    def test_timeline(self):
        """The highest value of the track is the peak, live and from the capture."""
        capture = self.path("timeline.sooth")
        truth, report, rows = self.run_one("anonymous", "--timeline", "--save", capture)
        (pid, said), = truth.items()
        self.check_row(rows[pid], said["anonymous"])
        track, = [row for row in report["memory"] if row["track"] == "resident"]
        self.assertEqual(track["max_bytes"], rows[pid]["peak_bytes"])
        kind, = [row for row in report["resident_kinds"] if row["track"] == "anonymous"]
        self.assertGreaterEqual(kind["max_bytes"], SIZE)
        again = self.sooth("heap", "--timeline", "-j", capture).json()
        for section in ("resident_peaks", "resident_kinds", "memory"):
            self.assertEqual(again[section], report[section], section)
        self.assertEqual(self.sooth("report", "-j", capture).json()["resident_peaks"], report["resident_peaks"])
        text = self.sooth("report", capture).text
        self.assertRegex(text, r"(?m)^ *%d +peak +6\d\.\dM" % pid)

    def test_under_load_and_with_loss(self):
        """Two processes compute, two others fault, and the ring is too small: changes are lost, no peak is."""
        for _ in range(2):
            self.start(sys.executable, "-c", "while True: pass")
            self.start("sh", "-c", "while :; do /bin/true; done")
        truth, report, rows = self.run_one("often", "--no-allocators", "--buffer", "4K")
        (pid, said), = truth.items()
        self.check_row(rows[pid], said["often"])
        self.assertTrue(any(loss["source"] == "resident" for loss in report["loss"]), report["loss"])
        truth, report, rows = self.run_one("often", "--no-allocators")
        (pid, said), = truth.items()
        self.check_row(rows[pid], said["often"])
        self.assertEqual(report["loss"], [])

    def test_attached(self):
        """A peak from before is VmHWM's alone, and the report says so."""
        target = self.start(self.program, "wait")
        target.wait_for_output(b"\n")
        most = int(bytes(target.out).split()[2]) << 10
        row, = self.sooth("heap", "--no-allocators", "-j", "-d", "0.3", "-p", str(target.pid)).json()["resident_peaks"]
        self.assertLess(row["peak_bytes"], 8 << 20)
        self.assertLess(abs(row["kernel_peak_bytes"] - most), row["kernel_error_bytes"] + (256 << 10))
        self.assertEqual(row["difference"], "VmHWM is from before the recording")

    def test_lines(self):
        path, plain = self.path("all.jsonl"), self.path("plain.jsonl")
        run = self.sooth("heap", "--rss", "--rmap", "-o", path, "-j", "--", "sh", "-c", "%s fork; :" % self.program)
        rows = {row["pid"]: row for row in report_in(run.text)["resident_peaks"]}
        lines, truth = self.lines_of(path), truth_of(run.text)
        kinds = collections.Counter(line["type"] for line in lines)
        self.assertEqual((kinds["Exec"], kinds["Fork"], kinds["Exit"]), (2, 2, 3))
        self.assertGreater(kinds["Malloc"], 0)
        self.assertEqual(kinds["Rss"], kinds["Rmap"])
        for line in lines:
            if line["type"] == "Fork":
                self.assertIn(line["parent_pid"], rows)
                self.assertIn(line["pid"], rows)
        most = self.peaks_of_lines(lines)
        for pid in truth:
            self.assertEqual(most[pid], rows[pid]["peak_bytes"])
        totals, last = collections.Counter(), {}
        for line in lines:
            key = line["pid"], line.get("member")
            if line["type"] == "Rmap":
                totals[key] += line["delta"] * os.sysconf("SC_PAGE_SIZE")
            elif line["type"] == "Rss":
                last[key] = line["size"]
        self.assertEqual(+totals, +collections.Counter(last))
        self.sooth("heap", "-o", plain, "--", self.program, "after")
        self.assertLessEqual({line["type"] for line in self.lines_of(plain)}, {"Malloc", "Free", "Calloc", "Realloc", "AlignedAlloc"})
        self.assertFalse(any("member" in line or "parent_pid" in line for line in self.lines_of(plain)))

    def test_memtrack(self):
        """The artifact, selected by the variables of memtrack, and read again."""
        os.mkdir(self.path("into"))
        run = self.run_program(os.path.join(BUILD, "compat", "memtrack"), "track", "--output", self.path("into"), "--",
            self.program, "anonymous", env={**os.environ, "CODSPEED_MEMTRACK_TRACK_ALLOCATORS": "0"})
        self.assertIn("allocations are not measured: they are left out on request", run.errors)
        (pid, said), = truth_of(run.text).items()
        artifact, = os.listdir(self.path("into"))
        raw = subprocess.run([harness.have("zstd"), "-dc", self.path("into/" + artifact)], check=True, stdout=subprocess.PIPE).stdout
        events = list(unpacked(raw))
        self.assertEqual({event["type"] for event in events} - {"Mmap", "Munmap", "Brk"}, {"Rss", "Exec", "Exit"})
        self.assertLess(abs(self.peaks_of_lines(events)[pid] - said["anonymous"]), 1 << 20)
        report = self.sooth("heap", "-j", self.path("into/" + artifact)).json()
        self.assertIsNone(report["heap_totals"]["calls"])
        self.run_program(os.path.join(BUILD, "compat", "memtrack"), "track", "--output", self.path("a.jsonl"), "--",
            self.program, "anonymous")
        self.assertFalse({line["type"] for line in self.lines_of(self.path("a.jsonl"))} & {"Rss", "Rmap", "Fork", "Exec", "Exit"})


@needs_root
class Unprivileged(Resident):
    def test_says_why(self):
        sooth = self.copy_for_all(harness.SOOTH)
        library = self.copy_for_all(PRELOAD_LIBRARY)
        why = r"not measured: resident memory at each change: .*cap_bpf"
        run = self.run_program(sooth, "heap", "--no-allocators", "--", "/bin/true", **as_nobody())
        self.assertRegex(run.text + run.errors, why)
        run = self.run_program(sooth, "heap", "--rss", "--preload-library", library, "--", "/bin/ls", "/", **as_nobody())
        self.assertRegex(run.text + run.errors, why)
        self.assertRegex(run.text, r"malloc +[1-9]")


if __name__ == "__main__":
    harness.main()
