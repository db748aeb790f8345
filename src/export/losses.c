/* SPDX-License-Identifier: BSD-2-Clause */
/* What a capture has lost, in lines: for formats that have no place for it. */
#include <string.h>

#include "export/export.h"
#include "model/field.h"

struct losses_sink {
	struct buffer *lines;
	bool is_open;
};

static int open_sink(void *state, const struct sink_options *options, struct sooth_error *err)
{
	(void)err;
	((struct losses_sink *)state)->lines = options->user;
	return 0;
}

static int section_begin(void *state, const struct section *section, struct sooth_error *err)
{
	(void)err;
	((struct losses_sink *)state)->is_open =
		!strcmp(section->name, "loss") || !strcmp(section->name, "range");
	return 0;
}

static int rows(void *state, const struct section *section, const struct batch *batch,
	struct sooth_error *err)
{
	struct losses_sink *s = state;
	struct line_plan plan;

	if (!s->is_open)
		return 0;
	line_plan(&plan, section->schema);
	batch_for_each (r, batch) {
		/* That it is a part is no news to who asked for one; what that leaves out is. */
		if (section->schema == &part_schema && !time_range_leaves_out(r))
			continue;
		line_format(s->lines, &plan, r);
		buffer_char(s->lines, '\n');
	}
	return buffer_failed(s->lines) ? error_no_memory(err) : 0;
}

static int section_end(void *state, const struct section *section, struct sooth_error *err)
{
	(void)section;
	(void)err;
	((struct losses_sink *)state)->is_open = false;
	return 0;
}

static const struct sink_type losses_sink = {
	.name = "losses",
	.help = "records lost during the recording, one loss per line",
	.state_size = sizeof(struct losses_sink),
	.open = open_sink,
	.section = section_begin,
	.rows = rows,
	.section_end = section_end,
};

int export_losses(struct sooth_report *report, struct buffer *lines, struct sooth_error *err)
{
	struct sink_options options = { .user = lines };
	struct output *output;
	int status = output_new(&output, err);

	if (status)
		return status;
	status = output_add_sink(output, &losses_sink, &options, err);
	if (!status)
		status = report_notes(report, true, output, err);
	if (!status)
		status = output_end(output, err);
	output_free(output);
	return status;
}
