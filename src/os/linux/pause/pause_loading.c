/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Watches a program load. From the exec on each of its system calls stops it twice
 * (PTRACE_SYSCALL): at the entry, where the address of the call shows whether the loader is still
 * at work, and at the return, where a new mapping can be examined.
 */
#include <errno.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

#include "base/clock.h"
#include "os/linux/pause/pause.h"
#include "os/linux/pause/pause_loader.h"
#include "os/linux/pause/pause_ptrace.h"
#include "os/linux/files/procfs.h"

/* On all 32-bit systems a 64-bit kernel runs, and for x86-64's calls with 32-bit pointers. */
#define COMPAT_MMAP	192
#define COMPAT_MPROTECT 125
#define X32_BIT		0x40000000

#define SPIN_NS	   50000 /* most calls of a loader are shorter */
#define RELEASE_NS 1000000000ULL

struct loading {
	pid_t pid;
	void (*mapped)(void *user, pid_t pid);
	void *user;
	const volatile bool *cancel;
	unsigned stops, stops_max;
	bool awaits_exec;
	bool has_begun;
	bool maps_code; /* the current call */
	struct loader loader;
};

enum next_step { RESUME = 1, DONE = 0 }; /* or a negative errno */

static int await_stop(const struct loading *l, struct pause_stop *stop)
{
	struct pause_sleeper sleeper = { .spin_until_ns = clock_monotonic_ns() + SPIN_NS };
	enum pause_state state;

	for (;;) {
		if (l->cancel && *l->cancel) {
			pause_sleep_end(&sleeper);
			return -ECANCELED;
		}
		state = pause_check(l->pid, stop);
		if (state != PAUSE_RUNNING)
			break;
		pause_sleep(&sleeper, UINT64_MAX);
	}
	pause_sleep_end(&sleeper);
	return state == PAUSE_STOPPED ? 0 : -ESRCH;
}

static int call_info(const struct loading *l, struct __ptrace_syscall_info *info)
{
	long got = ptrace(PTRACE_GET_SYSCALL_INFO, l->pid, sizeof(*info), info);

	return got < 0 ? -errno : 0;
}

static bool has_threads(pid_t pid)
{
	struct buffer bytes = { 0 };
	struct procfs_stat stat;
	bool has = procfs_read(pid, "stat", &bytes, PROCFS_SMALL) >= 0 &&
		   procfs_parse_stat(&stat, bytes.data, bytes.size) && stat.threads > 1;

	buffer_fini(&bytes);
	return has;
}

/* At the exec, or where a running program was stopped. */
static int begin(struct loading *l)
{
	struct __ptrace_syscall_info info;
	int status;

	l->has_begun = true;
	l->awaits_exec = l->maps_code = false;
	l->mapped(l->user, l->pid);
	status = loader_find(&l->loader, l->pid);
	if (status <= 0 || has_threads(l->pid))
		return status < 0 ? status : DONE;
	ptrace(PTRACE_SETOPTIONS, l->pid, NULL, PTRACE_O_TRACEEXEC | PTRACE_O_TRACESYSGOOD);
	status = call_info(l, &info);
	if (status)
		return status;
	return loader_is_done(&l->loader, info.instruction_pointer) ? DONE : RESUME;
}

static bool is_call(const struct loading *l, uint64_t number, uint64_t native, uint64_t compat)
{
	if (l->loader.is_compat && !(number & X32_BIT))
		return number == compat;
	return (number & ~(uint64_t)X32_BIT) == native;
}

static int at_call(struct loading *l)
{
	struct __ptrace_syscall_info info;
	int status = call_info(l, &info);

	if (status)
		return status;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
		if (loader_is_done(&l->loader, info.instruction_pointer))
			return DONE;
		l->maps_code = info.entry.args[2] & PROT_EXEC &&
			       (is_call(l, info.entry.nr, SYS_mmap, COMPAT_MMAP) ||
				       is_call(l, info.entry.nr, SYS_mprotect, COMPAT_MPROTECT));
	} else {
		if (l->maps_code && !info.exit.is_error)
			l->mapped(l->user, l->pid);
		l->maps_code = false;
	}
	return ++l->stops < l->stops_max ? RESUME : -ETIME;
}

static int at_stop(struct loading *l, const struct pause_stop *stop)
{
	if (stop->at == PAUSE_AT_EXEC || (!l->has_begun && !l->awaits_exec))
		return begin(l);
	return stop->at == PAUSE_AT_CALL ? at_call(l) : RESUME;
}

static void resume(const struct loading *l, const struct pause_stop *stop)
{
	/* A job-control stop is left as it is, until SIGCONT makes the process stop here again. */
	if (stop->at == PAUSE_AT_JOB_STOP)
		ptrace(PTRACE_LISTEN, l->pid, NULL, NULL);
	else
		ptrace(l->has_begun ? PTRACE_SYSCALL : PTRACE_CONT, l->pid, NULL,
			(unsigned long)stop->signal);
}

/* `stop` is its current stop, or NULL. False: it has ended. */
static bool release(const struct loading *l, const struct pause_stop *stop)
{
	uint64_t until_ns = clock_monotonic_ns() + RELEASE_NS;
	struct pause_sleeper sleeper = { 0 };
	enum pause_state state = PAUSE_RUNNING;
	struct pause_stop now;

	if (stop && pause_detach(l->pid, stop->signal))
		return true;
	/* It runs, or was killed while it was stopped. */
	ptrace(PTRACE_INTERRUPT, l->pid, NULL, NULL);
	while (clock_monotonic_ns() < until_ns) {
		state = pause_check(l->pid, &now);
		if (state == PAUSE_RUNNING)
			pause_sleep(&sleeper, until_ns);
		else if (state != PAUSE_STOPPED || pause_detach(l->pid, now.signal))
			break;
	}
	pause_sleep_end(&sleeper);
	return state == PAUSE_RUNNING || state == PAUSE_STOPPED;
}

static int watch(struct loading *l)
{
	struct pause_stop stop;
	bool is_stopped;
	int status;

	for (;;) {
		status = await_stop(l, &stop);
		is_stopped = !status;
		if (is_stopped)
			status = at_stop(l, &stop);
		if (status != RESUME)
			break;
		resume(l, &stop);
	}
	if (status == -ESRCH && !is_stopped)
		return status;
	return release(l, is_stopped ? &stop : NULL) ? status : -ESRCH;
}

int pause_loading(pid_t pid, bool is_before_exec, void (*mapped)(void *user, pid_t pid), void *user,
	unsigned calls_max, const volatile bool *cancel, struct sooth_error *err)
{
	struct loading l = {
		.pid = pid, .mapped = mapped, .user = user, .cancel = cancel, .stops_max = calls_max
	};
	int status = pause_seize(pid, PTRACE_O_TRACEEXEC | PTRACE_O_TRACESYSGOOD);

	if (!status) {
		/* It may have been released before it was seized. */
		l.awaits_exec = is_before_exec && !loader_is_other_program(pid);
		if (!l.awaits_exec)
			ptrace(PTRACE_INTERRUPT, pid, NULL, NULL);
		status = watch(&l);
	}
	if (!status)
		return 0;
	error_errno(err, status, "watch process %d load its libraries", (int)pid);
	if (status == -EPERM)
		error_remedy(err, "end the debugger that traces the process, or run sooth as the "
				  "user of the process or as root");
	return status;
}
