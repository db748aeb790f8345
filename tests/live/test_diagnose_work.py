# SPDX-License-Identifier: BSD-2-Clause
"""The function in which a busy process works, which has to get a processor: alone on the machine."""
import sys

import harness
from harness import Case, needs_root

WORKS = """
kept = []
def work():
    for i in range(100000): kept and kept[0]
    kept.append(bytearray(16384))
print("ready", flush=True)
while True: work()
"""


@needs_root
class Busy(Case):
    def test_the_function_that_computes(self):
        """No rule calls it sick: it gets new memory all the time."""
        child = self.start(sys.executable, "-u", "-c", WORKS)
        child.wait_for_output(b"ready")
        text = self.sooth("diagnose", "--duration", "3", "--set", "cpu-spin=off", "--set", "hot-function=off", "--set", "memory-growth=off",
                          str(child.pid)).text
        self.assertRegex(text, r"it uses [0-9.]+ % CPU \(\d+ % of that in work \(")


if __name__ == "__main__":
    harness.main()
