/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Traces that ended processes leave: core files, and lines in the kernel's log. They are reported
 * once, when the observation stops, also for processes that ended long before.
 *
 * Cannot be seen: cores of processes in another mount namespace or root; the log where only root
 * may read it.
 */
#pragma once

#include <stdint.h>

#include "base/buffer.h"
#include "base/cursor.h"
#include "base/map.h"
#include "collect/backend.h"
#include "os/linux/files/timeout.h"
#include "probes/exit_reasons.h"

struct exit_reasons_left {
	struct map places;     /* process_id -> struct buffer: working directory, NUL-terminated */
	struct buffer dumped;  /* struct process_id of processes that left a core */
	struct buffer pattern; /* core_pattern; empty: not known */
	bool uses_pid;
	uint8_t pattern_state;
	int64_t since_s; /* files older than this are no cores of these processes */
	struct timeout timeout;
};

void exit_reasons_left_init(struct exit_reasons_left *l);
void exit_reasons_left_fini(struct exit_reasons_left *l);
/* Notes the working directory of a process, where a core would be written. Call this again from
 * time to time. */
void exit_reasons_left_place(struct exit_reasons_left *l, const struct process_id *process);
/* Notes the exit of a process. */
void exit_reasons_left_note(struct exit_reasons_left *l, const struct exit_reasons_end *end);
/* Writes EXIT_REASONS_CORE, EXIT_REASONS_LOG, EXIT_REASONS_HOST. */
void exit_reasons_left_emit(struct exit_reasons_left *l, struct backend_run *run);

/* Returns the processes of agents in the last sample of processes. Only for a recording of a host,
 * which selects no processes, or of a user, which does not see later processes join; empty for any
 * other recording. */
struct span exit_reasons_agents(const struct backend_run *run, bool has_selected);

/* Makes a pattern of fnmatch(3) from /proc/sys/kernel/core_pattern, for one process. A "*" stands
 * for the parts that cannot be known afterwards (time, host name, name of the thread). False: cores
 * are piped to a program, or it is no pattern. `uses_pid`: core_uses_pid, for patterns without a
 * %p. */
bool core_file_pattern(struct buffer *out, struct span pattern, uint32_t pid, bool uses_pid);
/* Returns the program that cores are piped to; empty: none. */
struct span core_file_handler(struct span pattern);
/* Sets the PID from a file name of systemd-coredump, "core.NAME.UID.BOOT.PID.TIME...". False: the
 * core is not of this boot. */
bool core_file_pid(struct span name, struct span boot_id, uint32_t *pid);

/* Reads the exit of a process; false: it still runs. `descriptor`: a pidfd opened while it ran, -1:
 * none. With a pidfd the status is known even after the process was reaped (Linux 6.15). Values
 * that only events have are marked as not measured. */
bool exit_reasons_status_read(const struct backend_run *run, const struct process_id *process,
	int descriptor, struct exit_reasons_end *end);
