/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What agent_files_emit() and agent_installs_emit() write, one JSON object a record:
 *
 *   agent_files_emit session PID AGENT [times]   (with the transcript)
 *   agent_files_emit brief PID AGENT             (without)
 *   agent_files_emit installed UID...
 *
 * Behind the last one stands what a call took on average.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "model/probe.h"
#include "recognize/agent_set.h"
#include "os/linux/agent_logs/agent_files.h"
#include "os/linux/agent_logs/agent_installs.h"
#include "os/os.h"
#include "probes/proc.h"

#define UIDS_MAX 64

static void print_text(const struct sooth_record *r, const char *name, struct sooth_text text)
{
	printf("\"%s\": \"%.*s\", ", name, (int)text.size, (const char *)r + text.offset);
}

static void print_state(const char *name, uint8_t state)
{
	printf("\"%s_state\": %u, ", name, state);
}

static void print_session(const struct proc_session *p)
{
	printf("{");
	print_text(&p->record, "session", p->session);
	print_text(&p->record, "source", p->source);
	print_text(&p->record, "status", p->status);
	print_text(&p->record, "tool", p->tool);
	print_text(&p->record, "version", p->version);
	print_state("session", p->session_state);
	print_state("status", p->status_state);
	print_state("activity", p->activity_state);
	print_state("tool", p->tool_state);
	print_state("version", p->version_state);
	printf("\"activity_utc_ns\": %llu, \"tool_utc_ns\": %llu}\n",
		(unsigned long long)p->activity_utc_ns, (unsigned long long)p->tool_utc_ns);
}

static void print_installed(const struct proc_installed *p)
{
	printf("{");
	print_text(&p->record, "agent", p->agent);
	print_text(&p->record, "version", p->version);
	print_text(&p->record, "path", p->path);
	printf("\"uid\": %lld}\n", p->uid == UINT32_MAX ? -1LL : (long long)p->uid);
}

static void print_records(const struct buffer *out)
{
	struct batch batch = { out->data, out->size };

	batch_for_each (r, &batch) {
		if (r->kind == PROC_SESSION)
			print_session((const void *)r);
		else if (r->kind == PROC_INSTALLED)
			print_installed((const void *)r);
	}
}

static const struct agent *agent_named(const char *name)
{
	for (size_t i = 0; registry_agents[i]; i++) {
		if (!strcmp(registry_agents[i]->name, name))
			return registry_agents[i];
	}
	fprintf(stderr, "no agent %s\n", name);
	exit(2);
}

static void emit_session(struct backend_run *run, pid_t pid, const char *name, unsigned times)
{
	const struct agent *agent = agent_named(name);
	struct agent_files_reader f;
	struct buffer arguments = { 0 }, directory = { 0 };

	agent_files_init(&f);
	for (unsigned i = 0; i < times; i++) {
		_cleanup_process_snapshot_ struct process_snapshot reading;

		buffer_reset(&run->out);
		if (process_snapshot_open(&reading, run, pid, NULL)) {
			fprintf(stderr, "no process %d\n", (int)pid);
			exit(1);
		}
		procfs_read_at(reading.process, "cmdline", &arguments, PROCFS_ARGUMENTS);
		procfs_link_at(reading.process, "cwd", &directory);
		agent_files_add(&f, run, &reading.id, agent,
			span_of((char *)arguments.data, arguments.size),
			span_of((char *)directory.data, directory.size));
		agent_files_emit(&f, run);
	}
	buffer_fini(&arguments);
	buffer_fini(&directory);
	agent_files_fini(&f);
}

static void emit_installed(struct backend_run *run, int count, char **info)
{
	struct agent_installs installs = { .root = NULL };
	uint32_t uids[UIDS_MAX];

	for (int i = 0; i < count; i++)
		uids[i] = (uint32_t)strtoul(info[i], NULL, 10);
	agent_installs_emit(&installs, run, uids, (size_t)count);
	agent_installs_fini(&installs);
}

int main(int argc, char **argv)
{
	struct backend_run run = { .os = &os_native };
	bool is_session = argc >= 4 && strcmp(argv[1], "installed") != 0;
	unsigned times = argc > 4 && is_session ? (unsigned)strtoul(argv[4], NULL, 10) : 1;
	uint64_t before = clock_monotonic_ns();

	if (argc < 2 || argc - 2 > UIDS_MAX)
		return 2;
	run.options.interest = strcmp(argv[1], "session") ? 0 : INTEREST_TRANSCRIPT;
	if (is_session)
		emit_session(&run, (pid_t)strtol(argv[2], NULL, 10), argv[3], times);
	else
		emit_installed(&run, argc - 2, argv + 2);
	before = clock_monotonic_ns() - before;
	print_records(&run.out);
	printf("{\"call_us\": %llu}\n", (unsigned long long)(before / 1000 / times));
	buffer_fini(&run.out);
	return 0;
}
