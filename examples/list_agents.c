/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The agents on this host, in ten lines.
 *
 *   cc list_agents.c $(pkg-config --cflags --libs sooth) -o list_agents && ./list_agents
 */
#include <stdio.h>
#include <sooth/sooth.h>

int main(void)
{
	struct sooth_table *agents = sooth_agents(NULL, NULL);
	for (const struct sooth_row *a = NULL; (a = sooth_table_next(agents, a));)
		printf("%s %s\n", sooth_row_text(a, "pid"), sooth_row_text(a, "agent"));
	sooth_table_free(agents);
	return !agents;
}
