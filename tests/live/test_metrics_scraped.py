# SPDX-License-Identifier: BSD-2-Clause
"""
A real Prometheus and a real VictoriaMetrics read the metrics of `sooth monitor`, on loopback: every query of
the dashboard and every rule gives the same in both, and what the history says; a thousand sessions stay inside
the bound of labels; a Prometheus that is stopped costs the monitor nothing.
"""
import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.parse
import urllib.request

import harness
from test_metrics import MetricsCase, of, parse

FLEET = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../share/sooth/fleet")
SESSIONS = 1000
# Nothing here writes tokens or folds sessions; and a rate needs a change.
MAY_BE_EMPTY = ("Tokens", "Findings raised in an hour", "Waits for the model")


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def dashboard_queries():
    """Title and query of each target and of each variable, as Grafana fills them in."""
    with open(os.path.join(FLEET, "sooth-dashboard.json"), encoding="utf-8") as file:
        board = json.load(file)
    found = [(panel["title"], target["expr"]) for panel in board["panels"] for target in panel["targets"]]
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            found.append((variable["name"], variable["query"].removeprefix("label_values(").rpartition(",")[0]))
    for title, query in found:
        for name, value in (("$instance", ".*"), ("$agent", ".*"), ("$__rate_interval", "20s")):
            query = query.replace(name, value)
        yield title, query


class Scraped(MetricsCase):
    def setUp(self):
        super().setUp()
        for program in ("prometheus", "victoria-metrics"):
            if not shutil.which(program):
                self.skipTest("no " + program)

    def start_prometheus(self, port):
        config, at = self.path("prometheus.yml"), free_port()
        with open(config, "w", encoding="ascii") as file:
            json.dump({"global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
                       "rule_files": [os.path.abspath(os.path.join(FLEET, "sooth-rules.yml"))],
                       "scrape_configs": [{"job_name": "sooth", "static_configs": [
                           {"targets": ["127.0.0.1:%d" % port]}]}]}, file)
        process = self.start("prometheus", "--config.file=" + config, "--storage.tsdb.path=" + self.path("tsdb"),
                             "--web.listen-address=127.0.0.1:%d" % at)
        return process, at

    def start_victoria(self, port):
        config, at = self.path("victoria.yml"), free_port()
        with open(config, "w", encoding="ascii") as file:
            json.dump({"global": {"scrape_interval": "1s"}, "scrape_configs": [{"job_name": "sooth", "static_configs": [
                {"targets": ["127.0.0.1:%d" % port]}]}]}, file)
        process = self.start("victoria-metrics", "-httpListenAddr=127.0.0.1:%d" % at, "-retentionPeriod=1",
                             "-storageDataPath=" + self.path("victoria"), "-promscrape.config=" + config,
                             "-search.latencyOffset=0s", "-memory.allowedBytes=100MB")
        return process, at

    def query(self, port, query):
        url = "http://127.0.0.1:%d/api/v1/query?%s" % (port, urllib.parse.urlencode({"query": query}))
        with urllib.request.urlopen(url, timeout=30) as answer:
            result = json.load(answer)
        self.assertEqual(result["status"], "success", (query, result))
        return result["data"]["result"]

    def has(self, port, query):
        try:
            return bool(self.query(port, query))
        except OSError:
            return False

    def test_both(self):
        sooth, agent = self.serve(), self.agent()
        stopped = self.agent()
        prometheus, first = self.start_prometheus(sooth.port)
        _, second = self.start_victoria(sooth.port)
        self.tell(stopped, "busy")
        self.tell(agent, "idle", "busy", "waiting", "busy", "tool", "end", "idle")
        stopped.send(signal.SIGSTOP)
        mine = 'pid="%d"' % agent.pid
        for port in (first, second):
            harness.wait_until(lambda: self.has(port, "sooth_session_activity{state=\"idle\", %s} == 1" % mine), "a scrape")
            harness.wait_until(lambda: self.has(port, 'sooth_findings{finding="frozen", pid="%d"}' % stopped.pid), "a finding")
        time.sleep(3)
        for title, query in dashboard_queries():
            for port in (first, second):
                result = self.query(port, query)
                self.assertTrue(result or title in MAY_BE_EMPTY, (title, query, port == first))
        harness.wait_until(lambda: self.has(first, "agent:sooth_resident_memory_bytes:sum"), "a recording rule")
        self.check_history(sooth, agent, (first, second))
        self.assertTrue(prometheus.is_running())

    def check_history(self, sooth, agent, ports):
        """What both stored is what the history of the same monitor says, state by state."""
        query = 'sum by (state) (sooth_session_activity_seconds_total{pid="%d"})' % agent.pid
        stored = [{row["metric"]["state"]: float(row["value"][1]) for row in self.query(port, query)} for port in ports]
        self.end(sooth)
        states = {row["state"]: row["total_ns"] / 1e9 for row in self.report(str(agent.pid))["phase_states"]}
        for state in ("waits_for_user", "waits_for_model", "runs_tool"):
            for one in stored:
                self.assertAlmostEqual(one[state], states[state], delta=0.001)

    def test_a_prometheus_that_is_stopped(self):
        sooth, agent = self.serve(), self.agent()
        self.tell(agent, "busy")
        prometheus, port = self.start_prometheus(sooth.port)
        harness.wait_until(lambda: self.has(port, "sooth_sessions"), "a scrape")
        time.sleep(5)
        rss, cpu = self.rss(sooth.pid), harness.cpu_s(sooth.pid)
        time.sleep(10)
        scraped = harness.cpu_s(sooth.pid) - cpu
        prometheus.send(signal.SIGSTOP)
        cpu = harness.cpu_s(sooth.pid)
        time.sleep(10)
        self.assertLess(harness.cpu_s(sooth.pid) - cpu, scraped + 0.2)
        self.assertLess(abs(self.rss(sooth.pid) - rss), 1 << 20)
        prometheus.send(signal.SIGCONT)
        self.end(sooth)

    def rss(self, pid):
        with open("/proc/%d/statm" % pid, encoding="ascii") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def test_a_thousand_sessions(self):
        program = os.path.join(self.path("home"), ".local/share/claude/versions/2.1.328")
        os.makedirs(os.path.dirname(program))
        shutil.copy("/bin/sleep", program)
        sleepers = [subprocess.Popen([program, "600"], stdin=subprocess.DEVNULL) for _ in range(SESSIONS)]
        try:
            sooth = self.serve("--sample", "2s")
            harness.wait_until(lambda: sum(of(self.page(sooth.port), "sooth_agent_processes", agent="claude").values())
                               >= SESSIONS, "all sessions")
            text = self.request(sooth.port)[1]
            page = parse(text)
            self.assertGreaterEqual(of(page, "sooth_sessions").popitem()[1], SESSIONS)
            self.assertGreaterEqual(of(page, "sooth_sessions_folded").popitem()[1], SESSIONS - 200)
            self.assertEqual(len(of(page, "sooth_session_processes")), 201)
            shared, = of(page, "sooth_session_processes", agent="other").values()
            self.assertGreaterEqual(shared, SESSIONS - 200)
            names = {}
            for name, _ in page:
                names[name] = names.get(name, 0) + 1
            self.assertLess(max(names.values()), 201 * 10)
            print("%d samples, %d bytes" % (len(page), len(text)))
            self.end(sooth)
        finally:
            for one in sleepers:
                one.kill()
            for one in sleepers:
                one.wait()


if __name__ == "__main__":
    harness.main()
