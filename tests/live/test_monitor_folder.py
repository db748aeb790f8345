# SPDX-License-Identifier: BSD-2-Clause
"""
The folder of `sooth monitor`: what is no folder or FIFO of the user is refused, before and while it
runs; what was removed is made again.
"""
import os
import shutil
import signal
import time

import harness
from harness import needs_root
from monitor_case import NAMES, MonitorCase


@needs_root
class Refused(MonitorCase):
    def refused(self, *words):
        run = self.sooth("monitor", "-d", "1", "--fifo-dir", self.path("fifos"), "1", status=None)
        self.assertEqual(run.status, 2, run)
        self.assert_says_three_lines(run, *words)

    def test_what_is_no_fifo(self):
        os.mkdir(self.path("fifos"), 0o700)
        name = os.path.join(self.path("fifos"), "syscalls.fifo")
        aim = self.path("aim")
        with open(aim, "w", encoding="ascii") as file:
            file.write("kept")
        os.symlink(aim, name)
        self.refused("symbolic link")
        os.unlink(name)
        os.link(aim, name)
        self.refused("no FIFO")
        os.unlink(name)
        os.mkfifo(name, 0o666)
        os.chmod(name, 0o666)
        self.refused("0600")
        os.chmod(name, 0o600)
        os.chown(name, harness.NOBODY, harness.NOBODY)
        reader = os.open(name, os.O_RDONLY | os.O_NONBLOCK)
        self.refused("another user")
        os.close(reader)
        self.assertEqual(harness.read(aim), b"kept")

    def test_a_folder_that_cannot_be_made(self):
        """The remedy is a command that works."""
        with open(self.path("file"), "w", encoding="ascii"):
            pass
        for folder in (self.path("file/fifos"), "/proc/fifos"):
            run = self.sooth("monitor", "-d", "1", "--fifo-dir", folder, "1", status=None)
            self.assertIn(run.status, (2, 4), run)
            self.assert_says_three_lines(run, "sooth monitor --fifo-dir /tmp/sooth-0")

    def test_what_is_no_folder_of_the_user(self):
        os.mkdir(self.path("other"), 0o700)
        os.symlink(self.path("other"), self.path("fifos"))
        self.refused("no folder")
        os.unlink(self.path("fifos"))
        os.mkdir(self.path("fifos"), 0o755)
        self.refused("0700")
        os.chmod(self.path("fifos"), 0o700)
        os.chown(self.path("fifos"), harness.NOBODY, harness.NOBODY)
        self.refused("another user")
        os.rmdir(self.path("fifos"))
        with open(self.path("fifos"), "w", encoding="ascii"):
            pass
        self.refused("no folder")

    def test_a_second_monitor(self):
        self.monitor("1")
        self.refused("another monitor")

    def test_replaced_while_it_runs(self):
        sooth = self.monitor("1")
        name = os.path.join(self.fifos, "api_calls.fifo")
        os.unlink(name)
        os.symlink("/dev/null", name)
        harness.wait_until(lambda: b"symbolic link" in sooth.err, "the refusal")
        time.sleep(0.5)
        self.assertEqual(bytes(sooth.err).count(b"symbolic link"), 1)
        os.unlink(name)
        harness.wait_until(lambda: os.path.exists(name), "a new FIFO")
        self.assertTrue(sooth.is_running())

    def test_another_in_its_place_while_it_runs(self):
        """A file, and a FIFO of another user, which is read: neither gets a byte."""
        sooth = self.monitor("1")
        for name, said in (("api_calls.fifo", b"no FIFO"), ("scheduler.fifo", b"another user")):
            name = os.path.join(self.fifos, name)
            os.unlink(name)
            if said == b"no FIFO":
                with open(name, "w", encoding="ascii"):
                    pass
            else:
                os.mkfifo(name, 0o600)
                os.chown(name, harness.NOBODY, harness.NOBODY)
                reader = os.open(name, os.O_RDONLY | os.O_NONBLOCK)
            harness.wait_until(lambda said=said: said in sooth.err, "the refusal")
        time.sleep(0.5)
        self.assertEqual(os.read(reader, 100), b"")
        os.close(reader)
        self.assertEqual(os.stat(os.path.join(self.fifos, "api_calls.fifo")).st_size, 0)
        self.assertEqual(bytes(sooth.err).count(b"cannot use"), 2)
        self.assertTrue(sooth.is_running())

    def test_the_folder_is_removed_while_it_runs(self):
        """It is made again; what stands in its place then is used only if it would have been at the start."""
        target = self.start("/bin/sh", "-c", "while :; do sleep 0.05; done")
        sooth = self.monitor(str(target.pid))
        name = os.path.join(self.fifos, "syscalls.fifo")
        shutil.rmtree(self.fifos)
        harness.wait_until(lambda: os.path.exists(name), "the folder")
        os.rename(self.fifos, self.fifos + ".old")
        os.mkdir(self.fifos, 0o700)
        harness.wait_until(lambda: os.path.exists(name), "FIFOs in the other folder")
        reader = self.tail("syscalls.fifo")
        self.wait_for_lines(reader, 10)
        client = self.start_sooth("tail", "--fifo-dir", self.fifos, "-r", "syscalls")
        self.wait_for_lines(client, 10)
        os.rename(self.fifos, self.fifos + ".older")
        os.symlink(self.fifos + ".older", self.fifos)
        harness.wait_until(lambda: b"symbolic link" in sooth.err, "the refusal")
        time.sleep(0.5)
        self.assertEqual(bytes(sooth.err).count(b"symbolic link"), 1)
        os.unlink(self.fifos)
        harness.wait_until(lambda: os.path.exists(name), "the folder")
        self.wait_for_lines(client, len(self.lines(client)) + 5)  # its connection stayed

    def test_by_sudo_the_home_is_the_users(self):
        """Without --fifo-dir: of the user that /etc/passwd has, whatever HOME is."""
        home = self.path("of-nobody")
        os.mkdir(home)
        os.chown(home, harness.NOBODY, harness.NOBODY)
        os.chmod(self.folder, 0o755)
        with open(self.path("passwd"), "w", encoding="ascii") as file:
            file.write("root:x:0:0::/root:/bin/sh\nwho:x:%d:%d::%s:/bin/sh\n" % (
                harness.NOBODY, harness.NOBODY, home))
        sooth = self.start("unshare", "-m", "sh", "-c", "mount --bind \"$0\" /etc/passwd && exec \"$@\"",
                           self.path("passwd"), harness.SOOTH, "monitor", "--no-history", "1",
                           env=dict(os.environ, SUDO_UID=str(harness.NOBODY), SUDO_GID=str(harness.NOBODY)))
        harness.wait_until(lambda: not sooth.is_running() or b"records are in" in sooth.err, "the monitor")
        folder = os.path.join(home, ".claude/fifos")
        for name in (os.path.dirname(folder), folder, *(os.path.join(folder, name) for name in NAMES)):
            status = os.stat(name)
            self.assertEqual((status.st_uid, status.st_mode & 0o077), (harness.NOBODY, 0), name)

    def test_by_sudo_all_is_the_users(self):
        home = self.path("of-nobody")
        os.mkdir(home)
        os.chown(home, harness.NOBODY, harness.NOBODY)
        os.chmod(self.folder, 0o755)
        self.monitor("1", fifos=os.path.join(home, "fifos"), env=dict(
            os.environ, SUDO_UID=str(harness.NOBODY), SUDO_GID=str(harness.NOBODY)))
        for name in (self.fifos, *(os.path.join(self.fifos, name) for name in NAMES)):
            self.assertEqual(os.stat(name).st_uid, harness.NOBODY, name)

    def test_killed_and_started_again(self):
        sooth = self.monitor("1")
        sooth.send(signal.SIGKILL)
        sooth.child.wait()
        self.assertTrue(self.monitor("1").is_running())


if __name__ == "__main__":
    harness.main()
