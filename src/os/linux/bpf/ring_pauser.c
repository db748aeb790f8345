/* SPDX-License-Identifier: BSD-2-Clause */
/* Holding what is followed while the ring is full; see ring_pauser.h. */
#include "os/linux/bpf/ring_pauser.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/units.h"
#include "os/linux/pause/pause.h"

#define STOP_TIMEOUT_NS (20 * NS_PER_MS)
#define IDLE_MS		100
#define NEAR_MS		1 /* looked at this often once the ring fills */
#define DRAIN_STEP_US	200
#define STEPS_TO_LOOK	5 /* threads that woke up meanwhile are looked for each millisecond */

static uint64_t size_of(const struct ring_pauser *h)
{
	return h->follow->ring.size;
}

static uint64_t waiting(const struct ring_pauser *h)
{
	return ring_waiting(&h->follow->ring);
}

bool ring_pauser_has_room(const struct ring_pauser *h)
{
	return waiting(h) <= size_of(h) / 2;
}

static void measure_rate(struct ring_pauser *h)
{
	uint64_t now = clock_monotonic_ns(), produced = ring_produced(&h->follow->ring);

	if (now > h->produced_ns)
		h->rate = (double)(produced - h->produced) / (double)(now - h->produced_ns);
	h->produced = produced;
	h->produced_ns = now;
}

/* Threads on a processor, or waiting for one: those that sleep make nothing. */
static uint32_t take_running(struct ring_pauser *h)
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
			taken = pause_take(
				h->hold, (const void *)tids.data, tids.size / sizeof(pid_t));
	}
	buffer_fini(&list);
	buffer_fini(&tids);
	return (uint32_t)taken;
}

static void tell(struct ring_pauser *h, struct held *held)
{
	held->record.time_ns = clock_monotonic_ns();
	held->record.cpu = SOOTH_CPU_NONE;
	held->refused = (uint32_t)pause_refused(h->hold);
	held->lost = h->follow->control->lost_records;
	h->work.tell(h->work.user, held);
}

/* More than half full: hold, until an eighth is left. */
static void hold_until_drained(struct ring_pauser *h)
{
	struct held held = { .asked_ns = clock_monotonic_ns() };
	uint64_t left = size_of(h) - waiting(h);

	measure_rate(h);
	held.reserve_ns = h->rate > 0 ? (uint64_t)((double)left / h->rate) : 0;
	held.threads = take_running(h);
	pause_wait(h->hold, STOP_TIMEOUT_NS);
	held.stopped_ns = clock_monotonic_ns();
	for (unsigned step = 1; waiting(h) > size_of(h) / 8 && !h->stops; step++) {
		usleep(DRAIN_STEP_US);
		if (step % STEPS_TO_LOOK == 0)
			held.threads += take_running(h);
	}
	pause_release(h->hold);
	if (held.threads || pause_refused(h->hold))
		tell(h, &held);
	measure_rate(h);
}

static void serve(struct ring_pauser *h)
{
	struct pollfd polled[] = { { .fd = h->wake, .events = POLLIN },
		{ .fd = h->filling, .events = POLLIN } };

	while (!h->stops) {
		bool is_near = pause_reap(h->hold) || waiting(h) > size_of(h) / 4;
		uint64_t wakes;

		poll(polled, ARRAY_SIZE(polled), is_near ? NEAR_MS : IDLE_MS);
		(void)!read(h->wake, &wakes, sizeof(wakes));
		ring_forget(h->filling);
		if (!ring_pauser_has_room(h))
			hold_until_drained(h);
		else
			measure_rate(h);
		if (!h->stops && h->work.room && ring_pauser_has_room(h))
			h->work.room(h->work.user);
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
	struct ring_pauser *h = user;
	struct sooth_error ignored;

	hurry();
	if (h->work.begin)
		h->work.begin(h->work.user);
	if (!pause_new(&h->hold, &ignored))
		serve(h);
	pause_free(TAKE_PTR(h->hold)); /* by whom they were seized */
	return NULL;
}

static void close_all(struct ring_pauser *h)
{
	if (h->wake >= 0)
		close(h->wake);
	if (h->filling >= 0)
		close(h->filling);
}

static int start(struct ring_pauser *h, struct sooth_error *err)
{
	int code;

	h->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (h->wake < 0)
		return error_errno(err, -errno, "make an eventfd");
	h->filling = ring_watch(bpf_code_map(&h->follow->code, "ring"));
	if (h->filling < 0)
		return error_errno(err, h->filling, "wait for the ring");
	code = pthread_create(&h->thread, NULL, run, h);
	return code ? error_errno(err, -code, "start a thread that holds others") : 0;
}

int ring_pauser_start(struct ring_pauser *h, struct follow *follow,
	const struct ring_pauser_work *work, struct sooth_error *err)
{
	int status;

	*h = (struct ring_pauser){ .follow = follow, .work = *work, .wake = -1, .filling = -1 };
	status = start(h, err);
	if (status)
		close_all(h);
	return status;
}

void ring_pauser_wake(struct ring_pauser *h)
{
	(void)!write(h->wake, &(uint64_t){ 1 }, sizeof(uint64_t));
}

void ring_pauser_stop(struct ring_pauser *h)
{
	h->stops = true;
	ring_pauser_wake(h);
	pthread_join(h->thread, NULL);
	close_all(h);
}
