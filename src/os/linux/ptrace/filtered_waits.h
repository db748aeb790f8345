/* SPDX-License-Identifier: BSD-2-Clause */
/* Waits that the kernel continues by restart_syscall(2) after a stop, in threads whose seccomp
 * filter may kill them for that call. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* Returns whether a stop may kill the thread: it is in such a wait. A filter that sooth has, too,
 * as in a container, is trusted. */
bool filtered_wait_is_at_risk(pid_t tid);
/* Lets a thread that is stopped in such a wait begin the wait again. */
void filtered_wait_repeat(pid_t tid);
