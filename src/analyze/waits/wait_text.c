/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/waits/wait_text.h"

#include <assert.h>

#include "analyze/waits/wait_circle.h"
#include "analyze/waits/wait_ipc_text.h"
#include "analyze/waits/wait_lookup.h"
#include "analyze/waits/wait_postgres.h"
#include "base/cleanup.h"
#include "base/units.h"
#include "probes/fds.h"

#define SHOWN_LEAST NS_PER_S /* the length of a shorter wait is not printed */

static void put_thread_name(struct buffer *out, const struct waits_thread *t)
{
	struct span name = record_text(&t->record, &t->name);

	buffer_format(out, "%.*s (%u)", (int)name.size, name.data, t->record.tid);
}

/* Returns whether the time since the thread last ran is the length of this wait. */
static bool has_length(const struct wait_link *link)
{
	const struct waits_thread *t = link->thread;

	return t && !t->since_state && !link->is_polling && !link->is_active &&
	       t->since_ns >= SHOWN_LEAST && link->what != WAIT_RUNS && link->what != WAIT_READY &&
	       link->what != WAIT_ZOMBIE && link->what != WAIT_SLEEP &&
	       link->what != WAIT_KERNEL_THREAD;
}

/* Returns whether the timeout of the call ends with the next timer of the process. */
static bool has_own_timer(const struct wait_link *link)
{
	const struct waits_thread *t = link->thread;

	return t && link->what == WAIT_EVENTS && !link->is_active && !t->timeout_state &&
	       t->timeout_ns && !t->since_state && t->since_ns < t->timeout_ns;
}

static void put_own_timer(struct buffer *out, const struct waits_thread *t)
{
	char left[WAIT_DURATION_SIZE];

	buffer_string(out, "; a timer of its own wakes it ");
	if (t->timeout_ns >= NS_PER_S)
		buffer_format(out, "in %s", wait_duration(left, t->timeout_ns - t->since_ns));
	else
		buffer_format(out, "within %llu ms",
			(unsigned long long)((t->timeout_ns + NS_PER_MS - 1) / NS_PER_MS));
}

/* Appends ", on the standard input that it shares with python3 (7), its parent". */
static void put_sharer(struct buffer *out, const struct wait_graph *g, const struct wait_link *link)
{
	const struct waits_thread *t = link->thread;
	const struct waits_party *p = t && link->object && !link->object->fd
					      ? wait_graph_sharer(g, t->node_pid, t->record.tid, 0)
					      : NULL;
	struct span name = p ? record_text(&p->record, &p->name) : span_of("", 0);

	if (p)
		buffer_format(out,
			", on the standard input that it shares with its parent %.*s (%u)",
			(int)name.size, name.data, p->party_pid);
}

void wait_link_text(struct buffer *out, const struct wait_graph *g, const struct wait_link *link)
{
	assert(link);

	bool has_timer = has_own_timer(link);
	char length[WAIT_DURATION_SIZE];

	wait_sentence(out, g, link);
	put_sharer(out, g, link);
	if (link->is_active)
		buffer_format(out, " and uses %.0f %% of a CPU between waits", link->cpu_percent);
	/* A thread that wakes up so often is working. */
	if (has_timer && link->thread->timeout_ns < NS_PER_S) {
		put_own_timer(out, link->thread);
		return;
	}
	if (link->is_idle && link->what != WAIT_KERNEL_THREAD)
		buffer_string(out, has_length(link) ? ", idle" : " (idle)");
	if (has_length(link))
		buffer_format(out, "%s %s", link->is_idle ? "" : ",",
			wait_duration(length, link->thread->since_ns));
	if (has_timer)
		put_own_timer(out, link->thread);
}

/* --- the paragraph --- */

static void put_subject(struct buffer *out, const struct wait_chain *chain, size_t i)
{
	const struct wait_link *link = &chain->links[i];
	bool is_same = i && chain->links[i - 1].process == link->process;
	bool is_thread = link->thread && link->thread->record.tid != link->process->node_pid;

	if (i)
		buffer_string(out, "; ");
	if (is_same) {
		buffer_format(out, "thread %u ", link->thread ? link->thread->record.tid : 0);
		return;
	}
	if (i)
		buffer_format(out, "%u ", link->process->node_pid);
	else {
		wait_put_process(out, link->process);
		buffer_char(out, ' ');
	}
	if (is_thread && link->what != WAIT_ALL_THREADS) {
		buffer_string(out, "in thread ");
		put_thread_name(out, link->thread);
		buffer_char(out, ' ');
	}
}

