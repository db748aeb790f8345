/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of commands with stacks, and the picture of the stacks beside the report. */
#pragma once

#include "analyze/graphs/call_graph_rows.h"
#include "analyze/calls/syscall_folded.h"
#include "cli/output/output.h"
#include "cli/run.h"

struct picture_options {
	bool flamegraph, icicle;
	const char *weight;
	double least_percent;
	bool has_any_name; /* without an option for the format: any name, and the picture is SVG */
};

#define PICTURE_OPTION_COUNT 4
extern const struct option picture_option_rows[PICTURE_OPTION_COUNT];
#define PICTURE_GROUP(config, member)                                                              \
	{                                                                                          \
		.title = "Picture", .options = picture_option_rows, .count = PICTURE_OPTION_COUNT, \
		.offset = offsetof(config, member)                                                 \
	}
/* The same options without the choice of a weight (the last row). */
#define PICTURE_PLAIN_GROUP(config, member)                                                        \
	{                                                                                          \
		.title = "Picture", .options = picture_option_rows,                                \
		.count = PICTURE_OPTION_COUNT - 1, .offset = offsetof(config, member)              \
	}

/* Returns the name of a weight, as a choice of an option. */
const char *picture_weight_name(size_t index);
/* Returns the weight of that name; NULL: returns `otherwise`. */
enum call_graph_value picture_weight(const char *name, enum call_graph_value otherwise);
/* Returns the options of the view; `otherwise` is the default weight. */
struct call_graph_look picture_look(
	const struct picture_options *o, enum call_graph_value otherwise);

/* The files of a picture: -o names the picture; its stacks as text go to a file beside it (out.svg,
 * out.folded), and the report goes to standard output. -EINVAL: the name is missing or has no
 * ending of a picture, or --flamegraph is missing. */
struct picture_files {
	const char *picture;	      /* NULL: none */
	struct buffer folded;	      /* a path; empty: none */
	struct output_options report; /* without the options of the picture */
};

/* Returns whether `path` has this ending (".svg", ".png") and a name before it. */
bool picture_has_ending(const char *path, const char *ending);
int picture_files(struct picture_files *f, const struct picture_options *o,
	const struct output_options *output, struct sooth_error *err);
void picture_files_fini(struct picture_files *f);
/* Returns the side output with a picture of system calls, and their text; path NULL: no picture.
 * Both arguments are borrowed until the run ends. */
struct run_side_output picture_side_output(
	struct picture_files *f, const struct syscall_folded_options *stacks);
