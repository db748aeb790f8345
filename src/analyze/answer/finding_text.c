/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/answer/finding_text.h"

#include "analyze/diagnosis/finding_rows.h"
#include "analyze/records.h"

#define WORDS_ONE 120 /* longer reasons are left out of the line */

/* Appends "fd-leak (41 descriptors), cpu-spin"; reasons only with `has_words`. */
void finding_text_fine(const struct buffer *rows, bool has_words, struct buffer *out)
{
	struct batch all = { rows->data, rows->size };

	batch_for_each (r, &all) {
		const struct finding_fine_row *row = (const void *)r;
		struct span id = record_text(r, &row->id), words = record_text(r, &row->words);

		buffer_format(out, "%s%.*s", out->size ? ", " : "", (int)id.size, id.data);
		if (has_words && words.size && words.size < WORDS_ONE)
			buffer_format(out, " (%.*s)", (int)words.size, words.data);
	}
}

/* Returns whether no earlier row has the same reason. */
static bool is_first_with(const struct batch *all, const struct finding_blind_row *row)
{
	struct span reason = record_text(&row->record, &row->reason);

	batch_for_each (r, all) {
		const struct finding_blind_row *other = (const void *)r;

		if (other == row)
			return true;
		if (!span_compare(record_text(r, &other->reason), reason))
			return false;
	}
	return true;
}

/* Appends "fd-leak, watch-flood: permission denied (run as root); ...". */
void finding_text_blind(const struct buffer *rows, struct buffer *out)
{
	struct batch all = { rows->data, rows->size };

	batch_for_each (r, &all) {
		const struct finding_blind_row *row = (const void *)r;
		struct span reason = record_text(r, &row->reason);
		struct span remedy = record_text(r, &row->remedy);
		bool is_second = false;

		if (!is_first_with(&all, row))
			continue;
		buffer_string(out, out->size ? "; " : "");
		batch_for_each (o, &all) {
			const struct finding_blind_row *other = (const void *)o;
			struct span id = record_text(o, &other->id);

			if (span_compare(record_text(o, &other->reason), reason) != 0)
				continue;
			buffer_format(out, "%s%.*s", is_second ? ", " : "", (int)id.size, id.data);
			is_second = true;
		}
		buffer_format(out, ": %.*s", (int)reason.size, reason.data);
		if (remedy.size)
			buffer_format(out, " (%.*s)", (int)remedy.size, remedy.data);
	}
}
