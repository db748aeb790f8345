/* SPDX-License-Identifier: BSD-2-Clause */
/* A sample of the probe proc. */
#include "os/linux/proc/proc_reader.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "os/linux/files/hung_mounts.h"
#include "base/units.h"
#include "collect/agents_found.h"
#include "os/linux/host/freezer.h"
#include "os/linux/proc/proc_detached.h"
#include "os/linux/rights/needs.h"
#include "os/os.h"
#include "recognize/markers.h"

#define AGENT_HOMES_MAX 16 /* agents whose environment is read for HOME */
#define BLOCKED_MAX	4096
#define CHILDREN_MAX	64	  /* most children of selected processes in full; more are brief */
#define JUST_NOW_NS	NS_PER_MS /* another sample within this time adds nothing */
#define BLOCKED		SOOTH_NOT_MEASURED(SOOTH_REASON_BLOCKED)

void proc_reader_init(struct proc_reader *r, const struct agent_set *agents)
{
	*r = (struct proc_reader){ 0 };
	members_init(&r->members);
	proc_recognition_init(&r->recognition, agents);
	proc_refresh_init(&r->refresh);
	user_names_init(&r->users);
	proc_links_init(&r->links);
	agent_files_init(&r->files);
	map_init(&r->blocked, sizeof(struct process_id), 0, BLOCKED_MAX);
}

static void proc_particulars_fini(struct proc_particulars *p)
{
	buffer_fini(&p->directory);
	buffer_fini(&p->control_group);
	buffer_fini(&p->scratch);
	freezer_forget(&p->groups);
}

/* Reads the most specific control group: that of version 2 unless it is the root, else the first
 * group of version 1 that is no root. */
static void read_control_group(struct proc_particulars *p, int process)
{
	int status = procfs_read_at(process, "cgroup", &p->scratch, PROCFS_SMALL);
	struct cursor c = cursor_over(p->scratch.data, p->scratch.size);
	struct span best = span_of("/", 1);

	buffer_reset(&p->control_group);
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
	buffer_append(&p->control_group, best.data, best.size);
	p->frozen = status < 0 ? PROC_FROZEN_NOT_REPORTED : PROC_FROZEN_NO;
	/* The roots of hierarchies cannot be frozen. */
	if (best.size > 1)
		p->frozen = freezer_read_state(
			&p->groups, span_of((const char *)p->scratch.data, p->scratch.size));
}

static void proc_particulars_read(
	struct proc_particulars *p, const struct process_snapshot *snapshot)
{
	int status = procfs_link_at(snapshot->process, "cwd", &p->directory);
	uint64_t descriptors = 0;

	p->directory_state = status == -ENOENT ? SOOTH_STATE_ABSENT : procfs_state(status);
	read_control_group(p, snapshot->process);
	p->descriptors_state = procfs_state(procfs_count(snapshot->process, "fd", &descriptors));
	p->descriptors = (uint32_t)descriptors;
}

void proc_reader_fini(struct proc_reader *r)
{
	struct buffer *buffers[] = { &r->entries, &r->requests, &r->request_owners, &r->scratch,
		&r->whole };

	members_fini(&r->members);
	proc_recognition_fini(&r->recognition);
	proc_refresh_fini(&r->refresh);
	user_names_fini(&r->users);
	proc_links_fini(&r->links);
	agent_files_fini(&r->files);
	agent_installs_fini(&r->installs);
	proc_particulars_fini(&r->particulars);
	proc_slow_queue_fini(&r->evidence);
	map_fini(&r->blocked);
	timeout_fini(&r->timeout);
	for (size_t i = 0; i < ARRAY_SIZE(buffers); i++)
		buffer_fini(buffers[i]);
}

static void store_evidence(void *user, size_t i, struct proc_slow_read *result);

void proc_reader_begin(struct proc_reader *r, const struct backend_run *run)
{
	r->from_ns = run->os->now_ns(run->os);
	r->is_requested = !run->options.is_host && !run->options.has_uid;
	r->is_brief = !r->is_requested && (run->options.interest & INTEREST_BRIEF);
	r->written = 0;
	buffer_reset(&r->entries);
	buffer_reset(&r->request_owners);
	proc_recognition_begin(&r->recognition);
	r->evidence.timeout = &r->timeout;
	r->evidence.blocked = &r->blocked;
	r->evidence.take = store_evidence;
	r->evidence.user = r;
	r->evidence.status = proc_slow_queue_begin(&r->evidence);
	proc_refresh_begin(&r->refresh, run, !r->is_requested);
}

