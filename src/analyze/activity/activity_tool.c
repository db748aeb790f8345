/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/activity/activity_tool.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "analyze/records.h"
#include "base/units.h"

#define DEPTH_MAX     64
#define SILENT_CPU_NS (10 * NS_PER_MS) /* a clock tick: differences below it mean nothing */

uint64_t activity_age_ns(const struct host_state *host, const struct process_entry *p)
{
	assert(host);
	assert(p);

	uint64_t ticks =
		host->segment && host->segment->ticks_per_s ? host->segment->ticks_per_s : 100;
	int64_t boottime = host->segment ? host->segment->boottime_offset_ns : 0;
	uint64_t now = p->last_ns + (uint64_t)boottime;
	uint64_t start = p->id.start_ticks * (NS_PER_S / ticks);

	return now > start ? now - start : 0;
}

bool activity_is_stopped(const struct process_entry *p)
{
	assert(p);
	return p->process->state == 'T' || p->process->state == 't' ||
	       p->process->frozen == PROC_FROZEN_YES;
}

static bool is_alive(const struct process_entry *p)
{
	return p->is_there && p->process->state != 'Z' && p->process->state != 'X';
}

static uint64_t used_ns(const struct process_entry *p)
{
	return p->process->cpu_ns > p->first_cpu_ns ? p->process->cpu_ns - p->first_cpu_ns : 0;
}

static uint64_t tree_used_ns(const struct process_entry *p, unsigned depth)
{
	uint64_t sum = used_ns(p);

	for (const struct process_entry *c = p->first_child; c && depth < DEPTH_MAX;
		c = c->next_sibling)
		sum += is_alive(c) ? tree_used_ns(c, depth + 1) : 0;
	return sum;
}

/* Returns whether it runs the text of its parent, as a subshell does. */
static bool is_copy(const struct process_entry *p, const struct process_entry *parent)
{
	struct span own = record_text(&p->process->record, &p->process->arguments);

	return own.size && !span_compare(own, record_text(&parent->process->record,
						      &parent->process->arguments));
}

/* Returns the child whose tree uses most CPU; of equal children one that runs a program of its own,
 * then the youngest. A subshell may only watch over the program: Droid's sleeps and looks for its
 * owner, with hardly any CPU. */
static const struct process_entry *next_below(const struct process_entry *p)
{
	const struct process_entry *best = NULL;
	uint64_t most = 0;
	bool is_best_copy = false;

	for (const struct process_entry *c = p->first_child; c; c = c->next_sibling) {
		uint64_t used = is_alive(c) ? tree_used_ns(c, 0) : 0;
		bool is_of_parent = is_copy(c, p);

		if (!is_alive(c))
			continue;
		if (is_of_parent && used < SILENT_CPU_NS)
			used = 0;
		if (!best || used > most || (used == most && is_best_copy && !is_of_parent) ||
			(used == most && is_best_copy == is_of_parent &&
				c->id.start_ticks >= best->id.start_ticks)) {
			best = c;
			most = used;
			is_best_copy = is_of_parent;
		}
	}
	return best;
}

static void find_cpu(struct activity_tool *tool)
{
	const struct process_entry *p = tool->first;
	uint64_t used = tree_used_ns(p, 0);

	tool->has_cpu = p->last_ns > p->first_ns;
	tool->is_silent_cpu = tool->has_cpu && used < SILENT_CPU_NS;
	if (tool->has_cpu)
		tool->cpu_percent = 100.0 * (double)used / (double)(p->last_ns - p->first_ns);
}

/* --- its output --- */

/* time since the last write of a process */
struct unwritten {
	uint8_t state;
	bool is_least;
	uint64_t ns;
};

static struct unwritten unwritten_of(const struct host_state *host, const struct process_entry *p)
{
	const struct proc_ties *t = p->links;

