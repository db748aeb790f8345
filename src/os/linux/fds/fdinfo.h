/* SPDX-License-Identifier: BSD-2-Clause */
/* The text of /proc/PID/fdinfo/N (proc_pid_fdinfo(5)): some lines for every descriptor, others for
 * one kind. */
#pragma once

#include "base/cursor.h"

#define FDINFO_BYTES (32u << 20) /* some 250,000 watches */

/* Bits that say which of the members below are set. */
enum fdinfo_has {
	FDINFO_FLAGS = 1,
	FDINFO_MOUNT = 2,
	FDINFO_COUNT = 4,
	FDINFO_TIMER = 8,
	FDINFO_SIGNALS = 16,
	FDINFO_PID = 32,
	FDINFO_TERMINAL = 64,
	FDINFO_MAP = 128,
	FDINFO_PROGRAM = 256,
	FDINFO_LINK = 512,
	FDINFO_BTF = 1024,
};

struct fdinfo {
	unsigned has; /* enum fdinfo_has */
	uint64_t offset;
	uint32_t flags;
	uint32_t mount;
	uint64_t inode; /* 0: unknown (before 5.14) */
	uint64_t count; /* counter of an eventfd */
	bool is_semaphore;
	uint32_t clock;
	uint64_t next_ns, every_ns; /* times of a timerfd; both 0: not armed */
	uint64_t signals;	    /* signals of a signalfd: bit n - 1 is signal n */
	int64_t pid;		    /* PID of a pidfd; -1: it has ended */
	uint32_t terminal;	    /* terminal of a ptmx: N of /dev/pts/N */
	uint32_t map, map_type;
	uint32_t program, program_type;
	uint32_t link;
	struct span link_type; /* borrowed */
	uint32_t btf;
	uint32_t members; /* members of an epoll */
	uint32_t watches; /* watches of an inotify */
	uint32_t marks;	  /* marks of a fanotify */
};

struct fdinfo_member {
	uint32_t fd;
	uint32_t events;
	uint64_t inode; /* 0: unknown (before 5.2) */
};

#define FDINFO_HANDLE_MAX 128 /* MAX_HANDLE_SZ */

struct fdinfo_watch {
	uint64_t inode;
	uint32_t watch;
	uint32_t device_major, device_minor;
	uint32_t mask;
	bool has_handle;
	uint32_t handle_type;
	uint32_t handle_bytes;
	unsigned char handle[FDINFO_HANDLE_MAX];
};

void fdinfo_parse(struct fdinfo *out, const void *data, size_t size);
/* Reads the next line of that kind behind the cursor; false: at the end. */
bool fdinfo_next_member(struct cursor *c, struct fdinfo_member *out);
bool fdinfo_next_watch(struct cursor *c, struct fdinfo_watch *out);
