/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Masks secrets in options that only their program defines (curl -u). The input is already masked
 * by names and shapes. Only mask*.c includes this.
 */
#pragma once

#include "secrets/mask_programs.h"
#include "secrets/mask_walk.h"

/* Returns whether a text may be more than one word. If not, mask_may_change() could be wrong. */
bool mask_has_words(const char *text, size_t size);
/* Masks a text with commands in it. */
void mask_command_text(struct masker *m, const char *text, size_t size);
/* Masks the next argument of a command. */
void mask_command_argument(
	struct masker *m, struct command *command, const char *text, size_t size);
