/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/waits/wait_sentences.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "analyze/waits/wait_ipc_text.h"
#include "analyze/waits/wait_runtime.h"
#include "analyze/waits/wait_lookup.h"
#include "analyze/waits/wait_pace.h"
#include "analyze/waits/wait_postgres.h"
#include "analyze/waits/wait_terminal_text.h"
#include "base/cleanup.h"
#include "base/units.h"
#include "probes/fds.h"
#include "probes/syscall_names.h"

#define DNS_PORT  53
#define MINUTE_NS (60 * NS_PER_S)
#define HOUR_NS	  (60 * MINUTE_NS)
#define DAY_NS	  (24 * HOUR_NS)

const char *wait_duration(char out[WAIT_DURATION_SIZE], uint64_t ns)
{
	unsigned long long minutes = ns / MINUTE_NS;

	if (ns < NS_PER_S)
		snprintf(out, WAIT_DURATION_SIZE, "%.1f s", (double)ns / (double)NS_PER_S);
	else if (ns < 2 * MINUTE_NS)
		snprintf(out, WAIT_DURATION_SIZE, "%llu s", (unsigned long long)(ns / NS_PER_S));
	else if (ns < HOUR_NS)
		snprintf(out, WAIT_DURATION_SIZE, "%llu min", minutes);
	else if (ns < DAY_NS && minutes % 60)
		snprintf(out, WAIT_DURATION_SIZE, "%llu h %llu min", minutes / 60, minutes % 60);
	else if (ns < 2 * DAY_NS)
		snprintf(out, WAIT_DURATION_SIZE, "%llu h", minutes / 60);
	else
		snprintf(out, WAIT_DURATION_SIZE, "%llu d", (unsigned long long)(ns / DAY_NS));
	return out;
}

static void put_span(struct buffer *out, struct span text)
{
	buffer_append(out, text.data, text.size);
}

static void put_party_or(struct buffer *out, const struct wait_link *link, const char *unknown)
{
	if (link->party)
		wait_put_party(out, link);
	else
		buffer_string(out, unknown);
}

static void put_thread(struct buffer *out, const struct wait_graph *g, const struct wait_link *link)
{
	const struct waits_party *p = link->party;
	const struct waits_thread *t;

	t = wait_graph_thread_of(g, link->process->node_pid, p->party_tid);
	if (!t) {
		buffer_format(out, "thread %u, which has ended", p->party_tid);
	} else if (p->party_tid == link->process->node_pid) {
		buffer_format(out, "its main thread (%u)", p->party_tid);
	} else {
		buffer_string(out, "its thread ");
		wait_put_name(out, &t->record, &t->name, p->party_tid);
	}
}

/* Appends the sentence for an output that was left open; false: the wait is another one. */
static bool put_left_output(
	struct buffer *out, const struct wait_graph *g, const struct wait_link *link)
{
	if (!wait_is_left_output(g, link))
		return false;
	buffer_string(out, "waits for an output to close: its command has ended, but left ");
	wait_put_party(out, link);
	buffer_format(out, " running, which still has the output open, as descriptor %u",
		link->party->fd);
	return true;
}

static bool is_dns(const struct waits_object *o)
{
	return o && (o->type == FDS_UDP || o->type == FDS_TCP) && o->peer_port == DNS_PORT;
}

/* --- one sentence a kind --- */

/* The ends of a queue are not counted, as those of a pipe are: it fills with or without a reader.
 */
static void put_queue(struct buffer *out, const struct wait_graph *g, const struct wait_link *link)
{
	bool writes = link->what == WAIT_PIPE_WRITE;
	bool is_alone = !link->party && wait_graph_ends_state(g) != SOOTH_STATE_TRUNCATED;

	buffer_string(out, writes ? "is blocked writing to the POSIX queue"
				  : "waits for a message of the "
				    "POSIX queue");
	wait_put_object(out, link, " ");
	buffer_string(out, writes ? ", which is full: " : ": ");
	if (is_alone)
		buffer_format(out, "no other process %suses it",
			wait_graph_ends_state(g) ? "that sooth may read " : "");
	else
		put_party_or(out, link, writes ? "its reader" : "its writer");
	if (!is_alone)
		buffer_string(out, writes ? " does not read" : " sends none");
}

