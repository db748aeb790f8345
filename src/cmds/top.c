/* SPDX-License-Identifier: BSD-2-Clause */
/* sooth top: opens a screen of the host, its agents and their processes. */
#include "cli/command/command.h"
#include "cli/top_run.h"
#include "cli/top_settings.h"

static const struct top_config top_config_defaults = { .top = TOP_DEFAULTS };

static int run_top(void *config, const struct arguments *arguments, struct sooth_error *err)
{
	static const struct output_options output;
	struct top_config *c = config;
	struct settings settings = { .help = "sooth help top" };
	struct target_found found = { 0 };
	int status = top_settings_read(&c->top, &settings, arguments, err);

	if (!status)
		status = target_find(&c->target, arguments, TOP_TARGETS, &found, err);
	if (!status)
		status = top_run(&(struct top_run){ .settings = c->top,
					 .target = &c->target,
					 .found = &found,
					 .arguments = arguments,
					 .output = &output },
			err);
	target_found_fini(&found);
	settings_fini(&settings);
	return status;
}

/* Returns whether the settings make the screen the default. Errors in them are ignored: `sooth top`
 * reports them. */
static bool is_default(void)
{
	static const struct arguments none;
	struct top_settings s = TOP_DEFAULTS;
	struct settings settings = { .help = "sooth help top" };
	struct sooth_error ignored;
	bool is_it = !top_settings_read(&s, &settings, &none, &ignored) && s.is_default;

	settings_fini(&settings);
	return is_it;
}

const struct command command_top = {
	.name = "top",
	.summary = "a screen of the host, its agents and what they do",
	.main_options = "interval,all,tree,theme,session,agent,user",
	.usage = "[-i TIME] [-a] [-t] [--theme NAME] [PID|NAME...] | FILE.sooth",
	.about = "Shows the host with its last minutes, and a row for each session of an agent: "
		 "what it is\ndoing and for how long, model, CPU and memory of all its processes. "
		 "Sessions that wait for\nyou come first. The key ? lists the keys.",
	.examples = "  sooth top              all agents, refreshed every two seconds\n  sooth top "
		    "-i 5         every five seconds\n  sooth top -a           every process, by "
		    "CPU\n  sooth top --theme mono    without colors\n",
	COMMAND_GROUPS(top_groups),
	.config_size = sizeof(struct top_config),
	.defaults = &top_config_defaults,
	.run = run_top,
	.is_default = is_default,
};
