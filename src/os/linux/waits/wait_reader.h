/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * State that the parts of the backend share: the snapshot being made, the process of the chain
 * being read, and tables of the host that are read once for a sample.
 */
#pragma once

#include "os/linux/bpf/members.h"
#include "os/linux/files/mounts.h"
#include "os/linux/files/procfs.h"
#include "os/linux/files/timeout.h"
#include "os/linux/host/control_groups.h"
#include "os/linux/runtimes/runtime_set.h"
#include "os/linux/waits/cpu_clock.h"
#include "os/linux/waits/wait_ends.h"
#include "os/linux/waits/wait_lock_lines.h"
#include "os/linux/waits/wait_sockets.h"
#include "probes/fds.h"
#include "probes/syscall_names.h"
#include "probes/waits.h"

struct wait_entry {
	uint64_t start_ticks;
	uint32_t pid, ppid, process_group, session;
	char state;
	char name[16];
};

struct wait_table {
	struct buffer entries; /* struct wait_entry, by pid */
	struct buffer pids, bytes;
	bool is_read;
};

/* A process to read. */
struct wait_step {
	pid_t pid;
	uint32_t depth;
};

/* The processes that have the memory of a lock; found once for all threads that wait there. */
struct wait_sharers {
	uint64_t address;
	uint32_t of; /* PID of the process that waits; 0: none yet */
	unsigned count;
	uint32_t pids[16];
};

struct wait_reader {
	/* Must stay the first member: members_backend_set() takes the state of the backend for a
	 * struct members. */
	struct members members;
	struct timeout timeout;
	struct timeout memory; /* timeout for reading the memory of processes */
	struct buffer unread;  /* uint32_t, PIDs whose memory could not be read in time */
	uint64_t ticks_per_s;
	/* Data of the host, read when first needed in a sample. */
	struct wait_table table;
	struct wait_ends ends;
	struct wait_sockets sockets;
	struct map ports;	  /* local port -> its connections, in one network namespace */
	uint64_t ports_namespace; /* inode; 0: not read */
	struct cpu_clock clock;
	struct lock_table locks;
	struct runtime_set runtimes;
	struct control_groups *groups; /* the hierarchies; NULL: not read yet */
	/* Data of the snapshot. */
	struct backend_run *run;
	struct sooth_record head; /* record header with the identity of the process */
	struct buffer steps;	  /* struct wait_step, each process once */
	uint8_t ends_state, sockets_state;
	bool is_cut;
	size_t maps_bytes; /* of the mappings that were read because of locks in shared memory */
	struct wait_sharers sharers;
	uint64_t deadline_ns; /* end of the time for the sample */
	unsigned processes;   /* number of observed processes in the sample so far */
	bool has_begun;	      /* there was an earlier sample */
	uint32_t waiting_fd;  /* the descriptor being read: parties are recorded for it */
	/* Scratch. */
	struct buffer bytes, text, more, tids;
};

#define WAIT_OWNERS_MAX 256
#define WAIT_CLASS_SIZE 96

/* A thread that waits for a lock of its runtime. */
struct wait_owner {
	uint32_t waiter, owner;	     /* tids; only monitors and locks have an owner */
	enum waits_lock lock;	     /* WAITS_LOCK_JAVA_*, except _IDLE */
	char class[WAIT_CLASS_SIZE]; /* class of the object; "": unknown */
};

struct wait_owners {
	unsigned count;
	struct wait_owner all[WAIT_OWNERS_MAX];
};

/* The process of the chain that is being read. */
struct wait_node {
	int process; /* descriptor of /proc/PID */
	uint32_t depth;
	struct procfs_stat stat; /* without its name */
	char name[16];
	struct mounts mounts;
	bool has_mounts;
	bool may_read;		   /* calls and descriptors of its threads may be read */
	struct buffer status;	   /* the file of that name */
	unsigned numberings;	   /* PID namespaces that number it: task_status_inner_pid() */
	uint32_t inner_pid;	   /* PID in the innermost PID namespace */
	const struct buffer *tids; /* uint32_t, of its threads */
	struct buffer own_tids; /* the numbers of `tids` in the process's own PID namespace, if that
				   is not sooth's */
	uint32_t abi;		/* enum syscall_abi of its program */
	struct wait_owners *owners; /* NULL: not read, or not possible */
	bool has_owners;
	struct buffer own_files; /* struct locked_file */
	bool has_own_files;
	unsigned outputs; /* watched descriptors whose other ends were searched */
	unsigned handled; /* threads whose handlers were searched */
};

