/* SPDX-License-Identifier: BSD-2-Clause */
/* The processes of this host at the other ends of the sockets of a process. */
#ifndef SOOTH_ANALYZE_PEER_PROCESS_H
#define SOOTH_ANALYZE_PEER_PROCESS_H

#include "analyze/diagnosis/diagnosis_input.h"
#include "base/buffer.h"
#include "probes/waits.h"

/* Returns the process with most connections, and their number with all; NULL: none is known. */
const struct waits_peer *peer_process_most(
	const struct diagnosis_input *input, const struct process_id *id, unsigned *all);
/* Returns the one whose connection with most unread data has that descriptor. */
const struct waits_peer *peer_process_of_fd(
	const struct diagnosis_input *input, const struct process_id *id, uint32_t fd);
/* Returns one that is stopped and has not read what was sent to it. */
const struct waits_peer *peer_process_stopped(
	const struct diagnosis_input *input, const struct process_id *id);
/* "node (4711)" */
void peer_process_put(struct buffer *out, const struct waits_peer *peer);
/* Appends a text with what the process waits for, by these records of the probe waits: ", which
 * waits for ..."; nothing if it rests or was not read. */
void peer_process_put_wait_in(
	struct buffer *out, struct batch records, uint32_t pid, const char *before);
/* The same by those of the process itself, where it was diagnosed too. */
void peer_process_put_wait(struct buffer *out, const struct diagnosis_input *input,
	const struct waits_peer *peer, const char *before);

#endif
