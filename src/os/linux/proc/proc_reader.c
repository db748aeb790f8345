/* SPDX-License-Identifier: BSD-2-Clause */
/* A sample of the probe proc; see proc_reader.h. */
#include "os/linux/proc/proc_reader.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "os/linux/rights/needs.h"
#include "os/linux/proc/proc_detached.h"
#include "os/os.h"

#define BLOCKED_MAX 4096
#define JUST_NOW_NS NS_PER_MS /* too short a time for another sample to say more */
#define BLOCKED	    SOOTH_NOT_MEASURED(SOOTH_REASON_BLOCKED)

void proc_reader_init(struct proc_reader *r, const struct agent_set *agents)
{
	*r = (struct proc_reader){ 0 };
	members_init(&r->members);
	proc_recognition_init(&r->look, agents);
	proc_refresh_init(&r->refresh);
	user_names_init(&r->users);
	proc_inputs_init(&r->links);
	agent_files_init(&r->files);
	map_init(&r->blocked, sizeof(struct process_id), 0, BLOCKED_MAX);
}

void proc_reader_fini(struct proc_reader *r)
{
	struct buffer *buffers[] = { &r->entries, &r->questions, &r->asked, &r->scratch };

	members_fini(&r->members);
	proc_recognition_fini(&r->look);
	proc_refresh_fini(&r->refresh);
	user_names_fini(&r->users);
	proc_inputs_fini(&r->links);
	agent_files_fini(&r->files);
	agent_installs_fini(&r->installs);
	proc_particulars_fini(&r->particulars);
	proc_asking_fini(&r->evidence);
	map_fini(&r->blocked);
	timeout_fini(&r->timeout);
	for (size_t i = 0; i < ARRAY_SIZE(buffers); i++)
		buffer_fini(buffers[i]);
}

static void take_evidence(void *user, size_t i, struct proc_slow_reads *answer);

void proc_reader_begin(struct proc_reader *r, const struct backend_run *run)
{
	r->from_ns = run->os->now_ns(run->os);
	r->is_requested = !run->options.is_host && !run->options.has_uid;
	r->is_brief = !r->is_requested && (run->options.interest & INTEREST_BRIEF);
	r->written = 0;
	buffer_reset(&r->entries);
	buffer_reset(&r->asked);
	proc_recognition_begin(&r->look);
	r->evidence.timeout = &r->timeout;
	r->evidence.blocked = &r->blocked;
	r->evidence.take = take_evidence;
	r->evidence.user = r;
	r->evidence.status = proc_asking_begin(&r->evidence);
	proc_refresh_begin(&r->refresh, run, !r->is_requested);
}

static struct proc_entry *entries_of(const struct proc_reader *r, size_t *count)
{
	*count = r->entries.size / sizeof(struct proc_entry);
	return (void *)r->entries.data;
}

static struct proc_slow_reads query_of(
	const struct proc_reader *r, const struct proc_entry *e, uint8_t wants)
{
	struct proc_slow_reads q = {
		.id = e->figures.id, .wants = wants, .agents = r->look.agents
	};

	if (e->figures.environment_to > e->figures.environment_from)
		q.environment_bytes = e->figures.environment_to - e->figures.environment_from;
	return q;
}

/* Evidence is asked for while further ones are added. */
void proc_reader_add(struct proc_reader *r, const struct proc_values *figures, int process)
{
	struct proc_entry e = { .figures = *figures };
	struct proc_slow_reads q;
	size_t count;
	const struct proc_entry *before = entries_of(r, &count);
	uint32_t index = (uint32_t)count;

	proc_recognition_note(&r->look, &e);
	if (!proc_refresh_recall(&r->refresh, &e))
		proc_recognition_at(&r->look, &e, process, before, count);
	buffer_append(&r->entries, &e, sizeof(e));
	if (!e.wants || buffer_failed(&r->entries))
		return;
	q = query_of(r, &e, e.wants);
	buffer_append(&r->asked, &index, sizeof(index));
	if (!buffer_failed(&r->asked))
		proc_asking_add(&r->evidence, &q);
}

