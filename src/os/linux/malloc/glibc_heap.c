/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/malloc/glibc_heap.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/units.h"
#include "os/linux/files/read_memory.h"

/* malloc/malloc.c and arena.c of glibc 2.27 to 2.42: struct malloc_state, malloc_chunk, heap_info
 */
#define WORD		 8u
#define BINS		 127u
#define BINS_BYTES	 (BINS * 2 * WORD)
#define BINS_TO_NEXT	 (BINS_BYTES + 16) /* behind the map of bins */
#define NEXT_TO_SIZE	 24		   /* next, next_free, threads */
#define NEXT_TO_END	 40		   /* and two sizes */
#define TOP_TO_BINS	 16
#define STATE_HEAD_LEAST 24 /* from the start of an arena to its bins: 112 in most versions */
#define STATE_HEAD_MOST	 256
#define CHUNK_HEAD	 16
#define CHUNK_LEAST	 32u
#define PREVIOUS_IN_USE	 1u
#define IS_MAPPED	 2u
#define IN_OTHER_ARENA	 4u
#define SIZE_FLAGS	 7u
#define CACHED_MOST	 0x410 /* largest chunk that a thread's cache keeps by default */
#define END_MARKS	 64u   /* a heap that is full ends with marks in so many bytes */
#define TRIES		 3
#define TOP_TRIES	 16
#define STEPS_BACK	 32		    /* in a heap that changes while it is read */
#define READ_NS		 (5 * NS_PER_S / 2) /* time for all; a lie could make a walk endless */
#define STEPS_A_LOOK	 4096		    /* steps between two looks at the clock */
#define GROWN_MOST	 (1ull << 30)	    /* of [heap] since its mapping was read */
#define DATA_MOST	 (16u << 20) /* of a static program, which are searched for the arena */
#define PAGE_IS_PRESENT	 (1ull << 63)
#define PAGE_IS_SWAPPED	 (1ull << 62)

struct chunk {
	uint64_t from, size;
	bool is_cached;
};

/* A place in the walk, and all that was counted before it. */
struct walk_point {
	uint64_t at;			      /* chunk that was reached */
	struct chunk before;		      /* the one before it, not counted yet */
	uint64_t page, page_bytes, page_live; /* the page that is being counted */
	struct glibc_sums sums;
};

struct heap_walk {
	struct glibc_heap *h;
	int pagemap;
	uint64_t window, window_count; /* first page of the window, and how many it has */
	uint64_t piece, piece_to, ahead;
	uint64_t bytes_read;
	struct walk_point now;
	struct walk_point points[2]; /* where the last two pieces begin */
	unsigned tries_left;
	uint64_t wrong_flags;
	struct glibc_region last; /* region of the last known address */
	enum glibc_result why;	  /* why words_at() failed */
	uint64_t until_ns, steps;
	bool is_late;
};

/* Counts a step of a loop whose length the process decides. False: the time is over. */
static bool may_step(struct heap_walk *w)
{
	if (++w->steps % STEPS_A_LOOK == 0 && clock_monotonic_ns() > w->until_ns)
		w->is_late = true;
	return !w->is_late;
}

/* --- reading --- */

static uint64_t *window_of(struct heap_walk *w)
{
	return (uint64_t *)(void *)(w->h->scratch + GLIBC_PIECE_BYTES);
}

/* Returns the kernel's entry for the page of an address; 0: it has none. */
static uint64_t page_entry(struct heap_walk *w, uint64_t address)
{
	uint64_t page = address / w->h->page_bytes;
	ssize_t got;

	if (page - w->window >= w->window_count) {
		got = pread(w->pagemap, window_of(w), GLIBC_WINDOW_BYTES,
			(off_t)(page * sizeof(uint64_t)));
		w->window = page;
		w->window_count = got > 0 ? (uint64_t)got / sizeof(uint64_t) : 0;
	}
	return w->window_count ? window_of(w)[page - w->window] : 0;
}

/* Returns whether the page of an address is in memory, so that reading it changes nothing. */
static bool is_present(struct heap_walk *w, uint64_t address)
{
	uint64_t entry = page_entry(w, address);

	if (!(entry & PAGE_IS_PRESENT)) {
		w->window_count = 0; /* it may have come since */
		entry = page_entry(w, address);
	}
	w->why = entry & PAGE_IS_SWAPPED ? GLIBC_SWAPPED : GLIBC_CHANGED;
	return entry & PAGE_IS_PRESENT;
}

