# SPDX-License-Identifier: BSD-2-Clause
"""Tasks that wait for each other and for what never comes, and a secret that no image may have."""
import asyncio
import sys

SECRET = "planted-%s-secret" % "heap"


async def fetch(queue, secret):
    return await queue.get() + secret


async def fetch_all(queue):
    return await asyncio.gather(*(fetch(queue, SECRET) for _ in range(3)))


async def outermost():
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.create_task(fetch_all(asyncio.Queue()), name="planted-task-name")


asyncio.run(outermost())
