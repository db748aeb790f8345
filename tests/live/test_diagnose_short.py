# SPDX-License-Identifier: BSD-2-Clause
"""
`sooth diagnose` of three agents, two of them stopped: the causes, what is fine and what to do stand on
one terminal of 80x24; children of a healthy session have no line.
"""
import contextlib
import fcntl
import os
import pty
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import termios
import threading
import time

import harness
from family import Family
from harness import Case, needs_root


# It writes that it is idle, as Claude Code does, and looks for a file.
IDLE = """
stat=$(</proc/$$/stat); set -- ${stat##*) }
printf '{"sessionId":"0123456789abcdef","status":"idle","procStart":"%s"}' "${20}" >"$CLAUDE_CONFIG_DIR/sessions/$$.json"
until [ -f ready ]; do sleep 0.3; done
"""


@needs_root
class Short(Case):
    def test_three_agents(self):
        with Family(self.folder) as family:
            mains = [family.main("m%d" % i) for i in range(3)]
            tool = mains[2].start("tool", "session", **family.tool(mains[2]))
            for main in mains[:2]:
                os.kill(main.pid, signal.SIGSTOP)
            pids = [str(main.pid) for main in mains] + [str(tool.pid)]
            capture = self.path("short.sooth")
            run = self.sooth("diagnose", "--duration", "1", "--set", "frozen.min-time=0", "--save", capture,
                             "-p", ",".join(pids), env={**os.environ, "SOOTH_COLUMNS": "80"})
            for main in mains[:2]:
                os.kill(main.pid, signal.SIGCONT)
        lines = run.text.splitlines()
        self.assertLess(len(lines), 24, run.text)
        self.assertEqual([line for line in lines if len(line) > 80], [])
        self.assertRegex(lines[0], r"^claude \d+.*: stopped")
        self.assertEqual({int(pid) for pid in re.findall(r"(?m)^claude (\d+).*: stopped", run.text)},
                         {main.pid for main in mains[:2]})
        self.assertNotRegex(run.text, r"(?m)^(fine|no problem).*\b%d \(tool" % tool.pid)
        self.assertLessEqual(len(re.findall("(?m)^not judged: ", run.text)), 1)
        self.assertNotIn("needs a process older", run.text)
        again = self.sooth("diagnose", "--set", "frozen.min-time=0", capture,
                           env={**os.environ, "SOOTH_COLUMNS": "80"})
        self.assertEqual(again.text, run.text)

    def test_an_agent_that_waits_for_its_user(self):
        """Not a finding, and still the first thing that is said."""
        with Family(self.folder) as family:
            main = family.main()
            family.tell_session(main, status="waiting", waitingFor="permission to run Bash")
            run = self.sooth("diagnose", "--duration", "1", "-p", str(main.pid))
        self.assertRegex(run.text.split("\n")[0], r"^claude %d.*: waits for you: permission to run Bash(, \d+ \w+)?$" % main.pid)

    def test_sessions_of_one_project(self):
        """Branch and task tell them apart; one alone needs neither."""
        with Family(self.folder) as family:
            family.write("project/.git/HEAD", "ref: refs/heads/topic\n")
            mains = [family.main("m%d" % i) for i in range(2)]
            for main in mains:
                family.tell_session(main, status="waiting", waitingFor="permission to run Bash")
            both, one = (self.sooth("diagnose", "--duration", "1", "-p", ",".join(str(main.pid) for main in some)).text
                         for some in (mains, mains[:1]))
        for main in mains:
            self.assertRegex(both, r"(?m)^claude %d \(\w+, topic\): waits for you" % main.pid)
        self.assertNotIn("topic", one)

    def begin(self, *argv):
        child = subprocess.Popen(argv, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        return child.pid

    def test_what_waits_for_a_file(self):
        """And what a process has logged last: both stand behind the line of a process without a finding."""
        loop = self.begin("sh", "-c", "exec 2>>load.log; echo '10:00:01 ERROR cannot load: no header' >&2; "
                          "until [ -f ready ]; do sleep 0.3; done")
        time.sleep(5)  # an error that is newer is no end of the log
        run = self.sooth("diagnose", str(loop))
        self.assertRegex(run.text, r'its log %s ends, \d+(\.\d+)? s ago, with "cannot load: no header"; it looks for %s '
                         r"again and again, which is not there \(\d+ times over " % (
                             re.escape(self.path("load.log")), re.escape(self.path("ready"))))

    def test_an_agent_that_looks_for_a_file(self):
        """What it does is known: a file that it looks for meanwhile is not what it waits for."""
        home = self.path("home")
        program = os.path.join(home, ".local/share/claude/versions/2.1.328")
        for folder in (os.path.dirname(program), os.path.join(home, "config/sessions")):
            os.makedirs(folder)
        shutil.copy("/bin/bash", program)
        agent = subprocess.Popen([program, "-c", IDLE], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, cwd=self.folder,
                                 env={**os.environ, "HOME": home, "CLAUDE_CONFIG_DIR": os.path.join(home, "config")})
        self.addCleanup(agent.wait)
        self.addCleanup(agent.kill)
        harness.wait_until(lambda: os.listdir(os.path.join(home, "config/sessions")), "the session")
        text = self.sooth("diagnose", "--duration", "4", str(agent.pid)).text
        self.assertRegex(text, r"^claude %d.*: idle" % agent.pid)
        self.assertNotIn("again and again", text)

    def test_what_waits_for_a_lock_file(self):
        lock = self.path("deploy.lock")
        open(lock, "w").close()
        loop = self.begin("sh", "-c", "while [ -e deploy.lock ]; do sleep 0.3; done")
        self.assertRegex(self.sooth("diagnose", "--duration", "2", str(loop)).text,
                         r"looks again and again whether %s is still there \(\d+ times" % re.escape(lock))

    def test_many_that_wait(self):
        """Of over 16, one that is stopped has a line, and the others are counted."""
        for i in range(18):
            os.mkfifo(self.path("alone%d" % i))
        pids = [self.begin("cat", self.path("alone%d" % i)) for i in range(18)]
        os.kill(pids[0], signal.SIGSTOP)
        time.sleep(1.2)
        def diagnose(pids, *options):
            return self.sooth("diagnose", "--duration", "1", "--set", "held-up.min-time=1h", "-p",
                ",".join(map(str, pids)), *options).text
        self.assertRegex(diagnose(pids, "--set", "frozen.min-time=1h"),
                         r"(?s)^cat \(%d\) is stopped .*\n17 more processes wait \(-v\)\n" % pids[0])
        self.assertRegex(diagnose(pids, "-v"), r"cat \(%d\) opens the FIFO" % pids[-1])
        few = diagnose(pids[1:4])
        self.assertEqual(len(re.findall(r"(?m)^cat .* opens the FIFO", few)), 3, few)
        self.assertNotIn("processes wait", few)

    CLIENT = """if 1:
        import select, socket, sys
        s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
        s.send(b"GET")
        while True:
            if select.select([s], [], [], 0.5)[0]:
                s.recv(100)
        """

    def test_a_server_that_does_not_answer(self):
        """A client that wakes again and again, as curl does; one that gets data is fine."""
        with socket.create_server(("127.0.0.1", 0)) as server, contextlib.ExitStack() as stack:
            pids = []
            for _ in range(2):
                pids.append(self.begin(sys.executable, "-c", self.CLIENT, str(server.getsockname()[1])))
                connection = stack.enter_context(server.accept()[0])
            ended = threading.Event()

            def answer():
                while not ended.wait(0.3):
                    connection.send(b"data")
            thread = threading.Thread(target=answer)
            thread.start()
            try:
                run = self.sooth("diagnose", "--duration", "8", "-p", "%d,%d" % tuple(pids))
            finally:
                ended.set()
                thread.join()
        self.assertRegex(run.text, r"(?m)^python\S* \(%d\) waits for python\S*( \S+)? \(%d\) on 127.*; "
                                   r"it sent data, and no byte has come back for \d+ s$" % (pids[0], os.getpid()))
        self.assertNotIn("(%d) waits" % pids[1], run.text)

    def test_one_that_ends(self):
        """How it ended comes first, and nothing is proposed: there is nothing left to look at."""
        child = subprocess.Popen(["sleep", "6"])
        run = self.sooth("diagnose", "--duration", "10", str(child.pid))
        child.wait()
        self.assertRegex(run.text, r"^sleep %d: ended with exit status 0; no problem found before that by \d+ checks?"
                         % child.pid)
        self.assertNotRegex(run.text, r"sooth diagnose .*%d" % child.pid)

    def test_a_child_that_asks(self):
        """Of a process and its child that read from each other none is at fault, and it is said."""
        asking = "import os; os.write(1, b'package name: '); os.read(0, 100)"
        parent = self.begin(sys.executable, "-c", """if True:
            import socket, subprocess, sys
            ours, theirs = socket.socketpair()
            child = subprocess.Popen([sys.executable, "-c", sys.argv[1]], stdin=theirs, stdout=theirs)
            theirs.close()
            while True:
                ours.recv(100)
        """, asking)
        time.sleep(5.5)
        run = self.sooth("diagnose", "--duration", "1", str(parent))
        self.assertRegex(run.text.split("\n")[0], r"^python3\S* \(%d\) waits for its child python3\S* \(\d+\), \d+ s, and "
                         "that one for input from it: a question that it asks" % parent)

    def test_a_main_thread_on_a_condition(self):
        program = self.begin(sys.executable, "-c", """if True:
            import ctypes, socket, threading
            libc = ctypes.CDLL(None)
            condition, mutex = (ctypes.create_string_buffer(64) for _ in range(2))
            server = socket.create_server(("127.0.0.1", 0))
            threading.Thread(target=server.accept, daemon=True).start()
            libc.pthread_mutex_lock(mutex)
            libc.pthread_cond_wait(condition, mutex)
        """)
        time.sleep(5.5)
        run = self.sooth("diagnose", "--duration", "1", str(program))
        self.assertRegex(run.text.split("\n")[0], r"no problem found by .*; its main thread waits on a condition in \S+ \(.*\), \d+ s$")

    def test_what_a_process_waits_for(self):
        """The sentence of `sooth why` in place of `no problem found`; an idle server is fine."""
        os.mkfifo(self.path("alone"))
        lock = self.path("lock")
        with open(lock, "w", encoding="ascii") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            flock = self.begin("flock", lock, "true")
            cat = self.begin("cat", self.path("alone"))
            server = self.begin(sys.executable, "-c", "import socket; s = socket.create_server(('127.0.0.1', 0)); s.accept()")
            time.sleep(1.2)
            capture = self.path("stuck.sooth")
            run = self.sooth("diagnose", "--duration", "1", "--save", capture, "--fail-on", "info", "--allow-unseen",
                             "-p", "%d,%d,%d" % (flock, cat, server))
            single = self.sooth("diagnose", "-j", "--duration", "1", "-p", str(flock)).json()
        self.assertEqual(self.sooth("diagnose", capture).text, run.text)
        self.assertRegex(run.text, r"(?m)^flock \(%d\) waits for a lock on .*lock held by .*\(%d\)" % (flock, os.getpid()))
        self.assertRegex(run.text, r"(?m)^cat \(%d\) opens the FIFO .*alone: no process" % cat)
        self.assertRegex(run.text, r"(?m)^no other problem found")
        self.assertNotRegex(run.text, r"(?m)^(fine|no problem found).* (%d|%d)\b" % (flock, cat))
        self.assertNotIn("(%d)" % server, run.text)
        # The holder is diagnosed too, and has no line: that of the one that waits names it.
        texts = {row["pid"]: row["waits_text"] for row in single["processes"]}
        self.assertEqual(set(texts), {flock, os.getpid()})
        self.assertRegex(texts[flock], r"^flock \(%d\) waits for a lock" % flock)
        self.assertEqual([row["text"] for row in single["answers"]], [texts[flock]])
        self.assertEqual(single["summary"]["headline"], texts[flock])
        rows = {row["pid"]: row for row in self.sooth("diagnose", "-j", capture).json()["processes"]}
        self.assertRegex(rows[server]["waits_text"], "idle")
        self.assertEqual([row["finding_count"] for row in rows.values()], [0, 0, 0])


class SoFar(Case):
    """The first line as it would be now stands on the terminal meanwhile, and the report replaces it."""

    def begin(self, *argv, **options):
        child = subprocess.Popen(argv, cwd=self.folder, stdin=subprocess.DEVNULL, **options)
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        return child

    def diagnose(self, pid, *argv, columns=60, out=None):
        """A diagnosis on a terminal, or with another standard output: what the terminal got."""
        terminal, side = pty.openpty()
        fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        sooth = self.begin(harness.SOOTH, "diagnose", *argv, str(pid), stdout=out or side, stderr=side,
                           env={**os.environ, "NO_COLOR": "1"})
        os.close(side)
        return sooth, terminal

    def shown(self, sooth, terminal):
        text = b""
        while True:
            try:
                data = os.read(terminal, 65536)
            except OSError:
                break
            text += data
        os.close(terminal)
        self.assertEqual(sooth.wait(), 0)
        return text.decode()

    def test_on_a_terminal(self):
        lock = self.path("lock\033[31m")
        with open(lock, "w", encoding="ascii") as file, open(self.path("out"), "wb") as out:
            fcntl.flock(file, fcntl.LOCK_EX)
            flock = self.begin("flock", lock, "true").pid
            time.sleep(1.2)
            line = "flock (%d) waits for a lock on " % flock
            # Of the holder, this process, nothing is found.
            options = ("--set", "lock-kept.min-time=1h", "--duration")
            runs = [self.diagnose(flock, *options, "8"), self.diagnose(flock, *options, "8", columns=400),
                    self.diagnose(flock, *options, "2", "-j"), self.diagnose(flock, *options, "2", out=out)]
            narrow, wide, json, other = [self.shown(*run) for run in runs]
        # The report replaces each line; of a line that stays the seconds are written anew.
        lines = narrow.split("\r\033[K")
        so_far = [re.split("\r", text)[0] for text in lines if "so far" in text]
        self.assertRegex(lines[1], "^ [78] s left, observing$")
        # On a busy host the wait is a finding by then: it lasts for 10 s.
        self.assertRegex(so_far[0], r"^ \d s left, so far: (%s|flock %d: held up for)" % (re.escape(line), flock))
        self.assertEqual({len(text) for text in so_far}, {59})
        self.assertRegex(narrow, r"so far[^\r]*\r \d s left\r")
        self.assertEqual(lines[-1].split()[:7], line.split(), lines)
        self.assertIn("\nfine: ", lines[-1])
        self.assertRegex(wide, r"so far: [^\r]* lock on [^\r]*lock\\x1b\[31m held by ")
        # What is for programs, or goes elsewhere.
        self.assertNotIn("so far", json + other)
        self.assertNotIn("so far", harness.read(self.path("out")).decode())


GROWS = """
import sys, time
kept, step = [], float(sys.argv[1])
print("ready", flush=True)
while True:
    kept.append(bytearray(b"x") * int(step * 1024))
    time.sleep(0.05)
"""


class Longer(Case):
    """What memory does that grows at the end shows only a longer look."""

    def look(self, step, *options):
        child = self.start(sys.executable, "-u", "-c", GROWS, str(step))
        child.wait_for_output(b"ready")
        time.sleep(3)
        report = self.sooth("diagnose", "-j", "--passive", *options, str(child.pid)).json()
        return report["interval_ns"] / 1e9, report

    def test_memory_that_grows(self):
        taken_s, report = self.look(100)
        self.assertGreater(taken_s, 14)
        self.assertEqual([f["id"] for f in report["processes"][0]["findings"]], ["memory-growth"])

    def test_memory_that_stays(self):
        self.assertLess(self.look(0)[0], 10)

    def test_a_duration_is_final(self):
        self.assertLess(self.look(100, "--duration", "3")[0], 8)


if __name__ == "__main__":
    harness.main()
