/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/profile/script_code.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "os/linux/profile/script_names.h"
#include "os/linux/waits/read_memory.h"

#define STEPS_MAX  64 /* frames that are looked at */
#define NAME_BYTES 128

/* Zend/zend_compile.h, zend_globals.h of PHP 8.2, without thread safety. */
#define PHP_CURRENT  488 /* of executor_globals */
#define PHP_FUNCTION 24	 /* of a zend_execute_data */
#define PHP_BEFORE   48
#define PHP_USER     2 /* ZEND_USER_FUNCTION */
#define PHP_NAME     8 /* of a zend_function */
#define PHP_CLASS    16
#define PHP_FILE     152
#define PHP_LINE     160
#define PHP_LENGTH   16 /* of a zend_string */
#define PHP_TEXT     24

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

struct reading {
	struct script_code *job;
	bool is_wrong; /* what is there is not what that version has */
};

static bool get(struct reading *r, uint64_t at, void *out, size_t size)
{
	if (r->is_wrong || at < 4096 || !do_read_memory((pid_t)r->job->pid, at, out, size))
		r->is_wrong = true;
	return !r->is_wrong;
}

static uint64_t pointer(struct reading *r, uint64_t at)
{
	uint64_t value = 0;

	return get(r, at, &value, sizeof(value)) ? value : 0;
}

/* A name of letters that can be read; longer ones are cut. */
static bool take_text(struct reading *r, uint64_t at, uint64_t length, char out[NAME_BYTES])
{
	size_t size = length < NAME_BYTES ? (size_t)length : NAME_BYTES - 1;

	if (!length || length > 4096 || !get(r, at, out, size)) {
		r->is_wrong = true;
		return false;
	}
	out[size] = '\0';
	for (size_t i = 0; i < size; i++)
		r->is_wrong |= (unsigned char)out[i] < ' ';
	return !r->is_wrong;
}

static void add(struct script_code *job, const char *function, const char *path, uint64_t line)
{
	const char *slash = strrchr(path, '/');
	int size = snprintf(job->text + job->size, sizeof(job->text) - job->size, "%s%c%s:%u",
		function, '\0', slash ? slash + 1 : path, (unsigned)line);

	if (size < 0 || job->size + (size_t)size + 1 > sizeof(job->text) ||
		job->count >= SCRIPT_FRAMES_MAX)
		return;
	job->size += (uint32_t)size + 1;
	job->count++;
}

/* --- PHP --- */

static bool php_text(struct reading *r, uint64_t string, char out[NAME_BYTES])
{
	return take_text(r, string + PHP_TEXT, pointer(r, string + PHP_LENGTH), out);
}

static void php_function(struct reading *r, uint64_t function)
{
	char name[NAME_BYTES] = "<main>", class[NAME_BYTES] = "", path[NAME_BYTES];
	char whole[2 * NAME_BYTES + 2];
	uint64_t text = pointer(r, function + PHP_NAME), scope = pointer(r, function + PHP_CLASS);
	uint32_t line = 0;

	if (text)
		php_text(r, text, name);
	if (text && scope)
		php_text(r, pointer(r, scope + PHP_NAME), class);
	php_text(r, pointer(r, function + PHP_FILE), path);
	get(r, function + PHP_LINE, &line, sizeof(line));
	snprintf(whole, sizeof(whole), "%s%s%s", class, *class ? "::" : "", name);
	if (!r->is_wrong && line)
		add(r->job, whole, path, line);
}

static void read_php(struct reading *r)
{
	uint64_t frame = pointer(r, r->job->address + PHP_CURRENT);

	for (unsigned i = 0; frame && i < STEPS_MAX && !r->is_wrong; i++) {
		uint64_t function = pointer(r, frame + PHP_FUNCTION);
		uint8_t type = 0;

		if (function && get(r, function, &type, sizeof(type)) && type == PHP_USER)
			php_function(r, function);
		frame = pointer(r, frame + PHP_BEFORE);
	}
}

/* --- Ruby --- */

