/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Agents of the user's own: every agents.d/NAME.agent among their files, in the order of
 * names. One that is wrong is told and keeps none of the others from being used.
 */
#ifndef SOOTH_CLI_USER_AGENTS_H
#define SOOTH_CLI_USER_AGENTS_H

#include <sooth/observer.h>

#include "base/buffer.h"

/* `text` is NULL where the file could not be read: `failure` says why. Returns 0, or what ends the
 * walk. */
typedef int (*user_agent_consumer)(void *user, const char *path, const struct buffer *text,
	const struct sooth_error *failure, struct sooth_error *err);

int user_agents_visit(user_agent_consumer take, void *user, struct sooth_error *err);
/* What is not used is told on standard error and among the notes of the report. */
int user_agents_add(struct sooth_observer *o, struct sooth_error *err);
/* Whether an agent of that name is looked for: -ENOENT when none is. */
int user_agents_check_name(const char *name, struct sooth_error *err);
/* How such a note names what the error is about, and why, in which folder is no matter. */
void user_agents_note(const struct sooth_error *failure, char *what, char *why, size_t size);

#endif
