# SPDX-License-Identifier: BSD-2-Clause
"""The screen of a terminal as SVG: for script/top-picture and script/demo-picture."""
import html
import itertools

CELL, LINE = 7.23, 16
COLORS = {"default": "#d0d0d0", "black": "#1c1f24", "red": "#e06c75", "green": "#98c379", "brown": "#e5c07b",
          "blue": "#61afef", "magenta": "#c678dd", "cyan": "#56b6c2", "white": "#d0d0d0"}


def color(name, default):
    return COLORS.get(name) or ("#" + name if len(name) == 6 else default)


def runs(row, columns):
    """(column, text, color, background, bold) of neighbors that look the same."""
    cells = [row[x] for x in range(columns)]
    looks = lambda at: (cells[at].fg, cells[at].bg, cells[at].bold, cells[at].reverse)
    for (fg, bg, bold, reverse), places in itertools.groupby(range(columns), looks):
        places = list(places)
        front, back = color(fg, COLORS["default"]), None if bg == "default" else color(bg, None)
        if reverse:
            front, back = back or COLORS["black"], front
        yield places[0], "".join(cells[x].data for x in places), front, back, bold


def draw_row(row, columns, y):
    out = []
    for x, text, front, back, bold in runs(row, columns):
        at, length = 8 + x * CELL, len(text) * CELL
        if back:
            out.append('<rect x="%.1f" y="%d" width="%.1f" height="%d" fill="%s"/>' % (at, 7 + y * LINE, length, LINE, back))
        start = len(text) - len(text.lstrip())
        if text := text.strip():
            out.append('<text x="%.1f" y="%d" textLength="%.1f" fill="%s"%s>%s</text>' % (
                at + start * CELL, 19 + y * LINE, len(text) * CELL, front, ' font-weight="bold"' if bold else "",
                html.escape(text).replace(" ", "\u00a0")))  # a run of blanks would become one
    return out


def picture(title, columns, rows, parts):
    """Of parts that draw_row() has drawn."""
    return "\n".join([
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %d" font-family="monospace" font-size="12">' % (
            columns * CELL + 16, rows * LINE + 14), "<title>%s</title>" % html.escape(title),
        '<rect width="100%%" height="100%%" rx="6" fill="%s"/>' % COLORS["black"], *parts, "</svg>", ""])
