/* SPDX-License-Identifier: BSD-2-Clause */
/* Pipes, FIFOs and sockets that the processes of the host have open, to find the other end of one.
 * They are read once a sample, at the first search. */
#pragma once

#include "os/bsd/source.h"

struct bsd_wait_end {
	uint64_t own, peer, inode;
	uint32_t device_major, device_minor;
	uint32_t pid, fd;
	uint16_t local_port, peer_port;
	uint8_t type;	/* enum fds_type */
	uint8_t access; /* enum fds_access */
	bool listens;
	char local[BSD_ADDRESS_SIZE], remote[BSD_ADDRESS_SIZE];
};

struct bsd_wait_ends {
	struct buffer all; /* struct bsd_wait_end */
	uint8_t state;	   /* truncated: some descriptors could not be read */
	bool is_read;
};

/* Makes the end to search for. False: the descriptor has no other end. */
bool bsd_find_other_end(struct bsd_wait_end *out, const struct bsd_descriptor *d, uint32_t pid);
/* Returns the next other end of an end, from `*position`; NULL: no more. */
const struct bsd_wait_end *bsd_wait_ends_next(
	const struct bsd_wait_ends *e, const struct bsd_wait_end *of, size_t *position);
void bsd_wait_ends_read(
	struct bsd_wait_ends *e, const struct bsd_source *s, const struct buffer *processes);
void bsd_wait_ends_clear(struct bsd_wait_ends *e);
void bsd_wait_ends_fini(struct bsd_wait_ends *e);
