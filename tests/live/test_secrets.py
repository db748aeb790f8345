# SPDX-License-Identifier: BSD-2-Clause
"""
Secrets planted wherever a process can put a text - arguments, environment, names of files,
sockets, threads and itself, its working directory, its executable - reach no output of any
command, in no format, and no capture. What `diagnose --bundle` and the format "redacted" write
has no names and homes either.

Each plant has a neighbour that is no secret: that it is found shows that the place was looked at.
"""
import json
import os
import re
import shutil
import signal
import sys
import unittest

import harness
from harness import SOOTH, SOOTH_NONE, Case, needs_bpf, needs_root

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))
import capture_reader

# What each kind of secret looks like around its core; no core may come out.
SHAPES = {
    "anthropic": "sk-ant-api03-%s",
    "github": "ghp_%s",
    "aws": "AKIA%s",
    "bearer": "Bearer %s",
    "password": "password=%s",
    "userinfo": "https://someone:%s@example.org/x",
    "query": "https://example.org/x?session=%s",
    "slack": "xoxb-%s",
    "web": "eyJhbGciOiJIUzI1NiJ9.eyJ%s.sgnt",
}
AS_A_NAME = ("anthropic", "github", "aws", "password", "slack", "web")  # without a slash
# What only the program tells: its arguments, %s the core.
CREDENTIALS = (
    ("curl", "-u", "me:%s", "-b", "session=%s", "--proxy-user", "me:%s", "ftp://me:%s@localhost"),
    ("mysql", "-uroot", "-p%s"), ("sshpass", "-p", "%s", "ssh", "-p", "22", "localhost"),
    ("docker", "login", "-u", "me", "-p", "%s"), ("redis-cli", "-a", "%s"),
    ("openssl", "enc", "-pass", "pass:%s"),
    ("aws", "configure", "set", "aws_secret_access_key", "%s"), ("smbclient", "-U", "me%%%s"),
    ("wget", "--http-password=%s"), ("psql", "postgres://me:%s@localhost"),
    ("git", "clone", "https://me:%s@localhost"), ("http", "-a", "me:%s"),
    ("ldapsearch", "-w", "%s"), ("bash", "-c", "false && curl -u me:%s x || mysql -p'%s'"),
)
# Runs them one by one: a program of another name that does nothing with its arguments.
RUNNER = """
import json, subprocess, sys
for argv in json.load(open(sys.argv[1])):
    subprocess.run(argv, executable=sys.argv[2], check=True)
"""
FORMATS = ("text", "json", "jsonl", "csv", "redacted")

# The cores are made where they are planted: nothing but sooth could bring them here.
PLANTER = r"""
import ctypes, json, mmap, os, select, signal, socket, sys, threading, time
folder, plants = sys.argv[1], json.load(open(sys.argv[2]))
libc = ctypes.CDLL(None, use_errno=True)
kept = []
def name_me(text):
    libc.prctl(15, text.encode()[:15], 0, 0, 0)
def thread(text):
    named = threading.Event()
    def run():
        name_me(text)
        named.set()
        while True:
            try:
                os.stat(text)
            except OSError:
                pass
            time.sleep(0.02)
    t = threading.Thread(target=run, daemon=True); t.start(); named.wait()
for text in plants["names"]:
    path = os.path.join(folder, "near-file-" + text)
    f = open(path, "w+"); f.truncate(8192); kept.append(f)
    kept.append(mmap.mmap(f.fileno(), 4096))
    kept.append(os.memfd_create("near-memfd-" + text))
    os.mkdir(os.path.join(folder, "near-watch-" + text))
    watcher = libc.inotify_init(); kept.append(watcher)
    libc.inotify_add_watch(watcher, os.path.join(folder, "near-watch-" + text).encode(), 0x100)
    fifo = os.path.join(folder, "near-fifo-" + text); os.mkfifo(fifo)
    kept.append(os.open(fifo, os.O_RDWR))
    for address in ("\0%d-near-abstract-" % os.getpid() + text, os.path.join(folder, "s-" + text)):
        server = socket.socket(socket.AF_UNIX); server.bind(address[:107]); server.listen(4)
        client = socket.socket(socket.AF_UNIX); client.connect(address[:107])
        kept.extend((server, client, server.accept()[0]))
for text in plants["threads"]:
    thread(text)
tcp = socket.create_server(("127.0.0.1", 0)); kept.append(tcp)
kept.append(socket.create_connection(tcp.getsockname()))
os.mkdir(os.path.join(folder, plants["directory"]))
os.chdir(os.path.join(folder, plants["directory"]))
os.mkdir(".git")
name_me(plants["own"])
pid = os.fork()
if not pid:
    libc.prctl(1, signal.SIGKILL)
    os.execve(sys.executable, [sys.executable, "-c", "import time\nprint('started', flush=True)\n"
        "time.sleep(600)", *plants["arguments"]], dict(os.environ, CLAUDECODE="1",
        CLAUDE_CODE_SESSION_ID=plants["session"]))
for argv in plants["commands"]:
    if not os.fork():
        libc.prctl(1, signal.SIGKILL)
        os.execv(sys.executable, [argv[0], "-c", "import time\ntime.sleep(600)", *argv[1:]])
print("ready", flush=True)
time.sleep(600)
"""


