/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Containers. Any program may have the arguments of a monitor, and a user may name the groups below
 * a control group of his own. So processes below a monitor count only where no process has the
 * control group of the container (rootless engines without control groups), and only if all its
 * monitors are of one user; monitors of root and of the caller come before those of other users,
 * and groups outside of users' managers before those in them.
 */
#include "cli/selected/target_container.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "analyze/process_table/process_match.h"
#include "analyze/process_table/container.h"

#define ANCESTORS_MAX 1024
#define OF_USER	      "/user@" /* the service of a user's manager (systemd) */

static bool find_group(const struct process_entry *p, struct container *out)
{
	return container_in_group(
		out, process_table_field(&p->process->record, &p->process->control_group));
}

static bool find_monitored(const struct process_entry *p, struct container *out)
{
	return container_of_monitor(out,
		process_table_field(&p->process->record, &p->process->executable),
		process_table_field(&p->process->record, &p->process->arguments));
}

static bool container_matches(const struct container *c, const char *text)
{
	return span_equal(c->id, text) || span_equal(c->label, text) ||
	       (strlen(text) >= SESSION_PREFIX_LEAST && span_starts(c->id, text));
}

static int note_container(struct target_container *out, const struct container *found,
	const char *text, struct sooth_error *err)
{
	if (!out->id.size)
		out->id = found->id;
	if (!span_compare(out->id, found->id))
		return 0;
	error_set(err, -E2BIG, SOOTH_FAULT_USAGE, "find the container \"%s\"", text);
	error_why(err, "the containers %.*s and %.*s both match", (int)out->id.size, out->id.data,
		(int)found->id.size, found->id.data);
	return error_remedy(err, "give more characters of the id");
}

static int note_monitor(struct target_container *out, const struct process_entry *monitor,
	const char *text, struct sooth_error *err)
{
	bool is_other = out->has_monitor && out->monitor_uid != monitor->process->uid;

	out->has_monitor = true;
	out->monitor_uid = monitor->process->uid;
	if (!is_other || out->has_group)
		return 0;
	error_set(err, -E2BIG, SOOTH_FAULT_USAGE, "find the container \"%s\"", text);
	error_why(err, "processes of several users say that they run it");
	return error_remedy(err, "give PIDs; `sooth ps -a -t` shows what started them");
}

/* Returns the control group of the container, the begin of that of its processes. */
static struct span group_of(const struct process_entry *p, const struct container *found)
{
	struct span all = process_table_field(&p->process->record, &p->process->control_group);

	return span_of(all.data, (size_t)(found->id.data + found->id.size - all.data));
}

static bool is_trusted_monitor(const struct process_entry *monitor)
{
	return !monitor->process->uid || monitor->process->uid == getuid();
}

/* Finds the control group, outside of users' managers if there is one. */
static void find_its_group(struct target_container *out, const struct process_table *c)
{
	struct container found;

	process_table_for_each (c, p) {
		struct span group;

		if (!find_group(p, &found) || span_compare(found.id, out->id))
			continue;
		group = group_of(p, &found);
		if (!out->has_group ||
			(span_contains(out->group, OF_USER) && !span_contains(group, OF_USER)))
			out->group = group;
		out->has_group = true;
	}
}

int target_container_find(struct target_container *out, const struct process_table *c,
	const char *text, struct sooth_error *err)
{
	struct container found;
	int status = 0;

	assert(out);
	*out = (struct target_container){ .id = span_of("", 0) };
	for (int trusted = 1; trusted >= 0 && !out->id.size; trusted--) {
		process_table_for_each (c, p) {
			if (!status && find_group(p, &found) && container_matches(&found, text))
				status = note_container(out, &found, text, err);
			if (!status && is_trusted_monitor(p) == trusted &&
				find_monitored(p, &found) && container_matches(&found, text))
				status = note_container(out, &found, text, err);
		}
	}
	find_its_group(out, c);
	process_table_for_each (c, p) {
		if (!status && find_monitored(p, &found) && !span_compare(found.id, out->id))
			status = note_monitor(out, p, text, err);
	}
	return status;
}

bool target_container_has(const struct target_container *container, const struct process_entry *p)
{
	const struct process_entry *above = p->parent;
	struct container found;

	assert(container);
	if (!container->id.size)
		return false;
	if (container->has_group)
		return find_group(p, &found) && !span_compare(found.id, container->id) &&
		       !span_compare(group_of(p, &found), container->group);
	for (unsigned i = 0; above && i < ANCESTORS_MAX; i++, above = above->parent) {
		if (find_monitored(above, &found) && !span_compare(found.id, container->id))
			return true;
	}
	return false;
}
