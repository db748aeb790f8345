# SPDX-License-Identifier: BSD-2-Clause
"""Agents of the user's own: files of agents.d, what is wrong with them, and who is told."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "live"))

import json
import shutil

import capture_reader
import harness
from harness import Case, as_nobody, needs_root

GOOD = "# a comment that stays at home\nname mine\ntitle Our own agent\nname-is mine-of-this-test\n"
NOTE = "user-defined agent"


class Own(Case):
    def setUp(self):
        super().setUp()
        self.agents = self.path("config/sooth/agents.d")
        os.makedirs(self.agents)
        self.environment = dict(os.environ, XDG_CONFIG_HOME=self.path("config"),
                                HOME=self.path("nobody"))

    def write(self, name, text):
        with open(os.path.join(self.agents, name), "w", encoding="utf-8") as file:
            file.write(text)

    def listed(self, status=0, env=None):
        run = self.sooth("ps", "--list-agents", "-j", status=status, env=env or self.environment)
        return run, {row["name"]: row for row in run.json()["agents"]}

    def notes(self, run):
        return [row for row in run.json()["limits"] if row["what"].startswith(NOTE)]

    def start_mine(self, name="mine-of-this-test"):
        shutil.copyfile(shutil.which("sleep"), self.path(name))
        os.chmod(self.path(name), 0o755)
        return self.start(self.path(name), "100")


class Files(Own):
    def test_listed(self):
        before = list(self.listed()[1])
        self.write("b.agent", GOOD)
        self.write("a.agent", "name other\nbelow opt/other\ntried 1.0\n")
        for name in ("c.agent~", ".d.agent", "README", "agent"):
            self.write(name, "not read")
        run, rows = self.listed()
        self.assertEqual(list(rows), ["other", "mine"] + before)
        self.assertEqual((rows["mine"]["title"], rows["mine"]["source"], rows["mine"]["rules"]),
                         ("Our own agent", "b.agent", 1))
        self.assertEqual(rows["other"]["tried"], "1.0")
        self.assertEqual(rows["claude"]["source"], "built in")
        self.assertEqual(run.errors, "")

    def test_home_when_nothing_else_is_said(self):
        home = self.path("home")
        os.makedirs(home + "/.config/sooth/agents.d")
        with open(home + "/.config/sooth/agents.d/x.agent", "w", encoding="utf-8") as file:
            file.write(GOOD)
        for other in (None, "", "relative"):
            env = dict(os.environ, HOME=home)
            env.pop("XDG_CONFIG_HOME", None)
            if other is not None:
                env["XDG_CONFIG_HOME"] = other
            self.assertIn("mine", self.listed(env=env)[1])

    def test_broken_ones_do_not_hold_the_others(self):
        self.write("bad.agent", "name bad\nbellow opt/x\n")
        self.write("good.agent", GOOD)
        target = self.start_mine()
        run, rows = self.listed(status=2)
        self.assertIn("mine", rows)
        self.assertNotIn("bad", rows)
        self.assert_says_three_lines(run, self.agents + "/bad.agent:2", "bellow", "did you mean below?")
        self.assertEqual([(note["what"], note["reason"]) for note in self.notes(run)],
            [(NOTE + " (bad.agent:2)", 'not used: there is no key "bellow"')])
        run = self.sooth("ps", "-j", "-i", "10ms", str(target.pid), env=self.environment)
        self.assertEqual(run.json()["processes"][0]["agent"], "mine")
        self.assert_says_three_lines(run, "bad.agent:2")
        self.assertEqual(len(self.notes(run)), 1)

    def test_names_that_are_taken(self):
        self.write("a.agent", GOOD)
        self.write("b.agent", GOOD)
        self.write("c.agent", "name claude\nbelow opt/ours\n")
        run, rows = self.listed(status=2)
        self.assertEqual([note["what"] for note in self.notes(run)],
                         [NOTE + " (b.agent)", NOTE + " (c.agent)"])
        self.assertEqual(rows["claude"]["source"], "built in")
        os.unlink(self.agents + "/b.agent")
        self.write("c.agent", "name claude\nreplace yes\nbelow opt/ours\n")
        run, rows = self.listed()
        self.assertEqual(rows["claude"]["source"], "c.agent, instead of the built-in one")
        self.assertEqual(run.errors, "")

    def test_what_is_no_file(self):
        os.mkfifo(self.agents + "/pipe.agent")  # nobody writes: an open of it would wait
        os.mkdir(self.agents + "/folder.agent")
        os.symlink("nowhere", self.agents + "/link.agent")
        self.write("large.agent", GOOD + "#" * 20000)
        self.write("good.agent", GOOD)
        run, rows = self.listed(status=2)
        self.assertIn("mine", rows)
        self.assertEqual(len(self.notes(run)), 4, run)
        self.assertIn("not a regular file", run.errors)

    def test_too_many(self):
        for i in range(70):
            self.write("%02d.agent" % i, "name mine%d\nbelow opt/mine%d\n" % (i, i))
        run, rows = self.listed(status=2)
        self.assertIn("mine63", rows)
        self.assertNotIn("mine64", rows)
        self.assertEqual(len(self.notes(run)), 6)

    def test_commands_that_see_no_processes_read_none(self):
        self.write("bad.agent", "nonsense\n")
        run = self.sooth("doctor", "-j", env=self.environment)
        self.assertEqual(run.errors, "")

    def test_none(self):
        shutil.rmtree(self.path("config"))
        self.assertIn("claude", self.listed()[1])

    @needs_root
    def test_closed_to_the_caller(self):
        self.write("good.agent", GOOD)
        os.chmod(self.folder, 0o755)
        os.chmod(self.agents + "/good.agent", 0o600)
        sooth = self.copy_for_all(harness.SOOTH)
        run = self.run_program(sooth, "ps", "--list-agents", "-j", env=self.environment,
                               **as_nobody())
        self.assertNotIn("mine", run.text)
        self.assertEqual(run.errors, "")


@needs_root
class OfAnotherUser(Own):
    """Root with the home of a user: what that user may not read is not read, nor repeated in an error."""

    def setUp(self):
        super().setUp()
        self.secret = self.path("secret")
        with open(self.secret, "w", encoding="utf-8") as file:
            file.write("root:$6$precious\n")
        os.chmod(self.secret, 0o600)
        os.chmod(self.folder, 0o755)
        for folder in (self.path("config"), self.path("config/sooth"), self.agents):
            os.chown(folder, harness.NOBODY, harness.NOBODY)

    def link(self, name):
        path = self.path("config/sooth/" + name)
        os.symlink(self.secret, path)
        os.lchown(path, harness.NOBODY, harness.NOBODY)
        return path

    def test_refused(self):
        """Not the user's own files either: that user is not the one of sudo."""
        self.link("agents.d/a.agent")
        self.write("b.agent", GOOD)
        os.chown(self.agents + "/b.agent", harness.NOBODY, harness.NOBODY)
        run, rows = self.listed(status=2)
        self.assertNotIn("mine", rows)
        self.assert_says_three_lines(run, self.agents, "belongs to another user", "HOME")
        self.assertEqual([note["what"] for note in self.notes(run)], [NOTE + " (agents.d)"])
        for name, *command in (("peers", "status", "-i", "10ms"),
                               ("findings", "diagnose", "--quick", str(os.getpid()))):
            path = self.link(name)
            os.rename(self.agents, self.path("away"))
            run = self.sooth(*command, "-j", env=self.environment, status=None)
            os.rename(self.path("away"), self.agents)
            self.assert_says_three_lines(run, name, "belongs to another user")
            self.assertNotIn("precious", run.text + run.errors)
            os.unlink(path)

    def test_of_the_user_of_sudo(self):
        self.environment.update(SUDO_UID=str(harness.NOBODY), SUDO_GID=str(harness.NOBODY))
        self.link("agents.d/a.agent")
        self.write("b.agent", GOOD)
        os.chown(self.agents + "/b.agent", harness.NOBODY, harness.NOBODY)
        run, rows = self.listed(status=2)
        self.assertIn("mine", rows)
        self.assert_says_three_lines(run, "a.agent", "does not belong to the user of its folder", "HOME")
        self.assertNotIn("precious", run.text + run.errors)

    def test_folder_that_is_a_link(self):
        self.environment.update(SUDO_UID=str(harness.NOBODY), SUDO_GID=str(harness.NOBODY))
        private = self.path("private")
        os.mkdir(private, 0o700)
        os.rename(self.secret, private + "/a.agent")
        os.rmdir(self.agents)
        os.symlink(private, self.agents)
        os.lchown(self.agents, harness.NOBODY, harness.NOBODY)
        run, _ = self.listed(status=2)
        self.assert_says_three_lines(run, "a.agent", "does not belong to the user of its folder")
        self.assertNotIn("precious", run.text + run.errors)

    def test_own_links(self):
        """Of root's own configuration a link is used: that is how many keep their files."""
        for folder in (self.path("config"), self.path("config/sooth"), self.agents):
            os.chown(folder, 0, 0)
        with open(self.path("kept"), "w", encoding="utf-8") as file:
            file.write(GOOD)
        os.symlink(self.path("kept"), self.agents + "/a.agent")
        run, rows = self.listed()
        self.assertIn("mine", rows)
        self.assertEqual(run.errors, "")


