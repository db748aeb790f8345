/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/profile/page_held.h"

#include "analyze/records.h"
#include "model/stream_records.h"

#define PROCESSES_MAX	   65536
#define STACKS_MAX	   (1u << 20)
#define PAGES_MAX	   (8u << 20) /* limit for all processes: 32 GiB in pages of 4 KiB */
#define PAGE_BYTES_DEFAULT 4096	      /* page size for captures that do not record one */

struct page {
	uint32_t stack;
	uint32_t faults; /* number of page faults that the sampled record counts */
};

struct page_process {
	struct map pages;  /* uint64_t number -> struct page */
	uint64_t break_at; /* end of the heap; 0: not known yet */
};

void page_held_init(struct page_held *l)
{
	*l = (struct page_held){ .page_bytes = PAGE_BYTES_DEFAULT, .peak_number = 1 };
	map_init(&l->processes, sizeof(struct process_id), sizeof(struct page_process),
		PROCESSES_MAX);
	map_init(&l->stacks, sizeof(uint32_t), sizeof(struct page_sum), STACKS_MAX);
}

void page_held_fini(struct page_held *l)
{
	map_for_each_value (&l->processes, struct page_process *, p)
		map_fini(&p->pages);
	map_fini(&l->processes);
	map_fini(&l->stacks);
	buffer_fini(&l->numbers);
}

static struct page_process *process_of(struct page_held *l, const struct sooth_record *r)
{
	struct process_id id = process_id_of(r);
	struct page_process *p;
	bool is_new;

	p = map_put(&l->processes, &id, &is_new);
	if (!p)
		l->refused++;
	else if (is_new)
		map_init(&p->pages, sizeof(uint64_t), sizeof(struct page), PAGES_MAX);
	return p;
}

/* Returns the variance of a fault sampled with chance 1 in `faults` (Horvitz and Thompson,
 * 1952). */
static uint64_t variance_of(uint32_t faults)
{
	return (uint64_t)faults * (faults - 1);
}

static void update_peak(const struct page_held *l, struct page_sum *sum)
{
	if (sum->noted_peak == l->peak_number)
		return;
	sum->noted = sum->remaining;
	sum->noted_peak = l->peak_number;
}

struct pages_held page_held_at_peak(const struct page_held *l, const struct page_sum *sum)
{
	return sum->noted_peak == l->peak_number ? sum->noted : sum->remaining;
}

static void add_page(struct pages_held *held, struct page page)
{
	held->pages += page.faults;
	held->variance += variance_of(page.faults);
}

static void subtract_page(struct pages_held *held, struct page page)
{
	held->pages -= page.faults;
	held->variance -= variance_of(page.faults);
}

static void forget_page(struct page_held *l, struct page page)
{
	struct page_sum *sum = map_get(&l->stacks, &page.stack);

	if (sum) {
		update_peak(l, sum);
		subtract_page(&sum->remaining, page);
	}
	subtract_page(&l->remaining, page);
	l->count--;
}

static void store_page(struct page_held *l, struct page_sum *sum, struct page page)
{
	sum->touched += page.faults;
	sum->touched_variance += variance_of(page.faults);
	l->touched_variance += variance_of(page.faults);
	update_peak(l, sum);
	add_page(&sum->remaining, page);
	add_page(&l->remaining, page);
	l->count++;
	if (l->remaining.pages > l->peak.pages) {
		l->peak = l->remaining;
		l->peak_number++;
	}
}

static void handle_page_fault(struct page_held *l, const struct profile_page *page)
{
	struct page_process *p = process_of(l, &page->record);
	struct page_sum *sum = map_put(&l->stacks, &page->stack, NULL);
	uint64_t number = page->address / l->page_bytes;
	struct page touched = { page->stack, page->faults ? page->faults : 1 }, *kept = NULL;
	bool is_new;

	l->recorded++;
	l->touched += touched.faults;
	if (p && sum && l->count < PAGES_MAX)
		kept = map_put(&p->pages, &number, &is_new);
	if (!kept) {
		l->refused += touched.faults;
		return;
	}
	/* The page exists already: it is written after a read, after a fork, or came back from
	 * swap. */
	if (!is_new) {
		l->again += touched.faults;
		return;
	}
	*kept = touched;
	store_page(l, sum, touched);
}

static void release_one(struct page_held *l, struct page_process *p, uint64_t number)
{
	const struct page *page = map_get(&p->pages, &number);

	if (!page)
		return;
	l->released += page->faults;
	forget_page(l, *page);
	map_remove(&p->pages, &number);
}

