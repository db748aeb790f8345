/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that the threads of a program share with sooth. All of it is there from the start on
 * (connect.h); a thread, and a forked child, takes a slot of it when it calls the first function.
 * Sooth is waited for by looking at memory, never in the kernel.
 */
#include "preload/connect.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sys/mman.h>

#include "preload/kernel_calls.h"
#include "preload/loaded.h"

#define MOMENT_NS      10000000
#define SILENT_S       2	  /* without a sign of life sooth is stopped */
#define STEPS_MAX      (1u << 26) /* of a wait, whatever the clock says */
#define WAIT_S	       10	  /* for sooth, while it lives and reads nothing */
#define ANSWER_S       2
#define UNANSWERED_MAX 3   /* asks; then there are no more */
#define TRY_AGAIN      64  /* calls of a thread without a slot */
#define THREAD_FROM    704 /* of glibc: behind what the compiler knows */
#define THREAD_SIZE    1024
#define SMALL_FROM     24 /* of musl */
#define SMALL_SIZE     96

__thread struct thread self __attribute__((tls_model("initial-exec")));

static struct own_page no_page;
struct own_page *own_page = &no_page;
/* Until there is one: sooth is on, so that the page decides. */
static const struct preload_page no_sooth_page = { .is_on = 1 };
const struct preload_page *sooth_page = &no_sooth_page;
bool clock_is_off, filter_is_near;

enum { START_NONE, START_IN_PROGRESS, START_DONE };

static atomic_uint start;
static bool is_off;	      /* of this process, and of its children */
static atomic_uint is_probed; /* of this process all calls are, and of its children */
static atomic_uint said;      /* PRELOAD_AROUND_* that sooth knows, and does not see */
static atomic_uint images;    /* numbers given to images, also before a fork */
static unsigned char *segment;
static struct thread_calls *calls;
static struct thread_stacks *stacks;
static int32_t number_at;	 /* from the thread pointer to gettid(2); 0: not known */
static uint32_t own_pid, parent; /* processes: of this image, and where it was forked */
static bool is_named;		 /* `own_pid` is that of a child that fork() made */
static bool is_forked;		 /* an image that begins now */

/* Where a child writes that was forked in the midst of a call. */
static struct preload_slot nowhere;
static uint64_t nowhere_word;

extern const char *gnu_get_libc_version(void) __attribute__((weak));

/* --- what a thread is --- */

static uint32_t number_of_thread(void)
{
	const char *at = (const char *)__builtin_thread_pointer() + number_at;

	return number_at ? *(const volatile uint32_t *)(const void *)at : 0;
}

/* The C library keeps the number beside its other words of the thread. The description of that
 * place for debuggers (bits, count, offset) is exported since glibc 2.34. */
static void find_number(void)
{
	const uint32_t *field = real_behind("_thread_db_pthread_tid");
	const uint32_t *size = real_behind("_thread_db_sizeof_pthread");
	int32_t from = gnu_get_libc_version ? THREAD_FROM : SMALL_FROM;
	int32_t to = gnu_get_libc_version ? THREAD_SIZE : SMALL_SIZE;
	uint32_t number = (uint32_t)KERNEL(gettid, 0, 0, 0, 0, 0, 0);

#if !defined(__x86_64__)
	to = from; /* there it is before the thread pointer, which alone is searched from */
#endif
	if (field && field[0] == 32 && field[1] == 1 && field[2] < THREAD_SIZE) {
		from = (int32_t)field[2];
#if !defined(__x86_64__)
		from -= size ? (int32_t)*size : 0;
#endif
		to = from + (int32_t)sizeof(number);
	}
	(void)size;
	for (number_at = from; number_at < to; number_at += (int32_t)sizeof(number)) {
		if (number_of_thread() == number)
			return;
	}
	number_at = 0;
}

/* --- the start of the program --- */

/* A page that a fork's child finds empty. */
static bool make_page(void)
{
	struct own_page *page = connect_map(PRELOAD_PAGE, -1, PROT_READ | PROT_WRITE);

	if (!page || KERNEL(madvise, page, PRELOAD_PAGE, MADV_WIPEONFORK, 0, 0, 0) < 0)
		return false;
	own_page = page;
	return true;
}

