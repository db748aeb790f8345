# SPDX-License-Identifier: BSD-2-Clause
"""A part of a capture: by its index, without one, and out of the whole by hand: always the same.
And what a capture holds. The captures are made of ones that never change, so nothing here depends on
how fast the machine is."""
import collections
import os
import signal
import struct
import zlib

import export_case
import harness
from export_case import COUNTED, DIAGNOSED, HEAP, STREAMED, ExportCase

HEADER = struct.Struct("<8sHBBIQQQQIIIIII")
ENTRY = struct.Struct("<QQQIIIBBH")
HEAD = struct.Struct("<IIIIQQQQ")
INDEX = 3
IN_PART = "its index, and what that lacks"
COMMANDS = [
    ["report"], ["report", "-j"], ["trace"], ["trace", "-j"], ["trace", "-c", "-j"], ["timeline", "-j"],
    ["diagnose", "--fail-on", "none"], ["ps", "-a", "-j"], ["heap", "-j"], ["status", "-j"],
    ["export", "--format", "jsonl"], ["export", "--format", "chrome"], ["export", "--format", "folded"],
    ["export", "--format", "csv", "--table", "syscalls_call"], ["query", "--tables", "-j"],
]


def blocks(data):
    """(offset, size, header) of each block."""
    at = 0
    while at < len(data):
        header = HEADER.unpack_from(data, at)
        size = HEADER.size + (header[11] + 7) // 8 * 8
        yield at, size, header
        at += size


def without_index(data):
    return b"".join(data[at:at + size] for at, size, header in blocks(data) if header[2] != INDEX)


Entry = collections.namedtuple("Entry", "first_ns last_ns since_ns bytes records source type flags reserved")


def entries(data):
    """(offset, size, entry) of each block that an index tells of."""
    for at, _, header in blocks(data):
        if header[2] != INDEX:
            continue
        _, count, _, _, size = HEAD.unpack_from(data, at + HEADER.size)[:5]
        place = at - size
        for i in range(count):
            entry = Entry(*ENTRY.unpack_from(data, at + HEADER.size + HEAD.size + i * ENTRY.size))
            yield place, entry.bytes, entry
            place += entry.bytes


def sealed(header, payload):
    """A block whose checksums are right, whatever it says."""
    fields = list(header)
    fields[12] = zlib.crc32(payload)
    head = HEADER.pack(*fields)[:68]
    return head + struct.pack("<I", zlib.crc32(head)) + payload


class Parts(ExportCase):
    def lengthen(self, capture, times=40, segment_bytes=12000, name="long.sooth"):
        path = self.path(name)
        self.run_program(os.environ["LENGTHEN_CAPTURE"], capture, path, str(times), str(segment_bytes))
        return path

    def write(self, data, name="tried.sooth"):
        path = self.path(name)
        with open(path, "wb") as file:
            file.write(data)
        return path

    def strip(self, path):
        return self.write(without_index(harness.read(path)), "plain.sooth")

    def info(self, path, **options):
        return self.sooth("report", "--info", "-j", path, **options).json()

    def length(self, path):
        return self.info(path)["interval_ns"]

    def ranges(self, path):
        whole = self.length(path)
        third, most = whole // 3, whole * 9 // 10
        return [["--from", "%dns" % third], ["--to", "%dns" % third],
                ["--from", "%dns" % third, "--to", "%dns" % most],
                ["--from", "-%dns" % third], ["--from", "-%dns" % most, "--to", "-%dns" % third],
                ["--from", "%dns" % most, "--to", "%dns" % (most + 1)]]

    def outcome(self, path, argv, range_):
        run = self.sooth(*argv, *range_, path, status=None)
        # Definitions from before the part have no order: the head of a segment repeats them.
        lines = sorted(run.out.splitlines()) if "jsonl" in argv else run.out.splitlines()
        return run.status, lines, run.errors.replace(path, "FILE")

    def assert_same(self, one, other, commands, ranges):
        for argv in commands:
            for range_ in ranges:
                self.assertEqual(self.outcome(one, argv, range_), self.outcome(other, argv, range_),
                                 (argv, range_))


