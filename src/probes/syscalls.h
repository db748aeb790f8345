/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * syscalls: the system calls of a process. Counted calls are aggregated by thread and call in the
 * kernel. A streamed call has a record, made when the call returns. Shared with the kernel side.
 */
#pragma once

#include <sooth/record.h>

enum syscalls_kind {
	SYSCALLS_COUNT = 0x0300,
	SYSCALLS_ERROR = 0x0301,
	SYSCALLS_CALL = 0x0302,
	SYSCALLS_PAUSE = 0x0303, /* struct pause_event */
	SYSCALLS_URING = 0x0304,
	SYSCALLS_MESSAGE = 0x0305,
	SYSCALLS_URING_DONE = 0x0306,
};

#define SYSCALLS_SLOTS		 32 /* different calls that a thread counts separately */
#define SYSCALLS_ERROR_SLOTS	 8 /* different (call, errno) pairs that a thread counts separately */
#define SYSCALLS_BUCKETS	 32   /* log2 of ns: the last holds 2 s and more */
#define SYSCALLS_PATH_MAX	 256  /* bytes of a path argument kept, NUL included */
#define SYSCALLS_PIECE_MAX	 1023 /* bytes kept of anything that an argument points to */
#define SYSCALLS_PIECES		 4    /* arguments of one call whose targets are kept */
#define SYSCALLS_URING_OPS	 96   /* opcodes of io_uring; higher numbers count under the last */
#define SYSCALLS_ITEMS_MAX	 256  /* bytes of an array, or of a struct */
#define SYSCALLS_REQUESTED_BYTES 16   /* bytes that are read when the call begins: a time */

/* Calls of one number by one thread in a window. tid 0: by several threads of the process. */
struct syscalls_count {
	struct sooth_record record; /* time_ns: end of the window */
	uint64_t from_ns;
	uint32_t number;
	uint32_t abi;	/* enum syscall_abi */
	uint64_t count; /* calls that returned, and those that never do (exit) */
	uint64_t errors;
	uint64_t unfinished; /* entered in the window, not returned by its end */
	uint64_t total_ns;
	uint64_t max_ns;
	uint32_t histogram[SYSCALLS_BUCKETS];
	/* Older captures have nothing from here on. */
	uint64_t untimed; /* calls of `count` whose begin or end was not seen; not in the times
			     above */
};

#define SYSCALLS_COUNT_LEAST 216

struct syscalls_error {
	struct sooth_record record;
	uint64_t from_ns;
	uint32_t number;
	uint32_t abi;
	uint64_t count;
	uint32_t error; /* positive errno; 512 to 516: interrupted, restarted by the kernel */
	uint32_t unused;
};

struct syscalls_call {
	struct sooth_record record; /* time_ns: when it returned */
	uint64_t duration_ns;
	int64_t result;
	uint64_t arguments[6];
	uint32_t number;
	uint16_t abi;
	uint8_t path_argument; /* position of the argument that is `path`, from 1; 0: none */
	uint8_t path_state;
	uint8_t result_state;	/* absent: the call never returns, or had not by the end */
	uint8_t duration_state; /* not measured: the begin of the call was not seen */
	uint8_t class_;		/* enum syscalls_class, where calls have a budget */
	uint8_t gaps;		/* enum syscalls_gap, SYSCALLS_OWN_PIDS */
	uint32_t skipped; /* earlier calls of this number, class and thread that were only counted,
			   * or estimated because nothing was counted then */
	struct sooth_text path;
	char name[16]; /* name of the thread */
	/* Older captures have nothing from here on. */
	struct sooth_text pieces; /* struct syscalls_piece, each followed by its bytes */
};

#define SYSCALLS_CALL_LEAST 136

/* Classes of a thread's calls. Each class has its own budget of recorded calls; further calls are
 * only counted. */
