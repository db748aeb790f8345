# SPDX-License-Identifier: BSD-2-Clause
"""
`sooth diagnose` of a process whose memory grows: the statement that keeps it, while another function
touches the pages first; also from the capture. A program that only allocates is left at once, and
goes on as before.
"""
import os
import signal
import subprocess
import time

import harness
from harness import needs_bpf

# fine() takes and frees what leaks() gets next: so it touches each new page first.
SOURCE = r"""
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
void *kept[100000];
static int count;
__attribute__((noinline)) void fine(void)
{
	char *block = malloc(12500);
	memset(block, 1, 12500);
	free(block);
}
__attribute__((noinline)) void leaks(void)
{
	char *block = malloc(12000); /* the statement */
	memset(block, 2, 12000);
	kept[count++] = block;
}
int main(void)
{
	for (;;) {
		fine();
		leaks();
		usleep(10000);
	}
}
"""
STATEMENT = 1 + SOURCE[:SOURCE.index("/* the statement")].count("\n")

# Prints how often it has allocated in each 15 ms.
STORM = r"""
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
void *kept[4000000];
static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}
int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (long n = 0;;) {
		long calls = 0;
		for (double end = now() + 0.015; now() < end; calls++) {
			void *block = malloc(64);
			__asm__ volatile("" :: "r"(block) : "memory");
			free(block);
			if (calls % 2000 == 0 && n < 4000000) {
				kept[n] = malloc(3000);
				memset(kept[n++], 1, 3000);
			}
		}
		printf("%ld\n", calls);
		usleep(35000); /* one that computes is not observed at all */
	}
}
"""


@needs_bpf
class Keeper(harness.Case):
    def build(self, name, source):
        path = self.path(name)
        subprocess.run(["cc", "-g", "-O1", "-x", "c", "-o", path, "-"], input=source.encode(), check=True)
        return path

    def test_statement(self):
        target = self.start(self.build("grower", SOURCE))
        capture = self.path("growth.sooth")
        run = self.sooth("diagnose", "--save", capture, str(target.pid), timeout=200)
        first = run.text.splitlines()[0]
        self.assertRegex(first, r"memory grows .* of it kept by leaks \(<stdin>:%d\)" % STATEMENT)
        self.assertNotIn("fine (", run.text)
        again = self.sooth("diagnose", capture, str(target.pid))
        self.assertEqual(again.text.splitlines()[0], first)

    def test_storm_is_left_at_once(self):
        output = self.path("rates")
        with open(output, "wb"):
            pass
        target = self.start("sh", "-c", 'exec "$0" >> "$1"', self.build("storm", STORM), output)
        harness.wait_until(lambda: len(harness.read(output).splitlines()) > 20, "some rates")
        run = self.sooth("diagnose", "-v", str(target.pid), timeout=200)
        self.assertIn("heap by ", run.text)
        time.sleep(1)
        rates = sorted(int(line) for line in harness.read(output).splitlines()[:-1])
        # By its own CPU time: half of a hundred times as long would be three thousand slow ones.
        slow = sum(rate < rates[len(rates) // 2] / 10 for rate in rates)
        self.assertLess(slow, 20, rates[:40])

    def holder_of(self, sooth):
        """The process with the links, once it has some."""
        for child in harness.children_of_sooth(sooth.pid):
            links = {held for held in harness.held_by(child) if held[0] == "link"}
            if links and harness.read("/proc/%d/comm" % child) == b"sooth-guard\n":
                return child, links
        return None

    def test_probes_leave_while_sooth_is_stopped(self):
        target = self.start(self.build("grower", SOURCE))
        for words in (("diagnose",), ("heap", "--max-overhead", "5", "-d", "600s")):
            with self.subTest(words):
                sooth = self.start(harness.SOOTH, *words, "-j", str(target.pid))
                harness.wait_until(lambda s=sooth: self.holder_of(s) or not s.is_running(), "the probes")
                holder, links = self.holder_of(sooth)
                self.assertFalse(links & harness.held_by(sooth.pid), "sooth itself must not have them, too")
                sooth.send(signal.SIGSTOP)
                harness.wait_until(lambda l=links: not harness.still_in_kernel(l), "the probes to leave")
                sooth.send(signal.SIGCONT)
                sooth.send(signal.SIGINT)
                run = sooth.finish()
                self.assertFalse(os.path.exists("/proc/%d" % holder))
        self.assertIn("sooth was stopped", run.text)
        self.assertTrue(target.is_running())

    def test_probes_leave_with_sooth(self):
        target = self.start(self.build("grower", SOURCE))
        sooth = self.start(harness.SOOTH, "diagnose", str(target.pid))
        harness.wait_until(lambda: self.holder_of(sooth) or not sooth.is_running(), "the late probes")
        holder, links = self.holder_of(sooth)
        sooth.send(signal.SIGKILL)
        harness.wait_until(lambda: not harness.still_in_kernel(links), "the probes to leave")
        harness.wait_until(lambda: not os.path.exists("/proc/%d" % holder), "the holder's end")
        self.assertTrue(target.is_running())


if __name__ == "__main__":
    harness.main()