/* --- the second, once all are there --- */

static void ask(struct proc_reader *r, size_t entry, uint8_t wants)
{
	const struct proc_entry *e = (const struct proc_entry *)(void *)r->entries.data + entry;
	struct proc_slow_reads q = query_of(r, e, wants);
	uint32_t index = (uint32_t)entry;

	buffer_append(&r->questions, &q, sizeof(q));
	buffer_append(&r->asked, &index, sizeof(index));
}

static int put_questions(struct proc_reader *r,
	void (*take)(void *user, size_t i, struct proc_slow_reads *answer), void *user)
{
	size_t count = r->questions.size / sizeof(struct proc_slow_reads);

	if (buffer_failed(&r->questions) || buffer_failed(&r->asked))
		return -ENOMEM;
	if (!count)
		return 0;
	return proc_questions_ask(
		(const void *)r->questions.data, count, &r->timeout, &r->blocked, take, user);
}

static struct proc_entry *entry_requested(const struct proc_reader *r, size_t question)
{
	return (struct proc_entry *)(void *)r->entries.data +
	       ((const uint32_t *)(const void *)r->asked.data)[question];
}

static void take_evidence(void *user, size_t i, struct proc_slow_reads *answer)
{
	struct proc_reader *r = user;
	struct proc_entry *e = entry_requested(r, i);
	struct span arguments = { (const char *)answer->arguments.data, answer->arguments.size };
	struct span directory = { 0 };
	_cleanup_close_ int process = -1;
	struct program_facts facts;

	e->is_bearer = answer->markers.size > 0;
	if (answer->markers_state)
		e->is_plain = false; /* there may be some */
	if (!(e->wants & PROC_WANT_ARGUMENTS))
		return;
	e->is_unread = answer->arguments_state == BLOCKED;
	process = procfs_open((pid_t)e->figures.id.pid);
	if (process < 0)
		return;
	if (!procfs_link_at(process, "cwd", &r->scratch))
		directory = span_of((const char *)r->scratch.data, r->scratch.size);
	proc_recognition_program(&r->look, e, process, arguments, directory, &facts);
	proc_recognition_recognise(&r->look, e, arguments, directory, &facts);
	/* A title may be written over the arguments, soon after the start; comm changes with it, or
	 * whoever is called so later goes unseen until the next exec. */
	e->is_plain = !e->agent && !answer->arguments_state && !answer->markers_state &&
		      !proc_detached_is_young(&e->figures);
}

static void take_calling(void *user, size_t i, struct proc_slow_reads *answer)
{
	struct proc_entry *e = entry_requested(user, i);

	e->is_detached = answer->may_be_server;
	e->is_no_server = !e->is_detached && !proc_detached_is_young(&e->figures);
}

static int resolve_interest(struct proc_reader *r)
{
	size_t count;
	struct proc_entry *all = entries_of(r, &count);
	int status;

	proc_selection_find(all, count);
	buffer_reset(&r->questions);
	buffer_reset(&r->asked);
	for (size_t i = 0; i < count; i++) {
		/* Whoever explains has to know that somebody may be an agent, and was not read. */
		all[i].is_detached = !all[i].is_close &&
				     (r->is_requested || (all[i].is_unread && !all[i].agent));
		if (!r->is_requested && proc_detached_is_candidate(all, count, &all[i]))
			ask(r, i, PROC_WANT_CALLING);
	}
	status = put_questions(r, take_calling, r);
	if (!r->is_requested)
		proc_detached_below(all, count);
	return status;
}

/* --- writing --- */

