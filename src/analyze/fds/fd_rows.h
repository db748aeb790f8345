/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows of the view "fds". */
#ifndef SOOTH_ANALYZE_FD_ROWS_H
#define SOOTH_ANALYZE_FD_ROWS_H

#include "model/field.h"
#include "model/schema.h"

struct fd_type_row {
	struct sooth_record record;
	uint32_t type; /* enum fds_type */
	uint32_t count;
};

struct fd_row {
	struct sooth_record record;
	uint64_t inode, offset, size_bytes;
	uint32_t fd, flags_mask, mount;
	uint32_t device_major, device_minor;
	uint32_t node_major, node_minor;
	uint8_t type, access, is_deleted, closes_on_exec;
	uint8_t inode_state, flags_state, size_state, node_state;
	uint8_t path_state, detail_state, other_state, deleted_state;
	struct sooth_text flags, path, detail, other_end;
};

struct fd_path_row {
	struct sooth_record record;
	uint32_t count, unused;
	struct sooth_text path, fds;
};

struct fd_holder_row {
	struct sooth_record record;
	uint64_t inode;
	uint32_t holder_pid, holder_fd;
	uint8_t access, unused[7];
	char holder_name[16];
};

struct fd_member_row {
	struct sooth_record record;
	uint64_t inode;
	uint32_t epoll, fd, mask;
	uint8_t inode_state, path_state, unused[2];
	struct sooth_text events, path;
};

struct fd_directory_row {
	struct sooth_record record;
	uint32_t watches;
	uint8_t path_state, unused[3];
	struct sooth_text path;
};

struct fd_watch_row {
	struct sooth_record record;
	uint64_t inode;
	uint32_t fd, watch, mask;
	uint32_t device_major, device_minor;
	uint8_t path_state, unused[3];
	struct sooth_text events, path;
};

struct fd_limits_row {
	struct sooth_record record;
	double percent;
	uint64_t soft_limit, hard_limit;
	uint32_t count, watches, watches_max, instances, instances_max;
	uint8_t count_state, percent_state, inotify_state, watches_state;
	uint8_t soft_state, hard_state, has_all, unused[5];
};

extern const struct sooth_schema fd_type_schema, fd_schema, fd_path_schema, fd_holder_schema,
	fd_member_schema, fd_directory_schema, fd_watch_schema, fd_limits_schema;

#endif
