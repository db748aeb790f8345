/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/selected/target_agent.h"

#include "analyze/process_table/process_table.h"
#include "cli/selected/process_table_scan.h"

static bool is_selected(const struct target_found *found, uint32_t pid)
{
	for (size_t i = 0; i < target_found_count(found); i++) {
		if (target_found_pids(found)[i] == pid)
			return true;
	}
	return false;
}

bool target_has_agent(const struct target_found *found)
{
	struct process_table table;
	struct sooth_error ignored;
	bool has_agent = false;

	if (!target_found_count(found))
		return false;
	if (!process_table_scan_names(&table, &ignored)) {
		process_table_for_each (&table, p)
			has_agent |= p->agent && is_selected(found, p->id.pid);
	}
	process_table_fini(&table);
	return has_agent;
}
