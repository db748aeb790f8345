/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/evidence/server_restarts.h"

#include <stdio.h>
#include <string.h>

#include "base/sentence_units.h"
#include "analyze/process_table/server_name.h"
#include "base/map.h"
#include "explain/finding.h"

#define SERVERS_MAX 1024
#define SERVER_NAME 64

struct server {
	char name[SERVER_NAME]; /* shortened, not escaped */
};

struct restarts {
	unsigned seen, alive;
};

static bool is_server(const struct process_entry *p, struct server *key)
{
	const struct sooth_record *r = &p->process->record;
	const struct server_command command = {
		.executable = record_text(r, &p->process->executable),
		.arguments = record_text(r, &p->process->arguments),
		.package = record_text(r, &p->process->package),
	};
	struct server_name name = server_name(&command);
	bool is_one = (p->has_role && p->role == AGENT_ROLE_MCP) || server_name_is_mcp(&name);

	if (!name.name.size || !is_one)
		return false;
	*key = (struct server){ 0 };
	memcpy(key->name, name.name.data,
		name.name.size < SERVER_NAME ? name.name.size : SERVER_NAME - 1);
	return true;
}

static void count_servers(const struct check *e, struct map *servers)
{
	map_for_each_pointer (
		&e->input->host.process_table.processes, const struct process_entry *, p) {
		const struct process_entry *parent = p->is_there ? p->parent : p->last_parent;
		struct restarts *starts;
		struct server key;

		if (parent != e->process || !is_server(p, &key))
			continue;
		starts = map_put(servers, &key, NULL);
		if (!starts)
			continue;
		starts->seen++;
		starts->alive += p->is_there && !p->zombie_ns;
	}
}

static void emit_server(const struct check *e, struct check_result *out,
	const struct server *server, const struct restarts *starts)
{
	uint64_t interval_ns = sample_series_ns(&e->series);
	unsigned restarts = starts->seen - (starts->alive ? starts->alive : 1);
	char what[SERVER_NAME + 16], time[UNITS_SIZE];

	snprintf(what, sizeof(what), "server %s", server->name);
	if (!check_is_over(e, SERVER_RESTARTS_OPTION, restarts, what))
		return;
	finding_begin(out, FINDING_CONFIDENCE_HIGH, what);
	finding_claim(out, "MCP server %s keeps ending: restarted %u times in %s", server->name,
		restarts, sentence_duration(time, interval_ns));
	finding_count(out, "restarts", restarts, interval_ns);
	finding_count(out, "instances seen", starts->seen, interval_ns);
	finding_count(out, "alive", starts->alive, 0);
	finding_unseen(out,
		"why the server ends (its standard error or log may say so), and whether "
		"it also restarted between two samples");
	finding_remedy(out, "start the server by hand to see its error; until it works, remove it "
			    "from the configuration");
	finding_end(out);
}

void server_restarts_report(const struct check *e, struct check_result *out)
{
	struct map servers;

	map_init(&servers, sizeof(struct server), sizeof(struct restarts), SERVERS_MAX);
	count_servers(e, &servers);
	map_for_each (&servers, const void *, key, const struct restarts *, starts) {
		if (starts->seen > starts->alive && starts->seen > 1)
			emit_server(e, out, key, starts);
	}
	map_fini(&servers);
}
