# SPDX-License-Identifier: BSD-2-Clause
"""
The engine in the process: against the workload's own truth, beside the engine in the kernel, and
without privilege. What it may never do is change the program.
"""
import gzip
import os
import random
import re
import shutil
import signal
import subprocess
import unittest

import harness
from harness import needs_bpf
from heap_case import (GLIBC, VARIANTS, HeapCase, by_type, events_by_type, folded, last_json, minus, one,
                       read_json_values, report_calls, truth_calls)

PYTHON = "/usr/bin/python3"
PRELOAD = ("--engine", "preload")
ENGINES = {"bpf": "tracefs", "preload": "preload", "auto": "mixed"}
TREE_TURNS = 40000
OTHER_USER = 65534
SHAPE = ("--threads", "3", "--forks", "3", "--exec", "1")


class Launched(HeapCase):
    """Needs no privilege, whoever runs it."""

    def test_counts(self):
        _, twin = self.track_launched(GLIBC, "heap", *SHAPE, "--seed", "1", "--turns", "0",
                                      options=PRELOAD, truth="truth-0")
        truth, report = self.track_launched(GLIBC, "heap", *SHAPE, "--seed", "1", "--turns", "4000",
                                            options=PRELOAD, truth="truth-n")
        self.assert_nothing_lost(report)
        # This engine knows aligned_alloc from memalign, which are one function in glibc.
        self.assert_but_for_the_library(minus(report_calls(report), report_calls(twin)),
                                        truth_calls(truth), "preload")

    def test_streamed_is_counted(self):
        command, environment = self.command_of(GLIBC, "heap", *SHAPE, "--turns", "3000")
        run = self.sooth("heap", "-j", *PRELOAD, "-o", self.path("events"), "--", *command,
                         "--truth", self.path("truth"), env=environment)
        report = read_json_values(run.text)[-1]
        self.assert_nothing_lost(report)
        events = self.read_events()
        self.assertEqual(events_by_type(events), by_type(report_calls(report)))
        truth = by_type(truth_calls(self.truth()))
        for kind, (count, failed, size) in events_by_type(events).items():
            self.assertGreaterEqual((count, size), (truth[kind][0], truth[kind][2]), kind)
            self.assertEqual(failed, truth[kind][1], kind)

    def test_every_call_of_a_small_program(self):
        run = self.sooth("heap", "-j", *PRELOAD, "-o", self.path("events"), "--",
                         self.program("heap-plain"))
        truth, report = read_json_values(run.text)
        calls = truth_calls(truth)
        self.assert_nothing_lost(report)
        self.assertEqual(report_calls(report), calls)
        self.assert_live(report, truth)
        self.assertEqual(events_by_type(self.read_events()), by_type(calls))

    def test_a_ring_that_is_full_loses_nothing(self):
        run = self.sooth("heap", "-j", *PRELOAD, "--", harness.WORKLOADS, "heap_storm", "--seconds",
                         "1", "--threads", "2", timeout=120)
        report = last_json(run.text)
        totals, counted = one(report["heap_totals"]), report["heap_by_function"]
        self.assertEqual(report["loss"], [])
        self.assertEqual(totals["calls"], sum(row["count"] for row in counted.values()))
        self.assertLess(totals["live_blocks"], 20)

    def test_a_static_program_is_told(self):
        """No call of it was observed: no zeros then."""
        command = ("--", self.program("heap-plain-static"))
        totals = one(last_json(self.sooth("heap", "-j", *PRELOAD, *command).text)["heap_totals"])
        for name in ("calls", "unfinished", "allocated_bytes", "freed_bytes", "live_bytes", "peak_bytes"):
            self.assertIsNone(totals[name], name)
        self.assertIn("not visible", totals["inexact"])
        text = self.sooth("heap", *PRELOAD, *command).text
        self.assertIn("did not load sooth's library", text)
        self.assertNotIn("nothing was allocated", text)

    def test_a_static_child_is_told(self):
        """The others of the tree are observed, and it is named."""
        script = "x=$(echo a | cat); %s heap_storm --seconds 1 --rate 100; %s sleep --seconds 1" % (
            self.program("heap-static"), harness.WORKLOADS)
        run = self.sooth("heap", "-j", *PRELOAD, "--", "/bin/sh", "-c", script)
        report = last_json(run.text)
        self.assertIn("heap-static", str(report["limits"]))
        self.assertNotIn("/workloads", str(report["limits"]))
        self.assertIn("workloads", [row["name"] for row in report["heap_processes"]])
        totals = one(report["heap_totals"])
        self.assertGreater(totals["calls"], 100)
        self.assertIn("not visible", totals["inexact"])

    def test_a_library_that_is_missing(self):
        """It was named: the command is not observed in the kernel instead."""
        for engine in ((), PRELOAD, ("--engine", "auto")):
            run = self.sooth("heap", *engine, "--preload-library", "/no/such.so", "--", "/bin/true", status=4)
            self.assert_says_three_lines(run, "/no/such.so")

    def test_attaching_is_refused(self):
        run = self.sooth("heap", *PRELOAD, "-p", str(os.getpid()), status=3)
        self.assert_says_three_lines(run, "when the program starts")