static bool ruby_text(struct reading *r, uint64_t string, char out[NAME_BYTES])
{
	uint64_t flags = pointer(r, string);

	r->is_wrong |= (flags & RUBY_TYPE) != RUBY_STRING;
	if (flags & RUBY_OUTSIDE)
		return take_text(r, pointer(r, string + 24), pointer(r, string + 16), out);
	return take_text(r, string + 16, flags >> 14 & 0x1f, out);
}

static void ruby_function(struct reading *r, uint64_t body)
{
	char label[NAME_BYTES], path[NAME_BYTES];
	uint64_t paths = pointer(r, body + RUBY_PATH), line = pointer(r, body + RUBY_LINE);
	uint64_t flags = pointer(r, paths);

	if ((flags & RUBY_TYPE) == RUBY_ARRAY && flags & RUBY_OUTSIDE)
		paths = pointer(r, paths + 16);
	if (ruby_text(r, pointer(r, body + RUBY_LABEL), label) && ruby_text(r, paths, path) &&
		line & 1)
		add(r->job, label, path, line >> 1);
}

/* Methods in C that wait, by the name that Ruby gives the data of their object (thread_sync.c). */
static const struct {
	const char *data, *method;
} ruby_waits[] = {
	{ "queue", "Thread::Queue#pop" },
	{ "sized_queue", "Thread::SizedQueue" },
	{ "condvar", "Thread::ConditionVariable#wait" },
	{ "mutex", "Thread::Mutex" },
	{ "monitor", "Monitor" },
	{ "thread", "Thread#join" },
	{ "VM/thread", "Thread#join" },
};

/* The method that a frame without code of Ruby waits in, if it is one of these; else NULL. */
static const char *ruby_wait(const struct reading *r, uint64_t frame)
{
	struct reading own = { .job = r->job };
	uint64_t self = pointer(&own, frame + RUBY_SELF), type;
	char name[NAME_BYTES] = "";

	if (own.is_wrong || self & 7 || (pointer(&own, self) & RUBY_TYPE) != RUBY_DATA ||
		pointer(&own, self + RUBY_IS_TYPED) != 1)
		return NULL;
	type = pointer(&own, self + RUBY_DATA_TYPE);
	if (!get(&own, pointer(&own, type), name, RUBY_NAME_BYTES))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(ruby_waits); i++) {
		if (!strcmp(name, ruby_waits[i].data))
			return ruby_waits[i].method;
	}
	return NULL;
}

static void read_ruby(struct reading *r)
{
	const char *wait = NULL;
	uint64_t machine = pointer(r, r->job->address);
	uint64_t context = pointer(r, pointer(r, machine + RUBY_THREAD) + RUBY_CONTEXT);
	uint64_t stack = pointer(r, context), words = pointer(r, context + 8);
	uint64_t frame = pointer(r, context + RUBY_FRAME), end = stack + 8 * words;

	if (r->is_wrong || words > RUBY_STACK_MAX || frame < stack || frame >= end)
		return;
	for (unsigned i = 0; frame + RUBY_NEXT <= end && i < STEPS_MAX && !r->is_wrong; i++) {
		uint64_t iseq = 0;

		if (get(r, frame + RUBY_ISEQ, &iseq, sizeof(iseq)) && iseq > 4096 && !(iseq & 7) &&
			(pointer(r, iseq) & RUBY_TYPE) == RUBY_IMEMO) {
			if (wait)
				add(r->job, wait, "<internal:thread_sync>", 0);
			wait = NULL;
			ruby_function(r, pointer(r, iseq + RUBY_BODY));
		} else if (!iseq && !r->job->count && ruby_wait(r, frame)) {
			wait = ruby_wait(r, frame);
		}
		frame += RUBY_NEXT;
	}
}

void do_script_code(void *job)
{
	struct reading r = { .job = job };

	r.job->count = r.job->size = 0;
	if (r.job->kind == SCRIPT_PHP)
		read_php(&r);
	else
		read_ruby(&r);
	/* A frame that changed meanwhile ends the stack; what is within it was read well. */
	if (r.is_wrong && !r.job->count)
		r.job->size = 0;
}
