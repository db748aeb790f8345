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
		.help = "what descriptors are; sockets by their protocol" },
	FIELD_NUMBER(fd_type_row, count, "how many there are"),
};
FD_SCHEMA(fd_type_schema, "fds.by_type", fd_type_row, type_fields);

#define HIDDEN(member_, state_, help_)                                                             \
	FIELD_NUMBER(fd_row, member_, help_, .is_hidden = true, FIELD_STATE_AT(fd_row, state_))

static const struct sooth_field fd_fields[] = {
	FIELD_PID(fd_row),
	FIELD_NUMBER(fd_row, fd, "number of the descriptor", .is_key = true),
	{ .name = "kind",
		.label = "TYPE",
		.type = SOOTH_FIELD_ENUM,
		FIELD_AT(fd_row, type),
		.names = &fd_type_names,
		.help = "what it is; sockets by their protocol" },
	{ .name = "access",
		.label = "RW",
		.type = SOOTH_FIELD_ENUM,
		FIELD_AT(fd_row, access),
		FIELD_STATE_AT(fd_row, flags_state),
		.names = &fd_access_names,
		.help = "r, w, rw; - for one opened for its path alone" },
	FIELD_NUMBER(fd_row, offset, "position", FIELD_STATE_AT(fd_row, flags_state)),
	FIELD_STRING(fd_row, flags, "of open(2), without the access; cloexec: closed by an exec",
		.may_shrink = true, FIELD_STATE_AT(fd_row, flags_state)),
	{ .name = "flags_mask",
		.type = SOOTH_FIELD_UNSIGNED,
		FIELD_AT(fd_row, flags_mask),
		FIELD_STATE_AT(fd_row, flags_state),
		.unit = SOOTH_UNIT_HEX,
		.is_hidden = true,
		.help = "O_* as the observed system has them" },
	{ .name = "closes_on_exec",
		.type = SOOTH_FIELD_BOOL,
		FIELD_AT(fd_row, closes_on_exec),
		FIELD_STATE_AT(fd_row, flags_state),
		.is_hidden = true,
		.help = "it is closed when the process replaces its program" },
	FIELD_NUMBER(fd_row, inode, "inode of what is open", FIELD_STATE_AT(fd_row, inode_state)),
	HIDDEN(device_major, inode_state, "major number of its file system's device"),
	HIDDEN(device_minor, inode_state, "minor number of it"),
	HIDDEN(mount, flags_state, "id of the mount, in /proc/PID/mountinfo"),
	FIELD_NUMBER(fd_row, size_bytes, "size of a regular file", .unit = SOOTH_UNIT_BYTES,
		.is_hidden = true, FIELD_STATE_AT(fd_row, size_state)),
	HIDDEN(node_major, node_state, "of a device: its major number"),
	HIDDEN(node_minor, node_state, "of a device: its minor number"),
	FIELD_TRUTH(fd_row, is_deleted, "it has no name any more, or another file has it",
		.is_hidden = true, FIELD_STATE_AT(fd_row, deleted_state)),
	FIELD_STRING(fd_row, path, "as /proc/PID/fd says, without \" (deleted)\"",
		.may_shrink = true, FIELD_STATE_AT(fd_row, path_state)),
	FIELD_STRING(fd_row, detail, "what its type does not say", .may_shrink = true,
		FIELD_STATE_AT(fd_row, detail_state)),
	FIELD_STRING(fd_row, other_end,
		"who has the pipe, or the socket's peer: pid/name:descriptor access",
		.label = "OTHER END", .may_shrink = true, FIELD_STATE_AT(fd_row, other_state)),
};
FD_SCHEMA(fd_schema, "fds.fds", fd_row, fd_fields);

static const struct sooth_field path_fields[] = {
	FIELD_PID(fd_path_row),
	FIELD_STRING(fd_path_row, path, "what is open more than once", .is_key = true,
		.may_shrink = true),
	FIELD_NUMBER(fd_path_row, count, "how often"),
	{ .name = "fds",
		.type = SOOTH_FIELD_LIST,
		FIELD_AT(fd_path_row, fds),
		.may_shrink = true,
		.help = "by which descriptors" },
};
FD_SCHEMA(fd_path_schema, "fds.fd_paths", fd_path_row, path_fields);

static const struct sooth_field holder_fields[] = {
	FIELD_PID(fd_holder_row),
	FIELD_NUMBER(fd_holder_row, inode, "of the pipe or socket of this process", .is_key = true),
	FIELD_NUMBER(fd_holder_row, holder_pid, "process that has it, or its peer", .is_key = true),
	FIELD_NUMBER(fd_holder_row, holder_fd, "by this descriptor", .is_key = true),
	{ .name = "holder_name",
		.type = SOOTH_FIELD_CHARS,
		FIELD_AT(fd_holder_row, holder_name),
		.help = "name of that process" },
	{ .name = "access",
		.type = SOOTH_FIELD_ENUM,
		FIELD_AT(fd_holder_row, access),
		.names = &fd_access_names,
		.help = "how it has it open" },
};
FD_SCHEMA(fd_holder_schema, "fds.fd_holders", fd_holder_row, holder_fields);

