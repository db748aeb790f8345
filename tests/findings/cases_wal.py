# SPDX-License-Identifier: BSD-2-Clause
"""wal-kept: a transaction that reads a SQLite database stays open, and its write-ahead log grows."""
from case import healthy, sick

WRITER = """
import os, sqlite3, time
db = sqlite3.connect("app.db", isolation_level=None)
db.execute("pragma journal_mode=wal"); db.execute("pragma synchronous=off"); db.execute("pragma wal_autocheckpoint=50")
db.execute("create table if not exists t(a integer primary key, b blob)")
for i in range(100): db.execute("insert into t(b) values(?)", (os.urandom(800),))
print("ready", flush=True)
while True:
    db.execute("begin immediate")
    for _ in range(40): db.execute("insert into t(b) values(?)", (os.urandom(1500),))
    db.execute("delete from t where a < (select max(a) from t) - 500")
    db.execute("commit")
    time.sleep(0.1)
"""

READER = """
import sqlite3, sys, time
db = sqlite3.connect("app.db")
how = sys.argv[1]
cursor = db.execute("select a, b from t order by a")
cursor.fetchmany(10)
if how != "keeps": cursor.fetchall()
print("ready", flush=True)
while True:
    if how == "reads": db.execute("select count(*), max(a) from t").fetchall()
    time.sleep(0.2)
"""


def database(how, judged="writer"):
    def make(scope, _):
        writer = scope.python(WRITER)
        reader = scope.python(READER, how)
        return (writer if judged == "writer" else reader).pid
    return make


CASES = [
    sick("wal-kept", "a cursor that is not read to its end", database("keeps"), severity="low",
        says="keeps a transaction open that reads"),
    sick("wal-kept", "the process with that cursor", database("keeps", "reader"), severity="low",
        says="so that "),
    healthy("wal-kept", "a reader that reads again and again", database("reads")),
    healthy("wal-kept", "a reader at rest", database("rests")),
]
