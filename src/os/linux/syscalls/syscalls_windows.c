/* SPDX-License-Identifier: BSD-2-Clause */
/* Attaches and detaches the programs of system calls by the rate of the target. */
#include "os/linux/syscalls/syscalls_windows.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/units.h"
#include "os/linux/bpf/bpf.h"

/* --- the programs at the entry and the return of system calls --- */

/* Without libbpf's links: its print hook is process-global, and these are attached from a thread of
 * their own while others load programs. */

#define SYSCALLS_LINKS 4

struct syscalls_links {
	int programs[SYSCALLS_LINKS]; /* negative: this kernel needs no such program */
	int links[SYSCALLS_LINKS];    /* negative: detached */
};

/* Returns come first: an unseen entry is better than a call that never returns. */
static const char *const names[SYSCALLS_LINKS] = { "on_return", "on_return_again", "on_enter",
	"on_enter_again" };

static void syscalls_links_init(struct syscalls_links *l, struct bpf_code *code)
{
	for (size_t i = 0; i < SYSCALLS_LINKS; i++) {
		l->programs[i] = bpf_code_program(code, names[i]);
		l->links[i] = -1;
	}
}

static void syscalls_links_detach(struct syscalls_links *l)
{
	for (size_t i = SYSCALLS_LINKS; i-- > 0;) {
		if (l->links[i] >= 0)
			close(l->links[i]);
		l->links[i] = -1;
	}
}

/* Attaches all programs; or none, and fills the error. */
static int syscalls_links_attach(struct syscalls_links *l, struct sooth_error *err)
{
	for (size_t i = 0; i < SYSCALLS_LINKS; i++) {
		int code;

		if (l->programs[i] < 0)
			continue;
		l->links[i] = bpf_raw_tracepoint_open(NULL, l->programs[i]);
		if (l->links[i] >= 0)
			continue;
		code = errno;
		syscalls_links_detach(l);
		return error_errno(err, -code, "attach the BPF program %s", names[i]);
	}
	return 0;
}

#define WINDOW_NS	(10 * NS_PER_MS)
#define WATCHED_NS	(50 * NS_PER_MS) /* while the programs stay attached */
#define WINDOW_IN	30		 /* one window in this many times its length */
#define WINDOW_STEP_MAX 100000

struct syscalls_windows {
	struct syscalls_links links;
	struct syscalls_control *control;
	struct syscalls_windows_sums sums;
	double rate_most; /* calls a second of the target: more are counted in windows; 0: any */
	pthread_t thread;
	bool has_thread;
	int stop;	     /* an eventfd */
	uint64_t changed_ns; /* time since when the programs are attached, or detached */
	uint64_t calls;	     /* calls counted until then */
};

/* Waits; true: the thread is to end. */
static bool wait_for(struct syscalls_windows *w, uint64_t ns)
{
	struct pollfd stop = { .fd = w->stop, .events = POLLIN };
	struct timespec time = { (time_t)(ns / NS_PER_S), (long)(ns % NS_PER_S) };

	return ppoll(&stop, 1, &time, NULL) > 0;
}

static uint64_t since_change(struct syscalls_windows *w)
{
	uint64_t now = clock_monotonic_ns(), ns = now - w->changed_ns;

	w->changed_ns = now;
	return ns;
}

/* Keeps the programs attached for a while. Returns the rate of the calls that were counted
 * meanwhile, per second. */
static double count_for(struct syscalls_windows *w, uint64_t ns, bool *is_over)
{
	uint64_t calls, passed;

	*is_over = wait_for(w, ns);
	passed = since_change(w);
	w->sums.on_ns += passed;
	calls = __atomic_load_n(&w->control->calls, __ATOMIC_RELAXED) - w->calls;
	w->calls += calls;
	return passed ? (double)calls * (double)NS_PER_S / (double)passed : 0;
}

/* Returns how many calls a call of the next window stands for: itself, and those in the gap
 * before. */
