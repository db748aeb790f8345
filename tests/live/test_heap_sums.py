# SPDX-License-Identifier: BSD-2-Clause
"""
Allocations that the kernel adds up: the same counts, live bytes, peak and stacks as the program's
own, for every allocator, with threads, children and an exec; what finds no room is counted. And the
answers of --churn and --sizes, from the kernel, from single calls and from a capture.
"""
import gzip
import os
import re
import shutil
import signal
import subprocess

import harness
from harness import needs_bpf
from heap_case import GLIBC, VARIANTS, HeapCase, last_json, one, report_calls, truth_calls

TURNS = "3000"

SOURCE = r"""
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
static void *kept[1 << 20];
static int count;
__attribute__((noinline)) void keeps(void)
{
	kept[count] = malloc(176);
	asm volatile("" : : "r"(kept[count++]) : "memory");
}
__attribute__((noinline)) void churns(void)
{
	for (int i = 0; i < 10; i++) {
		void *block = malloc(1000);
		asm volatile("" : : "r"(block) : "memory");
		free(block);
	}
}
__attribute__((noinline)) void holds(int i)
{
	static void *slots[200];
	free(slots[i % 200]);
	slots[i % 200] = malloc(300);
}
int main(int argc, char **argv)
{
	for (int i = 0; argc > 1 && i < 5000; i++)
		keeps();
	if (argc > 1)
		return 0;
	puts("ready");
	fflush(stdout);
	for (int i = 0; i < 100000; i++) {
		keeps();
		churns();
		holds(i);
		usleep(1000);
	}
	return argc && argv == NULL;
}
"""


THREADS = r"""
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
static void *volatile kept[4000];
static void *keep(void *what)
{
	long size = (long)what;

	printf("%d\n", (int)gettid());
	fflush(stdout);
	for (long i = 0; i < 1000; i++)
		kept[i + (size == 176 ? 0 : 2000)] = malloc(size);
	return NULL;
}
int main(void)
{
	pthread_t thread;
	char go[8];

	puts("ready");
	fflush(stdout);
	if (!fgets(go, sizeof(go), stdin))
		return 1;
	pthread_create(&thread, NULL, keep, (void *)176);
	pthread_join(thread, NULL);
	sleep(4);
	pthread_create(&thread, NULL, keep, (void *)3000);
	pthread_join(thread, NULL);
	for (int i = 0; i < 500; i++)
		free(kept[2000 + 2 * i]);
	puts("done");
	fflush(stdout);
	pause();
	return 0;
}
"""


SAW = r"""
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int main(void)
{
	static void *kept[400];

	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 400; i++) {
			kept[i] = memset(malloc(50000), 1, 50000);
			usleep(2000);
		}
		usleep(500000);
		for (int i = 0; i < 400; i++)
			free(kept[i]);
		usleep(500000);
	}
	return 0;
}
"""


def program_of(case):
    path, program = case.path("source.c"), case.path("program")
    with open(path, "w", encoding="utf-8") as file:
        file.write(SOURCE)
    subprocess.run(["cc", "-g", "-O1", "-fomit-frame-pointer", "-o", program, path], check=True)
    return program


