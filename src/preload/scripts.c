/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Functions of scripts in stacks. Their frames are objects of an interpreter, which this library
 * does not read: a pointer that is wrong would end the program. Sooth reads them from outside while
 * the thread waits, for a sample of the calls: the first with a stack that this library has walked,
 * and about one per SAMPLE_BYTES. Other calls with the same walked stack get the last sample's
 * functions.
 */
#include "preload/stack.h"

#define SAMPLE_BYTES 16384
/* Limits of the time that samples take: so many parts of a second, then of the time since the
 * start. Both kinds of samples have these limits. */
#define CREDIT_PARTS 10
#define TIME_PARTS   20
#define MOST_PARTS   500 /* of a second: of the first sample */

static uint64_t begin;
static struct preload_range loops[PRELOAD_LOOPS];
static atomic_ullong spent_on_new, spent_on_bytes;
static atomic_bool has_sampled;

bool scripts_begin(const struct preload_range all[PRELOAD_LOOPS])
{
	for (unsigned i = 0; i < PRELOAD_LOOPS; i++)
		loops[i] = all[i];
	begin = session_ticks();
	return !clock_is_off;
}

bool scripts_are_in(uint64_t pc, struct unwind_rule rule)
{
	for (unsigned i = 0; i < PRELOAD_LOOPS; i++) {
		if (pc - loops[i].from < loops[i].to - loops[i].from)
			return true;
	}
	/* Code that an engine has made has no unwind table. */
	return (rule.frame & ((1 << UNWIND_KIND_BITS) - 1)) == UNWIND_NONE;
}

static bool may_spend(const atomic_ullong *spent, uint64_t now)
{
	uint64_t second = atomic_load_explicit(&sooth_page->second, memory_order_relaxed);

	/* A request in a program that may have a seccomp filter waits without a system call. */
	return !filter_is_near && atomic_load_explicit(&sooth_page->waits, memory_order_relaxed) &&
	       atomic_load_explicit(spent, memory_order_relaxed) <
		       second / CREDIT_PARTS + (now - begin) / TIME_PARTS;
}

/* Charges the time of a sample; that of the first one, for which sooth opens files, in part. */
static void charge_sample(atomic_ullong *spent, uint64_t ticks)
{
	uint64_t most =
		atomic_load_explicit(&sooth_page->second, memory_order_relaxed) / MOST_PARTS;

	if (ticks > most && !atomic_exchange_explicit(&has_sampled, true, memory_order_relaxed))
		ticks = most;
	atomic_fetch_add_explicit(spent, ticks, memory_order_relaxed);
}

/* Returns the id of the thread's stack; 0: it has no functions of scripts. `hash` if sooth could
 * not read it. */
static uint64_t take_sample(struct thread *t, uint64_t hash, const void *function)
{
	unsigned long long answer[2];

	atomic_store(&t->slot->function, (uintptr_t)function);
	atomic_store(&t->slot->thread, (uintptr_t)__builtin_thread_pointer());
	if (!session_ask(t, PRELOAD_ASK_STACK, (uintptr_t)&t->stacks->kept, answer) || !answer[0])
		return hash;
	return answer[1] ? answer[0] : 0;
}

uint64_t scripts_stack(struct thread *t, uint64_t hash, const void *function, uint64_t size)
{
	const struct preload_kept *kept = &t->stacks->kept;
	struct thread_scripts *scripts = t->scripts;
	struct script *s = &scripts->all[hash & (SCRIPTS - 1)];
	uint64_t of = hash ^ (uint64_t)t->image << 32, now;
	bool is_new = s->of != of, is_due;
	atomic_ullong *spent;

	if (!kept->count || !kept->frames[kept->count - 1].has_scripts)
		return hash;
	scripts->bytes += size < SAMPLE_BYTES ? size : SAMPLE_BYTES;
	is_due = scripts->bytes >= SAMPLE_BYTES;
	if (!is_new && (!s->id || !is_due))
		return s->id ? s->id : hash;
	now = session_ticks();
	spent = is_due && may_spend(&spent_on_bytes, now) ? &spent_on_bytes : &spent_on_new;
	if (spent == &spent_on_new && (!is_new || !may_spend(spent, now)))
		return is_new ? hash : s->id;
	scripts->bytes = 0;
	s->id = take_sample(t, hash, function);
	s->of = of;
	charge_sample(spent, session_ticks() - now);
	return s->id ? s->id : hash;
}
