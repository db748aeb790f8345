/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* resident.bpf.c for kernels without task storage. */
#define THREADS_IN_HASH
#include "bpf/resident.bpf.c"
