# SPDX-License-Identifier: BSD-2-Clause
"""
Calls that are under way when sooth attaches: told when they return, their time not measured. And
what a call is asked where the kernel writes over it before it returns.
"""
import json
import platform

import harness
from harness import Case, needs_bpf

# As they wait in the kernel, by what libc makes of them.
NUMBERS = {"x86_64": {"read": 0, "poll": 7, "futex": 202, "clock_nanosleep": 230, "ppoll": 271},
           "aarch64": {"read": 63, "poll": 73, "futex": 98, "clock_nanosleep": 115, "ppoll": 73}}
NUMBERS = NUMBERS.get(platform.machine())

# Says which thread waits in what, once each does; lets all of them go when it is told to.
WAITING = """
import ctypes, json, os, select, signal, sys, threading, time
numbers = json.loads(sys.argv[1])
libc = ctypes.CDLL(None, use_errno=True)
class Time(ctypes.Structure):
    _fields_ = [("s", ctypes.c_long), ("ns", ctypes.c_long)]
word = ctypes.c_uint32(0)
FUTEX_WAIT, FUTEX_WAKE = 0, 1
def futex(operation, value):
    libc.syscall(ctypes.c_long(numbers["futex"]), ctypes.byref(word), ctypes.c_long(operation),
                 ctypes.c_long(value), None, None, ctypes.c_long(0))
empty, end = os.pipe()
quiet, other = os.pipe()
def polls():
    p = select.poll()
    p.register(quiet, select.POLLIN)
    p.poll(3600000)
waits = {
    "read": lambda: os.read(empty, 1),
    "poll": polls,
    "futex": lambda: futex(FUTEX_WAIT, 0),
    "clock_nanosleep": lambda: libc.nanosleep(ctypes.byref(Time(3600, 7)), None),
    "ppoll": lambda: libc.ppoll(None, ctypes.c_ulong(0), ctypes.byref(Time(3600, 7)), None),
}
signal.signal(signal.SIGUSR1, lambda number, frame: None)
threads = {name: threading.Thread(target=wait) for name, wait in waits.items()}
def is_there(name, tid):
    with open("/proc/self/task/%d/syscall" % tid) as file:
        words = file.read().split()
    # Python waits in a futex of its own as well.
    return words[0] == str(numbers[name]) and (
        name != "futex" or int(words[1], 16) == ctypes.addressof(word))
for thread in threads.values():
    thread.start()
for name, thread in threads.items():
    while not is_there(name, thread.native_id):
        time.sleep(0.01)
print(json.dumps({name: thread.native_id for name, thread in threads.items()}), flush=True)
os.read(0, 1)
os.write(end, b"x")
os.write(other, b"x")
word.value = 1
futex(FUTEX_WAKE, 1)
for name in ("clock_nanosleep", "ppoll"):
    signal.pthread_kill(threads[name].ident, signal.SIGUSR1)
for thread in threads.values():
    thread.join()
"""

# Each is left early, with some of its time left; only glibc's recvmmsg and nanosleep hand over ours.
ASKING = """
import ctypes, signal, socket, sys
libc = ctypes.CDLL(None, use_errno=True)
class Time(ctypes.Structure):
    _fields_ = [("s", ctypes.c_long), ("ns", ctypes.c_long)]
class Vector(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("size", ctypes.c_size_t)]
class Message(ctypes.Structure):
    _fields_ = [("name", ctypes.c_void_p), ("name_size", ctypes.c_uint32),
                ("vectors", ctypes.POINTER(Vector)), ("count", ctypes.c_size_t),
                ("control", ctypes.c_void_p), ("control_size", ctypes.c_size_t),
                ("flags", ctypes.c_int), ("received", ctypes.c_uint)]
signal.signal(signal.SIGALRM, lambda number, frame: None)
left = Time(3600, 7)
signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
assert libc.nanosleep(ctypes.byref(left), ctypes.byref(left)) == -1 and left.s < 3600
signal.setitimer(signal.ITIMER_REAL, 0)
one, two = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
one.send(b"word")
room = ctypes.create_string_buffer(16)
message = Message(vectors=ctypes.pointer(Vector(ctypes.addressof(room), 16)), count=1)
left = Time(3600, 7)
assert libc.recvmmsg(two.fileno(), ctypes.byref(message), 1, 0, ctypes.byref(left)) == 1
assert left.s < 3600
"""

UNSEEN = {"duration_ns": "entered before attach"}


def calls_of(lines):
    return [line for line in lines if line["type"] == "call"]


