/* SPDX-License-Identifier: BSD-2-Clause */
/* A report as a page for the browser (--html): its rule, its views, its sink. */
#pragma once

#include "cli/run.h"

/* The rule of the option --html. */
#define PAGE_RULES                                                                                 \
	{                                                                                          \
		OPTION_NEEDS, "html", "output", "a page is a file for a browser",                  \
			"add -o FILE.html"                                                         \
	}

/* Makes the report of the run a page. Refuses formats that exclude it: -EINVAL. `output` is that
 * of the run. */
int page_choose(struct run *run, const struct output_options *output, struct sooth_error *err);
/* Adds the sink of the page, without private data if that is the format, and its views. */
int page_add(
	const struct run *run, struct sooth_report *report, FILE *stream, struct sooth_error *err);
/* Adds the same without private data, whatever the format. */
int page_add_redacted(
	const struct run *run, struct sooth_report *report, FILE *stream, struct sooth_error *err);
