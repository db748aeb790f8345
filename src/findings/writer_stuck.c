/* SPDX-License-Identifier: BSD-2-Clause */
/* writer-stuck: a thread was blocked writing to a pipe or local socket for the whole observation,
 * mostly because a parent waits for its child to exit and does not read the child's output.
 * stream-stalled covers TCP. */
#include <string.h>

#include "analyze/diagnosis/check_waits.h"
#include "analyze/waits/wait_text.h"
#include "probes/syscall_names.h"

#define ERROR_OUTPUT	 2 /* descriptor of standard error */
#define HOLDERS_REPORTED 4

NUMBER(SLOW_MOST, 20, NONE, "waits a second; a pipeline at work has more");
NUMBER(BUSY_PERCENT, 10, PERCENT, "of a CPU: the reader or writer works");

static const struct finding_option options[] = {
	TIME_THRESHOLD("min-time", 3e9, 1e6, 86400e9, "minimum time a thread is blocked writing"),
	THRESHOLD("min-readings", 3, 2, 500,
		"minimum number of samples that show the thread in the same wait"),
	TIME_THRESHOLD("min-time-computing", 30e9, 1e6, 86400e9,
		"minimum time that a thread is blocked writing while the reader computes"),
};

struct stuck {
	unsigned threads, stuck;
	uint8_t unseen; /* reason why one thread could not be diagnosed; 0: all could be */
	const struct thread_history *first;  /* the first stuck thread */
	const struct thread_history *slowed; /* the first thread that its reader slows down */
};

/* --- which thread --- */

static bool writes_data(const struct thread_history *t)
{
	const struct syscall_row *row = syscall_row_of(t->calls[0].abi, t->calls[0].syscall);

	if (t->waits[THREAD_WAIT_DATA] != t->met || t->calls[0].input != t->met)
		return false;
	return row->transfer.direction == SYSCALL_WRITES || row->traits & SYSCALL_WRITES_MANY;
}

static bool has_reader(const struct fds_descriptor *d)
{
	return d && (d->type == FDS_PIPE || d->type == FDS_FIFO || d->type == FDS_UNIX ||
			    d->type == FDS_QUEUE);
}

static bool is_blocked(const struct check *e, const struct thread_history *t)
{
	return t->met >= check_option(e, "min-readings") &&
	       (double)thread_history_ns(t) >= check_option(e, "min-time") &&
	       t->sleeping == t->met && writes_data(t) &&
	       has_reader(check_descriptor(e, t->waiting.descriptor));
}

/* Returns whether a blocked thread made progress in a few moments. */
static bool is_slowed(const struct thread_history *t)
{
	double voluntary = thread_history_voluntary(t), cpu = thread_history_cpu(t);

	return voluntary >= 0 && voluntary <= SLOW_MOST && cpu >= 0 && cpu < BUSY_PERCENT;
}

static void find_stuck(const struct check *e, struct stuck *s)
{
	thread_histories_for_each (&e->input->threads, &e->id, t) {
		s->threads++;
		if (thread_history_stay_unseen(t))
			s->unseen = thread_history_stay_unseen(t);
		if (!is_blocked(e, t))
			continue;
		if (!s->slowed && is_slowed(t))
			s->slowed = t;
		if (check_is_one_wait(e, t) && !s->stuck++)
			s->first = t;
	}
}

static uint64_t find_reader(const struct check *e, uint64_t inode)
{
	snapshot_each (struct fds_holder, h, check_last(e, &e->input->fds), FDS_HOLDER) {
		if (h->inode == inode && h->access != FDS_ACCESS_WRITE &&
			h->holder_pid != e->id.pid)
			return h->holder_pid;
	}
	return 0;
}

/* Emits the processes that have the other end, if --deep searched for them. */
static void emit_holders(const struct check *e, struct check_result *out, uint64_t inode)
{
	unsigned shown = 0;

	snapshot_each (struct fds_holder, h, check_last(e, &e->input->fds), FDS_HOLDER) {
		if (h->inode != inode || h->access == FDS_ACCESS_WRITE)
			continue;
		if (shown++ < HOLDERS_REPORTED)
			finding_text(out, "process that may be the reader", "%.*s (%u), fd %u",
				(int)strnlen(h->holder_name, sizeof(h->holder_name)),
				h->holder_name, h->holder_pid, h->holder_fd);
	}
	if (!shown)
		finding_unseen(out,
			"which process has the other end of the pipe or socket: sooth diagnose -d "
			"%u shows it",
			e->id.pid);
}

/* Returns the process at the other end, and appends its name, "python3 console.py (7)"; 0: not
 * known. */
