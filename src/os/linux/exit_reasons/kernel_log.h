/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages in the kernel's log about processes it ended: Documentation/ABI/testing/dev-kmsg, and
 * the messages of mm/oom_kill.c, arch/x86/mm/fault.c, arch/x86/kernel/traps.c,
 * arch/arm64/kernel/traps.c. They identify a process by pid and name only. */
#pragma once

#include "base/cursor.h"
#include "probes/exit_reasons.h"

struct kernel_log_line {
	uint64_t logged_ns; /* time since boot, roughly CLOCK_MONOTONIC */
	struct span message;
};

/* Spans are borrowed from the message. */
struct kernel_log_end {
	enum exit_reasons_log_what what;
	uint32_t pid; /* PID of the process; for a fault: the thread id */
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

/* Splits one record of /dev/kmsg; false: it is no record, or user space wrote it. */
bool kernel_log_split(struct kernel_log_line *out, const void *data, size_t size);
/* Parses a message; false: it is not about the end of a process. */
bool kernel_log_parse(struct kernel_log_end *out, struct span message);
/* Parses the line before an OOM kill: the group whose limit was reached ("": the host), and the
 * victim's PID. */
bool kernel_log_parse_group(struct span *group, uint32_t *pid, struct span message);

/* Reads the kernel's own lines that are in the log now. Returns 0 or a negative errno. */
int kernel_log_read(void (*take)(void *user, const struct kernel_log_line *line), void *user);
