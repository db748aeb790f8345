/* SPDX-License-Identifier: BSD-2-Clause */
/* The agents on this host. */
#include <sooth/agents.h>

#include <string.h>

#include "base/error.h"
#include "base/options.h"
#include "library/observation.h"
#include "library/table.h"

#define INTERVAL_NS 200000000ull

static int take_row(void *user, const char *section, const struct sooth_schema *schema,
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
	ERROR_HERE(err);
	struct sooth_agents_options o;
	struct observation n = {
		.name = "agents", .view = "processes", .probes = probes, .take = take_row
	};
	struct sooth_table *table;

	if (options_copy(&o, sizeof(o), options, err) ||
		observation_options(&n.options, o.observer, err))
		return NULL;
	n.duration_ns = o.interval_ns ? o.interval_ns : INTERVAL_NS;
	n.options.sample_ns = 0;
	n.user = table = table_new(err);
	if (table && observation_run(&n, err)) {
		sooth_table_free(table);
		return NULL;
	}
	return table;
}
