/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/evidence/peer_process.h"

#include <assert.h>

#include "analyze/waits/wait_chain.h"
#include "analyze/waits/wait_sentences.h"

static struct batch records_of(const struct diagnosis_input *input, const struct process_id *id)
{
	const struct snapshot *last = snapshots_get(&input->waits.last, id);

	return last ? snapshot_records(last) : (struct batch){ 0 };
}

const struct waits_peer *peer_process_most(
	const struct diagnosis_input *input, const struct process_id *id, unsigned *all)
{
	struct batch records = records_of(input, id);
	const struct waits_peer *most = NULL;

	*all = 0;
	batch_for_each (r, &records) {
		const struct waits_peer *p = record_as(r, WAITS_PEER, sizeof(*p));

		*all += p ? p->connections : 0;
		if (p && (!most || p->connections > most->connections))
			most = p;
	}
	return most;
}

const struct waits_peer *peer_process_of_fd(
	const struct diagnosis_input *input, const struct process_id *id, uint32_t fd)
{
	struct batch all = records_of(input, id);

	batch_for_each (r, &all) {
		const struct waits_peer *p = record_as(r, WAITS_PEER, sizeof(*p));

		if (p && p->fd == fd)
			return p;
	}
	return NULL;
}

const struct waits_peer *peer_process_stopped(
	const struct diagnosis_input *input, const struct process_id *id)
{
	struct batch all = records_of(input, id);

	batch_for_each (r, &all) {
		const struct waits_peer *p = record_as(r, WAITS_PEER, sizeof(*p));

		if (p && p->unread_bytes && (p->peer_state == 'T' || p->peer_state == 't'))
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
	struct buffer *out, struct batch records, uint32_t pid, const char *before)
{
	struct wait_graph g = { .records = records };
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

	peer_process_put_wait_in(out, records_of(input, &id), id.pid, before);
}
