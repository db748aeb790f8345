/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A flamegraph: the picture of a section whose rows are nested frames. A frame is as wide as its
 * value. The notes of the report stand at the foot, so that losses, cuts and sampling are visible.
 * A report without such a section fails.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "explain/sink.h"
#include "sinks/flamegraph_tree.h"
#include "sinks/stack_walk.h"
#include "sinks/svg.h"
#include "sinks/tabular.h"

/* --- flamegraph draw --- */

/*
 * Draws a flamegraph. The file has frames twice: the widest frames as boxes, which any viewer of
 * SVG shows, and all kept frames as numbers, so that a browser can zoom into a box and draw its
 * content as wide as the window.
 */

/* Copies of the strings of the section, which may be freed before the report ends. */
struct flamegraph_look {
	char title[240], about[480];
	char weight[64]; /* meaning of the widths */
	struct flamegraph_fields fields;
	bool is_icicle, is_inline;
};

#define LEGEND_PX 29 /* width of an entry without its text */
#define LEGEND_COLUMN_PX                                                                           \
	6.6 /* width of a character of the legend's font: all changes fit into one line \ */
#define ROW_PX	  18
#define BOX_PX	  17 /* the last pixel of a row separates it from the next row */
#define TEXT_DX	  4
#define TEXT_DY	  13
#define INNER	  (PICTURE_WIDTH - 2 * PICTURE_MARGIN)
#define KINDS_MAX 10 /* colors: more kinds share them */
#define SHADES	  3  /* shades that distinguish neighbors */
#define OWN_CODE  64 /* added to the kind of a frame in the data */

extern const char flamegraph_js[];

struct drawing {
	struct buffer *out;
	const struct flamegraph_tree *tree;
	const struct flamegraph_look *look;
	struct buffer both;    /* name and numbers of a compared frame */
	struct buffer numbers; /* uint32_t for each name: number in the file, from 1; 0: none */
	double top, height;    /* positions of the boxes */
};

static struct span name_of(const struct drawing *d, uint32_t number)
{
	return names_get(&d->tree->plain, number);
}

static void put_value(struct drawing *d, const struct sooth_field *field, uint64_t number)
{
	struct sooth_value v = { .type = field->type, .state = SOOTH_STATE_VALUE, .u = number };

	value_format(d->out, field, &v);
}

/* --- boxes --- */

static double y_of(const struct drawing *d, size_t level)
{
	return d->look->is_icicle ? d->top + (double)level * ROW_PX
				  : d->top + d->height - (double)(level + 1) * ROW_PX;
}

static void put_tip(struct drawing *d, struct span name, uint64_t value)
{
	double share = d->tree->total ? 100.0 * (double)value / (double)d->tree->total : 0;

	buffer_string(d->out, "<title>");
	svg_escaped(d->out, name.data, name.size);
	buffer_string(d->out, "\n");
	put_value(d, d->look->fields.weight, value);
	buffer_format(d->out, " %s, %.1f %% of all</title>", d->look->weight, share);
}

/* Writes both numbers of a compared frame into its box. */
static void put_both(struct drawing *d, struct span name, uint64_t before, uint64_t after)
{
	struct drawing words = { .out = &d->both, .tree = d->tree, .look = d->look };

	buffer_reset(&d->both);
	buffer_append(&d->both, name.data, name.size);
	buffer_string(&d->both, " (");
	put_value(&words, d->look->fields.before, before);
	buffer_string(&d->both, " > ");
	put_value(&words, d->look->fields.after, after);
	buffer_string(&d->both, ")");
}

static void put_box(struct drawing *d, const char *class_, struct span name, struct span label,
	size_t level, uint64_t from, uint64_t value)
{
	double scale = d->tree->total ? INNER / (double)d->tree->total : 0;
	struct svg_box box = { PICTURE_MARGIN + (double)from * scale, y_of(d, level),
		(double)value * scale, BOX_PX };

	buffer_format(d->out, "<g class=\"%s\">", class_);
	put_tip(d, name, value);
	svg_rect(d->out, &box);
	svg_text(d->out, box.x + TEXT_DX, box.y + TEXT_DY, NULL, label.data, label.size,
		box.width - 2 * TEXT_DX);
	buffer_string(d->out, "</g>\n");
}