static void put_unread_output(
	struct buffer *out, const struct wait_graph *g, const struct wait_link *link)
{
	if (wait_first_object(g, link->thread, WAITS_ROLE_OUTPUT))
		buffer_format(out,
			", while no process %sreads its own output any more: it will notice when "
			"it writes",
			wait_graph_ends_state(g) ? "that sooth may read " : "");
}

static void put_pipe(struct buffer *out, const struct wait_graph *g, const struct wait_link *link)
{
	bool writes = link->what == WAIT_PIPE_WRITE;
	bool is_fifo = link->object && link->object->type == FDS_FIFO;
	bool is_known = link->party && link->party->party_pid;
	bool is_own = link->party && link->party->party_pid == link->process->node_pid;

	if (link->object && wait_is_terminal_master(link->object)) {
		pty_master_text(out, g, link);
		return;
	}
	if (link->object && link->object->type == FDS_QUEUE) {
		put_queue(out, g, link);
		return;
	}
	if (!writes && put_left_output(out, g, link))
		return;
	if (is_own && writes)
		buffer_string(out, "is blocked writing to a pipe that only the process itself "
				   "can read");
	else if (is_own)
		buffer_string(out, "waits for data from a pipe that only the process itself can "
				   "write to");
	else if (writes && wait_is_paced(g, link)) {
		buffer_string(out, "writes to a pipe as fast as ");
		put_party_or(out, link, "its reader");
		buffer_string(out, " reads");
	} else if (writes) {
		buffer_format(out, "is blocked writing to a pipe%s: ", wait_error_output(link));
		put_party_or(out, link, "its reader");
		buffer_string(out, " does not read");
	} else if (!is_known) {
		buffer_string(
			out, is_fifo ? "waits for data from a FIFO" : "waits for data from a pipe");
	} else {
		buffer_string(out, "waits for data from ");
		wait_put_party(out, link);
		buffer_string(out, is_fifo ? "" : " through a pipe");
		put_unread_output(out, g, link);
	}
	if (is_fifo)
		wait_put_object(out, link,
			writes || is_own ? ", FIFO "
			: is_known	 ? " through FIFO "
					 : " ");
	if (!writes && !is_own && !is_known)
		buffer_string(out, ": its writer is not known");
}

static void put_socket_read(
	struct buffer *out, const struct wait_graph *g, const struct wait_link *link)
{
	const struct waits_object *o = link->object;

	if (put_left_output(out, g, link))
		return;
	if (is_dns(o)) {
		buffer_string(out, "waits for an answer of the name server");
		wait_put_object(out, link, " ");
		return;
	}
	if (link->party) {
		buffer_string(out, link->wants_request ? "waits for a request of " : "waits for ");
		wait_put_party(out, link);
		wait_put_object(out, link, " on ");
	} else {
		buffer_string(out, "waits for data");
		wait_put_object(
			out, link, o && o->type == FDS_UDP && !o->peer.size ? " on " : " from ");
		if (wait_is_half_open(link))
			buffer_string(out, ": the other end is gone, no data will come");
	}
	if (link->party && link->party->relation == WAITS_RELATION_LISTENER) {
		buffer_string(out, ", which has not accepted the connection");
		return;
	}
	if (o && !o->socket_state_state && o->type == FDS_TCP && o->send_queue)
		buffer_format(out, " (%llu bytes sent are not acknowledged)",
			(unsigned long long)o->send_queue);
}

static void put_socket_write(
	struct buffer *out, const struct wait_graph *g, const struct wait_link *link)
{
	bool paced = wait_is_paced(g, link);

	buffer_string(out, paced ? "sends data" : "is blocked sending");
	buffer_string(out, wait_error_output(link));
	wait_put_object(out, link, " to ");
	buffer_string(out, paced ? " as fast as " : ": ");
	put_party_or(out, link, "the peer");
	buffer_string(out, paced ? " reads" : " does not read");
}

static void put_connect(
	struct buffer *out, const struct wait_graph *g, const struct wait_link *link)
{
	const struct waits_object *o = link->object;

	(void)g;
	buffer_string(out, is_dns(o) ? "connects to the name server" : "connects");
	wait_put_object(out, link, is_dns(o) ? " " : " to ");
	if (link->party) {
		buffer_string(out, ": ");
		wait_put_party(out, link);
		buffer_string(out, " has not accepted the connection");
	} else {
		buffer_string(out, ": no answer");
	}
}

