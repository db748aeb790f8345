# SPDX-License-Identifier: BSD-2-Clause
"""
Stored inputs of the findings: the capture of a case, without the records of processes that are not
of the case. One archive a finding:
inputs/FINDING.tar.xz has cases.json and a capture a case. Blocks are stored uncompressed in an
archive, which finds the repetition between captures too.
"""
import io
import json
import lzma
import os
import pathlib
import struct
import sys
import tarfile
import zlib

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "cli"))
import capture_reader as capture  # noqa: E402

FOLDER = HERE / "inputs"
INDEX = "cases.json"
# Of a Case; replay.py judges by the case itself.
FIELDS = ("name", "sick", "settings")
SCHEMA = 0x0082
BYTES_MAX = 60 << 10  # of one compressed input: a case with a larger one runs live only


def block_of(block, raw, records):
    """A block like `block`, uncompressed, of other records."""
    times = [r.time_ns for r in records]
    head = struct.pack("<8sHBBIQQQQIIIII", capture.MAGIC, capture.HEADER.size, block.type, 0, block.source,
        block.sequence, min(times), max(times), block.watermark_ns, len(records), len(raw), len(raw),
        zlib.crc32(raw), 0)
    return head + struct.pack("<I", zlib.crc32(head)) + raw


def offsets(records):
    """The offsets of the fields of each kind: (number, {field: offset}) by the kind's name."""
    found = {}
    for v in capture.of_kind(records, SCHEMA):
        lines = (line.split(" ") for line in v["fields"].decode().splitlines())
        found[v["name"].decode()] = v["kind_number"], {line[0]: int(line[3]) for line in lines}
    return found


def family(records, pids, folder):
    """The processes `pids`, those that work in `folder`, and all that these started."""
    at, kept, parents = offsets(records), set(pids), {}
    (process, of_process), (ended, of_ended) = at["proc.process"], at.get("exits.process", (0, {}))
    for r in records:
        if r.kind == process and (capture.text(r, of_process["cwd"]) or b"").startswith(folder.encode()):
            kept.add(r.pid)
        if r.kind in (process, ended):
            offset = (of_process if r.kind == process else of_ended)["ppid"]
            parents.setdefault(r.pid, set()).add(struct.unpack_from("<I", r.bytes, offset)[0])
    size = 0
    while size != len(kept):
        size = len(kept)
        kept |= {pid for pid, of in parents.items() if of & kept}
    return kept


def private_texts():
    """What a capture says of the place where it was made: the control groups, the working folder."""
    lines = pathlib.Path("/proc/self/cgroup").read_text().splitlines()
    texts = {line.split(":", 2)[2] for line in lines} | {os.getcwd(), str(HERE.parents[1])}
    return sorted((text.encode() for text in texts if len(text) > 1), key=len, reverse=True)


def neutral(data):
    """The records without those texts; the lengths stay."""
    for text in private_texts():
        data = data.replace(text, b"/" + b"x" * (len(text) - 1))
    return data


def without_others(data, pids, folder):
    """The capture `data` without what it says of processes other than the family() of a case."""
    reader = capture.Reader(data, capture.decompressor())
    assert reader.blocks and not (reader.damaged_bytes or reader.unread_blocks or reader.cut_bytes)
    wanted = family([r for b in reader.blocks for r in capture.records_of(b.raw)], pids, folder) | {0}
    blocks = []
    for block in reader.blocks:
        kept = [r for r in capture.records_of(block.raw) if r.pid in wanted]
        if kept:
            blocks.append(block_of(block, neutral(b"".join(r.bytes for r in kept)), kept))
    return b"".join(blocks)


def is_small(data):
    return len(lzma.compress(data, preset=6)) <= BYTES_MAX


def pack(finding, cases):
    """Stores the (fields, capture) of the cases of a finding."""
    FOLDER.mkdir(exist_ok=True)
    cases = sorted(cases, key=lambda c: c[0]["name"])
    files = [(INDEX, json.dumps([fields for fields, _ in cases], indent=1).encode())]
    files += [("%02d.sooth" % i, data) for i, (_, data) in enumerate(cases)]
    with tarfile.open(FOLDER / (finding + ".tar.xz"), "w:xz", preset=9) as archive:
        for name, data in files:
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(data), 0o600
            archive.addfile(member, io.BytesIO(data))


def unpack(finding):
    """The (fields, capture) of the stored cases of a finding."""
    with tarfile.open(FOLDER / (finding + ".tar.xz")) as archive:
        read = lambda name: archive.extractfile(name).read()  # noqa: E731
        return [(fields, read("%02d.sooth" % i)) for i, fields in enumerate(json.loads(read(INDEX)))]


def names(finding):
    """The names of the stored cases of a finding."""
    if finding not in findings():
        return set()
    with tarfile.open(FOLDER / (finding + ".tar.xz")) as archive:
        return {fields["name"] for fields in json.loads(archive.extractfile(INDEX).read())}


def findings():
    return sorted(p.name.removesuffix(".tar.xz") for p in FOLDER.glob("*.tar.xz"))
