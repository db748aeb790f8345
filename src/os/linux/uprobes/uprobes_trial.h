/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether the kernel takes probes at some places. It looks at the instruction only as
 * it puts a breakpoint into memory: attaching to a running thread tells, but the pages
 * of a program that is executed later simply stay without. So the places are mapped
 * into our own memory, and the event is attached to ourselves for a moment.
 */
#ifndef SOOTH_OS_LINUX_UPROBES_TRIAL_H
#define SOOTH_OS_LINUX_UPROBES_TRIAL_H

#include "os/linux/uprobes/uprobes.h"

/* What is known without the kernel: it is a file, and has that offset. */
int uprobes_check_place(const struct prober_place *place, struct sooth_error *err);
/* With an event that is defined over them and in use. 0 or what the kernel said to one of them. */
int uprobes_try_places(int64_t event, const struct prober_place *places, size_t count);

#endif
