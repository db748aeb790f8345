/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proc by procfs: one open of /proc/PID a process and sample, a handful of reads
 * through it. CPU time comes from the process's CPU clock (clock_getcpuclockid(3)),
 * which counts nanoseconds where /proc/PID/stat counts hundredths of a second.
 *
 * Cannot be seen: processes that a hidepid mount hides; links of other users'
 * processes without cap_sys_ptrace, descriptors without cap_dac_read_search.
 */
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
#include "os/linux/programs.h"
#include "os/linux/reading.h"
#include "os/os.h"
#include "probes/proc.h"

#define ARGUMENTS_KEPT 4096
#define DELETED_SUFFIX " (deleted)"

struct proc_state {
	struct members members;
	uint64_t page_bytes;
	uint64_t ticks_per_s;
	struct programs programs;
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

static struct span buffer_span(const struct buffer *b)
{
	return span_of((const char *)b->data, b->size);
}

static void read_program(
	struct proc_state *s, int process, struct proc_process *p, struct program_facts *facts)
{
	struct program_process known = { .process = process,
		.id = process_id_of(&p->record),
		.executable = p->executable_state ? span_of("", 0) : buffer_span(&s->executable),
		.arguments = buffer_span(&s->arguments),
		.directory = p->directory_state ? span_of("", 0) : buffer_span(&s->directory) };

	programs_look(&s->programs, &known, facts);
	p->marks_state = facts->marks_state;
	p->package_state = facts->package_state;
}

static void write_process(struct backend_run *run, struct proc_process *p, struct span name,
	const struct program_facts *facts)
{
	struct proc_state *s = run->state;
	struct record_tail tail[] = {
		{ &p->name, name.data, name.size },
		{ &p->arguments, s->arguments.data, s->arguments.size },
		{ &p->executable, s->executable.data, s->executable.size },
		{ &p->directory, s->directory.data, s->directory.size },
		{ &p->control_group, s->control_group.data, s->control_group.size },
		{ &p->marks, facts->marks.marks, facts->marks.marks_size },
		{ &p->mark_version, facts->marks.version, strlen(facts->marks.version) },
		{ &p->package, facts->package.name, strlen(facts->package.name) },
		{ &p->package_version, facts->package.version, strlen(facts->package.version) },
	};

	RECORD_APPEND(&run->out, p, tail, ARRAY_SIZE(tail));
}

static void sample_process(struct backend_run *run, pid_t pid, const struct process_id *expected)
{
	struct proc_state *s = run->state;
	_cleanup_reading_ struct reading reading;
	struct proc_process p = { 0 };
	struct program_facts facts;
	struct procfs_stat stat;
	uint64_t descriptors = 0;

	if (reading_open_stat(&reading, run, pid, expected, &stat, &s->stat))
		return;
	p.record = reading_head(&reading, run, 0, PROC_PROCESS);
	p.uid = reading.uid;
	fill_from_stat(s, &stat, &p);
	read_arguments(s, reading.process, &p);
	read_executable(s, reading.process, &p);
	read_directory(s, reading.process, &p);
	read_control_group(s, reading.process, &p);
	p.descriptors_state = procfs_state(procfs_count(reading.process, "fd", &descriptors));
	p.descriptors = (uint32_t)descriptors;
	read_program(s, reading.process, &p, &facts);
	write_process(run, &p, stat.name, &facts);
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
	programs_init(&s->programs);
	s->page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
	s->ticks_per_s = (uint64_t)sysconf(_SC_CLK_TCK);
	return 0;
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
	programs_fini(&s->programs);
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
	.set = members_backend_set,
	.start = proc_sample,
	.sample = proc_sample,
	.joined = proc_joined,
	.stop = proc_sample,
	.close = proc_close,
};
