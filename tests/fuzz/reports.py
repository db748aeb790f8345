# SPDX-License-Identifier: BSD-2-Clause
"""Each command that explains a capture, over captures with values that no kernel gives.

    reports.py SOOTH CHANGE_CAPTURE ROUNDS [FIRST_SEED]

A command may refuse such a capture or print nonsense; it must not crash, hang or do what C leaves
undefined: in a build with sanitizers each message of one is a failure."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
CAPTURES = sorted([*(HERE.parent / "cli" / "baseline").glob("*.sooth"), *(HERE / "corpus" / "capture").glob("*.sooth")])
# M, N: changed captures, C: as it was, O: an output.
COMMANDS = [words.split() for words in """
report M
report -j M
report -v --from 1s --to -1s M
report --info M
ps -a M
ps -t -v M
status M
why M
diagnose -v M
diagnose -j M
trace M
trace -c M
trace -j M
trace --io M
trace --network M
trace --process M
trace --memory M
trace --flamegraph -o O.svg M
report --html -o O.svg M
diagnose --html -o O.svg M
inspect -a M
inspect -a -j M
heap M
heap -j M
timeline M
timeline -j M
timeline -o O.svg M
diff C M
diff M C
diff -j M N
query M SELECT*FROM(proc_process)
export --format jsonl -o O.jsonl M
export --format chrome -o O.chrome M
export --format sqlite -o O.db M
export --format csv --table proc_process -o O.csv M
export --format folded -o O.folded M
""".split("\n") if words]
REPORTED = re.compile(r"runtime error|AddressSanitizer|LeakSanitizer|Assertion|terminated")
LIMIT_S = 120
# With root's rights sooth gives up tracing before it reads a capture, and LeakSanitizer traces its own process.
BEFORE = [] if os.geteuid() else ["unshare", "-U"]


def run(sooth, words):
    try:
        done = subprocess.run([*BEFORE, sooth, *words], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        return "no end within %d s" % LIMIT_S
    text = done.stderr.decode(errors="replace")
    if REPORTED.search(text) or done.returncode not in (0, 1, 2, 3, 4, 5):
        return "status %d\n%s" % (done.returncode, text[:4000])
    return None


def main():
    sooth, change, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3])
    first = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    runs = failures = 0
    with tempfile.TemporaryDirectory(prefix="sooth-reports-") as folder:
        for seed in range(first, first + rounds):
            for place, capture in enumerate(CAPTURES):
                names = {"C": str(capture), "M": folder + "/m.sooth", "N": folder + "/n.sooth"}
                percent = str((2, 10, 40, 90)[seed % 4])
                for name, add in ("M", 0), ("N", 500):
                    subprocess.run([change, names["C"], names[name], str(1000 * seed + place + add), percent],
                                   check=True)
                # Each command over each capture in as many rounds as it takes.
                for words in COMMANDS[(place + seed) % 8::8]:
                    for old in pathlib.Path(folder).glob("O.*"):
                        old.unlink()
                    wanted = [names.get(word, word.replace("O.", folder + "/O.")) for word in words]
                    problem = run(sooth, wanted)
                    runs += 1
                    if problem:
                        failures += 1
                        print("FAIL %s, seed %d, %s %%: %s: %s" % (capture.name, 1000 * seed + place, percent,
                                                                    " ".join(words), problem))
    print("%d commands, %d failures" % (runs, failures))
    return failures > 0


sys.exit(main())
