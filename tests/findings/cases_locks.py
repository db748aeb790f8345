# SPDX-License-Identifier: BSD-2-Clause
"""lock-refused: a process asks again and again for a lock that another one has."""
from case import healthy, sick

# A child has the lock, for ever or in turns; a thread of the parent wants it, its main thread serves.
LOCK = """
import fcntl, os, signal, sqlite3, sys, threading, time
kind, holder, pause = sys.argv[1], sys.argv[2], float(sys.argv[3])
def connect(timeout):
    return sqlite3.connect("app.db", timeout=timeout, isolation_level=None)
if kind in ("sqlite", "wal"):
    db = connect(1)
    if kind == "wal": db.execute("pragma journal_mode=wal")
    db.execute("create table t(n)")
    db.close()
def take(timeout):
    if kind in ("sqlite", "wal"):
        db = connect(timeout)
        db.execute("begin immediate")
        db.execute("insert into t values(1)")
        return lambda: (db.execute("commit"), db.close())
    f = open("state", "a")
    if kind == "flock": fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
    else: fcntl.lockf(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return f.close
r, w = os.pipe()
pid = os.fork()
if not pid:
    signal.alarm(120)
    give = take(5)
    os.write(w, b"x")
    while True:
        time.sleep(0.2)
        if holder == "in turns":
            give()
            time.sleep(0.3)
            while True:
                try: give = take(5); break
                except (OSError, sqlite3.OperationalError): time.sleep(0.01)
os.read(r, 1)
def want():
    if kind in ("flock", "fcntl"): f = open("state", "a")
    db = connect(0.3) if kind in ("sqlite", "wal") else None
    while True:
        try:
            if db: db.execute("insert into t values(2)")
            elif kind == "flock": fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB); fcntl.flock(f, fcntl.LOCK_UN)
            else: fcntl.lockf(f, fcntl.LOCK_EX | fcntl.LOCK_NB); fcntl.lockf(f, fcntl.LOCK_UN)
        except (OSError, sqlite3.OperationalError): pass
        time.sleep(pause)
threading.Thread(target=want, daemon=True).start()
print("ready", flush=True)
time.sleep(120)
"""


def wants(kind, holder, pause=0.1):
    return lambda scope, _: scope.python(LOCK, kind, holder, str(pause)).pid


SOON = {"settings": ("lock-refused.min-time=2s",), "calls": True, "duration_s": 4}

CASES = [
    sick("lock-refused", "a database that is locked", wants("sqlite", "for ever"), says="app.db is locked by python", **SOON),
    sick("lock-refused", "a database with a write-ahead log", wants("wal", "for ever"), says="app.db is locked by python",
        **SOON),
    sick("lock-refused", "a database, seldom asked", wants("sqlite", "for ever", 1.5), says="app.db is locked by python",
        **SOON),
    sick("lock-refused", "flock without waiting", wants("flock", "for ever"), says="state is locked by", **SOON),
    sick("lock-refused", "fcntl without waiting, flat out", wants("fcntl", "for ever", 0.0005), says="state is locked by",
        also=("busy-poll",), **SOON),
    healthy("lock-refused", "a database that two write in turns", wants("sqlite", "in turns"), **SOON),
    healthy("lock-refused", "flock in turns", wants("flock", "in turns"), **SOON),
    healthy("lock-refused", "fcntl in turns", wants("fcntl", "in turns"), **SOON),
]
