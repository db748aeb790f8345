/* SPDX-License-Identifier: BSD-2-Clause */
/* The kind of a descriptor by the kernel's data about it, and its details in words. All backends
 * use this, so they report the same. */
#pragma once

#include <sys/types.h>

#include "base/buffer.h"
#include "os/linux/fds/fdinfo.h"
#include <sooth/field.h>

/* A descriptor as a backend read it. */
struct fd_raw {
	uint32_t fd;
	uint8_t path_state, inode_state, flags_state; /* enum sooth_state with its reason */
	struct span path;			      /* the text of the link, borrowed */
	uint32_t mode;
	uint32_t links;
	uint64_t inode, size_bytes;
	uint32_t device_major, device_minor;
	uint32_t node_major, node_minor;
	uint32_t flags, mount;
	uint64_t offset;
	bool is_of_kernel;    /* the mount is none of the process's mounts: memfd, pipe */
	struct span protocol; /* protocol of a socket; empty: unknown */
	uint8_t protocol_state;
};

/* Returns the enum fds_type of a descriptor. */
uint8_t fd_kind(const struct fd_raw *raw);
/* Returns the enum fds_access of O_* flags. */
uint8_t fd_access(uint32_t flags);
/* Returns whether the fdinfo has more to read for this kind. */
bool fd_kind_has_info(const struct fd_raw *raw, uint8_t type);
/* Appends details in addition to the type, if there are any. */
void fd_detail(struct buffer *out, uint8_t type, const struct fd_raw *raw, const struct fdinfo *f);
