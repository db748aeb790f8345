/* SPDX-License-Identifier: BSD-2-Clause */
/* The agents that sooth knows, as a report of its own. */
#ifndef SOOTH_CLI_AGENT_LIST_H
#define SOOTH_CLI_AGENT_LIST_H

#include "cli/output/output.h"

/* Takes no arguments. The exit status (2 when an agent of the user's own is wrong), or a negative
 * errno with err filled. */
int agent_list_emit(const struct output_options *options, const struct arguments *arguments,
	struct sooth_error *err);

#endif
