/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/evidence/circle_claims.h"

#include <assert.h>

#include "analyze/waits/wait_prompts.h"
#include "analyze/waits/wait_sentences.h"
#include "analyze/waits/wait_text.h"
#include "base/buffer.h"
#include "explain/finding.h"

bool circle_is_sure(const struct wait_chain *chain)
{
	return wait_chain_confidence(chain) > WAITS_LOW;
}

/* Returns the index of the only link that writes to a pipe, if its reader waits for the end of that
 * process or of a child between them; else the number of links. */
size_t circle_writer(const struct wait_chain *chain)
{
	assert(chain);

	size_t writer = chain->count, writers = 0;

	for (size_t i = 0; i < chain->count; i++) {
		if (chain->links[i].what == WAIT_PIPE_WRITE) {
			writer = i;
			writers++;
		} else if (chain->links[i].what != WAIT_CHILD) {
			return chain->count;
		}
	}
	return circle_is_sure(chain) && chain->count > 1 && !chain->circle && writers == 1
		       ? writer
		       : chain->count;
}

bool circle_is_full_pipe(const struct wait_chain *chain)
{
	assert(chain);
	return circle_writer(chain) < chain->count;
}

/* Appends "python3 (7)". */
static void put_link(struct buffer *out, const struct wait_chain *chain, size_t at)
{
	wait_put_process(out, chain->links[at % chain->count].process);
}

void circle_claim_full_pipe(struct check_result *out, const struct wait_chain *chain)
{
	assert(chain);

	size_t writer = circle_writer(chain);
	bool is_reader = writer + 1 == chain->count;
	struct buffer writing = { 0 }, reader = { 0 }, child = { 0 };

	put_link(&writing, chain, writer);
	put_link(&reader, chain, writer + 1);
	put_link(&child, chain, 1);
	if (!writer)
		finding_claim(out,
			"deadlock: it has filled a pipe that %s%s does not read, since that waits "
			"for the end of this process",
			chain->count == 2 ? "its parent " : "", buffer_cstr(&reader));
	else if (writer == 1)
		finding_claim(out,
			"deadlock: it waits for the end of its child %s, which has filled a pipe "
			"that %s does not read",
			buffer_cstr(&child), is_reader ? "this process" : buffer_cstr(&reader));
	else
		finding_claim(out,
			"deadlock: it waits for the end of its child %s, and below that %s has "
			"filled a pipe that %s does not read",
			buffer_cstr(&child), buffer_cstr(&writing),
			is_reader ? "this process" : buffer_cstr(&reader));
	buffer_fini(&writing);
	buffer_fini(&reader);
	buffer_fini(&child);
}

/* Returns whether one process is blocked writing to the other, which waits for it. */
bool circle_is_unread(const struct wait_chain *chain)
{
	assert(chain);

	const struct wait_link *a = &chain->links[0], *b = &chain->links[1];

	return circle_is_sure(chain) && chain->count == 2 && !chain->circle &&
	       wait_is_writing(a) != wait_is_writing(b);
}

void circle_claim_unread(struct check_result *out, const struct wait_chain *chain)
{
	assert(chain);

	size_t writer = !wait_is_writing(&chain->links[0]);
	const char *to = wait_error_output(&chain->links[writer]);
	struct buffer other = { 0 };

	put_link(&other, chain, 1);
	if (writer)
		finding_claim(out,
			"deadlock: it waits for %s, which is blocked writing%s to this process: "
			"that does not read it",
			buffer_cstr(&other), *to ? " its standard error" : "");
	else
		finding_claim(out,
			"deadlock: it is blocked writing%s to %s, which does not read it and "
			"waits for this process",
			*to ? " its standard error" : "", buffer_cstr(&other));
	buffer_fini(&other);
}

