/* SPDX-License-Identifier: BSD-2-Clause */
/* heap-fragmented: most of what the allocator has from the kernel is in no live block. The program
 * freed it, and the allocator keeps it: whole pages that nothing returned, or pages on which a few
 * live blocks are left. That is a moment: a program that frees much at once and soon allocates it
 * again looks the same. */
#include "analyze/diagnosis/check.h"
#include "analyze/heap/heap_fragmentation.h"
#include "base/cleanup.h"
#include "base/sentence_units.h"

static const struct finding_option options[] = {
	BYTES_THRESHOLD("min-free", 64 << 20, 1 << 20, 1e15,
		"minimum resident memory of the allocator in no live block"),
	PERCENT_THRESHOLD("min-share", 50, 1, 100, "minimum share of that in its resident memory"),
	TIME_THRESHOLD("min-age", 60e9, 0, 86400e9,
		"severity is low for a younger process: it may use the memory again"),
};

static void report_fragmentation(
	const struct check *e, struct check_result *out, const struct malloc_heap *h)
{
	_cleanup_(buffer_fini) struct buffer remedy = { 0 };

	finding_begin(out, FINDING_CONFIDENCE_MEDIUM, "");
	finding_low_if(out, check_is_young(e));
	finding_claim(out,
		"keeps %s that it has freed: %s resident in the heap of malloc, %s%s live "
		"(fragmentation)",
		SENTENCE_SIZE(heap_free_bytes(h)), SENTENCE_SIZE(h->resident_bytes),
		h->is_upper_bound ? "at most " : "", SENTENCE_SIZE(h->live_resident_bytes));
	finding_bytes(out, "free inside the allocator", heap_free_bytes(h));
	finding_bytes(out, "resident in the heap", h->resident_bytes);
	finding_bytes(out, "of it live", h->live_resident_bytes);
	finding_count(out, "live blocks", h->live_blocks, 0);
	finding_bytes(out, "free pages without a live block", h->free_page_bytes);
	finding_count(out, "arenas", h->arenas, 0);
	if (h->unread_bytes)
		finding_bytes(out, "not read", h->unread_bytes);
	finding_unseen(out, "whether the program soon uses it again: the heap was read once");
	heap_put_remedy(h, &remedy);
	finding_remedy(out, "%s", buffer_cstr(&remedy));
}

static void report_unread(struct check_result *out, const struct malloc_heap *h)
{
	bool is_other = h->state == SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED);
	struct span reason = record_text(&h->record, &h->reason);
	char text[192];

	snprintf(text, sizeof(text), "%.*s", SPAN_ARGS(reason));
	check_blind_by(out, is_other ? FINDING_INAPPLICABLE : check_cause(h->state), text, "");
}

static void diagnose(const struct check *e, struct check_result *out)
{
	const struct malloc_heap *h =
		snapshot_end(check_last(e, &e->input->malloc_heaps), sizeof(*h));
	const struct sample_point *last =
		e->series.count ? &e->series.points[e->series.count - 1] : NULL;
	double free_bytes = h ? (double)heap_free_bytes(h) : 0;

	if (last && (double)last->rss_bytes < check_option(e, "min-free")) {
		check_fine(out, "%s resident in all", SENTENCE_SIZE(last->rss_bytes));
	} else if (!h) {
		check_blind_because(out, "the heap of its allocator was not read", "");
	} else if (!h->state && check_is_over(e, "min-free", free_bytes, "") &&
		   check_is_over(e, "min-share", heap_free_percent(h), "")) {
		report_fragmentation(e, out, h);
	} else if (h->state || !heap_is_mostly_read(h)) {
		report_unread(out, h);
	} else {
		check_fine(out, "%s resident in the heap of malloc, %s live",
			SENTENCE_SIZE(h->resident_bytes), SENTENCE_SIZE(h->live_resident_bytes));
	}
}

const struct finding_detector finding_heap_fragmented = { diagnose, FINDING_OPTIONS(options) };
