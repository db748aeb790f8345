/* SPDX-License-Identifier: BSD-2-Clause */
/* Clients that wait for the answer of an idle server whose own connections (a pool) are idle too:
 * perhaps each connection was taken from the pool and never given back. */
#ifndef SOOTH_ANALYZE_ANSWER_CLIENTS_H
#define SOOTH_ANALYZE_ANSWER_CLIENTS_H

#include "analyze/diagnosis/diagnosis.h"

/* Appends nothing, or "2 clients have had no answer, one for 9 s; its 3 connections to
 * 127.0.0.1:5432 are at rest". This is no finding: a client that expects no answer, as over a
 * websocket, looks the same.
 */
void answer_clients(const struct diagnosis *s, const struct diagnosed *j, struct buffer *out);

#endif
