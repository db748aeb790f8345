/* SPDX-License-Identifier: BSD-2-Clause */
/* Attaches to allocators. */
#include "os/linux/heap/heap_attach.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/cursor.h"
#include "model/batch.h"
#include "os/linux/files/procfs.h"
#include "os/linux/files/timeout.h"
#include "os/linux/heap/heap_sites.h"

#define PROGRAMS_MAX	    4096
#define LATE_FILES_MAX	    1024
#define LATE_PROCESSES_MAX  65536
#define ENVIRONMENT_BYTES   (128u << 10)
#define ENVIRONMENT_MS	    1000
#define FORKED_WITHOUT_EXEC 0x40 /* PF_FORKNOEXEC, linux/sched.h */

/* Makes a lock with priority inheritance: the pauser's thread has the highest priority, and would
 * wait for a lock owner that gets no CPU. */
static void make_lock(pthread_mutex_t *lock)
{
	pthread_mutexattr_t attributes;

	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
	pthread_mutex_init(lock, &attributes);
	pthread_mutexattr_destroy(&attributes);
}

int heap_attach_open(struct heap_attach *a, const struct prober_type *type, struct follow *follow,
	struct heap_places *places, const struct log *log, struct sooth_error *err)
{
	make_lock(&a->lock);
	a->follow = follow;
	a->places = places;
	allocators_init(&a->allocators);
	map_init(&a->programs, 2 * sizeof(uint64_t), HEAP_PATH_BYTES, PROGRAMS_MAX);
	map_init(&a->late_files, 2 * sizeof(uint64_t), HEAP_LATE_EVENTS_BYTES, LATE_FILES_MAX);
	map_init(&a->late_processes, sizeof(uint32_t), 0, LATE_PROCESSES_MAX);
	a->type = type;
	a->own.entry = a->own.returning = -1;
	return type->open(&a->prober, log, err);
}

int heap_attach_hold(struct heap_attach *a, struct sooth_error *err)
{
	int status = a->type->hold ? links_holder_start(&a->holder, err) : 0;

	if (status || !a->type->hold)
		return status;
	a->type->hold(a->prober, &a->holder);
	heap_return_links_hold(&a->return_links, &a->holder);
	return 0;
}

bool heap_attach_beat(struct heap_attach *a)
{
	bool is_news;

	pthread_mutex_lock(&a->lock);
	is_news = !links_holder_beat(&a->holder) && !a->has_left;
	a->has_left |= is_news;
	pthread_mutex_unlock(&a->lock);
	return !is_news;
}

static void emit_gap(struct heap_attach *a, const struct process_id *process, uint64_t since_ns,
	const char *path, bool is_of_samples)
{
	struct heap_gap gap = { .record = { .time_ns = clock_monotonic_ns(),
					.start_ticks = process->start_ticks,
					.pid = process->pid,
					.kind = HEAP_GAP,
					.cpu = SOOTH_CPU_NONE },
		.from_ns = since_ns,
		.is_of_samples = is_of_samples };
	struct record_tail tail[] = { { &gap.path, path, strlen(path) } };

	RECORD_APPEND(&a->pending, &gap, tail, 1);
}

/* --- attaching --- */

static void emit_gaps(const struct finding_sites *f)
{
	const char *path = (const char *)f->paths.data;
	const char *end = path + f->paths.size;

	for (; f->since_ns && path < end; path += strlen(path) + 1)
		emit_gap(f->attach, f->process, f->since_ns, path, false);
}

/* Notes when a file's probes were attached, for processes that map the file earlier. */
static void note_probed(const struct finding_sites *f)
{
	const char *path = (const char *)f->paths.data;
	const char *end = path + f->paths.size;
	uint64_t now = clock_monotonic_ns();

	for (; path < end; path += strlen(path) + 1) {
		buffer_append(&f->attach->probed, &now, sizeof(now));
		buffer_append(&f->attach->probed, path, strlen(path) + 1);
	}
}

