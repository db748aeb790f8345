/* SPDX-License-Identifier: BSD-2-Clause */
/* The frame of every picture; see picture.h. */
#include "sinks/picture.h"

#include <string.h>

#include "sinks/svg.h"

#define TITLE_Y	     26
#define SUBTITLE_Y   46
#define LINE_COLUMNS ((size_t)((PICTURE_WIDTH - 2 * PICTURE_MARGIN) / SVG_COLUMN_PX))

static void put_embedded(struct buffer *out, const char *element, const char *text)
{
	buffer_format(out, "<%s><![CDATA[\n", element);
	buffer_string(out, text);
	buffer_format(out, "]]></%s>\n", element);
}

/* What is cut here has room in a browser, which can break lines. */
static void put_line(
	struct buffer *out, double y, const char *class_, const char *plain, size_t size)
{
	buffer_format(out, "<text x=\"%d\" y=\"", PICTURE_MARGIN);
	svg_number(out, y);
	buffer_format(out, "\" class=\"%s\"", class_);
	if (size > LINE_COLUMNS) {
		buffer_string(out, " data-whole=\"");
		svg_escaped(out, plain, size);
		buffer_char(out, '"');
	}
	buffer_char(out, '>');
	svg_fitted(out, plain, size, LINE_COLUMNS);
	buffer_string(out, "</text>\n");
}

void picture_begin(struct buffer *out, const struct picture *p)
{
	buffer_string(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
			   "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"sooth ");
	buffer_string(out, p->kind);
	buffer_format(out, "\" lang=\"en\" width=\"%d\" height=\"", PICTURE_WIDTH);
	svg_number(out, p->height);
	buffer_format(out, "\" viewBox=\"0 0 %d ", PICTURE_WIDTH);
	svg_number(out, p->height);
	buffer_string(out, "\">\n<title>");
	svg_escaped(out, p->title, strlen(p->title));
	buffer_string(out, "</title>\n<desc>");
	svg_escaped(out, p->subtitle, strlen(p->subtitle));
	buffer_string(out, "</desc>\n");
	put_embedded(out, "style", picture_css);
	buffer_string(out, "<g id=\"head\">\n");
	put_line(out, TITLE_Y, "title", p->title, strlen(p->title));
	put_line(out, SUBTITLE_Y, "note", p->subtitle, strlen(p->subtitle));
	buffer_string(out, "</g>\n");
}

double picture_notes(struct buffer *out, double y, const char *lines)
{
	buffer_string(out, "<g id=\"notes\">\n");
	while (*lines) {
		size_t size = strcspn(lines, "\n");

		y += PICTURE_LINE;
		put_line(out, y, "note", lines, size);
		lines += size + (lines[size] == '\n');
	}
	buffer_string(out, "</g>\n");
	return y;
}

double picture_notes_height(const char *lines)
{
	double height = 0;

	while (*lines) {
		height += PICTURE_LINE;
		lines += strcspn(lines, "\n");
		lines += *lines == '\n';
	}
	return height;
}

void picture_data_begin(struct buffer *out)
{
	/* Not a script, whatever it holds: a browser runs only types it knows. */
	buffer_string(out, "<script type=\"application/json\" id=\"data\">");
}

void picture_data_end(struct buffer *out)
{
	buffer_string(out, "</script>\n");
}

void picture_end(struct buffer *out, const struct picture *p)
{
	put_embedded(out, "script", picture_js);
	put_embedded(out, "script", p->script);
	buffer_string(out, "</svg>\n");
}
