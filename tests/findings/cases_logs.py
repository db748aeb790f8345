# SPDX-License-Identifier: BSD-2-Clause
"""feeds-itself: programs that follow a log."""
import functools

import case

sick = functools.partial(case.sick, calls=True, duration_s=4)
healthy = functools.partial(case.healthy, calls=True, duration_s=4)

SHIPPER = """
import logging, os, sys, time
kind, pause = sys.argv[1], float(sys.argv[2])
logging.basicConfig(filename='app.log' if kind == 'own' else 'shipper.log')
def lines(path):
    with open(path) as f:
        while True:
            line = f.readline()
            if line: yield line
            else: time.sleep(pause)
with open('app.log', 'a') as f:
    f.write('ERROR begins\\n' * 10)
if kind == 'of others' and not os.fork():
    while True:
        with open('app.log', 'a') as f: f.write('ERROR of another program\\n')
        time.sleep(0.02)
print('ready', flush=True)
for line in lines('app.log'):
    if 'ERROR' in line:
        logging.error('cannot ship %s: %s', line[:60].strip(), 'x' * 200)
        time.sleep(pause)
"""

# Its own file, of another name: it appends and reads what it appended.
STORE = """
import os, sys, time
name = sys.argv[1]
writer, reader = open(name, 'ab', 0), open(name, 'rb', 0)
print('ready', flush=True)
while True:
    writer.write(b'x' * 1000)
    reader.read(1000)
    time.sleep(0.005)
"""


# A list that the loop reads, and to which what failed is added again; or another list.
QUEUE = """
printf '%s\n' a b c > list
echo ready
while read -r x; do echo $x >> $1; sleep 0.3; done < list
sleep 100
"""


def queues(name):
    return lambda scope, _: scope.start(["bash", "-c", QUEUE, "bash", name]).pid


def ships(kind):
    return lambda scope, rng: scope.python(SHIPPER, kind, "%.3f" % rng.uniform(0.005, 0.02)).pid


def stores(name):
    return lambda scope, rng: scope.python(STORE, name).pid


CASES = [
    sick("feeds-itself", "a shipper that logs to the log it ships", ships("own"), says="/app.log, to which it writes itself",
        also=("errors-logged",), evidence="written to it", threshold="min-rate"),
    sick("feeds-itself", "a loop that adds to the list it reads", queues("list"), says="its standard input, and appends to it"),
    healthy("feeds-itself", "a loop that adds to another list", queues("later")),
    healthy("feeds-itself", "a shipper that logs elsewhere", ships("of others"), also=("errors-logged",)),
    healthy("feeds-itself", "a store that reads what it appended", stores("segment-0001.data")),
]
