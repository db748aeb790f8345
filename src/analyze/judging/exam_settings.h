/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the detectors are set: their own thresholds and severities, and what the user says
 * instead, a line each:
 *
 *   fd-leak.min-rate = 2      a threshold; times and sizes with their units: 5s, 200M
 *   outdated = off            not wanted
 *   zombie-children = high    another severity
 */
#ifndef SOOTH_ANALYZE_EXAM_SETTINGS_H
#define SOOTH_ANALYZE_EXAM_SETTINGS_H

#include "analyze/judging/exam.h"
#include "base/error.h"

#define EXAM_SETTINGS_MAX 96

struct exam_settings {
	struct exam_setting all[EXAM_SETTINGS_MAX]; /* in the order of registry_findings */
};

/* The detectors' own. */
void exam_settings_init(struct exam_settings *s);
/* One line, without its end. -EINVAL: what is wrong with it, and what would be right. */
int exam_settings_set(struct exam_settings *s, const char *line, struct sooth_error *err);
/* A file: comments behind #, empty lines; `name` is the file's, for errors, which say the line. */
int exam_settings_parse(struct exam_settings *s, const char *name, const char *text, size_t size,
	struct sooth_error *err);

#endif
