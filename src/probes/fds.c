/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields of the fds probe. */
#include "probes/fds.h"

#include "model/probe.h"
#include "model/schema.h"
#include "probes/fd_names.h"

#define OF_INODE(member_, help_) FIELD_WITH(UNSIGNED, fds_descriptor, member_, inode_state, help_)
#define OF_FLAGS(member_, name_, help_, ...)                                                       \
	FIELD_NUMBER_AS(fds_descriptor, member_, name_, help_,                                     \
		FIELD_STATE_AT(fds_descriptor, flags_state), ##__VA_ARGS__)
#define OF_NODE(member_, help_) FIELD_WITH(UNSIGNED, fds_descriptor, member_, node_state, help_)

static const struct sooth_field descriptor_fields[] = {
	FIELD_PID(fds_descriptor),
	FIELD_NUMBER(fds_descriptor, fd, "number of the file descriptor", .is_key = true),
	{ .name = "kind", /* "type" is what JSON lines call a record */
		.type = SOOTH_FIELD_ENUM,
		FIELD_AT(fds_descriptor, type),
		.names = &fd_type_names,
		.help = "type of the file descriptor; for a socket its protocol" },
	FIELD_WITH(ENUM, fds_descriptor, access, flags_state,
		"access mode: r (read), w (write), rw; -: opened with O_PATH",
		.names = &fd_access_names),
	OF_INODE(inode, "inode number of the open file, pipe or socket"),
	OF_INODE(device_major, "major device number of the file system"),
	OF_INODE(device_minor, "minor device number of the file system"),
	OF_FLAGS(offset, position, "position in the file; 0 if the descriptor has no position"),
	OF_FLAGS(flags, flags_mask, "O_* flags as a number, in the encoding of the recorded system",
		.unit = SOOTH_UNIT_HEX),
	OF_FLAGS(mount, mount, "id of the mount of the open file, as in /proc/PID/mountinfo"),
	FIELD_AS_WITH(BOOL, fds_descriptor, closes_on_exec, is_closed_on_exec, flags_state,
		"the file descriptor is closed on exec (close-on-exec)"),
	FIELD_WITH(UNSIGNED, fds_descriptor, size_bytes, size_state,
		"size of the open file if it is a regular file", .unit = SOOTH_UNIT_BYTES),
	OF_NODE(node_major, "major number of the opened device file"),
	OF_NODE(node_minor, "minor number of the opened device file"),
	FIELD_WITH(BOOL, fds_descriptor, is_deleted, deleted_state,
		"the open file was deleted or replaced"),
	FIELD_WITH(TEXT, fds_descriptor, path, path_state,
		"target of the link in /proc/PID/fd, without \" (deleted)\"", .may_shrink = true,
		.placeholder = "file"),
	FIELD_WITH(TEXT, fds_descriptor, detail, detail_state,
		"further details, depending on the type of the file descriptor",
		.may_shrink = true),
};

RECORD_SCHEMA(fds_descriptor, 112, "fds.descriptor", FDS_DESCRIPTOR, SAMPLE, descriptor_fields);

static const struct sooth_field member_fields[] = {
	FIELD_PID(fds_member),
	FIELD_NUMBER_AS(fds_member, epoll, epoll_fd, "epoll file descriptor", .is_key = true),
	FIELD_NUMBER(fds_member, fd, "file descriptor added to the epoll instance", .is_key = true),
	FIELD_NUMBER(fds_member, inode, "inode number of the file that epoll waits for; 0: unknown",
		.is_key = true),
	FIELD_NUMBER_AS(fds_member, events, events_mask,
		"events that epoll waits for, as EPOLL* bits", .unit = SOOTH_UNIT_HEX),
};

RECORD_SCHEMA(fds_member, 56, "fds.member", FDS_MEMBER, SAMPLE, member_fields);

static const struct sooth_field watch_fields[] = {
	FIELD_PID(fds_watch),
	FIELD_NUMBER(fds_watch, fd, "inotify file descriptor", .is_key = true),
	FIELD_NUMBER(fds_watch, watch, "number of the inotify watch", .is_key = true),
	FIELD_NUMBER(fds_watch, inode, "inode number of the watched file"),
	FIELD_NUMBER(fds_watch, device_major, "major device number of the watched file"),
	FIELD_NUMBER(fds_watch, device_minor, "minor device number of the watched file"),
	FIELD_NUMBER_AS(fds_watch, mask, events_mask,
		"events that inotify watches for, as IN_* bits", .unit = SOOTH_UNIT_HEX),
	FIELD_WITH(TEXT, fds_watch, path, path_state,
		"path of the watched file, found by file handle or by search", .may_shrink = true),
};

RECORD_SCHEMA(fds_watch, 72, "fds.watch", FDS_WATCH, SAMPLE, watch_fields);

static const struct sooth_field holder_fields[] = {
	FIELD_PID(fds_holder),
	FIELD_NUMBER(fds_holder, inode, "inode number of the process's pipe or socket"),
	FIELD_NUMBER_AS(fds_holder, held_inode, holder_inode,
		"inode number of the other end of the pipe or socket", .is_key = true),
	FIELD_NUMBER(fds_holder, holder_pid, "process id of the process at the other end",
		.is_key = true),
	FIELD_NUMBER(fds_holder, holder_fd, "file descriptor at the other end", .is_key = true),
	FIELD_NUMBER(fds_holder, holder_start_ticks,
		"start of the process at the other end, in clock ticks after boot"),
	FIELD_OF(ENUM, fds_holder, access, access,
		"access mode of the file descriptor at the other end: r, w, rw",
		.names = &fd_access_names),
	FIELD_OF(CHARS, fds_holder, holder_name, holder_name,
		"name of the process at the other end (comm)"),
};

RECORD_SCHEMA(fds_holder, 88, "fds.holder", FDS_HOLDER, SAMPLE, holder_fields);

#define OF_SPACE(member_, help_, ...)                                                              \
	FIELD_WITH(UNSIGNED, fds_filesystem, member_, space_state, help_, ##__VA_ARGS__)

static const struct sooth_field filesystem_fields[] = {
	FIELD_PID(fds_filesystem),
	FIELD_NUMBER(fds_filesystem, mount, "id of the mount, as in /proc/PID/mountinfo",
		.is_key = true),
	FIELD_NUMBER(fds_filesystem, device_major, "major device number of the file system"),
	FIELD_NUMBER(fds_filesystem, device_minor, "minor device number of the file system"),
	OF_SPACE(total_bytes, "size of the file system", .unit = SOOTH_UNIT_BYTES),
	OF_SPACE(
		free_bytes, "free space, with what is reserved for root", .unit = SOOTH_UNIT_BYTES),
	OF_SPACE(available_bytes, "free space for processes without privilege",
		.unit = SOOTH_UNIT_BYTES),
	OF_SPACE(files, "maximum number of files (inodes); 0: no limit"),
	OF_SPACE(files_available, "number of files (inodes) that can still be made"),
	FIELD_WITH(BOOL, fds_filesystem, is_read_only, space_state, "the mount is read-only"),
	FIELD_OF(BOOL, fds_filesystem, is_memory, is_memory, "its files are memory: tmpfs, ramfs"),
	FIELD_STRING(fds_filesystem, point, "mount point", .may_shrink = true),
};

RECORD_SCHEMA(fds_filesystem, 96, "fds.filesystem", FDS_FILESYSTEM, SAMPLE, filesystem_fields);

static const struct sooth_field successor_fields[] = {
	FIELD_PID(fds_successor),
	FIELD_NUMBER(fds_successor, fd, "file descriptor that has the other file", .is_key = true),
	FIELD_NUMBER(fds_successor, inode, "inode number of the file that has the name now"),
	FIELD_NUMBER(fds_successor, size_bytes, "size of the file that has the name now",
		.unit = SOOTH_UNIT_BYTES),
	FIELD_OF(SIGNED, fds_successor, modified_s, modified,
		"time that file was last written, in seconds since 1970"),
	FIELD_STRING(fds_successor, path, "name that the file of the descriptor had",
		.may_shrink = true),
};

RECORD_SCHEMA(fds_successor, 72, "fds.successor", FDS_SUCCESSOR, SAMPLE, successor_fields);

static const struct sooth_field process_fields[] = {
	FIELD_PID(fds_process),
	FIELD_AS_WITH(UNSIGNED, fds_process, descriptors, open_files, descriptors_state,
		"number of open file descriptors listed"),
	FIELD_WITH(UNSIGNED, fds_process, soft_limit, limit_state, "RLIMIT_NOFILE"),
	FIELD_WITH(UNSIGNED, fds_process, hard_limit, limit_state,
		"hard limit of open files; absent: unlimited"),
	FIELD_WITH(UNSIGNED, fds_process, watches, descriptors_state,
		"inotify watches of the process"),
	FIELD_WITH(
		UNSIGNED, fds_process, watches_max, inotify_state, "fs.inotify.max_user_watches"),
	FIELD_WITH(UNSIGNED, fds_process, instances_max, inotify_state,
		"fs.inotify.max_user_instances"),
};

RECORD_SCHEMA(fds_process, 72, "fds.process", FDS_PROCESS, SAMPLE, process_fields);

static const struct sooth_schema *const schemas[] = { &fds_descriptor_schema, &fds_member_schema,
	&fds_watch_schema, &fds_holder_schema, &fds_filesystem_schema, &fds_successor_schema,
	&fds_process_schema, NULL };

const struct probe probe_fds = {
	.name = "fds",
	.help = "open file descriptors: type, target, process at the other end",
	.offers = INTEREST_SAMPLE | INTEREST_DETAIL | INTEREST_BRIEF,
	.schemas = schemas,
};
