/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which thread of a Java virtual machine waits for a lock that another of its threads has. Monitors
 * (`synchronized`) are found by the data that HotSpot keeps of them. Locks of java.util.concurrent
 * are found by the object that a parked thread names and by the thread that this object names as
 * its owner. Also found are waits for a task (FutureTask) that names no thread, because no thread
 * has begun it, and waits that any other thread may end: for a latch, a semaphore, a
 * CompletableFuture. A class that another thread initializes is found by its address in the frames
 * of the virtual machine that wait for it.
 *
 * The process runs on meanwhile, and its collector moves objects: one answer may be wrong, but an
 * answer that is the same in two samples is right. Cannot be seen: owners of read locks, which have
 * none; virtual threads; locks of java.util.concurrent in a heap with colored pointers (ZGC) or
 * compact object headers.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/cursor.h"
#include "os/linux/files/process_snapshot.h"
#include "os/linux/files/read_memory.h"
#include "os/linux/runtimes/java/class_histogram.h"
#include "os/linux/runtimes/java/hotspot_layout.h"
#include "os/linux/runtimes/java/java_attach.h"
#include "os/linux/runtimes/java/java_counters.h"
#include "os/linux/runtimes/runtime.h"
#include "os/linux/syscalls/native_abi.h"
#include "os/linux/waits/wait_reader.h"
#include "probes/objects.h"

#define THREADS_MAX   512	 /* Java threads that are read */
#define SLOTS_MAX     64	 /* pointers of an object that are examined */
#define STACK_MOST    8		 /* objects on the lock stack of a thread */
#define STACK_LIMIT   (1u << 30) /* bytes: a larger range is no stack */
#define FRAME_WORDS   512	 /* of the frames of C++ above a wait */
#define INITIALIZING  3		 /* InstanceKlass::being_initialized */
#define POINTER_LEAST (1u << 16)
#define ANONYMOUS     1 /* the owner is the thread with the object on its lock stack */

struct java_thread {
	uint64_t address, object, owner_id, stack_from, stack_to;
	uint32_t tid;
};

/* Data of the child that reads: no pointers. */
struct question {
	pid_t pid;
	uint64_t base; /* where libjvm.so is mapped */
	struct hotspot_layout layout;
	uint64_t heap_from, heap_to; /* empty: no object can be read */
	uint64_t oop_base, class_base;
	uint32_t oop_shift, class_shift;
	uint64_t blocker; /* offset of the object that a parked thread waits for; 0: unknown */
	unsigned threads;
	struct java_thread all[THREADS_MAX];
	bool is_read;
	struct wait_owners before, locks; /* results of the two passes */
};

/* --- reading --- */

static bool read_memory(const struct question *q, uint64_t at, void *out, size_t size)
{
	return do_read_memory(q->pid, at, out, size);
}

static uint64_t read_pointer(const struct question *q, uint64_t at)
{
	uint64_t value = 0;

	return read_memory(q, at, &value, sizeof(value)) ? value : 0;
}

static bool has_all_fields(const struct question *q, const enum hotspot_field *fields, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!q->layout.has[fields[i]])
			return false;
	}
	return true;
}

static uint64_t read_field(const struct question *q, uint64_t of, enum hotspot_field id)
{
	return q->layout.has[id] ? read_pointer(q, of + q->layout.at[id]) : 0;
}

/* --- objects --- */

static bool is_compressed(const struct question *q)
{
	return q->oop_base || q->oop_shift || q->heap_to <= 1ull << 32;
}

