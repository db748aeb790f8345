/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Finds out whether a process gains privilege by its exec: then its user may no longer watch it. */
#pragma once

#include "bpf/types.bpf.h"

/* BINPRM_FLAGS_ENFORCE_NONDUMP: the caller may run this file but not read it
 * (include/linux/binfmts.h). */
#define PROGRAM_IS_UNREADABLE 1

static inline bool gains_privilege(struct linux_binprm *program)
{
	return BPF_CORE_READ_BITFIELD_PROBED(program, secureexec) ||
	       BPF_CORE_READ(program, interp_flags) & PROGRAM_IS_UNREADABLE;
}
