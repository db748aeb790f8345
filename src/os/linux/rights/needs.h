/* SPDX-License-Identifier: BSD-2-Clause */
/* The needs of the Linux backends, each with its test and remedy. */
#pragma once

#include "collect/backend.h"

extern const struct need need_procfs;
extern const struct need need_bpf;
extern const struct need need_btf;
extern const struct need need_bpf_ring;
extern const struct need need_uprobe_events;
extern const struct need need_uprobe_multi;
extern const struct need need_time_namespace;

#define PID_NAMESPACE_INITIAL  0xeffffffcu /* PROC_PID_INIT_INO, include/linux/proc_ns.h */
#define TIME_NAMESPACE_INITIAL 0xeffffffau /* PROC_TIME_INIT_INO */
#define USER_NAMESPACE_INITIAL 0xeffffffdu /* PROC_USER_INIT_INO */

/* Returns what would give sooth the right to use BPF. */
const char *needs_bpf_remedy(void);
/* Returns whether no program can have the capabilities for BPF here: a container drops them. */
bool needs_has_lost_capabilities(void);
/* Returns whether a seccomp filter refuses bpf(2) or perf_event_open(2), by its number. */
bool needs_is_filtered(long call);
/* Returns the inode of sooth's PID namespace; 0: it is the initial one. */
uint64_t needs_inner_pid_namespace(void);
/* Returns whether sooth is in a user namespace below the initial one, as in a rootless container:
 * its capabilities do not count for BPF and perf events. */
bool needs_is_in_user_namespace(void);

/* Returns whether this thread has a capability, by its number in linux/capability.h, in its
 * effective set. */
bool needs_has_capability(unsigned capability);
/* Returns the running kernel in the form of KERNEL_RELEASE() of symbols/instruction.h; 0:
 * unknown. */
uint32_t needs_kernel_release(void);
