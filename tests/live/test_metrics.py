# SPDX-License-Identifier: BSD-2-Clause
"""
The metrics of `sooth monitor`: what a reader by HTTP, TLS or a Unix socket gets, against the history of
the same monitor; who is refused; the file for node_exporter; alerts; readers that stall.
"""
import collections
import gzip
import http.client
import http.server
import json
import os
import re
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import sys
import threading
import time
import warnings

import harness
from test_history import HistoryCase

LINE = re.compile(r'^(\w+)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
FLEET = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../share/sooth/fleet")
TOKEN = "0123456789abcdef-of-a-test"
WATCHER = """
import ctypes, os, sys, time
libc = ctypes.CDLL(None)
fd = libc.inotify_init()
for number in range(7):
    os.makedirs(sys.argv[1] + "/watched-%d" % number)
    assert libc.inotify_add_watch(fd, (sys.argv[1] + "/watched-%d" % number).encode(), 2) > 0
print("watching", flush=True)
time.sleep(600)
"""
# argv: port. Answered after 0.1 s, refused with 500, closed without an answer, and by another process of the session.
CALLER = """
import http.client, os, subprocess, sys
TOOL = "import time, urllib.request as r; time.sleep(1); r.urlopen('http://127.0.0.1:%s/tool').read(); time.sleep(3)"
def call(path, port=int(sys.argv[1])):
    c = http.client.HTTPConnection("127.0.0.1", port)
    try:
        c.request("POST", path, b"x" * 40000)
        return c.getresponse().read()
    except http.client.RemoteDisconnected:
        return None
    finally:
        c.close()
for line in sys.stdin:
    for path in line.split():
        call(path)
    if line.startswith("/last"):
        os._exit(0)
    # Known from samples before and behind its call.
    subprocess.run(["/usr/bin/python3", "-c", TOOL % sys.argv[1]], check=False)
    print("called", flush=True)
"""
PATHS = ["/answered"] * 5 + ["/refused"] * 2 + ["/closed"]
SECRET = "sk-ant-api03-" + "Zq8Wv3Rt5Yp2Lm9Kx4Nc7" * 4 + "AA"


def parse(text):
    """{(name, labels): value}."""
    found = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            name, labels, value = LINE.match(line).groups()
            key = name, frozenset(LABEL.findall(labels or ""))
            assert key not in found, "written twice: " + line
            found[key] = float(value)
    return found


def of(page, name, **labels):
    """The values of a metric with these labels among its own."""
    return {key[1]: value for key, value in page.items() if key[0] == name and set(labels.items()) <= key[1]}


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=10)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


class MetricsCase(HistoryCase):
    def serve(self, *words, address="127.0.0.1:0", **options):
        sooth = self.monitor("--listen", address, *words, **options)
        self.assertIn(b"metrics are at", sooth.err, sooth.err)
        url = re.search(rb"metrics are at \w+://([^/\s]*):(\d+)/", bytes(sooth.err))
        sooth.port = int(url[2]) if url else None
        return sooth

    def request(self, port, method="GET", path="/metrics", **headers):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request(method, path, headers=headers)
        return self.answer_of(connection)

    def answer_of(self, connection):
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer, text

    def page(self, port):
        answer, text = self.request(port)
        self.assertEqual(answer.status, 200, text)
        return parse(text)

    def wait_for_session(self, port, pid):
        """Until samples have seen it."""
        harness.wait_until(lambda: of(self.page(port), "sooth_session_cpu_seconds_total", pid=str(pid)), "the session")


