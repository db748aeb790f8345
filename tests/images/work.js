// SPDX-License-Identifier: BSD-2-Clause
// Three functions, one in the other, and a secret that no image may have.
"use strict";

const secret = ["planted", "heap", "secret"].join("-");

function innermost(end) {
	let sum = 0;

	while (end)
		sum = (sum + secret.charCodeAt(sum % secret.length)) % 1000;
	return sum;
}

class Work {
	middle(end) {
		return innermost(end) + 1;
	}
}

const outermost = () => [1, 2].map((end) => new Work().middle(end));

console.log("ready");
outermost();
