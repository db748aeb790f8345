/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests and answers on each connection (see call_history.h). Data sent first, or after an
 * answer, begins a request; data read after that answers it. Only exchanges recorded without a gap
 * are measured. Calls do not show which end is the client: the socket does. */
#include <stdio.h>
#include <string.h>

#include "analyze/calls/call_history_parts.h"

/* Calls after a full window may be unrecorded, so a record of a later window may follow a gap. */
#define WINDOW_OF(ns) ((ns) >> SYSCALLS_BUDGET_SHIFT)

enum { EXCHANGE_NOTHING, EXCHANGE_SENT, EXCHANGE_RECEIVED };

static uint64_t began_ns(const struct folded_call *call)
{
	return call->call->record.time_ns -
	       (call_is_timed(call->call) ? call->call->duration_ns : 0);
}

/* Notes a gap: records after a gap do not continue an exchange from before the gap. */
static void note_gap(struct call_exchanging *x, const struct syscalls_call *call)
{
	uint64_t window = WINDOW_OF(call->record.time_ns);
	bool is_new = window != x->window;

	if (call->gaps & (SYSCALLS_GAP_WINDOW | SYSCALLS_GAP_TIME) || call->skipped ||
		(is_new && x->in_window >= SYSCALLS_BUDGET_THREAD))
		x->broken_ns = call->record.time_ns;
	if (is_new)
		x->in_window = 0;
	x->window = window;
	x->in_window++;
}

/* Notes input from another source: another connection, a pipe or a terminal. */
static void note_input(struct call_exchanging *x, const struct call_path *from, uint64_t now)
{
	if (memcmp(&x->input_of, from, sizeof(*from))) {
		x->other_input_ns = x->input_ns;
		x->input_of = *from;
	}
	x->input_ns = now;
}

static bool was_served(const struct call_exchanging *x, const struct call_path *key, uint64_t since)
{
	bool is_own = !memcmp(&x->input_of, key, sizeof(*key));

	return (is_own ? x->other_input_ns : x->input_ns) > since;
}

static void begin_request(struct call_exchange *x, const struct call_exchanging *all,
	const struct call_path *key, const struct folded_call *call)
{
	x->begun_ns = began_ns(call);
	x->think = x->last == EXCHANGE_RECEIVED ? x->begun_ns - x->last_ns : 0;
	x->has_think = x->last == EXCHANGE_RECEIVED && x->begun_ns >= x->last_ns;
	x->is_served = was_served(all, key, x->last_ns);
	x->sends = 0;
	x->bytes = 0;
}

static void add_sent_data(struct call_exchange *x, const struct call_exchanging *all,
	const struct call_path *key, const struct folded_call *call)
{
	if (x->last != EXCHANGE_SENT)
		begin_request(x, all, key, call);
	x->sends++;
	x->bytes += call->bytes;
	x->last = EXCHANGE_SENT;
	x->last_ns = call->call->record.time_ns;
}

static void add_answer(struct call_exchange *x, uint64_t now, uint64_t weight)
{
	uint64_t after = now - x->last_ns;

	if (!x->seen++)
		x->first_ns = x->begun_ns;
	x->answered += weight;
	x->wait_ns += now - x->begun_ns;
	x->think_ns += x->has_think ? x->think : 0;
	x->thoughts += x->has_think;
	x->request_bytes += x->bytes;
	x->alike += x->bytes <= x->before_bytes + x->before_bytes / 4 + 16 &&
		    x->before_bytes <= x->bytes + x->bytes / 4 + 16;
	x->before_bytes = x->bytes;
	x->served += x->is_served;
	if (x->sends < 2)
		return;
	x->in_parts++;
	if (after < CALL_DELAYED_LEAST || after > CALL_DELAYED_MOST)
		return;
	x->delayed++;
	x->delayed_ns += after;
}

static void add_received_data(
	struct call_exchange *x, const struct folded_call *call, uint64_t weight)
{
	uint64_t now = call->call->record.time_ns;

	if (x->last == EXCHANGE_SENT && now >= x->last_ns)
		add_answer(x, now, weight);
	if (x->last == EXCHANGE_RECEIVED || x->last == EXCHANGE_SENT)
		x->answer_bytes += call->bytes;
	x->last = EXCHANGE_RECEIVED;
	x->last_ns = now;
}

/* Returns the exchange on a connection, without a current exchange if records are missing. */
static struct call_exchange *exchange_of(
	const struct call_at_hand *c, const struct call_path *key, int64_t fd)
{
	struct call_exchange *x = map_put(&c->history->exchanges, key, NULL);

	if (!x)
		return NULL;
	x->fd = (uint32_t)fd;
	if (x->last_ns <= c->history->exchanging.broken_ns)
		x->last = EXCHANGE_NOTHING;
	return x;
}

static bool is_datagram(const struct fd_followed *file)
{
	return !strncmp(file->protocol, "UDP", 3);
}

/* Returns the key of a connection: both ends, or only the peer for datagrams, because each question
 * may use a new socket. A pipe has its name and is only a source. */
static struct call_path key_of(const struct fd_followed *file)
{
	struct call_path key = { { 0 } };

	if (file->kind == FD_FOLLOWED_PIPE && file->name)
		key = call_path_key(span_of_string(file->name));
	else if (file->kind == FD_FOLLOWED_SOCKET && !is_datagram(file))
		fd_followed_connection(file, key.text, sizeof(key.text));
	else if (file->kind == FD_FOLLOWED_SOCKET && *file->peer)
		snprintf(key.text, sizeof(key.text), "%s " FD_FOLLOW_ARROW "%s", file->protocol,
			file->peer);
	return key;
}

static void add_transfer(
	const struct call_at_hand *c, const struct fd_followed *file, int64_t fd, bool sends)
{
	struct call_exchanging *all = &c->history->exchanging;
	struct call_exchange *x;
	struct call_path key;

	if (!file || (file->kind == FD_FOLLOWED_PIPE && sends))
		return;
	key = key_of(file);
	if (!*key.text)
		return;
	x = file->kind == FD_FOLLOWED_SOCKET ? exchange_of(c, &key, fd) : NULL;
	if (x && sends)
		add_sent_data(x, all, &key, c->folded);
	else if (x)
		add_received_data(x, c->folded, c->weight);
	if (!sends)
		note_input(all, &key, c->folded->call->record.time_ns);
}

void call_exchanges_add_call(const struct call_at_hand *c)
{
	const struct folded_call *call = c->folded;

	note_gap(&c->history->exchanging, call->call);
	if (call->is_error)
		return;
	if (call->row->traits & SYSCALL_WRITES_MANY && call->call->result > 0)
		add_transfer(c, call->file, call->fd, true);
	if (!call->bytes)
		return;
	if (call->from.is_there)
		add_transfer(c, call->from.file, call->from.fd, false);
	if (call->to.is_there)
		add_transfer(c, call->to.file, call->to.fd, true);
}
