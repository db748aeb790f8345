/* SPDX-License-Identifier: BSD-2-Clause */
/* The unwind table of an ELF file. */
#pragma once

#include "os/linux/files/timeout.h"
#include "os/linux/profile/unwind_table.h"

/* Makes the table of an open file that may not answer. Returns 0; -ENOENT: no unwind information
 * for this machine; -ETIMEDOUT, -ECANCELED: it was stopped; or another negative errno. After
 * success the caller frees the table. */
int unwind_file_read(struct timeout *timeout, int file, const atomic_bool *is_stopping,
	struct unwind_table *table);
/* Opens the kernel's own code in every process (vDSO) as a file. Returns a descriptor or a negative
 * errno. */
int unwind_file_vdso(void);
