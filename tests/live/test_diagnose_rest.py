# SPDX-License-Identifier: BSD-2-Clause
"""What the first line of `sooth diagnose` says of a process that rests, where no check finds anything."""
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time
import unittest

import family
import harness
from harness import Case, Process, needs_bpf, needs_root

SERVER = """
import asyncio, sys
async def serve(reader, writer):
    await reader.read(10)
    if sys.argv[2] == 'answers': writer.write(b'answer')
    await asyncio.sleep(600)
async def main():
    pool = [await asyncio.open_connection('127.0.0.1', int(sys.argv[1])) for _ in range(3)]
    server = await asyncio.start_server(serve, '127.0.0.1', 0)
    print('port %d.' % server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""

WAITER = """
(trap '' TERM; exec sleep 60) &
echo ready $!
%s
while kill -0 $!; do sleep 0.3; done
"""

POOL = """
import os, select, socket, threading, time
ends = []
for _ in range(30):
    own, other = socket.socketpair()
    ends.append(own)
    if not os.fork():
        for end in ends:
            end.close()
        for _ in range(10):
            threading.Thread(target=time.sleep, args=(600,)).start()
        poll = select.epoll()
        poll.register(other, select.EPOLLIN)
        poll.poll()
        os._exit(0)
    other.close()
poll = select.epoll()
for own in ends:
    poll.register(own, select.EPOLLIN)
print('ready', flush=True)
poll.poll()
"""

GO = """
package main

import (
	"fmt"
	"net"
	"sync"
)

