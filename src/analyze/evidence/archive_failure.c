/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/evidence/archive_failure.h"

#include <assert.h>

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
