/* SPDX-License-Identifier: BSD-2-Clause */
/* See syscall_arguments.h. */
#include "probes/syscall_arguments.h"

#include <string.h>

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

enum type_id {
#define TYPE(id, ...) TYPE_##id,
#include "probes/syscall_arguments.def"
	TYPE_COUNT
};

static const struct argument_type types[] = {
#define TYPE(id, form, keep, unit, is_result, flags)                                               \
	{ #id, ARGUMENT_AS_##form, SYSCALLS_KEEP_##keep, is_result, unit, flags },
#include "probes/syscall_arguments.def"
};

/* A call's types, NULL behind the last. */
struct call_row {
	const char *name;
	const struct argument_type *types[SYSCALL_ARGUMENTS + 1];
};

#define T1(a)					&types[TYPE_##a]
#define T2(a, b)				T1(a), T1(b)
#define T3(a, b, c)				T2(a, b), T1(c)
#define T4(a, b, c, d)				T3(a, b, c), T1(d)
#define T5(a, b, c, d, e)			T4(a, b, c, d), T1(e)
#define T6(a, b, c, d, e, f)			T5(a, b, c, d, e), T1(f)
#define PICK(_1, _2, _3, _4, _5, _6, name, ...) name
#define TYPES_OF(...)				PICK(__VA_ARGS__, T6, T5, T4, T3, T2, T1)(__VA_ARGS__)

static const struct call_row calls[] = {
#define CALL(name, ...) { #name, { TYPES_OF(__VA_ARGS__) } },
#include "probes/syscall_arguments.def"
};

/* A call of another shape under the same name (mmap of i386) has another number of arguments. */
const struct argument_type *const *syscall_arguments(const struct syscall_row *row, size_t *count)
{
	for (size_t i = 0; i < COUNT_OF(calls); i++) {
		size_t n = 0;

		if (strcmp(calls[i].name, row->name) != 0)
			continue;
		while (calls[i].types[n])
			n++;
		if (n != strlen(row->signature))
			return NULL;
		*count = n;
		return calls[i].types;
	}
	return NULL;
}

bool syscall_returns_descriptor(const struct syscall_row *row)
{
	static const char *const names[] = { "open", "openat", "openat2", "creat", "dup", "dup2",
		"dup3", "socket", "accept", "accept4", "epoll_create", "epoll_create1", "eventfd",
		"eventfd2", "timerfd_create", "signalfd", "signalfd4", "inotify_init",
		"inotify_init1", "fanotify_init", "memfd_create", "pidfd_open", "pidfd_getfd",
		"userfaultfd", "perf_event_open", "io_uring_setup", "open_tree", "fsopen",
		"fsmount", "fspick", "memfd_secret", "open_by_handle_at", "mq_open" };

	return syscall_is_among(row, names, COUNT_OF(names));
}

bool syscall_waits(const struct syscall_row *row)
{
	static const char *const names[] = { "poll", "ppoll", "select", "pselect6", "epoll_wait",
		"epoll_pwait", "epoll_pwait2", "nanosleep", "clock_nanosleep", "pause", "futex",
		"futex_wait", "futex_waitv", "wait4", "waitid", "waitpid", "rt_sigtimedwait",
		"rt_sigsuspend", "sigsuspend", "accept", "accept4", "io_getevents", "io_pgetevents",
		"semop", "semtimedop", "msgrcv", "mq_timedreceive", "flock", "restart_syscall",
		"recvfrom", "recvmsg", "recvmmsg", "recv", "recvmmsg_time64", "semtimedop_time64",
		"mq_timedreceive_time64", "io_pgetevents_time64", "_newselect", "io_uring_enter",
		"ppoll_time64", "futex_time64", "pselect6_time64", "clock_nanosleep_time64",
		"rt_sigtimedwait_time64", "sched_yield", "vfork" };

	return syscall_is_among(row, names, COUNT_OF(names));
}
