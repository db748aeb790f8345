/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/waits/wait_terminal_text.h"

#include <poll.h>

#include "analyze/waits/wait_lookup.h"
#include "analyze/waits/wait_pace.h"
#include "analyze/waits/wait_party_text.h"
#include "analyze/waits/wait_prompts.h"
#include "probes/fds.h"

/* Returns whether the program that runs the terminal sleeps until there is something to read from
 * it: then nothing arrives, so the output is held. Edge-triggered, older data may be left unread.
 */
static bool is_output_held(const struct wait_graph *g, const struct wait_link *link)
{
	const struct waits_thread *t = NULL;

	while ((t = wait_graph_thread(g, link->party->party_pid, t))) {
		const struct waits_object *o = NULL;

		while (t->state == 'S' && (o = wait_graph_object(g, t, o))) {
			if (o->role == WAITS_ROLE_WATCHED && o->fd == link->party->fd &&
				o->events & POLLIN && !(o->events & FDS_MEMBER_EDGE))
				return true;
		}
	}
	return false;
}

void wait_terminal_text(
	struct buffer *out, const struct wait_graph *g, const struct wait_link *link)
{
	const struct waits_process *p = link->process;
	bool is_background =
		p->terminal && p->terminal_group && p->process_group != p->terminal_group;
	const char *asks = wait_prompt_of(link);

	if (link->what == WAIT_TERMINAL_WRITE) {
		buffer_string(out, "is blocked writing to its terminal");
		wait_put_object(out, link, " ");
		if (link->party && is_output_held(g, link)) {
			buffer_string(out, ": its output is held (Ctrl-S; Ctrl-Q resumes it)");
		} else if (link->party) {
			buffer_string(out, ": ");
			wait_put_party(out, link);
			buffer_string(out, " does not read it");
			buffer_string(out, link->repeats ? "" : ", or its output is held (Ctrl-S)");
		} else {
			buffer_string(out, ": its output is held (Ctrl-S), or not read");
		}
		return;
	}
	buffer_string(out, wait_is_pager(p) ? "is a pager and waits for a key from its terminal"
					    : "waits for input from its terminal");
	wait_put_object(out, link, " ");
	if (is_background)
		buffer_string(out, " (in the background)");
	if (asks)
		buffer_format(out, ": it asks for %s", asks);
}

void pty_master_text(struct buffer *out, const struct wait_graph *g, const struct wait_link *link)
{
	bool writes = link->what == WAIT_PIPE_WRITE, paced = writes && wait_is_paced(g, link);
	struct span terminal = link->party ? record_text(&link->party->record, &link->party->detail)
					   : span_of("", 0);

	buffer_string(out, paced    ? "writes as fast as "
			   : writes ? "is blocked writing to "
				    : "waits for output of ");
	if (link->party)
		wait_put_party(out, link);
	else
		buffer_string(out, "a program");
	buffer_string(out, " on the pseudo terminal ");
	if (terminal.size)
		buffer_format(out, "%.*s ", (int)terminal.size, terminal.data);
	buffer_string(out, "that it runs");
	if (writes)
		buffer_string(out, paced ? " reads" : ": it is not read");
}