class Secrets(Case):
    def setUp(self):
        super().setUp()
        self.cores, self.n = [], 0
        self.home = self.path("home-of-" + self.name_of("xoxb-%s"))
        self.agent = os.path.join(self.home, ".local/share/claude/versions/9.9.9")
        os.makedirs(os.path.dirname(self.agent))
        shutil.copy(os.path.realpath(sys.executable), self.agent)
        self.folder_of = self.path("f")
        os.mkdir(self.folder_of)

    def core(self):
        """20 characters that are nowhere else."""
        self.n += 1
        self.cores.append("Z7Q%02dXJ9W4V2KPTR8YM" % self.n)
        return self.cores[-1]

    def name_of(self, shape):
        return shape % self.core()

    def credentials(self):
        return [[re.sub("%(.)", lambda m: self.core() if m[1] == "s" else m[1], word)
                 for word in argv] for argv in CREDENTIALS]

    def start_planter(self):
        plants = {
            "names": [self.name_of(SHAPES[kind]) for kind in AS_A_NAME],
            "threads": ["thr-" + self.short(s) for s in ("ghp_%s", "sk-ant-%s", "pwd_token=%s")] +
                       [self.short("AKIA%s"), self.short("AIzaSy%s")],
            "directory": "near-cwd-" + self.name_of(SHAPES["anthropic"]),
            "own": self.short("near sk-%s"),
            "session": self.name_of(SHAPES["github"]),
            "arguments": [self.name_of(shape) for shape in SHAPES.values()] +
                         ["--api-key", self.core(), "-H", "Authorization: " + self.core(),
                          "; ".join(" ".join(argv) for argv in self.credentials()[:-1])],
            "commands": self.credentials()[:5],
        }
        listing = self.path("plants.json")
        with open(listing, "w", encoding="utf-8") as file:
            json.dump(plants, file)
        environment = dict(os.environ, PYTHONHOME=sys.base_prefix,
            ANTHROPIC_API_KEY=self.name_of(SHAPES["anthropic"]), MY_TOKEN=self.core(),
            **{"NEAR_" + self.name_of("ghp_%s"): "x"})
        planter = self.start(self.agent, "-c", PLANTER, self.folder_of, listing,
            *plants["arguments"], env=environment)
        planter.wait_for_output(b"ready\n")
        return planter

    def short(self, shape):
        """What the 15 bytes of a thread's name leave of a secret: what comes out is asked for by
        its first characters."""
        self.n += 1
        core = "Q%02dZ7XJ9W" % self.n
        text = shape % (core + "4V2KPTR8YM")
        self.cores.append(text[:15][len(shape) - 2:][:6])
        return text

    def assert_none(self, data, what):
        if isinstance(data, str):
            data = data.encode()
        for core in self.cores:
            at = data.find(core.encode())
            if at >= 0:
                self.fail("%s has a secret: %r" % (what, data[max(0, at - 80):at + 40]))

    def assert_near(self, data, *words):
        for word in words:
            if word.encode() not in data:
                self.fail("%r, which stands beside a secret, was not shown: %s" % (word, data[:400]))

    def look(self, *argv, program=SOOTH, status=0, near=()):
        run = self.run_program(program, *argv, status=status, timeout=180)
        self.assert_none(run.out + run.errors.encode(), " ".join(argv))
        self.assert_near(run.out, *near)
        return run

    def look_at_capture(self, path):
        with open(path, "rb") as file:
            reader = capture_reader.Reader(file.read(), capture_reader.decompressor())
        self.assertFalse(reader.unread_blocks)
        raw = b"".join(block.raw for block in reader.blocks)
        self.assertGreater(len(raw), 1000)
        self.assert_none(raw, "the capture " + os.path.basename(path))
        return raw

    def test_no_output_has_one(self):
        planter = self.start_planter()
        pid = str(planter.pid)
        near = {
            "--fds": ("near-file-", "near-memfd-", "near-fifo-"),
            "--maps": ("near-file-",), "--sockets": ("near-abstract-",),
            "--threads": ("thr-***", "near ***"), "--env-names": ("NEAR_***",),
            "-a": ("near-watch-",),
            "--limits": (), "--signals": (),
        }
        for format in FORMATS:
            how = ("--format", format)
            for detail, words in near.items():
                several = format in ("csv",) and detail == "-a"
                if detail == "--maps" and "json" not in format:
                    words = ()  # a table for people ends with the large ones
                self.look("inspect", detail, *how, pid, status=None if several else 0,
                    near=() if format in ("csv", "redacted") else words)
            self.look("inspect", *how, pid)
            seen = () if format == "redacted" else ("near-cwd-***",)
            self.look("ps", "-i", "20ms", *how, near=seen)
            self.look("ps", "-i", "20ms", "-a", "-v", "-t", *how, near=seen)
            self.look("ps", "-i", "20ms", "--columns", "pid,name,command,executable,cwd,root,"
                "session_id,project,role_name,control_group", *how, pid)
            self.look("status", "-i", "20ms", *how)
            self.look("diagnose", "-d", "--duration", "1.2", *how, pid,
                near=() if format in ("csv", "text") else seen)
            self.look("diagnose", "--quick", *how)
        for old in ("claude-trace", "claude-status", "claude-diagnose"):
            link = self.path(old)
            os.symlink(SOOTH, link)
            self.look("-j", program=link, near=('"pid": %s' % pid,))
            self.look(program=link)
        self.look("-v", "-t", program=self.path("claude-trace"))
        self.look("--pid", pid, "-d", "--duration", "0.6", "-j",
            program=self.path("claude-diagnose"), near=("near-watch-",))
        for act in ("kill", "freeze", "thaw"):
            self.look(act, "--dry-run", pid, status=None)
            self.look(act, "--dry-run", "-j", pid, status=None)
        self.look("doctor")

    def test_no_capture_has_one(self):
        planter = self.start_planter()
        pid = str(planter.pid)
        kept = self.path("all.sooth")
        self.look("inspect", "-a", "--save", kept, pid)
        raw = self.look_at_capture(kept)
        self.assert_near(raw, "near-file-", "near-watch-", "near-abstract-", "thr-***")
        for program in (SOOTH, SOOTH_NONE):
            for format in FORMATS:
                self.look("report", "--format", format, kept, program=program,
                    status=None if format == "csv" else 0)
        other = self.path("diagnose.sooth")
        self.look("diagnose", "-d", "--duration", "1.2", "--save", other, pid)
        self.assert_near(self.look_at_capture(other), "near-cwd-")
        for format in FORMATS:
            self.look("diagnose", "--format", format, other)
        listed = self.path("ps.sooth")
        self.look("ps", "-a", "-i", "20ms", "--save", listed)
        self.look_at_capture(listed)

    @needs_bpf
    def test_what_is_traced(self):
        planter = self.start_planter()
        pid, kept = str(planter.pid), self.path("trace.sooth")
        stream = self.look("trace", "-d", "0.5", "-j", "--save", kept, "-p", pid)
        self.assert_near(stream.out, "thr-***", "***")
        self.look_at_capture(kept)
        self.look("trace", "-d", "0.3", "-p", pid)
        self.look("trace", "-c", "-d", "0.3", "-p", pid)
        self.look("report", kept)
        link = self.path("claude-diagnose")
        os.symlink(SOOTH, link)
        for how in ([], ["-j"]):
            self.look("-D", "--io", "--network", "--duration", "0.5", "--pid", pid, *how,
                program=link, near=("***",))

    @needs_bpf
    def test_what_is_allocated(self):
        folder = self.path("near-heap-" + self.name_of(SHAPES["anthropic"]))
        os.mkdir(folder)
        program = shutil.copy(shutil.which("true"), os.path.join(folder, "true"))
        kept, lines = self.path("heap.sooth"), self.path("lines")
        for more in (["--save", kept], ["-j"], ["--sites"], ["-o", lines]):
            self.look("heap", *more, "--", program, *[self.name_of(s) for s in SHAPES.values()])
        self.look("heap", "-c", "--", program, *self.credentials()[0])
        self.look_at_capture(kept)
        link, events = self.path("memtrack"), self.path("events")
        os.symlink(SOOTH, link)
        self.look("track", program, *self.credentials()[1], "--output", events, program=link)
        for path in (lines, events):  # may be empty: nothing was allocated
            with open(path, "rb") as file:
                self.assert_none(file.read(), "a file of heap")

    def runner(self):
        """A command that runs all the credentials, new ones each time."""
        listing = self.path("run-%d.json" % self.n)
        with open(listing, "w", encoding="utf-8") as file:
            json.dump(self.credentials(), file)
        return sys.executable, "-c", RUNNER, listing, shutil.which("true")

    def assert_files_have_none(self, *paths):
        for path in paths:
            with open(path, "rb") as file:
                data = file.read()
            self.assertTrue(data, path)
            self.assert_none(data, os.path.basename(path))

    @needs_bpf
    def test_what_programs_were_told(self):
        """One capture for all that explains it."""
        kept, other, out = self.path("run.sooth"), self.path("other.sooth"), self.path("out")
        self.look("trace", "--process", "--save", kept, "--", *self.runner(),
            near=("me:***", "-p***", "me%***", "pass:***", "-a ***"))
        self.look_at_capture(kept)
        self.look("trace", "-e", "execve", "-s", "512", "--", *self.runner(),
            near=('"me:***"', '"-p***"'))
        self.look("record", "--stream", "-o", other, "--", *self.runner())
        self.look_at_capture(other)
        near = ("me:***", "-p***")
        self.look("trace", "--process", "-j", kept, near=near)
        self.look("trace", "--memory", kept)
        self.look("trace", "--folded", out, kept)
        self.look("trace", "--flamegraph", "-o", self.path("calls.svg"), kept)
        self.look("timeline", kept)
        self.look("timeline", "-j", kept)
        self.look("timeline", "-o", self.path("time.svg"), kept)
        self.look("diff", kept, other)
        self.look("diff", "-j", kept, other)
        self.assert_files_have_none(out, self.path("calls.svg"), self.path("time.svg"))
        for format in ("folded", "chrome", "jsonl", "sqlite"):
            self.look("export", "--format", format, "-o", self.path(format), kept)
            self.assert_files_have_none(self.path(format))
        self.look("export", "--format", "csv", "-o", self.path("csv") + "/", kept)
        self.assert_files_have_none(*(os.path.join(self.path("csv"), name)
                                      for name in os.listdir(self.path("csv"))))
        for table in ("process_exec", "syscalls_call", "proc_process"):
            self.look("query", kept, "SELECT * FROM " + table)
        self.look("query", "-j", kept, "SELECT * FROM process_exec", near=near)

    @needs_bpf
    def test_what_goes_on(self):
        planter = self.start_planter()
        pid = str(planter.pid)
        self.look("diagnose", "-w", "1", "-d", "1.2", pid, status=None)
        watch = self.start(SOOTH, "ps", "-a", "-w", "0.3", "-j")
        harness.wait_until(lambda: watch.out.count(b"\n") > 2, "frames")
        link = self.path("trace-claude")
        os.symlink(SOOTH, link)
        tracer = self.start(link, pid)
        self.wait_until_attached(tracer)
        for one in (watch, tracer):
            one.send(signal.SIGINT)
            run = one.finish()
            self.assertTrue(run.out)
            self.assert_none(run.out + run.errors.encode(), "what goes on")

    @needs_root
    def test_the_bundle(self):
        """Not even names and homes."""
        user, project = "zebulonuser", "wombatproject"
        home = os.path.join("/home", user)
        if os.path.exists(home):
            self.skipTest("%s is there" % home)
        self.addCleanup(shutil.rmtree, home, True)
        work = os.path.join(home, project, "quokka plans")
        os.makedirs(work)
        planter = self.start_planter()
        leak = ("import time\nk=[]\nprint('ready',flush=True)\nwhile True:\n"
                " k.append(open('%s/numbat.txt','w'))\n time.sleep(.03)")
        leaker = self.start(sys.executable, "-c", leak % work, "argumentwombat", cwd=work)
        leaker.wait_for_output(b"ready\n")
        bundle = self.path("bundle.json")
        run = self.look("diagnose", "-d", "--duration", "1.5", "--set", "fd-leak.min-age=0",
            "--bundle", bundle, str(planter.pid), str(leaker.pid))
        self.assertIn(work, run.text, "the report itself has the names")
        self.assertEqual(os.stat(bundle).st_mode & 0o777, 0o600)
        with open(bundle, "rb") as file:
            data = file.read()
        self.assert_none(data, "the bundle")
        for private in (user, project, "quokka", "plans", "numbat", "argumentwombat",
                        os.path.basename(self.folder)):
            self.assertNotIn(private.encode(), data)
        report = json.loads(data)
        self.assertEqual(report["schema"]["name"], "bundle")
        self.assertFalse(re.search(r"\d+\.\d+\.\d+\.\d+", json.dumps(report["processes"])
            .replace("127.0.0.1", "").replace("9.9.9", "")))
        if os.uname().nodename not in ("localhost", "root"):
            self.assertEqual(report["hostname"], "host-1")
        one = {p["pid"]: p for p in report["processes"]}
        leaky, agent = one[leaker.pid], one[planter.pid]
        self.assertRegex(leaky["cwd"], r"^~user-\d+/path-\d+/path-\d+$")
        (finding,) = [f for f in leaky["findings"] if f["id"] == "fd-leak"]
        self.assertIn(leaky["cwd"], finding["claim"], "the same place, the same words")
        self.assertEqual((agent["agent"], agent["version"]), ("claude", "9.9.9"))
        self.assertTrue(agent["threads_by_role"] and agent["descriptors_by_type"] and agent["memory_by_class"])
        self.assertEqual(agent["descriptors_by_type"]["inotify"], len(AS_A_NAME))
        self.assertTrue(any(s["protocol"] == "tcp" and s["state"] == "LISTEN"
                            for s in agent["sockets_by_state"]))
        self.assertEqual(set(agent["command"].split()[1:]), {"***"})

    def test_a_bundle_is_never_written_through_a_link(self):
        target, link = self.path("target"), self.path("link")
        with open(target, "w", encoding="utf-8") as file:
            file.write("old")
        os.symlink(target, link)
        self.look("diagnose", "--quick", "--bundle", link, str(os.getpid()), status=5)
        with open(target, encoding="utf-8") as file:
            self.assertEqual(file.read(), "old")

    def test_a_bundle_of_a_capture(self):
        """Made elsewhere, it is as clean."""
        planter = self.start_planter()
        kept, bundle = self.path("kept.sooth"), self.path("bundle.json")
        self.look("diagnose", "--duration", "1.2", "--save", kept, str(planter.pid))
        for program in (SOOTH, SOOTH_NONE):
            self.look("diagnose", "--bundle", bundle, kept, program=program)
            with open(bundle, "rb") as file:
                data = file.read()
            self.assert_none(data, "the bundle")
            self.assertNotIn(os.path.basename(self.folder).encode(), data)
            self.assertEqual(json.loads(data)["processes"][0]["pid"], planter.pid)
            os.unlink(bundle)


if __name__ == "__main__":
    harness.main()
