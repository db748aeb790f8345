/* SPDX-License-Identifier: BSD-2-Clause */
/* The screen of `sooth top`, for each command that opens it, and the settings it has. */
#ifndef SOOTH_CLI_TOP_RUN_H
#define SOOTH_CLI_TOP_RUN_H

#include "base/units.h"
#include "cli/command/settings.h"
#include "cli/output/output.h"
#include "cli/run.h"

struct top_settings {
	uint64_t interval_ns;
	const char *theme;
	uint64_t findings_ns;
	bool no_findings, has_bell, has_desktop, is_default;
	bool is_tree; /* whole sessions as trees */
	double cpu_over;
	uint64_t rss_over;
	const char *graphs, *sort, *on_alert;
	struct option_list columns, alert_on;
	bool is_program_users; /* on_alert: named by a file of the user of sudo */
};

#define TOP_DEFAULTS                                                                               \
	{                                                                                          \
		.interval_ns = 2 * NS_PER_S, .findings_ns = 30 * NS_PER_S                          \
	}

#define TOP_OPTION_COUNT 15
extern const struct option top_option_rows[TOP_OPTION_COUNT];
#define TOP_GROUP(config, member)                                                                  \
	{                                                                                          \
		.title = "Screen", .options = top_option_rows, .count = TOP_OPTION_COUNT,          \
		.offset = offsetof(config, member)                                                 \
	}

/* What the file says, then what was typed. A missing file is none. */
int top_settings_read(struct top_settings *s, struct settings *texts,
	const struct arguments *arguments, struct sooth_error *err);

/* The targets that the screen takes. */
#define TOP_TARGETS (TARGET_MAY_BE_HOST | TARGET_IS_HOST | TARGET_SELECTS_ROWS)

struct top_run {
	struct top_settings settings;
	const struct target_options *target;
	const struct target_found *found;
	const struct arguments *arguments;
	const struct output_options *output; /* its capture and color */
	const char *agent;		     /* only this one; NULL: all */
	const char *filter;		     /* to begin with; NULL: none */
	bool is_reversed;		     /* the order of the settings' column */
	const char *const *finder;	     /* see struct alert_options */
};

int top_run(const struct top_run *r, struct sooth_error *err);

/* A report in this form is drawn on the terminal of this process. */
bool top_run_is_possible(const struct output_options *output);

#endif