static struct proc_entry *entries_of(const struct proc_reader *r, size_t *count)
{
	*count = r->entries.size / sizeof(struct proc_entry);
	return (void *)r->entries.data;
}

static struct proc_slow_read request_for(
	const struct proc_reader *r, const struct proc_entry *e, uint8_t reads)
{
	struct proc_slow_read q = { .id = e->values.id,
		.living = e->values.living,
		.reads = reads,
		.agents = r->recognition.agents };

	if (e->values.environment_to > e->values.environment_from)
		q.environment_bytes = e->values.environment_to - e->values.environment_from;
	return q;
}

/* Adds a process. Slow evidence is read while more processes are added. */
void proc_reader_add(struct proc_reader *r, const struct proc_values *values, int process)
{
	struct proc_entry e = { .values = *values };
	struct proc_slow_read q;
	size_t count;
	const struct proc_entry *before = entries_of(r, &count);
	uint32_t index = (uint32_t)count;

	proc_recognition_note(&r->recognition, &e);
	if (!proc_refresh_recall(&r->refresh, &e))
		proc_recognition_at(&r->recognition, &e, process, before, count);
	buffer_append(&r->entries, &e, sizeof(e));
	if (!e.reads || buffer_failed(&r->entries))
		return;
	q = request_for(r, &e, e.reads);
	buffer_append(&r->request_owners, &index, sizeof(index));
	if (!buffer_failed(&r->request_owners))
		proc_slow_queue_add(&r->evidence, &q);
}

/* --- the second pass, over all processes --- */

static void request_read(struct proc_reader *r, size_t entry, uint8_t reads)
{
	const struct proc_entry *e = (const struct proc_entry *)(void *)r->entries.data + entry;
	struct proc_slow_read q = request_for(r, e, reads);
	uint32_t index = (uint32_t)entry;

	buffer_append(&r->requests, &q, sizeof(q));
	buffer_append(&r->request_owners, &index, sizeof(index));
}

static int run_requests(struct proc_reader *r,
	void (*take)(void *user, size_t i, struct proc_slow_read *result), void *user)
{
	size_t count = r->requests.size / sizeof(struct proc_slow_read);

	if (buffer_failed(&r->requests) || buffer_failed(&r->request_owners))
		return -ENOMEM;
	if (!count)
		return 0;
	return proc_slow_reads_run(
		(const void *)r->requests.data, count, &r->timeout, &r->blocked, take, user);
}

static struct proc_entry *entry_of_request(const struct proc_reader *r, size_t request)
{
	return (struct proc_entry *)(void *)r->entries.data +
	       ((const uint32_t *)(const void *)r->request_owners.data)[request];
}

static void store_evidence(void *user, size_t i, struct proc_slow_read *result)
{
	struct proc_reader *r = user;
	struct proc_entry *e = entry_of_request(r, i);
	struct span arguments = { (const char *)result->arguments.data, result->arguments.size };
	struct span directory = { 0 };
	_cleanup_close_ int process = -1;
	struct program_facts facts;

	e->has_markers = proc_markers_are_of_agent(
		span_of((const char *)result->markers.data, result->markers.size));
	if (result->markers_state)
		e->is_plain = false; /* the process may have markers */
	if (!(e->reads & PROC_READ_ARGUMENTS))
		return;
	e->is_unread = result->arguments_state == BLOCKED;
	process = procfs_open((pid_t)e->values.id.pid);
	if (process < 0)
		return;
	if (!procfs_link_at(process, "cwd", &r->scratch))
		directory = span_of((const char *)r->scratch.data, r->scratch.size);
	proc_recognition_program(&r->recognition, e, process, arguments, directory, &facts);
	proc_recognition_recognise(&r->recognition, e, arguments, directory, &facts);
	/* A young process may still overwrite its arguments with a title. A title that comes later
	 * is seen only if comm changes with it, otherwise at the next exec. */
	e->is_plain = !e->agent && !result->arguments_state && !result->markers_state &&
		      !proc_detached_is_young(&e->values);
}

static void store_server_name(void *user, size_t i, struct proc_slow_read *result)
{
	struct proc_entry *e = entry_of_request(user, i);

	e->is_detached = result->may_be_server;
	e->is_no_server = !e->is_detached && !proc_detached_is_young(&e->values);
}

