/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls that may never return. */
#include "os/linux/files/timeout.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/parser.h"
#include "base/units.h"
#include "os/linux/files/close_between.h"
#include "os/linux/files/hung_mounts.h"
#include "os/linux/files/procfs.h"

#define STUCK_MAX   8
#define STACK_BYTES (512u << 10) /* size of the stack of the process that makes the call */
#define GUARD_BYTES                                                                                \
	(64u << 10) /* size of the guard at the end of the stack, never touched: a multiple of     \
		       every page size */
#define BUSY_MS	     4000 /* added for a call that the kernel would answer if it had a CPU */
#define BUSY_STEP_MS 100
#define WORK_MS	     1000 /* CPU time: a call that had it, and its own time, is not starved */
#define IDLE_MS	     20	  /* time that a process waits for more work: creating one takes 100 us */

/* Counts threads that were abandoned in their calls. Such a call may return later, as on a machine
 * that was too busy. They and their owner share it; the last one frees it. */
struct timeout_stuck {
	atomic_uint users, count;
};

/* Shared by the thread and its owner; the last of the two frees it. */
struct timeout_thread {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	void (*work)(void *argument);
	void (*drop)(void *argument);
	void *argument;			   /* argument of the current work: the thread's own copy */
	int kept;			   /* the descriptor it may use */
	int about;			   /* /proc/PID of the process with the files, or -1 */
	int (*open_about)(void *argument); /* opens `about` if it is known only in the thread */
	struct hung_keys hung;		   /* keys of the place where the call hangs */
	void *stack;			   /* stack of the child that makes the call */
	uint64_t cpu_ns;		   /* CPU time of the child before the current call */
	pid_t child;			   /* that child; 0: not created yet; -1: none */
	pid_t parser;			   /* process that parses for the child now; 0: none */
	bool is_new;			   /* the current work has not begun */
	bool is_done;
	bool is_left;		     /* the owner has gone: finish and exit */
	struct timeout_stuck *stuck; /* counter of stuck calls with this one; NULL: not counted */
};

static void stuck_unref(struct timeout_stuck *s)
{
	if (s && atomic_fetch_sub(&s->users, 1) == 1)
		free(s);
}

static void thread_free(struct timeout_thread *t)
{
	pthread_cond_destroy(&t->changed);
	pthread_mutex_destroy(&t->lock);
	munmap(t->stack, STACK_BYTES);
	free(t->argument);
	free(t);
}

struct timespec timeout_deadline(int timeout_ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += timeout_ms / 1000;
	t.tv_nsec += timeout_ms % 1000 * (long)NS_PER_MS;
	if (t.tv_nsec >= (long)NS_PER_S) {
		t.tv_nsec -= (long)NS_PER_S;
		t.tv_sec++;
	}
	return t;
}

/* Ends the current work. Called with the lock held. */
static void end_work(struct timeout_thread *t)
{
	t->work = NULL;
	t->is_done = true;
	pthread_cond_broadcast(&t->changed);
}

/* Returns whether the process waits for the next call: calls often come in a row, and a process for
 * each would take as much CPU time as all other work. A process that kept a descriptor does not
 * have that of the next call, which the thread's next process makes. */
static bool takes_next(struct timeout_thread *t)
{
	struct timespec deadline = timeout_deadline(IDLE_MS);
	bool takes = false;

	pthread_mutex_lock(&t->lock);
	if (t->kept < 0 && !t->is_left) {
		end_work(t);
		while (!t->work && !t->is_left &&
			!pthread_cond_timedwait(&t->changed, &t->lock, &deadline))
			;
		takes = t->work && !t->is_left && t->kept < 0;
		t->is_new = t->is_new && !takes;
	}
	pthread_mutex_unlock(&t->lock);
	return takes;
}

