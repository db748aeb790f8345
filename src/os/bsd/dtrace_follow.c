/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/bsd/dtrace_follow.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/units.h"
#include "os/bsd/followed.h"
#include "os/bsd/source.h"

#define PROCESSES_MAX 65536
#define BEGIN_MS      30000 /* compiling a program with every probe takes seconds */
#define END_MS	      10000
#define STEP_MS	      100

/* --- whether dtrace may be used --- */

static const char sip_remedy[] =
	"`csrutil enable --without dtrace` in recovery mode; this removes a "
	"protection: root can then trace processes of the system too";

static int dtrace_refused(const struct tool *t, const char *tried, struct sooth_error *err)
{
	char complaint[200];

	tool_first_complaint(t, complaint, sizeof(complaint));
	error_set(err, -EPERM, SOOTH_FAULT_PRIVILEGE, "%s", tried);
	error_why(err, "%s", complaint[0] ? complaint : "dtrace ended at once");
	if (strcasestr(t->complaint, "system integrity protection"))
		return error_remedy(err, "%s", sip_remedy);
	return error_remedy(
		err, geteuid() ? "run sooth as root" : "`kldload dtraceall` on FreeBSD");
}

static void wait_for_end(struct tool *t, int ms)
{
	uint64_t end_ns = clock_monotonic_ns() + (uint64_t)ms * NS_PER_MS;

	while (!tool_read(t) && clock_monotonic_ns() < end_ns)
		tool_wait(t, STEP_MS);
}

/* Tests dtrace by a program with one probe of a system call, which ends at once. */
static int test_dtrace(const struct os *os, struct sooth_error *err)
{
	const char *program = bsd_source_of(os)->dtrace;
	const char *const words[] = { program, "-q", "-n",
		"syscall::getpid:entry {} dtrace:::BEGIN { exit(0); }", NULL };
	struct tool t;
	int status;

	if (!program)
		return error_set(err, -EOPNOTSUPP, SOOTH_FAULT_UNSUPPORTED, "run dtrace");
	tool_init(&t);
	status = tool_start(&t, words, err);
	if (status == -ENOENT)
		error_remedy(err, "install the dtrace of the base system");
	if (!status) {
		wait_for_end(&t, BEGIN_MS);
		if (!t.has_ended || t.status)
			status = dtrace_refused(&t, "use the probes of dtrace", err);
	}
	tool_fini(&t);
	return status;
}

const struct need need_dtrace = {
	.name = "dtrace",
	.help = "probes of system calls by dtrace(1)",
	.test = test_dtrace,
};

/* --- which processes --- */

int dtrace_follow_open(struct dtrace_follow *f, struct sooth_error *err)
{
	(void)err;
	*f = (struct dtrace_follow){ 0 };
	tool_init(&f->tool);
	map_init(&f->processes, sizeof(uint32_t), sizeof(struct dtrace_process), PROCESSES_MAX);
	return 0;
}

void dtrace_follow_close(struct dtrace_follow *f)
{
	tool_fini(&f->tool);
	map_fini(&f->processes);
	buffer_fini(&f->pids);
	buffer_fini(&f->others);
}

int dtrace_follow_set_interest(struct dtrace_follow *f, struct backend_run *run,
	const struct process_id *process, unsigned interest, struct sooth_error *err)
{
	uint32_t pid = process->pid;
	struct dtrace_process *known = map_get(&f->processes, &pid);

	(void)run;
	if (!interest) {
		map_remove(&f->processes, &pid);
		return 0;
	}
	if (known) {
		known->interest = interest;
		return 0;
	}
	known = map_put(&f->processes, &pid, NULL);
	if (!known)
		return error_no_memory(err);
	*known = (struct dtrace_process){ .id = *process,
		.interest = interest & ~(unsigned)INTEREST_FROM_EXEC,
		.is_before_exec = (interest & INTEREST_FROM_EXEC) != 0 };
	f->is_outdated = f->runs;
	return 0;
}

/* Lists the targets, and their existing children that are no targets. */
static void list_targets(struct dtrace_follow *f, const struct backend_run *run)
{
	const struct bsd_source *s = bsd_source_of(run->os);
	struct buffer all = { 0 };
	size_t position = 0;
	const void *key;
	void *value;

	buffer_reset(&f->pids);
	buffer_reset(&f->others);
	while (map_next(&f->processes, &position, &key, &value))
		buffer_append(&f->pids, key, sizeof(uint32_t));
	if (!s->processes || s->processes(s, &all))
		buffer_reset(&all);
	for (size_t i = 0; i < all.size / sizeof(struct bsd_process); i++) {
		const struct bsd_process *p = (const struct bsd_process *)(void *)all.data + i;

		if (map_get(&f->processes, &p->ppid) && !map_get(&f->processes, &p->id.pid))
			buffer_append(&f->others, &p->id.pid, sizeof(uint32_t));
	}
	buffer_fini(&all);
}

/* --- lines --- */

static uint64_t time_of(const struct dtrace_follow *f, uint64_t utc_ns)
{
	return (uint64_t)((int64_t)utc_ns - f->realtime_offset_ns);
}

/* Returns the identity of a line's process. If it has ended, the start is about the first line. */
static struct process_id identify_process(
	const struct backend_run *run, const struct dtrace_line *l, uint64_t time_ns)
{
	const struct bsd_source *s = bsd_source_of(run->os);
	struct bsd_process now;

	if (!s->process(s, (pid_t)l->pid, &now) && (!l->utc_ns || now.start_utc_ns <= l->utc_ns))
		return now.id;
	return (struct process_id){ .pid = l->pid, .start_ticks = time_ns / (NS_PER_S / 100) };
}

