# SPDX-License-Identifier: BSD-2-Clause
"""
Flamegraphs in a real browser: every box stands where the folded stacks say, mouse and keys do what
the page says, no text leaves its box, and no name of a target becomes anything but text.
"""
import os
import re
import subprocess
import sys
import unittest
import xml.etree.ElementTree

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import browser
from stacks import Folder, draw, made_up, quoted, tree

STACKS = """\
node;main;file;read;/etc/passwd 40
node;main;file;read;/usr/share/dict/words 25
node;main;file;openat 10
node;main;network;sendto;TCP 127.0.0.1:4000→127.0.0.1:80 12
node;worker;event;epoll_wait 60
bash;main;process;wait4 30
bash;main;file;read;/home/me/.bashrc 3
"""
BOXES = """
const data = JSON.parse(document.querySelector("#data").textContent), stride = data.compared ? 6 : 4;
const part = (frame, which) => data.frames[(frame - 1) * stride + which];
return [...document.querySelectorAll("#boxes > g")].map((g) => {
    const rect = g.querySelector("rect"), text = g.querySelector("text");
    const box = rect.getBoundingClientRect(), words = text ? text.getBoundingClientRect() : null;
    return { name: g.frame ? data.names[part(g.frame, 1)] : "all",
        value: g.frame ? part(g.frame, 3) : data.total, label: g.getAttribute("aria-label"), class: g.getAttribute("class"),
        x: +rect.getAttribute("x"), y: +rect.getAttribute("y"), width: +rect.getAttribute("width"),
        text: text ? text.textContent : "", middle: [box.x + box.width / 2, box.y + box.height / 2],
        left: box.left, right: box.right, text_left: words ? words.left : box.left,
        text_right: words ? words.right : box.left };
});
"""
READY = "return document.documentElement.dataset.ready"
# Of a colour as the browser computes it; see WCAG 2.
CONTRAST = """
const part = (v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
const numbers = (color) => color.match(/[0-9.]+/g).map(Number);
const page = numbers(getComputedStyle(document.documentElement).backgroundColor);
const light = (c) => 0.2126 * part(c[0]) + 0.7152 * part(c[1]) + 0.0722 * part(c[2]);
return [...document.querySelectorAll("#boxes > g")].filter((g) => g.querySelector("text")).map((g) => {
    const style = getComputedStyle(g.querySelector("rect")), alpha = +style.fillOpacity;
    const box = numbers(style.fill).slice(0, 3).map((v, i) => v * alpha + page[i] * (1 - alpha));
    const text = numbers(getComputedStyle(g.querySelector("text")).fill);
    const [a, b] = [light(box), light(text)];
    return [g.getAttribute("class"), (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)];
});
"""
HOSTILE = [
    "</script><script>window.hacked=1</script>", "]]><script>window.hacked=2</script>",
    "\"'><img src=x onerror=window.hacked=3>", "<svg onload=window.hacked=4>", "&lt;b&gt;&#0;",
    "javascript:window.hacked=5", "${window.hacked=6}", "\\\";window.hacked=7;//", "<!--", "--><b>",
    "\u202egnp.exe\u2066\u200b", "\ufeff\ufffe\uffff\u2028\u2029", b"\xff\xfe\xc0\x80\xed\xa0\x80",
    "\x00\x01\x1b[31mred\x07\x7f\u009b", "long" * 2560, "漢字" * 3000, "😀" * 300, "a\nb\tc\rd",
    "__proto__", "constructor", "<?xml version='1.0'?><!DOCTYPE x [<!ENTITY y SYSTEM 'file:///etc/passwd'>]>",
]


