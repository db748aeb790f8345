/* SPDX-License-Identifier: BSD-2-Clause */
/* The name of a connection's peer, by the user's labels, or as the proxy of the process. */
#ifndef SOOTH_ANALYZE_PEER_NAME_H
#define SOOTH_ANALYZE_PEER_NAME_H

#include "analyze/diagnosis/check.h"

#define PEER_NAME_SIZE 192

/* Writes the name of an address, by the user's labels or the built-in ones: " (HTTPS)" for
 * 127.0.0.1:443; or " (the proxy in HTTPS_PROXY)". */
void peer_name_put(const struct check *e, const char *address, char *out, size_t size);
/* Sets `variable` to the environment variable that names this address as a proxy, borrowed; false:
 * none. */
bool peer_name_is_proxy(const struct check *e, const char *address, struct span *variable);

#endif
