# SPDX-License-Identifier: BSD-2-Clause
"""Captures that were made to do harm, with checksums that are right: each command ends, and is modest."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "live"))

import random
import subprocess

import capture_reader
import harness
import mutants
from harness import Case

CORPUS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fuzz", "corpus", "capture")
FILES = ("counted", "diagnosed", "heap", "streamed", "two")
COMMANDS = (
    "report", "report -j", "report --info", "ps -a", "ps -a -t -j", "status", "status -j", "inspect -a", "inspect -j",
    "inspect --fds --format csv", "why", "why -j", "diagnose", "diagnose -j", "diagnose --all -v", "trace", "trace -j", "trace -c",
    "trace --io", "trace --network", "trace --memory", "trace --process", "trace --folded /dev/null", "heap", "heap -j",
    "timeline", "timeline -j", "timeline --format timeline-svg", "report --from 10ms --to -10ms",
    "export --format jsonl", "export --format chrome", "export --format folded", "export --format csv --table proc_process",
    "query 'SELECT * FROM proc_process'",
)
MUTANTS = 400 if harness.IS_LONG else 120
SECONDS = 20         # of one command; a capture of these takes some 20 ms
STATUSES = range(8)  # all that the manual has
LARGE_KINDS = (0x100, 0x101, 0x500, 0x504, 0x601, 0x700, 0x702, 0x800, 0x801, 0xa00, 0xa03, 0xc00, 0xc02)
# The others read the same records into a part of these tables.
LARGE_COMMANDS = ("report -j", "diagnose", "timeline", *(("inspect -a", "status", "trace", "ps -a", "why") if harness.IS_LONG else ()))
LARGE_MB = 700       # of memory; the bounds of the tables of one command together


def blocks_of(name):
    data = harness.read(os.path.join(CORPUS, name + ".sooth"))
    return capture_reader.Reader(data, capture_reader.decompressor()).blocks


class Mutants(Case):
    def setUp(self):
        super().setUp()
        if not capture_reader.decompressor() or not mutants.compressor():
            self.skipTest("nothing here compresses zstd")

    def words(self, command, path):
        """`query` takes the capture before the statement."""
        name, *rest = command.split(" ", 1)
        if name == "query":
            return [name, path, rest[0].strip("'")]
        return [name, *(rest[0].split() if rest else []), path]

    def test_commands_end(self):
        path = self.path("mutant.sooth")
        all_blocks = {name: blocks_of(name) for name in FILES}
        for number in range(MUTANTS):
            rng = random.Random(number)
            blocks = mutants.mutate(rng, all_blocks[FILES[number % len(FILES)]])
            with open(path, "wb") as file:
                file.write(mutants.capture_bytes(blocks))
            command = COMMANDS[number // len(FILES) % len(COMMANDS)]
            with self.subTest(mutant=number, command=command):
                run = subprocess.run([harness.SOOTH, *self.words(command, path)], capture_output=True, timeout=SECONDS)
                self.assertIn(run.returncode, STATUSES, run.stderr[-2000:])
                self.assertNotIn(b"damaged blocks", run.stderr, "the checksums of a mutant are wrong")

    def large_blocks(self):
        """Many processes with long records; compressed they are small."""
        blocks = blocks_of("diagnosed")
        first = {}
        for block in blocks:
            for record in capture_reader.records_of(block.raw):
                first.setdefault(record.kind, record.bytes)
        yield from blocks[:-1]
        for kind in LARGE_KINDS:
            raw = bytearray(mutants.of_processes(mutants.padded(first[kind], 16000), 500))
            for start in range(1, 9):  # of other processes each, by their start
                for at in range(0, len(raw), 16000):
                    raw[at + 8:at + 10] = start.to_bytes(2, "little")
                yield blocks[1]._replace(type=capture_reader.RECORDS, raw=bytes(raw), watermark_ns=0)
        yield blocks[-1]

    def test_memory(self):
        path = self.path("large.sooth")
        compress = mutants.compressor()
        with open(path, "wb") as file:
            for sequence, block in enumerate(self.large_blocks()):
                file.write(mutants.block_bytes(block._replace(sequence=sequence), compress))
        self.assertLess(os.path.getsize(path), 1 << 20)
        for command in LARGE_COMMANDS:
            child = subprocess.Popen([harness.SOOTH, *self.words(command, path)], stdout=subprocess.DEVNULL,
                                     stderr=subprocess.DEVNULL)
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            self.assertIn(child.returncode, STATUSES, command)
            self.assertLess(usage.ru_maxrss >> 10, LARGE_MB, command)
            self.assertLess(usage.ru_utime + usage.ru_stime, 3 * SECONDS, command)


if __name__ == "__main__":
    harness.main()
