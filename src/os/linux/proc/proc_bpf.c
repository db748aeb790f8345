/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proc by BPF: one iteration in the kernel gives the values of all processes, without opening a
 * file for each. proc_reader.h decides what else is read of which processes, as with procfs.
 *
 * The CPU time of a process with one sleeping thread does not change and comes with the iteration;
 * that of others is read from their CPU clocks, which include the time up to now.
 *
 * Cannot be seen: processes outside of sooth's pid namespace, as with procfs. If the kernel's
 * iterator skips the first process, procfs reads it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "os/linux/bpf/bpf_walk.h"
#include "os/linux/rights/needs.h"
#include "os/linux/proc/proc_cost.h"
#include "os/linux/proc/proc_reader.h"
#include "os/linux/proc/proc_stat.h"
#include "os/linux/proc/proc_tasks.h"
#include "os/os.h"

#define NAMES_MAX     65536
#define NAMES_ENDED   64 /* more names of ended threads are dropped */
#define FIRST_PROCESS 1

struct proc_bpf {
	struct proc_reader reader;
	struct proc_stat_reader stat;
	struct bpf_walk walk;
	struct buffer piece; /* of its output */
	struct map names;    /* process_id -> struct kernel_thread */
	uint32_t sample;
	struct buffer scratch;
};

/* A kernel thread's own name may be longer than comm. */
struct kernel_thread {
	char comm[PROC_NAME_MAX + 1];
	char name[PROC_NAME_MAX + 1];
	uint32_t sample; /* the last sample with it */
};

static bool read_name(struct proc_bpf *s, struct proc_values *f)
{
	char path[32];
	int status;

	snprintf(path, sizeof(path), "/proc/%u/comm", (unsigned)f->id.pid);
	status = procfs_read_at(AT_FDCWD, path, &s->scratch, PROCFS_SMALL);
	if (status || !s->scratch.size)
		return false;
	if (s->scratch.data[s->scratch.size - 1] == '\n')
		s->scratch.size--;
	f->name_size = (uint8_t)(s->scratch.size < PROC_NAME_MAX ? s->scratch.size : PROC_NAME_MAX);
	memcpy(f->name, s->scratch.data, f->name_size);
	return true;
}

/* Names a kernel thread as /proc does: a worker gets a name with its current work at each sample,
 * others get it once, as long as comm stays the same. */
static void name_kernel_thread(struct proc_bpf *s, struct proc_task *task)
{
	struct proc_values *f = &task->values;
	struct kernel_thread *known;
	bool is_new = false;

	if (task->is_worker) {
		read_name(s, f);
		return;
	}
	known = map_put(&s->names, &f->id, &is_new);
	if (!known)
		return;
	known->sample = s->sample;
	if (is_new || strncmp(known->comm, f->name, sizeof(known->comm))) {
		memcpy(known->comm, f->name, sizeof(f->name));
		known->comm[f->name_size] = '\0';
		read_name(s, f);
		memset(known->name, 0, sizeof(known->name));
		memcpy(known->name, f->name, f->name_size);
		return;
	}
	f->name_size = (uint8_t)strlen(known->name);
	memcpy(f->name, known->name, f->name_size);
}

static void forget_ended(struct proc_bpf *s)
{
	map_for_each (&s->names, const void *, key, struct kernel_thread *, value) {
		if (value->sample != s->sample)
			map_remove(&s->names, key);
	}
}

/* Reads the present CPU time, and the time of the reading. */
static bool read_clock(const struct backend_run *run, struct proc_values *f)
{
	if (!proc_stat_cpu_clock((pid_t)f->id.pid, &f->cpu_ns))
		return false;
	f->time_ns = run->os->now_ns(run->os);
	return true;
}

static void read_process(struct backend_run *run, pid_t pid, const struct process_id *expected)
{
	struct proc_bpf *s = run->state;
	_cleanup_process_snapshot_ struct process_snapshot snapshot;
	struct proc_values values;

	if (!proc_stat_read(&s->stat, run, pid, expected, &snapshot, &values))
		proc_reader_add(&s->reader, &values, snapshot.process);
}