static bool make_memory(void)
{
	calls = connect_map(PRELOAD_SLOTS * sizeof(*calls), -1, PROT_READ | PROT_WRITE);
	if (!calls || !atomic_load(&sooth_page->stacks))
		return calls;
	stacks = connect_map(PRELOAD_SLOTS * sizeof(*stacks), -1, PROT_READ | PROT_WRITE);
	return stacks && stack_begin();
}

static bool start_all(void)
{
	struct connection connection;

	if (!connect_to_sooth(&connection))
		return false;
	sooth_page = connection.sooth_page;
	segment = connection.segment;
	if (!make_page() || !make_memory())
		return false;
	find_number();
	clock_is_off = !connect_clock_is_on();
	own_pid = (uint32_t)KERNEL(getpid, 0, 0, 0, 0, 0, 0);
	loaded_begin();
	return true;
}

/* By the first thread; while it does that there is no other, or that one is not recorded. */
static bool has_started(void)
{
	unsigned none = START_NONE;

	if (atomic_load(&start) == START_DONE)
		return !is_off;
	if (!atomic_compare_exchange_strong(&start, &none, START_IN_PROGRESS))
		return false;
	is_off = !start_all();
	if (is_off)
		atomic_store(&own_page->image, IMAGE_OFF);
	atomic_store(&start, START_DONE);
	return !is_off;
}

/* --- slots --- */

static struct preload_head *head_of_segment(void)
{
	return (struct preload_head *)(void *)segment;
}

static void note_used(unsigned slot)
{
	atomic_uint *used = &head_of_segment()->used;
	unsigned known = atomic_load(used);

	while (known <= slot && !atomic_compare_exchange_weak(used, &known, slot + 1))
		;
}

static void take_slot(struct thread *t, unsigned number)
{
	struct preload_slot *slot = (void *)(segment + PRELOAD_SLOT_AT(number));

	atomic_store(&slot->tid, t->number);
	atomic_store(&slot->pid, own_pid);
	atomic_store(&slot->parent, parent);
	atomic_store(&slot->is_coarse, clock_is_off);
	atomic_store(&slot->ask, 0);
	atomic_store(&slot->is_waiting, 0);
	t->asked = 0;
	t->slot = slot;
	t->ring = (void *)(segment + preload_ring_at(number));
	t->ring_mask = preload_ring_words(number) - 1;
	t->calls = &calls[number];
	t->stacks = stacks ? &stacks[number] : NULL;
	if (t->stacks)
		t->stacks->kept.count = 0;
	t->head = atomic_load(&slot->head);
	t->tail = atomic_load(&slot->tail);
	t->stack_from = t->stack_to = 0;
	t->last_ticks = 0; /* the first record has the whole time */
	atomic_store(&slot->state, PRELOAD_SLOT_TAKEN);
	atomic_store(&slot->begin_ticks, session_ticks());
}

static bool find_slot(struct thread *t)
{
	for (unsigned k = 0; k < PRELOAD_SLOTS; k++) {
		struct preload_slot *slot = (void *)(segment + PRELOAD_SLOT_AT(k));
		unsigned state = PRELOAD_SLOT_FREE;

		if (atomic_load(&slot->state) != PRELOAD_SLOT_FREE ||
			!atomic_compare_exchange_strong(&slot->state, &state, PRELOAD_SLOT_TAKING))
			continue;
		note_used(k);
		take_slot(t, k);
		return true;
	}
	return false;
}

/* A forked child is another process. Without the C library's fork() its number is unknown (0): the
 * library still has the parent's. */
static uint32_t begin_image(void)
{
	uint32_t image = atomic_fetch_add(&images, 1) + 1;
	unsigned none = 0;

	if (!atomic_compare_exchange_strong(&own_page->image, &none, image))
		return none;
	if (is_forked && !is_named) {
		parent = own_pid;
		own_pid = 0;
	}
	is_forked = true; /* the next one will be */
	is_named = false;
	return image;
}

static void begin_thread(struct thread *t, uint32_t image)
{
	unsigned long long ignored[2];

	t->image = image;
	t->number = own_pid ? number_of_thread() : 0;
	t->nested = 0;
	t->left_out = !find_slot(t);
	/* Once it has ended it could not be found. */
	if (!own_pid && !t->left_out && atomic_load(&sooth_page->waits))
		session_ask(t, PRELOAD_ASK_PROCESS, 0, ignored);
}

