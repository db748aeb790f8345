/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/evidence/circle_claims.h"

#include <assert.h>

#include "analyze/waits/wait_circle.h"
#include "analyze/waits/wait_prompts.h"
#include "analyze/waits/wait_runtime.h"
#include "analyze/waits/wait_text.h"

enum circle {
	CIRCLE_ABANDONED,
	CIRCLE_OWN_MUTEX,
	CIRCLE_JAVA,
	CIRCLE_MUTEXES,
	CIRCLE_OWN_SERVER,
	CIRCLE_ITSELF,
	CIRCLE_FILLS,	    /* has filled a pipe whose reader waits for its end */
	CIRCLE_CHILD_FILLS, /* the child whose end it waits for has */
	CIRCLE_BELOW_FILLS, /* a process below that child has */
	CIRCLE_WRITES,	    /* blocked writing to a process that waits for it */
	CIRCLE_OTHER_WRITES,
	CIRCLE_ASKS, /* waits for input at a terminal whose program waits for output */
	CIRCLE_OTHER_ASKS,
	CIRCLE_ONE_PIPE,
	CIRCLE_KEEPS, /* has not flushed the answer */
	CIRCLE_OTHER_KEEPS,
	CIRCLE_READERS,
	CIRCLE_SURE,
	CIRCLE_UNSURE,
};

#define TAKEN "where in the program each lock was taken"
#define ENDS  "whether a signal or a timer will end one of the waits"
#define STACK "sooth stack {pid} shows where each thread waits; only ending the process helps"
#define PIPE_REMEDY                                                                                \
	"read what a child writes before waiting for its end (in Python "                          \
	"subprocess.run(capture_output=True) or communicate(), not wait()), or let it write to a " \
	"file; sooth kill --any {writer pid} ends the wait"
#define PROMPT_REMEDY                                                                              \
	"run the command so that it does not ask (-y, --batch, sudo -n, a key or a file for the "  \
	"password), or let its caller answer this prompt; sooth kill --any {user pid} ends the "   \
	"command"
#define FLUSH_REMEDY                                                                               \
	"flush after each message (fflush(stdout), print(..., flush=True), PYTHONUNBUFFERED=1, "   \
	"stdbuf -oL) and end it as the reader expects, mostly by a newline; sooth kill --any "     \
	"{last pid} ends the wait"
#define WAY_OUT "{way out}: sooth kill --any {pid}"

static const struct claim_row rows[] = {
	[CIRCLE_ABANDONED] = { "deadlock: {waiting} for a mutex of a thread that has ended",
		TAKEN ": only the call stacks show that", STACK },
	[CIRCLE_OWN_MUTEX] = { "deadlock: {waiting} for a mutex that it holds itself",
		TAKEN ": only the call stacks show that", STACK },
	[CIRCLE_JAVA] = { "deadlock: {count} Java threads wait for locks of each other", TAKEN,
		"jstack {pid} shows the deadlock and where each lock was taken; only ending the "
		"process helps" },
	[CIRCLE_MUTEXES] = { "deadlock: {count} threads wait for mutexes of each other",
		TAKEN ": only the call stacks show that", STACK },
	[CIRCLE_OWN_SERVER] = { "deadlock: it waits for an answer from itself, on {object}: it "
				"cannot accept that connection while it waits",
		NULL,
		"serve requests in several processes or threads (PHP: PHP_CLI_SERVER_WORKERS), or "
		"do not ask the own server within a request" },
	[CIRCLE_ITSELF] = { "deadlock: it {does}", ENDS, WAY_OUT },
	[CIRCLE_FILLS] = { "deadlock: it has filled a pipe that {reader} does not read, since that "
			   "waits for the end of this process",
		ENDS, PIPE_REMEDY },
	[CIRCLE_CHILD_FILLS] = { "deadlock: it waits for the end of its child {other}, which has "
				 "filled a pipe that {reader} does not read",
		ENDS, PIPE_REMEDY },
	[CIRCLE_BELOW_FILLS] = { "deadlock: it waits for the end of its child {other}, and below "
				 "that {writer} has filled a pipe that {reader} does not read",
		ENDS, PIPE_REMEDY },
	[CIRCLE_WRITES] = { "deadlock: it is blocked writing{what} to {other}, which does not read "
			    "it and waits for this process",
		ENDS, WAY_OUT },
	[CIRCLE_OTHER_WRITES] = { "deadlock: it waits for {other}, which is blocked writing{what} "
				  "to this process: that does not read it",
		ENDS, WAY_OUT },
	[CIRCLE_ASKS] = { "deadlock: it waits for input from its terminal {terminal}, and {other}, "
			  "which runs that terminal, waits for its output: {prompt}",
		"the text of the prompt", PROMPT_REMEDY },
	[CIRCLE_OTHER_ASKS] = { "deadlock: it waits for output of {other} on the pseudo terminal "
				"{terminal}, and that waits there for input: {prompt}",
		"the text of the prompt", PROMPT_REMEDY },
	[CIRCLE_ONE_PIPE] = { "deadlock: it waits to read a pipe to which only processes that wait "
			      "like it could write, {other} and {more}: perhaps the last token of "
			      "a job server was lost",
		"which process took the last token and did not give it back",
		"end these processes and start the build again: sooth kill --any {pid} and the "
		"others; a job has to give its token back however it ends" },
	[CIRCLE_KEEPS] = { "deadlock: an answer is waited for by {other}, and this process has "
			   "written {bytes}, has not flushed them, and waits for input",
		"which of them wrote last", FLUSH_REMEDY },
	[CIRCLE_OTHER_KEEPS] = { "deadlock: it waits for an answer of {other}, which has written "
				 "{bytes}, has not flushed them, and waits for input",
		"which of them wrote last", FLUSH_REMEDY },
	[CIRCLE_READERS] = { "deadlock: this process{others} each wait for the other to write; the "
			     "last message stands in a buffer of its writer, or has no end for "
			     "its reader",
		"which of them wrote last", FLUSH_REMEDY },
	[CIRCLE_SURE] = { "deadlock: {count} processes wait for each other", ENDS, WAY_OUT },
	[CIRCLE_UNSURE] = { "perhaps a deadlock: {count} processes wait for each other", ENDS,
		WAY_OUT },
};

