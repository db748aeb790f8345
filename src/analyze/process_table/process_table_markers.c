/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/process_table/process_table_markers.h"

#include <string.h>

#include "analyze/records.h"
#include "base/cleanup.h"

void markers_read(struct markers *m, const struct proc_ties *links)
{
	struct span text = span_of("", 0);
	struct cursor c;

	m->count = 0;
	m->is_reported = links && ((links->markers_state & 15) == SOOTH_STATE_VALUE ||
					  (links->markers_state & 15) == SOOTH_STATE_TRUNCATED);
	if (m->is_reported)
		text = record_text(&links->record, &links->markers);
	c = cursor_over(text.data, text.size);
	while (!cursor_at_end(&c) && m->count < MARKERS_MAX) {
		struct span word = cursor_until(&c, '\0');
		struct cursor parts = cursor_over(word.data, word.size);
		struct marker *to = &m->all[m->count];

		to->name = cursor_until(&parts, '=');
		to->value = span_of((const char *)parts.at, cursor_left(&parts));
		m->count += to->name.size > 0;
	}
}

static const struct marker *markers_get(const struct markers *m, const char *name)
{
	for (size_t i = 0; i < m->count; i++) {
		if (span_equal(m->all[i].name, name))
			return &m->all[i];
	}
	return NULL;
}

struct agent_markers markers_of_agent(const struct markers *m, const struct agent *agent)
{
	struct agent_markers of = { 0 };

	for (size_t i = 0; i < AGENT_MARKERS_MAX && agent->markers[i].name; i++) {
		const struct agent_marker *known = &agent->markers[i];
		const struct marker *marker = markers_get(m, known->name);
		uint64_t pid;

		if (!marker)
			continue;
		of.is_any = true;
		of.is_tool = of.is_tool || known->kind == AGENT_MARKER_TOOL;
		if (known->kind == AGENT_MARKER_SESSION && marker->value.size &&
			of.sessions < ARRAY_SIZE(of.session))
			of.session[of.sessions++] = marker->value;
		if (known->kind == AGENT_MARKER_PID && span_decimal(marker->value, &pid))
			of.pid = marker->value;
	}
	return of;
}
