/* SPDX-License-Identifier: BSD-2-Clause */
/* One look at the selected processes: the agents among them, and the runtimes that they have. */
#include "cli/target/target_memory.h"

#include "analyze/process_table/process_table.h"
#include "cli/agents/user_agents.h"
#include "probes/maps.h"

struct look {
	struct process_table table;
	bool has_heap;
};

static bool is_of_own_heap(uint32_t runtime)
{
	return runtime == MAPS_JAVASCRIPTCORE || runtime == MAPS_V8 || runtime == MAPS_GO ||
	       runtime == MAPS_JAVA || runtime == MAPS_PYTHON;
}

static int take(void *user, const struct sooth_schema *schema, const struct sooth_record *record)
{
	const struct maps_runtime_found *found = record_as(record, MAPS_RUNTIME, sizeof(*found));
	struct look *look = user;

	(void)schema;
	process_table_take(&look->table, record);
	look->has_heap |= found && is_of_own_heap(found->runtime);
	return 0;
}

static int observe(struct sooth_observer *o, struct sooth_report *r,
	const struct target_found *found, struct sooth_error *err)
{
	int status = sooth_observer_add_probe(o, "proc", SOOTH_SAMPLE, err);

	if (!status)
		status = sooth_observer_add_probe(o, "maps", SOOTH_SAMPLE, err);
	if (!status)
		status = user_agents_add(o, err);
	for (size_t i = 0; i < target_found_count(found) && !status; i++)
		status = sooth_observer_add_pid(o, (pid_t)target_found_pids(found)[i], err);
	if (!status)
		status = sooth_observer_connect_report(o, r, err);
	if (!status)
		status = sooth_observer_start(o, err);
	if (!status)
		status = sooth_observer_stop(o, SOOTH_END_STOPPED, err);
	return status ? status : sooth_report_finish(r, err);
}

static bool has_agent(struct process_table *table)
{
	const struct process_entry *p;
	size_t position = 0;

	if (process_table_resolve(table))
		return false;
	while ((p = process_table_next(table, &position))) {
		if (p->agent)
			return true;
	}
	return false;
}

bool target_has_own_heap(const struct target_found *found)
{
	struct sooth_observer *o = NULL;
	struct sooth_report *r = NULL;
	struct look look = { 0 };
	struct sooth_error ignored;
	bool is_seen = false;

	if (found->capture || found->command || !target_found_count(found))
		return false;
	process_table_init(&look.table);
	if (!sooth_report_new(&r, "scan", &ignored) && !sooth_observer_new(&o, NULL, &ignored)) {
		sooth_report_on_record(r, take, &look);
		is_seen = !observe(o, r, found, &ignored);
	}
	sooth_observer_free(o);
	sooth_report_free(r);
	is_seen = is_seen && (look.has_heap || has_agent(&look.table));
	process_table_fini(&look.table);
	return is_seen;
}
