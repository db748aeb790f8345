/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stacks by perf events, without privilege, of the caller's own processes. The kernel copies the
 * registers and the top of the stack at a CPU clock of each thread. The stack is walked here, by
 * the same steps as in BPF.
 *
 * Cannot be seen: processes that were neither selected nor started by a selected one; the part of a
 * stack that is deeper than the copy; functions of Python, whose frames are in other memory and
 * change before it could be read; time in the kernel, if kernel.perf_event_paranoid is 2.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "model/batch.h"
#include "os/linux/files/procfs.h"
#include "os/linux/profile/perf_process.h"
#include "os/linux/profile/perf_rings.h"
#include "os/linux/profile/stack_walker.h"
#include "os/linux/rights/needs.h"
#include "os/os.h"

#define RATE_DEFAULT 99
/* A record is in its ring this long after its time, even if its thread lost the CPU meanwhile. */
#define SETTLED_NS  (2 * NS_PER_MS)
#define LATENESS_NS (10 * NS_PER_MS)
#define PASSES_MAX  16

struct profile_perf {
	struct perf_rings rings;
	struct perf_processes processes;
	struct stack_walker walker;
	struct buffer read, left, order;
	uint32_t period_ns;
	uint64_t start_ns;
	uint64_t ticks_per_s;
	uint64_t cut; /* stacks that continue beyond their copies */
	uint64_t throttled;
	uint64_t reported_refused;
	bool has_failed;
};

static int profile_open(struct backend_run *run, struct sooth_error *err)
{
	struct profile_perf *s = run->state;
	int status;

	s->period_ns = (uint32_t)(NS_PER_S / probe_rate_hz(&run->options, RATE_DEFAULT));
	s->ticks_per_s = (uint64_t)sysconf(_SC_CLK_TCK);
	s->start_ns = UINT64_MAX;
	s->rings.wake = -1; /* it is closed even if it was not opened */
	perf_processes_init(&s->processes);
	status = stack_walker_open(&s->walker, PROFILE_STACK, PROFILE_FRAME, &run->options, err);
	if (!status)
		status = perf_rings_open(
			&s->rings, s->period_ns, run->options.observer.buffer_bytes, err);
	if (!status)
		return 0;
	perf_rings_close(&s->rings);
	perf_processes_fini(&s->processes);
	stack_walker_fini(&s->walker);
	return status;
}

static void profile_close(struct backend_run *run)
{
	struct profile_perf *s = run->state;

	perf_rings_close(&s->rings);
	perf_processes_fini(&s->processes);
	stack_walker_fini(&s->walker);
	buffer_fini(&s->read);
	buffer_fini(&s->left);
	buffer_fini(&s->order);
}

/* --- attaching --- */

static void read_name(int directory, uint32_t tid, char *name, size_t size)
{
	struct buffer bytes = { 0 };
	char path[32];

	memset(name, 0, size);
	snprintf(path, sizeof(path), "task/%u/comm", tid);
	if (procfs_read_at(directory, path, &bytes, PROCFS_SMALL) >= 0 && bytes.size) {
		size_t length = bytes.size - (bytes.data[bytes.size - 1] == '\n');

		memcpy(name, bytes.data, length < size ? length : size - 1);
	}
	buffer_fini(&bytes);
}

/* Returns whether a sampled thread started the thread: then it is sampled, too. */
static bool is_inherited(const struct profile_perf *s, uint32_t tid)
{
	for (size_t at = 0; at < s->left.size;) {
		const struct perf_event_header *header = buffer_at(&s->left, at);

		if (header->size < sizeof(*header))
			return false;
		if (perf_record_starts(header, tid))
			return true;
		at += header->size;
	}
	return false;
}

static int add_thread(struct profile_perf *s, struct perf_process *process, int directory,
	uint32_t tid, struct sooth_error *err)
{
	char name[PROFILE_NAME_BYTES];
	int status = perf_rings_add(&s->rings, (pid_t)tid, err);

	if (status == -ESRCH) /* it has ended */
		return 0;
	if (status)
		return status;
	read_name(directory, tid, name, sizeof(name));
	perf_thread_put(&s->processes, process, tid, name);
	return 0;
}

