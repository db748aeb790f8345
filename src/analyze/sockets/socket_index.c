/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/sockets/socket_index.h"

void socket_index_init(struct socket_index *i, const struct snapshot *snapshot)
{
	struct batch all = snapshot ? snapshot_records(snapshot) : (struct batch){ 0 };

	map_init(&i->sockets, sizeof(uint64_t), sizeof(const struct sockets_socket *),
		all.size / sizeof(struct sooth_record));
	batch_for_each (r, &all) {
		const struct sockets_socket *s = record_as(r, SOCKETS_SOCKET, sizeof(*s));
		const struct sockets_socket **kept;
		bool is_new;

		if (!s)
			continue;
		kept = map_put(&i->sockets, &s->inode, &is_new);
		if (kept && is_new)
			*kept = s;
	}
}

void socket_index_fini(struct socket_index *i)
{
	map_fini(&i->sockets);
}

const struct sockets_socket *socket_index_get(const struct socket_index *i, uint64_t inode)
{
	const struct sockets_socket *const *kept = map_get(&i->sockets, &inode);

	return kept ? *kept : NULL;
}
