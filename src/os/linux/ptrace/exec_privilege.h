/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs that gain privilege at their exec: set-user-ID, set-group-ID, file capabilities. */
#pragma once

#include <stdbool.h>

#include "os/linux/ptrace/tracees.h"

/* Returns whether the thread is stopped at the entry of an exec that may start such a program. */
bool exec_may_gain_privilege(const struct tracee *t);
