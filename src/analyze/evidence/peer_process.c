/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/evidence/peer_process.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "analyze/waits/wait_chain.h"
#include "analyze/waits/wait_sentences.h"
#include "base/cursor.h"
#include "probes/proc.h"

static const struct snapshot *last_of(
	const struct diagnosis_input *input, const struct process_id *id)
{
	return snapshots_get(&input->waits.last, id);
}

const struct waits_peer *peer_process_most(
	const struct diagnosis_input *input, const struct process_id *id, unsigned *all)
{
	const struct waits_peer *most = NULL;

	*all = 0;
	snapshot_each (struct waits_peer, p, last_of(input, id), WAITS_PEER) {
		*all += p->connections;
		if (!most || p->connections > most->connections)
			most = p;
	}
	return most;
}

const struct waits_peer *peer_process_of_fd(
	const struct diagnosis_input *input, const struct process_id *id, uint32_t fd)
{
	snapshot_each (struct waits_peer, p, last_of(input, id), WAITS_PEER) {
		if (p->fd == fd)
			return p;
	}
	return NULL;
}

const struct waits_peer *peer_process_stopped(
	const struct diagnosis_input *input, const struct process_id *id)
{
	snapshot_each (struct waits_peer, p, last_of(input, id), WAITS_PEER) {
		if (p->unread_bytes && (p->peer_state == 'T' || p->peer_state == 't'))
			return p;
	}
	return NULL;
}

void peer_process_put(struct buffer *out, const struct waits_peer *peer)
{
	assert(peer);
	wait_put_name(out, &peer->record, &peer->peer_name, peer->peer_pid);
}

void peer_process_put_wait_in(
	struct buffer *out, const struct snapshot *last, uint32_t pid, const char *before)
{
	struct wait_graph g = { .records = last ? snapshot_records(last) : (struct batch){ 0 } };
	struct wait_chain chain;

	wait_chain_follow(&g, pid, &chain);
	if (!chain.count || chain.links[0].is_idle || chain.links[0].is_active ||
		chain.links[0].what == WAIT_UNKNOWN || chain.links[0].what == WAIT_RUNS ||
		chain.links[0].what == WAIT_READY)
		return;
	buffer_string(out, before);
	wait_sentence(out, &g, &chain.links[0]);
}

void peer_process_put_wait(struct buffer *out, const struct diagnosis_input *input,
	const struct waits_peer *peer, const char *before)
{
	struct process_id id = { .start_ticks = peer->peer_start_ticks, .pid = peer->peer_pid };

	peer_process_put_wait_in(out, last_of(input, &id), id.pid, before);
}

/* --- names --- */

/* Returns whether a proxy is at the address: "127.0.0.1:3128", "localhost:3128"; other names are
 * not resolved. */
static bool is_at(struct span proxy, const unsigned char address[16], unsigned port)
{
	char text[PEER_NAME_SIZE];
	unsigned char other[16];
	unsigned other_port;

	if (proxy.size >= sizeof(text))
		return false;
	if (span_starts(proxy, "localhost:")) {
		snprintf(
			text, sizeof(text), "127.0.0.1%.*s", (int)(proxy.size - 9), proxy.data + 9);
		return peer_split(text, other, &other_port) && other_port == port &&
		       peer_is_loopback(address);
	}
	snprintf(text, sizeof(text), "%.*s", (int)proxy.size, proxy.data);
	return peer_split(text, other, &other_port) && other_port == port &&
	       !memcmp(other, address, sizeof(other));
}

bool peer_name_is_proxy(const struct check *e, const char *address, struct span *variable)
{
	assert(e);

	const struct proc_process *p = e->process ? e->process->process : NULL;
	unsigned char bytes[16];
	struct cursor c;
	unsigned port;
	struct span all;

	if (!p || p->proxies_state > SOOTH_STATE_TRUNCATED || !peer_split(address, bytes, &port))
		return false;
	all = record_text(&p->record, &p->proxies);
	c = cursor_over(all.data, all.size);
	while (!cursor_at_end(&c)) {
		struct span entry = cursor_until(&c, '\0');
		const char *equals = memchr(entry.data, '=', entry.size);
		size_t name = equals ? (size_t)(equals - entry.data) : entry.size;

		*variable = span_of(entry.data, name);
		if (equals && is_at(span_of(equals + 1, entry.size - name - 1), bytes, port))
			return true;
	}
	return false;
}

void peer_name_put(const struct check *e, const char *address, char *out, size_t size)
{
	struct span label = span_of("", 0);
	unsigned char bytes[16];
	unsigned port;

	assert(e);
	*out = '\0';
	if (peer_name_is_proxy(e, address, &label)) {
		snprintf(out, size, " (the proxy in %.*s)", (int)label.size, label.data);
		return;
	}
	if (peer_split(address, bytes, &port))
		peer_labels_find(&e->input->labels, bytes, port, &label);
	if (label.size)
		snprintf(out, size, " (%.*s)", (int)label.size, label.data);
}
