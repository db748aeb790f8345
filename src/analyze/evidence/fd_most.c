/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/evidence/fd_most.h"

#include <assert.h>

#include "analyze/sockets/socket_sums.h"
#include "analyze/sockets/socket_text.h"
#include "analyze/evidence/tally.h"
#include "probes/fd_names.h"
#include "probes/fds.h"
#include "probes/sockets.h"

static void put_socket(struct buffer *out, const struct sockets_socket *s)
{
	if (s->side == SOCKETS_SIDE_ACCEPTED) {
		buffer_string(out, "connections that it accepted on ");
		socket_put_local(out, s);
	} else {
		buffer_string(out, "connections to ");
		socket_put_peer(out, s);
	}
}

static void put_descriptor(
	struct buffer *out, const struct socket_index *sockets, const struct fds_descriptor *d)
{
	bool has_path = d->type == FDS_FILE || d->type == FDS_DELETED || d->type == FDS_DIRECTORY ||
			d->type == FDS_DEVICE || d->type == FDS_FIFO;
	const struct sockets_socket *s =
		d->type == FDS_TCP && !d->inode_state ? socket_index_get(sockets, d->inode) : NULL;

	if (s && socket_is_inet(s) && !s->state_state && s->peer_port)
		put_socket(out, s);
	else if (has_path && d->path_state <= SOOTH_STATE_TRUNCATED)
		buffer_append(out, record_text(&d->record, &d->path).data, d->path.size);
	else
		buffer_string(out, d->type < FDS_TYPES ? fd_type_names.names[d->type] : "?");
}

bool fd_most_put(struct buffer *out, const struct check *e)
{
	struct tally_row most = { 0 };
	struct buffer text = { 0 };
	struct tally groups;
	struct socket_index sockets;
	int64_t sum = 0;

	assert(e);
	socket_index_init(&sockets, check_last(e, &e->input->sockets));
	tally_init(&groups);
	check_fds_for_each (e, d) {
		buffer_reset(&text);
		put_descriptor(&text, &sockets, d);
		tally_add(&groups, span_of_string(buffer_cstr(&text)), true);
		sum++;
	}
	tally_top(&groups, tally_last, &most, 1);
	tally_fini(&groups);
	buffer_fini(&text);
	socket_index_fini(&sockets);
	if (most.last < 2 || most.last * 2 < sum)
		return false;
	buffer_format(out, "%lld of them %s", (long long)most.last, most.text);
	return true;
}
