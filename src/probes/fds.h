/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fds: the file descriptors of a process, the file behind each, and the processes at
 * the other end. FDS_PROCESS ends the records of one snapshot.
 */
#pragma once

#include <sooth/record.h>

enum fds_kind {
	FDS_DESCRIPTOR = 0x0500,
	FDS_MEMBER = 0x0501,  /* a descriptor that an epoll descriptor waits for */
	FDS_WATCH = 0x0502,   /* a watch of an inotify descriptor */
	FDS_HOLDER = 0x0503,  /* a descriptor of a process at the other end */
	FDS_PROCESS = 0x0504, /* ends the records of one snapshot */
	FDS_FILESYSTEM = 0x0505,
	FDS_SUCCESSOR = 0x0506,
};

/* Types of descriptors; sockets by their protocol. */
enum fds_type {
	FDS_UNKNOWN,
	FDS_FILE,
	FDS_DELETED, /* a regular file without a name */
	FDS_DIRECTORY,
	FDS_PIPE,
	FDS_FIFO,
	FDS_UNIX,
	FDS_TCP,
	FDS_UDP,
	FDS_NETLINK,
	FDS_PACKET,
	FDS_SOCKET, /* socket of another or an unknown protocol */
	FDS_EPOLL,
	FDS_EVENTFD,
	FDS_TIMERFD,
	FDS_SIGNALFD,
	FDS_INOTIFY,
	FDS_FANOTIFY,
	FDS_MEMFD,
	FDS_PIDFD,
	FDS_BPF,
	FDS_PERF,
	FDS_IO_URING,
	FDS_USERFAULTFD,
	FDS_PTY,
	FDS_TTY,
	FDS_DEVICE,    /* another character or block device */
	FDS_NAMESPACE, /* namespace of /proc/PID/ns */
	FDS_ANONYMOUS, /* file of the kernel, of another kind: the path names it */
	FDS_QUEUE,     /* POSIX message queue (mq_overview(7)), where a call shows it */
	FDS_TYPES,
};

enum fds_access {
	FDS_ACCESS_NONE, /* O_PATH */
	FDS_ACCESS_READ,
	FDS_ACCESS_WRITE,
	FDS_ACCESS_BOTH,
	FDS_ACCESSES,
};

struct fds_descriptor {
	struct sooth_record record;
	uint64_t inode;
	uint64_t offset; /* position; 0 if the file has none */
	uint64_t size_bytes;
	uint32_t fd;
	uint32_t flags;			     /* O_* of open(2) as this system has them */
	uint32_t device_major, device_minor; /* numbers of the file system's device */
	uint32_t node_major, node_minor;     /* numbers of a device file */
	uint32_t mount;			     /* id in /proc/PID/mountinfo */
	uint8_t type;			     /* enum fds_type */
	uint8_t access;			     /* enum fds_access */
	uint8_t is_deleted;		     /* the file has no name any more, or another file has
					      * it */
	uint8_t closes_on_exec;
	uint8_t node_state;  /* state of node_major and node_minor; absent: no device */
	uint8_t inode_state; /* state of inode and device */
	uint8_t flags_state; /* state of flags, access, offset, mount, closes_on_exec */
	uint8_t size_state;  /* absent: not a file */
	uint8_t path_state;
	uint8_t detail_state;  /* absent: the type says all */
	uint8_t deleted_state; /* state of is_deleted; if unknown, the path ends as the link does */
	uint8_t unused;
	struct sooth_text path;	  /* path as the link says, without " (deleted)"; "pipe:[7]" */
	struct sooth_text detail; /* "count 3", "pid 4711", "TCPv6", "map 12" */
};

#define FDS_MEMBER_EDGE (1u << 31) /* EPOLLET in `events` */

struct fds_member {
	struct sooth_record record;
	uint64_t inode;	 /* inode of the file waited for; 0: unknown */
	uint32_t epoll;	 /* the descriptor that waits */
	uint32_t fd;	 /* number of the added file; may be closed, or another file now */
	uint32_t events; /* EPOLL* */
	uint32_t unused;
};

struct fds_watch {
	struct sooth_record record;
	uint64_t inode;
	uint32_t device_major, device_minor;
	uint32_t fd;	/* the inotify descriptor */
	uint32_t watch; /* number of the watch in the instance */
	uint32_t mask;	/* IN_* */
	uint8_t path_state;
	uint8_t unused[3];
	struct sooth_text path;
};

/*
 * One process at the other end of a pipe, FIFO or socket: for a pipe, any process that has the pipe
 * open (also the observed process, by another descriptor); for a connected socket, the process that
 * has the peer socket.
 */
struct fds_holder {
	struct sooth_record record; /* the observed process */
	uint64_t inode;		    /* inode of the observed process's descriptor */
	uint64_t held_inode; /* inode of the holder's file: the same pipe, or the peer socket */
	uint64_t holder_start_ticks;
	uint32_t holder_pid;
	uint32_t holder_fd;
	uint8_t access; /* enum fds_access; both for a socket */
	uint8_t unused[7];
	char holder_name[16]; /* comm */
};

/* A file system that the process may write to. */
struct fds_filesystem {
	struct sooth_record record;
	uint64_t total_bytes, free_bytes;
	uint64_t available_bytes;	 /* space that a process without privilege can use */
	uint64_t files, files_available; /* 0: the file system has no such limit */
	uint32_t mount;			 /* id in /proc/PID/mountinfo */
	uint32_t device_major, device_minor;
	uint8_t is_read_only;
	uint8_t is_memory;   /* tmpfs and similar: its files are memory */
	uint8_t space_state; /* state of all sizes and counts, and of is_read_only */
	uint8_t unused;
	struct sooth_text point; /* mount point, as the process sees it */
};

/* The file that now has the name of a file which the process has open and has read to its end: a
 * log was rotated away, or deleted. */
struct fds_successor {
	struct sooth_record record;
	uint64_t inode;
	uint64_t size_bytes;
	int64_t modified_s; /* time in seconds since 1970 */
	uint32_t fd;	    /* descriptor of the file that was read to its end */
	uint32_t unused;
	struct sooth_text path;
};

struct fds_process {
	struct sooth_record record;
	uint64_t soft_limit, hard_limit; /* RLIMIT_NOFILE */
	uint32_t descriptors;	/* number of records; descriptors_state: whether there are more */
	uint32_t watches;	/* watches of inotify, recorded or not */
	uint32_t watches_max;	/* fs.inotify.max_user_watches: of all processes of the user */
	uint32_t instances_max; /* fs.inotify.max_user_instances */
	uint8_t descriptors_state; /* truncated: there are more; else why none could be read */
	uint8_t limit_state;
	uint8_t inotify_state; /* state of watches_max, instances_max */
	uint8_t holders_state; /* whether all processes were readable */
	uint8_t unused[4];
};
