/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The processes that the kernel asks for a thread that waits: for a page of its memory
 * (userfaultfd(2)), or for a decision on its call (seccomp_unotify(2)). They have a descriptor for
 * it. Each userfaultfd has an inode of its own (Linux 5.12); those of seccomp all look alike, and a
 * supervisor is mostly an ancestor.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "os/linux/waits/wait_reader.h"
#include "probes/waits.h"

#define ENDS_MAX 256 /* descriptors that are compared */

static uint64_t inode_of(const struct wait_end *end)
{
	char path[48];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%u/fd/%u", end->pid, end->fd);
	return stat(path, &st) ? 0 : st.st_ino;
}

/* Returns whether the process has a descriptor of its own for the same pages, or none: it may have
 * closed that when it passed it on. */
static bool is_of_same_pages(
	const struct wait_end *ends, size_t count, const struct wait_end *of, uint32_t pid)
{
	uint64_t inode = inode_of(of);
	bool has_own = false;

	for (size_t i = 0; i < count && i < ENDS_MAX; i++) {
		if (ends[i].pid != pid)
			continue;
		if (inode_of(&ends[i]) == inode)
			return true;
		has_own = true;
	}
	return !has_own;
}

void wait_add_handlers(struct wait_reader *r, struct wait_node *n, const struct wait_call *c)
{
	const char *link = waits_handler(span_of_string(c->channel));
	const struct wait_end *ends;
	uint32_t pid = (uint32_t)n->stat.pid;
	size_t count;

	if (!link)
		return;
	ends = wait_ends_first(
		&r->ends, WAIT_END_PATH, wait_ends_hash_path(span_of_string(link)), &count);
	for (size_t i = 0; i < count && i < ENDS_MAX; i++) {
		bool is_above = wait_table_is_ancestor(&r->table, ends[i].pid, pid);
		struct wait_found found = { .relation = WAITS_RELATION_HANDLER,
			.source = WAITS_SOURCE_DESCRIPTORS,
			.confidence = is_above || count == 1 ? WAITS_HIGH : WAITS_MEDIUM,
			.pid = ends[i].pid,
			.fd = ends[i].fd,
			.detail = span_of_string(link),
			.follows = true };

		if (ends[i].pid == pid ||
			(!strcmp(link, WAITS_SECCOMP)
					? wait_table_is_ancestor(&r->table, pid, ends[i].pid)
					: !is_of_same_pages(ends, count, &ends[i], pid)))
			continue;
		wait_add_party(r, n, c->thread->record.tid, &found);
	}
}
