/* SPDX-License-Identifier: BSD-2-Clause */
/* The processes of this host at the other ends of the sockets of a process, the names of its peers,
 * and the owners of ports and of paths of unix sockets. */
#pragma once

#include "analyze/diagnosis/check.h"
#include "probes/waits.h"

/* Returns the process with most connections, and the number of connections; NULL: none is known. */
const struct waits_peer *peer_process_most(
	const struct diagnosis_input *input, const struct process_id *id, unsigned *all);
/* Returns the process whose connection with most unread data has that descriptor. */
const struct waits_peer *peer_process_of_fd(
	const struct diagnosis_input *input, const struct process_id *id, uint32_t fd);
/* Returns a process that is stopped and has not read what was sent to it. */
const struct waits_peer *peer_process_stopped(
	const struct diagnosis_input *input, const struct process_id *id);
/* Appends "node (4711)". */
void peer_process_put(struct buffer *out, const struct waits_peer *peer);
/* Appends ", which waits for ...", by this snapshot of the probe waits; nothing if the process
 * rests or was not read. */
void peer_process_put_wait_in(
	struct buffer *out, const struct snapshot *last, uint32_t pid, const char *before);
/* Appends the same by the records of the peer, if that was diagnosed too. */
void peer_process_put_wait(struct buffer *out, const struct diagnosis_input *input,
	const struct waits_peer *peer, const char *before);

#define PEER_NAME_SIZE 192

/* Writes the name of an address, by the user's labels or the built-in ones: " (HTTPS)" for
 * 127.0.0.1:443; or " (the proxy in HTTPS_PROXY)". */
void peer_name_put(const struct check *e, const char *address, char *out, size_t size);
/* Sets `variable` to the environment variable that names this address as a proxy, borrowed; false:
 * none. */
bool peer_name_is_proxy(const struct check *e, const char *address, struct span *variable);

/* Returns whether the call failed because another socket has that port or path. */
bool port_owner_is_in_use(const struct call_place *place);
/* `address`: "127.0.0.1:80", "[::1]:80", "/run/x"; neither it nor the text is escaped. Appends
 * ": node (4711) has that port, and is stopped"; nothing if the owner is unknown. */
void port_owner_put(struct buffer *out, const struct check *e, const char *address);
/* Returns the process of this host that has the port or path; NULL: unknown. */
const struct process_entry *port_owner_find(const struct check *e, const char *address);
/* Appends why a connection to this host was refused: "; no process listens on that port", "; node
 * (4711) listens on [::1]:80 only". */
void port_owner_put_refused(struct buffer *out, const struct check *e, const char *address);
/* Appends the users of both ends, where a socket file may not be opened. */
void port_owner_put_denied(struct buffer *out, const struct check *e, const char *path);
/* Appends which process listens at a path that is gone; nothing if none is known. */
void port_owner_put_deleted(struct buffer *out, const struct check *e, const char *path);
/* Adds the remedy for a port or path in use. False: there is none. */
bool port_owner_remedy(const struct check *e, struct check_result *out, const char *address);
