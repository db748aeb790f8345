/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Samples of the probe proc: all processes from one answer of the system, then command line,
 * executable and working directory of each, and the links of processes close to an agent.
 *
 * Cannot be seen: the environment of other users' processes (both systems refuse it), npm packages,
 * texts in executables: an agent is recognized by its paths, arguments and title.
 */
#include "os/bsd/proc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "recognize/agent.h"
#include "recognize/agent_set.h"
#include "recognize/markers.h"
#include "base/cleanup.h"
#include "base/units.h"
#include "collect/secrets.h"
#include "probes/proc.h"

#define ANCESTORS_MAX 65536
#define JUST_NOW_NS   NS_PER_MS /* another sample within this time adds nothing */
#define NOT_REQUESTED SOOTH_NOT_MEASURED(SOOTH_REASON_NOT_REQUESTED)
#define UNSUPPORTED   SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED)

struct text_at {
	size_t offset, size;
	uint8_t state;
};

struct bsd_proc_entry {
	struct bsd_process process;
	struct text_at arguments, executable, directory, markers;
	const struct agent *agent; /* agent that the process runs; NULL: none */
	bool is_close;		   /* close to an agent: read in full */
	bool is_named;		   /* selected by pid */
	bool is_refused;	   /* its arguments were refused: it may be an agent */
};

int bsd_proc_open(struct backend_run *run, struct sooth_error *err)
{
	struct bsd_proc *p = run->state;
	int status = bsd_members_open(run, err);

	p->agents = run->options.agents ? agent_set_ref(run->options.agents) : NULL;
	p->entries = p->texts = p->scratch = p->masked = (struct buffer){ 0 };
	p->reported_ns = 0;
	p->has_reported_hidden = false;
	bsd_links_init(&p->links);
	bsd_sessions_init(&p->sessions);
	return status;
}

void bsd_proc_close(struct backend_run *run)
{
	struct bsd_proc *p = run->state;

	bsd_members_close(run);
	if (p->agents)
		agent_set_unref(p->agents);
	bsd_links_fini(&p->links);
	bsd_sessions_fini(&p->sessions);
	buffer_fini(&p->entries);
	buffer_fini(&p->texts);
	buffer_fini(&p->scratch);
	buffer_fini(&p->masked);
}

/* --- what is read of each --- */

static struct span text_of(const struct bsd_proc *p, const struct text_at *at)
{
	return at->size ? span_of((const char *)p->texts.data + at->offset, at->size)
			: span_of("", 0);
}

typedef int (*text_reader)(const struct bsd_source *s, pid_t pid, struct buffer *out);

static struct text_at read_text(
	struct bsd_proc *p, const struct bsd_source *s, text_reader reader, pid_t pid)
{
	struct text_at at = { .offset = p->texts.size };
	int status = reader ? reader(s, pid, &p->texts) : -EOPNOTSUPP;

	at.state = bsd_state(status);
	if (status && status != -EOVERFLOW && p->texts.size > at.offset)
		p->texts.size = at.offset;
	at.size = p->texts.size - at.offset;
	return at;
}

/* Reads and masks the arguments; masking comes before a record cuts them. */
static struct text_at read_arguments(struct bsd_proc *p, const struct bsd_source *s, pid_t pid)
{
	struct text_at at = { .offset = p->texts.size };
	int status;

	buffer_reset(&p->scratch);
	status = s->arguments ? s->arguments(s, pid, &p->scratch) : -EOPNOTSUPP;
	at.state = bsd_state(status);
	if (!status &&
		secrets_mask_arguments(&p->texts, (const char *)p->scratch.data, p->scratch.size))
		at.state = SOOTH_STATE_TRUNCATED;
	at.size = p->texts.size - at.offset;
	return at;
}

static struct text_at read_markers(struct bsd_proc *p, const struct bsd_source *s, pid_t pid)
{
	struct text_at at = { .offset = p->texts.size };
	int status;

	buffer_reset(&p->scratch);
	status = s->environment ? s->environment(s, pid, &p->scratch) : -EOPNOTSUPP;
	at.state = bsd_state(status);
	if (!status)
		proc_markers_find(&p->texts, p->agents, p->scratch.data, p->scratch.size, false);
	at.size = p->texts.size - at.offset;
	return at;
}

