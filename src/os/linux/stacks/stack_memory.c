/* SPDX-License-Identifier: BSD-2-Clause */
/* Pages of another process. */
#include "os/linux/stacks/stack_memory.h"

#include <errno.h>
#include <string.h>
#include <sys/uio.h>

#define PAGE_BYTES 4096
#define PAGES_MAX  256 /* kept of one thread */
#define AHEAD	   4   /* pages that are read at once: frames of a stack are near each other */

struct page {
	bool is_there;
	unsigned char bytes[PAGE_BYTES];
};

/* With its own copies of everything: the call may outlive its caller. */
struct read_pages {
	pid_t pid;
	int status;
	uint64_t first;
	size_t got; /* whole pages */
	unsigned char bytes[AHEAD * PAGE_BYTES];
};

void stack_memory_init(struct stack_memory *m)
{
	map_init(&m->pages, sizeof(uint64_t), sizeof(struct page), PAGES_MAX);
}

void stack_memory_fini(struct stack_memory *m)
{
	map_fini(&m->pages);
	timeout_fini(&m->timeout);
}

void stack_memory_begin(struct stack_memory *m, pid_t pid)
{
	m->pid = pid;
	m->status = 0;
	map_clear(&m->pages);
}

/* A page each: what is read ends at the first one that is not there. */
static void do_read(void *argument)
{
	struct read_pages *r = argument;
	struct iovec here[AHEAD], there[AHEAD];
	ssize_t got;

	for (size_t i = 0; i < AHEAD; i++) {
		here[i] = (struct iovec){ r->bytes + i * PAGE_BYTES, PAGE_BYTES };
		there[i] = (struct iovec){ (void *)((r->first + i) * PAGE_BYTES), PAGE_BYTES };
	}
	got = process_vm_readv(r->pid, here, AHEAD, there, AHEAD, 0);
	r->status = got < 0 ? -errno : 0;
	r->got = got > 0 ? (size_t)got / PAGE_BYTES : 0;
}

static void keep(struct stack_memory *m, uint64_t number, const unsigned char *bytes)
{
	struct page *page = map_put(&m->pages, &number, NULL);

	if (page && bytes) {
		page->is_there = true;
		memcpy(page->bytes, bytes, PAGE_BYTES);
	}
}

static const struct page *page_at(struct stack_memory *m, uint64_t number)
{
	struct read_pages r = { .pid = m->pid, .first = number };
	const struct page *known = map_get(&m->pages, &number);
	int status;

	if (known)
		return known;
	if (m->pages.count + AHEAD > PAGES_MAX)
		map_clear(&m->pages);
	status = timeout_call(&m->timeout, do_read, NULL, &r, sizeof(r), -1, TIMEOUT_MS);
	status = status ? status : r.status;
	if (status)
		m->status = status;
	keep(m, number, !status && r.got ? r.bytes : NULL);
	for (size_t i = 1; !status && i < r.got; i++)
		keep(m, number + i, r.bytes + i * PAGE_BYTES);
	return map_get(&m->pages, &number);
}

bool stack_memory_read(struct stack_memory *m, void *out, uint32_t size, uint64_t address)
{
	unsigned char *to = out;

	while (size) {
		const struct page *page = page_at(m, address / PAGE_BYTES);
		uint32_t inside = (uint32_t)(address % PAGE_BYTES);
		uint32_t part = size < PAGE_BYTES - inside ? size : PAGE_BYTES - inside;

		if (!page || !page->is_there)
			return false;
		memcpy(to, page->bytes + inside, part);
		to += part;
		address += part;
		size -= part;
	}
	return true;
}
