# SPDX-License-Identifier: BSD-2-Clause
"""thread-ended: a thread ends by an exception, and the process goes on without it."""
from case import healthy, sick

# Its standard error is its log. The thread reads numbers; the third is none. What it does with that says the argument.
READER = """
import logging, os, queue, sys, threading, time
os.dup2(os.open("reader.log", os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600), 2)
numbers, how = queue.Queue(), sys.argv[1]
def read():
    while True:
        try:
            int(numbers.get())
        except ValueError:
            if how != "handles":
                raise
            logging.exception("a bad number")
threading.Thread(target=read, name="reader", daemon=True).start()
for text in ("1", "2", "x"):
    numbers.put(text)
time.sleep(0.5)
if how == "restarts":
    threading.Thread(target=read, name="reader", daemon=True).start()
    for i in range(5):
        print("reader started, step %d" % i, file=sys.stderr, flush=True)
print("ready", flush=True)
time.sleep(1000)
"""

TASK = """
import asyncio, gc, os
os.dup2(os.open("tasks.log", os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600), 2)
async def read():
    raise ValueError("the line is too long")
async def main():
    asyncio.create_task(read())
    await asyncio.sleep(0.1)
    gc.collect()
    print("ready", flush=True)
    await asyncio.sleep(1000)
asyncio.run(main())
"""


def reader(how):
    return lambda scope, _: scope.python(READER, how).pid


def task(scope, _):
    return scope.python(TASK).pid


CASES = [
    sick("thread-ended", "a thread of Python", reader("ends"), says="its thread reader ended by an exception"),
    sick("thread-ended", "a task of asyncio", task,
         says="its asyncio task ended by an exception"),
    healthy("thread-ended", "a thread that handles it, and logs it", reader("handles")),
    healthy("thread-ended", "a thread that was started again", reader("restarts")),
]
