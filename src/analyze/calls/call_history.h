/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each process's system calls during a recording, from records of single calls: how often each
 * failed, on which path; what became of the files that the process wrote; which peers it could
 * reach; how long successful calls took; what its threads waited for. Takes records, live or from a
 * capture, and diagnoses nothing.
 *
 * Where calls had a budget (bpf/budget.bpf.h), some were only counted. Then each recorded call
 * stands for several of its number and class (its weight), and counts are estimates; `seen` is the
 * number of records that a count rests on. Two values of a file are never multiplied: how often the
 * process looked at the file, and how much of its content is still there.
 *
 * Cannot be seen: what goes through mappings and io_uring; calls lost from the stream, counted in
 * `lost` (all values are lower bounds then); entries beyond the bounds, counted in
 * `refused`.
 */
#pragma once

#include "analyze/calls/call_fold.h"
#include "base/map.h"
#include "base/units.h"
#include "model/errno_names.h"
#include "probes/syscall_names.h"

#define CALL_PATH  240 /* longer ones are cut: their beginning distinguishes them */
#define CALL_SIZES 8   /* slot i holds calls of 2^i to 2^(i+1) bytes; larger calls have no slot */

struct call_path {
	char text[CALL_PATH]; /* path or peer, not escaped */
};
/* Makes a key of a path, padded with zeros. */
struct call_path call_path_key(struct span path);
/* Returns the path of the directory of a file: "/a" of "/a/b"; empty if the path names none. */
struct call_path call_path_folder(const char *path);

/* Instead of an errno: a write stored less than requested, the first sign of a full file system. */
#define CALL_SHORT_WRITE 0
/* ENOENT of a call that creates a file: the directory is missing; the call is no search. */
#define CALL_NO_DIRECTORY 0xfffe

/* A call, or one of its errors, on one path. */
struct call_place {
	uint32_t number;
	uint16_t abi;
	uint16_t error;
	char text[CALL_PATH]; /* the path, or the file of the descriptor; empty: neither */
};

/* Returns the errno of the call. */
static inline unsigned call_place_errno(const struct call_place *place)
{
	return place->error == CALL_NO_DIRECTORY ? LINUX_ENOENT : place->error;
}

struct call_failures {
	uint64_t count, seen, first_ns, last_ns;
	uint64_t seconds; /* number of seconds with a failure; 0 in a sum */
};

/* durations of reads and writes, less the time that moving so many bytes takes anyway */
struct call_times {
	uint64_t count, seen, total_ns, max_ns;
	uint32_t histogram[SYSCALLS_BUCKETS]; /* times by power of two, as in struct syscalls_count
					       */
};

/* Reads or writes of a file. `own`: those that moved few bytes because the process requested few,
 * not because its peer had sent no more. */
struct call_moves {
	uint64_t calls, bytes; /* sums of all calls that moved bytes */
	uint64_t seen;	       /* records that `calls` rests on */
	uint64_t total_ns;
	struct {
		uint64_t calls, seen, bytes;
	} own[CALL_SIZES];
};

enum { CALL_READ, CALL_WRITTEN, CALL_MOVES };

/* The fate of the bytes that a process wrote to a file. Parts may be written in any order: only
 * bytes that exceed the span from the first to the last of them have overwritten others. */
struct call_contents {
	bool is_made;			  /* the process created the file, and has not removed it */
	uint64_t there_bytes;		  /* written, and still there */
	uint64_t replaced_bytes;	  /* written, then truncated, removed or renamed */
	uint64_t overwritten_bytes;	  /* written, then overwritten in place */
	uint64_t replaced;		  /* number of times that written contents were replaced */
	uint64_t seen;			  /* records that `replaced` rests on */
	uint64_t since_bytes, begin, end; /* written since the last replacement; offsets */
};

