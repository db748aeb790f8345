/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An agent of the user's own, from the text of a file: a line "KEY VALUE" for each thing
 * that struct agent has, behind # a comment, words with blanks in double quotes (in which
 * \" and \\ stand for themselves).
 *
 *   name      mine
 *   title     Our own agent
 *   below     opt/mine/versions called=mine
 *   versions  opt/mine/versions
 *   package   @team/mine role=launcher
 *   marker    session MINE_SESSION_ID
 *
 * What would match other programs too is refused, and so is what cannot hold: a rule that
 * is wrong is worse than none. docs/howto-add-agent.md lists the keys.
 */
#pragma once

#include "base/error.h"
#include "recognize/agent.h"

#define AGENT_TEXT_BYTES_MAX 16384
#define AGENT_FILE_NAME_MAX  255 /* NAME_MAX */

struct agent_text {
	struct agent agent;	/* its texts belong to this struct */
	bool replaces;		/* replaces the built-in agent of its name */
	unsigned program_rules; /* number of its PROGRAM rules */
	char *file;		/* without its folder */
	char *text;		/* without comments; its lines are those of the file */
	size_t text_size;
	char *strings;
};

/* Parses `text`. Errors name `path` and the line. Returns -EINVAL or -ENOMEM on failure. */
int agent_text_parse(struct agent_text **out, const char *path, const char *text, size_t size,
	struct sooth_error *err);
void agent_text_free(struct agent_text *t);
