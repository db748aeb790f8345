/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "recognize/agent.h"

/*
 * Where an agent's process keeps its files. The path is only opened, never reported.
 *
 * From the bytes of its environment; false: not in there. Variables are those of agent->files; the
 * first one of a name counts, as for getenv(3).
 */
bool agent_home_of(char *home, size_t room, const struct agent_files *files,
	const void *environment, size_t size);
/* "FOLDER/BELOW"; `below` may be NULL. False: it is no absolute path, or too long. */
bool agent_home_below(char *home, size_t room, struct span folder, const char *below);
