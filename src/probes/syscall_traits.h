/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Meaning of the columns of syscalls.def: the traits of a system call. An argument is stored as its
 * position plus one, so that 0 says "none"; syscall_value() reads it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SYSCALL_ARGUMENTS 6
#define SYSCALL_ANSWERS	  4

/* Limits of the user or the host: an error of the call means that one of them is reached. */
enum syscall_limit {
	SYSCALL_LIMIT_NONE,
	SYSCALL_LIMIT_KEYS,
	SYSCALL_LIMIT_FANOTIFY,
	SYSCALL_LIMIT_FANOTIFY_MARKS,
	SYSCALL_LIMIT_EPOLL,
	SYSCALL_LIMIT_POSIX_QUEUES,
	SYSCALL_LIMIT_SHARED_MEMORY,
	SYSCALL_LIMIT_SEMAPHORES,
	SYSCALL_LIMIT_QUEUES,
	SYSCALL_LIMIT_NAMESPACES,
	SYSCALL_LIMIT_LOCKED_MEMORY,
};

enum syscall_trait {
	SYSCALL_LOOKS = 1 << 0,	  /* asks about files by path or directory, and moves nothing */
	SYSCALL_OPENS = 1 << 1,	  /* a file, to read or write it */
	SYSCALL_RESIZES = 1 << 2, /* sets the size of a file */
	SYSCALL_REMOVES = 1 << 3,
	SYSCALL_RENAMES = 1 << 4,
	SYSCALL_SEEKS = 1 << 5,
	SYSCALL_CONNECTS = 1 << 6,
	SYSCALL_ASKS_SOCKET = 1 << 7, /* requests a socket option, such as the error of a connect */
	SYSCALL_POLLS = 1 << 8,	      /* returns 0 at its timeout */
	SYSCALL_SLEEPS = 1 << 9,      /* sleeps for a time */
	SYSCALL_FUTEX = 1 << 10,      /* argument 1 is the operation */
	SYSCALL_PATIENT = 1 << 11,    /* may wait for others: its time is not only work */
	SYSCALL_WRITES_MANY = 1 << 12, /* several messages: the result counts messages, not bytes */
	SYSCALL_READS_LINK = 1 << 13,  /* the result is the length of a link's target */
	SYSCALL_ENDS_THREAD = 1 << 14, /* ends the thread: it never returns */
	SYSCALL_ENDS_PROCESS = 1 << 15,
	SYSCALL_EXECS = 1 << 16,   /* memory that its arguments point to is gone when it returns */
	SYSCALL_SUBMITS = 1 << 17, /* requests of io_uring */
	SYSCALL_MAPS = 1 << 18,	   /* argument 3 says whether the memory is of a file */
	SYSCALL_BREAKS = 1 << 19,  /* moves the end of the heap */
	SYSCALL_RETURNS_ADDRESS = 1 << 20,
	SYSCALL_RETURNS_MODE = 1 << 21,
	SYSCALL_SYNCS = 1 << 22,       /* writes the changes of a file to its disk */
	SYSCALL_STARTS_TASK = 1 << 23, /* a process or a thread */
	SYSCALL_SHUTS_DOWN = 1 << 24,  /* a connection, for one direction or both */
	SYSCALL_ADDS_WATCH = 1 << 25,  /* adds a watch of a file or directory, for changes */
	SYSCALL_REMOVES_WATCH = 1 << 26,
	SYSCALL_MAKES_WATCHER = 1 << 27, /* an instance, which watches are added to */
	SYSCALL_MAKES_FILE = 1 << 28,	 /* makes a file at a path, and returns no descriptor */
	/* The result is a register of the code that the call returns to, and never an error. */
	SYSCALL_RESTORES = 1 << 29,
	SYSCALL_UNMAPS = 1 << 30, /* unmaps argument 1 bytes at argument 0 */
};

enum syscall_direction { SYSCALL_MOVES_NONE, SYSCALL_READS, SYSCALL_WRITES, SYSCALL_COPIES };

