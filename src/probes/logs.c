/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields of the logs probe. */
#include "probes/logs.h"

#include "model/probe.h"
#include "model/schema.h"

static const struct sooth_field file_fields[] = {
	FIELD_PID(logs_file),
	FIELD_WITH(UNSIGNED, logs_file, fd, fd_state,
		"file descriptor of the log file; absent: it is opened for each message",
		.is_key = true),
	FIELD_STRING(logs_file, path, "log file", .may_shrink = true),
	FIELD_NUMBER(logs_file, inode, "inode number of the log file"),
	FIELD_NUMBER(logs_file, size_bytes, "size of the log file", .unit = SOOTH_UNIT_BYTES),
	FIELD_NUMBER(logs_file, silent_ns, "time since the log file was written last",
		.unit = SOOTH_UNIT_NS),
	FIELD_WITH(UNSIGNED, logs_file, messages, messages_state,
		"messages in what was read of its end"),
	FIELD_WITH(UNSIGNED, logs_file, errors, messages_state,
		"messages of these that report an error or a warning"),
	FIELD_WITH(
		UNSIGNED, logs_file, messages_new, new_state, "messages since the snapshot before"),
	FIELD_WITH(UNSIGNED, logs_file, errors_new, new_state,
		"messages since the snapshot before that report an error or a warning"),
};

RECORD_SCHEMA(logs_file, 96, "logs.file", LOGS_FILE, SAMPLE, file_fields);

static const struct sooth_field error_fields[] = {
	FIELD_PID(logs_error),
	FIELD_WITH(UNSIGNED, logs_error, fd, fd_state, "file descriptor of the log file",
		.is_key = true),
	FIELD_STRING(logs_error, text,
		"last message of its form, without time and level, cut; secrets are masked"),
	FIELD_TRUTH(logs_error, is_warning, "the message is a warning"),
	FIELD_NUMBER(
		logs_error, times, "messages that differ in numbers, quoted texts and paths alone"),
	FIELD_WITH(UNSIGNED, logs_error, times_new, new_state,
		"such messages since the snapshot before"),
	FIELD_NUMBER(logs_error, messages, "messages of all forms since the first of this one"),
	FIELD_NUMBER(logs_error, other_most, "of these, the most of one other form"),
	FIELD_NUMBER(logs_error, done, "of these, those that say that something succeeded"),
	FIELD_NUMBER(logs_error, behind, "messages after the last one"),
};

RECORD_SCHEMA(logs_error, 80, "logs.error", LOGS_ERROR, SAMPLE, error_fields);

static const struct sooth_field process_fields[] = {
	FIELD_PID(logs_process),
	FIELD_WITH(UNSIGNED, logs_process, files, files_state,
		"number of log files that the process has open"),
};

RECORD_SCHEMA(logs_process, 40, "logs.process", LOGS_PROCESS, SAMPLE, process_fields);

static const struct sooth_schema *const schemas[] = { &logs_file_schema, &logs_error_schema,
	&logs_process_schema, NULL };

const struct probe probe_logs = {
	.name = "logs",
	.help = "errors that a process reports in its log files",
	.offers = INTEREST_SAMPLE | INTEREST_BRIEF,
	.schemas = schemas,
};
