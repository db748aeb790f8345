/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The patterns by which agents name their files (recognize/agent.h): what stands for what, name by
 * name. Nothing here looks at a file.
 */
#ifndef SOOTH_RECOGNIZE_AGENT_PATH_H
#define SOOTH_RECOGNIZE_AGENT_PATH_H

#include <stdbool.h>

#include "base/cursor.h"

#define AGENT_ID_MAX   128 /* of a session */
#define AGENT_NAME_MAX 255 /* of one file, as everywhere */

struct agent_path {
	struct span pid;
	struct span session; /* empty: not known */
	struct span directory;
	bool is_any_directory; /* {directory} stands for whatever */
};

/* Letters, digits and "._:-", a letter or a digit first: what may be shown of a foreign word. */
bool agent_word_is_plain(struct span word, size_t most);
/* The next name of a pattern; empty at its end. */
struct span agent_path_next(struct span *pattern);
/* Writes the only name that it stands for. False: there may be several, or it is too long. */
bool agent_path_expand(
	char *out, size_t room, struct span pattern, const struct agent_path *values);
/*
 * Whether it stands for this name. `session` (may be NULL) becomes the id of a session that is not
 * known yet: the longest plain word that fits.
 */
bool agent_path_match(struct span pattern, struct span name, const struct agent_path *values,
	struct span *session);
/* Whether the last names of an absolute path are those of the whole pattern. */
bool agent_path_ends(struct span pattern, struct span path, const struct agent_path *values,
	struct span *session);

#endif
