// A flamegraph: boxes by depth, as wide as what they hold; drawn anew for each zoom, so that what
// is too narrow to be seen is there as soon as there is room for it.
"use strict";
function draw_flamegraph(picture) {
	const { root, data, svg, html, set, fit, figure, percent, tools } = picture;
	const ROW = 18, BOX = 17, PAD = 4, LEAST = 0.4, KINDS = 10, SHADES = 3;
	const WORDS = { less4: "gone, or nearly", less3: "half or less", less2: "less by a quarter",
		less1: "a little less", same: "the same, or noise", more1: "a little more",
		more2: "more by a third", more3: "double or more", more4: "new, or nearly" };

	// --- frames: 0 is all of them, each stands before what is below it ---

	const stride = data.compared ? 6 : 4, OWN = 64;
	let count, depth, parent, name, kind, end, value, from, before, after, levels;

	// The frames of the target's own code, each below the last own one above it.
	function own_frames() {
		const all = { below: new Map(), value: 0 }, way = [all], list = [];
		for (let at = 0; at < data.frames.length; at += stride) {
			const [level, text, kind, value] = data.frames.slice(at, at + stride);
			const above = way[level];
			if (!(kind & OWN)) {
				way[level + 1] = above;
				continue;
			}
			const key = text * 128 + kind;
			if (!above.below.has(key))
				above.below.set(key, { text, kind, value: 0, below: new Map() });
			way[level + 1] = above.below.get(key);
			way[level + 1].value += value;
		}
		const put = (of, level) => [...of.below.values()].sort((a, b) => b.value - a.value).forEach((one) => {
			list.push(level, one.text, one.kind, one.value);
			put(one, level + 1);
		});
		put(all, 0);
		return list;
	}

	function read(frames) {
		count = frames.length / stride + 1;
		[depth, kind] = [new Uint16Array(count), new Uint8Array(count)];
		[parent, end, name] = [new Int32Array(count), new Int32Array(count), new Array(count)];
		[value, from, before, after] = [0, 1, 2, 3].map(() => new Float64Array(count));
		levels = 1;
		const above = [0], next = new Float64Array(count);
		name[0] = "all";
		parent[0] = -1;
		value[0] = data.total;
		kind[0] = data.differs ? 1 : 0;
		[before[0], after[0]] = data.totals;
		for (let i = 1, at = 0; i < count; i++, at += stride) {
			depth[i] = frames[at] + 1;
			name[i] = data.names[frames[at + 1]];
			kind[i] = frames[at + 2] & ~OWN;
			value[i] = frames[at + 3];
			if (data.compared) {
				before[i] = frames[at + 4];
				after[i] = frames[at + 5];
			}
			const p = parent[i] = above[depth[i] - 1];
			from[i] = next[p];
			next[p] += value[i];
			next[i] = from[i];
			above[depth[i]] = i;
			levels = Math.max(levels, depth[i] + 1);
		}
		// Behind the last one below it.
		end.fill(count);
		const open = [];
		for (let i = 0; i < count; i++) {
			while (open.length && depth[open[open.length - 1]] >= depth[i])
				end[open.pop()] = i;
			open.push(i);
		}
	}

	function children(i) {
		const list = [];
		for (let c = i + 1; c < end[i]; c = end[c])
			list.push(c);
		return list;
	}

	function is_in(i, of) {
		return i >= of && i < end[of];
	}

	// --- colours ---

	function shade(text) {
		let hash = 0;
		for (const byte of new TextEncoder().encode(text))
			hash = Math.imul(hash, 31) + byte >>> 0;
		return hash % SHADES;
	}

	function change(i) {
		const larger = Math.max(before[i], after[i]), less = after[i] < before[i];
		const size = larger ? Math.abs(after[i] - before[i]) / larger : 0;
		if (!size || !kind[i])
			return "same";
		return (less ? "less" : "more") + (size > 0.9 ? 4 : size >= 0.5 ? 3 : size >= 0.25 ? 2 : 1);
	}

	const shades = new Map();

	function color(i) {
		if (data.compared)
			return change(i);
		if (!i)
			return "k0";
		if (!shades.has(name[i]))
			shades.set(name[i], shade(name[i]));
		return `k${kind[i] % KINDS} s${shades.get(name[i])}`;
	}

	function add_legend() {
		if (data.compared)
			return Object.keys(WORDS).forEach((key) => picture.add_legend(key, WORDS[key]));
		const seen = new Set(kind.subarray(1));
		data.kinds.forEach((text, i) => seen.has(i) && picture.add_legend(`k${i % KINDS}`, text));
	}

	// --- words ---

	function measure(amount) {
		return data.unit ? figure(amount, data.unit) : `${amount} ${data.weight}`;
	}

	function words(i) {
		const lines = [name[i], measure(value[i])];
		if (data.compared) {
			const difference = after[i] - before[i];
			lines[1] = `${measure(before[i])} before, ${measure(after[i])} after`;
			lines.push(change(i) === "same" ? WORDS.same
				: (difference < 0 ? "−" : "+") + figure(Math.abs(difference), data.unit) +
					(before[i] ? `, ${(100 * difference / before[i]).toFixed(0)} %` : ", new"));
		}
		lines.push(percent(value[i], data.total) + " of all" + (parent[i] > 0
			? `, ${percent(value[i], value[parent[i]])} of ${name[parent[i]]}` : ""));
		return lines;
	}

	// In the box: of a compared frame both numbers too.
	function caption(i) {
		return data.compared && i
			? `${name[i]} (${figure(before[i], data.unit)} > ${figure(after[i], data.unit)})` : name[i];
	}

	// --- what is seen ---

	let own_button = null, is_own = false;
	let zoomed = 0, active = 0, icicle = data.icicle, pattern = null, hits = null, page = null;
	const layer = svg("g", { id: "boxes", role: "tree", tabindex: 0, "aria-label":
		`${root.querySelector("title").textContent}: frames below each other; ` +
		"arrow keys move, Enter zooms, Escape goes back, / searches" });
	root.querySelector("#boxes").replaceWith(layer);
	// A page may have several pictures.
	const active_id = "active" + (root.dataset.number ?? "");
	// What is drawn: a box has its frame's number, shown[] the boxes by frame.
	let shown = new Map();

	function y_of(level) {
		return (icicle ? level : levels - 1 - level) * ROW;
	}

	function scale() {
		return value[zoomed] ? page.width / value[zoomed] : 0;
	}

	function place(i) {
		if (is_in(zoomed, i))
			return { x: 0, width: page.width };
		return { x: (from[i] - from[zoomed]) * scale(), width: value[i] * scale() };
	}

	// Frames wide enough to be seen, each before what is below it.
	function visible() {
		const list = [], factor = scale();
		for (let i = zoomed; i >= 0; i = parent[i])
			list.push(i);
		list.reverse();
		for (let i = zoomed + 1; i < end[zoomed];) {
			if (value[i] * factor >= LEAST) {
				list.push(i);
				i++;
			} else {
				i = end[i];
			}
		}
		return list;
	}

	function class_of(i) {
		return color(i) + (hits && hits[i] ? " hit" : "") + (i === active ? " active" : "") +
			(i !== zoomed && is_in(zoomed, i) ? " above" : "");
	}

	// Boxes are used again: making 10,000 of them is what takes time.
	const spare = [];

	function take_box() {
		const box = spare.pop();
		if (box)
			return box;
		const group = document.createElementNS(layer.namespaceURI, "g");
		return { group, rect: svg("rect", { height: BOX }, group), text: null, i: 0 };
	}

	// For who listens: the boxes that can be read, and the one that the keys are at.
	function describe(group, i) {
		if (i >= 0) {
			set(group, { role: "treeitem", "aria-level": depth[i] + 1, "aria-label": words(i).join(", ") });
		} else if (group.hasAttribute("role")) {
			for (const attribute of ["role", "aria-level", "aria-label"])
				group.removeAttribute(attribute);
		}
	}

	function draw_box(box, i) {
		const { x, width } = place(i), y = y_of(depth[i]);
		const whole = `${name[i]} (${percent(value[i], data.total)})`, room = width - 2 * PAD;
		const label = i && !data.compared && picture.width(whole) <= room ? whole : fit(caption(i), room);
		box.i = i;
		box.group.frame = i;
		box.group.setAttribute("class", class_of(i));
		describe(box.group, label ? i : -1);
		set(box.rect, { x: x.toFixed(2), y, width: Math.max(width - (width > 2 ? 0.6 : 0), 0.3).toFixed(2) });
		if (!label) {
			box.text?.remove();
			box.text = null;
			return;
		}
		box.text = box.text || svg("text", {}, box.group);
		set(box.text, { x: (x + PAD).toFixed(2), y: y + 13 });
		if (box.text.textContent !== label)
			box.text.textContent = label;
	}

	function draw() {
		page = picture.arrange(layer, levels * ROW);
		for (const box of shown.values())
			spare.push(box);
		shown = new Map();
		const boxes = [];
		for (const i of visible()) {
			const box = take_box();
			draw_box(box, i);
			shown.set(i, box);
			boxes.push(box.group);
		}
		layer.replaceChildren(...boxes);
		layer.classList.toggle("searched", hits !== null);
		point_at_active();
	}

	function point_at_active() {
		layer.querySelector("[id]")?.removeAttribute("id");
		const box = shown.get(active);
		if (box) {
			box.group.id = active_id;
			describe(box.group, active);
		}
		layer.setAttribute("aria-activedescendant", box ? active_id : "");
	}

	// --- moving about ---

	function activate(i, is_reported) {
		const last = shown.get(active);
		active = i;
		if (last)
			last.group.setAttribute("class", class_of(last.i));
		shown.get(i)?.group.setAttribute("class", class_of(i));
		point_at_active();
		if (is_reported)
			emit_active();
	}

	function emit_active() {
		const { x, width } = place(active), seen = picture.view();
		const y = page.top + y_of(depth[active]);
		if (y < seen.top || y + ROW > seen.bottom)
			window.scrollBy(0, (y - (seen.bottom + seen.top) / 2) * seen.scale);
		picture.show_tip(words(active), 12 + Math.max(0, x) + Math.min(width, 200) / 2, y + BOX - 12);
		picture.say(words(active).join(", "));
	}

	function zoom(i) {
		zoomed = i;
		if (!is_in(active, i) && !is_in(i, active))
			active = i;
		picture.hide_tip();
		draw_trail();
		draw();
		emit_matches();
		picture.say(`${name[i]}: ${percent(value[i], data.total)} of all`);
	}

	function sibling(step) {
		const around = parent[active] < 0 || is_in(zoomed, active) ? [active] : children(parent[active]);
		let at = around.indexOf(active) + step;
		while (around[at] !== undefined && !shown.has(around[at]))
			at += step;
		return around[at] ?? active;
	}

	function away() {
		// Above the zoomed frame the way leads to it, not to its neighbours.
		if (active !== zoomed && is_in(zoomed, active)) {
			let below = zoomed;
			while (parent[below] !== active)
				below = parent[below];
			return below;
		}
		return children(active).find((c) => shown.has(c)) ?? active;
	}

	function next_hit(step) {
		const list = [...shown.keys()].filter((i) => hits && hits[i]);
		const at = list.indexOf(active);
		return list.length ? list[(at < 0 ? (step > 0 ? 0 : list.length - 1) : at + step + list.length) % list.length]
			: active;
	}

	// --- search ---

	const trail = html("div", { class: "trail", role: "navigation", "aria-label": "zoomed to" }, tools);
	const matched = html("span", { id: "matched", role: "status" }, tools);
	const search_box = html("input", { type: "search", id: "search", placeholder: "search: text or /regexp/",
		"aria-label": "search frames by a text, or by a regular expression between slashes",
		autocomplete: "off", spellcheck: "false" }, tools);

	// A text in any case; /x/ is a regular expression, with flags behind it.
	function to_pattern(text) {
		const given = /^\/(.+)\/([imsu]*)$/.exec(text);
		return given ? new RegExp(given[1], given[2])
			: new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "i");
	}

	// Each match once: what is below one that matches is part of it.
	function matched_value(of) {
		let sum = 0, number = 0;
		for (let i = of; i < end[of]; i++)
			number += hits[i];
		for (let i = of; i < end[of]; i = hits[i] ? end[i] : i + 1)
			sum += hits[i] ? value[i] : 0;
		return { sum, number };
	}

	function emit_matches() {
		if (!hits) {
			matched.textContent = "";
			return;
		}
		const { sum, number } = matched_value(zoomed);
		matched.textContent = `${percent(sum, value[zoomed])} in ${number} box${number === 1 ? "" : "es"}` +
			(zoomed ? " here" : "");
	}

	function search(text) {
		let broken = false;
		hits = null;
		try {
			pattern = text ? to_pattern(text) : null;
		} catch {
			pattern = null;
			broken = true;
		}
		if (pattern) {
			const by_name = new Map();
			hits = new Uint8Array(count);
			for (let i = 1; i < count; i++) {
				if (!by_name.has(name[i]))
					by_name.set(name[i], pattern.test(name[i]));
				hits[i] = by_name.get(name[i]);
			}
		}
		search_box.setAttribute("aria-invalid", broken);
		emit_matches();
		if (broken)
			matched.textContent = "not a regular expression";
		for (const box of shown.values())
			box.group.setAttribute("class", class_of(box.i));
		layer.classList.toggle("searched", hits !== null);
	}

	// --- tools ---

	function button(text, label, action) {
		const element = html("button", { type: "button", title: label, "aria-label": label }, tools, text);
		element.addEventListener("click", action);
		return element;
	}

	const reset_button = button("Reset", "back to all frames, without a search (r)", reset);
	if (data.has_own) {
		own_button = button("Only my code", "without libraries, packages, runtimes and the kernel (m)", turn_own);
		set(own_button, { "aria-pressed": "false" });
	}
	button("Turn", "the first frames above or below (t)", turn);
	button("?", "the keys", help);
	const keys = html("p", { class: "keys", id: "keys" }, picture.head,
		"Click or Enter: look into a box. Escape: one step back. Arrows: from box to box. " +
		"/: search, n and N: next and last match. r: reset. t: turn it over." + (data.has_own ? " m: only my code." : ""));
	keys.hidden = true;

	function help() {
		keys.hidden = !keys.hidden;
		draw();
		picture.say(keys.hidden ? "" : keys.textContent);
	}

	function reset() {
		search_box.value = "";
		search("");
		zoom(0);
	}

	function turn() {
		icicle = !icicle;
		picture.hide_tip();
		draw();
		picture.say(icicle ? "the first frames are above" : "the first frames are below");
	}

	function turn_own() {
		if (!own_button)
			return;
		is_own = !is_own;
		set(own_button, { "aria-pressed": is_own });
		read(is_own ? own_frames() : data.frames);
		active = 0;
		search(search_box.value);
		zoom(0);
		picture.say(is_own ? "only code of the target itself" : "all code");
	}

	function draw_trail() {
		const way = [];
		for (let i = zoomed; i >= 0; i = parent[i])
			way.unshift(i);
		trail.replaceChildren();
		if (zoomed) {
			way.forEach((i, at) => {
				const step = html("button", { type: "button" }, trail, name[i]);
				step.disabled = i === zoomed;
				step.addEventListener("click", () => {
					zoom(i);
					layer.focus({ preventScroll: true });
				});
				if (at < way.length - 1)
					html("span", { "aria-hidden": "true" }, trail, "›");
			});
		}
		reset_button.disabled = !zoomed && !hits;
	}

	// --- mouse and keys ---

	function frame_at(event) {
		return event.target.closest?.("#boxes > g")?.frame;
	}

	layer.addEventListener("click", (event) => {
		const i = frame_at(event);
		if (i === undefined)
			return;
		active = i;
		zoom(i);
	});
	layer.addEventListener("mousemove", (event) => {
		const i = frame_at(event), at = picture.place(event);
		if (i === undefined)
			return picture.hide_tip();
		picture.show_tip(words(i), at.x, at.y);
	});
	layer.addEventListener("mouseleave", picture.hide_tip);
	layer.addEventListener("focus", () => layer.matches(":focus-visible") && emit_active());
	layer.addEventListener("blur", picture.hide_tip);
	search_box.addEventListener("input", () => {
		search(search_box.value);
		draw_trail();
	});

	function back() {
		if (zoomed)
			zoom(parent[zoomed]);
		else if (hits)
			reset();
	}

	const everywhere = {
		"/": () => search_box.focus(),
		r: reset,
		t: turn,
		m: turn_own,
		n: () => activate(next_hit(1), true),
		N: () => activate(next_hit(-1), true),
		"?": help,
		Escape: back,
	};
	const in_boxes = {
		ArrowUp: () => activate(icicle ? Math.max(parent[active], 0) : away(), true),
		ArrowDown: () => activate(icicle ? away() : Math.max(parent[active], 0), true),
		ArrowLeft: () => activate(sibling(-1), true),
		ArrowRight: () => activate(sibling(1), true),
		Home: () => activate(zoomed, true),
		Enter: () => { zoom(active); emit_active(); },
		" ": () => { zoom(active); emit_active(); },
		Backspace: back,
	};

	root.addEventListener("keydown", (event) => {
		if (event.ctrlKey || event.altKey || event.metaKey)
			return;
		if (event.target === search_box) {
			if (event.key === "Enter" || event.key === "Escape") {
				if (event.key === "Escape" && search_box.value) {
					search_box.value = "";
					search("");
				}
				draw_trail();
				layer.focus({ preventScroll: true });
				if (hits)
					activate(next_hit(1), true);
				event.preventDefault();
			}
			return;
		}
		const action = everywhere[event.key] || (event.target === layer && in_boxes[event.key]);
		if (!action)
			return;
		event.preventDefault();
		action();
	});

	read(data.frames);
	add_legend();
	draw_trail();
	draw();
	picture.follow_width(draw);
	document.fonts?.ready.then(() => draw());
	root.dataset.ready = "true";
}
