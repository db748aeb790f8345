/* SPDX-License-Identifier: BSD-2-Clause */
/* The options of `sooth top`, which a settings file may have too. */
#pragma once

#include "base/units.h"
#include "cli/command/settings.h"
#include "cli/command/target.h"

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
	bool is_program_users; /* on_alert is from a file of the user of sudo */
};

#define TOP_DEFAULTS                                                                               \
	{                                                                                          \
		.interval_ns = 2 * NS_PER_S, .findings_ns = 30 * NS_PER_S                          \
	}

struct top_config {
	struct target_options target;
	struct top_settings top;
};

#define TOP_GROUPS 3
extern const struct option_group top_groups[TOP_GROUPS];

/* Reads the settings of the file, then the typed ones, which override them. A missing file is no
 * error. */
int top_settings_read(struct top_settings *s, struct settings *texts,
	const struct arguments *arguments, struct sooth_error *err);
