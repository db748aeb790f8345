/* SPDX-License-Identifier: BSD-2-Clause */
/* output-unread: the process sends to a peer that does not read, or reads far too slowly, and keeps
 * in its memory the data that the socket does not take. A writer that blocks stops instead
 * (writer-stuck), and one that heeds its stream's back pressure waits: the memory of neither grows.
 */
#include "analyze/evidence/awaited.h"
#include "analyze/evidence/memory_trend.h"
#include "analyze/sockets/socket_sums.h"
#include "base/sentence_units.h"

NUMBER(MOVED_MOST, 4096, BYTES,
	"that the peer took meanwhile: it looks at its window now and then");
NUMBER(SLOW_PART, 10, NONE, "a slow peer took less than this part of the growth of the memory");
NUMBER(LEFT_SHARE, 0.5, NONE, "share of the first sample's queue that is still there");

static const struct finding_option options[] = {
	BYTES_THRESHOLD("min-queue", 32 << 10, 1, 1e12, "minimum size of what waits in the socket"),
	BYTES_THRESHOLD(
		"min-gain", 1 << 20, 4096, 1e12, "minimum growth of the memory of the process"),
	BYTES_THRESHOLD("min-rate", 64 << 10, 1, 1e12, "minimum growth in a second"),
};

struct unread {
	const struct sockets_socket *connection; /* the connection with most data in its queue */
	unsigned count;
	bool is_slow; /* the peer reads, but little */
};

static const struct sockets_socket *socket_before(
	const struct check *e, const struct sockets_socket *of)
{
	sockets_each (check_first(e, &e->input->sockets), s) {
		if (s->inode == of->inode)
			return s;
	}
	return NULL;
}

/* Returns the bytes that the peer took meanwhile. The kernel does not count what was read from a
 * unix socket: only the queue shows it. */
static uint64_t bytes_taken(const struct sockets_socket *s, const struct sockets_socket *before)
{
	return s->bytes_state || before->bytes_state ? 0 : s->sent_bytes - before->sent_bytes;
}

static bool is_unread(
	const struct check *e, const struct sockets_socket *s, const struct memory_gain *m)
{
	const struct sockets_socket *b;
	double taken;

	if (s->state != SOCKETS_ESTABLISHED || s->send_queue_state ||
		s->send_queue_bytes < check_option(e, "min-queue"))
		return false;
	b = socket_before(e, s);
	if (!b || b->send_queue_state || b->send_queue_bytes < LEFT_SHARE * s->send_queue_bytes)
		return false;
	taken = (double)bytes_taken(s, b);
	return taken <= MOVED_MOST || (m->is_known && taken * SLOW_PART <= (double)m->own_bytes);
}

static struct unread find_unread(const struct check *e, const struct memory_gain *m)
{
	struct unread u = { 0 };

	sockets_each (check_last(e, &e->input->sockets), s) {
		if (!is_unread(e, s, m))
			continue;
		u.count++;
		if (!u.connection || s->send_queue_bytes > u.connection->send_queue_bytes)
			u.connection = s;
	}
	u.is_slow = u.connection &&
		    (double)bytes_taken(u.connection, socket_before(e, u.connection)) > MOVED_MOST;
	return u;
}

static void report_peer(const struct check *e, struct check_result *out, const struct unread *u,
	const struct memory_gain *m, uint64_t interval_ns)
{
	static const struct claim_row row = {
		"{peer} {reads} what it is sent{waits}, and this process keeps the rest in its "
		"memory: {gain} more in {time}",
		"how much of its memory waits for this peer",
		"look at the peer; and write only while the stream takes it (node: the result of "
		"write() and 'drain'), or close a connection that does not read"
	};
	struct awaited a = awaited_of(e, u->connection->fd);
	struct buffer *peer;

	finding_begin(out, FINDING_CONFIDENCE_MEDIUM, "");
	peer = finding_value(out, "peer");
	awaited_put_end(peer, &a, u->connection);
	awaited_put_wait(finding_value(out, "waits"), e, &a);
	finding_value_text(out, "reads", "%s", u->is_slow ? "reads only slowly" : "does not read");
	finding_value_text(out, "gain", "%s", SENTENCE_SIZE((uint64_t)m->own_bytes));
	finding_value_time(out, "time", interval_ns);
	if (u->count > 1)
		finding_count(out, "such connections", u->count, 0);
	finding_bytes(out, "in the queue of the socket", u->connection->send_queue_bytes);
	finding_rate(out, "growth of its memory",
		(double)m->own_bytes * (double)NS_PER_S / (double)interval_ns, SOOTH_UNIT_BYTES,
		interval_ns);
	finding_descriptor(out, u->connection->fd);
	finding_connection(out, span_of_string(buffer_cstr(peer)));
	finding_claim_row(out, &row);
}

static void diagnose(const struct check *e, struct check_result *out)
{
	uint64_t interval_ns = sample_series_ns(&e->series);
	struct memory_gain m;
	struct unread u;

	if (!check_first(e, &e->input->sockets) || !check_last(e, &e->input->sockets)) {
		check_blind(out, SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED));
		return;
	}
	memory_gain_read(&m, e);
	u = find_unread(e, &m);
	if (!u.connection)
		check_fine(out, "its peers read what it sends");
	else if (!m.is_known)
		check_blind_because(out, "its memory was not sampled twice", CHECK_LONGER);
	else if (m.own_bytes < check_option(e, "min-gain") || !interval_ns ||
		 !check_is_over(e, "min-rate",
			 (double)m.own_bytes * (double)NS_PER_S / (double)interval_ns, ""))
		check_fine(
			out, "a peer does not read, and the memory of this process does not grow");
	else
		report_peer(e, out, &u, &m, interval_ns);
}

const struct finding_detector finding_output_unread = { diagnose, FINDING_OPTIONS(options) };