static void add_task(struct proc_bpf *s, struct backend_run *run, struct proc_task *task)
{
	struct proc_values *f = &task->values;

	if (run->options.has_uid && f->uid != run->options.uid)
		return;
	if (f->state == 'Z' && f->threads > 1) {
		/* If only the first thread has ended, another thread has the state and the files of
		 * the process. */
		read_process(run, (pid_t)f->id.pid, &f->id);
		return;
	}
	if (task->needs_clock && !read_clock(run, f))
		return; /* it has ended meanwhile */
	if (f->flags & PROC_IS_KERNEL_THREAD)
		name_kernel_thread(s, task);
	proc_reader_add(&s->reader, f, -1);
}

struct looking {
	struct proc_bpf *state;
	struct backend_run *run;
	struct proc_tasks tasks;
	size_t kernel_threads;
	bool has_begun;
};

static void handle_piece(void *user, const struct buffer *piece)
{
	struct looking *l = user;
	struct proc_task task;

	l->tasks.time_ns = l->run->os->now_ns(l->run->os);
	proc_tasks_piece(&l->tasks, piece->data, piece->size);
	while (proc_tasks_next(&l->tasks, &task)) {
		if (!l->has_begun && task.values.id.pid != FIRST_PROCESS)
			read_process(l->run, FIRST_PROCESS, NULL);
		l->has_begun = true;
		l->kernel_threads += (task.values.flags & PROC_IS_KERNEL_THREAD) != 0;
		add_task(l->state, l->run, &task);
	}
}

static int read_tasks(struct backend_run *run, struct sooth_error *err)
{
	struct proc_bpf *s = run->state;
	struct looking l = { s, run,
		.tasks = { .page_bytes = s->stat.page_bytes,
			.tick_ns = NS_PER_S / s->stat.ticks_per_s } };
	int status;

	s->sample++;
	status = bpf_walk_run(&s->walk, &s->piece, handle_piece, &l, err);
	if (s->names.count > l.kernel_threads + NAMES_ENDED)
		forget_ended(s);
	return status;
}

static int proc_sample(struct backend_run *run, struct sooth_error *err)
{
	struct proc_bpf *s = run->state;
	int status;

	proc_reader_begin(&s->reader, run);
	status = run->options.is_host || run->options.has_uid
			 ? read_tasks(run, err)
			 : members_visit(&s->reader.members, run, read_process, err);
	if (!status)
		status = proc_reader_end(&s->reader, run, err);
	proc_reader_snapshot(&s->reader, run);
	return status;
}

static void proc_joined(struct backend_run *run, const struct process_id *process)
{
	struct proc_bpf *s = run->state;
	struct sooth_error ignored;

	proc_reader_begin(&s->reader, run);
	read_process(run, (pid_t)process->pid, process);
	proc_reader_end(&s->reader, run, &ignored);
}

static void proc_close(struct backend_run *run)
{
	struct proc_bpf *s = run->state;

	proc_reader_fini(&s->reader);
	proc_stat_fini(&s->stat);
	bpf_walk_close(&s->walk);
	map_fini(&s->names);
	buffer_fini(&s->piece);
	buffer_fini(&s->scratch);
}

static int proc_stop(struct backend_run *run, struct sooth_error *err)
{
	const struct proc_bpf *s = run->state;

	return proc_reader_has_just_reported(&s->reader, run) ? 0 : proc_sample(run, err);
}

static int proc_open(struct backend_run *run, struct sooth_error *err)
{
	struct proc_bpf *s = run->state;
	int status = bpf_walk_open(&s->walk, &bpf_image_tasks, "task", run->log, err);
	if (status)
		return status;
	proc_reader_init(&s->reader, run->options.agents);
	proc_stat_init(&s->stat);
	map_init(&s->names, sizeof(struct process_id), sizeof(struct kernel_thread), NAMES_MAX);
	return 0;
}

static const struct need *const needs[] = { &need_procfs, &need_bpf, &need_btf, &need_bpf_ring,
	&need_time_namespace, NULL };

const struct backend backend_proc_bpf = {
	.name = "bpf",
	.probe = "proc",
	.help = "a BPF iterator over all processes; nothing stays attached",
	.needs = needs,
	.state_size = sizeof(struct proc_bpf),
	.sample_cost = proc_cost_bpf,
	.open = proc_open,
	.set = members_backend_set,
	.start = proc_sample,
	.sample = proc_sample,
	.joined = proc_joined,
	.stop = proc_stop,
	.close = proc_close,
};
