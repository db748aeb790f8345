/* SPDX-License-Identifier: BSD-2-Clause */
/* The names of roles, and the number of rules that an agent has. */
#include "recognize/agent.h"

#include <assert.h>

const char *agent_role_name(enum agent_role role)
{
	static const char *const names[AGENT_ROLES] = {
		[AGENT_ROLE_MAIN] = "main",
		[AGENT_ROLE_LAUNCHER] = "launcher",
		[AGENT_ROLE_HELPER] = "helper",
		[AGENT_ROLE_DAEMON] = "daemon",
		[AGENT_ROLE_SPARE] = "spare",
		[AGENT_ROLE_TOOL] = "tool",
		[AGENT_ROLE_MCP] = "mcp",
		[AGENT_ROLE_STATUS_LINE] = "status-line",
		[AGENT_ROLE_LANGUAGE_SERVER] = "language-server",
	};

	return role < AGENT_ROLES ? names[role] : "";
}

size_t agent_rule_count(const struct agent *agent)
{
	size_t count = 0;

	assert(agent);
	while (count < AGENT_RULES_MAX && agent->rules[count].why)
		count++;
	return count;
}
