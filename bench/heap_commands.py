# SPDX-License-Identifier: BSD-2-Clause
"""Whole commands under each watcher, for bench/heap: programs, a real agent, and the pages they touch."""
import os
import resource
import signal
import subprocess
import sys
import time
from statistics import median

from allocation_watchers import (Bare, Dhat, Heaptrack, NotMeasured, Sooth, SoothCount, SoothHold,
                                 SoothPreload, SoothPreloadCount, SoothPreloadStack, SoothSums,
                                 Valgrind, goal, tail_of)

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests"))

PRELOADED = [SoothPreloadCount, SoothPreload, SoothPreloadStack]
WATCHERS = [Bare, SoothCount, Sooth, SoothSums, SoothHold, *PRELOADED, Heaptrack, Valgrind, Dhat]
QUICK_PART = 10       # of its work does a command in a --quick run
AGENT = "the agent answers a prompt"
COUNTED_GOAL, EXACT_GOAL = 2.2, 3.5  # of the agent, by the bare one
PAGES_GOAL, TOUCHING_GOAL = 0.02, 0.5

COMPILE = ("import glob\n"
           "for f in glob.glob('/usr/lib/python3*/email/*.py') * %d: compile(open(f).read(), f, 'exec')")
SQL = ("with recursive c(x) as (select 1 union all select x + 1 from c where x < %d) "
       "select count(*), max(t) from (select hex(x * 7919 %% 200003) as t from c order by t);")
NODE = ("const z = require('zlib'); let n = 0;"
        "for (let i = 0; i < %d; i++) {"
        " const text = JSON.stringify(Array.from({ length: 50 }, (_, k) => ({ id: k, name: 'x' + i * k })));"
        " n += z.deflateSync(Buffer.from(text)).length; }"
        "console.log(n);")
# A server and its own benchmark, until the server has ended.
REDIS = ("redis-server --port 0 --unixsocket r.sock --save '' --daemonize no > log & "
         "until redis-cli -s r.sock ping > ping 2>&1; do :; done; "
         "redis-benchmark -s r.sock -q -n %d -d 200 -r 10000 -t set,get,lpush > told; "
         "redis-cli -s r.sock shutdown nosave; wait")
# 75,000 new pages a round, which go back to the kernel.
TOUCH = "for i in range(%d): b'a' * 300000000"
OBJECTS = "print(len([{i: str(i)} for i in range(%d)]))"
# The processor time of a command and of all that it waited for, without what watches it.
TIMER = ("import os, sys\n"
         "pid = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ)\n"
         "_, status, used = os.wait4(pid, 0)\n"
         "open(sys.argv[1], 'w').write(str(used.ru_utime + used.ru_stime))\n"
         "sys.exit(status != 0)")


def python():
    return "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable


def write_source(path, functions):
    with open(path, "w") as file:
        for i in range(functions):
            file.write("static int f%d(int a, int b)\n{\n\tfor (int i = 0; i < b; i++)\n"
                       "\t\ta += a * i ^ %d;\n\treturn a ? a / (b | 1) : b;\n}\n" % (i, i))
        file.write("int all(int a)\n{\n\treturn %s;\n}\n" %
                   " + ".join("f%d(a, %d)" % (i, i) for i in range(functions)))


