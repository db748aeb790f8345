/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* syscalls.bpf.c for kernels without task storage in tracing programs (before 5.12). */
#define THREADS_IN_HASH
#include "bpf/syscalls.bpf.c"
