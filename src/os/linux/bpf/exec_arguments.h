/* SPDX-License-Identifier: BSD-2-Clause */
/* Command lines that come with execs from the kernel side: as they are there, with what is secret.
 */
#ifndef SOOTH_OS_LINUX_EXEC_ARGUMENTS_H
#define SOOTH_OS_LINUX_EXEC_ARGUMENTS_H

#include "base/buffer.h"

/* Masks those among the records behind `from`, before anybody else sees them. */
void exec_arguments_mask(struct buffer *records, size_t from);

#endif