/* Reads a few words that are within a page. */
static bool do_read_words(struct heap_walk *w, uint64_t address, uint64_t *out, size_t count)
{
	return !(address & (WORD - 1)) && is_present(w, address) &&
	       do_read_memory(w->h->pid, address, out, count * WORD);
}

static uint64_t do_read_word(struct heap_walk *w, uint64_t address)
{
	uint64_t word;

	return do_read_words(w, address, &word, 1) ? word : 0;
}

/* Fills the piece from an address. Large blocks are skipped, so a piece is small at first. */
static bool do_load_piece(struct heap_walk *w, uint64_t from, uint64_t to)
{
	uint64_t page = w->h->page_bytes, end = from - from % page;
	bool is_next = from - w->piece_to < page || w->piece_to - from < page;

	w->ahead = is_next && w->ahead && w->ahead < GLIBC_PIECE_BYTES ? 2 * w->ahead
		   : is_next && w->ahead			       ? w->ahead
								       : page;
	while (end < to && end < from + w->ahead && is_present(w, end))
		end += page;
	end = end < to ? end : to;
	end = end < from + GLIBC_PIECE_BYTES ? end : from + GLIBC_PIECE_BYTES;
	if (end < from + CHUNK_HEAD)
		return false;
	w->bytes_read += end - from;
	if (w->bytes_read > w->h->bytes_most) {
		w->why = GLIBC_CUT;
		return false;
	}
	w->why = GLIBC_CHANGED;
	w->piece = from;
	w->piece_to = end;
	return do_read_memory(w->h->pid, from, w->h->scratch, end - from);
}

/* Returns the header of the chunk at an address; NULL: it cannot be read. */
static const uint64_t *do_words_at(struct heap_walk *w, uint64_t at, uint64_t to)
{
	if (at < w->piece || at + CHUNK_HEAD + WORD > w->piece_to) {
		w->points[0] = w->points[1];
		w->points[1] = w->now;
		if (!do_load_piece(w, at, to)) {
			w->piece_to = 0;
			return NULL;
		}
	}
	return (const uint64_t *)(const void *)(w->h->scratch + (at - w->piece));
}

/* --- counting --- */

static void end_page(struct heap_walk *w)
{
	struct glibc_sums *s = &w->now.sums;

	if (w->now.page_bytes && page_entry(w, w->now.page * w->h->page_bytes) & PAGE_IS_PRESENT) {
		s->resident += w->now.page_bytes;
		s->live_resident += w->now.page_live;
		if (!w->now.page_live && w->now.page_bytes == w->h->page_bytes)
			s->free_pages += w->now.page_bytes;
	}
	w->now.page_bytes = w->now.page_live = 0;
}

static void count_bytes(struct heap_walk *w, uint64_t from, uint64_t to, bool is_live)
{
	while (from < to && may_step(w)) {
		uint64_t page = from / w->h->page_bytes, end = (page + 1) * w->h->page_bytes;

		end = end < to ? end : to;
		if (page != w->now.page)
			end_page(w);
		w->now.page = page;
		w->now.page_bytes += end - from;
		w->now.page_live += is_live ? end - from : 0;
		from = end;
	}
}

static void count_chunk(struct heap_walk *w, bool is_in_use)
{
	const struct chunk *c = &w->now.before;
	bool is_live = is_in_use && !c->is_cached;

	count_bytes(w, c->from, c->from + c->size, is_live);
	w->now.sums.live += is_live ? c->size : 0;
	w->now.sums.blocks += is_live && c->size;
}

static void count_unread(struct heap_walk *w, uint64_t from, uint64_t to)
{
	while (from < to && may_step(w)) {
		uint64_t end = from - from % w->h->page_bytes + w->h->page_bytes;

		end = end < to ? end : to;
		w->now.sums.unread += page_entry(w, from) & PAGE_IS_PRESENT ? end - from : 0;
		from = end;
	}
}

static bool is_inside(const struct glibc_region *r, uint64_t address)
{
	return address >= r->from && address < r->to;
}

static bool is_of_heap(struct heap_walk *w, uint64_t address)
{
	if (is_inside(&w->last, address))
		return true;
	for (size_t i = 0; i < w->h->region_count; i++) {
		if (!is_inside(&w->h->regions[i], address))
			continue;
		w->last = w->h->regions[i];
		return true;
	}
	return false;
}

/* Returns whether a chunk is in a list of freed chunks of its size, by its first word. */
static bool is_cached(struct heap_walk *w, uint64_t at, uint64_t size, const uint64_t *words)
{
	uint64_t place = at + CHUNK_HEAD, next;

	if (!w->h->is_mangled || size > CACHED_MOST || place + WORD > w->piece_to)
		return false;
	next = words[2] ^ place >> 12;
	return !next || (!(next & (CHUNK_HEAD - 1)) && is_of_heap(w, next));
}

