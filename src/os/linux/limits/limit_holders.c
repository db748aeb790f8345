/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/limits/limit_holders.h"

#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "collect/secrets.h"
#include "os/linux/files/timeout.h"
#include "recognize/script_name.h"

#define MEMBERS_MAX    256
#define GROUPS_BELOW   64 /* groups below one that are read */
#define MEMORY_NEAR    80 /* percent */
#define TASKS_NEAR     90
#define KERNEL_THREAD  0x00200000 /* PF_KTHREAD */
#define PROCESSOR_WORD 36	  /* words from the state on to the CPU in stat */

void limit_holder_write(
	const struct limit_holders *all, const struct limits_holder *one, struct span path)
{
	struct limits_holder h = *one;
	struct record_tail tail[] = { { &h.place, all->place.data, all->place.size },
		{ &h.path, path.data, path.size } };

	h.record = process_snapshot_head(all->of, all->run, 0, LIMITS_HOLDER);
	h.resource = all->resource;
	h.unread = all->unread;
	RECORD_APPEND(&all->run->out, &h, tail, 2);
}

int limit_holder_read(
	struct limits_holder *out, int process, struct procfs_stat *stat, struct buffer *bytes)
{
	int status = procfs_stat_at(process, stat, bytes);

	if (status)
		return status;
	out->holder_pid = stat->pid;
	out->holder_start_ticks = stat->start_ticks;
	memset(out->holder_name, 0, sizeof(out->holder_name));
	memcpy(out->holder_name, stat->name.data,
		stat->name.size < sizeof(out->holder_name) ? stat->name.size
							   : sizeof(out->holder_name) - 1);
	return 0;
}

/* --- control groups --- */

struct members {
	struct limit_holders holders;
	struct buffer text, stat, raw, arguments;
	struct timeout timeout;
	unsigned count, groups;
};

/* Returns the script of a process: processes of one script are named together. */
static struct span script_of(struct members *m, int process, const struct procfs_stat *stat)
{
	buffer_reset(&m->arguments);
	if (timeout_read_at(&m->timeout, process, "cmdline", &m->raw, PROCFS_STAT, TIMEOUT_MS) < 0)
		return span_of("", 0);
	secrets_mask_arguments(&m->arguments, (const char *)m->raw.data, m->raw.size);
	return script_name_of(
		stat->name, span_of((const char *)m->arguments.data, m->arguments.size));
}

static void write_member(struct members *m, pid_t pid)
{
	_cleanup_close_ int process = m->count < MEMBERS_MAX ? procfs_open(pid) : -1;
	struct limits_holder one = { 0 };
	struct procfs_stat stat;

	m->holders.unread += m->count == MEMBERS_MAX;
	if (process < 0 || limit_holder_read(&one, process, &stat, &m->stat) ||
		procfs_has_ended(&stat))
		return;
	m->count++;
	if (m->holders.resource == LIMITS_SHARED_MEMORY)
		one.amount = stat.rss_pages * (uint64_t)sysconf(_SC_PAGESIZE);
	else if (m->holders.resource == LIMITS_SHARED_TASKS)
		one.amount = stat.threads;
	limit_holder_write(&m->holders, &one,
		m->holders.resource == LIMITS_SHARED_TASKS ? script_of(m, process, &stat)
							   : span_of("", 0));
}

