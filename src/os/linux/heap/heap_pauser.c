/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/heap/heap_pauser.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/batch.h"
#include "os/linux/bpf/ring_pauser.h"
#include "os/linux/heap/heap_stacks.h"
#include "os/linux/pause/pause.h"

#define LOADING_CALLS_MAX 20000
#define QUEUE_MAX	  64
#define SEIZE_STEP_US	  50
#define INSTRUCTION_MAX	  16 /* bytes */

/* A program to watch while it loads. */
struct loading {
	struct process_id process;
	uint64_t since_ns;
};

struct heap_pauser {
	struct ring_pauser ring;
	struct ring begun;	/* records of programs that begin, see HEAP_BEGUN */
	struct buffer programs; /* these records, as they were read */
	struct heap_state *state;
	heap_pauser_take *take;
	struct heap_attach *attach;
	struct heap_stacks *stacks; /* NULL: not requested */
	struct process_id command;
	volatile bool has_loaded;
	bool has_begun;	       /* the command's own exec was reported */
	int found;	       /* result of the last check: whether an allocator was found */
	bool has_no_allocator; /* no allocator was found in the command */
	int loading;	       /* result of watching the loading */
	struct sooth_error loading_error;
	pthread_mutex_t lock; /* of the queue */
	struct loading queue[QUEUE_MAX];
	size_t queued;
	struct loading now;
};

static void emit_pause(void *user, struct pause_event *event)
{
	struct heap_pauser *p = user;

	event->record.start_ticks = p->command.start_ticks;
	event->record.pid = (uint32_t)p->command.pid;
	event->record.kind = HEAP_PAUSE;
	heap_attach_emit(p->attach, &event->record, sizeof(*event));
}

/* Handles a mapped file, while the program is stopped. Code that the program ran before its first
 * stop was unseen. */
static void on_mapped(void *user, pid_t pid, bool has_run)
{
	struct heap_pauser *p = user;
	struct sooth_error err;

	if (!has_run)
		p->now.since_ns = 0;
	heap_stacks_ahead(p->stacks, pid);
	/* With `only`, the process has inherited no events. */
	if (p->attach->only)
		heap_attach_process(p->attach, &p->now.process, 0, &err);
	p->found = heap_attach_examine(p->attach, &p->now.process, p->now.since_ns, &err);
	if ((p->found == -ESRCH || p->found == -ENOENT) && p->now.since_ns)
		heap_attach_ended(p->attach, &p->now.process, p->now.since_ns);
	p->now.since_ns = 0;
}

static bool next_queued(struct heap_pauser *p)
{
	pthread_mutex_lock(&p->lock);
	if (p->queued) {
		p->now = p->queue[0];
		memmove(p->queue, p->queue + 1, --p->queued * sizeof(p->queue[0]));
	} else {
		p->now = (struct loading){ 0 };
	}
	pthread_mutex_unlock(&p->lock);
	return p->now.process.pid != 0;
}

/* Watches the loading of a program. If that is impossible, the program is examined while it
 * runs. */
static void watch_loading(struct heap_pauser *p)
{
	const volatile bool *cancel = ring_pauser_hold(&p->ring);
	struct sooth_error err;
	pid_t pid = (pid_t)p->now.process.pid;
	int status = pause_loading(pid, false, on_mapped, p, LOADING_CALLS_MAX, cancel, &err);

	ring_pauser_let_go(&p->ring);
	if (status)
		on_mapped(p, pid, true);
}

/* Handles programs that begin in this thread, which has the highest priority: the collector may be
 * late on a busy host. */
static void handle_begun_programs(void *user)
{
	struct heap_pauser *p = user;
	struct batch batch;

	ring_awake(&p->begun);
	buffer_reset(&p->programs);
	ring_read(&p->begun, &p->programs);
	batch = (struct batch){ p->programs.data, p->programs.size };
	batch_for_each (r, &batch)
		p->take(p->state, r);
}

/* Returns whether the thread is still in the function of the loader that reported the libraries. */
static bool is_still_there(const struct heap_loaded *loaded, uint64_t next)
{
	return next && (next == loaded->returns || next - loaded->address < INSTRUCTION_MAX);
}

void heap_pauser_loaded(struct heap_pauser *p, const struct heap_loaded *loaded,
	heap_pauser_examine *examine, void *user)
{
	uint64_t next, since_ns = loaded->record.time_ns;
	bool is_paused = ring_pauser_pause(&p->ring, (pid_t)loaded->record.tid, &next);

	if (is_paused && is_still_there(loaded, next))
		since_ns = 0;
	examine(user, &loaded->record, since_ns);
	if (is_paused)
		ring_pauser_continue(&p->ring);
}

