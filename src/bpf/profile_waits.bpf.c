/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* profile.bpf.c for threads that stop running: each thread has room for one stack. */
#define WITH_WAITS
#include "bpf/profile.bpf.c"
