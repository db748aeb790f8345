/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Samples of the probe sockets, from the list of descriptors: one record for each socket, with the
 * lowest of its descriptors.
 *
 * Cannot be seen: round-trip times, retransmits and bytes of a connection.
 */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/map.h"
#include "os/bsd/sampling.h"
#include "probes/sockets.h"

#define SOCKETS_MAX 65536

struct known {
	struct sockets_socket socket;
	char protocol[12];
	char local[BSD_ADDRESS_SIZE], remote[BSD_ADDRESS_SIZE];
};

struct visit {
	struct map sockets; /* uint64_t, number of this end -> struct known */
	uint64_t nameless;
	bool is_full;
};

static bool add_descriptor(void *user, const struct bsd_descriptor *d)
{
	struct visit *v = user;
	struct known *k;
	bool is_new;
	/* A socket without a number counts as a new one. */
	uint64_t key = d->own ? d->own : UINT64_MAX - v->nameless++;

	if (!d->is_socket || d->special)
		return true;
	k = map_put(&v->sockets, &key, &is_new);
	if (!k) {
		v->is_full = true;
		return false;
	}
	if (is_new) {
		k->socket = d->socket;
		k->socket.fd = d->file.fd;
		memcpy(k->protocol, d->protocol, sizeof(k->protocol));
		memcpy(k->local, d->local, sizeof(k->local));
		memcpy(k->remote, d->remote, sizeof(k->remote));
	}
	k->socket.fd_count++;
	if (d->file.fd < k->socket.fd)
		k->socket.fd = d->file.fd;
	return true;
}

static void write_sockets(
	struct backend_run *run, const struct process_id *process, struct visit *v)
{
	size_t position = 0;
	const void *key;
	void *value;

	while (map_next(&v->sockets, &position, &key, &value)) {
		struct known *k = value;
		struct sockets_socket *s = &k->socket;
		struct record_tail tail[] = {
			{ &s->protocol, k->protocol, strlen(k->protocol) },
			{ &s->local, k->local, s->local_state ? 0 : strlen(k->local) },
			{ &s->peer, k->remote, s->peer_state ? 0 : strlen(k->remote) },
		};

		s->record = bsd_record(run, process, 0, SOCKETS_SOCKET);
		RECORD_APPEND(&run->out, s, tail, ARRAY_SIZE(tail));
	}
}

static void sample_process(struct backend_run *run, const struct bsd_process *process)
{
	const struct bsd_source *s = bsd_source_of(run->os);
	struct sockets_process end = { 0 };
	struct visit v = { 0 };
	int status;

	map_init(&v.sockets, sizeof(uint64_t), sizeof(struct known), SOCKETS_MAX);
	status = s->descriptors(s, (pid_t)process->id.pid, add_descriptor, &v);
	write_sockets(run, &process->id, &v);
	end.record = bsd_record(run, &process->id, 0, SOCKETS_PROCESS);
	end.sockets = (uint32_t)v.sockets.count;
	end.sockets_state = v.is_full ? SOOTH_STATE_TRUNCATED : bsd_state(status);
	RECORD_APPEND(&run->out, &end, NULL, 0);
	map_fini(&v.sockets);
}

BSD_SAMPLING_FUNCTIONS(sockets, sample_process)
