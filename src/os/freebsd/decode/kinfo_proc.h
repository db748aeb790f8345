/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * struct kinfo_proc of FreeBSD, the answer of the sysctl kern.proc (sys/user.h), on its 64-bit
 * processors: 1088 bytes since FreeBSD 7; the first member has the size. If threads are requested,
 * each thread is such a struct, with its own values and those of its process.
 */
#pragma once

#include "os/bsd/bytes.h"
#include "os/bsd/source.h"

#define KINFO_PROC_SIZE 1088

struct kinfo_scale {
	uint64_t boot_utc_ns; /* sysctl kern.boottime */
	uint32_t page_bytes;
};

/* Decodes the struct at the beginning of `data`; false: it has another layout. */
bool kinfo_proc_decode(
	struct bsd_process *out, const void *data, size_t size, const struct kinfo_scale *scale);
bool kinfo_thread_decode(struct bsd_thread *out, const void *data, size_t size);
