/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Waits of a process that the state of no thread shows: for data on one descriptor, and for a file.
 *
 * Data: a thread is blocked in a read of the descriptor, or in poll or select on no other source of
 * work. The state of a connection does not show this: an event loop also watches the idle
 * connections of a pool.
 */
#pragma once

#include "analyze/diagnosis/check.h"
#include "probes/sockets.h"
#include "probes/waits.h"

struct awaited {
	bool is_blocked; /* in every sample a thread was blocked reading the descriptor */
	bool is_polled;	 /* a thread was in poll or select at the last sample */
	uint32_t tid;	 /* the waiting thread */
	bool has_run;	 /* the thread ran in between: it waits again and again */
	uint64_t for_ns; /* time since the thread last ran, or the whole observation; 0: unknown */
	const struct waits_party *peer; /* the process at the other end; NULL: unknown */
	const struct waits_peer
		*other; /* the peer if no thread waits for the descriptor; NULL: unknown */
};

/* Returns whether a thread waits for data on the descriptor, and for nothing else. */
static inline bool awaited_is(const struct awaited *a)
{
	return a->is_blocked || a->is_polled;
}

struct awaited awaited_of(const struct check *e, uint32_t fd);
/* Reports that a silence which still lasts is shorter than the option `silence`. False: too short
 * to mention. */
bool awaited_is_short(const struct check *e, struct check_result *out, uint64_t silence_ns);
/* Appends "python3 (4711) on ", or nothing if the process at the other end is unknown. */
void awaited_put_peer(struct buffer *out, const struct awaited *a);
/* Appends "python3 (4711) on 127.0.0.1:8080", or "python3 (4711)" for a socket without a name. */
void awaited_put_end(
	struct buffer *out, const struct awaited *a, const struct sockets_socket *socket);
/* Appends why the process at the other end does not continue: " (it is blocked sending: node (4711)
 * does not read)"; nothing if that is unknown, or the process rests. */
void awaited_put_wait(struct buffer *out, const struct check *e, const struct awaited *a);

/* Appends `before` and "it looks for /srv/ready again and again, which is not there (5 times over 4
 * s)", of a file that has to appear (`until [ -f ready ]`) or to disappear (`while [ -e x.lock ]`);
 * nothing if the process also looks for other files, or not all the time. */
void awaited_path_put(const struct diagnosis_input *input, const struct process_entry *p,
	const char *before, struct buffer *out);
