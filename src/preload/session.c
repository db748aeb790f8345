/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that the threads of a program share with sooth. All of it is mapped at the start
 * (connect.h); a thread or forked child takes a slot when it first calls an observed function. A
 * thread waits for sooth by reading memory; futex(2) only shortens the wait.
 */
#include "preload/connect.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sys/mman.h>

#include "preload/kernel_calls.h"
#include "preload/loaded.h"

#define MOMENT_NS      10000000
#define SILENT_S       2	  /* without a heartbeat for so long, sooth is stopped */
#define STEPS_MAX      (1u << 26) /* most steps of a wait, whatever the clock says */
#define WAIT_S	       10	  /* wait for sooth while it runs, but reads nothing */
#define ANSWER_S       2
#define UNANSWERED_MAX 3   /* requests without an answer; then no more are sent */
#define TRY_AGAIN      64  /* calls of a thread without a slot until it searches again */
#define THREAD_FROM    704 /* glibc: behind the members that the compiler knows */
#define THREAD_SIZE    1024
#define SMALL_FROM     24 /* musl */
#define SMALL_SIZE     96

__thread struct thread self __attribute__((tls_model("initial-exec")));

static struct own_page no_page;
struct own_page *own_page = &no_page;
/* Used until sooth's page is mapped: on, so that only the real page can turn recording off. */
static const struct preload_page no_sooth_page = { .is_on = 1 };
const struct preload_page *sooth_page = &no_sooth_page;
bool clock_is_off, filter_is_near;

enum { START_NONE, START_IN_PROGRESS, START_DONE };

static atomic_uint start;
static bool is_off;	      /* recording is off, in this process and its children */
static atomic_uint is_probed; /* all calls are probed, in this process and its children */
static atomic_uint said;      /* PRELOAD_AROUND_* that sooth knows but does not probe */
static atomic_uint images;    /* the last number given to an image; a forked child goes on */
static unsigned char *segment;
static struct thread_calls *calls;
static struct thread_stacks *stacks;
static int32_t
	number_at; /* distance from the thread pointer to the result of gettid(2); 0: not known */
static uint32_t own_pid, parent; /* PIDs of this image, and of its parent */
static bool is_named;		 /* `own_pid` is known: fork() made the child */
static bool is_forked;		 /* an image that begins now is a forked one */

/* A child that was forked while a call was being written writes the rest here. */
static struct preload_slot nowhere;
static uint64_t nowhere_word;

extern const char *gnu_get_libc_version(void) __attribute__((weak));

/* --- what a thread is --- */

static uint32_t number_of_thread(void)
{
	const char *at = (const char *)__builtin_thread_pointer() + number_at;

	return number_at ? *(const volatile uint32_t *)(const void *)at : 0;
}

/* Finds where the C library keeps gettid(2) in its structure of the thread. Since glibc 2.34 a
 * symbol for debuggers has the place (bits, count, offset); else the structure is searched. */
static void find_number(void)
{
	const uint32_t *field = real_behind("_thread_db_pthread_tid");
	const uint32_t *size = real_behind("_thread_db_sizeof_pthread");
	int32_t from = gnu_get_libc_version ? THREAD_FROM : SMALL_FROM;
	int32_t to = gnu_get_libc_version ? THREAD_SIZE : SMALL_SIZE;
	uint32_t number = (uint32_t)KERNEL(gettid, 0, 0, 0, 0, 0, 0);

#if !defined(__x86_64__)
	to = from; /* not searched: here it is before the thread pointer */
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

/* Makes a page that is zero in a forked child. */
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

static bool start_recording(void)
{
	struct connection connection;

	if (!connect_to_sooth(&connection))
		return false;
	sooth_page = connection.sooth_page;
	segment = connection.segment;
	clock_is_off = !connect_clock_is_on(); /* before anything reads it */
	if (!make_page() || !make_memory())
		return false;
	find_number();
	own_pid = (uint32_t)KERNEL(getpid, 0, 0, 0, 0, 0, 0);
	loaded_begin();
	return true;
}

/* Returns whether the library has started. The first thread starts it; others are left out. */
static bool has_started(void)
{
	unsigned none = START_NONE;

	if (atomic_load(&start) == START_DONE)
		return !is_off;
	if (!atomic_compare_exchange_strong(&start, &none, START_IN_PROGRESS))
		return false;
	is_off = !start_recording();
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

static void claim_slot(struct thread *t, unsigned number)
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
		claim_slot(t, k);
		return true;
	}
	return false;
}

/* Begins the image of a process. The PID of a child is unknown (0) without the C library's fork(),
 * because the library still has that of the parent. */
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
	is_forked = true; /* any later image is forked */
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
	/* Ask now: sooth could not find the process once it has ended. */
	if (!own_pid && !t->left_out && atomic_load(&sooth_page->waits))
		session_ask(t, PRELOAD_ASK_PROCESS, 0, ignored);
}

/* Begins a thread; calls of signal handlers meanwhile are not recorded. `image` 0: a new one. */
static void begin_alone(struct thread *t, uint32_t image)
{
	t->is_busy = true;
	SIGNAL_BARRIER();
	begin_thread(t, image ? image : begin_image());
	SIGNAL_BARRIER();
	t->is_busy = false;
}