/* Calls of a signal handler on top of it are not recorded. `image` 0: a new one. */
static void begin_alone(struct thread *t, uint32_t image)
{
	t->is_busy = true;
	SIGNAL_BARRIER();
	begin_thread(t, image ? image : begin_image());
	SIGNAL_BARRIER();
	t->is_busy = false;
}

/* All slots are in use: what is missing is known. Some are free again later. */
static bool leave_out(struct thread *t)
{
	if (t->left_out++ % TRY_AGAIN == 0 && find_slot(t)) {
		t->left_out = 0;
		return true;
	}
	atomic_fetch_add(&head_of_segment()->left_out, 1);
	return false;
}

/* A record begun in the parent's memory goes nowhere: pointers are read again for each word. */
static void session_leave_parent(void)
{
	struct thread *t = &self;

	if (atomic_load(&own_page->image) || !t->image)
		return;
	t->ring = &nowhere_word;
	t->ring_mask = 0;
	t->slot = &nowhere;
}

/* The thread that returns is the only one; a later one may be the first that calls. */
void session_forked(void)
{
	if (is_forked) {
		parent = own_pid;
		own_pid = number_of_thread();
		is_named = true;
	}
	session_leave_parent();
}

bool thread_begin_slow(struct thread *t)
{
	uint32_t image = atomic_load(&own_page->image);

	if (image == IMAGE_OFF || !session_is_on())
		return false;
	/* A signal handler on top of what is done here. In a forked child it returns there. */
	if (t->is_busy) {
		session_leave_parent();
		return image && t->image == image && !t->left_out;
	}
	if (t->image == image && image)
		return t->left_out ? leave_out(t) : true;
	if (!has_started() || atomic_load(&is_probed))
		return false;
	begin_alone(t, image);
	return t->left_out ? leave_out(t) : true;
}

/* Later it would be too late to start. */
static void stay_out(void)
{
	unsigned none = START_NONE;

	if (!atomic_compare_exchange_strong(&start, &none, START_IN_PROGRESS))
		return;
	is_off = true;
	atomic_store(&own_page->image, IMAGE_OFF);
	atomic_store(&start, START_DONE);
}

/* A program that makes no call, or has ended before sooth looks at it, is known by this; one that
 * has a malloc of its own calls nothing here. */
__attribute__((constructor)) static void begin_at_start(void)
{
	if ((atomic_load(&real_is_resolved) || real_resolve()) && real.is_first)
		thread_begin(&self);
	else
		stay_out();
}

/* --- waiting --- */

struct waiting {
	uint64_t begin;
	unsigned steps, beats;
	unsigned moments; /* in the kernel, to their end */
};

static struct waiting begin_waiting(void)
{
	return (struct waiting){ session_ticks(), 0, atomic_load(&sooth_page->heartbeat), 0 };
}

/* The thread gives its CPU away until sooth has changed something, or for a moment. */
static void wait_a_little(struct thread *t, struct waiting *w, unsigned space)
{
	static const struct kernel_time moment = { 0, MOMENT_NS };

	if (UNLIKELY(atomic_load(&t->slot->is_filtered)))
		filter_is_near = true; /* of forked children, too */
	if (filter_is_near) {
		spin_once();
		return;
	}
	atomic_store(&t->slot->is_waiting, 1);
	if (KERNEL(futex, &t->slot->space, FUTEX_WAIT, space, &moment, 0, 0) == -ETIMEDOUT)
		w->moments++;
}

/* False: it was too long, or there is no sooth any more. */
static bool goes_on(struct waiting *w, unsigned seconds)
{
	if (!session_is_on() || w->steps++ == STEPS_MAX ||
		w->moments > seconds * (1000000000u / MOMENT_NS))
		return false;
	return session_ticks() - w->begin <= atomic_load(&sooth_page->second) * seconds;
}

static void turn_off(void)
{
	atomic_store(&own_page->image, IMAGE_OFF);
}

