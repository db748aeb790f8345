/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The patterns by which agents name their files (recognize/agent.h), compared name by name. These
 * functions never read a file.
 */
#pragma once

#include <stdbool.h>

#include "base/cursor.h"

#define AGENT_ID_MAX   128 /* of a session */
#define AGENT_NAME_MAX 255 /* of one file, as everywhere */

struct agent_path {
	struct span pid;
	struct span session; /* empty: unknown */
	struct span directory;
	bool is_any_directory; /* {directory} stands for any directory */
};

/* Returns whether a foreign word may be shown: only letters, digits and "._:-", first a letter or
 * digit. */
bool agent_word_is_plain(struct span word, size_t most);
/* Sets the server, which may be empty, of "mcp__SERVER__TOOL". False: it is another tool. */
bool agent_mcp_server(struct span tool, struct span *server);
/* Returns the next name of a pattern; empty at its end. */
struct span agent_path_next(struct span *pattern);
/* Writes the only name that the pattern stands for. False: there may be several, or no room. */
bool agent_path_expand(
	char *out, size_t room, struct span pattern, const struct agent_path *values);
/* Returns whether the pattern stands for this name. If the id of the session is not known yet,
 * `session` (may be NULL) becomes the longest plain word that fits. */
bool agent_path_match(struct span pattern, struct span name, const struct agent_path *values,
	struct span *session);
/* Returns whether the last names of an absolute path match the whole pattern. */
bool agent_path_ends(struct span pattern, struct span path, const struct agent_path *values,
	struct span *session);
/* Returns whether arguments, NUL-separated, begin with those of the pattern, which have blanks
 * between them and may contain *. */
bool agent_path_arguments(const char *pattern, struct span arguments);
struct agent;
/* Returns the part of the agent whose arguments these are; NULL: none. */
const struct agent_part *agent_path_part(const struct agent *agent, struct span arguments);
