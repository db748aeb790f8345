/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/terminal/progress.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "base/units.h"

#define ERASE_LINE "\r\033[K"

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
	fprintf(stderr, ERASE_LINE "%s: %llu s left", p->doing, (unsigned long long)left_s);
	fflush(stderr);
}

void progress_end(struct progress *p)
{
	assert(p);
	if (p->shown_s)
		fputs(ERASE_LINE, stderr);
	p->shown_s = 0;
}

void progress_extend(struct progress *p, const char *doing, uint64_t end_ns)
{
	assert(p);
	p->end_ns = end_ns;
	if (p->doing)
		p->doing = doing;
}
