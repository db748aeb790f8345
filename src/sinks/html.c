/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A report as one page for a browser, which refers to nothing outside itself. Everything is plain
 * HTML and SVG; scripts only sort, filter and zoom. The first section of lines is the headline, the
 * sections of notes come last and are never folded.
 *
 * A section of frames is drawn by the sink "flamegraph", the tracks of a time axis by
 * "timeline-svg", both as pictures inside the page. The policy in the page names its own styles and
 * scripts by their hashes, so that nothing else can run, whatever a target has for names.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "model/stream_records.h"
#include "sinks/html_rows.h"
#include "sinks/svg.h"
#include "sinks/tabular.h"

#define ROWS_MOST     2000	   /* of one table */
#define SECTION_BYTES (160u << 10) /* of one table */
#define PAGE_BYTES    (800u << 10) /* of all tables */
#define TRACKS_MOST   40	   /* of one table in a timeline; the table has all */
#define TRACKS_IN_ALL 120
#define ROWS_OPEN     30 /* a longer table is folded */

extern const struct sink_type sink_flamegraph, sink_timeline_svg;
extern const char timeline_css[], flamegraph_js[], timeline_js[], page_css[], page_js[];
extern const char picture_css_sha256[], timeline_css_sha256[], page_css_sha256[];
extern const char picture_js_sha256[], flamegraph_js_sha256[], timeline_js_sha256[],
	page_js_sha256[];

static const struct asset {
	const char *element, *text, *hash;
} assets[] = {
	{ "style", picture_css, picture_css_sha256 },
	{ "style", timeline_css, timeline_css_sha256 },
	{ "style", page_css, page_css_sha256 },
	{ "script", picture_js, picture_js_sha256 },
	{ "script", flamegraph_js, flamegraph_js_sha256 },
	{ "script", timeline_js, timeline_js_sha256 },
	{ "script", page_js, page_js_sha256 },
};
#define ASSETS (sizeof(assets) / sizeof(assets[0]))

/* A picture that another sink draws into memory. */
struct drawn {
	const struct sink_type *type; /* NULL: none is open */
	void *state;
	FILE *stream;
	char *text;
	size_t size;
};

enum section_form { FORM_LINES, FORM_TABLE, FORM_FRAMES };

struct html_sink {
	struct tabular out;
	const char *name; /* of the report */
	struct buffer headline, contents, body, notes;
	struct buffer part; /* the open section */
	struct drawn timeline, frames;
	size_t timeline_at;   /* place of the timeline in the body */
	size_t timeline_link; /* place of its link */
	size_t tracks;	      /* in the timeline */
	bool follows_axis;
	const struct sooth_schema *first_lines; /* of the headline */
	bool is_headline, is_skipped;
	/* The open section: */
	enum section_form form;
	struct html_columns columns;
	size_t rows, shown, drawn;
	bool has_head;
	/* All: */
	size_t section_count, limits, losses;
	char began[UNITS_SIZE];
	char host[256];
	bool is_begun;
};

static int open_sink(void *state, const struct sink_options *options, struct sooth_error *err)
{
	struct html_sink *s = state;

	(void)err;
	tabular_open(&s->out, options->stream, "write the page");
	return 0;
}

static int begin(void *state, const struct report_head *head, struct sooth_error *err)
{
	struct html_sink *s = state;

	if (s->is_begun)
		return error_set(err, -EINVAL, SOOTH_FAULT_USAGE,
			"write a page of a report that is repeated");
	s->is_begun = true;
	s->name = head->name;
	return 0;
}

/* The host and the time come from the first segment. */
static void take_record(
	void *state, const struct sooth_schema *schema, const struct sooth_record *record)
{
	const struct stream_segment *segment = (const void *)record;
	struct html_sink *s = state;
	struct sooth_value v;

	if (record->kind != STREAM_SEGMENT || *s->began)
		return;
	v = sooth_field_get(sooth_schema_field(schema, "hostname"), record);
	if (value_is_there(&v))
		snprintf(s->host, sizeof(s->host), "%.*s", (int)v.text.size, v.text.data);
	format_utc(s->began, record->time_ns + (uint64_t)segment->realtime_offset_ns);
}

