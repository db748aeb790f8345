# SPDX-License-Identifier: BSD-2-Clause
"""
Debug files from a real debuginfod server on loopback: names and lines of a stripped program appear
with --debuginfod and not without it, a server that is gone or silent ends nothing but its own part,
and what is not the file of this build is refused.
"""
import contextlib
import http.server
import os
import shutil
import socket
import subprocess
import threading
import time
import unittest

import harness
from harness import Case

TEXT = r"""
#include <time.h>
#include <unistd.h>
static volatile unsigned long sum;
__attribute__((noinline)) static void inner(void) { for (int i = 0; i < 100000; i++) sum += i; }
__attribute__((noinline)) static void outer(void) { inner(); sum++; }
int main(int argc, char **argv) {
    if (argc > 1) for (;;) pause();
    for (clock_t end = clock() + CLOCKS_PER_SEC / 2; clock() < end;) outer();
    return argv == 0;
}
"""
MAIN = r"(?m)^ +main  "  # the frame of that function
WITHIN_S = 40  # a silent server: 10 s without data, and what the program itself takes
SERVER_S = 60


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def find_server():
    return shutil.which("debuginfod") or shutil.which("debuginfod", path="/usr/sbin:/usr/bin")


class Fixed(http.server.BaseHTTPRequestHandler):
    """Answers each request with one file, or with nothing at all."""
    content = None
    asked = []

    def do_GET(self):
        self.asked.append(self.path)
        if self.content is None:
            time.sleep(WITHIN_S)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.content)))
        self.end_headers()
        with contextlib.suppress(ConnectionError):  # it wants no file of that size
            self.wfile.write(self.content)

    def log_message(self, *arguments):
        pass


