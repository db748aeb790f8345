/* SPDX-License-Identifier: BSD-2-Clause */
/* What `sooth freeze` and `sooth thaw` share: all but the direction. */
#ifndef SOOTH_CLI_FREEZING_H
#define SOOTH_CLI_FREEZING_H

#include "cli/command/option_rules.h"
#include "cli/output/output.h"

struct freezing_config {
	struct output_options output;
	struct {
		bool tree, dry_run, any;
		const char *session;
	} who;
};

#define FREEZING_GROUP_COUNT 3
extern const struct option_group freezing_groups[FREEZING_GROUP_COUNT];

#define FREEZING_RULE_COUNT 1
extern const struct option_rule freezing_rules[FREEZING_RULE_COUNT];

int freezing_run(const char *name, const struct freezing_config *c,
	const struct arguments *arguments, bool is_frozen, struct sooth_error *err);

#endif
