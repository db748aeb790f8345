/* SPDX-License-Identifier: BSD-2-Clause */
/* The exit of a process as text: its status, and the sender of a signal. */
#ifndef SOOTH_ANALYZE_EXIT_REASON_TEXT_H
#define SOOTH_ANALYZE_EXIT_REASON_TEXT_H

#include "analyze/diagnosis/endings.h"

#define END_SIGNAL(status)   ((status)&0x7f)
#define END_EXIT(status)     ((status) >> 8 & 0xff)
#define END_HAS_CORE(status) (((status)&EXIT_REASONS_CORE_FLAG) != 0)
/* Plus N: exit status of a shell whose command was ended by signal N. */
#define END_SHELL_SIGNAL 128
/* Arguments for "%.*s": a name in the fixed part of a record. */
#define END_NAME(name) (int)strnlen(name, sizeof(name)), name

/* Returns whether the kernel sends this signal for a faulty instruction: an invalid address, ... */
bool exit_reason_is_fault(unsigned signal);
/* Appends "exit status 1" or "SIGSEGV, with a core". */
void exit_reason_text_status(struct buffer *out, uint32_t status);
/* Appends "its parent make (pid 12)", "kill (pid 14), started by bash (pid 9)", "the kernel" or
 * "itself". */
void exit_reason_text_sender(
	struct buffer *out, const struct ending *of, const struct exit_reasons_signal *s);
/* Returns whether the kernel sent SIGKILL because memory ran out. */
bool exit_reason_is_oom(const struct ending *of, uint32_t status);
/* Appends "killed by SIGKILL from bash (pid 9)", "exited with status 0 after SIGTERM from itself"
 * or "killed by the kernel: out of memory"; nothing if the status is unknown. Returns the state of
 * the status. */
uint8_t exit_reason_text_end(
	struct buffer *out, const struct endings *all, const struct ending *of);
/* Appends "/tmp/core, 3.1M" or "handed to /usr/lib/x"; nothing if no core is known. */
void exit_reason_text_core(struct buffer *out, const struct exit_reasons_core *core);

#endif