static void put_heir(struct buffer *out, const struct waits_party *p)
{
	if (p->source == WAITS_SOURCE_INHERITED)
		buffer_string(out, ", inherited from a process that has ended");
}

static bool is_lease(const struct wait_link *link)
{
	const struct waits_thread *t = link->thread;

	return t && waits_is_lease(record_text(&t->record, &t->wait_channel));
}

static void put_lock(struct buffer *out, const struct wait_graph *g, const struct wait_link *link)
{
	const struct waits_party *p = link->party;
	bool is_own = p && p->party_pid == link->process->node_pid;

	(void)g;
	if (link->is_polling) {
		buffer_string(out, "sleeps and tries again: ");
		if (p->party_pid)
			wait_put_party(out, link);
		else
			buffer_string(out, "another process");
		buffer_string(out, p->party_pid && !p->is_alive ? ", has a lock" : " has a lock");
		wait_put_object(out, link, " on ");
		put_heir(out, p);
		return;
	}
	if (p && is_lease(link)) {
		buffer_string(out, "waits until ");
		wait_put_party(out, link);
		buffer_string(out, " gives up its lease");
		wait_put_object(out, link, " on ");
		return;
	}
	buffer_string(out, "waits for a lock");
	wait_put_object(out, link, " on ");
	if (!p) {
		buffer_string(out, ": its holder is not known");
		return;
	}
	buffer_string(out, " held by ");
	if (is_own && p->fd)
		buffer_format(out, "its own descriptor %u", p->fd);
	else
		wait_put_party(out, link);
	put_heir(out, p);
	if (is_own)
		buffer_string(out, ": it waits for itself");
}

static void put_lock_file(
	struct buffer *out, const struct wait_graph *g, const struct wait_link *link)
{
	const struct waits_party *p = link->party;

	(void)g;
	buffer_format(out, "sleeps for short times; the lock %s ",
		p->source == WAITS_SOURCE_DIRECTORY ? "directory" : "file");
	put_span(out, record_text(&p->record, &p->detail));
	buffer_string(out, " is there");
	if (p->party_pid && !p->is_alive) {
		buffer_format(out, ", of process %u, which is gone", p->party_pid);
	} else if (p->party_pid) {
		buffer_string(out, ", of ");
		wait_put_party(out, link);
	}
}

static void put_sleep(struct buffer *out, const struct wait_graph *g, const struct wait_link *link)
{
	const struct waits_thread *t = link->thread;
	char left[WAIT_DURATION_SIZE], all[WAIT_DURATION_SIZE];
	unsigned long long ms;
	bool is_begin;

	(void)g;
	buffer_string(out, "sleeps");
	if (!t || t->timeout_state)
		return;
	ms = (t->timeout_ns + NS_PER_MS / 2) / NS_PER_MS;
	wait_duration(all, t->timeout_ns);
	wait_duration(left, t->timeout_ns > t->since_ns ? t->timeout_ns - t->since_ns : 0);
	is_begin = !strcmp(left, all);
	if (t->timeout_ns < NS_PER_S)
		buffer_format(out, " for %s%llu ms at a time", ms ? "" : "less than ", ms ? ms : 1);
	else if (t->timeout_ns < 2 * NS_PER_S)
		buffer_format(out, " for %s at a time", all);
	else if (t->since_state)
		buffer_format(out, " for %s, since when is not known", all);
	else
		buffer_format(
			out, ": %s%s%s left", left, is_begin ? "" : " of ", is_begin ? "" : all);
}

static void put_runs(struct buffer *out, const struct wait_graph *g, const struct wait_link *link)
{
	uint32_t pid = link->process->node_pid;
	double cpu = link->thread ? wait_graph_thread_cpu(g, link->thread) : -1;

	if (cpu < 0)
		cpu = link->cpu_percent >= 0 ? link->cpu_percent : wait_graph_cpu(g, pid);
	if (cpu < 0) {
		buffer_string(out, "runs");
		return;
	}
	buffer_format(out, "runs: %.0f %% of a CPU in %s", cpu,
		wait_graph_user_share(g, pid) >= 0.5 ? "user mode" : "the kernel");
}

