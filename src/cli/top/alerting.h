/* SPDX-License-Identifier: BSD-2-Clause */
/* Reports alerts about the findings of the screen: each once when it comes and once when it
 * clears. */
#pragma once

#include "cli/top/state.h"

/* Raises alerts of findings. Called after the findings have changed. */
void top_alert_on_findings(struct top *t);
void top_alerting_fini(struct top_alerting *a);