class Pages(MetricsCase):
    def test_what_the_history_says(self):
        sooth, agent = self.serve(), self.agent()
        self.tell(agent, "idle", "busy", "waiting", "busy", "tool", "end", "idle")
        answer, text = self.request(sooth.port)
        self.assertEqual(answer.getheader("Content-Type"), "text/plain; version=0.0.4; charset=utf-8")
        page, mine = parse(text), {"pid": str(agent.pid), "session": "0123456789abcdef", "agent": "claude"}
        promtool = shutil.which("promtool")
        if promtool:
            lint = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True, check=False)
            self.assertEqual((lint.returncode, lint.stdout + lint.stderr), (0, ""))
        self.assertEqual(list(of(page, "sooth_session_activity", state="idle", **mine).values()), [1])
        self.assertEqual(list(of(page, "sooth_session_processes", **mine).values()), [1])
        with open("/proc/%d/status" % agent.pid, encoding="ascii") as status:
            anonymous = int(re.search(r"RssAnon:\s+(\d+)", status.read())[1]) * 1024
        shown, = of(page, "sooth_session_memory_bytes", **{"class": "anonymous"}, **mine).values()
        self.assertLess(abs(shown - anonymous), 512 << 10)
        counts, = of(page, "sooth_model_wait_seconds_count", agent="claude").values()
        self.assertGreaterEqual(counts, 3)  # others may run one as well
        self.check_openmetrics(sooth.port)
        self.end(sooth)
        states = {row["state"]: row["total_ns"] / 1e9 for row in self.report(str(agent.pid))["phase_states"]}
        for state in ("waits_for_user", "waits_for_model", "runs_tool"):
            shown, = of(page, "sooth_session_activity_seconds_total", state=state, **mine).values()
            self.assertAlmostEqual(shown, states[state], delta=0.001)

    def check_openmetrics(self, port):
        answer, text = self.request(port, Accept="application/openmetrics-text;version=1.0.0,text/plain;q=0.5")
        self.assertTrue(answer.getheader("Content-Type").startswith("application/openmetrics-text; version=1.0.0"))
        self.assertTrue(text.endswith("\n# EOF\n"))
        self.assertIn("# TYPE sooth_session_cpu_seconds counter\n# UNIT sooth_session_cpu_seconds seconds\n", text)

    def test_watches(self):
        """Of inotify, which a process of the session has: as many as it made, and none elsewhere."""
        agent = self.agent()
        self.tell(agent, "busy")
        child = self.start("/usr/bin/python3", "-c", WATCHER, self.path("."), env=dict(
            os.environ, CLAUDECODE="1", CLAUDE_PID=str(agent.pid)))
        child.wait_for_output(b"watching")
        sooth = self.serve()
        mine = {"pid": str(agent.pid)}
        harness.wait_until(lambda: list(of(self.page(sooth.port), "sooth_session_inotify_watches", **mine).values()) == [7],
                           "the watches")
        self.end(sooth)

    def test_names_are_masked_and_hashed(self):
        """A key in the name of a folder, which is the project of a session."""
        place = self.path("key-" + SECRET)
        os.makedirs(os.path.join(place, ".git"))
        before = os.getcwd()
        os.chdir(place)
        try:
            agent = self.agent()
        finally:
            os.chdir(before)
        sooth = self.serve("--textfile", self.path("sooth.prom"))
        self.tell(agent, "busy")
        self.wait_for_session(sooth.port, agent.pid)
        text = self.request(sooth.port)[1]
        self.assertIn('project="key-', text)
        self.assertNotIn(SECRET[20:60], text)
        harness.wait_until(lambda: os.path.exists(self.path("sooth.prom")), "the file")
        with open(self.path("sooth.prom"), encoding="utf-8") as file:
            self.assertNotIn(SECRET[20:60], file.read())
        self.end(sooth)
        with open(self.path("key"), "wb") as file:
            file.write(b"0123456789abcdef")
        os.chmod(self.path("key"), 0o600)
        sooth = self.serve("--hash-names", self.path("key"))
        self.wait_for_session(sooth.port, agent.pid)
        text = self.request(sooth.port)[1]
        self.assertNotIn("key-", text)
        self.assertNotIn('host="%s"' % socket.gethostname(), text)
        self.assertRegex(text, r'project="project-[0-9a-f]{16}"')
        self.end(sooth)

    def test_the_file(self):
        """Whole at each moment, readable for all users, and never through a link."""
        path, other = self.path("sooth.prom"), self.path("other")
        with open(other, "w", encoding="ascii") as file:
            file.write("keep")
        os.symlink(other, path)
        sooth = self.monitor("--textfile", path)
        harness.wait_until(lambda: not os.path.islink(path) or b"sooth.prom" in sooth.err, "the file or a refusal")
        with open(other, encoding="ascii") as file:
            self.assertEqual(file.read(), "keep")
        if os.path.islink(path):
            self.assertIn(b"cannot", sooth.err)
            self.end(sooth)
            os.unlink(path)
            sooth = self.monitor("--textfile", path)
            harness.wait_until(lambda: os.path.exists(path), "the file")
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o644)
        with open(path, encoding="utf-8") as file:
            self.assertIn(("sooth_sessions_limit", frozenset()), parse(file.read()))
        self.end(sooth)


