# SPDX-License-Identifier: BSD-2-Clause
"""
sooth statusline: one line about the session above it, or about all agents of the user; quick, never
waiting for its standard input, and with nothing that two readings do not prove.
"""
import os
import pty
import re
import shutil
import stat
import subprocess
import time

import harness
from harness import Case, as_user, needs_root

AGENT = ".local/share/claude/versions/9.9.9"
OTHER = 64093  # a user whom nobody else here is


@needs_root
class Line(Case):
    """As an ordinary user, who has no other agents."""

    def setUp(self):
        super().setUp()
        self.program = self.copy_for_all(harness.SOOTH)
        self.home = self.path("home")
        os.makedirs(os.path.join(self.home, os.path.dirname(AGENT)))
        self.agent = os.path.join(self.home, AGENT)
        shutil.copyfile(os.path.realpath("/bin/bash"), self.agent)
        os.chmod(self.agent, 0o755)
        for folder, _, files in os.walk(self.home):
            for name in ["."] + files:
                os.chown(os.path.join(folder, name), OTHER, OTHER)
        environment = {"HOME": self.home, "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
        self.user = {"env": environment, "cwd": self.home, **as_user(OTHER)}

    def line(self, *options, **more):
        return self.run_program(self.program, "statusline", *options, **{**self.user, **more}).text

    def below(self, script, **more):
        """What a script of the agent prints; $0 is sooth."""
        return self.run_program(self.agent, "-c", script + "; true", self.program, **{**self.user, **more}).text

    def state(self, *names):
        return os.path.join(self.home, ".local/state/sooth/statusline", *names)

    def test_no_agent(self):
        self.assertEqual(self.line(), "\n")

    def test_the_session_above(self):
        lines = self.below('"$0" statusline; sleep 0.5; sh -c "$0 statusline"').splitlines()
        self.assertRegex(lines[0], r"^claude \d[\d.]*[KMG]( |$)")
        self.assertRegex(lines[1], r"^claude \d+% \d[\d.]*[KMG]( |$)")

    def test_cpu_of_the_whole_session(self):
        line = self.below('timeout 8 sh -c "while :; do :; done" & "$0" statusline >/dev/null; sleep 2; "$0" statusline; '
            'kill %1')
        self.assertGreater(int(re.match(r"claude (\d+)%", line)[1]), 15, line)

    def test_all_agents_of_the_user(self):
        agents = [self.start(self.agent, "-c", "echo ready; read x; true", **self.user) for _ in range(2)]
        for agent in agents:
            agent.wait_for_output(b"ready")
        self.assertRegex(self.line(), r"^2 agents \d[\d.]*M \| claude \d+")
        agents[0].end()
        agents[0].finish()
        self.assertRegex(self.line(), r"^claude ")
        agents[1].end()
        agents[1].finish()
        self.assertEqual(self.line(), "\n")

    def test_what_two_readings_prove(self):
        lines = self.below('/usr/bin/python3 -c "import os, time; [os.fork() or os._exit(0) for _ in range(6)]; time.sleep(40)" & '
            'S=$!; sleep 0.3; for i in 1 2; do "$0" statusline; sleep 5.3; done; "$0" statusline --color; kill $S').splitlines()
        self.assertNotIn("exited children", lines[0])
        self.assertTrue(lines[-1].endswith("\x1b[31m | 6 exited children are not reaped\x1b[0m"), lines)

    def test_memory_that_grows(self):
        code = ("import time\nkept = []\nfor i in range(100):\n    kept.append(b'x' * (8 << 20))\n    time.sleep(1)\n")
        lines = self.below('/usr/bin/python3 -c "%s" & for i in $(seq 14); do "$0" statusline --width 200; sleep 5.1; done; kill %%1' % code,
            timeout=200)
        self.assertRegex(lines.splitlines()[-1], r"\| python3[\d.]* \(\d+\): resident memory keeps growing: [\d.]+ MiB in \d")

    def test_input_never_stops_it(self):
        """An open pipe without a word, a terminal, a closed descriptor, JSON, something else."""
        reader, writer = os.pipe()
        near, far = pty.openpty()
        for options in ({"stdin": reader}, {"stdin": far}, {"stdin": subprocess.DEVNULL}):
            begun = time.monotonic()
            child = subprocess.Popen([self.agent, "-c", '"$0" statusline; true', self.program], stdout=subprocess.PIPE,
                **{**self.user, **options})
            self.assertTrue(child.communicate(timeout=30)[0].startswith(b"claude "), options)
            self.assertLess(time.monotonic() - begun, 10)
        for fd in (reader, writer, near, far):
            os.close(fd)
        self.assertIn("claude ", self.below('"$0" statusline <&-'))
        for text in (b'{"session_id":"0-1","cwd":"/"}', b'{"session_id":', b"\0" * 100000, b'"session_id":"' + b"x" * 9999):
            self.assertIn("claude ", self.below('"$0" statusline', input=text))

    def test_width_and_colors(self):
        line = self.below('"$0" statusline --width 10')
        self.assertEqual(len(line), 11, line)
        self.assertNotIn("\x1b", line)

    def test_hostile_names(self):
        """A process name with controls in it, in a finding."""
        hostile = os.path.join(self.home, "a\x1b[2Jb\n")
        shutil.copyfile(os.path.realpath("/bin/bash"), hostile)
        os.chmod(hostile, 0o755)
        lines = self.below('"%s" -c "while :; do :; done" & for i in 1 2 3; do "$0" statusline --width 200; sleep 5.2; done; '
            '"$0" statusline --width 200; kill %%1' % hostile)
        self.assertNotIn("\x1b", lines)
        self.assertEqual(len(lines.splitlines()), 4, lines)

    def test_its_file(self):
        self.below('"$0" statusline')
        (name,) = os.listdir(self.state())
        status = os.stat(self.state(name))
        self.assertEqual((stat.S_IMODE(status.st_mode), status.st_uid), (0o600, OTHER))
        self.assertEqual(stat.S_IMODE(os.stat(self.state()).st_mode), 0o700)

    def test_files_of_others_are_not_read(self):
        """A link in place of its file, a wrong file, an endless one, one that others may write."""
        victim = self.path("victim")
        with open(victim, "w") as file:
            file.write("untouched")
        os.chmod(victim, 0o666)
        for prepare in ('ln -s %s $F' % victim, 'head -c 999999 /dev/zero >$F', 'mkfifo -m 600 $F', 'echo x >$F; chmod 666 $F'):
            text = self.below('D=%s; mkdir -p -m 700 $D; F=$D/$$; %s; "$0" statusline' % (self.state(), prepare))
            self.assertIn("claude ", text, prepare)
        with open(victim) as file:
            self.assertEqual(file.read(), "untouched")

    def test_a_home_that_cannot_be_written(self):
        self.assertIn("claude ", self.below('HOME=/nonexistent "$0" statusline'))

    def test_it_reads_only_the_session(self):
        """Its time does not grow with the processes of the host: it opens no file of the others."""
        if not shutil.which("strace"):
            self.skipTest("needs strace")
        others = [self.start("/bin/sleep", "60", **self.user) for _ in range(20)]
        opened = os.path.join(self.home, "opened")
        self.assertIn("claude ", self.below('strace -f -qq -e trace=openat,open -o %s "$0" statusline' % opened))
        with open(opened) as file:
            text = file.read()
        self.assertIn("/proc/", text)
        for other in others:
            self.assertNotRegex(text, r"/proc/%d\b" % other.pid)
            other.end()
            other.finish()


if __name__ == "__main__":
    harness.main()
