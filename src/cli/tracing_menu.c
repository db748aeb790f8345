/* SPDX-License-Identifier: BSD-2-Clause */
/* Tracing by menu. */
#include "cli/tracing_menu.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "analyze/process_table/process_table.h"
#include "base/cleanup.h"
#include "base/cursor.h"
#include "base/escape.h"
#include "base/units.h"
#include "cli/terminal/ask.h"
#include "cli/selected/process_table_scan.h"
#include "cli/command/command.h"

#define LISTED_MAX 99

bool tracing_menu_can_ask(void)
{
	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

/* --- which process --- */

static void print_process(
	const struct process_table *c, const struct process_entry *p, unsigned number)
{
	struct span name = record_text(&p->process->record, &p->process->name);
	struct span project = process_table_text(c, &p->project);
	struct buffer line = { 0 };

	buffer_format(&line, "%3u  %7u  ", number, p->id.pid);
	escape_terminal(&line, name.data, name.size);
	if (p->owner_agent)
		buffer_format(&line, "  %s", p->owner_agent->title);
	if (p->has_role)
		buffer_format(&line, ", %s", agent_role_name(p->role));
	if (project.size) {
		buffer_string(&line, ", ");
		escape_terminal(&line, project.data, project.size);
	}
	puts(buffer_cstr(&line));
	buffer_fini(&line);
}

static bool is_process_offered(const struct process_entry *p)
{
	return p->agent || p->owner_agent;
}

/* Returns the chosen PID; 0: none. */
static uint64_t choose_pid(const struct process_table *c)
{
	uint64_t pids[LISTED_MAX];
	const struct process_entry *p;
	size_t position = 0;
	uint64_t count = 0, chosen;

	while (count < LISTED_MAX && (p = process_table_next(c, &position))) {
		if (!is_process_offered(p))
			continue;
		print_process(c, p, (unsigned)count + 1);
		pids[count++] = p->id.pid;
	}
	if (!count) {
		puts("no agents are running here; for another process: sooth trace PID");
		return 0;
	}
	chosen = ask_number("which", count);
	return chosen ? pids[chosen - 1] : 0;
}

/* --- what --- */

/* Refreshes totals, so that the user sees something. */
#define LIVE "--interval", "2s"

#define KIND_WORDS 4

static const struct {
	const char *what;
	const char *words[KIND_WORDS]; /* words of `sooth trace` */
} kinds[] = {
	{ "every call", { NULL } },
	{ "files: calls that take a path", { "--file" } },
	{ "files: bytes and times of each", { "--io", LIVE } },
	{ "network: bytes and times of each connection", { "--network", LIVE } },
	{ "network: every call", { "-e", "network" } },
	{ "memory: allocated from the kernel", { "--memory", LIVE } },
	{ "processes: starts and exits", { "--process", LIVE } },
	{ "failed calls", { "-Z" } },
	{ "counts of calls", { "-c", LIVE } },
};

static int run_kind(uint64_t pid, size_t kind)
{
	char number[32];
	char *words[KIND_WORDS + 4] = { (char *)"trace" };
	int count = 1;

	for (size_t i = 0; i < KIND_WORDS && kinds[kind].words[i]; i++)
		words[count++] = (char *)kinds[kind].words[i];
	snprintf(number, sizeof(number), "%llu", (unsigned long long)pid);
	words[count++] = (char *)"-p";
	words[count++] = number;
	printf("\n$ sooth");
	for (int i = 0; i < count; i++)
		printf(" %s", words[i]);
	printf("\nCtrl-C stops it and prints the result.\n\n");
	fflush(stdout);
	return command_main(command_find("trace"), count, words);
}

int tracing_menu_run(struct sooth_error *err)
{
	struct process_table process_table;
	int status = process_table_scan(&process_table, err);
	uint64_t pid = 0, kind = 0;

	if (!status)
		pid = choose_pid(&process_table);
	process_table_fini(&process_table);
	if (status || !pid)
		return status;
	putchar('\n');
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		printf("%3zu  %s\n", i + 1, kinds[i].what);
	kind = ask_number("what", ARRAY_SIZE(kinds));
	return kind ? run_kind(pid, kind - 1) : 0;
}
