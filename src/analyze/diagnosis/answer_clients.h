/* SPDX-License-Identifier: BSD-2-Clause */
/* Clients of a server at rest that wait for an answer, while a pool of its own connections is at rest
 * too: perhaps each of these was taken and never given back. */
#ifndef SOOTH_ANALYZE_ANSWER_CLIENTS_H
#define SOOTH_ANALYZE_ANSWER_CLIENTS_H

#include "analyze/diagnosis/diagnosis.h"

/* Appends nothing, or "2 clients have had no answer, one for 9 s; its 3 connections to 127.0.0.1:5432 are at
 * rest". A client that needs no answer, as over a websocket, looks the same: so it is no finding.
 */
void answer_clients(const struct diagnosis *s, const struct diagnosed *j, struct buffer *out);

#endif
