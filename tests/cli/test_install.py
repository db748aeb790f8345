#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""install.sh: from a folder and from a server, as an ordinary user; nothing is installed that is not what the sums say."""
import functools
import hashlib
import http.server
import os
import pathlib
import platform
import subprocess
import tempfile
import threading
import unittest

INSTALLER = pathlib.Path(__file__).resolve().parents[2] / "install.sh"
PROGRAM = b"#!/bin/sh\necho sooth 9.9.9\n"
FILE = "sooth-" + platform.machine()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@unittest.skipUnless(platform.machine() in ("x86_64", "aarch64"), "there is no file for this processor")
class Install(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.release = os.path.join(folder.name, "release")
        self.home = os.path.join(folder.name, "home")
        os.mkdir(self.release)
        os.mkdir(self.home)
        os.chmod(folder.name, 0o755)
        self.write(FILE, PROGRAM)
        self.write("SHA256SUMS", ("%s  %s\n" % (hashlib.sha256(PROGRAM).hexdigest(), FILE)).encode())
        self.installer = os.path.join(folder.name, "install.sh")
        self.write(self.installer, INSTALLER.read_bytes())
        self.user = {}
        if not os.geteuid():
            os.chown(self.home, 65534, 65534)
            self.user = {"user": 65534, "group": 65534, "extra_groups": []}

    def write(self, name, data):
        path = os.path.join(self.release, name)
        with open(path, "wb") as file:
            file.write(data)
        os.chmod(path, 0o644)

    def install(self, *words, status=0, home=True, path="/usr/bin:/bin"):
        environment = {"PATH": path}
        if home:
            environment["HOME"] = self.home
        run = subprocess.run(["sh", self.installer, *words], env=environment, capture_output=True, text=True, timeout=60,
                             cwd="/", check=False, **self.user)
        self.assertEqual(run.returncode, status, run.stdout + run.stderr)
        return run

    def files(self):
        return sorted(os.path.relpath(os.path.join(folder, name), self.home)
                      for folder, _, names in os.walk(self.home) for name in names)

    def test_from_a_folder(self):
        run = self.install("--from", self.release)
        self.assertEqual(self.files(), [".local/bin/sooth"])
        program = os.path.join(self.home, ".local/bin/sooth")
        self.assertIn("sooth 9.9.9 is in %s\n" % program, run.stdout)
        self.assertIn('export PATH="%s:$PATH"' % os.path.dirname(program), run.stdout)
        self.assertTrue(os.access(program, os.X_OK))
        # Again, over a program that runs from there.
        self.install("--from", self.release, path=os.path.dirname(program) + ":/usr/bin:/bin")
        self.assertEqual(self.files(), [".local/bin/sooth"])

    def test_beside_its_release_and_elsewhere(self):
        self.write("install.sh", INSTALLER.read_bytes())
        self.installer = os.path.join(self.release, "install.sh")
        self.install("--to", os.path.join(self.home, "my tools"))
        self.assertEqual(self.files(), ["my tools/sooth"])

    def test_from_a_server(self):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=self.release))
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            address = "http://127.0.0.1:%d" % server.server_address[1]
            self.install("--from", address)
            self.assertEqual(self.files(), [".local/bin/sooth"])
            self.assertIn("cannot get %s/none/SHA256SUMS" % address,
                          self.install("--from", address + "/none", status=1).stderr)
        finally:
            server.shutdown()
            server.server_close()

    def test_not_what_the_sums_say(self):
        for program, sums, why in ((PROGRAM + b"more", None, "%s is not what SHA256SUMS says" % FILE),
                                   (PROGRAM, b"", "SHA256SUMS has no line for %s" % FILE)):
            self.write(FILE, program)
            if sums is not None:
                self.write("SHA256SUMS", sums)
            self.assertIn(why, self.install("--from", self.release, status=1).stderr)
            self.assertEqual(self.files(), [])

    def test_a_program_that_does_not_run(self):
        program = b"#!/bin/sh\necho no such kernel >&2\nexit 1\n"
        self.write(FILE, program)
        self.write("SHA256SUMS", ("%s  %s\n" % (hashlib.sha256(program).hexdigest(), FILE)).encode())
        self.assertIn("does not run here: no such kernel", self.install("--from", self.release, status=1).stderr)
        self.assertEqual(self.files(), [])

    def test_refused(self):
        self.assertIn("name the release with --from URL", self.install(status=1).stderr)
        self.assertIn("no such option: --form", self.install("--form", self.release, status=2).stderr)
        if os.geteuid() or self.user:
            self.assertIn("HOME is not set", self.install("--from", self.release, home=False, status=1).stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
