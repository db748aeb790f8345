/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the detectors are set: their own thresholds and severities, and what the user says
 * instead, a line each:
 *
 *   fd-leak.min-rate = 2      a threshold; times and sizes with their units: 5s, 200M
 *   outdated = off            not wanted
 *   zombie-children = high    another severity
 */
#ifndef SOOTH_ANALYZE_CHECK_SETTINGS_H
#define SOOTH_ANALYZE_CHECK_SETTINGS_H

#include "analyze/diagnosis/check.h"
#include "base/error.h"

#define CHECK_SETTINGS_MAX 96

struct check_settings {
	struct check_setting all[CHECK_SETTINGS_MAX]; /* in the order of registry_findings */
};

/* The detectors' own. */
void check_settings_init(struct check_settings *s);
/* One line, without its end. -EINVAL: what is wrong with it, and what would be right. */
int check_settings_set(struct check_settings *s, const char *line, struct sooth_error *err);
/* A file: comments behind #, empty lines; `name` is the file's, for errors, which say the line. */
int check_settings_parse(struct check_settings *s, const char *name, const char *text, size_t size,
	struct sooth_error *err);

#endif