static unsigned shade_of(struct span name)
{
	uint32_t hash = 0;

	for (size_t i = 0; i < name.size; i++)
		hash = hash * 31 + (unsigned char)name.data[i];
	return hash % SHADES;
}

static void put_boxes(struct drawing *d)
{
	char class_[32] = "k0";

	buffer_string(d->out, "<g id=\"boxes\">\n");
	if (d->look->fields.before)
		flamegraph_change_class(
			class_, d->tree->total_before, d->tree->total_after, d->tree->differs);
	put_box(d, class_, span_of("all", 3), span_of("all", 3), 0, 0, d->tree->total);
	for (size_t i = 0; i < flamegraph_tree_count(d->tree); i++) {
		const struct flamegraph_frame *frame = flamegraph_tree_frame(d->tree, i);
		struct span name = name_of(d, frame->name), label = name;

		if (!frame->is_boxed)
			continue;
		if (d->look->fields.before)
			flamegraph_change_class(
				class_, frame->before, frame->after, frame->differs);
		else
			snprintf(class_, sizeof(class_), "k%u s%u", frame->kind % KINDS_MAX,
				shade_of(name));
		if (d->look->fields.before) {
			put_both(d, name, frame->before, frame->after);
			label = span_of((const char *)d->both.data, d->both.size);
		}
		put_box(d, class_, name, label, frame->depth + 1u, frame->from, frame->value);
	}
	buffer_string(d->out, "</g>\n");
}

/* --- colors --- */

static uint32_t kinds_seen(const struct drawing *d)
{
	uint32_t seen = 0;

	for (size_t i = 0; i < flamegraph_tree_count(d->tree); i++) {
		const struct flamegraph_frame *frame = flamegraph_tree_frame(d->tree, i);

		if (frame->is_kept)
			seen |= 1u << (frame->kind & 31);
	}
	return seen;
}

static const char *kind_name(const struct drawing *d, size_t kind)
{
	const struct sooth_field *field = d->look->fields.kind;

	if (!field || !field->names || kind >= field->names->count)
		return NULL;
	return field->names->names[kind];
}

static void put_entry(struct drawing *d, double *x, double y, const char *class_, const char *text)
{
	struct svg_box box = { *x, y - 11, 12, 12 };

	buffer_format(d->out, "<g class=\"%s\">", class_);
	svg_rect(d->out, &box);
	buffer_string(d->out, "</g>");
	svg_text(d->out, *x + 17, y, "note", text, strlen(text), PICTURE_WIDTH);
	*x += LEGEND_PX + (double)strlen(text) * LEGEND_COLUMN_PX;
}

static void put_legend(struct drawing *d, double y)
{
	uint32_t seen = kinds_seen(d);
	double x = PICTURE_MARGIN;
	char class_[8];

	buffer_string(d->out, "<g id=\"legend\">\n");
	for (size_t i = 0; d->look->fields.before && i < FLAMEGRAPH_CHANGES; i++) {
		put_entry(d, &x, y, flamegraph_changes[i].class_, flamegraph_changes[i].words);
	}
	for (size_t i = 0; !d->look->fields.before && i < 32; i++) {
		if (!(seen & 1u << i) || !kind_name(d, i))
			continue;
		snprintf(class_, sizeof(class_), "k%zu", i % KINDS_MAX);
		put_entry(d, &x, y, class_, kind_name(d, i));
	}
	buffer_string(d->out, "\n</g>\n");
}

/* --- data --- */

static const char *unit_name(enum sooth_unit unit)
{
	return unit == SOOTH_UNIT_NS ? "ns" : unit == SOOTH_UNIT_BYTES ? "bytes" : "";
}

