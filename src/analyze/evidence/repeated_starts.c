/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/evidence/repeated_starts.h"

#include <stdio.h>
#include <string.h>

#include "analyze/diagnosis/check_verdict.h"
#include "analyze/diagnosis/starts.h"
#include "analyze/process_table/server_name.h"
#include "base/cleanup.h"
#include "base/sentence_units.h"

/* Adds up the execs of the process itself; none if its calls are not known. */
static struct call_failures execs_of(const struct check *e)
{
	struct call_failures sum = { 0 };

	if (!e->calls.is_read)
		return sum;
	map_for_each (&e->calls.history->repeats, const struct call_repeat_key *, key,
		const struct call_repeat *, one) {
		const struct syscall_row *row = syscall_by_number(key->abi, key->number);
		struct call_failures of = { one->seen, one->seen, one->first_ns, one->last_ns, 0 };

		if (row && row->traits & SYSCALL_EXECS && !key->result)
			call_failures_add(&sum, &of);
	}
	return sum;
}

static bool is_make(const struct check *e)
{
	struct span name = check_name(e->process);

	return span_equal(name, "make") || span_equal(name, "gmake");
}

/* A chain of programs execs only once, at its start. */
bool exec_loop_report(const struct check *e, struct check_result *out)
{
	uint64_t interval_ns = sample_series_ns(&e->series);
	struct call_failures r = execs_of(e);

	if ((double)r.count < check_option(e, "min-rebuilds") ||
		(r.last_ns - r.first_ns) * 2 < interval_ns)
		return false;
	finding_begin(out, FINDING_CONFIDENCE_HIGH, "itself");
	finding_claim(out, "%.*s starts itself again and again: %llu times in %s",
		SPAN_ARGS(check_name(e->process)), (unsigned long long)r.count,
		SENTENCE_DURATION(r.last_ns - r.first_ns));
	if (is_make(e))
		finding_claim(out,
			"; each time make rebuilds its makefile, restarts and finds it out of "
			"date again (often because a file is dated in the future)");
	finding_count(out, "execs of itself", r.count, interval_ns);
	if (is_make(e))
		finding_remedy(out,
			"cd /proc/%u/cwd && find . -newermt now lists files dated in the future: "
			"touch these files and check the clock; if it lists none, make -d names "
			"the makefile",
			e->id.pid);
	else
		finding_remedy(out, "sooth trace -e execve -p %u shows what it becomes", e->id.pid);
	return true;
}

/* --- MCP servers --- */

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
		struct restarts *starts;
		struct server key;

		if (starts_parent(p) != e->process || !is_server(p, &key))
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
	char what[SERVER_NAME + 16];

	snprintf(what, sizeof(what), "server %s", server->name);
	if (!check_is_over(e, SERVER_RESTARTS_OPTION, restarts, what))
		return;
	finding_begin(out, FINDING_CONFIDENCE_HIGH, what);
	finding_claim(out, "MCP server %s keeps ending: restarted %u times in %s", server->name,
		restarts, SENTENCE_DURATION(interval_ns));
	finding_count(out, "restarts", restarts, interval_ns);
	finding_count(out, "instances seen", starts->seen, interval_ns);
	finding_count(out, "alive", starts->alive, 0);
	finding_unseen(out,
		"why the server ends (its standard error or log may say so), and whether "
		"it also restarted between two samples");
	finding_remedy(out, "start the server by hand to see its error; until it works, remove it "
			    "from the configuration");
}

void server_restarts_report(const struct check *e, struct check_result *out)
{
	_cleanup_(map_fini) struct map servers = { 0 };

	map_init(&servers, sizeof(struct server), sizeof(struct restarts), SERVERS_MAX);
	count_servers(e, &servers);
	map_for_each (&servers, const void *, key, const struct restarts *, starts) {
		if (starts->seen > starts->alive && starts->seen > 1)
			emit_server(e, out, key, starts);
	}
}
