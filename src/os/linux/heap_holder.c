/* SPDX-License-Identifier: BSD-2-Clause */
/* Holding what is observed, losslessly; see heap_holder.h. */
#include "os/linux/heap_holder.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/units.h"
#include "os/linux/hold.h"

#define LOADING_CALLS_MAX 20000
#define STOP_PATIENCE_NS  (20 * NS_PER_MS)
#define QUEUE_MAX	  64
#define IDLE_MS		  100
#define NEAR_MS		  1 /* looked at this often once the ring fills */
#define DRAIN_STEP_US	  200
#define SEIZE_STEP_US	  50
#define STEPS_TO_LOOK	  5 /* threads that woke up meanwhile are looked for each millisecond */

/* A program to be watched while it loads. */
struct loading {
	struct process_id process;
	uint64_t since_ns;
};

struct heap_holder {
	pthread_t thread;
	struct heap_attach *attach;
	struct follow *follow;
	struct process_id command;
	struct hold *hold;
	int wake;	     /* an eventfd: it is time to end */
	int filling;	     /* readable when the ring has grown */
	volatile bool stops; /* set before wake */
	volatile bool has_loaded;
	int found;     /* by the last look: whether there is an allocator */
	bool is_blind; /* the command has none */
	int loading;   /* what became of it */
	struct sooth_error loading_error;
	pthread_mutex_t lock; /* of the queue */
	struct loading queue[QUEUE_MAX];
	size_t queued;
	struct loading now;
	uint64_t produced, produced_ns; /* when last looked at */
	double rate;			/* bytes a ns */
};

static uint64_t size_of(const struct heap_holder *h)
{
	return h->follow->ring.size;
}

static uint64_t waiting(const struct heap_holder *h)
{
	return ring_waiting(&h->follow->ring);
}

static void measure_rate(struct heap_holder *h)
{
	uint64_t now = clock_monotonic_ns(), produced = ring_produced(&h->follow->ring);

	if (now > h->produced_ns)
		h->rate = (double)(produced - h->produced) / (double)(now - h->produced_ns);
	h->produced = produced;
	h->produced_ns = now;
}

/* Threads on a processor, or waiting for one: those that sleep make nothing. */
static uint32_t take_running(struct heap_holder *h)
{
	struct buffer list = { 0 }, tids = { 0 };
	struct sooth_error ignored;
	size_t taken = 0;

	if (!follow_list(h->follow, &list, &ignored)) {
		const struct follow_listed *threads = (const void *)list.data;

		for (size_t i = 0; i < list.size / sizeof(*threads); i++) {
			pid_t tid = (pid_t)threads[i].tid;

			if (threads[i].is_running)
				buffer_append(&tids, &tid, sizeof(tid));
		}
		if (tids.size)
			taken = hold_take(
				h->hold, (const void *)tids.data, tids.size / sizeof(pid_t));
	}
	buffer_fini(&list);
	buffer_fini(&tids);
	return (uint32_t)taken;
}

static void tell_hold(struct heap_holder *h, struct heap_hold *held)
{
	held->record = (struct sooth_record){ .time_ns = clock_monotonic_ns(),
		.start_ticks = h->command.start_ticks,
		.pid = (uint32_t)h->command.pid,
		.kind = HEAP_HOLD,
		.cpu = SOOTH_CPU_NONE };
	held->refused = (uint32_t)hold_refused(h->hold);
	held->lost = h->follow->control->lost_records;
	heap_attach_tell(h->attach, &held->record, sizeof(*held));
}

/* More than half full: hold, until an eighth is left. */
static void hold_until_drained(struct heap_holder *h)
{
	struct heap_hold held = { .asked_ns = clock_monotonic_ns() };
	uint64_t left = size_of(h) - waiting(h);

	measure_rate(h);
	held.reserve_ns = h->rate > 0 ? (uint64_t)((double)left / h->rate) : 0;
	held.threads = take_running(h);
	hold_wait(h->hold, STOP_PATIENCE_NS);
	held.stopped_ns = clock_monotonic_ns();
	for (unsigned step = 1; waiting(h) > size_of(h) / 8 && !h->stops; step++) {
		usleep(DRAIN_STEP_US);
		if (step % STEPS_TO_LOOK == 0)
			held.threads += take_running(h);
	}
	hold_release(h->hold);
	if (held.threads || hold_refused(h->hold))
		tell_hold(h, &held);
	measure_rate(h);
}

/* Called while the program stands. What it ran before it stood the first time was unseen. */
static void mapped(void *user, pid_t pid)
{
	struct heap_holder *h = user;
	struct sooth_error err;

	(void)pid;
	h->found = heap_attach_look(h->attach, &h->now.process, h->now.since_ns, &err);
	if ((h->found == -ESRCH || h->found == -ENOENT) && h->now.since_ns)
		heap_attach_gone(h->attach, &h->now.process, h->now.since_ns);
	h->now.since_ns = 0;
}

static bool take_queued(struct heap_holder *h)
{
	pthread_mutex_lock(&h->lock);
	if (h->queued) {
		h->now = h->queue[0];
		memmove(h->queue, h->queue + 1, --h->queued * sizeof(h->queue[0]));
	} else {
		h->now = (struct loading){ 0 };
	}
	pthread_mutex_unlock(&h->lock);
	return h->now.process.pid != 0;
}

