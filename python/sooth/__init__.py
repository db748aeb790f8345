# SPDX-License-Identifier: BSD-2-Clause
"""
AI coding agents on this host: which there are, what is wrong with one, what it does.

    import sooth
    for agent in sooth.agents():
        print(agent["pid"], agent["agent"], agent["project"])
    for finding in sooth.diagnose(4711):
        print(finding["id"], finding["claim"])
    with sooth.heap.track(4711) as heap:
        for event in heap:
            print(event.function, event.size)
    with sooth.trace.track(4711, calls="file") as trace:
        for event in trace:
            print(event.call, event.path, event.error)
    for row in sooth.profile.functions(4711, duration=5):
        print(row["self_percent"], row["function"])
    for row in sooth.inspect(4711, "sockets"):
        print(row["fd"], row["state"])

Rows are dictionaries with the keys of the JSON of the command with the same rows: a value that is not there
or was not measured is None, and "not_measured" of the row has the reason.

By ctypes on libsooth.so.0: no compiler is needed. Calls release the interpreter's lock while they wait.
"""
from sooth import heap, profile, trace
from sooth._library import Error
from sooth._tables import agents, answers, diagnose, inspect, unseen

__all__ = ["Error", "agents", "answers", "diagnose", "heap", "inspect", "profile", "trace", "unseen"]
