# SPDX-License-Identifier: BSD-2-Clause
"""
`sooth heap --peak`: which code held the memory when most was live, to the byte where every call is recorded. The
program keeps some, makes a child that keeps some and ends, then holds most for a moment, then keeps more.
"""
import re
import signal
import subprocess

import harness
from harness import needs_bpf
from heap_case import HeapCase, last_json

SOURCE = r"""
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
static void *volatile kept[3000], *volatile held[10000], *volatile late[6000], *volatile others[2000];
#define CODE(name, array, count)                          \
	__attribute__((noinline)) void name(void)         \
	{                                                 \
		for (int i = 0; i < count; i++)           \
			array[i] = malloc(1000);          \
		__asm__ volatile("");                     \
	}
CODE(keeps, kept, 3000)
CODE(holds, held, 10000)
CODE(keeps_later, late, 6000)
CODE(keeps_in_child, others, 2000)
int main(int argc, char **argv)
{
	char line[16];
	if (argc > 1) {
		puts("ready");
		fflush(stdout);
		if (read(0, line, sizeof(line)) <= 0)
			return 1;
	}
	keeps();
	if (!fork()) {
		keeps_in_child();
		_exit(0);
	}
	wait(NULL);
	usleep(500000); /* with sooth's library an end is known when sooth looks, on a busy host later */
	holds();
	if (argc > 1 && argv[1][0] == 's')
		sleep(2);
	for (int i = 0; i < 10000; i++)
		free(held[i]);
	keeps_later();
	if (argc > 1) {
		puts("done");
		fflush(stdout);
		pause();
	}
	return 0;
}
"""
# function: at the peak, and live at the end
TRUTH = {"keeps": (3000000, 3000000), "holds": (10000000, 0), "keeps_later": (0, 6000000), "keeps_in_child": (0, 2000000)}


def by_function(report):
    return {row["functions"][1]: (row["at_peak_bytes"], row["live_bytes"]) for row in report["heap_stacks"]
            if row["functions"][1] in TRUTH}


@needs_bpf
class Peak(HeapCase):
    def setUp(self):
        super().setUp()
        source, self.program = self.path("peak.c"), self.path("peak")
        with open(source, "w", encoding="utf-8") as file:
            file.write(SOURCE)
        subprocess.run(["cc", "-O1", "-o", self.program, source], check=True)

    def check(self, report):
        self.assertEqual(by_function(report), TRUTH)
        peak = report["heap_peak"]
        self.assertLess(abs(peak["peak_bytes"] - 13000000), 100000)
        self.assertRegex(peak["text"], r"^12\.4 MiB were live at the peak, .* after the first call: "
                                       r"7[67] % of it in holds \([^)]+\) < main")

    def test_launched(self):
        for engine in ("auto", "bpf", "preload"):
            with self.subTest(engine=engine):
                self.check(last_json(self.sooth("heap", "--peak", "-j", "--engine", engine, "--", self.program).text))

    def test_files(self):
        capture, path = self.path("peak.sooth"), self.path("peak.folded")
        self.sooth("heap", "--folded", path, "--weight", "peak", "--save", capture, "--", self.program)
        have = {line.rsplit(";", 2)[1]: int(line.rsplit(" ", 1)[1])
                for line in harness.read(path).decode().splitlines() if re.search(r";main;\w+;malloc ", line)}
        self.assertEqual(have, {name: at_peak for name, (at_peak, _) in TRUTH.items() if at_peak})
        self.check(self.sooth("heap", "--peak", "-j", capture).json())

    def attached(self, *options, how="quick"):
        target = self.start(self.program, how)
        target.wait_for_output(b"ready")
        sooth = self.attach(target.pid, "--peak", *options)
        target.say(b"\n")
        target.wait_for_output(b"done")
        sooth.send(signal.SIGINT)
        return self.report_of(sooth)

    def test_attached(self):
        self.check(self.attached("--exact"))
        # What the kernel adds up is looked at from time to time, and the answer says so.
        report = self.attached(how="slowly")
        at_peak = {name: row[0] for name, row in by_function(report).items()}
        self.assertEqual((at_peak["keeps"], at_peak["holds"]), (3000000, 10000000), report["heap_stacks"])
        self.assertRegex(report["heap_peak"]["text"], r"; at most 1\d\.\d MiB when sooth looked: .* in holds \([^)]+\) < .*"
                                                      r"; --exact records every call")


if __name__ == "__main__":
    harness.main()