class Captures(Own):
    """A capture explains itself elsewhere: it has the agents it was made with, and no others."""

    def test_same_elsewhere(self):
        self.write("good.agent", GOOD)
        self.write("bad.agent", "nonsense\n")
        target = self.start_mine()
        capture = self.path("a.sooth")
        live = self.sooth("ps", "-j", "-i", "10ms", "--why", "--save", capture, str(target.pid),
                          env=self.environment)
        self.assertEqual(live.json()["processes"][0]["agent"], "mine")
        self.assertIn("good.agent:4", live.json()["processes"][0]["rule"])
        shutil.rmtree(self.path("config"))
        later = self.sooth("ps", "-j", "--why", capture, env=self.environment)
        self.assertEqual(later.text, live.text)
        self.assertEqual(later.errors, "")

    def test_local_files_are_not_asked(self):
        target = self.start_mine()
        capture = self.path("a.sooth")
        live = self.sooth("ps", "-j", "-i", "10ms", "--save", capture, str(target.pid),
                          env=self.environment)
        self.assertIsNone(live.json()["processes"][0]["agent"])
        self.write("good.agent", GOOD)
        later = self.sooth("ps", "-j", capture, env=self.environment)
        self.assertEqual(later.text, live.text)

    def test_what_is_in_it(self):
        self.write("good.agent", GOOD)
        capture = self.path("a.sooth")
        self.sooth("record", "--probe", "proc", "-o", capture, "-p", str(os.getpid()), "-d", "10ms",
                   env=self.environment)
        reader = capture_reader.Reader(harness.read(capture), capture_reader.decompressor())
        if reader.unread_blocks:
            self.skipTest("nothing here decompresses zstd")
        raw = b"".join(block.raw for block in reader.blocks)
        told = capture_reader.of_kind(list(capture_reader.records_of(raw)), 0x0086)
        self.assertEqual(told, [{"file": b"good.agent",
            "text": b"\nname mine\ntitle Our own agent\nname-is mine-of-this-test\n"}])
        self.assertNotIn(b"stays at home", raw)


if __name__ == "__main__":
    harness.main()
