/* SPDX-License-Identifier: BSD-2-Clause */
/* sooth statusline: one line about an agent's session, for status bars. */
#include <errno.h>
#include <stdio.h>

#include "cli/command/command.h"
#include "cli/statusline/status_text.h"

#define WIDTH 80

struct statusline_config {
	struct {
		uint64_t width;
		bool has_color;
	} statusline;
};

static const struct statusline_config defaults = { .statusline.width = WIDTH };

static const struct option statusline_options[] = {
	VALUE_ROW(0, "width", U64, "N", statusline_config, statusline.width,
		"maximum width in columns (80)", .min = 10, .max = 1000),
	FLAG_ROW(0, "color", statusline_config, statusline.has_color, "show a finding in red"),
};

static const struct option_group groups[] = {
	OPTION_GROUP("Line", statusline_options, 0),
};

static int run_statusline(void *config, const struct arguments *arguments, struct sooth_error *err)
{
	const struct statusline_config *c = config;
	struct buffer line = { 0 };

	if (arguments->count || arguments->command) {
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "take a target here");
		error_why(err, "the line is about the session that runs it, or about all agents");
		return error_remedy(err, "sooth status PID");
	}
	status_text_put(&line, (unsigned)c->statusline.width, c->statusline.has_color);
	printf("%s\n", buffer_cstr(&line));
	buffer_fini(&line);
	return 0;
}

const struct command command_statusline = {
	.name = "statusline",
	.summary = "one line about an agent's session, for status bars",
	.usage = "[--width N] [--color]",
	.about = "Prints agent, CPU, memory, activity and the worst finding of a session: of the\n"
		 "id in JSON on standard input, as agents pass it to their status line, else of\n"
		 "the agent above it. Elsewhere, as in tmux: of all agents of the user, with the\n"
		 "most urgent one. Without an agent the line is empty. Findings come from a\n"
		 "running monitor, or are what two readings prove. Needs no privilege.",
	.examples = "  sooth statusline                    in the settings of an agent\n"
		    "  set -g status-right '#(sooth statusline)'   in tmux.conf\n",
	COMMAND_GROUPS(groups),
	.defaults = &defaults,
	.config_size = sizeof(struct statusline_config),
	.run = run_statusline,
};
