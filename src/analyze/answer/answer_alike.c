/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/answer/answer_alike.h"

#include "analyze/answer/answer_finding.h"
#include "analyze/diagnosis/starts.h"
#include "analyze/evidence/children.h"

bool answer_alike(const struct diagnosed *a, const struct diagnosed *b)
{
	const struct process_entry *p = a->process, *q = b->process;
	const struct finding_row *f = answer_worst(a), *g = answer_worst(b);
	const struct process_entry *parent = q ? starts_parent(q) : NULL;

	if (!p || !parent || p->main != q->main || (p->main && p->main == p) ||
		(parent != p && parent != starts_parent(p)) || f->severity != g->severity ||
		diagnosis_type_of(f) != diagnosis_type_of(g))
		return false;
	return child_is_alike(p, q) || !span_compare(record_text(&f->record, &f->claim),
					       record_text(&g->record, &g->claim));
}
