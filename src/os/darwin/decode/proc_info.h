/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The structs of proc_pidinfo and proc_pidfdinfo of macOS (sys/proc_info.h), the same on x86-64 and
 * arm64. Each function takes one answer; false: it is too short.
 */
#ifndef SOOTH_OS_DARWIN_PROC_INFO_H
#define SOOTH_OS_DARWIN_PROC_INFO_H

#include "os/bsd/source.h"

/* Other users' processes give only BSDINFO_SIZE. */
#define STRUCT_SIZE(name, theirs, value) name = value,
enum proc_info_size {
#include "os/darwin/decode/layouts.def"
};

/* How a unit of mach_absolute_time() becomes ns. */
struct mach_scale {
	uint32_t numerator, denominator;
	uint64_t boot_utc_ns;
};

/* struct proc_taskallinfo, or its first part alone: then memory, CPU time and threads have a state.
 */
bool task_decode(
	struct bsd_process *out, const void *data, size_t size, const struct mach_scale *scale);
/* struct kinfo_proc of sysctl(3): signals that are ignored and caught, and the debugger. False:
 * the data belong to another process. */
bool signals_decode(struct bsd_process *out, const void *data, size_t size);
/* Physical footprint of struct rusage_info_v2, which Activity Monitor calls memory. */
bool footprint_decode(uint64_t *bytes, const void *data, size_t size);
bool thread_decode(struct bsd_thread *out, uint64_t tid, const void *data, size_t size);

#define FD_NUMBER(name, theirs, value) name = value,
enum fd_kind {
#include "os/darwin/decode/layouts.def"
};

/* struct proc_fdinfo. */
bool fd_decode(int32_t *fd, uint32_t *kind, const void *data, size_t size);
/* The answer to one of these kinds; texts are borrowed from it. */
bool vnode_fd_decode(struct bsd_descriptor *out, const void *data, size_t size);
bool socket_fd_decode(struct bsd_descriptor *out, const void *data, size_t size);
bool pipe_fd_decode(struct bsd_descriptor *out, const void *data, size_t size);
/* Nothing more is known of the other kinds. */
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

#endif
