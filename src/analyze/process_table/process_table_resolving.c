/* SPDX-License-Identifier: BSD-2-Clause */
/* The steps, in their order; process_table_resolving.h. */
#include "analyze/process_table/process_table_resolving.h"

#include <errno.h>
#include <stdlib.h>

int process_table_resolve(struct process_table *c)
{
	struct resolving s = { .process_table = c };
	int status;

	if (c->is_resolved)
		return 0;
	process_table_forget(c);
	map_init(&s.by_pid, sizeof(uint64_t), sizeof(void *), PROCESSES_MAX);
	map_init(&s.by_inner, 2 * sizeof(uint64_t), sizeof(void *), PROCESSES_MAX);
	map_init(&s.by_session, PROCESS_TABLE_SESSION_KEY, sizeof(void *), 2 * PROCESSES_MAX);
	map_init(&s.oldest, 3 * sizeof(uint64_t), sizeof(void *), 4 * PROCESSES_MAX);
	status = process_table_resolve_tree(&s);
	if (!status) {
		process_table_resolve_agents(&s);
		process_table_resolve_sessions(&s);
		process_table_resolve_owners(&s);
		process_table_resolve_roles(&s);
		process_table_resolve_left(&s);
		process_table_resolve_projects(&s);
		process_table_resolve_servers(&s);
		process_table_resolve_versions(&s);
	}
	if (s.is_out_of_memory || buffer_failed(&c->texts) || buffer_failed(&c->installed))
		status = -ENOMEM;
	free(s.order);
	map_fini(&s.by_pid);
	map_fini(&s.by_inner);
	map_fini(&s.by_session);
	map_fini(&s.oldest);
	c->is_resolved = !status;
	return status;
}
