# SPDX-License-Identifier: BSD-2-Clause
"""
watch-flood, watch-limit-near, file-watcher-busy, and of syscall-errors what the limit of inotify refuses: of users that
nobody else is, so that nothing of theirs is full.
"""
import itertools
import os
import pathlib

from case import healthy, sick

NO_AGE = ("watch-flood.min-age=0",)

# Watches of so many directories by so many instances, and instances that watch nothing.
WATCHER = """
import ctypes, os, sys, time
folder, uid = sys.argv[1], int(sys.argv[2])
directories, watchers, empty, opened_and_closed = map(int, sys.argv[3:7])
libc = ctypes.CDLL(None, use_errno=True)
IN_CREATE, IN_MODIFY = 0x100, 0x2
def check(value, what):
    if value < 0:
        raise OSError(ctypes.get_errno(), what)
    return value
paths = [os.path.join(folder, "part%d" % (i % 5), "d%d" % i) for i in range(directories)]
for path in paths:
    os.makedirs(path, exist_ok=True)
if uid:
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    check(libc.prctl(4, 1, 0, 0, 0), "dumpable")  # PR_SET_DUMPABLE: as if it had never been root
for _ in range(opened_and_closed):
    os.close(check(libc.inotify_init1(0), "instance"))
for _ in range(empty):
    check(libc.inotify_init1(0), "instance")
for _ in range(watchers):
    fd = check(libc.inotify_init1(0), "instance")
    for path in paths:
        check(libc.inotify_add_watch(fd, path.encode(), IN_CREATE | IN_MODIFY), path)
print("ready", flush=True)
time.sleep(600)
"""

# Adds a watch again and again: for each a new directory, for half of them, or it removes the
# one before; or it has filled its list and stands still.
GROWER = """
import ctypes, os, sys, time
folder, how, pause = sys.argv[1], sys.argv[2], float(sys.argv[3])
libc = ctypes.CDLL(None, use_errno=True)
fd = libc.inotify_init1(0)
paths = [os.path.join(folder, "d%d" % i) for i in range(3000)]
for path in paths: os.makedirs(path)
def add(path):
    watch = libc.inotify_add_watch(fd, path.encode(), 0x100)
    if watch < 0: raise OSError(ctypes.get_errno(), path)
    return watch
if how == "fills":
    for path in paths: add(path)
print("ready", flush=True)
before = None
for i in range(100000):
    if how == "fills":
        time.sleep(1)
    elif how == "again":
        add(paths[i % 20])
    else:
        watch = add(paths[i % 3000])
        if how == "removes" and before is not None:
            libc.inotify_rm_watch(fd, before)
        before = watch
    time.sleep(pause)
"""

# Of nobody here, and of one case alone, also beside another run of these.
uids = itertools.count(2000000000 + os.getpid() % 100000 * 1000)


def limit(name):
    return int(pathlib.Path("/proc/sys/fs/inotify", name).read_text(encoding="ascii"))


def start(scope, directories, watchers, empty=0, closed=0, uid=None):
    folder = scope.path / ("tree%d" % len(scope.processes))
    folder.mkdir()
    os.chmod(scope.path, 0o755)
    uid = uid or (next(uids) if os.getuid() == 0 else 0)
    return scope.python(WATCHER, str(folder), str(uid), str(directories), str(watchers), str(empty),
        str(closed)).pid


def flood(scope, rng):
    """Several watchers of one tree: the same directories again and again."""
    watchers = rng.randrange(4, 9)
    return start(scope, int(rng.uniform(1.1, 2.5) * 10000 / watchers), watchers)


def flood_of_one(scope, rng):
    return start(scope, int(rng.uniform(300, 900)), 1)


def editor(scope, rng):
    """As an editor does: some thousands, by a few instances."""
    return start(scope, rng.randrange(300, 1200), rng.randrange(1, 4), empty=rng.randrange(3))


def grower(how):
    def make(scope, rng):
        folder = scope.path / "grows"
        return scope.python(GROWER, str(folder), how, str(rng.uniform(0.008, 0.02))).pid
    return make


def leaked(scope, rng):
    return start(scope, rng.randrange(1, 20), 1, empty=rng.randrange(17, 60))


def closed_again(scope, rng):
    """Opens as many and closes each."""
    return start(scope, rng.randrange(1, 20), 1, empty=rng.randrange(5), closed=300)


def busy_instances(scope, rng):
    """Many instances, and each has something to watch."""
    return start(scope, rng.randrange(1, 5), rng.randrange(20, 50))


def share_of_watches(low, high):
    """By one instance: of those, one of 128 is less than a percent."""
    def make(scope, rng):
        return start(scope, int(limit("max_user_watches") * rng.uniform(low, high)), 1)
    return make


def share_of_instances(low, high):
    def make(scope, rng):
        most = min(limit("max_user_instances"), 4096)
        return start(scope, 1, int(most * rng.uniform(low, high)))
    return make


def together(low, high):
    """Two of one user, of which neither has so much by itself."""
    def make(scope, rng):
        count = int(min(limit("max_user_instances"), 4096) * rng.uniform(low, high) / 2)
        uid = next(uids)
        return [start(scope, 2, count + i, uid=uid) for i in range(2)]
    return make


def apart(scope, rng):
    """As much, of two users."""
    count = int(min(limit("max_user_instances"), 4096) * rng.uniform(0.5, 0.7))
    return [start(scope, 2, count) for _ in range(2)]


