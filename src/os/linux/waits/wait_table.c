/* SPDX-License-Identifier: BSD-2-Clause */
/* All processes of the host, as /proc/PID/stat has them: parents, states, names. */
#include "os/linux/waits/wait_reader.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "os/linux/files/procfs.h"

#define ANCESTORS_MAX 64

void wait_table_fini(struct wait_table *t)
{
	buffer_fini(&t->entries);
	buffer_fini(&t->pids);
	buffer_fini(&t->bytes);
}

void wait_table_clear(struct wait_table *t)
{
	buffer_reset(&t->entries);
	t->is_read = false;
}

static int compare_by_pid(const void *a, const void *b)
{
	const struct wait_entry *x = a, *y = b;

	return (x->pid > y->pid) - (x->pid < y->pid);
}

static void add_process(struct wait_table *t, pid_t pid)
{
	struct wait_entry e = { 0 };
	struct procfs_stat stat;
	size_t size;

	if (procfs_read(pid, "stat", &t->bytes, PROCFS_STAT) ||
		!procfs_parse_stat(&stat, t->bytes.data, t->bytes.size))
		return;
	e = (struct wait_entry){ .start_ticks = stat.start_ticks,
		.pid = stat.pid,
		.ppid = stat.ppid,
		.process_group = stat.process_group,
		.session = stat.session,
		.state = stat.state };
	size = stat.name.size < sizeof(e.name) ? stat.name.size : sizeof(e.name) - 1;
	memcpy(e.name, stat.name.data, size);
	buffer_append(&t->entries, &e, sizeof(e));
}

static void read_all_processes(struct wait_table *t)
{
	const pid_t *pids;

	if (t->is_read)
		return;
	t->is_read = true;
	buffer_reset(&t->pids);
	if (procfs_list(&t->pids))
		return;
	pids = (const void *)t->pids.data;
	for (size_t i = 0; i < t->pids.size / sizeof(*pids); i++)
		add_process(t, pids[i]);
	if (buffer_failed(&t->entries))
		buffer_reset(&t->entries);
	if (t->entries.size)
		qsort(t->entries.data, t->entries.size / sizeof(struct wait_entry),
			sizeof(struct wait_entry), compare_by_pid);
}

size_t wait_table_count(struct wait_table *t)
{
	read_all_processes(t);
	return t->entries.size / sizeof(struct wait_entry);
}

const struct wait_entry *wait_table_at(struct wait_table *t, size_t i)
{
	assert(t->is_read && i < t->entries.size / sizeof(struct wait_entry));
	return (const struct wait_entry *)(const void *)t->entries.data + i;
}

const struct wait_entry *wait_table_get(struct wait_table *t, uint32_t pid)
{
	struct wait_entry key = { .pid = pid };
	size_t count = wait_table_count(t);

	return count ? bsearch(&key, t->entries.data, count, sizeof(key), compare_by_pid) : NULL;
}

bool wait_table_is_ancestor(struct wait_table *t, uint32_t pid, uint32_t of)
{
	const struct wait_entry *e = wait_table_get(t, of);

	for (unsigned i = 0; e && i < ANCESTORS_MAX; i++) {
		if (e->ppid == pid)
			return true;
		e = wait_table_get(t, e->ppid);
	}
	return false;
}

bool wait_is_same_user(const struct wait_node *n, uint32_t pid)
{
	struct stat own, other;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%u", pid);
	return !fstat(n->process, &own) && !stat(path, &other) && own.st_uid == other.st_uid;
}
