/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each process's requests to the kernel during a recording, from its single calls: how often
 * each failed, on which path; what became of the files it wrote; which peers it could reach; how
 * long the calls took that work; what its threads waited for. It takes any record, live or from
 * a capture, and judges nothing.
 *
 * Where calls had a budget (bpf/budget.bpf.h), some were only counted. Then each recorded call
 * stands for several of its number and class (its weight), and counts are estimates; `seen` is how
 * many records they rest on. Only what the records of one file say together is never multiplied:
 * how often it was looked at, what is still in it.
 *
 * Cannot be seen: what goes through mappings and io_uring; what was lost from the stream, which is
 * counted in `lost`, so that all figures are a floor then; what exceeds the bounds, counted in
 * `refused`.
 */
#ifndef SOOTH_ANALYZE_CALL_HISTORY_H
#define SOOTH_ANALYZE_CALL_HISTORY_H

#include "analyze/calls/call_errors.h"
#include "analyze/calls/call_fold.h"
#include "base/map.h"
#include "base/units.h"
#include "model/errno_names.h"

#define CALL_PATH  240 /* longer ones are cut: their beginning distinguishes them */
#define CALL_SIZES 8   /* slot i holds calls of 2^i to 2^(i+1) bytes; larger ones are not small */

struct call_path {
	char text[CALL_PATH]; /* not escaped */
};

/* In the place of an error: it stored less than requested, as a full file system does first. */
#define CALL_SHORT_WRITE 0
/* ENOENT where a file was to be made: what is missing is its directory, and no search goes on. */
#define CALL_NO_DIRECTORY 0xfffe

/* A call, or one of its errors, on one path. */
struct call_place {
	uint32_t number;
	uint16_t abi;
	uint16_t error;
	char text[CALL_PATH]; /* a path, or what the descriptor is; empty: neither */
};

/* Returns the errno of the call. */
static inline unsigned call_place_errno(const struct call_place *place)
{
	return place->error == CALL_NO_DIRECTORY ? LINUX_ENOENT : place->error;
}

struct call_failures {
	uint64_t count, seen, first_ns, last_ns;
	uint64_t seconds; /* of the clock, in which it failed; 0 in a sum */
};

/* times of reads and writes, without the time that so many bytes take anyhow */
struct call_times {
	uint64_t count, seen, total_ns, max_ns;
	uint32_t histogram[SYSCALLS_BUCKETS]; /* as in struct syscalls_count */
};

/* Calls that moved as few bytes as the process requested: reads of what a peer has sent so
 * far, and answers to it, are not among them. */
struct call_moves {
	uint64_t calls, bytes; /* all that moved something */
	uint64_t seen;	       /* of `calls` */
	uint64_t total_ns;
	struct {
		uint64_t calls, seen, bytes;
	} own[CALL_SIZES];
};

enum { CALL_READ, CALL_WRITTEN, CALL_MOVES };

/* The fate of the bytes that it wrote to a file. Parts written in any order are all there; only
 * bytes that exceed the span from the first to the last of them were written over others. */
struct call_contents {
	bool is_made;		    /* the file itself, if it was not there, and not removed */
	uint64_t there_bytes;	    /* still */
	uint64_t replaced_bytes;    /* emptied, or renamed away */
	uint64_t overwritten_bytes; /* in place */
	uint64_t replaced;	    /* times */
	uint64_t seen;		    /* of `replaced` */
	uint64_t since_bytes, begin, end; /* written since it was last replaced, and where */
};

/* A file, a pipe or a connection. */
struct call_file {
	uint8_t kind; /* enum fd_followed_kind */
	bool was_written_last;
	uint64_t looks; /* calls about it, by its path: of those in looks_seen */
	uint64_t looks_ns;
	uint64_t first_look_ns, last_look_ns; /* of all of them */
	uint64_t walks;			      /* times that the directory was read to its end */
	uint64_t first_walk_ns, last_walk_ns;
	struct call_moves moves[CALL_MOVES];
	struct call_contents contents; /* of a file */
};

/* Files that were written and then removed, by their directory. */
struct call_scraps {
	uint64_t files, seen, bytes;
	bool has_many_names;
	char last[CALL_PATH];
};

/* The kernel of a peer that owes an acknowledgement waits that long for data to go with it
 * (TCP_DELACK_MIN, include/net/tcp.h; then the timer's tick): from the last send to the answer. */
#define CALL_DELAYED_LEAST (38 * NS_PER_MS)
#define CALL_DELAYED_MOST  (54 * NS_PER_MS)

/* Requests and their answers on one connection, as the end that sends first has it. Figures without
 * another note are of those that were recorded whole: `seen`. */
