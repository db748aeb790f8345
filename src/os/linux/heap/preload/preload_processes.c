/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/heap/preload/preload_processes.h"
#include "os/linux/heap/preload/preload_library.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/units.h"
#include "model/batch.h"
#include "os/linux/files/procfs.h"
#include "os/linux/files/task_files.h"
#include "os/linux/files/timeout.h"
#include "os/os.h"

#define STAGED_MAX	  (1u << 20)
#define PROCESSES_MAX	  16384
#define CLOCKS_NS	  (1 * NS_PER_MS) /* largest difference of the two clocks */
#define ANCESTORS_MAX	  64
#define ENVIRONMENT_MS	  100
#define ENVIRONMENT_BYTES (256u << 10)
#define FILTERS_NS	  (50 * NS_PER_MS)
#define REAP_TRIES	  20
#define REAP_US		  500
#define FREE_NS		  (250 * NS_PER_MS)

struct preload_process *preload_process_at(struct preload_run *s, size_t i)
{
	return (struct preload_process *)(void *)s->processes.data + i;
}

size_t preload_process_count(const struct preload_run *s)
{
	return s->processes.size / sizeof(struct preload_process);
}

struct preload_segment *preload_segment_at(struct preload_run *s, size_t i)
{
	return ((struct preload_segment **)(void *)s->segments.data)[i];
}

size_t preload_segment_count_all(const struct preload_run *s)
{
	return s->segments.size / sizeof(struct preload_segment *);
}

struct preload_process *preload_find_pid(struct preload_run *s, uint32_t pid)
{
	for (size_t i = preload_process_count(s); i-- > 0;) {
		if (preload_process_at(s, i)->id.pid == pid && !preload_process_at(s, i)->has_left)
			return preload_process_at(s, i);
	}
	return NULL;
}

void preload_read_name(struct preload_process *p)
{
	struct buffer bytes = { 0 };
	struct procfs_stat stat;

	if (!procfs_stat_at(p->directory, &stat, &bytes)) {
		size_t size =
			stat.name.size < sizeof(p->name) ? stat.name.size : sizeof(p->name) - 1;

		memset(p->name, 0, sizeof(p->name));
		memcpy(p->name, stat.name.data, size);
	}
	buffer_fini(&bytes);
}

/* Returns whether the value of a line of /proc/PID/status has one of these characters. */
static bool status_has(int directory, const char *name, const char *any)
{
	struct buffer bytes = { 0 };
	struct span value = span_of("", 0);
	bool has = false;

	if (procfs_read_at(directory, "status", &bytes, PROCFS_SMALL) >= 0)
		task_status_find(&value, name, bytes.data, bytes.size);
	for (; *any && !has; any++)
		has = memchr(value.data, *any, value.size);
	buffer_fini(&bytes);
	return has;
}

/* Returns the process that started `p`, if the run knows it; else the command. */
static struct process_id parent_of(
	struct preload_run *s, const struct preload_process *p, uint32_t claimed)
{
	struct buffer bytes = { 0 };
	struct procfs_stat stat;
	const struct preload_process *parent = NULL;

	if (!procfs_stat_at(p->directory, &stat, &bytes))
		parent = preload_find_pid(s, stat.ppid);
	if (!parent && claimed)
		parent = preload_find_pid(s, claimed);
	buffer_fini(&bytes);
	return parent ? parent->id : s->command;
}

static struct sooth_record record_head_of(
	const struct process_id *id, uint64_t time_ns, uint16_t kind)
{
	return (struct sooth_record){ .time_ns = time_ns,
		.start_ticks = id->start_ticks,
		.pid = id->pid,
		.kind = kind,
		.cpu = SOOTH_CPU_NONE };
}

static void emit_join(
	struct preload_run *s, const struct preload_process *p, uint64_t time_ns, uint32_t claimed)
{
	struct process_id parent = parent_of(s, p, claimed);
	struct process_join join = { .record = record_head_of(&p->id, time_ns, PROCESS_JOIN),
		.parent_start_ticks = parent.start_ticks,
		.parent_pid = parent.pid };

	memcpy(join.name, p->name, sizeof(join.name));
	if (!s->is_elsewhere)
		RECORD_APPEND(&s->staged, &join, NULL, 0);
}

void preload_emit_exec(struct preload_run *s, const struct preload_process *p, uint64_t time_ns)
{
	struct process_exec exec = { .record = record_head_of(&p->id, time_ns, PROCESS_EXEC) };
	struct buffer arguments = { 0 };

	memcpy(exec.name, p->name, sizeof(exec.name));
	s->os->command_line(s->os, &p->id, &arguments);
	if (arguments.size > PROCESS_ARGUMENTS_MAX) {
		arguments.size = PROCESS_ARGUMENTS_MAX;
		exec.arguments_state = SOOTH_STATE_TRUNCATED;
	}
	if (!s->is_elsewhere)
		RECORD_APPEND(&s->staged, &exec,
			(&(struct record_tail){ &exec.arguments, arguments.data, arguments.size }),
			1);
	buffer_fini(&arguments);
}

