/* SPDX-License-Identifier: BSD-2-Clause */
/* An agent that starts the same MCP server again and again, since it ends each time. */
#ifndef SOOTH_ANALYZE_SERVER_RESTARTS_H
#define SOOTH_ANALYZE_SERVER_RESTARTS_H

#include "analyze/diagnosis/check.h"

#define SERVER_RESTARTS_OPTION "min-restarts"

/* Reports a finding for each server that the agent started itself. */
void server_restarts_report(const struct check *e, struct check_result *out);

#endif
