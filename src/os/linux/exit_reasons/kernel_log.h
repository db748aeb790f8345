/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the kernel's log says of processes that it ended: Documentation/ABI/testing/dev-kmsg, and
 * the messages of mm/oom_kill.c, arch/x86/mm/fault.c, arch/x86/kernel/traps.c,
 * arch/arm64/kernel/traps.c. A process is named there by a number and a name alone.
 */
#ifndef SOOTH_OS_LINUX_KERNEL_LOG_H
#define SOOTH_OS_LINUX_KERNEL_LOG_H

#include "base/cursor.h"
#include "probes/exit_reasons.h"

struct kernel_log_line {
	uint64_t logged_ns; /* since boot, as CLOCK_MONOTONIC about */
	struct span message;
};

/* Spans are borrowed from the message. */
struct kernel_log_end {
	enum exit_reasons_log_what what;
	uint32_t pid; /* of a fault: the thread */
	uint32_t uid;
	bool has_uid;
	bool is_of_group;
	bool has_values, has_address, has_instruction;
	uint64_t virtual_bytes, anonymous_bytes, file_bytes, shared_bytes;
	uint64_t address, instruction;
	struct span name;
	struct span trap;
	struct span object;
};

/* One record of /dev/kmsg; false when it is none, or of user space. */
bool kernel_log_split(struct kernel_log_line *out, const void *data, size_t size);
/* False when the message tells of no end. */
bool kernel_log_parse(struct kernel_log_end *out, struct span message);
/* The line before an end for memory: whose limit it was (empty: the host's), and who goes. */
bool kernel_log_parse_group(struct span *group, uint32_t *pid, struct span message);

/* Every line of the kernel's own that is there now; 0 or a negative errno. */
int kernel_log_read(void (*take)(void *user, const struct kernel_log_line *line), void *user);

#endif
