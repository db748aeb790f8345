/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs that gain privilege at their exec: set-user-ID, set-group-ID, file capabilities. */
#ifndef SOOTH_OS_LINUX_EXEC_PRIVILEGE_H
#define SOOTH_OS_LINUX_EXEC_PRIVILEGE_H

#include <stdbool.h>

#include "os/linux/ptrace/tracees.h"

/* Returns whether the exec at whose entry the thread is stopped starts such a program. */
bool exec_gains_privilege(const struct tracee *t);

#endif
