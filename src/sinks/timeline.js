// Timelines: lanes that are drawn again for a range of time, under mouse and keys.
"use strict";
function draw_timeline(picture) {
	const { root, data, svg, html, set, fit, figure } = picture;
	const TITLE = 26, LANE = 30, FILL = 24, SPAN = 18, AXIS = 22, ZERO = 1, MARGIN = 12;
	const HEAT = 14, STACK = 96, PART = 15, STACK_SPACE = 8, LEVELS = 5;
	const NEAR = 4, DRAGGED = 4, NARROW = 500, ABOVE = 16;
	const whole = data.interval, stretch = data.stretch;
	const shortest = Math.min(whole, 4 * stretch) || 1;
	const body = root.querySelector("#lanes");

	let seen = { from: 0, to: whole };
	const trail = [];
	let plot = { x: 0, width: 1, height: 0, top: 0 };
	let narrow = false, current = 0, cursor = null, range = null, anchor = null;

	// --- rows ---

	// Parts stand in the area of their whole, the last lane before them that is none.
	function group_rows(group) {
		const made = [];
		for (const lane of group.lanes) {
			if (lane.is_part) {
				made.at(-1).parts.push(lane);
				continue;
			}
			made.push({ kind: "lane", height: group.heat ? HEAT : LANE, label: lane.label,
				values: lane.values, part: lane.part, parts: [], group, color: "k" + lane.color,
				title: made.length ? "" : group.title });
		}
		for (const row of made.filter((one) => one.parts.length)) {
			row.height = Math.max(STACK, SPAN + (row.parts.length + 2) * PART);
			row.color = "k0";
		}
		return made;
	}

	// [n] stands for n more of the value before it.
	for (const lane of data.groups.flatMap((group) => group.lanes))
		lane.values = lane.values.flatMap((value, i, all) =>
			Array.isArray(value) ? Array(value[0]).fill(all[i - 1]) : [value]);

	const rows = [
		...(data.marks.length ? [{ kind: "marks", height: SPAN, label: "events" }] : []),
		...data.rows.map((row, i) => ({ kind: "span", height: SPAN, label: row.label, title: row.title,
			spans: data.spans.filter((span) => span.row === i) })),
		...data.groups.flatMap(group_rows),
	];

	function shown(group, value) {
		if (value === null)
			return "not measured";
		if (group.unit === "bytes")
			return figure(value, "bytes");
		return value.toFixed(group.decimals) + (group.unit === "percent" ? " %" : "");
	}

	const at = (ns) => ns > 0 ? figure(ns, "ns") : "0 s";

	// What of a lane lies in a range: { most, mean, measured, all }, in stretches.
	function figures(row, from, to) {
		const first = Math.max(0, Math.floor(from / stretch));
		const end = Math.min(row.values.length, Math.ceil(to / stretch));
		const there = row.values.slice(first, end).filter((value) => value !== null);
		return {
			most: there.length ? Math.max(...there) : null,
			least: there.length ? Math.min(...there) : null,
			mean: there.length ? there.reduce((a, b) => a + b, 0) / there.length : null,
			measured: there.length, all: end - first,
		};
	}

	// With the sum of its parts, which may be more than the whole.
	function own_top(row) {
		const first = Math.max(0, Math.floor(seen.from / stretch));
		const end = Math.min(row.values.length, Math.ceil(seen.to / stretch));
		let most = figures(row, seen.from, seen.to).most ?? 0;
		for (let i = first; row.parts.length && i < end; i++)
			most = Math.max(most, row.parts.reduce((sum, part) => sum + (part.values[i] ?? 0), 0));
		return most;
	}

	// The lanes of a group have one scale, that of what is in sight.
	function find_tops() {
		for (const row of rows)
			if (row.group)
				row.top = own_top(row);
		for (const group of data.groups.filter((one) => !one.own)) {
			const lanes = rows.filter((row) => row.group === group);
			const most = Math.max(...lanes.map((row) => row.top));
			lanes.forEach((row) => { row.top = most; });
		}
	}

	function call_words(span) {
		return [`${at(span.from)}, for ${at(span.to - span.from)}`, span.first === null
			? (span.ended ? "no answer" : "still waiting for an answer at the end")
			: `first byte after ${at(span.first - span.from)}` + (span.ended ? "" : ", still open at the end"),
		span.detail].filter(Boolean);
	}

	function span_words(span) {
		return span.call ? call_words(span) : [span.came ? "came at " + at(span.from) : "was there before",
			span.ended ? "ended at " + at(span.to) : "is there still", span.detail].filter(Boolean);
	}

	function spoken(row) {
		if (row.kind === "span")
			return [row.label, ...row.spans.slice(0, 20).flatMap(span_words)].join(", ");
		if (row.kind === "marks")
			return data.marks.length + " events";
		const all = figures(row, seen.from, seen.to);
		return `${name_of(row)}, ${row.group.title}: from ${shown(row.group, all.least)} to ` +
			`${shown(row.group, all.most)}` +
			(all.measured < all.all ? ", not measured all the time" : "");
	}

	// --- drawing ---

	const x_of = (ns) => plot.x + plot.width * (ns - seen.from) / (seen.to - seen.from || 1);
	const ns_of = (x) => seen.from + (seen.to - seen.from) *
		Math.min(1, Math.max(0, (x - plot.x) / plot.width));
	const inside = (x) => Math.min(plot.x + plot.width, Math.max(plot.x, x));
	const short = (value) => +value.toFixed(2);

	function tick_step(length, most) {
		for (let power = 1; power < 1e18; power *= 10)
			for (const step of [1, 2, 5])
				if (length / (step * power) <= most)
					return step * power;
		return length;
	}

	// A tick may need more digits than a figure: 10.2s and 10.4s are no 10.2s twice.
	function tick_text(ns, step) {
		if (!ns)
			return "0 s";
		if (ns >= 1e9 && ns < 6e10 && step < 1e9)
			return (ns / 1e9).toFixed(Math.min(9, Math.ceil(9 - Math.log10(step)))) + "s";
		return at(ns);
	}

	function draw_ticks(height) {
		const step = tick_step(seen.to - seen.from, Math.max(2, Math.floor(plot.width / 90)));
		for (let ns = Math.ceil(seen.from / step) * step; ns <= seen.to; ns += step) {
			const x = short(x_of(ns));
			svg("line", { x1: x, x2: x, y1: AXIS - 4, y2: height, class: "grid" }, body);
			if (x < plot.x + plot.width - 20)
				svg("text", { x: x + 2, y: 14, class: "tick" }, body).textContent = tick_text(ns, step);
		}
	}

	const right_of = (i) => short(inside(x_of(Math.min(whole, i * stretch))));

	function draw_gaps(row, g, first, end, height) {
		for (let i = first, to; i < end; i = to) {
			const is_gap = row.values[i] === null;
			for (to = i + 1; to < end && (row.values[to] === null) === is_gap; to++)
				;
			const x = inside(x_of(i * stretch)), right = right_of(to);
			if (is_gap)
				svg("rect", { x: short(x), y: 0, width: short(right - x), height },
					svg("g", { class: "gap" }, g));
		}
	}

	function draw_values(row, g, first, end, fill) {
		let path = "";
		for (let i = first, to; i < end; i = to) {
			const is_gap = row.values[i] === null;
			for (to = i + 1; to < end && (row.values[to] === null) === is_gap; to++)
				;
			if (is_gap)
				continue;
			path += `M${short(inside(x_of(i * stretch)))} ${fill}`;
			for (let k = i; k < to; k++) {
				const high = row.top > 0 ? fill * row.values[k] / row.top : 0;
				path += `V${short(fill - Math.max(ZERO, high))}H${right_of(k + 1)}`;
			}
			path += `V${fill}Z`;
		}
		svg("path", { class: row.color + " values", d: path }, g);
	}

	// A strip whose color is the value, in a few levels.
	function draw_heat(row, g, first, end, fill) {
		const level = (i) => row.values[i] > 0 && row.top > 0
			? Math.ceil(LEVELS * row.values[i] / row.top) : 0;
		const paths = Array(LEVELS + 1).fill("");
		for (let i = first, to; i < end; i = to) {
			for (to = i + 1; to < end && level(to) === level(i); to++)
				;
			const x = short(inside(x_of(i * stretch)));
			paths[level(i)] += `M${x} 0H${right_of(to)}v${fill}H${x}Z`;
		}
		for (let i = 1; i <= LEVELS; i++)
			svg("path", { class: row.color + " heat", "fill-opacity": (i + 1) / (LEVELS + 1), d: paths[i] }, g);
	}

	function draw_legend(row, g) {
		[row, ...row.parts].forEach((part, i) => {
			const y = (narrow ? row.fill + 2 : SPAN - 5) + (i + 1) * PART, color = i ? "k" + part.color : row.color;
			svg("rect", { x: 8, y: y - 9, width: 9, height: 9 }, svg("g", { class: color }, g));
			const most = figures(part, seen.from, seen.to).most;
			svg("text", { x: 22, y, class: "tick" }, g).textContent =
				fit(`${part.part} ${most === null ? "-" : shown(row.group, most)}`, (narrow ? plot.width : plot.x) - 30);
		});
	}

	function draw_parts(row, g, first, end, fill) {
		const sums = Array(row.values.length).fill(0);
		const y_of = (sum) => short(fill - (row.top > 0 ? fill * sum / row.top : 0));
		for (const part of row.parts) {
			let path = "", back = "Z";
			for (let i = first; i < end; i++) {
				const x = short(inside(x_of(i * stretch))), before = sums[i];
				sums[i] += part.values[i] ?? 0;
				path += (i > first ? "V" : `M${x} `) + y_of(sums[i]) + "H" + right_of(i + 1);
				back = `V${y_of(before)}H${x}` + back;
			}
			svg("path", { class: "k" + part.color + " part", d: path + back }, g);
		}
		draw_legend(row, g);
	}

	const text_y = (row) => row.group?.heat ? HEAT - 4 : SPAN - 5;

	function draw_track(row, g) {
		const first = Math.max(0, Math.floor(seen.from / stretch));
		const end = Math.min(row.values.length, Math.ceil(seen.to / stretch));
		const most = figures(row, seen.from, seen.to).most;
		const fill = row.fill = row.group.heat ? HEAT - 2 : row.parts.length
			? (narrow ? STACK : row.height) - STACK_SPACE : FILL;
		draw_gaps(row, g, first, end, fill);
		if (row.group.heat)
			draw_heat(row, g, first, end, fill);
		else
			draw_values(row, g, first, end, fill);
		if (row.parts.length)
			draw_parts(row, g, first, end, fill);
		svg("text", { x: plot.x + plot.width + 6, y: text_y(row), class: "tick figure" }, g).textContent =
			fit(most === null ? "-" : shown(row.group, most), plot.figure);
	}

	function draw_span(row, g) {
		const bar = (kind, from_ns, to_ns) => {
			const from = inside(x_of(from_ns)), to = inside(x_of(to_ns));
			if (to_ns >= seen.from && from_ns <= seen.to)
				svg("rect", { x: short(from), y: 2, width: short(Math.max(1, to - from)), height: SPAN - 6 },
					svg("g", { class: kind }, g));
		};
		for (const span of row.spans) {
			const first = span.first ?? span.to;
			if (span.call)
				bar("span pale", span.from, first);
			if (!span.call || first < span.to)
				bar("span", span.call ? first : span.from, span.to);
		}
	}

	function draw_marks(g) {
		for (const mark of data.marks)
			if (mark.at >= seen.from && mark.at <= seen.to)
				svg("rect", { x: short(x_of(mark.at) - 1), y: 1, width: 2, height: SPAN - 4 },
					svg("g", { class: "mark" }, g));
	}

	function draw_row(row, i) {
		if (row.title) {
			svg("text", { x: 0, y: row.y - 8 - (narrow ? ABOVE : 0), class: "group" }, body).textContent = fit(row.title +
				(!row.group || row.group.own ? "" : ", 0 to " + shown(row.group, row.top)), plot.x + plot.width);
		}
		row.g = svg("g", { class: "row", transform: `translate(0,${row.y})`, role: "img",
			tabindex: i === current ? 0 : -1, "aria-label": spoken(row), "data-row": i }, body);
		svg("rect", { class: "ground", x: 0, y: -1, width: plot.x + plot.width, height: height_of(row) - 3 },
			row.g);
		svg("text", { x: 0, y: narrow ? -4 : text_y(row) }, row.g).textContent =
			fit(row.label, narrow ? plot.width + plot.figure : plot.x - 8);
		if (row.kind === "lane")
			draw_track(row, row.g);
		else if (row.kind === "span")
			draw_span(row, row.g);
		else
			draw_marks(row.g);
	}

	// A narrow plot has labels above, and legends below its rows.
	const height_of = (row) => row.height + (narrow && row.parts?.length
		? STACK + (row.parts.length + 1) * PART + STACK_SPACE - row.height : 0);

	function place_rows() {
		let y = AXIS;
		for (const row of rows) {
			y += row.title ? TITLE : 0;
			row.y = y += narrow ? ABOVE : 0;
			y += height_of(row);
		}
		return y;
	}

	function draw() {
		narrow = picture.room() < NARROW;
		const height = place_rows(), had_focus = body.contains(document.activeElement);
		const { top, width } = picture.arrange(body, height);
		plot.figure = width < 500 ? 62 : 76;
		plot.x = narrow ? 0 : Math.min(200, Math.floor(width / 4));
		plot.width = width - plot.x - plot.figure;
		plot.height = height;
		plot.top = top;
		body.replaceChildren();
		find_tops();
		draw_ticks(height);
		rows.forEach(draw_row);
		set(body, { "data-from": Math.round(seen.from), "data-to": Math.round(seen.to) });
		draw_range();
		if (had_focus && rows[current])
			rows[current].g.focus({ preventScroll: true });
		where.textContent = `${at(seen.from)} to ${at(seen.to)}` +
			(trail.length ? ` of ${at(whole)}` : "");
		back.disabled = reset.disabled = !trail.length;
	}

	// --- cursor and range ---

	function draw_range() {
		body.querySelector("#range")?.remove();
		body.querySelector("#cursor")?.remove();
		if (cursor !== null && cursor >= seen.from && cursor <= seen.to) {
			const x = short(x_of(cursor));
			svg("line", { id: "cursor", x1: x, x2: x, y1: AXIS - 4, y2: plot.height }, body);
		}
		if (!range)
			return;
		const from = inside(x_of(range.from)), to = inside(x_of(range.to));
		svg("rect", { id: "range", x: short(from), y: AXIS - 4, width: short(to - from),
			height: plot.height - AXIS + 4 }, body);
	}

	const name_of = (row) => (row.part ? row.part + " " : "") + row.label;

	function emit_track(row, ns) {
		if (range) {
			const all = figures(row, range.from, range.to);
			return [name_of(row), `${row.group.title}: from ${shown(row.group, all.least)} to ` +
				`${shown(row.group, all.most)}, on average ${shown(row.group, all.mean)}`,
			`${at(range.from)} to ${at(range.to)}, ${at(range.to - range.from)}`];
		}
		const i = Math.min(row.values.length - 1, Math.floor(ns / stretch));
		return [name_of(row), `${row.group.title}: ${shown(row.group, row.values[i] ?? null)}`,
			...row.parts.map((part) => `${part.part}: ${shown(row.group, part.values[i] ?? null)}`),
			`${at(i * stretch)} to ${at(Math.min(whole, (i + 1) * stretch))}`];
	}

	function emit_marks(ns) {
		const reach = NEAR * (seen.to - seen.from) / plot.width;
		const near = data.marks.filter((mark) => Math.abs(mark.at - ns) <= reach);
		const lines = near.slice(0, 6).map((mark) => `${at(mark.at)} ${mark.label} ${mark.detail}`.trim());
		if (near.length > 6)
			lines.push(`and ${near.length - 6} more: zoom in`);
		return lines.length ? ["events", ...lines] : ["events", "none at " + at(ns)];
	}

	// The span at a time; of a row with one span, that.
	function emit_spans(row, ns) {
		const reach = NEAR * (seen.to - seen.from) / plot.width;
		const there = row.spans.length === 1 ? row.spans[0]
			: row.spans.find((span) => ns >= span.from - reach && ns <= span.to + reach);
		return [row.label, ...there ? span_words(there) : [`none at ${at(ns)}, ${row.spans.length} in all`]];
	}

	function tell(row, ns) {
		if (row.kind === "lane")
			return emit_track(row, ns);
		return row.kind === "marks" ? emit_marks(ns) : emit_spans(row, ns);
	}

	function show(row, ns, x, y) {
		picture.show_tip(tell(row, ns), x, y);
	}

	// --- zooming ---

	function look(from, to, remember) {
		const length = Math.min(whole, Math.max(shortest, to - from));
		from = Math.min(Math.max(0, from), whole - length);
		if (remember)
			trail.push(seen);
		seen = { from, to: from + length };
		range = null;
		picture.hide_tip();
		draw();
		picture.say(`from ${at(seen.from)} to ${at(seen.to)}`);
	}

	function go_back() {
		const before = trail.pop();
		if (before)
			look(before.from, before.to, false);
	}

	function go_whole() {
		trail.length = 0;
		look(0, whole, false);
	}

	function scale(by) {
		const middle = cursor !== null && cursor >= seen.from && cursor <= seen.to
			? cursor : (seen.from + seen.to) / 2;
		const length = (seen.to - seen.from) * by;
		if (by > 1 && length >= whole)
			go_whole();
		else
			look(middle - (middle - seen.from) * by, middle + (seen.to - middle) * by, true);
	}

	// --- the mouse ---

	function under(event) {
		const { x, y } = picture.place(event);
		const row = rows.find((one) => y - plot.top >= one.y && y - plot.top < one.y + height_of(one));
		return { x, y, row, in_plot: x - MARGIN >= plot.x && x - MARGIN <= plot.x + plot.width,
			ns: ns_of(x - MARGIN) };
	}

	body.addEventListener("pointermove", (event) => {
		const there = under(event);
		if (anchor) {
			const ns = [anchor.ns, there.ns].sort((a, b) => a - b);
			range = Math.abs(there.x - anchor.x) >= DRAGGED ? { from: ns[0], to: ns[1] } : null;
			draw_range();
		}
		if (there.row && there.in_plot)
			show(there.row, there.ns, there.x, there.y);
		else
			picture.hide_tip();
	});
	body.addEventListener("pointerleave", () => picture.hide_tip());
	body.addEventListener("pointerdown", (event) => {
		const there = under(event);
		if (event.button || !there.in_plot)
			return;
		anchor = there;
		body.setPointerCapture(event.pointerId);
		event.preventDefault();
	});
	body.addEventListener("pointerup", (event) => {
		const there = under(event), began = anchor;
		anchor = null;
		if (!began)
			return;
		if (range) {
			look(range.from, range.to, true);
		} else if (there.row) {
			cursor = there.ns;
			choose(rows.indexOf(there.row));
		}
	});
	body.addEventListener("pointercancel", () => {
		anchor = range = null;
		draw_range();
	});
	body.addEventListener("dblclick", go_whole);

	// --- keys ---

	function choose(i) {
		if (!rows.length)
			return;
		current = Math.min(rows.length - 1, Math.max(0, i));
		rows.forEach((row, k) => set(row.g, { tabindex: k === current ? 0 : -1 }));
		rows[current].g.focus({ preventScroll: true });
		rows[current].g.scrollIntoView({ block: "nearest" });
		draw_range();
		emit_current();
	}

	function emit_current() {
		const row = rows[current];
		if (cursor === null) {
			picture.say(spoken(row));
			return;
		}
		show(row, cursor, MARGIN + x_of(cursor), plot.top + row.y + row.height / 2);
		picture.say(tell(row, cursor).join(", "));
	}

	function step(by, selects) {
		const before = cursor ?? (by > 0 ? seen.from : seen.to);
		const least = Math.max(stretch, (seen.to - seen.from) / plot.width);
		cursor = Math.min(seen.to, Math.max(seen.from, before + by * least));
		if (selects) {
			anchor_key ??= before;
			range = { from: Math.min(anchor_key, cursor), to: Math.max(anchor_key, cursor) };
		} else {
			anchor_key = range = null;
		}
		draw_range();
		emit_current();
	}
	let anchor_key = null;

	function escape() {
		picture.hide_tip();
		if (range) {
			range = anchor_key = null;
			draw_range();
		} else {
			go_back();
		}
	}

	const keys = {
		ArrowUp: () => choose(current - 1),
		ArrowDown: () => choose(current + 1),
		ArrowLeft: (event) => step(event.ctrlKey ? -10 : -1, event.shiftKey),
		ArrowRight: (event) => step(event.ctrlKey ? 10 : 1, event.shiftKey),
		PageUp: () => choose(current - 10),
		PageDown: () => choose(current + 10),
		Home: () => { cursor = seen.from; choose(current); },
		End: () => { cursor = seen.to; choose(current); },
		Enter: () => {
			if (range)
				look(range.from, range.to, true);
			anchor_key = null;
		},
		Escape: escape,
		"+": () => scale(0.5),
		"=": () => scale(0.5),
		"-": () => scale(2),
		"0": go_whole,
	};

	root.addEventListener("keydown", (event) => {
		const is_button = event.target.localName === "button";
		if (event.altKey || event.metaKey || !keys[event.key] || (is_button && event.key === "Enter"))
			return;
		event.preventDefault();
		keys[event.key](event);
	});

	// --- tools ---

	function button(text, name, click) {
		const made = html("button", { type: "button", "aria-label": name }, picture.tools, text);
		made.addEventListener("click", click);
		return made;
	}

	button("+", "zoom in", () => scale(0.5));
	button("−", "zoom out", () => scale(2));
	const back = button("Back", "back to the range before", go_back);
	const reset = button("Whole", "the whole time", go_whole);
	const where = html("output", { "aria-live": "off" }, picture.tools);
	html("p", {}, picture.foot, "Drag over a range to zoom into it. Keys: ↑ ↓ lanes, ← → time (Ctrl: " +
		"faster, Shift: a range), Enter: into the range, + − zoom, Esc back, 0 whole.");

	set(body, { role: "group", "aria-label": "lanes" });
	picture.follow_width(draw);
	draw();
}
