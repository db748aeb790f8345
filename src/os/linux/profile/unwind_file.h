/* SPDX-License-Identifier: BSD-2-Clause */
/* The unwind table of an ELF file. */
#ifndef SOOTH_OS_LINUX_UNWIND_FILE_H
#define SOOTH_OS_LINUX_UNWIND_FILE_H

#include "os/linux/files/timeout.h"
#include "os/linux/profile/unwind_table.h"

/* Makes the table of an open file, which may not answer. 0; -ENOENT: it has no unwind information
 * for this machine; -ETIMEDOUT, -ECANCELED: it was stopped; another negative errno. The table is to
 * be freed after success. */
int unwind_file_read(struct timeout *timeout, int file, const atomic_bool *is_stopping,
	struct unwind_table *table);
/* The kernel's own code in every process, as a file: a descriptor, or a negative errno. */
int unwind_file_vdso(void);

#endif
