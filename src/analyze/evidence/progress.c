/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/evidence/progress.h"

#include <assert.h>

#include "analyze/diagnosis/call_check.h"
#include "analyze/sockets/socket_sums.h"
#include "base/units.h"
#include "probes/sockets.h"

NUMBER(JOBS_LEAST, 0.5, NONE, "jobs per second");
NUMBER(JOB_CPU_NS, 100000, NS, "CPU time per read or write: less is a loop around these calls");

static uint64_t bytes_before(const struct socket_index *first, const struct sockets_socket *socket)
{
	const struct sockets_socket *s = socket_index_get(first, socket->inode);

	/* A socket missing in the first sample was opened during the observation. */
	return s && s->bytes_state == SOOTH_STATE_VALUE ? s->sent_bytes + s->received_bytes : 0;
}

static void add_connections(struct progress *p, const struct check *e)
{
	uint64_t interval_ns = check_interval_ns(e, &e->input->sockets), bytes = 0;
	struct socket_index index;

	if (!interval_ns)
		return;
	socket_index_init(&index, check_first(e, &e->input->sockets));
	sockets_each (check_last(e, &e->input->sockets), s) {
		bool is_tcp = s->bytes_state == SOOTH_STATE_VALUE;
		uint64_t before = is_tcp ? bytes_before(&index, s) : 0;

		if (is_tcp && s->sent_bytes + s->received_bytes > before)
			bytes += s->sent_bytes + s->received_bytes - before;
	}
	socket_index_fini(&index);
	p->has_tcp = true;
	p->bytes_per_s += (double)bytes * (double)NS_PER_S / (double)interval_ns;
}

/* Adds calls. Threads' counters include reads and writes on sockets, so the larger value counts. */
static void add_calls(struct progress *p, const struct check *e)
{
	const struct call_history *h = check_all_calls(e);
	uint64_t interval_ns = e->input->end_ns - e->input->begin_ns, bytes = 0;
	double per_s;

	if (!h || !interval_ns)
		return;
	map_for_each_value (&h->files, const struct call_file *, f) {
		if (f->kind == FD_FOLLOWED_SOCKET)
			bytes += f->moves[CALL_READ].bytes + f->moves[CALL_WRITTEN].bytes;
	}
	per_s = (double)bytes * (double)NS_PER_S / (double)interval_ns;
	p->has_calls = true;
	if (per_s > p->bytes_per_s)
		p->bytes_per_s = per_s;
}

void progress_of(struct progress *p, const struct check *e)
{
	assert(p);
	assert(e);
	*p = (struct progress){ 0 };
	thread_histories_for_each (&e->input->threads, &e->id, t) {
		double bytes = thread_history_moved_bytes(t);

		if (bytes < 0)
			continue;
		p->is_measured = true;
		p->bytes_per_s += bytes;
		p->calls_per_s += thread_history_io_calls(t);
		if (thread_history_ns(t) > p->interval_ns)
			p->interval_ns = thread_history_ns(t);
	}
	add_connections(p, e);
	add_calls(p, e);
}

bool progress_is_worker(const struct thread_history *t)
{
	double cpu_ns = thread_history_cpu(t) / 100 * (double)NS_PER_S;

	return thread_history_reads(t) >= JOBS_LEAST && thread_history_writes(t) >= JOBS_LEAST &&
	       thread_history_io_calls(t) * JOB_CPU_NS <= cpu_ns;
}

void progress_emit(const struct progress *p, struct check_result *out)
{
	assert(p);
	if (!p->is_measured) {
		finding_unseen(out,
			"how much the process reads and writes: only its user and root can see it");
		return;
	}
	finding_rate(out, "data moved", p->bytes_per_s, SOOTH_UNIT_BYTES, p->interval_ns);
	finding_rate(out, "reads and writes", p->calls_per_s, SOOTH_UNIT_NONE, p->interval_ns);
	if (!p->has_tcp && !p->has_calls)
		finding_unseen(
			out, "how much data the process sends and receives on its connections");
}
