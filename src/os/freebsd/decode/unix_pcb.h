/* SPDX-License-Identifier: BSD-2-Clause */
/* net.local.stream.pcblist: all stream sockets of the host that have no network, between a head and
 * a tail of their own. */
#ifndef SOOTH_OS_FREEBSD_UNIX_PCB_H
#define SOOTH_OS_FREEBSD_UNIX_PCB_H

#include "os/bsd/source.h"

/* The next one. False: the end, or (the cursor has failed then) no whole record. */
bool unix_pcb_next(struct bsd_socket_at *out, struct cursor *c);

#endif
