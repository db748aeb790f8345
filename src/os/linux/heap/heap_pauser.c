/* SPDX-License-Identifier: BSD-2-Clause */
/* Holding what is observed, losslessly; see heap_pauser.h. */
#include "os/linux/heap/heap_pauser.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/linux/pause/pause.h"
#include "os/linux/bpf/ring_pauser.h"

#define LOADING_CALLS_MAX 20000
#define QUEUE_MAX	  64
#define SEIZE_STEP_US	  50

/* A program to be watched while it loads. */
struct loading {
	struct process_id process;
	uint64_t since_ns;
};

struct heap_pauser {
	struct ring_pauser ring;
	struct heap_attach *attach;
	struct process_id command;
	volatile bool has_loaded;
	int found;     /* by the last look: whether there is an allocator */
	bool is_blind; /* the command has none */
	int loading;   /* what became of it */
	struct sooth_error loading_error;
	pthread_mutex_t lock; /* of the queue */
	struct loading queue[QUEUE_MAX];
	size_t queued;
	struct loading now;
};

static void emit_hold(void *user, struct held *held)
{
	struct heap_pauser *h = user;

	held->record.start_ticks = h->command.start_ticks;
	held->record.pid = (uint32_t)h->command.pid;
	held->record.kind = HEAP_PAUSE;
	heap_attach_emit(h->attach, &held->record, sizeof(*held));
}

/* Called while the program stands. What it ran before it stood the first time was unseen. */
static void mapped(void *user, pid_t pid)
{
	struct heap_pauser *h = user;
	struct sooth_error err;

	(void)pid;
	h->found = heap_attach_look(h->attach, &h->now.process, h->now.since_ns, &err);
	if ((h->found == -ESRCH || h->found == -ENOENT) && h->now.since_ns)
		heap_attach_gone(h->attach, &h->now.process, h->now.since_ns);
	h->now.since_ns = 0;
}

static bool take_queued(struct heap_pauser *h)
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
static void watch_loading(struct heap_pauser *h)
{
	struct sooth_error err;
	pid_t pid = (pid_t)h->now.process.pid;

	if (pause_loading(pid, false, mapped, h, LOADING_CALLS_MAX, &h->ring.stops, &err))
		mapped(h, pid);
}

static void watch_queued(void *user)
{
	struct heap_pauser *h = user;

	while (!h->ring.stops && ring_pauser_has_room(&h->ring) && take_queued(h))
		watch_loading(h);
}

static void watch_command(void *user)
{
	struct heap_pauser *h = user;

	h->loading = pause_loading((pid_t)h->command.pid, true, mapped, h, LOADING_CALLS_MAX,
		&h->ring.stops, &h->loading_error);
	h->is_blind = !h->loading && !h->found;
	h->has_loaded = true;
}

/* The command must not run before it is ours, or is known never to be. */
static void wait_until_seized(const struct heap_pauser *h)
{
	while (!h->has_loaded && !pause_is_seized((pid_t)h->command.pid))
		usleep(SEIZE_STEP_US);
}

int heap_pauser_start(struct heap_pauser **out, struct heap_attach *attach,
	const struct process_id *command, struct sooth_error *err)
{
	struct heap_pauser *h = calloc(1, sizeof(*h));
	const struct ring_pauser_work work = {
		.begin = watch_command, .room = watch_queued, .tell = emit_hold, .user = h
	};
	int status;

	if (!h)
		return error_no_memory(err);
	h->attach = attach;
	h->command = *command;
	h->now = (struct loading){ .process = *command };
	pthread_mutex_init(&h->lock, NULL);
	status = ring_pauser_start(&h->ring, attach->follow, &work, err);
	if (status) {
		free(h);
		return status;
	}
	wait_until_seized(h);
	*out = h;
	return 0;
}

bool heap_pauser_takes(struct heap_pauser *h, const struct process_id *process, uint64_t exec_ns)
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
		ring_pauser_wake(&h->ring);
	return is_taken;
}

bool heap_pauser_is_loading(struct heap_pauser *h, const struct process_id *process)
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

bool heap_pauser_is_blind(const struct heap_pauser *h)
{
	return h && h->has_loaded && h->is_blind;
}

bool heap_pauser_stop(struct heap_pauser *h, struct sooth_error *refusal)
{
	bool has_failed;

	if (!h)
		return false;
	ring_pauser_stop(&h->ring);
	/* That the command ended first, or that we did, is no failure. */
	has_failed = h->loading && h->loading != -ESRCH && h->loading != -ECANCELED;
	if (has_failed)
		*refusal = h->loading_error;
	free(h);
	return has_failed;
}