/* Adds the threads that are not sampled yet. Returns their number or a negative errno. */
static int add_threads(struct profile_perf *s, struct perf_process *process, int directory,
	bool is_first, struct sooth_error *err)
{
	_cleanup_dir_ DIR *tasks = NULL;
	char path[32];
	int added = 0, status = 0;
	const struct dirent *entry;

	snprintf(path, sizeof(path), "/proc/%u/task", process->id.pid);
	tasks = opendir(path);
	if (!tasks)
		return error_errno(err, -errno, "list the threads of process %u", process->id.pid);
	if (!is_first)
		perf_rings_read(&s->rings, &s->left);
	while (!status && (entry = readdir(tasks))) {
		uint32_t tid = (uint32_t)strtoul(entry->d_name, NULL, 10);

		if (!tid || perf_thread_is_known(&s->processes, tid) ||
			(!is_first && is_inherited(s, tid)))
			continue;
		status = add_thread(s, process, directory, tid, err);
		added++;
	}
	return status ? status : added;
}

static void announce_mapped_files(struct profile_perf *s, const struct perf_process *process)
{
	buffer_each (const struct stack_mapping, mapping, &process->mappings) {
		if (mapping->is_code)
			stack_walker_meet(&s->walker, &process->id, mapping, NULL);
	}
}

/* Reads the mappings after the threads are sampled: their records report later mappings. */
static int read_mappings(struct profile_perf *s, struct perf_process *process, int directory)
{
	int status = stack_walker_process(&s->walker, &process->id, directory);

	if (status < 0)
		return status;
	buffer_append(&process->mappings, s->walker.own_mappings.data, s->walker.own_mappings.size);
	if (!process->is_before_exec)
		announce_mapped_files(s, process);
	return 0;
}

static int attach_process(struct backend_run *run, const struct process_id *id, unsigned interest,
	struct sooth_error *err)
{
	struct profile_perf *s = run->state;
	_cleanup_close_ int directory = procfs_open((pid_t)id->pid);
	struct perf_process *process;
	int added = 1, status;

	if (directory < 0 || !run->os->is_alive(run->os, id)) {
		error_set(err, -ESRCH, SOOTH_FAULT_NOT_FOUND, "sample process %u", id->pid);
		return error_why(err, "the process has ended");
	}
	process = perf_process_put(&s->processes, id);
	if (!process)
		return error_no_memory(err);
	process->is_before_exec = (interest & INTEREST_FROM_EXEC) != 0;
	for (int pass = 0; pass < PASSES_MAX && added > 0; pass++)
		added = add_threads(s, process, directory, !pass, err);
	if (added < 0)
		return added;
	status = read_mappings(s, process, directory);
	return status ? error_errno(err, status, "read /proc/%u/maps", id->pid) : 0;
}

static int profile_set(struct backend_run *run, const struct process_id *process, unsigned interest,
	struct sooth_error *err)
{
	struct profile_perf *s = run->state;
	const struct perf_process *known = perf_process_get(&s->processes, process->pid);

	/* The events stay when the process is no longer requested: its children have inherited
	 * them. */
	if (!interest || (known && known->id.start_ticks == process->start_ticks))
		return 0;
	return attach_process(run, process, interest, err);
}

static int profile_start(struct backend_run *run, struct sooth_error *err)
{
	struct profile_perf *s = run->state;

	(void)err;
	s->start_ns = run->os->now_ns(run->os);
	if (!s->rings.has_kernel)
		backend_limit(run, "CPU time in the kernel",
			"without cap_perfmon and with kernel.perf_event_paranoid 2 only user "
			"space is sampled",
			"run sooth as root");
	return 0;
}

/* --- records --- */

static struct sooth_record record_head(
	const struct perf_process *process, uint32_t tid, uint64_t time_ns, uint16_t kind)
{
	return (struct sooth_record){ .time_ns = time_ns,
		.start_ticks = process->id.start_ticks,
		.pid = process->id.pid,
		.tid = tid,
		.kind = kind,
		.cpu = SOOTH_CPU_NONE };
}

static void emit_sample(struct backend_run *run, const struct perf_event_header *header)
{
	struct profile_perf *s = run->state;
	struct perf_sample from;
	const struct perf_process *process;
	struct profile_sample sample = { .period_ns = s->period_ns };
	struct stacks_seen seen = { 0 };
	struct stack_copied copied;

	if (!perf_sample_parse(&s->rings, header, &from) || from.time_ns < s->start_ns)
		return;
	process = perf_process_get(&s->processes, from.pid);
	if (!process || process->is_before_exec)
		return;
	copied = (struct stack_copied){ .process = process->id,
		.mappings = &process->mappings,
		.stack = { from.stack, from.sp, from.stack_size },
		.kernel = from.kernel };
	seen = (struct stacks_seen){ .pc = from.pc,
		.sp = from.sp,
		.fp = from.fp,
		.link = from.link,
		.tid = from.tid,
		.has_registers = from.has_registers,
		.is_foreign = from.is_foreign,
		.kernel_frames = from.kernel_frames };
	sample.stack = stack_walker_walk_copy(&s->walker, &copied, &seen, from.time_ns, &run->out);
	s->cut += s->walker.at.walk.end == PROFILE_UNREADABLE &&
		  from.stack_size == s->rings.stack_bytes;
	sample.record = record_head(process, from.tid, from.time_ns, PROFILE_SAMPLE);
	sample.record.cpu = (uint16_t)from.cpu;
	memcpy(sample.process, perf_thread_name(&s->processes, from.pid), PROFILE_NAME_BYTES);
	memcpy(sample.thread, perf_thread_name(&s->processes, from.tid), PROFILE_NAME_BYTES);
	RECORD_APPEND(&run->out, &sample, NULL, 0);
}