static bool is_agent(const struct bsd_proc *p, struct bsd_proc_entry *e)
{
	const struct agent *agent;
	const struct bsd_process *f = &e->process;
	struct agent_match match;
	struct agent_evidence evidence = {
		.executable = text_of(p, &e->executable),
		.name = span_of(f->name, strnlen(f->name, sizeof(f->name))),
		.arguments = text_of(p, &e->arguments),
		.directory = text_of(p, &e->directory),
	};

	agent = agent_recognise(p->agents, &evidence, &match);
	if (agent && (match.role == AGENT_ROLE_MAIN || match.role == AGENT_ROLE_SPARE))
		e->agent = agent;
	return agent != NULL;
}

static bool has_program(const struct bsd_process *f)
{
	return !f->is_kernel && f->state != 'Z';
}

static void add_process(struct backend_run *run, const struct bsd_process *process)
{
	struct bsd_proc *p = run->state;
	const struct bsd_source *s = bsd_source_of(run->os);
	struct bsd_proc_entry e = { .process = *process };
	pid_t pid = (pid_t)process->id.pid;

	e.arguments.state = e.executable.state = e.directory.state = e.markers.state =
		SOOTH_STATE_ABSENT;
	e.is_named = map_get(&p->members.processes, &process->id) != NULL;
	if (has_program(process)) {
		e.executable = read_text(p, s, s->executable, pid);
		e.arguments = read_arguments(p, s, pid);
		e.directory = read_text(p, s, s->directory, pid);
		e.markers = read_markers(p, s, pid);
		e.is_refused = e.executable.state == SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION);
		e.is_close = is_agent(p, &e) || proc_markers_are_of_agent(text_of(p, &e.markers));
	}
	buffer_append(&p->entries, &e, sizeof(e));
}

/* --- which are close to an agent --- */

static int compare_by_pid(const void *a, const void *b)
{
	uint32_t first = ((const struct bsd_proc_entry *)a)->process.id.pid;
	uint32_t second = ((const struct bsd_proc_entry *)b)->process.id.pid;

	return first < second ? -1 : first > second;
}

static struct bsd_proc_entry *parent_of(
	struct bsd_proc_entry *all, size_t count, const struct bsd_proc_entry *e)
{
	struct bsd_proc_entry key = { .process.id.pid = e->process.ppid };
	struct bsd_proc_entry *parent = bsearch(&key, all, count, sizeof(*all), compare_by_pid);

	return parent && parent != e && parent->process.id.start_ticks <= e->process.id.start_ticks
		       ? parent
		       : NULL;
}

static void find_close(struct bsd_proc_entry *all, size_t count)
{
	if (!count)
		return;
	qsort(all, count, sizeof(*all), compare_by_pid);
	for (size_t i = 0; i < count; i++) {
		struct bsd_proc_entry *up = &all[i];
		unsigned steps = 0;

		while (up && !up->is_close && steps++ < ANCESTORS_MAX)
			up = parent_of(all, count, up);
		if (!up || !up->is_close)
			continue;
		for (struct bsd_proc_entry *e = &all[i]; e != up; e = parent_of(all, count, e))
			e->is_close = true;
	}
}

/* --- records --- */

static struct proc_process record_of(const struct backend_run *run, const struct bsd_process *f)
{
	return (struct proc_process){
		.record = bsd_record(run, &f->id, 0, PROC_PROCESS),
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
		.is_foreground = f->terminal && f->terminal_group == f->process_group,
		.control_group_state = SOOTH_STATE_ABSENT,
		.marks_state = SOOTH_STATE_ABSENT,
		.package_state = SOOTH_STATE_ABSENT,
		.descriptors_state = NOT_REQUESTED,
		.proxies_state = NOT_REQUESTED,
	};
}

static void write_brief(struct backend_run *run, const struct bsd_proc_entry *e)
{
	struct proc_process r = record_of(run, &e->process);
	struct record_tail tail[] = {
		{ &r.name, e->process.name, strnlen(e->process.name, BSD_NAME_SIZE) },
	};

	r.is_brief = 1;
	r.executable_state =
		e->is_refused ? SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION) : NOT_REQUESTED;
	r.arguments_state = r.directory_state = r.control_group_state = r.marks_state =
		r.package_state = NOT_REQUESTED;
	RECORD_APPEND(&run->out, &r, tail, ARRAY_SIZE(tail));
}