static void put_chain_end(struct buffer *out, const struct wait_chain *chain)
{
	const struct wait_link *last = &chain->links[chain->count - 1];

	if (wait_chain_confidence(chain) == WAITS_LOW &&
		(last->repeats || last->what == WAIT_ALL_THREADS))
		buffer_string(out, ": perhaps a deadlock");
	else if (last->repeats)
		buffer_string(out, chain->count - chain->circle > 1
					   ? ": a deadlock, none of them can go on"
					   : ": a deadlock, it cannot go on");
	else if (last->what == WAIT_ALL_THREADS)
		buffer_string(out, ": a deadlock");
}

const char *stopped_process_text(const struct wait_link *link)
{
	assert(link);
	switch (link->what) {
	case WAIT_STOPPED:
		return "stopped by a signal";
	case WAIT_STOPPED_BY_TERMINAL:
		return "stopped by its terminal";
	case WAIT_FROZEN:
		return "frozen by its control group";
	default:
		return NULL;
	}
}

#define KEPT_LEAST (5 * NS_PER_S) /* least time without output */
#define READ_LEAST (3 * NS_PER_S) /* least time for which the reader read nothing earlier */

/* Appends how to make a program write each line at once. */
static void put_unbuffered(struct buffer *out, struct span name)
{
	if (span_equal(name, "grep"))
		buffer_string(out, "grep --line-buffered");
	else if (span_equal(name, "sed"))
		buffer_string(out, "sed -u");
	else if (span_starts(name, "python"))
		buffer_string(out, "python -u");
	else
		buffer_format(out, "stdbuf -oL %.*s", (int)name.size, name.data);
}

void wait_put_unflushed(struct buffer *out, const struct wait_link *keeper)
{
	uint16_t bytes = keeper->thread->unflushed_bytes;

	buffer_format(out, "%s%u bytes of output to a buffer of its own",
		bytes == UINT16_MAX ? "at least " : "", bytes);
}

static void put_unflushed(struct buffer *out, const struct wait_link *keeper)
{
	buffer_format(out, "; %u has written ", keeper->process->node_pid);
	wait_put_unflushed(out, keeper);
	buffer_string(out, ", and not flushed them (");
	put_unbuffered(out, record_text(&keeper->process->record, &keeper->process->name));
	buffer_string(out, " writes each line)");
}

/* Returns whether the process has run since the reader last got data from it. */
static bool has_run_since(const struct wait_link *reader, const struct wait_link *writer)
{
	if (!reader->thread || reader->thread->since_state ||
		reader->thread->since_ns < KEPT_LEAST || !writer->thread)
		return false;
	return writer->what == WAIT_RUNS ||
	       (!writer->thread->since_state &&
		       writer->thread->since_ns + READ_LEAST <= reader->thread->since_ns);
}

/* Returns whether this may be a program of Python that prints into the buffer that it has for a
 * pipe. */
static bool may_buffer(const struct wait_link *reader, const struct wait_link *writer)
{
	const struct waits_process *p = writer->process;

	return wait_is_output_of(reader->party) &&
	       (writer->what == WAIT_RUNS || writer->what == WAIT_SLEEP) &&
	       span_starts(record_text(&p->record, &p->name), "python") &&
	       !span_contains(record_text(&p->record, &p->title), " -u");
}

/* Appends that a process ran and wrote nothing while its reader waited: a filter in a pipeline that
 * read its input, or a program with output in its buffer. */
static void put_unwritten_output(struct buffer *out, const struct wait_chain *chain)
{
	const struct wait_link *reader = &chain->links[0], *writer = &chain->links[1];
	bool is_filter, is_known;

	if (chain->keeper) {
		put_unflushed(out, chain->keeper);
		return;
	}
	if (chain->count < 2 || chain->is_deadlock || chain->is_exchange ||
		reader->what != WAIT_PIPE_READ || !has_run_since(reader, writer))
		return;
	is_filter = writer->what == WAIT_PIPE_READ;
	is_known = !writer->thread->unflushed_state && writer->thread->unflushed_bytes;
	if (is_known && (is_filter || wait_is_output_of(reader->party))) {
		put_unflushed(out, writer);
		return;
	}
	if (!is_filter && !may_buffer(reader, writer))
		return;
	buffer_format(out,
		"; %u has %s since and written nothing to it: %s, or it keeps its "
		"output in a buffer (",
		writer->process->node_pid, is_filter ? "read" : "run",
		is_filter ? "nothing matched" : "it has nothing to say");
	put_unbuffered(out, record_text(&writer->process->record, &writer->process->name));
	buffer_string(out, " writes each line)");
}

