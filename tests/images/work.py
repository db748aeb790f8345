# SPDX-License-Identifier: BSD-2-Clause
"""Three functions, one in the other, and a secret that no image may have."""
import sys

SECRET = "planted-%s-secret" % "heap"


def innermost(end):
    text = SECRET
    while end:
        end += len(text) % 2
    return text


class Work:
    def middle(self, end):
        return innermost(end)


def outermost():
    return [Work().middle(1) for _ in range(2)]


sys.stdout.write("ready\n")
sys.stdout.flush()
outermost()
