# SPDX-License-Identifier: BSD-2-Clause
"""Every command prints of stored captures what is stored in baseline/printed: see baseline.py."""
import copy
import difflib
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "live"))

import baseline
import harness
from harness import SOOTH, Case

SHOWN = 12


def by_command(paragraphs):
    return {paragraph.split("\n", 1)[0]: paragraph.split("\n") for paragraph in paragraphs}


class Baseline(Case):
    def test_every_command(self):
        stored, printed = by_command(baseline.load()), by_command(baseline.printed_by(SOOTH))
        wrong = [line for line in [*stored, *(line for line in printed if line not in stored)]
                 if stored.get(line) != printed.get(line)]
        text = "\n".join("%s\n    %s" % (line, "\n    ".join(list(difflib.unified_diff(
            stored.get(line, []), printed.get(line, []), lineterm="", n=0))[2:2 + SHOWN])) for line in wrong[:SHOWN])
        if wrong:
            self.fail("%d of %d command lines print something else:\n%s\n"
                "on purpose? SOOTH=build/sooth tests/cli/baseline.py --renew, and read what git diff shows\n"
                "gone from an old capture? a reader that takes whole records only (docs/howto-add-field.md)"
                % (len(wrong), len(stored), text))


class Net(Case):
    """What the text has to show, and what it leaves out."""

    PRINTED = {"processes": [{"pid": 7, "rss_kb": 12, "role": "exam", "why": "as it was",
                              "cpu": None, "not_measured": {"cpu": "not known"}}],
               "reasons": [], "share": 0.5}

    def text(self, change=None, form="json"):
        today = copy.deepcopy(self.PRINTED)
        if change:
            change(today)
        return baseline.text_of("ps\t--format\t" + form, {"status": 0, "printed": today})

    def changed(self, form, **changes):
        """The texts after each change of the row."""
        for name, change in changes.items():
            with self.subTest(name, form=form):
                yield self.text(lambda document: change(document["processes"][0]), form)

    def test_what_is_shown(self):
        for form in ("json", "csv"):
            for text in self.changed(form,
                    value=lambda row: row.update(pid=8),
                    type=lambda row: row.update(pid=7.0),
                    text=lambda row: row.update(pid="7"),
                    truth=lambda row: row.update(pid=True),
                    null=lambda row: row.update(rss_kb=None),
                    gone=lambda row: row.pop("rss_kb"),
                    more=lambda row: row.update(rss_mb=1),
                    name=lambda row: row.update(id=row.pop("pid")),
                    no_words=lambda row: row.update(why=""),
                    other_than_words=lambda row: row.update(why=3),
                    no_reason=lambda row: row.update(not_measured={})):
                self.assertNotEqual(text, self.text(form=form))
            for change in (lambda d: d["processes"].append({}), lambda d: d["processes"].clear(),
                           lambda d: d["reasons"].append("x"), lambda d: d.update(share=0.51)):
                self.assertNotEqual(self.text(change, form), self.text(form=form))

    def test_what_is_left_out(self):
        for text in self.changed("json", words=lambda row: row.update(why="as before"),
                reason=lambda row: row["not_measured"].update(cpu="unknown")):
            self.assertEqual(text, self.text())
        self.assertEqual(self.text(lambda d: d.update(share=0.5 + 1e-15)), self.text())

    def test_how_it_reads(self):
        self.assertEqual(self.text(lambda d: d["processes"].append(dict(d["processes"][0], pid=8))), """\
$ ps --format json
status 0
reasons []
share 0.5
processes, rows: 2, rss_kb 12, role "exam", why ~, cpu -, not_measured {cpu=~}
  # pid
  7
  8""")


if __name__ == "__main__":
    harness.main()