/* Without a sign of life sooth is stopped, and this process goes on alone. */
static void end_waiting(const struct waiting *w)
{
	if (atomic_load(&sooth_page->heartbeat) != w->beats)
		return;
	turn_off();
	atomic_fetch_add(&head_of_segment()->gave_up, 1);
}

/* In that time it would have looked many times. */
static bool is_alive(struct waiting *w)
{
	return atomic_load(&sooth_page->heartbeat) != w->beats || goes_on(w, SILENT_S);
}

/* Whether there is room; a wait ends with the first progress. */
static bool waits_for_progress(struct thread *t)
{
	struct waiting w = begin_waiting();
	uint64_t before = t->tail;

	while (goes_on(&w, WAIT_S) && is_alive(&w)) {
		unsigned space = atomic_load(&t->slot->space);

		t->tail = atomic_load_explicit(&t->slot->tail, memory_order_acquire);
		if (t->tail != before)
			return true;
		wait_a_little(t, &w, space);
	}
	end_waiting(&w);
	t->stalled = before + 1;
	return false;
}

void session_wait_for_room(struct thread *t)
{
	uint64_t words = (uint64_t)t->ring_mask + 1;

	while (atomic_load(&sooth_page->waits) && session_is_on() && t->slot != &nowhere &&
		t->head + words / 8 + PRELOAD_WORDS_MAX - t->tail > words &&
		t->stalled != t->tail + 1) {
		if (!waits_for_progress(t))
			return;
	}
}

bool session_ask(
	struct thread *t, enum preload_ask kind, uint64_t argument, unsigned long long answer[2])
{
	static atomic_uint unanswered;
	struct preload_slot *slot = t->slot;
	struct waiting w = begin_waiting();
	bool is_answered = false;
	unsigned number = ++t->asked;

	if (slot == &nowhere || atomic_load(&unanswered) == UNANSWERED_MAX)
		return false;
	atomic_store(&slot->argument, argument);
	atomic_store(&slot->ask, number << PRELOAD_ASK_NUMBER | kind);
	while (goes_on(&w, ANSWER_S) && is_alive(&w)) {
		unsigned space = atomic_load(&slot->space);

		is_answered = atomic_load(&slot->answered) == number;
		if (is_answered)
			break;
		wait_a_little(t, &w, space);
	}
	atomic_store(&slot->ask, 0);
	for (int i = 0; i < 2; i++)
		answer[i] = is_answered ? atomic_load(&slot->answer[i]) : 0;
	if (!is_answered) {
		atomic_fetch_add(&unanswered, 1);
		end_waiting(&w);
	}
	return is_answered;
}

static void turn_to_probes(uint32_t image)
{
	atomic_store(&own_page->probed, image);
	turn_off();
}

/* Code that a probed process loads later has to be probed, too: its threads ask with the slot that
 * they had or, as in a forked child, a new one. */
static bool begin_to_ask(struct thread *t)
{
	uint32_t image = atomic_load(&own_page->probed);

	if (!atomic_load(&is_probed))
		return thread_begin(t);
	if (is_off || t->is_busy || !session_is_on())
		return false;
	if (!image) {
		session_leave_parent();
		image = begin_image();
		if (image == IMAGE_OFF)
			return false;
		turn_to_probes(image);
	}
	if (t->image != image)
		begin_alone(t, image);
	return !t->left_out;
}

/* Calls that have begun are recorded here to their end. */
void session_calls_around(struct thread *t, uint32_t around)
{
	/* Each allocator is reported; of what else is probed the rest needs none. */
	uint32_t known = atomic_load(&is_probed) ? PRELOAD_AROUND_ALL : atomic_load(&said);
	unsigned long long answer[2] = { 0 };

	if (!(around & (PRELOAD_AROUND_OWN | ~known)))
		return;
	if (!begin_to_ask(t)) {
		if (segment && session_is_on())
			atomic_fetch_or(&head_of_segment()->around, around);
		return;
	}
	if (session_ask(t, PRELOAD_ASK_AROUND, around, answer) && answer[0]) {
		atomic_store(&is_probed, 1);
		turn_to_probes(t->image);
	} else {
		atomic_fetch_or(&head_of_segment()->around, around);
		atomic_fetch_or(&said, around);
	}
}
