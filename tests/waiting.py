# SPDX-License-Identifier: BSD-2-Clause
"""Waiting for what another process does. What is waited for needs the processor: some conditions take
milliseconds, so the pause is nine times as long as the condition took."""
import time

PATIENCE_S = 60  # a bound against hanging, not a claim about speed
RESTS = 9
LEAST_S, MOST_S = 0.01, 0.5


def rest(began_s):
    """`began_s`: time.thread_time() before the condition."""
    time.sleep(min(max(LEAST_S, RESTS * (time.thread_time() - began_s)), MOST_S))


def wait_until(condition, what, timeout=PATIENCE_S):
    """`what` may be a function, for what is only worth finding out when it failed."""
    deadline = time.monotonic() + timeout
    while True:
        began_s = time.thread_time()
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError("waited %d s for %s" % (timeout, what() if callable(what) else what))
        rest(began_s)
