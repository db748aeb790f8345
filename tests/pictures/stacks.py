# SPDX-License-Identifier: BSD-2-Clause
"""Stacks as tests know them: the tree that a folded file says, and where each frame has to be."""
import os
import random
import subprocess
import tempfile

DRAW_STACKS = os.environ.get("DRAW_STACKS", "")


def draw(sink, *files, options=()):
    """The picture (bytes) that draw_stacks makes."""
    run = subprocess.run([DRAW_STACKS, sink, *options, *map(str, files)], capture_output=True,
                         timeout=300, check=False)
    if run.returncode:
        raise AssertionError(run.stderr.decode())
    return run.stdout


def quoted(name):
    """A name of any bytes, as draw_stacks reads it."""
    raw = name if isinstance(name, bytes) else name.encode("utf-8", "surrogatepass")
    return "".join(chr(b) if 32 < b < 127 and b not in b"%;" else "%%%02x" % b for b in raw)


class Frame:
    def __init__(self, name, depth):
        self.name, self.depth = name, depth
        self.own = self.value = self.begin = 0
        self.below = {}

    def lay_out(self, begin=0):
        """Sums, the largest first, each behind the one before it."""
        self.begin = begin
        self.value = self.own + sum(frame.lay_out() for frame in self.below.values())
        return self.value

    def place(self):
        at = self.begin
        for frame in sorted(self.below.values(), key=lambda f: (-f.value, f.name.encode())):
            frame.begin = at
            at += frame.value
            frame.place()

    def all(self):
        yield self
        for frame in self.below.values():
            yield from frame.all()


def tree(folded):
    """Of "a;b 3" lines: the root, with values and places."""
    root = Frame("all", 0)
    for line in folded.splitlines():
        stack, weight = line.rsplit(" ", 1)
        at = root
        for name in stack.split(";"):
            at = at.below.setdefault(name, Frame(name, at.depth + 1))
        at.own += int(weight)
    root.lay_out()
    root.place()
    return root


def made_up(count, depth, seed, width=4000):
    """Lines of that many different stacks, some heavy, most not."""
    dice = random.Random(seed)
    names = ["%s%s_%d" % (dice.choice(["std::vector<int>::", "node::", "v8::internal::", "uv__",
                                       "/usr/lib/x86_64-linux-gnu/", "Array.prototype."]),
                          dice.choice(["push", "run", "read_object", "dispatch", "alloc"]), i)
             for i in range(width)]
    lines = {}
    while len(lines) < count:
        at, stack = 0, []
        for _ in range(dice.randint(3, depth)):
            at = (at * 31 + int(dice.expovariate(0.7))) % width
            stack.append(names[at])
        lines.setdefault(";".join(stack), int(dice.paretovariate(1.1)))
    return "".join("%s %d\n" % line for line in sorted(lines.items()))


class Folder:
    """Files of a test, gone with it."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="pictures-")
        self.close = self.folder.cleanup

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def write(self, name, content):
        with open(self.path(name), "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        return self.path(name)
