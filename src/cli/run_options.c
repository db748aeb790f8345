/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/run_options.h"

#include <stdlib.h>

#include "base/log.h"
#include "cli/agents/config_files.h"
#include "cli/rights/invoker.h"
#include "cli/terminal/log.h"

/* With sudo a launched command runs as the invoking user. */
static void launch_as_invoker(struct sooth_observer_options *options)
{
	options->has_launch_user = invoker_find(&options->launch_uid, &options->launch_gid);
}

static void set_heap_options(const struct run *run, struct sooth_observer_options *options)
{
	options->heap_stacks = run->heap_stacks;
	options->heap_sums = run->heap_sums;
	options->heap_blocks = run->heap_blocks;
	options->heap_sample_bytes = run->heap_sample_bytes;
	options->heap_adapts = run->heap_adapts;
	options->heap_frees = run->heap_frees;
	options->heap_engine = run->heap_engine;
	options->heap_library = run->heap_library;
}

int run_options_of(
	struct sooth_observer_options *options, const struct run *run, struct sooth_error *err)
{
	int status;

	*options = (struct sooth_observer_options){
		.size = sizeof(*options),
		.sample_ns = run->sample_ns,
		.edges_ns = run->edges_ns,
		.buffer_bytes = run->buffer_bytes,
		.log = log_print,
		.log_level = log_selected(),
		.may_pause = run->may_pause,
		.must_hold = run->must_hold,
		.starts_paused = run->starts_paused,
		.may_be_gone = run->may_be_gone || run->found->is_searched,
		.may_be_refused = run->may_be_refused,
		.calls = run->calls,
		.only_failed = run->only_failed,
		.data_bytes = run->data_bytes,
		.has_call_budget = run->has_call_budget,
		.keeps_api = run->keeps_api,
		.only_api = run->only_api,
		.profile_hz = run->profile_hz,
		.profile_calls = run->profile_calls,
		.profile_tables_only = run->profile_tables_only,
		.profile_wait_ns = run->profile_wait_ns,
		.profile_wall = run->profile_wall,
		.profile_pages = run->profile_pages,
		.page_fault_hz = run->page_fault_hz,
		.profile_lines = run->profile_lines,
		.search_path = run->looks_for_programs ? getenv("PATH") : NULL,
		.cache_folder = config_cache_folder(),
		.debug_cache_bytes = run->servers ? run->servers->cache_bytes : 0,
	};
	status = debug_servers_urls(run->servers, &options->debuginfod_urls, err);
	set_heap_options(run, options);
	/* Users see with -v what was fetched. */
	if (options->debuginfod_urls && run->output->verbose && options->log_level < LOG_INFO)
		options->log_level = LOG_INFO;
	launch_as_invoker(options);
	return status;
}
