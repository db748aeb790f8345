# SPDX-License-Identifier: BSD-2-Clause
"""Which capability a file serves, by docs/capabilities.list."""
import collections
import pathlib
import subprocess

LIST = "docs/capabilities.list"
FOLDERS = ("src", "include", "tests", "docs")
CODE = {".c", ".h", ".cpp", ".def", ".py", ".build", ".map", ".md", ".list", ""}
DATA = ("tests/fuzz/corpus/", "tests/cli/baseline/", "tests/cli/golden/", "tests/captures/")


class Capabilities:
    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.last, self.paths = {}, []
        name = None
        for line in (self.root / LIST).read_text().splitlines():
            if line.startswith("  "):
                self.paths += [(path, name) for path in line.split()]
            elif line and not line.startswith("#"):
                name, self.last[name] = line.split(": ", 1)

    def entry(self, file):
        """(path, capability): the longest path that the file begins with."""
        return max(((path, name) for path, name in self.paths if file.startswith(path)),
                   key=lambda entry: len(entry[0]), default=(None, None))

    def files(self):
        for folder in FOLDERS:
            for path in sorted((self.root / folder).rglob("*")):
                if path.is_file() and "__pycache__" not in path.parts:
                    yield str(path.relative_to(self.root))

    def problems(self):
        used = set()
        for file in self.files():
            path, _ = self.entry(file)
            used.add(path)
            if path is None and file.startswith(("src/", "include/")):
                yield f"{LIST}: {file} has no capability"
        for path, count in collections.Counter(path for path, _ in self.paths).items():
            if count > 1:
                yield f"{LIST}: {path} stands there twice"
            elif path not in used:
                yield f"{LIST}: no file needs {path}"


def column(file):
    """src (with include), tests or docs; None: not counted."""
    if pathlib.PurePath(file).suffix not in CODE or file.startswith(DATA):
        return None
    folder = file.split("/")[0]
    return "src" if folder == "include" else folder if folder in FOLDERS else None


def changes(root, since):
    """(file, lines added, lines removed) from that commit to the files as they are; nothing of binary files."""
    run = subprocess.run(["git", "-C", str(root), "diff", "--numstat", "--no-renames", since, "--", *FOLDERS],
                         capture_output=True, text=True, check=False)
    if run.returncode:
        raise SystemExit(run.stderr.strip())
    for line in run.stdout.splitlines():
        added, removed, file = line.split("\t")
        if added != "-":
            yield file, int(added), int(removed)