/* A file, a pipe or a connection. */
struct call_file {
	uint8_t kind; /* enum fd_followed_kind */
	bool was_written_last;
	uint64_t looks; /* calls about the file by path, of call_history.looks_seen */
	uint64_t looks_ns;
	uint64_t first_look_ns, last_look_ns; /* times of the calls about the file */
	uint64_t walks; /* number of times that the directory was read to its end */
	uint64_t first_walk_ns, last_walk_ns;
	struct call_moves moves[CALL_MOVES];
	struct call_contents contents; /* of a file */
	uint64_t begun;		       /* reads of a file at its beginning */
	uint64_t read_end;	       /* the end of the part of the file that was read */
	uint64_t read_next;	       /* the end of the last read */
	uint64_t strays; /* reads that begin neither at the end of the last read nor at 0 */
};

/* Files that were written and then removed, by their directory. */
struct call_scraps {
	uint64_t files, seen, bytes;
	bool has_many_names;
	char last[CALL_PATH];
};

/* Delay between the last send and its answer if the peer's kernel delays the acknowledgement, to
 * send data with it (TCP_DELACK_MIN, include/net/tcp.h, plus a timer tick). */
#define CALL_DELAYED_LEAST (38 * NS_PER_MS)
#define CALL_DELAYED_MOST  (54 * NS_PER_MS)

/* Requests and answers on one connection, seen from the side that sends first. Values are those of
 * the `seen` exchanges, which were recorded completely, unless noted otherwise. */
struct call_exchange {
	uint64_t answered; /* requests with an answer, estimated */
	uint64_t seen;
	uint64_t first_ns;
	uint64_t wait_ns;	     /* total, from request to answer */
	uint64_t think_ns, thoughts; /* total, from answer to next request; number of such times */
	uint64_t request_bytes, answer_bytes;
	uint64_t alike;		      /* requests about as large as the previous one */
	uint64_t served;	      /* requests sent after input from another source */
	uint64_t in_parts;	      /* requests sent by several calls */
	uint64_t delayed, delayed_ns; /* answers of `in_parts` that took CALL_DELAYED_* or longer */
	uint32_t fd;
	/* The current exchange: */
	uint8_t last; /* whether the process last sent or received */
	bool has_think, is_served;
	uint64_t last_ns, begun_ns, think, bytes, before_bytes;
	uint64_t sends;
};

/* state that all exchanges of a process share */
struct call_exchanging {
	uint64_t broken_ns; /* calls before this time may be missing */
	uint64_t window, in_window;
	uint64_t input_ns, other_input_ns; /* last input; last input from another source */
	struct call_path input_of;
};

#define CALL_PEER_ERRORS 4

/* Attempts to connect to one peer. For datagrams an attempt is an answer, or the report that no
 * process has the port. */
struct call_peer {
	uint64_t attempts, made, failed;
	uint64_t given_up;	  /* attempts closed after a second or more, without an answer */
	uint64_t under_way;	  /* attempts without a result at the end */
	uint64_t unknown;	  /* attempts whose result was not seen */
	uint64_t excused;	  /* failures after which another address of the service worked */
	uint64_t recent_failures; /* may still become `excused` */
	uint64_t first_ns, last_failed_ns, last_made_ns;
	/* connections that the peer closed within a second, before it sent anything */
	uint64_t cut, cut_after_sending; /* the second: after the process had sent data */
	uint64_t cut_life_ns;		 /* total duration of the cut connections */
	uint64_t first_cut_ns, last_cut_ns, last_answer_ns;
	uint64_t timeouts, timeout_ns; /* datagrams: long waits that ended without an answer */
	struct {
		uint32_t error, count;
	} errors[CALL_PEER_ERRORS];
	char protocol[FD_FOLLOW_PROTOCOL];
	char service[8]; /* ":443"; empty: the peer has no port */
};

/* The waits of one thread. Waits that returned at once are not among them. */
struct call_waits {
	char name[16];
	uint64_t by_time, by_event; /* waits that ended by timeout; by an event */
	uint64_t locks, wakes, yields;
	uint64_t lock;	      /* address of the futex that the thread waits for most often */
	uint64_t lock_weight; /* lead of `lock` in a majority vote (Boyer-Moore) */
};

#define CALL_ANSWER_ERRORS 4

