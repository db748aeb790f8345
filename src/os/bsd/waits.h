/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * waits on FreeBSD and macOS: the threads of a process, the kernel's reason why each waits, and the
 * chain of processes that could end the wait, breadth first. Nothing is attached.
 *
 * In these records the first thread has the PID as its number, as on Linux, so that readers can
 * find the main thread.
 */
#pragma once

#include "os/bsd/members.h"
#include "os/bsd/wait_ends.h"
#include "probes/waits.h"

struct bsd_wait_step {
	uint32_t pid, depth;
};

struct bsd_kept_descriptor {
	struct bsd_descriptor d;
	size_t path_at; /* position of the path in `paths` */
};

struct bsd_waits {
	struct bsd_members members; /* first */
	struct buffer processes;    /* struct bsd_process of the host, once a sample */
	struct buffer addresses;    /* struct bsd_socket_at */
	struct buffer locks;	    /* struct bsd_file_lock */
	struct buffer steps;	    /* struct bsd_wait_step, of one chain */
	struct buffer descriptors;  /* struct bsd_kept_descriptor of the process being read */
	struct buffer paths;	    /* paths of `descriptors`, each ends with a NUL */
	struct bsd_wait_ends ends;
	struct process_id observed;
	uint64_t deadline_ns;
	unsigned snapshots; /* snapshots of the sample so far */
	uint8_t sockets_state;
	bool has_addresses, has_locks;
	bool is_cut; /* not all of it was read */
	bool has_reported;
	bool has_refused; /* the system refused the wait functions */
};

/* The process of the chain that is being read, and one of its threads. */
struct bsd_wait_node {
	struct backend_run *run;
	const struct bsd_process *process;
	const struct bsd_thread *thread;
	uint32_t tid; /* thread id in records */
	uint32_t depth;
	uint8_t detail_state; /* state of its descriptors */
};

/* --- wait_chain.c --- */

/* Returns a process of the host at the start of the sample; NULL: none. */
const struct bsd_process *bsd_wait_process(const struct bsd_waits *w, uint32_t pid);
/* Adds the process to the chain. */
void bsd_wait_follow(struct bsd_waits *w, uint32_t pid, uint32_t depth);
/* Returns the head of a record about a node. */
struct sooth_record bsd_wait_record(const struct bsd_wait_node *n, uint32_t tid, uint16_t kind);
/* Writes a party; its process becomes part of the chain. */
void bsd_wait_party(const struct bsd_wait_node *n, enum waits_relation relation,
	enum waits_source source, enum waits_confidence confidence, uint32_t pid, uint32_t fd,
	uint32_t waiting_fd);

/* Writes objects and parties of the thread (wait_objects.c). */
void bsd_wait_objects(const struct bsd_wait_node *n);

int bsd_waits_open(struct backend_run *run, struct sooth_error *err);
int bsd_waits_sample(struct backend_run *run, struct sooth_error *err);
void bsd_waits_close(struct backend_run *run);

#define BSD_WAITS_BACKEND(name_, help_)                                                            \
	{                                                                                          \
		.name = name_, .probe = "waits", .help = help_,                                    \
		.state_size = sizeof(struct bsd_waits), .open = bsd_waits_open,                    \
		.set = bsd_members_set, .start = bsd_waits_sample, .sample = bsd_waits_sample,     \
		.stop = bsd_waits_sample, .close = bsd_waits_close                                 \
	}
