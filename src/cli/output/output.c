/* SPDX-License-Identifier: BSD-2-Clause */
/* The output options that every command shares. */
#include "cli/output/output.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/units.h"
#include "explain/registry.h"

#define WIDTH_MAX 1000

/* Returns the name of a format: every sink of this build that suits any report, with has_stacks
 * also sinks of stacks, then other names of some sinks. */
static const char *name_of_format(size_t index, bool has_stacks)
{
	for (size_t i = 0; registry_sinks[i]; i++) {
		const struct sink_type *type = registry_sinks[i];

		if ((has_stacks || !type->is_of_stacks) && !type->is_unlisted && !index--)
			return type->name;
	}
	for (size_t i = 0; registry_sinks[i]; i++) {
		if (registry_sinks[i]->alias && !index--)
			return registry_sinks[i]->alias;
	}
	return NULL;
}

static const char *format_name(size_t index)
{
	return name_of_format(index, false);
}

const char *output_stack_format_name(size_t index)
{
	return name_of_format(index, true);
}

static const char *color_name(size_t index)
{
	static const char *const names[] = { "auto", "always", "never", NULL };

	return names[index];
}

const struct option output_option_rows[OUTPUT_OPTION_COUNT] = {
	VALUE_ROW(0, "format", CHOICE, "NAME", output_options, format,
		"output format (redacted: JSON for sharing)", .choice = format_name),
	FLAG_ROW('j', "json", output_options, json, "print JSON instead of text"),
	VALUE_ROW(0, "color", CHOICE, "WHEN", output_options, color, "when to use color",
		.choice = color_name),
	VALUE_ROW(0, "filter", TEXT, "EXPR", output_options, filter,
		"show only rows for which EXPR is true, e.g. 'pid = 4711 and name ~ node'"),
	FLAG_ROW(
		0, "no-pager", output_options, no_pager, "print long text to the terminal at once"),
	FLAG_ROW('v', "verbose", output_options, verbose,
		"all details: more columns and reasons, sources, the cost of sooth"),
};

const struct sink_type *output_stack_format(const char *format)
{
	const struct sink_type *type = format ? registry_sink(format) : NULL;

	return type && type->is_of_stacks ? type : NULL;
}

const struct option file_option_rows[FILE_OPTION_COUNT] = {
	VALUE_ROW('o', "output", FILE, "FILE", output_options, output,
		"output file (mode 0600); - for stdout"),
};

const struct option save_option_rows[SAVE_OPTION_COUNT] = {
	VALUE_ROW(0, "save", FILE, "FILE.sooth", output_options, save,
		"also save what was observed as a capture, which this command can read later"),
};

bool output_is_png(const char *path)
{
	size_t size = strlen(path), end = strlen(".png");

	return size > end && !strcmp(path + size - end, ".png");
}

const char *output_sink_name(const struct output_options *o, bool is_stream)
{
	assert(o);
	if (o->format)
		return o->format;
	if (!o->json)
		return "text";
	return is_stream ? "jsonl" : "json";
}

/* Returns the width of a pane of a screen: its output is a pipe, and the screen sets the width. */
static unsigned pane_width(void)
{
	const char *columns = getenv("SOOTH_COLUMNS");
	uint64_t width;

	return columns && parse_u64(columns, &width) && width <= WIDTH_MAX ? (unsigned)width : 0;
}

static unsigned terminal_width(int fd)
{
	struct winsize size;

	if (!isatty(fd))
		return pane_width();
	return ioctl(fd, TIOCGWINSZ, &size) ? 0 : size.ws_col;
}

static bool wants_color(const struct output_options *o, int fd)
{
	const char *no_color = getenv("NO_COLOR");

	if (o->color && strcmp(o->color, "auto"))
		return !strcmp(o->color, "always");
	return isatty(fd) && !(no_color && *no_color);
}

struct sooth_sink_options output_sink_options(const struct output_options *o, FILE *stream)
{
	int fd = fileno(stream);

	assert(o);
	return (struct sooth_sink_options){
		.size = sizeof(struct sooth_sink_options),
		.stream = stream,
		.width = terminal_width(fd),
		.use_color = wants_color(o, fd),
		.is_verbose = o->verbose,
	};
}
