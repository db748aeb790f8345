/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The process tree. The parent is the process that has the pid now, if it is not younger: a process
 * whose parent ended has the pid of a reaper, which is always older. Records may say anything, so
 * cycles are cut, and depth does not matter because nothing recurses.
 */
#include "analyze/process_table/process_table_resolving.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define SAY_SIZE 512
#define PUT_MAX	 256 /* bytes of one text of a target */

struct process_entry *process_table_kept(const struct map *m, const void *key)
{
	struct process_entry **at = map_get(m, key);

	return at ? *at : NULL;
}

bool process_table_keep(struct map *m, const void *key, struct process_entry *p)
{
	bool is_new;
	struct process_entry **at = map_put(m, key, &is_new);

	if (at && is_new)
		*at = p;
	return at != NULL;
}

struct process_entry *process_table_by_pid(const struct resolving *s, uint64_t pid)
{
	return process_table_kept(&s->by_pid, &pid);
}

struct sooth_text process_table_put(struct process_table *c, struct span text)
{
	struct sooth_text put = { .offset = (uint32_t)c->texts.size };

	put.size = (uint32_t)(text.size < PUT_MAX ? text.size : PUT_MAX);
	buffer_append(&c->texts, text.data, put.size);
	return put;
}

struct sooth_text process_table_say(struct process_table *c, const char *format, ...)
{
	char text[SAY_SIZE];
	struct sooth_text put = { .offset = (uint32_t)c->texts.size };
	va_list arguments;
	int size;

	va_start(arguments, format);
	size = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (size < 0)
		return (struct sooth_text){ 0 };
	put.size = (uint32_t)((size_t)size < sizeof(text) ? (size_t)size : sizeof(text) - 1);
	buffer_append(&c->texts, text, put.size);
	return put;
}

bool process_table_is_fed(const struct process_entry *p)
{
	const struct proc_ties *t = p->links;

	return t && process_table_state_is_value(t->stream_state[0]) &&
	       (t->stream[0] == PROC_STREAM_PIPE || t->stream[0] == PROC_STREAM_SOCKET);
}

bool process_table_is_piped(const struct process_entry *p)
{
	const struct proc_ties *t = p->links;

	return process_table_is_fed(p) && process_table_state_is_value(t->stream_state[1]) &&
	       (t->stream[1] == PROC_STREAM_PIPE || t->stream[1] == PROC_STREAM_SOCKET);
}

/*
 * Two processes with one pid in a snapshot: the pid was reused while it was made. The younger has
 * it.
 */
static int take_pids(struct resolving *s)
{
	size_t position = 0;
	struct process_entry *p;

	while ((p = process_table_next(s->process_table, &position))) {
		struct process_entry **at = map_put(&s->by_pid, &p->id.pid, NULL);

		if (!at)
			return -ENOMEM;
		if (!*at || (*at)->id.start_ticks < p->id.start_ticks)
			*at = p;
		s->count++;
	}
	return 0;
}

static void find_parents(struct resolving *s)
{
	size_t position = 0;
	struct process_entry *p;

	while ((p = process_table_next(s->process_table, &position))) {
		struct process_entry *parent = process_table_by_pid(s, p->process->ppid);

		if (parent && parent != p && process_table_is_older(parent, p))
			p->parent = parent;
	}
}

/* Of ended processes, for views of starts and exits. Of two with one pid: the younger. */
static int find_last_parents(struct resolving *s)
{
	const struct process_table *c = s->process_table;
	struct map by_pid;
	size_t position = 0;
	void *value;
	int status = 0;

	map_init(&by_pid, sizeof(uint64_t), sizeof(void *), (uint32_t)c->processes.count + 1);
	while (map_next(&c->processes, &position, NULL, &value)) {
		struct process_entry *p = *(struct process_entry **)value;
		struct process_entry **at = map_put(&by_pid, &p->id.pid, NULL);

		if (!at)
			status = -ENOMEM;
		else if (!*at || (*at)->id.start_ticks < p->id.start_ticks)
			*at = p;
	}
	for (position = 0; map_next(&c->processes, &position, NULL, &value);) {
		struct process_entry *p = *(struct process_entry **)value;
		uint64_t ppid = p->process->ppid;
		struct process_entry *parent =
			p->is_there ? NULL : process_table_kept(&by_pid, &ppid);

		if (parent && parent != p && process_table_is_older(parent, p))
			p->last_parent = parent;
	}
	map_fini(&by_pid);
	return status;
}

enum mark { MARK_NONE, MARK_ON_WAY, MARK_DONE };

/* number_end is a scratch mark until the order is known. */
static void cut_cycles(struct resolving *s)
{
	size_t position = 0;
	struct process_entry *p;

	while ((p = process_table_next(s->process_table, &position))) {
		struct process_entry *at = p;

		while (at->number_end == MARK_NONE) {
			at->number_end = MARK_ON_WAY;
			if (!at->parent)
				break;
			if (at->parent->number_end == MARK_ON_WAY)
				at->parent = NULL;
			else
				at = at->parent;
		}
		for (at = p; at && at->number_end == MARK_ON_WAY; at = at->parent)
			at->number_end = MARK_DONE;
	}
}

/*
 * Children in order of their first record: the list is built from its end, so they are taken
 * backwards.
 */
static int link_children(struct resolving *s)
{
	struct process_entry **all = calloc(s->count + 1, sizeof(struct process_entry *));
	size_t position = 0, count = 0;
	struct process_entry *p;

	if (!all)
		return -ENOMEM;
	while ((p = process_table_next(s->process_table, &position)))
		all[count++] = p;
	while (count) {
		p = all[--count];
		if (!p->parent)
			continue;
		p->next_sibling = p->parent->first_child;
		p->parent->first_child = p;
	}
	free(all);
	return 0;
}

/* Down to the first child, on to the next sibling, and up when there is none. */
static void put_in_order(struct resolving *s, struct process_entry *root, size_t *count)
{
	struct process_entry *at = root;

	while (at) {
		at->number = (uint32_t)*count;
		s->order[(*count)++] = at;
		if (at->first_child) {
			at = at->first_child;
			continue;
		}
		while (at != root && !at->next_sibling) {
			at->number_end = (uint32_t)*count;
			at = at->parent;
		}
		at->number_end = (uint32_t)*count;
		at = at == root ? NULL : at->next_sibling;
	}
}

int process_table_resolve_tree(struct resolving *s)
{
	size_t position = 0, count = 0;
	struct process_entry *p;
	int status = take_pids(s);

	if (status)
		return status;
	find_parents(s);
	cut_cycles(s);
	status = find_last_parents(s);
	if (!status)
		status = link_children(s);
	s->order = status ? NULL : calloc(s->count + 1, sizeof(struct process_entry *));
	if (!s->order)
		return -ENOMEM;
	while ((p = process_table_next(s->process_table, &position))) {
		if (!p->parent)
			put_in_order(s, p, &count);
	}
	return 0;
}
