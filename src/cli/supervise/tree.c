/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/supervise/tree.h"

#include <assert.h>
#include <string.h>
#include <unistd.h>

#define PROCESSES_MAX 4096

void tree_init(struct tree *t, const struct process_id *command)
{
	struct tree_process first = { .last.id = *command };

	*t = (struct tree){ .os = &os_native, .command = *command };
	buffer_append(&t->processes, &first, sizeof(first));
}

void tree_fini(struct tree *t)
{
	buffer_fini(&t->processes);
}

size_t tree_count(const struct tree *t)
{
	return t->processes.size / sizeof(struct tree_process);
}

static struct tree_process *process_at(const struct tree *t, size_t i)
{
	return &((struct tree_process *)(void *)t->processes.data)[i];
}

const struct tree_process *tree_at(const struct tree *t, size_t i)
{
	return process_at(t, i);
}

bool tree_has(const struct tree *t, pid_t pid)
{
	for (size_t i = 0; i < tree_count(t); i++) {
		if (process_at(t, i)->last.id.pid == (uint32_t)pid)
			return true;
	}
	return false;
}

/* Adds a process, unless it is known or has ended. */
static void add_process(struct tree *t, const struct process_glance *g, bool is_by_group)
{
	struct tree_process p = { .last = *g, .is_by_group = is_by_group };

	if (strchr("ZX", g->state) || tree_has(t, (pid_t)g->id.pid))
		return;
	t->is_cut |= tree_count(t) >= PROCESSES_MAX;
	if (!t->is_cut)
		buffer_append(&t->processes, &p, sizeof(p));
}

static void add_children(struct tree *t, uint32_t pid)
{
	struct buffer children = { 0 };
	struct process_glance g;

	t->os->children(t->os, (pid_t)pid, &children);
	buffer_each (const pid_t, child, &children) {
		/* Between both reads the child may have ended, and its PID be another's. */
		if (!t->os->glance(t->os, *child, &g) && g.ppid == pid)
			add_process(t, &g, false);
	}
	buffer_fini(&children);
}

/* Reads a process again. False: it has ended. The command itself stays until it is reaped. */
static bool is_still_there(struct tree *t, struct tree_process *p)
{
	struct process_glance g;
	bool is_command = process_id_equal(&p->last.id, &t->command);

	if (t->os->glance(t->os, (pid_t)p->last.id.pid, &g) ||
		!process_id_equal(&g.id, &p->last.id) || (strchr("ZX", g.state) && !is_command))
		return false;
	p->last = g;
	return true;
}

void tree_look(struct tree *t)
{
	size_t kept = 0;

	if (!t->os->glance)
		return;
	for (size_t i = 0; i < tree_count(t); i++) {
		struct tree_process p = *process_at(t, i);

		if (is_still_there(t, &p))
			*process_at(t, kept++) = p;
	}
	t->processes.size = kept * sizeof(struct tree_process);
	/* The list grows meanwhile: children of children are found too. */
	for (size_t i = 0; i < tree_count(t); i++)
		add_children(t, process_at(t, i)->last.id.pid);
	t->cpu_ns = 0;
	for (size_t i = 0; i < tree_count(t); i++)
		t->cpu_ns += process_at(t, i)->last.cpu_ns + process_at(t, i)->last.waited_ns;
}

/* Returns whether the process is an orphan of sooth's process group, which began with or after the
 * command: neither sooth nor a process of the group outside of the tree is its parent. */
static bool is_orphan(const struct tree *t, const struct process_glance *g)
{
	struct process_glance parent;

	return g->process_group == (uint32_t)getpgrp() && g->ppid != (uint32_t)getpid() &&
	       g->id.pid != (uint32_t)getpid() && g->id.start_ticks >= t->command.start_ticks &&
	       (t->os->glance(t->os, (pid_t)g->ppid, &parent) || g->ppid <= 1 ||
		       parent.session != g->session);
}

void tree_add_group(struct tree *t)
{
	struct buffer found = { 0 };
	struct sooth_error ignored;
	struct process_glance g;

	/* In a script the group has other jobs, too, and the shell. */
	if (!t->os->glance || getpgrp() != getpid() ||
		t->os->list(t->os, false, 0, &found, &ignored))
		found.size = 0;
	buffer_each (const struct process_id, id, &found) {
		if (id->start_ticks >= t->command.start_ticks &&
			!t->os->glance(t->os, (pid_t)id->pid, &g) && is_orphan(t, &g))
			add_process(t, &g, true);
	}
	buffer_fini(&found);
	for (size_t i = 0; i < tree_count(t) && t->os->glance; i++)
		add_children(t, process_at(t, i)->last.id.pid);
}

size_t tree_signal(struct tree *t, int number)
{
	size_t sent = 0;

	for (size_t i = 0; i < tree_count(t); i++) {
		const struct process_id *id = &process_at(t, i)->last.id;
		struct sooth_error ignored;
		int handle = t->os->open_process(t->os, id, &ignored);

		if (handle < 0)
			continue;
		sent += !t->os->signal_process(t->os, handle, id, number, &ignored);
		close(handle);
	}
	return sent;
}

bool tree_is_left(const struct tree *t)
{
	for (size_t i = 0; i < tree_count(t); i++) {
		if (!process_id_equal(&process_at(t, i)->last.id, &t->command))
			return true;
	}
	return false;
}
