/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/exit_reasons/exit_reasons_status.h"

#include <sys/ioctl.h>

#include "base/cleanup.h"
#include "os/linux/rights/caller.h"
#include "os/linux/rights/capabilities.h"
#include "os/linux/rights/needs.h"
#include "os/linux/files/procfs.h"
#include "os/os.h"

#define ENDED SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED)

/* struct pidfd_info of linux/pidfd.h as it was in 6.15, and its flag PIDFD_INFO_EXIT. */
struct pidfd_exit {
	uint64_t mask;
	uint64_t group;
	uint32_t ids[11];
	int32_t exit_code;
};
#define PIDFD_EXIT     (1u << 3)
#define PIDFD_GET_EXIT _IOWR(0xff, 11, struct pidfd_exit)

_Static_assert(sizeof(struct pidfd_exit) == 64, "PIDFD_INFO_SIZE_VER0");

/* The kernel writes 0 for readers that may not trace it; a zombie has no memory left to forbid
 * that. */
static bool may_read_status(const struct process_id *process)
{
	return needs_has_capability(CAP_SYS_PTRACE) || caller_has_ids_of(process);
}

/* The status of a process that was waited for. */
static uint8_t read_pidfd(int fd, uint32_t *status)
{
	struct pidfd_exit info = { .mask = PIDFD_EXIT };

	if (fd < 0 || ioctl(fd, PIDFD_GET_EXIT, &info) || !(info.mask & PIDFD_EXIT))
		return ENDED;
	*status = (uint32_t)info.exit_code;
	return SOOTH_STATE_VALUE;
}

static bool has_ended(
	const struct process_id *process, int descriptor, uint32_t *status, uint8_t *state)
{
	_cleanup_close_ int folder = procfs_open((pid_t)process->pid);
	struct buffer bytes = { 0 };
	struct procfs_stat stat;
	bool ended = true;

	if (folder < 0 || procfs_stat_at(folder, &stat, &bytes) ||
		stat.start_ticks != process->start_ticks)
		*state = read_pidfd(descriptor, status);
	else if (!procfs_has_ended(&stat))
		ended = false;
	else if (!may_read_status(process))
		*state = SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION);
	else
		*state = procfs_parse_exit_code(status, bytes.data, bytes.size) ? SOOTH_STATE_VALUE
										: ENDED;
	buffer_fini(&bytes);
	return ended;
}

bool exit_reasons_status_read(const struct backend_run *run, const struct process_id *process,
	int descriptor, struct exit_reasons_end *end)
{
	uint8_t state = ENDED;
	uint32_t status = 0;

	if (!has_ended(process, descriptor, &status, &state))
		return false;
	*end = (struct exit_reasons_end){ .record = { .time_ns = run->os->now_ns(run->os),
						  .start_ticks = process->start_ticks,
						  .pid = process->pid,
						  .kind = EXIT_REASONS_END,
						  .cpu = SOOTH_CPU_NONE },
		.status = status,
		.status_state = state,
		.peak_state = ENDED,
		.limits_state = ENDED,
		.oom_state = SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED),
		.parent_state = ENDED,
		.signals_state = SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED) };
	return true;
}
