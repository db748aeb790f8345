/* SPDX-License-Identifier: BSD-2-Clause */
/* Holding threads; see hold.h. */
#include "os/linux/hold/hold.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/map.h"
#include "os/linux/hold/hold_ptrace.h"
#include "os/linux/hold/hold_rescue.h"

#define THREADS_MAX ((size_t)1 << 17)
#define REFUSED_MAX ((size_t)1 << 16)
#define SPIN_NS	    10000 /* a thread that runs on another processor stops sooner */
#define STRAYS_NS   1000000000ULL
#define FREE_NS	    100000000ULL

struct thread {
	bool is_wanted;
	bool stands;
	int signal; /* to be delivered when it goes on, or 0 */
};

struct hold {
	struct map threads; /* pid_t to struct thread: all that are traced */
	struct map refused; /* pid_t to a byte */
	size_t refusals;
	size_t wanted, standing;
	/* A thread that execs takes the tid of its process: one that was to stop may do so
	 * under a name that nobody asked for. */
	size_t strays;
	uint64_t strays_until_ns;
	struct rescue rescue;
	/* Of `threads` in hold_take(), the only time when two threads look at them. */
	pthread_mutex_t lock;
	bool is_seizing;
};

static void reap_ended(void *user)
{
	struct hold *h = user;
	const void *key;

	pthread_mutex_lock(&h->lock);
	/* Not when hold_take() has come through meanwhile. */
	for (size_t at = 0; h->is_seizing && map_next(&h->threads, &at, &key, NULL);)
		hold_reap_ended(*(const pid_t *)key);
	pthread_mutex_unlock(&h->lock);
}

int hold_new(struct hold **out, struct sooth_error *err)
{
	struct hold *h = calloc(1, sizeof(*h));
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

static void refuse(struct hold *h, pid_t tid)
{
	bool is_new;

	map_put(&h->refused, &tid, &is_new);
	h->refusals += is_new;
}

/* Under the lock, but for the seizing. */
static int seize(struct hold *h, pid_t tid)
{
	int code;

	pthread_mutex_unlock(&h->lock);
	code = hold_seize(tid, 0);
	if (!code)
		ptrace(PTRACE_INTERRUPT, tid, NULL, NULL); /* fails when it ended: seen later */
	pthread_mutex_lock(&h->lock);
	return code;
}

static bool take(struct hold *h, pid_t tid)
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
	if (t->is_wanted)
		return false;
	t->is_wanted = true;
	h->wanted++;
	return true;
}

size_t hold_take(struct hold *h, const pid_t *tids, size_t count)
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

static void drop(struct hold *h, pid_t tid, const struct thread *t)
{
	h->wanted -= t->is_wanted;
	h->standing -= t->stands;
	map_remove(&h->threads, &tid);
}

static void look_at(struct hold *h, pid_t tid, struct thread *t)
{
	struct hold_stop stop;

	switch (hold_look(tid, &stop)) {
	case HOLD_STANDS:
		if (t->is_wanted) {
			t->stands = true;
			t->signal = stop.signal;
			h->standing++;
		} else if (hold_detach(tid, stop.signal)) {
			drop(h, tid, t);
		}
		return;
	case HOLD_RUNS:
		/* A child of this very thread whose tid went to another thread by an exec looks
		 * as if it ran: it is no tracee. */
		if (t->is_wanted || !ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) || errno != ESRCH)
			return;
		break;
	case HOLD_ENDED:
		break;
	case HOLD_VANISHED:
		h->strays++;
		h->strays_until_ns = clock_monotonic_ns() + STRAYS_NS;
		break;
	}
	drop(h, tid, t);
}

static void look(struct hold *h)
{
	const void *key;
	void *value;

	for (size_t at = 0; map_next(&h->threads, &at, &key, &value);) {
		struct thread *t = value;

		if (!t->stands)
			look_at(h, *(const pid_t *)key, t);
	}
}

size_t hold_wait(struct hold *h, uint64_t timeout_ns)
{
	uint64_t begin_ns = clock_monotonic_ns();
	uint64_t until_ns = timeout_ns < UINT64_MAX - begin_ns ? begin_ns + timeout_ns : UINT64_MAX;
	struct hold_patience patience = { .spin_until_ns = begin_ns + SPIN_NS };

	for (;;) {
		look(h);
		if (h->wanted == h->standing || clock_monotonic_ns() >= until_ns)
			break;
		hold_rest(&patience, until_ns);
	}
	hold_rested(&patience);
	return h->wanted - h->standing;
}

/* A thread that vanished may stand under another name; nobody can have asked for it. */
static void let_strays_go(struct hold *h)
{
	uint64_t now = clock_monotonic_ns();
	struct hold_stop stop;

	if (h->standing) {
		/* It is they who would be found. */
		h->strays_until_ns = now + STRAYS_NS;
		return;
	}
	if (now >= h->strays_until_ns)
		h->strays = 0;
	while (h->strays) {
		siginfo_t info = { 0 };

		if (waitid(P_ALL, 0, &info, WSTOPPED | WNOHANG | WNOWAIT | __WALL | __WNOTHREAD)) {
			h->strays = 0; /* this thread traces nothing */
			return;
		}
		if (!info.si_pid || info.si_code != CLD_TRAPPED ||
			map_get(&h->threads, &info.si_pid) ||
			hold_look(info.si_pid, &stop) != HOLD_STANDS ||
			!hold_detach(info.si_pid, stop.signal))
			return;
		h->strays--;
	}
}

size_t hold_reap(struct hold *h)
{
	if (!h->threads.count && !h->strays)
		return 0;
	look(h);
	let_strays_go(h);
	return h->threads.count - h->wanted + h->strays;
}

void hold_release(struct hold *h)
{
	const void *key;
	void *value;

	/* Those that stand are first: they lose time. */
	for (size_t at = 0; map_next(&h->threads, &at, &key, &value);) {
		struct thread *t = value;
		pid_t tid = *(const pid_t *)key;

		if (t->stands && hold_detach(tid, t->signal)) {
			drop(h, tid, t);
			continue;
		}
		/* It has not stopped yet, or was killed while it stood. */
		h->standing -= t->stands;
		h->wanted -= t->is_wanted;
		t->stands = t->is_wanted = false;
	}
	hold_reap(h);
}

size_t hold_count(const struct hold *h)
{
	return h->wanted;
}

size_t hold_refused(const struct hold *h)
{
	return h->refusals;
}

void hold_free(struct hold *h)
{
	uint64_t until_ns = clock_monotonic_ns() + FREE_NS;
	struct hold_patience patience = { 0 };

	if (!h)
		return;
	hold_release(h);
	while (hold_reap(h) && clock_monotonic_ns() < until_ns)
		hold_rest(&patience, until_ns);
	hold_rested(&patience);
	rescue_stop(&h->rescue);
	pthread_mutex_destroy(&h->lock);
	map_fini(&h->threads);
	map_fini(&h->refused);
	free(h);
}
