/* SPDX-License-Identifier: BSD-2-Clause */
/* The claim of a finding about processes that wait for each other, by the kind of circle. */
#ifndef SOOTH_ANALYZE_CIRCLE_CLAIMS_H
#define SOOTH_ANALYZE_CIRCLE_CLAIMS_H

#include "analyze/diagnosis/check_waits.h"

bool circle_is_sure(const struct wait_chain *chain);
/* Returns the index of the only link blocked on writing to a pipe whose reader first waits for that
 * process to end; else the number of links. */
size_t circle_writer(const struct wait_chain *chain);
bool circle_is_full_pipe(const struct wait_chain *chain);
void circle_claim_full_pipe(struct check_result *out, const struct wait_chain *chain);
/* Returns whether one process is blocked writing to another one that waits for it meanwhile. */
bool circle_is_unread(const struct wait_chain *chain);
void circle_claim_unread(struct check_result *out, const struct wait_chain *chain);
/* Makes the claim that each process waits for the other to write. */
void circle_claim_readers(struct check_result *out, const struct wait_chain *chain);
/* Makes the claim that all wait to read a pipe which only they could write to. */
void circle_claim_one_pipe(struct check_result *out, const struct wait_chain *chain);
/* Returns whether one process waits for output of a program that it runs on a pseudo terminal,
 * while the program waits for input. */
bool circle_is_prompt(const struct wait_chain *chain);
void circle_claim_prompt(struct check_result *out, const struct wait_chain *chain);
/* Makes the claim that a server with one thread sends a request to itself. */
void circle_claim_self(struct check_result *out, const struct wait_link *link);

#endif
