/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The same where threads stop running: each has room for one stack. */
#define WITH_WAITS
#include "bpf/profile.bpf.c"
