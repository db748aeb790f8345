/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System calls in windows. A counted call costs the target some 230 ns, and every other process 70
 * to 160 ns. So if a target makes too many calls, the programs are attached for a window of some
 * milliseconds, detached for a gap, and so on: each counted call then stands for several
 * (control.step). Below that rate the programs stay attached.
 */
#pragma once

#include "base/error.h"
#include "bpf/syscalls.h"
#include "os/linux/bpf/bpf.h"

struct syscalls_windows;

struct syscalls_windows_sums {
	uint64_t windows; /* windows that followed a gap */
	uint64_t on_ns, off_ns;
	uint64_t refusals; /* failed attempts to attach again; another attempt follows each gap */
	struct sooth_error refusal; /* the last of these errors */
};

/* Attaches the programs. Above `rate_most` calls a second a thread of its own detaches and attaches
 * them from then on; 0: only after syscalls_windows_begin(). */
int syscalls_windows_start(struct syscalls_windows **out, struct bpf_code *code,
	struct syscalls_control *control, double rate_most, struct sooth_error *err);
/* Counts in windows from now on, at any rate. False: that is not possible. */
bool syscalls_windows_begin(struct syscalls_windows *w);
/* Ends the thread, detaches the programs, and sets how long they were attached. Takes NULL. */
void syscalls_windows_stop(struct syscalls_windows *w, struct syscalls_windows_sums *sums);
