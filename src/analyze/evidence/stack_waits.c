/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/evidence/stack_waits.h"

#include <assert.h>
#include <string.h>

#include "probes/stacks.h"

/* --- names --- */

struct span stack_wait_function(
	const struct diagnosis_input *input, const struct profile_function *f)
{
	assert(input);
	assert(f);
	return names_get(&input->stacks_sums.names, f->name);
}

struct span stack_wait_file(const struct diagnosis_input *input, const struct profile_function *f)
{
	assert(input);
	assert(f);
	return names_get(&input->stacks_sums.names, f->file);
}

bool stack_wait_is_method(struct span name, const char *method)
{
	return span_ends(name, method) &&
	       (name.size == strlen(method) || name.data[name.size - strlen(method) - 1] == '.');
}

bool stack_wait_is_file(struct span file, const char *name)
{
	size_t size = strlen(name);

	return span_starts(file, name) && (file.size == size || file.data[size] == ':');
}

static bool is_at(struct span name, struct span file, const char *of, const char *method)
{
	return stack_wait_is_file(file, of) && stack_wait_is_method(name, method);
}

/* --- native code --- */

static bool wants_lock(struct span name)
{
	static const char *const parts[] = { "::lock_contended", "::read_contended",
		"::write_contended", "RawMutex::lock_slow", "RawMutex>::lock_slow",
		"RawRwLock::lock_exclusive_slow", "RawRwLock>::lock_exclusive_slow",
		"RawRwLock::lock_shared_slow", "RawRwLock>::lock_shared_slow",
		"absl::Mutex::LockSlow", "lll_lock_wait", "pthread_mutex_lock",
		"pthread_rwlock_rdlock", "pthread_rwlock_wrlock" };

	return SPAN_ANY(name, span_contains, parts);
}

static bool wants_work(struct span name, struct span file)
{
	static const char *const parts[] = { "pthread_cond_", "pthread_join", "clockjoin",
		"pthread_barrier_wait", "Condvar", "Parker", "uv_cond_wait", "uv_sem_wait",
		"runtime." };

	return SPAN_ANY(name, span_contains, parts) || span_starts(file, "_queue.");
}

static bool is_interpreter_lock(struct span name)
{
	return span_starts(name, "PyThread_acquire_lock") || span_starts(name, "_PyMutex_Lock") ||
	       span_starts(name, "PyMutex_Lock");
}

/* --- scripts --- */

static bool is_script(const struct profile_function *f)
{
	return f->kind == PROFILE_SCRIPT;
}

static void set_within(struct stack_wait *out, const struct diagnosis_input *input,
	const struct profile_function *f)
{
	out->within = stack_wait_function(input, f);
	out->file = stack_wait_file(input, f);
}

static bool is_of_library(struct span file)
{
	return stack_wait_is_file(file, "threading.py") || stack_wait_is_file(file, "_base.py") ||
	       stack_wait_is_file(file, "queue.py");
}

/* Finds the wait by the innermost Python functions: the interpreter uses a lock for all waits. */
static void explain_interpreter(struct stack_wait *out, const struct diagnosis_input *input,
	const struct profile_stacked *stack)
{
	bool has_first = false, has_waited = false;

	out->kind = STACK_WAIT_UNSEEN;
	for (size_t i = 0; i < stack->depth; i++) {
		struct span name, file;

		if (!is_script(stack->frames[i]))
			continue;
		name = stack_wait_function(input, stack->frames[i]);
		file = stack_wait_file(input, stack->frames[i]);
		if (!has_first) {
			has_first = true;
			out->by = name;
			out->kind = STACK_WAIT_LOCK;
			has_waited = stack_wait_is_file(file, "threading.py") &&
				     !stack_wait_is_method(name, "__enter__") &&
				     !stack_wait_is_method(name, "acquire");
			if (has_waited || (is_at(name, file, "thread.py", "_worker")))
				out->kind = STACK_WAIT_OTHER;
		}
		if (has_waited && stack_wait_is_file(file, "_base.py") &&
			(stack_wait_is_method(name, "result") ||
				stack_wait_is_method(name, "exception"))) {
			out->kind = STACK_WAIT_RESULT;
			out->by = name;
		}
		if (has_waited && is_at(name, file, "threading.py", "join"))
			out->by = name;
		if (has_waited && stack_wait_is_file(file, "queue.py")) {
			out->is_queue = true;
			out->by = name;
		}
		if (is_of_library(file))
			continue;
		set_within(out, input, stack->frames[i]);
		return;
	}
}

/* --- a stack --- */

/* Returns whether the function waits on a condition, which only a thread can signal: a signal
 * handler may only post semaphores (POSIX.1-2017, 2.4.3). */
static bool is_condition(struct span name)
{
	static const char *const parts[] = { "pthread_cond_wait", "pthread_barrier_wait" };

	return SPAN_ANY(name, span_contains, parts);
}

/* Finds the caller of the wait: in C++ the function after the library's class. */
static void explain_condition(struct stack_wait *out, const struct diagnosis_input *input,
	const struct profile_stacked *stack, size_t at)
{
	out->is_condition = true;
	while (++at < stack->depth &&
		span_contains(stack_wait_function(input, stack->frames[at]), "condition_variable"))
		;
	if (at == stack->depth)
		return;
	out->caller = stack_wait_function(input, stack->frames[at]);
	out->caller_file = stack_wait_file(input, stack->frames[at]);
}