static void put_call(struct buffer *out, const struct wait_link *link, const char *before)
{
	const struct waits_thread *t = link->thread;
	char call[SYSCALL_NAME_SIZE];
	struct span channel;

	if (!t)
		return;
	channel = record_text(&t->record, &t->wait_channel);
	if (!t->call_state) {
		syscall_name(t->abi, t->syscall, call);
		buffer_format(out, "%s%s", before, call);
	} else if (channel.size) {
		buffer_format(out, "%s%.*s", before, (int)channel.size, channel.data);
	}
}

static void put_mutex(struct buffer *out, const struct wait_graph *g, const struct wait_link *link)
{
	bool is_gone = wait_is_left_mutex(link) || wait_is_abandoned(g, link);

	if (!is_gone && (link->party->relation == WAITS_RELATION_LOCK || !link->party->party_pid)) {
		buffer_string(out, "waits for a mutex in shared memory held by ");
		wait_put_party(out, link);
		return;
	}
	if (!wait_put_runtime_lock(out, link))
		buffer_string(out, "waits for a mutex held by ");
	put_thread(out, g, link);
	if (is_gone)
		buffer_string(out, ": nothing can release it");
}

static bool name_begins_with(const struct waits_process *p, const char *prefix)
{
	return span_starts(record_text(&p->record, &p->name), prefix);
}

static void put_all_threads(
	struct buffer *out, const struct wait_graph *g, const struct wait_link *link)
{
	(void)g;
	buffer_format(out, "waits for %s: all %u threads wait, and none can wake another",
		name_begins_with(link->process, "python") ? "a lock of Python (threading)"
							  : "its own locks",
		link->count);
}

static void put_database(
	struct buffer *out, const struct wait_graph *g, const struct wait_link *link)
{
	const struct waits_party *p = link->party;

	(void)g;
	wait_database_text(out, link);
	if (!p || !p->party_pid)
		return;
	wait_put_party(out, link);
	if (wait_is_of_commit(p))
		buffer_string(out, ", which has not ended its COMMIT");
	else if (wait_is_of_work(p))
		buffer_string(out, ", which is within a command");
	else if (!span_equal(record_text(&p->record, &p->detail), "stopped"))
		buffer_string(out,
			p->confidence > WAITS_LOW ? ", idle in transaction" : " (an idle session)");
}

void wait_put_user(struct buffer *out, const struct wait_graph *g, const struct wait_link *link)
{
	assert(link);

	const struct waits_process *user = wait_graph_process(g, link->object->node_pid);

	if (!user || user == link->process)
		return;
	wait_put_process(out, user);
	buffer_string(out, " of its job ");
}

static void put_stopped(
	struct buffer *out, const struct wait_graph *g, const struct wait_link *link)
{
	const struct waits_process *p = link->process;

	if (link->what == WAIT_STOPPED_BY_TERMINAL) {
		buffer_string(out, "is stopped by its terminal: it runs in the background and ");
		wait_put_user(out, g, link);
		buffer_string(out, "used ");
		wait_object_text(out, link);
		return;
	}
	buffer_string(
		out, p->terminal && p->process_group != p->terminal_group
			     ? "is stopped (Ctrl-Z or SIGSTOP), in the background of its terminal"
			     : "is stopped by a signal (SIGSTOP)");
}

static void put_events(struct buffer *out, const struct wait_graph *g, const struct wait_link *link)
{
	(void)g;
	if (link->count)
		buffer_format(out, "waits for events on %u descriptor%s", link->count,
			link->count == 1 ? "" : "s");
	else
		buffer_string(out, "waits for events");
}

/* Returns whether the party is a child: a pidfd may refer to any process. */
static bool is_child(const struct wait_graph *g, const struct wait_link *link)
{
	const struct waits_process *p = wait_graph_process(g, link->party->party_pid);

	return !p || !p->ppid || p->ppid == link->process->node_pid;
}

static void put_child(struct buffer *out, const struct wait_graph *g, const struct wait_link *link)
{
	if (!link->party) {
		buffer_string(out, "waits for a child");
		return;
	}
	buffer_string(out, is_child(g, link) ? "waits for its child " : "waits for the end of ");
	wait_put_party(out, link);
}

