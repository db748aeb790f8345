/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * waits: what the threads of a process wait for, and which processes could end that. A snapshot
 * follows the chain: it also has the processes that the observed one waits for, those that these
 * wait for, and so on. All records of a snapshot have the identity of the observed process in their
 * header; `node_pid` and `node_start_ticks` name the process of the chain that they are about.
 * WAITS_SNAPSHOT ends the records of one snapshot.
 */
#pragma once

#include <sooth/field.h>
#include <sooth/record.h>

#include "base/cursor.h"

enum waits_kind {
	WAITS_PROCESS = 0x0f00,
	WAITS_THREAD = 0x0f01,
	WAITS_OBJECT = 0x0f02,
	WAITS_PARTY = 0x0f03,
	WAITS_SNAPSHOT = 0x0f04, /* ends the records of one snapshot */
	WAITS_SIGNALS = 0x0f05,
	WAITS_GOROUTINES = 0x0f06,
	WAITS_LISTENER = 0x0f07,
	WAITS_WANTED = 0x0f08,
	WAITS_READER = 0x0f09,
	WAITS_TASKS = 0x0f0a,
	WAITS_PEER = 0x0f0b,
	WAITS_HELD_LOCK = 0x0f0c,
};

/* Returns whether a thread with this wait channel waits for the answer of a file system that
 * another process or host serves: FUSE, NFS, CIFS. */
bool waits_is_of_file_system(const char *channel);
/* Returns whether it waits there for a process that permits accesses to files (fanotify(7)). */
bool waits_is_permission(const char *channel);
#define WAITS_USERFAULT "anon_inode:[userfaultfd]"
#define WAITS_SECCOMP	"anon_inode:seccomp notify"

/* Returns the link of the descriptor by which a process answers what the thread waits for there: a
 * page of its memory (userfaultfd(2)), or a decision on its call (seccomp_unotify(2)); NULL: it
 * waits for neither. */
const char *waits_handler(struct span channel);
/* Returns whether it waits there until another process gives up a lease (F_SETLEASE, fcntl(2)). */
bool waits_is_lease(struct span channel);

/* A process of the chain; its other records follow it. */
struct waits_process {
	struct sooth_record record; /* the observed process */
	uint64_t node_start_ticks;
	uint64_t age_ns;
	uint64_t cpu_ns, user_ns,
		system_ns; /* sums of all threads; cpu_ns is exact, the others ticks */
	uint32_t node_pid;
	uint32_t depth; /* 0: the observed process */
	uint32_t ppid;
	uint32_t uid;
	uint32_t process_group, session;
	uint32_t terminal;	 /* device number; 0: none */
	uint32_t terminal_group; /* the foreground process group of its terminal */
	uint32_t tracer;	 /* pid; 0: none */
	uint32_t threads;
	char state;	      /* R S D T t Z X I */
	uint8_t is_kernel;    /* a kernel thread */
	uint8_t detail_state; /* whether the threads' calls and the descriptors may be read */
	uint8_t title_state;
	uint8_t directory_state;
	uint8_t cpu_state;
	uint8_t is_frozen; /* the process is frozen by its control group; its threads may be in any
			      call */
	uint8_t is_closed_to_root; /* user 0 may not read the detail: it lacks a capability */
	struct sooth_text name, title, directory;
};

struct waits_thread {
	struct sooth_record record; /* the observed process; tid is the thread's */
	uint64_t node_start_ticks;
	uint64_t since_ns;   /* time since it last ran */
	uint64_t timeout_ns; /* timeout of the call */
	uint64_t cpu_ns;
	uint64_t switches; /* times it gave up the CPU */
	uint64_t arguments[6];
	uint32_t node_pid;
	uint32_t syscall, abi; /* enum syscall_abi */
	char state;
	uint8_t call_state;    /* absent: the thread runs, or waits outside a call */
	uint8_t channel_state; /* state of wait_channel */
	uint8_t since_state;
	uint8_t timeout_state; /* absent: no timeout; not measured: a timeout of unknown length */
	uint8_t cpu_state;
	uint8_t switches_state;
	uint8_t lock;		   /* enum waits_lock, if the thread waits on a futex */
	uint16_t unflushed_bytes;  /* bytes in the buffer of its standard output; 65535: more */
	uint8_t unflushed_state;   /* absent: not read; only the first thread's is read */
	uint8_t is_namespace_init; /* process 1 of a PID namespace below that of sooth */
	struct sooth_text name, wait_channel;
};