class Server(http.server.BaseHTTPRequestHandler):
    """An API on loopback that counts what it was asked."""
    asked = collections.Counter()

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        Server.asked[self.path[1:]] += 1
        if self.path == "/closed":
            return
        time.sleep(0.1)
        self.send_response(500 if self.path == "/refused" else 200)
        self.send_header("Content-Length", "2000")
        self.end_headers()
        self.wfile.write(b"y" * 2000)

    do_GET = do_POST

    def log_message(self, *_):
        pass


class Calls(MetricsCase):
    def caller(self, port):
        program = self.path("home/.local/share/claude/versions/9.9.9")
        os.makedirs(os.path.dirname(program))
        shutil.copy(os.path.realpath(sys.executable), program)
        return self.start(program, "-c", CALLER, str(port), env=dict(os.environ, HOME=self.path("home")))

    def serve_api(self):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server.server_address[1]

    @harness.needs_root
    def test_what_the_server_counted(self):
        """By outcome; the calls of the agent's tools are not among them."""
        port = self.serve_api()
        agent, sooth = self.caller(port), self.serve("--api-metrics")
        self.wait_for_session(sooth.port, agent.pid)
        harness.wait_until(lambda: self.gauge(sooth.port) == 1, "the probes")
        agent.say(" ".join(PATHS).encode() + b"\n")
        agent.wait_for_output(b"called")
        asked = dict(Server.asked)
        self.assertEqual(asked.pop("tool"), 1)
        mine = {"host": "127.0.0.1:%d" % port, "agent": "claude", "source": "probes"}
        harness.wait_until(lambda: self.counts(sooth.port, mine) == asked, "the calls: %s" % asked)
        time.sleep(1)  # later ones would come within some batches
        self.assertEqual(self.counts(sooth.port, mine), asked)
        agent.say(b"/last\n")  # it ends with the answer
        agent.finish()
        asked["answered"] += 1
        harness.wait_until(lambda: self.counts(sooth.port, mine) == asked, "the last call")
        page = self.page(sooth.port)
        spent, = of(page, "sooth_api_call_seconds_sum", outcome="answered", **mine).values()
        self.assertGreaterEqual(spent, 0.5)
        self.assertLess(spent, 5)
        promtool = shutil.which("promtool")
        if promtool:
            lint = subprocess.run([promtool, "check", "metrics"], input=self.request(sooth.port)[1], capture_output=True,
                                  text=True, check=False)
            self.assertEqual((lint.returncode, lint.stdout + lint.stderr), (0, ""))
        below, = of(page, "sooth_api_call_seconds_bucket", outcome="answered", le="0.067108864", **mine).values()
        self.assertEqual(below, 0)
        self.end(sooth)

    def counts(self, port, labels):
        return {dict(key)["outcome"]: count for key, count in
                of(self.page(port), "sooth_api_call_seconds_count", **labels).items()}

    def gauge(self, port):
        return self.page(port).get(("sooth_api_probes", frozenset()))

    @harness.needs_root
    def test_without_the_option_and_without_privilege(self):
        """Nothing is attached; who asked for it learns why there are no calls."""
        sooth, agent = self.serve(), self.agent()
        self.wait_for_session(sooth.port, agent.pid)
        self.assertIsNone(self.gauge(sooth.port))
        self.assertFalse(harness.is_attached(sooth.pid, "on_enter"))
        self.end(sooth)
        os.chmod(self.path("."), 0o777)
        agent = self.start(self.path("home/.local/share/claude/versions/2.1.328"), "-c", "read x",
                           **harness.as_user(harness.NOBODY))
        sooth = self.start_sooth("monitor", "--fifo-dir", self.path("nobody"), "--no-history", "--sample", "200ms",
                                 "--api-metrics", "--listen", "127.0.0.1:0", **harness.as_user(harness.NOBODY))
        harness.wait_until(lambda: b"records are in" in sooth.err, "the monitor")
        sooth.port = int(re.search(rb"127.0.0.1:(\d+)/", bytes(sooth.err))[1])
        self.wait_for_session(sooth.port, agent.pid)
        harness.wait_until(lambda: b"api_calls.fifo: cannot " in sooth.err, "the reason")
        self.assertEqual(self.gauge(sooth.port), 0)
        self.assertFalse(of(self.page(sooth.port), "sooth_api_call_seconds_count"))
        self.end(sooth)


