/* SPDX-License-Identifier: BSD-2-Clause */
/* receive-drops: data sent to the process is lost, because its receive queue or the queue of its
 * listening socket is full. The kernel counts what each socket dropped (sock_diag(7),
 * SK_MEMINFO_DROPS). The counter includes damaged data, and data that a filter of the socket
 * refused: so only a socket with a queue counts. */
#include "analyze/diagnosis/check.h"
#include "analyze/sockets/socket_sums.h"
#include "analyze/sockets/socket_text.h"
#include "base/cleanup.h"

static const struct finding_option options[] = {
	THRESHOLD("min-drops", 5, 1, 1e9, "minimum number of packets or connections dropped"),
	THRESHOLD("min-rate", 1, 0.01, 1e9, "minimum number dropped each second"),
};

struct drops {
	struct sockets_socket socket; /* the socket that dropped most; its texts are in `of` */
	const struct sockets_socket *record;
	uint64_t count; /* drops between the snapshots */
	uint64_t interval_ns;
	unsigned measured; /* sockets whose drops are known at both snapshots */
	uint8_t unknown_state;
};

static bool can_drop(const struct sockets_socket *s)
{
	if (!socket_is_inet(s) || s->state_state)
		return false;
	return s->state == SOCKETS_LISTEN ||
	       span_equal(record_text(&s->record, &s->protocol), "udp");
}

static void add_drops(
	struct drops *d, const struct sockets_socket *before, const struct sockets_socket *s)
{
	struct sockets_socket then = socket_whole(before), now = socket_whole(s);

	if (then.dropped_state || now.dropped_state) {
		d->unknown_state = now.dropped_state ? now.dropped_state : then.dropped_state;
		return;
	}
	d->measured++;
	if (now.dropped <= then.dropped || now.dropped - then.dropped <= d->count)
		return;
	if (!(then.receive_queue_state == SOOTH_STATE_VALUE && then.receive_queue_bytes) &&
		!(now.receive_queue_state == SOOTH_STATE_VALUE && now.receive_queue_bytes))
		return;
	d->count = now.dropped - then.dropped;
	d->interval_ns = now.record.time_ns - then.record.time_ns;
	d->socket = now;
	d->record = s;
}

/* Returns the snapshot of the parent that has the socket too: a child that inherited the socket
 * need not read it. */
static const struct snapshot *snapshot_of_parent(const struct check *e)
{
	const struct process_entry *parent = e->process ? e->process->parent : NULL;

	return parent ? snapshots_get(&e->input->sockets.last, &parent->id) : NULL;
}

static void find_drops(struct drops *d, const struct check *e, const struct snapshot *first,
	const struct snapshot *last)
{
	_cleanup_(socket_index_fini) struct socket_index index = { 0 }, parent = { 0 };

	socket_index_init(&index, first);
	socket_index_init(&parent, snapshot_of_parent(e));
	sockets_each (last, s) {
		const struct sockets_socket *before =
			can_drop(s) ? socket_index_get(&index, s->inode) : NULL;
		/* Connections of the process itself wait in the queue: it is its own client. */
		bool is_own = s->state == SOCKETS_LISTEN && sockets_to_itself(last, s);

		if (before && !socket_index_get(&parent, s->inode) && !is_own)
			add_drops(d, before, s);
	}
}

static const struct claim_row of_listener = {
	"turns clients away: it does not accept them fast enough, and the queue of {local} is full "
	"({queued}); {rate} connection attempts dropped each second",
	NULL,
	"sooth stack {pid} shows what keeps it from accepting; a longer queue (listen(2), "
	"net.core.somaxconn) only helps against bursts"
};
static const struct claim_row of_datagrams = {
	"loses packets: it does not read {protocol} {local} fast enough, and its receive queue is "
	"full; {rate} dropped each second",
	NULL,
	"sooth stack {pid} shows what it does instead of reading; a larger buffer (SO_RCVBUF, "
	"net.core.rmem_max) only helps against bursts"
};

static void report_drops(struct check_result *out, const struct drops *d)
{
	bool is_listening = d->socket.state == SOCKETS_LISTEN;
	double per_s = (double)d->count * (double)NS_PER_S / (double)d->interval_ns;
	struct socket_text text = { 0 };
	struct span local;

	socket_text_add_socket(&text, d->record);
	local = span_of((const char *)text.local.data, text.local.size);
	finding_begin(out, FINDING_CONFIDENCE_HIGH, buffer_cstr(&text.local));
	finding_value_span(out, "local", local);
	finding_value_text(out, "protocol", "%s", buffer_cstr(&text.protocol));
	finding_value_text(out, "rate", "%.3g", per_s);
	finding_value_text(
		out, "queued", "%llu", (unsigned long long)d->socket.receive_queue_bytes);
	finding_count(out, "dropped", d->count, d->interval_ns);
	finding_count(out, "dropped since the socket was made", d->socket.dropped, 0);
	finding_number(out, is_listening ? "connections to accept" : "received and not read",
		(double)d->socket.receive_queue_bytes,
		is_listening ? SOOTH_UNIT_NONE : SOOTH_UNIT_BYTES, 0);
	finding_descriptor(out, d->socket.fd);
	finding_connection(out, local);
	finding_claim_row(out, is_listening ? &of_listener : &of_datagrams);
	socket_text_fini(&text);
}

static void diagnose(const struct check *e, struct check_result *out)
{
	const struct snapshot *first = check_first(e, &e->input->sockets),
			      *last = check_last(e, &e->input->sockets);
	struct drops d = { 0 };
	double least;

	if (!first || !last) {
		check_blind_because(out, "its sockets were not read twice", CHECK_LONGER);
		return;
	}
	find_drops(&d, e, first, last);
	least = check_option(e, "min-rate") * d.interval_ns / (double)NS_PER_S;
	if (d.count && (double)d.count >= least && d.count >= check_option(e, "min-drops"))
		report_drops(out, &d);
	else if (d.unknown_state == SOOTH_STATE_ABSENT && !d.measured)
		check_blind_because(out, "this capture is older than the counts of dropped packets",
			"record it again");
	else if (d.unknown_state && !d.measured)
		check_blind(out, d.unknown_state);
	else if (d.count)
		check_fine(out, "%llu packets dropped", (unsigned long long)d.count);
	else
		check_fine(out, "its sockets drop nothing");
}

const struct finding_detector finding_receive_drops = { diagnose, FINDING_OPTIONS(options) };
