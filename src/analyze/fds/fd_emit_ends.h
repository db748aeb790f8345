/* SPDX-License-Identifier: BSD-2-Clause */
/* The tables of the view "fds" that join records, each over all processes. */
#pragma once

#include <stdbool.h>

#include "analyze/process_view.h"
#include "base/buffer.h"
#include "model/row_list.h"
#include "model/schema.h"

#define FD_TYPE_ROW(F, S)                                                                          \
	F(S, NAMED, ENUM32, type, kind, ALWAYS,                                                    \
		"type of the file descriptor; for a socket its protocol", .label = "TYPE",         \
		.names = &fd_type_names)                                                           \
	F(S, U32, count, ALWAYS, "number of file descriptors of this type")

ROW_STRUCT(fd_type_row, FD_TYPE_ROW);

#define FD_ROW(F, S)                                                                               \
	F(S, PID)                                                                                  \
	F(S, U32, fd, ALWAYS, "number of the file descriptor", .is_key = true)                     \
	F(S, NAMED, ENUM8, type, kind, ALWAYS,                                                     \
		"type of the file descriptor; for a socket its protocol", .label = "TYPE",         \
		.names = &fd_type_names)                                                           \
	F(S, ENUM8, access, MAYBE(flags_state),                                                    \
		"access mode: r (read), w (write), rw; -: opened with O_PATH", .label = "RW",      \
		.names = &fd_access_names)                                                         \
	F(S, NAMED, U64, offset, position, WITH(flags_state), "position in the file")              \
	F(S, TEXT, flags, WITH(flags_state),                                                       \
		"open(2) flags of the file descriptor, without the access mode",                   \
		.may_shrink = true)                                                                \
	F(S, U32, flags_mask, WITH(flags_state),                                                   \
		"O_* flags as a number, in the encoding of the recorded system",                   \
		.unit = SOOTH_UNIT_HEX, .is_hidden = true)                                         \
	F(S, NAMED, BOOL, closes_on_exec, is_closed_on_exec, WITH(flags_state),                    \
		"the file descriptor is closed on exec (close-on-exec)", .is_hidden = true)        \
	F(S, U64, inode, MAYBE(inode_state), "inode number of the open file, pipe or socket")      \
	F(S, U32, device_major, WITH(inode_state), "major device number of the file system",       \
		.is_hidden = true)                                                                 \
	F(S, U32, device_minor, WITH(inode_state), "minor device number of the file system",       \
		.is_hidden = true)                                                                 \
	F(S, U32, mount, WITH(flags_state),                                                        \
		"id of the mount of the open file, as in /proc/PID/mountinfo", .is_hidden = true)  \
	F(S, U64, size_bytes, MAYBE(size_state), "size of the open file if it is a regular file",  \
		.unit = SOOTH_UNIT_BYTES, .is_hidden = true)                                       \
	F(S, U32, node_major, MAYBE(node_state), "major number of the opened device file",         \
		.is_hidden = true)                                                                 \
	F(S, U32, node_minor, WITH(node_state), "minor number of the opened device file",          \
		.is_hidden = true)                                                                 \
	F(S, BOOL, is_deleted, MAYBE(deleted_state), "the open file was deleted or replaced",      \
		.is_hidden = true)                                                                 \
	F(S, TEXT, path, MAYBE(path_state),                                                        \
		"target of the link in /proc/PID/fd, without \" (deleted)\"", .may_shrink = true)  \
	F(S, TEXT, detail, MAYBE(detail_state),                                                    \
		"further details, depending on the type of the file descriptor",                   \
		.may_shrink = true)                                                                \
	F(S, TEXT, other_end, MAYBE(other_state),                                                  \
		"other end of the pipe or socket: pid/name:descriptor access",                     \
		.label = "OTHER END", .may_shrink = true)

ROW_STRUCT(fd_row, FD_ROW);

#define FD_PATH_ROW(F, S)                                                                          \
	F(S, PID)                                                                                  \
	F(S, TEXT, path, ALWAYS, "path that the process has open more than once", .is_key = true,  \
		.may_shrink = true)                                                                \
	F(S, U32, count, ALWAYS, "number of file descriptors open on the path")                    \
	F(S, LIST, fds, ALWAYS, "file descriptors that are open on the path", .may_shrink = true)

ROW_STRUCT(fd_path_row, FD_PATH_ROW);

#define FD_HOLDER_ROW(F, S)                                                                        \
	F(S, PID)                                                                                  \
	F(S, U64, inode, ALWAYS, "inode number of the process's pipe or socket", .is_key = true)   \
	F(S, U32, holder_pid, ALWAYS, "process at the other end of the pipe or socket",            \
		.is_key = true)                                                                    \
	F(S, U32, holder_fd, ALWAYS, "file descriptor at the other end", .is_key = true)           \
	F(S, CHARS16, holder_name, ALWAYS, "name of the process at the other end")                 \
	F(S, ENUM8, access, ALWAYS,                                                                \
		"access mode of the file descriptor at the other end: r, w, rw",                   \
		.names = &fd_access_names)

