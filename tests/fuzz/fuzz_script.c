/* SPDX-License-Identifier: BSD-2-Clause */
/* Command lines, paths and marks: whatever stands there, what is found lies inside. */
#include "fuzz.h"
#include "recognize/agent.h"
#include "recognize/script.h"

static void check_inside(struct span part, const uint8_t *data, size_t size)
{
	if (part.size)
		CHECK(part.data >= (const char *)data &&
			part.data + part.size <= (const char *)data + size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span all = span_of((const char *)data, size), rest;
	struct agent_evidence e = { .executable = all,
		.name = all,
		.arguments = all,
		.directory = all,
		.marks = all,
		.mark_version = all,
		.package = all,
		.package_version = all };
	struct agent_match match;
	const struct agent *agent;

	for (unsigned i = INTERPRETER_NONE; i <= INTERPRETER_PYTHON; i++) {
		struct script script = script_of(i, all);

		check_inside(script.path, data, size);
		check_inside(script.module, data, size);
	}
	interpreter_of(all);
	check_inside(path_base(all), data, size);
	check_inside(path_package(all, &rest), data, size);
	check_inside(rest, data, size);
	check_inside(path_below(all, "a/b"), data, size);
	agent = agent_recognise(NULL, &e, &match);
	CHECK(!agent || match.rule);
	check_inside(match.version, data, size);
	return 0;
}