/* Identifies a process. If it has already ended, it counts as started in the tick of its record. */
static struct process_id identify_process(void *user, uint32_t pid, uint64_t time_ns)
{
	struct backend_run *run = user;
	struct profile_perf *s = run->state;
	struct process_id id = { .pid = pid };
	struct timespec boot, now;
	uint64_t since_boot;

	if (!run->os->identify(run->os, (pid_t)pid, &id, &(struct sooth_error){ 0 }))
		return id;
	clock_gettime(CLOCK_BOOTTIME, &boot);
	clock_gettime(CLOCK_MONOTONIC, &now);
	since_boot = time_ns + (uint64_t)(boot.tv_sec - now.tv_sec) * NS_PER_S +
		     (uint64_t)(boot.tv_nsec - now.tv_nsec);
	return (struct process_id){ .start_ticks = since_boot / (NS_PER_S / s->ticks_per_s),
		.pid = pid };
}

static void emit_exec_or_join(
	struct backend_run *run, const struct perf_news *news, uint64_t time_ns)
{
	struct profile_perf *s = run->state;
	const char *name;

	if (!news->process)
		return;
	name = perf_thread_name(&s->processes, news->process->id.pid);
	if (news->is_exec) {
		struct process_exec exec = {
			.record = record_head(
				news->process, news->process->id.pid, time_ns, PROCESS_EXEC),
			.arguments_state = SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED),
		};

		memcpy(exec.name, name, sizeof(exec.name));
		RECORD_APPEND(&run->out, &exec, NULL, 0);
	} else if (news->parent) {
		struct process_join join = {
			.record = record_head(
				news->process, news->process->id.pid, time_ns, PROCESS_JOIN),
			.parent_start_ticks = news->parent->id.start_ticks,
			.parent_pid = news->parent->id.pid,
		};

		memcpy(join.name, name, sizeof(join.name));
		RECORD_APPEND(&run->out, &join, NULL, 0);
	}
}

static void add_lost(struct backend_run *run, const struct perf_event_header *header)
{
	struct cursor c = cursor_over(header + 1, header->size - sizeof(*header));

	if (header->type == PERF_RECORD_LOST)
		cursor_u64(&c); /* id of the event */
	backend_loss(run, cursor_u64(&c), 0,
		"the rings of perf events were full: samples were lost; use a lower --rate, or "
		"raise the memory limit (ulimit -l) and use --buffer 8M");
}

static void handle_record(struct backend_run *run, const struct perf_event_header *header)
{
	struct profile_perf *s = run->state;
	struct perf_news news;

	switch (header->type) {
	case PERF_RECORD_SAMPLE:
		emit_sample(run, header);
		return;
	case PERF_RECORD_LOST:
	case PERF_RECORD_LOST_SAMPLES:
		add_lost(run, header);
		return;
	case PERF_RECORD_THROTTLE:
		s->throttled++;
		return;
	}
	perf_processes_handle_record(&s->processes, header, identify_process, run, &news);
	emit_exec_or_join(run, &news, perf_record_time(header));
	if (news.mapped && news.mapping.is_code)
		stack_walker_meet(&s->walker, &news.mapped->id, &news.mapping, news.path);
}

struct place {
	uint64_t time_ns;
	size_t at;
};

static int compare_by_time(const void *left, const void *right)
{
	const struct place *a = left, *b = right;

	if (a->time_ns != b->time_ns)
		return a->time_ns < b->time_ns ? -1 : 1;
	return (a->at > b->at) - (a->at < b->at);
}

static void list_records(struct profile_perf *s)
{
	buffer_reset(&s->order);
	for (size_t at = 0; at + sizeof(struct perf_event_header) <= s->read.size;) {
		const struct perf_event_header *header = buffer_at(&s->read, at);
		struct place place = { perf_record_time(header), at };

		if (header->size < sizeof(*header) || header->size > s->read.size - at)
			break;
		buffer_append(&s->order, &place, sizeof(place));
		at += header->size;
	}
	if (s->order.size)
		qsort(s->order.data, s->order.size / sizeof(struct place), sizeof(struct place),
			compare_by_time);
}

