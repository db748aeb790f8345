/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/diagnosis/last_words.h"

#include <assert.h>

#include "analyze/diagnosis/diagnosis_input.h"

void last_words_add(struct last_words *w, const struct check *e, const struct process_id *id)
{
	assert(w && e);

	const struct syscalls_message *m = message_logs_last_words(&e->input->messages, id);

	for (size_t i = 0; m && i < LAST_WORDS; i++) {
		struct last_line *line = &w->lines[i];

		if (line->count && line->latest->form != m->form)
			continue;
		if (!line->count++ || m->record.time_ns > line->latest->record.time_ns)
			line->latest = m;
		break;
	}
}

struct last_line last_words_most(const struct last_words *w)
{
	struct last_line most = w->lines[0];

	for (size_t i = 1; i < LAST_WORDS; i++) {
		const struct last_line *line = &w->lines[i];

		if (line->count > most.count ||
			(line->count == most.count && line->count &&
				line->latest->record.time_ns > most.latest->record.time_ns))
			most = *line;
	}
	return most;
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

	struct last_line most = last_words_most(w);

	if (!most.count)
		return;
	finding_claim(out, "; last line%s: ",
		failed < 2		  ? ""
		: most.count == failed	  ? " of each"
		: most.count * 2 > failed ? " of most"
					  : " of the latest");
	put_quoted(&out->claim, record_text(&most.latest->record, &most.latest->text));
}
