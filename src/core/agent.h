/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A known kind of AI coding agent, and how to tell it from everything else. An agent is
 * data: rules, each with a pattern and the words that say why; one engine (core/agent.c)
 * serves all. Paths are compared by whole components, never by parts of them, and what
 * merely stands somewhere in the arguments counts for nothing.
 */
#ifndef SOOTH_CORE_AGENT_H
#define SOOTH_CORE_AGENT_H

#include <stdbool.h>

#include "base/cursor.h"

/* From the strongest to the weakest: rules of one kind are tried for all agents before those of
 * the next. */
enum agent_rule_kind {
	AGENT_RULE_BELOW,     /* the executable lies below these folders */
	AGENT_RULE_PACKAGE,   /* an interpreter runs a script of this npm package */
	AGENT_RULE_MODULE,    /* Python runs this module, or an entry script of its name */
	AGENT_RULE_PROGRAM,   /* what the executable is made of; see below */
	AGENT_RULE_NAME,      /* the file of the executable is called so */
	AGENT_RULE_SOMEWHERE, /* as BELOW, where the folders say less */
	AGENT_RULE_TITLE,     /* JavaScript has written it over its arguments */
	AGENT_RULE_COMMAND,   /* it was started by this name and the process is called so */
	AGENT_RULE_KINDS,
};

/*
 * PROGRAM: the executable has a section that begins with `begins` (NULL: whatever), and its
 * own text holds `holds`. That is, of a program that Bun made (section .bun), its options
 * and the script it begins with; of any other what stands in .rodata. `version_behind`
 * says behind which text the version stands, close by or at once (""); NULL: it does not.
 */
struct agent_program {
	const char *section;
	const char *begins;
	const char *holds;
	const char *version_behind;
};

struct agent_rule {
	enum agent_rule_kind kind;
	const char *what; /* folders with "/" between, package, module, name */
	/* BELOW, PROGRAM: and the file is called so; NULL: whatever. */
	const char *called;
	struct agent_program program;
	const char *why; /* in words */
};

/* The last rule has no words. */
#define AGENT_RULES_MAX 16

struct agent {
	const char *name;  /* "claude" */
	const char *title; /* "Claude Code" */
	const char *tried; /* versions it was tried with; NULL: never on the real thing */
	/* Folders whose next one is called by the version; NULL: none. */
	const char *versions;
	struct agent_rule rules[AGENT_RULES_MAX];
};

/* What is known of a process. Missing things are empty spans. */
struct agent_evidence {
	struct span executable; /* path, without " (deleted)" */
	struct span name;	/* comm */
	struct span arguments;	/* NUL-separated, secrets masked */
	struct span directory;
	struct span marks;	  /* NUL-separated, of the executable: "SECTION TEXT" */
	struct span mark_version; /* that stands behind the last of them */
	struct span package;	  /* npm's, of the script or of the executable */
	struct span package_version;
};

struct agent_match {
	const char *rule;    /* which rule said so, in words */
	struct span version; /* empty: not told by what was looked at */
};

/* The agent whose rule is the strongest; NULL: none. */
const struct agent *agent_recognise(
	const struct agent_evidence *evidence, struct agent_match *match);
size_t agent_rule_count(const struct agent *agent);

#endif
