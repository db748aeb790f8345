/* SPDX-License-Identifier: BSD-2-Clause */
/* Clients of a server at rest: whether one of them waits for an answer. */
#ifndef SOOTH_ANALYZE_ANSWER_CLIENTS_H
#define SOOTH_ANALYZE_ANSWER_CLIENTS_H

#include "analyze/diagnosis/diagnosis.h"

/* Appends "; 2 clients have had no answer, one for 9 s; its 3 connections to 127.0.0.1:5432 are at
 * rest". A client that needs no answer, as over a websocket, looks the same: so it is no finding.
 */
void answer_put_clients(const struct diagnosis *s, const struct diagnosed *j, struct buffer *out);

#endif
