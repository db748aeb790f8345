/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which options exclude or need others, as data of a command: an option that would be ignored is
 * refused with a reason.
 */
#ifndef SOOTH_CLI_OPTION_RULES_H
#define SOOTH_CLI_OPTION_RULES_H

#include "cli/command/options.h"

enum option_rule_kind {
	OPTION_NEVER = 1,   /* not in this command, though its group has it */
	OPTION_PER_PROCESS, /* not together with any of the others */
	OPTION_NEEDS,	    /* not without one of the others */
	OPTION_ALONE,	    /* only together with the others */
};

/* Beside names of options, others may have PID and FILE (a capture that is read). */
struct option_rule {
	enum option_rule_kind kind;
	const char *option; /* its name; its letter where it has none */
	const char *others; /* with commas; NULL: of OPTION_NEVER */
	const char *why;
	const char *remedy; /* NULL: the default of the kind */
};

/* For options of the observation: a capture is already made. */
#define OPTION_OVER(name)                                                                          \
	{                                                                                          \
		OPTION_PER_PROCESS, name, "FILE",                                                  \
			"it sets how to observe, and a capture is already made",                   \
			"leave it out; --from and --to select a time range of a capture"           \
	}

#define OPTION_RULES(table) .rules = (table), .rule_count = sizeof(table) / sizeof((table)[0])

/* The first broken rule is the error. */
int option_rules_check(const struct option_rule *rules, size_t count,
	const struct arguments *arguments, bool has_capture, struct sooth_error *err);

#endif
