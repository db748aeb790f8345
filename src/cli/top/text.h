/* SPDX-License-Identifier: BSD-2-Clause */
/* Values of the screen as short texts, and the style that each deserves. */
#pragma once

#include "base/units.h"
#include "cli/top/state.h"

const char *top_age(char out[24], double seconds);	   /* 5s 4m10s 2h05m 3d */
const char *top_ago(char out[UNITS_SIZE], double seconds); /* 5 s, 4 min 10 s: in a sentence */
const char *top_put_interval(char out[24], uint64_t interval_ns); /* 0.25s 2s */
const char *top_put_count(char out[24], double count);		  /* 950 12.3k 1.2M */
unsigned top_age_style(const struct top_session *s); /* Returns the style of the age, by urgency. */
unsigned top_doing_style(const struct top_session *s);
unsigned top_finding_style(uint8_t level);
unsigned top_project_style(const struct top_session
		*s); /* Returns the style of the project, by the session's worst finding. */
/* Writes the name of a process after the lines of the tree. */
void top_tree_name(const struct top *t, const struct top_row *row, char *out, size_t size);
/* Writes which session left a process, and when it ended. */
void top_left_sentence(const struct top *t, const struct top_process *p, char *out, size_t size);
/* Returns the word of a finding: the flag of its row, or its id. */
const char *top_finding_word(const char *name);
/* Writes its word, and the answer that the finding is the cause of; else its place and claim. */
void top_finding_line(const struct top *t, const struct top_finding *f, char *out, size_t size);
/* Writes the same, with the age of an old claim, as its values are old too. */
void top_finding_sentence(const struct top *t, const struct top_finding *f, char *out, size_t size);
/* Writes the place of a finding: its session, else the PID. */
void top_finding_place(const struct top *t, const struct top_finding *f, char *out, size_t size);
