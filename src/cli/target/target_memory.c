/* SPDX-License-Identifier: BSD-2-Clause */
/* One look at the selected processes: the agents among them, and the runtimes that they have. */
#include "cli/target/target_memory.h"

#include <string.h>

#include "analyze/process_table/process_table.h"
#include "base/cleanup.h"
#include "cli/agents/user_agents.h"

struct look {
	struct process_table table;
	bool has_heap;
};

/* A record of the probe maps. */
static bool has_own_heap(const struct sooth_schema *schema, const struct sooth_record *record)
{
	static const char *const names[] = { "javascriptcore", "v8", "go", "java", "python" };
	const struct sooth_field *runtime = sooth_schema_field(schema, "runtime");
	char name[24];

	if (!runtime || strcmp(schema->name, "maps.runtime") != 0)
		return false;
	sooth_field_text(runtime, record, name, sizeof(name));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!strcmp(name, names[i]))
			return true;
	}
	return false;
}

static int take(void *user, const struct sooth_schema *schema, const struct sooth_record *record)
{
	struct look *look = user;

	process_table_take(&look->table, record);
	look->has_heap |= schema && has_own_heap(schema, record);
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
		sooth_report_on_record(r, take, &look);
		if (!observe(o, r, found, &ignored))
			memory = has_agent(&look.table) ? TARGET_MEMORY_OF_AGENT
				 : look.has_heap	? TARGET_MEMORY_OF_RUNTIME
							: TARGET_MEMORY_OF_MALLOC;
	}
	sooth_observer_free(o);
	sooth_report_free(r);
	process_table_fini(&look.table);
	return memory;
}