# Opens instances until its user may have no more, and one more now and then; or closes each.
ASKS = """
import ctypes, os, sys, time
uid, pause, kept = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3] == "kept"
libc = ctypes.CDLL(None, use_errno=True)
os.setgroups([])
os.setresgid(uid, uid, uid)
os.setresuid(uid, uid, uid)
libc.prctl(4, 1, 0, 0, 0)  # PR_SET_DUMPABLE: as if it had never been root
while kept and libc.inotify_init1(0) >= 0:
    pass
print("ready", flush=True)
while True:
    fd = libc.inotify_init1(0)
    if fd >= 0:
        os.close(fd)
    time.sleep(pause)
"""


def asks(how):
    def make(scope, rng):
        return scope.python(ASKS, str(next(uids)), str(rng.uniform(0.15, 0.4)), how).pid
    return make


def many_instances():
    if limit("max_user_instances") > 900:
        return "a process has no descriptors for so many instances"
    return not_root()


def not_root():
    return None if os.getuid() == 0 else "needs other users, so that the limit is nobody else's"


def one_percent(name):
    return ("%s.percent=1" % name,)


# Builds on each event, into a folder that it watches or into another; or its own log stands there.
BUILDER = """
import ctypes, os, subprocess, sys, threading, time
kind, pause = sys.argv[1], float(sys.argv[2])
libc = ctypes.CDLL(None, use_errno=True)
for folder in ("src", "out"): os.makedirs(folder)
open("src/main", "w").write("x")
fd = libc.inotify_init1(0)
libc.inotify_add_watch(fd, b"src", 0x2 | 0x8 | 0x100)
def others():
    if os.fork() == 0:
        while True:
            open("src/main", "w").write("y"); time.sleep(pause)
def build():
    if kind == "by a command": subprocess.run(["sh", "-c", "echo $$ > src/version"])
    elif kind == "by itself": open("src/version", "w").write("%d" % time.time())
    elif kind == "elsewhere": subprocess.run(["sh", "-c", "echo $$ > out/version"])
    elif kind == "a log": open("src/log", "a").write("built")
if kind in ("elsewhere", "of others"): others()
print("ready", flush=True)
build()
while True:
    os.read(fd, 65536)
    time.sleep(pause)
    if kind == "a log": os.set_blocking(fd, False)
    build()
    if kind == "a log": os.set_blocking(fd, True)
"""


def builder(kind):
    return lambda scope, rng: scope.python(BUILDER, kind, rng.uniform(0.05, 0.15)).pid


def not_readable():
    return None if os.geteuid() == 0 else "paths of watches need root"


WAKES = {"calls": True, "duration_s": 4, "may_skip": not_readable}

CASES = [
    sick("syscall-errors", "no inotify instances are left", asks("kept"), calls=True,
        says="the user's limit of inotify instances (", severity="high", may_skip=many_instances,
        evidence="times", threshold="min-grave", also=("watch-flood", "watch-limit-near")),
    healthy("syscall-errors", "inotify instances that are closed again", asks("closed"), calls=True,
        may_skip=many_instances),
    sick("watch-flood", "several watchers of one tree", flood, evidence="watches",
        threshold="min-watches"),
    sick("watch-flood", "paths are told in depth", flood_of_one, options=("-d",),
        settings=("watch-flood.min-watches=250",), evidence="watches", threshold="min-watches"),
    sick("watch-flood", "a share of what the user may have", share_of_watches(0.012, 0.03),
        settings=("watch-flood.max-share=1",), evidence="share of the user's limit of inotify watches",
        threshold="max-share"),
    sick("watch-flood", "instances that watch nothing", leaked,
        evidence="inotify instances without a watch", threshold="max-empty"),
    sick("watch-flood", "a watch for each directory, and none is removed", grower("grows"),
        settings=NO_AGE, duration_s=5, calls=True, says="watches more and more", severity="low", evidence="growth",
        threshold="min-rate"),
    healthy("watch-flood", "each watch is removed again", grower("removes"), settings=NO_AGE, duration_s=5,
        calls=True),
    healthy("watch-flood", "the same directories are added again", grower("again"), settings=NO_AGE, duration_s=5,
        calls=True),
    healthy("watch-flood", "a list that is filled and stands still", grower("fills"), settings=NO_AGE, duration_s=5,
        calls=True),
    healthy("watch-flood", "an editor", editor),
    healthy("watch-flood", "instances that are closed again", closed_again),
    healthy("watch-flood", "many instances, none without a watch", busy_instances),
    sick("watch-limit-near", "instances", share_of_instances(0.82, 0.99), may_skip=not_root,
        evidence="used", threshold="percent"),
    sick("watch-limit-near", "instances of two processes", together(0.84, 0.97), may_skip=not_root,
        evidence="used", threshold="percent"),
    sick("watch-limit-near", "watches", share_of_watches(0.011, 0.03),
        settings=one_percent("watch-limit-near"), may_skip=not_root, evidence="used",
        threshold="percent"),
    healthy("watch-limit-near", "half of the instances", share_of_instances(0.2, 0.72),
        may_skip=not_root),
    healthy("watch-limit-near", "as many, of two users", apart, may_skip=not_root),
    healthy("watch-limit-near", "fewer watches", share_of_watches(0.002, 0.008),
        settings=one_percent("watch-limit-near"), may_skip=not_root),
    sick("file-watcher-busy", "a command rewrites what is watched", builder("by a command"),
        says="wakes itself: a command that it starts rewrites ", severity="medium",
        evidence="times that the file is rewritten", threshold="min-rate", **WAKES),
    sick("file-watcher-busy", "it rewrites what it watches", builder("by itself"),
        says="wakes itself: it rewrites ", severity="low",
        evidence="times that the file is rewritten", threshold="min-rate", **WAKES),
    healthy("file-watcher-busy", "a build into another folder", builder("elsewhere"), **WAKES),
    healthy("file-watcher-busy", "others write", builder("of others"), **WAKES),
    healthy("file-watcher-busy", "a log in the watched folder", builder("a log"), **WAKES),
]
