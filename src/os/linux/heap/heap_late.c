/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/heap/heap_late.h"

#include <errno.h>

#include "base/clock.h"
#include "os/linux/heap/heap_sites.h"

struct late_events {
	unsigned first, end;
};

_Static_assert(sizeof(struct late_events) == HEAP_LATE_EVENTS_BYTES, "as the map has it");

/* A second one, in another namespace: its probes would count the first one's calls, too. */
static bool is_c_library(const struct allocator_file *file)
{
	for (size_t i = 0; i < file->count; i++) {
		if (file->sites[i].place == HEAP_PLACE_THREAD_END ||
			file->sites[i].place == HEAP_PLACE_LOADER)
			return true;
	}
	return false;
}

static int take(void *user, const struct allocator_file *file, struct sooth_error *err)
{
	return is_c_library(file) ? -EOPNOTSUPP : heap_sites_take(user, file, err);
}

static int define(struct heap_attach *a, const struct process_id *process, const uint64_t key[2],
	struct late_events *events, struct sooth_error *err)
{
	struct finding_sites f = { .attach = a, .process = process, .is_late = true };
	uint64_t begin_ns = clock_monotonic_ns();
	int status =
		allocators_find(&a->allocators, (pid_t)process->pid, key[0], key[1], take, &f, err);

	events->first = a->events;
	if (!status)
		status = heap_sites_define(&f, err);
	events->end = a->events;
	heap_sites_fini(&f);
	a->attach_ns += clock_monotonic_ns() - begin_ns;
	return status;
}

static int events_of(struct heap_attach *a, const struct process_id *process, const uint64_t key[2],
	struct late_events *events, struct sooth_error *err)
{
	const struct late_events *known = map_get(&a->late_files, key);
	struct late_events *kept;
	int status;

	if (known) {
		*events = *known;
		return 0;
	}
	status = define(a, process, key, events, err);
	kept = status ? NULL : map_put(&a->late_files, key, NULL);
	if (kept)
		*kept = *events;
	return status;
}

int heap_late_probe(struct heap_attach *a, const struct process_id *process, uint64_t device,
	uint64_t inode, struct sooth_error *err)
{
	const uint64_t key[2] = { device, inode };
	struct covering c = { .is_late = true, .pid = process->pid };
	struct late_events events;
	int status;

	pthread_mutex_lock(&a->lock);
	status = events_of(a, process, key, &events, err);
	if (!status) {
		c.first = events.first;
		c.end = events.end;
		status = heap_sites_cover(a, &c, err);
		if (!status)
			status = -ESRCH; /* no thread of it is followed */
	}
	if (status > 0)
		map_put(&a->late_processes, &process->pid, NULL);
	pthread_mutex_unlock(&a->lock);
	return status < 0 ? status : 0;
}

int heap_late_child(struct heap_attach *a, const struct process_id *process, uint32_t parent,
	struct sooth_error *err)
{
	int status = 0;

	pthread_mutex_lock(&a->lock);
	if (map_get(&a->late_processes, &parent)) {
		map_put(&a->late_processes, &process->pid, NULL);
		for (unsigned e = 0; a->type->keep && e < a->events && !status; e++) {
			if (heap_sites_is_late(a, e))
				status = a->type->keep(a->prober, e, (pid_t)process->pid, err);
		}
	}
	pthread_mutex_unlock(&a->lock);
	return status == -ESRCH ? 0 : status;
}

void heap_late_over(struct heap_attach *a, const struct process_id *process)
{
	pthread_mutex_lock(&a->lock);
	if (map_remove(&a->late_processes, &process->pid) && a->type->keep)
		a->type->release(a->prober, (pid_t)process->pid);
	pthread_mutex_unlock(&a->lock);
}
