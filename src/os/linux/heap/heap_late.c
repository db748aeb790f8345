/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/heap/heap_late.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/cursor.h"
#include "os/linux/files/maps.h"
#include "os/linux/files/procfs.h"
#include "os/linux/heap/heap_sites.h"
#include "preload/layout.h"

struct late_events {
	unsigned first, end;
};

_Static_assert(sizeof(struct late_events) == HEAP_LATE_EVENTS_BYTES, "as the map has it");

/* Notes the events of a file. A file that defines no allocator has none. */
static int keep_events(struct heap_attach *a, const uint64_t key[2], unsigned first, unsigned end)
{
	struct late_events *kept = map_put(&a->late_files, key, NULL);

	if (kept)
		*kept = (struct late_events){ first, end };
	return kept ? 0 : -ENOMEM;
}

typedef int late_file(void *user, const uint64_t key[2], struct sooth_error *err);

static int each_file(struct span maps, late_file *handle, void *user, struct sooth_error *err)
{
	struct maps_line m;
	int status = 0;

	maps_for_each (&m, maps) {
		/* sooth's own library passes calls on to another allocator. */
		if (status >= 0 && m.inode && m.is_executable &&
			!span_ends(m.path, "/" PRELOAD_LIBRARY)) {
			const uint64_t key[2] = { makedev(m.device_major, m.device_minor),
				m.inode };

			status = handle(user, key, err);
		}
	}
	return status;
}

/* The new files of a process. They are defined together, because each event takes time. */
struct defining {
	struct finding_sites sites;
	uint64_t keys[FILES_MAX][2];
	size_t count;
};

static int find_probed_file(void *user, const uint64_t key[2], struct sooth_error *err)
{
	struct defining *d = user;
	struct heap_attach *a = d->sites.attach;
	int status;

	for (size_t i = 0; i < d->count; i++) {
		if (!memcmp(d->keys[i], key, sizeof(d->keys[i])))
			return 0;
	}
	if (map_get(&a->late_files, key) || d->count == FILES_MAX)
		return 0;
	status = allocators_find(&a->allocators, (pid_t)d->sites.process->pid, key[0], key[1],
		heap_sites_add_file, &d->sites, err);
	if (status == -ENOENT)
		return keep_events(a, key, 0, 0);
	if (status >= 0)
		memcpy(d->keys[d->count++], key, sizeof(d->keys[0]));
	return status;
}

static int define_probes(struct heap_attach *a, const struct process_id *process, struct span maps,
	struct sooth_error *err)
{
	_cleanup_free_ struct defining *d = calloc(1, sizeof(*d));
	uint64_t begin_ns = clock_monotonic_ns();
	unsigned first = a->events;
	int status;

	if (!d)
		return error_no_memory(err);
	d->sites = (struct finding_sites){ .attach = a, .process = process, .is_late = true };
	status = each_file(maps, find_probed_file, d, err);
	if (status >= 0)
		status = heap_sites_define(&d->sites, err);
	for (size_t i = 0; i < d->count && status >= 0; i++)
		status = keep_events(a, d->keys[i], first, a->events);
	heap_sites_fini(&d->sites);
	a->attach_ns += clock_monotonic_ns() - begin_ns;
	return status;
}

struct covered {
	struct heap_attach *attach;
	struct covering last;
	bool any;
};

static int cover_file(void *user, const uint64_t key[2], struct sooth_error *err)
{
	struct covered *c = user;
	const struct late_events *events = map_get(&c->attach->late_files, key);
	int status;

	if (!events || events->first == events->end ||
		(events->first == c->last.first && events->end == c->last.end))
		return 0;
	c->last.first = events->first;
	c->last.end = events->end;
	status = heap_sites_cover(c->attach, &c->last, err);
	c->any |= status > 0;
	return status;
}

int heap_late_probe(
	struct heap_attach *a, const struct process_id *process, struct sooth_error *err)
{
	struct covered c = { .attach = a, .last = { .is_late = true, .pid = process->pid } };
	struct buffer bytes = { 0 };
	struct span maps;
	int status = procfs_read(procfs_living((pid_t)process->pid), "maps", &bytes, PROCFS_MAPS);

	maps = (struct span){ buffer_cstr(&bytes), bytes.size };
	pthread_mutex_lock(&a->lock);
	if (status >= 0)
		status = define_probes(a, process, maps, err);
	if (status >= 0)
		status = each_file(maps, cover_file, &c, err);
	if (status >= 0 && c.any)
		map_put(&a->late_processes, &process->pid, NULL);
	pthread_mutex_unlock(&a->lock);
	buffer_fini(&bytes);
	if (status < 0)
		return status;
	return c.any ? 0 : -ESRCH; /* no thread of it is followed */
}

bool heap_late_has(struct heap_attach *a, uint64_t device, uint64_t inode)
{
	const uint64_t key[2] = { device, inode };
	const struct late_events *events;
	bool has;

	pthread_mutex_lock(&a->lock);
	events = map_get(&a->late_files, key);
	has = events && events->first != events->end;
	pthread_mutex_unlock(&a->lock);
	return has;
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
