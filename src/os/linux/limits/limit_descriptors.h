/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The processes that use a limited resource together with the observed one, by the descriptors of
 * all processes: inotify of the same user, connections to one peer, files on a full file system.
 */
#pragma once

#include "base/map.h"
#include "os/linux/limits/limit_holders.h"

/* Read once for all processes of a sample. */
struct limit_descriptors {
	struct map sockets;	 /* inode (uint64_t) -> uint32_t: index in `processes` */
	struct buffer processes; /* struct descriptor_user */
	struct buffer text, scratch;
	uint32_t unread;
	bool is_read;
};

void limit_descriptors_init(struct limit_descriptors *d);
void limit_descriptors_fini(struct limit_descriptors *d);
void limit_descriptors_clear(struct limit_descriptors *d);
void limit_descriptors_write(struct limit_descriptors *d, struct backend_run *run,
	const struct process_snapshot *snapshot);
/* Calls `visit` for each descriptor of a process (a descriptor of /proc/PID). Returns 0 or a
 * negative errno. */
int limit_descriptors_visit(int process,
	void (*visit)(void *user, int process, int table, const char *name), void *user);
