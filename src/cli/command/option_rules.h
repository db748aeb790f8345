/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which options make no sense beside others, as data of a command: what would be overlooked
 * without a word is refused with one.
 */
#ifndef SOOTH_CLI_OPTION_RULES_H
#define SOOTH_CLI_OPTION_RULES_H

#include "cli/command/options.h"

enum option_rule_kind {
	OPTION_NEVER = 1,   /* not in this command, though its group has it */
	OPTION_PER_PROCESS, /* not beside any of the others */
	OPTION_NEEDS,	    /* not without one of the others */
	OPTION_ALONE,	    /* beside the others only */
};

/* Beside the names of options the others may be PID, FILE (a capture that is read). */
struct option_rule {
	enum option_rule_kind kind;
	const char *option; /* its name; its letter where it has none */
	const char *others; /* with commas; NULL: of OPTION_NEVER */
	const char *why;
	const char *remedy; /* NULL: what the kind suggests */
};

/* Of what says how to observe: a capture has been made already. */
#define OPTION_OVER(name)                                                                          \
	{                                                                                          \
		OPTION_PER_PROCESS, name, "FILE", "it says how to observe, and that is over",      \
			"leave it out; --from and --to take a part of a capture"                   \
	}

#define OPTION_RULES(table) .rules = (table), .rule_count = sizeof(table) / sizeof((table)[0])

/* The first rule that is broken is the error. */
int option_rules_check(const struct option_rule *rules, size_t count,
	const struct arguments *arguments, bool has_capture, struct sooth_error *err);

#endif
