# SPDX-License-Identifier: BSD-2-Clause
"""lock-refused: a process asks again and again for a lock that another one has. lock-kept: that other one."""
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
    if holder == "an heir" and os.fork(): os._exit(0)
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
if holder == "an heir": os.wait()
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


# The process has the lock; a child of it wants it.
KEEPER = """
import fcntl, os, signal, socket, sqlite3, struct, sys, time
kind, holder = sys.argv[1:]
def take():
    if kind == "sqlite":
        db = sqlite3.connect("app.db", timeout=100, isolation_level=None)
        db.execute("begin exclusive")
        return db
    f = open("lock", "w")
    if kind == "flock": fcntl.flock(f, fcntl.LOCK_EX)
    elif kind == "fcntl": fcntl.lockf(f, fcntl.LOCK_EX)
    else: fcntl.fcntl(f, 38, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0)) # F_OFD_SETLKW
    return f
r, w = os.pipe()
pid = os.fork()
if not pid:
    signal.alarm(120)
    os.read(r, 1)
    take()
    os._exit(0)
mine = take()
os.write(w, b"x")
time.sleep(0.3)
print("ready", flush=True)
def await_approval():
    time.sleep(100)
if holder == "sleeps": await_approval()
if holder == "serves": socket.create_server(("127.0.0.1", 0)).accept()
while holder == "computes": pass
while True: time.sleep(0.3)
"""


def keeps(kind, holder):
    return lambda scope, _: scope.python(KEEPER, kind, holder).pid


KEPT = {"settings": ("lock-kept.min-time=2s",)}


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
    sick("lock-refused", "flock without waiting, that a process has inherited", wants("flock", "an heir"),
        says="state is locked by python", **SOON),
    sick("lock-refused", "fcntl without waiting, flat out", wants("fcntl", "for ever", 0.0005), says="state is locked by",
        also=("busy-poll",), **SOON),
    healthy("lock-refused", "a database that two write in turns", wants("sqlite", "in turns"), **SOON),
    healthy("lock-refused", "flock in turns", wants("flock", "in turns"), **SOON),
    healthy("lock-refused", "fcntl in turns", wants("fcntl", "in turns"), **SOON),

    sick("lock-kept", "a flock, and it sleeps", keeps("flock", "sleeps"), severity="low", says="lock locked: 1 process waits for it",
        evidence="others wait, and it does nothing, for at least", threshold="min-time", **KEPT),
    sick("lock-kept", "a lock of an open file", keeps("ofd", "sleeps"), says="meanwhile it sleeps", **KEPT),
    sick("lock-kept", "a lock of SQLite", keeps("sqlite", "sleeps"), says="app.db locked: 1 process tries again and again",
        also=("lock-refused",), **KEPT),
    healthy("lock-kept", "it computes under the lock", keeps("flock", "computes"), **KEPT),
    healthy("lock-kept", "it runs now and then", keeps("fcntl", "wakes up"), **KEPT),
    healthy("lock-kept", "a server on duty, and its standby", keeps("flock", "serves"), **KEPT),
]