static void emit_missed(struct heap_attach *a, const struct process_id *process, uint64_t since_ns)
{
	struct cursor c = cursor_over(a->probed.data, a->probed.size);
	struct buffer maps = { 0 };

	procfs_read(procfs_living((pid_t)process->pid), "maps", &maps, PROCFS_MAPS);
	while (!cursor_at_end(&c)) {
		uint64_t probed_ns = cursor_u64(&c);
		struct span path = cursor_until(&c, '\0');

		if (since_ns < probed_ns && strstr(buffer_cstr(&maps), path.data))
			emit_gap(a, process, since_ns, path.data, false);
	}
	buffer_fini(&maps);
}

/* Returns whether a process is a launched command before its exec, which is a copy of sooth. With
 * file capabilities the caller may not read the process, but sooth has the same mappings. */
static bool is_copy(const struct process_id *process)
{
	_cleanup_close_ int folder = procfs_open((pid_t)process->pid);
	struct buffer bytes = { 0 };
	struct procfs_stat stat;
	bool result = folder >= 0 && !procfs_stat_at(folder, &stat, &bytes) &&
		      stat.ppid == (uint32_t)getpid() && stat.flags & FORKED_WITHOUT_EXEC;

	buffer_fini(&bytes);
	return result;
}

static int probe_new_files(struct heap_attach *a, const struct process_id *process,
	uint64_t since_ns, struct sooth_error *err)
{
	struct finding_sites f = { .attach = a, .process = process, .since_ns = since_ns };
	uint64_t begin_ns = clock_monotonic_ns();
	unsigned first = a->events;
	int status = allocators_examine(&a->allocators, process->pid, heap_sites_add_file, &f, err);
	bool defines;

	if (status == -EACCES && is_copy(process))
		status = allocators_examine(&a->allocators, getpid(), heap_sites_add_file, &f, err);
	defines = status > 0;
	if (status >= 0 && f.file_count) {
		status = heap_sites_define(&f, err);
		if (!status)
			status = heap_sites_cover(
				a, &(struct covering){ .first = first, .end = a->events }, err);
		if (status >= 0)
			emit_gaps(&f);
		note_probed(&f);
		a->attach_ns += clock_monotonic_ns() - begin_ns;
	}
	heap_sites_fini(&f);
	return status < 0 ? status : defines;
}

int heap_attach_examine(struct heap_attach *a, const struct process_id *process, uint64_t since_ns,
	struct sooth_error *err)
{
	int status;

	pthread_mutex_lock(&a->lock);
	status = probe_new_files(a, process, since_ns, err);
	pthread_mutex_unlock(&a->lock);
	return status;
}

void heap_attach_missed(struct heap_attach *a, const struct process_id *process, uint64_t since_ns)
{
	pthread_mutex_lock(&a->lock);
	emit_missed(a, process, since_ns);
	pthread_mutex_unlock(&a->lock);
}

void heap_report_gap(struct heap_attach *a, const struct process_id *process, uint64_t since_ns,
	const char *path)
{
	pthread_mutex_lock(&a->lock);
	emit_gap(a, process, since_ns, path, false);
	pthread_mutex_unlock(&a->lock);
}

void heap_attach_ended(struct heap_attach *a, const struct process_id *process, uint64_t since_ns)
{
	heap_report_gap(a, process, since_ns, "the program it ran");
}

bool heap_attach_defines(
	struct heap_attach *a, pid_t pid, const char *path, uint64_t device, uint64_t inode)
{
	bool defines;

	pthread_mutex_lock(&a->lock);
	defines = allocators_define(&a->allocators, pid, path, device, inode);
	pthread_mutex_unlock(&a->lock);
	return defines;
}

bool heap_attach_knows(struct heap_attach *a, const char *path, uint64_t device, uint64_t inode)
{
	bool knows;

	pthread_mutex_lock(&a->lock);
	knows = allocators_know(&a->allocators, path, device, inode);
	pthread_mutex_unlock(&a->lock);
	return knows;
}

void heap_attach_program(struct heap_attach *a, const struct heap_begun *begun)
{
	uint64_t key[] = { makedev(begun->device_major, begun->device_minor), begun->inode };
	char *path;

	pthread_mutex_lock(&a->lock);
	path = map_put(&a->programs, key, NULL);
	if (path)
		snprintf(path, HEAP_PATH_BYTES, "%s", begun->path);
	pthread_mutex_unlock(&a->lock);
}

