/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text for people: tables by libsmartcols, lines by the templates of schemas.
 * Numbers stand to the right. A value that could not be measured is "?", with the
 * reasons in a line below the table.
 */
#include <errno.h>
#include <libsmartcols.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "explain/section_columns.h"
#include "sinks/table_cells.h"

#define ROWS_AT_ONCE   10000 /* a longer table is printed in parts, to save memory */
#define TREE_DEPTH_MAX 64    /* deeper rows are not indented further */
#define ALARM_COLOR    "\033[1;31m"

struct table_sink {
	struct sink_options options;
	struct libscols_table *table; /* table of the open section; NULL: it has none */
	const struct sooth_field *columns[SECTION_COLUMNS_MAX];
	size_t column_count;
	size_t row_count;
	/* For rows of a tree: */
	const struct sooth_field *depth, *alarm, *below;
	struct libscols_line *above[TREE_DEPTH_MAX]; /* the last line of each depth */
	/* A bit for each enum sooth_reason seen in a column of the table. */
	unsigned reasons[SECTION_COLUMNS_MAX];
	unsigned line_reasons; /* reasons seen in lines since the last table */
	bool has_output;       /* the sink has printed something */
	bool is_note;	       /* the open section is one of the notes */
	bool has_notes;	       /* a note was printed */
	struct table_bars bars;
	struct buffer text;
	bool is_begun;		/* the first part of the open table was printed */
	struct buffer left_out; /* columns of the open table that do not fit */
	struct buffer notes;	/* texts to print below rows, each ended by NUL */
	struct line_plan plan;	/* parsed template of `planned`, kept for its next row */
	const struct sooth_schema *planned;
};

static bool is_table(const struct section *section)
{
	return (section->shape == SECTION_TABLE || section->shape == SECTION_KEYED) &&
	       !section->schema->line;
}

static int open_sink(void *state, const struct sink_options *options, struct sooth_error *err)
{
	struct table_sink *s = state;

	(void)err;
	s->options = *options;
	return 0;
}

static bool is_number(const struct sooth_field *f)
{
	switch (f->type) {
	case SOOTH_FIELD_UNSIGNED:
	case SOOTH_FIELD_SIGNED:
	case SOOTH_FIELD_REAL:
		return true;
	default:
		return false;
	}
}

static int add_column(
	struct table_sink *s, const struct section *section, const struct sooth_field *f)
{
	char label[FIELD_LABEL_SIZE];
	int flags = is_number(f) ? SCOLS_FL_RIGHT : 0;

	/* Only a long text may be cut to fit a terminal; a number is never cut. */
	if (f->type == SOOTH_FIELD_ARGS || f->may_shrink)
		flags |= SCOLS_FL_TRUNC;
	if (section->tree && !strcmp(f->name, section->tree))
		flags |= SCOLS_FL_TREE;
	field_label(f, label);
	s->columns[s->column_count++] = f;
	return scols_table_new_column(s->table, label, 0, flags) ? 0 : -ENOMEM;
}

static int add_columns(struct table_sink *s, const struct section *section)
{
	const struct sooth_field *columns[SECTION_COLUMNS_MAX];
	size_t count = section_columns(section, columns);
	int status = 0;

	for (size_t i = 0; i < count && !status; i++)
		status = add_column(s, section, columns[i]);
	return status;
}

static int table_open(struct table_sink *s, const struct section *section, struct sooth_error *err)
{
	s->table = scols_new_table();
	if (!s->table)
		return error_no_memory(err);
	s->column_count = 0;
	memset(s->reasons, 0, sizeof(s->reasons));
	s->is_begun = false;
	memset(s->above, 0, sizeof(s->above));
	s->depth = section->tree ? sooth_schema_field(section->schema, section->depth) : NULL;
	s->alarm = section->alarm ? sooth_schema_field(section->schema, section->alarm) : NULL;
	/* libsmartcols can only print a tree as a whole, without texts below its rows. */
	s->below = section->below && !section->tree
			   ? sooth_schema_field(section->schema, section->below)
			   : NULL;
	buffer_reset(&s->notes);
	scols_table_set_stream(s->table, s->options.stream);
	/* Cells are already escaped. */
	scols_table_enable_noencoding(s->table, 1);
	scols_table_enable_maxout(s->table, 0);
	scols_table_enable_colors(s->table, s->options.use_color);
	scols_table_set_termforce(
		s->table, s->options.width ? SCOLS_TERMFORCE_ALWAYS : SCOLS_TERMFORCE_NEVER);
	if (s->options.width)
		scols_table_set_termwidth(s->table, s->options.width);
	return add_columns(s, section) ? error_no_memory(err) : 0;
}

