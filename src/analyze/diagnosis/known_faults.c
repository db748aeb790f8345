/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/diagnosis/known_faults.h"

#include <assert.h>
#include <string.h>

#include "analyze/process_table/process_table_versions.h"
#include "analyze/process_table/verdicts.h"
#include "base/cleanup.h"

enum { AGENT, CHILDREN };

static const struct known_fault faults[] = {
#define FAULT(...) { __VA_ARGS__ },
#include "analyze/diagnosis/known_faults.def"
#undef FAULT
};

bool known_fault_is_in(const struct known_fault *fault, struct span version)
{
	assert(fault);
	return version.size && version_compare(version, span_of_string(fault->fixed)) < 0;
}

const struct known_fault *known_fault_next(
	const struct agent *agent, struct span version, size_t *position)
{
	assert(agent);
	while (*position < ARRAY_SIZE(faults)) {
		const struct known_fault *fault = &faults[(*position)++];

		if (!strcmp(agent->name, fault->agent) && known_fault_is_in(fault, version))
			return fault;
	}
	return NULL;
}

bool known_fault_put(
	struct buffer *out, const struct process_entry *p, const char *finding, size_t *position)
{
	const struct process_entry *agent = p && p->agent ? p : p ? p->main : NULL;
	const struct known_fault *fault;

	if (!agent || !agent->agent)
		return false;
	while ((fault = known_fault_next(agent->agent, process_table_version(agent), position))) {
		if ((!fault->is_of_children && agent != p) ||
			!span_is_word_of(span_of_string(finding), fault->findings))
			continue;
		buffer_reset(out);
		buffer_format(out, KNOWN_FAULT_FORMAT, KNOWN_FAULT_ARGS(agent->agent, fault));
		return true;
	}
	return false;
}