/* Returns a thread that shares the process's memory and still lives. */
static inline pid_t wait_node_living(const struct wait_node *n)
{
	return (pid_t)(n->stat.living ? n->stat.living : n->stat.pid);
}

/* A thread that is being read, and its call. */
struct wait_call {
	const struct waits_thread *thread;
	const struct syscall_row *row; /* NULL: in no call, or in an unknown one */
	enum syscall_wait_kind what;   /* kind by the call, else by the wait channel */
	const char *channel;
};

struct wait_found {
	enum waits_relation relation;
	enum waits_source source;
	enum waits_confidence confidence;
	uint32_t pid, tid, fd;
	struct span detail;
	bool follows; /* the cause of the wait is followed, too */
};

void wait_add_process(struct wait_reader *r, uint32_t pid, uint32_t depth);
/* Returns the head of a record about a thread of the current process. */
struct sooth_record wait_record(const struct wait_reader *r, uint32_t tid, uint16_t kind);
/* Writes a party and, if it is to be followed, adds it to the chain. */
void wait_add_party(struct wait_reader *r, const struct wait_node *n, uint32_t tid,
	const struct wait_found *found);

/* --- the parts, one file each --- */

void wait_read_process(
	struct wait_reader *r, struct wait_node *n, uint64_t cpu_ns, uint8_t cpu_state);
/* Writes the record of a thread and all that belongs to it; adds its CPU time. */
void wait_read_thread(
	struct wait_reader *r, struct wait_node *n, uint32_t tid, struct waits_thread *t);
/* Reads only the state of a thread, since when it has that state, and its call with the timeout.
 * tid 0 afterwards: the thread could not be read. */
enum syscall_wait_kind wait_read_thread_call(
	struct wait_reader *r, const struct wait_node *n, uint32_t tid, struct waits_thread *t);
/* Adds the process's own locks that others wait for. */
void wait_add_wanted_locks(struct wait_reader *r, struct wait_node *n);
/* Adds the transactions that keep the write-ahead log of the process's SQLite database from being
 * emptied. */
void wait_add_wal_readers(struct wait_reader *r, struct wait_node *n);
/* Writes the sockets that others connect to, or that take a port from others. `process`: open
 * /proc/PID. */
void wait_add_listeners(struct wait_reader *r, int process);
/* Writes the locks of all processes on lock files and database files. */
void wait_add_held_locks(struct wait_reader *r);
/* Forgets what was read, before the next sample and at the end. */
void wait_listeners_clear(struct wait_reader *r);
/* Adds the processes that have to answer for the kernel, if the thread waits for one. */
void wait_add_handlers(struct wait_reader *r, struct wait_node *n, const struct wait_call *c);
/* Adds the processes at the other ends of the sockets of a process. `process`: open /proc/PID. */
void wait_add_peers(struct wait_reader *r, int process, uint32_t pid);
/* Adds the standard output of a process that waits for data of a pipe, if it is a pipe without a
 * reader: the process notices only when it writes. */
void wait_add_unread_output(struct wait_reader *r, struct wait_node *n, const struct wait_call *c);
/* Adds the descriptor of a call. Returns its type. */
enum fds_type wait_add_descriptor(struct wait_reader *r, struct wait_node *n,
	const struct wait_call *c, uint32_t fd, enum waits_role role, uint32_t events,
	bool wants_parties);