/* Finds the exit status of the command. It is a child of sooth, so sooth may have reaped it
 * already. Then `launch->status` has its exit status. */
static void find_exit_status(
	const struct preload_run *s, const struct process_id *id, struct process_leave *leave)
{
	const struct launch *launch = memcmp(id, &s->command, sizeof(*id)) ? NULL : s->launch;
	int status = -1;

	for (int i = 0; i < REAP_TRIES && launch && status == -1; i++) {
		status = *(const volatile int *)&launch->status;
		if (status == -1)
			usleep(REAP_US);
	}
	if (status == -1)
		leave->status_state = SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED);
	else
		leave->status = (uint32_t)status;
}

static void emit_leave(struct preload_run *s, struct preload_process *p)
{
	struct process_leave leave = { .record = record_head_of(
					       &p->id, s->os->now_ns(s->os), PROCESS_LEAVE) };
	struct buffer bytes = { 0 };

	if (procfs_read_at(p->directory, "stat", &bytes, PROCFS_STAT) < 0 ||
		!procfs_parse_exit_code(&leave.status, bytes.data, bytes.size))
		find_exit_status(s, &p->id, &leave);
	buffer_fini(&bytes);
	memcpy(leave.name, p->name, sizeof(leave.name));
	if (!s->is_elsewhere)
		RECORD_APPEND(&s->staged, &leave, NULL, 0);
}

/* Emits a forked child that has ended, which is known only from its own records. */
void preload_emit_forked(struct preload_run *s, const struct preload_reading *r,
	const struct preload_segment *segment)
{
	const struct preload_process *parent = preload_find_pid(s, segment->process.pid);
	struct process_join join = { .record =
					     record_head_of(&r->process, r->begin_ns, PROCESS_JOIN),
		.parent_start_ticks = segment->process.start_ticks,
		.parent_pid = segment->process.pid };

	if (parent)
		memcpy(join.name, parent->name, sizeof(join.name));
	RECORD_APPEND(&s->staged, &join, NULL, 0);
}

static void emit_forked_end(struct preload_run *s, const struct process_id *id)
{
	struct process_leave leave = { .record = record_head_of(
					       id, s->os->now_ns(s->os), PROCESS_LEAVE),
		.status_state = SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED) };

	RECORD_APPEND(&s->staged, &leave, NULL, 0);
}

bool preload_is_there(uint32_t pid)
{
	_cleanup_close_ int directory = procfs_open((pid_t)pid);

	return directory >= 0;
}

uint32_t preload_parent_pid(uint32_t pid)
{
	_cleanup_close_ int directory = procfs_open((pid_t)pid);
	struct buffer bytes = { 0 };
	struct procfs_stat stat = { 0 };

	if (directory >= 0 && procfs_stat_at(directory, &stat, &bytes))
		stat.ppid = 0;
	buffer_fini(&bytes);
	return stat.ppid;
}

static bool has_token(const struct preload_run *s, uint32_t pid)
{
	_cleanup_close_ int directory = procfs_open((pid_t)pid);
	struct timeout timeout = { 0 };
	struct buffer bytes = { 0 };
	bool has = directory >= 0 &&
		   timeout_read_at(&timeout, directory, "environ", &bytes, ENVIRONMENT_BYTES,
			   ENVIRONMENT_MS) >= 0 &&
		   memmem(bytes.data, bytes.size, s->token, PRELOAD_TOKEN_BYTES);

	timeout_fini(&timeout);
	buffer_fini(&bytes);
	return has;
}

bool preload_is_in_tree(struct preload_run *s, uint32_t pid)
{
	uint32_t at = pid;

	for (int i = 0; i < ANCESTORS_MAX && at > 1; i++) {
		if (at == s->command.pid || preload_find_pid(s, at) || map_get(&s->forked, &at))
			return true;
		at = preload_parent_pid(at);
	}
	return has_token(s, pid);
}

struct preload_process *preload_add_process(
	struct preload_run *s, pid_t pid, uint64_t time_ns, uint32_t claimed)
{
	struct preload_process p = { .directory = procfs_open(pid), .exit = -1 };
	bool is_command;

