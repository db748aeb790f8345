/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/evidence/peer_process.h"

#include <assert.h>

#include "analyze/waits/wait_chain.h"
#include "analyze/waits/wait_sentences.h"

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
