/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/evidence/thread_top.h"

#include <assert.h>
#include <string.h>

void thread_top_add(struct thread_top *top, const struct thread_history *t, thread_value value)
{
	size_t at;

	assert(top);
	at = top->count < THREAD_TOP ? top->count : THREAD_TOP;
	top->count++;
	for (; at && value(t) > value(top->all[at - 1]); at--) {
		if (at < THREAD_TOP)
			top->all[at] = top->all[at - 1];
	}
	if (at < THREAD_TOP)
		top->all[at] = t;
}

void thread_top_emit(const struct thread_top *top, struct check_result *out,
	void (*put)(struct buffer *text, const struct thread_history *t))
{
	assert(top);
	for (size_t i = 0; i < top->count && i < THREAD_TOP; i++) {
		struct buffer text = { 0 };

		put(&text, top->all[i]);
		finding_text(out, "thread", "%s (%u)%s", top->all[i]->name, top->all[i]->tid,
			buffer_cstr(&text));
		buffer_fini(&text);
	}
	if (top->count > THREAD_TOP)
		finding_text(out, "more threads", "%zu", top->count - THREAD_TOP);
}

enum thread_role thread_top_role(const struct thread_history *t)
{
	assert(t);
	return thread_role_of(
		span_of(t->name, strlen(t->name)), span_of("", 0), t->tid == t->process.pid);
}
