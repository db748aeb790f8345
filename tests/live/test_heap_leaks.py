# SPDX-License-Identifier: BSD-2-Clause
"""
`sooth heap --leaks`: the code that keeps more and more, and its healthy twins: blocks that replace
others, a cache that fills, memory that is freed in turns; redis-server with a limit that it reaches,
and without. The same from a capture.
"""
import shutil
import socket
import subprocess
import time

import harness
from harness import needs_bpf
from heap_case import HeapCase, last_json

SOURCE = r"""
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
static void *ring[64], *cache[400], *turn[200], **all;
static int count;
__attribute__((noinline)) void leaks(void)
{
	void *volatile block = malloc(500);
	all = realloc(all, (count + 1) * sizeof(*all));
	all[count++] = block;
}
__attribute__((noinline)) void replaces(int i)
{
	free(ring[i % 64]);
	ring[i % 64] = malloc(2000);
}
__attribute__((noinline)) void fills(int i)
{
	if (i < 400)
		cache[i] = malloc(4000);
}
__attribute__((noinline)) void takes_turns(int i)
{
	turn[i % 200] = malloc(3000);
	for (int k = 0; i % 200 == 199 && k < 200; k++)
		free(turn[k]);
}
int main(int argc, char **argv)
{
	puts("ready");
	fflush(stdout);
	for (int i = 0; i < (argc > 2 ? 4000 : 100000); i++) {
		if (argc > 1)
			leaks();
		replaces(i);
		fills(i);
		takes_turns(i);
		usleep(1000);
	}
	for (int i = 0; i < count; i++)
		free(all[i]);
	return argv == NULL;
}
"""

