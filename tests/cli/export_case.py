# SPDX-License-Identifier: BSD-2-Clause
"""What the tests of export and query share: captures that stand in the tree, and exports of them."""
import collections
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "live"))

from harness import Case

CAPTURES = os.path.join(HERE, "..", "fuzz", "corpus", "capture")
STREAMED = os.path.join(CAPTURES, "streamed.sooth")
DIAGNOSED = os.path.join(CAPTURES, "diagnosed.sooth")
HEAP = os.path.join(CAPTURES, "heap.sooth")
COUNTED = os.path.join(CAPTURES, "counted.sooth")


class ExportCase(Case):
    def export(self, format_, capture, *more, **options):
        return self.sooth("export", "--format", format_, *more, capture, **options)

    def tables(self, capture, *more):
        """Rows by table, from JSON lines."""
        found = collections.defaultdict(list)
        for line in self.export("jsonl", capture, *more).text.splitlines():
            row = json.loads(line)
            found[row.pop("table")].append(row)
        return found

    def query(self, capture, sql, *more, **options):
        """The rows of a statement."""
        return self.sooth("query", "-j", *more, capture, sql, **options).json()["rows"]

    def calls(self, capture):
        """Every call as `sooth trace` tells it."""
        return [line for line in self.sooth("trace", "-j", capture).lines()
                if line["type"] == "call"]
