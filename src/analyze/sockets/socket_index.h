/* SPDX-License-Identifier: BSD-2-Clause */
/* The sockets of a snapshot by inode: a server has thousands of them, and each is looked up. */
#ifndef SOOTH_ANALYZE_SOCKET_INDEX_H
#define SOOTH_ANALYZE_SOCKET_INDEX_H

#include "analyze/snapshots.h"
#include "probes/sockets.h"

struct socket_index {
	struct map sockets; /* inode -> const struct sockets_socket * */
};

/* Of NULL, none. The snapshot has to stay as it is. */
void socket_index_init(struct socket_index *i, const struct snapshot *snapshot);
void socket_index_fini(struct socket_index *i);
/* NULL: it was not there. */
const struct sockets_socket *socket_index_get(const struct socket_index *i, uint64_t inode);

#endif
