/* SPDX-License-Identifier: BSD-2-Clause */
/* Takes one sample of the selected processes: finds agents among them, and their runtimes. */
#include "cli/selected/target_memory.h"

#include "analyze/maps/map_growth.h"
#include "analyze/process_table/process_table.h"
#include "cli/selected/process_table_scan.h"

struct look {
	struct process_table table;
	bool has_heap;
};

static int handle_record(
	void *user, const struct sooth_schema *schema, const struct sooth_record *record)
{
	struct look *look = user;

	(void)schema;
	process_table_add_record(&look->table, record);
	look->has_heap |= map_growth_is_of_runtime(record);
	return 0;
}

static int observe_maps(struct sooth_observer *o, struct sooth_report *r,
	const struct target_found *found, struct sooth_error *err)
{
	int status = sooth_observer_add_probe(o, "maps", SOOTH_SAMPLE, err);

	for (size_t i = 0; i < target_found_count(found) && !status; i++)
		status = sooth_observer_add_pid(o, (pid_t)target_found_pids(found)[i], err);
	return status ? status : process_table_observe_once(o, r, SOOTH_SAMPLE, err);
}

static bool has_agent(struct process_table *table)
{
	if (process_table_resolve(table))
		return false;
	process_table_for_each (table, p) {
		if (p->agent)
			return true;
	}
	return false;
}

enum target_memory target_memory_of(const struct target_found *found)
{
	enum target_memory memory = TARGET_MEMORY_OF_MALLOC;
	struct sooth_observer *o = NULL;
	struct sooth_report *r = NULL;
	struct look look = { 0 };
	struct sooth_error ignored;

	if (found->capture || found->command || !target_found_count(found))
		return memory;
	process_table_init(&look.table);
	if (!sooth_report_new(&r, "scan", &ignored) && !sooth_observer_new(&o, NULL, &ignored)) {
		sooth_report_on_record(r, handle_record, &look);
		if (!observe_maps(o, r, found, &ignored))
			memory = has_agent(&look.table) ? TARGET_MEMORY_OF_AGENT
				 : look.has_heap	? TARGET_MEMORY_OF_RUNTIME
							: TARGET_MEMORY_OF_MALLOC;
	}
	sooth_observer_free(o);
	sooth_report_free(r);
	process_table_fini(&look.table);
	return memory;
}
