/* SPDX-License-Identifier: BSD-2-Clause */
/* sooth diff: two captures side by side, and what changed beyond noise. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "analyze/comparison.h"
#include "base/units.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/own_report.h"
#include "core/report.h"

#define EXIT_CHANGED 1

struct diff_config {
	struct output_options output;
	struct {
		double noise_percent;
		bool fails;
	} diff;
};

static const struct option diff_options[] = {
	{ .name = "noise",
		.type = OPTION_REAL,
		.argument = "PERCENT",
		.min = 1,
		.max = 100,
		.offset = offsetof(struct diff_config, diff.noise_percent),
		.help = "of the larger value that a figure may differ (10)" },
	{ .name = "fail-on-change",
		.type = OPTION_FLAG,
		.offset = offsetof(struct diff_config, diff.fails),
		.help = "exit with 1 when anything changed" },
};

static const struct option_group groups[] = {
	OPTION_GROUP("Comparison", diff_options, 0),
	OUTPUT_GROUP(struct diff_config, output),
	FILE_GROUP(struct diff_config, output),
};

/* The same as `sooth report` and `sooth diagnose` of it. */
static int read_side(struct comparison_side *side, struct sooth_error *err)
{
	struct sooth_report *report;
	int status = sooth_report_new(&report, "diff", err);

	if (status)
		return status;
	sooth_report_add_default_views(report);
	sooth_report_on_record(report, comparison_take, side);
	status = report_add_sink_type(
		report, &comparison_sink, &(struct sink_options){ .user = side }, err);
	if (!status)
		status = sooth_report_add_view(report, "findings", NULL, err);
	if (!status)
		status = sooth_report_read(report, side->file, err);
	if (!status)
		status = sooth_report_finish(report, err);
	sooth_report_free(report);
	return status;
}

static bool is_same_file(const char *a, const char *b)
{
	struct stat x, y;

	return !strcmp(a, b) ||
	       (!stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino);
}

static int check(const struct arguments *arguments, struct sooth_error *err)
{
	if (arguments->count != 2 || arguments->command) {
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "compare other than two captures");
		error_why(err, "a comparison has a first and a second one");
		return error_remedy(err, "give two files that `sooth record` or --save wrote");
	}
	if (is_same_file(arguments->items[0], arguments->items[1])) {
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "compare %s with itself",
			arguments->items[0]);
		error_why(err, "both names are of one file");
		return error_remedy(err, "give two captures");
	}
	return 0;
}

struct both {
	struct comparison_side *sides; /* two */
	double share;
	struct comparison_told told;
};

static int tell(struct output *o, void *user, struct sooth_error *err)
{
	struct both *b = user;

	return comparison_tell(o, &b->sides[0], &b->sides[1], b->share, &b->told, err);
}

static int run_diff(void *config, const struct arguments *arguments, struct sooth_error *err)
{
	struct diff_config *c = config;
	struct both b = { .share = (c->diff.noise_percent > 0 ? c->diff.noise_percent : 10) / 100 };
	int status = check(arguments, err);

	if (status)
		return status;
	b.sides = calloc(2, sizeof(*b.sides));
	if (!b.sides)
		return error_no_memory(err);
	for (size_t i = 0; i < 2 && !status; i++) {
		b.sides[i].file = arguments->items[i];
		status = read_side(&b.sides[i], err);
	}
	if (!status)
		status = own_report_tell("diff", &c->output, tell, &b, err);
	for (size_t i = 0; i < 2; i++)
		comparison_side_fini(&b.sides[i]);
	free(b.sides);
	if (!status && c->diff.fails && b.told.changed + b.told.appeared + b.told.vanished)
		status = EXIT_CHANGED;
	return status;
}

const struct command command_diff = {
	.name = "diff",
	.summary = "compare two captures",
	.usage = "FIRST.sooth SECOND.sooth [--noise PERCENT] [--fail-on-change] [-j] [-o FILE]",
	.about = "Explains both as `sooth report` and `sooth diagnose` do, and tells of every "
		 "table and\n"
		 "every finding what changed beyond noise, what appeared and what vanished. "
		 "Processes\n"
		 "are found again by agent, role and project, or by name.",
	.examples = "  sooth diff before.sooth after.sooth\n"
		    "  sooth diff --fail-on-change good.sooth now.sooth   for scripts\n",
	COMMAND_GROUPS(groups),
	.config_size = sizeof(struct diff_config),
	.run = run_diff,
};