enum syscalls_class {
	SYSCALLS_CLASS_OTHER,
	SYSCALLS_CLASS_ERROR,  /* failed, but for EAGAIN and those of SYSCALLS_CLASS_ABSENT */
	SYSCALLS_CLASS_KEPT,   /* changes descriptors or names, or connects */
	SYSCALLS_CLASS_SLOW,   /* took SYSCALLS_SLOW_NS or longer, or wrote to standard error */
	SYSCALLS_CLASS_ABSENT, /* failed: no such file, terminal or attribute; frequent at a start
				*/
	SYSCALLS_CLASSES,
};

/* Missing records before this call of the thread, and missing parts of this call. */
enum syscalls_gap {
	SYSCALLS_GAP_KEPT = 1,	    /* calls of SYSCALLS_CLASS_KEPT since the last record */
	SYSCALLS_GAP_WINDOW = 2,    /* any call, in this time window */
	SYSCALLS_GAP_TIME = 4,	    /* nothing was counted for a time since the last record */
	SYSCALLS_GAP_ARGUMENTS = 8, /* arguments of this call, except the path */
};

/* The process ids in the arguments are those of the PID namespace of sooth. Older captures lack
 * it. */
#define SYSCALLS_OWN_PIDS 16

#define SYSCALLS_SLOW_NS       (1u << 19)
#define SYSCALLS_BUDGET_SHIFT  27  /* a time window: 2^27 ns, 134 ms */
#define SYSCALLS_BUDGET_THREAD 128 /* records of a thread and class in a window */
#define SYSCALLS_BUDGET_START  256 /* more after an exec: errors, kept and slow calls together */
#define SYSCALLS_BUDGET_OTHERS                                                                     \
	700 /* records of all threads in a window: SYSCALLS_CLASS_OTHER ends there */
#define SYSCALLS_BUDGET_ALL 1000 /* records of all threads in a window */

/* Requests of one kind that a thread submitted through io_uring, in a window. They are no system
 * calls, whether io_uring_enter(2) submits them or a kernel thread fetches them. */
struct syscalls_uring {
	struct sooth_record record; /* time_ns: end of the window */
	uint64_t from_ns;
	uint64_t count; /* requests that the kernel has accepted */
	uint32_t opcode;
	uint32_t sockets; /* requests of `count` on a connection (IPv4, IPv6); since Linux 5.19 */
};

/* A complete request that read or wrote. Only in a stream, and since Linux 5.19. */
struct syscalls_uring_done {
	struct sooth_record record;
	uint64_t duration_ns; /* time since the request was submitted */
	int64_t result;	      /* bytes moved, or a negative errno */
	int32_t fd;	      /* SYSCALLS_URING_REGISTERED: a file of the ring has no descriptor */
	uint32_t opcode;
};

#define SYSCALLS_URING_REGISTERED (-1)

/* Requests that read or write, by number in uring_opcodes.def: READV, READ_FIXED, READ,
 * READV_FIXED, and the same of writes. */
#define SYSCALLS_URING_READS  (1ULL << 1 | 1ULL << 4 | 1ULL << 22 | 1ULL << 60)
#define SYSCALLS_URING_WRITES (1ULL << 2 | 1ULL << 5 | 1ULL << 23 | 1ULL << 61)

enum syscalls_message_kind {
	SYSCALLS_MESSAGE_ROUTINE,
	SYSCALLS_MESSAGE_WARNING,
	SYSCALLS_MESSAGE_ERROR,
	/* The last line that a process wrote before it ended with an error, whatever it says and
	 * standard error is; it comes before the process's end. */
	SYSCALLS_MESSAGE_LAST,
};

/* A line that was written to standard error. Only SYSCALLS_MESSAGE_LAST may be from a file: other
 * lines of files are read there. */
struct syscalls_message {
	struct sooth_record record;
	uint64_t form; /* equal for messages that differ only in numbers, quoted texts and paths */
	uint8_t kind;  /* enum syscalls_message_kind */
	uint8_t is_part; /* the exception behind a stack trace: a part of the message before */
	uint8_t is_done; /* the line says that something succeeded */
	uint8_t unused[5];
	struct sooth_text text; /* text of all kinds but ROUTINE, cut; secrets are masked */
};