@unittest.skipUnless(find_server(), "no debuginfod: script/setup test installs it")
class Debuginfod(Case):
    def setUp(self):
        super().setUp()
        self.cache = self.path("cache")
        os.mkdir(self.cache, 0o700)
        self.environment = dict(os.environ, XDG_CACHE_HOME=self.cache, DEBUGINFOD_URLS="")

    def build(self, name="program", *options):
        """A stripped program, and in a folder of its own the file with its symbols and lines."""
        source, program = self.path("source.c"), self.path(name)
        folder = self.path(name + "-debug")
        with open(source, "w", encoding="utf-8") as file:
            file.write(TEXT)
        subprocess.run(["gcc", "-g", "-O1", "-Wl,--build-id", *options, "-o", program, source], check=True)
        os.mkdir(folder)
        debug = os.path.join(folder, name + ".debug")
        subprocess.run(["objcopy", "--only-keep-debug", program, debug], check=True)
        subprocess.run(["strip", program], check=True)
        return program, debug

    def serve(self, folder):
        """The URL of a real server that has read this folder."""
        port = free_port()
        process = self.start(find_server(), "-d", self.path("server.sqlite"), "-p", str(port), "-F",
                             "-t", "0", "-g", "0", folder,
                             env=dict(os.environ, DEBUGINFOD_URLS="", HOME=self.folder))
        def is_ready():
            self.assertTrue(process.is_running(), "the server ended")
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", port)):
                    return False
            metrics = subprocess.run(["python3", "-c", "import urllib.request,sys;"
                "sys.stdout.write(urllib.request.urlopen('http://127.0.0.1:%d/metrics').read().decode())" % port],
                capture_output=True, text=True, check=False).stdout
            return "thread_work_total{role=\"traverse\"} 1" in metrics and "thread_work_pending" in metrics and \
                all(line.endswith(" 0") for line in metrics.splitlines() if line.startswith("thread_work_pending")) \
                and all(line.endswith(" 0") for line in metrics.splitlines() if line.startswith("thread_busy{role=\"scan"))
        harness.wait_until(is_ready, "the server to have read its folder", timeout=SERVER_S)
        return "http://127.0.0.1:%d" % port, process

    def serve_fixed(self, content):
        handler = type("Handler", (Fixed,), {"content": content, "asked": []})
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return "http://127.0.0.1:%d" % server.server_port, handler.asked

    def waiting(self, program):
        process = self.start(program, "wait")
        harness.wait_until_asleep(process.pid)
        return str(process.pid)

    def stack(self, pid, *options, environment=None, **more):
        return self.sooth("stack", "-v", *options, pid, env=environment or self.environment, **more)

    def cached(self):
        folder = os.path.join(self.cache, "sooth")
        return sorted(os.listdir(folder)) if os.path.isdir(folder) else []

    def kept(self):
        names = [name for name in self.cached() if name.startswith("debug-")]
        self.assertEqual(len(names), 1, self.cached())
        return os.path.join(self.cache, "sooth", names[0])

    # --- with and without ---

    def test_names_and_lines(self):
        program, debug = self.build()
        url, server = self.serve(os.path.dirname(debug))
        pid = self.waiting(program)
        line = 1 + [i for i, text in enumerate(TEXT.splitlines()) if "pause()" in text][0]
        # Never because the variable is set.
        asked = dict(self.environment, DEBUGINFOD_URLS=url)
        run = self.stack(pid, "--lines", environment=asked)
        self.assertNotIn("source.c", run.text)
        self.assertNotRegex(run.text, MAIN)
        self.assertEqual([n for n in self.cached() if n.startswith("debug")], [])
        for options, environment in ((("--debuginfod", url), self.environment), (("--debuginfod", "env"), asked)):
            with self.subTest(options):
                run = self.stack(pid, "--lines", *options, environment=environment)
                self.assertRegex(run.text, r"(?m)^ +main +source.c:%d$" % line)
                self.assertRegex(run.errors + run.text, r"debuginfod: \d debug files? fetched")
        self.assertIn("1 kept from before", run.errors + run.text)
        kept = self.kept()
        self.assertEqual(os.stat(kept).st_mode & 0o7777, 0o600)
        self.assertEqual([n for n in self.cached() if n.startswith(".")], [])
        # Of the kept file, without a server.
        server.end()
        run = self.stack(pid, "--debuginfod", url)
        self.assertRegex(run.text, MAIN)

    def test_profile_and_capture(self):
        program, debug = self.build()
        url, _ = self.serve(os.path.dirname(debug))
        capture = self.path("names.sooth")
        run = self.sooth("profile", "--rate", "997", "--save", capture, "--debuginfod", url, "--", program,
                         env=self.environment)
        self.assertRegex(run.text, r"\binner\b")
        self.assertRegex(self.sooth("profile", capture, env=self.environment).text, r"\binner\b")
        run = self.sooth("profile", "--rate", "997", "--", program, env=self.environment)
        self.assertNotRegex(run.text, r"\binner\b")

    # --- what is kept ---

    def test_damaged_file_is_fetched_again(self):
        program, debug = self.build()
        url, _ = self.serve(os.path.dirname(debug))
        pid = self.waiting(program)
        self.stack(pid, "--debuginfod", url)
        kept = self.kept()
        good = harness.read(kept)
        changed = bytearray(good)
        changed[len(good) // 2] ^= 0xff
        for bad in (good[:-1], good[:len(good) // 2], bytes(changed), b"", good.replace(b"sooth debug file 1", b"sooth debug file 2")):
            with open(kept, "wb") as file:
                file.write(bad)
            run = self.stack(pid, "--debuginfod", url)
            self.assertRegex(run.text, MAIN)
            self.assertEqual(harness.read(kept), good)
        # Not through a link, and what it leads to stays as it is.
        outside = self.path("outside")
        shutil.move(kept, outside)
        os.symlink(outside, kept)
        self.stack(pid, "--debuginfod", url)
        self.assertFalse(os.path.islink(kept))
        self.assertEqual(harness.read(outside), good)

    def test_bound(self):
        """Of two programs whose files do not fit together the one used last stays."""
        padding = self.path("padding")
        with open(padding, "wb") as file:
            file.write(os.urandom(400 << 10))
        folder = self.path("both")
        os.mkdir(folder)
        for i in range(3):
            _, debug = self.build("large%d" % i, "-DNUMBER=%d" % i, "-Wl,--build-id=0x%040x" % (i + 1))
            subprocess.run(["objcopy", "--add-section", ".padding=" + padding, debug,
                            os.path.join(folder, "large%d.debug" % i)], check=True)
        url, _ = self.serve(folder)
        kept = []
        for i in (0, 1, 0, 2):
            run = self.stack(self.waiting(self.path("large%d" % i)), "--debuginfod", url, "--debug-cache", "1")
            self.assertRegex(run.text, MAIN)
            kept.append({name.lstrip("debug-")[-1] for name in self.cached() if name.startswith("debug-")})
        self.assertEqual(kept, [{"1"}, {"1", "2"}, {"1", "2"}, {"1", "3"}])

    # --- servers that do not answer ---

    def test_server_gone(self):
        program, _ = self.build()
        pid = self.waiting(program)
        began = time.monotonic()
        run = self.stack(pid, "--debuginfod", "http://127.0.0.1:%d" % free_port())
        self.assertLess(time.monotonic() - began, 15)
        self.assertRegex(run.text, r"not measured: names from debuginfod: no answer: .*refused.*; check the URL")

    def test_silent_server(self):
        program, _ = self.build()
        url, asked = self.serve_fixed(None)
        pid = self.waiting(program)
        began = time.monotonic()
        run = self.stack(pid, "--debuginfod", url)
        self.assertLess(time.monotonic() - began, WITHIN_S)
        self.assertRegex(run.text, r"not measured: names from debuginfod: no answer: .*no more were asked for")
        self.assertEqual(len(set(asked)), 1)

    def test_other_build(self):
        """A server that sends the file of another build, and one that sends no ELF file."""
        program, _ = self.build()
        _, other = self.build("other", "-DNUMBER=1", "-Wl,--build-id=0x%040x" % 7)
        pid = self.waiting(program)
        for content in (harness.read(other), b"<html>sign in</html>"):
            with self.subTest(content[:8]):
                url, _ = self.serve_fixed(content)
                run = self.stack(pid, "--debuginfod", url)
                self.assertRegex(run.text, r"the server sent \d files? of another build")
                self.assertNotRegex(run.text, MAIN)
                self.assertEqual([n for n in self.cached() if "debug" in n or "fetch" in n], [])

    def test_damaged_on_the_way(self):
        """The right build ID, and the rest cut or overwritten: not used, not kept, fetched once a run."""
        program, debug = self.build()
        good = harness.read(debug)
        half = bytearray(good)
        half[len(good) // 3:] = os.urandom(len(good) - len(good) // 3)
        pid = self.waiting(program)
        for content in (good[:len(good) // 2], bytes(half), good[:len(good) - 200]):
            with self.subTest(len(content)):
                url, asked = self.serve_fixed(content)
                run = self.stack(pid, "--debuginfod", url)
                self.assertNotRegex(run.text, MAIN)
                self.assertRegex(run.text, r"the server sent \d files? (of another build|damaged or without names)")
                self.assertEqual([n for n in self.cached() if "debug" in n or "fetch" in n], [])
                self.assertEqual(len(asked), len(set(asked)))
        # A server that has the whole file: nothing of the damaged one is left.
        url, _ = self.serve_fixed(good)
        self.assertRegex(self.stack(pid, "--debuginfod", url).text, MAIN)

    def test_large_file(self):
        program, _ = self.build()
        url, _ = self.serve_fixed(b"\x7fELF" + bytes(2 << 20))
        run = self.stack(self.waiting(program), "--debuginfod", url, "--debug-cache", "1")
        self.assertRegex(run.text, r"larger than half of --debug-cache")
        self.assertEqual([n for n in self.cached() if "debug" in n or "fetch" in n], [])

    # --- options ---

    @unittest.skipIf(os.geteuid(), "hides the library: needs root")
    def test_without_the_library(self):
        listed = subprocess.run(["/sbin/ldconfig", "-p"], check=True, capture_output=True, text=True).stdout
        library = [l.split("=> ")[1] for l in listed.splitlines() if "libdebuginfod.so.1" in l][0]
        hide = "mount --bind /dev/null %s && exec \"$@\"" % os.path.realpath(library)
        for command in ("stack", "profile"):
            run = self.run_program("unshare", "-m", "sh", "-c", hide, "sh", harness.SOOTH, command,
                                   "--debuginfod", "http://127.0.0.1:1", str(os.getpid()), status=3)
            self.assertIn("apt install libdebuginfod1", run.errors)
            self.assertEqual(run.text, "")

    def test_refused(self):
        pid = str(os.getpid())
        for options, pattern in ((("--debuginfod", "env"), "has no DEBUGINFOD_URLS"),
                                 (("--debuginfod", "file:///etc"), "has to begin with http"),
                                 (("--debug-cache", "1"), "--debuginfod")):
            run = self.sooth("stack", *options, pid, env=self.environment, status=2)
            self.assertIn(pattern, run.errors)


if __name__ == "__main__":
    harness.main()