/* The kind of lock that a futex belongs to, as far as the futex word and the call show it. */
enum waits_lock {
	WAITS_LOCK_NONE,    /* no futex */
	WAITS_LOCK_UNKNOWN, /* the memory of the lock could not be read, or has no known form */
	WAITS_LOCK_MUTEX,   /* a mutex of glibc, with an owner */
	WAITS_LOCK_OWNED,   /* a PI futex: its word is the owner */
	WAITS_LOCK_SIGNAL,  /* semaphore or condition variable: no owner */
	WAITS_LOCK_JOIN,    /* the end of a thread */
	WAITS_LOCK_PLAIN,   /* a lock that stores no owner: of Rust, of Go, or inside glibc */
	WAITS_LOCK_JAVA_MONITOR, /* monitor of a Java object, with an owner: `synchronized` */
	WAITS_LOCK_JAVA,	 /* lock of java.util.concurrent.locks, with an owner */
	WAITS_LOCK_JAVA_IDLE,	 /* the JVM was read: no lock of another thread */
	WAITS_LOCK_JAVA_TASK,	 /* the result of a task that no thread of the JVM has begun */
	/* The next ones have no owner: any other thread of the JVM may end the wait. */
	WAITS_LOCK_JAVA_LATCH,	   /* a CountDownLatch */
	WAITS_LOCK_JAVA_SEMAPHORE, /* a permit of a Semaphore */
	WAITS_LOCK_JAVA_FUTURE,	   /* the result of a CompletableFuture */
	WAITS_LOCK_JAVA_CONDITION, /* a Condition, as of a queue that is empty or full */
	WAITS_LOCK_JAVA_CLASS,	   /* the initialization of a class, by its owner */
	WAITS_LOCKS,
};

/* FUTEX_PRIVATE_FLAG, in the second argument of futex: the lock is of one process only. */
#define WAITS_FUTEX_PRIVATE 128

enum waits_role {
	WAITS_ROLE_CALL,    /* the descriptor, or path, of the call */
	WAITS_ROLE_WATCHED, /* one of several objects that the call waits for */
	WAITS_ROLE_OUTPUT,  /* standard output of a process that waits for input: a pipe that no
			     * process known by its descriptors reads any more */
	WAITS_ROLES,
};

/* TCP that the process opened, and on which it sent last. */
enum waits_request {
	WAITS_REQUEST_NONE,
	WAITS_REQUEST_OPEN, /* a while ago */
	WAITS_REQUEST_OWED, /* 5 s ago or more: an answer that takes longer is a cause */
};

/* A file, socket or other object that a thread waits for. */
struct waits_object {
	struct sooth_record record; /* the observed process; tid is the thread's */
	uint64_t node_start_ticks;
	uint64_t inode;
	uint64_t receive_queue, send_queue; /* bytes; of a listening socket: connections */
	uint64_t expires_ns;		    /* time left of a timer */
	uint32_t node_pid;
	uint32_t fd;
	uint32_t events;      /* POLL* or EPOLL* that are waited for */
	uint8_t role;	      /* enum waits_role */
	uint8_t type;	      /* enum fds_type */
	uint8_t socket_state; /* enum sockets_state */
	uint8_t fd_state;     /* absent: only its path is known */
	uint8_t socket_state_state;
	uint8_t expires_state;
	uint16_t local_port, peer_port;
	uint8_t has_open_request; /* enum waits_request */
	uint8_t is_peer_gone;	  /* TCP within this host: no socket at the other end */
	struct sooth_text path;	  /* path as the link says */
	struct sooth_text local;  /* "127.0.0.1:80", or the name of a unix socket */
	struct sooth_text peer;
};

enum waits_relation {
	WAITS_RELATION_CHILD = 1,
	WAITS_RELATION_THREAD, /* owner of a mutex, or the thread whose end is waited for */
	WAITS_RELATION_LOCK,   /* holder of a lock of /proc/locks or of a mutex in shared memory */
	WAITS_RELATION_LOCK_FILE,
	WAITS_RELATION_READER, /* process at the other end of a pipe or FIFO */
	WAITS_RELATION_WRITER,
	WAITS_RELATION_PEER,	 /* has the other end of the connection */
	WAITS_RELATION_LISTENER, /* should accept the connection */
	WAITS_RELATION_TRACER,
	WAITS_RELATION_PARENT,	  /* parent of a zombie */
	WAITS_RELATION_BACKEND,	  /* process of the same database server, in an idle transaction */
	WAITS_RELATION_TERMINAL,  /* has the other end of the terminal */
	WAITS_RELATION_DAEMON,	  /* serves the file system */
	WAITS_RELATION_LAST_USER, /* last user of a System V semaphore or queue */
	WAITS_RELATION_SHARER,	  /* the parent, with the same input: the first reader gets it */
	WAITS_RELATION_TERMINAL_USER, /* is on the terminal that it runs */
	WAITS_RELATION_GUARD,	/* permits or denies accesses to files, as virus scanners do */
	WAITS_RELATION_MEMORY,	/* has the shared memory of a lock without an owner */
	WAITS_RELATION_HANDLER, /* answers for the kernel: waits_handler() */
	WAITS_RELATIONS,
};