@needs_bpf
class UnderWay(Case):
    def setUp(self):
        super().setUp()
        if not NUMBERS:
            self.skipTest("the numbers of its calls are not known here")

    def watch(self, *options):
        """({thread: the call it waited in}, what sooth said)"""
        target = self.start(harness.sys.executable, "-c", WAITING, json.dumps(NUMBERS))
        target.wait_for_output(b"}\n")
        waiting = {tid: name for name, tid in json.loads(bytes(target.out)).items()}
        waiting[target.pid] = "read"
        harness.wait_until(lambda: harness.system_call_of(target.pid) == NUMBERS["read"],
                           "the target to wait to be let go")
        sooth = self.start_attached(*options, "-p", str(target.pid))
        target.say(b"g")
        self.assertEqual(target.finish().status, 0)
        run = sooth.finish()
        self.assertEqual(run.status, 0, run)
        if NUMBERS["poll"] == NUMBERS["ppoll"]:
            waiting = {tid: "ppoll" if name == "poll" else name for tid, name in waiting.items()}
        return waiting, run

    def check_stream(self, waiting, lines):
        self.assertEqual(lines[-1]["loss"], [])
        for tid, name in waiting.items():
            first, *rest = [call for call in calls_of(lines) if call["tid"] == tid]
            self.assertEqual((first["name"], first["duration_ns"], first["not_measured"]),
                             (name, None, UNSEEN))
            for call in rest:
                self.assertIsNotNone(call["duration_ns"], call)
            if first["error"] == 0 and name != "futex":
                self.assertEqual(first["result"], 1, first)
        # What was asked has been written over by then, of the one alone that does it.
        asked = [call["arguments"] for call in calls_of(lines) if call["name"] == "ppoll" and
                 call["error"]]
        self.assertEqual(len(asked), 1, asked)
        self.assertRegex(asked[0], r"^NULL, 0, 0x[0-9a-f]+ \(entered before attach\), NULL, ")

    def check_table(self, waiting, report):
        self.assertEqual(report["loss"], [])
        rows = {row["name"]: row for row in report["syscalls"]}
        names = list(waiting.values())
        for name in set(names):
            row = rows[name]
            self.assertEqual((row["untimed"], row["unfinished"]), (names.count(name), 0), row)
            timed = sum(row["histogram_ns"])
            self.assertEqual(timed, row["count"] - row["untimed"], row)
            if timed:
                self.assertEqual(row["mean_ns"], row["total_ns"] // timed, row)
                self.assertGreater(row["max_ns"], 0)
                continue
            for figure in ("total_ns", "mean_ns", "p50_ns", "p99_ns", "max_ns"):
                self.assertEqual((row[figure], row["not_measured"][figure]),
                                 (None, UNSEEN["duration_ns"]), row)
        others = {name: row["untimed"] for name, row in rows.items()
                  if row["untimed"] and name not in names}
        self.assertEqual(others.keys() - {"exit", "exit_group"}, set())
        limits = [limit["what"] for limit in report["limits"]]
        self.assertIn("time of %d calls" % len(names), limits)

    def check_text(self, waiting, stream, table):
        unseen = [line for line in stream.splitlines()
                  if line.endswith("<not measured: entered before attach>")]
        self.assertEqual(len(unseen), len(waiting), stream)
        self.assertNotIn("<0ns>", stream)
        self.assertIn("? = unknown: entered before attach", table)
        self.assertIn("time of %d calls" % len(waiting), table)

    def test_streamed_and_from_a_capture(self):
        capture = self.path("calls.sooth")
        waiting, run = self.watch("trace", "-j", "--save", capture)
        self.check_stream(waiting, run.lines())
        self.check_stream(waiting, self.sooth("trace", "-j", capture).lines())
        self.check_table(waiting, self.sooth("trace", "-c", "-j", capture).json())
        self.check_text(waiting, self.sooth("trace", capture).text,
                        self.sooth("trace", "-c", capture).text)
        # A mark, not a stretch of time; in sums of time it is not.
        chrome = json.loads(self.sooth("export", "--format", "chrome", capture).text)["traceEvents"]
        marks = [e for e in chrome if e["ph"] == "i" and "dur" not in e and
                 e["args"].get("not_measured") == UNSEEN]
        self.assertEqual(sorted((e["tid"], e["name"]) for e in marks), sorted(waiting.items()))
        report = self.sooth("trace", "--io", "-j", capture).json()
        pipes = [row for row in report["io"] if row["path"].startswith("pipe")]
        read, both = (next(row for row in pipes if row["reads"] and row["writes"] == writes)
                      for writes in (0, 1))
        self.assertEqual((read["total_ns"], read["not_measured"]["mean_ns"]),
                         (None, UNSEEN["duration_ns"]), read)
        self.assertEqual(both["total_ns"], both["mean_ns"], both)  # of the write alone
        self.assertIn("the duration of some calls", [limit["what"] for limit in report["limits"]])

    def test_text(self):
        waiting, run = self.watch("trace")
        self.assertEqual(run.text.count("<not measured: entered before attach>"), len(waiting))
        self.assertNotIn("<0ns>", run.text)

    def test_counted(self):
        capture = self.path("counts.sooth")
        waiting, run = self.watch("trace", "-c", "-j", "--save", capture)
        self.check_table(waiting, run.json())
        self.check_table(waiting, self.sooth("trace", "-c", "-j", capture).json())


@needs_bpf
class Asked(Case):
    def test_as_it_was_before_the_call(self):
        run = self.sooth("trace", "-j", "-e", "recvmmsg,nanosleep,clock_nanosleep", "--",
                         harness.sys.executable, "-c", ASKING)
        calls = {call["name"]: call["arguments"] for call in calls_of(run.lines())}
        sleeping = calls.get("clock_nanosleep", calls.get("nanosleep", ""))
        self.assertIn(" 3600.000000007s, 0x", sleeping)
        self.assertRegex(calls["recvmmsg"], r", 1, 0, 3600\.000000007s$")


if __name__ == "__main__":
    harness.main()
