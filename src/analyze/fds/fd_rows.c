/* SPDX-License-Identifier: BSD-2-Clause */
/* Field tables of the view "fds". */
#include "analyze/fds/fd_rows.h"

#include "probes/fds.h"
#include "probes/fd_names.h"

static const double percent_levels[SOOTH_FIELD_LEVELS] = { 50, 75, 90 };

#define FD_SCHEMA(id, name_, row, fields_)                                                         \
	const struct sooth_schema id = {                                                           \
		.name = name_,                                                                     \
		.class_ = SOOTH_CLASS_ROW,                                                         \
		.fixed_size = sizeof(struct row),                                                  \
		SCHEMA_FIELDS(fields_),                                                            \
	}

static const struct sooth_field type_fields[] = {
	{ .name = "kind", /* in JSON lines "type" is the kind of a line */
		.label = "TYPE",
		.type = SOOTH_FIELD_ENUM,
		FIELD_AT(fd_type_row, type),
		.names = &fd_type_names,
		.help = "type of the file descriptor; for a socket its protocol" },
	FIELD_NUMBER(fd_type_row, count, "number of file descriptors of this type"),
};
FD_SCHEMA(fd_type_schema, "fds.by_type", fd_type_row, type_fields);

#define HIDDEN(member_, state_, help_)                                                             \
	FIELD_NUMBER(fd_row, member_, help_, .is_hidden = true, FIELD_STATE_AT(fd_row, state_))

static const struct sooth_field fd_fields[] = {
	FIELD_PID(fd_row),
	FIELD_NUMBER(fd_row, fd, "number of the file descriptor", .is_key = true),
	{ .name = "kind",
		.label = "TYPE",
		.type = SOOTH_FIELD_ENUM,
		FIELD_AT(fd_row, type),
		.names = &fd_type_names,
		.help = "type of the file descriptor; for a socket its protocol" },
	{ .name = "access",
		.label = "RW",
		.type = SOOTH_FIELD_ENUM,
		FIELD_AT(fd_row, access),
		FIELD_STATE_AT(fd_row, flags_state),
		.names = &fd_access_names,
		.help = "access mode: r (read), w (write), rw; -: opened with O_PATH" },
	FIELD_NUMBER_AS(fd_row, offset, position, "position in the file",
		FIELD_STATE_AT(fd_row, flags_state)),
	FIELD_STRING(fd_row, flags, "open(2) flags of the file descriptor, without the access mode",
		.may_shrink = true, FIELD_STATE_AT(fd_row, flags_state)),
	{ .name = "flags_mask",
		.type = SOOTH_FIELD_UNSIGNED,
		FIELD_AT(fd_row, flags_mask),
		FIELD_STATE_AT(fd_row, flags_state),
		.unit = SOOTH_UNIT_HEX,
		.is_hidden = true,
		.help = "O_* flags as a number, in the encoding of the recorded system" },
	{ .name = "is_closed_on_exec",
		.type = SOOTH_FIELD_BOOL,
		FIELD_AT(fd_row, closes_on_exec),
		FIELD_STATE_AT(fd_row, flags_state),
		.is_hidden = true,
		.help = "the file descriptor is closed on exec (close-on-exec)" },
	FIELD_NUMBER(fd_row, inode, "inode number of the open file, pipe or socket",
		FIELD_STATE_AT(fd_row, inode_state)),
	HIDDEN(device_major, inode_state, "major device number of the file system"),
	HIDDEN(device_minor, inode_state, "minor device number of the file system"),
	HIDDEN(mount, flags_state, "id of the mount of the open file, as in /proc/PID/mountinfo"),
	FIELD_NUMBER(fd_row, size_bytes, "size of the open file if it is a regular file",
		.unit = SOOTH_UNIT_BYTES, .is_hidden = true, FIELD_STATE_AT(fd_row, size_state)),
	HIDDEN(node_major, node_state, "major number of the opened device file"),
	HIDDEN(node_minor, node_state, "minor number of the opened device file"),
	FIELD_TRUTH(fd_row, is_deleted, "the open file was deleted or replaced", .is_hidden = true,
		FIELD_STATE_AT(fd_row, deleted_state)),
	FIELD_STRING(fd_row, path, "target of the link in /proc/PID/fd, without \" (deleted)\"",
		.may_shrink = true, FIELD_STATE_AT(fd_row, path_state)),
	FIELD_STRING(fd_row, detail,
		"further details, depending on the type of the file descriptor", .may_shrink = true,
		FIELD_STATE_AT(fd_row, detail_state)),
	FIELD_STRING(fd_row, other_end,
		"other end of the pipe or socket: pid/name:descriptor access", .label = "OTHER END",
		.may_shrink = true, FIELD_STATE_AT(fd_row, other_state)),
};
FD_SCHEMA(fd_schema, "fds.fds", fd_row, fd_fields);

static const struct sooth_field path_fields[] = {
	FIELD_PID(fd_path_row),
	FIELD_STRING(fd_path_row, path, "path that the process has open more than once",
		.is_key = true, .may_shrink = true),
	FIELD_NUMBER(fd_path_row, count, "number of file descriptors open on the path"),
	{ .name = "fds",
		.type = SOOTH_FIELD_LIST,
		FIELD_AT(fd_path_row, fds),
		.may_shrink = true,
		.help = "file descriptors that are open on the path" },
};
FD_SCHEMA(fd_path_schema, "fds.fd_paths", fd_path_row, path_fields);