static int resolve_selection(struct proc_reader *r)
{
	size_t count;
	struct proc_entry *all = entries_of(r, &count);
	int status;

	proc_selection_mark_close(all, count);
	buffer_reset(&r->requests);
	buffer_reset(&r->request_owners);
	for (size_t i = 0; i < count; i++) {
		/* Reported in full, because it may be an agent whose arguments could not be
		 * read. */
		all[i].is_detached = !all[i].is_close &&
				     (r->is_requested || (all[i].is_unread && !all[i].agent));
		if (!r->is_requested && proc_detached_is_candidate(all, count, &all[i]))
			request_read(r, i, PROC_READ_SERVER_NAME);
	}
	status = run_requests(r, store_server_name, r);
	if (!r->is_requested)
		proc_detached_below(all, count);
	return status;
}

/* --- records --- */

static void write_brief(struct proc_reader *r, struct backend_run *run, const struct proc_entry *e)
{
	bool is_refused = e->has_executable &&
			  e->executable_state == SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION);

	/* Reports that this process could not be recognized as an agent. */
	proc_record_append_brief(
		run, &e->values, user_names_get(&r->users, e->values.uid), is_refused);
}

static bool has_session(const struct proc_entry *e)
{
	return e->agent && (e->role == AGENT_ROLE_MAIN || e->role == AGENT_ROLE_DAEMON ||
				   e->role == AGENT_ROLE_SPARE);
}

static struct span text_of(const struct proc_process *p, const struct sooth_text *text)
{
	return span_of((const char *)p + text->offset, text->size);
}

/* Writes a kept record. An agent's activity changes all the time, even if its other data stays. */
static void write_kept_record(
	struct proc_reader *r, struct backend_run *run, const struct proc_entry *e)
{
	const struct proc_process *p = proc_refresh_record(&r->refresh, e);

	proc_refresh_write(&r->refresh, run, e);
	if (has_session(e))
		agent_files_add(&r->files, run, &e->values.id, e->agent, text_of(p, &p->arguments),
			text_of(p, &p->directory));
}

static void write_entries_before(struct proc_reader *r, struct backend_run *run, size_t entry)
{
	const struct proc_entry *all = (const void *)r->entries.data;

	for (; r->written < entry; r->written++) {
		if (all[r->written].is_fresh)
			write_kept_record(r, run, &all[r->written]);
		else
			write_brief(r, run, &all[r->written]);
	}
}

static struct span buffer_span(const struct buffer *b)
{
	return span_of((const char *)b->data, b->size);
}

static void write_whole(struct proc_reader *r, struct backend_run *run, struct proc_entry *e,
	const struct process_snapshot *snapshot, struct proc_slow_read *result)
{
	struct proc_particulars *p = &r->particulars;
	struct program_facts facts;

	if (!e->has_executable)
		proc_recognition_read_executable(&r->recognition, e, snapshot->process);
	p->user = user_names_get(&r->users, e->values.uid);
	p->is_deleted = e->is_deleted;
	p->executable_state = e->executable_state;
	p->executable = proc_recognition_executable(&r->recognition, e);
	p->arguments_state = result->arguments_state;
	p->arguments = buffer_span(&result->arguments);
	p->proxies_state = result->proxies_state;
	p->proxies = buffer_span(&result->proxies);
	proc_particulars_read(p, snapshot);
	proc_recognition_program(&r->recognition, e, snapshot->process, p->arguments,
		buffer_span(&p->directory), &facts);
	proc_record_append_full(run, &e->values, p, &facts);
}

struct writing {
	struct proc_reader *reader;
	struct backend_run *run;
};

static enum proc_candidate candidate_of(const struct proc_entry *e)
{
	if (e->agent && e->role == AGENT_ROLE_MAIN)
		return PROC_CANDIDATE_NOT;
	return e->is_detached ? PROC_CANDIDATE_DETACHED : PROC_CANDIDATE;
}

static bool has_input(const struct proc_slow_read *result)
{
	return result->streams[0].stream == PROC_STREAM_PIPE ||
	       result->streams[0].stream == PROC_STREAM_SOCKET;
}

