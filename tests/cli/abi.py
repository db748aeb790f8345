# SPDX-License-Identifier: BSD-2-Clause
"""
The binary interface of the library as its headers declare it, as a dump of libabigail. A library is built
in which every declared function does nothing: its types are the public ones alone. That the real one
exports the same functions is a test of its own.
`tests/cli/abi.py --renew` stores the dump of these headers: after a release, or for what is only added.
"""
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HEADERS = os.path.join(ROOT, "include", "sooth")
STORED = os.path.join(ROOT, "tests", "cli", "baseline", "libsooth.abi")
ARCHITECTURE = "x86_64"  # of the stored dump
# Structs that the library makes, or whose size the caller says, may get members at their end.
MAY_GROW = """
[suppress_type]
  type_kind = struct
  name_regexp = ^sooth_(.*_)?(options|stats|event|sample)$
  has_data_member_inserted_at = end
"""
DECLARATION = re.compile(r"^((?:const )?\w[\w ]*[\w*] ?\**sooth_\w+\([^;{]*\));", re.M)


def functions(headers):
    """Each declaration, as it stands in a header."""
    found = []
    for name in sorted(os.listdir(headers)):
        with open(os.path.join(headers, name), encoding="utf-8") as file:
            text = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)
        found += [line for line in DECLARATION.findall(text) if not line.startswith("typedef")]
    return found


def build(folder, headers=HEADERS):
    """The library of these headers; its path."""
    source, library = os.path.join(folder, "interface.c"), os.path.join(folder, "libsooth.so.0")
    with open(source, "w", encoding="utf-8") as file:
        file.write("#include <sooth/sooth.h>\n#include <sooth/record.h>\n")
        file.writelines("%s { __builtin_trap(); }\n" % line for line in functions(headers))
    subprocess.run([os.environ.get("CC", "cc"), "-g", "-O0", "-fPIC", "-shared", "-Wl,-soname,libsooth.so.0",
                    "-Wno-unused-parameter", "-I", os.path.dirname(headers), source, "-o", library], check=True)
    return library


def dump(library, path):
    subprocess.run(["abidw", "--no-corpus-path", "--no-comp-dir-path", "--no-show-locs", "--no-elf-needed",
                    "--type-id-style", "hash", "--out-file", path, library], check=True)


def compare(library, folder):
    """What of the stored interface is gone or different; empty: a program that was built then still works."""
    rules = os.path.join(folder, "may-grow")
    with open(rules, "w", encoding="utf-8") as file:
        file.write(MAY_GROW)
    run = subprocess.run(["abidiff", "--no-added-syms", "--suppressions", rules, STORED, library], capture_output=True,
                         text=True, check=False)
    return run.stdout + run.stderr if run.returncode else ""


if __name__ == "__main__":
    import tempfile
    if sys.argv[1:] != ["--renew"]:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as work:
        dump(build(work), STORED)
