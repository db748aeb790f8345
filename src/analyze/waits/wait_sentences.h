/* SPDX-License-Identifier: BSD-2-Clause */
/* One link of a chain of waits as a sentence without its subject. */
#pragma once

#include "analyze/waits/wait_lookup.h"
#include "analyze/waits/wait_party_text.h"
#include "base/buffer.h"

#define WAIT_DURATION_SIZE 32

/* Writes a duration in words: "0.3 s", "42 s", "8 min", "2 h 5 min", "3 d". */
const char *wait_duration(char out[WAIT_DURATION_SIZE], uint64_t ns);
/* Appends the sentence of a link: "waits for its child sleep (12)". */
void wait_sentence(struct buffer *out, const struct wait_graph *g, const struct wait_link *link);
/* Appends the process that used the terminal, for a job that its terminal stopped: "ssh-keygen
 * (577) of its job ". */
void wait_put_user(struct buffer *out, const struct wait_graph *g, const struct wait_link *link);
