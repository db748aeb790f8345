# SPDX-License-Identifier: BSD-2-Clause
"""What speedscope's own page makes of our stacks and timelines, in a real browser; and that it
refuses what is broken, so that taking ours means something."""
import base64
import json
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
for folder in ("..", "../cli", "../live", "."):
    sys.path.insert(0, os.path.join(HERE, folder))

import harness
from agents.install import CannotInstall, Package, install
from browser import SKIPPED, Browser, missing
from export_case import DIAGNOSED, STREAMED, ExportCase

PACKAGE = Package(name="speedscope", package="speedscope", version="1.25.0",
    executable="node_modules/.bin/speedscope")
PAGE = "node_modules/speedscope/dist/release/index.html"
REFUSAL = "Unrecognized format"


class Speedscope(ExportCase):
    page = None  # of speedscope

    def show(self, browser, name, data):
        """What the page says: the text of its alert, or of its head."""
        script = self.path("profile.js")
        with open(script, "w") as file:
            file.write("speedscope.loadFileFromBase64(%s, %s)\n" % (
                json.dumps(name), json.dumps(base64.b64encode(data).decode())))
        browser.open("about:blank")
        browser.open("file://%s#localProfilePath=%s" % (self.page, script))
        harness.wait_until(lambda: self.look(browser, name), "speedscope to read " + name)
        return self.seen

    def look(self, browser, name):
        self.seen = browser.dialog()
        if self.seen is None and browser.run("return document.title").startswith(name):
            self.seen = browser.run("return document.body.innerText")
        return self.seen is not None

    def test_timeline(self):
        """A profile for each thread that made calls."""
        data = self.export("chrome", STREAMED).out
        threads = {(c["pid"], c["tid"]) for c in self.calls(STREAMED)}
        with Browser() as browser:
            head = self.show(browser, "streamed.json", data)
            browser.shot("speedscope-chrome")
        self.assertNotIn(REFUSAL, head)
        for pid, tid in threads:
            self.assertRegex(head, r"\(pid %d\).*\(tid %d\)" % (pid, tid))
        several = re.search(r"\(1/(\d+)\)", head)
        self.assertEqual(int(several.group(1)) if several else 1, len(threads))

    def test_stacks(self):
        with Browser() as browser:
            head = self.show(browser, "streamed.folded", self.export("folded", STREAMED).out)
            browser.shot("speedscope-folded")
        self.assertNotIn(REFUSAL, head)

    def test_sampled(self):
        """Samples in each format that it reads; a file that is cut is refused."""
        if os.geteuid():
            self.skipTest("needs root")
        capture = self.path("p.sooth")
        self.sooth("profile", "--save", capture, "--", sys.executable, "-c", "sum(i * i for i in range(2000000))")
        with Browser() as browser:
            for name, format_ in (("p.pb.gz", "pprof"), ("s.json", "speedscope"), ("p.json", "chrome"),
                                  ("p.chrome.json", "chrome"), ("p.folded", "folded")):
                file = self.path(name)
                self.sooth("profile", "--format", format_, "-o", file, capture)
                with open(file, "rb") as stacks:
                    data = stacks.read()
                head = self.show(browser, name if format_ != "speedscope" else "", data)
                browser.shot("speedscope-" + format_)
                self.assertNotIn(REFUSAL, head, format_)
                if format_ in ("speedscope", "chrome"):
                    self.assertRegex(head, "python" if format_ == "speedscope" else name)
                # By that name it takes whatever comes for a trace, and has no words for a broken one.
                if format_ in ("speedscope", "chrome") and name != "p.chrome.json":
                    self.assertIn(REFUSAL, self.show(browser, name, data[:len(data) // 2]), format_)

    def test_counters_and_marks_alone(self):
        """Without a call there is nothing for it to draw: it says so, and reads the file."""
        with Browser() as browser:
            head = self.show(browser, "x.json", self.export("chrome", DIAGNOSED).out)
        self.assertNotIn(REFUSAL, head)

    def test_broken_ones(self):
        whole = self.export("chrome", STREAMED).out
        with Browser() as browser:
            for name, data in (("cut.json", whole[:len(whole) // 2]),
                               ("other.json", whole.replace(b'"ph":"X"', b'"ph":X', 1)),
                               ("noise.folded", bytes(range(128, 256)) * 20)):
                self.assertIn(REFUSAL, self.show(browser, name, data), name)


if __name__ == "__main__":
    lack = missing()
    try:
        Speedscope.page = os.path.join(
            os.path.dirname(install(PACKAGE)), "..", "..", PAGE) if not lack else None
    except CannotInstall as error:
        lack = str(error)
    if lack:
        print("skipped: %s" % lack)
        sys.exit(SKIPPED)
    Speedscope.page = os.path.realpath(Speedscope.page)
    harness.main()
