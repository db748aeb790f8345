# SPDX-License-Identifier: BSD-2-Clause
"""
Traces and logs for OpenTelemetry: what a collector on loopback gets from `sooth monitor --otlp`, and what
`sooth export` writes of the same history; decoded by protoc with the official definitions. A collector that is
absent, stalled, busy or hostile.
"""
import contextlib
import gzip
import http.server
import json
import os
import re
import shutil
import struct
import subprocess
import threading
import time
import unittest

import harness
import other_runtimes
import test_history
from agents import known, modes, tls
from agents.agent import Agent, reason_to_skip

SERVICES = {"/v1/traces": ("trace", "Trace"), "/v1/logs": ("logs", "Logs"), "/v1/metrics": ("metrics", "Metrics")}
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
OF_TOOL = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
NO_CONTEXTS = (OF_TOOL + "0", OF_TOOL[:-1], OF_TOOL.upper(), "01" + OF_TOOL[2:], "00-" + "0" * 32 + OF_TOOL[35:],
               OF_TOOL[:36] + "0" * 16 + "-01", "sk-ant-api03-" + "Zq8Wv3Rt5Yp2Lm9Kx4Nc7" * 2, "x" * 100000, "\udcff" * 55,
               OF_TOOL[:54] + "\n", "")
NUMBERS = ("intValue", "asInt", "count", "bucketCounts")  # of 64 bits: texts in JSON


class Collector:
    """An HTTP server on loopback; `behave` gets each request, and may return a status and headers."""

    def __init__(self, behave=lambda handler: (200, {}), tls=None):
        self.posts, self.over = [], threading.Event()
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers["Content-Encoding"] == "gzip":
                    body = gzip.decompress(body)
                collector.posts.append((self.path, dict(self.headers), body, time.monotonic()))
                status, headers = behave(self)
                with contextlib.suppress(OSError):
                    self.send_response(status)
                    for name, value in headers.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", "0")
                    self.end_headers()

            def do_GET(self):
                collector.posts.append((self.path, dict(self.headers), b"", time.monotonic()))
                self.send_error(404)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.url = "http%s://127.0.0.1:%d" % ("s" if tls else "", self.server.server_address[1])
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.over.set()
        self.server.shutdown()
        self.server.server_close()

    def bodies(self, path):
        return [body for where, _, body, _ in self.posts if where == path]


def values(attributes):
    return {one["key"]: next(iter(one["value"].values())) for one in attributes}


def items(requests, kind):
    """(attributes of the resource, item) of requests of JSON; `kind`: "Span" or "LogRecord"."""
    outer, inner, last = {"Span": ("resourceSpans", "scopeSpans", "spans"),
                          "LogRecord": ("resourceLogs", "scopeLogs", "logRecords")}[kind]
    for request in requests:
        for resource in request.get(outer, []):
            for scope in resource[inner]:
                for item in scope[last]:
                    yield values(resource["resource"]["attributes"]), item


# --- protoc ---

def official():
    """The folder with the official definitions; None: they cannot be had."""
    folder = other_runtimes.command("otlp")
    return os.path.join(folder[-1], "..", "..") if folder and shutil.which("protoc") else None


def protoc(folder, path, action, data):
    service, name = SERVICES[path]
    package = "opentelemetry.proto.collector.%s.v1" % service
    return subprocess.run(["protoc", "-I", folder, "--%s=%s.Export%sServiceRequest" % (action, package, name),
                           package.replace(".", "/") + "/%s_service.proto" % service],
                          input=data, stdout=subprocess.PIPE, check=True).stdout


def as_text(value, level=0):
    """A message of JSON in protobuf's text format, by the rules of OTLP alone."""
    lines = []
    for key, one in value.items():
        name = re.sub("[A-Z]", lambda m: "_" + m.group().lower(), key)
        for each in one if isinstance(one, list) else [one]:
            if isinstance(each, dict):
                lines += [name + " {", as_text(each, level + 1), "}"]
            elif key.endswith("Id"):
                lines.append('%s: "%s"' % (name, "".join("\\x" + each[i:i + 2] for i in range(0, len(each), 2))))
            elif isinstance(each, bool) or not isinstance(each, str):
                lines.append("%s: %s" % (name, json.dumps(each)))
            elif key.endswith("Nano") or key in NUMBERS:
                lines.append("%s: %s" % (name, each))
            else:
                lines.append('%s: "%s"' % (name, "".join("\\%03o" % byte for byte in each.encode())))
    return "\n".join(lines)


