/* SPDX-License-Identifier: BSD-2-Clause */
/* Followed processes. */
#include "os/linux/profile/perf_process.h"

#include <string.h>
#include <sys/mman.h>

#include "base/cursor.h"
#include "os/linux/profile/perf_rings.h"

#define PROCESSES_MAX 16384
#define THREADS_MAX   65536

void perf_processes_init(struct perf_processes *p)
{
	map_init(&p->processes, sizeof(uint32_t), sizeof(struct perf_process), PROCESSES_MAX);
	map_init(&p->threads, sizeof(uint32_t), sizeof(struct perf_thread), THREADS_MAX);
}

void perf_processes_fini(struct perf_processes *p)
{
	map_for_each_value (&p->processes, struct perf_process *, value)
		buffer_fini(&value->mappings);
	map_fini(&p->processes);
	map_fini(&p->threads);
}

struct perf_process *perf_process_put(struct perf_processes *p, const struct process_id *id)
{
	bool is_new;
	struct perf_process *process = map_put(&p->processes, &id->pid, &is_new);

	if (process && !is_new) { /* another process has got its PID */
		buffer_fini(&process->mappings);
		*process = (struct perf_process){ 0 };
	}
	if (process)
		process->id = *id;
	return process;
}

struct perf_process *perf_process_get(const struct perf_processes *p, uint32_t pid)
{
	return map_get(&p->processes, &pid);
}

static void set_name(struct perf_thread *thread, const char *name, size_t size)
{
	memset(thread->name, 0, sizeof(thread->name));
	if (size)
		memcpy(thread->name, name,
			size < sizeof(thread->name) ? size : sizeof(thread->name) - 1);
}

void perf_thread_put(
	struct perf_processes *p, struct perf_process *process, uint32_t tid, const char *name)
{
	bool is_new;
	struct perf_thread *thread = map_put(&p->threads, &tid, &is_new);

	if (!thread)
		return;
	process->threads += is_new || thread->pid != process->id.pid;
	thread->pid = process->id.pid;
	set_name(thread, name, strnlen(name, PROFILE_NAME_BYTES));
}

const char *perf_thread_name(const struct perf_processes *p, uint32_t tid)
{
	const struct perf_thread *thread = map_get(&p->threads, &tid);

	return thread ? thread->name : "";
}

bool perf_thread_is_known(const struct perf_processes *p, uint32_t tid)
{
	return map_get(&p->threads, &tid) != NULL;
}

/* --- records --- */

struct start { /* record of a start or an end */
	uint32_t pid, parent, tid, parent_tid;
};

static struct start read_start(const struct perf_event_header *header)
{
	struct cursor c = cursor_over(header + 1, header->size - sizeof(*header));
	struct start s = { 0 };

	s.pid = cursor_u32(&c);
	s.parent = cursor_u32(&c);
	s.tid = cursor_u32(&c);
	s.parent_tid = cursor_u32(&c);
	return s;
}

bool perf_record_starts(const struct perf_event_header *header, uint32_t tid)
{
	return header->type == PERF_RECORD_FORK && read_start(header).tid == tid;
}

/* Copies the mappings of the parent, given by its PID: a new entry may move all entries. */
static void copy_mappings(struct perf_processes *p, struct perf_process *to, uint32_t parent)
{
	const struct perf_process *from = perf_process_get(p, parent);

	if (from)
		buffer_append(&to->mappings, from->mappings.data, from->mappings.size);
}

static void add_thread(struct perf_processes *p, const struct start *s, const struct process_id *id,
	struct perf_news *news)
{
	struct perf_process *process = perf_process_get(p, s->pid);
	const struct perf_thread *parent = map_get(&p->threads, &s->parent_tid);
	char name[PROFILE_NAME_BYTES] = "";

	if (parent)
		memcpy(name, parent->name, sizeof(name));
	if (s->pid != s->parent) {
		process = perf_process_put(p, id);
		if (!process)
			return;
		copy_mappings(p, process, s->parent);
		news->process = process;
		news->parent = perf_process_get(p, s->parent);
	}
	if (process)
		perf_thread_put(p, process, s->tid, name);
}

static void remove_thread(struct perf_processes *p, const struct start *s)
{
	struct perf_process *process = perf_process_get(p, s->pid);

	if (map_remove(&p->threads, &s->tid) && process && process->threads &&
		--process->threads == 0) {
		buffer_fini(&process->mappings);
		map_remove(&p->processes, &s->pid);
	}
}

static void set_thread_name(
	struct perf_processes *p, const struct perf_event_header *header, struct perf_news *news)
{
	struct cursor c = cursor_over(header + 1, header->size - sizeof(*header));
	uint32_t pid = cursor_u32(&c), tid = cursor_u32(&c);
	struct span name = cursor_until(&c, 0);
	struct perf_process *process = perf_process_get(p, pid);
	struct perf_thread *thread = map_get(&p->threads, &tid);

	if (thread)
		set_name(thread, name.data, name.size);
	if (!process || !(header->misc & PERF_RECORD_MISC_COMM_EXEC))
		return;
	buffer_reset(&process->mappings);
	process->is_before_exec = false;
	news->process = process;
	news->is_exec = true;
}

static void add_mapping(
	struct perf_processes *p, const struct perf_event_header *header, struct perf_news *news)
{
	struct cursor c = cursor_over(header + 1, header->size - sizeof(*header));
	struct perf_process *process = perf_process_get(p, cursor_u32(&c));
	struct stack_mapping m = { 0 };
	struct span path;
	uint64_t size;

	cursor_u32(&c);
	m.from = cursor_u64(&c);
	size = cursor_u64(&c);
	m.to = m.from + size;
	m.offset = cursor_u64(&c);
	m.device_major = cursor_u32(&c);
	m.device_minor = cursor_u32(&c);
	m.inode = cursor_u64(&c);
	cursor_u64(&c); /* its generation */
	m.is_code = cursor_u32(&c) & PROT_EXEC;
	cursor_u32(&c);
	path = cursor_until(&c, 0);
	m.is_vdso = span_equal(path, "[vdso]");
	if (!process || c.failed)
		return;
	stack_mapping_identify(&m);
	stack_mappings_put(&process->mappings, &m);
	news->mapped = process;
	news->mapping = m;
	news->path = path.data; /* the kernel ends it by a NUL */
}

void perf_processes_handle_record(struct perf_processes *p, const struct perf_event_header *header,
	struct process_id (*identify)(void *user, uint32_t pid, uint64_t time_ns), void *user,
	struct perf_news *news)
{
	const struct start s = read_start(header);
	struct process_id id = { 0 };

	*news = (struct perf_news){ 0 };
	switch (header->type) {
	case PERF_RECORD_FORK:
		if (!perf_process_get(p, s.parent))
			return;
		if (s.pid != s.parent)
			id = identify(user, s.pid, perf_record_time(header));
		add_thread(p, &s, &id, news);
		return;
	case PERF_RECORD_EXIT:
		remove_thread(p, &s);
		return;
	case PERF_RECORD_COMM:
		set_thread_name(p, header, news);
		return;
	case PERF_RECORD_MMAP2:
		add_mapping(p, header, news);
		return;
	}
}
