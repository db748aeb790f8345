/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields of the rows of the view "bundle". */
#include "analyze/overview/bundle_rows.h"

#include "analyze/diagnosis/finding_rows.h"
#include "analyze/maps/map_classes.h"
#include "analyze/threads/thread_roles.h"
#include "model/schema.h"
#include "probes/fd_names.h"

ROW_SCHEMA(bundle_head, BUNDLE_HEAD_ROW, "bundle.head", bundle_head_row);
ROW_SCHEMA(bundle_installed, BUNDLE_INSTALLED_ROW, "bundle.installed", bundle_installed_row);
static ROW_SCHEMA(bundle_threads, BUNDLE_THREADS_ROW, "bundle.threads", bundle_threads_row);
ROW_SCHEMA(bundle_count, BUNDLE_COUNT_ROW, "bundle.count", bundle_count_row);
static ROW_SCHEMA(bundle_sockets, BUNDLE_SOCKETS_ROW, "bundle.sockets", bundle_sockets_row);
static ROW_SCHEMA(bundle_memory, BUNDLE_MEMORY_ROW, "bundle.memory", bundle_memory_row);
ROW_SCHEMA(bundle_process, BUNDLE_PROCESS_ROW, "bundle.process", bundle_process_row);

void bundle_count(struct span what, uint64_t count, struct buffer *out)
{
	struct bundle_count_row row = { .count = count };
	struct record_tail tail[] = { tail_span(&row.what, what) };

	if (count)
		RECORD_APPEND(out, &row, tail, 1);
}

void bundle_count_types(const struct fd_sums *sums, struct buffer *out)
{
	for (size_t i = 0; i < FDS_TYPES; i++)
		bundle_count(span_of_string(fd_type_names.names[i]), sums->types[i], out);
	bundle_count(span_of_string("other"), sums->other, out);
}

void bundle_text(struct buffer *texts, struct span text, size_t most)
{
	size_t count = 0;

	for (size_t at = 0; at < texts->size; count++) {
		const char *known = (const char *)texts->data + at;

		if (span_equal(text, known))
			return;
		at += strlen(known) + 1;
	}
	if (count >= most)
		return;
	buffer_append(texts, text.data, text.size);
	buffer_char(texts, '\0');
}
