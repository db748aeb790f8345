/* SPDX-License-Identifier: BSD-2-Clause */
/* Selects the rows to show: those that contain a text, or match an expression (as in --filter), and
 * belong to a user. */
#pragma once

#include "base/error.h"
#include "cli/top/model.h"
#include "model/filter.h"

#define TOP_FILTER_SIZE 96

struct top_match {
	char text[TOP_FILTER_SIZE], user[TOP_FILTER_SIZE]; /* texts as typed; "": all processes */
	struct filter *expression; /* parsed form of `text`; NULL: plain text */
	char why[256];		   /* reason why the text is no valid expression; "": it is valid */
};

void top_match_fini(struct top_match *m);
/* Parses `text` after it has changed. A text with an operator is an expression. */
void top_match_changed(struct top_match *m, const struct sooth_schema *schema);
/* Finds the sessions with a matching process. Called before the functions below. */
void top_match_prepare(struct top_match *m, const struct top_model *model);
bool top_match_session(const struct top_match *m, const struct top_session *s);
bool top_match_process(
	struct top_match *m, const struct sooth_schema *schema, const struct top_process *p);
/* Returns whether the row has a text, or a PID, for a search. */
bool top_session_has(const struct top_session *s, const char *text);
bool top_process_has(
	const struct sooth_schema *schema, const struct top_process *p, const char *text);
