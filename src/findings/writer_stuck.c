/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * writer-stuck: a thread has waited all the while to write into a pipe or a local socket. It is
 * full, and who has its other end has read nothing meanwhile: a reader that is merely slow lets the
 * writer on now and then. A parent that waits for the end of a child whose output it does not read
 * is the common case. Of TCP stream-stalled tells.
 */
#include <string.h>

#include "analyze/diagnosis/check_waits.h"
#include "base/cleanup.h"
#include "core/finding.h"
#include "probes/syscall_names.h"

#define HOLDERS_REPORTED 4

static const struct finding_option options[] = {
	{ .name = "min-time",
		.help = "that nothing could be written",
		.unit = SOOTH_UNIT_NS,
		.otherwise = 3e9,
		.min = 1e6,
		.max = 86400e9 },
	{ .name = "min-readings",
		.help = "readings of the thread, all of them in that wait",
		.otherwise = 3,
		.min = 2,
		.max = 500 },
};

struct stuck {
	unsigned threads, stuck;
	uint8_t unseen; /* why it could not be told of one; 0: of all it could */
	const struct thread_history *first; /* of those that are stuck */
};

/* --- which thread --- */

static bool writes(const struct thread_history *t)
{
	const struct syscall_row *row = syscall_row_of(t->calls[0].abi, t->calls[0].syscall);

	if (t->waits[THREAD_WAIT_DATA] != t->met || t->calls[0].input != t->met)
		return false;
	return row->transfer.direction == SYSCALL_WRITES || row->traits & SYSCALL_WRITES_MANY;
}

static bool has_reader(const struct fds_descriptor *d)
{
	return d && (d->type == FDS_PIPE || d->type == FDS_FIFO || d->type == FDS_UNIX);
}

static bool is_stuck(const struct check *e, const struct thread_history *t)
{
	return check_is_one_wait(e, t) && t->sleeping == t->met && writes(t) &&
	       has_reader(check_descriptor(e, t->waiting.descriptor));
}

static void look(const struct check *e, struct stuck *s)
{
	const struct thread_history *t;
	size_t position = 0;

	while ((t = thread_histories_next(&e->input->threads, &e->id, &position))) {
		s->threads++;
		if (thread_history_stay_unseen(t))
			s->unseen = thread_history_stay_unseen(t);
		if (!is_stuck(e, t))
			continue;
		if (!s->stuck++)
			s->first = t;
	}
}

/* --- the finding --- */

/* Who has the other end, where that was asked; returns the first of them that is another process.
 */
static uint64_t emit_holders(struct check *e, uint64_t inode)
{
	const struct snapshot *last = check_last(e, &e->input->fds);
	struct batch all = last ? snapshot_records(last) : (struct batch){ 0 };
	unsigned told = 0;
	uint64_t pid = 0;

	batch_for_each (r, &all) {
		const struct fds_holder *h = record_as(r, FDS_HOLDER, sizeof(*h));

		if (!h || h->inode != inode || h->access == FDS_ACCESS_WRITE)
			continue;
		if (!pid && h->holder_pid != e->id.pid)
			pid = h->holder_pid;
		if (told++ < HOLDERS_REPORTED)
			finding_text(e, "may read it", "%.*s (%u), descriptor %u",
				(int)strnlen(h->holder_name, sizeof(h->holder_name)),
				h->holder_name, h->holder_pid, h->holder_fd);
	}
	if (!told)
		finding_unseen(e, "who has the other end: sooth diagnose -d tells");
	return pid;
}

static void tell(struct check *e, const struct stuck *s)
{
	const struct thread_history *t = s->first;
	const struct fds_descriptor *d = check_descriptor(e, t->waiting.descriptor);
	const char *what = d->type == FDS_UNIX ? "socket" : "pipe";
	char call[SYSCALL_NAME_SIZE];
	uint64_t reader;

	finding_begin(e, FINDING_CONFIDENCE_HIGH, "");
	/* Of what is no agent's somebody may be paging through the output. */
	if (!e->process || (!e->process->agent && !e->process->owner_agent))
		finding_severity(e, FINDING_LOW);
	finding_thread(e, t->tid);
	finding_descriptor(e, d->fd);
	finding_claim(e,
		"thread %s (%u) is stuck writing: the %s at descriptor %u is full, and nobody "
		"reads from it",
		t->name, t->tid, what, d->fd);
	finding_number(e, "nothing could be written for", (double)thread_history_ns(t),
		SOOTH_UNIT_NS, thread_history_ns(t));
	finding_number(e, "threads that are stuck so", s->stuck, SOOTH_UNIT_NONE, 0);
	syscall_name(t->calls[0].abi, t->calls[0].syscall, call);
	finding_text(e, "system call", "%s", call);
	reader = emit_holders(e, d->inode);
	if (reader)
		finding_remedy(e, "find out why the reader does not read: sooth diagnose %llu",
			(unsigned long long)reader);
	else
		finding_remedy(e, "sooth inspect --fds %llu tells who should read it",
			(unsigned long long)e->id.pid);
	finding_end(e);
}

static void judge(struct check *e)
{
	struct stuck s = { 0 };

	look(e, &s);
	if (!s.threads)
		check_blind(e, SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED));
	else if (s.stuck)
		tell(e, &s);
	else if (s.unseen)
		check_blind(e, s.unseen);
	else
		check_fine(e, "no thread stays in writing to a pipe or local socket");
}

const struct finding_type finding_writer_stuck = {
	.id = "writer-stuck",
	.claim = "what it writes into a pipe or local socket is not read, and so it waits",
	.probes = "proc,threads,fds",
	.needs_interval = true,
	FINDING_OPTIONS(options),
	.judge = judge,
};