static void store_result(void *user, size_t i, struct proc_slow_read *result)
{
	struct writing *w = user;
	struct proc_reader *r = w->reader;
	struct proc_entry *e = entry_of_request(r, i);
	_cleanup_process_snapshot_ struct process_snapshot snapshot = { .process = -1 };
	size_t before;

	write_entries_before(r, w->run, (size_t)(e - (struct proc_entry *)(void *)r->entries.data));
	r->written++;
	if (process_snapshot_open(&snapshot, w->run, (pid_t)e->values.id.pid, &e->values.id))
		return; /* it has ended, or belongs to another user by now */
	before = w->run->out.size;
	write_whole(r, w->run, e, &snapshot, result);
	if (!buffer_failed(&w->run->out))
		proc_refresh_keep_record(&r->refresh, e, w->run->out.data + before,
			w->run->out.size - before, has_input(result));
	if (has_session(e))
		agent_files_add(&r->files, w->run, &snapshot.id, e->agent, r->particulars.arguments,
			buffer_span(&r->particulars.directory));
	if (e->is_close || e->is_detached)
		proc_links_add(&r->links, w->run, &snapshot, result, candidate_of(e));
}

static bool is_below_process(const void *user, const struct process_id *reader, uint32_t pid)
{
	const struct proc_reader *r = user;
	size_t count;
	const struct proc_entry *all = entries_of(r, &count);

	return proc_selection_is_below(all, count, (uint32_t)reader->pid, pid);
}

static void write_links(struct proc_reader *r, struct backend_run *run)
{
	struct proc_neighbours neighbours = { .is_own = is_below_process, .user = r };
	size_t count;
	const struct proc_entry *all = entries_of(r, &count);

	for (size_t i = 0; i < count; i++) {
		pid_t pid = (pid_t)all[i].values.id.pid;

		if (all[i].is_close || all[i].is_detached)
			buffer_append(&neighbours.pids, &pid, sizeof(pid));
	}
	proc_links_write(&r->links, run, &neighbours);
	buffer_fini(&neighbours.pids);
}

/* Returns whether one list contains the other; both are in the order of pids. */
static bool has_all(const struct buffer *before, const struct proc_entry *all, size_t count)
{
	const struct process_id *known = (const void *)before->data;
	size_t at = 0, end = before->size / sizeof(*known);

	for (size_t i = 0; i < count; i++) {
		const struct process_id *id = &all[i].values.id;

		if (!all[i].is_close && !all[i].is_detached)
			continue;
		while (at < end && known[at].pid < id->pid)
			at++;
		if (at == end || memcmp(&known[at], id, sizeof(*id)))
			return false;
	}
	return true;
}

static void count_arrivals(struct proc_reader *r, struct agents_found *found,
	const struct proc_entry *all, size_t count)
{
	if (found->arrivals && has_all(&r->whole, all, count))
		return;
	found->arrivals++;
}

static void store_processes(struct proc_reader *r, const struct proc_entry *all, size_t count)
{
	buffer_reset(&r->whole);
	for (size_t i = 0; i < count; i++) {
		if (all[i].is_close || all[i].is_detached)
			buffer_append(&r->whole, &all[i].values.id, sizeof(struct process_id));
	}
}

/* Publishes the agents for other probes of this sample. */
static void publish_agents(struct proc_reader *r, const struct backend_run *run)
{
	struct agents_found *found = run->agents_found;
	size_t count;
	const struct proc_entry *all = entries_of(r, &count);

	if (!found || r->is_requested)
		return;
	count_arrivals(r, found, all, count);
	store_processes(r, all, count);
	buffer_reset(&found->processes);
	for (size_t i = 0; i < count; i++) {
		if (all[i].is_close)
			buffer_append(
				&found->processes, &all[i].values.id, sizeof(struct process_id));
	}
	found->has_uid = run->options.has_uid;
	found->uid = run->options.uid;
	found->found_ns = run->os->now_ns(run->os);
}

static void add_user(struct buffer *uids, uint32_t uid)
{
	if (!buffer_has(uids, &uid, sizeof(uid)))
		buffer_append(uids, &uid, sizeof(uid));
}

/* Versions are read for the users of agents and the caller: once, and again if a folder timed
 * out. */
#define INSTALLS_TRIES 3
static void emit_installs(struct proc_reader *r, struct backend_run *run)
{
	struct buffer uids = { 0 };
	size_t count;
	const struct proc_entry *all = entries_of(r, &count);
	bool has_agent = false;

	for (size_t i = 0; i < count; i++) {
		if (all[i].agent)
			add_user(&uids, all[i].values.uid);
		has_agent |= all[i].agent != NULL;
	}
	if (!r->has_reported_installs && (has_agent || !r->is_requested) &&
		!(run->options.interest & INTEREST_RUNNING)) {
		add_user(&uids, getuid());
		agent_installs_emit(
			&r->installs, run, (const void *)uids.data, uids.size / sizeof(uint32_t));
		for (size_t i = 0, homes = 0; i < count && homes < AGENT_HOMES_MAX; i++) {
			if (!all[i].agent)
				continue;
			homes++;
			agent_installs_emit_of(
				&r->installs, run, (pid_t)all[i].values.id.pid, all[i].values.uid);
		}
		r->has_reported_installs =
			!r->installs.is_incomplete || r->installs.tries >= INSTALLS_TRIES;
	}
	buffer_fini(&uids);
}

