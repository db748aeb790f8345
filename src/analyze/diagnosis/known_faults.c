/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/diagnosis/known_faults.h"

#include <assert.h>
#include <string.h>

#include "analyze/process_table/process_table_versions.h"
#include "analyze/process_table/verdicts.h"
#include "base/cleanup.h"

enum { AGENT, CHILDREN };

static const struct fault {
	const char *agent, *fixed, *findings;
	int of;
	const char *fix, *source;
} faults[] = {
#define FAULT(...) { __VA_ARGS__ },
#include "analyze/diagnosis/known_faults.def"
#undef FAULT
};

static bool has_word(const char *words, const char *word)
{
	struct cursor c = cursor_over(words, strlen(words));

	while (!cursor_at_end(&c)) {
		if (span_equal(cursor_until(&c, ' '), word))
			return true;
	}
	return false;
}

/* Returns whether a version of the agent has the fault. */
static bool has_fault(const struct agent *agent, struct span version, const struct fault *fault)
{
	return !strcmp(agent->name, fault->agent) && version.size &&
	       version_compare(version, span_of_string(fault->fixed)) < 0;
}

static void add_fault(struct check_result *out, const char *name, const struct agent *agent,
	const struct fault *f)
{
	finding_text(
		out, name, "from %s %s on, %s (%s)", agent->title, f->fixed, f->fix, f->source);
}

void known_faults_of_finding(const struct check *e, struct check_result *out)
{
	assert(e);

	const struct process_entry *p = e->process;
	const struct process_entry *agent = p && p->agent ? p : p ? p->main : NULL;

	if (!agent || !agent->agent)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		if ((faults[i].of == CHILDREN || agent == p) &&
			has_word(faults[i].findings, e->type->id) &&
			has_fault(agent->agent, process_table_version(agent), &faults[i]))
			add_fault(out, "known fault", agent->agent, &faults[i]);
	}
}

void known_faults_between(
	struct check_result *out, const struct agent *agent, struct span running, struct span newer)
{
	assert(agent);
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		if (has_fault(agent, running, &faults[i]) && !has_fault(agent, newer, &faults[i]))
			add_fault(out, "fixed since then", agent, &faults[i]);
	}
}
