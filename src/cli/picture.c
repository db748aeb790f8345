/* SPDX-License-Identifier: BSD-2-Clause */
/* Pictures beside a report. */
#include "cli/picture.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

const char *picture_weight_name(size_t index)
{
	return index < call_graph_value_names.count ? call_graph_value_names.names[index] : NULL;
}

const struct option picture_option_rows[PICTURE_OPTION_COUNT] = {
	FLAG_ROW(0, "flamegraph", picture_options, flamegraph,
		"draw the stacks as a picture to -o FILE.svg; also write them to FILE.folded"),
	FLAG_ROW(0, "icicle", picture_options, icicle,
		"draw the root frames at the top, not at the bottom"),
	VALUE_ROW(0, "min-width", REAL, "PERCENT", picture_options, least_percent,
		"leave out boxes narrower than this percentage (0: as many boxes as fit into 3 MB)",
		.min = 0, .max = 100),
	VALUE_ROW(0, "weight", CHOICE, "WHAT", picture_options, weight,
		"what the width of a box shows (default: calls)", .choice = picture_weight_name),
};

enum call_graph_value picture_weight(const char *name, enum call_graph_value otherwise)
{
	for (size_t i = 0; name && i < call_graph_value_names.count; i++) {
		if (!strcmp(call_graph_value_names.names[i], name))
			return (enum call_graph_value)i;
	}
	return otherwise;
}

struct call_graph_look picture_look(
	const struct picture_options *o, enum call_graph_value otherwise)
{
	assert(o);
	return (struct call_graph_look){ .value = picture_weight(o->weight, otherwise),
		.is_icicle = o->icicle,
		.least_share = o->least_percent / 100 };
}

static int refuse_without_flamegraph(const char *option, struct sooth_error *err)
{
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "understand %s", option);
	error_why(err, "the option sets how a flamegraph looks, and --flamegraph is missing");
	return error_remedy(err, "add --flamegraph -o FILE.svg");
}

static int refuse_without_name(struct sooth_error *err)
{
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "draw a flamegraph");
	error_why(err, "no file name given for the flamegraph");
	return error_remedy(err, "name the file: -o FILE.svg");
}

bool picture_has_ending(const char *path, const char *ending)
{
	size_t size = strlen(path), tail = strlen(ending);

	return size > tail && path[size - tail - 1] != '/' && !strcmp(path + size - tail, ending);
}

/* Returns whether the output is a pipe or device, whose name sets no format. */
static bool is_stream(const char *path)
{
	struct stat st;

	return !strcmp(path, "-") ||
	       (!lstat(path, &st) && (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode)));
}

static int check_name(const char *path, struct sooth_error *err)
{
	if (is_stream(path) || picture_has_ending(path, ".svg") || picture_has_ending(path, ".png"))
		return 0;
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "draw a flamegraph into %s", path);
	error_why(err, "the ending of the name sets the format, and it is neither .svg nor .png");
	return error_remedy(
		err, "give -o FILE.svg, -o FILE.png, or -o - for SVG on standard output");
}

/* Writes the name of the text beside a picture: "out.folded" for "out.svg" or "out.png". */
static void name_folded(struct buffer *out, const char *picture)
{
	size_t size = strlen(picture);

	if (picture_has_ending(picture, ".svg") || picture_has_ending(picture, ".png"))
		size -= strlen(".svg");
	buffer_append(out, picture, size);
	buffer_string(out, ".folded");
}

int picture_files(struct picture_files *f, const struct picture_options *o,
	const struct output_options *output, struct sooth_error *err)
{
	int status;

	assert(f);
	assert(o);
	assert(output);
	*f = (struct picture_files){ .report = *output };
	if (!o->flamegraph && (o->icicle || o->least_percent > 0))
		return refuse_without_flamegraph(o->icicle ? "--icicle" : "--min-width", err);
	if (!o->flamegraph)
		return 0;
	if (!output->output)
		return refuse_without_name(err);
	status = o->has_any_name ? 0 : check_name(output->output, err);
	if (status)
		return status;
	f->picture = output->output;
	f->report.output = NULL;
	if (is_stream(f->picture))
		return 0;
	name_folded(&f->folded, f->picture);
	return buffer_failed(&f->folded) ? error_no_memory(err) : 0;
}

void picture_files_fini(struct picture_files *f)
{
	assert(f);
	buffer_fini(&f->folded);
}

struct run_side_output picture_side_output(
	struct picture_files *f, const struct syscall_folded_options *stacks)
{
	assert(f);
	return (struct run_side_output){ .path = f->picture,
		.view = { "syscall-folded", stacks },
		.sink = "flamegraph",
		.beside_path = f->folded.size ? buffer_cstr(&f->folded) : NULL,
		.beside_sink = "folded",
		.is_picture = true,
		.is_whole = true };
}