	if (!t || t->written_state != SOOTH_STATE_VALUE || !p->unwritten_ns)
		return (struct unwritten){ .state = t ? t->written_state
						      : SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED) };
	if (!t->written_bytes)
		return (struct unwritten){ .ns = activity_age_ns(host, p) };
	/* Counters are not read at each sample, so the true time may be longer. */
	return (struct unwritten){ .is_least = true, .ns = t->record.time_ns - p->unwritten_ns };
}

/* Computes the shortest time of the tree. Writes before the samples are unseen. */
static void add_unwritten(struct unwritten *sum, const struct host_state *host,
	const struct process_entry *p, unsigned depth)
{
	struct unwritten one = unwritten_of(host, p);

	sum->state = sum->state ? sum->state : one.state;
	if (one.is_least && one.ns < sum->ns) {
		sum->ns = one.ns;
		sum->is_least = true;
	}
	for (const struct process_entry *c = p->first_child; c && depth < DEPTH_MAX;
		c = c->next_sibling) {
		if (is_alive(c))
			add_unwritten(sum, host, c, depth + 1);
	}
}

/* Finds the last output: for a file its time of change, for a pipe the counters of the writers. */
static void find_output(struct activity_tool *tool, const struct host_state *host)
{
	const struct proc_ties *t = tool->first->links;
	uint64_t now = host_state_utc(host);
	struct unwritten sum = { .ns = tool->age_ns };

	add_unwritten(&sum, host, tool->first, 0);
	tool->output_state = sum.state;
	tool->output_ns = sum.ns;
	tool->is_output_least = sum.is_least;
	if (sum.state || !sum.is_least)
		return;
	if (t->output_state == SOOTH_STATE_VALUE && now) {
		/* The file is not read at each sample, and was silent only until then, unless
		 * nothing had been written so far. */
		uint64_t unread = host->last_ns - t->record.time_ns;

		now -= unread;
		tool->is_output_least = false;
		tool->output_ns = now > t->output_utc_ns ? now - t->output_utc_ns : 0;
		if (tool->output_ns + unread + NS_PER_S > tool->age_ns)
			tool->output_ns = tool->age_ns;
	} else if (!sum.ns) {
		tool->output_state = SOOTH_NOT_MEASURED(SOOTH_REASON_INTERVAL);
	}
}

/* Writes the arguments, separated by blanks. */
static void write_command(struct activity_tool *tool)
{
	const struct proc_process *p = tool->matters->process;
	struct span text = record_text(&p->record, &p->arguments);
	size_t size;

	if (p->arguments_state > SOOTH_STATE_ABSENT || !text.size)
		text = record_text(&p->record, &p->name);
	size = text.size < sizeof(tool->command) - 1 ? text.size : sizeof(tool->command) - 1;
	memcpy(tool->command, text.data, size);
	while (size && !tool->command[size - 1])
		size--;
	for (size_t i = 0; i < size; i++) {
		if (!tool->command[i] || tool->command[i] == '\n')
			tool->command[i] = ' ';
	}
	tool->command[size] = '\0';
}

static bool is_tool_call(const struct process_entry *p, const struct process_entry *main)
{
	return p != main && p->main == main && p->has_role && p->role == AGENT_ROLE_TOOL &&
	       (!p->player || p->player == p) && is_alive(p);
}

bool activity_tool_find(struct activity_tool *tool, const struct host_state *host,
	const struct process_entry *main, uint64_t younger_ns)
{
	const struct process_entry *below;

	*tool = (struct activity_tool){ 0 };
	process_table_for_each (&host->process_table, p) {
		if (is_tool_call(p, main) && activity_age_ns(host, p) < younger_ns &&
			(!tool->first || p->id.start_ticks < tool->first->id.start_ticks))
			tool->first = p;
	}
	if (!tool->first)
		return false;
	tool->matters = tool->first;
	for (int depth = 0; depth < DEPTH_MAX && (below = next_below(tool->matters)); depth++)
		tool->matters = below;
	tool->age_ns = activity_age_ns(host, tool->first);
	tool->is_stopped = activity_is_stopped(tool->matters);
	find_cpu(tool);
	find_output(tool, host);
	write_command(tool);
	return true;
}
