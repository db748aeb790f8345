/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/evidence/kept_output.h"

#include "analyze/diagnosis/check_verdict.h"
#include "analyze/diagnosis/check_waits.h"
#include "analyze/waits/wait_lookup.h"

#define PARTIES_MOST  16 /* most processes that the probe has per descriptor */
#define STANDARD_MOST 2	 /* descriptors 0 to 2 are passed to a process on purpose */

NUMBER(PIPELINE_TICKS, 20, NONE, "clock ticks in which processes of one pipeline start");

/* Returns the process that a command left behind: this one, or the one above it that lost its
 * parent. A writer to the standard input of the process may be an earlier part of its pipeline;
 * any other pipe was made by the process itself, for its command. */
static const struct process_entry *left_by_command(
	const struct check *e, const struct process_entry *p, const struct waits_object *pipe)
{
	double later = pipe->fd ? 0 : PIPELINE_TICKS;

	if (!p || !e->process || process_table_is_below(p, e->process))
		return NULL;
	while (p && p->process && p->process->ppid != 1 && !check_has_new_parent(p))
		p = p->parent;
	return p && p->process && !process_table_is_below(e->process, p) &&
			       (double)p->id.start_ticks >=
				       (double)e->process->id.start_ticks + later
		       ? p
		       : NULL;
}

static bool are_all_seen(const struct wait_graph *g, size_t parties)
{
	return g->end && !g->end->ends_state && parties < PARTIES_MOST;
}

static bool reads_output(const struct wait_link *link)
{
	return (link->what == WAIT_PIPE_READ || link->what == WAIT_SOCKET_READ) && !link->is_idle &&
	       link->party && wait_may_be_output(link->object);
}

bool kept_output_find_left(struct kept_output *k, const struct check *e, const struct wait_graph *g,
	const struct wait_link *link)
{
	const struct waits_party *p = NULL;
	uint32_t tid = link->thread ? link->thread->record.tid : 0;
	size_t parties = 0;

	k->left = NULL;
	k->is_unsure = false;
	while (reads_output(link) && (p = wait_graph_party(g, link->process->node_pid, tid, p))) {
		const struct process_entry *entry = check_party_of(e, p);
		const struct process_entry *left = left_by_command(e, entry, link->object);

		if (p->waiting_fd != link->party->waiting_fd || !p->is_alive ||
			p->party_pid == link->process->node_pid)
			continue;
		parties++;
		k->is_unsure |= !entry;
		if (entry && !left) {
			k->left = NULL;
			return false;
		}
		if (left && !k->left && wait_is_output_of(p))
			k->left = left;
	}
	k->is_unsure |= !are_all_seen(g, parties);
	return k->left;
}

/* Returns whether it inherited the pipe: not as a standard stream, and not from the reader. */
static bool has_inherited(
	const struct check *e, const struct wait_link *reader, const struct waits_party *p)
{
	const struct process_entry *reads = check_entry_of(e, reader->process),
				   *writes = check_party_of(e, p);

	return reads && writes && p->fd > STANDARD_MOST && !process_table_is_below(reads, writes) &&
	       !process_table_is_below(writes, reads);
}

bool kept_output_find_inherited(struct kept_output *k, const struct check *e,
	const struct wait_graph *g, const struct wait_link *link)
{
	uint32_t tid = link->thread ? link->thread->record.tid : 0;
	size_t parties = 0;

	*k = (struct kept_output){ 0 };
	if (link->what != WAIT_PIPE_READ || link->is_idle || !link->party || !link->object ||
		link->object->fd || link->object->type != FDS_PIPE)
		return false;
	wait_parties_each (g, link->process->node_pid, tid, p) {
		if (p->waiting_fd != link->party->waiting_fd || !p->is_alive ||
			p->relation != WAITS_RELATION_WRITER)
			continue;
		if (!has_inherited(e, link, p))
			return false;
		parties++;
	}
	k->is_unsure = !are_all_seen(g, parties);
	return parties;
}
