/* SPDX-License-Identifier: BSD-2-Clause */
/* Events beside the thresholds that alerts are for, by name. */
#ifndef SOOTH_CLI_ALERT_CHOICE_H
#define SOOTH_CLI_ALERT_CHOICE_H

#include "cli/command/options.h"
#include "model/field.h"

struct alert_choice {
	uint64_t activities; /* a bit for each value of the state of an activity */
	bool finding;
	bool end; /* of a session's main process */
};

/* What a command says about a name that is none. */
struct alert_help {
	const char *events; /* that it has beside activities */
	const char *remedy;
};

/* `schema` is that of the rows, which have the activity. -EINVAL. */
int alert_choose(struct alert_choice *out, const struct option_list *list,
	const struct sooth_schema *schema, const struct alert_help *help, struct sooth_error *err);
/* The names of the states of an activity; NULL: the rows have none. */
const struct sooth_names *alert_activities(const struct sooth_schema *schema);

#endif
