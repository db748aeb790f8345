/* SPDX-License-Identifier: BSD-2-Clause */
/* See exec_arguments.h. What is cut may have been cut inside a secret: then its last word goes. */
#include "os/linux/bpf/exec_arguments.h"

#include <string.h>

#include "base/mask.h"
#include "model/batch.h"
#include "model/field.h"
#include "model/stream_records.h"

static bool has_exec(const struct batch *batch)
{
	batch_for_each (r, batch) {
		if (r->kind == PROCESS_EXEC)
			return true;
	}
	return false;
}

/* The record is the kernel side's own: its text lies in it. */
static size_t whole_words(const char *words, size_t size, bool is_cut)
{
	while (is_cut && size && words[size - 1])
		size--;
	return size;
}

static void append_masked(struct buffer *out, const struct process_exec *exec)
{
	struct process_exec told = *exec;
	const char *words = (const char *)exec + exec->arguments.offset;
	bool is_cut = exec->arguments_state == SOOTH_STATE_TRUNCATED;
	struct buffer masked = { 0 };

	if (exec->arguments_state <= SOOTH_STATE_TRUNCATED &&
		mask_arguments(&masked, words, whole_words(words, exec->arguments.size, is_cut), 0))
		told.arguments_state = SOOTH_STATE_TRUNCATED;
	struct record_tail tail[] = { { &told.arguments, masked.data, masked.size } };
	RECORD_APPEND(out, &told, tail, 1);
	buffer_fini(&masked);
}

void exec_arguments_mask(struct buffer *records, size_t from)
{
	struct batch fresh = { records->data + from, records->size - from };
	struct buffer copy = { 0 };
	struct batch old;

	if (!has_exec(&fresh))
		return;
	buffer_append(&copy, fresh.data, fresh.size);
	records->size = from;
	old = (struct batch){ copy.data, copy.size };
	batch_for_each (r, &old) {
		if (r->kind == PROCESS_EXEC && record_holds(r, sizeof(struct process_exec)))
			append_masked(records, (const void *)r);
		else if (r->kind != PROCESS_EXEC)
			buffer_append(records, r, record_bytes(r));
	}
	buffer_fini(&copy);
}
