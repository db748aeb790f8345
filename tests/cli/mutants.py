# SPDX-License-Identifier: BSD-2-Clause
"""Captures that somebody has made: foreign records in blocks whose checksums are right."""
import ctypes
import struct
import zlib

import capture_reader
from capture_reader import HEADER, RECORDS

BLOCK_BYTES = 8 << 20
EXTREMES = (0, 1, 0x7fff, 0xffff, 0x7fffffff, 0xffffffff, 1 << 62, (1 << 63) - 1, 1 << 63, (1 << 64) - 1)


def compressor():
    """A function from bytes to a zstd frame, or None."""
    try:
        lib = ctypes.CDLL("libzstd.so.1")
    except OSError:
        return None
    lib.ZSTD_compress.restype = lib.ZSTD_compressBound.restype = ctypes.c_size_t
    lib.ZSTD_compressBound.argtypes = [ctypes.c_size_t]
    lib.ZSTD_compress.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int]

    def compress(raw):
        room = ctypes.create_string_buffer(lib.ZSTD_compressBound(len(raw)))
        size = lib.ZSTD_compress(room, len(room), raw, len(raw), 3)
        return room.raw[:size]
    return compress


def block_bytes(block, compress=None):
    """A block as a file has it, with the checksums of what is in it now."""
    records = list(capture_reader.records_of(block.raw))
    times = [record.time_ns for record in records] or [0]
    stored = compress(block.raw) if compress else block.raw
    if len(stored) >= len(block.raw):
        compress, stored = None, block.raw
    head = struct.pack("<8sHBBIQQQQIIII", capture_reader.MAGIC, HEADER.size, block.type, 1 if compress else 0,
                       block.source, block.sequence, min(times), max(times), block.watermark_ns, len(records),
                       len(block.raw), len(stored), zlib.crc32(stored))
    head += bytes(HEADER.size - 4 - len(head))
    return head + struct.pack("<I", zlib.crc32(head)) + stored + bytes(-len(stored) % 8)


def capture_bytes(blocks, compress=None):
    return b"".join(block_bytes(block, compress) for block in blocks)


def mutate_record(rng, record):
    """A record whose header keeps its lengths, so that it is read."""
    raw = bytearray(record)
    for _ in range(rng.choice((1, 1, 2, 4))):
        how = rng.randrange(4)
        at = rng.randrange(24, len(raw)) if len(raw) > 32 and how else rng.randrange(24)
        if how == 1:
            raw[at] = rng.randrange(256)
        elif how == 2:
            size = rng.choice((4, 8))
            at -= at % size
            raw[at:at + size] = (rng.choice(EXTREMES) & ((1 << 8 * size) - 1)).to_bytes(size, "little")
        elif how == 3:
            raw[at] ^= 1 << rng.randrange(8)
        else:
            raw[at] ^= 1 << rng.randrange(8)  # its time, process or thread
    raw[28:32] = record[28:32]
    return bytes(raw)


def mutate(rng, blocks):
    """The same blocks with some records changed, repeated, removed or exchanged."""
    made = []
    for block in blocks:
        records = [record.bytes for record in capture_reader.records_of(block.raw)]
        for _ in range(rng.choice((0, 1, 1, 3))):
            if not records:
                break
            at, how = rng.randrange(len(records)), rng.randrange(8)
            if how == 0:
                del records[at]
            elif how == 1:
                records[at:at] = [mutate_record(rng, records[at]) for _ in range(rng.choice((2, 40)))]
            elif how == 2:
                other = rng.randrange(len(records))
                records[at], records[other] = records[other], records[at]
            else:
                records[at] = mutate_record(rng, records[at])
        made.append(block._replace(raw=b"".join(records)))
    return made


def padded(record, bytes_):
    """The record with a long fixed part and tail."""
    words = min(bytes_ // 8, 0xffff)
    return record[:28] + struct.pack("<H", words) + record[30:] + bytes(words * 8 - len(record))


def of_processes(record, count):
    """The same record of many processes."""
    return b"".join(record[:16] + struct.pack("<I", 1000 + pid) + record[20:] for pid in range(count))