/* The HTTP answers of one peer, by status. */
struct call_answers {
	uint64_t good, bad; /* bad: an error status, except 404 */
	uint64_t last_bad_ns, last_good_ns;
	uint32_t last_status; /* HTTP status of the last bad answer */
	struct {
		uint32_t status, count;
	} errors[CALL_ANSWER_ERRORS]; /* the first different statuses */
};

#define CALL_DATABASE_CODES 4

/* A database that answered with an error, by its peer. */
struct call_database {
	uint8_t database; /* enum syscalls_database */
	uint64_t errors;
	uint64_t others; /* answers without an error, after the first error */
	struct {
		char code[SYSCALLS_CODE_MAX + 1];
		uint32_t count;
	} codes[CALL_DATABASE_CODES]; /* the first different codes */
};

/* Connections that a server accepted on a listening socket and read from, or closed within a second
 * without a read. Connections passed to a child or another process are left out. */
struct call_clients {
	uint64_t served;
	uint64_t dropped;	    /* closed without reading or writing */
	uint64_t turned_away;	    /* closed without reading, after one short answer */
	uint64_t first_ns, last_ns; /* times of the calls in `dropped` and `turned_away` */
	char log[CALL_PATH];	    /* last file written to between accept and close */
};

enum call_nested { CALL_NESTED_NOTHING, CALL_NESTED_ACCEPT, CALL_NESTED_CONNECT };

/* Connections made one after the other, each after an accepted connection, with none closed in
 * between. */
struct call_nesting {
	uint32_t depth, deepest;
	uint8_t last; /* enum call_nested */
};

#define CALL_SERVER_NAME 128

/* TLS handshakes with one peer: connections on which a hello was sent, by result. */
struct call_handshakes {
	uint64_t made;		/* data was sent after the handshake */
	uint64_t refused_here;	/* handshakes that the process refused, once it knew the certificate
				 */
	uint64_t refused_there; /* handshakes that the peer refused: it sent an alert, or closed the
				   connection */
	uint64_t closed; /* connections that the process closed before it knew the certificate */
	uint64_t last_ns, last_made_ns;
	char server[CALL_SERVER_NAME]; /* name in the last hello; empty: none */
};

#define CALL_REPEAT_NO_FD (-1)

/* Key of repeated calls of one thread: the descriptor and the kind of result. */
struct call_repeat_key {
	uint32_t tid, number;
	/* the descriptor; of a poll: a ready one, or the only one; of a call that checks whether a
	 * process is there (signal 0): that process */
	int32_t fd;
	int32_t result; /* negative errno, 0, or 1 for any positive result */
	uint16_t abi;
	uint8_t unused[2];
};

struct call_repeat {
	uint64_t count, seen;
	uint64_t first_ns, last_ns; /* times of the first and the last return */
	uint64_t seconds;	    /* number of different seconds with a return */
	uint64_t bytes;		    /* moved */
	uint32_t events;	    /* all events that a poll returned, combined */
	bool is_described;
	bool is_socket, has_path;
	bool is_of_process;   /* `fd` of the key is a PID */
	char text[CALL_PATH]; /* the file of the descriptor; empty: unknown */
};

/* Key of the requests to end that the process sends: SIGTERM and SIGKILL, to one other process. */
struct call_signal_key {
	int32_t target; /* PID, as the sender has it; or a descriptor (pidfd_send_signal) */
	uint8_t signal;
	uint8_t is_descriptor;
	uint8_t unused[2];
};