/* --- pictures --- */

static int drawn_open(struct drawn *d, const struct sink_type *type, struct sooth_error *err)
{
	struct sink_options options = { .is_inline = true };

	*d = (struct drawn){ .type = type, .state = calloc(1, type->state_size) };
	d->stream = d->state ? open_memstream(&d->text, &d->size) : NULL;
	options.stream = d->stream;
	return d->stream ? type->open(d->state, &options, err) : error_no_memory(err);
}

static void drawn_fini(struct drawn *d)
{
	if (d->type && d->stream)
		sink_close(d->type, d->state);
	if (d->stream)
		fclose(d->stream);
	free(d->state);
	free(d->text);
	*d = (struct drawn){ 0 };
}

/* Ends the picture, and appends it. */
static int drawn_end(struct drawn *d, struct buffer *out, struct sooth_error *err)
{
	int status = sink_end(d->type, d->state, err);

	if (!status && fflush(d->stream))
		status = error_no_memory(err);
	if (!status) {
		buffer_string(out, "<figure>\n");
		buffer_append(out, d->text, d->size);
		buffer_string(out, "</figure>\n");
	}
	drawn_fini(d);
	return status;
}

static bool has_field(const struct section *section, const char *name)
{
	return sooth_schema_field(section->schema, name) != NULL;
}

static bool has_series(const struct section *section)
{
	for (size_t i = 0; i < section->schema->field_count; i++) {
		if (section->schema->fields[i].type == SOOTH_FIELD_SERIES)
			return true;
	}
	return false;
}

static bool is_of_time(const struct section *section)
{
	return (has_field(section, "from_ns") && has_field(section, "to_ns")) ||
	       has_field(section, "at_ns");
}

/* Inserts a text into a buffer. */
static void insert_text(struct buffer *b, size_t at, const struct buffer *text)
{
	size_t after = b->size - at;

	buffer_append(b, text->data, text->size);
	if (buffer_failed(b) || !text->size)
		return;
	memmove(b->data + at + text->size, b->data + at, after);
	memcpy(b->data + at, text->data, text->size);
}

/* Ends the timeline, and puts it where its axis was. */
static int end_timeline(struct html_sink *s, struct sooth_error *err)
{
	struct buffer text = { 0 };
	int status = 0;

	if (s->timeline.type && s->tracks) {
		buffer_format(&text, "<li><a href=\"#t%zu\">timeline</a></li>\n", s->timeline_at);
		insert_text(&s->contents, s->timeline_link, &text);
		buffer_reset(&text);
		buffer_format(
			&text, "<section id=\"t%zu\" aria-label=\"timeline\">\n", s->timeline_at);
		status = drawn_end(&s->timeline, &text, err);
		buffer_string(&text, "</section>\n");
		insert_text(&s->body, s->timeline_at, &text);
	}
	drawn_fini(&s->timeline);
	if (!status && buffer_failed(&text))
		status = error_no_memory(err);
	buffer_fini(&text);
	return status;
}

/* Begins a timeline at the section that has its axis. */
static int begin_timeline(struct html_sink *s, struct sooth_error *err)
{
	int status = end_timeline(s, err);

	s->tracks = 0;
	s->timeline_at = s->body.size;
	s->timeline_link = s->contents.size;
	return status ? status : drawn_open(&s->timeline, &sink_timeline_svg, err);
}

/* Returns whether the rows of the section belong to the open timeline. */
static bool joins_timeline(const struct html_sink *s, const struct section *section)
{
	return s->timeline.type && !section->is_last &&
	       (has_series(section) || has_field(section, "bucket_ns") ||
		       (s->follows_axis && is_of_time(section)));
}

/* --- sections --- */

static enum section_form form_of(const struct section *section)
{
	if (section->graph)
		return FORM_FRAMES;
	return section->schema->line ? FORM_LINES : FORM_TABLE;
}