static void put_zombie(struct buffer *out, const struct wait_graph *g, const struct wait_link *link)
{
	(void)g;
	buffer_string(out, "has ended");
	if (!link->party)
		return;
	buffer_string(out, "; its parent ");
	wait_put_party(out, link);
	buffer_string(out, " has not reaped it");
}

static void put_debugger(
	struct buffer *out, const struct wait_graph *g, const struct wait_link *link)
{
	(void)g;
	buffer_string(out, "is stopped by ");
	put_party_or(out, link, "a debugger");
	buffer_string(out, ", which traces it");
}

static void put_fifo_open(
	struct buffer *out, const struct wait_graph *g, const struct wait_link *link)
{
	(void)g;
	buffer_string(out, "opens the FIFO");
	wait_put_object(out, link, " ");
	buffer_string(out, ": no process has the other end open");
}

/* Appends "waits until avscand (7) permits its access to /v/a". */
static void put_permission(struct buffer *out, const struct wait_link *link)
{
	buffer_string(out, "waits until ");
	put_party_or(out, link, "another process");
	buffer_string(out, " permits its access to ");
	if (link->object)
		wait_put_object(out, link, "");
	else
		buffer_string(out, "a file");
	buffer_string(out, " (fanotify)");
}

/* Appends "waits for /v/a on the mount /v, served by stackfs (7)"; false: the mount is not
 * known. */
static bool put_mount(struct buffer *out, const struct wait_graph *g, const struct wait_link *link)
{
	const struct waits_party *server =
		link->thread ? wait_server_of(g, link->process->node_pid, link->thread->record.tid)
			     : NULL;
	struct span point = server ? record_text(&server->record, &server->detail) : span_of("", 0);
	bool is_own = server && server->party_pid == link->process->node_pid;

	if (!point.size)
		return false;
	buffer_string(out, link->party ? "waits for " : "waits for the server of ");
	if (link->party && link->object && !is_own) {
		wait_put_object(out, link, "");
		buffer_string(out, " on ");
	}
	buffer_format(out, "the mount %.*s%s", (int)point.size, point.data,
		is_own	      ? ", which it serves itself"
		: link->party ? ", served by "
			      : "");
	if (link->party && !is_own)
		wait_put_party(out, link);
	if (!link->party)
		wait_put_object(out, link, ", for ");
	return true;
}

static void put_io(struct buffer *out, const struct wait_graph *g, const struct wait_link *link)
{
	if (wait_is_for_memory(link->thread)) {
		buffer_string(out, "waits for memory: its control group is at its limit, where no "
				   "process is killed (memory.oom_control)");
		return;
	}
	if (link->what == WAIT_IO) {
		buffer_string(out, "waits for the disk or file system");
		wait_put_object(out, link, ", for ");
	} else if (link->party && link->party->relation == WAITS_RELATION_GUARD) {
		put_permission(out, link);
	} else if (!put_mount(out, g, link)) {
		buffer_string(out, "waits for the server or daemon of a file system");
		wait_put_object(out, link, ", for ");
	}
	put_call(out, link, ", in ");
}

static void put_handler(
	struct buffer *out, const struct wait_graph *g, const struct wait_link *link)
{
	struct span channel = record_text(&link->thread->record, &link->thread->wait_channel);
	bool is_guess = link->party && link->confidence == WAITS_LOW;
	/* Without a PID: a process that is not known. */
	bool has_giver =
		wait_graph_party(g, link->process->node_pid, link->thread->record.tid, NULL);
	char name[SYSCALL_NAME_SIZE];

	if (!strcmp(waits_handler(channel), WAITS_SECCOMP)) {
		buffer_string(out, is_guess ? "waits until perhaps " : "waits until ");
		put_party_or(out, link, "its supervisor");
		buffer_string(out, " permits its call");
		if (!link->thread->call_state) {
			syscall_name(link->thread->abi, link->thread->syscall, name);
			buffer_format(out, " %s", name);
		}
		buffer_string(out, " (seccomp)");
		return;
	}
	buffer_string(out, "waits for a page of its memory, which ");
	if (is_guess)
		buffer_string(out, "perhaps ");
	put_party_or(out, link, has_giver ? "a process that is not known" : "no other process");
	buffer_string(out, has_giver ? " has to give (userfaultfd)" : " gives (userfaultfd)");
}