static uint32_t step_after(uint64_t gap_ns, uint64_t window_ns)
{
	uint64_t step = (gap_ns + window_ns + window_ns / 2) / window_ns;

	return (uint32_t)(step > WINDOW_STEP_MAX ? WINDOW_STEP_MAX : step);
}

/* Detaches for a gap, and attaches again; while the kernel refuses that, the gap goes on. False:
 * the thread is to end. */
static bool detach_for_gap(struct syscalls_windows *w, uint64_t window_ns)
{
	uint64_t gap_ns = 0, passed;
	bool is_attached = false;

	syscalls_links_detach(&w->links);
	w->sums.on_ns += since_change(w);
	while (!is_attached) {
		bool is_over = wait_for(w, (WINDOW_IN - 1) * window_ns);

		passed = since_change(w);
		w->sums.off_ns += passed;
		gap_ns += passed;
		if (is_over)
			return false;
		w->control->step = step_after(gap_ns, window_ns);
		w->control->epoch++;
		is_attached = !syscalls_links_attach(&w->links, &w->sums.refusal);
		w->sums.refusals += !is_attached;
	}
	w->sums.windows++;
	return true;
}

/* Counts in windows until the target is slower. True: the thread is to end. */
static bool count_in_windows(struct syscalls_windows *w)
{
	uint64_t window_ns = WINDOW_NS, before_ns;
	bool is_over = false;
	double rate = w->rate_most;

	do {
		if (!detach_for_gap(w, window_ns))
			return true;
		before_ns = w->sums.on_ns;
		/* In one window a target may not run at all. */
		rate = (3 * rate + count_for(w, WINDOW_NS, &is_over)) / 4;
		/* On a busy host a window lasts longer than requested. */
		window_ns = (3 * window_ns + w->sums.on_ns - before_ns) / 4;
	} while (!is_over && rate >= w->rate_most / 2);
	w->control->step = 1;
	return is_over;
}

static void *run_thread(void *user)
{
	struct syscalls_windows *w = user;
	uint64_t ns = WINDOW_NS;
	bool is_over = false;

	while (!is_over) {
		double rate = count_for(w, ns, &is_over);

		if (!is_over && rate > w->rate_most)
			is_over = count_in_windows(w);
		ns = WATCHED_NS;
	}
	return NULL;
}

static void free_windows(struct syscalls_windows *w)
{
	syscalls_links_detach(&w->links);
	if (w->stop >= 0)
		close(w->stop);
	free(w);
}

static bool start_thread(struct syscalls_windows *w)
{
	w->has_thread = !pthread_create(&w->thread, NULL, run_thread, w);
	return w->has_thread;
}

bool syscalls_windows_begin(struct syscalls_windows *w)
{
	return !w->has_thread && start_thread(w);
}

int syscalls_windows_start(struct syscalls_windows **out, struct bpf_code *code,
	struct syscalls_control *control, double rate_most, struct sooth_error *err)
{
	struct syscalls_windows *w = calloc(1, sizeof(*w));
	int status;

	if (!w)
		return error_no_memory(err);
	w->control = control;
	w->control->step = 1;
	w->rate_most = rate_most;
	w->stop = eventfd(0, EFD_CLOEXEC);
	syscalls_links_init(&w->links, code);
	status = w->stop < 0 ? error_set(err, -errno, SOOTH_FAULT_IO, "make an eventfd")
			     : syscalls_links_attach(&w->links, err);
	w->changed_ns = clock_monotonic_ns();
	if (!status && rate_most > 0 && !start_thread(w))
		status = error_set(err, -EAGAIN, SOOTH_FAULT_IO, "start a thread");
	if (status) {
		free_windows(w);
		return status;
	}
	*out = w;
	return 0;
}

void syscalls_windows_stop(struct syscalls_windows *w, struct syscalls_windows_sums *sums)
{
	uint64_t one = 1;

	if (!w)
		return;
	(void)!write(w->stop, &one, sizeof(one));
	if (w->has_thread)
		pthread_join(w->thread, NULL);
	if (sums)
		*sums = w->sums;
	free_windows(w);
}