static void watch_queued(void *user)
{
	struct heap_pauser *p = user;

	while (!p->ring.stops && ring_pauser_has_room(&p->ring) && next_queued(p))
		watch_loading(p);
}

static void watch_command(void *user)
{
	struct heap_pauser *p = user;

	heap_attach_hurry(p->attach);
	if (p->has_loaded)
		return;

	p->loading = pause_loading((pid_t)p->command.pid, true, on_mapped, p, LOADING_CALLS_MAX,
		ring_pauser_hold(&p->ring), &p->loading_error);
	ring_pauser_let_go(&p->ring);
	p->has_no_allocator = !p->loading && !p->found;
	p->has_loaded = true;
}

/* Waits until the command is seized, or is known to be never seized: it must not run earlier. */
static void wait_until_seized(const struct heap_pauser *p)
{
	while (!p->has_loaded && !pause_is_seized((pid_t)p->command.pid))
		usleep(SEIZE_STEP_US);
}

static void pauser_free(struct heap_pauser *p)
{
	ring_close(&p->begun);
	buffer_fini(&p->programs);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

int heap_pauser_start(struct heap_state *s, const struct process_id *command, bool is_elsewhere,
	heap_pauser_take *take, struct sooth_error *err)
{
	struct heap_pauser *p = calloc(1, sizeof(*p));
	struct ring_pauser_work work = {
		.begin = watch_command,
		.room = watch_queued,
		.event = handle_begun_programs,
		.report = emit_pause,
		.user = p,
	};
	int status;

	if (!p)
		return error_no_memory(err);
	p->attach = &s->attach;
	p->stacks = s->stacks;
	p->command = *command;
	p->state = s;
	p->take = take;
	p->has_loaded = p->has_begun = is_elsewhere;
	p->now = (struct loading){ .process = *command };
	pthread_mutex_init(&p->lock, NULL);
	status =
		ring_open(&p->begun, bpf_code_map(&s->follow.code, "begun"), HEAP_BEGUN_BYTES, err);
	if (status) {
		free(p);
		return status;
	}
	work.events = p->begun.wake;
	s->pauser = p;
	s->control->has_pauser = true;
	status = ring_pauser_start(&p->ring, &s->follow, &work, err);
	if (status) {
		s->control->has_pauser = false;
		s->pauser = NULL;
		pauser_free(p);
		return status;
	}
	wait_until_seized(p);
	return 0;
}

bool heap_pauser_began(struct heap_pauser *p, const struct process_id *process)
{
	bool is_own;

	if (!p || memcmp(process, &p->command, sizeof(*process)) != 0)
		return false;
	pthread_mutex_lock(&p->lock);
	is_own = !p->has_begun;
	p->has_begun = true;
	pthread_mutex_unlock(&p->lock);
	return is_own;
}

bool heap_pauser_handles(struct heap_pauser *p, const struct process_id *process, uint64_t exec_ns)
{
	bool is_queued;

	if (!p)
		return false;
	pthread_mutex_lock(&p->lock);
	is_queued = p->queued < QUEUE_MAX;
	if (is_queued)
		p->queue[p->queued++] = (struct loading){ *process, exec_ns };
	pthread_mutex_unlock(&p->lock);
	if (is_queued)
		ring_pauser_wake(&p->ring);
	return is_queued;
}

bool heap_pauser_is_loading(struct heap_pauser *p, const struct process_id *process)
{
	bool is;

	if (!p)
		return false;
	pthread_mutex_lock(&p->lock);
	is = !memcmp(&p->now.process, process, sizeof(*process));
	for (size_t i = 0; i < p->queued; i++)
		is |= !memcmp(&p->queue[i].process, process, sizeof(*process));
	pthread_mutex_unlock(&p->lock);
	return is;
}

bool heap_pauser_has_no_allocator(const struct heap_pauser *p)
{
	return p && p->has_loaded && p->has_no_allocator;
}

bool heap_pauser_stop(struct heap_pauser *p, struct sooth_error *refusal)
{
	bool has_failed;

	if (!p)
		return false;
	ring_pauser_stop(&p->ring);
	/* It is no failure if the command, or sooth, ended first. */
	has_failed = p->loading && p->loading != -ESRCH && p->loading != -ECANCELED;
	if (has_failed)
		*refusal = p->loading_error;
	pauser_free(p);
	return has_failed;
}
