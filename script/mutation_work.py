# SPDX-License-Identifier: BSD-2-Clause
"""
Where script/mutate works: copies of the tree, each with a build; which test runs which line, by
gcov; and a place in which a broken program can do no harm.

A mutated sooth may signal any process, write anywhere, connect anywhere. So tests run as the user nobody, in
namespaces of their own for processes, mounts and network, with bounded memory and time.
"""
import collections
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import time

NOBODY = "65534"
MEMORY = 8 << 30
INSIDE = ["unshare", "--pid", "--mount", "--net", "--ipc", "--fork", "--kill-child", "--mount-proc",
          "sh", "-c", 'ip link set lo up; "$@"; exit $?', "sh", "setpriv", "--reuid", NOBODY, "--regid",
          NOBODY, "--clear-groups", "--no-new-privs", "prlimit", "--as=%d" % MEMORY, "--core=0",
          # Process 1 is neither a test nor its parent: tests never touch it.
          "sh", "-c", '"$@"; exit $?', "sh"]
# The system's own programs: others may be in directories that the user nobody cannot read.
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
SKIP = 77


def quiet(*argv, **options):
    return subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          errors="replace", env={**os.environ, "PATH": PATH}, **options)


def must(*argv, **options):
    run = quiet(*argv, **options)
    if run.returncode:
        raise SystemExit("%s:\n%s%s" % (" ".join(map(str, argv)), run.stdout[-2000:],
                                        run.stderr[-2000:]))
    return run.stdout


def files_of(root):
    """What belongs to the tree: known to git, or new and not ignored."""
    return must("git", "-C", root, "ls-files", "-co", "--exclude-standard", "-z").split("\0")[:-1]


def copy_tree(root, to):
    """The same files, with their times where they are the same, so that a build is kept."""
    for name in files_of(root):
        source, target = root / name, to / name
        if not source.is_file() or (target.exists() and
                                    target.read_bytes() == source.read_bytes()):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)


class Tree:
    """A copy, with a build."""

    def __init__(self, root, folder, *options):
        self.folder, self.build = folder, folder / "build"
        self.scratch = folder / "scratch"
        folder.mkdir(parents=True, exist_ok=True)
        copy_tree(root, folder)
        if not (self.build / "build.ninja").exists():
            must("meson", "setup", self.build, folder, "-Dwerror=false", "-Dwarning_level=0",
                 "-Ddebug=false", *options)
        else:
            must("ninja", "-C", self.build, "build.ninja")  # kept from a tree with other tests
        targets = json.loads(must("meson", "introspect", self.build, "--targets"))
        self.outputs = {t["id"]: [os.path.relpath(f, self.build) for f in t["filename"]]
                        for t in targets}
        self.commands = json.loads((self.build / "compile_commands.json").read_text())

    def make(self, *targets):
        return quiet("ninja", "-C", self.build, *targets).returncode == 0

    def objects(self, source):
        """What is compiled of a file."""
        wanted = os.path.realpath(self.folder / source)
        return [c["output"] for c in self.commands
                if os.path.realpath(self.build / c["file"]) == wanted]

    def digest(self, objects):
        return [hashlib.sha256((self.build / o).read_bytes()).digest() for o in objects]

    def tests(self, suites):
        """{name: test} of the suites."""
        found = json.loads(must("meson", "introspect", self.build, "--tests"))
        return {t["name"]: t for t in found if t["suite"][0].split(":")[-1] in suites}

    def needs(self, test):
        return [output for id_ in test["depends"] for output in self.outputs.get(id_, [])]

    def run(self, test, timeout, **environment):
        """(whether it passed, None when it was skipped; how long it took)."""
        shutil.rmtree(self.scratch, ignore_errors=True)
        self.scratch.mkdir()
        self.scratch.chmod(0o1777)
        env = {"PATH": PATH, "HOME": str(self.scratch), "TMPDIR": str(self.scratch),
               "LANG": "C.UTF-8", "MALLOC_PERTURB_": "56", **test["env"], **environment}
        begin = time.monotonic()
        try:
            run = subprocess.run([*INSIDE, *test["cmd"]], cwd=self.scratch, env=env,
                                 stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL, timeout=timeout, check=False)
            passed = None if run.returncode == SKIP else run.returncode == 0
        except subprocess.TimeoutExpired:
            passed = False
        return passed, time.monotonic() - begin


# --- which test runs which line ---


def _lines_run(tree, folder):
    """(file, line, whether it ran) of all that a test left behind."""
    data = [str(p) for p in folder.rglob("*.gcda")]
    for note in tree.build.rglob("*.gcno"):
        place = pathlib.Path(str(folder) + str(note))
        if place.parent.is_dir() and not place.exists():
            os.link(note, place)
    if not data:
        return
    text = must("gcov", "--json-format", "--stdout", *data, cwd=folder)
    for document in text.splitlines():
        for file in json.loads(document)["files"] if document.strip() else ():
            path = os.path.relpath(os.path.join(tree.build, file["file"]), tree.folder)
            if path.startswith("src/"):
                for line in file["lines"]:
                    yield path, line["line_number"], line["count"] > 0


class Coverage:
    """Of the tests that pass on the tree as it is; the others are no judges."""

    def __init__(self):
        self.times, self.refused = {}, {}
        self.lines = collections.defaultdict(lambda: collections.defaultdict(set))

    def measure(self, tree, suites, tell):
        tests = tree.tests(suites)
        if not tree.make(*{o for t in tests.values() for o in tree.needs(t)}):
            raise SystemExit("the tree does not build")
        for name, test in tests.items():
            left = tree.folder / "left" / name
            left.mkdir(parents=True, exist_ok=True)
            left.chmod(0o1777)
            passed, seconds = tree.run(test, 600, GCOV_PREFIX=str(left))
            tell("%s: %s, %.1f s" % (name, {True: "passes", None: "skipped"}.get(passed, "FAILS"),
                                     seconds))
            if passed:
                self.times[name] = seconds
                for path, line, is_run in _lines_run(tree, left):
                    self.lines[path][line] |= {name} if is_run else set()
            else:
                self.refused[name] = "is skipped" if passed is None else "fails"
            shutil.rmtree(left)
        return self

    def save(self, path, of):
        path.write_text(json.dumps({"of": of, "times": self.times, "refused": self.refused,
            "lines": {f: {n: sorted(t) for n, t in lines.items()}
                      for f, lines in self.lines.items()}}))

    def load(self, path, of):
        """Whether there was one of this very tree."""
        if not path.exists():
            return False
        kept = json.loads(path.read_text())
        if kept["of"] != of:
            return False
        self.times, self.refused = kept["times"], kept["refused"]
        for file, lines in kept["lines"].items():
            for number, tests in lines.items():
                self.lines[file][int(number)] = set(tests)
        return True

    def judges(self, path, mutation):
        """Tests that run that line, the fastest first; empty if none does."""
        lines = self.lines.get(path)
        if not lines:
            found = set(self.times)  # a table of data
        elif mutation.is_code:
            near = [n for n in range(mutation.line, mutation.line - 8, -1) if n in lines] or [
                n for n in range(mutation.line, mutation.line + 8) if n in lines]
            found = lines[near[0]] if near else set()
        else:
            found = set().union(*lines.values())
        return sorted(found, key=self.times.get)


def tree_digest(root):
    digest = hashlib.sha256()
    for name in sorted(files_of(root)):
        if (root / name).is_file() and name.split("/")[0] in ("src", "include", "tests", "meson.build"):
            digest.update(name.encode() + b"\0" + (root / name).read_bytes())
    return digest.hexdigest()