COUNTED_S = 5


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@needs_bpf
class Leaks(HeapCase):
    def program(self):
        path, program = self.path("source.c"), self.path("program")
        with open(path, "w", encoding="utf-8") as file:
            file.write(SOURCE)
        subprocess.run(["cc", "-O2", "-fomit-frame-pointer", "-o", program, path], check=True)
        return program

    def leaks_of(self, pid, *options):
        return self.sooth("heap", "--leaks", "-j", "-d", str(COUNTED_S), *options, str(pid)).json()

    def test_freed_at_the_end(self):
        """A program that tidies up has grown all the same."""
        report = last_json(self.sooth("heap", "--leaks", "-j", "--", self.program(), "leaks", "frees").text)
        answer = report["heap_growth"]
        self.assertRegex(answer["text"], r"^kept .* more each second, all the time for .* s, and freed it at the end: "
                                         r"in leaks \([^)]+\) < main")
        self.assertEqual(answer["growing_stacks"], 0)
        self.assertTrue(answer["freed_at_end_stacks"])

    def test_leak(self):
        target = self.start(self.program(), "leaks")
        target.wait_for_output(b"ready")
        capture = self.path("leaks.sooth")
        report = self.leaks_of(target.pid, "--save", capture)
        answer, rows = report["heap_growth"], report["heap_stacks"]
        self.assertTrue(answer["growing_stacks"], answer)
        for row in rows:
            self.assertEqual(row["functions"][1], "leaks", rows)
        self.assertRegex(answer["text"], r"^keeps .* more each second(?: \(\+-[^)]+: 99 %\))?(?: \(\S+ \S+ a day\))?, throughout [^:]+ s: \d+ % of the growth in leaks \([^)]+\) < main")
        self.assertGreater(sum(row["growth_bytes_per_s"] for row in rows), 100 * 500)
        again = self.sooth("heap", "--leaks", "-j", capture).json()
        self.assertEqual((again["heap_growth"], again["heap_stacks"]), (answer, rows))
        text = self.sooth("heap", "--leaks", capture).text
        self.assertTrue(text.startswith(answer["text"]), text)
        # The stacks of everything are in the same capture, with what grows.
        everything = self.sooth("heap", "--stack", "-j", capture).json()["heap_stacks"]
        grows = {row["functions"][1] for row in everything if row["growth_bytes_per_s"] is not None}
        self.assertEqual(grows, {"leaks"}, everything)

    def test_difference(self):
        """Two captures side by side: the first line says how much more is live, and in which code."""
        captures = []
        for arguments in ((), ("leaks",)):
            target = self.start(self.program(), *arguments)
            target.wait_for_output(b"ready")
            captures.append(self.path("%d.sooth" % len(captures)))
            self.sooth("heap", "--stack", "--exact", "-d", "3", "--save", captures[-1], str(target.pid))
        healthy, leaks = captures
        more = self.sooth("diff", healthy, leaks).text
        self.assertRegex(more, r"^[\d.]+ \S+ more is live from malloc: .*, before .*; [\d.]+ \S+ of it in leaks < main; peak ")
        self.assertRegex(self.sooth("diff", leaks, healthy).text, r"^[\d.]+ \S+ less is live from malloc: .* of it in leaks < main")
        report = self.sooth("diff", "-j", healthy, leaks).json()["heap_change"]
        self.assertGreater(report["live_bytes"], report["live_before_bytes"])

    def test_healthy(self):
        target = self.start(self.program())
        target.wait_for_output(b"ready")
        report = self.leaks_of(target.pid)
        answer = report["heap_growth"]
        self.assertEqual(answer["growing_stacks"], 0, report)
        self.assertGreaterEqual(answer["stack_count"], 2)
        self.assertTrue(answer["text"].startswith("no code keeps more and more memory"), answer)
        self.assertFalse(report.get("heap_stacks"), report)

    def test_memory_that_is_not_from_malloc(self):
        """Of a program that grows by mmap(), an answer about malloc alone is no answer; other work is not told of."""
        text = ("import mmap, time\n"
                "kept, some = [], bytearray(600)\n"
                "print('ready', flush=True)\n"
                "while True:\n"
                "    some = bytearray(600)\n"
                "    if %s: kept.append(mmap.mmap(-1, 1 << 17)), kept[-1].write(b'x' * (1 << 17))\n"
                "    time.sleep(0.02)\n")
        for grows in (True, False):
            with self.subTest(grows):
                target = self.start("/usr/bin/python3", "-S", "-c", text % grows)
                target.wait_for_output(b"ready")
                capture = self.path("resident.sooth")
                answer = self.leaks_of(target.pid, "--save", capture)["heap_growth"]
                grown = answer["resident_bytes"] - answer["resident_before_bytes"]
                self.assertEqual(grown >= 5 << 20, grows, answer)
                where = r"^resident memory grew [\d.]+ MiB, mostly not from malloc \(sooth heap --pages -d 10 -p %d " % target.pid
                (self.assertRegex if grows else self.assertNotRegex)(answer["text"], where)
                self.assertEqual(self.sooth("heap", "--leaks", "-j", capture).json()["heap_growth"], answer)

    def test_short(self):
        target = self.start(self.program(), "leaks")
        target.wait_for_output(b"ready")

        def unjudged():
            growth = self.sooth("heap", "--leaks", "-j", "-d", "0.1", str(target.pid)).json()["heap_growth"]
            return growth["growing_stacks"] is None and growth["text"]

        # A busy host makes 2 s of them.
        text = harness.wait_until(unjudged, "a recording that is too short")
        self.assertTrue(text.startswith("not judged: the calls cover less than 2 s"), text)

    def redis(self, *options):
        """A server that gets new keys all the time."""
        if not shutil.which("redis-server") or not shutil.which("redis-benchmark"):
            self.skipTest("no redis here")
        port = free_port()
        server = self.start("redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "",
                            "--io-threads", "1", *options)
        server.wait_for_output(b"Ready to accept")
        self.start("redis-benchmark", "-p", str(port), "-t", "set", "-d", "400", "-r", "100000000", "-n",
                   "100000000", "-c", "2", "-q", stdin=subprocess.DEVNULL)
        return server

    def test_redis(self):
        server = self.redis()
        report = self.leaks_of(server.pid)
        self.assertTrue(report["heap_growth"]["growing_stacks"], report["heap_growth"])
        self.assertGreater(report["heap_growth"]["growing_bytes_per_s"], 100000)

    def test_redis_with_a_limit(self):
        """Keys that replace others, of before the observation too."""
        server = self.redis("--maxmemory", "8mb", "--maxmemory-policy", "allkeys-random")
        time.sleep(4)  # until it is full
        report = self.leaks_of(server.pid)
        answer = report["heap_growth"]
        if answer["growing_stacks"]:
            self.assertIn("blocks of before were freed meanwhile", answer["text"], answer)

    def test_refused(self):
        for option in ("-c", "--stack", "--sites", "--pages"):
            self.assert_says_three_lines(self.sooth("heap", "--leaks", option, "1", status=2), "--leaks")


if __name__ == "__main__":
    harness.main()
