# SPDX-License-Identifier: BSD-2-Clause
"""`python -m sooth why PID`: the program that was installed beside this module, or else the one of PATH."""
import os
import shutil
import sys
import sysconfig


def main() -> None:
    beside = os.path.join(sysconfig.get_path("scripts"), "sooth")
    program = beside if os.access(beside, os.X_OK) else shutil.which("sooth")
    if not program:
        sys.exit("sooth: cannot find the program\n  why: it is neither beside this module nor in PATH\n"
                 "  try: pip install --force-reinstall sooth, or name its folder in PATH")
    os.execv(program, [program, *sys.argv[1:]])


main()