static void put_accept(struct buffer *out, const struct wait_graph *g, const struct wait_link *link)
{
	struct buffer local = { 0 };

	(void)g;
	buffer_string(out, "waits for connections");
	if (link->object)
		put_span(&local, record_text(&link->object->record, &link->object->local));
	if (local.size)
		buffer_format(out, " on %s", buffer_cstr(&local));
	buffer_fini(&local);
}

static void put_thread_end(
	struct buffer *out, const struct wait_graph *g, const struct wait_link *link)
{
	buffer_string(out, "waits for the end of ");
	put_thread(out, g, link);
}

/* Kinds whose sentence is always the same. */
static const char *const fixed[WAIT_WHATS] = {
	[WAIT_READY] = "could run, but gets no CPU",
	[WAIT_SIGNAL] = "waits for a signal",
	[WAIT_TIMER] = "waits for a timer",
	[WAIT_FILE_CHANGES] = "waits for changes of files",
	[WAIT_IO_URING] = "waits for requests of io_uring to complete",
	[WAIT_FROZEN] = "is frozen by its control group",
	[WAIT_KERNEL_THREAD] = "is a kernel thread and waits for work",
};

static void put_condition(
	struct buffer *out, const struct wait_graph *g, const struct wait_link *link)
{
	(void)g;
	const char *of_runtime = wait_runtime_text(link->thread);

	if (of_runtime)
		buffer_string(out, of_runtime);
	else if (link->is_inside && link->is_idle)
		buffer_string(out, "waits for work: no thread waits for a lock of Java");
	else if (link->is_inside)
		buffer_string(out, "waits inside the JVM, for work or for a lock of Java");
	else if (wait_is_of_owner(link)) {
		buffer_format(out, "waits for a lock or semaphore in shared memory that ");
		wait_put_party(out, link);
		buffer_string(out, link->confidence > WAITS_LOW
					   ? " probably has"
					   : " perhaps has, or that a process had which has ended");
	} else
		buffer_format(out,
			"waits for a lock, semaphore or condition %s: no owner is recorded",
			wait_is_shared(link) ? "that other processes can share"
					     : "inside the process");
}

typedef void (*sentence)(
	struct buffer *out, const struct wait_graph *g, const struct wait_link *link);

static const sentence sentences[WAIT_WHATS] = {
	[WAIT_RUNS] = put_runs,
	[WAIT_CHILD] = put_child,
	[WAIT_PIPE_READ] = put_pipe,
	[WAIT_PIPE_WRITE] = put_pipe,
	[WAIT_FIFO_OPEN] = put_fifo_open,
	[WAIT_SOCKET_READ] = put_socket_read,
	[WAIT_SOCKET_WRITE] = put_socket_write,
	[WAIT_CONNECT] = put_connect,
	[WAIT_ACCEPT] = put_accept,
	[WAIT_TERMINAL_READ] = wait_terminal_text,
	[WAIT_TERMINAL_WRITE] = wait_terminal_text,
	[WAIT_LOCK] = put_lock,
	[WAIT_LOCK_FILE] = put_lock_file,
	[WAIT_MUTEX] = put_mutex,
	[WAIT_THREAD_END] = put_thread_end,
	[WAIT_CONDITION] = put_condition,
	[WAIT_IPC] = wait_ipc_text,
	[WAIT_ALL_THREADS] = put_all_threads,
	[WAIT_SLEEP] = put_sleep,
	[WAIT_EVENTS] = put_events,
	[WAIT_IO] = put_io,
	[WAIT_FILE_SYSTEM] = put_io,
	[WAIT_HANDLER] = put_handler,
	[WAIT_DATABASE_LOCK] = put_database,
	[WAIT_DEBUGGER] = put_debugger,
	[WAIT_STOPPED] = put_stopped,
	[WAIT_STOPPED_BY_TERMINAL] = put_stopped,
	[WAIT_ZOMBIE] = put_zombie,
};

void wait_sentence(struct buffer *out, const struct wait_graph *g, const struct wait_link *link)
{
	assert(link);
	if (fixed[link->what])
		buffer_string(out, fixed[link->what]);
	else if (sentences[link->what])
		sentences[link->what](out, g, link);
	else {
		buffer_string(out, "is waiting, not known for what");
		put_call(out, link, ", in ");
	}
}