static struct dtrace_process *join_process(struct dtrace_follow *f, struct backend_run *run,
	const struct dtrace_line *l, uint64_t time_ns)
{
	const struct dtrace_process *parent = map_get(&f->processes, &l->ppid);
	const struct process_id above = { .pid = l->ppid,
		.start_ticks = parent ? parent->id.start_ticks : 0 };
	struct dtrace_process p = { .id = identify_process(run, l, time_ns),
		.interest = parent ? parent->interest : run->options.interest,
		.is_before_exec = parent && parent->is_before_exec };
	struct dtrace_process *known = map_put(&f->processes, &l->pid, NULL);

	bsd_write_join(run, &p.id, &above, l->process, time_ns);
	if (!known) {
		run->has_lost_comings = true;
		return NULL;
	}
	*known = p;
	return known;
}

struct taking {
	struct dtrace_follow *follow;
	struct backend_run *run;
	dtrace_visitor visitor;
};

static void handle_line(void *user, struct span line)
{
	const struct taking *t = user;
	struct dtrace_follow *f = t->follow;
	struct backend_run *run = t->run;
	dtrace_visitor visitor = t->visitor;
	struct dtrace_line l;
	struct dtrace_process *p;
	uint64_t time_ns;

	if (!line.size)
		return;
	if (!dtrace_line_decode(&l, line)) {
		l = (struct dtrace_line){ 0 };
		visitor(run, NULL, &l, line, 0);
		return;
	}
	time_ns = l.utc_ns ? time_of(f, l.utc_ns) : run->os->now_ns(run->os);
	if (!l.pid) {
		visitor(run, NULL, &l, line, time_ns);
		return;
	}
	p = map_get(&f->processes, &l.pid);
	if (!p && l.kind == 'e')
		return;
	if (!p)
		p = join_process(f, run, &l, time_ns);
	if (!p)
		return;
	if (l.process[0])
		memcpy(p->name, l.process, sizeof(p->name));
	if (l.kind == 'p') {
		bsd_write_exec(run, &p->id, l.process, time_ns);
		p->is_before_exec = false;
	} else if (l.kind == 'e') {
		bsd_write_leave(run, &p->id, l.process, time_ns, NULL);
		map_remove(&f->processes, &l.pid);
	} else {
		visitor(run, p->is_before_exec ? NULL : p, &l, line, time_ns);
	}
}

static void handle_lines(struct dtrace_follow *f, struct backend_run *run, dtrace_visitor visitor)
{
	struct taking t = { f, run, visitor };

	f->realtime_offset_ns = run->os->realtime_offset_ns(run->os);
	tool_lines(&f->tool, handle_line, &t);
}

/* --- the program --- */

static bool has_begun(const struct tool *t)
{
	struct span all = span_of((const char *)t->lines.data, t->lines.size);

	return span_starts(all, "b\t") || span_contains(all, "\nb\t");
}

int dtrace_follow_start(struct dtrace_follow *f, struct backend_run *run, dtrace_writer writer,
	struct sooth_error *err)
{
	struct buffer program = { 0 };
	struct dtrace_targets targets = { .is_host = run->options.is_host,
		.has_uid = run->options.has_uid,
		.uid = run->options.uid };
	uint64_t end_ns = clock_monotonic_ns() + (uint64_t)BEGIN_MS * NS_PER_MS;
	int status;

	list_targets(f, run);
	targets.pids = (const void *)f->pids.data;
	targets.pid_count = f->pids.size / sizeof(uint32_t);
	targets.others = (const void *)f->others.data;
	targets.other_count = f->others.size / sizeof(uint32_t);
	writer(run, &targets, &program);
	const char *const words[] = { bsd_source_of(run->os)->dtrace, "-Z", "-n",
		buffer_cstr(&program), NULL };
	status = tool_start(&f->tool, words, err);
	buffer_fini(&program);
	if (status)
		return status;
	while (!has_begun(&f->tool) && !tool_read(&f->tool) && clock_monotonic_ns() < end_ns)
		tool_wait(&f->tool, STEP_MS);
	if (!has_begun(&f->tool))
		return dtrace_refused(&f->tool, "run a program of dtrace", err);
	f->runs = true;
	f->is_outdated = false;
	return 0;
}

int dtrace_follow_drain(struct dtrace_follow *f, struct backend_run *run, dtrace_writer writer,
	dtrace_visitor visitor, struct sooth_error *err)
{
	bool has_ended;

	if (!f->runs)
		return 0;
	has_ended = tool_read(&f->tool);
	handle_lines(f, run, visitor);
	if (has_ended && f->runs) {
		f->runs = false;
		return dtrace_refused(&f->tool, "go on with dtrace", err);
	}
	if (!f->is_outdated)
		return 0;
	dtrace_follow_stop(f, run, visitor);
	backend_limit(run, "system calls while dtrace started again",
		"a process was selected while it ran", "select all processes at the start");
	return dtrace_follow_start(f, run, writer, err);
}

void dtrace_follow_stop(struct dtrace_follow *f, struct backend_run *run, dtrace_visitor visitor)
{
	uint64_t drops;

	if (!f->runs)
		return;
	tool_stop(&f->tool, END_MS);
	handle_lines(f, run, visitor);
	drops = dtrace_drops(f->tool.complaint);
	if (drops)
		backend_loss(run, drops, 0, "the kernel had no room (dtrace), at least");
	f->runs = false;
}