/* The headline are the first lines, up to the first empty one: as in a terminal. */
static bool is_headline(const struct html_sink *s, const struct section *section)
{
	return section->schema->line && !section->is_last &&
	       (s->first_lines ? s->first_lines == section->schema : !s->section_count);
}

/* Returns whether other sections have the same, whole: short text, and the answers that the
 * headline consists of. */
static bool is_repeated(const struct section *section)
{
	return section->audience == SECTION_BRIEF || !strcmp(section->name, "answers");
}

static int section_begin(void *state, const struct section *section, struct sooth_error *err)
{
	struct html_sink *s = state;
	int status = 0;

	s->rows = s->shown = s->drawn = 0;
	s->has_head = false;
	s->form = form_of(section);
	buffer_reset(&s->part);
	s->is_headline = is_headline(s, section);
	s->is_skipped = !s->is_headline && is_repeated(section);
	if (has_field(section, "bucket_ns") && !has_series(section) && !section->is_last)
		status = begin_timeline(s, err);
	s->follows_axis = joins_timeline(s, section);
	if (s->form == FORM_TABLE)
		html_columns_find(&s->columns, section);
	if (!status && s->follows_axis)
		status = sink_section(s->timeline.type, s->timeline.state, section, err);
	if (!status && s->form == FORM_FRAMES)
		status = drawn_open(&s->frames, &sink_flamegraph, err);
	if (!status && s->form == FORM_FRAMES)
		status = sink_section(s->frames.type, s->frames.state, section, err);
	return status;
}

static bool has_room(const struct html_sink *s)
{
	return s->shown < ROWS_MOST && s->part.size < SECTION_BYTES && s->body.size < PAGE_BYTES;
}

static void add_row(
	struct html_sink *s, const struct section *section, const struct sooth_record *r)
{
	size_t before = s->part.size;

	s->rows++;
	if (s->is_skipped || s->form == FORM_FRAMES || (!section->is_last && !has_room(s)))
		return;
	s->shown++;
	if (s->form == FORM_TABLE && !s->has_head)
		html_table_head(&s->part, &s->columns);
	s->has_head = true;
	if (s->form == FORM_TABLE)
		html_table_row(&s->part, &s->columns, r);
	else
		html_block(&s->part, section, r);
	s->is_skipped = s->is_headline && s->part.size == before;
}

static bool may_draw(const struct html_sink *s, const struct section *section)
{
	return !has_series(section) || (s->rows <= TRACKS_MOST && s->tracks < TRACKS_IN_ALL);
}

/* Passes a row on to the open picture. */
static int draw_row(struct html_sink *s, const struct section *section,
	const struct sooth_record *r, struct sooth_error *err)
{
	struct batch one = { (const void *)r, record_bytes(r) };
	int status = 0;

	if (s->follows_axis && may_draw(s, section)) {
		s->tracks += has_series(section);
		s->drawn++;
		status = s->timeline.type->rows(s->timeline.state, section, &one, err);
	}
	if (!status && s->form == FORM_FRAMES)
		status = s->frames.type->rows(s->frames.state, section, &one, err);
	return status;
}

static int write_rows(void *state, const struct section *section, const struct batch *batch,
	struct sooth_error *err)
{
	struct html_sink *s = state;
	int status = 0;

	batch_for_each (r, batch) {
		add_row(s, section, r);
		status = status ? status : draw_row(s, section, r, err);
	}
	return !status && buffer_failed(&s->part) ? error_no_memory(err) : status;
}

static void put_title(struct buffer *out, const struct section *section)
{
	const char *title = section->title ? section->title : section->name;

	for (; *title; title++) {
		if (*title == '_')
			buffer_char(out, ' ');
		else
			html_text(out, title, 1);
	}
}