/* --- which circle --- */

const struct wait_link *circle_abandoned(
	const struct check *e, const struct wait_graph *g, const struct wait_chain *chain)
{
	assert(e);
	assert(chain);
	for (size_t i = 0; i < chain->count; i++) {
		if (chain->links[i].process->node_pid != e->id.pid)
			return NULL;
		if (wait_is_abandoned(g, &chain->links[i]))
			return &chain->links[i];
	}
	return NULL;
}

/* Returns the index of the only link that writes to a pipe, if its reader waits for the end of that
 * process or of a child between them; else the number of links. */
static size_t writer_of(const struct wait_chain *chain)
{
	size_t writer = chain->count, writers = 0;

	for (size_t i = 0; i < chain->count; i++) {
		if (chain->links[i].what == WAIT_PIPE_WRITE) {
			writer = i;
			writers++;
		} else if (chain->links[i].what != WAIT_CHILD) {
			return chain->count;
		}
	}
	return !chain->circle && writers == 1 ? writer : chain->count;
}

static enum circle inner_circle(const struct wait_chain *chain)
{
	const struct wait_link *first = &chain->links[0];

	if (chain->circle == chain->count)
		return CIRCLE_ABANDONED;
	if (first->party && first->party->relation == WAITS_RELATION_THREAD)
		return chain->count == 1		     ? CIRCLE_OWN_MUTEX
		       : wait_is_runtime_lock(first->thread) ? CIRCLE_JAVA
							     : CIRCLE_MUTEXES;
	if (chain->count > 1)
		return CIRCLE_SURE;
	return first->party && first->party->relation == WAITS_RELATION_LISTENER ? CIRCLE_OWN_SERVER
										 : CIRCLE_ITSELF;
}

static enum circle circle_of(const struct wait_chain *chain)
{
	const struct wait_link *a = &chain->links[0], *b = &chain->links[1];
	bool is_sure = wait_chain_confidence(chain) > WAITS_LOW, is_pair;
	enum circle inner = inner_circle(chain);
	size_t writer = writer_of(chain);

	if (inner != CIRCLE_SURE)
		return inner;
	is_pair = is_sure && chain->count == 2 && !chain->circle;
	if (is_sure && writer < chain->count)
		return writer == 0   ? CIRCLE_FILLS
		       : writer == 1 ? CIRCLE_CHILD_FILLS
				     : CIRCLE_BELOW_FILLS;
	if (is_pair && wait_is_writing(a) != wait_is_writing(b))
		return wait_is_writing(a) ? CIRCLE_WRITES : CIRCLE_OTHER_WRITES;
	if (is_pair && (a->what == WAIT_TERMINAL_READ) != (b->what == WAIT_TERMINAL_READ))
		return a->what == WAIT_TERMINAL_READ ? CIRCLE_ASKS : CIRCLE_OTHER_ASKS;
	if (wait_circle_pipe(chain))
		return CIRCLE_ONE_PIPE;
	if (is_sure && chain->is_of_readers)
		return !chain->keeper			   ? CIRCLE_READERS
		       : chain->keeper == &chain->links[0] ? CIRCLE_KEEPS
							   : CIRCLE_OTHER_KEEPS;
	return is_sure ? CIRCLE_SURE : CIRCLE_UNSURE;
}

