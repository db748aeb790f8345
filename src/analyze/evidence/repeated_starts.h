/* SPDX-License-Identifier: BSD-2-Clause */
/* Processes that start again and again: a make that starts again each time it has remade a
 * makefile, an MCP server that ends each time. */
#pragma once

#include "analyze/diagnosis/check.h"

/* Reports a process that starts itself again and again; false: it does not. The detector has the
 * option min-rebuilds. */
bool exec_loop_report(const struct check *e, struct check_result *out);

#define SERVER_RESTARTS_OPTION "min-restarts"

/* Reports a finding for each server that the agent started itself. */
void server_restarts_report(const struct check *e, struct check_result *out);