class Unchanged(HeapCase):
    """The program behaves as it would alone."""

    def script(self, text, *options, status=0, **more):
        return self.sooth("heap", "-j", *PRELOAD, *options, "--", PYTHON, "-c", text,
                          status=status, timeout=60, **more)

    def seen_of_python(self, text, status=0):
        """Python by the C library's malloc, so that a line of it is many calls."""
        environment = dict(os.environ, PYTHONMALLOC="malloc")
        run = self.script(text, status=status, env=environment)
        report = last_json(run.text)
        self.assertEqual(report["loss"], [])
        return run, report

    def test_without_privilege(self):
        run = self.run_program(harness.SOOTH, "heap", "-j", *PRELOAD, "--", harness.WORKLOADS, "heap",
                               "--turns", "500", **harness.as_nobody())
        self.assertGreater(one(last_json(run.text)["heap_totals"])["calls"], 400)

    def test_without_privilege_by_itself(self):
        """What could be observed by the kernel with privilege needs none, and says so."""
        run = self.run_program(harness.SOOTH, "heap", "-j", "--", harness.WORKLOADS, "heap", "--turns", "500",
                               **harness.as_nobody())
        report = last_json(run.text)
        self.assertGreater(one(report["heap_totals"])["calls"], 400)
        self.assertEqual([row["method"] for row in report["sources"] if row["probe"] == "heap"], ["preload"])
        self.assertEqual(report["sources"][0]["fallback_reason"].count("cap_bpf"), 1, report["sources"])

    def test_a_static_program_without_privilege(self):
        program = self.copy_for_all(self.program("heap-plain-static"))
        run = self.run_program(harness.SOOTH, "heap", "--", program, **harness.as_nobody())
        # The workload prints its own truth before.
        lines = [line for line in run.text.splitlines() if "not visible" in line or "? calls" in line]
        self.assertEqual(lines[0], "a program's allocator is not visible without privilege: run as root")
        self.assertTrue(lines[1].startswith("? calls"), run.text)
        self.assertIn("mixed, tracefs, multi: use BPF", run.text)
        self.assertNotIn("\\n", run.text)

    def test_a_program_that_closes_all_descriptors(self):
        text = ("import os, threading\n"
                "os.closerange(3, 4096)\n"
                "assert os.open('/dev/null', 0) == 3\n"
                "def work():\n"
                "    for i in range(1000): bytearray(5000)\n"
                "for _ in range(40):\n"
                "    t = threading.Thread(target=work); t.start(); t.join()\n")
        _, report = self.seen_of_python(text)
        self.assertGreater(report["heap_by_function"]["malloc"]["count"], 40000)

    def test_no_descriptor_and_no_child_of_its_own(self):
        text = "import os; print(sorted(os.listdir('/proc/self/fd')), os.listdir('/proc/self/task').__len__())"
        alone = subprocess.run([PYTHON, "-c", text], capture_output=True, text=True, check=True,
                               stdin=subprocess.DEVNULL).stdout
        run, _ = self.seen_of_python(text)
        self.assertTrue(run.text.startswith(alone), run)

    def test_many_threads(self):
        """More at a time than a segment has slots, and more one after the other than all."""
        text = ("import threading\n"
                "b = threading.Barrier(80)\n"
                "def work():\n"
                "    bytearray(7777); b.wait()\n"
                "for _ in range(5):\n"
                "    ts = [threading.Thread(target=work) for _ in range(80)]\n"
                "    [t.start() for t in ts]; [t.join() for t in ts]\n")
        run = self.script(text, "-o", self.path("events"), env=dict(os.environ, PYTHONMALLOC="malloc"))
        self.assertEqual(last_json(run.text)["loss"], [])
        by_thread = {e["tid"] for e in self.read_events() if e.get("size", 0) in range(7777, 7900)}
        self.assertEqual(len(by_thread), 400)

    def test_forks_in_a_signal_handler(self):
        # On a busy host the timer runs out before the program gets on: it is not set for ever.
        text = ("import itertools, os, signal\n"
                "turns = itertools.count()\n"
                "def on(*_):\n"
                "    pid = os.fork()\n"
                "    if not pid:\n"
                "        x = [bytearray(300) for _ in range(100)]; os._exit(0)\n"
                "    os.waitpid(pid, 0)\n"
                "    if next(turns) < 100: signal.setitimer(signal.ITIMER_REAL, 0.002)\n"
                "signal.signal(signal.SIGALRM, on)\n"
                "signal.setitimer(signal.ITIMER_REAL, 0.002)\n"
                "for i in range(300000): bytearray(200)\n"
                "signal.signal(signal.SIGALRM, signal.SIG_IGN)\n")
        _, report = self.seen_of_python(text)
        self.assertGreater(report["heap_by_function"]["malloc"]["count"], 300000)

    def test_no_address_space(self):
        text = ("import resource, sys\n"
                "resource.setrlimit(resource.RLIMIT_AS, (200 << 20, 200 << 20))\n"
                "try:\n"
                "    x = bytearray(500 << 20)\n"
                "except MemoryError: print('MemoryError')\n")
        run, report = self.seen_of_python(text)
        self.assertIn("MemoryError", run.text)
        self.assertGreater(one(report["heap_totals"])["failed"], 0)

    def test_killed_by_its_own_hand(self):
        """What it did until then is there, and live at its end."""
        text = ("import os, signal\n"
                "x = [bytearray(1000) for _ in range(2000)]\n"
                "os.kill(os.getpid(), signal.SIGKILL)\n")
        _, report = self.seen_of_python(text, status=128 + signal.SIGKILL)
        self.assertGreater(one(report["heap_totals"])["live_bytes"], 2000000)

    def test_random_ends(self):
        """A program that is killed at any moment leaves a readable capture, and its status."""
        points = 100 if harness.IS_LONG else 4
        for point in range(points):
            text = ("import os, signal, random\n"
                    "signal.setitimer(signal.ITIMER_REAL, %f)\n"
                    "signal.signal(signal.SIGALRM, signal.SIG_DFL)\n"
                    "while True: x = [bytearray(random.randrange(400)) for _ in range(50)]\n"
                    % (0.0005 + 0.03 * random.Random(point).random()))
            capture = self.path("capture-%d" % point)
            self.sooth("heap", "-j", *PRELOAD, "--stack", "--save", capture, "--", PYTHON, "-c", text,
                       env=dict(os.environ, PYTHONMALLOC="malloc"), status=128 + signal.SIGALRM)
            report = self.sooth("heap", "-j", "--stack", capture).json()
            self.assertEqual(report["loss"], [], point)
            self.assertGreater(one(report["heap_totals"])["calls"], 0, point)

    def test_sooth_is_killed(self):
        """The program runs on to its own end, also in the midst of a full ring."""
        left = []
        for option in ([], ["-o", "/dev/null"]):
            marker = self.path("ended")
            text = ("import os\n"
                    "for i in range(1000000): bytearray(200)\n"
                    "open(%r, 'w').write('yes')\n" % marker)
            sooth = self.start_sooth("heap", *PRELOAD, *option, "--", PYTHON, "-c",
                                     "import os; print('in', os.environ['SOOTH_PRELOAD'], 'ready', flush=True)\n" +
                                     text, env=dict(os.environ, PYTHONMALLOC="malloc"))
            sooth.wait_for_output(b"ready")
            left.append(os.path.dirname(re.search(rb"in (\S+) ready", sooth.out)[1]))
            sooth.send(signal.SIGKILL)
            harness.wait_until(lambda: os.path.exists(marker), "the program to end", 60)
            os.unlink(marker)
        self.sooth("heap", *PRELOAD, "--", "/bin/true")
        self.assertEqual([folder for folder in left if os.path.exists(folder)], [], "the next one removes what it left")