static void put_section(struct html_sink *s, const struct section *section)
{
	bool is_folded = s->form == FORM_TABLE && s->shown > ROWS_OPEN;
	bool is_single = section->shape == SECTION_OBJECT || section->shape == SECTION_INLINE;
	bool has_title = !is_single || section->title;
	bool has_heading = has_title && s->form != FORM_FRAMES; /* a picture has its own */

	s->section_count++;
	buffer_format(&s->body, "<section id=\"s%zu\" data-name=\"%s\">", s->section_count,
		section->name);
	if (has_title) {
		buffer_format(&s->contents, "<li><a href=\"#s%zu\">", s->section_count);
		put_title(&s->contents, section);
		buffer_string(&s->contents,
			s->form == FORM_FRAMES ? ": flamegraph</a></li>\n" : "</a></li>\n");
	}
	if (has_heading) {
		buffer_string(&s->body, "<h2>");
		put_title(&s->body, section);
		buffer_string(&s->body, "</h2>\n");
	}
	if (is_folded)
		buffer_format(&s->body, "<details><summary>%zu rows</summary>\n", s->shown);
	buffer_append(&s->body, s->part.data, s->part.size);
	if (s->form == FORM_TABLE)
		buffer_string(&s->body, "</tbody></table></div>\n");
	if (s->form == FORM_TABLE)
		html_reasons(&s->body, s->columns.reasons);
	if (is_folded)
		buffer_string(&s->body, "</details>\n");
	if (s->follows_axis && has_series(section) && s->rows > s->drawn)
		buffer_format(&s->body, "<p class=\"cut\">in the timeline: %zu of %zu</p>\n",
			s->drawn, s->rows);
	if (s->shown < s->rows)
		buffer_format(&s->body,
			"<p class=\"cut\">left out to keep the page small: the last %zu of %zu "
			"rows; "
			"the same command with -j has all</p>\n",
			s->rows - s->shown, s->rows);
	buffer_string(&s->body, "</section>\n");
}

static void put_note(struct html_sink *s, const struct section *section)
{
	bool is_loss = !strcmp(section->name, "loss"), is_limit = !strcmp(section->name, "limits");

	s->losses += is_loss ? s->rows : 0;
	s->limits += is_limit ? s->rows : 0;
	if (!s->rows && !section->if_empty)
		return;
	buffer_format(&s->notes, "<div class=\"note%s\" data-name=\"%s\">",
		(is_loss || is_limit) && s->rows ? " warn" : "", section->name);
	if (s->rows)
		buffer_append(&s->notes, s->part.data, s->part.size);
	if (s->rows && s->form == FORM_TABLE)
		buffer_string(&s->notes, "</tbody></table></div>\n");
	if (!s->rows) {
		buffer_string(&s->notes, "<p>");
		html_string(&s->notes, section->if_empty);
		buffer_string(&s->notes, "</p>");
	}
	buffer_string(&s->notes, "</div>\n");
}

static void put_empty(struct html_sink *s, const struct section *section)
{
	if (!section->if_empty)
		return;
	buffer_string(&s->body, "<p class=\"quiet\">");
	html_string(&s->body, section->if_empty);
	buffer_string(&s->body, "</p>\n");
}

static int end_frames(struct html_sink *s, struct sooth_error *err)
{
	if (s->rows)
		return drawn_end(&s->frames, &s->part, err);
	drawn_fini(&s->frames);
	return 0;
}

static void add_headline(struct html_sink *s, const struct section *section)
{
	s->first_lines = section->schema;
	buffer_append(&s->headline, s->part.data, s->part.size);
}

static int section_end(void *state, const struct section *section, struct sooth_error *err)
{
	struct html_sink *s = state;
	int status = s->form == FORM_FRAMES ? end_frames(s, err) : 0;

	if (!status && s->follows_axis)
		status = sink_section_end(s->timeline.type, s->timeline.state, section, err);
	if (s->form == FORM_FRAMES)
		s->shown = s->rows;
	if (section->is_last && section->audience != SECTION_BRIEF)
		put_note(s, section);
	else if (s->is_headline && s->rows)
		add_headline(s, section);
	else if (section->audience == SECTION_BRIEF || s->is_skipped)
		return status;
	else if (s->rows && (s->part.size || s->shown < s->rows))
		put_section(s, section);
	else if (!s->rows && s->form != FORM_FRAMES)
		put_empty(s, section);
	return !status && buffer_failed(&s->body) ? error_no_memory(err) : status;
}

/* --- the page --- */