static bool has_preload(const struct buffer *environment)
{
	static const char name[] = "LD_PRELOAD=";
	struct cursor c = cursor_over(environment->data, environment->size);

	while (!cursor_at_end(&c)) {
		struct span one = cursor_until(&c, '\0');

		if (one.size >= sizeof(name) && span_starts(one, name))
			return true;
	}
	return false;
}

bool heap_attach_preloads(struct heap_attach *a, const struct process_id *process)
{
	_cleanup_close_ int folder = procfs_open(procfs_living((pid_t)process->pid));
	struct buffer environment = { 0 };
	bool has;

	pthread_mutex_lock(&a->lock);
	if (folder >= 0)
		timeout_read_at(&a->allocators.timeout, folder, "environ", &environment,
			ENVIRONMENT_BYTES, ENVIRONMENT_MS);
	pthread_mutex_unlock(&a->lock);
	has = has_preload(&environment);
	buffer_fini(&environment);
	return has;
}

uint32_t heap_attach_opaque(struct heap_attach *a, char path[HEAP_PATH_BYTES])
{
	uint32_t count = 0;

	pthread_mutex_lock(&a->lock);
	map_for_each (&a->programs, const uint64_t *, identity, const char *, value) {
		if (!allocators_file_hides(&a->allocators, identity[0], identity[1]))
			continue;
		if (!count++)
			snprintf(path, HEAP_PATH_BYTES, "%s", value);
	}
	pthread_mutex_unlock(&a->lock);
	return count;
}

int heap_attach_process(struct heap_attach *a, const struct process_id *process, uint64_t since_ns,
	struct sooth_error *err)
{
	int status = 0;

	pthread_mutex_lock(&a->lock);
	if (a->events)
		status = heap_sites_cover(
			a, &(struct covering){ .end = a->events, .pid = process->pid }, err);
	if (status > 0 && since_ns)
		emit_gap(a, process, since_ns, "all probed files", false);
	pthread_mutex_unlock(&a->lock);
	return status < 0 ? status : 0;
}

int heap_attach_choose_returns(
	struct heap_attach *a, const struct process_id *process, struct sooth_error *err)
{
	int status = 0;

	pthread_mutex_lock(&a->lock);
	if (a->return_links.program && !a->return_links.pid)
		a->return_links.pid = process->pid;
	else if (a->return_links.program && a->return_links.pid != process->pid)
		status = heap_sites_open_returns(a, err);
	pthread_mutex_unlock(&a->lock);
	return status;
}

int heap_attach_forked(struct heap_attach *a, const struct process_id *process, uint32_t parent,
	uint64_t forked_ns, struct sooth_error *err)
{
	int status = 0;

	pthread_mutex_lock(&a->lock);
	if (heap_return_links_leave_out(&a->return_links, parent, forked_ns)) {
		status = heap_sites_open_returns(a, err);
		if (status >= 0)
			status = heap_sites_cover(a,
				&(struct covering){ .end = a->events,
					.pid = process->pid,
					.only_returns = true },
				err);
		heap_return_links_note_attached(
			&a->return_links, process->pid, clock_monotonic_ns());
		emit_gap(a, process, forked_ns, "", true);
	}
	pthread_mutex_unlock(&a->lock);
	return status == -ESRCH || status > 0 ? 0 : status;
}

int heap_attach_child(struct heap_attach *a, const struct process_id *process, bool is_over,
	struct sooth_error *err)
{
	int status = 0;

	pthread_mutex_lock(&a->lock);
	if (is_over && a->type->release)
		a->type->release(a->prober, (pid_t)process->pid);
	if (is_over)
		heap_return_links_note_ended(&a->return_links, process->pid);
	for (unsigned e = 0; !is_over && a->type->keep && e < a->events && !status; e++) {
		if (!heap_sites_is_late(a, e))
			status = a->type->keep(a->prober, e, process->pid, err);
	}
	pthread_mutex_unlock(&a->lock);
	return status == -ESRCH ? 0 : status;
}