/* Handles records in order of time, over all CPUs: when a thread moves, one ring has its start and
 * another its samples. A record younger than `until` waits: a ring that was read earlier may have
 * got an older record in the meantime. */
static void handle_records(struct backend_run *run, uint64_t until)
{
	struct profile_perf *s = run->state;
	struct buffer before = s->left;
	const struct place *all;

	s->left = s->read;
	s->read = before;
	perf_rings_read(&s->rings, &s->read);
	list_records(s);
	buffer_reset(&s->left);
	all = (const void *)s->order.data;
	for (size_t i = 0; i < s->order.size / sizeof(*all); i++) {
		const struct perf_event_header *header = buffer_at(&s->read, all[i].at);

		if (all[i].time_ns < until)
			handle_record(run, header);
		else
			buffer_append(&s->left, header, header->size);
	}
	s->has_failed |=
		buffer_failed(&s->read) || buffer_failed(&s->left) || buffer_failed(&s->order);
	buffer_reset(&s->read);
}

static int drain_until(struct backend_run *run, uint64_t until, struct sooth_error *err)
{
	struct profile_perf *s = run->state;
	uint64_t refused;

	handle_records(run, until);
	refused = s->walker.stacks.refused;
	if (refused != s->reported_refused)
		backend_loss(run, refused - s->reported_refused, 0,
			"more different stacks than sooth keeps: their samples have no frames");
	s->reported_refused = refused;
	return s->has_failed || buffer_failed(&run->out) ? error_no_memory(err) : 0;
}

static int profile_drain(struct backend_run *run, struct sooth_error *err)
{
	return drain_until(run, run->os->now_ns(run->os) - SETTLED_NS, err);
}

/* --- the end --- */

static void emit_limits(struct backend_run *run)
{
	const struct profile_perf *s = run->state;
	char text[160];

	if (s->cut) {
		snprintf(text, sizeof(text),
			"they are deeper than the %u KiB that are copied (samples: %llu)",
			s->rings.stack_bytes >> 10, (unsigned long long)s->cut);
		backend_limit(run, "the outer frames of some stacks", text, "run sooth as root");
	}
	RUNTIME_CALL(&s->walker.stacks.runtimes, limits, run);
	if (s->throttled)
		backend_limit(run, "some samples",
			"the kernel stopped sampling for moments: the rate is too high",
			"use a lower --rate");
}

static int profile_stop(struct backend_run *run, struct sooth_error *err)
{
	struct profile_perf *s = run->state;
	bool is_kernel_hidden = false;
	int status;

	perf_rings_stop(&s->rings);
	status = drain_until(run, UINT64_MAX, err);
	emit_limits(run);
	if (status)
		return status;
	if (stack_walker_name(&s->walker, &run->out, &is_kernel_hidden))
		return error_no_memory(err);
	debuginfod_report(&s->walker.files.debuginfod, run);
	if (is_kernel_hidden)
		backend_limit(run, "names of kernel functions",
			"the kernel hides its addresses from this caller (kptr_restrict)",
			"run sooth as root");
	return 0;
}

static int profile_descriptor(struct backend_run *run)
{
	const struct profile_perf *s = run->state;

	return s->rings.wake;
}

/* Returns the cost. A host and a user have processes that were not selected one by one; calls are
 * no samples. */
static uint64_t profile_cost(const struct probe_options *options)
{
	return options->is_host || options->has_uid ||
			       probe_stack_trigger(options) != STACK_BY_CLOCK
		       ? UINT64_MAX
		       : 0;
}

static int test_perf_events(const struct os *os, struct sooth_error *err)
{
	(void)os;
	return perf_rings_test(err);
}

static const struct need need_perf_events = { "perf-events",
	"kernel.perf_event_paranoid up to 2, or cap_perfmon", test_perf_events };
static const struct need *const needs[] = { &need_procfs, &need_perf_events, NULL };

const struct backend backend_profile_perf = {
	.name = "perf",
	.probe = "profile",
	.event = "stack sample",
	.is_bounded = true,
	.help = "perf events with a copy of the stack; the caller's own processes, no privilege",
	.needs = needs,
	/* The records of ends have no exit status, so ends are found by other means. */
	.follows_none = true,
	.lateness_ns = LATENESS_NS,
	.state_size = sizeof(struct profile_perf),
	.sample_cost = profile_cost,
	.open = profile_open,
	.set = profile_set,
	.start = profile_start,
	.drain = profile_drain,
	.stop = profile_stop,
	.descriptor = profile_descriptor,
	.close = profile_close,
};
