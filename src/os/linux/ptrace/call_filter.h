/* SPDX-License-Identifier: BSD-2-Clause */
/* A seccomp filter by which only the selected calls of a launched command stop it. */
#ifndef SOOTH_OS_LINUX_CALL_FILTER_H
#define SOOTH_OS_LINUX_CALL_FILTER_H

#include "bpf/syscalls.h"
#include "os/os.h"

#define CALL_FILTER_DATA 0x5071 /* the data of its stops: a filter of the command has other data   \
				 */

/* Makes the call of a thread fail with ENOSYS, as without a tracer. The thread is in a stop by a
 * filter of the command's own. */
void call_filter_refuse(pid_t tid);
/* Writes the filter. -E2BIG: the calls are too many, and lie too far apart. */
int call_filter_make(const struct syscalls_config *config, struct launch_filter *filter);

#endif
