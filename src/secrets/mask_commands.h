/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Secrets in options that only their program defines (curl -u). The input is already masked by
 * names and shapes. Only mask*.c includes this.
 */
#ifndef SOOTH_SECRETS_MASK_COMMANDS_H
#define SOOTH_SECRETS_MASK_COMMANDS_H

#include "secrets/mask_programs.h"
#include "secrets/mask_walk.h"

/* Whether a text may be more than one word; else mask_may_change() could be wrong. */
bool mask_has_words(const char *text, size_t size);
/* A text with commands in it. */
void mask_command_text(struct masker *m, const char *text, size_t size);
/* The next argument of one command. */
void mask_command_argument(
	struct masker *m, struct command *command, const char *text, size_t size);

#endif
