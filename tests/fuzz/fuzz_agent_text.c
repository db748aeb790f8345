/* SPDX-License-Identifier: BSD-2-Clause */
/* A text about an agent: refused with its place, or an agent that is whole and says the same once
 * more when its comments are gone. */
#include <string.h>

#include "recognize/agent_set.h"
#include "fuzz.h"

static void check_whole(const struct agent *a)
{
	CHECK(a->name && a->title);
	CHECK(agent_rule_count(a) >= 1 && agent_rule_count(a) < AGENT_RULES_MAX);
	CHECK(!a->markers[AGENT_MARKERS_MAX - 1].name);
	CHECK(!a->files.project_file == !(a->files.log && strstr(a->files.log, "{project}")));
	CHECK(!a->files.open_file || strstr(a->files.open_file, "{session}"));
	CHECK(!a->files.session_file || !strpbrk(a->files.session_file, "*"));
	CHECK(!a->files.home || !strpbrk(a->files.home, "{}*"));
	CHECK(!a->distribution || !strpbrk(a->distribution, "*{}/ "));
	CHECK(!a->other_names || !strchr(a->other_names, '/'));
	for (size_t i = 0; i < agent_rule_count(a); i++) {
		const struct agent_rule *r = &a->rules[i];

		CHECK(strlen(r->why) > 0);
		if (r->kind == AGENT_RULE_PROGRAM)
			CHECK(r->program.section && strlen(r->program.holds) < 128);
		else
			CHECK(r->what && strlen(r->what) > 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct agent_text *t = NULL, *again = NULL;
	struct agent_set *set = agent_set_new();
	struct agent_evidence e = { .executable = { (const char *)data, size },
		.arguments = { (const char *)data, size },
		.name = { (const char *)data, size },
		.marks = { (const char *)data, size } };
	struct agent_match match;
	struct sooth_error err = { 0 };

	if (agent_text_parse(&t, "a/x.agent", (const char *)data, size, &err)) {
		CHECK(!t && !strncmp(err.tried, "use a/x.agent", 13));
		CHECK(err.why[0] && err.remedy[0]);
	} else {
		check_whole(&t->agent);
		CHECK(t->text_size <= size + 1);
		CHECK(!agent_text_parse(&again, "x.agent", t->text, t->text_size, &err));
		CHECK(again->text_size == t->text_size);
		CHECK(!memcmp(again->text, t->text, t->text_size));
		CHECK(!strcmp(again->agent.name, t->agent.name));
		CHECK(agent_rule_count(&again->agent) == agent_rule_count(&t->agent));
	}
	agent_set_add(set, "x.agent", (const char *)data, size, &err);
	agent_recognise(set, &e, &match);
	agent_set_unref(set);
	agent_text_free(again);
	agent_text_free(t);
	return 0;
}