static void explain_frames(struct stack_wait *out, const struct diagnosis_input *input,
	const struct profile_stacked *stack)
{
	for (size_t i = 0; i < stack->depth; i++) {
		const struct profile_function *f = stack->frames[i];
		struct span name = stack_wait_function(input, f), file = stack_wait_file(input, f);

		if (f->kind == PROFILE_KERNEL)
			continue;
		if (is_script(f))
			return;
		if (wants_lock(name)) {
			out->kind = STACK_WAIT_LOCK;
			out->by = name;
			return;
		}
		if (is_interpreter_lock(name) && i + 1 < stack->depth &&
			!wants_work(span_of("", 0), stack_wait_file(input, stack->frames[i + 1]))) {
			explain_interpreter(out, input, stack);
			return;
		}
		/* V8's threads wait on a condition for a notification. */
		if (!wants_work(name, file) || out->kind != STACK_WAIT_UNSEEN)
			continue;
		out->kind = STACK_WAIT_OTHER;
		if (is_condition(name))
			explain_condition(out, input, stack, i);
	}
	if (out->kind == STACK_WAIT_UNSEEN && stack->end == PROFILE_WHOLE)
		out->kind = STACK_WAIT_OTHER;
}

/* Returns whether the frame belongs to the end of a program: it waits for threads that are left. */
static bool ends_program(struct span name, struct span file)
{
	static const char *const parts[] = { "DestroyJavaVM", "Threads::destroy_vm",
		"Py_FinalizeEx", "__run_exit_handlers" };

	return SPAN_ANY(name, span_contains, parts) ||
	       is_at(name, file, "threading.py", "_shutdown");
}

static void find_roles(struct stack_wait *out, const struct diagnosis_input *input,
	const struct profile_stacked *stack)
{
	for (size_t i = 0; i < stack->depth; i++) {
		struct span name = stack_wait_function(input, stack->frames[i]);
		struct span file = stack_wait_file(input, stack->frames[i]);

		out->is_end |= ends_program(name, file);
		if (!is_script(stack->frames[i]))
			continue;
		out->is_pool |= is_at(name, file, "thread.py", "_worker");
		out->is_loop |=
			stack_wait_is_method(name, "run_forever") ||
			(stack_wait_is_file(file, "process.py") && span_contains(name, "Executor"));
	}
}

static const struct stacks_thread *thread_of(
	const struct diagnosis_input *input, const struct process_id *id, uint32_t tid)
{
	snapshot_each (struct stacks_thread, t, snapshots_get(&input->stacks, id), STACKS_THREAD) {
		if (t->record.tid == tid)
			return t;
	}
	return NULL;
}

bool stack_wait_frames(const struct diagnosis_input *input, const struct process_id *id,
	uint32_t tid, struct profile_stacked *out)
{
	assert(input);

	const struct stacks_thread *t = thread_of(input, id, tid);

	return t && !t->stack_state && profile_sums_stack(&input->stacks_sums, t->stack, out);
}

struct stack_wait stack_wait_of(
	const struct diagnosis_input *input, const struct process_id *id, uint32_t tid)
{
	struct stack_wait out = { .kind = STACK_WAIT_UNSEEN };
	struct profile_stacked stack;

	if (!stack_wait_frames(input, id, tid, &stack))
		return out;
	explain_frames(&out, input, &stack);
	find_roles(&out, input, &stack);
	return out;
}

bool stack_wait_is_same(const struct stack_wait *a, const struct stack_wait *b)
{
	assert(a);
	assert(b);
	return !span_compare(a->within, b->within) && !span_compare(a->file, b->file);
}

/* --- names of functions --- */

void stack_wait_put_function(struct buffer *out, struct span name, struct span file)
{
	if (name.size)
		buffer_format(out, "%.*s (%.*s)", SPAN_ARGS(name), SPAN_ARGS(file));
}

void stack_wait_put_within(struct buffer *out, const struct stack_wait *wait)
{
	assert(wait);
	stack_wait_put_function(out, wait->within, wait->file);
}

/* --- the program's own function --- */

/* Returns whether the command line names the file of a frame, "gateway.py:12". */
static bool is_of_command(const struct process_entry *p, struct span file)
{
	struct span arguments = record_text(&p->process->record, &p->process->arguments);
	struct cursor c = cursor_over(arguments.data, arguments.size);
	const char *colon = memchr(file.data, ':', file.size);

	if (!colon || p->process->arguments_state)
		return false;
	file.size = (size_t)(colon - file.data);
	while (!cursor_at_end(&c)) {
		if (!span_compare(path_base(cursor_until(&c, '\0')), file))
			return true;
	}
	return false;
}

bool stack_wait_put_own(struct buffer *out, const struct diagnosis_input *input,
	const struct process_entry *process, uint32_t tid)
{
	struct profile_stacked stack;

	if (!process || !process->process || !stack_wait_frames(input, &process->id, tid, &stack))
		return false;
	for (size_t i = 0; i < stack.depth; i++) {
		struct span name = stack_wait_function(input, stack.frames[i]);
		struct span file = stack_wait_file(input, stack.frames[i]);

		if (!is_script(stack.frames[i]) || !is_of_command(process, file))
			continue;
		if (span_starts(name, "<"))
			return false;
		stack_wait_put_function(out, name, file);
		return true;
	}
	return false;
}