class Picture(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.browser = browser.Browser()
        cls.addClassCleanup(cls.browser.__exit__)

    def setUp(self):
        self.files = Folder()
        self.addCleanup(self.files.close)
        self.browser.size(1280, 900)
        self.browser.prefers(color_scheme="light")
        self.browser.media("")

    def show(self, stacks, second=None, options=("--kinds",)):
        files = [self.files.write("a.folded", stacks)]
        if second is not None:
            files.append(self.files.write("b.folded", second))
        self.svg = self.files.write("x.svg", draw("flamegraph", *files, options=options))
        self.browser.requests()
        self.browser.open(self.svg)
        self.browser.wait(READY)
        self.assertEqual(self.browser.complaints(), [])

    def boxes(self):
        return self.browser.run(BOXES)

    def box(self, name):
        for box in self.boxes():
            if box["name"] == name:
                return box
        raise AssertionError("no box " + name)

    def trail(self):
        return self.browser.run(
            'return [...document.querySelectorAll(".trail button")].map((b) => b.textContent)')

    def tip(self):
        return self.browser.run("""
            const tip = document.querySelector("#tip");
            return tip.getAttribute("visibility") === "visible"
                ? [...tip.querySelectorAll("text")].map((t) => t.textContent) : []""")

    def active(self):
        return self.browser.run(
            'return (document.querySelector("#active")?.getAttribute("aria-label") || "").split(",")[0]')

    def matched(self):
        return self.browser.run('return document.querySelector("#matched").textContent')

    def assert_texts_fit(self):
        seen = 0
        for box in self.boxes():
            seen += bool(box["text"])
            self.assertLessEqual(box["text_right"], box["right"] + 0.5, box)
            self.assertGreaterEqual(box["text_left"], box["left"] - 0.5, box)
        return seen

    def assert_places(self, root, width):
        """Each box, against the tree of the folded stacks."""
        expected = {}
        for frame in root.all():
            expected.setdefault((frame.name, frame.depth), []).append(frame)
        levels = max(frame.depth for frame in root.all())
        boxes = self.boxes()
        for box in boxes:
            depth = levels - round(box["y"] / 18)
            fits = [f for f in expected.get((box["name"], depth), []) if f.value == box["value"]
                    and abs(f.begin / root.value * width - box["x"]) < 0.02]
            self.assertTrue(fits, box)
            self.assertAlmostEqual(box["width"], fits[0].value / root.value * width, delta=0.65)
        return len(boxes)


class Places(Picture):
    def test_every_box_is_where_the_stacks_say(self):
        self.show(STACKS)
        root = tree(STACKS)
        self.assertEqual(root.value, 180)
        self.assertEqual(self.assert_places(root, 1280 - 24), len(self.boxes()))
        self.assertEqual(len(self.boxes()), len(list(root.all())))

    def test_many(self):
        stacks = made_up(3000, 14, 7)
        self.show(stacks)
        self.assertGreater(self.assert_places(tree(stacks), 1280 - 24), 50)
        self.assertGreater(self.assert_texts_fit(), 30)

    def test_the_window_changes(self):
        self.show(STACKS)
        for width in (1700, 700, 320):
            self.browser.size(width, 800)
            self.browser.wait("return document.documentElement.getAttribute('width') === arguments[0]",
                              str(width))
            self.assert_places(tree(STACKS), width - 24)
            self.assert_texts_fit()
            beyond = self.browser.run("return document.documentElement.scrollWidth - innerWidth")
            self.assertLessEqual(beyond, 0)

    def test_icicle(self):
        self.show(STACKS, options=("--icicle",))
        self.assertEqual(self.box("all")["y"], 0)
        self.assertEqual(self.box("node")["y"], 18)

    def test_folded_says_the_same(self):
        """What stands beside the picture is what it was drawn from."""
        path = self.files.write("a.folded", STACKS)
        self.assertEqual(sorted(draw("folded", path).decode().splitlines()),
                         sorted(STACKS.splitlines()))

    def test_what_is_left_out_is_said(self):
        lines = "".join(f"a;thin{i} 1\n" for i in range(50)) + "a;wide 950\n"
        self.show(lines, options=("--least", "0.01"))
        text = self.browser.run("return document.documentElement.textContent")
        self.assertIn("left out: 50 boxes, the widest 0.1000 %, together 5.00 %", text)
        self.assertEqual(len(self.boxes()), 3)

    def test_without_scripts_it_is_a_picture(self):
        """As any viewer of SVG draws it, from the file alone."""
        path = self.files.write("a.folded", STACKS)
        root = xml.etree.ElementTree.fromstring(draw("flamegraph", path))
        space = "{http://www.w3.org/2000/svg}"
        boxes = root.findall(f"{space}g[@id='boxes']/{space}g")
        frames = {f.name: f for f in tree(STACKS).all()}
        self.assertEqual(len(boxes), len(list(tree(STACKS).all())))
        for box in boxes:
            name = box.find(space + "title").text.split("\n")[0]
            rect, text = box.find(space + "rect"), box.find(space + "text")
            if list(f.name for f in tree(STACKS).all()).count(name) == 1:
                self.assertAlmostEqual(float(rect.get("width")),
                                       frames[name].value / 180 * 1176, delta=0.02)
            if text is not None:
                self.assertLessEqual(len(text.text) * 7.25, float(rect.get("width")))


class Mouse(Picture):
    def test_hover(self):
        self.show(STACKS)
        self.browser.move(*self.box("read")["middle"])
        self.assertEqual(self.tip(), ["read", "65 calls", "36.1 % of all, 86.7 % of file"])
        self.browser.move(5, 890)
        self.assertEqual(self.tip(), [])

    def test_click_and_the_trail_back(self):
        self.show(STACKS)
        before = self.boxes()
        self.browser.click(*self.box("file")["middle"])
        self.assertAlmostEqual(self.box("file")["width"], 1256, delta=1)
        self.assertEqual(self.trail(), ["all", "node", "main", "file"])
        self.assertAlmostEqual(self.box("read")["width"], 65 / 75 * 1256, delta=1)
        self.assertIn("above", self.box("node")["class"])
        self.assertFalse([b for b in self.boxes() if b["name"] == "bash"])
        self.assert_texts_fit()
        self.browser.shot("zoomed")
        self.browser.run('document.querySelectorAll(".trail button")[1].click()')
        self.assertEqual(self.trail(), ["all", "node"])
        self.browser.run('document.querySelectorAll(".trail button")[0].click()')
        self.assertEqual(self.trail(), [])
        self.assertEqual([b["x"] for b in self.boxes()], [b["x"] for b in before])

    def test_what_was_too_narrow_is_there_when_zoomed(self):
        self.show("other;x 100000\nbig;small;leaf 20\nbig;rest 1980\n")
        self.assertNotIn("leaf", [b["name"] for b in self.boxes()])
        self.browser.click(*self.box("big")["middle"])
        self.browser.click(*self.box("small")["middle"])
        self.assertAlmostEqual(self.box("leaf")["width"], 1256, delta=1)

    def test_turned_over(self):
        self.show(STACKS)
        self.browser.run('document.querySelector("button[title*=\\"above or below\\"]").click()')
        self.assertEqual(self.box("all")["y"], 0)


class Search(Picture):
    def search(self, text):
        self.browser.run('const box = document.querySelector("#search"); box.value = ""; box.focus()')
        self.browser.run('document.querySelector("#search").dispatchEvent(new Event("input"))')
        if text:
            self.browser.keys(text)

    def hits(self):
        return sorted(b["name"] for b in self.boxes() if " hit" in b["class"])

    def test_text(self):
        self.show(STACKS)
        self.search("READ")
        self.assertEqual(self.hits(), ["read", "read"])
        self.assertEqual(self.matched(), "37.8 % in 2 boxes")
        self.browser.shot("searched")

    def test_characters_of_expressions_are_text(self):
        self.show("a.c(x)[1];y 1\nabc;y 1\n")
        self.search("a.c(x)[")
        self.assertEqual(self.hits(), ["a.c(x)[1]"])
        self.assertEqual(self.matched(), "50.0 % in 1 box")

    def test_expression(self):
        self.show(STACKS)
        self.search("/^(sendto|wait4)$/")
        self.assertEqual(self.hits(), ["sendto", "wait4"])
        self.assertEqual(self.matched(), "23.3 % in 2 boxes")

    def test_what_is_below_a_match_counts_once(self):
        self.show("a;ab;abc 5\na;x 5\n")
        self.search("/^a/")
        self.assertEqual(self.matched(), "100.0 % in 3 boxes")

    def test_what_is_no_expression(self):
        self.show(STACKS)
        self.search("/(/")
        self.assertEqual(self.matched(), "not a regular expression")
        self.assertEqual(self.browser.run(
            'return document.querySelector("#search").getAttribute("aria-invalid")'), "true")

    def test_share_of_what_is_zoomed(self):
        self.show(STACKS)
        self.search("read")
        self.browser.click(*self.box("bash")["middle"])
        self.assertEqual(self.matched(), "9.1 % in 1 box here")

    def test_reset(self):
        self.show(STACKS)
        self.search("read")
        self.browser.click(*self.box("node")["middle"])
        self.browser.run('document.querySelector("button[title*=\\"(r)\\"]").click()')
        self.assertEqual((self.hits(), self.matched(), self.trail()), ([], "", []))


class Keyboard(Picture):
    def setUp(self):
        super().setUp()
        self.show(STACKS)
        for _ in range(12):
            self.browser.keys("Tab")
            if self.browser.run('return document.activeElement?.id') == "boxes":
                break

    def test_tab_leads_to_the_boxes_and_through_the_tools(self):
        self.assertEqual(self.browser.run("return document.activeElement.id"), "boxes")
        seen = set()
        for _ in range(8):
            self.browser.keys("Shift+Tab")
            seen.add(self.browser.run(
                'return document.activeElement?.id || document.activeElement?.textContent'))
        self.assertLessEqual({"search", "Turn", "?"}, seen)

    def test_arrows(self):
        self.assertEqual(self.active(), "all")
        for key, name in (("ArrowUp", "node"), ("ArrowRight", "bash"), ("ArrowLeft", "node"),
                          ("ArrowUp", "main"), ("ArrowRight", "worker"), ("ArrowRight", "worker"),
                          ("ArrowDown", "node"), ("ArrowDown", "all"), ("ArrowDown", "all")):
            self.browser.keys(key)
            self.assertEqual(self.active(), name, key)
        self.browser.keys("ArrowUp")
        self.assertEqual(self.tip()[0], "node")

    def test_enter_and_escape(self):
        self.browser.keys("ArrowUp", "ArrowUp", "Enter")
        self.assertEqual(self.trail(), ["all", "node", "main"])
        self.browser.keys("Escape")
        self.assertEqual(self.trail(), ["all", "node"])
        self.browser.keys("Escape")
        self.assertEqual(self.trail(), [])

    def test_the_way_up_from_above_leads_back_to_what_is_zoomed(self):
        self.browser.keys("ArrowUp", "ArrowRight", "ArrowUp", "Enter", "ArrowDown", "ArrowDown")
        self.assertEqual(self.active(), "all")
        self.browser.keys("ArrowUp", "ArrowUp")
        self.assertEqual(self.active(), "main")

    def test_slash_searches_and_n_goes_on(self):
        self.browser.keys("/", "read", "Enter")
        self.assertEqual(self.active(), "read")
        self.assertEqual(self.browser.run("return document.activeElement.id"), "boxes")
        first = self.browser.run('return document.querySelector("#active").querySelector("rect").getAttribute("x")')
        self.browser.keys("n")
        second = self.browser.run('return document.querySelector("#active").querySelector("rect").getAttribute("x")')
        self.assertNotEqual(first, second)
        self.browser.keys("N")
        self.browser.keys("Escape")
        self.assertEqual(self.matched(), "")

    def test_letters_in_the_search_are_letters(self):
        self.browser.keys("/", "t?r/n")
        self.assertEqual(self.browser.run('return document.querySelector("#search").value'), "t?r/n")
        self.assertEqual(self.box("all")["y"], 5 * 18)

    def test_who_listens(self):
        tree_ = self.browser.cdp("Accessibility.getFullAXTree")["nodes"]
        named = [(node.get("role", {}).get("value"), node.get("name", {}).get("value", ""))
                 for node in tree_]
        self.assertTrue([n for r, n in named if r == "tree" and "Enter zooms" in n])
        items = [n for r, n in named if r == "treeitem"]
        self.assertTrue([n for n in items if n.startswith("read, 65 calls, 36.1 % of all")])
        self.browser.keys("ArrowUp")
        told = self.browser.run('return document.querySelector("[aria-live]").textContent')
        self.assertTrue(told.startswith("node, 147 calls"), told)

    def test_help(self):
        self.assertTrue(self.browser.run('return document.querySelector("#keys").hidden'))
        self.browser.keys("?")
        self.assertFalse(self.browser.run('return document.querySelector("#keys").hidden'))


class Looks(Picture):
    def every_kind(self):
        return "".join(f"{'x;' * depth}kind{depth} 100\n" for depth in range(10))

    def test_light_and_dark(self):
        self.show(self.every_kind())
        pages = {}
        for scheme in ("light", "dark"):
            self.browser.prefers(color_scheme=scheme)
            pages[scheme] = self.browser.run(
                "return getComputedStyle(document.documentElement).backgroundColor")
            contrasts = self.browser.run(CONTRAST)
            self.assertGreater(len(contrasts), 9)
            for class_, contrast in contrasts:
                self.assertGreaterEqual(contrast, 4.5, (scheme, class_))
            self.browser.shot(scheme)
        self.assertEqual(pages["light"], "rgb(255, 255, 255)")
        self.assertNotEqual(pages["dark"], pages["light"])

    def test_changes_can_be_read(self):
        before = "".join(f"a;b{i} {1000 + 10 * i}\n" for i in range(9))
        after = "".join(f"a;b{i} {300 * i}\n" for i in range(9))
        self.show(before, after)
        for scheme in ("light", "dark"):
            self.browser.prefers(color_scheme=scheme)
            self.browser.shot("changes-" + scheme)
            for class_, contrast in self.browser.run(CONTRAST):
                self.assertGreaterEqual(contrast, 4.5, (scheme, class_))

    def test_texts_of_any_script_fit(self):
        names = ["漢字かな交じり文の名前", "имя функции на русском", "😀😀😀😀😀😀😀😀", "اسم الدالة الطويل",
                 "e\u0301a\u0308o\u0302" * 10, "WWWWWWWWWWWWWWWWWWWW", "iiiiiiiiiiiiiiiiii", "/a/path/to/漢字"]
        stacks = "".join("%s;%s %d\n" % (quoted(n), quoted(n), i + 3) for i, n in enumerate(names))
        self.show(stacks)
        self.assert_texts_fit()
        for size in (400, 900, 2000):
            self.browser.size(size, 700)
            self.browser.wait("return document.documentElement.getAttribute('width') === arguments[0]",
                              str(size))
            self.assert_texts_fit()
        self.browser.shot("scripts")

    def test_the_end_of_a_path_is_kept(self):
        self.show("a;/usr/share/javascript/very/long/path/index.js 1\na;b 9\n")
        text = [b["text"] for b in self.boxes() if "index.js" in b["name"]][0]
        self.assertRegex(text, r"^….*index\.js$")

    def test_print(self):
        self.show(STACKS)
        self.browser.prefers(color_scheme="dark")
        self.browser.media("print")
        self.assertEqual(self.browser.run(
            "return getComputedStyle(document.documentElement).backgroundColor"), "rgb(255, 255, 255)")
        self.assertEqual(self.browser.run(
            'return getComputedStyle(document.querySelector(".tools")).display'), "none")
        self.browser.pdf(self.files.path("x.pdf"))
        with open(self.files.path("x.pdf"), "rb") as file:
            document = file.read()
        self.assertEqual(len(re.findall(rb"/Type\s*/Page\b", document)), 1)
        self.browser.media("")
        self.assertEqual(self.browser.complaints(), [])
        self.assert_texts_fit()

    def test_a_tip_stays_on_the_page(self):
        self.browser.size(360, 500)
        self.show(quoted("n" * 240) + ";" + quoted("/" + "p" * 200) + " 3\n")
        for box in self.boxes():
            for x in (15, 180, 345):
                self.browser.move(x, box["middle"][1])
                area = self.browser.run("""
                    const box = document.querySelector("#tip").getBoundingClientRect();
                    return [box.left, box.right, innerWidth]""")
                self.assertGreaterEqual(area[0], 0)
                self.assertLessEqual(area[1], area[2])

    def test_a_tip_stays_in_a_low_picture(self):
        """Below the last box of a picture without notes there is no room for it."""
        self.show("a;b 3\n")
        for box in self.boxes():
            self.browser.move(*box["middle"])
            area = self.browser.run("""
                const box = document.querySelector("#tip").getBoundingClientRect();
                const page = document.documentElement.getBoundingClientRect();
                return [box.top, box.bottom, page.bottom]""")
            self.assertGreaterEqual(area[0], 0)
            self.assertLessEqual(area[1], area[2] + 0.5)


class Changes(Picture):
    def test_colours_and_words(self):
        self.show("a;same 1000\na;gone 500\na;less 900\na;more 100\na;noise 1000\n",
                  "a;same 1000\na;new 700\na;less 400\na;more 900\na;noise 1030\n")
        classes = {name: self.box(name)["class"].split()[0]
                   for name in ("same", "gone", "less", "more", "noise", "new")}
        self.assertEqual(classes, {"same": "same", "gone": "less4", "less": "less3", "more": "more3",
                                   "noise": "same", "new": "more4"})
        self.assertEqual(self.box("all")["class"].split()[0], "more1")
        self.assertIn("500 calls before, 0 calls after, −500, -100 %", self.box("gone")["label"])
        self.assertIn("0 calls before, 700 calls after, +700, new", self.box("new")["label"])

    def test_widths_are_the_larger(self):
        self.show("a;x 10\na;gone 30\n", "a;x 40\n")
        self.assertAlmostEqual(self.box("x")["width"], 40 / 70 * 1256, delta=0.7)
        self.assertAlmostEqual(self.box("gone")["width"], 30 / 70 * 1256, delta=0.7)

    def test_folded_has_both(self):
        files = [self.files.write("a", "a;x 10\na;gone 30\n"), self.files.write("b", "a;x 40\n")]
        self.assertEqual(sorted(draw("folded", *files).decode().splitlines()),
                         ["a;gone 30 0", "a;x 10 40"])


class Hostile(Picture):
    def test_names_stay_text(self):
        stacks = "".join("%s;%s %d\n" % (quoted(name), quoted(HOSTILE[-1 - i]), 100 + i)
                         for i, name in enumerate(HOSTILE))
        self.show(stacks)
        with open(self.svg, "rb") as file:
            content = file.read()
        xml.etree.ElementTree.fromstring(content)
        self.assertEqual(content.count(b"<script"), 3)
        self.assertFalse(set(content) & (set(range(32)) - set(b"\t\n")))
        self.assertLess(len(content), 200_000)
        text = content.decode("utf-8", "strict")
        self.assertFalse(re.search("[\u202a-\u202e\u2066-\u2069\u200b\u2028\u2029\ufeff\ufffe\uffff]", text))
        self.browser.run("document.querySelector('#search').focus()")
        self.browser.keys("script")
        for box in self.boxes()[:60]:
            self.browser.move(*box["middle"])
        self.browser.click(*self.boxes()[3]["middle"])
        self.assert_texts_fit()
        self.assertIsNone(self.browser.run("return window.hacked ?? null"))
        self.assertIsNone(self.browser.dialog())
        self.assertEqual(self.browser.complaints(), [])
        self.assertEqual(self.browser.run('return document.querySelectorAll("img, b, iframe, object").length'), 0)
        self.browser.shot("hostile")

    def test_nothing_is_asked_of_anybody(self):
        self.show(STACKS)
        asked = [address for address in self.browser.requests() if not address.startswith("file:")]
        self.assertEqual(asked, [])
        with open(self.svg, encoding="utf-8") as file:
            text = file.read()
        known = {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xhtml"}
        self.assertLessEqual(set(re.findall(r"https?://[^\s\"'<>]+", text)), known)
        for word in ("href", "url(", "@import", "eval(", "innerHTML"):
            self.assertNotIn(word, text)

    def test_stacks_deeper_than_are_kept(self):
        self.show(";".join(f"f{i}" for i in range(599)) + " 7\n" + "f0;x 3\n", options=())
        text = self.browser.run("return document.documentElement.textContent")
        self.assertLessEqual(max(b["y"] for b in self.boxes()), 513 * 18)
        self.assertEqual(self.box("all")["label"].split(", ")[1], "10 calls")
        self.assertTrue(text)


class Many(Picture):
    def test_ten_thousand_boxes(self):
        """They are drawn, zoomed and found again; how fast is a matter of bench/pictures."""
        stacks = "".join(f"p;q{i // 100};r{i} 1\n" for i in range(9900))
        self.browser.size(5000, 900)
        self.show(stacks)
        self.assertGreater(len(self.boxes()), 9000)
        self.browser.click(*self.box("q1")["middle"])
        self.assertEqual(self.trail(), ["all", "p", "q1"])
        self.browser.keys("Escape", "Escape")
        self.assertGreater(len(self.boxes()), 9000)

    def test_the_file_stays_small(self):
        """100,000 stacks, each with a name of its own, and a long one."""
        stacks = "".join(f"p{i % 7};q{i % 1000};{'n' * 60}{i} {1 + i % 5}\n" for i in range(100_000))
        self.show(stacks, options=())
        self.assertLess(os.path.getsize(self.svg), 5_000_000)
        self.assertIn("left out:", self.browser.run("return document.documentElement.textContent"))


if __name__ == "__main__":
    if browser.missing():
        print("skipped: there is no", browser.missing())
        sys.exit(browser.SKIPPED)
    unittest.main(verbosity=2)