static void open_heap(struct question *q)
{
	static const enum hotspot_field needed[] = { HOTSPOT_HEAP, HOTSPOT_HEAP_RESERVED,
		HOTSPOT_OOP_BASE, HOTSPOT_OOP_SHIFT, HOTSPOT_CLASS_BASE, HOTSPOT_CLASS_SHIFT,
		HOTSPOT_OBJECT_CLASS, HOTSPOT_CLASS_NAME, HOTSPOT_CLASS_LAYOUT,
		HOTSPOT_SYMBOL_LENGTH, HOTSPOT_SYMBOL_BODY, HOTSPOT_THREAD_OBJECT };
	uint64_t reserved[2], heap; /* start, and size in words */

	if (!has_all_fields(q, needed, ARRAY_SIZE(needed)))
		return;
	heap = read_pointer(q, q->layout.at[HOTSPOT_HEAP]);
	if (!heap ||
		!read_memory(q, heap + q->layout.at[HOTSPOT_HEAP_RESERVED], reserved,
			sizeof(reserved)) ||
		!read_memory(
			q, q->layout.at[HOTSPOT_OOP_BASE], &q->oop_base, sizeof(q->oop_base)) ||
		!read_memory(
			q, q->layout.at[HOTSPOT_OOP_SHIFT], &q->oop_shift, sizeof(q->oop_shift)) ||
		!read_memory(q, q->layout.at[HOTSPOT_CLASS_BASE], &q->class_base,
			sizeof(q->class_base)) ||
		!read_memory(q, q->layout.at[HOTSPOT_CLASS_SHIFT], &q->class_shift,
			sizeof(q->class_shift)) ||
		q->oop_shift > 8 || q->class_shift > 16 || reserved[1] > 1ull << 45)
		return;
	q->heap_from = reserved[0];
	q->heap_to = reserved[0] + reserved[1] * sizeof(uint64_t);
}

static bool is_object(const struct question *q, uint64_t address)
{
	return address >= q->heap_from && address < q->heap_to && !(address & 7);
}

/* Copies the name of a class, "java.lang.Object"; false: it is no class. */
static bool class_name(const struct question *q, uint64_t class, char out[WAIT_CLASS_SIZE])
{
	uint64_t symbol = class ? read_field(q, class, HOTSPOT_CLASS_NAME) : 0;
	uint16_t length;

	if (!symbol ||
		!read_memory(
			q, symbol + q->layout.at[HOTSPOT_SYMBOL_LENGTH], &length, sizeof(length)) ||
		!length || length >= WAIT_CLASS_SIZE ||
		!read_memory(q, symbol + q->layout.at[HOTSPOT_SYMBOL_BODY], out, length))
		return false;
	out[length] = '\0';
	for (char *c = out; *c; c++) {
		if ((unsigned char)*c < ' ')
			return false;
		if (*c == '/')
			*c = '.';
	}
	return true;
}

/* Returns the class of an object. Its pointer may have two forms; the right one leads to a name. */
static uint64_t class_of(const struct question *q, uint64_t object, char name[WAIT_CLASS_SIZE])
{
	uint64_t at = object + q->layout.at[HOTSPOT_OBJECT_CLASS], full;
	uint32_t narrow;

	if (!is_object(q, object) || !read_memory(q, at, &full, sizeof(full)))
		return 0;
	narrow = (uint32_t)full;
	if ((q->class_base || q->class_shift) && narrow) {
		uint64_t class = q->class_base + ((uint64_t)narrow << q->class_shift);

		return class_name(q, class, name) ? class : 0;
	}
	return class_name(q, full, name) ? full : 0;
}

/* Returns the size of an object of that class in bytes; 0: an array, or no class. */
static uint32_t object_size(const struct question *q, uint64_t class)
{
	int32_t layout = 0;

	if (!read_memory(q, class + q->layout.at[HOTSPOT_CLASS_LAYOUT], &layout, sizeof(layout)))
		return 0;
	return layout > 0 ? (uint32_t)layout & ~7u : 0;
}

static uint64_t object_at(const struct question *q, uint64_t address)
{
	uint32_t narrow = 0;

	if (!is_compressed(q))
		return read_pointer(q, address);
	if (!read_memory(q, address, &narrow, sizeof(narrow)) || !narrow)
		return 0;
	return q->oop_base + ((uint64_t)narrow << q->oop_shift);
}

/* --- threads --- */

