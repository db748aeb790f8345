/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/waits/wait_ends.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/units.h"
#include "os/linux/files/procfs.h"
#include "probes/waits.h"

#define ENDS_MAX  1000000
#define SEARCH_NS (1500 * NS_PER_MS)
#define LINK_SIZE 4096
#define PATH_SIZE 64

void wait_ends_fini(struct wait_ends *e)
{
	buffer_fini(&e->entries);
	buffer_fini(&e->pids);
	buffer_fini(&e->text);
}

void wait_ends_clear(struct wait_ends *e)
{
	buffer_reset(&e->entries);
	e->is_read = e->was_refused = e->is_cut = false;
}

/* Returns the hash of a path (FNV-1a). Among thousands of paths two hardly have the same hash; if
 * they do, both are named. */
uint64_t wait_ends_hash_path(struct span path)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (size_t i = 0; i < path.size; i++)
		hash = (hash ^ (unsigned char)path.data[i]) * 0x100000001b3u;
	return hash;
}

static void add_descriptor(struct wait_ends *e, pid_t pid, uint32_t fd, struct span link)
{
	struct wait_end end = { .pid = (uint32_t)pid, .fd = fd };

	if (procfs_link_inode(link, "pipe:[", &end.key)) {
		end.kind = WAIT_END_PIPE;
	} else if (procfs_link_inode(link, "socket:[", &end.key)) {
		end.kind = WAIT_END_SOCKET;
	} else if ((span_starts(link, "/") && !span_equal(link, "/dev/null")) ||
		   span_equal(link, WAIT_END_GUARD) || span_equal(link, WAITS_USERFAULT) ||
		   span_equal(link, WAITS_SECCOMP)) {
		end.kind = WAIT_END_PATH;
		end.key = wait_ends_hash_path(link);
	} else {
		return;
	}
	buffer_append(&e->entries, &end, sizeof(end));
}

static void read_process(struct wait_ends *e, pid_t pid)
{
	char path[PATH_SIZE], link[LINK_SIZE];
	_cleanup_dir_ DIR *dir = NULL;
	struct dirent *entry;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)procfs_living(pid));
	dir = opendir(path);
	if (!dir) {
		e->was_refused |= errno == EACCES || errno == EPERM;
		return;
	}
	while ((entry = readdir(dir))) {
		ssize_t size;

		if (entry->d_name[0] == '.')
			continue;
		if (e->entries.size / sizeof(struct wait_end) >= ENDS_MAX) {
			e->is_cut = true;
			return;
		}
		size = readlinkat(dirfd(dir), entry->d_name, link, sizeof(link));
		if (size > 0)
			add_descriptor(e, pid, (uint32_t)strtoul(entry->d_name, NULL, 10),
				span_of(link, (size_t)size));
		else
			e->was_refused |= errno == EACCES || errno == EPERM;
	}
}

static int compare_ends(const void *a, const void *b)
{
	const struct wait_end *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return (x->fd > y->fd) - (x->fd < y->fd);
}

static void read_all_processes(struct wait_ends *e)
{
	uint64_t deadline_ns = clock_monotonic_ns() + SEARCH_NS;
	const pid_t *pids;

	e->is_read = true;
	buffer_reset(&e->pids);
	if (procfs_list(&e->pids))
		return;
	pids = (const void *)e->pids.data;
	for (size_t i = 0; i < e->pids.size / sizeof(*pids) && !e->is_cut; i++) {
		if (clock_monotonic_ns() > deadline_ns)
			e->is_cut = true;
		else if (pids[i] != getpid())
			read_process(e, pids[i]);
	}
	if (buffer_failed(&e->entries))
		buffer_reset(&e->entries);
	if (e->entries.size)
		qsort(e->entries.data, e->entries.size / sizeof(struct wait_end),
			sizeof(struct wait_end), compare_ends);
}

const struct wait_end *wait_ends_first(
	struct wait_ends *e, enum wait_end_kind kind, uint64_t key, size_t *count)
{
	const struct wait_end *all;
	size_t low = 0, high, n;

	if (!e->is_read)
		read_all_processes(e);
	all = (const void *)e->entries.data;
	n = high = e->entries.size / sizeof(*all);
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct wait_end *m = &all[middle];

		if (m->kind < kind || (m->kind == kind && m->key < key))
			low = middle + 1;
		else
			high = middle;
	}
	*count = 0;
	while (low + *count < n && all[low + *count].kind == kind && all[low + *count].key == key)
		++*count;
	return all + low;
}

/* Returns how a descriptor was opened, by the permissions of its link (proc_pid_fd(5)). */
static mode_t mode_of(const struct wait_end *end)
{
	char path[PATH_SIZE];
	struct stat st;

	snprintf(
		path, sizeof(path), "/proc/%d/fd/%u", (int)procfs_living((pid_t)end->pid), end->fd);
	return lstat(path, &st) ? 0 : st.st_mode;
}

bool wait_end_reads(const struct wait_end *end)
{
	return mode_of(end) & S_IRUSR;
}

bool wait_end_writes(const struct wait_end *end)
{
	return mode_of(end) & S_IWUSR;
}

uint8_t wait_ends_state(const struct wait_ends *e)
{
	return e->is_cut	? SOOTH_STATE_TRUNCATED
	       : e->was_refused ? SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION)
				: SOOTH_STATE_VALUE;
}
