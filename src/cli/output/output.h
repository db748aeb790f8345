/* SPDX-License-Identifier: BSD-2-Clause */
/* The output options that every command shares. */
#pragma once

#include <sooth/report.h>
#include "cli/command/options.h"
#include "explain/sink.h"

struct output_options {
	bool json;
	const char *format; /* a sink; NULL: the default of the command */
	const char *output; /* -o */
	const char *save;
	const char *color;
	const char *filter;
	bool verbose;
	bool no_pager;
};

#define OUTPUT_OPTION_COUNT 6
extern const struct option output_option_rows[OUTPUT_OPTION_COUNT];
#define OUTPUT_GROUP(config, member)                                                               \
	{                                                                                          \
		.title = "Output", .options = output_option_rows, .count = OUTPUT_OPTION_COUNT,    \
		.offset = offsetof(config, member)                                                 \
	}

/* The same without --format (the first row), for commands whose own --format also has formats of
 * stacks. */
#define OUTPUT_STACKS_GROUP(config, member)                                                        \
	{                                                                                          \
		.title = "Output", .options = output_option_rows + 1,                              \
		.count = OUTPUT_OPTION_COUNT - 1, .offset = offsetof(config, member)               \
	}
const char *output_stack_format_name(size_t index);
/* Returns the sink of that format if it writes stacks, else NULL. */
const struct sink_type *output_stack_format(const char *format);

#define FILE_OPTION_COUNT 1
extern const struct option file_option_rows[FILE_OPTION_COUNT];
#define FILE_GROUP(config, member)                                                                 \
	{                                                                                          \
		.title = "File", .options = file_option_rows, .count = FILE_OPTION_COUNT,          \
		.offset = offsetof(config, member)                                                 \
	}

#define SAVE_OPTION_COUNT 1
extern const struct option save_option_rows[SAVE_OPTION_COUNT];
#define SAVE_GROUP(config, member)                                                                 \
	{                                                                                          \
		.title = "Capture", .options = save_option_rows, .count = SAVE_OPTION_COUNT,       \
		.offset = offsetof(config, member)                                                 \
	}

/* Returns whether a picture of that name is drawn as PNG instead of SVG. */
bool output_is_png(const char *path);
/* Returns the name of the sink; is_stream: -j means JSON lines. */
const char *output_sink_name(const struct output_options *o, bool is_stream);
struct sooth_sink_options output_sink_options(const struct output_options *o, FILE *stream);