/* Prints a line below a table. */
static void print_footer(struct table_sink *s, const char *before, const char *text)
{
	struct buffer line = { 0 };

	buffer_format(&line, "%s%s", before, text);
	table_wrap(&line, NULL, &s->options);
	fwrite(line.data, 1, line.size, s->options.stream);
	buffer_fini(&line);
}

static void print_reasons(struct table_sink *s, unsigned reasons)
{
	for (unsigned reason = 1; reason < 32; reason++) {
		if (reasons & 1u << reason)
			print_footer(
				s, "? = unknown: ", sooth_reason_text((enum sooth_reason)reason));
	}
}

/* Ends a run of lines: the reasons come once, below all of them. */
static void end_lines(struct table_sink *s)
{
	print_reasons(s, s->line_reasons);
	s->line_reasons = 0;
}

/* Begins a note, with a blank line before the first one. */
static void begin_note(struct table_sink *s)
{
	if (!s->is_note || s->has_notes)
		return;
	s->has_notes = true;
	if (s->has_output)
		fputc('\n', s->options.stream);
}

static void plan_columns(struct table_sink *s, const struct sooth_schema *schema)
{
	line_plan(&s->plan, schema);
	s->planned = schema;
}

static int section_begin(void *state, const struct section *section, struct sooth_error *err)
{
	struct table_sink *s = state;

	s->row_count = 0;
	if (section->is_last || is_table(section))
		end_lines(s);
	s->is_note = section->is_last;
	if (section->schema->line)
		plan_columns(s, section->schema);
	return is_table(section) ? table_open(s, section, err) : 0;
}

/*
 * Replaces all but ASCII in the C locale. libsmartcols (2.38) hangs when it cuts a cell that the
 * locale cannot decode, and a target can choose such a name.
 */
static void make_readable(struct buffer *text)
{
	struct buffer ascii = { 0 };

	if (mbstowcs(NULL, buffer_cstr(text), 0) != (size_t)-1)
		return;
	for (size_t i = 0; i < text->size; i++) {
		if (text->data[i] < 0x80)
			buffer_char(&ascii, (char)text->data[i]);
		else
			buffer_format(&ascii, "\\x%02x", text->data[i]);
	}
	buffer_fini(text);
	*text = ascii;
}

/* Adds a line below its parent, the last line that is less deep. */
static struct libscols_line *new_line(struct table_sink *s, const struct sooth_record *r)
{
	struct sooth_value v = { 0 };
	struct libscols_line *line;
	size_t depth;

	if (!s->depth)
		return scols_table_new_line(s->table, NULL);
	v = sooth_field_get(s->depth, r);
	depth = v.u < TREE_DEPTH_MAX ? v.u : TREE_DEPTH_MAX - 1;
	line = scols_table_new_line(s->table, depth ? s->above[depth - 1] : NULL);
	for (size_t i = depth; i < TREE_DEPTH_MAX; i++)
		s->above[i] = line;
	return line;
}

static void color_line(
	struct table_sink *s, struct libscols_line *line, const struct sooth_record *r)
{
	struct sooth_value v;

	if (!s->options.use_color || !s->alarm)
		return;
	v = sooth_field_get(s->alarm, r);
	if (v.state == SOOTH_STATE_VALUE && v.u)
		scols_line_set_color(line, ALARM_COLOR);
}

/* Keeps the text to print below the line. */
static void keep_note(
	struct table_sink *s, struct libscols_line *line, const struct sooth_record *r)
{
	struct sooth_value v = { 0 };

	if (s->below)
		v = sooth_field_get(s->below, r);
	if (!value_is_there(&v) || !v.text.size)
		return;
	value_format(&s->notes, s->below, &v);
	buffer_char(&s->notes, '\0');
	scols_line_set_userdata(line, s);
}

