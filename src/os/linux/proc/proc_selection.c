/* SPDX-License-Identifier: BSD-2-Clause */
/* Processes close to an agent. */
#include "os/linux/proc/proc_selection.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#define ANCESTORS_MAX 65536

static int compare_by_pid(const void *a, const void *b)
{
	uint64_t first = ((const struct proc_entry *)a)->values.id.pid;
	uint64_t second = ((const struct proc_entry *)b)->values.id.pid;

	return first < second ? -1 : first > second;
}

static struct proc_entry *find_entry(const struct proc_entry *entries, size_t count, uint32_t pid)
{
	struct proc_entry key = { .values.id.pid = pid };

	return count ? bsearch(&key, entries, count, sizeof(*entries), compare_by_pid) : NULL;
}

/* Returns the parent. Processes may change while they are listed: one that started later is not the
 * parent. */
static struct proc_entry *parent_of(
	const struct proc_entry *entries, size_t count, const struct proc_entry *e)
{
	struct proc_entry *parent = find_entry(entries, count, e->values.ppid);

	return parent && parent != e && parent->values.id.start_ticks <= e->values.id.start_ticks
		       ? parent
		       : NULL;
}

const struct proc_entry *proc_selection_parent(
	const struct proc_entry *entries, size_t count, const struct proc_entry *e)
{
	assert(count < 2 ||
		entries[0].values.id.pid <= entries[count - 1].values.id.pid); /* sorted */
	return parent_of(entries, count, e);
}

static bool is_sorted(const struct proc_entry *entries, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		if (entries[i - 1].values.id.pid > entries[i].values.id.pid)
			return false;
	}
	return true;
}

/* Marks ancestors up to the first that is close. Works with any order of PIDs. */
static void find_upwards(struct proc_entry *entries, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct proc_entry *up = &entries[i];
		unsigned steps = 0;

		while (up && !up->is_close && steps++ < ANCESTORS_MAX)
			up = parent_of(entries, count, up);
		if (!up || !up->is_close)
			continue;
		/* All processes on the way up are close too. */
		for (struct proc_entry *e = &entries[i]; e != up; e = parent_of(entries, count, e))
			e->is_close = true;
	}
}

/* Marks in one pass. Most processes have a higher PID than their parent, which is then resolved
 * already, and many share a parent. False: some processes have a lower PID. */
static bool find_in_order(struct proc_entry *entries, size_t count)
{
	const struct proc_entry *parent = NULL;
	uint32_t ppid = 0;
	bool is_all = true;

	for (size_t i = 0; i < count; i++) {
		struct proc_entry *e = &entries[i];

		if (e->is_close)
			continue;
		if (e->values.ppid != ppid) {
			ppid = e->values.ppid;
			parent = find_entry(entries, count, ppid);
		}
		if (!parent || parent->values.id.start_ticks > e->values.id.start_ticks)
			continue;
		e->is_close = parent->is_close;
		is_all &= parent < e;
	}
	return is_all;
}

void proc_selection_mark_close(struct proc_entry *entries, size_t count)
{
	bool has_any = false;

	for (size_t i = 0; i < count; i++) {
		entries[i].is_close = entries[i].agent || entries[i].has_markers;
		has_any |= entries[i].is_close;
	}
	if (!is_sorted(entries, count))
		qsort(entries, count, sizeof(*entries), compare_by_pid);
	if (has_any && !find_in_order(entries, count))
		find_upwards(entries, count);
}

bool proc_selection_is_left(
	const struct proc_entry *entries, size_t count, const struct proc_entry *e)
{
	const struct proc_values *f = &e->values;

	return f->ppid == 1 || !find_entry(entries, count, f->process_group) ||
	       !find_entry(entries, count, f->session);
}

bool proc_selection_is_below(
	const struct proc_entry *entries, size_t count, uint32_t above, uint32_t pid)
{
	const struct proc_entry *e = find_entry(entries, count, pid);

	for (unsigned steps = 0; e && steps < ANCESTORS_MAX; steps++) {
		if (e->values.id.pid == above)
			return true;
		e = parent_of(entries, count, e);
	}
	return false;
}
