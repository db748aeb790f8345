/* SPDX-License-Identifier: BSD-2-Clause */
/* Names in an open file that may not answer: those of its functions and of its debug file. */
#pragma once

#include "os/linux/files/timeout.h"
#include "os/linux/profile/debug_file.h"
#include "os/linux/profile/file_names.h"

/* Fills in the functions and, if requested, the lines at these offsets, and the identity that leads
 * to the debug file. Returns 0 or a negative errno: -ETIMEDOUT if the file did not answer. */
int profile_names(struct timeout *timeout, int file, struct file_names *names,
	struct debug_identity *identity);
