/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first words of a session's first prompt, to distinguish sessions of a project. They
 * and the command of an open call are the only words of a conversation that leave a log: masked,
 * then cut to some 30 characters.
 */
#pragma once

#include "recognize/agent.h"

#define AGENT_TASK_CHARS 30
#define AGENT_TASK_MAX	 (AGENT_TASK_CHARS * 4 + 3) /* bytes, with "..." */

/* Writes the first words of a text. */
void agent_task_write(char task[AGENT_TASK_MAX + 1], const char *text);
/* Reads the start of a log. False, and "": there is no prompt of the user. */
bool agent_task_read(
	char task[AGENT_TASK_MAX + 1], enum agent_log kind, const void *data, size_t size);
