/* SPDX-License-Identifier: BSD-2-Clause */
/* A filter cannot be read without privilege. */
#include "os/linux/ptrace/filtered_waits.h"

#include <limits.h>
#include <linux/futex.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <time.h>
#include <unistd.h>

#include "os/linux/files/procfs.h"
#include "os/linux/files/task_files.h"

#define ERROR_RESTART_HAND  514 /* ERESTARTNOHAND: the call is made again */
#define ERROR_RESTART_BLOCK 516 /* ERESTART_RESTARTBLOCK: restart_syscall(2) is made */

/* Returns the number of filters; 0 also if the thread is gone. */
static unsigned filters_of(pid_t tid)
{
	struct buffer status = { 0 };
	unsigned filters = 0;

	if (procfs_read(tid, "status", &status, PROCFS_SMALL) >= 0)
		filters = task_status_filters(status.data, status.size);
	buffer_fini(&status);
	return filters;
}

static bool has_filter_of_its_own(pid_t tid)
{
	unsigned filters = filters_of(tid);

	return filters && (filters == UINT_MAX || filters != filters_of(getpid()));
}

static bool may_be_restarted(const struct task_call *call)
{
	switch (call->number) {
#ifdef SYS_poll
	case SYS_poll:
#endif
	case SYS_nanosleep:
		return true;
	case SYS_clock_nanosleep:
		return !(call->arguments[1] & TIMER_ABSTIME);
	case SYS_futex:
		return call->arguments[3] &&
		       ((call->arguments[1] & FUTEX_CMD_MASK) == FUTEX_WAIT ||
			       (call->arguments[1] & FUTEX_CMD_MASK) == FUTEX_WAIT_BITSET);
	default:
		return false;
	}
}

bool filtered_wait_is_at_risk(pid_t tid)
{
	struct buffer text = { 0 };
	struct task_call call;
	bool is_at_risk = has_filter_of_its_own(tid) &&
			  procfs_read(tid, "syscall", &text, PROCFS_SMALL) >= 0 &&
			  task_call_parse(&call, text.data, text.size) && !call.is_running &&
			  call.has_call && may_be_restarted(&call);

	buffer_fini(&text);
	return is_at_risk;
}

#if defined(__x86_64__)
void filtered_wait_repeat(pid_t tid)
{
	struct user_regs_struct registers;

	if (ptrace(PTRACE_GETREGS, tid, NULL, &registers) || (long)registers.orig_rax < 0 ||
		(int)registers.rax != -ERROR_RESTART_BLOCK || !has_filter_of_its_own(tid))
		return;
	registers.rax = (unsigned long)-ERROR_RESTART_HAND;
	ptrace(PTRACE_SETREGS, tid, NULL, &registers);
}
#else
/* The registers do not show it. */
void filtered_wait_repeat(pid_t tid)
{
	(void)tid;
}
#endif
