/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/terminal/progress.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/units.h"

#define ERASE_LINE	"\r\033[K"
#define COLOR_OFF	"\033[0m"
#define LEFT		"%2llu s left" /* has one width, so that the text after it stays in place */
#define COLUMNS_DEFAULT 80

void progress_begin(struct progress *p, const char *doing, uint64_t now_ns, uint64_t end_ns)
{
	bool is_worth_it = doing && end_ns != UINT64_MAX && end_ns > now_ns + NS_PER_S;

	assert(p);
	*p = (struct progress){ .begin_ns = now_ns, .end_ns = end_ns };
	if (is_worth_it && isatty(STDERR_FILENO))
		p->doing = doing;
}

void progress_step(struct progress *p, uint64_t now_ns)
{
	uint64_t left_s;

	assert(p);
	if (!p->doing || now_ns >= p->end_ns)
		return;
	left_s = (p->end_ns - now_ns + NS_PER_S - 1) / NS_PER_S;
	if (left_s == p->shown_s)
		return;
	p->shown_s = left_s;
	if (p->has_text)
		fprintf(stderr, "\r" LEFT, (unsigned long long)left_s);
	else
		fprintf(stderr, ERASE_LINE LEFT ", %s", (unsigned long long)left_s, p->doing);
	fflush(stderr);
}

/* Returns how much text fits without the last column, where some terminals begin the next line. */
static size_t fitting_bytes(const struct buffer *text, unsigned used)
{
	const char *data = (const char *)text->data;
	struct winsize terminal;
	bool is_known = !ioctl(STDERR_FILENO, TIOCGWINSZ, &terminal) && terminal.ws_col;
	size_t at = 0, bytes = 0;

	while (at < text->size) {
		used += terminal_columns(data + at, text->size - at, &bytes);
		if (used >= (is_known ? terminal.ws_col : COLUMNS_DEFAULT))
			break;
		at += bytes;
	}
	return at;
}

void progress_put(const struct progress *p, const char *text, size_t size, const char *color)
{
	struct buffer line = { 0 };
	int used;

	assert(p);
	escape_terminal(&line, text, size);
	used = fprintf(stderr, ERASE_LINE LEFT ", so far: ", (unsigned long long)p->shown_s) -
	       (int)sizeof(ERASE_LINE) + 1;
	fprintf(stderr, "%s%.*s%s", color ? color : "", (int)fitting_bytes(&line, (unsigned)used),
		(const char *)line.data, color ? COLOR_OFF : "");
	fflush(stderr);
	buffer_fini(&line);
}

void progress_end(struct progress *p)
{
	assert(p);
	if (p->shown_s)
		fputs(ERASE_LINE, stderr);
	p->shown_s = 0;
	p->has_text = false;
}

void progress_extend(struct progress *p, const char *doing, uint64_t end_ns)
{
	assert(p);
	p->end_ns = end_ns;
	if (p->doing)
		p->doing = doing;
}
