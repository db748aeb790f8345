# SPDX-License-Identifier: BSD-2-Clause
"""
--html: one page that refers to nothing outside, in which what a target has for names is text. What
a browser makes of it is in tests/pictures/test_page.py.
"""
import base64
import hashlib
import html.parser
import json
import os
import re
import socket
import stat
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "live"))

import harness
from harness import Case

SICK, TIMELINE, STREAM, CALLS, FAMILY = (os.path.join(HERE, "baseline", name + ".sooth")
    for name in ("sick", "timeline", "stream", "syscalls", "family_diagnose"))
VOID = {"meta", "br", "input"}
SHAPES = {"rect", "path", "line"}
HOSTILE = "</script><img src=x onerror=alert(1)>\"'&<!--\u202e]]>"


class Page(html.parser.HTMLParser):
    """Fails at a tag that does not fit; keeps what tests ask for."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.texts, self.attributes = [], [], [], []
        self.tables, self.row, self.cell = [], None, None
        self.raw = {"style": [], "script": []}
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_startendtag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attributes]

    def handle_starttag(self, tag, attributes):
        self.handle_startendtag(tag, attributes)
        values = dict(attributes)
        if tag not in VOID:
            self.open.append(tag)
        if tag == "section":
            self.section = values.get("data-name")
        elif tag == "table":
            self.tables.append((self.section, [], []))
        elif tag == "th":
            self.tables[-1][1].append(values["data-key"])
        elif tag == "tr" and "below" not in values.get("class", ""):
            self.tables[-1][2].append([])
        elif tag == "td" and self.tables[-1][2]:
            self.tables[-1][2][-1].append(values.get("data-v"))

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, (tag, self.open[-4:], self.getpos())
        self.open.pop()

    def handle_data(self, data):
        if self.open and self.open[-1] in self.raw and not any(
                name == "type" for of, name, _ in self.attributes[-2:] if of == "script"):
            self.raw[self.open[-1]].append(data)
        self.texts.append(data)

    def text(self):
        return "".join(self.texts)


class Html(Case):
    def page(self, *argv):
        path = self.path("page.html")
        if os.path.exists(path):
            os.remove(path)
        self.sooth(*argv, "--html", "-o", path, timeout=60)
        with open(path, encoding="utf-8") as file:
            self.written = file.read()
        self.path_written = path
        return Page(self.written)

    def test_structure(self):
        for argv in (["report", SICK], ["report", TIMELINE], ["report", STREAM], ["report", CALLS],
                     ["diagnose", SICK], ["diagnose", FAMILY], ["timeline", TIMELINE]):
            with self.subTest(argv):
                page = self.page(*argv)
                self.assertTrue(self.written.startswith("<!DOCTYPE html>\n<html lang=\"en\">"))
                self.assertEqual(page.tags.count("h1"), 1)
                self.assertEqual(page.tags.count("main"), 1)
                ids = [value for _, name, value in page.attributes if name == "id"]
                links = [value for tag, name, value in page.attributes if name == "href"]
                for link in links:
                    self.assertRegex(link, "^#")
                    self.assertIn(link[1:], ids)
                self.assertEqual(stat.S_IMODE(os.stat(self.path_written).st_mode), 0o600)

    def test_nothing_outside(self):
        for argv in (["report", SICK], ["diagnose", SICK]):
            page = self.page(*argv)
            for tag, name, value in page.attributes:
                self.assertNotIn(name, ("src", "srcset", "style", "action", "data", "xlink:href"), tag)
                self.assertFalse(name.startswith("on"), (tag, name, value))
            self.assertFalse(set(page.tags) & {"link", "img", "iframe", "object", "embed", "base", "form"})
            self.assertFalse(re.search(r"url\((?!#)|@import", "".join(page.raw["style"])))
            # The names of the two languages, which nothing loads.
            found = set(re.findall(r"https?://[^\s\"'<]*", "".join(page.raw["script"] + page.raw["style"])))
            self.assertLessEqual(found, {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xhtml"})

    def test_policy(self):
        page = self.page("diagnose", SICK)
        policy = next(value for tag, name, value in page.attributes
                      if tag == "meta" and value.startswith("default-src"))
        self.assertTrue(policy.startswith("default-src 'none';"), policy)
        self.assertNotIn("unsafe", policy)
        rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
        for element in ("style", "script"):
            texts = re.findall(f"<{element}>(.*?)</{element}>", self.written, re.DOTALL)
            hashes = ["'sha256-%s'" % base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
                      for text in texts]
            self.assertEqual(rules[element + "-src"].split(), hashes)
        # The policy is there before anything that it is for.
        self.assertLess(self.written.index("default-src"), self.written.index("<title>"))

    def test_first_lines(self):
        lines = self.sooth("diagnose", SICK).text.splitlines()
        self.page("diagnose", SICK)
        headline = re.search('<div class="headline">(.*?)</div>', self.written, re.DOTALL).group(1)
        self.assertEqual(re.findall(">([^<]*)</p>", headline), lines[:lines.index("")])

    def assert_numbers(self, page, told):
        compared = 0
        for section, keys, rows in page.tables:
            if not isinstance(told.get(section), list):
                continue
            rows = [row for row in rows if len(row) == len(keys)]
            if len(rows) != len(told[section]) or not rows or set(keys) - set(told[section][0]):
                continue
            for row, of in zip(rows, told[section]):
                for key, value in zip(keys, row):
                    if value is not None:
                        self.assertEqual(float(value), float(of[key]), (section, key))
                        compared += 1
        return compared

    def test_numbers(self):
        self.assertGreater(self.assert_numbers(
            self.page("report", SICK), self.sooth("report", "-j", SICK).json()), 1000)
        self.assertGreater(self.assert_numbers(
            self.page("timeline", TIMELINE), self.sooth("timeline", "-j", TIMELINE).json()), 20)

    def test_evidence(self):
        text = self.page("diagnose", SICK).text()
        for process in self.sooth("diagnose", "-j", SICK).json()["processes"]:
            for finding in process["findings"]:
                self.assertIn(finding["claim"], text)
                self.assertIn(finding["remedy"], text)
                for evidence in finding["evidence"]:
                    self.assertIn("%s: %s" % (evidence["name"], evidence["text"]), text)

    def test_what_was_not_measured(self):
        page = self.page("diagnose", SICK)
        limits = self.sooth("diagnose", "-j", SICK).json()["limits"]
        notes = self.written[self.written.index('<section id="notes">'):]
        self.assertNotIn("<details", notes)
        for limit in limits:
            self.assertIn(limit["reason"], page.text())
        # A page also says which tracks its timeline lacks.
        self.assertIn("not measured: %d" % (len(limits) + 1), page.text())
        self.assertIn("not measured: API calls over time: system calls were not recorded", page.text())

    def test_size(self):
        for path in (SICK, FAMILY):
            self.page("diagnose", path)
            self.assertLess(len(self.written), 300_000)
            self.page("report", path)
            self.assertLess(len(self.written), 2_000_000)

    def api_capture(self, seconds=2):
        """Calls to a server that answers the first ones late, and the last one not at all."""
        capture, path = self.path("api.sooth"), "/v1/" + HOSTILE.replace(" ", "+")
        server = socket.create_server(("127.0.0.1", 0))

        def serve(client):
            with client:
                for pause in (0.2, 0.1, None):
                    if not client.recv(65536) or pause is None:
                        client.recv(1)
                        return
                    time.sleep(pause)
                    client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

        threading.Thread(target=lambda: serve(server.accept()[0]), daemon=True).start()
        program = ("import socket, sys, time\n"
            "peer = socket.create_connection(('127.0.0.1', int(sys.argv[1])))\n"
            "for i in range(3):\n"
            "    peer.sendall(('POST %s HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n' % sys.argv[2]).encode())\n"
            "    if i < 2: peer.recv(4096)\n"
            "time.sleep(float(sys.argv[3]))")
        self.sooth("api", "--save", capture, "-d", str(seconds), "--", sys.executable, "-c", program,
            str(server.getsockname()[1]), path, str(seconds + 20))
        server.close()
        return capture

    def test_api_calls(self):
        capture = self.api_capture()
        calls = self.sooth("timeline", "-j", capture).json()["api_calls"]
        ended = [call for call in calls if call["outcome"] == "answered"]
        self.assertEqual(len(ended), 2)
        for call, least_ns in zip(ended, (0.2e9, 0.1e9)):
            self.assertGreaterEqual(call["first_byte_ns"], least_ns)
            self.assertLess(call["first_byte_ns"], least_ns + 1e9)
            self.assertGreaterEqual(call["to_ns"] - call["from_ns"], call["first_byte_ns"])
        open_ones = [call for call in calls if call not in ended]
        self.assertEqual([call.get("first_byte_ns") for call in open_ones], [None])
        page = self.page("report", capture)
        data = json.loads(re.search(r'id="data">(.*?)</script>', self.written, re.DOTALL).group(1))
        spans = [span for span in data["spans"] if span["call"]]
        self.assertEqual([span["from"] for span in spans], [call["from_ns"] for call in calls])
        # They follow each other, so they have one row.
        self.assertEqual(len({span["row"] for span in spans}), 1)
        self.assertRegex(data["rows"][spans[0]["row"]]["label"], "^127.0.0.1:")
        self.assertEqual(self.written.count("</script>"), self.written.count("<script"))
        self.assertNotIn("\u202e", self.written)
        self.assertNotIn("img", page.tags)
        self.assertIn("POST /v1/", page.text())
        self.assertNotIn("not measured: API calls over time", page.text())

    def test_descriptors(self):
        capture = self.hostile_capture()
        tracks = self.sooth("timeline", "-j", capture).json()["descriptors"]
        self.assertGreaterEqual(max(track["max_count"] for track in tracks), 8)
        self.assertIn("open descriptors", self.page("report", capture).text())
        self.assertIn("not measured: descriptors over time", self.page("report", CALLS).text())

    def test_bundle(self):
        capture, bundle = self.hostile_capture(), self.path("bundle.json")
        self.sooth("diagnose", "--html", "--bundle", bundle, capture)
        self.assertEqual(stat.S_IMODE(os.stat(bundle).st_mode), 0o600)
        with open(bundle) as file:
            report = json.load(file)
        self.assertEqual(report["schema"]["name"], "bundle")
        page = Page(report["page_html"])
        self.assertTrue(report["page_html"].startswith("<!DOCTYPE html>"))
        self.assertIn("timeline", page.text())
        for private in (self.folder, os.uname().nodename):
            self.assertNotIn(private, report["page_html"])
        # Beside a page of its own, which has the names.
        own = self.path("own.html")
        self.sooth("diagnose", "--html", "-o", own, "--bundle", bundle, capture)
        with open(bundle) as file:
            self.assertNotIn(self.folder, json.load(file)["page_html"])
        self.sooth("diagnose", "--bundle", bundle, capture)
        with open(bundle) as file:
            self.assertNotIn("page_html", json.load(file))

    def hostile_capture(self):
        capture = self.path("hostile.sooth")
        program = ("import ctypes, sys, time, threading\n"
            "name = sys.argv[1].encode()\n"
            "ctypes.CDLL(None).prctl(15, name[:15], 0, 0, 0)\n"
            "kept = [open(sys.argv[2] + '/' + str(i) + sys.argv[1].replace('/', ''), 'w') for i in range(5)]\n"
            "time.sleep(0.5)")
        self.sooth("record", "--probe", "proc,fds,threads,maps", "--sample", "100ms", "-o", capture, "--",
            sys.executable, "-c", program,
            HOSTILE, self.folder, "x" * 10000 + HOSTILE)
        return capture

    def test_hostile(self):
        capture = self.hostile_capture()
        for command in ("report", "diagnose"):
            page = self.page(command, capture)
            self.assertNotIn("img", page.tags)
            self.assertNotIn("onerror", [name for _, name, _ in page.attributes])
            self.assertNotIn("\u202e", self.written)
            self.assertEqual(self.written.count("</script>"), self.written.count("<script"))
        self.page("report", capture)
        self.assertIn("&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;", self.written)
        self.assertIn("bytes more)", self.written)

    def test_redacted(self):
        capture = self.hostile_capture()
        page = self.page("report", capture)
        self.assertIn(self.folder, page.text())
        page = self.page("report", "--format", "redacted", capture)
        self.assertNotIn(self.folder, page.text())
        self.assertNotIn(os.uname().nodename, page.text())

    def test_refused(self):
        for argv, words in ((["report", SICK, "--html"], "a page is a file for a browser"),
                            (["report", SICK, "--html", "-j", "-o", self.path("x")], "as JSON"),
                            (["report", SICK, "--html", "--format", "csv", "-o", self.path("x")], "as csv"),
                            (["report", SICK, "--html", "--info", "-o", self.path("x")], "--info"),
                            (["diagnose", "--html", "-w", "-o", self.path("x")], "one diagnosis")):
            run = self.sooth(*argv, status=2)
            self.assertIn(words, run.errors)
            self.assertFalse(os.path.exists(self.path("x")))

    def test_no_link_followed(self):
        target, link = self.path("precious"), self.path("link.html")
        with open(target, "w") as file:
            file.write("precious")
        os.symlink(target, link)
        self.sooth("report", SICK, "--html", "-o", link, status=None)
        with open(target) as file:
            self.assertEqual(file.read(), "precious")


if __name__ == "__main__":
    harness.main()