static void put_policy(struct buffer *out)
{
	const char *last = "";

	buffer_string(out,
		"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		"base-uri 'none'; form-action 'none'");
	for (size_t i = 0; i < ASSETS; i++) {
		if (strcmp(last, assets[i].element))
			buffer_format(out, "; %s-src", assets[i].element);
		last = assets[i].element;
		buffer_format(out, " 'sha256-%s'", assets[i].hash);
	}
	buffer_string(out, "\">\n");
}

static void put_assets(struct buffer *out, const char *element)
{
	for (size_t i = 0; i < ASSETS; i++) {
		if (!strcmp(assets[i].element, element))
			buffer_format(out, "<%s>%s</%s>\n", element, assets[i].text, element);
	}
}

static void put_name(const struct html_sink *s, struct buffer *out)
{
	buffer_string(out, "sooth ");
	html_string(out, s->name);
	if (*s->host) {
		buffer_string(out, " · ");
		html_string(out, s->host);
	}
	if (*s->began) {
		buffer_string(out, " · ");
		html_string(out, s->began);
	}
}

static void put_head(const struct html_sink *s, struct buffer *out)
{
	buffer_string(
		out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
	put_policy(out);
	buffer_string(out,
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		"<meta name=\"referrer\" content=\"no-referrer\">\n"
		"<meta name=\"color-scheme\" content=\"light dark\">\n<title>");
	put_name(s, out);
	buffer_string(out, "</title>\n");
	put_assets(out, "style");
	buffer_string(out, "</head>\n<body>\n<header>\n<h1>");
	put_name(s, out);
	buffer_string(out, "</h1>\n<div class=\"headline\">\n");
	buffer_append(out, s->headline.data, s->headline.size);
	buffer_format(out, "</div>\n<p class=\"known%s\"><a href=\"#notes\">",
		s->limits || s->losses ? " warn" : "");
	if (s->limits)
		buffer_format(out, "not measured: %zu", s->limits);
	if (s->losses)
		buffer_format(out, "%slost records: %zu kinds", s->limits ? ", " : "", s->losses);
	buffer_format(out, "%s</a></p>\n</header>\n",
		s->limits || s->losses ? "" : "how this was observed");
}

static int end(void *state, struct sooth_error *err)
{
	struct html_sink *s = state;
	struct buffer *out = &s->out.bytes;
	int status = end_timeline(s, err);

	if (status)
		return status;
	put_head(s, out);
	buffer_string(out, "<nav aria-label=\"sections\"><ul>\n");
	buffer_append(out, s->contents.data, s->contents.size);
	buffer_string(
		out, "<li><a href=\"#notes\">not measured, lost</a></li>\n</ul></nav>\n<main>\n");
	buffer_append(out, s->body.data, s->body.size);
	buffer_string(out,
		"<section id=\"notes\"><h2>not measured, lost, and how this was observed</h2>\n");
	buffer_append(out, s->notes.data, s->notes.size);
	buffer_string(out, "</section>\n</main>\n");
	put_assets(out, "script");
	buffer_string(out, "</body>\n</html>\n");
	if (buffer_failed(&s->headline) || buffer_failed(&s->contents) || buffer_failed(&s->notes))
		return error_no_memory(err);
	return tabular_flush(&s->out, err);
}

static void close_sink(void *state)
{
	struct html_sink *s = state;

	drawn_fini(&s->timeline);
	drawn_fini(&s->frames);
	tabular_fini(&s->out);
	buffer_fini(&s->headline);
	buffer_fini(&s->contents);
	buffer_fini(&s->body);
	buffer_fini(&s->notes);
	buffer_fini(&s->part);
}

const struct sink_type sink_html = {
	.name = "html",
	.help = "a page for the browser",
	.state_size = sizeof(struct html_sink),
	.is_for_people = true,
	.has_room = true,
	.is_unlisted = true,
	.open = open_sink,
	.begin = begin,
	.section = section_begin,
	.rows = write_rows,
	.section_end = section_end,
	.record = take_record,
	.end = end,
	.close = close_sink,
};