class OtlpCase(test_history.HistoryCase):
    def collector(self, *arguments):
        collector = Collector(*arguments)
        self.addCleanup(collector.close)
        return collector

    def export(self, kind, *words, input_path=None):
        path = self.path("exported")
        self.sooth("export", "--format", {"json": "otlp-json", "proto": "otlp-proto"}[kind], "-o", path, *words,
                   input_path or os.path.join(self.history, self.files()[0]))
        with open(path, "rb") as file:
            return file.read()

    def exported_json(self, *words, **options):
        return [json.loads(line) for line in self.export("json", *words, **options).splitlines()]

    def exported_protobuf(self, *words):
        data, at = self.export("proto", *words), 0
        while at < len(data):
            size, = struct.unpack_from(">I", data, at)
            yield data[at + 4:at + 4 + size]
            at += 4 + size


class Push(OtlpCase):
    def test_what_a_collector_gets(self):
        """The spans of a session as they end, and the same ones in an export of the history."""
        collector = self.collector()
        headers = self.path("headers")
        with open(headers, "w", encoding="utf-8", opener=lambda p, f: os.open(p, f, 0o600)) as file:
            file.write("# of the test\nAuthorization: Bearer of-the-test\nX-Scope: 7\n")
        sooth = self.monitor("--otlp", collector.url + "/", "--otlp-headers", headers, "--otlp-encoding", "json",
                             "--otlp-gzip")
        agent = self.agent()
        self.tell(agent, "idle", "busy", "tool", "end", "idle")
        agent.say(b"quit\n")
        agent.finish()
        harness.wait_until(lambda: any(row["pid"] == agent.pid and row["has_ended"]
                                       for row in self.report()["phase_sessions"]), "the end in the history")
        self.end(sooth)
        for path, sent, _, _ in collector.posts:
            self.assertIn(path, SERVICES)
            self.assertEqual(sent["Content-Encoding"], "gzip")
            self.assertEqual((sent["Content-Type"], sent["Authorization"], sent["X-Scope"]),
                             ("application/json", "Bearer of-the-test", "7"))
        spans = self.of_agent(map(json.loads, collector.bodies("/v1/traces")), agent)
        self.check_spans(spans, agent)
        self.assertEqual(self.sorted(spans), self.sorted(self.of_agent(self.exported_json(), agent)))
        self.assertEqual(self.exported_json(input_path=self.history), self.exported_json())
        self.check_metrics(list(map(json.loads, collector.bodies("/v1/metrics"))), agent)
        self.check_encodings()

    def check_metrics(self, requests, agent):
        """The last values are those at the end of the monitor."""
        metrics = {metric["name"]: metric for request in requests for resource in request["resourceMetrics"]
                   for scope in resource["scopeMetrics"] for metric in scope["metrics"]}
        self.assertEqual(metrics["sooth_build_info"]["gauge"]["dataPoints"][0]["asInt"], "1")
        self.assertTrue(metrics["sooth_agent_cpu_seconds"]["sum"]["isMonotonic"])
        spent = {values(point["attributes"])["state"]: point["asDouble"]
                 for point in metrics["sooth_session_activity_seconds"]["sum"]["dataPoints"]
                 if values(point["attributes"]).get("pid") == str(agent.pid)}
        self.assertLess(abs(spent["runs_tool"] - 1), 0.6, spent)
        folder = official()
        for request in requests if folder else ():
            self.assertTrue(protoc(folder, "/v1/metrics", "encode", as_text(request).encode()))

    @staticmethod
    def of_agent(requests, agent):
        return [span for resource, span in items(requests, "Span") if resource.get("process.pid") == str(agent.pid)]

    @staticmethod
    def sorted(spans):
        return sorted(spans, key=lambda span: (span["startTimeUnixNano"], span["spanId"]))

    def check_spans(self, spans, agent):
        by_id = {span["spanId"]: span for span in spans}
        self.assertEqual(len(by_id), len(spans))
        self.assertEqual(len({span["traceId"] for span in spans}), 1)
        names = [span["name"] for span in self.sorted(spans) if span["name"] not in ("unknown", "starts", "computes")]
        self.assertEqual(sorted(names), ["chat", "chat", "execute_tool", "invoke_agent claude", "session claude"])
        for span in spans:
            self.assertLessEqual(int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"]))
            parent = by_id[span["parentSpanId"]]["name"] if "parentSpanId" in span else None
            own = values(span["attributes"])
            if span["name"] in ("chat", "execute_tool"):
                self.assertEqual(parent, "invoke_agent claude")
                self.assertEqual(own["gen_ai.operation.name"], span["name"])
                length = int(span["endTimeUnixNano"]) - int(span["startTimeUnixNano"])
                self.assertLess(abs(length / 1e9 - 1), 0.6, span)
            if span["name"] == "execute_tool":
                self.assertEqual(own["sooth.tool_command"], "sleep 100")
            if span["name"] == "session claude":
                self.assertEqual((parent, own["sooth.has_ended"], own["sooth.end"]),
                                 (None, True, "exited with status 7"))
            self.assertEqual(own["gen_ai.conversation.id"], test_history.SESSION)
        self.assertGreater(agent.pid, 0)

    def check_encodings(self):
        """The official definitions read both encodings as the same messages."""
        folder = official()
        if not folder:
            self.skipTest("the official definitions of OTLP cannot be had")
        for path, signal in (("/v1/traces", "traces"), ("/v1/logs", "logs")):
            of_json = self.exported_json("--signal", signal)
            of_protobuf = list(self.exported_protobuf("--signal", signal))
            self.assertEqual(len(of_json), len(of_protobuf))
            self.assertTrue(signal == "logs" or of_json)
            for one, other in zip(of_json, of_protobuf):
                decoded = protoc(folder, path, "decode", other)
                self.assertNotIn(b"\n1: ", decoded)
                self.assertEqual(decoded, protoc(folder, path, "decode",
                                                 protoc(folder, path, "encode", as_text(one).encode())))


class Links(OtlpCase):
    """To the trace of an agent that writes OpenTelemetry itself, by one variable of its processes."""

    def spans_of(self, tools, **variables):
        sooth, agent = self.monitor(), self.agent(**variables)
        self.tell(agent, "busy", *tools, "idle")
        agent.say(b"quit\n")
        agent.finish()
        self.end(sooth)
        return Push.sorted(Push.of_agent(self.exported_json(input_path=self.history), agent))

    def test_links(self):
        """The trace and the ids stay those of the session."""
        spans = self.spans_of(("tool", "end", "traced", "end"), TRACEPARENT=PARENT, TOOL_TRACE=OF_TOOL)
        linked = {span["name"]: span["links"] for span in spans if "links" in span}
        self.assertEqual(linked, {name: [dict(zip(("traceId", "spanId"), context.split("-")[1:3]))]
                                  for name, context in (("session claude", PARENT), ("execute_tool", OF_TOOL))})
        # The first tool only inherited what the agent got itself, which is not the span of its tool.
        self.assertEqual(["links" in span for span in spans if span["name"] == "execute_tool"], [False, True])
        self.assertNotIn(PARENT[3:35], {span["traceId"] for span in spans})
        folder = official()
        for request in self.exported_json(input_path=self.history) if folder else ():
            if "resourceSpans" in request:
                text = protoc(folder, "/v1/traces", "encode", as_text(request).encode())
                self.assertIn(bytes.fromhex(PARENT[3:35]), text)

    def test_texts_that_are_no_context(self):
        for text in NO_CONTEXTS if harness.IS_LONG else NO_CONTEXTS[6:7]:
            with self.subTest(text[:60]):
                spans = self.spans_of(("traced", "end"), TRACEPARENT=text, TOOL_TRACE=text)
                self.assertEqual([span["name"] for span in spans if "links" in span], [])
                rows = self.sooth("export", "--format", "tsv", "--table", "phase_span", "-o", "-",
                                  os.path.join(self.history, self.files()[0])).out
                self.assertNotIn(text[:40].encode("utf-8", "surrogateescape") or b"\0", rows)
                shutil.rmtree(self.history)


    @unittest.skipUnless(harness.IS_LONG, "the short tests have a program that is taken for an agent")
    def test_of_claude_code(self):
        """What a real agent gives its tool is the link of the tool's span."""
        reason = reason_to_skip(known.CLAUDE_CODE)
        if reason:
            self.skipTest(reason)
        sooth = self.monitor()
        tracing = {"CLAUDE_CODE_ENABLE_TELEMETRY": "1", "CLAUDE_CODE_ENHANCED_TELEMETRY_BETA": "1",
                   "CLAUDE_CODE_PROPAGATE_TRACEPARENT": "1", "OTEL_TRACES_EXPORTER": "otlp",
                   "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9",
                   "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": ""}
        with Agent(known.CLAUDE_CODE, mode=modes.TOOL, environment=tracing) as agent:
            agent.wait_until_in_mode()
            with open("/proc/%d/environ" % agent.tool_pids()[0], "rb") as file:
                given, = re.findall(rb"\0TRACEPARENT=00-(\w+)-(\w+)-\w+\0", file.read())
            time.sleep(3)
        self.end(sooth)
        links = [span.get("links") for span in Push.of_agent(self.exported_json(input_path=self.history), agent)
                 if span["name"].startswith("execute_tool")]
        self.assertIn([{"traceId": given[0].decode(), "spanId": given[1].decode()}], links)


class Refusals(OtlpCase):
    def refused(self, *words):
        run = self.sooth("monitor", "--fifo-dir", self.path("fifos"), "--no-history", "-d", "1s", *words, status=None)
        self.assertNotEqual(run.status, 0, run.errors)
        return run.errors

    def test_urls(self):
        for url, why in (("http://192.0.2.1:4318", "http to another host can be read on the way"),
                         ("http://127.0.0.1.example.com", "http to another host can be read on the way"),
                         ("http://alice:hunter2@127.0.0.1", "other users can read a password in it"),
                         ("ftp://127.0.0.1", "it is neither http nor https"),
                         ("127.0.0.1:4318", "it is"),
                         ("ftp://alice:hunter2@127.0.0.1", "it is neither http nor https"),
                         ("http://127.0.0.1/?key=hunter2", "a path is added"),
                         ("http://a b/?key=hunter2", "it is no URL")):
            with self.subTest(url):
                text = self.refused("--otlp", url)
                self.assertIn(why, text)
                self.assertNotIn("hunter2", text)

    def test_checked_settings(self):
        """The address and the URL, without a connection."""
        conf = self.path("conf")
        for text, why in (("otlp = http://LOCALHOST:1\nlisten = 127.0.0.1:0\n", None),
                          ("otlp = http://192.0.2.1:4318\n", "http to another host can be read on the way"),
                          ("otlp = http://127.0.0.1\notlp-headers = /no/such\n", "/no/such"),
                          ("listen = 127.0.0.1:x\n", "--listen 127.0.0.1:9400"),
                          ("listen = 0.0.0.0:0\n", "readers need a token, and TLS")):
            with open(conf, "w", encoding="utf-8") as file:
                file.write(text)
            run = self.sooth("monitor", "--check", "--config", conf, status=None)
            self.assertEqual(run.status == 0, why is None, run.errors)
            self.assertIn(why or "2 settings, all right", run.errors if why else run.text)

    def test_headers(self):
        path = self.path("headers")
        with open(path, "w", encoding="utf-8") as file:
            file.write("Authorization: Bearer hunter2\n")
        os.chmod(path, 0o640)
        self.assertIn("other users can read it", self.refused("--otlp", "http://127.0.0.1:1", "--otlp-headers", path))
        os.chmod(path, 0o600)
        with open(path, "a", encoding="utf-8") as file:
            file.write("no header hunter2\n")
        text = self.refused("--otlp", "http://127.0.0.1:1", "--otlp-headers", path)
        self.assertIn('a line is not "Name: value"', text)
        self.assertNotIn("hunter2", text)


@unittest.skipUnless(harness.IS_LONG, "the short tests have one push")
class Collectors(OtlpCase):
    """Collectors that do not do what they should."""

    def run_beside(self, url, seconds=25):
        """CPU seconds, and the growth of memory in kB after the first 5 s, beside an agent that changes all the time."""
        sooth, agent = self.monitor("--otlp", url), self.agent()
        end = time.monotonic() + seconds
        self.tell(agent, "busy", "idle", "busy", "idle", "busy")
        before = self.rss_kb(sooth.pid)
        while time.monotonic() < end:
            for word in ("idle", "busy"):
                agent.say(word.encode() + b"\n")
                time.sleep(0.3)
        grown, cpu = self.rss_kb(sooth.pid) - before, harness.cpu_s(sooth.pid)
        self.end(sooth)
        agent.say(b"quit\n")
        agent.finish()
        return sooth, cpu, grown

    @staticmethod
    def rss_kb(pid):
        with open("/proc/%d/status" % pid, encoding="utf-8") as file:
            return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1))

    def test_absent_and_stalled_ones_cost_nothing(self):
        taking = self.collector()
        stalled = self.collector(lambda handler: stalled.over.wait() and (200, {}))
        _, cpu, grown = self.run_beside(taking.url)
        for url in (stalled.url, "http://127.0.0.1:1"):
            sooth, own_cpu, own_grown = self.run_beside(url)
            self.assertIn(b"sooth: cannot send ", bytes(sooth.err))
            self.assertLess(own_grown, grown + 1024)
            self.assertLess(own_cpu, cpu * 1.3 + 0.2)

    def test_it_waits_as_long_as_the_collector_says(self):
        busy = self.collector(lambda handler: (503, {"Retry-After": "6"}))
        self.run_beside(busy.url)
        times = [at for _, _, _, at in busy.posts]
        self.assertGreater(len(times), 1)
        for before, after in zip(times, times[1:]):
            self.assertGreater(after - before, 5.5)

    def test_no_redirect_is_followed(self):
        other = self.collector()
        first = self.collector(lambda handler: (307, {"Location": other.url + "/v1/traces"}))
        sooth, _, _ = self.run_beside(first.url, 12)
        self.assertTrue(first.posts)
        self.assertEqual(other.posts, [])
        self.assertIn(b"HTTP status 307", bytes(sooth.err))

    def test_certificates(self):
        """Only a collector whose authority the system knows gets anything."""
        try:
            authority = tls.Authority(self.path("tls"))
        except tls.CannotCertify as error:
            self.skipTest(str(error))
        collector = self.collector(lambda handler: (200, {}), authority.context)
        known = "/etc/ssl/certs/ca-certificates.crt"
        for is_known in (False, True):
            sooth = self.start("unshare", "-m", "sh", "-c", 'mount --bind "$1" "$2" && shift 2 && exec "$@"', "sh",
                               authority.environment["SSL_CERT_FILE"] if is_known else known, known,
                               harness.SOOTH, "monitor", "--fifo-dir", self.path("fifos"), "--no-history",
                               "--otlp", collector.url, env=dict(os.environ, SSLKEYLOGFILE=self.path("keys")))
            harness.wait_until(lambda: collector.posts or b"cannot send" in bytes(sooth.err), "a post or an error")
            self.assertEqual(bool(collector.posts), is_known)
            self.assertEqual(b"certificate" in bytes(sooth.err).lower(), not is_known)
            self.assertFalse(os.path.exists(self.path("keys")))
            self.end(sooth)

    def test_losses_are_reported(self):
        """A collector that takes nothing and then all gets a log record about the rest."""
        busy = self.collector(lambda handler: (400 if len(busy.posts) < 3 else 200, {}))
        self.run_beside(busy.url)
        folder = official()
        if not folder:
            self.skipTest("the official definitions of OTLP cannot be had")
        logs = b"".join(protoc(folder, "/v1/logs", "decode", body) for body in busy.bodies("/v1/logs"))
        self.assertIn(b"sooth.dropped_items", logs)


if __name__ == "__main__":
    harness.main()
