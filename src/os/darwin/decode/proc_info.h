/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decodes the structs of proc_pidinfo and proc_pidfdinfo of macOS (sys/proc_info.h), which are the
 * same on x86-64 and arm64. Each function decodes one answer; false: it is too short.
 */
#pragma once

#include "os/bsd/source.h"

/* For other users' processes an answer has only BSDINFO_SIZE. */
#define STRUCT_SIZE(name, theirs, value) name = value,
enum proc_info_size {
#include "os/darwin/decode/layouts.def"
};

/* The factor from units of mach_absolute_time() to ns. */
struct mach_scale {
	uint32_t numerator, denominator;
	uint64_t boot_utc_ns;
};

/* Decodes struct proc_taskallinfo, or only its first part: then memory, CPU time and threads are
 * not measured. */
bool task_decode(
	struct bsd_process *out, const void *data, size_t size, const struct mach_scale *scale);
/* Decodes struct kinfo_proc of sysctl(3): ignored and caught signals, and the debugger. False: the
 * data belong to another process. */
bool signals_decode(struct bsd_process *out, const void *data, size_t size);
/* Decodes the physical footprint in struct rusage_info_v2, "Memory" in Activity Monitor. */
bool footprint_decode(uint64_t *bytes, const void *data, size_t size);
bool thread_decode(struct bsd_thread *out, uint64_t tid, const void *data, size_t size);

#define FD_NUMBER(name, theirs, value) name = value,
enum fd_kind {
#include "os/darwin/decode/layouts.def"
};

/* Decodes a struct proc_fdinfo. */
bool fd_decode(int32_t *fd, uint32_t *kind, const void *data, size_t size);
/* Decode the answer for a kind of descriptor; texts are borrowed from it. */
bool vnode_fd_decode(struct bsd_descriptor *out, const void *data, size_t size);
bool socket_fd_decode(struct bsd_descriptor *out, const void *data, size_t size);
bool pipe_fd_decode(struct bsd_descriptor *out, const void *data, size_t size);
/* Makes a descriptor of another kind, about which nothing more is known. */
void other_fd(struct bsd_descriptor *out, uint32_t kind);

bool region_decode(struct bsd_mapping *out, const void *data, size_t size, uint32_t page_bytes);

/*
 * KERN_PROCARGS2: the number of arguments, the path of the executable, NULs up to a multiple of 8,
 * the arguments, the environment. The environment of other users' processes is missing.
 */
struct process_arguments {
	struct span executable, arguments, environment;
};
bool arguments_decode(struct process_arguments *out, const void *data, size_t size);
