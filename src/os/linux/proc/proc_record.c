/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes records proc.process. */
#include "os/linux/proc/proc_record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "os/linux/host/freezer.h"
#include "os/linux/files/terminal_names.h"

#define NOT_REQUESTED SOOTH_NOT_MEASURED(SOOTH_REASON_NOT_REQUESTED)

/* A value of each sample, like the others. */
static void count_again(struct proc_process *p)
{
	_cleanup_close_ int process = -1;
	uint64_t descriptors = 0;

	if (p->is_brief || p->descriptors_state > SOOTH_STATE_TRUNCATED)
		return;
	process = procfs_open((pid_t)p->record.pid);
	p->descriptors_state = process < 0
				       ? SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED)
				       : procfs_state(procfs_count(process, "fd", &descriptors));
	p->descriptors = (uint32_t)descriptors;
}

static struct proc_process record_of(const struct proc_values *f)
{
	return (struct proc_process){
		.record = { .time_ns = f->time_ns,
			.start_ticks = f->id.start_ticks,
			.pid = f->id.pid,
			.kind = PROC_PROCESS,
			.cpu = SOOTH_CPU_NONE },
		.cpu_ns = f->cpu_ns,
		.rss_bytes = f->rss_bytes,
		.vsz_bytes = f->vsz_bytes,
		.ppid = f->ppid,
		.uid = f->uid,
		.threads = f->threads,
		.session = f->session,
		.process_group = f->process_group,
		.terminal = f->terminal,
		.state = f->state,
		.cpu_is_ticks = f->cpu_is_ticks,
		.is_foreground = f->is_foreground,
	};
}

void proc_record_again(
	struct backend_run *run, const struct proc_values *values, const void *record, size_t size)
{
	const struct proc_process now = record_of(values);
	struct proc_process *p;

	buffer_append(&run->out, record, size);
	if (buffer_failed(&run->out))
		return;
	p = (void *)(run->out.data + run->out.size - size);
	p->record.time_ns = now.record.time_ns;
	p->cpu_ns = now.cpu_ns;
	p->cpu_is_ticks = now.cpu_is_ticks;
	p->rss_bytes = now.rss_bytes;
	p->vsz_bytes = now.vsz_bytes;
	p->ppid = now.ppid;
	p->threads = now.threads;
	p->session = now.session;
	p->process_group = now.process_group;
	p->state = now.state;
	p->is_foreground = now.is_foreground;
	count_again(p);
}

void proc_record_brief(struct backend_run *run, const struct proc_values *values, const char *user,
	bool is_refused)
{
	struct proc_process p = record_of(values);
	char terminal[TERMINAL_NAME_SIZE];
	struct record_tail tail[] = {
		{ &p.name, values->name, values->name_size },
		{ &p.user, user, strlen(user) },
		{ &p.terminal_name, terminal, 0 },
	};

	if (terminal_name(terminal, values->terminal))
		tail[ARRAY_SIZE(tail) - 1].size = strlen(terminal);
	p.is_brief = 1;
	p.executable_state = p.directory_state = p.arguments_state = p.control_group_state =
		p.descriptors_state = p.marks_state = p.package_state = NOT_REQUESTED;
	if (is_refused)
		p.executable_state = SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION);
	RECORD_APPEND(&run->out, &p, tail, ARRAY_SIZE(tail));
}

void proc_record_whole(struct backend_run *run, const struct proc_values *values,
	const struct proc_particulars *from, const struct program_facts *facts)
{
	struct proc_process p = record_of(values);
	char terminal[TERMINAL_NAME_SIZE];
	struct record_tail tail[] = {
		{ &p.name, values->name, values->name_size },
		{ &p.arguments, from->arguments.data, from->arguments.size },
		{ &p.executable, from->executable.data, from->executable.size },
		{ &p.directory, from->directory.data, from->directory.size },
		{ &p.control_group, from->control_group.data, from->control_group.size },
		{ &p.marks, facts->marks.marks, facts->marks.marks_size },
		{ &p.mark_version, facts->marks.version, strlen(facts->marks.version) },
		{ &p.package, facts->package.name, strlen(facts->package.name) },
		{ &p.package_version, facts->package.version, strlen(facts->package.version) },
		{ &p.user, from->user, strlen(from->user) },
		{ &p.terminal_name, terminal, 0 },
	};

	if (terminal_name(terminal, values->terminal))
		tail[ARRAY_SIZE(tail) - 1].size = strlen(terminal);
	p.is_deleted = from->is_deleted;
	p.executable_state = from->executable_state;
	p.arguments_state = from->arguments_state;
	p.directory_state = from->directory_state;
	p.control_group_state = from->control_group_state;
	p.descriptors_state = from->descriptors_state;
	p.descriptors = from->descriptors;
	p.frozen = from->frozen;
	p.marks_state = facts->marks_state;
	p.package_state = facts->package_state;
	RECORD_APPEND(&run->out, &p, tail, ARRAY_SIZE(tail));
}