@needs_bpf
class Sums(HeapCase):
    def attached(self, variant, *argv, options=()):
        """(truth, report) of a workload that waited until sooth had attached to it."""
        target = self.held_workload(variant, *argv)
        sooth = self.attach(target.pid, "--in-kernel", *options)
        self.let_go(target)
        return self.truth(), self.report_of(sooth)

    def assert_stacks_add_up(self, report):
        """What each stack did is what the process did."""
        totals, rows = one(report["heap_totals"]), report["heap_stacks"]
        self.assertEqual(sum(row["live_bytes"] for row in rows), totals["live_bytes"])
        self.assertEqual(sum(row["live_blocks"] for row in rows), totals["live_blocks"])
        self.assertEqual(sum(row["allocated_bytes"] for row in rows), totals["allocated_bytes"])
        for row in rows:
            self.assertLessEqual(row["short_blocks"], row["freed_blocks"], row)
            self.assertEqual(row["calls"], row["freed_blocks"] + row["live_blocks"], row)

    def test_every_allocator(self):
        for variant in VARIANTS:
            with self.subTest(variant.name):
                truth, report = self.attached(variant, "heap", "--turns", TURNS)
                self.assert_nothing_lost(report)
                self.assert_calls(report, truth_calls(truth), variant)
                self.assert_live(report, truth)
                self.assert_stacks_add_up(report)
                self.assertIsNone(one(report["heap_totals"])["inexact"], report["heap_totals"])

    def test_threads(self):
        """Threads that give back one another's blocks."""
        for variant in VARIANTS if harness.IS_LONG else VARIANTS[::4]:
            with self.subTest(variant.name):
                truth, report = self.attached(variant, "heap", "--turns", TURNS, "--threads", "4")
                self.assert_nothing_lost(report)
                self.assert_calls(report, truth_calls(truth), variant)
                self.assert_live(report, truth)
                self.assert_stacks_add_up(report)

    def launched(self, *options):
        command, environment = self.command_of(GLIBC, "heap", "--threads", "3", "--forks", "3", "--exec",
                                               "1", "--turns", TURNS, "--seed", "5")
        run = self.sooth("heap", "-j", *options, "--", *command, "--truth", self.path("truth"),
                         env=environment, timeout=300)
        return last_json(run.text)

    def test_children_and_exec(self):
        """As from single calls, of a program that runs once more: children, and what an exec discards."""
        exact = self.launched("--stack", "--engine", "bpf")
        report = self.launched("--in-kernel")
        self.assert_nothing_lost(report)
        want, have = one(exact["heap_totals"]), one(report["heap_totals"])
        self.assertGreater(want["exec_blocks"], 0)
        # On a busy host single calls become samples, and say how far their live bytes may be off; their
        # number of blocks is mostly that of small ones, of which samples have few.
        slack = 0.1 + (want["live_error_bytes"] or 0) / want["live_bytes"]
        if want["live_error_bytes"]:
            for name in ("freed_bytes", "live_blocks", "exec_blocks"):
                want[name] = have[name]
        # How far each process has come when one of them makes its exec is up to the scheduler: what
        # is live in the end and what the exec discarded are the same together.
        for totals in (want, have):
            totals["kept_bytes"] = totals["live_bytes"] + totals["exec_bytes"]
            totals["kept_blocks"] = totals["live_blocks"] + totals["exec_blocks"]
            self.assertGreater(totals["exec_bytes"], 0)
        for name in ("kept_bytes", "kept_blocks", "freed_bytes", "allocated_bytes", "frees_unknown"):
            # Threads that run otherwise take other turns.
            self.assertLessEqual(abs(want[name] - have[name]), slack * want[name] + 20, (name, want, have))
        # An exec ends what the stacks held, too.
        self.assertEqual(sum(row["live_bytes"] for row in report["heap_stacks"]), have["live_bytes"])
        self.assertEqual(sum(row["live_blocks"] for row in report["heap_stacks"]), have["live_blocks"])

    def test_no_room(self):
        """More blocks are live than the table has room for: said, and the counts stay right."""
        run = self.sooth("heap", "--in-kernel", "--blocks", "1024", "-j", "--", program_of(self), "many")
        report = last_json(run.text)
        totals = one(report["heap_totals"])
        self.assertEqual(report_calls(report)["malloc"][:1] + report_calls(report)["malloc"][3:], (5000, 880000))
        self.assertRegex(totals["inexact"], r"^397[67] allocated blocks did not fit sooth's table$")
        self.assertIn("--blocks", str(report["limits"]))
        self.assertEqual(totals["live_blocks"], 1024)
        self.assertEqual(sum(row["live_bytes"] for row in report["heap_stacks"]), totals["live_bytes"])

    def test_timeline(self):
        """Live bytes over time are the program's own, beside the resident memory; as a picture too."""
        source, program, capture = self.path("saw.c"), self.path("saw"), self.path("saw.sooth")
        with open(source, "w", encoding="utf-8") as file:
            file.write(SAW)
        subprocess.run(["cc", "-O1", "-o", program, source], check=True)
        report = last_json(self.sooth("heap", "--timeline", "-j", "--save", capture, "--", program).text)
        live, = report["heap"]
        self.assertEqual(live["track"], "live heap")
        # Of 400 blocks, looked at five times a second or more.
        self.assertIn(live["max_bytes"], range(400 * 50000 * 3 // 4, 400 * 50000 + 100000))
        self.assertLess(live["last_bytes"], 100000)
        rates = {row["track"]: row for row in report["heap_rates"]}
        self.assertEqual(rates["freed"]["min_bytes_per_s"], 0)
        self.assertGreater(rates["freed"]["max_bytes_per_s"], rates["allocated"]["max_bytes_per_s"])
        kinds = {row["track"]: row for row in report["memory"]}
        self.assertGreater(kinds["glibc-heap"]["max_bytes"], live["max_bytes"] * 0.7)
        for name, begin in (("picture.svg", b"<svg"), ("picture.png", b"\x89PNG")):
            self.sooth("heap", "--timeline", "-o", self.path(name), capture)
            self.assertIn(begin, harness.read(self.path(name))[:100])
        self.assertIn(b"allocated and not freed", harness.read(self.path("picture.svg")))
        for name in ("picture.txt", "picture"):
            self.assert_says_three_lines(
                self.sooth("heap", "--timeline", "-o", self.path(name), capture, status=2), ".svg")

    def test_ended_processes_give_their_places_back(self):
        """Children that leave more blocks behind than the table has room for, one after the other."""
        source, program = self.path("leaver.c"), self.path("leaver")
        with open(source, "w", encoding="utf-8") as file:
            file.write("#include <stdlib.h>\nvoid *volatile kept;\n"
                       "int main(void) { for (int i = 0; i < 600; i++) kept = malloc(176); return 0; }\n")
        subprocess.run(["cc", "-O1", "-o", program, source], check=True)
        run = self.sooth("heap", "--in-kernel", "--blocks", "4096", "-j", "--", "/bin/sh", "-c",
                         "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do %s; sleep 0.3; done" % program)
        totals = one(last_json(run.text)["heap_totals"])
        self.assertNotIn("did not fit", totals["inexact"] or "")
        self.assertGreaterEqual(totals["live_blocks"] + totals["exec_blocks"], 12 * 600)

    def test_heaptrack(self):
        """heaptrack_print reads the file, and finds what the program did."""
        out, truth = self.path("events.heaptrack"), self.path("truth")
        command, _ = self.command_of(GLIBC, "heap", "--turns", TURNS)
        report = last_json(self.sooth("heap", "-j", "--heaptrack", out, "--", *command, "--truth",
                                      truth).text)
        told = subprocess.run([harness.have("heaptrack_print"), out], check=True,
            stdout=subprocess.PIPE, text=True).stdout
        totals = one(report["heap_totals"])
        allocated = sum(row.count - row.failed for name, row in report_calls(report).items()
                        if name != "free")
        calls = int(re.search(r"calls to allocation functions: (\d+)", told).group(1))
        # A call that got nothing is no event.
        self.assertIn(calls, range(allocated - 100, allocated + 1))
        peak = float(re.search(r"peak heap memory consumption: ([\d.]+)M", told).group(1))
        self.assertAlmostEqual(peak, totals["peak_bytes"] / 1e6, delta=0.03 * peak)
        leaked = float(re.search(r"total memory leaked: ([\d.]+)M", told).group(1))
        self.assertAlmostEqual(leaked, totals["live_bytes"] / 1e6, delta=0.03 * leaked)
        self.assertIn("heap_call", told)

    def test_heaptrack_is_packed_by_its_ending(self):
        """heaptrack_print goes by that, and finds nothing in a file of another kind, without an error."""
        capture = self.path("h.sooth")
        self.sooth("heap", "--stack", "--save", capture, "--", "/bin/sh", "-c", "for i in 1 2 3; do ls /; done")
        plain, told = None, {}
        for ending, unpack in (("", None), (".gz", ["gzip", "-dc"]), (".zst", ["zstd", "-dcq"])):
            out = self.path("h.heaptrack" + ending)
            self.sooth("heap", "--heaptrack", out, capture)
            told[ending] = subprocess.run([harness.have("heaptrack_print"), out], check=True,
                                          stdout=subprocess.PIPE, text=True).stdout
            with open(out, "rb") as file:
                content = file.read()
            if unpack is None:
                plain = content
            elif harness.have(unpack[0]):
                self.assertEqual(subprocess.run([*unpack, out], check=True, stdout=subprocess.PIPE).stdout, plain)
        totals = {ending: re.findall(r"^(?:calls to|temporary|peak heap|total memory).*", text, re.M)
                  for ending, text in told.items()}
        self.assertNotIn("calls to allocation functions: 0 ", str(totals[""]))
        self.assertGreaterEqual(len(totals[""]), 3, told[""])
        self.assertEqual(totals[".gz"], totals[""])
        self.assertEqual(totals[".zst"], totals[""])

    def test_by_thread_and_age(self):
        """What each of two threads keeps, of a process that was attached to, and what is old of it."""
        source, program = self.path("threads.c"), self.path("threads")
        with open(source, "w", encoding="utf-8") as file:
            file.write(THREADS)
        subprocess.run(["cc", "-O1", "-o", program, source, "-lpthread"], check=True)
        target = self.start(program)
        target.wait_for_output(b"ready\n")
        sooth = self.attach(target.pid, "--by", "thread", "--save", self.path("capture.sooth"))
        target.say(b"go\n")
        target.wait_for_output(b"done\n")
        sooth.send(signal.SIGINT)
        rows = {row["tid"]: row for row in self.report_of(sooth)["heap_threads"]}
        tids = [int(tid) for tid in target.out.decode().split() if tid.isdigit()]
        self.assertEqual([(rows[tid]["live_bytes"], rows[tid]["live_blocks"]) for tid in tids],
                         [(1000 * 176, 1000), (500 * 3000, 500)])
        # The first thread allocated its blocks four seconds before the end, the other one just then.
        old = self.sooth("heap", "-j", "--by", "size", "--min-age", "3s", self.path("capture.sooth")).json()
        live = {row["size_bytes"]: row["live_blocks"] for row in old["heap_exact_sizes"]}
        self.assertEqual((live[176], live[3000]), (1000, 0))

    def test_refused(self):
        self.assert_says_three_lines(self.sooth("heap", "--in-kernel", "-c", "1", status=2), "--in-kernel")
        self.assert_says_three_lines(self.sooth("heap", "--in-kernel", "-o", self.path("x"), "1", status=2),
                                     "--in-kernel")
        self.assert_says_three_lines(self.sooth("heap", "--churn", "--sizes", "1", status=2), "--churn")
        self.assert_says_three_lines(self.sooth("heap", "--blocks", "0", "1", status=2), "--blocks")
        for options in (["--weight", "live"], ["-c", "--folded", "x"], ["--flamegraph"], ["--flamegraph", "-o", "x.txt"]):
            run = self.sooth("heap", *options, "1", status=2)
            self.assertEqual(len(run.errors.splitlines()), 3, run)


@needs_bpf
class Answers(HeapCase):
    def started(self):
        target = self.start(program_of(self))
        target.wait_for_output(b"ready")
        return target

    def answer(self, option, *more):
        return self.sooth("heap", option, "-j", "-d", "3", *more, str(self.started().pid)).json()

    def assert_same(self, option, capture, report, sections):
        again = self.sooth("heap", option, "-j", capture).json()
        for section in sections:
            self.assertEqual(again[section], report[section])
        text = self.sooth("heap", option, capture).text
        self.assertTrue(text.startswith(report[sections[0]]["text"]), text)

    def check_churn(self, report):
        churn, rows = report["heap_churn"], report["heap_stacks"]
        self.assertRegex(churn["text"], r"^allocates .* in (?:about )?\d+ calls each second and frees \d+ % of it "
                                        r"within 10 ms: 100 % of that in churns \([^)]+\) < main")
        self.assertEqual(rows[0]["functions"][1], "churns")
        self.assertGreater(rows[0]["short_blocks"], 0.9 * rows[0]["calls"])
        # 10,000 of 10,476 bytes in a turn; all that stays for 200 turns is not short-lived.
        self.assertTrue(90 < churn["short_bytes_percent"] < 96, churn)
        for row in rows[1:]:
            self.assertLess(row["short_blocks"], 0.1 * row["calls"] + 2, row)

    def test_churn(self):
        capture = self.path("churn.sooth")
        report = self.answer("--churn", "--save", capture)
        self.check_churn(report)
        self.assert_same("--churn", capture, report, ("heap_churn", "heap_stacks"))

    def test_churn_of_single_calls(self):
        self.check_churn(self.answer("--churn", "-o", self.path("calls.jsonl"), "--buffer", "32M"))

    def test_stacks_in_files(self):
        """The view heap_graph: each weight is what the table says; the picture shows the functions; from single calls too."""
        capture, program = self.path("stacks.sooth"), program_of(self)
        columns = {"live": "live_bytes", "blocks": "live_blocks", "allocated": "allocated_bytes", "calls": "calls",
                   "peak": "at_peak_bytes"}
        for how in ("--in-kernel", "--stack"):
            report = last_json(self.sooth("heap", how, "-j", "--save", capture, "--", program, "many").text)
            for weight, column in columns.items():
                path = self.path("stacks.folded")
                self.sooth("heap", "--folded", path, "--weight", weight, capture)
                lines = [line.rsplit(" ", 1) for line in harness.read(path).decode().splitlines()]
                have = {stack: int(number) for stack, number in lines}
                want = {";".join(reversed(row["functions"])): row[column] for row in report["heap_stacks"] if row[column]}
                self.assertEqual(have, want, (how, weight))
                # A short run is not looked at before its end, so the kernel's sums have no peak.
                if (how, weight) != ("--in-kernel", "peak"):
                    self.assertTrue(any(stack.endswith("main;keeps;malloc") for stack in have), have)
        picture = self.path("stacks.svg")
        self.sooth("heap", "--flamegraph", "-o", picture, capture)
        self.assertIn(b"keeps", harness.read(picture))
        self.assertTrue(harness.read(self.path("stacks.folded")))
        pprof = self.path("stacks.pb.gz")
        self.sooth("heap", "--pprof", pprof, "--weight", "allocated", capture)
        text = gzip.decompress(harness.read(pprof))
        self.assertIn(b"keeps", text)
        self.assertIn(b"allocated_bytes", text)
        if shutil.which("go"):
            raw = subprocess.run(["go", "tool", "pprof", "-raw", pprof], capture_output=True, text=True, check=True).stdout
            # An address in a mapping with its build id, and the line of the statement.
            self.assertRegex(raw, r"(?m)^ +\d+: 0x[0-9a-f]+ M=\d+ keeps \w+\.c:[1-9]\d* s=0$")
            self.assertRegex(raw, r"(?m)^\d+: 0x0/0xf+/0x0 %s [0-9a-f]{40} " % "program")

    def check_sizes(self, report):
        rows = report["heap_classes"]
        self.assertRegex(report["heap_largest"]["text"],
                         r"^\d+ blocks of 176 bytes each on average hold .*, \d+ % of what was not freed: "
                         r"100 % of it from keeps \([^)]+\) < main")
        self.assertEqual((rows[0]["from_bytes"], rows[0]["to_bytes"], rows[0]["mean_bytes"]), (160, 192, 176))
        held = [row for row in rows if row["from_bytes"] == 256][0]
        self.assertEqual((held["live_blocks"], held["mean_bytes"]), (200, 300))
        self.assertRegex(held["stack"], "^malloc < holds < main")
        churned = [row for row in rows if row["from_bytes"] == 896][0]
        self.assertLessEqual(churned["live_blocks"], 1)

    def test_sizes(self):
        capture = self.path("sizes.sooth")
        report = self.answer("--sizes", "--save", capture)
        self.check_sizes(report)
        self.assert_same("--sizes", capture, report, ("heap_largest", "heap_classes"))

    def test_sizes_of_single_calls(self):
        self.check_sizes(self.answer("--sizes", "-o", self.path("calls.jsonl"), "--buffer", "32M"))


if __name__ == "__main__":
    harness.main()
