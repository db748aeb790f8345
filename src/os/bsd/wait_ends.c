/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/bsd/wait_ends.h"

#include <string.h>

#define ENDS_MAX 65536

bool bsd_find_other_end(struct bsd_wait_end *out, const struct bsd_descriptor *d, uint32_t pid)
{
	bool is_pipe = d->file.type == FDS_PIPE || d->file.type == FDS_FIFO;

	if (d->special || (!is_pipe && d->file.type != FDS_UNIX && d->file.type != FDS_TCP))
		return false;
	*out = (struct bsd_wait_end){ .own = d->own,
		.peer = d->peer,
		.inode = d->file.inode,
		.device_major = d->file.device_major,
		.device_minor = d->file.device_minor,
		.pid = pid,
		.fd = d->file.fd,
		.type = d->file.type,
		.access = d->file.access,
		.local_port = d->socket.local_port,
		.peer_port = d->socket.peer_port,
		.listens = d->is_socket && !d->socket.state_state &&
			   d->socket.state == SOCKETS_LISTEN };
	memcpy(out->local, d->local, sizeof(out->local));
	memcpy(out->remote, d->remote, sizeof(out->remote));
	return true;
}

struct reading {
	struct bsd_wait_ends *ends;
	uint32_t pid;
};

static bool read_descriptor(void *user, const struct bsd_descriptor *d)
{
	const struct reading *r = user;
	struct bsd_wait_end end;

	if (r->ends->all.size >= ENDS_MAX * sizeof(end))
		return false;
	if (bsd_find_other_end(&end, d, r->pid))
		buffer_append(&r->ends->all, &end, sizeof(end));
	return true;
}

void bsd_wait_ends_read(
	struct bsd_wait_ends *e, const struct bsd_source *s, const struct buffer *processes)
{
	if (e->is_read)
		return;
	e->is_read = true;
	e->state = SOOTH_STATE_VALUE;
	buffer_each (const struct bsd_process, p, processes) {
		struct reading r = { e, p->id.pid };

		if (p->is_kernel || p->state == 'Z')
			continue;
		if (s->descriptors(s, (pid_t)p->id.pid, read_descriptor, &r))
			e->state = SOOTH_STATE_TRUNCATED;
	}
	if (buffer_failed(&e->all)) {
		buffer_reset(&e->all);
		e->state = SOOTH_STATE_TRUNCATED;
	}
}

static bool is_opposite_access(uint8_t access, uint8_t of)
{
	return access == FDS_ACCESS_BOTH || of == FDS_ACCESS_BOTH || access != of;
}

/* Returns whether a listening socket accepts connections of `of`; a wildcard accepts all. */
static bool accepts_peer(const struct bsd_wait_end *listener, const struct bsd_wait_end *of)
{
	return listener->local_port == of->peer_port &&
	       (!listener->local[0] || !strcmp(listener->local, "0.0.0.0") ||
		       !strcmp(listener->local, "::") || !strcmp(listener->local, of->remote));
}

static bool is_other_end(const struct bsd_wait_end *e, const struct bsd_wait_end *of)
{
	if (e->type != of->type)
		return false;
	switch (of->type) {
	case FDS_PIPE:
		return of->peer && e->own == of->peer;
	case FDS_FIFO:
		return of->inode && e->inode == of->inode && e->device_major == of->device_major &&
		       e->device_minor == of->device_minor &&
		       is_opposite_access(e->access, of->access);
	case FDS_UNIX:
		return of->peer ? e->own == of->peer
				: e->listens && of->remote[0] && !strcmp(e->local, of->remote);
	default:
		if (!of->peer_port)
			return false;
		return e->listens
			       ? accepts_peer(e, of)
			       : e->local_port == of->peer_port && e->peer_port == of->local_port &&
					 !strcmp(e->local, of->remote) &&
					 !strcmp(e->remote, of->local);
	}
}

/* Returns whether the connection has its own accepted end; else the listening socket is its end. */
static bool has_accepted_end(const struct bsd_wait_ends *e, const struct bsd_wait_end *of)
{
	const struct bsd_wait_end *all = (const void *)e->all.data;

	for (size_t i = 0; i < e->all.size / sizeof(*all); i++) {
		if (!all[i].listens && is_other_end(&all[i], of))
			return true;
	}
	return false;
}

const struct bsd_wait_end *bsd_wait_ends_next(
	const struct bsd_wait_ends *e, const struct bsd_wait_end *of, size_t *position)
{
	const struct bsd_wait_end *all = (const void *)e->all.data;
	size_t count = e->all.size / sizeof(*all);

	while (*position < count) {
		const struct bsd_wait_end *end = &all[(*position)++];

		if (is_other_end(end, of) && (!end->listens || !has_accepted_end(e, of)))
			return end;
	}
	return NULL;
}

void bsd_wait_ends_clear(struct bsd_wait_ends *e)
{
	buffer_reset(&e->all);
	e->is_read = false;
	e->state = SOOTH_STATE_VALUE;
}

void bsd_wait_ends_fini(struct bsd_wait_ends *e)
{
	buffer_fini(&e->all);
}