static const struct sooth_field member_fields[] = {
	FIELD_PID(fd_member_row),
	FIELD_NUMBER(fd_member_row, epoll, "the epoll descriptor", .is_key = true),
	FIELD_NUMBER(fd_member_row, fd, "number under which it was added", .is_key = true),
	FIELD_STRING(fd_member_row, events, "what is waited for"),
	FIELD_NUMBER(fd_member_row, mask, "the same as a mask", .unit = SOOTH_UNIT_HEX,
		.is_hidden = true),
	FIELD_NUMBER(fd_member_row, inode, "of the file waited for", .is_key = true,
		.is_hidden = true, FIELD_STATE_AT(fd_member_row, inode_state)),
	FIELD_STRING(fd_member_row, path,
		"what that number is now, where it is still the same file", .may_shrink = true,
		FIELD_STATE_AT(fd_member_row, path_state)),
};
FD_SCHEMA(fd_member_schema, "fds.epoll", fd_member_row, member_fields);

static const struct sooth_field directory_fields[] = {
	FIELD_PID(fd_directory_row),
	FIELD_STRING(fd_directory_row, path,
		"the first four directories of what is watched, or the whole path where it is "
		"shorter",
		.label = "DIRECTORY", .is_key = true, .may_shrink = true,
		FIELD_STATE_AT(fd_directory_row, path_state)),
	FIELD_NUMBER(fd_directory_row, watches, "watches there and below"),
};
FD_SCHEMA(fd_directory_schema, "fds.watch_directories", fd_directory_row, directory_fields);

static const struct sooth_field watch_fields[] = {
	FIELD_PID(fd_watch_row),
	FIELD_NUMBER(fd_watch_row, fd, "the inotify descriptor", .is_key = true),
	FIELD_NUMBER(fd_watch_row, watch, "number of the watch there", .is_key = true),
	FIELD_STRING(fd_watch_row, events, "what is waited for", .may_shrink = true),
	FIELD_NUMBER(fd_watch_row, mask, "the same as a mask", .unit = SOOTH_UNIT_HEX,
		.is_hidden = true),
	FIELD_NUMBER(fd_watch_row, inode, "what is watched", .is_hidden = true),
	FIELD_NUMBER(fd_watch_row, device_major, "major number of its device", .is_hidden = true),
	FIELD_NUMBER(fd_watch_row, device_minor, "minor number of it", .is_hidden = true),
	FIELD_STRING(fd_watch_row, path, "where it is", .may_shrink = true,
		FIELD_STATE_AT(fd_watch_row, path_state)),
};
FD_SCHEMA(fd_watch_schema, "fds.watches", fd_watch_row, watch_fields);

static const struct sooth_field limits_fields[] = {
	FIELD_PID(fd_limits_row),
	FIELD_NUMBER(fd_limits_row, count, "open descriptors", .label = "OPEN",
		FIELD_STATE_AT(fd_limits_row, count_state)),
	FIELD_TRUTH(fd_limits_row, has_all, "no more are open than were told", .is_hidden = true,
		FIELD_STATE_AT(fd_limits_row, count_state)),
	FIELD_NUMBER(fd_limits_row, soft_limit, "RLIMIT_NOFILE; absent: none", .label = "SOFT",
		FIELD_STATE_AT(fd_limits_row, soft_state)),
	FIELD_NUMBER(fd_limits_row, hard_limit, "how far it may be raised", .label = "HARD",
		FIELD_STATE_AT(fd_limits_row, hard_state)),
	{ .name = "percent",
		.label = "%",
		.type = SOOTH_FIELD_REAL,
		.decimals = 1,
		.unit = SOOTH_UNIT_PERCENT,
		FIELD_AT(fd_limits_row, percent),
		FIELD_STATE_AT(fd_limits_row, percent_state),
		.levels = percent_levels,
		.help = "of the soft limit" },
	FIELD_NUMBER(fd_limits_row, watches, "of inotify", .label = "WATCHES",
		FIELD_STATE_AT(fd_limits_row, watches_state)),
	FIELD_NUMBER(fd_limits_row, watches_max, "of all processes of the user", .label = "MOST",
		FIELD_STATE_AT(fd_limits_row, inotify_state)),
	FIELD_NUMBER(fd_limits_row, instances, "of inotify", .label = "INSTANCES",
		FIELD_STATE_AT(fd_limits_row, watches_state)),
	FIELD_NUMBER(fd_limits_row, instances_max, "of all processes of the user", .label = "MOST",
		FIELD_STATE_AT(fd_limits_row, inotify_state)),
};
FD_SCHEMA(fd_limits_schema, "fds.fd_limits", fd_limits_row, limits_fields);
