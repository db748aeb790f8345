/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields of the fds probe. */
#include "probes/fds.h"

#include "core/probe.h"
#include "model/schema.h"
#include "probes/fd_names.h"

_Static_assert(sizeof(struct fds_descriptor) == 112, "the layout is part of the capture format");
_Static_assert(sizeof(struct fds_member) == 56, "the layout is part of the capture format");
_Static_assert(sizeof(struct fds_watch) == 72, "the layout is part of the capture format");
_Static_assert(sizeof(struct fds_holder) == 88, "the layout is part of the capture format");
_Static_assert(sizeof(struct fds_process) == 72, "the layout is part of the capture format");

#define OF_INODE(member_, help_)                                                                   \
	FIELD_NUMBER(fds_descriptor, member_, help_, FIELD_STATE_AT(fds_descriptor, inode_state))
#define OF_FLAGS(member_, name_, help_, ...)                                                       \
	FIELD_NUMBER_AS(fds_descriptor, member_, name_, help_,                                     \
		FIELD_STATE_AT(fds_descriptor, flags_state), ##__VA_ARGS__)
#define OF_NODE(member_, help_)                                                                    \
	FIELD_NUMBER(fds_descriptor, member_, help_, FIELD_STATE_AT(fds_descriptor, node_state))

static const struct sooth_field descriptor_fields[] = {
	FIELD_PID(fds_descriptor),
	FIELD_NUMBER(fds_descriptor, fd, "number of the descriptor", .is_key = true),
	{ .name = "kind", /* "type" is what JSON lines call a record */
		.type = SOOTH_FIELD_ENUM,
		FIELD_AT(fds_descriptor, type),
		.names = &fd_type_names,
		.help = "type; sockets by protocol" },
	{ .name = "access",
		.type = SOOTH_FIELD_ENUM,
		FIELD_AT(fds_descriptor, access),
		FIELD_STATE_AT(fds_descriptor, flags_state),
		.names = &fd_access_names,
		.help = "r, w, rw; -: opened with O_PATH" },
	OF_INODE(inode, "inode of what is open"),
	OF_INODE(device_major, "major number of its file system's device"),
	OF_INODE(device_minor, "minor number of that device"),
	OF_FLAGS(offset, position, "position; of what has none 0"),
	OF_FLAGS(flags, flags_mask, "O_* flags in the numbers of the recorded system",
		.unit = SOOTH_UNIT_HEX),
	OF_FLAGS(mount, mount, "id of the mount, in /proc/PID/mountinfo"),
	{ .name = "is_closed_on_exec",
		.type = SOOTH_FIELD_BOOL,
		FIELD_AT(fds_descriptor, closes_on_exec),
		FIELD_STATE_AT(fds_descriptor, flags_state),
		.help = "close-on-exec" },
	FIELD_NUMBER(fds_descriptor, size_bytes, "size of a regular file", .unit = SOOTH_UNIT_BYTES,
		FIELD_STATE_AT(fds_descriptor, size_state)),
	OF_NODE(node_major, "of a device: its major number"),
	OF_NODE(node_minor, "of a device: its minor number"),
	FIELD_TRUTH(fds_descriptor, is_deleted, "its file was deleted or replaced",
		FIELD_STATE_AT(fds_descriptor, deleted_state)),
	FIELD_STRING(fds_descriptor, path, "target of /proc/PID/fd, without \" (deleted)\"",
		.may_shrink = true, FIELD_STATE_AT(fds_descriptor, path_state)),
	FIELD_STRING(fds_descriptor, detail, "details of the type", .may_shrink = true,
		FIELD_STATE_AT(fds_descriptor, detail_state)),
};

static const struct sooth_schema descriptor_schema = {
	.name = "fds.descriptor",
	.kind = FDS_DESCRIPTOR,
	.class_ = SOOTH_CLASS_SAMPLE,
	.fixed_size = sizeof(struct fds_descriptor),
	SCHEMA_FIELDS(descriptor_fields),
};

static const struct sooth_field member_fields[] = {
	FIELD_PID(fds_member),
	FIELD_NUMBER_AS(fds_member, epoll, epoll_fd, "the epoll descriptor", .is_key = true),
	FIELD_NUMBER(fds_member, fd, "descriptor added to it", .is_key = true),
	FIELD_NUMBER(fds_member, inode, "inode of the file waited for; 0: unknown", .is_key = true),
	FIELD_NUMBER_AS(fds_member, events, events_mask, "EPOLL* that are waited for",
		.unit = SOOTH_UNIT_HEX),
};

static const struct sooth_schema member_schema = {
	.name = "fds.member",
	.kind = FDS_MEMBER,
	.class_ = SOOTH_CLASS_SAMPLE,
	.fixed_size = sizeof(struct fds_member),
	SCHEMA_FIELDS(member_fields),
};

static const struct sooth_field watch_fields[] = {
	FIELD_PID(fds_watch),
	FIELD_NUMBER(fds_watch, fd, "the inotify descriptor", .is_key = true),
	FIELD_NUMBER(fds_watch, watch, "number of the watch", .is_key = true),
	FIELD_NUMBER(fds_watch, inode, "inode of the watched file"),
	FIELD_NUMBER(fds_watch, device_major, "major number of its device"),
	FIELD_NUMBER(fds_watch, device_minor, "minor number of that device"),
	FIELD_NUMBER_AS(
		fds_watch, mask, events_mask, "IN_* that are waited for", .unit = SOOTH_UNIT_HEX),
	FIELD_STRING(fds_watch, path, "path, found by file handle or by search", .may_shrink = true,
		FIELD_STATE_AT(fds_watch, path_state)),
};

static const struct sooth_schema watch_schema = {
	.name = "fds.watch",
	.kind = FDS_WATCH,
	.class_ = SOOTH_CLASS_SAMPLE,
	.fixed_size = sizeof(struct fds_watch),
	SCHEMA_FIELDS(watch_fields),
};

static const struct sooth_field holder_fields[] = {
	FIELD_PID(fds_holder),
	FIELD_NUMBER(fds_holder, inode, "inode of the pipe or socket of this process"),
	FIELD_NUMBER_AS(
		fds_holder, held_inode, holder_inode, "inode of the other end", .is_key = true),
	FIELD_NUMBER(fds_holder, holder_pid, "process that has the other end", .is_key = true),
	FIELD_NUMBER(fds_holder, holder_fd, "its descriptor", .is_key = true),
	FIELD_NUMBER(
		fds_holder, holder_start_ticks, "start of that process, in clock ticks after boot"),
	{ .name = "access",
		.type = SOOTH_FIELD_ENUM,
		FIELD_AT(fds_holder, access),
		.names = &fd_access_names,
		.help = "access mode of that descriptor" },
	{ .name = "holder_name",
		.type = SOOTH_FIELD_CHARS,
		FIELD_AT(fds_holder, holder_name),
		.help = "name of that process (comm)" },
};

static const struct sooth_schema holder_schema = {
	.name = "fds.holder",
	.kind = FDS_HOLDER,
	.class_ = SOOTH_CLASS_SAMPLE,
	.fixed_size = sizeof(struct fds_holder),
	SCHEMA_FIELDS(holder_fields),
};

static const struct sooth_field process_fields[] = {
	FIELD_PID(fds_process),
	FIELD_NUMBER_AS(fds_process, descriptors, open_files, "open descriptors in the list",
		FIELD_STATE_AT(fds_process, descriptors_state)),
	FIELD_NUMBER(
		fds_process, soft_limit, "RLIMIT_NOFILE", FIELD_STATE_AT(fds_process, limit_state)),
	FIELD_NUMBER(
		fds_process, hard_limit, "hard limit", FIELD_STATE_AT(fds_process, limit_state)),
	FIELD_NUMBER(fds_process, watches, "of all its inotify descriptors",
		FIELD_STATE_AT(fds_process, descriptors_state)),
	FIELD_NUMBER(fds_process, watches_max, "fs.inotify.max_user_watches",
		FIELD_STATE_AT(fds_process, inotify_state)),
	FIELD_NUMBER(fds_process, instances_max, "fs.inotify.max_user_instances",
		FIELD_STATE_AT(fds_process, inotify_state)),
};

static const struct sooth_schema process_schema = {
	.name = "fds.process",
	.kind = FDS_PROCESS,
	.class_ = SOOTH_CLASS_SAMPLE,
	.fixed_size = sizeof(struct fds_process),
	SCHEMA_FIELDS(process_fields),
};

static const struct sooth_schema *const schemas[] = { &descriptor_schema, &member_schema,
	&watch_schema, &holder_schema, &process_schema, NULL };

const struct probe probe_fds = {
	.name = "fds",
	.help = "open descriptors, their types, the processes at the other end",
	.offers = INTEREST_SAMPLE | INTEREST_DETAIL | INTEREST_BRIEF,
	.schemas = schemas,
};