	if (p.directory < 0)
		return NULL;
	if (preload_process_count(s) == PROCESSES_MAX || procfs_identify_at(p.directory, &p.id)) {
		close(p.directory);
		return NULL;
	}
	is_command = !memcmp(&p.id, &s->command, sizeof(p.id));
	p.exit = (int)syscall(SYS_pidfd_open, pid, 0);
	p.is_nested = status_has(p.directory, "NSpid:", "\t"); /* more numbers than one */
	preload_read_name(&p);
	buffer_append(&s->processes, &p, sizeof(p));
	if (!is_command)
		emit_join(s, &p, time_ns, claimed);
	return preload_process_at(s, preload_process_count(s) - 1);
}

/* --- reading --- */

static bool thread_is_there(const struct preload_process *p, uint32_t tid)
{
	char name[32];

	snprintf(name, sizeof(name), "task/%u", tid);
	return p->is_nested || !faccessat(p->directory, name, F_OK, 0);
}

bool preload_read_segment(struct preload_run *s, struct preload_segment *segment)
{
	uint64_t complete_ns = s->look_ns;
	bool has_read =
		preload_segment_read(segment, &s->clock, &s->staged, &s->missing, &complete_ns);

	if (complete_ns < s->complete_ns)
		s->complete_ns = complete_ns;
	s->is_coarse |= segment->is_coarse;
	s->around |= segment->around;
	return has_read;
}

bool preload_read_all(struct preload_run *s)
{
	uint64_t before = s->complete_ns;
	bool has_read = false;
	size_t i;

	s->look_ns = s->complete_ns = s->os->now_ns(s->os) - CLOCKS_NS;
	for (i = 0; i < preload_segment_count_all(s) && s->staged.size < STAGED_MAX; i++)
		has_read |= preload_read_segment(s, preload_segment_at(s, i));
	if (i < preload_segment_count_all(s) && before < s->complete_ns)
		s->complete_ns = before;
	return has_read;
}

void preload_count_slots(struct preload_run *s, struct preload_segment *segment)
{
	for (unsigned i = 0; i < preload_segment_used_slots(segment); i++)
		preload_segment_count(segment, i, &s->clock, s->os->now_ns(s->os), &s->staged);
}

/* --- what has ended --- */

bool preload_is_of(const struct preload_segment *segment, const struct process_id *id)
{
	for (unsigned k = 0; k < preload_segment_used_slots(segment); k++) {
		const struct preload_reading *r = &segment->slots[k];

		if (r->is_known && !memcmp(&r->process, id, sizeof(*id)))
			return true;
	}
	return false;
}

static bool has_slot(struct preload_run *s, const struct process_id *id)
{
	for (size_t i = 0; i < preload_segment_count_all(s); i++) {
		if (preload_is_of(preload_segment_at(s, i), id))
			return true;
	}
	return false;
}

/* Counts what a slot still has, when nothing more comes, and releases the slot. */
static void finish_slot(struct preload_run *s, struct preload_segment *segment, unsigned slot)
{
	struct preload_reading r = segment->slots[slot];

	preload_segment_count(segment, slot, &s->clock, s->os->now_ns(s->os), &s->staged);
	preload_segment_release(segment, slot);
	if (r.is_gone && !s->is_elsewhere && !has_slot(s, &r.process))
		emit_forked_end(s, &r.process);
}

static bool has_slot_ended(struct preload_run *s, const struct preload_reading *r)
{
	const struct preload_process *p = r->tid ? preload_find_pid(s, r->process.pid) : NULL;

	return r->is_gone || (p && !thread_is_there(p, r->tid));
}

static void release_ended(struct preload_run *s, struct preload_segment *segment)
{
	bool ended[PRELOAD_SLOTS], has_any = false;
	unsigned used = preload_segment_used_slots(segment);

	for (unsigned i = 0; i < used; i++) {
		ended[i] = segment->slots[i].is_known && has_slot_ended(s, &segment->slots[i]);
		has_any |= ended[i];
	}
	if (has_any)
		preload_read_segment(s, segment); /* reads the earlier records of that process */
	for (unsigned i = 0; i < used; i++) {
		if (ended[i] && segment->slots[i].is_known)
			finish_slot(s, segment, i);
	}
}

static bool is_segment_used(const struct preload_segment *segment)
{
	for (unsigned i = 0; i < preload_segment_used_slots(segment); i++) {
		if (atomic_load(&preload_segment_slot(segment, i)->state) == PRELOAD_SLOT_TAKEN)
			return true;
	}
	return false;
}

static void free_segment(struct preload_run *s, struct preload_segment *segment)
{
	preload_stacks_ended(s->stacks, segment->program);
	preload_segment_free(segment);
}

/* Frees memory that no process maps. As long as a process maps it, forked children may take slots
 * in it. */
