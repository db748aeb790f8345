/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/answer/answer_parts.h"

#include <string.h>

#include "analyze/diagnosis/check.h"
#include "analyze/records.h"

#define EVIDENCE_BYTES 150 /* most bytes of evidence per finding: two terminal lines */

const struct finding_row *answer_worst(const struct diagnosed *j)
{
	return (const void *)j->findings.data;
}

void answer_claim(const struct finding_row *f, struct buffer *out)
{
	struct span claim = record_text(&f->record, &f->claim);

	buffer_append(out, claim.data, claim.size);
	if (f->confidence == FINDING_CONFIDENCE_LOW)
		buffer_string(out, " (low confidence)");
}

/* Appends evidence as far as it fits: "descriptors: 120 over 5 s; growth: 8 a second". */
void answer_evidence(const struct finding_row *f, struct buffer *out)
{
	struct span rows = record_text(&f->record, &f->evidence);
	size_t begin = out->size, left = 0;

	rows_for_each (struct finding_evidence_row, e, &rows) {
		struct span name = record_text(&e->record, &e->name),
			    text = record_text(&e->record, &e->text);

		if (left || (out->size > begin &&
				    out->size - begin + name.size + text.size > EVIDENCE_BYTES)) {
			left++;
			continue;
		}
		buffer_format(out, "%s%.*s: %.*s", out->size > begin ? "; " : "", SPAN_ARGS(name),
			SPAN_ARGS(text));
	}
	if (left)
		buffer_format(out, "; %zu more (-v)", left);
}

void answer_kind(const struct finding_row *f, struct buffer *out)
{
	struct span id = record_text(&f->record, &f->id);

	buffer_format(out, "%.*s (%s): ", SPAN_ARGS(id), finding_severity_names.names[f->severity]);
}

bool answer_is_about_wait(const struct finding_row *f)
{
	const struct finding_type *type = diagnosis_type_of(f);

	return type &&
	       (type->is_of_holder || strstr(type->probes, "waits") || !strcmp(type->id, "frozen"));
}
