/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/heap/preload/preload_late.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/clock.h"
#include "base/cursor.h"
#include "base/units.h"
#include "os/linux/files/procfs.h"
#include "os/linux/heap/heap_late.h"
#include "os/linux/heap/preload/preload_processes.h"
#include "os/linux/heap/preload/preload_unseen.h"

#define RING_BYTES (256u << 10) /* of a CPU */
#define IMAGES_MAX 65536
#define FILES_MAX  16384
#define FOUND_MAX  4096
#define NAME_BYTES 16		     /* TASK_COMM_LEN, linux/sched.h */
#define NEW_NS	   (150 * NS_PER_MS) /* time that a program's first call may take */

/* The program that a process runs. */
struct late_image {
	uint64_t exec_ns; /* 0: not known */
	bool is_forked;	  /* was forked since its exec: then all code that it maps is late */
	bool has_library; /* is forked, and its parent had the library */
	char name[NAME_BYTES];
};

struct late_key {
	uint64_t device, inode;
	uint64_t pid;
};

struct late_file {
	uint64_t since_ns;
	char path[HEAP_PATH_BYTES];
};

struct mapping {
	uint32_t pid;
	uint64_t time_ns;
	uint64_t key[2]; /* device and inode */
	const char *path;
};

int preload_late_open(struct preload_late *l, struct preload_run *run, struct heap_attach *attach,
	struct sooth_error *err)
{
	l->run = run;
	l->attach = attach;
	pthread_mutex_init(&l->lock, NULL);
	map_init(&l->images, sizeof(uint32_t), sizeof(struct late_image), IMAGES_MAX);
	map_init(&l->files, 2 * sizeof(uint64_t), sizeof(bool), FILES_MAX);
	map_init(&l->found, sizeof(struct late_key), sizeof(struct late_file), FOUND_MAX);
	l->is_open = true;
	return perf_rings_open_mappings(&l->rings, RING_BYTES, err);
}

int preload_late_add(struct preload_late *l, pid_t command, struct sooth_error *err)
{
	return perf_rings_add(&l->rings, command, err);
}

/* --- records --- */

/* Returns whether sooth's library was in the program of a process before `time_ns`. */
static bool had_library(struct preload_late *l, uint32_t pid, uint64_t time_ns)
{
	const struct late_image *image = map_get(&l->images, &pid);
	uint64_t met_ns;

	if (!image)
		return false;
	if (image->is_forked)
		return image->has_library;
	met_ns = preload_run_met_ns(l->run, pid, image->exec_ns);
	return met_ns && met_ns < time_ns;
}

/* Checks a program that is over, or old enough to have connected. */
static void check_image(struct preload_late *l, uint32_t pid, const struct late_image *image)
{
	if (!l->attach && image->exec_ns && !preload_run_met_ns(l->run, pid, image->exec_ns))
		preload_unseen_add(&l->run->unseen, span_of_string(image->name));
}

/* Gives the process a new image. The program that it ran before, or that an earlier process with
 * the same PID ran, is over. */
static void set_image(struct preload_late *l, uint32_t pid, const struct late_image *image)
{
	bool is_new;
	struct late_image *to = map_put(&l->images, &pid, &is_new);

	if (!to)
		return;
	if (!is_new)
		check_image(l, pid, to);
	*to = *image;
}

static void handle_fork(struct preload_late *l, struct cursor *c, uint64_t time_ns)
{
	uint32_t pid = cursor_u32(c), parent = cursor_u32(c);
	struct late_image image = { .is_forked = true };

	if (pid == parent || c->failed)
		return;
	image.has_library = had_library(l, parent, time_ns);
	set_image(l, pid, &image);
}

static void handle_exec(struct preload_late *l, struct cursor *c, uint64_t time_ns)
{
	uint32_t pid = cursor_u32(c);
	struct late_image image = { .exec_ns = time_ns };
	struct span name;

	cursor_u32(c); /* its thread */
	name = cursor_until(c, '\0');
	if (c->failed)
		return;
	snprintf(image.name, sizeof(image.name), "%.*s", SPAN_ARGS(name));
	set_image(l, pid, &image);
}

static bool defines_allocator(struct preload_late *l, const struct mapping *m)
{
	bool is_new, *known = map_put(&l->files, m->key, &is_new);

	if (known && !is_new)
		return *known;
	is_new = heap_attach_defines(l->attach, (pid_t)m->pid, m->path, m->key[0], m->key[1]);
	if (known)
		*known = is_new;
	return is_new;
}

/* Handles a mapping of code. The library connects before the first call, and the loader maps the
 * first libraries before that. */
static void handle_mapping(struct preload_late *l, struct cursor *c, uint64_t time_ns)
{
	struct mapping m = { .pid = cursor_u32(c), .time_ns = time_ns };
	struct late_file *file;
	struct late_key key;
	uint32_t major, minor;
	bool is_new;

	cursor_bytes(c, 4 + 3 * 8); /* its thread, address, size and offset */
	major = cursor_u32(c);
	minor = cursor_u32(c);
	m.key[0] = makedev(major, minor);
	m.key[1] = cursor_u64(c);
	cursor_bytes(c, 8 + 2 * 4); /* its generation, protection and flags */
	m.path = cursor_until(c, '\0').data;
	if (c->failed || !l->attach || !m.key[1] || !had_library(l, m.pid, time_ns) ||
		!defines_allocator(l, &m))
		return;
	key = (struct late_key){ m.key[0], m.key[1], m.pid };
	file = map_put(&l->found, &key, &is_new);
	if (!file || !is_new)
		return;
	file->since_ns = time_ns;
	snprintf(file->path, sizeof(file->path), "%s", m.path);
}