/* Makes the claim "deadlock: it waits for server (9), which ...". */
static void claim_unflushed(struct check_result *out, const struct wait_chain *chain)
{
	size_t keeper = (size_t)(chain->keeper - chain->links);
	struct buffer other = { 0 }, bytes = { 0 };

	put_link(&other, chain, 1);
	wait_put_unflushed(&bytes, chain->keeper);
	finding_claim(out,
		"deadlock: %s %s, %s has written %s, has not flushed them, and waits for input",
		keeper ? "it waits for an answer of" : "an answer is waited for by",
		buffer_cstr(&other), keeper ? "which" : "and this process", buffer_cstr(&bytes));
	buffer_fini(&other);
	buffer_fini(&bytes);
}

/* Makes the claim "deadlock: this process and server (9) each wait for the other to write; ...". */
void circle_claim_readers(struct check_result *out, const struct wait_chain *chain)
{
	assert(chain);
	if (chain->keeper) {
		claim_unflushed(out, chain);
		return;
	}
	finding_claim(out, "deadlock: this process");
	for (size_t i = 1; i < chain->count; i++) {
		struct buffer name = { 0 };

		wait_put_process(&name, chain->links[i].process);
		finding_claim(
			out, "%s%s", i + 1 == chain->count ? " and " : ", ", buffer_cstr(&name));
		buffer_fini(&name);
	}
	finding_claim(out,
		" each wait for the other to write: the last message is still in a buffer of its "
		"writer, or its reader does not recognize its end");
}

void circle_claim_one_pipe(struct check_result *out, const struct wait_chain *chain)
{
	assert(chain);

	const struct wait_link *first = &chain->links[0];
	struct buffer other = { 0 };

	put_link(&other, chain, 1);
	finding_claim(out,
		"deadlock: it waits to read a pipe to which only processes that wait like it could "
		"write, %s and %u other%s: perhaps the last token of a job server was lost",
		buffer_cstr(&other), first->others, first->others == 1 ? "" : "s");
	buffer_fini(&other);
}

bool circle_is_prompt(const struct wait_chain *chain)
{
	assert(chain);

	const struct wait_link *a = &chain->links[0], *b = &chain->links[1];

	return circle_is_sure(chain) && chain->count == 2 && !chain->circle &&
	       (a->what == WAIT_TERMINAL_READ) != (b->what == WAIT_TERMINAL_READ);
}

/* Makes the claim "deadlock: it waits for output of ssh (9) on ..., and ssh waits there for input:
 * ...". */
void circle_claim_prompt(struct check_result *out, const struct wait_chain *chain)
{
	assert(chain);

	bool is_user = chain->links[0].what == WAIT_TERMINAL_READ;
	const struct wait_link *user = &chain->links[!is_user], *runner = &chain->links[is_user];
	const char *asks = wait_prompt_of(user);
	struct buffer other = { 0 }, terminal = { 0 };

	wait_put_process(&other, chain->links[1].process);
	/* The process itself may know its terminal only as /dev/tty. */
	if (runner->party && record_has_text(&runner->party->record, &runner->party->detail)) {
		struct span path = record_text(&runner->party->record, &runner->party->detail);

		buffer_append(&terminal, path.data, path.size);
	} else {
		wait_object_text(&terminal, user);
	}
	if (is_user)
		finding_claim(out,
			"deadlock: it waits for input from its terminal %s, and %s, which runs "
			"that terminal, waits for its output",
			buffer_cstr(&terminal), buffer_cstr(&other));
	else
		finding_claim(out,
			"deadlock: it waits for output of %s on the pseudo terminal %s, and that "
			"waits there for input",
			buffer_cstr(&other), buffer_cstr(&terminal));
	if (asks)
		finding_claim(out, ": %s for %s", is_user ? "it asks" : "that asks", asks);
	else
		finding_claim(out, ": an answer to a prompt is missing");
	buffer_fini(&other);
	buffer_fini(&terminal);
}

/* Makes the claim that a server with one thread waits for its own answer. */
void circle_claim_self(struct check_result *out, const struct wait_link *link)
{
	struct buffer address = { 0 };

	wait_object_text(&address, link);
	finding_claim(out,
		"deadlock: it waits for an answer from itself, on %s: it cannot accept that "
		"connection while it waits",
		buffer_cstr(&address));
	buffer_fini(&address);
}