enum waits_source {
	WAITS_SOURCE_NONE,
	WAITS_SOURCE_PROCESSES, /* parents and children in /proc */
	WAITS_SOURCE_LOCKS,	/* /proc/locks */
	WAITS_SOURCE_MEMORY,
	WAITS_SOURCE_DESCRIPTORS, /* /proc/PID/fd of the other processes */
	WAITS_SOURCE_SOCKETS,	  /* sock_diag */
	WAITS_SOURCE_FILE,	  /* content of a lock file */
	WAITS_SOURCE_TITLE,	  /* title of the process */
	WAITS_SOURCE_IPC,	  /* semctl, msgctl */
	WAITS_SOURCE_INHERITED,	  /* fdinfo: inherited the lock of a process that has ended */
	WAITS_SOURCE_DIRECTORY,	  /* a lock that is a directory */
	WAITS_SOURCE_ADOPTED,	  /* descriptors of a process left behind by an ended child */
	WAITS_SOURCES,
};

enum waits_confidence { WAITS_LOW, WAITS_MEDIUM, WAITS_HIGH, WAITS_CONFIDENCES };

#define WAITS_NO_FD UINT32_MAX

/* A process, or thread, that could end the wait. */
struct waits_party {
	struct sooth_record record; /* the observed process; tid is the waiting thread's */
	uint64_t node_start_ticks;
	uint64_t party_start_ticks; /* 0: the party is gone, or unknown */
	uint32_t node_pid;
	uint32_t party_pid;  /* 0: unknown; `detail` names the object */
	uint32_t party_tid;  /* 0: the process as a whole */
	uint32_t fd;	     /* descriptor of the party */
	uint8_t relation;    /* enum waits_relation */
	uint8_t source;	     /* enum waits_source */
	uint8_t confidence;  /* enum waits_confidence */
	uint8_t is_alive;    /* the process, or thread, exists */
	uint32_t waiting_fd; /* descriptor of the waiting process; WAITS_NO_FD: none */
	struct sooth_text name;
	struct sooth_text detail; /* path of the lock, type of the lock */
};

/* Signals of a process of the chain, if they could be read. Bit n-1 is signal n. */
struct waits_signals {
	struct sooth_record record; /* the observed process */
	uint64_t node_start_ticks;
	uint64_t pending; /* signals pending for the whole process because all threads block them */
	uint32_t node_pid;
	uint32_t caught; /* signals up to 32 with a handler; 0: none, or an older capture */
};

enum waits_goroutine_state {
	WAITS_GOROUTINE_WAITS,
	WAITS_GOROUTINE_RUNS,  /* runs, or could run */
	WAITS_GOROUTINE_CALLS, /* is in a system call */
	WAITS_GOROUTINE_STATES,
};

/* Goroutines of a Go program that began in the same function and are in the same state for the same
 * reason. Goroutines of the runtime itself are left out. */
struct waits_goroutines {
	struct sooth_record record; /* the observed process */
	uint64_t node_start_ticks;
	uint64_t count;
	uint64_t longest_ns; /* longest wait of the goroutines that waited at the last garbage
				collection */
	uint32_t node_pid;
	uint8_t is_main; /* the goroutine that runs main.main */
	uint8_t state;	 /* enum waits_goroutine_state */
	uint8_t longest_state;
	uint8_t reason_state; /* absent: the goroutines wait for nothing */
	uint8_t at_state;     /* state of `at` and `by`, which describe one of the goroutines */
	uint8_t count_state;  /* truncated: not all goroutines were read */
	uint8_t unused[6];
	struct sooth_text reason; /* reason as the runtime says: "chan receive" */
	struct sooth_text by;	  /* function that `at` called: "sync.(*WaitGroup).Wait"; empty:
				   * none */
	struct sooth_text at;	  /* the function of the program that waits: "main.main" */
	struct sooth_text start;  /* the function that it began with */
};

/* Tasks of an asyncio program whose coroutines are in the same functions, in one state. `count` not
 * measured: there are tasks, but this version of Python does not say where. */
struct waits_tasks {
	struct sooth_record record; /* the observed process */
	uint64_t node_start_ticks;
	uint64_t count;
	uint64_t awaited; /* tasks that these tasks await */
	uint32_t node_pid;
	uint8_t is_waiting;  /* 0: the tasks run, or have not begun */
	uint8_t count_state; /* truncated: not all tasks were read */
	uint8_t at_state;    /* state of `at`, `by` and `place` */
	uint8_t awaiter_state;
	struct sooth_text start;   /* the function that the task runs */
	struct sooth_text at;	   /* the innermost function of the program; empty: none */
	struct sooth_text by;	   /* the function of a library that the task awaits; empty: none */
	struct sooth_text place;   /* file and first line of `at` */
	struct sooth_text awaiter; /* the function of a task that awaits these tasks */
};

