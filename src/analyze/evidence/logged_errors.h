/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The errors that a process reports in its own log files, and on standard error if that is no
 * file.
 */
#pragma once

#include "analyze/diagnosis/diagnosis_input.h"
#include "probes/logs.h"

struct logged_error {
	const struct logs_error *error; /* NULL: none */
	const struct logs_file *file;
	uint64_t elsewhere_new; /* new messages in other logs since the first sample */
};

/* Finds the error number `i`, from 0, in the last snapshot. False: there are no more. */
bool logged_errors_at(const struct diagnosis_input *input, const struct process_id *id, size_t i,
	struct logged_error *out);
/* Returns whether the error is in a log file; false: on standard error, which is no file. */
bool logged_error_is_in_file(const struct logged_error *e);
/* Returns the log file with this inode; NULL: the inode is no log of the process. */
const struct logs_file *logged_errors_file(const struct diagnosis_input *input,
	const struct process_id *id, uint64_t inode, uint32_t major, uint32_t minor);
/* Returns whether the log was written since the process started: an earlier run of the program may
 * have left its errors there. */
bool logged_errors_are_of_run(const struct diagnosis_input *input, const struct process_entry *p,
	const struct logs_file *file);
/* Returns whether an ancestor has the same file open, so that its diagnosis reports the errors. */
bool logged_errors_are_said_above(const struct diagnosis_input *input,
	const struct process_entry *p, const struct logs_file *file);
/* Returns whether nearly all lines of the log are this error, or lines that always come with
 * it. */
bool logged_error_is_all(const struct logged_error *e);