static void write_brief(struct proc_reader *r, struct backend_run *run, const struct proc_entry *e)
{
	bool is_refused = e->has_executable &&
			  e->executable_state == SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION);

	/* Whoever explains has to know that it was not told from an agent. */
	proc_record_brief(run, &e->figures, user_names_get(&r->users, e->figures.uid), is_refused);
}

static void write_until(struct proc_reader *r, struct backend_run *run, size_t entry)
{
	const struct proc_entry *all = (const void *)r->entries.data;

	for (; r->written < entry; r->written++) {
		if (all[r->written].is_fresh)
			proc_refresh_write(&r->refresh, run, &all[r->written]);
		else
			write_brief(r, run, &all[r->written]);
	}
}

static struct span buffer_span(const struct buffer *b)
{
	return span_of((const char *)b->data, b->size);
}

static void write_whole(struct proc_reader *r, struct backend_run *run, struct proc_entry *e,
	const struct process_snapshot *reading, struct proc_slow_reads *answer)
{
	struct proc_particulars *p = &r->particulars;
	struct program_facts facts;

	if (!e->has_executable)
		proc_recognition_read_executable(&r->look, e, reading->process);
	p->user = user_names_get(&r->users, e->figures.uid);
	p->is_deleted = e->is_deleted;
	p->executable_state = e->executable_state;
	p->executable = proc_recognition_executable(&r->look, e);
	p->arguments_state = answer->arguments_state;
	p->arguments = buffer_span(&answer->arguments);
	proc_particulars_read(p, reading);
	proc_recognition_program(
		&r->look, e, reading->process, p->arguments, buffer_span(&p->directory), &facts);
	proc_record_whole(run, &e->figures, p, &facts);
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

static bool has_input(const struct proc_slow_reads *answer)
{
	return answer->streams[0].stream == PROC_STREAM_PIPE ||
	       answer->streams[0].stream == PROC_STREAM_SOCKET;
}

static void take_answer(void *user, size_t i, struct proc_slow_reads *answer)
{
	struct writing *w = user;
	struct proc_reader *r = w->reader;
	struct proc_entry *e = entry_requested(r, i);
	_cleanup_process_snapshot_ struct process_snapshot reading = { .process = -1 };
	size_t before;

	write_until(r, w->run, (size_t)(e - (struct proc_entry *)(void *)r->entries.data));
	r->written++;
	if (process_snapshot_open(&reading, w->run, (pid_t)e->figures.id.pid, &e->figures.id))
		return; /* it has ended, or is another user's by now */
	before = w->run->out.size;
	write_whole(r, w->run, e, &reading, answer);
	if (!buffer_failed(&w->run->out))
		proc_refresh_keep(&r->refresh, e, w->run->out.data + before,
			w->run->out.size - before, has_input(answer));
	if (e->agent && (e->role == AGENT_ROLE_MAIN || e->role == AGENT_ROLE_DAEMON))
		agent_files_tell(&r->files, w->run, &reading, e->agent, r->particulars.arguments,
			buffer_span(&r->particulars.directory));
	if (e->is_close || e->is_detached)
		proc_inputs_add(&r->links, w->run, &reading, answer, candidate_of(e));
}

static bool is_below(const void *user, const struct process_id *reader, uint32_t pid)
{
	const struct proc_reader *r = user;
	size_t count;
	const struct proc_entry *all = entries_of(r, &count);

	return proc_selection_is_below(all, count, (uint32_t)reader->pid, pid);
}

static void write_links(struct proc_reader *r, struct backend_run *run)
{
	struct proc_neighbours neighbours = { .is_own = is_below, .user = r };
	size_t count;
	const struct proc_entry *all = entries_of(r, &count);

	for (size_t i = 0; i < count; i++) {
		pid_t pid = (pid_t)all[i].figures.id.pid;

		if (all[i].is_close || all[i].is_detached)
			buffer_append(&neighbours.pids, &pid, sizeof(pid));
	}
	proc_inputs_write(&r->links, run, &neighbours);
	buffer_fini(&neighbours.pids);
}

static void add_user(struct buffer *uids, uint32_t uid)
{
	const uint32_t *all = (const void *)uids->data;

	for (size_t i = 0; i < uids->size / sizeof(uid); i++) {
		if (all[i] == uid)
			return;
	}
	buffer_append(uids, &uid, sizeof(uid));
}

/* Once, for the users whose agents these are and for who asks. */
static void emit_installs(struct proc_reader *r, struct backend_run *run)
{
	struct buffer uids = { 0 };
	size_t count;
	const struct proc_entry *all = entries_of(r, &count);
	bool has_agent = false;

	for (size_t i = 0; i < count; i++) {
		if (all[i].agent)
			add_user(&uids, all[i].figures.uid);
		has_agent |= all[i].agent != NULL;
	}
	if (!r->has_reported_installs && (has_agent || !r->is_requested)) {
		add_user(&uids, getuid());
		agent_installs_emit(
			&r->installs, run, (const void *)uids.data, uids.size / sizeof(uint32_t));
		r->has_reported_installs = true;
	}
	buffer_fini(&uids);
}

/* Of a host that is looked at whole, somebody who was asked for by pid. */
static bool is_named(const struct proc_reader *r, const struct proc_entry *e)
{
	return map_get(&r->members.processes, &e->figures.id) != NULL;
}

/* Everything of those that are close, unless it is known well enough. */
static void ask_all(struct proc_reader *r)
{
	size_t count;
	struct proc_entry *all = entries_of(r, &count);
	bool has_ended = proc_refresh_has_ended(&r->refresh);

	buffer_reset(&r->questions);
	buffer_reset(&r->asked);
	for (size_t i = 0; i < count; i++) {
		bool is_whole = all[i].is_close || all[i].is_detached;

		if (!is_whole && r->is_brief && !is_named(r, &all[i]))
			continue;
		all[i].is_fresh = proc_refresh_is_fresh(&r->refresh, &all[i], has_ended);
		if (all[i].is_fresh)
			continue;
		ask(r, i,
			is_whole ? PROC_WANT_ARGUMENTS | PROC_WANT_MARKERS | PROC_WANT_ROOT |
					   PROC_WANT_STREAMS
				 : PROC_WANT_ARGUMENTS);
	}
}

int proc_reader_end(struct proc_reader *r, struct backend_run *run, struct sooth_error *err)
{
	struct writing writing = { r, run };
	size_t count;
	const struct proc_entry *all = entries_of(r, &count);
	int status = proc_asking_end(&r->evidence);

	if (buffer_failed(&r->entries) || buffer_failed(&r->look.texts) || buffer_failed(&r->asked))
		return error_no_memory(err);
	if (!status)
		status = resolve_interest(r);
	ask_all(r);
	if (!status)
		status = put_questions(r, take_answer, &writing);
	write_until(r, run, count);
	write_links(r, run);
	emit_installs(r, run);
	if (!r->is_requested) /* those are looked at as a whole each time */
		proc_recognition_keep(&r->look, all, count);
	return status ? error_errno(err, status, "read processes in /proc") : 0;
}

/* In a pid namespace there are others outside; where /proc is mounted so, those of other users are
 * hidden, the first process among them (hidepid in proc(5)). */
static void look_what_is_hidden(const struct os *os, struct proc_snapshot *snapshot)
{
	struct sooth_error ignored;

	snapshot->hides_users = access("/proc/1/stat", R_OK) != 0;
	snapshot->is_partial = snapshot->hides_users || need_pid_namespace.test(os, &ignored);
}

void proc_reader_snapshot(struct proc_reader *r, struct backend_run *run)
{
	struct proc_snapshot snapshot = { .from_ns = r->from_ns,
		.is_of_host = run->options.is_host };

	if (snapshot.is_of_host)
		look_what_is_hidden(run->os, &snapshot);
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