class Labels(MetricsCase):
    def test_of_a_target(self):
        """Only its session, and sums of its processes alone."""
        one, other = self.agent(), self.agent()
        sooth = self.serve(str(one.pid))
        self.wait_for_session(sooth.port, one.pid)
        page = self.page(sooth.port)
        self.assertEqual({dict(key).get("pid") for key in of(page, "sooth_session_processes")}, {str(one.pid)})
        self.assertEqual(list(of(page, "sooth_agent_processes").values()), [1])
        self.assertNotIn(str(other.pid), self.request(sooth.port)[1])
        self.end(sooth)

    def test_of_no_process(self):
        """A number that no process has, as of one that has just ended."""
        gone = self.agent()
        gone.say(b"quit\n")
        gone.finish()
        run = self.sooth("monitor", "--no-history", "--listen", "127.0.0.1:0", str(gone.pid), status=None)
        self.assertNotEqual(run.status, 0)
        self.assertIn("cannot find process %d" % gone.pid, run.errors)

    def test_the_bound_is_checked(self):
        for number in ("0", "10001", "-1", "x", "\u0661", "9" * 40):
            run = self.sooth("monitor", "--no-history", "--listen", "127.0.0.1:0", "--max-sessions", number, status=None)
            self.assertNotEqual(run.status, 0, number)
            self.assertIn("--max-sessions", run.errors)
        run = self.sooth("monitor", "--no-history", "--max-sessions", "5", status=None)
        self.assertIn("it is about metrics", run.errors)

    @harness.needs_root
    def test_a_crowd_of_another_user(self):
        """It leaves an equal share of the labels to others, also when it came first."""
        mine = self.agent()
        os.chmod(self.path("."), 0o711)
        program = self.path("home/.local/share/claude/versions/2.1.328")
        crowd = [self.start(program, "-c", "read x", **harness.as_user(harness.NOBODY)) for _ in range(30)]
        mine.say(b"quit\n")
        mine.finish()
        sooth = self.serve("--max-sessions", "10", "-p", ",".join(str(one.pid) for one in crowd))
        harness.wait_until(lambda: len(self.pids_of(sooth.port)) == 11, "the crowd")
        self.end(sooth)
        sooth = self.serve("--max-sessions", "10")
        harness.wait_until(lambda: len(self.pids_of(sooth.port)) == 11, "the crowd")
        others = [self.agent() for _ in range(7)]
        ours = {str(one.pid) for one in others}
        harness.wait_until(lambda: len(ours & self.pids_of(sooth.port)) == 5, "half of the labels")
        page = self.page(sooth.port)
        self.assertEqual(page["sooth_sessions_limit", frozenset()], 10)
        self.assertEqual(len(self.pids_of(sooth.port)), 11)  # 10, and those of "other" without one
        self.assertGreaterEqual(page["sooth_sessions_folded", frozenset()], 27)
        self.end(sooth)

    def pids_of(self, port):
        return {dict(key).get("pid") for key in of(self.page(port), "sooth_session_processes")}