/* Numbers the names in the order in which kept frames use them. Other names are left out. */
static bool number_names(struct drawing *d)
{
	size_t count = names_count(&d->tree->plain);
	uint32_t *numbers = buffer_zeros(&d->numbers, count * sizeof(*numbers));
	uint32_t next = 0;

	for (size_t i = 0; numbers && i < flamegraph_tree_count(d->tree); i++) {
		const struct flamegraph_frame *frame = flamegraph_tree_frame(d->tree, i);

		if (frame->is_kept && !numbers[frame->name])
			numbers[frame->name] = ++next;
	}
	return numbers || !count;
}

static void put_names(struct drawing *d, struct json *j)
{
	const uint32_t *numbers = (const void *)d->numbers.data;
	uint32_t next = 0;

	json_format(j, "'names':[");
	for (size_t i = 0; i < flamegraph_tree_count(d->tree); i++) {
		const struct flamegraph_frame *frame = flamegraph_tree_frame(d->tree, i);
		struct span name = name_of(d, frame->name);

		if (!frame->is_kept || numbers[frame->name] != next + 1)
			continue;
		next++;
		json_chars(j, name.data, name.size);
	}
	json_end(j);
}

static void put_frames(struct drawing *d, struct json *j)
{
	const uint32_t *numbers = (const void *)d->numbers.data;

	json_format(j, "'frames':[");
	for (size_t i = 0; i < flamegraph_tree_count(d->tree); i++) {
		const struct flamegraph_frame *frame = flamegraph_tree_frame(d->tree, i);

		if (!frame->is_kept)
			continue;
		json_u64(j, frame->depth);
		json_u64(j, numbers[frame->name] - 1);
		json_u64(j, d->look->fields.before ? frame->differs
						   : frame->kind | (frame->is_own ? OWN_CODE : 0));
		json_u64(j, frame->value);
		if (d->look->fields.before)
			json_format(j, "%" PRIu64 ",%" PRIu64, frame->before, frame->after);
	}
	json_end(j);
}

static void put_data(struct drawing *d)
{
	struct json j;

	picture_data_begin(d->out);
	json_init(&j, d->out, 0);
	json_format(&j,
		"{'unit':%s,'weight':%s,'icicle':%i,'has_own':%i,'compared':%i,'differs':%i,'total'"
		":%" PRIu64 ",'totals':[%" PRIu64 ",%" PRIu64 "],'kinds':[",
		unit_name(d->look->fields.weight->unit), d->look->weight, d->look->is_icicle,
		d->look->fields.own && !d->look->fields.before, d->look->fields.before != NULL,
		d->tree->differs, d->tree->total, d->tree->total_before, d->tree->total_after);
	for (size_t i = 0; kind_name(d, i); i++)
		json_cstring(&j, kind_name(d, i));
	json_end(&j);
	put_names(d, &j);
	put_frames(d, &j);
	json_end(&j);
	picture_data_end(d->out);
	if (j.failed)
		d->out->failed = true;
}

static void flamegraph_draw(struct buffer *out, const struct flamegraph_tree *t,
	const struct flamegraph_look *look, const char *notes)
{
	struct drawing d = { .out = out, .tree = t, .look = look, .top = PICTURE_HEAD };
	struct picture p = { .title = look->title,
		.subtitle = look->about,
		.kind = "flamegraph",
		.script = flamegraph_js,
		.is_inline = look->is_inline };
	double bottom;

	d.height = (double)(t->levels + 1) * ROW_PX;
	bottom = d.top + d.height + PICTURE_LINE;
	p.height = bottom + picture_notes_height(notes) + PICTURE_LINE;
	if (number_names(&d)) {
		picture_begin(out, &p);
		put_boxes(&d);
		put_legend(&d, bottom);
		picture_notes(out, bottom, notes);
		put_data(&d);
		picture_end(out, &p);
	} else {
		out->failed = true;
	}
	buffer_fini(&d.both);
	buffer_fini(&d.numbers);
}

