#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
A reader of captures written from docs/capture-format.md alone, to show that the page is enough:
nothing here looks at sooth's sources. Makes captures with the program given, reads them, and holds
what it found against what `sooth report -j` says of the same files.

    capture_reader.py SOOTH        test (exit 0; 1 failed; 77 cannot run here)
    capture_reader.py FILE.sooth   say what is in a capture

Compressed blocks need a zstd program or libzstd; without one their records are only counted, by
their headers.
"""
import collections
import ctypes
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib

MAGIC = b"SOOTHBLK"
HEADER = struct.Struct("<8sHBBIQQQQIIIIII")
RECORD = struct.Struct("<QQIIHHHH")
RAW_BYTES_MAX = 16 << 20
SEGMENT, RECORDS, INDEX = 1, 2, 3
DEFINITION = 0x80

# The members that the checks below use: name: (offset, struct format); "ref" is a text in the tail.
MEMBERS = {
    0x0081: {"realtime_offset_ns": (32, "<q"), "cpus": (56, "<I"), "page_bytes": (60, "<I"),
             "format": (68, "<I"), "sooth_version": (72, "ref"), "hostname": (80, "ref"),
             "os": (88, "ref"), "os_version": (96, "ref"), "boot_id": (112, "ref")},
    0x0082: {"kind_number": (32, "<I"), "kind_class": (36, "<I"), "name": (40, "ref"), "fields": (48, "ref")},
    0x0083: {"source_number": (32, "<I"), "others_overhead_ns": (36, "<H"), "others_state": (38, "<B"),
             "probe": (40, "ref"), "method": (48, "ref"), "fallback_reason": (56, "ref")},
    0x0084: {"pids": (32, "ref"), "command": (40, "ref"), "selector": (48, "ref")},
    0x0086: {"file": (32, "ref"), "text": (40, "ref")},
    0x0006: {"end_reason": (32, "<I"), "child_status": (36, "<i")},
    0x0008: {"records": (40, "<Q"), "bytes": (48, "<Q"), "source": (56, "ref"), "reason": (64, "ref")},
    0x0009: {"what": (32, "ref"), "reason": (40, "ref"), "remedy": (48, "ref")},
    0x000A: {"cpu_ns": (32, "<Q"), "rss_bytes": (40, "<Q"), "records": (48, "<Q"), "bytes": (56, "<Q")},
    0x0100: {"cpu_ns": (32, "<Q"), "rss_bytes": (40, "<Q"), "vsz_bytes": (48, "<Q"), "ppid": (56, "<I"),
             "uid": (60, "<I"), "threads": (64, "<I"), "open_files": (80, "<I"), "state": (84, "<c"),
             "arguments_state": (88, "<B"), "name": (92, "ref"), "command": (100, "ref"),
             "executable": (108, "ref"), "cwd": (116, "ref")},
    0x0280: {"arguments_state": (32, "<B"), "command": (40, "ref"), "executable": (48, "ref")},
    0x0281: {"name": (32, "ref")},
    0x0282: {"start_address": (32, "<Q"), "end_address": (40, "<Q"), "protection_bits": (72, "<I"), "path": (80, "ref"),
             "build_id": (88, "ref")},
    0x0300: {"number": (40, "<I"), "abi": (44, "<I"), "count": (48, "<Q"), "errors": (56, "<Q"),
             "unfinished": (64, "<Q"), "total_ns": (72, "<Q"), "max_ns": (80, "<Q"),
             "histogram_ns": (88, "<32I"), "untimed": (216, "<Q")},
    0x0301: {"number": (40, "<I"), "abi": (44, "<I"), "count": (48, "<Q"), "error": (56, "<I")},
    0x0302: {"duration_ns": (32, "<Q"), "result": (40, "<q"), "number": (96, "<I"), "abi": (100, "<H"),
             "path_argument": (102, "<B"), "path_state": (103, "<B"), "result_state": (104, "<B"),
             "duration_state": (105, "<B"), "path": (112, "ref"), "thread": (120, "<16s")},
    0x0400: {"count": (40, "<Q"), "failed": (48, "<Q"), "overflows": (56, "<Q"), "unfinished": (64, "<Q"),
             "bytes": (72, "<Q"), "total_ns": (80, "<Q"), "max_ns": (88, "<Q"), "function": (96, "<I"),
             "histogram_bytes": (104, "<32I")},
    0x0401: {"address": (32, "<Q"), "size_bytes": (40, "<Q"), "old_address": (48, "<Q"),
             "duration_ns": (56, "<Q"), "function": (64, "<B"), "error": (65, "<B"),
             "is_overflow": (66, "<B"), "alignment_log2": (67, "<B"), "size_state": (68, "<B")},
    0x0402: {"start_ns": (32, "<Q"), "path": (40, "ref")},
    0x0403: {"requested_ns": (32, "<Q"), "stopped_ns": (40, "<Q"), "reserve_ns": (48, "<Q"),
             "threads": (56, "<I"), "refused": (60, "<I"), "lost": (64, "<Q")},
    0x0480: {"device": (32, "<Q"), "inode": (40, "<Q"), "entry": (48, "<Q"), "offset": (56, "<Q"),
             "function": (64, "<B"), "has_return": (65, "<B"), "is_emulated": (66, "<B"),
             "path": (72, "ref"), "reason": (80, "ref")},
}
TIME = {"stream.begin": 0x0085, "stream.end": 0x0006}
FIELD_SIZES = {1: (1, 2, 4, 8), 2: (4, 8), 3: (8,), 4: (1,), 5: (1, 2, 4), 6: (1, 2, 4), 7: (8,), 9: (8,), 10: (8,)}

Block = collections.namedtuple("Block", "type codec source sequence first_ns last_ns watermark_ns "
                                        "records raw_bytes stored_bytes raw")
Record = collections.namedtuple("Record", "time_ns start_ticks pid tid kind cpu fixed bytes")


# --- bytes to blocks ---


class Index:
    """An index as the page has it, found by the type of its block."""

    def __init__(self, at, header, payload):
        (self.version, entries, kinds, _, self.bytes, self.raw_bytes, self.begin_ns,
         self.end_ns) = struct.unpack_from("<IIIIQQQQ", payload)
        self.begin, self.at, self.payload = at - self.bytes, at, payload
        self.header = header
        self.entries = [struct.unpack_from("<QQQIIIBBH", payload, 48 + 40 * i) for i in range(entries)]
        self.kinds = {kind: records for kind, _, records in (
            struct.unpack_from("<IIQ", payload, 48 + 40 * entries + 16 * i) for i in range(kinds))}
        self.size, self.magic = struct.unpack_from("<Q8s", payload, 48 + 40 * entries + 16 * kinds)


def decompressor():
    """A function from a zstd frame and its raw size to bytes, or None."""
    try:
        lib = ctypes.CDLL("libzstd.so.1")
        lib.ZSTD_decompress.restype = ctypes.c_size_t
        lib.ZSTD_decompress.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t]

        def by_library(stored, size):
            room = ctypes.create_string_buffer(size)
            got = lib.ZSTD_decompress(room, size, stored, len(stored))
            return room.raw[:got] if got <= size else b""
        return by_library
    except OSError:
        pass
    if shutil.which("zstd"):
        return lambda stored, size: subprocess.run(["zstd", "-dcq"], input=stored, capture_output=True).stdout
    return None


class Reader:
    def __init__(self, data, decompress):
        self.data, self.decompress = data, decompress
        self.damaged_bytes = self.damaged_blocks = self.cut_bytes = self.unread_blocks = 0
        self.indexes, self.places = [], {}
        self.blocks = list(self.walk())

    def header(self, at):
        """The header at a place, None when it is not good; raises EOFError when the bytes end in it."""
        if self.data[at:at + 8] != MAGIC[:len(self.data) - at]:
            return None
        if len(self.data) - at < HEADER.size:
            raise EOFError
        h = HEADER.unpack_from(self.data, at)
        magic, header_bytes, raw_bytes, stored_bytes, header_crc = h[0], h[1], h[10], h[11], h[14]
        if (header_bytes != HEADER.size or zlib.crc32(self.data[at:at + 68]) != header_crc
                or raw_bytes > RAW_BYTES_MAX or stored_bytes > raw_bytes):
            return None
        return h

    def payload(self, h, stored):
        """The raw bytes; None: damaged; b"" with raw_bytes not 0: cannot be read here."""
        codec, records, raw_bytes, payload_crc = h[3], h[9], h[10], h[12]
        if zlib.crc32(stored) != payload_crc:
            return None
        if codec == 1 and not self.decompress:
            self.unread_blocks += 1
            return b""
        raw = self.decompress(stored, raw_bytes) if codec == 1 else stored if codec == 0 else b""
        if len(raw) != raw_bytes:
            return None
        try:
            return raw if len(list(records_of(raw))) == records else None
        except ValueError:
            return None

    def next_magic(self, at, end=None):
        found = self.data.find(MAGIC, at + 1, end)
        return found if found >= 0 else None

    def walk(self):
        at = 0
        while at < len(self.data):
            try:
                h = self.header(at)
                whole = h is not None and at + 72 + -(-h[11] // 8) * 8 <= len(self.data)
            except EOFError:
                h, whole = (), False
            if h is None or not whole:
                skip = (self.next_magic(at) or len(self.data)) - at
                if h is None:
                    self.damaged_bytes += skip
                else:
                    self.cut_bytes += skip
                at += skip
                continue
            end = at + 72 + -(-h[11] // 8) * 8
            if h[2] in (SEGMENT, RECORDS):
                raw = self.payload(h, self.data[at + 72:at + 72 + h[11]])
                if raw is None:
                    self.damaged_blocks += 1
                    at = self.next_magic(at, end + len(MAGIC) - 1) or end
                    continue
                block = Block(*h[2:12], raw)
                self.places[at] = block
                yield block
            elif zlib.crc32(self.data[at + 72:at + 72 + h[11]]) != h[12]:
                at = self.next_magic(at, end + len(MAGIC) - 1) or end
                continue
            elif h[2] == INDEX:
                self.indexes.append(Index(at, h, self.data[at + 72:at + 72 + h[11]]))
            at += 72 + h[11]
            while at < end and not self.data[at]:
                at += 1


# --- raw bytes to records and values ---


def records_of(raw):
    at = 0
    while at < len(raw):
        if len(raw) - at < RECORD.size:
            raise ValueError("a record's header does not fit")
        time_ns, ticks, pid, tid, kind, cpu, words, fixed = RECORD.unpack_from(raw, at)
        if not 4 <= fixed <= words or at + words * 8 > len(raw):
            raise ValueError("a record is not well formed")
        yield Record(time_ns, ticks, pid, tid, kind, cpu, fixed * 8, raw[at:at + words * 8])
        at += words * 8


def text(record, offset):
    where, size = struct.unpack_from("<II", record.bytes, offset)
    if where + size > len(record.bytes):
        return None
    return record.bytes[where:where + size]


def values(record):
    out = {}
    for name, (offset, form) in MEMBERS.get(record.kind, {}).items():
        if offset + (8 if form == "ref" else struct.calcsize(form)) > record.fixed:
            continue  # beyond the fixed part: absent
        if form == "ref":
            out[name] = text(record, offset)
        else:
            found = struct.unpack_from(form, record.bytes, offset)
            out[name] = found if len(found) > 1 else found[0]
    return out


def of_kind(records, kind):
    return [values(r) for r in records if r.kind == kind]


# --- what must hold of every capture ---


def check_order(reader, problems):
    sequence, promised = None, 0
    for b in reader.blocks:
        if sequence is not None and b.sequence != sequence + 1:
            problems.append("block %d follows block %d" % (b.sequence, sequence))
        sequence = b.sequence
        records = list(records_of(b.raw))
        if not records:
            continue
        times = [r.time_ns for r in records]
        if (min(times), max(times)) != (b.first_ns, b.last_ns):
            problems.append("block %d: first_ns and last_ns are not those of its records" % b.sequence)
        if b.type == SEGMENT and not all(r.kind & DEFINITION for r in records):
            problems.append("block %d: a head with something else than definitions" % b.sequence)
        if b.type == RECORDS and min(times) < promised:
            problems.append("block %d breaks the watermark" % b.sequence)
        promised = max(promised, b.watermark_ns)
    if not reader.blocks or reader.blocks[0].type != SEGMENT:
        problems.append("the first block is not a segment head")


def check_indexes(reader, size, problems):
    """From the end of the file back to its begin, every block is told of as it is."""
    end, told = size, {}
    for index in reversed(reader.indexes):
        if (index.version, index.magic, index.header[3]) != (1, b"SOOTHIDX", 0):
            problems.append("the index at %d is of another form" % index.at)
        if index.at + index.size != end or index.size != 72 + len(index.payload):
            problems.append("the index at %d does not end where it says" % index.at)
        at = end = index.begin
        for first_ns, last_ns, since_ns, bytes_, records, source, type_, flags, _ in index.entries:
            told[at] = (first_ns, last_ns, records, source, type_)
            block = reader.places.get(at)
            kinds = {r.kind for r in records_of(block.raw)} if block else set()
            if not since_ns <= first_ns or not flags & 1 and any(k & DEFINITION for k in kinds):
                problems.append("the index of the block at %d: %r" % (at, (since_ns, flags, kinds)))
            if bool(flags & 4) != bool(block and block.watermark_ns):
                problems.append("the watermark of the block at %d" % at)
            if bool(flags & 2) != any(k < 0x100 and k != 7 and not 0x10 <= k <= 0x12 for k in kinds):
                problems.append("the notes of the block at %d: %r" % (at, (flags, kinds)))
            at += bytes_
        if at != index.at:
            problems.append("the index at %d tells of %d bytes" % (index.at, index.bytes))
    found = {at: (b.first_ns, b.last_ns, b.records, b.source, b.type) for at, b in reader.places.items()}
    if end or told != found:
        problems.append("%d blocks are told of, of %d" % (len(told), len(found)))
    counts = collections.Counter(r.kind for b in reader.blocks for r in records_of(b.raw))
    kinds = sum((collections.Counter(index.kinds) for index in reader.indexes), collections.Counter())
    if kinds != counts:  # there is one head: it repeats nothing
        problems.append("kinds: %r by the index, %r" % (kinds, counts))
    times = {"begin": min(i.begin_ns for i in reader.indexes if i.begin_ns), "end": reader.indexes[-1].end_ns}
    mine = {name: next(r.time_ns for b in reader.blocks for r in records_of(b.raw) if r.kind == TIME["stream." + name])
            for name in times}
    if times != mine:
        problems.append("begin and end: %r by the index, %r" % (times, mine))


def check_schemas(records, problems):
    """Each kind is described, and each field lies in the fixed part of each of its records."""
    schemas = {v["kind_number"]: v for v in of_kind(records, 0x0082)}
    fixed = {}
    for r in records:
        fixed[r.kind] = min(fixed.get(r.kind, r.fixed), r.fixed)
    for kind, bytes_ in fixed.items():
        if kind not in schemas:
            problems.append("kind %#06x has no stream.schema" % kind)
            continue
        schema = schemas[kind]
        if (schema["kind_class"] == 4) != bool(kind & DEFINITION):
            problems.append("%#06x: class and bit 0x80 disagree" % kind)
        for line in schema["fields"].decode().splitlines():
            name, type_, unit, offset, size, state = line.split(" ")
            type_, unit, offset, size, state = map(int, (type_, unit, offset, size, state))
            if not 1 <= type_ <= 11 or not 0 <= unit <= 7 or offset + size > bytes_ or state >= bytes_:
                problems.append("%s.%s: %s" % (schema["name"].decode(), name, line))
            if size not in FIELD_SIZES.get(type_, (size,)):
                problems.append("%s.%s: %d bytes" % (schema["name"].decode(), name, size))
            known = MEMBERS.get(kind, {}).get(name)
            if known and known[0] != offset:
                problems.append("%s.%s stands at %d" % (schema["name"].decode(), name, offset))


def count_self(reader):
    """Records and bytes of the blocks before the one with stream.self, as the page says."""
    records = bytes_ = 0
    for i, b in enumerate(reader.blocks):
        if b.type == SEGMENT and i:
            continue  # repeated
        if any(r.kind == 0x000A for r in records_of(b.raw)):
            return records, bytes_
        records += b.records
        bytes_ += 72 + b.raw_bytes
    return None


def expect(problems, what, mine, theirs):
    if mine != theirs:
        problems.append("%s: read %r, the report says %r" % (what, mine, theirs))


def words(args):
    return b" ".join(args.rstrip(b"\0").split(b"\0")).decode("utf-8", "replace")


def source_row(source):
    """As a report has it: a state is no member of its own."""
    row = {k: v.decode() if isinstance(v, bytes) else v for k, v in source.items()}
    if row.pop("others_state") or not row["others_overhead_ns"]:
        row["others_overhead_ns"] = None
    return row


def check_report(reader, records, report, problems):
    begin = [r.time_ns for r in records if r.kind == TIME["stream.begin"]]
    end = [r.time_ns for r in records if r.kind == TIME["stream.end"]]
    segment = of_kind(records, 0x0081)[0]
    target = of_kind(records, 0x0084)[0]
    own = of_kind(records, 0x000A)[0]
    expect(problems, "format", segment["format"], 1)
    expect(problems, "interval", end[0] - begin[0], report["interval_ns"])
    expect(problems, "self", own, report["self"])
    expect(problems, "self, counted", count_self(reader), (own["records"], own["bytes"]))
    expect(problems, "selector", target["selector"].decode(), report["target"]["selector"])
    expect(problems, "command", words(target["command"]), report["target"]["command"])
    expect(problems, "pids", list(struct.unpack("<%dI" % (len(target["pids"]) // 4), target["pids"])),
           report["target"]["pids"])
    expect(problems, "sources", [source_row(s) for s in of_kind(records, 0x0083)], report["sources"])
    expect(problems, "losses", sum(v["records"] for v in of_kind(records, 0x0008)),
           sum(row["records"] for row in report["loss"]))
    check_processes(records, report, problems)
    check_context(records, report, problems)
    check_syscalls(records, report, problems)


def check_processes(records, report, problems):
    last = {}
    for r in records:
        if r.kind == 0x0100:
            # A zombie has no program and no user of its own any more: what it had stands.
            before = last.get((r.start_ticks, r.pid))
            now = values(r)
            if before and now["state"] == b"Z":
                now.update({key: before[key] for key in ("uid", "executable")})
            last[(r.start_ticks, r.pid)] = now
    if "hostname" in report:
        expect(problems, "host name", of_kind(records, 0x0081)[0]["hostname"].decode(), report["hostname"])
    for key in ("rss_bytes", "ppid", "uid", "threads"):
        expect(problems, "processes " + key, sorted((pid, v[key]) for (_, pid), v in last.items()),
               sorted((row["pid"], row[key]) for row in report.get("processes", [])))
    expect(problems, "processes' executables",
           sorted((pid, v["executable"].decode()) for (_, pid), v in last.items() if v["executable"]),
           sorted((row["pid"], row["executable"]) for row in report.get("processes", []) if row["executable"]))


def check_context(records, report, problems):
    kinds = (0x0280, 0x0281, 0x0282)
    told = {(r.start_ticks, r.pid) for r in records if r.kind in kinds}
    threads = {(r.start_ticks, r.pid, r.tid) for r in records if r.kind == 0x0281}
    mappings = {(r.start_ticks, r.pid, values(r)["start_address"]) for r in records if r.kind == 0x0282}
    rows = report.get("context", [])
    expect(problems, "context", (len(told), len(threads), len(mappings)),
           (len(rows), sum(row["threads"] for row in rows), sum(row["mapped_files"] or 0 for row in rows)))


def check_syscalls(records, report, problems):
    counts, errors = of_kind(records, 0x0300), of_kind(records, 0x0301)
    calls = of_kind(records, 0x0302)
    rows = report.get("syscalls", [])
    failed = [c for c in calls if c["result_state"] == 0 and -4095 <= c["result"] < 0]
    mine = {
        "count": sum(c["count"] for c in counts) + len(calls),
        "errors": sum(c["errors"] for c in counts) + len(failed),
        "unfinished": sum(c["unfinished"] for c in counts),
        "untimed": sum(c["untimed"] for c in counts)
        + sum(c["result_state"] != 0 or c["duration_state"] != 0 for c in calls),
        "total_ns": sum(c["total_ns"] for c in counts)
        + sum(c["duration_ns"] for c in calls if c["result_state"] == 0 and c["duration_state"] == 0),
    }
    expect(problems, "system calls", mine, {key: sum(row[key] or 0 for row in rows) for key in mine})
    slots = [sum(column) for column in zip(*(c["histogram_ns"] for c in counts))]
    if slots and not calls:
        expect(problems, "histogram", slots, [sum(column) for column in zip(*(row["histogram_ns"] for row in rows))])
    expect(problems, "different calls", len({(c["abi"], c["number"]) for c in counts + calls}), len(rows))
    expect(problems, "errors by number", sum(e["count"] for e in errors) + len(failed),
           sum(row["count"] for row in report.get("errors", [])))


def check_recovery(data, whole, decompress, problems):
    """A cut anywhere reads as a prefix; damage costs the block it is in; captures can be joined."""
    for share in (0, 1, 3, 5, 7):
        size = len(data) * share // 8 + share
        cut = Reader(data[:size], decompress)
        if cut.blocks != whole.blocks[:len(cut.blocks)] or cut.damaged_blocks:
            problems.append("cut at %d: not a prefix" % size)
    damaged = bytearray(data)
    damaged[72 + 5] ^= 0x40
    hurt = Reader(bytes(damaged), decompress)
    if hurt.damaged_blocks != 1 or hurt.blocks != whole.blocks[1:]:
        problems.append("a damaged first block: %d blocks of %d" % (len(hurt.blocks), len(whole.blocks)))
    for missing in (1, 4, 9):
        joined = Reader(data[:-missing] + data, decompress)
        if joined.blocks[-len(whole.blocks):] != whole.blocks:
            problems.append("a capture behind one that lacks %d bytes: %d blocks" % (missing, len(joined.blocks)))


def plain(block):
    """The block stored without a codec, as the page says a writer does."""
    head = HEADER.pack(MAGIC, 72, block.type, 0, block.source, block.sequence, block.first_ns, block.last_ns,
                       block.watermark_ns, block.records, block.raw_bytes, block.raw_bytes,
                       zlib.crc32(block.raw), 0, 0)[:68]
    return head + struct.pack("<I", zlib.crc32(head)) + block.raw + bytes(-len(block.raw) % 8)


def check_rewritten(sooth, path, reader, expected, problems):
    """sooth reads what is written by the page: plain blocks, and an index it has to skip."""
    index = Block(3, 0, 0, 0, 0, 0, 0, 0, 5, 5, b"index")
    with open(path + ".plain", "wb") as file:
        for block in reader.blocks:
            file.write(plain(block) + plain(index))
    run = subprocess.run([sooth, "report", "-j", path + ".plain"], capture_output=True)
    if run.stdout != expected:
        problems.append("rewritten without compression: another report\n" + run.stderr.decode())


def check_file(sooth, path, decompress):
    data = open(path, "rb").read()
    reader = Reader(data, decompress)
    problems = []
    if reader.damaged_bytes or reader.damaged_blocks or reader.cut_bytes:
        problems.append("a fresh capture is damaged")
    run = subprocess.run([sooth, "report", "-j", path], capture_output=True)
    report = json.loads(run.stdout)
    if reader.unread_blocks:
        total = sum(b.records for b in reader.blocks)
        if not report["self"]["records"] < total:
            problems.append("%d records by the headers, %d by the report" % (total, report["self"]["records"]))
        return problems, reader, []
    records = [r for b in reader.blocks for r in records_of(b.raw)]
    check_order(reader, problems)
    check_indexes(reader, len(data), problems)
    check_schemas(records, problems)
    check_report(reader, records, report, problems)
    check_recovery(data, reader, decompress, problems)
    check_rewritten(sooth, path, reader, run.stdout, problems)
    return problems, reader, records


# --- the test ---


def say(reader, records):
    names = {v["kind_number"]: v["name"].decode() for v in of_kind(records, 0x0082)}
    codecs = collections.Counter(b.codec for b in reader.blocks)
    print("  %d blocks (%d stored plain, %d by zstd), %d records" % (
        len(reader.blocks), codecs[0], codecs[1], sum(b.records for b in reader.blocks)))
    for kind, count in sorted(collections.Counter(r.kind for r in records).items()):
        print("  %6d %#06x %s" % (count, kind, names.get(kind, "?")))


def test(sooth):
    decompress = decompressor()
    script = "sleep 0.3; for i in 1 2 3; do cat /etc/hostname /nonexistent; done; sleep 0.2"
    cases = {
        "states and context": ["--probe", "proc,context", "--sample", "100ms", "-d", "400ms", "-p", str(os.getpid())],
        "counts": ["--", "sh", "-c", script],
        "stream": ["--stream", "--", "sh", "-c", script],
    }
    failed = ran = 0
    with tempfile.TemporaryDirectory(prefix="sooth-reader.") as folder:
        for name, arguments in cases.items():
            path = os.path.join(folder, "a.sooth")
            run = subprocess.run([sooth, "record", "-o", path, *arguments], capture_output=True)
            if run.returncode == 3:
                print("skip %s: %s" % (name, run.stderr.decode().splitlines()[0]))
                continue
            if run.returncode not in (0, 1):  # the script's last status
                print("FAIL %s: sooth record ended with %d\n%s" % (name, run.returncode, run.stderr.decode()))
                failed += 1
                continue
            ran += 1
            problems, reader, records = check_file(sooth, path, decompress)
            print(("FAIL " if problems else "ok   ") + name)
            say(reader, records)
            for problem in problems:
                print("     " + problem)
            failed += bool(problems)
    if not decompress:
        print("neither libzstd nor a zstd program: compressed blocks were only counted")
    return 1 if failed else 0 if ran else 77


def main():
    if len(sys.argv) != 2:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    with open(sys.argv[1], "rb") as file:
        data = file.read(8)
        if data == MAGIC:
            reader = Reader(data + file.read(), decompressor())
            say(reader, [r for b in reader.blocks for r in records_of(b.raw)])
            return 0
    return test(os.path.abspath(sys.argv[1]))


if __name__ == "__main__":
    sys.exit(main())
