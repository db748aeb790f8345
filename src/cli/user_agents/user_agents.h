/* SPDX-License-Identifier: BSD-2-Clause */
/* Agents described by the user: every agents.d/NAME.agent of the configuration, in order of names.
 * An invalid file is reported, and the others are used. */
#pragma once

#include <sooth/observer.h>

#include "base/buffer.h"

/* `text` is NULL if the file could not be read, with the reason in `failure`. A result other than 0
 * ends the walk. */
typedef int (*user_agent_consumer)(void *user, const char *path, const struct buffer *text,
	const struct sooth_error *failure, struct sooth_error *err);

int user_agents_visit(user_agent_consumer take, void *user, struct sooth_error *err);
/* Adds the agents. A file that is not used is reported on standard error and in the notes. */
int user_agents_add(struct sooth_observer *o, struct sooth_error *err);
/* Checks the name of an agent; -ENOENT when no agent of that name is known. */
int user_agents_check_name(const char *name, struct sooth_error *err);
/* Makes the note about a file that is not used: name without folders, and reason. */
void user_agents_note(const struct sooth_error *failure, char *what, char *why, size_t size);