/* --- flamegraph --- */

#define NOTES_MAX (64u << 10)

struct flamegraph_sink {
	struct tabular out;
	struct flamegraph_tree tree;
	struct flamegraph_look look;
	struct line_plan plan; /* template of the open section, if it has notes */
	struct buffer notes;   /* lines */
	double least_share;
	size_t note_count; /* lines of the open section */
	bool has_graph, in_graph;
};

static int open_sink(void *state, const struct sink_options *options, struct sooth_error *err)
{
	struct flamegraph_sink *s = state;

	(void)err;
	tabular_open(&s->out, options->stream, "write the picture");
	s->notes.limit = NOTES_MAX;
	flamegraph_tree_init(&s->tree, options->is_inline);
	s->look.is_inline = options->is_inline;
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

static void set_title(struct flamegraph_sink *s, const struct section *section)
{
	struct flamegraph_look *look = &s->look;

	s->least_share = section->graph->least_share;
	look->is_icicle = section->graph->is_icicle;
	label_of(look->fields.weight, look->weight);
	snprintf(look->title, sizeof(look->title), "%s: width = %s",
		section->title ? section->title : section->name, look->weight);
	if (look->title[0] >= 'a' && look->title[0] <= 'z')
		look->title[0] = (char)(look->title[0] - 'a' + 'A');
	snprintf(look->about, sizeof(look->about), "%s%sfrom the %s: %s",
		section->graph->origin ? section->graph->origin : "",
		section->graph->origin ? "; " : "", look->is_icicle ? "top down" : "bottom up",
		section->graph->about ? section->graph->about : "frames of stacks");
}

/* Returns false if the rows of the section are no frames. */
static bool flamegraph_fields_find(struct flamegraph_fields *f, const struct section *section)
{
	const struct section_graph *graph = section->graph;

	if (!graph)
		return false;
	*f = (struct flamegraph_fields){ .name = graph_field(section, section->tree),
		.depth = graph_field(section, section->depth),
		.weight = graph_field(section, graph->weight),
		.kind = graph_field(section, graph->kind),
		.own = graph_field(section, graph->own),
		.before = graph_field(section, graph->before),
		.after = graph_field(section, graph->after),
		.differs = graph_field(section, graph->differs) };
	return f->name && f->depth && f->weight;
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
		set_title(s, section);
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

static int write_rows(void *state, const struct section *section, const struct batch *batch,
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

static int refuse_without_graph(struct sooth_error *err)
{
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "draw a flamegraph of this report");
	error_why(err, "a flamegraph shows stacks, and this report has none");
	return error_remedy(err, "sooth trace --flamegraph -o FILE.svg PID");
}

/* Writes the notes. The number of boxes that the picture leaves out comes first. */
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
	struct buffer notes = { 0 };
	int status;

	if (!s->has_graph)
		return refuse_without_graph(err);
	if (!flamegraph_tree_lay_out(&s->tree, s->least_share))
		return error_no_memory(err);
	put_notes(s, &notes);
	flamegraph_draw(&s->out.bytes, &s->tree, &s->look, buffer_cstr(&notes));
	status = buffer_failed(&notes) ? error_no_memory(err) : tabular_flush(&s->out, err);
	buffer_fini(&notes);
	return status;
}

static void close_sink(void *state)
{
	struct flamegraph_sink *s = state;

	tabular_fini(&s->out);
	flamegraph_tree_fini(&s->tree);
	buffer_fini(&s->notes);
}

const struct sink_type sink_flamegraph = {
	.name = "flamegraph",
	.help = "stacks as a picture (SVG)",
	.is_unlisted = true,
	.is_of_stacks = true,
	.state_size = sizeof(struct flamegraph_sink),
	.open = open_sink,
	.section = section_begin,
	.rows = write_rows,
	.section_end = section_end,
	.end = end,
	.close = close_sink,
};
