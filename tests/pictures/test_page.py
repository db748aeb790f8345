#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
Pages of --html in a real browser, opened as files: nothing is asked for, nothing is complained of,
names of a target do nothing; tables sort and filter, pictures zoom, all of it by keys, at 360 pixels
and without scripts.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import browser as browsers  # noqa: E402

SOOTH = os.environ["SOOTH"]
BASELINE = pathlib.Path(__file__).parent.parent / "cli" / "baseline"
SICK = str(BASELINE / "sick.sooth")

# Its names are traps for whoever writes them unescaped. Time on the CPU, waits, descriptors.
HOSTILE = "</script></svg><img src=x onerror=alert(1)><b>\"'&"
LOAD = """
import ctypes, sys, threading, time
ctypes.CDLL(None).prctl(15, b"</a><b>'\\x1b", 0, 0, 0)
kept = [open(sys.argv[1] + "/" + str(i) + sys.argv[2].replace("/", ""), "w") for i in range(20)]
def wait():
    for _ in range(10): time.sleep(0.1)
thread = threading.Thread(target=wait)
thread.start()
end = time.thread_time() + 0.8
while time.thread_time() < end: sum(range(1000))
thread.join()
"""


def sooth(*arguments):
    run = subprocess.run([SOOTH, *arguments], capture_output=True, text=True)
    assert not run.returncode, run.stderr
    return run


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        folder = pathlib.Path(cls.folder.name)
        cls.pages = {name: str(folder / (name + ".html"))
                     for name in ("diagnosis", "report", "hostile", "profile", "waits")}
        capture = str(folder / "hostile.sooth")
        target = [sys.executable, "-c", LOAD, cls.folder.name, HOSTILE]
        sooth("record", "--probe", "proc,fds,threads,maps", "-o", capture, "--", *target)
        sooth("report", "--html", "-o", cls.pages["hostile"], capture)
        sooth("diagnose", "--html", "-o", cls.pages["diagnosis"], SICK)
        sooth("report", "--html", "-o", cls.pages["report"], SICK)
        for name, options in (("profile", ["--rate", "499"]), ("waits", ["--off-cpu"])):
            sooth("profile", *options, "--save", capture + name, "--", *target)
            sooth("report", "--html", "-o", cls.pages[name], capture + name)
        cls.browser = browsers.Browser()

    @classmethod
    def tearDownClass(cls):
        cls.browser.driver.quit()
        cls.folder.cleanup()

    def open(self, name, width=1280, height=900, scheme="light"):
        self.browser.size(width, height)
        self.browser.prefers(color_scheme=scheme)
        self.browser.open(self.pages[name])
        self.browser.wait("return document.documentElement.dataset.ready")
        self.browser.requests()

    def of_table(self, name, script, *arguments):
        """The body of a function of the table of a section, unfolded."""
        return self.browser.run(
            "const table = document.querySelector(`[data-name=${arguments[0]}] table`);"
            "table.closest('details')?.setAttribute('open', '');"
            "const [, ...given] = arguments;" + script, name, *arguments)

    # --- nothing happens by itself ---

    def test_quiet(self):
        for name, path in self.pages.items():
            with self.subTest(name):
                self.browser.requests()
                self.browser.open(path)
                self.browser.wait("return document.documentElement.dataset.ready")
                self.assertIsNone(self.browser.dialog())
                self.assertEqual(self.browser.complaints(), [])
                self.assertEqual(self.browser.requests(), [pathlib.Path(path).resolve().as_uri()])

    def test_policy_holds(self):
        """What a defect in the page would let in is stopped: markup, styles, what is fetched."""
        self.open("diagnosis")
        self.browser.complaints()
        self.browser.run("""
            const script = document.createElement("script");
            script.textContent = "document.title = 'owned'";
            document.body.append(script);
            document.body.insertAdjacentHTML("beforeend",
                "<img src='http://127.0.0.1:9/x' onerror=\\"document.title = 'owned'\\">");
            document.body.setAttribute("style", "color: rgb(1, 2, 3)");
        """)
        self.browser.wait("return true")
        self.assertNotEqual(self.browser.run("return document.title"), "owned")
        self.assertNotEqual(self.browser.run("return getComputedStyle(document.body).color"), "rgb(1, 2, 3)")
        self.assertTrue(self.browser.complaints())

    def test_names_are_text(self):
        self.open("hostile")
        self.assertEqual(self.browser.find_all("img, b, main a[onerror]"), [])
        self.assertIn("<img src=x onerror=alert(1)>", self.browser.run("return document.body.textContent"))

    # --- tables ---

    def test_sort(self):
        self.open("report")
        told = json.loads(sooth("report", "-j", SICK).stdout)["fds"]
        column = self.of_table("fds", """
            const cells = Array.from(table.tHead.rows[0].cells);
            const column = cells.findIndex((cell) => cell.dataset.key === given[0]);
            cells[column].querySelector("button").click();
            return [column, cells[column].getAttribute("aria-sort")]""", "fd")
        self.assertEqual(column[1], "descending")
        values = """return Array.from(table.tBodies[0].rows, (row) => Number(row.cells[given[0]].dataset.v))"""
        numbers = self.of_table("fds", values, column[0])
        self.assertEqual(numbers, sorted((row["fd"] for row in told), reverse=True))
        # By keys: the heading is a button.
        self.of_table("fds", "table.tHead.rows[0].cells[given[0]].querySelector('button').focus()", column[0])
        self.browser.keys("Enter")
        self.assertEqual(self.of_table("fds", values, column[0]), sorted(numbers))
        # A text, without regard to case; cells without a value come last.
        texts = self.of_table("fds", """
            const cell = table.tHead.rows[0].querySelector("[data-key=path]");
            cell.querySelector("button").click();
            return Array.from(table.tBodies[0].rows, (row) => row.cells[cell.cellIndex].textContent)""")
        there = [text for text in texts if text not in ("-", "?")]
        self.assertEqual(texts[:len(there)], there)

    def test_filter(self):
        self.open("report")
        self.of_table("fds", "table.closest('section').querySelector('input').focus()")
        self.browser.keys(*"PIPE")
        shown = self.of_table("fds", "return Array.from(table.tBodies[0].rows).filter((row) => !row.hidden)"
                              ".map((row) => row.textContent.toLowerCase())")
        told = json.loads(sooth("report", "-j", SICK).stdout)["fds"]
        self.assertTrue(shown and all("pipe" in text for text in shown))
        self.assertEqual(len(shown), sum("pipe" in json.dumps(row) for row in told))
        said = self.of_table("fds", "return table.closest('section').querySelector('output').textContent")
        self.assertEqual(said, f"{len(shown)} of {len(told)} rows")
        self.browser.keys(*["Backspace"] * 4)
        self.assertEqual(self.of_table("fds", "return table.querySelectorAll('tr[hidden]').length"), 0)

    # --- pictures ---

    def test_flamegraph(self):
        for name, kind in (("profile", "busy"), ("waits", "waiting")):
            with self.subTest(name):
                self.open(name, height=1400)
                self.assertEqual(len(self.browser.find_all("svg.flamegraph")), 1)
                boxes = "return document.querySelectorAll('svg.flamegraph #boxes > g').length"
                before = self.browser.run(boxes)
                self.assertGreater(before, 4)
                self.browser.shot("page-" + kind)
                self.browser.run("document.querySelector('svg.flamegraph #boxes').focus()")
                self.browser.keys("ArrowDown", "ArrowDown", "ArrowDown", "Enter")
                self.assertGreater(len(self.browser.find_all("svg.flamegraph .trail button")), 2)
                self.browser.keys("Escape", "Escape", "Escape", "/")
                self.assertEqual(self.browser.run("return document.activeElement.id"), "search")
                self.browser.keys(*"python", "Enter")
                self.assertRegex(self.browser.find("svg.flamegraph #matched").text, r"\d %")

    def pressed(self, text):
        self.browser.run("Array.from(document.querySelectorAll('svg.flamegraph button'))"
                         ".find((one) => one.textContent === arguments[0]).click()", text)

    def boxes(self):
        return self.browser.run("return Array.from(document.querySelectorAll('svg.flamegraph #boxes > g'), (box) => "
            "[box.getAttribute('class').split(' ')[0], box.querySelector('text')?.textContent ?? ''])")

    def test_only_my_code(self):
        function = "<module>"
        for name in ("profile", "waits"):
            with self.subTest(name):
                self.open(name)
                everything = self.boxes()
                # A function of a script has its file and line.
                self.assertTrue([text for _, text in everything if re.match(re.escape(function) + r" \(<string>:\d", text)],
                                everything)
                self.assertTrue([text for _, text in everything if "Vectorcall" in text or "Eval" in text])
                self.pressed("Only my code")
                own = [text for _, text in self.boxes()]
                self.assertLess(len(own), len(everything))
                self.assertTrue([text for text in own if text.startswith(function)], own)
                self.assertFalse([text for text in own if "Vectorcall" in text or "Eval" in text or "threading.py" in text], own)
                self.browser.run("document.querySelector('svg.flamegraph #boxes').focus()")
                self.browser.keys("m")
                self.assertEqual(self.boxes(), everything)

    def test_reasons(self):
        """A wait for a lock has its color, and sleep is not drawn."""
        self.open("waits")
        words = self.browser.run("return document.querySelector('svg.flamegraph').textContent")
        self.assertIn("without sleep", words)
        self.assertRegex(words, r"left out: sleep, \d+ waits, .*--with-sleep")
        legend = self.browser.run("return Array.from(document.querySelectorAll('svg.flamegraph .legend > span'), (e) => e.textContent)")
        self.assertIn("lock", legend)
        self.assertNotIn("sleep", legend)
        self.assertTrue([text for kind, text in self.boxes() if kind == "k2" and text], self.boxes())

    def test_keys_stay_in_a_picture(self):
        """A key that a picture has does nothing elsewhere."""
        self.open("profile")
        self.browser.run("document.querySelector('nav a').focus()")
        self.browser.keys("/")
        self.assertEqual(self.browser.run("return document.activeElement.localName"), "a")

    def test_timeline(self):
        self.open("diagnosis")
        rows = self.browser.find_all("svg.timeline .row")
        self.assertGreater(len(rows), 5)
        self.browser.run("document.querySelector('svg.timeline .row[tabindex=\"0\"]').focus()")
        before = self.browser.run("return document.querySelector('#lanes').dataset.to")
        self.browser.keys("+")
        self.assertLess(int(self.browser.run("return document.querySelector('#lanes').dataset.to")), int(before))
        self.browser.keys("Escape")
        self.assertEqual(self.browser.run("return document.querySelector('#lanes').dataset.to"), before)

    # --- everywhere ---

    def test_narrow_and_dark(self):
        for name in self.pages:
            for width in (360, 1280):
                for scheme in ("light", "dark"):
                    with self.subTest(name, width=width, scheme=scheme):
                        self.open(name, width, 900, scheme)
                        # Nothing is wider than the window: only tables scroll, by themselves.
                        self.assertLessEqual(self.browser.run("return document.documentElement.scrollWidth"), width)
                        self.browser.shot(f"page-{name}-{width}-{scheme}", whole=True)
                        back = self.browser.run("return getComputedStyle(document.body).backgroundColor")
                        self.assertEqual(back, "rgb(255, 255, 255)" if scheme == "light" else "rgb(20, 23, 28)")

    def test_contrast(self):
        """Every text of the page by itself: 4.5 to 1, as WCAG has it."""
        for scheme in ("light", "dark"):
            self.open("diagnosis", scheme=scheme)
            low = self.browser.run("""
                const light = (color) => {
                    const [r, g, b] = color.match(/[\\d.]+/g).map((v) => v / 255)
                        .map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
                    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
                };
                const back = light(getComputedStyle(document.body).backgroundColor);
                return Array.from(document.querySelectorAll("h1, h2, h3, h4, p, td, th, a, summary"))
                    .filter((e) => e.textContent.trim()).map((e) => {
                        const own = light(getComputedStyle(e).color);
                        const ratio = (Math.max(own, back) + 0.05) / (Math.min(own, back) + 0.05);
                        return [ratio, e.localName, e.className];
                    }).filter(([ratio]) => ratio < 4.5)""")
            self.assertEqual(low, [], scheme)

    def test_keyboard_reaches_all(self):
        self.open("report")
        unreached = self.browser.run("""
            return Array.from(document.querySelectorAll("button, input, a[href], summary, .wide"))
                .filter((element) => element.tabIndex < 0).length""")
        self.assertEqual(unreached, 0)
        nameless = self.browser.run("""
            return Array.from(document.querySelectorAll("button, input, a[href], [role=region]"))
                .filter((e) => !(e.textContent.trim() || e.getAttribute("aria-label"))).length""")
        self.assertEqual(nameless, 0)

    def test_without_scripts(self):
        with browsers.Browser(scripts=False) as plain:
            plain.open(self.pages["diagnosis"])
            text = plain.find("body").text
            self.assertIn("deadlock: all 3 threads wait for each other", text)
            self.assertIn("threads that wait for a lock that another thread has locked: 2", text)
            self.assertTrue(plain.find_all("main table tbody tr"))
            self.assertEqual(plain.find_all("th button"), [])
            plain.shot("page-plain", whole=True)


if __name__ == "__main__":
    if browsers.missing():
        print("skipped: there is no " + browsers.missing())
        sys.exit(browsers.SKIPPED)
    unittest.main(verbosity=2)