static bool read_threads(struct question *q)
{
	static const enum hotspot_field needed[] = { HOTSPOT_THREADS_LIST, HOTSPOT_LIST_LENGTH,
		HOTSPOT_LIST_THREADS, HOTSPOT_THREAD_OSTHREAD, HOTSPOT_OSTHREAD_ID,
		HOTSPOT_THREAD_PENDING, HOTSPOT_MONITOR_OWNER };
	uint64_t list, addresses;
	uint32_t count;

	if (!has_all_fields(q, needed, ARRAY_SIZE(needed)))
		return false;
	list = read_pointer(q, q->layout.at[HOTSPOT_THREADS_LIST]);
	addresses = list ? read_field(q, list, HOTSPOT_LIST_THREADS) : 0;
	if (!addresses ||
		!read_memory(q, list + q->layout.at[HOTSPOT_LIST_LENGTH], &count, sizeof(count)) ||
		count > THREADS_MAX)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		struct java_thread *t = &q->all[q->threads];
		uint64_t os, handle, size;

		*t = (struct java_thread){ .address = read_pointer(
						   q, addresses + i * sizeof(uint64_t)) };
		os = t->address ? read_field(q, t->address, HOTSPOT_THREAD_OSTHREAD) : 0;
		if (!os ||
			!read_memory(q, os + q->layout.at[HOTSPOT_OSTHREAD_ID], &t->tid,
				sizeof(t->tid)) ||
			!t->tid)
			continue;
		handle = read_field(q, t->address, HOTSPOT_THREAD_OBJECT);
		t->object = handle ? read_pointer(q, handle) : 0;
		t->owner_id = read_field(q, t->address, HOTSPOT_THREAD_OWNER_ID);
		t->stack_to = read_field(q, t->address, HOTSPOT_THREAD_STACK_BASE);
		size = read_field(q, t->address, HOTSPOT_THREAD_STACK_SIZE);
		t->stack_from = size && size < STACK_LIMIT && size < t->stack_to
					? t->stack_to - size
					: t->stack_to;
		q->threads++;
	}
	return q->threads > 0;
}

static void add_lock(struct question *q, const struct java_thread *waiter,
	const struct java_thread *owner, enum waits_lock lock, const char *class)
{
	struct wait_owner *e = &q->locks.all[q->locks.count];

	if (q->locks.count >= WAIT_OWNERS_MAX)
		return;
	*e = (struct wait_owner){
		.waiter = waiter->tid, .owner = owner ? owner->tid : 0, .lock = lock
	};
	snprintf(e->class, sizeof(e->class), "%s", class);
	q->locks.count++;
}

/* --- monitors --- */

static bool is_object_on_stack(
	const struct question *q, const struct java_thread *t, uint64_t object)
{
	static const enum hotspot_field needed[] = { HOTSPOT_THREAD_LOCK_STACK,
		HOTSPOT_LOCK_STACK_TOP, HOTSPOT_LOCK_STACK_BASE };
	uint64_t objects[STACK_MOST] = { 0 }, begin;
	uint32_t top, first;

	if (!has_all_fields(q, needed, ARRAY_SIZE(needed)))
		return false;
	begin = q->layout.at[HOTSPOT_THREAD_LOCK_STACK];
	first = (uint32_t)(begin + q->layout.at[HOTSPOT_LOCK_STACK_BASE]);
	if (!read_memory(q, t->address + begin + q->layout.at[HOTSPOT_LOCK_STACK_TOP], &top,
		    sizeof(top)) ||
		top <= first || top - first > sizeof(objects) ||
		!read_memory(q, t->address + first, objects, top - first))
		return false;
	for (size_t i = 0; i < (top - first) / sizeof(objects[0]); i++) {
		if (objects[i] == object)
			return true;
	}
	return false;
}

/* Returns the owner of a monitor. Up to Java 23 the field has a JavaThread or a record on its
 * stack; later it has a number. */
static const struct java_thread *owner_of(const struct question *q, uint64_t owner, uint64_t object)
{
	bool has_ids = q->layout.has[HOTSPOT_THREAD_OWNER_ID];

	for (unsigned i = 0; owner && i < q->threads; i++) {
		const struct java_thread *t = &q->all[i];

		if (owner == ANONYMOUS && object ? is_object_on_stack(q, t, object)
			: has_ids		 ? owner > ANONYMOUS && owner == t->owner_id
						 : owner == t->address ||
					    (owner >= t->stack_from && owner < t->stack_to))
			return t;
	}
	return NULL;
}