/* The descriptors that the call reads from and writes to. */
struct syscall_transfer {
	uint8_t direction; /* enum syscall_direction */
	uint8_t from, to;
	uint8_t size;	/* argument with the requested size */
	uint8_t offset; /* position in the file; none: the position of the descriptor */
	uint8_t flags;	/* flags of a message */
};

/* Reasons why a thread sleeps in the call. */
enum syscall_wait_kind {
	SYSCALL_WAIT_OTHER, /* anything */
	SYSCALL_WAIT_LOCK,  /* a futex */
	SYSCALL_WAIT_TIME,
	SYSCALL_WAIT_READY, /* waits for one of several descriptors */
	SYSCALL_WAIT_DATA,  /* waits for one descriptor, or for the answer of a file system */
	SYSCALL_WAIT_TURN,  /* a lock or queue shared with other processes, as a rule */
	SYSCALL_WAIT_CHILD,
	SYSCALL_WAIT_SPAWN, /* a child that has to exec or end; of clone only with CLONE_VFORK */
	SYSCALL_WAIT_SIGNAL,
	SYSCALL_WAIT_YIELD, /* gave the processor away */
	SYSCALL_WAITS,
};

struct syscall_wait {
	uint8_t what;	    /* enum syscall_wait_kind */
	bool is_purpose;    /* the purpose of the call is to wait, so its time is no work */
	uint8_t descriptor; /* descriptor that the call waits for */
	uint8_t count;	    /* number of descriptors that READY waits for */
	uint8_t timeout;    /* a pointer to a time, NULL for none */
	uint8_t timeout_ms; /* an int, negative for none */
};

/* Effects of a call on descriptors or the working directory. */
enum syscall_fd_effect {
	SYSCALL_FD_NOTHING_SEEN, /* no effect that the record of the call shows */
	/* The result is a new descriptor: */
	SYSCALL_FD_OPENS_FILE, /* opens the file at `path`; without `flags` empties it, as creat(2)
				*/
	SYSCALL_FD_OPENS_HOW,  /* `flags` points to the flags */
	SYSCALL_FD_MAKES,      /* an object of the kind `text` */
	SYSCALL_FD_MAKES_CLOSING, /* makes a descriptor that is always closed on exec */
	SYSCALL_FD_MAKES_MEMORY,
	SYSCALL_FD_MAKES_SOCKET,
	SYSCALL_FD_MAKES_UNKNOWN,
	SYSCALL_FD_ACCEPTS,
	SYSCALL_FD_DUPLICATES,
	SYSCALL_FD_RESULTS,   /* kinds above this: the result is a descriptor */
	SYSCALL_FD_MAKES_TWO, /* makes two descriptors in `pair`; pipes if `text` says so, else
				 sockets */
	SYSCALL_FD_CONTROLS,  /* fcntl(2): the effect depends on its command */
	SYSCALL_FD_MARKS,     /* ioctl(2): close on exec, or not */
	SYSCALL_FD_CLOSES,
	SYSCALL_FD_CLOSES_RANGE,
	SYSCALL_FD_BEGINS_CONNECTION,
	SYSCALL_FD_NAMES_PEER,
	SYSCALL_FD_NAMES_LOCAL,
	SYSCALL_FD_LISTENS,
	SYSCALL_FD_SHOWS_DIRECTORY, /* argument 0 must be a directory */
	SYSCALL_FD_CHANGES_DIRECTORY,
	SYSCALL_FD_CHANGES_TO_DESCRIPTOR,
	SYSCALL_FD_EFFECTS,
};

struct syscall_effect {
	const char *text; /* what the new descriptor is */
	uint8_t what;	  /* enum syscall_fd_effect */
	bool is_needed;	  /* names of descriptors go wrong without the call */
	uint8_t path, directory, flags, pair;
};

/* The types an argument can have, as in syscall_types.def. */
enum argument_type_id {
#define TYPE(id, ...) ARGUMENT_TYPE_##id,
#include "probes/syscall_types.def"
	ARGUMENT_TYPES,
};

/* Returns the value of the argument at a stored position; `none` if there is no such argument. */
static inline uint64_t syscall_value(
	const uint64_t arguments[SYSCALL_ARGUMENTS], uint8_t argument, uint64_t none)
{
	return argument ? arguments[argument - 1] : none;
}