class Rules(MetricsCase):
    def test_the_rules(self):
        """As the file of their tests says; and no rule or panel names a metric that there is not."""
        page = os.path.join(FLEET, "../../../docs/metrics.md")
        with open(page, encoding="utf-8") as file:
            known = set(re.findall(r"^\| `(sooth_\w+)` \|", file.read(), re.M))
        for name in ("sooth-rules.yml", "sooth-dashboard.json"):
            with open(os.path.join(FLEET, name), encoding="utf-8") as file:
                used = set(re.findall(r"(?<![\w:])sooth_\w+(?=[{\[)\" ]|$)", file.read(), re.M))
            self.assertGreater(len(used), 5)
            self.assertEqual({re.sub("_bucket$", "", one) for one in used} - known, set(), name)
        promtool = shutil.which("promtool")
        if not promtool:
            self.skipTest("no promtool")
        run = subprocess.run([promtool, "test", "rules", "sooth-rules-test.yml"], cwd=FLEET, capture_output=True, text=True,
                             check=False)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)


class Readers(MetricsCase):
    def test_gzip(self):
        """For readers that accept it; others get the page as it is."""
        sooth, agent = self.serve(), self.agent()
        self.tell(agent, "busy")
        self.wait_for_session(sooth.port, agent.pid)
        agent.send(signal.SIGSTOP)
        for accepted in ("gzip", "br, gzip;q=0.5", None, "", "gzip;q=0", "x" * 9000, "\xff\xfegzip", "gzip" * 1000):
            connection = http.client.HTTPConnection("127.0.0.1", sooth.port, timeout=30)
            connection.request("GET", "/metrics", headers={} if accepted is None else {"Accept-Encoding": accepted})
            answer = connection.getresponse()
            text = answer.read()
            self.assertEqual(answer.status, 200)
            self.assertEqual(answer.getheader("Content-Encoding"), "gzip" if accepted and accepted in (
                "gzip", "br, gzip;q=0.5") else None, accepted)
            plain = gzip.decompress(text) if answer.getheader("Content-Encoding") else text
            self.assertIn(b"sooth_session_cpu_seconds_total", plain)
            parse(plain.decode())
            if plain != text:
                self.assertLess(len(text) * 3, len(plain))
        self.end(sooth)

    def test_requests_that_are_refused(self):
        token = self.path("token")
        with open(token, "w", encoding="ascii") as file:
            file.write(TOKEN + "\r\n")
        os.chmod(token, 0o644)
        run = self.sooth("monitor", "--fifo-dir", self.path("fifos"), "--no-history", "--listen", "127.0.0.1:0",
                         "--listen-token", token, status=None)
        self.assertNotEqual(run.status, 0)
        self.assertIn("chmod 600", run.errors)
        os.chmod(token, 0o600)
        sooth = self.serve("--listen-token", token)
        for given, expected in ((None, 401), ("Bearer " + TOKEN[:-1], 401), ("Bearer " + TOKEN + "x", 401), (TOKEN, 401),
                                ("Bearer " + TOKEN, 200), ("bearer " + TOKEN, 200)):
            headers = {"Authorization": given} if given else {}
            self.assertEqual(self.request(sooth.port, **headers)[0].status, expected, given)
        good = {"Authorization": "Bearer " + TOKEN}
        self.assertEqual(self.request(sooth.port, "POST", **good)[0].status, 405)
        self.assertEqual(self.request(sooth.port, path="/", **good)[0].status, 404)
        self.assertEqual(self.request(sooth.port, path="/metrics/../x", **good)[0].status, 404)
        self.assertGreaterEqual(self.request(sooth.port, Big="x" * 100000, **good)[0].status, 400)
        page = parse(self.request(sooth.port, **good)[1])
        self.assertGreaterEqual(of(page, "sooth_scrapes_total", result="refused")[frozenset([("result", "refused")])], 4)
        self.end(sooth)

    def test_other_hosts_need_a_token_and_tls(self):
        for address in ("0.0.0.0:0", "[::]:0", "192.0.2.1:9400"):
            run = self.sooth("monitor", "--fifo-dir", self.path("fifos"), "--no-history", "--listen", address, status=None)
            self.assertNotEqual(run.status, 0)
            self.assertIn("readers need a token, and TLS", run.errors)
            self.assertIn("--listen-token FILE --listen-tls CERT,KEY", run.errors)
        for address in ("localhost:9400", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:70000", "9400"):
            run = self.sooth("monitor", "--fifo-dir", self.path("fifos"), "--no-history", "--listen", address, status=None)
            self.assertIn("--listen 127.0.0.1:9400", run.errors)

    def test_tls(self):
        certificate, key = self.path("cert.pem"), self.path("key.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=localhost", "-addext",
                        "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
        os.chmod(key, 0o600)
        keys = self.path("keys")
        sooth = self.serve("--listen-tls", certificate + "," + key, env=dict(os.environ, SSLKEYLOGFILE=keys))
        self.assertIn(b"https://", sooth.err)
        trusted = ssl.create_default_context(cafile=certificate)
        connection = http.client.HTTPSConnection("127.0.0.1", sooth.port, context=trusted, timeout=30)
        connection.request("GET", "/metrics")
        answer, text = self.answer_of(connection)
        self.assertEqual(answer.status, 200)
        self.assertIn("sooth_build_info", text)
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.load_verify_locations(certificate)
        old.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
        with socket.create_connection(("127.0.0.1", sooth.port), timeout=30) as plain, self.assertRaises(OSError):
            old.wrap_socket(plain, server_hostname="127.0.0.1")
        self.end(sooth)
        self.assertEqual(os.path.exists(keys), os.getuid() != 0)

    @harness.needs_root
    def test_a_unix_socket(self):
        path = self.path("metrics.sock")
        sooth = self.serve(address="unix:" + path)
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        connection = UnixConnection(path)
        connection.request("GET", "/metrics")
        self.assertEqual(self.answer_of(connection)[0].status, 200)
        # Another user, even where the modes let them through.
        os.chmod(path, 0o666)
        for folder in (os.path.dirname(path), os.path.dirname(os.path.dirname(path))):
            os.chmod(folder, os.stat(folder).st_mode | 0o711)
        child = os.fork()
        if not child:
            try:
                os.setgid(harness.NOBODY)
                os.setuid(harness.NOBODY)
                connection = UnixConnection(path)
                connection.request("GET", "/metrics")
                connection.getresponse()
                os._exit(1)
            except (http.client.HTTPException, ConnectionError):
                os._exit(0)
            except BaseException:  # pylint: disable=broad-except
                os._exit(2)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 0)
        self.end(sooth)
        self.assertFalse(os.path.exists(path))
        sooth = self.serve(address="unix:" + path)
        os.unlink(path)
        with socket.socket(socket.AF_UNIX) as other:  # another program took the name
            other.bind(path)
            self.end(sooth)
            self.assertTrue(os.path.exists(path))

    def test_readers_that_stall(self):
        """They cost neither memory nor processor time, and leave the server to others after the timeout."""
        sooth, agent = self.serve(), self.agent()
        self.tell(agent, "busy")
        self.wait_for_session(sooth.port, agent.pid)
        for _ in range(20):
            self.page(sooth.port)
        harness.wait_until(lambda: self.is_settled(sooth.pid), "memory that stays as it is")
        rss, cpu = self.rss(sooth.pid), harness.cpu_s(sooth.pid)
        time.sleep(2)
        alone = harness.cpu_s(sooth.pid) - cpu
        stalled = [socket.create_connection(("127.0.0.1", sooth.port)) for _ in range(12)]
        for number, one in enumerate(stalled):
            one.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n" + b"\r\n" * (number % 2))
        cpu = harness.cpu_s(sooth.pid)
        time.sleep(2)
        self.assertLess(harness.cpu_s(sooth.pid) - cpu, alone + 0.2)
        self.assertLess(self.rss(sooth.pid) - rss, 1 << 20)
        for _ in range(3):
            self.assertTrue(self.is_served(sooth.port))  # the oldest made room
        if harness.IS_LONG:
            self.check_trickle(sooth.port)
        for one in stalled:
            one.close()
        harness.wait_until(lambda: self.is_served(sooth.port), "a free connection")
        self.end(sooth)

    def check_trickle(self, port):
        """A request that never ends is ended, though it is never silent."""
        with socket.create_connection(("127.0.0.1", port)) as reader:
            reader.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\nX: ")
            begin = time.monotonic()
            with self.assertRaises(OSError):
                while time.monotonic() < begin + 60:
                    reader.sendall(b"x")
                    time.sleep(1)
            self.assertGreater(time.monotonic() - begin, 15)

    def is_served(self, port):
        try:
            return self.request(port)[0].status == 200
        except (http.client.HTTPException, OSError):
            return False

    def is_settled(self, pid):
        """A young monitor has not diagnosed and counted everything once."""
        before = self.rss(pid)
        time.sleep(2)
        return abs(self.rss(pid) - before) < 64 << 10

    def rss(self, pid):
        with open("/proc/%d/statm" % pid, encoding="ascii") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Alerts(MetricsCase):
    def test_a_finding(self):
        """It is a metric while it holds, and starts the program when it begins and when it ends."""
        program, told = self.path("on-alert"), self.path("told")
        with open(program, "w", encoding="ascii") as file:
            file.write('#!/bin/sh\nls /proc/self/fd >"%s"\ncat >>"%s"\n' % (self.path("open"), told))
        os.chmod(program, 0o755)
        leaked = os.open("/dev/null", os.O_RDONLY)
        sooth = self.serve("--on-alert", program, "--alert-on", "frozen", pass_fds=[leaked])
        os.close(leaked)
        agent = self.agent()
        self.tell(agent, "busy")
        self.wait_for_session(sooth.port, agent.pid)
        agent.send(signal.SIGSTOP)
        mine = {"finding": "frozen", "pid": str(agent.pid)}
        harness.wait_until(lambda: list(of(self.page(sooth.port), "sooth_findings", **mine).values()) == [1], "the finding")
        self.assertEqual(list(of(self.page(sooth.port), "sooth_findings_raised_total", finding="frozen",
                                 agent="claude").values()), [1])
        harness.wait_until(lambda: "raised" in self.states_told(told, agent.pid), "the program")
        with open(self.path("open"), encoding="ascii") as file:
            self.assertEqual(file.read().split(), ["0", "1", "2", "3"])  # 3: the folder that ls reads
        agent.send(signal.SIGCONT)
        harness.wait_until(lambda: not of(self.page(sooth.port), "sooth_findings", **mine), "the end of the finding")
        harness.wait_until(lambda: self.states_told(told, agent.pid) == ["raised", "cleared"], "the program again")
        self.end(sooth)

    def test_an_agent_between_two_samples(self):
        """What it left behind raises an alert. Its own end does not, as docs/monitor.md says: the diagnosis is of
        processes that run."""
        program, told = self.path("on-alert"), self.path("told")
        with open(program, "w", encoding="ascii") as file:
            file.write('#!/bin/sh\ncat >>"%s"\n' % told)
        os.chmod(program, 0o755)
        sooth, other = self.serve("--on-alert", program), self.agent()
        self.wait_for_session(sooth.port, other.pid)
        agent = self.start(self.path("home/.local/share/claude/versions/2.1.328"), "-c",
                           "CLAUDECODE=1 CLAUDE_PID=$$ sleep 500 </dev/null >%s 2>&1 & echo $!; kill -SEGV $$" % self.path("o"))
        agent.finish()
        left = int(bytes(agent.out))
        self.addCleanup(os.kill, left, signal.SIGKILL)
        harness.wait_until(lambda: "raised" in self.states_told(told, left), "the alert")
        self.assertEqual(self.states_told(told, agent.pid), [])
        self.end(sooth)

    def states_told(self, path, pid):
        if not os.path.exists(path):
            return []
        with open(path, encoding="utf-8") as file:
            lines = [json.loads(line) for line in file]
        return [line["state"] for line in lines if line["pid"] == pid]


if __name__ == "__main__":
    harness.main()
