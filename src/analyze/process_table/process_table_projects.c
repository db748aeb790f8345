/* SPDX-License-Identifier: BSD-2-Clause */
/* The project of each process of a session, and the session's id for all its processes. */
#include "analyze/process_table/process_table_resolving.h"

#include "analyze/process_table/project.h"

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

void process_table_resolve_projects(struct resolving *s)
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