static const struct sooth_field holder_fields[] = {
	FIELD_PID(fd_holder_row),
	FIELD_NUMBER(fd_holder_row, inode, "inode number of the process's pipe or socket",
		.is_key = true),
	FIELD_NUMBER(fd_holder_row, holder_pid, "process at the other end of the pipe or socket",
		.is_key = true),
	FIELD_NUMBER(fd_holder_row, holder_fd, "file descriptor at the other end", .is_key = true),
	{ .name = "holder_name",
		.type = SOOTH_FIELD_CHARS,
		FIELD_AT(fd_holder_row, holder_name),
		.help = "name of the process at the other end" },
	{ .name = "access",
		.type = SOOTH_FIELD_ENUM,
		FIELD_AT(fd_holder_row, access),
		.names = &fd_access_names,
		.help = "access mode of the file descriptor at the other end: r, w, rw" },
};
FD_SCHEMA(fd_holder_schema, "fds.fd_holders", fd_holder_row, holder_fields);

static const struct sooth_field member_fields[] = {
	FIELD_PID(fd_member_row),
	FIELD_NUMBER_AS(fd_member_row, epoll, epoll_fd, "epoll file descriptor", .label = "EPOLL",
		.is_key = true),
	FIELD_NUMBER(
		fd_member_row, fd, "file descriptor added to the epoll instance", .is_key = true),
	FIELD_STRING(fd_member_row, events, "events that epoll waits for"),
	FIELD_NUMBER_AS(fd_member_row, mask, events_mask,
		"events that epoll waits for, as a bit mask", .unit = SOOTH_UNIT_HEX,
		.is_hidden = true),
	FIELD_NUMBER(fd_member_row, inode, "inode number of the file that epoll waits for",
		.is_key = true, .is_hidden = true, FIELD_STATE_AT(fd_member_row, inode_state)),
	FIELD_STRING(fd_member_row, path,
		"file the descriptor refers to, if it is still the one added to epoll",
		.may_shrink = true, FIELD_STATE_AT(fd_member_row, path_state)),
};
FD_SCHEMA(fd_member_schema, "fds.epoll", fd_member_row, member_fields);

static const struct sooth_field directory_fields[] = {
	FIELD_PID(fd_directory_row),
	FIELD_STRING(fd_directory_row, path,
		"directory watched by inotify, shortened to four levels", .label = "DIRECTORY",
		.is_key = true, .may_shrink = true, FIELD_STATE_AT(fd_directory_row, path_state)),
	FIELD_NUMBER(fd_directory_row, watches, "inotify watches in and below the directory"),
};
FD_SCHEMA(fd_directory_schema, "fds.watch_directories", fd_directory_row, directory_fields);

static const struct sooth_field watch_fields[] = {
	FIELD_PID(fd_watch_row),
	FIELD_NUMBER(fd_watch_row, fd, "inotify file descriptor", .is_key = true),
	FIELD_NUMBER(fd_watch_row, watch, "number of the inotify watch", .is_key = true),
	FIELD_STRING(fd_watch_row, events, "events that inotify watches for", .may_shrink = true),
	FIELD_NUMBER_AS(fd_watch_row, mask, events_mask,
		"events that inotify watches for, as a bit mask", .unit = SOOTH_UNIT_HEX,
		.is_hidden = true),
	FIELD_NUMBER(fd_watch_row, inode, "inode number of the watched file", .is_hidden = true),
	FIELD_NUMBER(fd_watch_row, device_major, "major device number of the watched file",
		.is_hidden = true),
	FIELD_NUMBER(fd_watch_row, device_minor, "minor device number of the watched file",
		.is_hidden = true),
	FIELD_STRING(fd_watch_row, path, "path of the watched file", .may_shrink = true,
		FIELD_STATE_AT(fd_watch_row, path_state)),
};
FD_SCHEMA(fd_watch_schema, "fds.watches", fd_watch_row, watch_fields);

static const struct sooth_field limits_fields[] = {
	FIELD_PID(fd_limits_row),
	FIELD_NUMBER_AS(fd_limits_row, count, open_files,
		"number of open file descriptors of the process", .label = "OPEN",
		FIELD_STATE_AT(fd_limits_row, count_state)),
	FIELD_TRUTH(fd_limits_row, has_all, "the list of file descriptors is complete",
		.is_hidden = true, FIELD_STATE_AT(fd_limits_row, count_state)),
	FIELD_NUMBER(fd_limits_row, soft_limit,
		"soft limit of open files (RLIMIT_NOFILE); absent: unlimited", .label = "SOFT",
		FIELD_STATE_AT(fd_limits_row, soft_state)),
	FIELD_NUMBER(fd_limits_row, hard_limit, "hard limit of open files; absent: unlimited",
		.label = "HARD", FIELD_STATE_AT(fd_limits_row, hard_state)),
	{ .name = "percent",
		.label = "%",
		.type = SOOTH_FIELD_REAL,
		.decimals = 1,
		.unit = SOOTH_UNIT_PERCENT,
		FIELD_AT(fd_limits_row, percent),
		FIELD_STATE_AT(fd_limits_row, percent_state),
		.levels = percent_levels,
		.help = "open file descriptors in percent of the soft limit" },
	FIELD_NUMBER(fd_limits_row, watches, "inotify watches of the process", .label = "WATCHES",
		FIELD_STATE_AT(fd_limits_row, watches_state)),
	FIELD_NUMBER(fd_limits_row, watches_max, "maximum inotify watches per user",
		.label = "MOST", FIELD_STATE_AT(fd_limits_row, inotify_state)),
	FIELD_NUMBER(fd_limits_row, instances, "inotify instances of the process",
		.label = "INSTANCES", FIELD_STATE_AT(fd_limits_row, watches_state)),
	FIELD_NUMBER(fd_limits_row, instances_max, "maximum inotify instances per user",
		.label = "MOST", FIELD_STATE_AT(fd_limits_row, inotify_state)),
};
FD_SCHEMA(fd_limits_schema, "fds.fd_limits", fd_limits_row, limits_fields);