/* Appends the numbers of existing pages; the range may be much larger than its contents. */
static void find_pages(
	const struct page_process *p, uint64_t first, uint64_t end, struct buffer *numbers)
{
	buffer_reset(numbers);
	if (end <= first)
		return;
	if (end - first <= p->pages.count) {
		for (uint64_t number = first; number < end; number++) {
			if (map_get(&p->pages, &number))
				buffer_append(numbers, &number, sizeof(number));
		}
		return;
	}
	map_for_each_key (&p->pages, const uint64_t *, number) {
		if (*number >= first && *number < end)
			buffer_append(numbers, number, sizeof(*number));
	}
}

/* Releases whole pages of a range; a page that is only partly in the range stays. */
static void release_range(
	struct page_held *l, struct page_process *p, uint64_t from, uint64_t bytes)
{
	uint64_t to = from + bytes < from ? UINT64_MAX : from + bytes;
	const uint64_t *numbers;

	find_pages(p, from / l->page_bytes + (from % l->page_bytes != 0),
		to / l->page_bytes + (to % l->page_bytes != 0), &l->numbers);
	numbers = (const void *)l->numbers.data;
	for (size_t i = 0; i < l->numbers.size / sizeof(*numbers); i++)
		release_one(l, p, numbers[i]);
}

/* Moves pages, which keep their stack. */
static void move_pages(struct page_held *l, struct page_process *p, const struct profile_release *r)
{
	uint64_t first = r->from / l->page_bytes, to = r->moved_to / l->page_bytes;
	uint64_t kept = r->moved_bytes / l->page_bytes;
	const uint64_t *numbers;

	find_pages(p, first, first + r->bytes / l->page_bytes, &l->numbers);
	numbers = (const void *)l->numbers.data;
	for (size_t i = 0; i < l->numbers.size / sizeof(*numbers); i++) {
		uint64_t at = to + (numbers[i] - first);
		struct page *there = map_get(&p->pages, &numbers[i]), page;

		if (numbers[i] - first >= kept) {
			release_one(l, p, numbers[i]);
			continue;
		}
		if (at == numbers[i] || !there) /* no kernel moves pages onto themselves */
			continue;
		page = *there;
		map_remove(&p->pages, &numbers[i]);
		release_one(l, p, at); /* the earlier record of the same page is replaced */
		there = map_put(&p->pages, &at, NULL);
		if (there)
			*there = page;
		else
			forget_page(l, page);
	}
}

static void handle_release(struct page_held *l, const struct profile_release *r)
{
	struct page_process *p = process_of(l, &r->record);

	if (!p)
		return;
	switch (r->how) {
	case PROFILE_MOVED:
		move_pages(l, p, r);
		break;
	case PROFILE_BREAK:
		if (r->from < p->break_at)
			release_range(l, p, r->from, p->break_at - r->from);
		p->break_at = r->from;
		break;
	default:
		release_range(l, p, r->from, r->bytes);
	}
}

/* Removes all pages of a process at an exec, or at its end. */
static void forget_process(struct page_held *l, const struct sooth_record *r)
{
	struct process_id id = process_id_of(r);
	struct page_process *p = map_get(&l->processes, &id);

	if (!p)
		return;
	map_for_each_value (&p->pages, const struct page *, page) {
		l->ended += page->faults;
		forget_page(l, *page);
	}
	map_clear(&p->pages);
	p->break_at = 0;
}

void page_held_add_record(struct page_held *l, const struct sooth_record *r)
{
	const struct profile_page *page = record_as(r, PROFILE_PAGE, sizeof(*page));
	const struct profile_release *given = record_as(r, PROFILE_RELEASE, sizeof(*given));
	const struct stream_segment *segment = record_as(r, STREAM_SEGMENT, sizeof(*segment));

	if (page)
		handle_page_fault(l, page);
	else if (given)
		handle_release(l, given);
	else if (r->kind == PROCESS_EXEC || r->kind == PROCESS_LEAVE)
		forget_process(l, r);
	else if (segment && segment->page_bytes)
		l->page_bytes = segment->page_bytes;
}

bool page_held_is_over(const struct page_held *l)
{
	return !l->remaining.pages && l->peak.pages;
}

bool page_held_is_estimate(const struct page_held *l)
{
	return l->touched > l->recorded;
}
