/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of commands that have stacks, and the picture of these beside the report. */
#ifndef SOOTH_CLI_PICTURE_H
#define SOOTH_CLI_PICTURE_H

#include "analyze/graphs/call_graph_rows.h"
#include "analyze/calls/syscall_folded.h"
#include "cli/output/output.h"
#include "cli/run.h"

struct picture_options {
	bool flamegraph, icicle;
	const char *weight;
	double least_percent;
	bool has_any_name; /* no option: the file may have any name, and is SVG then */
};

#define PICTURE_OPTION_COUNT 4
extern const struct option picture_option_rows[PICTURE_OPTION_COUNT];
#define PICTURE_GROUP(config, member)                                                              \
	{                                                                                          \
		.title = "Picture", .options = picture_option_rows, .count = PICTURE_OPTION_COUNT, \
		.offset = offsetof(config, member)                                                 \
	}
/* The same without the choice of a weight, which is the last of them. */
#define PICTURE_PLAIN_GROUP(config, member)                                                        \
	{                                                                                          \
		.title = "Picture", .options = picture_option_rows,                                \
		.count = PICTURE_OPTION_COUNT - 1, .offset = offsetof(config, member)              \
	}

/* Names of weights, as choices of an option. */
const char *picture_weight_name(size_t index);
/* One of those; NULL: `otherwise`. */
enum call_graph_value picture_weight(const char *name, enum call_graph_value otherwise);
/* The options of the view; `otherwise` is the default weight. */
struct call_graph_look picture_look(
	const struct picture_options *o, enum call_graph_value otherwise);

/*
 * The picture takes -o, and stacks as text are written beside it: out.svg, out.folded. The report
 * goes to standard output. -EINVAL when the name is missing or is no picture's, or options miss
 * --flamegraph.
 */
struct picture_files {
	const char *picture;	      /* NULL: none */
	struct buffer folded;	      /* a path; empty: none */
	struct output_options report; /* of the command, without the picture's */
};

/* ".svg" or ".png", with something before it. */
bool picture_has_ending(const char *path, const char *ending);
int picture_files(struct picture_files *f, const struct picture_options *o,
	const struct output_options *output, struct sooth_error *err);
void picture_files_fini(struct picture_files *f);
/* The picture of system calls, with their text beside it; path NULL without a picture. Both
 * arguments are borrowed until the run ends. */
struct run_side_output picture_side_output(
	struct picture_files *f, const struct syscall_folded_options *stacks);

#endif