static uint64_t cpu_ns_of(clockid_t clock)
{
	struct timespec t;

	return clock_gettime(clock, &t) ? 0 : (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

/* Closes all descriptors but this one and the ways to the processes that parse. */
static void close_others(int kept)
{
	const int open[] = { kept, parser_socket(), parser_owner_socket() };
	int from = 0;

	for (;;) {
		int next = INT_MAX;

		for (size_t i = 0; i < ARRAY_SIZE(open); i++)
			next = open[i] >= from && open[i] < next ? open[i] : next;
		if (next == INT_MAX)
			break;
		if (next > from)
			close_between((unsigned)from, (unsigned)next - 1);
		from = next + 1;
	}
	close_between((unsigned)from, ~0u);
}

/* Runs in the separate process. It shares the thread's memory, including thread-local data; the
 * thread sleeps meanwhile. */
static int process_main(void *user)
{
	struct timeout_thread *t = user;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	parser_worker = &t->parser;
	do {
		__atomic_store_n(&t->cpu_ns, cpu_ns_of(CLOCK_PROCESS_CPUTIME_ID), __ATOMIC_RELAXED);
		close_others(t->kept);
		t->work(t->argument);
	} while (takes_next(t));
	return 0;
}

/* Runs the work in a child process. If no process can be created, the thread does the work itself.
 */
static void run_work(struct timeout_thread *t)
{
	/* No signal when it exits: the program that uses the library may wait for its own
	 * children. */
	pid_t pid = clone(process_main, (char *)t->stack + STACK_BYTES,
		CLONE_VM | CLONE_VFORK | CLONE_PARENT_SETTID, t, &t->child);

	if (pid < 0) {
		__atomic_store_n(&t->child, -1, __ATOMIC_RELAXED);
		t->work(t->argument);
	} else {
		waitpid(pid, NULL, __WALL);
	}
}

static void *thread_main(void *user)
{
	struct timeout_thread *t = user;

	pthread_mutex_lock(&t->lock);
	for (;;) {
		while (!t->work && !t->is_left)
			pthread_cond_wait(&t->changed, &t->lock);
		if (!t->work)
			break;
		if (!t->is_left) {
			t->is_new = false;
			t->child = 0;
			pthread_mutex_unlock(&t->lock);
			run_work(t);
			pthread_mutex_lock(&t->lock);
		}
		/* The last process may have left the next work undone. */
		if (!t->work || (t->is_new && !t->is_left))
			continue;
		if (t->is_left && t->drop)
			t->drop(t->argument);
		end_work(t);
	}
	pthread_mutex_unlock(&t->lock);
	hung_mounts_remove(&t->hung);
	if (t->stuck)
		atomic_fetch_sub(&t->stuck->count, 1);
	stuck_unref(t->stuck);
	thread_free(t);
	return NULL;
}

void timeout_cond_init(pthread_cond_t *changed)
{
	pthread_condattr_t clock;

	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(changed, &clock);
	pthread_condattr_destroy(&clock);
}

static struct timeout_thread *thread_new(void)
{
	struct timeout_thread *t = calloc(1, sizeof(*t));
	sigset_t all, before;
	pthread_t thread;
	int status;

	if (!t)
		return NULL;
	t->stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (t->stack == MAP_FAILED) {
		free(t);
		return NULL;
	}
	mprotect(t->stack, GUARD_BYTES, PROT_NONE);
	pthread_mutex_init(&t->lock, NULL);
	timeout_cond_init(&t->changed);
	/* Signals are for the program's own threads. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	status = pthread_create(&thread, NULL, thread_main, t);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (status) {
		thread_free(t);
		return NULL;
	}
	pthread_detach(thread);
	return t;
}

/* Counts a stuck call; if there is no memory, it is not counted. */
static void count_stuck(struct timeout *p, struct timeout_thread *t)
{
	if (!p->stuck) {
		p->stuck = calloc(1, sizeof(*p->stuck));
		if (!p->stuck)
			return;
		atomic_init(&p->stuck->users, 1);
	}
	atomic_fetch_add(&p->stuck->users, 1);
	atomic_fetch_add(&p->stuck->count, 1);
	t->stuck = p->stuck;
}

/* Leaves the thread, which from here on owns itself. */
static void thread_leave(struct timeout_thread *t)
{
	t->is_left = true;
	pthread_cond_broadcast(&t->changed);
	pthread_mutex_unlock(&t->lock);
}

/* The same in two steps, with other work between them: begin returns 0 or why it was not tried;
 * end returns 0 or -ETIMEDOUT after waiting at most that long. Nothing else may be started in
 * between. */
static int timeout_begin(struct timeout *p, void (*work)(void *argument),
	void (*drop)(void *argument), const void *argument, size_t size, int kept, int about,
	int (*open_about)(void *argument))
{
	struct timeout_thread *t;
	void *copy;

	if (p->stuck && atomic_load(&p->stuck->count) >= STUCK_MAX)
		return -EBUSY;
	if (hung_mounts_hold(about))
		return -EBUSY;
	if (!p->thread)
		p->thread = thread_new();
	t = p->thread;
	copy = t ? malloc(size) : NULL;
	if (!copy)
		return -ENOMEM;
	memcpy(copy, argument, size);
	pthread_mutex_lock(&t->lock);
	free(t->argument);
	t->argument = copy;
	t->drop = drop;
	t->kept = kept;
	t->about = about;
	t->open_about = open_about;
	t->is_done = false;
	t->is_new = true;
	t->work = work;
	pthread_cond_broadcast(&t->changed);
	pthread_mutex_unlock(&t->lock);
	return 0;
}

/* Returns whether the current work has had so much CPU time that a busy machine is not the
 * reason. */
static bool has_worked(struct timeout_thread *t, pid_t child, int timeout_ms)
{
	uint64_t before = __atomic_load_n(&t->parser, __ATOMIC_RELAXED)
				  ? 0
				  : __atomic_load_n(&t->cpu_ns, __ATOMIC_RELAXED);
	clockid_t clock;

	if (timeout_ms < WORK_MS)
		timeout_ms = WORK_MS;
	return !clock_getcpuclockid(child, &clock) &&
	       cpu_ns_of(clock) >= before + (uint64_t)timeout_ms * NS_PER_MS;
}

/* Returns whether the child, or its parser, lacks a CPU on a busy machine, and is not blocked in
 * the call: it can run, has not begun, or has returned and is not reaped yet. */
static bool is_starved(struct timeout_thread *t, int timeout_ms)
{
	pid_t child = __atomic_load_n(&t->child, __ATOMIC_RELAXED),
	      parser = __atomic_load_n(&t->parser, __ATOMIC_RELAXED);
	struct buffer bytes = { 0 };
	const char *state;
	bool result;

	if (child <= 0)
		return !child;
	child = parser > 0 ? parser : child;
	if (procfs_read(child, "stat", &bytes, PROCFS_STAT)) {
		buffer_fini(&bytes);
		return true; /* the child has been reaped */
	}
	state = strrchr(buffer_cstr(&bytes), ')');
	result = state && state[1] == ' ' &&
		 (strchr("ZX", state[2]) || (state[2] == 'R' && !has_worked(t, child, timeout_ms)));
	buffer_fini(&bytes);
	return result;
}

/* Waits for the end; false: the time is up. */
static bool wait_for_end(struct timeout_thread *t, int timeout_ms)
{
	struct timespec deadline = timeout_deadline(timeout_ms);
	int status = 0;

	while (!t->is_done && status != ETIMEDOUT)
		status = pthread_cond_timedwait(&t->changed, &t->lock, &deadline);
	return t->is_done;
}

/* Kills the child of a call that does not return. Called with the lock held, so the child cannot
 * have it. */
static void kill_child(struct timeout_thread *t)
{
	pid_t child = __atomic_load_n(&t->child, __ATOMIC_RELAXED);
	struct buffer bytes = { 0 };
	struct procfs_stat stat;

	if (child > 0 && !procfs_read(child, "stat", &bytes, PROCFS_STAT) &&
		procfs_parse_stat(&stat, bytes.data, bytes.size) && stat.ppid == (uint32_t)getpid())
		kill(child, SIGKILL);
	buffer_fini(&bytes);
}

/* The same in two steps, with other work between them: begin returns 0 or why it was not tried;
 * end returns 0 or -ETIMEDOUT after waiting at most that long. Nothing else may be started in
 * between. */
static int timeout_end(struct timeout *p, void *argument, size_t size, int timeout_ms)
{
	struct timeout_thread *t = p->thread;
	bool is_done;
	int about;

	pthread_mutex_lock(&t->lock);
	is_done = wait_for_end(t, timeout_ms);
	for (int ms = 0; !is_done && ms < BUSY_MS && is_starved(t, timeout_ms); ms += BUSY_STEP_MS)
		is_done = wait_for_end(t, BUSY_STEP_MS);
	if (!is_done) {
		p->thread = NULL;
		about = t->open_about ? t->open_about(t->argument) : t->about;
		hung_mounts_add(about, &t->hung);
		if (t->open_about)
			cleanup_close(&about);
		count_stuck(p, t);
		if (__atomic_load_n(&t->parser, __ATOMIC_RELAXED))
			parser_note_failure("symbols or unwind information of a file");
		if (p->may_kill)
			kill_child(t);
		thread_leave(t);
		return -ETIMEDOUT;
	}
	memcpy(argument, t->argument, size);
	pthread_mutex_unlock(&t->lock);
	return 0;
}

int timeout_call(struct timeout *p, void (*work)(void *argument), void (*drop)(void *argument),
	void *argument, size_t size, int kept, int timeout_ms)
{
	return timeout_call_about(p, work, drop, argument, size, kept, kept, timeout_ms);
}

int timeout_call_about(struct timeout *p, void (*work)(void *argument),
	void (*drop)(void *argument), void *argument, size_t size, int kept, int about,
	int timeout_ms)
{
	int status = timeout_begin(p, work, drop, argument, size, kept, about, NULL);

	return status ? status : timeout_end(p, argument, size, timeout_ms);
}

void timeout_fini(struct timeout *p)
{
	assert(p);
	stuck_unref(p->stuck);
	p->stuck = NULL;
	if (!p->thread)
		return;
	pthread_mutex_lock(&p->thread->lock);
	thread_leave(p->thread);
	p->thread = NULL;
}

/* --- reading a file --- */

struct timed_read {
	int process; /* its own descriptor */
	char name[64];
	size_t limit;
	struct buffer bytes;
	int status;
};

static void run_read_job(void *argument)
{
	struct timed_read *r = argument;

	r->status = procfs_read_at(r->process, r->name, &r->bytes, r->limit);
}

static void drop_read(void *argument)
{
	struct timed_read *r = argument;

	buffer_fini(&r->bytes);
	close(r->process);
}

int timeout_read_at(struct timeout *p, int process, const char *name, struct buffer *out,
	size_t limit, int timeout_ms)
{
	struct timed_read r = { .process = fcntl(process, F_DUPFD_CLOEXEC, 0), .limit = limit };
	int status;

	buffer_reset(out);
	if (r.process < 0)
		return -errno;
	if (strlen(name) >= sizeof(r.name)) {
		close(r.process);
		return -ENAMETOOLONG;
	}
	strcpy(r.name, name);
	status = timeout_call_about(
		p, run_read_job, drop_read, &r, sizeof(r), r.process, -1, timeout_ms);
	if (status == -ETIMEDOUT)
		return status; /* after a timeout the thread owns the descriptor */
	if (!status) {
		status = r.status;
		buffer_append(out, r.bytes.data, r.bytes.size);
	}
	drop_read(&r);
	return status;
}

static void drop_file(void *argument)
{
	close(*(int *)argument);
}

int timeout_call_file(struct timeout *p, void (*work)(void *argument), void *argument, size_t size,
	int fd, int timeout_ms)
{
	int *file = argument, status;

	*file = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (*file < 0)
		return -errno;
	status = timeout_call(p, work, drop_file, argument, size, *file, timeout_ms);
	if (status != -ETIMEDOUT) /* after a timeout the thread owns it */
		drop_file(argument);
	return status;
}

/* --- many in one go --- */

/* Shared by its owner and, while it runs, the thread that works on it; the last of the two frees
 * it. */
struct timed_batch {
	atomic_uint users;
	atomic_size_t done;  /* items before it belong to the owner again */
	atomic_bool is_left; /* the owner no longer wants the results */
	int kept;
	size_t count, size;
	timed_work work;
	timed_about about;
	void (*fini)(void *item);
	unsigned char items[] __attribute__((aligned(16)));
};

struct timed_batch *timed_batch_new(
	size_t count, size_t size, timed_work work, timed_about about, void (*fini)(void *item))
{
	struct timed_batch *b = calloc(1, sizeof(*b) + count * size);

	if (!b)
		return NULL;
	atomic_init(&b->users, 1);
	b->count = count;
	b->size = size;
	b->work = work;
	b->about = about;
	b->fini = fini;
	return b;
}

void *timed_batch_item(struct timed_batch *b, size_t i)
{
	assert(b);
	return b->items + i * b->size;
}

static void run_items_job(void *argument)
{
	struct timed_batch *b = *(struct timed_batch **)argument;

	for (size_t i = 0; i < b->count && !atomic_load(&b->is_left); i++) {
		b->work(timed_batch_item(b, i), b->kept);
		atomic_store(&b->done, i + 1);
	}
}

/* Opens the folder of the process for the item that does not return. */
static int open_about_item(void *argument)
{
	struct timed_batch *b = *(struct timed_batch **)argument;
	size_t i = atomic_load(&b->done);

	return b->about && i < b->count ? b->about(timed_batch_item(b, i), b->kept) : -1;
}

static void drop_items(void *argument)
{
	timed_batch_free(*(struct timed_batch **)argument);
}

int timed_batch_begin(struct timed_batch *b, struct timeout *p, int kept)
{
	int status;

	assert(b);
	b->kept = kept;
	atomic_fetch_add(&b->users, 1);
	status = timeout_begin(
		p, run_items_job, drop_items, &b, sizeof(b), kept, -1, open_about_item);
	if (status)
		atomic_fetch_sub(&b->users, 1);
	return status;
}

size_t timed_batch_end(struct timed_batch *b, struct timeout *p, int timeout_ms, int *status)
{
	assert(b);

	struct timed_batch *same = b;

	*status = timeout_end(p, &same, sizeof(same), timeout_ms);
	if (!*status) {
		/* The child may have died in an item: a mapped file that was cut raises SIGBUS. */
		*status = atomic_load(&b->done) < b->count ? -EIO : 0;
		atomic_fetch_sub(&b->users, 1);
		return atomic_load(&b->done);
	}
	/* Results that arrive after this are dropped. */
	atomic_store(&b->is_left, true);
	return atomic_load(&b->done);
}

size_t timed_batch_run(
	struct timed_batch *b, struct timeout *p, int kept, int timeout_ms, int *status)
{
	*status = timed_batch_begin(b, p, kept);
	return *status ? 0 : timed_batch_end(b, p, timeout_ms, status);
}

void timed_batch_free(struct timed_batch *b)
{
	if (!b || atomic_fetch_sub(&b->users, 1) != 1)
		return;
	for (size_t i = 0; b->fini && i < b->count; i++)
		b->fini(timed_batch_item(b, i));
	free(b);
}
