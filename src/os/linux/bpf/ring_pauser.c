/* SPDX-License-Identifier: BSD-2-Clause */
/* Pauses what is followed while the ring is full. */
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

#define STOP_TIMEOUT_NS	 (20 * NS_PER_MS)
#define IDLE_MS		 100
#define FILLING_MS	 1 /* polling interval once the ring fills */
#define DRAIN_STEP_US	 200
#define STEPS_PER_SEARCH 5 /* newly woken threads are looked for each millisecond */

static uint64_t size_of(const struct ring_pauser *p)
{
	return p->follow->ring.size;
}

static uint64_t waiting(const struct ring_pauser *p)
{
	return ring_waiting(&p->follow->ring);
}

bool ring_pauser_has_room(const struct ring_pauser *p)
{
	return waiting(p) <= size_of(p) / 2;
}

static void measure_rate(struct ring_pauser *p)
{
	uint64_t now = clock_monotonic_ns(), produced = ring_produced(&p->follow->ring);

	if (now > p->produced_ns)
		p->rate = (double)(produced - p->produced) / (double)(now - p->produced_ns);
	p->produced = produced;
	p->produced_ns = now;
}

/* Threads on a CPU, or waiting for one: sleeping ones produce nothing. */
static uint32_t pause_running(struct ring_pauser *p)
{
	struct buffer list = { 0 }, tids = { 0 };
	struct sooth_error ignored;
	size_t paused = 0;

	if (!follow_list(p->follow, &list, &ignored)) {
		const struct follow_listed *threads = (const void *)list.data;

		for (size_t i = 0; i < list.size / sizeof(*threads); i++) {
			pid_t tid = (pid_t)threads[i].tid;

			if (threads[i].is_running)
				buffer_append(&tids, &tid, sizeof(tid));
		}
		if (tids.size)
			paused = pause_threads(
				p->pause, (const void *)tids.data, tids.size / sizeof(pid_t));
	}
	buffer_fini(&list);
	buffer_fini(&tids);
	return (uint32_t)paused;
}

static void report_pause(struct ring_pauser *p, struct pause_event *event)
{
	event->record.time_ns = clock_monotonic_ns();
	event->record.cpu = SOOTH_CPU_NONE;
	event->refused = (uint32_t)pause_refused(p->pause);
	event->lost = p->follow->control->lost_records;
	p->work.report(p->work.user, event);
}

/* More than half full: pause, until an eighth is left. */
static void pause_until_drained(struct ring_pauser *p)
{
	struct pause_event event = { .asked_ns = clock_monotonic_ns() };
	uint64_t left = size_of(p) - waiting(p);

	ring_pauser_hold(p);
	measure_rate(p);
	event.reserve_ns = p->rate > 0 ? (uint64_t)((double)left / p->rate) : 0;
	event.threads = pause_running(p);
	pause_wait(p->pause, STOP_TIMEOUT_NS);
	event.stopped_ns = clock_monotonic_ns();
	for (unsigned step = 1;
		waiting(p) > size_of(p) / 8 && !p->stops && !pause_guard_asks(&p->guard); step++) {
		usleep(DRAIN_STEP_US);
		if (step % STEPS_PER_SEARCH == 0)
			event.threads += pause_running(p);
	}
	pause_release(p->pause);
	ring_pauser_let_go(p);
	if (event.threads || pause_refused(p->pause))
		report_pause(p, &event);
	measure_rate(p);
}

const volatile bool *ring_pauser_hold(struct ring_pauser *p)
{
	pause_guard_set(&p->guard, true);
	return &p->guard.state->releases;
}

void ring_pauser_let_go(struct ring_pauser *p)
{
	pause_guard_set(&p->guard, false);
}

static void serve(struct ring_pauser *p)
{
	struct pollfd polled[] = { { .fd = p->wake, .events = POLLIN },
		{ .fd = p->filling, .events = POLLIN } };

	while (!p->stops) {
		bool is_filling = pause_reap(p->pause) || waiting(p) > size_of(p) / 4;
		uint64_t wakes;

		poll(polled, ARRAY_SIZE(polled), is_filling ? FILLING_MS : IDLE_MS);
		(void)!read(p->wake, &wakes, sizeof(wakes));
		ring_forget(p->filling);
		if (!ring_pauser_has_room(p) && !pause_guard_asks(&p->guard))
			pause_until_drained(p);
		else
			measure_rate(p);
		if (!p->stops && p->work.room && ring_pauser_has_room(p))
			p->work.room(p->work.user);
	}
}

/* Highest priority: a pauser that waits for its turn behind the threads it has to pause is late. */
static void raise_priority(void)
{
	struct sched_param first = { .sched_priority = 1 };

	pthread_setschedparam(pthread_self(), SCHED_FIFO, &first);
}

static void *run(void *user)
{
	struct ring_pauser *p = user;
	struct sooth_error ignored;

	raise_priority();
	if (p->work.begin)
		p->work.begin(p->work.user);
	if (!pause_new(&p->pause, &ignored))
		serve(p);
	pause_free(TAKE_PTR(p->pause)); /* only this thread, which seized them, may release them */
	return NULL;
}

static void close_all(struct ring_pauser *p)
{
	if (p->wake >= 0)
		close(p->wake);
	if (p->filling >= 0)
		close(p->filling);
	pause_guard_end(&p->guard);
}

static int start(struct ring_pauser *p, struct sooth_error *err)
{
	int code;

	p->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (p->wake < 0)
		return error_errno(err, -errno, "make an eventfd");
	p->filling = ring_watch(bpf_code_map(&p->follow->code, "ring"));
	if (p->filling < 0)
		return error_errno(err, p->filling, "wait for the ring");
	if (pause_guard_start(&p->guard, err))
		return -EIO;
	code = pthread_create(&p->thread, NULL, run, p);
	return code ? error_errno(err, -code, "start the thread that pauses the target") : 0;
}

int ring_pauser_start(struct ring_pauser *p, struct follow *follow,
	const struct ring_pauser_work *work, struct sooth_error *err)
{
	int status;

	*p = (struct ring_pauser){ .follow = follow, .work = *work, .wake = -1, .filling = -1 };
	status = start(p, err);
	if (status)
		close_all(p);
	return status;
}

void ring_pauser_wake(struct ring_pauser *p)
{
	(void)!write(p->wake, &(uint64_t){ 1 }, sizeof(uint64_t));
}

void ring_pauser_stop(struct ring_pauser *p)
{
	p->stops = true;
	pause_guard_cancel(&p->guard);
	ring_pauser_wake(p);
	pthread_join(p->thread, NULL);
	close_all(p);
}