static int add_row(struct table_sink *s, const struct sooth_record *r)
{
	struct libscols_line *line = new_line(s, r);

	if (!line)
		return -ENOMEM;
	color_line(s, line, r);
	keep_note(s, line, r);
	for (size_t i = 0; i < s->column_count; i++) {
		struct sooth_value v = sooth_field_get(s->columns[i], r);

		if (v.state == SOOTH_STATE_NOT_MEASURED)
			s->reasons[i] |= 1u << v.reason;
		if (table_bars_draws(s->columns[i])) {
			if (!table_bars_keep(&s->bars, i, s->row_count, &v))
				return -ENOMEM;
			continue;
		}
		buffer_reset(&s->text);
		value_format(&s->text, s->columns[i], &v);
		table_plain_arrows(&s->text);
		make_readable(&s->text);
		if (scols_line_set_data(line, i, buffer_cstr(&s->text)))
			return -ENOMEM;
		if (s->options.use_color && section_level_color(s->columns[i], &v))
			scols_cell_set_color(scols_line_get_cell(line, i),
				section_level_color(s->columns[i], &v));
	}
	return 0;
}

/* Notes the reason of each "?" that a line shows. */
static void note_reasons(struct table_sink *s, const struct sooth_record *r)
{
	unsigned depth = 0;

	for (size_t i = 0; i < s->plan.count; i++) {
		const struct line_part *part = &s->plan.parts[i];
		struct sooth_value v;

		depth += part->kind == LINE_OPEN;
		depth -= part->kind == LINE_CLOSE;
		if (part->kind != LINE_FIELD || depth)
			continue;
		v = sooth_field_get(part->field, r);
		if (v.state == SOOTH_STATE_NOT_MEASURED)
			s->line_reasons |= 1u << v.reason;
	}
}

static const char *color_of_line(
	const struct table_sink *s, const struct section *section, const struct sooth_record *r)
{
	const struct sooth_field *f =
		section->color ? sooth_schema_field(section->schema, section->color) : NULL;
	struct sooth_value v = { 0 };

	if (!f || !s->options.use_color)
		return NULL;
	v = sooth_field_get(f, r);
	return section_level_color(f, &v);
}

static int add_line(
	struct table_sink *s, const struct section *section, const struct sooth_record *r)
{
	if (section->shape != SECTION_STREAM)
		note_reasons(s, r);
	buffer_reset(&s->text);
	if (table_has_blocks(section->schema)) {
		if (s->has_output || s->row_count)
			buffer_char(&s->text, '\n');
		table_block(&s->text, section->schema, r, &s->options);
	} else {
		if (s->planned != section->schema)
			plan_columns(s, section->schema);
		/* A stream has no end at which reasons could be printed. */
		s->plan.says_reasons = section->shape == SECTION_STREAM;
		line_format(&s->text, &s->plan, r);
		if (section->wraps)
			table_wrap(&s->text, color_of_line(s, section, r), &s->options);
		else if (!s->text.size)
			return 0; /* no field in the line has a value */
		else
			buffer_char(&s->text, '\n');
	}
	begin_note(s);
	table_plain_arrows(&s->text);
	fwrite(s->text.data, 1, s->text.size, s->options.stream);
	return buffer_failed(&s->text) ? -ENOMEM : 0;
}

static bool is_row_beyond_limit(const struct section *section, size_t row)
{
	return section->rows_most && row >= section->rows_most;
}

/* Begins the next part of a table. Its columns keep at least the width of the headings. */
static void continue_table(struct table_sink *s)
{
	for (size_t i = 0; i < s->column_count; i++) {
		struct libscols_column *column = scols_table_get_column(s->table, i);

		scols_column_set_whint(column, (double)scols_column_get_width(column));
	}
	scols_table_enable_noheadings(s->table, 1);
	scols_table_remove_lines(s->table);
	buffer_reset(&s->notes);
	s->is_begun = true;
}

/* Prints the rows up to each row with a text, then that text. */
static int print_lines(struct table_sink *s)
{
	struct libscols_iter *i = scols_new_iter(SCOLS_ITER_FORWARD);
	struct libscols_line *line, *first = NULL;
	const char *note = buffer_cstr(&s->notes);
	size_t left = scols_table_get_nlines(s->table);
	int status = i ? 0 : -ENOMEM;

	while (!status && !scols_table_next_line(s->table, i, &line)) {
		bool is_last = !--left, has_note = scols_line_get_userdata(line);

		first = first ? first : line;
		if (!has_note && !is_last)
			continue;
		status = scols_table_print_range(s->table, first, line);
		first = NULL;
		if (is_last) /* libsmartcols ends all lines but the last */
			fputc('\n', s->options.stream);
		if (has_note)
			print_footer(s, "  ! ", note);
		note += has_note ? strlen(note) + 1 : 0;
	}
	scols_free_iter(i);
	return status;
}

