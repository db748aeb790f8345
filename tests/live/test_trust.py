# SPDX-License-Identifier: BSD-2-Clause
"""
Root with a user's HOME, variables and folders: what the user can write does not decide what root
does. With sudo the user's own files count, and what they start or make is the user's.
"""
import fcntl
import os
import pty
import shutil
import signal
import socket
import stat
import struct
import subprocess
import termios
import unittest

import harness
from control_client import Client
from harness import SOOTH, needs_root
from test_top import TopCase

USER, OTHER = 4242, 4343
WRITES = "#!/bin/sh\ncat > /dev/null\nid -u > %s.new\nid -G >> %s.new\nmv %s.new %s\n"
FETCHES = """
#include <stdio.h>
extern char **environ;
void *debuginfod_begin(void) { return &environ; }
int debuginfod_find_debuginfo(void *client, const unsigned char *id, int size, char **path)
{
    FILE *file = fopen("%s", "w");
    for (char **v = environ; *v; v++)
        fprintf(file, "%%s\\n", *v);
    fclose(file);
    return -2;
}
"""


@needs_root
class Trust(TopCase):
    def setUp(self):
        super().setUp()
        os.chmod(self.folder, 0o755)
        self.user = self.path("user")
        self.config = os.path.join(self.user, ".config/sooth")
        self.ran = os.path.join(self.user, "ran")
        os.makedirs(self.config)
        self.put_program("evil", self.ran)
        self.give(self.user)

    def put_program(self, name, result):
        path = os.path.join(self.user, name)
        with open(path, "w", encoding="ascii") as file:
            file.write(WRITES.replace("%s", result))
        os.chmod(path, 0o755)
        return path

    def give(self, top, uid=USER):
        for path, folders, files in os.walk(top):
            for name in [path] + [os.path.join(path, name) for name in folders + files]:
                os.chown(name, uid, uid, follow_symlinks=False)

    def write(self, name, text, uid=USER, mode=0o644):
        path = os.path.join(self.config, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
        self.give(self.config)
        os.chown(path, uid, uid)
        os.chmod(path, mode)
        return path

    def environment(self, sudo=None, **more):
        """As of `sudo -E`, or of a root with a kept HOME."""
        env = {k: v for k, v in os.environ.items() if not k.startswith(("SUDO_", "XDG_"))}
        env["HOME"] = self.user
        if sudo:
            env.update(SUDO_UID=str(sudo), SUDO_GID=str(sudo))
        return {**env, **more}

    def evil_conf(self, **options):
        return self.write("top.conf", "bell = yes\nalert-on = waits-for-user\non-alert = %s\n" %
                          os.path.join(self.user, "evil"), **options)

    def alerted(self, sudo=None, **more):
        """A screen on which an alert is raised."""
        environment = self.environment(sudo, **more)
        environment.setdefault("XDG_CONFIG_HOME", os.path.join(self.user, ".config"))
        environment.setdefault("SUDO_UID", "")  # those of the test are kept else
        self.agent("alpha", "waiting", waitingFor="permission prompt")
        screen = self.top(environment=environment)
        self.wait_for_row(screen, "alpha", "waits for permission")
        return screen

    def assert_nothing_ran(self, screen):
        for _ in range(10):
            screen.pump(0.3)
        self.assertFalse(os.path.exists(self.ran), "a program of the user ran")

    def refused(self, *command, sudo=None, words=(), **more):
        run = self.sooth(*command, env=self.environment(sudo, **more), status=None)
        self.assert_says_three_lines(run, *words)
        return run


class Programs(Trust):
    def test_of_a_user(self):
        self.evil_conf()
        self.assert_nothing_ran(self.alerted())

    def test_of_a_third_user(self):
        self.evil_conf()
        self.assert_nothing_ran(self.alerted(OTHER))

    def test_that_others_can_change(self):
        self.evil_conf(mode=0o666)
        self.assert_nothing_ran(self.alerted(USER))

    def test_of_the_user_of_sudo(self):
        """Runs, with that user's rights."""
        self.evil_conf()
        self.alerted(USER)
        harness.wait_until(lambda: os.path.exists(self.ran), "the program")
        self.assertEqual(harness.read(self.ran).decode().split(), [str(USER)] * 2)

    def test_pager(self):
        """The pager that a variable names."""
        reports = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../cli/baseline/sick.sooth")
        pid, terminal = pty.fork()
        if pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
            os.environ.update(self.environment(USER, PAGER=os.path.join(self.user, "evil"), TERM="xterm"))
            os.environ.pop("SOOTH_PAGER", None)
            os.execv(SOOTH, [SOOTH, "diagnose", "-v", reports])
        try:
            while os.read(terminal, 65536):
                pass
        except OSError:
            pass
        os.waitpid(pid, 0)
        os.close(terminal)
        self.assertEqual(harness.read(self.ran).decode().split(), [str(USER)] * 2)


    def test_tmux(self):
        """A client starts what its server sends, so it is the user's client."""
        folder = os.path.join(self.user, "bin")
        os.mkdir(folder)
        with open(self.path("tmux"), "w", encoding="ascii") as file:
            file.write("#!/bin/sh\nid -u > %s\n" % self.ran)
        os.chmod(self.path("tmux"), 0o755)
        os.makedirs(self.path("alpha"))
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(self.path("alpha"))
            os.environ.update(HOME=self.home, CLAUDE_CONFIG_DIR=self.home)
            os.execv(self.program, [self.program, "-c", "read x"])
        self.addCleanup(os.waitpid, pid, 0)
        self.addCleanup(os.close, terminal)
        screen = self.top(str(pid), environment=self.environment(
            USER, TMUX=os.path.join(self.user, "socket") + ",1,1", PATH=self.folder + ":" + os.environ["PATH"],
            XDG_CONFIG_HOME=os.path.join(self.user, ".config")))
        screen.wait_for(lambda _: self.row_of(screen, "alpha"), "a row")
        for _ in range(20):
            screen.type(b"J", 0.3)
            if os.path.exists(self.ran):
                break
        self.assertEqual(harness.read(self.ran).decode().split(), [str(USER)])


class Files(Trust):
    def list_agents(self, sudo=None, **more):
        return self.sooth("ps", "--list-agents", "-j", env=self.environment(sudo, **more), status=None)

    def test_every_file(self):
        """Refused with three lines, and sooth goes on without it."""
        for name, text, command in (
                ("peers", "127.0.0.1 mine\n", ("status", "-i", "10ms")),
                ("findings", "cpu-spin off = 1\n", ("diagnose", "--quick", str(os.getpid()))),
                ("monitor.conf", "fifo-dir = %s\n" % self.path("fifos"), ("monitor", "--check")),
                ("agents.d/a.agent", "name mine\ntitle T\nname-is mine-of-this-test\n",
                 ("ps", "--list-agents"))):
            path = self.write(name, text)
            run = self.refused(*command, words=("trust " + os.path.dirname(path), "belongs to another user", "HOME=/root"))
            self.assertNotIn("mine", run.text.replace("determine", ""))
            os.unlink(path)
            if name.startswith("agents.d"):
                os.rmdir(os.path.dirname(path))

    def test_remedies_work(self):
        path = self.write("agents.d/a.agent", "name mine\ntitle T\nname-is mine-of-this-test\n", mode=0o666)
        run = self.list_agents(USER)
        self.assert_says_three_lines(run, path + " can be written to", "chmod go-w %s" % path)
        self.run_program("/bin/sh", "-c", run.errors.splitlines()[2].split("try: ")[1])
        run = self.list_agents(USER)
        self.assertEqual(run.errors, "")
        self.assertIn("mine", run.text)
        run = self.list_agents()
        self.assertNotIn("mine-of", run.text)
        run = self.run_program("/bin/sh", "-c", run.errors.splitlines()[2].split("try: ")[1].replace(
            "sooth", SOOTH) + " ps --list-agents -j", env=self.environment(XDG_CONFIG_HOME=self.user))
        self.assertEqual(run.errors, "")

    def test_a_file_that_was_named(self):
        path = os.path.join(self.user, "m.conf")
        with open(path, "w", encoding="ascii") as file:
            file.write("no-history = yes\n")
        os.chown(path, USER, USER)
        run = self.refused("monitor", "--check", "--config", path, words=("belongs to another user", "--config /root/"))
        self.assertEqual(run.status, 2)
        run = self.sooth("monitor", "--check", "--config", path, env=self.environment(USER))
        self.assertIn("1 settings, all right", run.text)
        run = self.sooth("monitor", "--check", "--config", "m.conf", env=self.environment(USER), cwd=self.user)
        self.assertIn("1 settings, all right", run.text)

    def test_no_configuration_is_no_message(self):
        shutil.rmtree(os.path.join(self.user, ".config"))
        self.assertEqual(self.list_agents().errors, "")
        self.assertEqual(self.sooth("monitor", "--check", env=self.environment()).errors, "")

    def test_folders_that_others_can_change(self):
        self.write("agents.d/a.agent", "name mine\ntitle T\nname-is mine-of-this-test\n")
        for folder in (self.user, os.path.join(self.user, ".config"), self.config):
            mode = os.stat(folder).st_mode
            os.chmod(folder, 0o777)
            self.assert_says_three_lines(self.list_agents(USER), folder + " can be written to")
            os.chmod(folder, stat.S_IMODE(mode))
        self.assertEqual(self.list_agents(USER).errors, "")

    def test_what_is_no_file(self):
        """A FIFO does not block, a device is not opened, a large file is not read."""
        path = os.path.join(self.config, "peers")
        for make in (lambda: os.mkfifo(path), lambda: os.symlink("/dev/tty", path),
                     lambda: os.symlink("/dev/zero", path), lambda: os.truncate(self.write("peers", ""), 1 << 40)):
            make()
            os.chown(path, USER, USER, follow_symlinks=False)
            run = self.sooth("status", "-i", "10ms", env=self.environment(USER), status=None, timeout=60)
            self.assert_says_three_lines(run, "peers")
            os.unlink(path)

    def test_root_in_a_folder_of_the_user(self):
        """The secret of root is not read through a link or a hard link."""
        secret = self.path("secret")
        with open(secret, "w", encoding="ascii") as file:
            file.write("root:$6$precious\n")
        os.chmod(secret, 0o600)
        for make in (os.symlink, os.link):
            path = os.path.join(self.config, "findings")
            make(secret, path)
            if make is os.symlink:
                os.chown(path, USER, USER, follow_symlinks=False)
            run = self.sooth("diagnose", "--quick", str(os.getpid()), env=self.environment(USER), status=None)
            self.assert_says_three_lines(run, "does not belong to the user of its folder")
            self.assertNotIn("precious", run.text + run.errors)
            os.unlink(path)


class Written(Trust):
    def test_settings(self):
        """A key keeps a choice in top.conf: the user's file stays the user's."""
        screen = self.top(environment=self.environment(USER, XDG_CONFIG_HOME=os.path.join(self.user, "new")))
        screen.pump(1)
        screen.type(b"oj \r")
        screen.wait_for(lambda lines: "kept in top.conf" in lines[-1], "a word about it")
        screen.type(b"q")
        self.assertTrue(screen.ends())
        for path in ("new/sooth", "new/sooth/top.conf"):
            self.assertEqual(os.stat(os.path.join(self.user, path)).st_uid, USER, path)

    def test_cache(self):
        """That of root is root's: nothing is made below a user's HOME."""
        os.makedirs(self.path("aim"))
        os.symlink(self.path("aim"), os.path.join(self.user, ".cache"))
        self.sooth("profile", "--debuginfod", "http://127.0.0.1:9", "-d", "0.2", "-p", str(os.getpid()),
                   env=self.environment(), status=None)
        self.assertEqual(os.listdir(self.path("aim")), [])

    @unittest.skipUnless(shutil.which("gcc"), "no compiler")
    def test_fetch(self):
        """A library that fetches debug files gets no variable that names a file."""
        source, result = self.path("source.c"), self.path("environment")
        with open(source, "w", encoding="ascii") as file:
            file.write(FETCHES % result)
        subprocess.run(["gcc", "-shared", "-fPIC", "-o", self.path("libdebuginfod.so.1"), source], check=True)
        with open(source, "w", encoding="ascii") as file:
            file.write("int main(void) { for (;;) ; }\n")
        subprocess.run(["gcc", "-Wl,--build-id", "-s", "-o", self.path("spins"), source], check=True)
        target = self.start(self.path("spins"))
        run = self.sooth("profile", "-d", "0.5", "--debuginfod", "http://127.0.0.1:9", "-p", str(target.pid), status=None,
                         env=self.environment(LD_LIBRARY_PATH=self.folder, SSLKEYLOGFILE=self.path("keys"),
                                              OPENSSL_CONF=self.path("conf"), https_proxy="http://127.0.0.1:8"))
        variables = dict(v.split("=", 1) for v in harness.read(result).decode().split("\n") if v)
        self.assertEqual([v for v in variables if not v.startswith("DEBUGINFOD_")], ["https_proxy"], run)

    def test_demo(self):
        """Programs that root starts are in no folder that a user can exchange."""
        folder = os.path.join(self.user, "t")
        os.mkdir(folder)
        before = os.stat(folder).st_mtime_ns
        os.chown(folder, USER, USER)
        self.sooth("demo", env=self.environment(USER, TMPDIR=folder), status=None, timeout=300)
        self.assertEqual(os.stat(folder).st_mtime_ns, before)

    def test_folder_of_the_monitor(self):
        for more in ({}, {"words": ("--history-dir", os.path.join(self.user, "history"))}):
            fifos = () if not more else ("--fifo-dir", self.path("fifos"))
            run = self.sooth("monitor", "-d", "0.5", *fifos, *more.get("words", ()), "1",
                             env=self.environment(), status=None)
            self.assertNotEqual(run.status, 0)
            self.assert_says_three_lines(run, "belongs to another user", "sooth monitor --")
        self.assertFalse(os.path.exists(os.path.join(self.user, ".claude")))
        self.assertFalse(os.path.exists(os.path.join(self.user, "history")))
        run = self.sooth("monitor", "-d", "0.5", "--no-history", "--fifo-dir", os.path.join(self.user, "fifos"), "1",
                         env=self.environment(), status=None)
        self.assertNotEqual(run.status, 0)


class Sockets(Trust):
    def control(self, path, sudo=None):
        return self.start_sooth("trace", "-j", "-p", str(os.getpid()), "--control", path,
                                env=self.environment(sudo))

    def test_in_a_folder_of_a_user(self):
        """Neither made nor removed there: the folder may be another one a moment later."""
        victim = self.path("root.sock")
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(victim)
        listener.close()  # as one that was killed leaves it
        os.symlink(self.folder, os.path.join(self.user, "here"))
        os.chown(os.path.join(self.user, "here"), USER, USER, follow_symlinks=False)
        inode = os.stat(victim).st_ino
        for path in ("here/root.sock", "new.sock"):
            run = self.control(os.path.join(self.user, path)).finish()
            self.assert_says_three_lines(run, "belongs to another user", "--control /run/sooth.sock")
        self.assertEqual(os.stat(victim).st_ino, inode)
        run = self.control(os.path.join(self.user, "here/root.sock"), USER).finish()
        self.assertNotEqual(run.status, 0)
        self.assertEqual(os.stat(victim).st_ino, inode)

    def test_of_the_user_of_sudo(self):
        path = os.path.join(self.user, "own.sock")
        sooth = self.control(path, USER)
        self.assertEqual(Client(self, path).ask("ping"), {"ok": True})
        status = os.stat(path)
        self.assertEqual((status.st_uid, status.st_mode & 0o077), (USER, 0))
        sooth.send(signal.SIGINT)
        sooth.finish()
        self.assertFalse(os.path.exists(path))


if __name__ == "__main__":
    harness.main()