static uint64_t put_reader(
	const struct check *e, const struct wait_chain *chain, uint64_t inode, struct buffer *name)
{
	const struct wait_link *link = chain->count ? &chain->links[0] : NULL;
	const struct waits_party *party = link ? link->party : NULL;
	uint64_t reader = find_reader(e, inode);

	if (!party || !party->party_pid || !party->is_alive) {
		if (reader)
			buffer_format(name, "(%llu)", (unsigned long long)reader);
		return reader;
	}
	if (link->party_process)
		wait_put_process(name, link->party_process);
	else
		wait_put_name(name, &party->record, &party->name, party->party_pid);
	return party->party_pid;
}

/* "it waits for its child cc (7); 7 sleeps: 5 s left" */
static void put_wait_of_reader(
	struct buffer *out, const struct wait_graph *g, const struct wait_chain *chain)
{
	const struct wait_link *reader = &chain->links[1];

	if (chain->count < 2 || reader->what == WAIT_UNKNOWN || reader->what == WAIT_EVENTS ||
		reader->what == WAIT_RUNS || reader->what == WAIT_READY)
		return;
	buffer_string(out, "it ");
	wait_sentence(out, g, reader);
	wait_chain_after(out, g, chain, 2);
}

enum reader { READER_UNKNOWN, READER_NONE, READER_STOPPED, READER_BLOCKED, READER_SLOW };

static const struct claim_row rows[] = {
	[READER_UNKNOWN] = { "blocked writing to {article} full {pipe}: its reader does not read",
		NULL, "sooth inspect --fds {pid} shows which process should read" },
	[READER_NONE] = { "blocked writing to {article} full {pipe}: no other process {seen}uses "
			  "it",
		NULL, "start the process that receives from it, or remove the queue (mq_unlink)" },
	[READER_STOPPED] = { "blocked writing to {article} {pipe}{use}: the reader {reader} is "
			     "{stop}",
		NULL, "{way out}" },
	[READER_BLOCKED] = { "blocked writing to {article} {pipe}{use}: the reader {reader} does "
			     "not read{: |why}",
		NULL, "sooth diagnose {reader pid} shows why the reader does not read" },
	[READER_SLOW] = { "blocked writing to {article} {pipe} nearly all the time: its reader "
			  "{reader} reads slowly: it {does}",
		"whether the writer has other work to do meanwhile",
		"sooth diagnose {reader pid} shows why it is slow; write to a file, or drop "
		"lines" },
};

/* Returns whether no other process has the queue open: a pipe would end, a queue stays. */
static bool has_no_other(const struct wait_graph *g, const struct wait_chain *chain)
{
	return chain->count && !chain->links[0].party &&
	       wait_graph_ends_state(g) != SOOTH_STATE_TRUNCATED;
}

static void report_writer(const struct check *e, struct check_result *out, const struct stuck *s,
	const struct wait_graph *g, const struct wait_chain *chain)
{
	const struct thread_history *t = s->first;
	const struct fds_descriptor *d = check_descriptor(e, t->waiting.descriptor);
	bool is_queue = d->type == FDS_QUEUE;
	bool is_named = (is_queue || d->type == FDS_FIFO) && d->path_state <= SOOTH_STATE_TRUNCATED;
	struct span path = is_named ? record_text(&d->record, &d->path) : span_of("", 0);
	/* One sample may show why the reader does not read. */
	const char *stop = chain->count < 2 ? NULL : stopped_process_text(&chain->links[1]);
	char call[SYSCALL_NAME_SIZE];
	uint64_t reader;
	bool is_alone, is_unsure;

	is_alone = is_queue && has_no_other(g, chain);
	is_unsure = is_alone && wait_graph_ends_state(g);
	finding_begin(out, confidence_high_if(!is_unsure), "");
	finding_value_text(out, "seen", "%s", is_unsure ? "that sooth may read " : "");
	/* Outside agents a user may be paging through the output. */
	finding_low_if(out,
		!is_queue && (!e->process || (!e->process->agent && !e->process->owner_agent)));
	finding_thread(out, t->tid);
	finding_descriptor(out, d->fd);
	if (path.size)
		finding_path(out, path);
	reader = put_reader(e, chain, d->inode, finding_value(out, "reader"));
	finding_value_text(out, "reader pid", "%llu", (unsigned long long)reader);
	finding_value_text(out, "article", "%s", path.size ? "the" : "a");
	finding_value_text(out, "pipe", "%s%.*s",
		d->type == FDS_UNIX ? "socket"
		: is_queue	    ? "POSIX queue "
		: path.size	    ? "FIFO "
				    : "pipe",
		SPAN_ARGS(path));
	finding_value_text(out, "use", "%s", d->fd == ERROR_OUTPUT ? " (its standard error)" : "");
	finding_value_text(out, "stop", "%s", stop ? stop : "");
	wait_chain_remedy(finding_value(out, "way out"), chain);
	put_wait_of_reader(finding_value(out, "why"), g, chain);
	finding_number(out, "blocked for", (double)thread_history_ns(t), SOOTH_UNIT_NS,
		thread_history_ns(t));
	finding_count(out, "number of threads stuck in the same wait", s->stuck, 0);
	syscall_name(t->calls[0].abi, t->calls[0].syscall, call);
	finding_text(out, "thread", "%s (%u) in %s, fd %u", t->name, t->tid, call, d->fd);
	if (chain->count && chain->links[0].party)
		check_chain_evidence(out, g, chain);
	else
		emit_holders(e, out, d->inode);
	finding_claim_row(out, &rows[is_alone	 ? READER_NONE
				       : !reader ? READER_UNKNOWN
				       : stop	 ? READER_STOPPED
						 : READER_BLOCKED]);
}

