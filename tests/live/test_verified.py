# SPDX-License-Identifier: BSD-2-Clause
"""
What the kernel's verifier has to do before a program of sooth is attached: half a second of it was once added without
a test that noticed. The number of instructions that it followed is no time, and the same on any machine with
this kernel (bpf_prog_info.verified_insns, Linux 5.16).
"""
import ctypes
import glob
import os
import platform
import re
import struct
import subprocess
import sys
import time
import unittest

from harness import Case, SOOTH, needs_bpf

BPF = {"x86_64": 321, "aarch64": 280}[platform.machine()]
PROG_GET_FD_BY_ID, OBJ_GET_INFO_BY_FD = 13, 15
INFO_SIZE, NAME_AT, VERIFIED_AT = 224, 64, 216  # of struct bpf_prog_info
libc = ctypes.CDLL(None, use_errno=True)


def bpf(command, attributes):
    buffer = ctypes.create_string_buffer(attributes.ljust(128, b"\0"), 128)
    return libc.syscall(BPF, command, buffer, 128), buffer.raw


def programs(pid):
    """Each program that a process holds, by itself or by a link: its name, and how many instructions the verifier followed."""
    found = {}
    for entry in glob.glob("/proc/%d/fdinfo/*" % pid):
        try:
            with open(entry, encoding="ascii", errors="replace") as f:
                number = re.search(r"(?m)^prog_id:\s*(\d+)", f.read())
        except OSError:
            continue
        if not number:
            continue
        fd, _ = bpf(PROG_GET_FD_BY_ID, struct.pack("I", int(number[1])))
        if fd < 0:
            continue
        info = ctypes.create_string_buffer(INFO_SIZE)
        bpf(OBJ_GET_INFO_BY_FD, struct.pack("IIQ", fd, INFO_SIZE, ctypes.addressof(info)))
        os.close(fd)
        name = info.raw[NAME_AT:NAME_AT + 16].rstrip(b"\0").decode(errors="replace")
        found[int(number[1])] = (name, struct.unpack_from("I", info.raw, VERIFIED_AT)[0])
    return found


@needs_bpf
@unittest.skipIf(tuple(int(n) for n in platform.release().split("-")[0].split(".")[:2]) < (5, 16), "the kernel does not say it")
class Verified(Case):
    # What each needs on Linux 6.18, and a quarter more.
    BOUNDS = {("trace",): 42000, ("trace", "-c"): 40000, ("profile",): 22000, ("sched",): 4000, ("diagnose",): 73000,
        ("heap",): 250000, ("heap", "--stack"): 250000, ("heap", "--no-allocators"): 9000, ("heap", "--sample-bytes", "512K"): 260000}

    def of(self, command):
        target = subprocess.Popen([sys.executable, "-c", "import time\nwhile True: time.sleep(0.05); bytes(100000)"])
        run = subprocess.Popen([SOOTH, *command, "--duration", "2", "-p", str(target.pid)], stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        seen = {}
        try:
            while run.poll() is None:
                seen.update(programs(run.pid))
                time.sleep(0.2)
        finally:
            run.kill()
            run.wait()
            target.kill()
            target.wait()
        return sorted(seen.values(), key=lambda p: -p[1])

    def test_what_the_verifier_follows(self):
        for command, most in self.BOUNDS.items():
            with self.subTest(command=command):
                all_programs = self.of(command)
                total = sum(count for _, count in all_programs)
                self.assertTrue(all_programs)
                self.assertLess(total, most, all_programs[:8])

    def test_a_command_that_loads_the_library_needs_no_walker(self):
        library = os.path.join(os.path.dirname(SOOTH), "src/preload/sooth-preload.so")
        run = subprocess.Popen([SOOTH, "heap", "--stack", "--preload-library", library, "--", "sleep", "2"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        seen = {}
        while run.poll() is None:
            seen.update(programs(run.pid))
            time.sleep(0.2)
        names = {name for name, _ in seen.values()}
        self.assertIn("on_visit", names)
        self.assertNotIn("on_entry_0", names)


if __name__ == "__main__":
    unittest.main()
