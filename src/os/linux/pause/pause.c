/* SPDX-License-Identifier: BSD-2-Clause */
/* Holding threads; see pause.h. */
#include "os/linux/pause/pause.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/map.h"
#include "os/linux/pause/pause_ptrace.h"
#include "os/linux/pause/pause_rescue.h"

#define THREADS_MAX ((size_t)1 << 17)
#define REFUSED_MAX ((size_t)1 << 16)
#define SPIN_NS	    10000 /* a thread that runs on another processor stops sooner */
#define DETACHED_NS 1000000000ULL
#define FREE_NS	    100000000ULL

struct thread {
	bool is_selected;
	bool stands;
	int signal; /* to be delivered when it goes on, or 0 */
};

struct pause {
	struct map threads; /* pid_t to struct thread: all that are traced */
	struct map refused; /* pid_t to a byte */
	size_t refusals;
	size_t wanted, standing;
	/* A thread that execs takes the tid of its process: one that was to stop may do so
	 * under a name that nobody asked for. */
	size_t detached;
	uint64_t detached_until_ns;
	struct rescue rescue;
	/* Of `threads` in pause_take(), the only time when two threads look at them. */
	pthread_mutex_t lock;
	bool is_seizing;
};

static void reap_ended(void *user)
{
	struct pause *h = user;
	const void *key;

	pthread_mutex_lock(&h->lock);
	/* Not when pause_take() has come through meanwhile. */
	for (size_t at = 0; h->is_seizing && map_next(&h->threads, &at, &key, NULL);)
		pause_reap_ended(*(const pid_t *)key);
	pthread_mutex_unlock(&h->lock);
}

int pause_new(struct pause **out, struct sooth_error *err)
{
	struct pause *h = calloc(1, sizeof(*h));
	int code;

	if (!h)
		return error_no_memory(err);
	map_init(&h->threads, sizeof(pid_t), sizeof(struct thread), THREADS_MAX);
	map_init(&h->refused, sizeof(pid_t), 1, REFUSED_MAX);
	pthread_mutex_init(&h->lock, NULL);
	code = rescue_start(&h->rescue, reap_ended, h);
	if (code) {
		pthread_mutex_destroy(&h->lock);
		free(h);
		return error_errno(err, code, "start a thread that guards the seizing");
	}
	*out = h;
	return 0;
}

static void refuse(struct pause *h, pid_t tid)
{
	bool is_new;

	map_put(&h->refused, &tid, &is_new);
	h->refusals += is_new;
}

/* Under the lock, but for the seizing. */
static int seize(struct pause *h, pid_t tid)
{
	int code;

	pthread_mutex_unlock(&h->lock);
	code = pause_seize(tid, 0);
	if (!code)
		ptrace(PTRACE_INTERRUPT, tid, NULL, NULL); /* fails when it ended: seen later */
	pthread_mutex_lock(&h->lock);
	return code;
}

static bool take(struct pause *h, pid_t tid)
{
	bool is_new;
	struct thread *t = map_put(&h->threads, &tid, &is_new);
	int code = !t ? -ENOMEM : is_new ? seize(h, tid) : 0;

	if (code) {
		if (t)
			map_remove(&h->threads, &tid);
		if (code != -ESRCH)
			refuse(h, tid);
		return false;
	}
	if (t->is_selected)
		return false;
	t->is_selected = true;
	h->wanted++;
	return true;
}

size_t pause_take(struct pause *h, const pid_t *tids, size_t count)
{
	size_t asked = 0;

	pthread_mutex_lock(&h->lock);
	h->is_seizing = true;
	rescue_guard(&h->rescue, true);
	for (size_t i = 0; i < count; i++)
		asked += take(h, tids[i]);
	rescue_guard(&h->rescue, false);
	h->is_seizing = false;
	pthread_mutex_unlock(&h->lock);
	return asked;
}

static void drop(struct pause *h, pid_t tid, const struct thread *t)
{
	h->wanted -= t->is_selected;
	h->standing -= t->stands;
	map_remove(&h->threads, &tid);
}

