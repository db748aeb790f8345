/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/evidence/fd_most.h"

#include <assert.h>
#include <string.h>

#include "analyze/sockets/socket_text.h"
#include "base/map.h"
#include "probes/fd_names.h"
#include "probes/fds.h"
#include "probes/sockets.h"

#define GROUPS_MAX  4096
#define SOCKETS_MAX (1u << 20)
#define TEXT_MAX    256

struct most_key {
	char text[TEXT_MAX]; /* shortened, not escaped */
};

static void read_sockets(struct map *by_inode, const struct check *e)
{
	check_sockets_for_each (e, s) {
		const struct sockets_socket **to =
			socket_is_inet(s) && !s->state_state && s->peer_port
				? map_put(by_inode, &s->inode, NULL)
				: NULL;

		if (to)
			*to = s;
	}
}

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
	struct buffer *out, const struct map *sockets, const struct fds_descriptor *d)
{
	bool has_path = d->type == FDS_FILE || d->type == FDS_DELETED || d->type == FDS_DIRECTORY ||
			d->type == FDS_DEVICE || d->type == FDS_FIFO;
	const struct sockets_socket **s =
		d->type == FDS_TCP && !d->inode_state ? map_get(sockets, &d->inode) : NULL;

	if (s)
		put_socket(out, *s);
	else if (has_path && d->path_state <= SOOTH_STATE_TRUNCATED)
		buffer_append(out, record_text(&d->record, &d->path).data, d->path.size);
	else
		buffer_string(out, d->type < FDS_TYPES ? fd_type_names.names[d->type] : "?");
}

struct most {
	struct most_key key;
	uint64_t count, sum; /* descriptors of that kind; descriptors of all kinds */
};

static void count_all(struct most *most, const struct map *sockets, const struct check *e)
{
	struct buffer text = { 0 };
	struct map groups;

	map_init(&groups, sizeof(struct most_key), sizeof(uint64_t), GROUPS_MAX);
	check_fds_for_each (e, d) {
		struct most_key key = { { 0 } };
		uint64_t *count;

		buffer_reset(&text);
		put_descriptor(&text, sockets, d);
		memcpy(key.text, buffer_cstr(&text),
			text.size < TEXT_MAX - 1 ? text.size : TEXT_MAX - 1);
		count = map_put(&groups, &key, NULL);
		most->sum++;
		if (count && ++*count > most->count) {
			most->count = *count;
			most->key = key;
		}
	}
	map_fini(&groups);
	buffer_fini(&text);
}

bool fd_most_put(struct buffer *out, const struct check *e)
{
	struct most most = { 0 };
	struct map sockets;

	assert(e);
	map_init(&sockets, sizeof(uint64_t), sizeof(const struct sockets_socket *), SOCKETS_MAX);
	read_sockets(&sockets, e);
	count_all(&most, &sockets, e);
	map_fini(&sockets);
	if (most.count < 2 || most.count * 2 < most.sum)
		return false;
	buffer_format(out, "%llu of them %s", (unsigned long long)most.count, most.key.text);
	return true;
}
