/* SPDX-License-Identifier: BSD-2-Clause */
/* One scan of the process table answers: the user waits with a finger on the Tab key. A word is
 * inserted into a command line, so words that a shell would not take as they are are left out. */
#include "cli/selected/target_words.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "analyze/process_table/verdicts.h"
#include "base/cleanup.h"
#include "base/escape.h"
#include "cli/selected/process_table_scan.h"

static const char *const kinds[] = { "processes", "sessions", "agents", NULL };

const char *target_words_kind(size_t index)
{
	return kinds[index];
}

static bool is_shown(struct span word, const char *beginning)
{
	for (size_t i = 0; i < word.size; i++) {
		if (!strchr("-_.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
			    word.data[i]))
			return false;
	}
	return word.size && word.data[0] != '-' && span_starts(word, beginning);
}

/* "orphaned, web", "main, web" or "tool of claude, web"; nothing for a process of no agent. */
static void describe_process(
	struct buffer *out, const struct process_table *c, const struct process_entry *p)
{
	struct span project = path_base(process_table_text(c, &p->project));
	struct verdict orphaned;

	verdict_decide(c, p, VERDICT_ORPHANED, &orphaned);
	if (orphaned.holds)
		buffer_string(out, verdict_name(VERDICT_ORPHANED));
	else if (p->agent || p->owner_agent)
		buffer_format(out, "%s%s%s", p->has_role ? agent_role_name(p->role) : "part",
			p->agent ? "" : " of ", p->agent ? "" : p->owner_agent->name);
	else
		return;
	if (project.size) {
		buffer_string(out, ", ");
		escape_terminal(out, project.data, project.size);
	}
}

static void print_process(
	const struct process_table *c, const struct process_entry *p, const char *beginning)
{
	struct span name = record_text(&p->process->record, &p->process->name);
	_cleanup_(buffer_fini) struct buffer line = { 0 }, about = { 0 };
	char pid[16];

	snprintf(pid, sizeof(pid), "%u", (unsigned)p->id.pid);
	if (!is_shown(span_of_string(pid), beginning) || p->id.pid == (uint32_t)getpid())
		return;
	describe_process(&about, c, p);
	if (!about.size && !*beginning)
		return;
	escape_terminal(&line, name.data, name.size);
	if (about.size)
		buffer_format(&line, " (%s)", buffer_cstr(&about));
	printf("%s\t%s\n", pid, buffer_cstr(&line));
}

static void print_session(
	const struct process_table *c, const struct process_entry *p, const char *beginning)
{
	struct span id = process_table_text(c, &p->session_id);
	_cleanup_(buffer_fini) struct buffer about = { 0 };

	if (p->link != PROCESS_LINK_SELF || !is_shown(id, beginning))
		return;
	describe_process(&about, c, p);
	printf("%.*s\t%s %u (%s)\n", SPAN_ARGS(id), p->agent->name, (unsigned)p->id.pid,
		buffer_cstr(&about));
}

static void print_agents(const char *beginning)
{
	for (size_t i = 0; registry_agents[i]; i++) {
		if (is_shown(span_of_string(registry_agents[i]->name), beginning))
			printf("%s\t%s\n", registry_agents[i]->name, registry_agents[i]->title);
	}
}

int target_words_print(const char *kind, const char *beginning, struct sooth_error *err)
{
	struct process_table table;
	int status;

	if (!strcmp(kind, "agents")) {
		print_agents(beginning);
		return 0;
	}
	status = process_table_scan_names(&table, err);
	process_table_for_each (&table, p) {
		if (strcmp(kind, "sessions"))
			print_process(&table, p, beginning);
		else
			print_session(&table, p, beginning);
	}
	process_table_fini(&table);
	return status;
}