/* --- walking --- */

/* Goes back to where the last piece but one begins, to read from there again: a chunk may have been
 * merged with the one before it since that was read. */
static bool step_back(struct heap_walk *w)
{
	if (!w->tries_left)
		return false;
	w->tries_left--;
	w->now = w->points[1] = w->points[0];
	w->piece_to = 0;
	return true;
}

/* Walks the chunks up to `end`. Returns whether it ended there; `at` is the chunk reached. */
static bool do_walk_chunks(struct heap_walk *w, uint64_t end)
{
	while (w->now.at < end && may_step(w)) {
		const uint64_t *words = do_words_at(w, w->now.at, end);
		uint64_t size = words ? words[1] & ~(uint64_t)SIZE_FLAGS : 0;

		if (words && end - w->now.at <= END_MARKS && size < CHUNK_LEAST) {
			count_chunk(w, words[1] & PREVIOUS_IN_USE);
			count_bytes(w, w->now.at, end, true);
			w->now.at = end;
			return true;
		}
		if (!words || words[1] & w->wrong_flags || size < CHUNK_LEAST ||
			size % CHUNK_HEAD || size > end - w->now.at) {
			if (w->why == GLIBC_CUT || !step_back(w))
				return false;
			continue;
		}
		count_chunk(w, words[1] & PREVIOUS_IN_USE);
		w->now.before =
			(struct chunk){ w->now.at, size, is_cached(w, w->now.at, size, words) };
		w->now.at += size;
	}
	if (w->is_late) {
		w->why = GLIBC_CUT;
		return false;
	}
	count_chunk(w, true); /* chunks before the top are in use, or would be in it */
	return true;
}

/* Reads where the top of a heap is, and with it where the heap ends: the program may have taken the
 * memory behind it. False also if the top is in another heap by now. */
static bool do_find_top(struct heap_walk *w, uint64_t top_at, struct glibc_region *r)
{
	for (int i = 0; i < TOP_TRIES; i++) {
		uint64_t top = do_read_word(w, top_at);
		uint64_t size = do_read_word(w, top + WORD) & ~(uint64_t)SIZE_FLAGS;

		/* A block may be taken from the top between the two. */
		if (!size || top != do_read_word(w, top_at))
			continue;
		r->top = top;
		r->to = top + size;
		return top >= r->from && r->to > top &&
		       (!r->arena || (r->to - 1) / GLIBC_HEAP_BYTES == r->from / GLIBC_HEAP_BYTES);
	}
	return false;
}

static bool do_walk_once(struct heap_walk *w, struct glibc_region *r, uint64_t top_at)
{
	uint64_t end = r->top ? r->top : r->to;
	enum glibc_result why;
	bool is_whole;

	w->now.before = (struct chunk){ .from = r->from };
	w->now.at = r->from;
	w->points[0] = w->points[1] = w->now;
	w->tries_left = STEPS_BACK;
	is_whole = do_walk_chunks(w, end);
	why = w->why;
	/* The top moves down when the block before it is freed, and up when one is allocated. */
	for (int i = 0; i < TRIES && !is_whole && r->top && why == GLIBC_CHANGED; i++) {
		if (!do_find_top(w, top_at, r) || r->top < w->now.at)
			break;
		is_whole = do_walk_chunks(w, r->top);
	}
	if (is_whole && r->top)
		count_bytes(w, w->now.at, r->to, false);
	end_page(w);
	w->why = why;
	return is_whole;
}

static void do_walk_region(struct heap_walk *w, struct glibc_region *r, uint64_t top_at)
{
	struct glibc_sums before = w->now.sums;
	bool is_whole = false;

	w->wrong_flags = IS_MAPPED | (r->arena ? 0 : IN_OTHER_ARENA);
	w->now.before = (struct chunk){ .from = r->from };
	for (int i = 0; i < TRIES && !is_whole && !w->is_late; i++) {
		w->now.sums = before;
		w->why = GLIBC_CHANGED;
		if (r->top && !do_find_top(w, top_at, r))
			break;
		is_whole = do_walk_once(w, r, top_at);
		if (w->why == GLIBC_CUT)
			break;
	}
	if (!is_whole) {
		count_unread(w, w->now.before.from, r->to);
		w->h->result = w->h->result ? w->h->result : w->why;
	}
	if (r->arena)
		w->now.sums.arena_resident += w->now.sums.resident - before.resident;
}

