// Every picture: the page around it, texts that fit, figures as sooth writes them, a tip.
// Texts are set as text and never as markup.
"use strict";
function make_picture(root) {
	const SVG = "http://www.w3.org/2000/svg", HTML = "http://www.w3.org/1999/xhtml";
	const data = JSON.parse(root.querySelector("#data").textContent);
	const MARGIN = 12;

	function set(element, attributes) {
		for (const name in attributes)
			element.setAttribute(name, attributes[name]);
		return element;
	}

	function svg(name, attributes, parent) {
		const element = set(document.createElementNS(SVG, name), attributes);
		if (parent)
			parent.append(element);
		return element;
	}

	function html(name, attributes, parent, text) {
		const element = set(document.createElementNS(HTML, name), attributes);
		if (text !== undefined)
			element.textContent = text;
		if (parent)
			parent.append(element);
		return element;
	}

	// --- how wide a text is in the font of names ---

	const ruler = svg("text", { x: 0, y: -100, "aria-hidden": "true" }, root);
	const widths = new Map();

	function measured(text) {
		let width = widths.get(text);
		if (width === undefined) {
			ruler.textContent = text;
			width = ruler.getComputedTextLength();
			if (widths.size > 20000)
				widths.clear();
			widths.set(text, width);
		}
		return width;
	}

	// A font with one width is measured once.
	const narrow = measured("i".repeat(64)) / 64, wide = measured("M".repeat(64)) / 64;
	const column = Math.abs(narrow - wide) < 0.01 ? wide : 0;

	function width(text) {
		return column && /^[ -~]*$/.test(text) ? text.length * column : measured(text);
	}

	// As much of it as has room, of a path its end; "" when less than three characters do.
	function fit(text, room) {
		if (room < 3 * (column || narrow))
			return "";
		if (width(text) <= room)
			return text;
		const letters = Array.from(text), from_end = text.startsWith("/");
		let least = 0, most = letters.length - 1;
		const cut = (count) => from_end ? "…" + letters.slice(letters.length - count).join("")
						: letters.slice(0, count).join("") + "…";
		while (least < most) {
			const middle = least + most + 1 >> 1;
			if (width(cut(middle)) <= room)
				least = middle;
			else
				most = middle - 1;
		}
		return least < 2 ? "" : cut(least);
	}

	// --- figures, as the program writes them ---

	function three(value) {
		return value < 9.995 ? value.toFixed(2) : value < 99.95 ? value.toFixed(1) : value.toFixed(0);
	}

	function two(count, base, first, second) {
		return Math.floor(count / base) + first + String(count % base).padStart(2, "0") + second;
	}

	function nanoseconds(ns) {
		const seconds = Math.round(ns / 1e9), minutes = Math.round(ns / 6e10);
		if (ns < 1000)
			return Math.round(ns) + "ns";
		if (ns < 999.5e3)
			return three(ns / 1e3) + "us";
		if (ns < 999.5e6)
			return three(ns / 1e6) + "ms";
		if (ns < 59.95e9)
			return three(ns / 1e9) + "s";
		if (seconds < 3600)
			return two(seconds, 60, "m", "s");
		return minutes < 1440 ? two(minutes, 60, "h", "m") : two(Math.round(ns / 3.6e12), 24, "d", "h");
	}

	function bytes(count) {
		let letter = 0, value = count;
		while (Math.round(value) >= 1024 && letter < 6) {
			value /= 1024;
			letter++;
		}
		return (letter && value < 99.95 ? value.toFixed(1) : value.toFixed(0)) + "BKMGTPE"[letter];
	}

	function figure(value, unit) {
		return unit === "ns" ? nanoseconds(value) : unit === "bytes" ? bytes(value) : String(value);
	}

	function percent(part, whole) {
		const share = whole ? 100 * part / whole : 0;
		return share.toFixed(share > 0 && share < 0.1 ? 3 : 1) + " %";
	}

	// --- the page: what stands above and below as HTML, which wraps ---

	function lines_of(id) {
		return Array.from(root.querySelectorAll(id + " text"), (line) => line.dataset.whole || line.textContent);
	}

	const head_frame = svg("foreignObject", { x: MARGIN, y: 10, width: 100, height: 10 });
	const foot_frame = svg("foreignObject", { x: MARGIN, y: 0, width: 100, height: 10 });
	const head = html("div", { class: "page" }, head_frame);
	const foot = html("div", { class: "page" }, foot_frame);
	const [title, ...below] = [root.querySelector("title").textContent,
		root.querySelector("desc").textContent];

	html(root.parentElement ? "h2" : "h1", {}, head, title);
	for (const line of below)
		html("p", {}, head, line);
	const tools = html("div", { class: "tools" }, head);
	const legend = html("div", { class: "legend" }, foot);
	for (const line of lines_of("#notes"))
		html("p", {}, foot, line);
	// Spoken when it changes.
	const voice = html("div", { class: "unseen", role: "status", "aria-live": "polite" }, foot);
	for (const id of ["#head", "#notes", "#legend"])
		root.querySelector(id)?.remove();
	root.append(head_frame, foot_frame);

	let page_width = 0, page_height = 0, printed_width = 0;

	// In a page the picture is as wide as what it stands in.
	function room() {
		return printed_width || Math.max(240, root.parentElement?.clientWidth || window.innerWidth);
	}

	// Places head, `body` (a <g>) of that height, and foot; returns where the body is.
	function arrange(body, height) {
		page_width = room();
		const inner = page_width - 2 * MARGIN;

		set(head_frame, { width: inner });
		set(foot_frame, { width: inner });
		const top = 10 + Math.ceil(head.offsetHeight) + 4, bottom = top + height + 6;
		const foot_height = Math.ceil(foot.offsetHeight);
		const all = page_height = bottom + foot_height + 10;
		set(head_frame, { height: head.offsetHeight });
		set(foot_frame, { y: bottom, height: foot_height });
		set(body, { transform: `translate(${MARGIN},${top})` });
		set(root, { width: page_width, height: all, viewBox: `0 0 ${page_width} ${all}` });
		return { top, width: inner };
	}

	// The draw function is called for every width there is to be.
	function follow_width(draw) {
		let waiting = false;
		window.addEventListener("resize", () => {
			if (waiting || room() === page_width)
				return;
			waiting = true;
			requestAnimationFrame(() => {
				waiting = false;
				draw();
			});
		});
		window.addEventListener("beforeprint", () => {
			printed_width = 1000;
			draw();
		});
		window.addEventListener("afterprint", () => {
			printed_width = 0;
			draw();
		});
	}

	function add_legend(class_, text) {
		const entry = html("span", {}, legend);
		svg("rect", { width: 13, height: 13, rx: 2, class: class_ },
			svg("svg", { "aria-hidden": "true" }, entry));
		html("span", {}, entry, text);
	}

	// --- the tip: lines beside the mouse, or below what has the focus ---

	const tip = svg("g", { id: "tip", "aria-hidden": "true", visibility: "hidden" }, root);

	function wrapped(text, room, most) {
		const lines = [], per_line = Math.max(8, Math.floor(room / (column || wide)));
		const letters = Array.from(text);
		for (let at = 0; at < letters.length && lines.length < most; at += per_line)
			lines.push(letters.slice(at, at + per_line).join(""));
		if (lines.length * per_line < letters.length)
			lines.push(fit(lines.pop() + "…………", room));
		return lines;
	}

	// x and y are of the picture; the first text is the name.
	function show_tip(texts, x, y) {
		const room = Math.min(620, page_width - 40);
		const lines = texts.flatMap((text, i) => wrapped(text, room, i ? 2 : 4));
		const seen = view();
		tip.replaceChildren();
		const panel = svg("rect", { rx: 5 }, tip);
		let widest = 0;
		lines.forEach((line, i) => {
			const text = svg("text", { x: 10, y: 19 + 17 * i }, tip);
			text.textContent = line;
			if (!i)
				text.style.fontWeight = "600";
			widest = Math.max(widest, text.getComputedTextLength());
		});
		const size = { width: widest + 20, height: 17 * lines.length + 11 };
		set(panel, size);
		const left = Math.max(4, Math.min(x + 14, page_width - size.width - 4));
		let top = y + 18;
		if (top + size.height > Math.min(seen.bottom, page_height))
			top = Math.max(seen.top + 2, y - size.height - 10);
		set(tip, { transform: `translate(${left},${top})`, visibility: "visible" });
		root.append(tip);
	}

	function hide_tip() {
		tip.setAttribute("visibility", "hidden");
	}

	// What of the picture is seen, in its own units.
	function view() {
		const box = root.getBoundingClientRect(), scale = box.width / page_width || 1;
		return { top: -box.top / scale, bottom: (window.innerHeight - box.top) / scale, scale, box };
	}

	function place(event) {
		const { scale, box } = view();
		return { x: (event.clientX - box.left) / scale, y: (event.clientY - box.top) / scale };
	}

	function say(text) {
		voice.textContent = text;
	}

	return { root, data, svg, html, set, fit, width, figure, percent, tools, head, foot, add_legend,
		arrange, room, follow_width, show_tip, hide_tip, place, view, say };
}
