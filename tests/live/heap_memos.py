# SPDX-License-Identifier: BSD-2-Clause
"""What the kernel side of `sooth heap` counts of stacks that were walked before, while it runs."""
import glob
import os
import re
import struct
import subprocess
import time

from test_verified import INFO_SIZE, OBJ_GET_INFO_BY_FD, bpf, ctypes
from waiting import rest

MAP_LOOKUP, MAP_GET_FD_BY_ID = 1, 14
MEMOS, NAME_AT, SIZE_AT = ".data.memos", 24, 12
LEAST_CHECKED = 8
COUNTS = struct.Struct("<IIQQQQ")


def memos_of(pid):
    """{walked, recognised, checked, differing} of the programs that a process has loaded; None: it has none."""
    for entry in glob.glob("/proc/%d/fdinfo/*" % pid):
        try:
            with open(entry, encoding="ascii", errors="replace") as f:
                number = re.search(r"(?m)^map_id:\s*(\d+)", f.read())
        except OSError:
            continue
        fd, _ = bpf(MAP_GET_FD_BY_ID, struct.pack("I", int(number[1]))) if number else (-1, None)
        if fd < 0:
            continue
        try:
            info = ctypes.create_string_buffer(INFO_SIZE)
            bpf(OBJ_GET_INFO_BY_FD, struct.pack("IIQ", fd, INFO_SIZE, ctypes.addressof(info)))
            name = info.raw[NAME_AT:NAME_AT + 16].rstrip(b"\0").decode(errors="replace")
            if name != MEMOS:
                continue
            value = ctypes.create_string_buffer(struct.unpack_from("I", info.raw, SIZE_AT)[0])
            key = ctypes.create_string_buffer(4)
            bpf(MAP_LOOKUP, struct.pack("IIQQQ", fd, 0, ctypes.addressof(key), ctypes.addressof(value), 0))
            return dict(zip(("walked", "recognised", "checked", "differing"), COUNTS.unpack_from(value.raw)[2:]))
        finally:
            os.close(fd)
    return None


def run_and_count(case, *command, **more):
    """(what it printed, the last counts) of a command of sooth that succeeds."""
    counts = None
    with open(case.path("printed"), "w+", encoding="utf-8", errors="replace") as out, \
            open(case.path("errors"), "w+", encoding="utf-8", errors="replace") as errors:
        run = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=errors, env=dict(os.environ, **more))
        try:
            while run.poll() is None:
                began_s = time.thread_time()
                counts = memos_of(run.pid) or counts
                rest(began_s)  # it has some hundred descriptors
        finally:
            if run.poll() is None:
                run.kill()
                run.wait()
        out.seek(0)
        errors.seek(0)
        text = out.read()
        case.assertEqual(run.returncode, 0, errors.read())
    case.assertTrue(counts, "no map %s" % MEMOS)
    return text, counts


def check_counts(case, counts):
    """Some were walked again, and none of them was another one."""
    case.assertGreaterEqual(counts["checked"], LEAST_CHECKED, counts)
    case.assertEqual(counts["differing"], 0, counts)
    case.assertGreater(counts["recognised"], counts["walked"], counts)
