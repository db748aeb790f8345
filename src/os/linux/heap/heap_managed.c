/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/heap/heap_managed.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/cursor.h"
#include "os/linux/files/maps.h"
#include "os/linux/files/procfs.h"
#include "os/linux/files/timeout.h"
#include "os/linux/runtimes/runtime_set.h"
#include "os/linux/runtimes/runtimes_seen.h"

#define PROCESSES_NAMED 8

static void find_mapped_runtimes(int process, struct runtimes_seen *seen)
{
	struct buffer maps = { 0 };
	struct cursor lines;
	struct maps_line m;

	if (procfs_read_at(process, "maps", &maps, PROCFS_MAPS) >= 0) {
		lines = cursor_over(maps.data, maps.size);
		while (!cursor_at_end(&lines)) {
			if (maps_parse(cursor_line(&lines), &m) && m.inode && m.is_executable)
				runtimes_see_file(seen, m.path);
		}
	}
	buffer_fini(&maps);
}

static bool is_heap_in_malloc(const struct runtime_heap *heap, struct timeout *timeout, int process)
{
	struct buffer environment = { 0 };
	bool is_there = heap->in_malloc &&
			timeout_read_at(timeout, process, "environ", &environment, PROCFS_ARGUMENTS,
				TIMEOUT_MS) >= 0 &&
			memmem(environment.data, environment.size, heap->in_malloc,
				strlen(heap->in_malloc));

	buffer_fini(&environment);
	return is_there;
}

static void emit_heap(struct backend_run *run, const struct process_id *id, struct span name,
	const struct runtime_heap *heap)
{
	bool has_pages = probe_stack_trigger(&run->options) == STACK_OF_PAGE_FAULT;
	char what[96], pages[128] = "the page faults have it", remedy[320];

	snprintf(what, sizeof(what), "%s of %.*s %u%s", heap->name, SPAN_ARGS(name), id->pid,
		has_pages ? " in the calls" : "");
	if (!has_pages)
		snprintf(pages, sizeof(pages),
			"sooth heap --pages -d 10 -p %u shows which code fills it, and how much of "
			"the memory it is",
			id->pid);
	snprintf(remedy, sizeof(remedy), "%s; %s", pages, heap->remedy);
	backend_limit(run, what, heap->why, remedy);
}

static void emit_heaps(struct backend_run *run, const struct process_id *id,
	struct timeout *timeout, int process, const struct runtimes_seen *seen)
{
	struct buffer comm = { 0 };
	struct span name;

	timeout_read_at(timeout, process, "comm", &comm, PROCFS_STAT, TIMEOUT_MS);
	name = span_of((const char *)comm.data, comm.size ? comm.size - 1 : 0); /* no newline */
	for (size_t i = 0; i < RUNTIMES; i++) {
		const struct runtime_heap *heap = &runtime_table[i]->heap;

		if (heap->name && seen->why[runtime_table[i]->signs.runtime][0] &&
			!is_heap_in_malloc(heap, timeout, process))
			emit_heap(run, id, name, heap);
	}
	buffer_fini(&comm);
}

static bool is_same_process(int process, const struct process_id *id)
{
	struct process_id now;

	return !procfs_identify_at(process, &now) && now.start_ticks == id->start_ticks;
}

void heap_managed_emit(struct backend_run *run, const struct buffer *processes)
{
	const struct process_id *all = (const void *)processes->data;
	size_t count = processes->size / sizeof(*all);
	struct timeout timeout = { 0 };
	struct runtimes runtimes;

	runtimes_init(&runtimes);
	for (size_t i = 0; i < count && i < PROCESSES_NAMED; i++) {
		_cleanup_close_ int process = procfs_open((pid_t)all[i].pid);
		struct runtimes_seen seen = { 0 };

		if (process < 0 || !is_same_process(process, &all[i]))
			continue;
		runtimes_see_executable(&runtimes, &timeout, process, &seen);
		find_mapped_runtimes(process, &seen);
		emit_heaps(run, &all[i], &timeout, process, &seen);
	}
	runtimes_fini(&runtimes);
	timeout_fini(&timeout);
}
