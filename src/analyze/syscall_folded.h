/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of the view "syscall-folded". */
#ifndef SOOTH_ANALYZE_SYSCALL_FOLDED_H
#define SOOTH_ANALYZE_SYSCALL_FOLDED_H

#include <stdbool.h>

struct syscall_folded_options {
	bool by_calls; /* weights are calls; else microseconds in them */
};

#endif
