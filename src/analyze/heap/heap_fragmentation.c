/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/heap/heap_fragmentation.h"

#include <assert.h>

#include "base/sentence_units.h"
#include "explain/number.h"

NUMBER(UNREAD_SHARE, 0.1, NONE, "part of the heap: if more is unread, the sums are of a part only");
NUMBER(PAGES_SHARE, 0.5, NONE, "part of the free memory in whole pages, so that trimming helps");
NUMBER(ARENAS_SHARE, 0.5, NONE, "part of the heap in other arenas than the first");
NUMBER(ARENAS_LEAST, 5, NONE, "arenas, so that fewer of them would help");

uint64_t heap_free_bytes(const struct malloc_heap *h)
{
	assert(h);
	return h->resident_bytes > h->live_resident_bytes
		       ? h->resident_bytes - h->live_resident_bytes
		       : 0;
}

double heap_free_percent(const struct malloc_heap *h)
{
	assert(h);

	double all = (double)h->resident_bytes + (double)h->unread_bytes;

	return all > 0 ? 100.0 * (double)heap_free_bytes(h) / all : 0;
}

bool heap_is_mostly_read(const struct malloc_heap *h)
{
	assert(h);
	return (double)h->unread_bytes <=
	       UNREAD_SHARE * ((double)h->resident_bytes + (double)h->unread_bytes);
}

void heap_put_remedy(const struct malloc_heap *h, struct buffer *out)
{
	assert(h);
	assert(out);

	bool is_in_pages = (double)h->free_page_bytes >= PAGES_SHARE * (double)heap_free_bytes(h);
	bool is_in_arenas = h->arenas >= ARENAS_LEAST &&
			    (double)h->arena_bytes >= ARENAS_SHARE * (double)h->resident_bytes;

	if (is_in_pages)
		buffer_format(out, "malloc_trim(0) in the program returns %s",
			SENTENCE_SIZE(h->free_page_bytes));
	else
		buffer_format(out,
			"malloc_trim(0) returns only whole pages (%s), and live blocks are on most "
			"others: allocate what lives long apart from what is freed soon, or "
			"restart the program",
			SENTENCE_SIZE(h->free_page_bytes));
	if (is_in_arenas)
		buffer_format(out,
			"; MALLOC_ARENA_MAX=2 at the start: %u arenas share no free memory",
			h->arenas);
}
