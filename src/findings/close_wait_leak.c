/* SPDX-License-Identifier: BSD-2-Clause */
/* close-wait-leak: the peer closed these connections, the process did not. A socket leaves
 * CLOSE_WAIT only when the process closes it: a process that checks its connections does so within
 * a moment, and one that has forgotten them never does. Only sockets count that were in CLOSE_WAIT
 * at the first and the last sample and sent nothing in between: a process that still answers has a
 * reason to keep its half open. */
#include "analyze/evidence/tally.h"
#include "analyze/sockets/socket_sums.h"
#include "analyze/sockets/socket_text.h"
#include "base/cleanup.h"

#define PEERS_REPORTED 3

static const struct finding_option options[] = {
	THRESHOLD("min-count", 20, 1, 1e9,
		"minimum number of connections kept open after the peer closed them"),
	TIME_THRESHOLD("min-interval", 1e9, 0, 86400e9,
		"minimum time a connection stays open after the peer closed it"),
};

struct look {
	uint64_t first, last; /* connections in CLOSE_WAIT at the first, last sample */
	uint64_t kept;	      /* connections in CLOSE_WAIT at both samples */
	uint64_t unread;      /* bytes waiting on the kept ones */
	uint64_t interval_ns;
	struct socket_index before; /* sockets at the first sample */
	struct tally peers;	    /* peers of the kept connections */
};

static uint64_t bytes_sent(const struct sockets_socket *s)
{
	return s->bytes_state == SOOTH_STATE_VALUE ? s->sent_bytes : 0;
}

static void add_peer(const struct check *e, struct look *l, const struct sockets_socket *s)
{
	enum peer_label_strength strength;
	struct span label = socket_sums_label(&e->input->labels, s, &strength);
	_cleanup_(buffer_fini) struct buffer text = { 0 };

	if (label.size)
		buffer_format(&text, "%.*s, ", SPAN_ARGS(label));
	socket_put_peer(&text, s);
	tally_add(&l->peers, span_of_string(buffer_cstr(&text)), true);
}

static void compare_sockets(const struct check *e, struct look *l)
{
	sockets_each (check_last(e, &e->input->sockets), s) {
		bool is_sending =
			s->send_queue_state == SOOTH_STATE_VALUE && s->send_queue_bytes > 0;

		l->last += socket_is_closed_by_peer(s);
		if (is_sending || !socket_index_both_closed(&l->before, s) ||
			bytes_sent(socket_index_get(&l->before, s->inode)) != bytes_sent(s))
			continue;
		l->kept++;
		/* The end of the stream is in the queue too, and counts as a byte. */
		if (s->receive_queue_state == SOOTH_STATE_VALUE && s->receive_queue_bytes > 1)
			l->unread += s->receive_queue_bytes - 1;
		add_peer(e, l, s);
	}
}

static void report_leak(const struct check *e, struct check_result *out, const struct look *l)
{
	struct tally_row top[PEERS_REPORTED];
	size_t count = tally_top(&l->peers, tally_last, top, PEERS_REPORTED);

	finding_begin(out, FINDING_CONFIDENCE_HIGH, "");
	finding_claim(out, "leaks connections: the peer closed %llu, the process did not",
		(unsigned long long)l->kept);
	finding_count(out, "connections that stayed in CLOSE_WAIT during the whole observation",
		l->kept, l->interval_ns);
	finding_count(out, "connections in CLOSE_WAIT when the observation started", l->first, 0);
	finding_count(out, "connections in CLOSE_WAIT when the observation ended", l->last, 0);
	if (l->unread)
		finding_bytes(out,
			"data received on these connections that the process has not read",
			l->unread);
	for (size_t i = 0; i < count; i++)
		finding_text(out, "peer", "%s: %lld", top[i].text, (long long)top[i].last);
	if (count)
		finding_connection(out, span_of_string(top[0].text));
	finding_unseen(out,
		"how long the connections have been in CLOSE_WAIT: the kernel does not record it");
	finding_remedy(out,
		"sooth inspect --sockets %u lists the connections; restarting the process closes "
		"them",
		e->id.pid);
}

static void diagnose_snapshots(const struct check *e, struct check_result *out, struct look *l,
	const struct snapshot *first, const struct snapshot *last)
{
	const struct sockets_process *begin = snapshot_end(first, sizeof(*begin));
	const struct sockets_process *end = snapshot_end(last, sizeof(*end));

	if (begin && end)
		l->interval_ns = end->record.time_ns - begin->record.time_ns;
	sockets_each (first, s)
		l->first += socket_is_closed_by_peer(s);
	compare_sockets(e, l);
	if (l->interval_ns < check_option(e, "min-interval"))
		check_blind(out, SOOTH_NOT_MEASURED(SOOTH_REASON_INTERVAL));
	else if (check_is_over(e, "min-count", l->kept, ""))
		report_leak(e, out, l);
	else
		check_fine(out,
			"the peer closed %llu connections, and the process keeps %llu of these "
			"open",
			(unsigned long long)l->last, (unsigned long long)l->kept);
}

static void diagnose(const struct check *e, struct check_result *out)
{
	const struct snapshot *first = check_first(e, &e->input->sockets);
	const struct snapshot *last = check_last(e, &e->input->sockets);
	const struct sockets_process *end = snapshot_end(last, sizeof(*end));
	struct look l = { 0 };

	if (!end || end->sockets_state > SOOTH_STATE_TRUNCATED) {
		check_blind(out, end ? end->sockets_state : SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED));
		return;
	}
	socket_index_init(&l.before, first);
	tally_init(&l.peers);
	diagnose_snapshots(e, out, &l, first, last);
	socket_index_fini(&l.before);
	tally_fini(&l.peers);
}

const struct finding_detector finding_close_wait_leak = { diagnose, FINDING_OPTIONS(options) };
