/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proc by procfs: one open of /proc/PID a process and sample, a handful of reads
 * through it. CPU time comes from the process's CPU clock (clock_getcpuclockid(3)),
 * which counts nanoseconds where /proc/PID/stat counts hundredths of a second.
 *
 * Cannot be seen: processes that a hidepid mount hides; links of other users'
 * processes without cap_sys_ptrace, descriptors without cap_dac_read_search.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mask.h"
#include "base/units.h"
#include "os/linux/members.h"
#include "os/linux/needs.h"
#include "os/linux/procfs.h"
#include "os/os.h"
#include "probes/proc.h"

#define ARGUMENTS_KEPT	4096
#define DESCRIPTORS_MAX 1000000
#define DELETED_SUFFIX	" (deleted)"

struct proc_state {
	struct members members;
	uint64_t page_bytes;
	uint64_t ticks_per_s;
	/* Scratch, kept for its memory. */
	struct buffer stat, raw, arguments, executable, directory, control_group;
};

static bool buffer_ends(const struct buffer *b, const char *suffix)
{
	return span_ends(span_of((const char *)b->data, b->size), suffix);
}

static void read_executable(struct proc_state *s, int process, struct proc_process *p)
{
	int status = procfs_link_at(process, "exe", &s->executable);
	struct stat st;

	p->executable_state = procfs_state(status);
	if (status == -ENOENT) /* a kernel thread, or a zombie */
		p->executable_state = SOOTH_STATE_ABSENT;
	if (status || !buffer_ends(&s->executable, DELETED_SUFFIX))
		return;
	if (fstatat(process, "exe", &st, 0) || st.st_nlink)
		return; /* a living file of that name */
	p->is_deleted = 1;
	s->executable.size -= strlen(DELETED_SUFFIX);
}

static void read_arguments(struct proc_state *s, int process, struct proc_process *p)
{
	int status = procfs_read_at(process, "cmdline", &s->raw, PROCFS_ARGUMENTS);

	buffer_reset(&s->arguments);
	p->arguments_state = procfs_state(status);
	if (status < 0)
		return;
	if (!s->raw.size) {
		p->arguments_state = SOOTH_STATE_ABSENT;
		return;
	}
	if (mask_arguments(&s->arguments, (const char *)s->raw.data, s->raw.size, ARGUMENTS_KEPT))
		p->arguments_state = SOOTH_STATE_TRUNCATED;
}

static void read_directory(struct proc_state *s, int process, struct proc_process *p)
{
	int status = procfs_link_at(process, "cwd", &s->directory);

	p->directory_state = status == -ENOENT ? SOOTH_STATE_ABSENT : procfs_state(status);
}

/* Of the hierarchies the one that says most: v2 unless it is the root, then the first v1 that is
 * not. */
static void read_control_group(struct proc_state *s, int process, struct proc_process *p)
{
	int status = procfs_read_at(process, "cgroup", &s->raw, PROCFS_SMALL);
	struct cursor c = cursor_over(s->raw.data, s->raw.size);
	struct span best = span_of("/", 1);

	buffer_reset(&s->control_group);
	p->control_group_state = procfs_state(status);
	while (status >= 0 && !cursor_at_end(&c)) {
		struct span line = cursor_line(&c);
		struct cursor fields = cursor_over(line.data, line.size);
		struct span path;

		cursor_until(&fields, ':');
		cursor_until(&fields, ':');
		path = span_of((const char *)fields.at, cursor_left(&fields));
		if (path.size > 1 && (best.size == 1 || span_starts(line, "0::")))
			best = path;
	}
	buffer_append(&s->control_group, best.data, best.size);
}

/* Since Linux 6.2 the size of the directory is the number of descriptors (proc(5)). */
static void read_descriptors(int process, struct proc_process *p)
{
	_cleanup_dir_ DIR *dir = NULL;
	struct stat st;
	int fd;

	if (!fstatat(process, "fd", &st, 0) && st.st_size > 0) {
		p->descriptors = (uint32_t)st.st_size;
		return;
	}
	fd = openat(process, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		p->descriptors_state = procfs_state(-errno);
		return;
	}
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		p->descriptors_state = SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED);
		return;
	}
	for (struct dirent *entry; p->descriptors < DESCRIPTORS_MAX && (entry = readdir(dir));)
		p->descriptors += entry->d_name[0] != '.';
}

static void read_cpu_time(
	const struct proc_state *s, const struct procfs_stat *stat, struct proc_process *p)
{
	struct timespec used;
	clockid_t clock;

	if (!clock_getcpuclockid((pid_t)stat->pid, &clock) && !clock_gettime(clock, &used)) {
		p->cpu_ns = (uint64_t)used.tv_sec * NS_PER_S + (uint64_t)used.tv_nsec;
		return;
	}
	p->cpu_ns = stat->cpu_ticks * (NS_PER_S / s->ticks_per_s);
	p->cpu_is_ticks = 1;
}

