/* SPDX-License-Identifier: BSD-2-Clause */
/* The input that a known program asks for at its terminal. */
#pragma once

#include "analyze/waits/wait_chain.h"

/* Returns what a program asks: "a user name or password"; NULL: the link does not wait for its
 * terminal, or the question is unknown: a shell, an editor, a pager. */
const char *wait_prompt_of(const struct wait_link *link);
/* Returns whether a program of that name runs a terminal for a user: xterm, sshd, tmux. */
bool wait_is_terminal_program(struct span name);
/* Returns whether the program waits for one answer at its terminal. False for programs that are
 * idle there: a shell or other command session, and a full-screen program. */
bool wait_has_prompt(const struct wait_link *link);
