# SPDX-License-Identifier: BSD-2-Clause
"""
What a monitor that stays survives, one fault after another, beside an agent that goes on: a table of what
was done, and whether the monitor runs and its history goes on. Status 1 when one is not survived.

    monitor_faults.py [--only WORD]
"""
import argparse
import os
import resource
import shutil
import signal
import subprocess
import sys
import time

import harness
from test_history import HistoryCase

WRITE_S = 12  # behind the longest time that records wait
BURST = 3000


class Skip(Exception):
    """With the reason."""


class Faults(HistoryCase):
    """Each method is a fault: it does it, and gives what is to be said of it."""

    def runTest(self):
        """Started by main()."""

    def begin(self, *words, **options):
        self.running, self.target = self.monitor(*words, **options), self.agent()
        self.tell(self.target, "idle", "busy")

    def goes_on(self):
        """A phase from now on is in the history."""
        now = time.time_ns()
        self.tell(self.target, "waiting", "idle")
        time.sleep(WRITE_S)
        return self.running.is_running() and any(
            phase["start_utc_ns"] >= now - 10**9 and phase["state"] == "waits_for_user"
            for phase in self.report()["phases"])

    def a_reader_that_sticks(self):
        self.begin()
        fd = os.open(os.path.join(self.path("fifos"), "syscalls.fifo"), os.O_RDONLY)
        self.addCleanup(os.close, fd)
        time.sleep(2)
        return "it took nothing for %d s" % (WRITE_S + 4)

    def a_reader_that_vanishes(self):
        self.begin()
        for _ in range(5):
            reader = self.start("/bin/cat", os.path.join(self.path("fifos"), "syscalls.fifo"))
            time.sleep(0.5)
            reader.send(signal.SIGKILL)
            reader.finish()
        return "5 readers killed"

    def a_full_disk(self):
        os.mkdir(self.history, 0o700)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=700", "none", self.history],
                          stderr=subprocess.DEVNULL, check=False).returncode:
            raise Skip("needs the right to mount")
        self.addCleanup(subprocess.run, ["umount", "-l", self.history], check=False)
        filler = os.path.join(self.history, "filler")
        with open(filler, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 4096)
            except OSError:
                pass
        self.begin()
        harness.wait_until(lambda: b"sooth: cannot" in self.running.err, "the message")
        os.unlink(filler)
        time.sleep(32)
        return "full for %d s; said %d times" % (WRITE_S, bytes(self.running.err).count(b"sooth: cannot"))

    def a_removed_folder(self):
        self.begin()
        time.sleep(WRITE_S)
        shutil.rmtree(self.history)
        self.tell(self.target, "busy", "idle")
        harness.wait_until(lambda: b"sooth: cannot" in self.running.err, "the message")
        time.sleep(32)
        return "removed while it was written to"

    def a_kill(self):
        self.begin()
        time.sleep(WRITE_S)
        self.running.send(signal.SIGKILL)
        self.running.finish()
        self.running = self.monitor()
        return "kill -9, then another on the same folders"

    def a_stop(self):
        self.begin()
        self.running.send(signal.SIGSTOP)
        time.sleep(20)
        self.running.send(signal.SIGCONT)
        time.sleep(1)
        return "20 s stopped: not observed"

    def a_burst_of_processes(self):
        self.begin()
        for _ in range(BURST // 100):
            subprocess.run(["/bin/sh", "-c", "for i in 1 2 3 4 5 6 7 8 9 10; do " + "/bin/true & " * 10 + "done; wait"],
                           check=False)
        return "%d processes that end at once" % BURST

    def agents_that_are_killed(self):
        self.begin()
        for _ in range(20):
            other = self.agent()
            self.tell_now(other, "busy")
            other.send(signal.SIGKILL)
            other.finish()
        return "20 agents, SIGKILL, as the OOM killer does"

    def an_agent_without_memory(self):
        folder = "/sys/fs/cgroup/memory/sooth-faults-%d" % os.getpid()
        try:
            os.mkdir(folder)
            self.addCleanup(os.rmdir, folder)
            with open(folder + "/memory.limit_in_bytes", "w", encoding="ascii") as file:
                file.write(str(24 << 20))
        except OSError as error:
            raise Skip("needs a memory control group: %s" % error) from error
        self.begin()
        other = self.agent()
        self.tell_now(other, "busy")
        greedy = self.start("/bin/sh", "-c", 'echo $$ > "$0/cgroup.procs"; exec python3 -c "b = bytearray(1 << 30)"', folder)
        with open(folder + "/cgroup.procs", "w", encoding="ascii") as file:
            file.write(str(other.pid))
        status = greedy.finish().status
        with open(folder + "/memory.oom_control", encoding="ascii") as file:
            kills = next(line.split()[1] for line in file if line.startswith("oom_kill "))
        other.send(signal.SIGKILL)
        other.finish()
        return "the OOM killer ended %s beside an agent of its group (status %d)" % (kills, status)

    def a_ring_that_overruns(self):
        self.begin()
        busy = [self.start("/bin/dd", "if=/dev/zero", "of=/dev/null", "bs=1") for _ in range(4)]
        other, reader = self.monitor_of("dd")
        harness.wait_until(lambda: b'"call"' in reader.out, "calls")
        other.send(signal.SIGSTOP)
        time.sleep(5)
        other.send(signal.SIGCONT)
        harness.wait_until(lambda: b"ring buffer was full" in reader.out, "what was lost to be said")
        for one in (*busy, reader):
            one.end()
        return "calls of 4 x dd bs=1 while it was stopped: %s" % next(
            line.decode() for line in bytes(reader.out).splitlines() if b"ring buffer was full" in line)[:110]

    def monitor_of(self, name):
        """Another one, for such programs: the one that is judged goes on beside it."""
        other = self.start_sooth("monitor", "--no-history", "--fifo-dir", self.path("all"), name)
        harness.wait_until(lambda: b"records are in" in other.err, "the other monitor")
        return other, self.start_sooth("tail", "--fifo-dir", self.path("all"), "-r", "syscalls")

    def no_more_descriptors(self):
        self.begin()
        before = resource.prlimit(self.running.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(self.running.pid, resource.RLIMIT_NOFILE, (4, before[1]))
        self.tell(self.target, "busy", "idle")
        time.sleep(10)
        resource.prlimit(self.running.pid, resource.RLIMIT_NOFILE, before)
        time.sleep(12)
        return "every open refused for 12 s, by a limit of 4; said %d times" % bytes(self.running.err).count(b"sooth: ")

    def tell_now(self, agent, word):
        agent.say(word.encode() + b"\n")
        time.sleep(0.3)

    def a_replaced_fifo(self):
        self.begin()
        path = os.path.join(self.path("fifos"), "syscalls.fifo")
        os.unlink(path)
        os.symlink("/etc/passwd", path)
        time.sleep(1)
        return "a link in its place; refused: %s" % (b"symbolic link" in self.running.err)


FAULTS = ("a_reader_that_sticks", "a_reader_that_vanishes", "a_full_disk", "a_removed_folder", "a_kill", "a_stop",
          "a_burst_of_processes", "agents_that_are_killed", "a_replaced_fifo", "an_agent_without_memory",
          "a_ring_that_overruns", "no_more_descriptors")


def one(name):
    case = Faults()
    case.setUp()
    try:
        done = getattr(case, name)()
        return done, case.goes_on()
    except Skip as reason:
        return str(reason), None
    finally:
        case.doCleanups()
        case.tearDown()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="")
    wanted, failed = parser.parse_args(), 0
    print("| fault | done | runs, and its history goes on |\n|---|---|---|")
    for name in FAULTS:
        if wanted.only in name:
            done, good = one(name)
            failed += good is False
            print("| %s | %s | %s |" % (name.replace("_", " "), done, {True: "yes", False: "NO"}.get(good, "skipped")),
                  flush=True)
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