/* Writes the processes of a group and of those below it, which count too. */
static void write_members(struct members *m, int group)
{
	int folder = openat(group, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_dir_ DIR *dir = folder < 0 ? NULL : fdopendir(folder);
	struct cursor c;
	struct dirent *entry;

	if (!dir || m->groups++ >= GROUPS_BELOW ||
		procfs_read_at(folder, "cgroup.procs", &m->text, PROCFS_COUNT_MAX) < 0)
		return;
	c = cursor_over(m->text.data, m->text.size);
	while (!cursor_at_end(&c)) {
		struct cursor line = { 0 };
		struct span text = cursor_line(&c);
		uint64_t pid;

		line = cursor_over(text.data, text.size);
		pid = cursor_decimal(&line);
		if (!line.failed && pid)
			write_member(m, (pid_t)pid);
	}
	while ((entry = readdir(dir))) {
		_cleanup_close_ int below = -1;

		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		below = openat(folder, entry->d_name, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (below >= 0)
			write_members(m, below);
	}
}

/* Writes into all records, the first from `at` on, how many members were not read. */
static void write_unread(const struct members *m, size_t at)
{
	struct buffer *out = &m->holders.run->out;
	struct batch written = { out->data + at, out->size - at };

	batch_for_each (r, &written)
		((struct limits_holder *)(void *)r)->unread = m->holders.unread;
}

static bool is_near_limit(const struct limits_group *g, uint64_t percent)
{
	uint64_t files = g->file_state == SOOTH_STATE_VALUE ? g->file_bytes : 0;
	uint64_t used = g->used > files ? g->used - files : 0;

	return g->used_state == SOOTH_STATE_VALUE &&
	       (double)used * 100 >= (double)g->limit * (double)percent;
}

static bool was_limit_reached(const struct limits_group *g)
{
	return g->reached_state == SOOTH_STATE_VALUE && g->reached;
}

void limit_holders_of_group(struct backend_run *run, const struct process_snapshot *snapshot,
	int group, const struct limits_group *values, const char *name, const char *path)
{
	struct members m = { .holders = { run, snapshot, span_of(path, strlen(path)), 0, 0 } };
	bool is_full;

	assert(values);
	if (!strcmp(name, "cpu")) {
		m.holders.resource = LIMITS_SHARED_CPU;
		is_full = was_limit_reached(values);
	} else if (!strcmp(name, "memory")) {
		m.holders.resource = LIMITS_SHARED_MEMORY;
		is_full = is_near_limit(values, MEMORY_NEAR) ||
			  (values->kills_state == SOOTH_STATE_VALUE && values->kills);
	} else if (!strcmp(name, "pids")) {
		m.holders.resource = LIMITS_SHARED_TASKS;
		is_full = is_near_limit(values, TASKS_NEAR) || was_limit_reached(values);
	} else {
		return;
	}
	if (is_full && values->limit_state == SOOTH_STATE_VALUE) {
		size_t at = run->out.size;

		write_members(&m, group);
		write_unread(&m, at);
	}
	buffer_fini(&m.text);
	buffer_fini(&m.stat);
	buffer_fini(&m.raw);
	buffer_fini(&m.arguments);
	timeout_fini(&m.timeout);
}

/* --- CPUs --- */

/* Returns the CPU that the first thread ran on last. */
static bool cpu_of(const struct buffer *stat, uint64_t *cpu)
{
	struct span all = { (const char *)stat->data, stat->size };
	const char *name_end = span_last(all, ')');
	struct cursor c;

	if (!name_end)
		return false;
	c = cursor_over(name_end + 1, (size_t)(all.data + all.size - name_end) - 1);
	for (unsigned i = 0; i < PROCESSOR_WORD; i++)
		cursor_word(&c);
	*cpu = cursor_decimal(&c);
	return !c.failed;
}

static bool is_bound_to_cpus(const struct process_snapshot *snapshot, cpu_set_t *cpus)
{
	return !sched_getaffinity((pid_t)snapshot->id.pid, sizeof(*cpus), cpus) &&
	       CPU_COUNT(cpus) < sysconf(_SC_NPROCESSORS_ONLN);
}

void limit_holders_of_cpus(
	struct backend_run *run, const struct process_snapshot *snapshot, struct span list)
{
	struct limit_holders all = { run, snapshot, list, 0, LIMITS_SHARED_CPUS };
	struct buffer pids = { 0 }, bytes = { 0 };
	unsigned count = 0;
	cpu_set_t cpus;

	if (is_bound_to_cpus(snapshot, &cpus))
		procfs_list(&pids);
	buffer_each_while (const pid_t, pid, &pids, count < MEMBERS_MAX) {
		_cleanup_close_ int process = procfs_open(*pid);
		struct limits_holder one = { 0 };
		struct procfs_stat stat;
		uint64_t cpu;

		if (process < 0 || limit_holder_read(&one, process, &stat, &bytes) ||
			stat.flags & KERNEL_THREAD || !stat.cpu_ticks || !cpu_of(&bytes, &cpu) ||
			cpu >= CPU_SETSIZE || !CPU_ISSET(cpu, &cpus))
			continue;
		limit_holder_write(&all, &one, span_of("", 0));
		count++;
	}
	buffer_fini(&pids);
	buffer_fini(&bytes);
}