/* One that cannot be watched is looked at as it runs. */
static void watch_loading(struct heap_holder *h)
{
	struct sooth_error err;
	pid_t pid = (pid_t)h->now.process.pid;

	if (hold_loading(pid, false, mapped, h, LOADING_CALLS_MAX, &h->stops, &err))
		mapped(h, pid);
}

static void serve(struct heap_holder *h)
{
	struct pollfd polled[] = { { .fd = h->wake, .events = POLLIN },
		{ .fd = h->filling, .events = POLLIN } };

	while (!h->stops) {
		bool is_near = hold_reap(h->hold) || waiting(h) > size_of(h) / 4;
		uint64_t wakes;

		poll(polled, 2, is_near ? NEAR_MS : IDLE_MS);
		(void)!read(h->wake, &wakes, sizeof(wakes));
		ring_forget(h->filling);
		if (waiting(h) > size_of(h) / 2)
			hold_until_drained(h);
		else
			measure_rate(h);
		while (!h->stops && waiting(h) <= size_of(h) / 2 && take_queued(h))
			watch_loading(h);
	}
}

/* First of all: a holder that waits for its turn behind those it has to hold is late. */
static void hurry(void)
{
	struct sched_param first = { .sched_priority = 1 };

	pthread_setschedparam(pthread_self(), SCHED_FIFO, &first);
}

static void *run(void *user)
{
	struct heap_holder *h = user;
	struct sooth_error ignored;

	hurry();
	h->loading = hold_loading((pid_t)h->command.pid, true, mapped, h, LOADING_CALLS_MAX,
		&h->stops, &h->loading_error);
	h->is_blind = !h->loading && !h->found;
	h->has_loaded = true;
	if (!hold_new(&h->hold, &ignored))
		serve(h);
	hold_free(TAKE_PTR(h->hold)); /* by whom they were seized */
	return NULL;
}

static void free_holder(struct heap_holder *h)
{
	hold_free(h->hold);
	if (h->wake >= 0)
		close(h->wake);
	if (h->filling >= 0)
		close(h->filling);
	free(h);
}

/* The command must not run before it is ours, or is known never to be. */
static void wait_until_seized(const struct heap_holder *h)
{
	while (!h->has_loaded && !hold_is_seized((pid_t)h->command.pid))
		usleep(SEIZE_STEP_US);
}

static int start(struct heap_holder *h, struct sooth_error *err)
{
	int code;

	h->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (h->wake < 0)
		return error_errno(err, -errno, "make an eventfd");
	h->filling = ring_watch(bpf_code_map(&h->follow->code, "ring"));
	if (h->filling < 0)
		return error_errno(err, h->filling, "wait for the ring");
	code = pthread_create(&h->thread, NULL, run, h);
	return code ? error_errno(err, -code, "start a thread that holds the command") : 0;
}

int heap_holder_start(struct heap_holder **out, struct heap_attach *attach,
	const struct process_id *command, struct sooth_error *err)
{
	struct heap_holder *h = calloc(1, sizeof(*h));
	int status;

	if (!h)
		return error_no_memory(err);
	*h = (struct heap_holder){ .attach = attach,
		.follow = attach->follow,
		.command = *command,
		.now = { .process = *command },
		.wake = -1,
		.filling = -1 };
	pthread_mutex_init(&h->lock, NULL);
	status = start(h, err);
	if (status) {
		free_holder(h);
		return status;
	}
	wait_until_seized(h);
	*out = h;
	return 0;
}

bool heap_holder_takes(struct heap_holder *h, const struct process_id *process, uint64_t exec_ns)
{
	bool is_taken;

	if (!h)
		return false;
	if (!h->has_loaded && !memcmp(process, &h->command, sizeof(*process)))
		return true;
	pthread_mutex_lock(&h->lock);
	is_taken = h->queued < QUEUE_MAX;
	if (is_taken)
		h->queue[h->queued++] = (struct loading){ *process, exec_ns };
	pthread_mutex_unlock(&h->lock);
	if (is_taken)
		(void)!write(h->wake, &(uint64_t){ 1 }, sizeof(uint64_t));
	return is_taken;
}

bool heap_holder_is_loading(struct heap_holder *h, const struct process_id *process)
{
	bool is;

	if (!h)
		return false;
	pthread_mutex_lock(&h->lock);
	is = !memcmp(&h->now.process, process, sizeof(*process));
	for (size_t i = 0; i < h->queued; i++)
		is |= !memcmp(&h->queue[i].process, process, sizeof(*process));
	pthread_mutex_unlock(&h->lock);
	return is;
}

bool heap_holder_is_blind(const struct heap_holder *h)
{
	return h && h->has_loaded && h->is_blind;
}

bool heap_holder_stop(struct heap_holder *h, struct sooth_error *refusal)
{
	bool has_failed;

	if (!h)
		return false;
	h->stops = true;
	(void)!write(h->wake, &(uint64_t){ 1 }, sizeof(uint64_t));
	pthread_join(h->thread, NULL);
	/* That the command ended first, or that we did, is no failure. */
	has_failed = h->loading && h->loading != -ESRCH && h->loading != -ECANCELED;
	if (has_failed)
		*refusal = h->loading_error;
	free_holder(h);
	return has_failed;
}