/* Counts a call without a slot. Sometimes it searches for a slot that has become free. */
static bool count_call_without_slot(struct thread *t)
{
	if (t->left_out++ % TRY_AGAIN == 0 && find_slot(t)) {
		t->left_out = 0;
		return true;
	}
	atomic_fetch_add(&head_of_segment()->left_out, 1);
	return false;
}

/* Makes a forked child write the rest of a begun record to `nowhere`, not to the parent's ring. */
static void session_leave_parent(void)
{
	struct thread *t = &self;

	if (atomic_load(&own_page->image) || !t->image)
		return;
	t->ring = &nowhere_word;
	t->ring_mask = 0;
	t->slot = &nowhere;
}

/* Notes the PID now, while the returning thread is the only one of the child. */
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
	/* A signal handler that interrupted this library, and may have forked. */
	if (t->is_busy) {
		session_leave_parent();
		return image && t->image == image && !t->left_out;
	}
	if (t->image == image && image)
		return t->left_out ? count_call_without_slot(t) : true;
	if (!has_started() || atomic_load(&is_probed))
		return false;
	begin_alone(t, image);
	return t->left_out ? count_call_without_slot(t) : true;
}

/* Turns recording off, if it has not started by now. */
static void disable_recording(void)
{
	unsigned none = START_NONE;

	if (!atomic_compare_exchange_strong(&start, &none, START_IN_PROGRESS))
		return;
	is_off = true;
	atomic_store(&own_page->image, IMAGE_OFF);
	atomic_store(&start, START_DONE);
}

/* Begins at program start, so that sooth knows also a program that makes no call, or ends soon. A
 * program with its own malloc never calls this library, and is left out. */
__attribute__((constructor)) static void begin_at_start(void)
{
	if ((atomic_load(&real_is_resolved) || real_resolve()) && real.is_first)
		thread_begin(&self);
	else
		disable_recording();
}

/* --- waiting --- */

struct waiting {
	uint64_t begin;
	unsigned steps;
	unsigned moments; /* waits in the kernel that timed out */
	/* The last heartbeat of sooth: its number, and when it was first seen. */
	uint64_t beat_ticks;
	unsigned beats, beat_moments;
};

static struct waiting begin_waiting(void)
{
	uint64_t now = session_ticks();

	return (struct waiting){
		.begin = now, .beat_ticks = now, .beats = atomic_load(&sooth_page->heartbeat)
	};
}

/* Gives the CPU away for a moment, or until sooth changes something. */
static void wait_a_little(struct thread *t, struct waiting *w, unsigned space)
{
	static const struct kernel_time moment = { 0, MOMENT_NS };

	if (UNLIKELY(atomic_load(&t->slot->is_filtered)))
		filter_is_near = true; /* also for forked children */
	if (filter_is_near) {
		spin_once();
		return;
	}
	atomic_store(&t->slot->is_waiting, 1);
	if (KERNEL(futex, &t->slot->space, FUTEX_WAIT, space, &moment, 0, 0) == -ETIMEDOUT)
		w->moments++;
}

static bool is_over(const struct waiting *w, unsigned moments, uint64_t ticks, unsigned seconds)
{
	return w->moments - moments > seconds * (1000000000u / MOMENT_NS) ||
	       session_ticks() - ticks > atomic_load(&sooth_page->second) * seconds;
}

/* Returns whether to wait on; false: the time is over, or sooth has ended. */
static bool waits_longer(struct waiting *w, unsigned seconds)
{
	return session_is_on() && w->steps++ != STEPS_MAX && !is_over(w, 0, w->begin, seconds);
}

/* Returns whether sooth is stopped: its last heartbeat is too long ago. */
static bool is_silent(struct waiting *w)
{
	unsigned beats = atomic_load(&sooth_page->heartbeat);

	if (beats != w->beats) {
		w->beats = beats;
		w->beat_ticks = session_ticks();
		w->beat_moments = w->moments;
	}
	return is_over(w, w->beat_moments, w->beat_ticks, SILENT_S);
}

static void turn_recording_off(void)
{
	atomic_store(&own_page->image, IMAGE_OFF);
}

/* Turns recording off if sooth is stopped: no other call waits for it. */
static void end_waiting(struct waiting *w)
{
	if (!is_silent(w))
		return;
	turn_recording_off();
	atomic_fetch_add(&head_of_segment()->gave_up, 1);
}

/* Waits until sooth has read something. False: there was no progress. */
static bool waits_for_progress(struct thread *t)
{
	struct waiting w = begin_waiting();
	uint64_t before = t->tail;

	while (waits_longer(&w, WAIT_S) && !is_silent(&w)) {
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
	while (waits_longer(&w, ANSWER_S) && !is_silent(&w)) {
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
	turn_recording_off();
}

/* Readies a request. Threads of a probed process ask too, because code that is loaded later has to
 * be probed. They use their old slot or, as in a forked child, a new one. */
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

/* Notes that calls miss the library. A call that has begun is still recorded here. */
void session_calls_around(struct thread *t, uint32_t around)
{
	/* Each new allocator is reported. Other reasons are reported only once. */
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
