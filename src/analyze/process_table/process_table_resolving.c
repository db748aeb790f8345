/* SPDX-License-Identifier: BSD-2-Clause */
/* The steps, in their order; process_table_resolving.h. */
#include "analyze/process_table/process_table_resolving.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agents/script.h"
#include "base/cursor.h"

/* --- projects --- */

/* --- the project of a process, by the rule of the older tools --- */

/* The last part of the directory. */
static struct span last_part(struct span path)
{
	while (path.size > 1 && path.data[path.size - 1] == '/')
		path.size--;
	return path.size == 1 ? path : path_base(path);
}

static struct span named_in(struct span word)
{
	static const char prefix[] = "Working in: ";
	const char *at = memmem(word.data, word.size, prefix, strlen(prefix));

	if (!at)
		return span_of("", 0);
	at += strlen(prefix);
	word = span_of(at, word.size - (size_t)(at - word.data));
	at = memmem(word.data, word.size, " @", 2);
	return at ? span_of(word.data, (size_t)(at - word.data)) : word;
}

/*
 * The NAME of --append-system-prompt "Working in: NAME @TTY" in the NUL-separated arguments; else
 * the last component of the git work tree; else of the working directory. Borrowed; empty: unknown.
 */
static struct span project_of(struct span arguments, struct span root, struct span directory)
{
	static const char option[] = "--append-system-prompt";
	struct cursor c = cursor_over(arguments.data, arguments.size);

	while (!cursor_at_end(&c)) {
		struct span word = cursor_until(&c, '\0'), name;

		if (span_equal(word, option))
			word = cursor_until(&c, '\0');
		else if (!span_starts(word, option))
			continue;
		name = named_in(word);
		if (name.size)
			return name;
	}
	return last_part(root.size ? root : directory);
}

/* --- all processes of a session --- */

static void find_project(struct resolving *s, struct process_entry *p)
{
	const struct proc_process *process = p->process;
	struct span root = span_of("", 0), project;

	if (p->links && process_table_state_is_value(p->links->root_state))
		root = process_table_field(&p->links->record, &p->links->root);
	project = project_of(process_table_arguments(p), root,
		process_table_field(&process->record, &process->directory));
	p->project = process_table_put(s->process_table, project);
	p->place = process_table_put(s->process_table,
		root.size ? root : process_table_field(&process->record, &process->directory));
	p->project_state = project.size ? SOOTH_STATE_VALUE : process->directory_state;
	/* The directory is a value but empty: written by another tool. */
	if (!project.size && process_table_state_is_value(process->directory_state))
		p->project_state = SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED);
}

static void find_id(struct process_entry *p)
{
	if (p->main && p->main != p) {
		p->session_id = p->main->session_id;
		p->session_state = p->main->session_state;
	} else if (p->owner_agent && p->main != p) {
		p->session_state = p->session_id.size
					   ? SOOTH_STATE_VALUE
					   : SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED);
	} else if (!p->owner_agent) {
		p->session_state = SOOTH_STATE_ABSENT;
	}
}

/* Projects, and the session's id for all its processes. */
static void process_table_resolve_projects(struct resolving *s)
{
	for (size_t i = 0; i < s->count; i++) {
		struct process_entry *p = s->order[i];

		find_id(p);
		if (p->owner_agent ? !p->main || p->main == p : p->has_role)
			find_project(s, p);
		else
			p->project_state = SOOTH_STATE_ABSENT;
	}
	/* A launcher comes before its main process. */
	for (size_t i = 0; i < s->count; i++) {
		struct process_entry *p = s->order[i];

		if (!p->main || p->main == p)
			continue;
		p->project = p->main->project;
		p->place = p->main->place;
		p->project_state = p->main->project_state;
	}
}

/* --- all steps --- */

int process_table_resolve(struct process_table *c)
{
	struct resolving s = { .process_table = c };
	int status;

	if (c->is_resolved)
		return 0;
	process_table_forget(c);
	map_init(&s.by_pid, sizeof(uint64_t), sizeof(void *), PROCESSES_MAX);
	map_init(&s.by_inner, 2 * sizeof(uint64_t), sizeof(void *), PROCESSES_MAX);
	map_init(&s.by_session, PROCESS_TABLE_SESSION_KEY, sizeof(void *), 2 * PROCESSES_MAX);
	map_init(&s.oldest, 3 * sizeof(uint64_t), sizeof(void *), 4 * PROCESSES_MAX);
	status = process_table_resolve_tree(&s);
	if (!status) {
		process_table_resolve_agents(&s);
		process_table_resolve_sessions(&s);
		process_table_resolve_owners(&s);
		process_table_resolve_roles(&s);
		process_table_resolve_left(&s);
		process_table_resolve_projects(&s);
		process_table_resolve_servers(&s);
		process_table_resolve_versions(&s);
	}
	if (s.is_out_of_memory || buffer_failed(&c->texts) || buffer_failed(&c->installed))
		status = -ENOMEM;
	free(s.order);
	map_fini(&s.by_pid);
	map_fini(&s.by_inner);
	map_fini(&s.by_session);
	map_fini(&s.oldest);
	c->is_resolved = !status;
	return status;
}