def part(options, amount):
    return max(1, amount // QUICK_PART) if options.quick else amount


def programs(options, folder):
    """[(title, command)]"""
    source = os.path.join(folder, "many.c")
    functions, rows, texts = part(options, 300), part(options, 200000), part(options, 300000)
    requests = part(options, 15000)
    write_source(source, functions)
    return [("python3 makes %d texts, PYTHONMALLOC=malloc" % texts,
             [python(), "-S", "-c", "print(len([str(i) for i in range(%d)]))" % texts]),
            ("python3 compiles its email package, PYTHONMALLOC=malloc",
             [python(), "-S", "-c", COMPILE % part(options, 5)]),
            ("gcc -O1 -c, %d functions" % functions,
             ["gcc", "-O1", "-c", "-o", os.path.join(folder, "many.o"), source]),
            ("sqlite3 sorts %d rows" % rows, ["sqlite3", ":memory:", SQL % rows]),
            ("node, JSON and deflate", ["node", "-e", NODE % part(options, 3000)]),
            ("redis-server with its benchmark, %d requests" % (3 * requests),
             ["/bin/sh", "-c", REDIS % requests])]


def cpu_s():
    """Of all children that have ended, and theirs: the command and what watches it."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def run_program(command, folder, end_s, **more):
    """A function that runs it behind the words of a watcher, and gives (wall, CPU) seconds."""
    def run(before):
        began, cpu_began = time.monotonic(), cpu_s()
        process = subprocess.Popen([*before, *command], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                   start_new_session=True, cwd=folder,
                                   env=dict(os.environ, LC_ALL="C", **more))
        try:
            err = process.communicate(timeout=end_s)[1]
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise NotMeasured("it did not end within %d s" % end_s) from None
        if process.returncode:
            raise NotMeasured(tail_of(err))
        return time.monotonic() - began, cpu_s() - cpu_began
    return run


def run_agent(end_s):
    """The same of a real agent, which asks a server on the loopback interface of its own namespace."""
    from agents import agent, known, modes

    def run(before):
        reason = agent.reason_to_skip(known.CLAUDE_CODE)
        if reason:
            raise NotMeasured(reason)
        cpu_began = cpu_s()
        try:
            with agent.Agent(known.CLAUDE_CODE, mode=modes.ANSWER, before=before) as running:
                ended = running.finish(end_s)
        except AssertionError as problem:
            raise NotMeasured(str(problem).split(";", maxsplit=1)[0]) from None
        if ended.status:
            raise NotMeasured("the agent ended with status %d" % ended.status)
        return ended.seconds, cpu_s() - cpu_began
    return run


def compare(row, run, bare, before, rounds, share_s):
    """Runs of the watched command, each behind a bare one, as often as fits into that time."""
    began, walls, cpus = time.monotonic(), [], []
    while not walls or (len(walls) < rounds and
                        (time.monotonic() - began) * (1 + 1 / len(walls)) < share_s):
        bare.append(run([]))
        wall, cpu = run(before)
        walls.append(wall)
        cpus.append(cpu)
    row.update(rounds=len(walls), wall_s=median(walls), cpu_s=median(cpus),
               ratio=median(walls) / median(w for w, _ in bare),
               cpu_ratio=median(cpus) / median(c for _, c in bare))


def blind(title, watcher):
    """Why a watcher would see nothing of the command: a library loaded first is never called there."""
    if title == AGENT and isinstance(watcher, (Heaptrack, SoothPreload)):
        return "the agent has a malloc of its own, which a library that is loaded first does not replace"
    return None


def measure_command(options, title, run, share_s, show, progress):
    """The table of one command; each watcher's row is shown when it is ready."""
    watchers = [kind(options) for kind in WATCHERS if not options.preloaded or
                kind in (Bare, Heaptrack, Dhat, *PRELOADED)]
    watchers = [w for w in watchers if not isinstance(w, (Valgrind, Dhat)) or options.valgrind]
    table, bare, why = {"title": title, "rows": []}, [], None
    show.head(title, ("", "wall s", "ratio", "CPU ratio", "rounds"))
    for watcher in watchers:
        row = {"name": watcher.name}
        progress("%s: %s" % (title, watcher.name))
        try:
            reason = why or watcher.problem() or blind(title, watcher)
            if reason:
                raise NotMeasured(reason)
            if isinstance(watcher, Bare):
                run([])  # the first reads files that later ones find in memory
                compare(row, run, bare, [], 1, 0)
            else:
                # As text is 20 stacks, as JSON all of them: that is the report's cost.
                before = [word for word in watcher.prefix(options.folder) if word != "-j"]
                compare(row, run, bare, before, options.rounds, share_s / len(watchers))
        except (NotMeasured, OSError) as problem:
            row["not_measured"] = str(problem)
            why = why or (str(problem) if isinstance(watcher, Bare) else None)
        table["rows"].append(row)
        show.row(row, "wall_s", ("%.2f" % row["wall_s"], "%.2f" % row["ratio"],
                                 "%.2f" % row["cpu_ratio"], str(row["rounds"]))
                 if "wall_s" in row else ())
    return table


def measure_commands(options, share_s, show, progress):
    options.folder = folder = options.scratch
    runs = [(title, run_program(command, folder, options.end_s, PYTHONMALLOC="malloc"))
            for title, command in programs(options, folder)]
    runs.append((AGENT, run_agent(options.end_s)))
    return [measure_command(options, title, run, share_s / len(runs), show, progress)
            for title, run in runs]


# --- pages ---


def run_timed(command, folder, end_s):
    """As run_program(), with the processor time of the command alone."""
    took = os.path.join(folder, "took")
    run = run_program([python(), "-S", "-c", TIMER, took, *command], folder, end_s)

    def timed(before):
        wall, _ = run(before)
        with open(took) as file:
            return wall, float(file.read())
    return timed


def page_programs(options, folder):
    """[(title, command, goal as a share more, its text)]"""
    known = dict((title.split()[0], command) for title, command in programs(options, folder))
    return [("python3 makes dictionaries", [python(), "-S", "-c", OBJECTS % part(options, 400000)],
             PAGES_GOAL),
            ("gcc -O1 -c", known["gcc"], PAGES_GOAL),
            ("sqlite3 sorts rows", known["sqlite3"], PAGES_GOAL),
            ("a loop that touches new pages", [python(), "-S", "-c", TOUCH % part(options, 10)],
             TOUCHING_GOAL)]


def measure_pages(options, share_s, show, progress):
    """What `sooth heap --pages` adds to the processor time of commands."""
    folder = options.scratch
    title = "by page (sooth heap --pages): processor time of the command alone"
    table = {"title": title, "rows": []}
    show.head(title, ("", "bare CPU s", "CPU s", "added", "rounds"))
    all_programs = [row for name, command, reach in page_programs(options, folder)
                    for row in ((name, command, reach, ()), (name + ", --exact", command, None, ("--exact",)))]
    for name, command, reach, more in all_programs:
        before = [options.sooth, "heap", "--pages", *more, "--"]
        row, bare = {"name": name, "goal": reach}, []
        progress("by page: %s" % name)
        try:
            compare(row, run_timed(command, folder, options.end_s), bare, before,
                    2 * options.rounds, share_s / len(all_programs))
            row["bare_cpu_s"] = median(c for _, c in bare)
        except (NotMeasured, OSError) as problem:
            row["not_measured"] = str(problem)
        table["rows"].append(row)
        show.row(row, "cpu_s", ("%.3f" % row["bare_cpu_s"], "%.3f" % row["cpu_s"],
                                "%.1f%%" % (100 * row["cpu_ratio"] - 100), str(row["rounds"]))
                 if "bare_cpu_s" in row else ())
    return table


# --- goals ---


def command_goals(whole):
    result = []
    agent = [table for table in whole if table["title"] == AGENT]
    for kind, most in ((SoothCount, COUNTED_GOAL), (Sooth, EXACT_GOAL)):
        text = "%s: the agent takes under %g times its time" % (kind.name, most)
        row = {row["name"]: row for row in agent[0]["rows"]}[kind.name] if agent else {}
        result.append(goal(text, row["ratio"] < most, "%.2f times" % row["ratio"])
                      if "ratio" in row else goal(text, None, row.get("not_measured", "no run")))
    return result


def page_goals(pages):
    result = []
    for row in (row for row in pages["rows"] if row["goal"] is not None):
        text = "sooth heap --pages: %s takes under %g %% more processor time" % (
            row["name"], 100 * row["goal"])
        added = row.get("cpu_ratio", 0) - 1
        result.append(goal(text, added < row["goal"], "%.1f %%" % (100 * added))
                      if "cpu_ratio" in row else goal(text, None, row["not_measured"]))
    return result