ROW_STRUCT(fd_holder_row, FD_HOLDER_ROW);

#define FD_MEMBER_ROW(F, S)                                                                        \
	F(S, PID)                                                                                  \
	F(S, NAMED, U32, epoll, epoll_fd, ALWAYS, "epoll file descriptor", .label = "EPOLL",       \
		.is_key = true)                                                                    \
	F(S, U32, fd, ALWAYS, "file descriptor added to the epoll instance", .is_key = true)       \
	F(S, TEXT, events, ALWAYS, "events that epoll waits for")                                  \
	F(S, NAMED, U32, mask, events_mask, ALWAYS, "events that epoll waits for, as a bit mask",  \
		.unit = SOOTH_UNIT_HEX, .is_hidden = true)                                         \
	F(S, U64, inode, MAYBE(inode_state), "inode number of the file that epoll waits for",      \
		.is_key = true, .is_hidden = true)                                                 \
	F(S, TEXT, path, MAYBE(path_state),                                                        \
		"file the descriptor refers to, if it is still the one added to epoll",            \
		.may_shrink = true)

ROW_STRUCT(fd_member_row, FD_MEMBER_ROW);

#define FD_DIRECTORY_ROW(F, S)                                                                     \
	F(S, PID)                                                                                  \
	F(S, TEXT, path, MAYBE(path_state),                                                        \
		"directory watched by inotify, shortened to four levels", .label = "DIRECTORY",    \
		.is_key = true, .may_shrink = true)                                                \
	F(S, U32, watches, ALWAYS, "inotify watches in and below the directory")

ROW_STRUCT(fd_directory_row, FD_DIRECTORY_ROW);

#define FD_WATCH_ROW(F, S)                                                                         \
	F(S, PID)                                                                                  \
	F(S, U32, fd, ALWAYS, "inotify file descriptor", .is_key = true)                           \
	F(S, U32, watch, ALWAYS, "number of the inotify watch", .is_key = true)                    \
	F(S, TEXT, events, ALWAYS, "events that inotify watches for", .may_shrink = true)          \
	F(S, NAMED, U32, mask, events_mask, ALWAYS,                                                \
		"events that inotify watches for, as a bit mask", .unit = SOOTH_UNIT_HEX,          \
		.is_hidden = true)                                                                 \
	F(S, U64, inode, ALWAYS, "inode number of the watched file", .is_hidden = true)            \
	F(S, U32, device_major, ALWAYS, "major device number of the watched file",                 \
		.is_hidden = true)                                                                 \
	F(S, U32, device_minor, ALWAYS, "minor device number of the watched file",                 \
		.is_hidden = true)                                                                 \
	F(S, TEXT, path, MAYBE(path_state), "path of the watched file", .may_shrink = true)

ROW_STRUCT(fd_watch_row, FD_WATCH_ROW);

#define FD_LIMITS_ROW(F, S)                                                                        \
	F(S, PID)                                                                                  \
	F(S, NAMED, U32, count, open_files, MAYBE(count_state),                                    \
		"number of open file descriptors of the process", .label = "OPEN")                 \
	F(S, BOOL, has_all, WITH(count_state), "the list of file descriptors is complete",         \
		.is_hidden = true)                                                                 \
	F(S, U64, soft_limit, MAYBE(soft_state),                                                   \
		"soft limit of open files (RLIMIT_NOFILE); absent: unlimited", .label = "SOFT")    \
	F(S, U64, hard_limit, MAYBE(hard_state), "hard limit of open files; absent: unlimited",    \
		.label = "HARD")                                                                   \
	F(S, REAL, percent, MAYBE(percent_state),                                                  \
		"open file descriptors in percent of the soft limit", .label = "%", .decimals = 1, \
		.unit = SOOTH_UNIT_PERCENT, .levels = percent_levels)                              \
	F(S, U32, watches, MAYBE(watches_state), "inotify watches of the process",                 \
		.label = "WATCHES")                                                                \
	F(S, U32, watches_max, MAYBE(inotify_state), "maximum inotify watches per user",           \
		.label = "MOST")                                                                   \
	F(S, U32, instances, WITH(watches_state), "inotify instances of the process",              \
		.label = "INSTANCES")                                                              \
	F(S, U32, instances_max, WITH(inotify_state), "maximum inotify instances per user",        \
		.label = "MOST")

ROW_STRUCT(fd_limits_row, FD_LIMITS_ROW);

extern const struct sooth_schema fd_type_schema, fd_schema, fd_path_schema, fd_holder_schema,
	fd_member_schema, fd_directory_schema, fd_watch_schema, fd_limits_schema;

void fd_inotify_words(struct buffer *out, uint32_t mask);

struct fds_view {
	struct process_view view;
	struct snapshots sockets; /* to find listening sockets; empty if not recorded */
	bool is_aarch64;	  /* recorded on aarch64, where the values of O_* differ */
};

int fd_emit_descriptors(struct fds_view *s, struct sooth_error *err);
int fd_emit_holders(struct fds_view *s, struct sooth_error *err);
int fd_emit_members(struct fds_view *s, struct sooth_error *err);
