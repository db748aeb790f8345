/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/evidence/postgres_title.h"

#include <assert.h>
#include <string.h>

#include "analyze/diagnosis/check_verdict.h"
#include "analyze/process_table/process_table.h"

/* PostgreSQL's set_ps_display() (src/backend/postmaster/pgarch.c) appends "failed on 00000001..."
 * to the title; after a success "last was ...". */
#define FAILED "archiver failed on "

struct span archive_failure_of(const struct process_entry *p)
{
	assert(p);

	struct span title =
		p->process ? process_table_field(&p->process->record, &p->process->arguments)
			   : span_of("", 0);
	const char *at = title.size ? memmem(title.data, title.size, FAILED, strlen(FAILED)) : NULL;
	size_t size = 0, left;

	if (!at || !span_starts(title, "postgres: "))
		return span_of("", 0);
	at += strlen(FAILED);
	left = (size_t)(title.data + title.size - at);
	while (size < left && at[size] > ' ')
		size++;
	return span_of(at, size);
}

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