@needs_bpf
class BothEngines(HeapCase):
    """One workload by each, and by both at once: everything but times, and what a process is called by number."""

    def assert_same(self, values):
        for value in values[1:]:
            self.assertEqual(value, values[0])

    def reports(self, *options, command=("heap", "--turns", "3000", "--seed", "9"), program=harness.WORKLOADS,
                preload=""):
        out = []
        environment = dict(os.environ, LD_PRELOAD=preload) if preload else None
        for engine, method in ENGINES.items():
            path = self.path(engine)
            run = self.sooth("heap", "-j", "--engine", engine, "--exact", *options, "--save", path,
                             "--", program, *command, env=environment)
            report = last_json(run.text)
            self.assertEqual([row["method"] for row in report["sources"] if row["probe"] == "heap"],
                             [method])
            self.assertEqual(report["loss"], [])
            out.append(report)
        return out

    def test_tables(self):
        reports = self.reports()
        totals = [one(report["heap_totals"]) for report in reports]
        for name in ("calls", "failed", "overflows", "allocated_bytes", "freed_bytes", "live_bytes",
                     "live_blocks", "peak_bytes"):
            self.assert_same([row[name] for row in totals])
        self.assert_same([report["heap_sizes"] for report in reports])
        self.assert_same([folded(report_calls(report), GLIBC.aliases) for report in reports])
        # Its calls are recorded until the program has ended, and no process is made up.
        names = [[(row["name"], row["calls"], row["live_bytes"], row["peak_bytes"])
                  for row in report["heap_processes"]] for report in reports]
        self.assert_same(names)

    # What an allocator calls in itself, before a program has begun: no function of another library is
    # between. (calls of malloc, bytes)
    OWN_CALLS = {"tcmalloc": (2, 2)}

    def test_other_allocators(self):
        """A library that is loaded before the program's, with new and delete of its own."""
        for variant in VARIANTS[6:]:
            with self.subTest(variant.name):
                if not os.path.exists(variant.preload):
                    self.skipTest("no %s here" % variant.preload)
                program = self.program("heap-throw")
                # Mimalloc that was built as C ends a program instead of throwing.
                alone = subprocess.run([program, "1"], env=dict(os.environ, LD_PRELOAD=variant.preload),
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                how = {} if alone.returncode else {"program": program, "command": ()}
                found = [report_calls(report) for report in self.reports(preload=variant.preload, **how)]
                calls, size = self.OWN_CALLS.get(variant.name, (0, 0))
                for engine, report in zip(ENGINES, found):
                    if engine == "bpf":
                        continue
                    for name, more in (("malloc", size), ("free", 0)):
                        report[name] = report[name]._replace(count=report[name].count + calls,
                                                             bytes=report[name].bytes + more)
                self.assert_same(found)

    def test_operators(self):
        """New and delete of the C++ library, with no frame of sooth's own in their stacks."""
        rows = []
        for report in self.reports("--stack", program=self.program("heap-throw"), command=()):
            rows.append(sorted((row["stack"], row["calls"], row["live_bytes"])
                               for row in report["heap_stacks"]))
        self.assert_same(rows)

    def test_stacks(self):
        """Every stack, by its functions, with what it allocated and keeps."""
        rows = []
        for report in self.reports("--stack"):
            rows.append(sorted((stack_name(row), row["end"], row["calls"], row["allocated_bytes"], row["live_bytes"],
                                row["live_blocks"], row["freed_blocks"]) for row in report["heap_stacks"]))
        self.assert_same(rows)
        self.assertTrue(all("_start" in row[0] for row in rows[1]))

    def test_children(self):
        """Of a tree of processes the same processes, in their order, with the same calls."""
        shape = ("heap", "--turns", "500", "--seed", "9", "--forks", "2", "--exec", "1")
        found = []
        for report in self.reports(command=shape):
            found.append(sorted(row["name"] for row in report["heap_processes"]))
        self.assert_same(found)

    def test_one_tree(self):
        """A program that loads the library records itself; a static one, one with its own malloc and one
        that runs without LD_PRELOAD are probed, and what is missing of their start is reported."""
        run = "%%s heap --turns %d --seed 3; " % TREE_TURNS
        script = (run % self.program("heap-static") + run % harness.WORKLOADS +
                  run % ("env -u LD_PRELOAD " + harness.WORKLOADS) + run % self.program("heap-own"))
        report = last_json(self.sooth("heap", "-j", "--engine", "auto", "--", "/bin/sh", "-c", script).text)
        rows = [(row["name"], row["calls"]) for row in report["heap_processes"] if row["calls"] > TREE_TURNS / 4]
        self.assertEqual(sorted(name for name, _ in rows), ["heap-own", "heap-static", "workloads", "workloads"])
        self.assertEqual(report["loss"], [])
        alone = last_json(self.sooth("heap", "-j", "--engine", "bpf", "--", harness.WORKLOADS, "heap", "--turns",
                                     str(TREE_TURNS), "--seed", "3").text)
        self.assertIn(one(alone["heap_totals"])["calls"], [calls for _, calls in rows])
        # What has a loader is stopped in it, before it runs; a static program at times a moment later.
        self.assertLessEqual({os.path.basename(gap["path"]) for gap in report["heap_gaps"]},
                             {"heap-static", "heap-own"})

    def test_short_programs(self):
        """Each that did not load the library is named, however short it ran; its twins are not."""
        run = " heap --turns 20; "
        for prefix, unseen in (("env -i " + harness.WORKLOADS, "workloads"), (self.program("heap-static"), "heap-static"),
                               ("env LD_PRELOAD= " + harness.WORKLOADS, "workloads"),
                               ("env A=b " + harness.WORKLOADS, None), ("/bin/true; exec " + harness.WORKLOADS, None)):
            for _ in range(3):
                report = last_json(self.sooth("heap", "-j", "--engine", "preload", "--", "/bin/sh", "-c",
                                              prefix + run + "/bin/true").text)
                said = [limit["reason"].split(":")[0] for limit in report["limits"] if "did not load" in limit["what"]]
                self.assertEqual(said, [unseen] if unseen else [], (prefix, report["limits"]))

    def test_a_reader_of_tmp(self):
        """Who reads the files of the session is no program that could not connect."""
        script = "import os\nfolder = os.path.dirname(os.environ['SOOTH_PRELOAD'].split()[0])\n" \
                 "print(open(folder + '/unseen').read() == chr(0))"
        run = self.sooth("heap", "--engine", "preload", "--", PYTHON, "-c", script)
        self.assertIn("True", run.text)
        self.assertNotIn("did not load", run.text)

    def test_another_root(self):
        """There is no library there: the program is probed."""
        root = self.path("root")
        libraries = re.findall(r"(/\S+) \(", subprocess.run(["ldd", harness.WORKLOADS], capture_output=True, text=True,
                                                          check=True).stdout)
        for path in (harness.WORKLOADS, *libraries):
            os.makedirs(root + os.path.dirname(path), exist_ok=True)
            shutil.copy(path, root + path)
        run = ["heap", "--turns", str(TREE_TURNS), "--seed", "3"]
        report = last_json(self.sooth("heap", "-j", "--", "/usr/sbin/chroot", root, harness.WORKLOADS, *run).text)
        alone = last_json(self.sooth("heap", "-j", "--engine", "bpf", "--", harness.WORKLOADS, *run).text)
        inside, calls = sum(row["calls"] for row in report["heap_processes"]), one(alone["heap_totals"])["calls"]
        # Its calls are missing until its files are read; then the report says for how long.
        if "the first allocator calls of a library that was just loaded" not in [r["what"] for r in report["limits"]]:
            self.assertGreaterEqual(inside, calls)
        self.assertGreater(inside, calls / 4)

    def test_another_user(self):
        """A server drops its rights, and then makes its workers: these have its memory."""
        server = ("import os\n"
                  "os.setgroups([]), os.setgid(%d), os.setuid(%d)\n"
                  "for i in range(3):\n"
                  "    if not os.fork():\n"
                  "        for turn in range(1000): bytearray(600)\n"
                  "        os._exit(0)\n"
                  "for i in range(3): os.wait()\n"
                  "try: found = os.listdir(os.path.dirname(os.environ['SOOTH_PRELOAD']))\n"
                  "except PermissionError: found = []\n"
                  "print('found', found)\n" % (OTHER_USER, OTHER_USER))
        for engine in ("auto", "preload"):
            with self.subTest(engine):
                run = self.sooth("heap", "-j", "--engine", engine, "--", PYTHON, "-S", "-c", server)
                # The folder shows nothing to others.
                self.assertIn("found []", run.text)
                workers = [row["calls"] for row in last_json(run.text)["heap_processes"]][1:]
                self.assertEqual([calls >= 2000 for calls in workers], [True] * 3, workers)

    def test_another_root_while_it_runs(self):
        """Its workers take memory that is mapped already, and need nothing of that root."""
        server = ("import os\n"
                  "os.chroot(%r)\n"
                  "for i in range(3):\n"
                  "    if not os.fork():\n"
                  "        for turn in range(1000): bytearray(600)\n"
                  "        os._exit(0)\n"
                  "for i in range(3): os.wait()\n" % self.folder)
        for engine in ENGINES:
            with self.subTest(engine):
                report = last_json(self.sooth("heap", "-j", "--engine", engine, "--", PYTHON, "-S", "-c", server).text)
                inexact = one(report["heap_totals"])["inexact"]
                calls = sum(row["calls"] for row in report["heap_processes"][1:])
                self.assertEqual((inexact, calls >= 6000), (None, True))

    def test_a_library_that_is_gone(self):
        """The environment names it, and no program of the tree has it any more: that is said."""
        library = self.path("library.so")
        shutil.copy(os.path.join(os.path.dirname(harness.SOOTH), "src/preload/sooth-preload.so"), library)
        report = last_json(self.sooth("heap", "-j", "--preload-library", library, "--", "/bin/sh", "-c",
                                      "mv %s %s.gone; %s heap --turns 100; exit 0" %
                                      (library, library, harness.WORKLOADS)).text)
        self.assertTrue(report["heap_gaps"])
        self.assertIsNotNone(one(report["heap_totals"])["inexact"])

    def test_by_itself(self):
        """A launched command without a named engine: in the process, and probed where the library has
        nothing to give: functions of a script on stacks, addresses of probes."""
        run = ("heap", "-j", "--save", self.path("capture"))
        for more, program, is_probed in (((), PYTHON, False), (("--stack",), PYTHON, True),
                                         (("--sites",), "/bin/true", True), (("--stack",), "/bin/true", False)):
            with self.subTest((more, program)):
                command = [program, "-c", "pass"] if program == PYTHON else [program]
                report = last_json(self.sooth(*run, *more, "--", *command).text)
                self.assertEqual(report["sources"][0]["method"], "tracefs" if more == ("--sites",) else "mixed")
                sites = self.sooth("heap", "-j", "--sites", self.path("capture")).json()["heap_sites"]
                self.assertEqual(bool(sites), is_probed)

    def test_several_files(self):
        """One run writes the stacks in two forms, and every call; each as if it was the only one."""
        names = [self.path(name) for name in ("x.folded", "x.pprof", "x.jsonl", "x.heaptrack", "y.folded")]
        run = ("heap", "-j", "--save", self.path("capture"))
        self.sooth(*run, "--folded", names[0], "--pprof", names[1], "-o", names[2], "--",
                   harness.WORKLOADS, "heap", "--turns", "300")
        for option, name in (("--folded", names[0]), ("--pprof", names[1]), ("-o", names[2])):
            alone = self.path("alone")
            self.sooth("heap", "-j", option, alone, self.path("capture"))
            one_file, alone = (harness.read(path) for path in (name, alone))
            if option == "--pprof":
                one_file, alone = gzip.decompress(one_file), gzip.decompress(alone)
            self.assertEqual(one_file, alone, option)
        self.sooth("heap", "-j", "--heaptrack", names[3], "--folded", names[4], self.path("capture"))
        self.assertEqual(harness.read(names[4]), harness.read(names[0]))
        self.assertIn(b"\nX ", harness.read(names[3]))

    @unittest.skipUnless(shutil.which("musl-gcc"), "no musl-gcc here")
    def test_musl(self):
        """A dynamic program of musl loads the library; a static one is probed, and without privilege said."""
        source = self.path("m.c")
        with open(source, "w") as file:
            file.write("#include <stdlib.h>\nint main(void)\n{\n\tfor (int i = 0; i < 1000; i++)\n"
                       "\t\tfree(malloc(100));\n\treturn 0;\n}\n")
        for more, engine, is_seen in (((), "auto", True), ((), "preload", True), (("-static",), "auto", True),
                                      (("-static",), "preload", False)):
            with self.subTest((more, engine)):
                program = self.path("musl")
                subprocess.run(["musl-gcc", "-fno-builtin", *more, "-o", program, source], check=True)
                report = last_json(self.sooth("heap", "-j", "--engine", engine, "--", program).text)
                count = (report["heap_by_function"].get("malloc") or {}).get("count")
                self.assertEqual((count == 1000, bool(report["limits"])), (is_seen, not is_seen))

    def test_functions_of_another_allocator(self):
        """The library has none of their names: the program is probed."""
        jemalloc = VARIANTS[6].preload
        if not os.path.exists(jemalloc):
            self.skipTest("no %s here" % jemalloc)
        auto, alone = [last_json(self.sooth("heap", "-j", "--engine", engine, "--", self.program("heap-jemalloc"),
                                            env=dict(os.environ, LD_PRELOAD=jemalloc)).text)
                       for engine in ("auto", "preload")]
        self.assertEqual(auto["heap_by_function"]["free"]["count"], 1000)
        self.assertEqual(auto["limits"], [])
        self.assertIn("mallocx", str(alone["limits"]))


def stack_name(row):
    """aligned_alloc and memalign are one function in glibc, with one address."""
    return row["stack"].replace("memalign", "aligned_alloc").replace("posix_aligned_alloc", "posix_memalign")


class Stacks(HeapCase):
    """True stacks, also without frame pointers: each reaches the start of its thread."""

    def rows(self, *command, environment=None, status=0):
        run = self.sooth("heap", "-j", *PRELOAD, "--stack", "--", *command, status=status, timeout=100,
                         env=dict(os.environ, **(environment or {})))
        report = last_json(run.text)
        self.assertEqual(report["loss"], [])
        return report["heap_stacks"]

    def assert_whole(self, rows):
        calls = sum(row["calls"] for row in rows)
        whole = sum(row["calls"] for row in rows if row["end"] == rows[0]["end"] or "_start" in row["stack"])
        self.assertGreater(whole, 0.95 * calls, [row for row in rows if "_start" not in row["stack"]][:3])

    def test_python(self):
        """The distribution's interpreter keeps no frame pointers."""
        rows = self.rows(PYTHON, "-c", "import json, email.parser; json.loads('[1,2,3]')",
                         environment={"PYTHONMALLOC": "malloc"})
        self.assertGreater(sum(row["calls"] for row in rows), 20000)
        self.assert_whole(rows)

    def test_a_deep_stack_before(self):
        """A stack of more frames than fit is cut; a later one that is short is whole."""
        source, program = self.path("d.c"), self.path("d")
        with open(source, "w") as file:
            file.write("#include <stdlib.h>\nvoid *kept[8192]; int n;\n"
                       "__attribute__((noinline)) void deep(int i)\n"
                       "{ kept[n++] = malloc(100); if (i) deep(i - 1); __asm__ volatile(\"\"); }\n"
                       "__attribute__((noinline)) void shallow(void) { kept[n++] = malloc(5000); __asm__ volatile(\"\"); }\n"
                       "int main(void) { for (int i = 0; i < 20; i++) deep(200), shallow(); return 0; }\n")
        subprocess.run(["gcc", "-O1", "-g", "-o", program, source], check=True)
        rows = self.rows(program)
        self.assertEqual({row["end"] for row in rows if "deep" in row["functions"]}, {"whole", "more than 128 frames"})
        self.assertEqual([(row["calls"], row["end"]) for row in rows if "shallow" in row["functions"]], [(20, "whole")])

    def test_forms(self):
        """Each form by its own function, below it the same caller."""
        rows = self.rows(harness.WORKLOADS, "heap", "--turns", "500")
        self.assert_whole(rows)
        for name in ("malloc", "realloc", "calloc", "posix_memalign", "valloc", "pvalloc"):
            self.assertTrue([row for row in rows if name in row["stack"].split(" ")[0] and
                             re.search(r"heap_call < (\S+ < )*heap_worker_run", row["stack"])], name)

    def test_exceptions(self):
        rows = self.rows(self.program("heap-throw"))
        self.assert_whole(rows)

    def test_signal_frames(self):
        rows = self.rows(harness.WORKLOADS, "heap_signal")
        self.assert_whole(rows)

    def test_threads(self):
        rows = self.rows(harness.WORKLOADS, "heap", "--turns", "2000", "--threads", "4")
        self.assert_whole([row for row in rows if "heap_worker_run" in row["stack"]])

    def test_code_that_is_unloaded(self):
        """What takes its place has other stacks."""
        text = ("import ctypes, _ctypes, glob\n"
                "names = [f for f in glob.glob('/usr/lib/x86_64-linux-gnu/lib[a-m]*.so.*')][:30]\n"
                "for n in names:\n"
                "    try: h = ctypes.CDLL(n)._handle\n"
                "    except OSError: continue\n"
                "    x = bytearray(3000); _ctypes.dlclose(h)\n")
        rows = self.rows(PYTHON, "-c", text, environment={"PYTHONMALLOC": "malloc"})
        self.assert_whole(rows)


if __name__ == "__main__":
    harness.main()
