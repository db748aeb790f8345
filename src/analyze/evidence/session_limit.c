/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/evidence/session_limit.h"

#include <assert.h>
#include <string.h>

#include "analyze/diagnosis/check_verdict.h"
#include "analyze/process_table/process_table.h"

#define PROGRAM "postgres"
#define LOCAL	"[local] "

/* Returns the state in "postgres: shop orders 127.0.0.1(53532) idle", after the client; empty:
 * there is none, as in processes of the server itself. */
static struct span state_of(struct span title)
{
	const char *end = title.data + title.size;

	if (!span_starts(title, PROGRAM ": "))
		return span_of("", 0);
	for (const char *at = title.data; at + strlen(LOCAL) <= end; at++) {
		if (!memcmp(at, LOCAL, strlen(LOCAL)))
			return span_of(at + strlen(LOCAL), (size_t)(end - at) - strlen(LOCAL));
		if (!memcmp(at, ") ", 2))
			return span_of(at + 2, (size_t)(end - at) - 2);
	}
	return span_of("", 0);
}

bool session_counts_of(struct session_counts *out, const struct check *e,
	const struct process_entry *server, const char *program)
{
	assert(out);
	assert(e);
	*out = (struct session_counts){ 0 };
	if (strcmp(program, PROGRAM) != 0 || !span_equal(check_name(server), PROGRAM))
		return false;
	process_table_for_each (&e->input->host.process_table, child) {
		struct span state;

		if (child->parent != server || !child->is_there || !child->process)
			continue;
		state = state_of(record_text(&child->process->record, &child->process->arguments));
		out->open += state.size > 0;
		out->idle += span_starts(state, "idle");
	}
	return true;
}
