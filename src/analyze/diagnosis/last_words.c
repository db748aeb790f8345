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

void last_words_put(struct check_result *out, const struct last_words *w, uint64_t failed)
{
	assert(out && w);

	if (w->latest)
		finding_claim(out, "; last line%s: \"%.*s\"",
			failed < 2	       ? ""
			: w->same * 2 > failed ? " of each"
					       : " of the latest",
			SPAN_ARGS(record_text(&w->latest->record, &w->latest->text)));
}