void wait_add_watched(struct wait_reader *r, struct wait_node *n, const struct wait_call *c);
void wait_add_children(struct wait_reader *r, struct wait_node *n, const struct wait_call *c);
void wait_add_lock_owners(struct wait_reader *r, struct wait_node *n, const struct wait_call *c);
/* Adds a lock for writing that another process has on a file that the current process has open. */
void wait_add_polled_locks(struct wait_reader *r, struct wait_node *n, const struct wait_call *c);
/* Adds the locks of apt and dpkg that one of their programs waits for. */
void wait_add_package_locks(struct wait_reader *r, struct wait_node *n, const struct wait_call *c);
void wait_add_polled_causes(struct wait_reader *r, struct wait_node *n, const struct wait_call *c);
/* Reads memory of a process with the caller's rights; false when that is refused or blocks. */
bool wait_read_memory(
	struct wait_reader *r, const struct wait_node *n, uint64_t address, void *out, size_t size);
/* Returns where the library of that name ("/libc.so.6") is mapped; 0: it is not. */
uint64_t wait_library_base(struct wait_reader *r, const struct wait_node *n, const char *name);
#define WAIT_PATH_SIZE 257

/* Reads a path that an argument points to; empty: it could not be read. */
void wait_read_path(struct wait_reader *r, const struct wait_node *n, uint64_t address,
	char path[WAIT_PATH_SIZE]);
/* Adds the file and, as a party with the mount point, the server of a file system. */
void wait_add_file_system(struct wait_reader *r, struct wait_node *n, const struct wait_call *c);
/* Sets how many bytes of standard output the process keeps in its buffer, if that is a pipe or
 * socket and glibc's stdio can be read; otherwise the value stays absent. */
void wait_read_unflushed(struct wait_reader *r, const struct wait_node *n, struct waits_thread *t);
/* Adds to the snapshot the descendants that wait for a file system, or uninterruptibly. */
void wait_add_blocked_below(struct wait_reader *r, uint32_t pid);
/* Adds the children of an event loop, which it may wait for by a signal. */
void wait_add_loop_children(struct wait_reader *r, struct wait_node *n, const struct wait_call *c);
/* Sets device and inode of a descriptor, by its fdinfo and the mounts; false: unknown. */
bool wait_read_file_identity(struct wait_reader *r, struct wait_node *n, uint32_t fd,
	uint64_t *inode, uint32_t *major, uint32_t *minor);
/* Returns the thread of the process that has this id in the process's own PID namespace: memory and
 * arguments have such ids. 0: there is none, or it is not known. */
uint32_t wait_own_thread(struct wait_reader *r, struct wait_node *n, uint32_t id);
/* Returns the kind of the futex of a call, and sets the id that its owner has for the process. */
enum waits_lock wait_read_futex(
	struct wait_reader *r, struct wait_node *n, const struct waits_thread *t, uint32_t *owner);
/* Returns whether the other process maps, to write to it, the shared memory at that address. */
bool wait_shares_memory(
	struct wait_reader *r, const struct wait_node *n, uint64_t address, uint32_t other);
/* Adds the relatives of the process that map, to write to it, the shared memory of the thread's
 * futex. */
void wait_add_sharers(
	struct wait_reader *r, const struct wait_node *n, const struct waits_thread *t);
/* Makes a call that reads the memory of the process, which may never end: the process decides what
 * its pages are. False: it was not made or did not end, and that is reported; such a process is not
 * read again. */
bool wait_call_memory(struct wait_reader *r, const struct wait_node *n,
	void (*work)(void *argument), void *argument, size_t size);
/* Sets `timeout_ns` to the length of the call's timeout. Returns the state of the value. */
uint8_t wait_read_timeout(struct wait_reader *r, const struct wait_node *n,
	const struct waits_thread *t, const struct syscall_row *row, uint64_t *timeout_ns);
/* Returns which argument has that type; -1: none. */
int wait_find_argument(const struct syscall_row *row, enum argument_type_id type);

/* Returns whether another process belongs to the user of this one, by the owners in /proc. */
bool wait_is_same_user(const struct wait_node *n, uint32_t pid);

void wait_table_fini(struct wait_table *t);
/* Forgets all processes: the next request reads them again. */
void wait_table_clear(struct wait_table *t);
/* Returns a process; NULL: there is none. */
const struct wait_entry *wait_table_get(struct wait_table *t, uint32_t pid);
size_t wait_table_count(struct wait_table *t);
const struct wait_entry *wait_table_at(struct wait_table *t, size_t i);
bool wait_table_is_ancestor(struct wait_table *t, uint32_t pid, uint32_t of);