bool heap_attach_only(struct heap_attach *a, uint32_t pid)
{
	bool is;

	pthread_mutex_lock(&a->lock);
	is = !a->only || map_get(a->only, &pid);
	pthread_mutex_unlock(&a->lock);
	return is;
}

bool heap_attach_only_set(struct heap_attach *a, uint32_t pid, bool is_probed)
{
	bool is_done;

	pthread_mutex_lock(&a->lock);
	if (is_probed)
		is_done = a->only && map_put(a->only, &pid, NULL);
	else
		is_done = a->only && map_remove(a->only, &pid);
	pthread_mutex_unlock(&a->lock);
	return is_done;
}

/* The first call with a timeout creates the thread that makes such calls. */
void heap_attach_hurry(struct heap_attach *a)
{
	pthread_mutex_lock(&a->lock);
	timeout_fini(&a->allocators.timeout);
	pthread_mutex_unlock(&a->lock);
}

void heap_attach_fail(struct heap_attach *a, const struct sooth_error *failure)
{
	pthread_mutex_lock(&a->lock);
	if (!a->failure.code)
		a->failure = *failure;
	pthread_mutex_unlock(&a->lock);
}

bool heap_attach_failure(struct heap_attach *a, struct sooth_error *failure)
{
	bool has;

	pthread_mutex_lock(&a->lock);
	has = a->failure.code != 0;
	if (has)
		*failure = a->failure;
	a->failure.code = 0;
	pthread_mutex_unlock(&a->lock);
	return has;
}

void heap_attach_emit(struct heap_attach *a, struct sooth_record *record, size_t size)
{
	pthread_mutex_lock(&a->lock);
	record_append(&a->pending, record, size, NULL, 0);
	pthread_mutex_unlock(&a->lock);
}

void heap_attach_reported(struct heap_attach *a, struct buffer *out)
{
	pthread_mutex_lock(&a->lock);
	buffer_append(out, a->pending.data, a->pending.size);
	buffer_reset(&a->pending);
	pthread_mutex_unlock(&a->lock);
}

int heap_attach_own(struct heap_attach *a, bool is_return, struct sooth_error *err)
{
	int event, status = 0;

	pthread_mutex_lock(&a->lock);
	if (!a->type->is_inherited && !a->own.is_tried)
		status = heap_sites_define_overhead_probes(a, err);
	event = is_return ? a->own.returning : a->own.entry;
	if (!status && event >= 0) {
		status =
			a->type->attach(a->prober, (unsigned)event, getpid(), (pid_t)gettid(), err);
		status = status < 0 ? status : 1;
	}
	pthread_mutex_unlock(&a->lock);
	return status;
}

void heap_attach_own_over(struct heap_attach *a)
{
	pthread_mutex_lock(&a->lock);
	if (a->type->release)
		a->type->release(a->prober, getpid());
	pthread_mutex_unlock(&a->lock);
}

size_t heap_attach_descriptors(const struct heap_attach *a)
{
	return a->type->descriptors(a->prober) +
	       heap_return_links_count_descriptors(&a->return_links);
}

void heap_attach_detach(struct heap_attach *a)
{
	pthread_mutex_lock(&a->lock);
	if (a->type->detach)
		a->type->detach(a->prober);
	heap_return_links_detach(&a->return_links);
	pthread_mutex_unlock(&a->lock);
}

void heap_attach_close(struct heap_attach *a, uint64_t *detach_ns)
{
	uint64_t own_ns = 0;

	heap_return_links_close(&a->return_links, &own_ns);
	if (a->type)
		a->type->close(a->prober, detach_ns);
	links_holder_end(&a->holder);
	if (detach_ns)
		*detach_ns += own_ns;
	a->prober = NULL;
	allocators_fini(&a->allocators);
	map_fini(&a->programs);
	map_fini(&a->late_files);
	map_fini(&a->late_processes);
	buffer_fini(&a->late);
	buffer_fini(&a->probed);
	buffer_fini(&a->pending);
}