static void fill_from_stat(
	const struct proc_state *s, const struct procfs_stat *stat, struct proc_process *p)
{
	p->record.start_ticks = stat->start_ticks;
	p->record.pid = stat->pid;
	p->ppid = stat->ppid;
	p->process_group = stat->process_group;
	p->session = stat->session;
	p->terminal = stat->terminal;
	p->threads = stat->threads;
	p->state = stat->state;
	p->vsz_bytes = stat->vsz_bytes;
	p->rss_bytes = stat->rss_pages * s->page_bytes;
	read_cpu_time(s, stat, p);
}

static void write_process(struct backend_run *run, struct proc_process *p, struct span name)
{
	struct proc_state *s = run->state;
	struct record_tail tail[] = {
		{ &p->name, name.data, name.size },
		{ &p->arguments, s->arguments.data, s->arguments.size },
		{ &p->executable, s->executable.data, s->executable.size },
		{ &p->directory, s->directory.data, s->directory.size },
		{ &p->control_group, s->control_group.data, s->control_group.size },
	};

	RECORD_APPEND(&run->out, p, tail, ARRAY_SIZE(tail));
}

static void sample_process(struct backend_run *run, pid_t pid, const struct process_id *expected)
{
	struct proc_state *s = run->state;
	_cleanup_close_ int process = procfs_open(pid);
	struct proc_process p = { .record = { .kind = PROC_PROCESS, .cpu = SOOTH_CPU_NONE } };
	struct procfs_stat stat;
	struct stat owner;

	if (process < 0 || fstat(process, &owner))
		return;
	p.uid = owner.st_uid; /* of the directory: always the effective uid (fs/proc/base.c) */
	if (run->options.has_uid && owner.st_uid != run->options.uid)
		return;
	if (procfs_read_at(process, "stat", &s->stat, PROCFS_SMALL) < 0 ||
		!procfs_parse_stat(&stat, s->stat.data, s->stat.size))
		return;
	if (expected && expected->start_ticks != stat.start_ticks)
		return;
	p.record.time_ns = run->os->now_ns(run->os);
	fill_from_stat(s, &stat, &p);
	read_arguments(s, process, &p);
	read_executable(s, process, &p);
	read_directory(s, process, &p);
	read_control_group(s, process, &p);
	read_descriptors(process, &p);
	write_process(run, &p, stat.name);
}

static int proc_sample(struct backend_run *run, struct sooth_error *err)
{
	struct proc_state *s = run->state;
	struct proc_snapshot snapshot = { .from_ns = run->os->now_ns(run->os) };
	int status = members_visit(&s->members, run, sample_process, err);

	snapshot.record = (struct sooth_record){
		.time_ns = run->os->now_ns(run->os), .kind = PROC_SNAPSHOT, .cpu = SOOTH_CPU_NONE
	};
	RECORD_APPEND(&run->out, &snapshot, NULL, 0);
	return status;
}

static int proc_open(struct backend_run *run, struct sooth_error *err)
{
	struct proc_state *s = run->state;

	(void)err;
	members_init(&s->members);
	s->page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
	s->ticks_per_s = (uint64_t)sysconf(_SC_CLK_TCK);
	return 0;
}

static int proc_set(struct backend_run *run, const struct process_id *process, unsigned interest,
	struct sooth_error *err)
{
	struct proc_state *s = run->state;

	return members_set(&s->members, process, interest, err);
}

static void proc_joined(struct backend_run *run, const struct process_id *process)
{
	sample_process(run, (pid_t)process->pid, process);
}

static void proc_close(struct backend_run *run)
{
	struct proc_state *s = run->state;
	struct buffer *scratch[] = { &s->stat, &s->raw, &s->arguments, &s->executable,
		&s->directory, &s->control_group };

	members_fini(&s->members);
	for (size_t i = 0; i < ARRAY_SIZE(scratch); i++)
		buffer_fini(scratch[i]);
}

static const struct need *const needs[] = { &need_procfs, NULL };

const struct backend backend_proc_procfs = {
	.name = "procfs",
	.probe = "proc",
	.help = "reads /proc; nothing is attached to the processes",
	.needs = needs,
	.state_size = sizeof(struct proc_state),
	.open = proc_open,
	.set = proc_set,
	.start = proc_sample,
	.sample = proc_sample,
	.joined = proc_joined,
	.stop = proc_sample,
	.close = proc_close,
};
