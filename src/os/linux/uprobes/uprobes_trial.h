/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether the kernel accepts probes at some places. It checks the instruction only when it puts a
 * breakpoint into memory: attaching to a running thread reports an error, but a program that is
 * executed later just gets no breakpoint. So the places are mapped into sooth's own memory, and
 * the event is attached to sooth for a moment.
 */
#ifndef SOOTH_OS_LINUX_UPROBES_TRIAL_H
#define SOOTH_OS_LINUX_UPROBES_TRIAL_H

#include "os/linux/uprobes/uprobes.h"

/* What can be checked without the kernel: it is a file, and contains that offset. */
int uprobes_check_place(const struct prober_place *place, struct sooth_error *err);
/* With an event that is defined over them and in use. 0 or the kernel's error for one of them. */
int uprobes_try_places(int64_t event, const struct prober_place *places, size_t count);

#endif
