/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A system sooth does not know: captures can be read, nothing can be observed. Uses only standard
 * C and POSIX.
 */
#include "os/os.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"

static const struct backend *const backends[] = { NULL };

static int set_unsupported(struct sooth_error *err, const char *tried)
{
	error_set(err, -EOPNOTSUPP, SOOTH_FAULT_UNSUPPORTED, "%s", tried);
	error_why(err, "this build of sooth only reads captures: it has no support for observing "
		       "this system");
	return error_remedy(
		err, "read a capture that was recorded on another system: sooth report FILE.sooth");
}

static uint64_t none_now_ns(const struct os *os)
{
	(void)os;
	return clock_monotonic_ns();
}

static int64_t none_realtime_offset_ns(const struct os *os)
{
	(void)os;
	return (int64_t)(clock_realtime_ns() - clock_monotonic_ns());
}

static void none_host(const struct os *os, struct host_facts *facts)
{
	*facts = (struct host_facts){ .realtime_offset_ns = none_realtime_offset_ns(os),
		.ticks_per_s = 100 };
	if (gethostname(facts->hostname, sizeof(facts->hostname) - 1))
		facts->hostname[0] = '\0';
}

static void none_self(const struct os *os, struct self_cost *cost)
{
	struct rusage usage;

	(void)os;
	*cost = (struct self_cost){ .cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID) };
	if (!getrusage(RUSAGE_SELF, &usage))
		cost->rss_bytes = (uint64_t)usage.ru_maxrss * 1024;
}

static size_t none_environment(const struct os *os, struct environment_fact *facts, size_t max)
{
	(void)os;
	if (!max)
		return 0;
	facts[0].name = "system";
	snprintf(facts[0].value, sizeof(facts[0].value), "not known to this build of sooth");
	return 1;
}

static void none_keep_least(const struct os *os)
{
	(void)os;
}

static void none_end_with_parent(const struct os *os, int life)
{
	(void)os;
	(void)life;
}

static bool none_drop_all(const struct os *os)
{
	(void)os;
	return true;
}

static int none_identify(
	const struct os *os, pid_t pid, struct process_id *process, struct sooth_error *err)
{
	(void)os;
	(void)pid;
	(void)process;
	return set_unsupported(err, "find a process");
}

static bool none_is_alive(const struct os *os, const struct process_id *process)
{
	(void)os;
	(void)process;
	return false;
}

static void none_command_line(
	const struct os *os, const struct process_id *process, struct buffer *out)
{
	(void)os;
	(void)process;
	(void)out;
}

static int none_list(const struct os *os, bool has_uid, uint32_t uid, struct buffer *process_ids,
	struct sooth_error *err)
{
	(void)os;
	(void)has_uid;
	(void)uid;
	(void)process_ids;
	return set_unsupported(err, "list processes");
}

static int none_open_process(
	const struct os *os, const struct process_id *process, struct sooth_error *err)
{
	(void)os;
	(void)process;
	return set_unsupported(err, "send a signal");
}

static int none_signal_process(const struct os *os, int descriptor,
	const struct process_id *process, int number, struct sooth_error *err)
{
	(void)os;
	(void)descriptor;
	(void)process;
	(void)number;
	return set_unsupported(err, "send a signal");
}

static int none_launch(
	const struct os *os, char *const *command, struct launch *launch, struct sooth_error *err)
{
	(void)os;
	(void)command;
	(void)launch;
	return set_unsupported(err, "launch a command under observation");
}

static int none_release(const struct os *os, struct launch *launch, struct sooth_error *err)
{
	(void)os;
	(void)launch;
	return set_unsupported(err, "launch a command under observation");
}

static bool none_reap(const struct os *os, struct launch *launch)
{
	(void)os;
	(void)launch;
	return false;
}

static void none_abandon(const struct os *os, struct launch *launch)
{
	(void)os;
	(void)launch;
}

static int none_wait(const struct os *os, const int *descriptors, size_t count, int timeout_ms)
{
	(void)os;
	(void)descriptors;
	(void)count;
	return poll(NULL, 0, timeout_ms) < 0 ? -errno : 0;
}

static int none_freeze_group(const struct os *os, const struct process_id *processes, size_t count,
	bool is_frozen, char *group, size_t room, struct sooth_error *err)
{
	(void)os;
	(void)processes;
	(void)count;
	(void)is_frozen;
	snprintf(group, room, "this system has no control groups");
	(void)err;
	return 1;
}

const struct os os_native = {
	.name = "none",
	.backends = backends,
	.now_ns = none_now_ns,
	.realtime_offset_ns = none_realtime_offset_ns,
	.host = none_host,
	.self = none_self,
	.keep_least = none_keep_least,
	.end_with_parent = none_end_with_parent,
	.drop_all = none_drop_all,
	.environment = none_environment,
	.identify = none_identify,
	.is_alive = none_is_alive,
	.command_line = none_command_line,
	.list = none_list,
	.open_process = none_open_process,
	.signal_process = none_signal_process,
	.launch = none_launch,
	.release = none_release,
	.reap = none_reap,
	.abandon = none_abandon,
	.freeze_group = none_freeze_group,
	.wait = none_wait,
};
