/* SPDX-License-Identifier: BSD-2-Clause */
/* Processes that wait for each other: what each kind of circle is, in words. */
#ifndef SOOTH_ANALYZE_CIRCLE_CLAIMS_H
#define SOOTH_ANALYZE_CIRCLE_CLAIMS_H

#include "analyze/diagnosis/check_waits.h"

bool circle_is_sure(const struct wait_chain *chain);
/* One fills a pipe that another would read only after its end: the link that writes, or the count.
 */
size_t circle_writer(const struct wait_chain *chain);
bool circle_is_full_pipe(const struct wait_chain *chain);
void circle_claim_full_pipe(struct check_result *out, const struct wait_chain *chain);
/* One is blocked writing to the other, which waits for it meanwhile. */
bool circle_is_unread(const struct wait_chain *chain);
void circle_claim_unread(struct check_result *out, const struct wait_chain *chain);
/* Each waits for the other to write. */
void circle_claim_readers(struct check_result *out, const struct wait_chain *chain);
/* One waits for output of a program on a pseudo terminal that it runs, and that for input. */
bool circle_is_prompt(const struct wait_chain *chain);
void circle_claim_prompt(struct check_result *out, const struct wait_chain *chain);
/* A server with one thread asks itself. */
void circle_claim_self(struct check_result *out, const struct wait_link *link);

#endif
