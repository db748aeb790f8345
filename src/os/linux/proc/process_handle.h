/* SPDX-License-Identifier: BSD-2-Clause */
/* A process by a descriptor (pidfd_open(2)), so that a reused pid is never taken for it. */
#ifndef SOOTH_OS_LINUX_PROCESS_HANDLE_H
#define SOOTH_OS_LINUX_PROCESS_HANDLE_H

#include "os/os.h"

/* As in struct os. */
int process_handle_open(
	const struct os *os, const struct process_id *process, struct sooth_error *err);
int process_handle_signal(const struct os *os, int descriptor, int number, struct sooth_error *err);

#endif
