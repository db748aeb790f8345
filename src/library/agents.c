/* SPDX-License-Identifier: BSD-2-Clause */
/* The agents on this host. */
#include <sooth/agents.h>

#include <string.h>

#include "library/observation.h"
#include "library/table.h"

#define INTERVAL_NS 200000000ull

static int take(void *user, const char *section, const struct sooth_schema *schema,
	const struct sooth_record *row)
{
	const struct sooth_field *agent = sooth_schema_field(schema, "agent");

	if (strcmp(section, "processes") != 0 || !agent ||
		sooth_field_get(agent, row).state != SOOTH_STATE_VALUE)
		return 0;
	return table_append(user, schema, row);
}

struct sooth_table *sooth_agents(
	const struct sooth_agents_options *options, struct sooth_error *err)
{
	static const struct observation_probe probes[] = {
		{ "proc", SOOTH_SAMPLE | SOOTH_BRIEF | SOOTH_TRANSCRIPT }, { NULL, 0 }
	};
	struct sooth_agents_options o = { 0 };
	struct sooth_table *table = table_new(err);
	struct observation n = {
		.name = "agents", .view = "processes", .probes = probes, .take = take, .user = table
	};

	if (!table)
		return NULL;
	options_take(&o, sizeof(o), options);
	n.duration_ns = o.interval_ns ? o.interval_ns : INTERVAL_NS;
	observation_options(&n.options, o.observer);
	n.options.sample_ns = 0;
	if (observation_run(&n, err)) {
		sooth_table_free(table);
		return NULL;
	}
	return table;
}
