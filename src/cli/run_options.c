/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/run_options.h"

#include <stdlib.h>

#include "base/log.h"
#include "cli/config/config_files.h"
#include "cli/rights/invoker.h"
#include "cli/terminal/log.h"

/* Makes a launched command run as the user who called sudo. */
static void launch_as_invoker(struct sooth_observer_options *options)
{
	options->has_launch_user = invoker_find(&options->launch_uid, &options->launch_gid);
}

int run_options_of(
	struct sooth_observer_options *options, const struct run *run, struct sooth_error *err)
{
	int status;

	*options = run->observer;
	options->size = sizeof(*options);
	if (run->options.buffer_bytes)
		options->buffer_bytes = run->options.buffer_bytes;
	if (run->options.max_overhead_percent)
		options->max_overhead_percent = run->options.max_overhead_percent;
	options->log = log_print;
	options->log_level = log_selected();
	options->may_be_gone |= run->found->is_searched;
	options->search_path = run->looks_for_programs ? getenv("PATH") : NULL;
	options->cache_folder = config_cache_folder();
	options->debug_cache_bytes = run->servers ? run->servers->cache_bytes : 0;
	status = debug_servers_urls(run->servers, &options->debuginfod_urls, err);
	/* With -v the user sees which files were fetched. */
	if (options->debuginfod_urls && run->output->verbose && options->log_level < LOG_INFO)
		options->log_level = LOG_INFO;
	launch_as_invoker(options);
	return status;
}