/* Returns whether a process was also selected by PID when the whole host is sampled. */
static bool is_named(const struct proc_reader *r, const struct proc_entry *e)
{
	return map_get(&r->members.processes, &e->values.id) != NULL;
}

/* Returns whether a process is a child of a selected one: it may be the same command again and
 * again. */
static bool is_child_of_named(const struct proc_reader *r, const struct proc_entry *all,
	size_t count, const struct proc_entry *e, unsigned *children)
{
	const struct proc_entry *parent;

	if (!r->members.processes.count || *children >= CHILDREN_MAX)
		return false;
	parent = proc_selection_parent(all, count, e);
	if (!parent || !is_named(r, parent))
		return false;
	++*children;
	return true;
}

/* Requests everything about close processes, unless recent data about them exists. */
static void request_whole(struct proc_reader *r)
{
	size_t count;
	struct proc_entry *all = entries_of(r, &count);
	bool has_ended = proc_refresh_one_ended(&r->refresh);
	unsigned children = 0;

	buffer_reset(&r->requests);
	buffer_reset(&r->request_owners);
	for (size_t i = 0; i < count; i++) {
		bool is_whole = all[i].is_close || all[i].is_detached;

		if (!is_whole && r->is_brief && !is_named(r, &all[i]) &&
			!is_child_of_named(r, all, count, &all[i], &children))
			continue;
		all[i].is_fresh = proc_refresh_is_fresh(&r->refresh, &all[i], has_ended);
		if (all[i].is_fresh)
			continue;
		request_read(r, i,
			is_whole ? PROC_READ_ARGUMENTS | PROC_READ_MARKERS | PROC_READ_ROOT |
					   PROC_READ_STREAMS | PROC_READ_PROXIES
				 : PROC_READ_ARGUMENTS | PROC_READ_PROXIES);
	}
}

int proc_reader_end(struct proc_reader *r, struct backend_run *run, struct sooth_error *err)
{
	struct writing writing = { r, run };
	size_t count;
	const struct proc_entry *all = entries_of(r, &count);
	int status = proc_slow_queue_finish_reads(&r->evidence);

	if (buffer_failed(&r->entries) || buffer_failed(&r->recognition.texts) ||
		buffer_failed(&r->request_owners))
		return error_no_memory(err);
	if (!status)
		status = resolve_selection(r);
	request_whole(r);
	if (!status)
		status = run_requests(r, store_result, &writing);
	write_entries_before(r, run, count);
	agent_files_emit(&r->files, run);
	hung_mounts_report(run, &r->has_reported_mount);
	write_links(r, run);
	publish_agents(r, run);
	emit_installs(r, run);
	if (!r->is_requested) /* selected processes are read in full each time */
		proc_recognition_keep_valid(&r->recognition, all, count);
	return status ? error_errno(err, status, "read processes in /proc") : 0;
}

/* Sets what is hidden: in a PID namespace the processes outside; with a restricted /proc those of
 * other users, the first process among them (hidepid in proc(5)). */
static void check_what_is_hidden(struct proc_snapshot *snapshot)
{
	snapshot->hides_users = access("/proc/1/stat", R_OK) != 0;
	snapshot->is_partial = snapshot->hides_users || needs_inner_pid_namespace();
}

void proc_reader_snapshot(struct proc_reader *r, struct backend_run *run)
{
	struct proc_snapshot snapshot = { .from_ns = r->from_ns,
		.is_of_host = run->options.is_host,
		.is_of_root = !geteuid() || needs_has_lost_capabilities() };

	if (snapshot.is_of_host)
		check_what_is_hidden(&snapshot);
	snapshot.record = (struct sooth_record){
		.time_ns = run->os->now_ns(run->os), .kind = PROC_SNAPSHOT, .cpu = SOOTH_CPU_NONE
	};
	RECORD_APPEND(&run->out, &snapshot, NULL, 0);
	r->reported_ns = snapshot.record.time_ns;
}

bool proc_reader_has_just_reported(const struct proc_reader *r, const struct backend_run *run)
{
	return r->reported_ns && run->os->now_ns(run->os) - r->reported_ns < JUST_NOW_NS;
}
