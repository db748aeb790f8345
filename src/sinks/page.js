// A report as a page: pictures to zoom into, tables to sort and filter. All of it can be read
// without this script. Texts are set as text and never as markup.
"use strict";
(() => {
	const FILTERED = 10; // rows from which on a table has a filter

	function make(name, attributes, parent, text) {
		const element = document.createElement(name);
		for (const key in attributes)
			element.setAttribute(key, attributes[key]);
		if (text !== undefined)
			element.textContent = text;
		parent?.append(element);
		return element;
	}

	// --- pictures ---

	document.querySelectorAll("svg.sooth").forEach((root, i) => {
		root.dataset.number = i;
		const picture = make_picture(root);
		if (root.classList.contains("timeline"))
			draw_timeline(picture);
		else
			draw_flamegraph(picture);
	});

	// --- tables ---

	// A row with the line below it, which goes where the row goes.
	function rows_of(body) {
		const groups = [];
		for (const row of body.rows) {
			if (row.classList.contains("below") && groups.length)
				groups.at(-1).push(row);
			else
				groups.push([row]);
		}
		return groups;
	}

	// What a cell is sorted by: a number, a text in lower case; null, without a value, comes last.
	function key_of(row, column) {
		const cell = row.cells[column], text = cell.textContent;
		if (cell.dataset.v !== undefined)
			return Number(cell.dataset.v);
		return text === "-" || text === "?" || text === "" ? null : text.toLowerCase();
	}

	function compare(a, b) {
		if (typeof a === "number" && typeof b === "number")
			return a - b;
		return String(a).localeCompare(String(b), "en", { numeric: true });
	}

	function sort(table, column, is_down) {
		const body = table.tBodies[0];
		const keyed = rows_of(body).map((group) => [key_of(group[0], column), group]);
		keyed.sort(([a], [b]) => a === null || b === null ? (a === null) - (b === null)
			: (is_down ? -1 : 1) * compare(a, b));
		body.append(...keyed.flatMap(([, group]) => group));
		Array.from(table.tHead.rows[0].cells).forEach((cell, i) => {
			if (i === column)
				cell.setAttribute("aria-sort", is_down ? "descending" : "ascending");
			else
				cell.removeAttribute("aria-sort");
		});
	}

	function make_sortable(table) {
		Array.from(table.tHead.rows[0].cells).forEach((cell, column) => {
			const label = cell.textContent, is_number = cell.classList.contains("n");
			cell.textContent = "";
			make("button", { type: "button" }, cell, label).addEventListener("click", () => {
				const before = cell.getAttribute("aria-sort");
				sort(table, column, before ? before === "ascending" : is_number);
			});
		});
	}

	function filter(table, words) {
		let shown = 0;
		for (const group of rows_of(table.tBodies[0])) {
			const text = group.map((row) => row.textContent).join(" ").toLowerCase();
			const is_hidden = !words.every((word) => text.includes(word));
			group.forEach((row) => { row.hidden = is_hidden; });
			shown += !is_hidden;
		}
		return shown;
	}

	function make_filter(table) {
		const all = rows_of(table.tBodies[0]).length, tools = make("div", { class: "tools" });
		const title = table.closest("section")?.querySelector("h2")?.textContent ?? "table";
		const input = make("input", { type: "search", placeholder: "filter rows", spellcheck: "false",
			autocomplete: "off", "aria-label": `filter rows of ${title}` }, tools);
		const found = make("output", { role: "status" }, tools, "");
		table.parentElement.before(tools);
		input.addEventListener("input", () => {
			const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
			const shown = filter(table, words);
			found.textContent = words.length ? `${shown} of ${all} rows` : "";
		});
	}

	for (const table of document.querySelectorAll("main table")) {
		// The rows of a tree belong to the rows above them.
		if (!table.classList.contains("tree"))
			make_sortable(table);
		if (rows_of(table.tBodies[0]).length >= FILTERED)
			make_filter(table);
	}

	// --- the way about ---

	// What an address names is opened.
	function open_target() {
		document.getElementById(location.hash.slice(1))?.querySelector("details")?.setAttribute("open", "");
	}
	window.addEventListener("hashchange", open_target);
	open_target();
	window.addEventListener("beforeprint", () => {
		for (const folded of document.querySelectorAll("details"))
			folded.open = true;
	});
	document.documentElement.dataset.ready = "true";
})();