struct call_exchange {
	uint64_t answered; /* estimated of all */
	uint64_t seen;
	uint64_t first_ns, answered_ns;
	uint64_t wait_ns;	     /* from the request to the answer */
	uint64_t think_ns, thoughts; /* from an answer to the next request; how many */
	uint64_t request_bytes, answer_bytes;
	uint64_t alike;		      /* requests about as large as the one before */
	uint64_t served;	      /* something came from elsewhere before */
	uint64_t in_parts;	      /* sent by several calls, one after the other */
	uint64_t delayed, delayed_ns; /* of these: answered as late as a delayed acknowledgement */
	uint32_t fd;
	/* At hand: */
	uint8_t last; /* what was done last; nothing: not known */
	bool has_think, is_served;
	uint64_t last_ns, begun_ns, think, bytes, before_bytes;
	uint64_t sends;
};

/* state that all exchanges of a process share */
struct call_exchanging {
	uint64_t broken_ns; /* calls before that may be missing */
	uint64_t window, in_window;
	uint64_t input_ns, other_input_ns; /* the last one; the last one of another source */
	struct call_path input_of;
};

#define CALL_PEER_ERRORS 4

/* The peers it connected to; of datagrams an attempt is an answer, or the report that no process
 * has the port. */
struct call_peer {
	uint64_t attempts, made, failed;
	uint64_t given_up;  /* closed after a second or more, without an answer */
	uint64_t under_way; /* at the end */
	uint64_t unknown;   /* what became of it was not seen */
	uint64_t excused;   /* failures that another address of the same service made good */
	uint64_t fresh;	    /* failures that may still be */
	uint64_t first_ns, last_failed_ns, last_made_ns;
	/* connections that the peer ended within a second, before it sent anything */
	uint64_t cut, cut_after_sending; /* the latter: the process had sent something */
	uint64_t cut_life_ns;		 /* of all of these */
	uint64_t first_cut_ns, last_cut_ns, last_answer_ns;
	uint64_t timeouts,
		timeout_ns; /* of datagrams: long waits for an answer that ended by time */
	struct {
		uint32_t error, count;
	} errors[CALL_PEER_ERRORS];
	char protocol[FD_FOLLOW_PROTOCOL];
	char service[8]; /* ":443"; empty: it has none */
};

/* The waits of one thread. Waits that returned at once are not among them. */
struct call_waits {
	char name[16];
	uint64_t by_time, by_event; /* ends of a wait: the time was over; there was something */
	uint64_t locks, wakes, yields;
	uint64_t lock;	      /* the address of the futex that it waits for most */
	uint64_t lock_weight; /* as majority votes go */
};

#define CALL_ANSWER_ERRORS 4

/* The answers of HTTP that one peer gave, by their status. */
struct call_answers {
	uint64_t good, bad; /* bad: an error, of the request or of the server */
	uint64_t first_bad_ns, last_bad_ns, last_good_ns;
	uint32_t last_status; /* of the last error */
	struct {
		uint32_t status, count;
	} errors[CALL_ANSWER_ERRORS]; /* the first different ones */
};

#define CALL_DATABASE_CODES 4

/* A database that answered with an error, by its peer. */
struct call_database {
	uint8_t database; /* enum syscalls_database */
	uint64_t errors;
	uint64_t others; /* other answers, from the first error on */
	struct {
		char code[SYSCALLS_CODE_MAX + 1];
		uint32_t count;
	} codes[CALL_DATABASE_CODES]; /* the first different ones */
};

/* The connections that a server accepted on one of its listening sockets and read from, or closed
 * within a second without reading. Those given to a child or another process are not among them. */
struct call_clients {
	uint64_t served;
	uint64_t dropped;	    /* nothing was written either */
	uint64_t turned_away;	    /* after one short answer */
	uint64_t first_ns, last_ns; /* of the last two */
	uint64_t last_served_ns;
	char log[CALL_PATH]; /* a file that was written to in between, the last one */
};

enum call_nested { CALL_NESTED_NOTHING, CALL_NESTED_ACCEPT, CALL_NESTED_CONNECT };

/* Connections that were made one after the other, each behind one that was accepted, with none
 * closed in between. */
struct call_nesting {
	uint32_t depth, deepest;
	uint8_t last; /* enum call_nested */
};

#define CALL_SERVER_NAME 128

/* How TLS with one peer began: connections on which a hello was sent, by what became of it. */
struct call_handshakes {
	uint64_t made;		/* data was sent behind it */
	uint64_t refused_here;	/* by the process, once it knew the certificate */
	uint64_t refused_there; /* by an alert of the peer, or its end of the connection */
	uint64_t closed;	/* by the process, before that */
	uint64_t last_ns, last_made_ns;
	char server[CALL_SERVER_NAME]; /* of the last hello; empty: it has no name */
};

#define CALL_REPEAT_NO_FD (-1)

/* The calls of one thread, by descriptor and kind of result. */
struct call_repeat_key {
	uint32_t tid, number;
	/* the descriptor; of a poll: a ready one, or the only one; of a call that checks whether a
	 * process is there (signal 0): that process */
	int32_t fd;
	int32_t result; /* negative errno, 0, or 1 for all above */
	uint16_t abi;
	uint8_t unused[2];
};

