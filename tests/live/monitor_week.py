# SPDX-License-Identifier: BSD-2-Clause
"""
A week of a monitor, compressed: agents start and end all the time, samples come 20 times as often, and the
history is so small that its oldest part is removed again and again. Memory, descriptors and disk stay flat.

    script/soak --week [--seconds N] [--agents PER_MINUTE]

A row each tenth of the time; the last line says whether all stayed flat. Status 1 when not.
"""
import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import SOOTH

HISTORY = "1M"
HISTORY_BYTES = 1 << 20
LIFE_S = 2
ROWS = 10
WARM_ROWS = 5          # until buffers have the size of a burst
GROWTH_KB = 4096       # of memory, from then on
MOST_KB = 50 << 10
SPARE_FDS = 4          # open for a moment
SPARE_BYTES = 256 << 10  # of a file that is being written


def options():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--agents", type=float, default=500, help="that start and end a minute")
    parser.add_argument("--sample", default="100ms")
    return parser.parse_args()


def memory_kb(pid):
    with open("/proc/%d/status" % pid, encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("RssAnon"))


def cpu_s(pid):
    with open("/proc/%d/stat" % pid, encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def disk(folder):
    return sum(os.path.getsize(os.path.join(folder, name)) for name in os.listdir(folder))


class Churn:
    """Programs that are taken for agents, by their place."""

    def __init__(self, folder, a_minute):
        self.program = os.path.join(folder, ".local/share/claude/versions/2.1.328")
        os.makedirs(os.path.dirname(self.program))
        shutil.copy("/bin/sleep", self.program)
        self.every_s, self.next, self.children, self.count = 60 / a_minute, time.monotonic(), [], 0

    def step(self):
        while time.monotonic() >= self.next:
            self.next += self.every_s
            self.count += 1
            self.children.append(subprocess.Popen([self.program, str(LIFE_S)]))
        self.children = [child for child in self.children if child.poll() is None]

    def end(self):
        for child in self.children:
            child.kill()
            child.wait()


def watch(wanted, folder):
    history, fifos = os.path.join(folder, "history"), os.path.join(folder, "fifos")
    monitor = subprocess.Popen([SOOTH, "monitor", "--fifo-dir", fifos, "--history-dir", history, "--history-size",
                                HISTORY, "--sample", wanted.sample], stderr=subprocess.DEVNULL)
    churn, rows = Churn(folder, wanted.agents), []
    print("| s | agents | memory kB | descriptors | disk kB | CPU s |\n|---|---|---|---|---|---|")
    begin = time.monotonic()
    try:
        while len(rows) < ROWS and monitor.poll() is None:
            churn.step()
            time.sleep(0.02)
            if time.monotonic() - begin >= (len(rows) + 1) * wanted.seconds / ROWS:
                rows.append((time.monotonic() - begin, churn.count, memory_kb(monitor.pid),
                             len(os.listdir("/proc/%d/fd" % monitor.pid)), disk(history), cpu_s(monitor.pid)))
                print("| %.0f | %d | %d | %d | %d | %.1f |" % (*rows[-1][:4], rows[-1][4] >> 10, rows[-1][5]), flush=True)
        status = monitor.poll()
    finally:
        churn.end()
        if monitor.poll() is None:
            monitor.send_signal(signal.SIGINT)
            monitor.wait()
    sessions = subprocess.run([SOOTH, "timeline", "--history-dir", history, "--last", "24h"],
                              stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()[0]
    print(sessions)
    return rows, status


def problems(rows, status):
    if status is not None:
        yield "it ended with %d" % status
    warm = rows[WARM_ROWS:]
    if warm and warm[-1][2] > warm[0][2] + GROWTH_KB:
        yield "memory grew from %d to %d kB" % (warm[0][2], warm[-1][2])
    if any(row[2] > MOST_KB for row in rows):
        yield "memory is over %d kB" % MOST_KB
    if warm and warm[-1][3] > warm[0][3] + SPARE_FDS:
        yield "descriptors grew from %d to %d" % (warm[0][3], warm[-1][3])
    if any(row[4] > HISTORY_BYTES + SPARE_BYTES for row in rows):
        yield "the history outgrew its size"


def main():
    wanted = options()
    with tempfile.TemporaryDirectory(prefix="sooth-week-") as folder:
        found = list(problems(*watch(wanted, folder)))
    print("; ".join(found) or "memory, descriptors and disk stayed flat")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
