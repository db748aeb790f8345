/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The declarations that the parts of the parser of agents' texts share: the walk over lines
 * (agent_text.c), keys and rules (agent_text_keys.c), what a value may be (agent_text_values.c).
 * Only these include it.
 */
#pragma once

#include "recognize/agent_text.h"

#define AGENT_WORDS_MAX 8   /* words of a line */
#define AGENT_WHY_SIZE	512 /* bytes of a reason */
#define AGENT_PROJECT	"{project}"

struct agent_parser {
	struct agent_text *t;
	const char *path;
	unsigned line;
	const char *words[AGENT_WORDS_MAX]; /* of the line; the first is the key */
	size_t word_count;
	size_t used; /* bytes of t->strings */
	struct sooth_error *err;
};

/* Reports -EINVAL with file and line. `why` may be followed by its arguments. */
int agent_text_wrong(struct agent_parser *p, const char *remedy, const char *why, ...)
	PRINTF_LIKE(3, 4);
/* Parses the words of a line: its key and value. */
int agent_text_key(struct agent_parser *p);

/* The kinds of values. */
enum agent_value {
	AGENT_VALUE_ANY,
	AGENT_VALUE_NAME,
	AGENT_VALUE_TITLE,
	AGENT_VALUE_FOLDERS,
	AGENT_VALUE_FILE,
	AGENT_VALUE_PACKAGE,
	AGENT_VALUE_MODULE,
	AGENT_VALUE_SECTION,
	AGENT_VALUE_VARIABLE,
	AGENT_VALUE_MARKER,
	AGENT_VALUE_HOME,
	AGENT_VALUE_SESSION_FILE,
	AGENT_VALUE_OPEN_FILE,
	AGENT_VALUE_LOG,
	AGENT_VALUE_DISTRIBUTION,
	AGENT_VALUE_NAMES,
	AGENT_VALUE_MEMBER,
	AGENT_VALUE_OPTION,
};

/* Returns what is wrong with a value of this kind; NULL: nothing. */
const char *agent_value_wrong(enum agent_value kind, const char *value);
/* Returns whether many programs have this name, so that it identifies none. */
bool agent_value_is_generic(const char *name);
/* Returns whether many programs are below such folders. */
bool agent_value_is_generic_folder(const char *folders);