/* --- values --- */

/* Sets "thread 12 waits", or "3 threads wait" for a mutex of the same thread that has ended. */
static void set_waiting(
	struct check_result *out, const struct wait_graph *g, const struct wait_link *of)
{
	unsigned count = 0;

	wait_threads_each (g, of->process->node_pid, t) {
		struct wait_link link = wait_link_of(g, of->process, t);

		count += link.what == WAIT_MUTEX && link.party &&
			 link.party->party_tid == of->party->party_tid;
	}
	if (count > 1)
		finding_value_text(out, "waiting", "%u threads wait", count);
	else
		finding_value_text(out, "waiting", "thread %u waits", of->thread->record.tid);
}

/* Sets what the one that asks waits for, and where. It may know its own terminal only as
 * /dev/tty. */
static void set_prompt(struct check_result *out, const struct wait_chain *chain, bool is_user)
{
	const struct wait_link *user = &chain->links[!is_user], *runner = &chain->links[is_user];
	const char *asks = wait_prompt_of(user);

	finding_value_text(out, "user pid", "%u", user->process->node_pid);
	if (asks)
		finding_value_text(out, "prompt", "%s asks for %s", is_user ? "it" : "that", asks);
	else
		finding_value_text(out, "prompt", "an answer to a prompt is missing");
	if (runner->party && record_has_text(&runner->party->record, &runner->party->detail))
		finding_value_span(out, "terminal",
			record_text(&runner->party->record, &runner->party->detail));
	else
		wait_object_text(finding_value(out, "terminal"), user);
}

static void set_pipe(struct check_result *out, const struct wait_chain *chain)
{
	size_t writer = writer_of(chain);
	const struct wait_link *of = &chain->links[writer];
	struct buffer *reader = finding_value(out, "reader");

	buffer_string(reader, !writer && chain->count == 2 ? "its parent " : "");
	if (writer + 1 == chain->count)
		buffer_string(reader, "this process");
	else
		wait_put_process(reader, of[1].process);
	wait_put_process(finding_value(out, "writer"), of->process);
	finding_value_text(out, "writer pid", "%u", of->process->node_pid);
}

static void set_others(struct check_result *out, const struct wait_chain *chain)
{
	struct buffer *others = finding_value(out, "others");

	for (size_t i = 1; i < chain->count; i++) {
		buffer_string(others, i + 1 == chain->count ? " and " : ", ");
		wait_put_process(others, chain->links[i].process);
	}
	if (chain->keeper)
		wait_put_unflushed(finding_value(out, "bytes"), chain->keeper);
	finding_value_text(out, "last pid", "%u", chain->links[chain->count - 1].process->node_pid);
}

void circle_claim(const struct check *e, struct check_result *out, const struct wait_graph *g,
	const struct wait_chain *chain)
{
	assert(chain);

	const struct wait_link *first = &chain->links[0];
	enum circle circle = circle_of(chain);

	finding_value_text(out, "count", "%zu", chain->count);
	finding_value_text(out, "way out", "%s", wait_chain_way_out(chain));
	finding_value_text(out, "more", "%u other%s", first->others, first->others == 1 ? "" : "s");
	wait_object_text(finding_value(out, "object"), first);
	wait_put_process(finding_value(out, "other"), chain->links[chain->count > 1].process);
	if (circle == CIRCLE_ABANDONED)
		set_waiting(out, g, circle_abandoned(e, g, chain));
	else if (circle == CIRCLE_OWN_MUTEX)
		finding_value_text(out, "waiting", "thread %u waits", first->thread->record.tid);
	else if (circle == CIRCLE_ITSELF &&
		 (first->what == WAIT_FILE_SYSTEM || first->what == WAIT_LOCK))
		/* The server of a mount may use it, the heir of a lock may open its file again. */
		wait_sentence(finding_value(out, "does"), g, first);
	else if (circle == CIRCLE_ITSELF)
		finding_value_text(out, "does", "waits for itself");
	else if (circle >= CIRCLE_FILLS && circle <= CIRCLE_BELOW_FILLS)
		set_pipe(out, chain);
	else if (circle == CIRCLE_WRITES || circle == CIRCLE_OTHER_WRITES)
		finding_value_text(out, "what", "%s",
			*wait_error_output(&chain->links[circle == CIRCLE_OTHER_WRITES])
				? " its standard error"
				: "");
	else if (circle == CIRCLE_ASKS || circle == CIRCLE_OTHER_ASKS)
		set_prompt(out, chain, circle == CIRCLE_ASKS);
	else
		set_others(out, chain);
	finding_claim_row(out, &rows[circle]);
}