static void examine_monitor(struct question *q, const struct java_thread *t, uint64_t monitor)
{
	uint64_t handle = read_field(q, monitor, HOTSPOT_MONITOR_OBJECT);
	uint64_t object = handle ? read_pointer(q, handle) : 0;
	uint64_t value = read_field(q, monitor, HOTSPOT_MONITOR_OWNER);
	const struct java_thread *owner = owner_of(q, value, object);
	char class[WAIT_CLASS_SIZE];

	if (!owner || owner == t)
		return;
	if (!object || !class_of(q, object, class))
		class[0] = '\0';
	add_lock(q, t, owner, WAITS_LOCK_JAVA_MONITOR, class);
}

/* --- locks of java.util.concurrent --- */

/* Returns whether a class is a lock with an owner, which ends the wait by releasing the lock. */
static bool is_lock(const char *class)
{
	return !strncmp(class, "java.util.concurrent.locks.", 27);
}

/* Returns whether a class is one that an executor makes for a task; a running task refers to its
 * thread. */
static bool is_task(const char *class)
{
	static const char *const classes[] = { "java.util.concurrent.FutureTask",
		"java.util.concurrent.ExecutorCompletionService$QueueingFuture",
		"java.util.concurrent.ScheduledThreadPoolExecutor$ScheduledFutureTask" };

	return SPAN_ANY(span_of_string(class), span_equal, classes);
}

/* Returns the kind of a wait that any other thread may end, by the class that a parked thread
 * names. */
static enum waits_lock signal_of(const char *class)
{
	static const struct {
		const char *class;
		enum waits_lock lock;
	} signals[] = {
		{ "java.util.concurrent.CountDownLatch$Sync", WAITS_LOCK_JAVA_LATCH },
		{ "java.util.concurrent.Semaphore$NonfairSync", WAITS_LOCK_JAVA_SEMAPHORE },
		{ "java.util.concurrent.Semaphore$FairSync", WAITS_LOCK_JAVA_SEMAPHORE },
		{ "java.util.concurrent.CompletableFuture$Signaller", WAITS_LOCK_JAVA_FUTURE },
		{ "java.util.concurrent.locks.AbstractQueuedSynchronizer$ConditionObject",
			WAITS_LOCK_JAVA_CONDITION },
	};

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		if (!strcmp(class, signals[i].class))
			return signals[i].lock;
	}
	return WAITS_LOCK_NONE;
}

/* Returns the owner of a lock or a task: only one of its pointers leads to a thread. */
static const struct java_thread *owner_in(const struct question *q, uint64_t lock, uint32_t size)
{
	uint32_t step = is_compressed(q) ? sizeof(uint32_t) : sizeof(uint64_t);

	for (uint32_t at = 8; at + step <= size && at < SLOTS_MAX * step; at += step) {
		uint64_t object = object_at(q, lock + at);

		for (unsigned i = 0; object && i < q->threads; i++) {
			if (q->all[i].object == object)
				return &q->all[i];
		}
	}
	return NULL;
}

/* Examines the object at offset `at` of a thread's object. False: it is no lock. */
static bool examine_blocker(struct question *q, const struct java_thread *t, uint64_t at)
{
	uint64_t lock = object_at(q, t->object + at), class;
	const struct java_thread *owner;
	char name[WAIT_CLASS_SIZE];

	class = lock ? class_of(q, lock, name) : 0;
	if (class && signal_of(name) != WAITS_LOCK_NONE) {
		q->blocker = at;
		add_lock(q, t, NULL, signal_of(name), name);
		return true;
	}
	if (!class || !(is_lock(name) || is_task(name)))
		return false;
	owner = owner_in(q, lock, object_size(q, class));
	/* A thread that was made for a task refers to the task too, but does not wait for it. */
	if (is_task(name) && owner == t)
		return false;
	q->blocker = at; /* the offset is the same for all threads */
	if (is_task(name) && !owner)
		add_lock(q, t, NULL, WAITS_LOCK_JAVA_TASK, name);
	else if (owner && owner != t && is_lock(name))
		add_lock(q, t, owner, WAITS_LOCK_JAVA, name);
	return true;
}