static void write_whole(struct backend_run *run, const struct bsd_proc_entry *e)
{
	struct bsd_proc *p = run->state;
	struct proc_process r = record_of(run, &e->process);
	struct span arguments = text_of(p, &e->arguments), executable = text_of(p, &e->executable),
		    directory = text_of(p, &e->directory), markers = text_of(p, &e->markers);
	struct record_tail tail[] = {
		{ &r.name, e->process.name, strnlen(e->process.name, BSD_NAME_SIZE) },
		{ &r.arguments, arguments.data, arguments.size },
		{ &r.executable, executable.data, executable.size },
		{ &r.directory, directory.data, directory.size },
	};

	r.arguments_state = e->arguments.state;
	r.executable_state = e->executable.state;
	r.directory_state = e->directory.state;
	if (has_program(&e->process)) {
		buffer_reset(&p->masked);
		buffer_append(&p->masked, markers.data, markers.size);
		r.descriptors = bsd_links_add(&p->links, run, &e->process, &p->masked,
			e->markers.state, &r.descriptors_state);
	} else {
		r.descriptors_state = SOOTH_STATE_ABSENT;
	}
	RECORD_APPEND(&run->out, &r, tail, ARRAY_SIZE(tail));
}

static void begin_sample(struct bsd_proc *p)
{
	buffer_reset(&p->entries);
	buffer_reset(&p->texts);
	bsd_links_begin(&p->links);
}

static void write_processes(struct backend_run *run)
{
	struct bsd_proc *p = run->state;
	struct bsd_proc_entry *all = (void *)p->entries.data;
	size_t count = p->entries.size / sizeof(*all);
	bool is_requested = !run->options.is_host && !run->options.has_uid;
	bool is_brief = run->options.interest & INTEREST_BRIEF && !is_requested;
	bool is_hidden = false;

	if (buffer_failed(&p->entries) || buffer_failed(&p->texts))
		return backend_limit(run, "processes", "out of memory", "");
	find_close(all, count);
	for (size_t i = 0; i < count; i++) {
		is_hidden |= all[i].process.memory_state || all[i].process.cpu_state;
		if (is_brief && !all[i].is_close && !all[i].is_named)
			write_brief(run, &all[i]);
		else
			write_whole(run, &all[i]);
	}
	bsd_links_write(&p->links, run);
	for (size_t i = 0; i < count; i++) {
		if (all[i].agent)
			bsd_sessions_write(&p->sessions, run, &all[i].process, all[i].agent,
				text_of(p, &all[i].directory));
	}
	/* The record has no state for these values. */
	if (is_hidden && !p->has_reported_hidden)
		backend_limit(run, "memory and CPU time of other users' processes (shown as 0)",
			"permission denied", "run sooth as root");
	p->has_reported_hidden |= is_hidden;
}

static void write_snapshot(struct backend_run *run, uint64_t from_ns)
{
	struct proc_snapshot s = { .record = { .time_ns = run->os->now_ns(run->os),
					   .kind = PROC_SNAPSHOT,
					   .cpu = SOOTH_CPU_NONE },
		.from_ns = from_ns,
		.is_of_host = run->options.is_host };
	struct bsd_proc *p = run->state;

	p->reported_ns = s.record.time_ns;
	RECORD_APPEND(&run->out, &s, NULL, 0);
}

static int list_processes(struct backend_run *run, struct sooth_error *err)
{
	const struct bsd_source *s = bsd_source_of(run->os);
	const struct bsd_proc *p = run->state;
	struct buffer all = { 0 };
	int status = 0;

	if (!run->options.is_host && !run->options.has_uid)
		return bsd_members_visit(run, add_process, err);
	/* Also processes of which a brief sample shows little. */
	status = s->processes(s, &all);
	if (!status && buffer_failed(&all))
		status = -ENOMEM;
	buffer_each_while (const struct bsd_process, one, &all, !status) {
		if (run->options.is_host || one->uid == run->options.uid ||
			map_get(&p->members.processes, &one->id))
			add_process(run, one);
	}
	buffer_fini(&all);
	return status ? error_errno(err, status, "list processes") : 0;
}

int bsd_proc_sample(struct backend_run *run, struct sooth_error *err)
{
	uint64_t from_ns = run->os->now_ns(run->os);
	int status;

	begin_sample(run->state);
	status = list_processes(run, err);
	if (status)
		return status;
	write_processes(run);
	write_snapshot(run, from_ns);
	return 0;
}

int bsd_proc_stop(struct backend_run *run, struct sooth_error *err)
{
	const struct bsd_proc *p = run->state;

	if (run->options.interest & INTEREST_ONCE ||
		(p->reported_ns && run->os->now_ns(run->os) - p->reported_ns < JUST_NOW_NS))
		return 0;
	return bsd_proc_sample(run, err);
}

void bsd_proc_joined(struct backend_run *run, const struct process_id *process)
{
	begin_sample(run->state);
	bsd_members_visit_one(run, process, add_process);
	write_processes(run);
}
