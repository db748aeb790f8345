# SPDX-License-Identifier: BSD-2-Clause
"""
AI coding agents on this host: which there are, what is wrong with one, what it allocates.

    import sooth
    for agent in sooth.agents():
        print(agent["pid"], agent["agent"], agent["project"])
    for finding in sooth.diagnose(4711):
        print(finding["id"], finding["claim"])
    with sooth.heap.track(4711) as heap:
        for event in heap:
            print(event.function, event.size)

Rows are dictionaries with the keys of `sooth ps -j` and `sooth diagnose -j`: a value that is not there
or was not measured is None, and "not_measured" of the row has the reason.

By ctypes on libsooth.so.0: no compiler is needed. Calls release the interpreter's lock while they wait.
"""
from sooth import heap
from sooth._library import Error
from sooth._tables import agents, diagnose

__all__ = ["Error", "agents", "diagnose", "heap"]