static int print_part(struct table_sink *s, const struct section *section)
{
	if (!table_bars_draw(
		    &s->bars, s->table, s->columns, s->options.width, section->has_own_scales))
		return -ENOMEM;
	if (!s->is_begun) {
		buffer_reset(&s->left_out);
		table_fit(s->table, s->columns, s->column_count, s->options.width, section->spare,
			&s->left_out);
		if (s->has_output)
			fputc('\n', s->options.stream);
		if (section->title)
			fprintf(s->options.stream, "%s\n", section->title);
	}
	/* libsmartcols refuses a table without columns. */
	if (!s->column_count)
		return 0;
	return (s->notes.size ? print_lines(s) : scols_print_table(s->table)) ? -ENOMEM : 0;
}

/* Bars and branches of a tree need all rows. */
static bool is_part_full(const struct table_sink *s, const struct section *section)
{
	return scols_table_get_nlines(s->table) >= ROWS_AT_ONCE && !section->tree &&
	       !s->bars.kept.size && section->rows_least <= ROWS_AT_ONCE;
}

static int add_to_table(
	struct table_sink *s, const struct section *section, const struct sooth_record *r)
{
	int status;

	if (is_row_beyond_limit(section, s->row_count))
		return 0;
	if (is_part_full(s, section)) {
		status = print_part(s, section);
		if (status)
			return status;
		continue_table(s);
	}
	return add_row(s, r);
}

static int check_stream(const struct table_sink *s, struct sooth_error *err)
{
	int code = stream_failure(s->options.stream);

	return code ? error_errno(err, code, "write the report") : 0;
}

static int add_rows(void *state, const struct section *section, const struct batch *batch,
	struct sooth_error *err)
{
	struct table_sink *s = state;
	int status = 0;

	batch_for_each (r, batch) {
		if (status)
			break;
		if (s->table)
			status = add_to_table(s, section, r);
		else if (section->schema->line)
			status = add_line(s, section, r);
		s->row_count++;
	}
	if (status)
		return error_no_memory(err);
	return check_stream(s, err);
}

static int print_table(struct table_sink *s, const struct section *section)
{
	struct buffer legend = { 0 };
	unsigned reasons = 0;

	if (print_part(s, section))
		return -ENOMEM;
	if (s->left_out.size && (s->options.is_verbose || !section->hides_spare))
		print_footer(s, "no room for: ", buffer_cstr(&s->left_out));
	if (section->rows_most && s->row_count > section->rows_most)
		fprintf(s->options.stream, "and %zu more (-j lists all)\n",
			s->row_count - section->rows_most);
	table_bars_legend(&s->bars, s->table, s->columns, &legend);
	if (legend.size)
		fwrite(legend.data, 1, legend.size, s->options.stream);
	buffer_fini(&legend);
	/* Hidden columns need no reason. */
	for (size_t i = 0; i < s->column_count; i++)
		reasons |= scols_column_is_hidden(scols_table_get_column(s->table, i))
				   ? 0
				   : s->reasons[i];
	print_reasons(s, reasons);
	return 0;
}

static int section_end(void *state, const struct section *section, struct sooth_error *err)
{
	struct table_sink *s = state;

	bool is_shown = s->row_count && s->row_count >= section->rows_least;

	if (s->table && is_shown && print_table(s, section))
		return error_no_memory(err);
	if (!s->row_count && section->if_empty &&
		!(section->is_empty_detail && !s->options.is_verbose)) {
		begin_note(s);
		fprintf(s->options.stream, "%s\n", section->if_empty);
	}
	if (is_shown && (s->table || section->schema->line))
		s->has_output = true;
	scols_unref_table(s->table);
	s->table = NULL;
	return check_stream(s, err);
}

static int end(void *state, struct sooth_error *err)
{
	struct table_sink *s = state;

	end_lines(s);
	return check_stream(s, err);
}

static void close_sink(void *state)
{
	struct table_sink *s = state;

	scols_unref_table(s->table);
	table_bars_fini(&s->bars);
	buffer_fini(&s->text);
	buffer_fini(&s->left_out);
	buffer_fini(&s->notes);
}

const struct sink_type sink_table = {
	.name = "text",
	.alias = "table",
	.help = "formatted text: tables and lines",
	.state_size = sizeof(struct table_sink),
	.takes_asides = true,
	.is_for_people = true,
	.open = open_sink,
	.section = section_begin,
	.rows = add_rows,
	.section_end = section_end,
	.end = end,
	.close = close_sink,
};