struct call_repeat {
	uint64_t count, seen;
	uint64_t first_ns, last_ns; /* returns */
	uint64_t seconds;	    /* of the clock, in which it returned */
	uint64_t bytes;		    /* moved */
	uint32_t events;	    /* of a call that polls, all masks together */
	bool is_described;
	bool is_socket, has_path;
	bool is_of_process;   /* `fd` of the key is a process */
	char text[CALL_PATH]; /* what the descriptor is; empty: not known */
};

struct call_history {
	struct process_id id;
	uint64_t calls;	       /* with those that were only counted */
	uint64_t seen;	       /* of these, recorded */
	uint64_t looks;	       /* calls about files, by path */
	uint64_t looks_seen;   /* of these, recorded with all calls around them */
	uint64_t looks_ns;     /* recorded ones, whatever was around them */
	uint64_t looks_timed;  /* how many that are */
	uint64_t walks;	       /* directories that were read to their end, recorded */
	uint64_t gaps;	       /* records right after calls of their kind that were only counted */
	uint64_t uring_calls;  /* io_uring_enter */
	struct map failures;   /* call_place -> call_failures; answers are not among them */
	struct map found;      /* hash of a name -> uint64_t: times that it was found */
	struct map times;      /* call_place -> call_times, error 0; of no path: all of that call */
	struct map files;      /* call_path -> call_file */
	struct map scraps;     /* call_path of a directory -> call_scraps */
	struct map peers;      /* call_path -> call_peer */
	struct map exchanges;  /* call_path of a connection, or "UDP →peer" -> call_exchange */
	struct map answers;    /* call_path of a peer, "127.0.0.1:80" -> call_answers */
	struct map databases;  /* the same -> call_database */
	struct map handshakes; /* the same -> call_handshakes */
	struct map served_handshakes; /* call_path of a listening socket -> call_handshakes */
	struct map clients; /* call_path of a listening socket, "127.0.0.1:80" -> call_clients */
	struct map waits;   /* uint32_t tid -> call_waits */
	struct map repeats; /* call_repeat_key -> call_repeat; the first ones only */
	/* For following: */
	struct call_exchanging exchanging;
	struct call_nesting nesting;
	uint64_t given_ns;    /* a child was started, or a message sent that may pass descriptors */
	struct map positions; /* uint32_t fd -> where it stands in its file */
	struct map pending;   /* uint32_t fd -> a connection that is being made */
	struct map hellos;    /* uint32_t fd -> a connection on which TLS begins */
	struct map unused;    /* uint32_t fd -> a connection that has brought nothing yet */
	struct map guests;    /* uint32_t fd -> a connection that was accepted and not read yet */
	struct map weights;   /* call_kind -> call_weight */
};

struct call_histories {
	struct map processes; /* process_id -> struct call_history * */
	struct call_fold fold;
	bool is_on; /* the probe is in the stream */
	bool has_calls, has_counts;
	bool has_time_gaps; /* calls were counted in windows: counts are estimates */
	bool is_full;	    /* nothing new is kept, only what is known goes on */
	uint64_t taken;	    /* calls */
	uint64_t lost;	    /* calls */
	uint64_t refused;   /* by the bounds */
};

void call_histories_init(struct call_histories *h);
void call_histories_fini(struct call_histories *h);
/* Starts taking records: the probe is in the stream. */
void call_histories_begin(struct call_histories *h);
void call_histories_add_record(struct call_histories *h, const struct sooth_record *r);
/* To be called after the last record. */
void call_histories_resolve(struct call_histories *h);
void call_histories_next_interval(struct call_histories *h);
/* NULL: it made no call. */
const struct call_history *call_histories_get(
	const struct call_histories *h, const struct process_id *id);

/* Adds the failures at one place; `sum` begins as { 0 }. */
void call_failures_add(struct call_failures *sum, const struct call_failures *f);
/* False: the path is in /dev, /proc or /sys, or is not absolute. */
bool call_is_on_disk(const char *path);
/* Returns whether the address is that of the name cache, nscd: each lookup of a name tries it, and
 * needs no answer. */
bool call_is_optional_peer(const char *address);
/* Returns whether the path is in POSIX shared memory, which is a file system of its own. */
bool call_is_in_shared_memory(const char *path);
/* Returns whether the path is that of a file on a disk or in shared memory. */
bool call_takes_space(const char *path);
/* Returns the next repeated call of a process; NULL after the last one. `position` begins at 0. */
const struct call_repeat *call_repeats_next(
	const struct call_history *h, size_t *position, const struct call_repeat_key **key);
/* Weights follow the first gap, so counts of a call are rather too low: what to multiply them by.
 */
double call_history_correction(const struct call_history *h, uint16_t abi, uint32_t number);
/* Returns how often a file with the last name of this path, of any extension, was found in any
 * directory. */
uint64_t call_history_found(const struct call_history *h, const char *path);

#endif
