/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/page.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "analyze/profile/profile_table.h"
#include "analyze/timeline/timeline.h"
#include "explain/registry.h"
#include "explain/report.h"
#include "sinks/redacted.h"

#define LEAST_SHARE 0.004 /* of a flamegraph: narrower boxes only make it high */

static const struct timeline_options timeline = { .says_missing = true, .is_of_target = true };
static const struct profile_options on_cpu = {
	.is_icicle = true, .is_drawn = true, .least_share = LEAST_SHARE
};
static const struct profile_options off_cpu = {
	.of = PROFILE_OF_WAITS, .is_icicle = true, .is_drawn = true, .least_share = LEAST_SHARE
};

/* Views that draw what was recorded, beside the views of the command. */
static const struct {
	const char *probe, *view;
	const void *options;
} drawn[] = {
	{ "proc", "timeline", &timeline },
	{ "profile", "profile-stacks", &on_cpu },
	{ "profile", "profile-stacks", &off_cpu },
	{ "heap", "heap-graph", NULL },
};

static bool is_redacted(const struct output_options *output)
{
	return output->format && !strcmp(output->format, "redacted");
}

int page_choose(struct run *run, const struct output_options *output, struct sooth_error *err)
{
	assert(run);
	assert(output);
	if (output->json || (output->format && !is_redacted(output))) {
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "write a page as %s",
			output->json ? "JSON" : output->format);
		error_why(err, "--html is a format of its own");
		return error_remedy(err, "leave out --html, or the other format");
	}
	run->page.is_written = true;
	return 0;
}

static int add_sink(const struct run *run, struct sooth_report *report,
	const struct sink_type *type, FILE *stream, struct sooth_error *err)
{
	struct sink_options options = { .stream = stream, .is_verbose = true };

	assert(run);
	if (run->page.findings)
		report_add_view_of(report, "proc", "findings", run->page.findings);
	for (size_t i = 0; run->page.has_pictures && i < sizeof(drawn) / sizeof(drawn[0]); i++)
		report_add_view_of(report, drawn[i].probe, drawn[i].view, drawn[i].options);
	return report_add_sink_type(report, type, &options, err);
}

int page_add(
	const struct run *run, struct sooth_report *report, FILE *stream, struct sooth_error *err)
{
	return is_redacted(run->output) ? page_add_redacted(run, report, stream, err)
					: add_sink(run, report, registry_sink("html"), stream, err);
}

int page_add_redacted(
	const struct run *run, struct sooth_report *report, FILE *stream, struct sooth_error *err)
{
	return add_sink(run, report, &redacted_page_sink, stream, err);
}