class Same(Parts):
    """With an index and without."""

    def check(self, capture):
        long = self.lengthen(capture)
        plain = self.strip(long)
        self.assertEqual(self.info(long)["capture"]["read"], "its index")
        self.assertEqual(self.info(plain)["capture"]["read"], "all of it")
        self.assertGreater(self.info(long)["capture"]["heads"], 1, "it should be of several segments")
        ranges = self.ranges(long)
        self.assert_same(long, plain, [["report", "-j"]], ranges)
        # All commands with all ranges would take minutes: each has two, one of them from the begin.
        for i, argv in enumerate(COMMANDS):
            self.assert_same(long, plain, [argv], [ranges[i % 3], ranges[3 + i % 3]])
        # Who does not ask for a part sees nothing of an index.
        self.assert_same(long, plain, COMMANDS, [[]])

    def test_streamed(self):
        self.check(STREAMED)

    def test_counted(self):
        self.check(COUNTED)

    def test_heap(self):
        self.check(HEAP)

    def test_diagnosed(self):
        self.check(DIAGNOSED)

    def test_what_is_far_is_not_read(self):
        """Otherwise an index would be no use. Blocks before the part are damaged: nobody notices."""
        long = self.lengthen(STREAMED, times=200)
        whole = self.length(long)
        begin = self.query(long, "SELECT min(time_ns) AS ns FROM stream_begin")[0]["ns"]
        part = ["--from", "%dns" % (whole // 2), "--to", "%dns" % (whole // 2 + whole // 100)]
        wanted = self.sooth("report", "-j", *part, long).out
        data, damaged = bytearray(harness.read(long)), 0
        for at, size, entry in entries(bytes(data)):
            if entry.last_ns < begin + whole // 2 and not entry.flags:
                data[at + HEADER.size + 5] ^= 0xff
                damaged += 1
        self.assertGreater(damaged, 50)
        tried = self.write(bytes(data))
        self.assertEqual(self.sooth("report", "-j", *part, tried).out, wanted)
        self.assertNotEqual(self.sooth("report", "-j", tried, status=5).json()["loss"], [])


class Whole(Parts):
    """What is in a part, against the rows of the whole that are of that time."""

    def setUp(self):
        super().setUp()
        self.long = self.lengthen(STREAMED)
        self.begin = self.query(self.long, "SELECT min(time_ns) AS ns FROM stream_begin")[0]["ns"]
        length = self.length(self.long)
        self.from_ns, self.to_ns = length // 5, length * 3 // 5
        self.part = ["--from", "%dns" % self.from_ns, "--to", "%dns" % self.to_ns]

    def is_inside(self, time_ns):
        return self.begin + self.from_ns <= time_ns < self.begin + self.to_ns

    def chosen(self, rows):
        chosen = [row for row in rows if self.is_inside(row["time_ns"])]
        self.assertTrue(0 < len(chosen) < len(rows), (len(chosen), len(rows)))
        return chosen

    def test_jsonl(self):
        whole, part = self.tables(self.long), self.tables(self.long, *self.part)
        for table in ("syscalls_call", "proc_process", "proc_snapshot", "process_exec",
                      "process_leave", "stream_tick"):
            self.assertEqual(part[table], self.chosen(whole[table]), table)

    def test_csv(self):
        def rows(*part):
            return self.export("csv", self.long, "--table", "syscalls_call", *part).text.splitlines()
        whole, part = rows(), rows(*self.part)
        at = whole[0].split(",").index("time_ns")
        chosen = [line for line in whole[1:] if self.is_inside(int(line.split(",")[at]))]
        self.assertTrue(0 < len(chosen) < len(whole) - 1)
        self.assertEqual(part[1:], chosen)

    def test_query(self):
        sql = "SELECT * FROM syscalls_call ORDER BY time_ns, tid, number"
        self.assertEqual(self.query(self.long, sql, *self.part), self.chosen(self.query(self.long, sql)))
        # Two scans read the same part.
        twice = "SELECT count(*) AS n FROM syscalls_call a JOIN (SELECT max(time_ns) AS last " \
                "FROM syscalls_call) b ON a.time_ns = b.last"
        self.assertEqual(self.query(self.long, twice, *self.part)[0]["n"], 1)

    def test_sqlite(self):
        import sqlite3
        for name, part in (("whole", []), ("part", self.part)):
            self.export("sqlite", self.long, *part, "-o", self.path(name))
        select = "SELECT time_ns, tid, number FROM syscalls_call ORDER BY 1, 2, 3"
        with sqlite3.connect(self.path("whole")) as whole, sqlite3.connect(self.path("part")) as part:
            chosen = [row for row in whole.execute(select) if self.is_inside(row[0])]
            self.assertTrue(chosen)
            self.assertEqual(part.execute(select).fetchall(), chosen)

    def test_sums_of_calls(self):
        calls = self.chosen(self.query(self.long, "SELECT * FROM syscalls_call"))
        report = self.sooth("report", "-j", *self.part, self.long).json()
        self.assertEqual(sum(row["count"] for row in report["syscalls"]), len(calls))
        self.assertEqual(report["interval_ns"], self.to_ns - self.from_ns)
        self.assertEqual(report["end_reason"], "end of the time range")
        self.assertEqual(report["range"], {"from_ns": self.from_ns, "to_ns": self.to_ns,
                                          "capture_ns": self.length(self.long), "left_out": None})

    def test_pictures_say_it(self):
        for name, argv in (("timeline", []), ("trace", ["--flamegraph"])):
            self.sooth(name, *argv, *self.part, "-o", self.path("x.svg"), self.long)
            picture = harness.read(self.path("x.svg")).decode()
            self.assertIn("time range: ", picture, name)

    def test_parts_make_the_whole(self):
        whole = self.query(self.long, "SELECT count(*) AS n FROM syscalls_call")[0]["n"]
        border = "%dns" % self.from_ns
        parts = [self.query(self.long, "SELECT count(*) AS n FROM syscalls_call", *part)[0]["n"]
                 for part in (["--to", border], ["--from", border])]
        self.assertEqual(sum(parts), whole)

    def test_names_from_before_hold(self):
        """Of a process that was defined once, at the begin, and of all schemas."""
        text = self.sooth("report", *self.part, self.long).text
        self.assertIn("time range: ", text)
        whole, part = self.tables(self.long), self.tables(self.long, *self.part)
        for table in ("context_command", "context_thread", "stream_schema", "stream_source",
                      "stream_target"):
            before = [row for row in whole[table] if row["time_ns"] < self.begin + self.to_ns]
            self.assertEqual(part[table], before, table)
            self.assertTrue(before, table)

    def test_standard_input(self):
        data = harness.read(self.long)
        self.assertEqual(self.sooth("report", "-j", *self.part, "-", input=data).out,
                         self.sooth("report", "-j", *self.part, self.long).out)
        run = self.sooth("report", "--from", "-1ms", "-", input=data, status=2)
        self.assert_says_three_lines(run, "end", "file")


class Counts(Parts):
    """A count over a time cannot be divided: what reaches over a border is left out, and told."""

    def test_counted(self):
        long = self.lengthen(COUNTED)
        whole = self.length(long)
        rows = self.query(long, "SELECT time_ns, start_ns, count FROM syscalls_count")
        begin = self.query(long, "SELECT min(time_ns) AS ns FROM stream_begin")[0]["ns"]
        windows = sorted({(row["start_ns"], row["time_ns"]) for row in rows})
        middle = windows[len(windows) // 2]
        border = (middle[0] + middle[1]) // 2 - begin
        report = self.sooth("report", "-j", "--from", "%dns" % border, long).json()
        inside = [row for row in rows if row["start_ns"] >= begin + border]
        over = [row for row in rows if row["start_ns"] < begin + border <= row["time_ns"]]
        self.assertTrue(over and inside and border < whole)
        self.assertEqual(sum(row["count"] for row in report["syscalls"]),
                         sum(row["count"] for row in inside))
        self.assertGreaterEqual(report["range"]["left_out"], len(over))
        text = self.sooth("report", "--from", "%dns" % border, long).text
        self.assertIn("left out: %d counts" % report["range"]["left_out"], text)
        run = self.export("jsonl", long, "--from", "%dns" % border)
        self.assertIn("left out", run.errors)
        self.assertNotIn("left out", self.export("jsonl", long).errors)


class Info(Parts):
    """The view capture-info: by the index and by all records it says the same."""

    def test_same_figures(self):
        long = self.lengthen(DIAGNOSED)
        plain = self.strip(long)
        by_index, by_all = self.info(long), self.info(plain)
        self.assertEqual(by_index["capture"].pop("read"), "its index")
        self.assertEqual(by_all["capture"].pop("read"), "all of it")
        self.assertEqual(by_index["capture"].pop("file_bytes"), os.path.getsize(long))
        self.assertEqual(by_all["capture"].pop("file_bytes"), os.path.getsize(plain))
        self.assertEqual(by_index, by_all)
        self.assertIn("read from its index", self.sooth("report", "--info", long).text)

    def test_against_the_rows(self):
        long = self.lengthen(STREAMED)
        kinds = {row["kind"]: row["records"] for row in self.info(long)["kinds"]}
        for kind in ("syscalls.call", "proc.process", "process.exec"):
            table = kind.replace(".", "_")
            self.assertEqual(kinds[kind], self.query(long, "SELECT count(*) AS n FROM " + table)[0]["n"])
        report = self.sooth("report", "-j", long).json()
        info = self.info(long)
        for key in ("target", "interval_ns", "end_reason", "sources", "loss", "limits", "self"):
            self.assertEqual(info[key], report[key], key)

    def test_not_of_a_part(self):
        for option in (["-p", "1"], ["--from", "1"], ["--to", "1"]):
            run = self.sooth("report", "--info", *option, STREAMED, status=2)
            self.assert_says_three_lines(run, "--info")

    def test_what_is_no_capture(self):
        self.assert_says_three_lines(
            self.sooth("report", "--info", self.write(b"no capture at all" * 50), status=2),
            "not a sooth capture")


class Damaged(Parts):
    """An index that is not as it should be costs time, and nothing else."""

    def setUp(self):
        super().setUp()
        self.long = self.lengthen(STREAMED, times=20)
        self.data = harness.read(self.long)
        self.plain = self.strip(self.long)
        whole = self.length(self.long)
        self.ranges_ = [["--from", "%dns" % (whole // 2), "--to", "%dns" % (whole * 3 // 4)],
                        ["--from", "-%dns" % (whole // 3)]]
        self.wanted = [self.sooth("report", "-j", *r, self.plain).out for r in self.ranges_]

    def indexes(self):
        return [(at, size, header) for at, size, header in blocks(self.data) if header[2] == INDEX]

    def check(self, data, what):
        path = self.write(data)
        for range_, wanted in zip(self.ranges_, self.wanted):
            self.assertEqual(self.sooth("report", "-j", *range_, path).out, wanted, what)
        return path

    def test_bytes_of_it(self):
        at, size, _ = self.indexes()[-1]
        for place in list(range(at + HEADER.size, at + size, 97)) + [at + size - 1, at + size - 12]:
            data = bytearray(self.data)
            data[place] ^= 0x10
            self.check(bytes(data), place - at)

    def test_one_in_the_middle(self):
        at, size, _ = self.indexes()[0]
        data = bytearray(self.data)
        data[at + HEADER.size + 60] ^= 0x10
        path = self.check(bytes(data), "the first index")
        self.assertEqual(self.info(path)["capture"]["read"], IN_PART)

    def test_cut_in_it(self):
        """No record is lost with it."""
        at, size, _ = self.indexes()[-1]
        whole = self.sooth("report", "-j", self.plain).out
        for left in (0, 11, 40, 71, 72, 100, size // 2, size - 16, size - 1):
            path = self.check(self.data[:at + left], left)
            self.assertEqual(self.sooth("report", "-j", path).out, whole, left)

    def lie(self, change):
        """The last index with right checksums over what was changed."""
        at, size, header = self.indexes()[-1]
        payload = bytearray(self.data[at + HEADER.size:at + size])
        change(payload)
        return self.data[:at] + sealed(header, bytes(payload))

    def put(self, offset, form, value):
        return lambda payload: struct.pack_into(form, payload, offset, value)

    def test_lies(self):
        count = HEAD.unpack_from(self.data, self.indexes()[-1][0] + HEADER.size)[1]
        last = HEAD.size + (count - 1) * ENTRY.size
        for name, change in {
            "another version": self.put(0, "<I", 2),
            "more entries": self.put(4, "<I", count + 1),
            "far more entries": self.put(4, "<I", 0xffffffff),
            "more kinds": self.put(8, "<I", 0xffffffff),
            "fewer bytes": self.put(16, "<Q", 8),
            "more bytes than the file": self.put(16, "<Q", 1 << 62),
            "bytes of a block": self.put(last + 24, "<I", 0xfffffff8),
            "no bytes": self.put(last + 24, "<I", 0),
            "its own length": self.put(-16, "<Q", 1 << 63),
            "no length": self.put(-16, "<Q", 0),
        }.items():
            self.check(self.lie(change), name)

    def test_lengths_that_are_exchanged(self):
        """Their sum is right, so that only the blocks themselves show it."""
        def exchange(payload):
            first = HEAD.size + 24
            for at in range(first, HEAD.size + (count - 1) * ENTRY.size, ENTRY.size):
                one, = struct.unpack_from("<I", payload, at)
                two, = struct.unpack_from("<I", payload, at + ENTRY.size)
                if one != two:
                    struct.pack_into("<I", payload, at, two)
                    struct.pack_into("<I", payload, at + ENTRY.size, one)
        count = HEAD.unpack_from(self.data, self.indexes()[-1][0] + HEADER.size)[1]
        self.check(self.lie(exchange), "exchanged")

    def test_something_behind_it(self):
        path = self.write(self.data + b"x" * 100)
        info = self.info(path, status=5)
        self.assertEqual(info["capture"]["read"], IN_PART)
        self.assertEqual(info["loss"][0]["bytes"], 100)

    def test_joined(self):
        """Two captures in one file have the indexes of both."""
        both = self.write(self.data + self.data, "both.sooth")
        plain = self.write(without_index(self.data) * 2, "plain2.sooth")
        self.assertEqual(self.info(both)["capture"]["read"], "its index")
        one, other = self.info(both), self.info(plain)
        for info in (one, other):
            del info["capture"]["read"], info["capture"]["file_bytes"]
        self.assertEqual(one, other)

    def test_joined_with_one_that_has_none(self):
        both = self.write(without_index(self.data) + self.data, "both.sooth")
        plain = self.write(without_index(self.data) * 2, "plain2.sooth")
        one, other = self.info(both), self.info(plain)
        self.assertEqual(one["capture"].pop("read"), IN_PART)
        self.assertEqual(other["capture"].pop("read"), "all of it")
        self.assertEqual(one["kinds"], other["kinds"])
        self.assert_same(both, plain, [["report", "-j"]], self.ranges_)

    def test_cut_in_a_segment(self):
        """As a killed writer leaves it: what has no index is read, and the rest by its own."""
        indexes = self.indexes()
        self.assertGreater(len(indexes), 1)
        rest = self.data[:indexes[-1][0] - 1001]
        left, plain = self.write(rest, "rest.sooth"), self.write(without_index(rest), "plain2.sooth")
        one, other = self.info(left), self.info(plain)
        self.assertEqual(one["capture"].pop("read"), IN_PART)
        self.assertEqual(other["capture"].pop("read"), "all of it")
        self.assertLess(other["capture"].pop("file_bytes"), one["capture"].pop("file_bytes"))
        self.assertEqual(one, other)
        self.assertEqual(one["end_reason"], "cut")
        self.assert_same(left, plain, [["report", "-j"], ["trace", "-j"], ["query", "--tables", "-j"]],
                         self.ranges_)

    def test_what_is_not_wanted_is_not_read(self):
        """Of a cut one too: a block before the part is damaged, and nobody notices."""
        rest = bytearray(self.data[:self.indexes()[-1][0] - 1001])
        at, size, _ = [place for place in entries(self.data) if not place[2].flags & 3][0]
        rest[at + size // 2] ^= 0x40
        path = self.write(bytes(rest), "rest.sooth")
        self.assertEqual(len(self.sooth("report", "-j", "--from", "-1ms", path).json()["loss"]), 1, "that it is cut")
        self.assertEqual(len(self.sooth("report", "-j", path, status=5).json()["loss"]), 2)

    def test_old_segments_are_dropped(self):
        """What is left of a capture whose first segments are gone is read by its own indexes."""
        heads = [at for at, _, header in blocks(self.data) if header[2] == 1]
        rest = self.data[heads[-1]:]
        left, plain = self.write(rest, "rest.sooth"), self.write(without_index(rest), "plain2.sooth")
        self.assertEqual(self.info(left)["capture"]["read"], "its index")
        self.assert_same(left, plain, [["report", "-j"], ["trace", "-j"]], self.ranges_)


class Killed(Parts):
    def test_a_killed_writer(self):
        """Nobody wrote an index: the same options, the same answers, and it is said to be cut."""
        path = self.path("killed.sooth")
        recorder = self.start_sooth("record", "--probe", "proc", "--sample", "10ms", "-o", path, "-p",
                                    str(os.getpid()))
        harness.wait_until(lambda: os.path.exists(path) and os.path.getsize(path) > 20000,
                           "the capture grows")
        recorder.send(signal.SIGKILL)
        recorder.finish()
        info = self.info(path)
        self.assertEqual((info["capture"]["read"], info["end_reason"]), ("all of it", "cut"))
        length = info["interval_ns"]
        report = self.sooth("report", "-j", "--from", "-%dns" % (length // 2), path).json()
        self.assertEqual(report["range"]["capture_ns"], length)
        self.assertLessEqual(report["interval_ns"], length // 2 + 1)
        self.assertGreater(report["interval_ns"], 0)


class Compared(Parts):
    """sooth diff takes the same part of each, counted from its own begin or end."""

    def setUp(self):
        super().setUp()
        self.long, self.longer = (
            self.lengthen(STREAMED, times=n, name="%d.sooth" % n) for n in (20, 30))

    def diff(self, *argv, **options):
        return self.sooth("diff", "-j", *argv, **options).json()

    def test_the_same_part(self):
        first, second = self.length(self.long), self.length(self.longer)
        self.assertGreater(second, first)
        self.assertNotIn("ranges", self.diff(self.long, self.longer))
        third = first // 3
        for range_, begins in ((["--from", "%dns" % third, "--to", "%dns" % (2 * third)], (third, third)),
                               (["--from", "-%dns" % (2 * third), "--to", "-%dns" % third],
                                (first - 2 * third, second - 2 * third))):
            told = self.diff(self.long, self.longer, *range_)
            for path, begin, part, side in zip((self.long, self.longer), begins, told["ranges"], told["captures"]):
                report = self.sooth("report", "-j", path, *range_).json()
                self.assertEqual((part["from_ns"], part["to_ns"]), (begin, begin + third))
                self.assertEqual({k: part[k] for k in report["range"] if k in part},
                                 {k: report["range"][k] or 0 for k in report["range"] if k in part})
                self.assertEqual(side["interval_ns"], report["interval_ns"])
        self.assertIn("compared time ranges", self.sooth("diff", self.long, self.longer, *range_).text)

    def test_rows_of_the_part(self):
        """A part that differs is seen to, and one that does not is the same."""
        whole = self.length(self.long)
        half = "%dns" % (whole // 2)
        plain = self.strip(self.long)
        for range_ in (["--to", half], ["--from", half]):
            told = self.diff(self.long, plain, *range_)
            self.assertEqual((told["changes"], told["summary"]["changed"]), ([], 0))
        data = harness.read(plain)
        late = self.query(plain, "SELECT min(time_ns) AS ns FROM stream_begin")[0]["ns"] + whole * 6 // 10
        later = [(at, size) for at, size, header in blocks(data) if header[2] == 2 and header[6] > late]
        fewer = b"".join(data[at:at + size] for at, size, _ in blocks(data) if (at, size) not in later[:-3])
        other = self.write(fewer)
        for range_, same in ((["--to", half], True), ([], False)):
            told = self.diff(plain, other, *range_)["summary"]
            self.assertEqual(told["changed"] + told["vanished"] + told["appeared"] == 0, same, told)

    def test_of_segments_and_cut(self):
        """What each segment says again stands once; one that was cut was observed until its end."""
        self.assertGreater(self.info(self.longer)["capture"]["heads"], 1)
        cut = self.write(harness.read(self.longer)[:-3001])
        for side in self.diff(self.longer, cut)["captures"]:
            report = self.sooth("report", "-j", side["file"]).json()
            self.assertEqual(side["interval_ns"], report["interval_ns"])
            probes = side["probes"].split(", ")
            self.assertEqual(len(probes), len(set(probes)), probes)

    def test_refused(self):
        for range_, word in ((["--from", "soon"], "12s"), (["--from", "5s", "--to", "5s"], "before it starts"),
                             (["--from", "%dns" % (self.length(self.long) + 1)], "only")):
            run = self.sooth("diff", self.long, self.longer, *range_, status=2)
            self.assert_says_three_lines(run, word)


class Refused(Parts):
    def test_times(self):
        for argv, words in (
                (["--from", "soon"], ["soon", "--from", "12s"]),
                (["--to", ""], ["--to"]),
                (["--to", "-"], ["--to"]),
                (["--from", "5s", "--to", "5s"], ["before it starts"]),
                (["--from", "-1s", "--to", "-2s"], ["before it starts"]),
                (["--from", "1h"], ["only", "--info"])):
            for command in (["report"], ["trace"], ["query", "--tables"], ["export", "--format", "jsonl"]):
                run = self.sooth(*command, *argv, STREAMED, status=2)
                self.assert_says_three_lines(run, *words)

    def test_what_has_no_past(self):
        for argv in (["trace", "-p", str(os.getpid())], ["ps"], ["status"], ["timeline", str(os.getpid())]):
            run = self.sooth(*argv, "--from", "1s", status=2)
            self.assert_says_three_lines(run, "capture")
            # Not each of them has -d.
            self.assertNotIn("-d ", run.errors)


if __name__ == "__main__":
    harness.main()