func main() {
	var all sync.WaitGroup
	listener, _ := net.Listen("tcp", "127.0.0.1:0")
	go listener.Accept()
	all.Add(1)
	fmt.Println("ready")
	all.Wait()
}
"""


class Rest(Case):
    def process(self, *argv, ready=b"ready"):
        process = Process(argv, cwd=self.folder)
        self.addCleanup(process.end)
        process.wait_for_output(ready)
        return process

    def first_line(self, pid, seconds="5"):
        return self.sooth("diagnose", "--duration", seconds, "-p", str(pid)).text.split("\n")[0]

    def server(self, kind, database):
        process = self.process(sys.executable, "-c", SERVER, str(database.getsockname()[1]), kind, ready=b".")
        port = int(bytes(process.out).split()[1].rstrip(b"."))
        for _ in range(2):
            client = socket.create_connection(("127.0.0.1", port))
            self.addCleanup(client.close)
            client.sendall(b"request")
        return process.pid

    @needs_root
    def test_clients_without_answer(self):
        """With a pool of connections that is at rest meanwhile; and none of a server that has answered."""
        with socket.create_server(("127.0.0.1", 0)) as database:
            port = database.getsockname()[1]
            asked, answered = self.server("keeps", database), self.server("answers", database)
            self.assertRegex(self.first_line(asked), r": 2 clients have had no answer, one for \d+ s, and its 3 "
                                                     r"connections to 127.0.0.1:%d are at rest; no other problem found by" % port)
            self.assertNotIn("no answer", self.first_line(answered))

    def test_clients_of_a_server_alone(self):
        """A handler that never answers; sooth does not know whether it does so on purpose."""
        process = self.process(sys.executable, "-c", SERVER.replace("range(3)", "range(0)"), "0", "keeps", ready=b".")
        port = int(bytes(process.out).split()[1].rstrip(b"."))
        for _ in range(3):
            client = socket.create_connection(("127.0.0.1", port))
            self.addCleanup(client.close)
            client.sendall(b"request")
        self.assertRegex(self.first_line(process.pid), r": 3 clients have had no answer, one for \d+ s: requests that hang, "
                                                       r"or that wait on purpose; no other problem found")

    def test_one_cause(self):
        """Of one lock: its holder is the answer, and those that wait for it are its victims."""
        program = "import fcntl, sys, time\nf = open('lock', 'w')\nprint('ready', flush=True)\n" \
                  "fcntl.flock(f, fcntl.LOCK_EX)\ntime.sleep(100)"
        holder = self.process(sys.executable, "-c", program).pid
        harness.wait_until(lambda: ":%d " % os.stat(os.path.join(self.folder, "lock")).st_ino in
                           harness.read("/proc/locks").decode(), "the lock")
        waiters = {self.process(sys.executable, "-c", program).pid for _ in range(4)}
        other = self.process("bash", "-c", "echo ready; sleep 100; true").pid
        argv = ["diagnose", "--duration", "3", "--set", "lock-kept.min-time=200ms"]
        for pid in (holder, other, *waiters):
            argv += ["-p", str(pid)]
        report = self.sooth(*argv, "-j").json()
        kept = [answer for answer in report["answers"] if answer["subject"]["pid"] == holder]
        self.assertEqual([answer["id"] for answer in kept], ["lock-kept"])
        self.assertEqual({victim["pid"] for victim in kept[0]["victims"]}, waiters)
        self.assertEqual(report["summary"]["headline"], kept[0]["text"])
        self.assertFalse(waiters & {answer["subject"]["pid"] for answer in report["answers"]})
        self.assertRegex(self.sooth(*argv).text, r"\A.* keeps .*\n  4 processes wait for it, directly or through others: python")
        # The holder is no target here: the targets wait for it, and one of them through its child.
        above = self.process("bash", "-c", "echo ready; %s -c \"$0\"; true" % sys.executable, program).pid
        targets = [str(pid) for pid in (above, *sorted(waiters)[:2])]
        answers = self.sooth("diagnose", "--duration", "3", "--set", "lock-kept.min-time=200ms", "-j", *targets).json()["answers"]
        self.assertEqual([answer["subject"]["pid"] for answer in answers], [holder], answers)
        self.assertLessEqual({above, *sorted(waiters)[:2]}, {victim["pid"] for victim in answers[0]["victims"]})

    def test_a_stopped_holder(self):
        """The cause is the stopped process; the owner of the lock, which waits for it, is one of the victims."""
        holder = self.process("flock", "lock", "bash", "-c", "echo ready $$; sleep 100; true").pid
        with open("/proc/%d/task/%d/children" % (holder, holder), encoding="ascii") as children:
            stopped = int(children.read().split()[0])
        self.addCleanup(os.kill, stopped, 9)
        waiter = self.process("bash", "-c", "echo ready; exec flock lock true").pid
        os.kill(stopped, signal.SIGSTOP)
        began = time.time()
        report = self.sooth("diagnose", "--duration", "3", "--set", "lock-kept.min-time=200ms", "-j",
                            str(holder), str(stopped), str(waiter)).json()
        (answer,) = report["answers"]
        self.assertEqual((answer["id"], answer["subject"]["pid"]), ("frozen", stopped))
        self.assertEqual({victim["pid"] for victim in answer["victims"]}, {holder, waiter})
        self.assertLess(abs(answer["since_utc_ns"] / 1e9 - began), 1)

    def session(self, members, stops):
        """The answers about a session whose tool is stopped or not, and the text."""
        main = members.main("of-%d" % stops)
        tool = main.start("tool-%d" % stops, **members.tool(main))
        if stops:
            os.kill(tool.pid, signal.SIGSTOP)
        argv = ["diagnose", "--duration", "3", "-p", str(main.pid)]
        report, text = self.sooth(*argv, "-j").json(), self.sooth(*argv).text
        os.kill(tool.pid, signal.SIGCONT)
        return main.pid, tool.pid, report["answers"], text

    @needs_root
    def test_a_stopped_tool(self):
        """Its session waits for it: one answer, and nothing below says that the session is well."""
        with family.Family(self.folder) as members:
            main, tool, answers, text = self.session(members, stops=True)
            self.assertEqual([(a["id"], a["subject"]["pid"], [v["pid"] for v in a["victims"]]) for a in answers],
                             [("frozen", tool, [main])])
            self.assertNotRegex(text, r"(?m)^(no problem found|fine: |not judged).*claude %d|^claude %d" % (main, main))
            main, tool, answers, text = self.session(members, stops=False)
            self.assertEqual([(a["id"], a["victims"]) for a in answers], [("activity", [])])

    def test_a_finding_beside_a_wait(self):
        """A process that keeps a lock waits for a server that rests: what is found of it is not told as that wait."""
        server = self.process(sys.executable, "-c", "import socket, time\ns = socket.create_server(('127.0.0.1', 0))\n"
                              "print('ready %d.' % s.getsockname()[1], flush=True)\nc = s.accept()\ntime.sleep(100)", ready=b".")
        port = bytes(server.out).split()[1].rstrip(b".").decode()
        holder = self.process(sys.executable, "-c", "import fcntl, socket, sys\nf = open('lock', 'w')\n"
                              "fcntl.flock(f, fcntl.LOCK_EX)\ns = socket.create_connection(('127.0.0.1', int(sys.argv[1])))\n"
                              "s.sendall(b'x')\nprint('ready', flush=True)\ns.recv(1)", port).pid
        waiter = self.process(sys.executable, "-c", "import fcntl\nf = open('lock', 'w')\nprint('ready', flush=True)\n"
                              "fcntl.flock(f, fcntl.LOCK_EX)").pid
        argv = ["diagnose", "--duration", "3", "--set", "lock-kept.min-time=200ms", "--set", "clients-waiting.min-time=1h"]
        for pid in (server.pid, holder, waiter):
            argv += ["-p", str(pid)]
        report = self.sooth(*argv, "-j").json()
        kept = [answer for answer in report["answers"] if answer["id"] == "lock-kept"]
        self.assertEqual([answer["subject"]["pid"] for answer in kept], [holder], report["answers"])
        self.assertIn("lock-kept (", self.sooth(*argv).text)

    @needs_bpf
    def test_what_others_wait_behind(self):
        """A child that its parent waits for comes before a graver finding of another child that nothing waits for."""
        keeps = "import fcntl, time\nf = open('lock', 'w')\nfcntl.flock(f, fcntl.LOCK_EX)\ntime.sleep(100)"
        waits = "import fcntl\nf = open('lock', 'w')\nfcntl.flock(f, fcntl.LOCK_EX)"
        fails = "import os\nwhile True:\n    try: os.stat('not-there')\n    except OSError: pass"
        parent = self.process(sys.executable, "-c", "import subprocess, sys, time\nrun = lambda text: subprocess.Popen([sys.executable, "
                              "'-c', text])\nkeeper = run(sys.argv[1])\ntime.sleep(1)\nothers = [run(text) for text in sys.argv[2:]]\n"
                              "print('ready %d %d %d.' % (keeper.pid, others[0].pid, others[1].pid), flush=True)\nkeeper.wait()",
                              keeps, waits, fails, ready=b".")
        keeper, waiter, failing = map(int, bytes(parent.out).rstrip().rstrip(b".").split()[1:])
        for pid in (keeper, waiter, failing):
            self.addCleanup(os.kill, pid, 9)
        report = self.sooth("diagnose", "--duration", "3", "--set", "lock-kept.min-time=200ms", "-p", str(parent.pid), "-j").json()
        severities = {answer["subject"]["pid"]: answer["severity"] for answer in report["answers"]}
        self.assertEqual(report["answers"][0]["subject"]["pid"], keeper, report["answers"])
        self.assertEqual((severities[keeper], severities[failing]), ("low", "medium"))

    @needs_bpf
    def test_the_end_of_another_process(self):
        """A script that asks for it with kill -0; not one that waits for the process as its child."""
        script = self.process("bash", "-c", WAITER % "")
        awaited = int(bytes(script.out).split()[1])
        self.addCleanup(os.kill, awaited, 9)
        self.assertRegex(self.first_line(script.pid), r"^bash \(%d\) waits for the end of sleep \(%d\): it asks \d\.\d times a "
                                                      r"second, and that one runs on: it ignores SIGTERM$" % (script.pid, awaited))
        child = self.process("bash", "-c", WAITER % "wait")
        self.addCleanup(os.kill, int(bytes(child.out).split()[1]), 9)
        self.assertNotIn("waits for the end of", self.first_line(child.pid))

    @needs_bpf
    def test_the_end_of_a_process_in_a_namespace(self):
        """There it has a low number, which is that of a kernel thread of the host."""
        outer = self.process("unshare", "-pf", "--kill-child", "bash", "-c", WAITER % "").pid
        with open("/proc/%d/task/%d/children" % (outer, outer), encoding="ascii") as file:
            script = int(file.read())
        self.assertRegex(self.first_line(script), r"^bash \(%d\) waits for its child |no problem found" % script)

    @needs_bpf
    def test_the_end_of_a_zombie(self):
        """It is there for kill -0 until its parent asks how it ended."""
        parent = self.process(sys.executable, "-c", "import os, time\np = os.fork()\nif not p: os._exit(0)\n"
                                                    "time.sleep(0.2)\nprint('ready %d.' % p, flush=True)\ntime.sleep(60)", ready=b".")
        zombie = int(bytes(parent.out).split()[1].rstrip(b"."))
        script = self.process("bash", "-c", "echo ready; while kill -0 %d; do sleep 0.3; done" % zombie)
        self.assertRegex(self.first_line(script.pid), r"waits for the end of python\S* \(%d\): .*, and that one has ended, but "
                                                      r"its parent does not reap it$" % zombie)

    @unittest.skipUnless(shutil.which("go"), "no Go compiler here")
    def test_many_children(self):
        """The waits of each child lead to the parent, and from there to all other children."""
        pool = self.process(sys.executable, "-c", POOL)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.assertIn("no problem found", self.sooth("diagnose", "--duration", "1", "-p", str(pool.pid)).text)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.assertLess(after.ru_utime - before.ru_utime, 10)

    def test_the_main_goroutine(self):
        with open(self.path("app.go"), "w", encoding="ascii") as f:
            f.write(GO)
        subprocess.run(["go", "build", "-o", "app", "app.go"], cwd=self.folder, check=True,
            env={**os.environ, "HOME": self.folder})
        app = self.process(self.path("app"))
        self.assertRegex(self.first_line(app.pid, "6"), r"; it waits for connections on 127.0.0.1:\d+, idle \d+ s; its main "
                                                   r"goroutine waits in sync\.\(\*WaitGroup\)\.Wait, called by main\.main$")
        self.assertIn("; its main goroutine waits in sync.(*WaitGroup).Wait, called by main.main",
            self.sooth("why", str(app.pid)).text)


if __name__ == "__main__":
    unittest.main()
