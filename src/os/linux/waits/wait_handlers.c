/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The processes that the kernel asks for a thread that waits: for a page of its memory
 * (userfaultfd(2)), or for a decision on its call (seccomp_unotify(2)). They have a descriptor for
 * it. Each userfaultfd has an inode of its own (Linux 5.12); those of seccomp all look alike, so
 * only an ancestor, which installed the filter, is sure to be the supervisor.
 *
 * Any process may hold such descriptors, as many as it likes: what is compared has a limit, and a
 * process that only might be meant is named with low confidence, and only if it is the only one.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "os/linux/waits/wait_reader.h"
#include "probes/waits.h"

#define THREADS_MAX 4  /* of a process: further ones wait for the same */
#define INODES_MAX  16 /* descriptors of the process that waits */
#define ENDS_MAX    64 /* descriptors of others whose inodes are read */

struct handlers {
	const struct wait_end *ends;
	size_t count;
	uint32_t pid; /* the process that waits */
	uint64_t own[INODES_MAX];
	unsigned owned;
};

static uint64_t inode_of(const struct wait_end *end)
{
	char path[48];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%u/fd/%u", end->pid, end->fd);
	return stat(path, &st) ? 0 : st.st_ino;
}

static void read_own(struct handlers *h)
{
	for (size_t i = 0; i < h->count && h->owned < INODES_MAX; i++) {
		if (h->ends[i].pid == h->pid)
			h->own[h->owned++] = inode_of(&h->ends[i]);
	}
}

static bool is_own(const struct handlers *h, uint64_t inode)
{
	for (unsigned i = 0; i < h->owned; i++) {
		if (inode && h->own[i] == inode)
			return true;
	}
	return false;
}

/* Finds the process that has a descriptor for the same pages. */
static const struct wait_end *find_giver(struct handlers *h)
{
	read_own(h);
	for (size_t i = 0, read = 0; i < h->count && h->owned && read < ENDS_MAX; i++) {
		if (h->ends[i].pid == h->pid)
			continue;
		read++;
		if (is_own(h, inode_of(&h->ends[i])))
			return &h->ends[i];
	}
	return NULL;
}

/* Finds the closest ancestor with such a descriptor. */
static const struct wait_end *find_ancestor(struct wait_reader *r, const struct handlers *h)
{
	const struct wait_end *closest = NULL;

	for (size_t i = 0; i < h->count; i++) {
		const struct wait_end *end = &h->ends[i];

		if ((i && end->pid == end[-1].pid) || end->pid == h->pid ||
			!wait_table_is_ancestor(&r->table, end->pid, h->pid))
			continue;
		if (!closest || wait_table_is_ancestor(&r->table, closest->pid, end->pid))
			closest = end;
	}
	return closest;
}

/* Returns the only other process with such a descriptor; NULL: there are several, or none. */
static const struct wait_end *find_only(struct wait_reader *r, const struct handlers *h)
{
	const struct wait_end *only = NULL;

	for (size_t i = 0; i < h->count; i++) {
		const struct wait_end *end = &h->ends[i];

		if (end->pid == h->pid || wait_table_is_ancestor(&r->table, h->pid, end->pid))
			continue;
		if (only && only->pid != end->pid)
			return NULL;
		only = end;
	}
	return only;
}

static bool has_others(const struct handlers *h)
{
	for (size_t i = 0; i < h->count && !h->owned; i++) {
		if (h->ends[i].pid != h->pid)
			return true;
	}
	return false;
}

void wait_add_handlers(struct wait_reader *r, struct wait_node *n, const struct wait_call *c)
{
	const char *link = waits_handler(span_of_string(c->channel));
	struct handlers h = { .pid = (uint32_t)n->stat.pid };
	struct wait_found found = { .relation = WAITS_RELATION_HANDLER,
		.source = WAITS_SOURCE_DESCRIPTORS,
		.confidence = WAITS_HIGH,
		.detail = link ? span_of_string(link) : span_of("", 0),
		.follows = true };
	const struct wait_end *end;

	if (!link || n->handled++ >= THREADS_MAX)
		return;
	h.ends = wait_ends_first(
		&r->ends, WAIT_END_PATH, wait_ends_hash_path(span_of_string(link)), &h.count);
	end = strcmp(link, WAITS_SECCOMP) != 0 ? find_giver(&h) : find_ancestor(r, &h);
	/* A descriptor that the process has itself is for its pages, and no further one is needed.
	 */
	if (!end && !h.owned) {
		end = find_only(r, &h);
		found.confidence = WAITS_LOW;
	}
	/* Without a PID: there is one, or may be one, that is not known. */
	if (!end && !has_others(&h) && r->ends_state == SOOTH_STATE_VALUE)
		return;
	found.pid = end ? end->pid : 0;
	found.fd = end ? end->fd : 0;
	wait_add_party(r, n, c->thread->record.tid, &found);
}
