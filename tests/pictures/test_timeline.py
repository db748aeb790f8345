#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
Timelines as people see them: the SVG in a real browser under mouse and keys, held against the JSON
of the same capture, and the PNG read by another program's reader.
"""
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import browser as browsers  # noqa: E402

SOOTH = os.environ["SOOTH"]

# Works for a while, sleeps, takes memory; its name is a trap for whoever writes it unescaped.
LOAD = """
import ctypes, threading, time
ctypes.CDLL(None).prctl(15, b"</a><b>'\\x1b", 0, 0, 0)
kept = []
for i in range(3):
    end = time.thread_time() + 0.3
    while time.thread_time() < end:
        pass
    kept.append(bytearray(8 << 20))
    time.sleep(0.3)
"""


def sooth(*arguments, **options):
    return subprocess.run([SOOTH, *arguments], capture_output=True, text=True, **options)


def png_pixels(path):
    """Width, height and rows of (r, g, b), by the PNG standard and zlib alone."""
    data = pathlib.Path(path).read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n", "no PNG"
    at, packed = 8, b""
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + size]
        assert zlib.crc32(kind + body) == struct.unpack(">I", data[at + 8 + size:at + 12 + size])[0]
        if kind == b"IHDR":
            width, height, depth, color = struct.unpack(">IIBB", body[:10])
            assert depth == 8 and color in (2, 6), (depth, color)
        elif kind == b"IDAT":
            packed += body
        at += 12 + size
    step = 3 if color == 2 else 4
    raw, rows, before = zlib.decompress(packed), [], bytes(width * step)
    for y in range(height):
        kind, line = raw[y * (width * step + 1)], bytearray(raw[y * (width * step + 1) + 1:
                                                             (y + 1) * (width * step + 1)])
        for i in range(width * step):
            left = line[i - step] if i >= step else 0
            up, corner = before[i], before[i - step] if i >= step else 0
            if kind == 1:
                line[i] = line[i] + left & 255
            elif kind == 2:
                line[i] = line[i] + up & 255
            elif kind == 3:
                line[i] = line[i] + (left + up) // 2 & 255
            elif kind == 4:
                guess = left + up - corner
                near = min((abs(guess - left), 0, left), (abs(guess - up), 1, up),
                           (abs(guess - corner), 2, corner))
                line[i] = line[i] + near[2] & 255
        rows.append(bytes(line))
        before = bytes(line)
    return width, height, lambda x, y: tuple(rows[y][x * step:x * step + 3])


class Timeline(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        folder = pathlib.Path(cls.folder.name)
        cls.capture, cls.svg = str(folder / "x.sooth"), str(folder / "x.svg")
        cls.png = str(folder / "x.png")
        made = sooth("timeline", "--save", cls.capture, "--", sys.executable, "-c", LOAD)
        assert not made.returncode, made.stderr
        told = sooth("timeline", "-j", cls.capture)
        cls.told = json.loads(told.stdout)
        for path in (cls.svg, cls.png):
            drawn = sooth("timeline", "-o", path, cls.capture)
            assert not drawn.returncode, drawn.stderr
        cls.browser = browsers.Browser()

    @classmethod
    def tearDownClass(cls):
        cls.browser.driver.quit()
        cls.folder.cleanup()

    def setUp(self):
        self.browser.media("")
        self.browser.prefers(color_scheme="light")
        self.browser.size(1280, 900)
        self.browser.open(self.svg)
        self.assertEqual(self.browser.complaints(), [])

    # --- what is there ---

    def lanes(self):
        """Of the JSON, as they stand in the picture: (group, label, values)."""
        found = []
        for group in ("cpu", "memory", "io", "calls", "lost_records"):
            for lane in self.told[group]:
                values = next(v for k, v in lane.items() if k.startswith("values_"))
                found.append((group, lane["track"], values))
        return found

    def areas(self):
        """The same without the parts of memory, which stand in the area of their whole."""
        return [one for one in self.lanes() if one[0] != "memory" or one[1] == "resident"]

    def tops(self):
        """What the lanes of a group reach to: the highest value, of memory with the sum of the parts."""
        tops = {}
        for group, _, values in self.lanes():
            tops[group] = max([tops.get(group, 0)] + [v for v in values if v is not None])
        sums = {}
        for lane in self.told["memory"]:
            if lane["track"] != "resident":
                for i, value in enumerate(lane["values_bytes"]):
                    sums[lane["pid"], i] = sums.get((lane["pid"], i), 0) + (value or 0)
        tops["memory"] = max([tops["memory"], *sums.values()])
        return tops

    def rows(self):
        return self.browser.run("""
            return Array.from(document.querySelectorAll(".row")).filter((row) => row.querySelector("path"))
                .map((row) => ({ row: row.dataset.row, label: row.getAttribute("aria-label"),
                    path: row.querySelector("path").getAttribute("d"),
                    box: row.querySelector(".ground").getBoundingClientRect().toJSON(),
                    gaps: Array.from(row.querySelectorAll(".gap rect"), (gap) => gap.getBoundingClientRect().toJSON()),
                }))""")

    def plot(self):
        """Where the time is drawn, on the page: (left, width)."""
        return self.browser.run("""
            const row = document.querySelector(".row .span rect, .row path").closest(".row");
            const lines = Array.from(document.querySelectorAll("line.grid"), (line) => +line.getAttribute("x1"));
            const shift = document.querySelector("#lanes").getCTM();
            const ground = document.querySelector(".ground").getBBox();
            return [lines[0] * shift.a + shift.e, (ground.width - lines[0]) * shift.a];""")

    def view(self):
        body = self.browser.find("#lanes")
        return int(body.get_attribute("data-from")), int(body.get_attribute("data-to"))

    def tip(self):
        return self.browser.run("""const tip = document.querySelector("#tip");
            return tip.getAttribute("visibility") === "visible"
                ? Array.from(tip.querySelectorAll("text"), (text) => text.textContent) : [];""")

    def row_at(self, lane):
        return next(row for row in self.rows() if row["label"].startswith(lane + " "))

    # --- tests ---

    def test_every_lane_and_its_shape(self):
        rows, lanes, tops = self.rows(), self.areas(), self.tops()
        left, width = self.plot()
        stretch, interval = self.told["timeline"]["bucket_ns"], self.told["timeline"]["interval_ns"]
        self.assertEqual(len(rows), len(lanes))
        for row, (group, name, values) in zip(rows, lanes):
            self.assertIn(name, row["label"])
            # Runs of values begin with M; gaps are rectangles where the JSON has null.
            runs = sum(1 for i, v in enumerate(values)
                       if v is not None and (i == 0 or values[i - 1] is None))
            holes = sum(1 for i, v in enumerate(values)
                        if v is None and (i == 0 or values[i - 1] is not None))
            self.assertEqual(row["path"].count("M"), runs, name)
            self.assertEqual(len(row["gaps"]), holes, name)
            hole = next((i for i, v in enumerate(values) if v is None), None)
            if hole is not None:
                self.assertAlmostEqual(row["gaps"][0]["x"], left + width * hole * stretch / interval,
                                       delta=1)
            self.check_heights(row["path"], values, tops[group])

    def check_heights(self, path, values, top):
        fill = float(path[1:].split("V")[0].split()[1])  # where the first run begins: the bottom
        highs = [float(part.split("H")[0]) for part in path.replace("Z", "").split("V")[1:]
                 if "H" in part]
        there = [v for v in values if v is not None]
        self.assertEqual(len(highs), len(there))
        for y, value in zip(highs, there):
            wanted = fill - max(1, fill * value / top if top else 0)
            self.assertAlmostEqual(y, wanted, delta=0.3)

    def test_hover_tells_the_value(self):
        row = self.row_at("resident")
        values = next(values for _, name, values in self.lanes() if name == "resident")
        left, width = self.plot()
        stretch, interval = self.told["timeline"]["bucket_ns"], self.told["timeline"]["interval_ns"]
        for share in (0.2, 0.5, 0.8):
            x, y = left + width * share, row["box"]["y"] + row["box"]["height"] / 2
            self.browser.move(x, y)
            lines = self.tip()
            self.assertIn("resident", lines[0])
            value = values[int(share * interval / stretch)]
            said = self.browser.run("return picture.figure(arguments[0], 'bytes')", value)
            self.assertIn(said, lines[1])
        self.browser.move(5, 5)
        self.assertEqual(self.tip(), [])

    def test_memory_is_one_area_with_a_legend(self):
        parts = {lane["track"] for lane in self.told["memory"]}
        text = self.row_text("resident")
        for part in parts:
            self.assertIn(part, text)
        (areas,) = self.browser.run("""return [Array.from(document.querySelectorAll("path.part"), (path) =>
            path.getAttribute("d"))]""")
        whole = [lane for lane in self.told["memory"] if lane["track"] == "resident"]
        self.assertEqual(len(areas), len(self.told["memory"]) - len(whole))
        row = self.row_at("resident")
        self.browser.move(row["box"]["x"] + row["box"]["width"] - 5, row["box"]["y"] + 40)
        said = " ".join(self.tip())
        for part in parts:
            self.assertIn(part, said)

    def row_text(self, lane):
        return self.browser.run("return document.querySelector(`.row[data-row=\"${arguments[0]}\"]`).textContent",
                                self.row_at(lane)["row"])

    def test_the_axis_and_the_titles(self):
        ticks = self.browser.run("return Array.from(document.querySelectorAll('#lanes > text.tick'), (t) => t.textContent)")
        self.assertEqual(ticks[0], "0 s")
        titles = self.browser.run("return Array.from(document.querySelectorAll('text.group'), (t) => t.textContent)")
        self.assertEqual(titles[0], "processes")
        self.assertEqual(len(titles) - 1, len([g for g in ("cpu", "memory", "io", "calls", "lost_records") if self.told[g]]))
        for title in titles[1:]:
            self.assertRegex(title, r", 0 to \d")

    def test_a_gap_says_so(self):
        for row, (_, name, values) in zip(self.rows(), self.areas()):
            if not row["gaps"] or row["gaps"][0]["width"] < 3:
                continue
            gap = row["gaps"][0]
            self.browser.run("document.querySelector(`.row[data-row=\"${arguments[0]}\"]`).scrollIntoView()",
                             row["row"])
            gap = next(r for r in self.rows() if r["row"] == row["row"])["gaps"][0]
            self.browser.move(gap["x"] + gap["width"] / 2, gap["y"] + 10)
            self.assertIn("not measured", " ".join(self.tip()))
            return
        self.skipTest("this capture has no gap wide enough")

    def test_drag_zooms_and_back(self):
        row, whole = self.row_at("all threads"), self.view()
        left, width = self.plot()
        y = row["box"]["y"] + 10
        self.browser.move(left + width * 0.25, y)
        press = {"button": "left", "clickCount": 1, "y": y}
        self.browser.cdp("Input.dispatchMouseEvent", type="mousePressed", x=left + width * 0.25, **press)
        self.browser.cdp("Input.dispatchMouseEvent", type="mouseMoved", x=left + width * 0.5, y=y,
                         button="left", buttons=1)
        self.assertTrue(self.browser.run("return !!document.querySelector('#range')"))
        self.assertIn("on average", " ".join(self.tip()))
        self.browser.shot("timeline-range")
        self.browser.cdp("Input.dispatchMouseEvent", type="mouseReleased", x=left + width * 0.5, **press)
        begin, end = self.view()
        self.assertAlmostEqual(begin / whole[1], 0.25, delta=0.01)
        self.assertAlmostEqual(end / whole[1], 0.5, delta=0.01)
        self.browser.shot("timeline-zoomed")
        self.browser.find("button[aria-label='back to the range before']").click()
        self.assertEqual(self.view(), whole)

    def test_keys(self):
        whole = self.view()
        self.browser.run("document.querySelector('.row').focus()")
        self.browser.keys("ArrowDown", "ArrowDown")
        self.assertEqual(self.browser.run("return document.activeElement.dataset.row"), "2")
        self.browser.keys("Home", *["ArrowRight"] * 5)
        self.assertTrue(self.tip())
        self.browser.keys(*["Shift+ArrowRight"] * 40)
        self.assertTrue(self.browser.run("return !!document.querySelector('#range')"))
        self.browser.keys("Enter")
        zoomed = self.view()
        self.assertGreater(zoomed[0], whole[0])
        self.assertLess(zoomed[1] - zoomed[0], (whole[1] - whole[0]) / 3)
        self.browser.keys("-")
        self.assertGreater(self.view()[1] - self.view()[0], zoomed[1] - zoomed[0])
        self.browser.keys("0")
        self.assertEqual(self.view(), whole)
        self.browser.keys("+")
        self.browser.keys("Escape")
        self.assertEqual(self.view(), whole)
        spoken = self.browser.run("return document.querySelector('[role=status]').textContent")
        self.assertIn("from", spoken)

    def test_dark_light_print(self):
        def page():
            return self.browser.run("return getComputedStyle(document.documentElement).backgroundColor")
        light = page()
        self.browser.shot("timeline-light", whole=True)
        self.browser.prefers(color_scheme="dark")
        self.assertNotEqual(page(), light)
        self.browser.shot("timeline-dark")
        path = pathlib.Path(self.folder.name) / "x.pdf"
        self.browser.pdf(path)
        self.assertTrue(path.read_bytes().startswith(b"%PDF"))

    def test_events_are_seen(self):
        marks = self.browser.run("return document.querySelectorAll('.mark rect').length")
        self.assertEqual(marks, len(self.told["events"]))
        self.assertGreater(marks, 0)  # the end of the command

    def test_hostile_name(self):
        self.assertEqual(self.browser.run("return document.querySelectorAll('b').length"), 0)
        self.assertIn("</a><b>'", self.rows()[0]["label"])
        self.assertNotIn("\x1b", pathlib.Path(self.svg).read_text())
        self.assertEqual([r for r in self.browser.requests() if r.startswith("http")], [])
        self.assertIsNone(self.browser.dialog())

    def test_narrow(self):
        self.browser.size(420, 800)
        # It is drawn anew after the window has its size.
        self.browser.wait("""return window.innerWidth < 800 &&
            !Array.from(document.querySelectorAll("svg.sooth text")).some(
            (text) => text.getBoundingClientRect().right > window.innerWidth + 1)""")
        # What a lane reaches to is told beside it, in whatever room there is.
        lacking = self.browser.run("""return Array.from(document.querySelectorAll("g.row[data-row]"))
            .filter((row) => row.querySelector("path") && !row.querySelector("text.figure")?.textContent).length""")
        self.assertEqual(lacking, 0)

    def test_png(self):
        width, height, pixel = png_pixels(self.png)
        self.assertGreaterEqual(width, 1200)
        scale = width / 1200
        # As sinks/timeline_layout.h places it: the label column, lanes from the head down.
        plot_x, plot_width = 12 + 200, 1200 - 24 - 200 - 76
        y = 64 + 22 + 18 * (len(self.told["lives"]) + bool(self.told["events"])) + 26 * bool(self.told["lives"])
        colors = {"cpu": (0x8f, 0xc1, 0xee), "io": (0x97, 0xd3, 0x9a)}
        stretch, interval = self.told["timeline"]["bucket_ns"], self.told["timeline"]["interval_ns"]
        last, checked, tops = None, 0, self.tops()
        for group, name, values in self.areas():
            y += 26 if group != last else 0
            last = group
            if group == "memory":  # an area of parts, whose height is that of its legend at least
                parts = len({lane["track"] for lane in self.told["memory"]}) - 1
                y += max(96, 18 + (parts + 2) * 15)
                continue
            top = tops[group]
            for i, value in enumerate(values[:-1]):
                x = plot_x + plot_width * (i + 0.5) * stretch / interval
                alone = values[max(0, i - 1):i + 2] == [value] * 3
                if group in colors and alone and top and value and value / top > 0.2:
                    high = 24 * value / top
                    inside = pixel(int(x * scale), int((y + 24 - high / 2) * scale))
                    self.assertEqual(inside, colors[group], (name, i))
                    checked += 1
                    if high < 20:
                        above = pixel(int(x * scale), int((y + 24 - high - 2) * scale))
                        self.assertEqual(above, (255, 255, 255), (name, i))
            y += 30
        self.assertGreater(checked, 100)


if __name__ == "__main__":
    reason = browsers.missing()
    if reason:
        print("skipped: no", reason)
        sys.exit(browsers.SKIPPED)
    unittest.main(verbosity=2)