void wait_chain_text(struct buffer *out, const struct wait_graph *g, const struct wait_chain *chain)
{
	assert(chain);
	if (chain->count) {
		put_subject(out, chain, 0);
		wait_link_text(out, g, &chain->links[0]);
	}
	wait_chain_rest(out, g, chain);
}

/* Returns whether a process at rest is asked by the previous link, which made the connection. */
static bool is_asked(const struct wait_link *asks, const struct wait_link *link)
{
	return asks->what == WAIT_SOCKET_READ && wait_is_outgoing(asks->object) && link->is_idle &&
	       link->process != asks->process;
}

/* Returns whether the server watches its end of the TCP connection and has read all of it. */
static bool has_taken(
	const struct wait_graph *g, const struct wait_link *asks, const struct wait_link *server)
{
	const struct waits_object *asked = asks->object;

	wait_threads_each (g, server->process->node_pid, t) {
		wait_objects_each (g, t, o) {
			if (wait_is_other_end(o, asked))
				return !o->receive_queue && !asked->send_queue;
		}
	}
	return false;
}

/* Appends what an idle server did about a request: a Unix socket shows only what is unread, not
 * which end sent last. */
static void put_owed(struct buffer *out, const struct wait_graph *g, const struct wait_link *asks,
	const struct wait_link *server)
{
	if (!is_asked(asks, server))
		return;
	if (asks->object->type != FDS_UNIX)
		buffer_string(out, has_taken(g, asks, server)
					   ? "has taken the request, has not answered and "
					   : "has not answered and ");
	else if (asks->object->send_queue)
		buffer_string(out, "has not read the request and ");
	else
		buffer_string(out, "has read all that came from it and ");
}

void wait_chain_rest(struct buffer *out, const struct wait_graph *g, const struct wait_chain *chain)
{
	wait_chain_after(out, g, chain, 1);
}

void wait_chain_after(
	struct buffer *out, const struct wait_graph *g, const struct wait_chain *chain, size_t from)
{
	assert(from);
	for (size_t i = from; i < chain->count; i++) {
		put_subject(out, chain, i);
		put_owed(out, g, &chain->links[i - 1], &chain->links[i]);
		wait_link_text(out, g, &chain->links[i]);
	}
	if (chain->count)
		put_chain_end(out, chain);
	put_unwritten_output(out, chain);
	if (chain->count && wait_chain_confidence(chain) == WAITS_LOW)
		buffer_string(out, " (low confidence)");
}

/* Returns whether the chain rests; a launcher rests if its child does. */
static bool is_idle(const struct wait_chain *chain)
{
	for (size_t i = 0; i + 1 < chain->count; i++) {
		if (chain->links[i].what != WAIT_CHILD)
			return false;
	}
	return chain->links[chain->count - 1].is_idle;
}

const char *wait_chain_state(const struct wait_chain *chain)
{
	assert(chain);

	const struct wait_link *first = &chain->links[0];

	if (!chain->count)
		return "ended";
	if (chain->is_deadlock && wait_chain_confidence(chain) > WAITS_LOW)
		return "deadlock";
	switch (first->what) {
	case WAIT_RUNS:
	case WAIT_READY:
		return "runs";
	case WAIT_STOPPED:
	case WAIT_STOPPED_BY_TERMINAL:
	case WAIT_FROZEN:
	case WAIT_DEBUGGER:
		return "stopped";
	case WAIT_ZOMBIE:
		return "ended";
	case WAIT_UNKNOWN:
		return "unknown";
	default:
		return first->is_active			      ? "runs"
		       : is_idle(chain) || chain->is_exchange ? "idle"
							      : "waits";
	}
}

const char *wait_chain_unknown(const struct wait_chain *chain)
{
	assert(chain);
	for (size_t i = 0; i < chain->count; i++) {
		const struct wait_link *l = &chain->links[i];

		if (l->process->detail_state && !l->process->is_kernel && l->what != WAIT_ZOMBIE &&
			(!l->thread || l->thread->call_state > SOOTH_STATE_ABSENT))
			return l->process->is_closed_to_root
				       ? "its calls and descriptors are closed to root here: it "
					 "has "
					 "capabilities that this root lacks (a container)"
				       : "calls and descriptors of another user's process need "
					 "root";
		if (l->thread &&
			l->thread->call_state == SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION) &&
			!l->party && !l->is_idle && !l->process->is_kernel)
			return "the thread's call needs root here (kernel.yama.ptrace_scope)";
	}
	return NULL;
}

