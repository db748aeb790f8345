/* SPDX-License-Identifier: BSD-2-Clause */
/* `sooth freeze` and `sooth thaw`: everything except the direction. */
#pragma once

#include "cli/act/act_targets.h"
#include "cli/output/output.h"

struct freezing_config {
	struct target_options target;
	struct output_options output;
	struct {
		bool tree, dry_run, any;
	} who;
};

#define FREEZING_GROUP_COUNT 4
extern const struct option_group freezing_groups[FREEZING_GROUP_COUNT];

#define FREEZING_RULE_COUNT 2
extern const struct option_rule freezing_rules[FREEZING_RULE_COUNT];

int freezing_run(const char *name, const struct freezing_config *c,
	const struct arguments *arguments, bool is_frozen, struct sooth_error *err);
