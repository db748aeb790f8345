/* SPDX-License-Identifier: BSD-2-Clause */
/* The mounts of a process (/proc/PID/mountinfo, proc_pid_mountinfo(5)), and those on which a system
 * call may never return. */
#pragma once

#include "base/buffer.h"
#include "base/cursor.h"
#include "base/map.h"

#define MOUNTS_MAX   100000 /* fs.mount-max */
#define MOUNTS_BYTES (16u << 20)

struct mount {
	uint32_t id, parent;
	uint32_t device_major, device_minor;
	/* The mount is served by a server, a daemon, or an unknown type; or it is mounted below
	 * such a mount, which a path to it has to pass. */
	bool may_block;
	bool is_served; /* itself, and not by overlay, whose layers are mostly on disks */
	bool is_fuse;
	bool is_whole;			   /* the mount's root is the root of the file system */
	bool is_memory;			   /* tmpfs and similar: files are in memory */
	uint32_t point_offset, point_size; /* mount point in mounts.text, unescaped */
};

struct mounts {
	struct map by_id;   /* uint32_t -> struct mount */
	struct buffer text; /* mount points */
};

struct mount_line {
	uint32_t id, parent;
	uint32_t device_major, device_minor;
	struct span root, point; /* escaped as the kernel does, borrowed */
	struct span type;
	struct span options; /* options of the file system */
};

/* Parses a line of mountinfo; false: it is invalid. */
bool mounts_parse(struct span line, struct mount_line *out);
/* Undo "\040" and the like. */
void mounts_unescape(struct buffer *out, struct span text);
/* Returns whether a file system of that type always answers, from this kernel's memory or disks. */
bool mounts_is_safe(struct span type);

void mounts_init(struct mounts *m);
void mounts_fini(struct mounts *m);
/* Reads the mounts of a process (descriptor of /proc/PID). Returns 0, 1 if there were more, or a
 * negative errno. */
int mounts_read(struct mounts *m, int process, struct buffer *scratch);
const struct mount *mounts_get(const struct mounts *m, uint32_t id);
/* Returns the mount to which an absolute path leads; NULL: none that is listed. */
const struct mount *mounts_find(const struct mounts *m, struct span path);
struct span mounts_point(const struct mounts *m, const struct mount *mount);
