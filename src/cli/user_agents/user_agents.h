/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Agents that the user has described: every agents.d/NAME.agent of the configuration, in the order
 * of names. A wrong one is reported and the others are used.
 */
#ifndef SOOTH_CLI_USER_AGENTS_USER_AGENTS_H
#define SOOTH_CLI_USER_AGENTS_USER_AGENTS_H

#include <sooth/observer.h>

#include "base/buffer.h"

/* `text` is NULL where the file could not be read: `failure` says why. Returns 0, or what ends the
 * walk. */
typedef int (*user_agent_consumer)(void *user, const char *path, const struct buffer *text,
	const struct sooth_error *failure, struct sooth_error *err);

int user_agents_visit(user_agent_consumer take, void *user, struct sooth_error *err);
/* A file that is not used is reported on standard error and in the notes of the report. */
int user_agents_add(struct sooth_observer *o, struct sooth_error *err);
/* -ENOENT when no agent of that name is known. */
int user_agents_check_name(const char *name, struct sooth_error *err);
/* The note about such a file: its name without folders, and the reason. */
void user_agents_note(const struct sooth_error *failure, char *what, char *why, size_t size);

#endif
