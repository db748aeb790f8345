/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions of Ruby by name. */
#include <string.h>

#include "base/cleanup.h"
#include "os/linux/runtimes/runtime.h"
#include "os/linux/runtimes/script_stack.h"

/* vm_core.h, iseq.h of Ruby 3.1. */
#define RUBY_THREAD	40 /* of the machine: the main one */
#define RUBY_CONTEXT	40
#define RUBY_FRAME	16 /* of a context, behind stack and size in words */
#define RUBY_ISEQ	16 /* of a frame */
#define RUBY_NEXT	64
#define RUBY_BODY	16
#define RUBY_PATH	64 /* of a body */
#define RUBY_LABEL	80
#define RUBY_LINE	88
#define RUBY_STACK_MAX	(1u << 24)
#define RUBY_TYPE	0x1f
#define RUBY_STRING	5
#define RUBY_ARRAY	7
#define RUBY_IMEMO	0x1a
#define RUBY_DATA	0x0c
#define RUBY_NAME_BYTES 12
#define RUBY_SELF	24	   /* of a frame */
#define RUBY_DATA_TYPE	16	   /* of an object with data of C */
#define RUBY_IS_TYPED	24	   /* 1 */
#define RUBY_OUTSIDE	(1u << 13) /* of a text: it is elsewhere; of an array: it is within */

static bool do_text(struct script_reading *r, uint64_t string, char out[SCRIPT_NAME_BYTES])
{
	uint64_t flags = do_script_pointer(r, string);

	r->is_wrong |= (flags & RUBY_TYPE) != RUBY_STRING;
	if (flags & RUBY_OUTSIDE)
		return do_script_text(r, do_script_pointer(r, string + 24),
			do_script_pointer(r, string + 16), out);
	return do_script_text(r, string + 16, flags >> 14 & 0x1f, out);
}

static void do_function(struct script_reading *r, uint64_t body)
{
	char label[SCRIPT_NAME_BYTES], path[SCRIPT_NAME_BYTES];
	uint64_t paths = do_script_pointer(r, body + RUBY_PATH),
		 line = do_script_pointer(r, body + RUBY_LINE);
	uint64_t flags = do_script_pointer(r, paths);

	if ((flags & RUBY_TYPE) == RUBY_ARRAY && flags & RUBY_OUTSIDE)
		paths = do_script_pointer(r, paths + 16);
	if (do_text(r, do_script_pointer(r, body + RUBY_LABEL), label) && do_text(r, paths, path) &&
		line & 1)
		script_add(r, label, path, line >> 1);
}

/* Methods in C that wait, by the name that Ruby gives the data of their object (thread_sync.c). */
static const struct {
	const char *data, *method;
} waits[] = {
	{ "queue", "Thread::Queue#pop" },
	{ "sized_queue", "Thread::SizedQueue" },
	{ "condvar", "Thread::ConditionVariable#wait" },
	{ "mutex", "Thread::Mutex" },
	{ "monitor", "Monitor" },
	{ "thread", "Thread#join" },
	{ "VM/thread", "Thread#join" },
};

/* The method that a frame without code of Ruby waits in, if it is one of these; else NULL. */
static const char *do_wait(const struct script_reading *r, uint64_t frame)
{
	struct script_reading own = { .code = r->code };
	uint64_t self = do_script_pointer(&own, frame + RUBY_SELF), type;
	char name[SCRIPT_NAME_BYTES] = "";

	if (own.is_wrong || self & 7 || (do_script_pointer(&own, self) & RUBY_TYPE) != RUBY_DATA ||
		do_script_pointer(&own, self + RUBY_IS_TYPED) != 1)
		return NULL;
	type = do_script_pointer(&own, self + RUBY_DATA_TYPE);
	if (!do_script_get(&own, do_script_pointer(&own, type), name, RUBY_NAME_BYTES))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(waits); i++) {
		if (!strcmp(name, waits[i].data))
			return waits[i].method;
	}
	return NULL;
}

static void do_read(struct script_reading *r, uint64_t at)
{
	const char *wait = NULL;
	uint64_t machine = do_script_pointer(r, at);
	uint64_t context =
		do_script_pointer(r, do_script_pointer(r, machine + RUBY_THREAD) + RUBY_CONTEXT);
	uint64_t stack = do_script_pointer(r, context), words = do_script_pointer(r, context + 8);
	uint64_t frame = do_script_pointer(r, context + RUBY_FRAME), end = stack + 8 * words;

	if (r->is_wrong || words > RUBY_STACK_MAX || frame < stack || frame >= end)
		return;
	for (unsigned i = 0; frame + RUBY_NEXT <= end && i < SCRIPT_STEPS_MAX && !r->is_wrong;
		i++) {
		uint64_t iseq = 0;

		if (do_script_get(r, frame + RUBY_ISEQ, &iseq, sizeof(iseq)) && iseq > 4096 &&
			!(iseq & 7) && (do_script_pointer(r, iseq) & RUBY_TYPE) == RUBY_IMEMO) {
			if (wait)
				script_add(r, wait, "<internal:thread_sync>", 0);
			wait = NULL;
			do_function(r, do_script_pointer(r, iseq + RUBY_BODY));
		} else if (!iseq && script_is_empty(r) && do_wait(r, frame)) {
			wait = do_wait(r, frame);
		}
		frame += RUBY_NEXT;
	}
}

static void init(void *state)
{
	static const struct script_engine engine = { "libruby-3.1", "ruby_current_vm_ptr",
		"rb_vm_exec", do_read };

	script_stack_init(state, &engine);
}

const struct runtime runtime_ruby = {
	.title = "Ruby",
	.state_size = sizeof(struct script_stack),
	.init = init,
	.fini = script_stack_fini,
	.see = script_stack_see,
	.begin = script_stack_begin,
	.functions = script_stack_functions,
};
