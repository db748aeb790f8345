/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Shared by the programs that list descriptors and their loader. */
#ifndef SOOTH_BPF_FDS_H
#define SOOTH_BPF_FDS_H

#include "probes/fds.h"

#define FDS_PATH_MAX	 4096
#define FDS_PROTOCOL_MAX 32
#define FDS_SELECTED_MAX 65536

/* Set before a walk. */
struct fds_control {
	uint32_t tid; /* of the thread that owns the table */
	uint32_t unused;
};

/* A descriptor; path_bytes of its path follow, filled up to the next multiple of 8. */
struct fds_seen {
	uint64_t inode;
	uint64_t size_bytes;
	uint64_t offset;
	uint64_t magic; /* of the file system */
	uint32_t fd;
	uint32_t flags;
	uint32_t mode;
	uint32_t links;
	uint32_t device, node; /* as the kernel writes them: 20 bits of minor number */
	uint32_t mount;
	int32_t path_bytes; /* with its NUL; or a negative errno */
	char protocol[FDS_PROTOCOL_MAX];
};

struct fds_selected {
	uint64_t inode;
	uint64_t device; /* of a FIFO, as the kernel writes it; of pipes and sockets 0 */
};

/* A descriptor of any process that refers to a selected inode. */
struct fds_found {
	struct fds_selected selected;
	uint64_t start_ns; /* after boot */
	uint32_t pid;
	uint32_t fd;
	uint8_t access; /* enum fds_access */
	uint8_t unused[7];
	char name[16];
};

#endif
