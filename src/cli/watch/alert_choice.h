/* SPDX-License-Identifier: BSD-2-Clause */
/* Events that raise alerts, by name, in addition to the thresholds. */
#pragma once

#include "cli/command/options.h"
#include "model/field.h"

#define ALERT_IDS_MAX 32

struct alert_choice {
	uint64_t activities; /* a bit for each value of the state of an activity */
	uint8_t severity;    /* findings this severe or worse, 1 is info; 0: none by severity */
	const char *ids[ALERT_IDS_MAX]; /* ids of findings, whatever their severity */
	size_t id_count;
	bool end; /* alert on the end of a session's main process */
};

/* The help that a command gives for an unknown name. */
struct alert_help {
	const char *events; /* names of events that the command has besides activities */
	const char *remedy;
};

/* Parses a list of events. `schema` is that of the rows, which have the activity. Returns -EINVAL
 * for an unknown event. */
int alert_choose(struct alert_choice *out, const struct option_list *list,
	const struct sooth_schema *schema, const struct alert_help *help, struct sooth_error *err);
/* Chooses only findings: by id or severity. -EINVAL. */
int alert_choose_findings(
	struct alert_choice *out, const struct option_list *list, struct sooth_error *err);
/* Writes the chosen findings in the form that alert_choose_findings() takes. */
void alert_finding_words(const struct alert_choice *c, char *out, size_t size);
/* Returns whether some findings are chosen. */
bool alert_wants_findings(const struct alert_choice *c);
/* Returns whether a finding with this id and severity (by name) is chosen. */
bool alert_wants_finding(const struct alert_choice *c, const char *id, const char *severity);
/* Returns the names of the states of an activity; NULL: the rows have none. */
const struct sooth_names *alert_activities(const struct sooth_schema *schema);