/* A socket that others connect or send to, in the network namespace of the observed process, and a
 * process that has it open. Recorded only at the end of a recording of few processes. */
struct waits_listener {
	struct sooth_record record; /* the observed process */
	uint64_t owner_start_ticks; /* 0: not known */
	uint32_t owner_pid;	    /* the oldest with the socket open; 0: none could be read */
	uint32_t owners;	    /* processes that have the socket open */
	uint16_t local_port;
	uint8_t family; /* enum sockets_family */
	uint8_t is_datagram;
	char owner_state; /* R S D T t Z X I; 0: not known */
	/* A TCP connection to itself, which connect(2) makes if it is given the port that it asks
	 * for (RFC 9293, 3.5, simultaneous open): no process listens, but the port is in use. */
	uint8_t is_to_itself;
	/* No process listens there, but this many connections have the port, so that bind(2)
	 * without SO_REUSEADDR fails. Without an owner they are closed (TIME_WAIT). 0: it listens.
	 */
	uint16_t connections;
	struct sooth_text owner_name;
	struct sooth_text local; /* "127.0.0.1:80", or the name of a unix socket */
};

/* A process of this host that has other ends of sockets of the observed process; one record per
 * process. In snapshots with details, and at the end of a recording of few processes. */
struct waits_peer {
	struct sooth_record record; /* the observed process */
	uint64_t peer_start_ticks;
	uint64_t unread_bytes; /* bytes that the peer has not read, on the connection with most */
	uint32_t peer_pid;     /* the oldest that has the other end */
	uint32_t connections;
	uint32_t fd; /* descriptor of the observed process, on the connection with most unread */
	char peer_state;     /* R S D T t Z X I */
	uint8_t is_accepted; /* the observed process accepted that connection */
	uint16_t accepted;   /* connections of all that it accepted; older captures: 0 */
	struct sooth_text peer_name;
};

/* A lock of any process on a lock file or a database file, which commands of the observed process
 * may have wanted. At the end of a recording of few processes. */
struct waits_held_lock {
	struct sooth_record record; /* the observed process */
	uint64_t owner_start_ticks;
	uint32_t owner_pid;
	uint8_t is_exclusive; /* for writing: it excludes all others */
	uint8_t unused[3];
	struct sooth_text owner_name;
	struct sooth_text path;
};

/* A lock of the observed process that other processes wait for; one record per lock. */
struct waits_wanted {
	struct sooth_record record; /* the observed process */
	uint64_t waiter_start_ticks;
	uint64_t longest_ns; /* time since the longest waiter last ran */
	uint32_t waiters;    /* processes */
	uint32_t waiter_pid; /* the process that waits longest; 0: none could be read */
	uint32_t
		session_pid; /* pid of the database session of the process that has it; 0: itself */
	uint8_t longest_state;
	uint8_t source;	    /* enum waits_source */
	uint8_t confidence; /* enum waits_confidence: the observed process has the lock */
	uint8_t is_polled;  /* the waiters sleep and try again */
	struct sooth_text waiter_name;
	struct sooth_text detail; /* path of the file; for a database empty, or the kind of lock */
};

/* A process with a transaction that reads a SQLite database which the observed process has open.
 * Its lock in the -shm file shows it. One record per process. */
struct waits_reader {
	struct sooth_record record; /* the observed process */
	uint64_t reader_start_ticks;
	uint32_t reader_pid;
	uint32_t fd;	       /* the observed process's descriptor of the -shm file */
	uint32_t log_pages;    /* pages in the write-ahead log */
	uint32_t copied_pages; /* log pages that the database has too */
	uint32_t seen_pages;   /* log pages that the transaction sees */
	uint32_t page_bytes;
	uint8_t slot; /* number of its read lock, 0 to 4 */
	uint8_t unused[7];
	struct sooth_text reader_name;
	struct sooth_text path; /* path of the -shm file */
};

struct waits_snapshot {
	struct sooth_record record;
	uint32_t processes;	 /* processes of the chain */
	uint8_t processes_state; /* truncated: the chain is longer; else why it could not be read */
	uint8_t ends_state;	 /* whether descriptors of all processes could be read */
	uint8_t sockets_state;	 /* whether the kernel's sockets could be read */
	uint8_t unused;
};

extern const struct sooth_names waits_goroutine_state_names, waits_relation_names,
	waits_source_names, waits_confidence_names, waits_lock_names;