static bool chain_is_closed_to_root(const struct wait_chain *chain)
{
	for (size_t i = 0; i < chain->count; i++) {
		if (chain->links[i].process->is_closed_to_root)
			return true;
	}
	return false;
}

/* Returns whether only one process is part of the deadlock. */
static bool is_of_one(const struct wait_chain *chain)
{
	const struct wait_link *last = &chain->links[chain->count - 1];

	for (size_t i = chain->circle; i < chain->count; i++) {
		if (chain->links[i].process != last->process)
			return false;
	}
	return true;
}

const char *wait_chain_way_out(const struct wait_chain *chain)
{
	return wait_circle_pipe(chain) ? "only ending all of these processes helps"
	       : is_of_one(chain)      ? "only ending the process helps"
				       : "ending one of these processes frees the others";
}

/* Appends how to resume a server that has a command to pause its clients, and owes an answer. */
static void put_paused(struct buffer *out, const struct wait_chain *chain)
{
	static const struct {
		const char *name, *waits, *resume;
	} servers[] = { { "redis-server", "BLPOP, SUBSCRIBE", "redis-cli CLIENT UNPAUSE" },
		{ "valkey-server", "BLPOP, SUBSCRIBE", "valkey-cli CLIENT UNPAUSE" },
		{ "pgbouncer", "LISTEN", "RESUME in its admin console" } };
	const struct wait_link *last = &chain->links[chain->count - 1];
	struct span name = record_text(&last->process->record, &last->process->name);

	for (size_t i = 0; chain->count > 1 && is_asked(last - 1, last) && i < ARRAY_SIZE(servers);
		i++) {
		if (span_equal(name, servers[i].name))
			buffer_format(out,
				"unless the request itself waits (%s), the clients may be paused: "
				"%s",
				servers[i].waits, servers[i].resume);
	}
}

static void put_database_remedy(struct buffer *out, const struct wait_link *last)
{
	if (wait_is_of_prepared(last))
		buffer_string(out, "SELECT gid, prepared FROM pg_prepared_xacts; ROLLBACK "
				   "PREPARED or COMMIT PREPARED ends one");
	else if (wait_is_of_standby(last))
		buffer_string(out, "SELECT * FROM pg_stat_replication shows the standbys: "
				   "start the one that is missing, or take it out of "
				   "synchronous_standby_names");
}

void wait_chain_remedy(struct buffer *out, const struct wait_chain *chain)
{
	assert(out);
	assert(chain);

	const struct wait_link *first = &chain->links[0],
			       *last = chain->count ? &chain->links[chain->count - 1] : NULL;
	unsigned pid = last ? last->process->node_pid : 0;
	size_t before = out->size;

	if (!last)
		return;
	if (wait_chain_unknown(chain)) {
		if (!chain_is_closed_to_root(chain))
			buffer_format(out, "sudo sooth why %u", first->process->node_pid);
		return;
	}
	switch (last->what) {
	case WAIT_STOPPED:
		buffer_format(out, "sooth thaw --any %u resumes it", pid);
		break;
	case WAIT_STOPPED_BY_TERMINAL:
		buffer_format(out,
			"bring it to the foreground with fg in its shell (%u); sooth "
			"thaw does not help: it would stop again",
			last->process->ppid);
		break;
	case WAIT_CONDITION:
		if (last->is_inside && !last->is_idle)
			buffer_format(out, "jstack %u shows what each thread waits for", pid);
		break;
	case WAIT_IPC:
		if (wait_is_left_semaphore(last))
			buffer_format(out,
				"ipcs -s -i %d shows its values; a program that uses SEM_UNDO "
				"gives it back when it ends",
				(int)last->thread->arguments[0]);
		break;
	case WAIT_DATABASE_LOCK:
		put_database_remedy(out, last);
		break;
	case WAIT_TERMINAL_READ:
		if (!chain->is_deadlock)
			buffer_string(out, wait_is_pager(last->process)
						   ? "press q in its terminal"
						   : "answer it in its terminal");
		break;
	default:
		if (wait_is_half_open(last))
			buffer_format(out,
				"end the request, or process %u; a time limit for answers, or "
				"keep-alive probes (SO_KEEPALIVE), would have ended it",
				pid);
		else
			put_paused(out, chain);
		break;
	}
	if (out->size == before && chain->is_deadlock && wait_chain_confidence(chain) > WAITS_LOW)
		buffer_format(out, "%s: sooth kill --any %u", wait_chain_way_out(chain), pid);
}
