# SPDX-License-Identifier: BSD-2-Clause
"""script/calibrate: what it says of a threshold whose cases are known."""
import pathlib
import re
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def calibrate(*arguments):
    return subprocess.run([ROOT / "script/calibrate", "--finding", "fd-limit-near", *arguments],
        capture_output=True, text=True, check=False)


class Calibrate(unittest.TestCase):
    def test_margins(self):
        """The sick case loses its finding with a higher threshold, the healthy twin gets one with a lower one."""
        said = calibrate("fd-limit-near.percent").stdout
        self.assertIn("fd-limit-near.percent = 80 percent", said)
        sick, healthy = (float(re.search(r"nearest %s: x([\d.e-]+) fd-limit-near" % kind, said)[1])
            for kind in ("sick", "healthy"))
        self.assertGreater(sick, 1)
        self.assertLess(healthy, 1)

    def test_unused(self):
        """Cases of descriptors do not depend on how memory grows."""
        unused = calibrate("--unused").stdout
        self.assertIn("memory-growth.min-gain = ", unused)
        self.assertNotIn("fd-limit-near.percent = ", unused)

    def test_unknown(self):
        done = calibrate("fd-limit-near.persent")
        self.assertEqual(done.returncode, 1)
        self.assertIn("there is no number fd-limit-near.persent", done.stderr)


if __name__ == "__main__":
    unittest.main()