struct call_history {
	struct process_id id;
	uint64_t calls;	      /* including those that were only counted */
	uint64_t seen;	      /* calls of `calls` that were recorded one by one */
	uint64_t looks;	      /* calls about files, by path */
	uint64_t looks_seen;  /* lookups of `looks` that were recorded, with no gap around them */
	uint64_t looks_ns;    /* total duration of the recorded looks, with gaps too */
	uint64_t looks_timed; /* number of looks in `looks_ns` */
	uint64_t walks;	      /* recorded reads of a directory to its end */
	uint64_t gaps;	      /* records right after calls of their kind that were only counted */
	uint64_t uring_calls; /* io_uring_enter */
	uint64_t threads,
		threads_seen; /* threads that the process started; records of such calls */
	struct map failures;  /* call_place -> call_failures, without ordinary answers */
	struct map found;     /* hash of a file name -> uint64_t: how often the file was found */
	struct map times; /* call_place -> call_times, error 0; no path: all calls of that number */
	struct map files; /* call_path -> call_file */
	struct map scraps;     /* call_path of a directory -> call_scraps */
	struct map peers;      /* call_path -> call_peer */
	struct map exchanges;  /* call_path of a connection, or "UDP →peer" -> call_exchange */
	struct map answers;    /* call_path of a peer, "127.0.0.1:80" -> call_answers */
	struct map databases;  /* key of a connection -> call_database */
	struct map handshakes; /* key of a connection -> call_handshakes */
	struct map served_handshakes; /* call_path of a listening socket -> call_handshakes */
	struct map clients; /* call_path of a listening socket, "127.0.0.1:80" -> call_clients */
	struct map waits;   /* uint32_t tid -> call_waits */
	struct map repeats; /* call_repeat_key -> call_repeat; bounded: the first ones */
	struct map signals; /* call_signal_key -> call_failures, of calls that succeeded */
	/* State between calls: */
	struct call_exchanging exchanging;
	struct call_nesting nesting;
	uint64_t given_ns;    /* last start of a child, or message that may pass descriptors */
	struct map positions; /* uint32_t fd -> its position in the file */
	struct map pending;   /* uint32_t fd -> a connection that is being made */
	struct map hellos;    /* uint32_t fd -> a connection on which TLS begins */
	struct map unused;    /* uint32_t fd -> a connection that has brought nothing yet */
	struct map guests;    /* uint32_t fd -> a connection that was accepted and not read yet */
	struct map weights;   /* call_kind -> call_weight */
};

struct call_histories {
	struct map processes; /* process_id -> struct call_history * */
	struct call_fold fold;
	bool is_on; /* the stream has the probe "syscalls" */
	bool has_calls, has_counts;
	bool has_time_gaps; /* calls were counted in windows: counts are estimates */
	bool is_full;	    /* no new entries are added, only existing ones updated */
	uint64_t taken;	    /* calls read from the stream */
	uint64_t lost;	    /* calls lost from the stream */
	uint64_t refused;   /* entries beyond the bounds */
};

void call_histories_init(struct call_histories *h);
void call_histories_fini(struct call_histories *h);
/* Starts taking records: the probe is in the stream. */
void call_histories_begin(struct call_histories *h);
void call_histories_add_record(struct call_histories *h, const struct sooth_record *r);
/* Ends the history after the last record. */
void call_histories_resolve(struct call_histories *h);
void call_histories_next_interval(struct call_histories *h);
/* Returns the history of a process; NULL: the process made no call. */
const struct call_history *call_histories_get(
	const struct call_histories *h, const struct process_id *id);

/* Returns whether the error means that a limit of processes and threads is reached: a retry does
 * not help. */
bool call_error_is_no_room(const struct syscall_row *row, unsigned error);
/* Returns whether the error is serious for any program: no space, no descriptors, no memory, a
 * broken device. */
bool call_error_is_grave(unsigned error);

/* Adds the failures at one place to `sum`, which begins as { 0 }. */
void call_failures_add(struct call_failures *sum, const struct call_failures *f);
/* Returns whether a path is absolute, and not in /dev, /proc or /sys. */
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
#define call_repeats_each(h, key, r)                                                               \
	for (size_t at_ = 0, once_ = 1; once_;)                                                    \
		for (const struct call_repeat_key *key = NULL; once_; once_ = 0)                   \
			for (const struct call_repeat *r; (r = call_repeats_next(h, &at_, &key));)
/* Returns the factor that corrects the counts of a call. They are too low, since weights begin only
 * after the first gap. */
double call_history_correction(const struct call_history *h, uint16_t abi, uint32_t number);
/* Returns how often a file with the name of this path, whatever its extension, was found in any
 * directory. */
uint64_t call_history_found(const struct call_history *h, const char *path);