static void handle_event(struct preload_late *l, const struct perf_event_header *header)
{
	struct cursor c = cursor_over(header + 1, header->size - sizeof(*header));
	uint64_t time_ns = perf_record_time(header);

	switch (header->type) {
	case PERF_RECORD_FORK:
		handle_fork(l, &c, time_ns);
		break;
	case PERF_RECORD_COMM:
		if (header->misc & PERF_RECORD_MISC_COMM_EXEC)
			handle_exec(l, &c, time_ns);
		break;
	case PERF_RECORD_MMAP2:
		handle_mapping(l, &c, time_ns);
		break;
	case PERF_RECORD_LOST:
		l->has_lost = true;
		break;
	default:
		break;
	}
}

static int compare_by_time(const void *a, const void *b)
{
	uint64_t first = perf_record_time(*(const struct perf_event_header *const *)a);
	uint64_t second = perf_record_time(*(const struct perf_event_header *const *)b);

	return (first > second) - (first < second);
}

/* Stores the records from `from` on for the next reading. */
static void store_records_from(
	struct buffer *records, const struct perf_event_header *const *all, size_t from, size_t to)
{
	struct buffer rest = { 0 };

	for (size_t i = from; i < to; i++)
		buffer_append(&rest, all[i], all[i]->size);
	buffer_fini(records);
	*records = rest;
}

/* Reads the rings of all CPUs. The records of one process may be in several rings: while they are
 * read, one ring may show a late record and another not yet an earlier one. */
static void read_all(struct preload_late *l)
{
	uint64_t until_ns = clock_monotonic_ns();
	const struct perf_event_header *header, *const *all;
	struct buffer order = { 0 };
	size_t at = 0, count, i;

	perf_rings_read(&l->rings, &l->records);
	while (l->records.size - at >= sizeof(*header)) {
		header = (const void *)(l->records.data + at);
		if (header->size < sizeof(*header) || header->size > l->records.size - at)
			break;
		buffer_append(&order, &header, sizeof(header));
		at += header->size;
	}
	count = order.size / sizeof(header);
	if (count)
		qsort(order.data, count, sizeof(header), compare_by_time);
	all = (const void *)order.data;
	for (i = 0; i < count && perf_record_time(all[i]) <= until_ns; i++)
		handle_event(l, all[i]);
	store_records_from(&l->records, all, i, count);
	buffer_fini(&order);
}

void preload_late_read(struct preload_late *l)
{
	pthread_mutex_lock(&l->lock);
	read_all(l);
	pthread_mutex_unlock(&l->lock);
}

void preload_late_probed(struct preload_late *l, uint32_t pid)
{
	const void *at_key;

	pthread_mutex_lock(&l->lock);
	read_all(l);
	for (size_t at = 0; map_next(&l->found, &at, &at_key, NULL);) {
		struct late_key key = *(const struct late_key *)at_key;

		if (key.pid != pid || !heap_late_has(l->attach, key.device, key.inode))
			continue;
		map_remove(&l->found, &key);
		at = 0;
	}
	pthread_mutex_unlock(&l->lock);
}

/* --- allocators whose first calls are missing --- */

void preload_late_check(struct preload_late *l)
{
	uint64_t new_ns = clock_monotonic_ns() - NEW_NS;

	pthread_mutex_lock(&l->lock);
	map_for_each (&l->images, const uint32_t *, pid, const struct late_image *, image) {
		if (image->exec_ns < new_ns || !preload_is_there(*pid))
			check_image(l, *pid, image);
	}
	pthread_mutex_unlock(&l->lock);
}

void preload_late_emit(struct preload_late *l, const struct process_id *ended)
{
	const void *at_key;
	void *value;

	pthread_mutex_lock(&l->lock);
	for (size_t at = 0; map_next(&l->found, &at, &at_key, &value);) {
		struct late_key key = *(const struct late_key *)at_key;
		const struct late_file *file = value;
		struct process_id process = { .pid = (uint32_t)key.pid };

		if (ended && ended->pid != key.pid)
			continue;
		if (ended)
			process = *ended;
		else
			procfs_identify((pid_t)key.pid, &process);
		heap_report_gap(l->attach, &process, file->since_ns, file->path);
		if (!l->emitted++)
			snprintf(l->first, sizeof(l->first), "%s", file->path);
		map_remove(&l->found, &key);
		at = 0;
	}
	pthread_mutex_unlock(&l->lock);
}

void preload_late_close(struct preload_late *l)
{
	if (!l->is_open)
		return;
	l->is_open = false;
	pthread_mutex_destroy(&l->lock);
	perf_rings_close(&l->rings);
	buffer_fini(&l->records);
	map_fini(&l->images);
	map_fini(&l->files);
	map_fini(&l->found);
}
