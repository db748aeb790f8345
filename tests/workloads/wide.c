/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many short children, one after the other, each of which makes many different calls: more kinds
 * than a watcher may have room for in a thread, and more children than it can keep at once. All
 * calls fail or change nothing, and none is one of those the C library makes by itself.
 */
#include "workload.h"

#include <inttypes.h>
#include <sys/syscall.h>

static uint64_t child_count = 100;
static uint64_t round_count = 2;

static const struct {
	const char *name;
	long number;
	bool fails;
} calls[] = {
	{ "getuid", SYS_getuid, false },
	{ "geteuid", SYS_geteuid, false },
	{ "getgid", SYS_getgid, false },
	{ "getegid", SYS_getegid, false },
	{ "getsid", SYS_getsid, true },
	{ "getpgid", SYS_getpgid, true },
	{ "sched_yield", SYS_sched_yield, false },
	{ "fchdir", SYS_fchdir, true },
	{ "fchmod", SYS_fchmod, true },
	{ "fchown", SYS_fchown, true },
	{ "fsync", SYS_fsync, true },
	{ "fdatasync", SYS_fdatasync, true },
	{ "ftruncate", SYS_ftruncate, true },
	{ "dup", SYS_dup, true },
	{ "listen", SYS_listen, true },
	{ "shutdown", SYS_shutdown, true },
	{ "accept", SYS_accept, true },
	{ "bind", SYS_bind, true },
	{ "connect", SYS_connect, true },
	{ "getsockname", SYS_getsockname, true },
	{ "getpeername", SYS_getpeername, true },
	{ "sendto", SYS_sendto, true },
	{ "recvfrom", SYS_recvfrom, true },
	{ "syncfs", SYS_syncfs, true },
	{ "readahead", SYS_readahead, true },
	{ "fallocate", SYS_fallocate, true },
	{ "epoll_ctl", SYS_epoll_ctl, true },
	{ "inotify_rm_watch", SYS_inotify_rm_watch, true },
	{ "timerfd_settime", SYS_timerfd_settime, true },
	{ "mq_unlink", SYS_mq_unlink, true },
	{ "setns", SYS_setns, true },
	{ "tee", SYS_tee, true },
	{ "vmsplice", SYS_vmsplice, true },
	{ "copy_file_range", SYS_copy_file_range, true },
	{ "sched_getscheduler", SYS_sched_getscheduler, true },
	{ "sched_get_priority_max", SYS_sched_get_priority_max, true },
	{ "sched_get_priority_min", SYS_sched_get_priority_min, true },
	{ "getpriority", SYS_getpriority, true },
	{ "ioprio_get", SYS_ioprio_get, true },
};

static int child(void)
{
	for (uint64_t i = 0; i < round_count; i++) {
		for (size_t k = 0; k < ARRAY_SIZE(calls); k++) {
			/* -1: no such descriptor, process, policy, pointer. */
			if ((syscall(calls[k].number, -1, -1, -1, -1, -1, -1) == -1) !=
				calls[k].fails)
				return 1;
		}
	}
	return 0;
}

static int run(const struct workload *w)
{
	autotruth truth = { 0 };
	int err = workload_ready(w);

	if (!err)
		err = truth_begin(&truth);
	for (uint64_t i = 0; i < child_count && !err; i++) {
		pid_t pid = fork();

		if (!pid)
			_exit(child());
		err = pid < 0 ? -1 : child_wait(pid);
	}
	if (err)
		return err;
	for (size_t k = 0; k < ARRAY_SIZE(calls); k++) {
		uint64_t made = child_count * round_count;

		fprintf(truth.out, "%s %" PRIu64 " %" PRIu64 "\n", calls[k].name, made,
			calls[k].fails ? made : 0);
	}
	return truth_commit(&truth, w);
}

static const struct param params[] = {
	{ "children", "N", "how many, one after the other (100)", PARAM_NUMBER, &child_count, 0,
		100000 },
	{ "count", "N", "of each call in each child (2)", PARAM_NUMBER, &round_count, 0, 1000000 },
	{ 0 },
};

const struct scenario scenario_wide = {
	.name = "wide",
	.help = "short children that make 39 different calls",
	.params = params,
	.run = run,
};