static void examine_thread_object(struct question *q, const struct java_thread *t)
{
	uint32_t step = is_compressed(q) ? sizeof(uint32_t) : sizeof(uint64_t);
	char name[WAIT_CLASS_SIZE];
	uint64_t class;
	uint32_t size;

	if (q->blocker) {
		examine_blocker(q, t, q->blocker);
		return;
	}
	class = class_of(q, t->object, name);
	size = class ? object_size(q, class) : 0;
	for (uint32_t at = 8; at + step <= size && at < SLOTS_MAX * step; at += step) {
		if (examine_blocker(q, t, at))
			return;
	}
}

/* --- classes that another thread initializes --- */

static const struct java_thread *initializer_of(const struct question *q, uint64_t class)
{
	uint64_t thread = read_field(q, class, HOTSPOT_CLASS_INITIALIZER);
	uint8_t state = 0;

	for (unsigned i = 0; thread && i < q->threads; i++) {
		if (q->all[i].address == thread)
			return read_memory(q, class + q->layout.at[HOTSPOT_CLASS_STATE], &state,
				       sizeof(state)) &&
					       state == INITIALIZING
				       ? &q->all[i]
				       : NULL;
	}
	return NULL;
}

/* Returns whether the thread may wait for the initialization of a class. Up to Java 20 it waits for
 * an object that is an array of numbers, later for none. */
static bool may_want_class(const struct question *q, const struct java_thread *t)
{
	uint64_t monitor = read_field(q, t->address, HOTSPOT_THREAD_WAITING);
	uint64_t handle = monitor ? read_field(q, monitor, HOTSPOT_MONITOR_OBJECT) : 0;
	char class[WAIT_CLASS_SIZE];

	return !monitor ||
	       (handle && class_of(q, read_pointer(q, handle), class) && !strcmp(class, "[I"));
}

/* Finds the class in the frames of C++ below the last frame of Java. */
static void examine_frames(struct question *q, const struct java_thread *t)
{
	static const enum hotspot_field needed[] = { HOTSPOT_THREAD_WAITING, HOTSPOT_THREAD_ANCHOR,
		HOTSPOT_ANCHOR_STACK, HOTSPOT_CLASS_STATE, HOTSPOT_CLASS_INITIALIZER,
		HOTSPOT_CLASS_NAME };
	uint64_t words[FRAME_WORDS], top;
	char name[WAIT_CLASS_SIZE];

	if (!has_all_fields(q, needed, ARRAY_SIZE(needed)) || !may_want_class(q, t))
		return;
	top = read_pointer(q, t->address + q->layout.at[HOTSPOT_THREAD_ANCHOR] +
				      q->layout.at[HOTSPOT_ANCHOR_STACK]);
	if (top < t->stack_from + sizeof(words) || top > t->stack_to ||
		!read_memory(q, top - sizeof(words), words, sizeof(words)))
		return;
	for (size_t i = FRAME_WORDS; i-- > 0;) {
		const struct java_thread *by;

		if (words[i] < POINTER_LEAST || words[i] & 7 ||
			(words[i] >= t->stack_from && words[i] < t->stack_to))
			continue;
		by = initializer_of(q, words[i]);
		if (!by || by == t || !class_name(q, words[i], name))
			continue;
		add_lock(q, t, by, WAITS_LOCK_JAVA_CLASS, name);
		return;
	}
}

/* --- the process --- */

static void examine_threads(struct question *q)
{
	for (unsigned i = 0; i < q->threads; i++) {
		const struct java_thread *t = &q->all[i];
		uint64_t monitor = read_field(q, t->address, HOTSPOT_THREAD_PENDING);
		unsigned before = q->locks.count;

		if (monitor)
			examine_monitor(q, t, monitor);
		else if (is_object(q, t->object))
			examine_thread_object(q, t);
		if (!monitor && q->locks.count == before)
			examine_frames(q, t);
	}
}

