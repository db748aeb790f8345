/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * logs: the log files that a process writes, and the errors that their last lines report. Other
 * lines are only counted. LOGS_PROCESS ends the records of one snapshot.
 */
#pragma once

#include <sooth/record.h>

enum logs_kind {
	LOGS_FILE = 0x1300,
	LOGS_ERROR = 0x1301,
	LOGS_PROCESS = 0x1302, /* ends the records of one snapshot */
};

struct logs_file {
	struct sooth_record record;
	uint64_t inode;
	uint64_t size_bytes;
	uint64_t silent_ns; /* time since the file was written last */
	uint32_t fd;
	uint32_t device_major, device_minor;
	uint32_t messages,
		messages_new; /* in the part that was read of its end; since the snapshot before */
	uint32_t errors, errors_new; /* messages that report an error or a warning */
	uint8_t messages_state;	     /* state of messages and errors; absent: the file is no text */
	uint8_t new_state;	     /* state of the two _new: absent at the first snapshot */
	uint8_t fd_state;	     /* absent: opened for each message */
	uint8_t unused;
	struct sooth_text path;
};

/* Messages of one form: they differ only in numbers, quoted texts and paths. */
struct logs_error {
	struct sooth_record record;
	uint64_t inode;
	uint32_t fd;
	uint32_t times, times_new;
	uint32_t messages;   /* messages of all forms, from the first of this form to the end */
	uint32_t other_most; /* messages of these in the most frequent other form */
	uint32_t done;	     /* messages of these that report success */
	uint32_t behind;     /* messages after the last of this form */
	uint8_t is_warning;
	uint8_t new_state; /* state of times_new */
	uint8_t fd_state;
	uint8_t unused;
	struct sooth_text text; /* text of the last message; secrets are masked */
};

struct logs_process {
	struct sooth_record record;
	uint32_t files;
	uint8_t files_state; /* truncated: there are more; else why none could be listed */
	uint8_t unused[3];
};
