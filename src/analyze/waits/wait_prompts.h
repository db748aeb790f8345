/* SPDX-License-Identifier: BSD-2-Clause */
/* The input that a program asks for at its terminal, known by which program it is. */
#ifndef SOOTH_ANALYZE_WAIT_PROMPTS_H
#define SOOTH_ANALYZE_WAIT_PROMPTS_H

#include "analyze/waits/wait_chain.h"

/* "a user name or password"; NULL: the link is no wait for its terminal, or the program asks for
 * nothing that is known: a shell, an editor, a pager. */
const char *wait_prompt_of(const struct wait_link *link);
/* Returns whether people type in a program of that name: a terminal, sshd, tmux. */
bool wait_is_terminal_program(struct span name);
/* Returns whether the program asks, or reads one answer, at its terminal. A shell or another
 * session for commands is at rest there, and so is a program with a screen of its own. */
bool wait_has_prompt(const struct wait_link *link);

#endif
