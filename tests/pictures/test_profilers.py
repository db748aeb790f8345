# SPDX-License-Identifier: BSD-2-Clause
"""What the Firefox Profiler and Chrome's performance panel make of our stacks: each by its own
code as npm has it. Both refuse what is broken, so that taking ours means something."""
import contextlib
import json
import os
import re
import signal
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
for folder in ("..", "../cli", "../live"):
    sys.path.insert(0, os.path.join(HERE, folder))

import harness
from agents.install import CannotInstall, Package, install

SKIPPED = 77
TRIES = 3
# It looks for its daemon ten times in 500 ms, in which no program starts on a busy host.
PATIENT = """
const start = globalThis.setTimeout;
globalThis.setTimeout = (call, ms, ...more) => start(call, ms === 50 ? 1000 : ms, ...more);
"""
FIREFOX = Package(name="firefox-profiler-cli", package="@firefox-devtools/profiler-cli",
    version="0.10.0", executable="node_modules/.bin/profiler-cli")
# No program: its folder has to be there.
CHROME = Package(name="chrome-trace-engine", package="@paulirish/trace_engine",
    version="0.0.65", executable="node_modules/@paulirish/trace_engine")
READ_CHROME = """
import fs from "node:fs";
globalThis.DOMRect = class {};
const Trace = await import(process.argv[1]);
const model = Trace.TraceModel.Model.createWithAllHandlers();
await model.parse(JSON.parse(fs.readFileSync(process.argv[2])));
const threads = [];
for (const [pid, process] of model.parsedTrace().data.Renderer.processes)
  for (const [tid, thread] of process.threads)
    threads.push({pid, tid, name: thread.name, functions: thread.profileCalls.map(c => [c.callFrame.functionName, c.dur])});
console.log(JSON.stringify(threads));
"""
PROGRAM = """
import threading, time
def first():
    end = time.thread_time() + 0.5
    while time.thread_time() < end: sum(range(1000))
def second():
    end = time.thread_time() + 0.5
    while time.thread_time() < end: sum(range(1000))
thread = threading.Thread(target=second)
thread.start()
thread.join()
first()
"""


def written(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w") as file:
        file.write(text)
    return path


class Profilers(harness.Case):
    firefox = chrome = None

    def export(self, name):
        self.capture = self.path("p.sooth")
        self.sooth("profile", "--rate", "499", "--save", self.capture, "--", sys.executable, "-c", PROGRAM)
        path = self.path(name + ".json")
        self.sooth("profile", "--format", name, "-o", path, self.capture)
        with open(path) as file:
            return path, file.read()

    def samples(self):
        """Of each thread, by SQL."""
        rows = self.sooth("query", "-j", self.capture,
            "SELECT pid, tid, count(*) AS n FROM profile_sample GROUP BY pid, tid").json()["rows"]
        return {(row["pid"], row["tid"]): row["n"] for row in rows}

    # --- Firefox ---

    def ask(self, *words):
        environment = dict(os.environ, PROFILER_CLI_SESSION_DIR=self.path("sessions"),
            NODE_OPTIONS="--require " + written(self.folder, "patient.cjs", PATIENT))
        return subprocess.run([self.firefox, *words], env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, text=True)

    def load(self, path):
        """One that is late all the same says that one may try again, and which daemon it left."""
        for _ in range(TRIES):
            run = self.ask("load", path)
            if "did not become ready" not in run.stdout:
                break
            for pid in re.findall(r"running as pid (\d+)", run.stdout):
                self.end_daemon(int(pid))
        return run

    @staticmethod
    def end_daemon(pid):
        with contextlib.suppress(OSError):
            if FIREFOX.package.encode() in harness.read("/proc/%d/cmdline" % pid):
                os.kill(pid, signal.SIGKILL)

    def test_firefox(self):
        path, whole = self.export("firefox")
        run = self.load(path)
        self.addCleanup(self.ask, "stop")
        self.assertEqual(run.returncode, 0, run.stdout)
        threads = self.ask("thread", "list", "--limit", "1000").stdout
        for pid, tid in self.samples():
            self.assertRegex(threads, r"\bt-\d+ .*\b%d\b" % pid)
        functions = self.ask("thread", "samples").stdout
        self.assertRegex(functions, r"_PyEval_EvalFrameDefault|sum|first|second")
        self.assertRegex(functions, "program|library")
        without = json.loads(whole)
        del without["threads"][0]["stackTable"]
        for name, text in (("cut.json", whole[:len(whole) // 2]), ("without.json", json.dumps(without))):
            run = self.load(written(self.folder, name, text))
            self.assertNotEqual(run.returncode, 0, name)
            self.assertIn("load failed", run.stdout)

    # --- Chrome ---

    def read_chrome(self, path):
        return subprocess.run(["node", "--input-type=module", "-e", READ_CHROME, "--", self.chrome, path],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120, text=True)

    def test_chrome(self):
        path, whole = self.export("chrome")
        run = self.read_chrome(path)
        self.assertEqual(run.returncode, 0, run.stderr)
        threads = {(t["pid"], t["tid"]): t for t in json.loads(run.stdout)}
        samples = self.samples()
        self.assertEqual(set(threads), set(samples))
        most = max(samples, key=samples.get)
        names = {name for name, _ in threads[most]["functions"]}
        self.assertTrue(names & {"_PyEval_EvalFrameDefault", "first", "second"}, names)
        self.assertFalse([name for name in names if re.search(r"0x[0-9a-f]{8}", name)], names)
        without = json.loads(whole)
        for event in without:
            if event["name"] == "ProfileChunk":
                for node in event["args"]["data"]["cpuProfile"].get("nodes", []):
                    node.pop("callFrame")
        for name, text in (("cut.json", whole[:len(whole) // 2]), ("without.json", json.dumps(without))):
            self.assertNotEqual(self.read_chrome(written(self.folder, name, text)).returncode, 0, name)


if __name__ == "__main__":
    if os.geteuid():
        print("skipped: needs root")
        sys.exit(SKIPPED)
    try:
        Profilers.firefox = install(FIREFOX)
        Profilers.chrome = os.path.join(install(CHROME), "models/trace/trace.js")
    except CannotInstall as error:
        print("skipped: %s" % error)
        sys.exit(SKIPPED)
    harness.main()
