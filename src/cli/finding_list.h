/* SPDX-License-Identifier: BSD-2-Clause */
/* The registry of findings, for `sooth diagnose --list-findings`. */
#ifndef SOOTH_CLI_FINDING_LIST_H
#define SOOTH_CLI_FINDING_LIST_H

#include "analyze/diagnosis/check_settings.h"
#include "cli/output/output.h"

int finding_list(const struct check_settings *settings, const struct output_options *options,
	struct sooth_error *err);

#endif
