/* SPDX-License-Identifier: BSD-2-Clause */
/* What stands under the rows of a query: the notes of the capture, as under every report. */
#include <stdio.h>

#include "model/probe.h"
#include "export/query_state.h"

static const char *probe_of(const struct sooth_schema *schema)
{
	for (size_t i = 0; registry_probes[i]; i++) {
		for (size_t k = 0; registry_probes[i]->schemas[k]; k++) {
			if (registry_probes[i]->schemas[k] == schema)
				return registry_probes[i]->name;
		}
	}
	return NULL;
}

/* An empty table of what was not observed says nothing. */
static void note_unobserved(struct query *q, struct output *output)
{
	for (size_t i = 0; i < q->use_count; i++) {
		const struct table *t = q->uses[i].table;
		const char *probe = t->is_of_records ? probe_of(t->schema) : NULL;
		char what[TABLE_NAME_SIZE + 32];

		if (!probe || report_has_probe(q->notes, probe))
			continue;
		snprintf(what, sizeof(what), "%s (%s)", t->name, probe);
		output_limit(output, what,
			"the capture lacks this probe: the empty table does not mean that nothing "
			"happened",
			"make a capture with it: `sooth record --probe PROBE -o FILE.sooth NAME`");
	}
}

int query_emit_notes(struct query *q, struct output *output, struct sooth_error *err)
{
	note_unobserved(q, output);
	if (!q->notes_are_whole)
		output_limit(output, "lost records, from here to the end of the capture",
			"the query had all its rows; the rows are complete", "");
	return report_notes(q->notes, q->notes_are_whole, output, err);
}
