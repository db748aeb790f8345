/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Severities and thresholds of the detectors: the built-in ones, and the user's, one per line:
 *
 *   fd-leak.min-rate = 2      a threshold; times and sizes with their units: 5s, 200M
 *   outdated = off            muted
 *   zombie-children = high    another severity
 */
#pragma once

#include "analyze/diagnosis/check.h"
#include "base/units.h"

#define CHECK_SETTINGS_MAX 96

struct check_settings {
	struct check_setting all[CHECK_SETTINGS_MAX]; /* as in registry_findings */
};

/* Sets the built-in values. */
void check_settings_init(struct check_settings *s);
/* Sets a value from one line without its newline. -EINVAL: err has the error and the valid
 * values. */
int check_settings_set(struct check_settings *s, const char *line, struct sooth_error *err);
/* Writes a value of an option in the user's notation. */
const char *check_settings_value(
	const struct finding_option *option, double value, char out[UNITS_SIZE]);
/* Reads a file with # comments and empty lines; errors name the file and the line. */
int check_settings_parse(struct check_settings *s, const char *name, const char *text, size_t size,
	struct sooth_error *err);
