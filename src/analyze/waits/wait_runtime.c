/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/waits/wait_runtime.h"

#include <assert.h>

bool wait_is_runtime_lock(const struct waits_thread *t)
{
	return t && (t->lock == WAITS_LOCK_JAVA_MONITOR || t->lock == WAITS_LOCK_JAVA ||
			    t->lock == WAITS_LOCK_JAVA_CLASS);
}

bool wait_is_runtime_idle(const struct waits_thread *t)
{
	assert(t);
	return t->lock == WAITS_LOCK_JAVA_IDLE || t->lock == WAITS_LOCK_JAVA_CONDITION;
}

const char *wait_runtime_text(const struct waits_thread *t)
{
	switch (t ? t->lock : WAITS_LOCK_NONE) {
	case WAITS_LOCK_JAVA_TASK:
		return "waits for the result of a task that no thread has begun";
	case WAITS_LOCK_JAVA_LATCH:
		return "waits for a CountDownLatch";
	case WAITS_LOCK_JAVA_SEMAPHORE:
		return "waits for a permit of a Semaphore";
	case WAITS_LOCK_JAVA_FUTURE:
		return "waits for the result of a CompletableFuture";
	default:
		return NULL;
	}
}

bool wait_is_same_monitor(const struct wait_graph *g, const struct waits_thread *t)
{
	assert(g);

	struct wait_graph before = { .records = g->before };
	const struct waits_party *owner, *earlier;

	if (!t || t->lock != WAITS_LOCK_JAVA_MONITOR)
		return false;
	owner = wait_graph_party(g, t->node_pid, t->record.tid, NULL);
	earlier = wait_graph_party(&before, t->node_pid, t->record.tid, NULL);
	return owner && earlier && owner->party_tid == earlier->party_tid;
}

/* Shortens "java.util.concurrent.locks.ReentrantLock$NonfairSync" to ReentrantLock. */
bool wait_put_runtime_lock(struct buffer *out, const struct wait_link *link)
{
	struct span class = record_text(&link->party->record, &link->party->detail);
	size_t from = class.size, to = class.size;

	if (!wait_is_runtime_lock(link->thread))
		return false;
	if (link->thread->lock == WAITS_LOCK_JAVA_CLASS) {
		buffer_format(out, "waits for the initialization of class %.*s by ",
			(int)class.size, class.data);
		return true;
	}
	if (link->thread->lock == WAITS_LOCK_JAVA_MONITOR) {
		buffer_string(out, "waits for a Java monitor ");
		if (class.size)
			buffer_format(out, "(of a %.*s) ", (int)class.size, class.data);
		buffer_string(out, "held by ");
		return true;
	}
	while (from && class.data[from - 1] != '.')
		from--;
	for (size_t i = class.size; i > from; i--) {
		if (class.data[i - 1] == '$')
			to = i - 1;
	}
	buffer_format(
		out, "waits for a Java lock (%.*s) held by ", (int)(to - from), class.data + from);
	return true;
}