static bool was_owner_before(const struct question *q, const struct wait_owner *e)
{
	for (unsigned i = 0; i < q->before.count; i++) {
		const struct wait_owner *b = &q->before.all[i];

		if (b->waiter == e->waiter && b->owner == e->owner && b->lock == e->lock)
			return true;
	}
	return false;
}

/* Keeps only the edges that both passes found: between the passes they existed all at once, so two
 * threads that pass one monitor to each other make no circle. */
static void drop_changed_edges(struct question *q)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < q->locks.count; i++) {
		if (was_owner_before(q, &q->locks.all[i]))
			q->locks.all[kept++] = q->locks.all[i];
	}
	q->locks.count = kept;
}

static void run_read_job(void *argument)
{
	struct question *q = argument;

	if (!hotspot_layout_read(q->pid, q->base, &q->layout) || !read_threads(q))
		return;
	open_heap(q);
	examine_threads(q);
	q->before = q->locks;
	q->locks.count = 0;
	examine_threads(q);
	drop_changed_edges(q);
	q->is_read = true;
}

static void set_lock_owners(void *state, struct wait_reader *r, struct wait_node *n)
{
	struct question *q;

	(void)state;
	if (!n->may_read || n->abi != ABI_64)
		return;
	q = calloc(1, sizeof(*q));
	if (!q)
		return;
	q->pid = wait_node_living(n);
	q->base = wait_library_base(r, n, "/libjvm.so");
	if (q->base &&
		!timeout_call(&r->timeout, run_read_job, NULL, q, sizeof(*q), -1, TIMEOUT_MS) &&
		q->is_read) {
		n->owners = malloc(sizeof(q->locks));
		if (n->owners)
			*n->owners = q->locks;
	}
	free(q);
}

/* --- its objects --- */

static const char *count_objects(struct timeout *timeout, const struct process_snapshot *of,
	struct backend_run *run, struct objects_process *end)
{
	_cleanup_(buffer_fini) struct buffer answer = { 0 }, name = { 0 };
	uint64_t begin_ns = clock_monotonic_ns();
	bool is_cut = false;
	const char *reason = java_attach_histogram(timeout, of, &answer, &is_cut);
	struct cursor text = cursor_over(answer.data, answer.size);
	struct class_row row;

	end->taken_ns = clock_monotonic_ns() - begin_ns;
	if (reason)
		return reason;
	is_cut |= !class_histogram_is_whole(span_of((const char *)answer.data, answer.size));
	while (end->classes < OBJECTS_CLASSES_MOST && class_histogram_next(&text, &row)) {
		struct objects_class r = { .instances = row.instances,
			.bytes = row.bytes,
			.is_of_runtime = row.is_of_runtime };

		buffer_reset(&name);
		class_name_put(&name, row.name);
		r.record = process_snapshot_head(of, run, 0, OBJECTS_CLASS);
		RECORD_APPEND(&run->out, &r,
			((struct record_tail[]){ { &r.name, name.data, name.size } }), 1);
		end->classes++;
	}
	if (is_cut || end->classes == OBJECTS_CLASSES_MOST)
		end->state = SOOTH_STATE_TRUNCATED;
	return end->classes ? NULL : "the JVM listed no class";
}

const struct runtime runtime_java = {
	.title = "JVM",
	.signs = { MAPS_JAVA, .programs = { "java" }, .libraries = { "libjvm" } },
	.generates = true,
	.heap = { .name = "the Java heap",
		.why = "the JVM takes its memory from the kernel, not from malloc",
		.remedy = "jcmd PID GC.class_histogram lists the classes in it",
		.counters = JAVA_COUNTERS_FOLDER,
		.read = java_counters_read },
	.count_objects = count_objects,
	.state_size = sizeof(struct runtime_state),
	.locks = set_lock_owners,
};