static void look_at(struct pause *h, pid_t tid, struct thread *t)
{
	struct pause_stop stop;

	switch (pause_look(tid, &stop)) {
	case PAUSE_STANDS:
		if (t->is_selected) {
			t->stands = true;
			t->signal = stop.signal;
			h->standing++;
		} else if (pause_detach(tid, stop.signal)) {
			drop(h, tid, t);
		}
		return;
	case PAUSE_RUNS:
		/* A child of this very thread whose tid went to another thread by an exec looks
		 * as if it ran: it is no tracee. */
		if (t->is_selected || !ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) || errno != ESRCH)
			return;
		break;
	case PAUSE_ENDED:
		break;
	case PAUSE_VANISHED:
		h->detached++;
		h->detached_until_ns = clock_monotonic_ns() + DETACHED_NS;
		break;
	}
	drop(h, tid, t);
}

static void look(struct pause *h)
{
	const void *key;
	void *value;

	for (size_t at = 0; map_next(&h->threads, &at, &key, &value);) {
		struct thread *t = value;

		if (!t->stands)
			look_at(h, *(const pid_t *)key, t);
	}
}

size_t pause_wait(struct pause *h, uint64_t timeout_ns)
{
	uint64_t begin_ns = clock_monotonic_ns();
	uint64_t until_ns = timeout_ns < UINT64_MAX - begin_ns ? begin_ns + timeout_ns : UINT64_MAX;
	struct pause_timeout timeout = { .spin_until_ns = begin_ns + SPIN_NS };

	for (;;) {
		look(h);
		if (h->wanted == h->standing || clock_monotonic_ns() >= until_ns)
			break;
		pause_rest(&timeout, until_ns);
	}
	pause_rested(&timeout);
	return h->wanted - h->standing;
}

/* A thread that vanished may stand under another name; nobody can have asked for it. */
static void let_detached_go(struct pause *h)
{
	uint64_t now = clock_monotonic_ns();
	struct pause_stop stop;

	if (h->standing) {
		/* It is they who would be found. */
		h->detached_until_ns = now + DETACHED_NS;
		return;
	}
	if (now >= h->detached_until_ns)
		h->detached = 0;
	while (h->detached) {
		siginfo_t info = { 0 };

		if (waitid(P_ALL, 0, &info, WSTOPPED | WNOHANG | WNOWAIT | __WALL | __WNOTHREAD)) {
			h->detached = 0; /* this thread traces nothing */
			return;
		}
		if (!info.si_pid || info.si_code != CLD_TRAPPED ||
			map_get(&h->threads, &info.si_pid) ||
			pause_look(info.si_pid, &stop) != PAUSE_STANDS ||
			!pause_detach(info.si_pid, stop.signal))
			return;
		h->detached--;
	}
}

size_t pause_reap(struct pause *h)
{
	if (!h->threads.count && !h->detached)
		return 0;
	look(h);
	let_detached_go(h);
	return h->threads.count - h->wanted + h->detached;
}

void pause_release(struct pause *h)
{
	const void *key;
	void *value;

	/* Those that stand are first: they lose time. */
	for (size_t at = 0; map_next(&h->threads, &at, &key, &value);) {
		struct thread *t = value;
		pid_t tid = *(const pid_t *)key;

		if (t->stands && pause_detach(tid, t->signal)) {
			drop(h, tid, t);
			continue;
		}
		/* It has not stopped yet, or was killed while it stood. */
		h->standing -= t->stands;
		h->wanted -= t->is_selected;
		t->stands = t->is_selected = false;
	}
	pause_reap(h);
}

size_t pause_count(const struct pause *h)
{
	return h->wanted;
}

size_t pause_refused(const struct pause *h)
{
	return h->refusals;
}

void pause_free(struct pause *h)
{
	uint64_t until_ns = clock_monotonic_ns() + FREE_NS;
	struct pause_timeout timeout = { 0 };

	if (!h)
		return;
	pause_release(h);
	while (pause_reap(h) && clock_monotonic_ns() < until_ns)
		pause_rest(&timeout, until_ns);
	pause_rested(&timeout);
	rescue_stop(&h->rescue);
	pthread_mutex_destroy(&h->lock);
	map_fini(&h->threads);
	map_fini(&h->refused);
	free(h);
}
