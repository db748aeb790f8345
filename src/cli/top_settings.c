/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/top_settings.h"

#include <assert.h>

#include "base/cleanup.h"
#include "cli/config/config_files.h"
#include "cli/top/columns.h"
#include "cli/top/graph.h"
#include "cli/top/theme.h"

#define CONFIG_BYTES (64u << 10)

static const struct option top_options[] = {
	VALUE_ROW('i', "interval", DURATION, "TIME", top_settings, interval_ns,
		"time between two refreshes (2)", .min = 100 * NS_PER_MS, .max = 3600 * NS_PER_S),
	FLAG_ROW('t', "tree", top_settings, is_tree, "whole sessions as trees; with --all a tree"),
	VALUE_ROW('k', "cpu-over", REAL, "PCT", top_settings, cpu_over,
		"flag and alert above this CPU share (percent of one core)", .max = 1000000),
	VALUE_ROW('m', "rss-over", MEGABYTES, "SIZE", top_settings, rss_over,
		"flag and alert above this resident memory: 512 (in MB), 512M, 2G"),
	VALUE_ROW(0, "findings", DURATION, "TIME", top_settings, findings_ns,
		"time between two diagnoses, as of `sooth diagnose -w` (30)", .min = NS_PER_S,
		.max = 3600 * NS_PER_S),
	FLAG_ROW(0, "no-findings", top_settings, no_findings, "diagnose nothing"),
	VALUE_ROW(
		0, "columns", LIST, "LIST", top_settings, columns, "columns of the list, by name"),
	VALUE_ROW(0, "sort", CHOICE, "COLUMN", top_settings, sort,
		"sort column (activity; with --all cpu)", .choice = top_column_name),
	VALUE_ROW(0, "graphs", CHOICE, "FORM", top_settings, graphs,
		"form of the graphs: braille, block, ascii", .choice = graph_form_name),
	FLAG_ROW(0, "default", top_settings, is_default,
		"in top.conf: `sooth` without a command, on a terminal, is `sooth top`"),
	FLAG_ROW(0, "bell", top_settings, has_bell, "ring the bell on an alert"),
	FLAG_ROW(0, "desktop", top_settings, has_desktop,
		"a notice on the desktop on an alert, by notify-send"),
	VALUE_ROW(0, "alert-on", LIST, "LIST", top_settings, alert_on,
		"alert on an activity, such as waits-for-user, on findings by id or severity, on "
		"an end"),
	VALUE_ROW(0, "on-alert", TEXT, "PROGRAM", top_settings, on_alert,
		"program to run on an alert and when it clears, JSON on its stdin"),
	VALUE_ROW(0, "theme", CHOICE, "NAME", top_settings, theme,
		"colors: default, mono, contrast, colorblind", .choice = theme_name),
};

const struct option_group top_groups[TOP_GROUPS] = {
	OPTION_GROUP("Screen", top_options, offsetof(struct top_config, top)),
	TARGET_GROUP(struct top_config, target),
};

int top_settings_read(struct top_settings *s, struct settings *texts,
	const struct arguments *arguments, struct sooth_error *err)
{
	assert(s);

	static const struct option_group group = { .options = top_options,
		.count = ARRAY_SIZE(top_options) };
	struct top_settings typed = *s;
	struct config_file file;
	int status = config_file_read(&file, "top.conf", CONFIG_BYTES, err);

	if (!status && file.is_there) {
		*s = (struct top_settings)TOP_DEFAULTS;
		status = settings_parse(texts, buffer_cstr(&file.path),
			span_of((const char *)file.text.data, file.text.size), &group, 1, s, NULL,
			err);
		settings_override(&group, 1, s, &typed, arguments);
		s->is_program_users = file.is_users && !typed.on_alert;
	}
	config_file_fini(&file);
	return status;
}
