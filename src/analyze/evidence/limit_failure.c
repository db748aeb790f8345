/* SPDX-License-Identifier: BSD-2-Clause */
/* Errors that mean a reached limit. For inotify limits see watch_failure.h. */
#include "analyze/evidence/limit_failure.h"

#include <assert.h>

#include "analyze/calls/call_history.h"
#include "base/cleanup.h"
#include "model/errno_names.h"
#include "probes/fds.h"

static const struct {
	enum syscall_limit limit;
	unsigned error;
	struct limit_failure why;
} limits[] = {
	{ SYSCALL_LIMIT_KEYS, LINUX_EDQUOT,
		{ "the user's quota of keys is used up",
			"/proc/key-users shows the use of each user; keyctl show lists the keys; "
			"as root: "
			"sysctl kernel.keys.maxkeys and kernel.keys.maxbytes raise the quota" } },
	{ SYSCALL_LIMIT_FANOTIFY, LINUX_EMFILE,
		{ "the user's limit of fanotify groups is reached",
			"end what watches files by fanotify, or as root: sysctl "
			"fs.fanotify.max_user_groups raises the limit" } },
	{ SYSCALL_LIMIT_FANOTIFY_MARKS, LINUX_ENOSPC,
		{ "the user's limit of fanotify marks is reached",
			"watch less, or as root: sysctl fs.fanotify.max_user_marks raises the "
			"limit" } },
	{ SYSCALL_LIMIT_EPOLL, LINUX_ENOSPC,
		{ "the user's limit of epoll watches is reached",
			"find the leak of descriptors in epoll, or as root: sysctl "
			"fs.epoll.max_user_watches raises the limit" } },
	{ SYSCALL_LIMIT_POSIX_QUEUES, LINUX_ENOSPC,
		{ "the limit of message queues is reached",
			"ls /dev/mqueue lists them, rm removes one; as root: sysctl "
			"fs.mqueue.queues_max raises the limit" } },
	{ SYSCALL_LIMIT_POSIX_QUEUES, LINUX_EMFILE,
		{ "the user's limit of message queues in bytes is reached",
			"ls /dev/mqueue lists them, rm removes one; ulimit -q raises the limit" } },
	{ SYSCALL_LIMIT_SHARED_MEMORY, LINUX_ENOSPC,
		{ "the limit of shared memory segments is reached",
			"ipcs -m lists them, ipcrm -m ID removes one that is unused; as root: "
			"sysctl "
			"kernel.shmmni and kernel.shmall raise the limits" } },
	{ SYSCALL_LIMIT_SEMAPHORES, LINUX_ENOSPC,
		{ "the limit of semaphores is reached", "ipcs -s lists them, ipcrm -s ID removes "
							"one that is unused; as root: sysctl "
							"kernel.sem raises the limits" } },
	{ SYSCALL_LIMIT_QUEUES, LINUX_ENOSPC,
		{ "the limit of message queues is reached",
			"ipcs -q lists them, ipcrm -q ID removes one that is unused; as root: "
			"sysctl "
			"kernel.msgmni raises the limit" } },
	{ SYSCALL_LIMIT_NAMESPACES, LINUX_ENOSPC,
		{ "the limit of namespaces is reached",
			"as root: sysctl -a --pattern user.max_ shows the limits of each kind" } },
	{ SYSCALL_LIMIT_LOCKED_MEMORY, LINUX_ENOMEM,
		{ "the process may lock no more memory",
			"ulimit -l raises the limit (systemd: LimitMEMLOCK=)" } },
};

uint64_t limit_failure_descriptors(const struct check *e, const struct call_place *place)
{
	assert(e);

	const struct snapshot *last = check_last(e, &e->input->fds);
	const struct fds_process *end = last ? snapshot_end(last, sizeof(*end)) : NULL;

	assert(place);
	/* A few descriptors may be free again, such as that of the file for the error message. */
	return place->error == LINUX_EMFILE && end && end->descriptors_state == SOOTH_STATE_VALUE &&
			       end->limit_state == SOOTH_STATE_VALUE &&
			       end->descriptors + end->descriptors / 16 + 1 > end->soft_limit
		       ? end->soft_limit
		       : 0;
}

const struct limit_failure *limit_failure_of(const struct check *e, const struct call_place *place)
{
	assert(place);

	const struct syscall_row *row = syscall_by_number(place->abi, place->number);

	if (!row || !row->limit || limit_failure_descriptors(e, place))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		if (limits[i].error == place->error && limits[i].limit == row->limit)
			return &limits[i].why;
	}
	return NULL;
}