/* --- arenas --- */

struct layout {
	uint64_t main;	      /* address of the first arena */
	uint64_t bins;	      /* from the start of an arena to its bins */
	uint64_t state_bytes; /* size of an arena's description */
};

static uint64_t chunk_boundary(uint64_t address)
{
	return (address + CHUNK_HEAD - 1) & ~(uint64_t)(CHUNK_HEAD - 1);
}

/* Returns the heap that has the address, if it belongs to the arena; 0: none does. */
static uint64_t do_heap_at(struct heap_walk *w, uint64_t address, uint64_t arena, uint64_t info[3])
{
	uint64_t heap = address & ~(GLIBC_HEAP_BYTES - 1);

	return do_read_words(w, heap, info, 3) && info[0] == arena && info[2] &&
			       info[2] <= GLIBC_HEAP_BYTES
		       ? heap
		       : 0;
}

/* Returns whether a heap is known already: then its memory would count twice. */
static bool has_heap(const struct glibc_heap *h, uint64_t heap)
{
	for (size_t i = 1; i < h->region_count; i++) {
		if (h->regions[i].from - heap < GLIBC_HEAP_BYTES)
			return true;
	}
	return false;
}

static bool has_arena(const struct glibc_heap *h, uint64_t arena)
{
	for (size_t i = 1; i < h->region_count; i++) {
		if (h->regions[i].arena == arena)
			return true;
	}
	return false;
}

/* Adds the heaps of an arena, from the newest, which has the top. */
static void do_add_arena(struct heap_walk *w, const struct layout *l, uint64_t arena)
{
	struct glibc_heap *h = w->h;
	uint64_t top = do_read_word(w, arena + l->bins - TOP_TO_BINS);
	uint64_t info[3], heap = do_heap_at(w, top, arena, info);
	uint64_t head = arena & (GLIBC_HEAP_BYTES - 1);

	h->arenas++;
	for (; heap && !has_heap(h, heap) && may_step(w) && h->region_count < GLIBC_REGIONS_MAX;
		heap = do_heap_at(w, info[1], arena, info)) {
		bool is_first = !info[1];
		uint64_t skip = is_first ? head + l->state_bytes : head;

		h->regions[h->region_count++] = (struct glibc_region){
			.from = chunk_boundary(heap + skip),
			.to = heap + info[2],
			.top = top,
			.arena = arena,
		};
		top = 0;
		if (is_first)
			return;
	}
	if (!h->result)
		h->result = h->region_count == GLIBC_REGIONS_MAX ? GLIBC_CUT : GLIBC_CHANGED;
}

/* Returns whether the ring of arenas comes back to the first, or is too long to say, if its bins
 * are so far from its start. */
static bool do_close_ring(struct heap_walk *w, uint64_t bins, uint64_t head)
{
	uint64_t main = bins - head, next = do_read_word(w, bins + BINS_TO_NEXT);
	unsigned count = 0;

	for (; count < GLIBC_REGIONS_MAX && next && next != main && may_step(w); count++)
		next = do_read_word(w, next + head + BINS_TO_NEXT);
	return next == main || (next && count == GLIBC_REGIONS_MAX);
}

static bool do_find_layout(struct heap_walk *w, uint64_t bins, struct layout *l)
{
	uint64_t head = STATE_HEAD_LEAST;

	while (head < STATE_HEAD_MOST && !do_close_ring(w, bins, head))
		head += WORD;
	*l = (struct layout){ bins - head, head, head + BINS_TO_NEXT + NEXT_TO_END };
	return head < STATE_HEAD_MOST;
}

/* Returns the address of bins in some words: each of the empty bins points at its own place, and
 * the last bin is never used. */
static uint64_t bins_in(const uint64_t *words, uint64_t at, size_t count, size_t *from)
{
	uint64_t first = 0, last = 0;

	for (size_t i = *from; i + 1 < count; i++) {
		uint64_t place = at + i * WORD;

		if (first && place - first >= BINS_BYTES)
			break;
		if (words[i] != place - CHUNK_HEAD || words[i + 1] != words[i])
			continue;
		first = first ? first : place;
		last = place;
		*from = i + 1;
	}
	return last > BINS_BYTES ? last + CHUNK_HEAD - BINS_BYTES : 0;
}

/* Returns the end of the run of pages in memory that begins at a page, `to` at most. */
static uint64_t end_of_run(struct heap_walk *w, uint64_t at, uint64_t to)
{
	uint64_t end = at;

	while (end < to && end - at < GLIBC_PIECE_BYTES && page_entry(w, end) & PAGE_IS_PRESENT)
		end += w->h->page_bytes;
	return end < to ? end : to;
}

