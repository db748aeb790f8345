/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A flamegraph: of a section whose rows are frames below each other, a picture in which each is
 * as wide as what it holds. It stands with the notes of the report at its foot, so what was lost,
 * cut or sampled is seen with it. A report without such a section cannot be one.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/sink.h"
#include "sinks/flamegraph_draw.h"

#define NOTES_MAX (64u << 10)

struct flamegraph_sink {
	FILE *stream;
	struct flamegraph_tree tree;
	struct flamegraph_look look;
	struct line_plan plan; /* of the open section, if it is notes */
	struct buffer notes;   /* lines */
	double least_share;
	size_t note_count; /* lines of the open section */
	bool has_graph, in_graph;
};

static int open_sink(void *state, const struct sink_options *options, struct sooth_error *err)
{
	struct flamegraph_sink *s = state;

	(void)err;
	s->stream = options->stream;
	s->notes.limit = NOTES_MAX;
	flamegraph_tree_init(&s->tree);
	return 0;
}

static void label_of(const struct sooth_field *field, char out[64])
{
	snprintf(out, 64, "%s", field->label ? field->label : field->name);
	for (char *at = out; *at; at++) {
		if (*at >= 'A' && *at <= 'Z')
			*at = (char)(*at - 'A' + 'a');
	}
}

static void take_look(struct flamegraph_sink *s, const struct section *section)
{
	struct flamegraph_look *look = &s->look;

	s->least_share = section->graph->least_share;
	look->is_icicle = section->graph->is_icicle;
	label_of(look->fields.weight, look->weight);
	snprintf(look->title, sizeof(look->title), "%s",
		section->title ? section->title : section->name);
	snprintf(look->about, sizeof(look->about), "width: %s; from the %s: %s", look->weight,
		look->is_icicle ? "top down" : "bottom up",
		section->graph->about ? section->graph->about : "frames of stacks");
}

static int section_begin(void *state, const struct section *section, struct sooth_error *err)
{
	struct flamegraph_sink *s = state;
	struct flamegraph_fields fields;

	(void)err;
	s->note_count = 0;
	s->in_graph = !s->has_graph && flamegraph_fields_find(&fields, section);
	if (s->in_graph) {
		s->has_graph = true;
		s->look.fields = fields;
		take_look(s, section);
	}
	if (section->is_last && section->schema->line)
		line_plan(&s->plan, section->schema);
	return 0;
}

static void put_note(struct flamegraph_sink *s, const struct sooth_record *r)
{
	size_t from = s->notes.size;

	line_format(&s->notes, &s->plan, r);
	if (s->notes.size == from)
		return;
	buffer_char(&s->notes, '\n');
	s->note_count++;
}

static int rows(void *state, const struct section *section, const struct batch *batch,
	struct sooth_error *err)
{
	struct flamegraph_sink *s = state;

	batch_for_each (r, batch) {
		if (s->in_graph) {
			flamegraph_tree_add(&s->tree, &s->look.fields, r);
		} else if (section->is_last && section->schema->line) {
			put_note(s, r);
		}
	}
	return buffer_failed(&s->notes) || buffer_failed(&s->tree.frames) ? error_no_memory(err)
									  : 0;
}

static int section_end(void *state, const struct section *section, struct sooth_error *err)
{
	struct flamegraph_sink *s = state;

	(void)err;
	s->in_graph = false;
	if (section->is_last && section->if_empty && !s->note_count) {
		buffer_string(&s->notes, section->if_empty);
		buffer_char(&s->notes, '\n');
	}
	return 0;
}

static int no_graph(struct sooth_error *err)
{
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "draw a flamegraph of this report");
	error_why(err, "a flamegraph shows stacks, and this report has none");
	return error_remedy(err, "sooth trace --flamegraph -o FILE.svg PID");
}

/* What the picture leaves out comes first. */
static void put_notes(struct flamegraph_sink *s, struct buffer *out)
{
	const struct flamegraph_tree *t = &s->tree;
	double all = t->total ? (double)t->total / 100 : 1;

	if (!t->total)
		buffer_format(out, "there is nothing to draw: no %s\n", s->look.weight);
	if (t->left_out)
		buffer_format(out, "left out: %llu boxes, the widest %.4f %%, together %.2f %%\n",
			(unsigned long long)t->left_out, (double)t->left_out_widest / all,
			(double)t->left_out_value / all);
	if (t->refused)
		buffer_format(out, "left out: %llu boxes too narrow to draw\n",
			(unsigned long long)t->refused);
	buffer_append(out, s->notes.data, s->notes.size);
}

static int end(void *state, struct sooth_error *err)
{
	struct flamegraph_sink *s = state;
	struct buffer out = { 0 }, notes = { 0 };
	int status = 0;

	if (!s->has_graph)
		return no_graph(err);
	if (!flamegraph_tree_lay_out(&s->tree, s->least_share))
		return error_no_memory(err);
	put_notes(s, &notes);
	flamegraph_draw(&out, &s->tree, &s->look, buffer_cstr(&notes));
	if (buffer_failed(&out) || buffer_failed(&notes))
		status = error_no_memory(err);
	else if (fwrite(out.data, 1, out.size, s->stream) != out.size || fflush(s->stream))
		status = error_errno(err, -errno, "write the picture");
	buffer_fini(&out);
	buffer_fini(&notes);
	return status;
}

static void close_sink(void *state)
{
	struct flamegraph_sink *s = state;

	flamegraph_tree_fini(&s->tree);
	buffer_fini(&s->notes);
}

const struct sink_type sink_flamegraph = {
	.name = "flamegraph",
	.help = "stacks as a picture (SVG)",
	.is_of_stacks = true,
	.state_size = sizeof(struct flamegraph_sink),
	.open = open_sink,
	.section = section_begin,
	.rows = rows,
	.section_end = section_end,
	.end = end,
	.close = close_sink,
};
