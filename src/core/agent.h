/* SPDX-License-Identifier: BSD-2-Clause */
/* A known kind of AI coding agent, and how to tell it from everything else. */
#ifndef SOOTH_CORE_AGENT_H
#define SOOTH_CORE_AGENT_H

#include <stdbool.h>

#include "base/cursor.h"

/* What is known of a process. Missing things are empty spans. */
struct agent_evidence {
	struct span executable; /* path, without " (deleted)" */
	struct span name;	/* comm */
	struct span arguments;	/* NUL-separated, secrets masked */
	struct span directory;
};

struct agent_match {
	const char *rule;    /* which rule said so, in words */
	struct span version; /* empty: not told by what was looked at */
};

struct agent {
	const char *name;  /* "claude" */
	const char *title; /* "Claude Code" */
	bool (*match)(const struct agent_evidence *evidence, struct agent_match *match);
};

/* The first agent that matches; NULL: none. */
const struct agent *agent_recognise(
	const struct agent_evidence *evidence, struct agent_match *match);

#endif
