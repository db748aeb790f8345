# SPDX-License-Identifier: BSD-2-Clause
"""Tasks of an asyncio program that changes them all the time, or has broken them: `sooth why` ends, says
what can be read, and the program goes on."""
import time

import harness
import other_runtimes
from harness import Case, Process

CHANGES = """
import asyncio
async def leaf(n):
    await asyncio.sleep(n % 3 * 0.001)
async def middle(n):
    await asyncio.gather(*(leaf(i) for i in range(n % 7)))
async def main():
    print("ready", flush=True)
    while True:
        await asyncio.gather(*(middle(i) for i in range(50)))
asyncio.run(main())
"""

# Objects of the interpreter, written through ctypes: each word of a task and of its coroutine in turn.
LIES = """
import asyncio, ctypes, gc, random, time
gc.disable()  # the collector would follow them too
async def waits():
    await asyncio.Event().wait()
async def main():
    tasks = [asyncio.create_task(waits()) for i in range(8)]
    await asyncio.sleep(0.1)
    print("ready", flush=True)
    coroutine, node = 128, 152
    values = [0, 1, 8, 2**64 - 8, 0x7fffffffffff, id(tasks[0]), id(tasks[1]), id(tasks[0]) + node, id(tasks[1]) + node]
    objects = [(id(tasks[0]), 168), (ctypes.c_uint64.from_address(id(tasks[0]) + coroutine).value, 240)]
    while True:
        begin, size = random.choice(objects)
        word = ctypes.c_uint64.from_address(begin + random.randrange(8, size, 8))
        before, word.value = word.value, random.choice(values)
        time.sleep(0.05)
        word.value = before
asyncio.run(main())
"""

# A key in the name of a folder, in a path so long that its beginning is not kept.
TAIL = "A1b2C3d4E5f6G7h8" * 4
LONG_PATH = """
import asyncio, types
async def waits():
    await asyncio.Event().wait()
async def main():
    code = waits.__code__.replace(co_filename="/home/user/sk-ant-api03-%s/%s/program.py")
    tasks = [asyncio.create_task(types.FunctionType(code, globals())())]
    await asyncio.sleep(0.1)
    print("ready", flush=True)
    await tasks[0]
asyncio.run(main())
""" % (TAIL, "d" * 50)


WAITS = """
import asyncio
async def get(queue):
    await queue.get()
async def main():
    print("ready", flush=True)
    queue = asyncio.Queue()
    await asyncio.gather(get(queue), get(queue))
asyncio.run(main())
"""


class Tasks(Case):
    def start_python(self, source, version="python3.14"):
        command = other_runtimes.command(version)
        if not command:
            self.skipTest(version + " cannot be had here")
        target = Process([*command, "-c", source])
        self.addCleanup(target.end)
        target.wait_for_output(b"ready")
        return target

    def why(self, pid):
        begin = time.monotonic()
        run = self.sooth("why", "-j", str(pid), status=None)
        self.assertIn(run.status, (0, 1, 4))
        self.assertLess(time.monotonic() - begin, 20)
        return run.json()["processes"][0]["text"]

    def test_stack(self):
        target = self.start_python(WAITS)
        harness.wait_until_asleep(target.pid)
        text = self.sooth("stack", "-j", str(target.pid)).json()["stacks"][0]["text"]
        self.assertIn("; 2 asyncio tasks of %d wait in Queue.get, called by get < main" % target.pid, text)

    def test_older(self):
        target = self.start_python(WAITS, "python3.13")
        harness.wait_until_asleep(target.pid)
        reason = "its asyncio tasks were not read: only Python 3.14"
        self.assertIn(reason, self.sooth("why", "-v", str(target.pid)).text)
        self.assertNotIn("asyncio", self.sooth("why", str(target.pid)).text)

    def test_changes(self):
        target = self.start_python(CHANGES)
        texts = [self.why(target.pid) for _ in range(10)]
        self.assertTrue(any("asyncio task" in text for text in texts), texts)
        self.assertTrue(target.is_running())

    def test_lies(self):
        target = self.start_python(LIES)
        for _ in range(15):
            self.why(target.pid)
        self.assertTrue(target.is_running(), bytes(target.err[-2000:]))

    def test_long_path(self):
        target = self.start_python(LONG_PATH)
        path = self.path("tasks.sooth")
        self.sooth("record", "-P", "waits", "-d", "0.5", "-o", path, str(target.pid))
        places = self.sooth("query", path, "select distinct place from waits_tasks where at = 'waits'").out.decode()
        self.assertIn("/" + "d" * 50 + "/program.py:", places)
        self.assertNotIn(TAIL[-4:], places)


if __name__ == "__main__":
    harness.main()