/* An arena was written to, so its pages are in memory. */
static bool do_find_arena(struct heap_walk *w, const struct glibc_range *data, struct layout *l)
{
	const uint64_t *words = (const void *)w->h->scratch;
	uint64_t to = data->to - data->from < DATA_MOST ? data->to : data->from + DATA_MOST;
	uint64_t overlap = 2 * BINS_BYTES + w->h->page_bytes - 2 * BINS_BYTES % w->h->page_bytes;

	for (uint64_t at = data->from, end; at < to && may_step(w);) {
		size_t from = 0;
		uint64_t bins;

		end = end_of_run(w, at, to);
		if (end > at && do_read_memory(w->h->pid, at, w->h->scratch, end - at)) {
			while ((bins = bins_in(words, at, (end - at) / WORD, &from))) {
				if (do_find_layout(w, bins, l))
					return true;
			}
		}
		if (end == at)
			end += w->h->page_bytes;
		at = end < to && end - at == GLIBC_PIECE_BYTES ? end - overlap : end;
	}
	return false;
}

/* Finds the heap of the first arena: it ends with its top, and glibc keeps its size. A static
 * program takes memory for its first thread before it. */
static bool do_find_main_heap(struct heap_walk *w, uint64_t bins, struct glibc_region *r)
{
	uint64_t size;

	*r = (struct glibc_region){ 0 };
	if (!do_find_top(w, bins - TOP_TO_BINS, r))
		return false;
	size = do_read_word(w, bins + BINS_TO_NEXT + NEXT_TO_SIZE);
	r->from = chunk_boundary(r->to - size);
	return r->top >= r->from && r->from >= w->h->brk.from && r->from < w->h->brk.to &&
	       r->to - w->h->brk.from <= w->h->brk.to - w->h->brk.from + GROWN_MOST;
}

static enum glibc_result do_list_regions(struct heap_walk *w, const struct layout *l)
{
	struct glibc_heap *h = w->h;
	uint64_t bins = l->main + l->bins, next = do_read_word(w, bins + BINS_TO_NEXT);
	bool is_found = false;

	if (do_read_word(w, bins - TOP_TO_BINS) == bins - CHUNK_HEAD)
		return GLIBC_UNUSED;
	for (int i = 0; i < TOP_TRIES && !is_found; i++) /* it may grow meanwhile */
		is_found = do_find_main_heap(w, bins, &h->regions[0]) &&
			   h->regions[0].top == do_read_word(w, bins - TOP_TO_BINS);
	if (!is_found)
		return GLIBC_ELSEWHERE;
	h->arenas = h->region_count = 1;
	while (next && next != l->main && h->arenas < GLIBC_REGIONS_MAX && !has_arena(h, next) &&
		may_step(w)) {
		do_add_arena(w, l, next);
		next = do_read_word(w, next + l->bins + BINS_TO_NEXT);
	}
	if (next != l->main && !h->result)
		h->result = h->arenas < GLIBC_REGIONS_MAX ? GLIBC_CHANGED : GLIBC_CUT;
	return GLIBC_READ;
}

static void do_read_regions(struct heap_walk *w)
{
	struct glibc_heap *h = w->h;
	struct layout l = { 0 };
	enum glibc_result result;
	bool is_found = false;

	for (size_t i = 0; i < h->data_count && !is_found; i++)
		is_found = do_find_arena(w, &h->data[i], &l);
	h->result = GLIBC_READ;
	result = is_found ? do_list_regions(w, &l) : w->is_late ? GLIBC_CUT : GLIBC_NO_ARENA;
	if (result)
		h->result = result;
	for (size_t i = 0; i < h->region_count && !result; i++) {
		struct glibc_region *r = &h->regions[i];

		do_walk_region(w, r, (r->arena ? r->arena : l.main) + l.bins - TOP_TO_BINS);
	}
}

void do_read_glibc_heap(struct glibc_heap *h)
{
	struct heap_walk w = { .h = h,
		.pagemap = openat(h->process, "pagemap", O_RDONLY | O_CLOEXEC),
		.until_ns = clock_monotonic_ns() + READ_NS };

	h->result = GLIBC_REFUSED;
	h->sums = (struct glibc_sums){ 0 };
	h->region_count = h->arenas = 0;
	if (w.pagemap < 0)
		return;
	do_read_regions(&w);
	if (w.is_late)
		h->result = GLIBC_CUT;
	h->sums = w.now.sums;
	close(w.pagemap);
}
