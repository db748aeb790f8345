# SPDX-License-Identifier: BSD-2-Clause
"""Runtimes of other versions than this system's: packages of other suites, unpacked into the cache."""
import os
import subprocess

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "script", "fetch-runtime")


def command(name):
    """That runs it; None, and why on the output: it cannot be had."""
    run = subprocess.run([SCRIPT, name], capture_output=True, text=True)
    if run.returncode:
        print("%s: %s" % (name, run.stderr.strip()[-300:]))
        return None
    words = run.stdout.splitlines()
    home = ["env", "PYTHONHOME=" + os.path.dirname(os.path.dirname(words[-1]))] if name.startswith("python") else []
    return home + words
