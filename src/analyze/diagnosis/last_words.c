/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/diagnosis/last_words.h"

#include <assert.h>

#include "analyze/diagnosis/diagnosis_input.h"

void last_words_add(struct last_words *w, const struct check *e, const struct process_id *id)
{
	assert(w && e);

	const struct syscalls_message *m = message_logs_last_words(&e->input->messages, id);

	if (!m)
		return;
	w->same = w->latest && w->latest->form == m->form ? w->same + 1 : 1;
	if (!w->latest || m->record.time_ns > w->latest->record.time_ns)
		w->latest = m;
}

/* Appends the line in quotes; its own become apostrophes, so that it ends where sooth ends it. */
static void put_quoted(struct buffer *out, struct span line)
{
	buffer_char(out, '"');
	for (size_t i = 0; i < line.size; i++)
		buffer_char(out, line.data[i] == '"' ? '\'' : line.data[i]);
	buffer_char(out, '"');
}

void last_words_put(struct check_result *out, const struct last_words *w, uint64_t failed)
{
	assert(out && w);

	if (!w->latest)
		return;
	finding_claim(out, "; last line%s: ",
		failed < 2	       ? ""
		: w->same * 2 > failed ? " of each"
				       : " of the latest");
	put_quoted(&out->claim, record_text(&w->latest->record, &w->latest->text));
}