/* Finds a reader that is slow without working. A reader that computes, or passes the data on, is
 * the slow part of a pipeline at work, and a pager waits for its user. A reader that sleeps or
 * waits for other processes holds the writer up. */
static bool has_slow_reader(const struct wait_graph *g, const struct wait_chain *chain)
{
	const struct waits_process *reader;
	double cpu;

	if (chain->count < 2 || chain->is_deadlock ||
		(chain->links[0].what != WAIT_PIPE_WRITE &&
			chain->links[0].what != WAIT_SOCKET_WRITE))
		return false;
	reader = chain->links[1].process;
	cpu = wait_graph_cpu(g, reader->node_pid);
	if (cpu < 0 || cpu >= BUSY_PERCENT || wait_is_pager(reader))
		return false;
	switch (chain->links[1].what) {
	case WAIT_SLEEP:
	case WAIT_SOCKET_READ:
	case WAIT_CONNECT:
	case WAIT_CHILD:
	case WAIT_LOCK:
	case WAIT_DATABASE_LOCK:
		return true;
	default:
		return false;
	}
}

static void report_slow(struct check_result *out, const struct thread_history *t,
	const struct wait_graph *g, const struct wait_chain *chain)
{
	const struct wait_link *reader = &chain->links[1];

	finding_begin(out, FINDING_CONFIDENCE_MEDIUM, "slow");
	finding_severity(out, FINDING_LOW);
	finding_thread(out, t->tid);
	finding_descriptor(out, t->waiting.descriptor);
	finding_value_text(out, "article", "a");
	finding_value_text(
		out, "pipe", "%s", chain->links[0].what == WAIT_PIPE_WRITE ? "pipe" : "socket");
	wait_put_process(finding_value(out, "reader"), reader->process);
	finding_value_text(out, "reader pid", "%u", reader->process->node_pid);
	wait_sentence(finding_value(out, "does"), g, reader);
	finding_text(out, "samples that show it blocked", "%u of %u", t->waits[THREAD_WAIT_DATA],
		t->met);
	finding_rate(
		out, "waits", thread_history_voluntary(t), SOOTH_UNIT_NONE, thread_history_ns(t));
	finding_percent(out, "CPU of the reader", wait_graph_cpu(g, reader->process->node_pid),
		thread_history_ns(t));
	finding_claim_row(out, &rows[READER_SLOW]);
}

/* Returns whether the reader computes: it reads the next piece when it is done with this one. */
static bool reader_computes(
	const struct check *e, const struct wait_graph *g, const struct wait_chain *chain)
{
	const struct wait_link *reader = &chain->links[1];

	if (chain->count < 2 || !chain->links[0].thread || chain->links[0].thread->since_state)
		return false;
	return (reader->what == WAIT_RUNS || reader->what == WAIT_READY ||
		       wait_graph_cpu(g, reader->process->node_pid) >= BUSY_PERCENT) &&
	       !check_is_over(e, "min-time-computing", chain->links[0].thread->since_ns, "");
}

/* Returns whether a user turns the pages of the output; for an agent's process there is no such
 * user. */
static bool is_paged(const struct check *e, const struct wait_chain *chain)
{
	return e->process && !e->process->agent && !e->process->owner_agent && chain->count == 2 &&
	       chain->links[1].what == WAIT_TERMINAL_READ && wait_is_pager(chain->links[1].process);
}

static void diagnose(const struct check *e, struct check_result *out)
{
	const struct thread_history *t;
	struct wait_chain chain = { 0 };
	struct wait_graph g = { 0 };
	struct stuck s = { 0 };

	find_stuck(e, &s);
	t = s.first ? s.first : s.slowed;
	if (t)
		check_chain(e, t->tid, &g, &chain);
	if (!s.threads)
		check_blind(out, SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED));
	else if (s.stuck && reader_computes(e, &g, &chain))
		check_fine(out, "its reader computes, and takes more when that is done");
	else if (s.stuck && is_paged(e, &chain))
		check_fine(out, "its pager waits for a key");
	else if (s.stuck)
		report_writer(e, out, &s, &g, &chain);
	else if (s.slowed && has_slow_reader(&g, &chain))
		report_slow(out, s.slowed, &g, &chain);
	else if (s.unseen)
		check_blind(out, s.unseen);
	else
		check_fine(out, "no thread is blocked writing to a pipe or local socket");
}

const struct finding_detector finding_writer_stuck = { diagnose, FINDING_OPTIONS(options) };