/* The part of an argument's target that a piece holds. */
enum syscalls_piece_part {
	SYSCALLS_PART_TARGET,	/* memory that the argument points to */
	SYSCALLS_PART_DATA,	/* the first bytes of an array of vectors, or of a message */
	SYSCALLS_PART_ADDRESS,	/* address of a message */
	SYSCALLS_PART_NEAR_END, /* address of this end of a socket, after the call */
	SYSCALLS_PART_STATUS,	/* the three digits of the HTTP status, in bytes that were read */
	/* The request line of bytes that were sent: "POST /v1/messages", without its query; a NUL
	 * ends it. */
	SYSCALLS_PART_REQUEST,
	SYSCALLS_PART_TLS,	  /* struct syscalls_tls_record of the first TLS records */
	SYSCALLS_PART_LAST_CHUNK, /* no bytes: they were the last of an HTTP answer in chunks */
	SYSCALLS_PART_SERVER,	  /* of a TLS hello: enum syscalls_offer, then the server's name */
	SYSCALLS_PART_DATABASE_ERROR, /* error in bytes that were read: struct
					 syscalls_database_error */
	/* The bytes that were written to standard error. The recorder turns them into
	 * SYSCALLS_MESSAGE; no capture has them. */
	SYSCALLS_PART_ERROR_OUTPUT,
	SYSCALLS_PART_ERROR_FILE, /* the same, if standard error is a file */
	SYSCALLS_PARTS,
};

/* The bytes of the piece follow, padded to a multiple of 8. */
struct syscalls_piece {
	uint8_t argument; /* from 0 */
	uint8_t part;	  /* enum syscalls_piece_part */
	uint8_t state;	  /* truncated: there is more; not measured: it could not be read */
	uint8_t unused;
	uint32_t size;
};

#define SYSCALLS_STATUS_DIGITS 3
#define SYSCALLS_TLS_RECORDS   4   /* number of TLS records of one call */
#define SYSCALLS_NAME_MAX      255 /* bytes of a server's name, a mask of bits */

#define SYSCALLS_CODE_MAX 15

enum syscalls_database {
	SYSCALLS_POSTGRES,
	SYSCALLS_MYSQL,
	SYSCALLS_REDIS,
	SYSCALLS_DATABASES,
};

/* The begin of a database's answer that reports an error. */
struct syscalls_database_error {
	uint8_t database;	      /* enum syscalls_database */
	char code[SYSCALLS_CODE_MAX]; /* SQLSTATE, MySQL's number, Redis' first word; zeros behind
				       */
};

/* The head of a TLS record. */
struct syscalls_tls_record {
	uint8_t type;
	uint8_t unused;
	uint16_t length;
};

/* The protocols that a TLS hello offers (ALPN). */
enum syscalls_offer {
	SYSCALLS_OFFERS_HTTP_2 = 1,
	SYSCALLS_OFFERS_HTTP_1 = 2,
};

/* How much of an argument's target is kept. It is read when the call returned, except for ASKED. */
enum syscalls_keep {
	SYSCALLS_KEEP_NOTHING,
	SYSCALLS_KEEP_STRING,	 /* up to a NUL */
	SYSCALLS_KEEP_UNIT,	 /* `unit` bytes */
	SYSCALLS_KEEP_BY_NEXT,	 /* `unit` bytes times the next argument */
	SYSCALLS_KEEP_BY_RESULT, /* `unit` bytes times the result */
	SYSCALLS_KEEP_BY_LENGTH, /* keeps as many bytes as the number says that the next argument
				    points to */
	SYSCALLS_KEEP_VECTORS,	 /* the struct iovec that the next argument counts, and the
				    first bytes that they point to */
	SYSCALLS_KEEP_MESSAGE,	 /* struct msghdr, its address, and first bytes */
	SYSCALLS_KEEP_NEAR_END,	 /* local address of the socket; with is_result, of the socket that
				    the call returned */
	SYSCALLS_KEEP_ASKED,	 /* SYSCALLS_REQUESTED_BYTES as they were when the call began: the
				  * kernel overwrites them with the rest of the time */
	SYSCALLS_KEEPS,
};