static void free_unmapped(struct preload_run *s)
{
	struct preload_segment **all = (void *)s->segments.data;
	size_t kept = 0, count = preload_segment_count_all(s);

	for (size_t i = 0; i < count; i++) {
		if (!all[i]->is_over || is_segment_used(all[i]) ||
			preload_segment_is_mapped(all[i]))
			all[kept++] = all[i];
		else
			free_segment(s, all[i]);
	}
	s->segments.size = kept * sizeof(*all);
}

void preload_meet_forked(struct preload_run *s)
{
	for (size_t i = 0; i < preload_segment_count_all(s); i++) {
		if (preload_segment_unknown_slots(preload_segment_at(s, i)))
			preload_read_segment(s, preload_segment_at(s, i));
	}
}

uint64_t preload_unknown(struct preload_run *s)
{
	uint64_t unknown = s->missing.unknown;

	for (size_t i = 0; i < preload_segment_count_all(s); i++)
		unknown += preload_segment_unknown_slots(preload_segment_at(s, i));
	return unknown;
}

bool preload_slots_are_few(struct preload_run *s)
{
	for (size_t i = 0; i < preload_segment_count_all(s); i++) {
		if (preload_segment_used_slots(preload_segment_at(s, i)) > PRELOAD_SLOTS / 2)
			return true;
	}
	return false;
}

/* Reads the rest of a program that has ended, or runs another one. */
void preload_end_program(struct preload_run *s, const struct process_id *id)
{
	/* A copy: reading may find new processes, and move the list. */
	const struct process_id own = *id;
	const struct preload_process *p;

	for (size_t i = 0; i < preload_segment_count_all(s); i++) {
		struct preload_segment *segment = preload_segment_at(s, i);
		bool is_owner = !memcmp(&segment->process, &own, sizeof(own));

		if (!is_owner && !preload_is_of(segment, &own))
			continue;
		preload_read_segment(s, segment); /* threads that began since belong to it, too */
		for (unsigned k = 0; k < preload_segment_used_slots(segment); k++) {
			if (segment->slots[k].is_known &&
				!memcmp(&segment->slots[k].process, &own, sizeof(own)))
				finish_slot(s, segment, k);
		}
		segment->is_over |= is_owner;
	}
	p = preload_find_pid(s, own.pid);
	if (p && p->is_forked)
		preload_stacks_ended(s->stacks, p->program);
}

void preload_end_process(struct preload_run *s, struct preload_process *p)
{
	const struct process_id id = p->id;

	preload_end_program(s, &id);
	p = preload_find_pid(s, id.pid);
	emit_leave(s, p);
	s->has_ended = true;
	p->has_left = true;
	close(p->directory);
	close(p->exit);
	p->directory = p->exit = -1;
}

static void forget_ended_processes(struct preload_run *s)
{
	struct preload_process *all = (void *)s->processes.data;
	size_t kept = 0, count = preload_process_count(s);

	for (size_t i = 0; i < count; i++) {
		if (!all[i].has_left)
			all[kept++] = all[i];
	}
	s->processes.size = kept * sizeof(*all);
}

/* Searches for filters that were set without the library's knowledge: the library then makes no
 * more system calls. */
static void find_filters(struct preload_run *s)
{
	for (size_t i = 0; i < preload_segment_count_all(s); i++) {
		struct preload_segment *segment = preload_segment_at(s, i);

		for (unsigned k = 0; k < preload_segment_used_slots(segment); k++) {
			const struct preload_reading *r = &segment->slots[k];
			const struct preload_process *p =
				r->is_known ? preload_find_pid(s, r->process.pid) : NULL;

			if (p && p->is_filtered)
				atomic_store(&preload_segment_slot(segment, k)->is_filtered, 1);
		}
	}
}

void preload_look_for_ended(struct preload_run *s)
{
	uint64_t now_ns = clock_monotonic_ns();
	bool has_time = now_ns - s->filters_ns >= FILTERS_NS, has_filtered = false;

	if (has_time)
		s->filters_ns = now_ns;
	for (size_t i = 0; i < preload_process_count(s); i++) {
		struct preload_process *p = preload_process_at(s, i);
		struct pollfd ended = { .fd = p->exit, .events = POLLIN };

		if (!p->has_left && poll(&ended, 1, 0) > 0)
			preload_end_process(s, p);
		else if (has_time && !p->has_left && !p->is_filtered)
			p->is_filtered = !preload_filters_allow(
				preload_filters_of(p->directory), s->filters);
		has_filtered |= p->is_filtered;
	}
	forget_ended_processes(s);
	if (has_filtered)
		find_filters(s);
	for (size_t i = 0; i < preload_segment_count_all(s); i++)
		release_ended(s, preload_segment_at(s, i));
	if (now_ns - s->freed_ns >= FREE_NS) {
		s->freed_ns = now_ns;
		free_unmapped(s);
	}
	preload_clock_adjust(&s->clock);
}
