/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes records proc.process, and those that were written before again. */
#include "os/linux/proc/proc_record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/map.h"
#include "collect/backend.h"
#include "os/linux/files/terminal_names.h"
#include "os/linux/host/freezer.h"
#include "os/linux/proc/proc_selection.h"
#include "os/linux/proc/proc_values.h"
#include "os/linux/programs/programs.h"
#include "probes/proc.h"

#define NOT_REQUESTED SOOTH_NOT_MEASURED(SOOTH_REASON_NOT_REQUESTED)

/* Counts the descriptors again: a value of each sample. A process that has not run has opened
 * none. */
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
		.term = f->term,
	};
}

/* Writes a kept record with new values, and keeps these for the next time. */
static void proc_record_again(
	struct backend_run *run, const struct proc_values *values, void *record, size_t size)
{
	const struct proc_process now = record_of(values);
	struct proc_process *p;
	bool has_run;

	buffer_append(&run->out, record, size);
	if (buffer_failed(&run->out))
		return;
	p = (void *)(run->out.data + run->out.size - size);
	has_run = p->cpu_is_ticks || now.cpu_is_ticks || p->cpu_ns != now.cpu_ns;
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
	p->term = now.term;
	if (has_run)
		count_again(p);
	memcpy(record, p, sizeof(*p));
}

void proc_record_append_brief(struct backend_run *run, const struct proc_values *values,
	const char *user, bool is_refused)
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
		p.descriptors_state = p.marks_state = p.package_state = p.proxies_state =
			NOT_REQUESTED;
	if (is_refused)
		p.executable_state = SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION);
	RECORD_APPEND(&run->out, &p, tail, ARRAY_SIZE(tail));
}

void proc_record_append_full(struct backend_run *run, const struct proc_values *values,
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
		{ &p.proxies, from->proxies.data, from->proxies.size },
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
	p.proxies_state = from->proxies_state;
	RECORD_APPEND(&run->out, &p, tail, ARRAY_SIZE(tail));
}

/* --- records again --- */

#define KNOWN_MAX 65536
/* parts of the interval in which they are read, so that not all are read in one sample */
#define SPREAD 8

struct refresh_known {
	uint64_t token;
	uint64_t due_ns, late_ns; /* time of the next read; the same if it has not run since */
	uint64_t cpu_ns;	  /* CPU time before the process was read */
	void *record;		  /* struct proc_process with its texts; owned */
	size_t size;
	const struct agent *agent; /* from the reader's set */
	enum agent_role role;
	uint32_t sample; /* the last sample with it */
	bool is_close, is_detached, has_markers, has_input;
};

void proc_refresh_init(struct proc_refresh *r)
{
	*r = (struct proc_refresh){ 0 };
	map_init(&r->known, sizeof(struct process_id), sizeof(struct refresh_known), KNOWN_MAX);
}

static void forget_records(struct proc_refresh *r)
{
	map_for_each_value (&r->known, struct refresh_known *, value)
		free(value->record);
}

void proc_refresh_fini(struct proc_refresh *r)
{
	forget_records(r);
	map_fini(&r->known);
}

void proc_refresh_begin(struct proc_refresh *r, const struct backend_run *run, bool is_on)
{
	r->is_on = is_on && run->options.observer.sample_ns;
	r->now_ns = run->os->now_ns(run->os);
	r->sample++;
}

static const struct proc_process *fresh_record_of(const struct refresh_known *k)
{
	return k->record;
}

/* Returns whether data is due for a new read. A process that does not run does not change its own
 * data, and changes by other processes are not urgent. */
static bool is_due(const struct proc_refresh *r, const struct refresh_known *k,
	const struct proc_values *values)
{
	bool has_run = values->cpu_is_ticks || values->cpu_ns != k->cpu_ns;

	return r->now_ns >= (has_run ? k->due_ns : k->late_ns);
}

/* Finds the kept data; NULL: the process has another identity, program or name by now, or its data
 * is due. */
static struct refresh_known *find_fresh(struct proc_refresh *r, const struct proc_entry *e)
{
	struct refresh_known *k = r->is_on ? map_get(&r->known, &e->values.id) : NULL;

	if (!k || !e->token || k->token != e->token || is_due(r, k, &e->values) ||
		e->values.ppid != fresh_record_of(k)->ppid ||
		e->values.terminal != fresh_record_of(k)->terminal)
		return NULL;
	return k;
}

bool proc_refresh_recall(struct proc_refresh *r, struct proc_entry *e)
{
	struct refresh_known *k = r->is_on ? map_get(&r->known, &e->values.id) : NULL;

	if (k && e->values.state != 'Z' && e->values.state != 'X')
		k->sample = r->sample;
	k = find_fresh(r, e);
	if (!k || !k->is_close)
		return false;
	e->agent = k->agent;
	e->role = k->role;
	e->has_markers = k->has_markers;
	return true;
}

bool proc_refresh_one_ended(struct proc_refresh *r)
{
	bool has_ended = false;

	map_for_each (
		map_while(r->is_on, &r->known), const void *, key, struct refresh_known *, k) {
		if (k->sample == r->sample)
			continue;
		has_ended |= k->is_close;
		free(k->record);
		map_remove(&r->known, key);
	}
	return has_ended;
}

bool proc_refresh_is_fresh(struct proc_refresh *r, const struct proc_entry *e, bool has_ended)
{
	struct refresh_known *k = find_fresh(r, e);

	return k && k->is_close == e->is_close && k->is_detached == e->is_detached &&
	       !(has_ended && k->has_input);
}

void proc_refresh_write(
	const struct proc_refresh *r, struct backend_run *run, const struct proc_entry *e)
{
	const struct refresh_known *k = map_get(&r->known, &e->values.id);

	proc_record_again(run, &e->values, k->record, k->size);
}

const struct proc_process *proc_refresh_record(
	const struct proc_refresh *r, const struct proc_entry *e)
{
	return fresh_record_of(map_get(&r->known, &e->values.id));
}

/* Returns when data is due. The times are staggered, so that not all are due in one sample. */
static uint64_t due_ns(const struct proc_refresh *r, const struct proc_entry *e)
{
	return r->now_ns + PROC_REFRESH_NS -
	       e->values.id.pid % SPREAD * (PROC_REFRESH_NS / 4 / SPREAD);
}

void proc_refresh_keep_record(struct proc_refresh *r, const struct proc_entry *e,
	const void *record, size_t size, bool has_input)
{
	struct refresh_known *k = NULL;
	void *copy = r->is_on && e->token ? malloc(size) : NULL;

	if (copy)
		k = map_put(&r->known, &e->values.id, NULL);
	if (!k) {
		free(copy);
		return;
	}
	free(k->record);
	memcpy(copy, record, size);
	*k = (struct refresh_known){ .token = e->token,
		.due_ns = due_ns(r, e),
		.late_ns = due_ns(r, e) + PROC_REFRESH_LATE_NS,
		.cpu_ns = e->values.cpu_ns,
		.record = copy,
		.size = size,
		.agent = e->agent,
		.role = e->role,
		.sample = r->sample,
		.is_close = e->is_close,
		.is_detached = e->is_detached,
		.has_markers = e->has_markers,
		.has_input = has_input };
}
