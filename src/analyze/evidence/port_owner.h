/* SPDX-License-Identifier: BSD-2-Clause */
/* Which process has a port, or the path of a unix socket: by the listening sockets that were
 * recorded for the checked process. */
#ifndef SOOTH_ANALYZE_PORT_OWNER_H
#define SOOTH_ANALYZE_PORT_OWNER_H

#include "analyze/diagnosis/check.h"

/* Returns whether the call failed because another socket has that port or path. */
bool port_owner_is_in_use(const struct call_place *place);
/* `address`: "127.0.0.1:80", "[::1]:80", "/run/x"; neither it nor the text is escaped. Appends
 * ": node (4711) has that port, and is stopped"; nothing if the owner is unknown. */
void port_owner_put(struct buffer *out, const struct check *e, const char *address);
/* Appends why a connection to this host was refused: "; no process listens on that port", "; node
 * (4711) listens on [::1]:80 only". */
void port_owner_put_refused(struct buffer *out, const struct check *e, const char *address);
/* Adds the remedy for a port or path in use. False: there is none. */
bool port_owner_remedy(const struct check *e, struct check_result *out, const char *address);

#endif
